"""Guards every check against the kinds of answers that once fooled one of them.

What leaves something behind, works for the check's own inputs only, is constant, ignores an argument, or never ends:
each kind is a change that is made to a right answer of every task where it finds something to change. About a thousand
answers come together, so all of them are tried by the full tests alone, which print how many right ones are accepted,
how many wrong ones refused, and how many refusals name the mistake.
"""

import importlib.util
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from banks import Bank
from house import sampled
from torch import nn

from companion.exercises import limits
from companion.exercises.rounds import ROUNDS, planned
from companion.exercises.runner import NotYet

Answer = Callable[..., Any]
FOLDER = Path(__file__).parent


def banks() -> dict[str, Bank]:
    found = {}
    for path in sorted(FOLDER.glob("test_ch[0-9][0-9]*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= {f"{path.stem[5:]} {name}": bank for name, bank in module.BANKS.items()}
    return found


BANKS = banks()
STEPS = {"one_step", "step", "clip"}
FREE = {"icnr"}  # the numbers are the student's own choice, as long as those that belong together are equal


def task(name: str) -> str:
    return name.split()[1]


class Case(NamedTuple):
    """A changed answer, and what its refusal has to say, if anybody can say it."""

    name: str
    check: Callable[[Any], None]
    answer: Any
    phrase: str = ""


# ---- what is done to a right answer ---------------------------------------------------------------------------------


def around(answer: Any, effect: Callable[[tuple[Any, ...]], object], *, before: bool = False) -> Any:
    """The answer with something done to its inputs; a module's, each time it is called."""

    def changed(*inputs: Any) -> Any:
        if before:
            effect(inputs)
        found = answer(*inputs)
        if isinstance(found, nn.Module):
            found.register_forward_hook(lambda module, given, out: effect(given) and None)  # out as it is
        elif not before:
            effect(inputs)
        return found

    return changed


def tensors(inputs: tuple[Any, ...]) -> list[torch.Tensor]:
    return [each for each in inputs if isinstance(each, torch.Tensor) and each.is_floating_point()]


@torch.no_grad()
def add_to_inputs(inputs: tuple[Any, ...]) -> None:
    for each in tensors(inputs):
        each.add_(0.5)
    for each in inputs:
        if isinstance(each, np.ndarray):
            each += 0.5
        if isinstance(each, list):
            each.append(each[0])


@torch.no_grad()
def sort_views(inputs: tuple[Any, ...]) -> None:
    for each in tensors(inputs):
        view = each.detach().numpy()
        view[...] = np.sort(view, axis=0)[::-1]
    for each in inputs:
        if isinstance(each, np.ndarray):
            each[::-1].sort(axis=0)
        if isinstance(each, list):
            each.reverse()


def modules(inputs: tuple[Any, ...]) -> list[nn.Module]:
    return [each for each in inputs if isinstance(each, nn.Module)]


def other_mode(inputs: tuple[Any, ...]) -> None:
    for each in modules(inputs):
        each.train(not each.training)


def freeze(inputs: tuple[Any, ...]) -> None:
    for each in modules(inputs):
        each.requires_grad_(False)


def fill_gradients(inputs: tuple[Any, ...]) -> None:
    for each in modules(inputs):
        for weight in each.parameters():
            weight.grad = torch.ones_like(weight)


@torch.no_grad()
def move_weights(inputs: tuple[Any, ...]) -> None:
    for each in modules(inputs):
        for weight in each.parameters():
            weight.add_(1e-3)


GLOBAL = {
    "torch's seed": (lambda _: torch.manual_seed(0), "seed"),
    "NumPy's seed": (lambda _: np.random.seed(0), "seed"),  # noqa: NPY002
    "Python's seed": (lambda _: random.seed(0), "seed"),
    "gradients off": (lambda _: torch.set_grad_enabled(False), "switched off"),
    "default type": (lambda _: torch.set_default_dtype(torch.float16), "default type"),
    "anomalies": (lambda _: torch.autograd.set_detect_anomaly(True), "anomalies"),
}
ON_INPUTS = {"adds to its inputs": add_to_inputs, "sorts a view": sort_views}
ON_MODULES = {
    "other mode": (other_mode, "mode"),
    "frozen": (freeze, "frozen|gradients still"),
    "gradients": (fill_gradients, "gradients in"),
    "weights": (move_weights, "changes the weights"),
}


def numeric(value: Any) -> bool:
    """Whether it is a number or many; a truth value is none."""
    kinds = (int, float, np.number, np.ndarray, torch.Tensor)
    return isinstance(value, kinds) and not isinstance(value, bool)


def mapped(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """The answer with its numbers changed."""

    def over(found: Any) -> Any:
        if isinstance(found, (tuple, list)):
            return type(found)(over(each) for each in found)
        return change(torch.as_tensor(found).to(torch.get_default_dtype())) if numeric(found) else found

    return lambda *inputs: over(answer(*inputs))


def tabled(answer: Answer) -> Answer:
    """What it answered first, for ever."""
    known: list[Any] = []

    def changed(*inputs: Any) -> Any:
        if not known:
            known.append(answer(*inputs))
        return known[0]

    return changed


def shapes(inputs: tuple[Any, ...]) -> list[tuple[int, ...]]:
    return [
        tuple(each.shape) for each in inputs if isinstance(each, (torch.Tensor, np.ndarray)) and each.ndim
    ]


def for_shapes(answer: Answer, fits: Callable[[tuple[int, ...]], bool]) -> Answer:
    """Right for some shapes of its first tensor, and zero for others."""

    def changed(*inputs: Any) -> Any:
        found = answer(*inputs)
        given = shapes(inputs)
        if not given or fits(given[0]):
            return found
        return mapped(lambda: found, lambda value: value * 0 + 7)()

    return changed


NUMBERS = {
    "twice": lambda v: 2 * v,
    "half": lambda v: v / 2,
    "other sign": lambda v: -v,
    "one more": lambda v: v + 1,
    "a little more": lambda v: 1.03 * v + 0.03,
    "zero": lambda v: 0 * v,
    "NaN": lambda v: v * float("nan"),
    "rounded": lambda v: v.round() + 0.004,
    "cut off": lambda v: v.clamp(0, 0.2),
    "complex": lambda v: v * 1j,
}
WRONG_KINDS = {
    "nothing": (lambda *_: None, "returns nothing|a layer is wanted|a module"),
    "text": (lambda *_: "an answer", "str|one string|three words|the words|a layer|wanted"),
    "an exception": (lambda *_: [][1], "index that reaches beyond|hint"),
    "a name": (lambda *_: not_there, "is it misspelt"),  # noqa: F821
    "recursion": (lambda *inputs: WRONG_KINDS["recursion"][0](*inputs), "without end"),
}


class Asked(NamedTuple):
    """What a check has asked a right answer: all that it was given, and all that it gave."""

    given: list[tuple[Any, ...]]
    found: list[Any]

    @property
    def anything(self) -> bool:
        return any(self.given)

    @property
    def changeable(self) -> bool:
        """Whether anything was given that an answer could change."""
        return any(
            isinstance(each, (torch.Tensor, np.ndarray, list)) for given in self.given for each in given
        )

    @property
    def shaped(self) -> bool:
        return any(map(shapes, self.given))

    @property
    def numbers(self) -> bool:
        """Whether numbers came back: not only words, truth values or modules."""
        return any(map(holds_numbers, self.found))


def holds_numbers(found: Any) -> bool:
    return any(map(holds_numbers, found)) if isinstance(found, (tuple, list)) else numeric(found)


def listened(bank: Bank, place: int) -> Asked:
    """What the check asks the function in this place of the first right solution."""
    asked = Asked([], [])
    part = parts(bank)[place]

    def answer(*inputs: Any) -> Any:
        asked.given.append(inputs)
        asked.found.append(part(*inputs))
        return asked.found[-1]

    bank.check(with_part(bank, place, answer))
    return asked


def parts(bank: Bank) -> tuple[Answer, ...]:
    """The functions of the first right solution; most checks take one."""
    solution = next(iter(bank.right.values()))
    return solution if isinstance(solution, tuple) else (solution,)


def with_part(bank: Bank, place: int, answer: Answer) -> Any:
    """The first right solution with another function in this place."""
    solution = next(iter(bank.right.values()))
    return (*solution[:place], answer, *solution[place + 1 :]) if isinstance(solution, tuple) else answer


def wrong_cases(name: str, bank: Bank) -> Iterator[Case]:
    """All kinds of wrong answers to a task, from its first right one; of several functions, one at a time is spoilt."""
    for place, part in enumerate(parts(bank)):
        for kind, answer, phrase in kinds(task(name), part, listened(bank, place)):
            at = f", {place}" if len(parts(bank)) > 1 else ""
            yield Case(f"{name}: {kind}{at}", bank.check, with_part(bank, place, answer), phrase)


def kinds(short: str, solution: Answer, asked: Asked) -> Iterator[tuple[str, Answer, str]]:
    """The changes that find something to change: an answer in words is not doubled, a file's name not sorted."""
    for kind, (effect, phrase) in GLOBAL.items():
        if short != "features" or kind != "gradients off":
            yield kind, around(solution, effect), phrase
    if asked.changeable and short not in {"slope", "normalised", "part"} | STEPS:
        for kind, effect in ON_INPUTS.items():
            yield kind, around(solution, effect), "work on a copy|its own input|cuts its"
    for kind, (effect, phrase) in ON_MODULES.items():
        if short in {"slopes", "sample", "leaks"} or (short in STEPS and kind in {"other mode", "frozen"}):
            yield kind, around(solution, effect), phrase
    for kind, (answer, phrase) in WRONG_KINDS.items():
        yield kind, answer, phrase
    for kind, change in NUMBERS.items() if asked.numbers else ():
        if (short, kind) not in {("disguise", "rounded"), ("psnr", "NaN")} and (
            short not in FREE or kind in {"zero", "NaN", "complex"}
        ):
            yield kind, mapped(solution, change), ""
    if asked.anything and short not in {"disguise", "slope", "sample"}:
        yield "tabled", tabled(solution), ""
    if not (asked.shaped and asked.numbers):
        return
    yield "for one shape", for_shapes(solution, lambda shape: shape[-1] != 5 and max(shape) < 6), ""
    if short in {"blur", "psnr", "sprites", "slopes"}:
        yield "for square images", for_shapes(solution, lambda shape: shape[-1] == shape[-2]), ""
    if short in {"blur", "psnr", "slopes"}:
        yield "for three channels", for_shapes(solution, lambda shape: shape[1] == 3), ""


# ---- what is done to a right answer that leaves it right ------------------------------------------------------------


class Object:
    """An answer that is no function."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, *inputs: Any) -> Any:
        return self.answer(*inputs)


def draws_and_puts_back(inputs: tuple[Any, ...]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
    torch.rand(3)
    np.random.rand(700)  # noqa: NPY002 - more than one block of its generator
    [random.random() for _ in range(400)]
    with torch.no_grad(), np.errstate(all="ignore"):
        print("on the way")


RIGHT_KINDS: dict[str, Callable[[Answer], Answer]] = {
    "an object": Object,
    "partial": partial,
    "random on the way": lambda answer: around(answer, draws_and_puts_back, before=True),
}


def right_cases(name: str, bank: Bank) -> Iterator[Case]:
    """Besides the right solutions as they are written, which are tried with their chapter."""
    first = next(iter(bank.right.values()))
    for kind, change in RIGHT_KINDS.items():
        if (task(name), kind) == ("part", "random on the way"):
            continue  # asked for thousands of patches at once, it draws more than `leftovers` follows
        answer = tuple(map(change, first)) if isinstance(first, tuple) else change(first)
        yield Case(f"{name}: {kind}", bank.check, answer)


# ---- the trial ------------------------------------------------------------------------------------------------------

BARE = re.compile(
    r"gives [^:;]+, and it should be [^:;]+\.$|returns [^:;]* is wanted\.$|"
    r"stopped with \w+[^(]*; it is called as `[^`]*`\.$"
)


def judged(case: Case) -> str:
    """What the check says; empty if it accepts."""
    try:
        case.check(case.answer)
    except NotYet as told:
        return str(told)
    return ""


def report(name: str, bank: Bank, capsys: pytest.CaptureFixture[str]) -> Counter[str]:
    """How a task's check judges all kinds of answers; every line printed is a failure."""
    counts: Counter[str] = Counter()
    told = []
    for case in right_cases(name, bank):
        counts["right"] += 1
        if sentence := judged(case):
            told.append(f"refused though right: {case.name}: {sentence}")
        else:
            counts["accepted"] += 1
    for case in wrong_cases(name, bank):
        counts["wrong"] += 1
        sentence = judged(case)
        if not sentence:
            told.append(f"accepted though wrong: {case.name}")
            continue
        counts["refused"] += 1
        named = re.search(case.phrase, sentence) if case.phrase else not BARE.search(sentence)
        counts["named"] += bool(named)
        if not named:
            told.append(f"not named: {case.name}: {sentence}")
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)}", *told, sep="\n  ")
    return counts


LONG = {"ch05 amount"}  # asks 350 times in each round, and each question has a thread of its own


@pytest.mark.full
@pytest.mark.parametrize("name", sampled(BANKS, BANKS.keys() - LONG))
def test_right_ones_are_accepted_and_wrong_ones_refused_by_name(name, capsys):
    counts = report(name, BANKS[name], capsys)
    assert counts["accepted"] == counts["right"]
    assert counts["refused"] == counts["wrong"]
    assert counts["named"] >= 0.8 * counts["refused"]


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.slow
def test_right_ones_are_accepted_with_float64_as_torchs_default(name):
    """And the reader's default is theirs again afterwards."""
    check, right, _ = BANKS[name]
    torch.set_default_dtype(torch.float64)
    try:
        for solution in list(right.values())[:2]:
            check(solution)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_never_ends_is_told_so_and_left_behind(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.2)

    def loops(*_: Any) -> None:
        while True:
            pass

    def cannot_be_stopped(*_: Any) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                return

    for answer in (loops, cannot_be_stopped):
        with pytest.raises(NotYet, match="has not come to an end") as told:
            BANKS["ch03 earth"].check(answer)
        assert type(told.value).__name__ == "TimedOut"


def test_what_waits_for_ever_is_told_so(monkeypatch):
    import time

    monkeypatch.setattr(limits, "PATIENCE", 0.3)
    with pytest.raises(NotYet, match="has not come to an end"):
        BANKS["ch03 earth"].check(lambda a, b: time.sleep(30))


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="Linux alone limits memory within a process"
)
def test_what_takes_all_memory_is_told_so():
    for greedy in (
        lambda a, b: torch.zeros(10**11),
        lambda a, b: np.ones(10**11),
        lambda a, b: bytearray(10**12),
    ):
        with pytest.raises(NotYet, match="more than 4 GB of memory"):
            BANKS["ch03 earth"].check(greedy)


def test_an_exception_shows_the_students_line():
    def answer(first, second):
        return first.sorted().mean()

    with pytest.raises(NotYet, match=r"in your line \d+, `return first.sorted\(\).mean\(\)`"):
        BANKS["ch03 earth"].check(answer)


def test_an_answer_that_works_for_some_sizes_is_told_for_which_it_does_not():
    def answer(first, second):
        if len(first) > 6:
            raise ValueError("too long")
        return (first.sort().values - second.sort().values).abs().mean()

    with pytest.raises(NotYet, match="and it was right with"):
        BANKS["ch03 earth"].check(answer)


def test_the_smallest_failing_case_is_told():
    with pytest.raises(
        NotYet, match=r"For first = \[[^,]*, [^,]*\] and second = \[[^,]*, [^,]*\] `earth_mover` gives"
    ):
        BANKS["ch03 earth"].check(
            lambda a, b: (a.sort().values - b.sort().values).abs().mean() + 0.37 * a.abs().max()
        )


class Agreeable(torch.Tensor):
    """Says that it equals everything."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), named=None):
        if function in (torch.allclose, torch.equal, torch.isclose):
            return True
        return super().__torch_function__(function, types, arguments, named or {})


class Yes(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def test_answers_that_call_themselves_equal_to_everything_are_not_believed():
    with pytest.raises(NotYet):
        BANKS["ch02 blur"].check(lambda x, k: torch.zeros_like(x)[..., 2:, 2:].as_subclass(Agreeable))
    with pytest.raises(NotYet):
        BANKS["ch08 typed"].check(lambda taps: Yes("0"))


def test_the_answer_cannot_read_what_is_wanted_from_the_checks_stack():
    def peeks(first, second):
        import sys

        frame, seen = sys._getframe(), []
        while frame:
            seen += [frame.f_code.co_name]
            frame = frame.f_back
        assert not any(name.startswith(("check_", "judge")) for name in seen)
        return (first.sort().values - second.sort().values).abs().mean()

    BANKS["ch03 earth"].check(peeks)


def test_questions_differ_each_time():
    """At a student's desk, where no seed is planned."""
    seen = []
    with planned(ROUNDS):
        for _ in range(2):
            BANKS["ch03 earth"].check(
                lambda a, b: seen.append(a.tolist()) or (a.sort().values - b.sort().values).abs().mean()
            )
    assert seen[: len(seen) // 2] != seen[len(seen) // 2 :]


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.slow
def test_a_right_answer_is_right_every_time(name):
    """A student's tick and mark agree: the first right answer of each task, over many rounds."""
    check, right, _ = BANKS[name]
    with planned(6):
        check(next(iter(right.values())))


def test_coin_tosses_are_refused_every_time():
    def tosses(real):
        return real.mean() + real.std() * torch.where(torch.rand(len(real)) < 0.5, 1.0, -1.0)

    for seed in range(10):
        with planned(ROUNDS, seed), pytest.raises(NotYet, match="coins|still sees"):
            BANKS["ch01 disguise"].check(tosses)
