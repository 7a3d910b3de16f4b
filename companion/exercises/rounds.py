"""How a check is run: in rounds, each with numbers drawn anew and in another precision, and nothing left behind.

A chapter writes `check_…(student)`; whoever imports the chapter gets it `refereed`. A check that draws its questions
with `fresh` (or `whole`, `uniform`, `normal`) is run again with others, so that nobody can table its cases; one with
fixed questions is run once. Numbers drawn without a type have the round's: torch's default is set to it, whatever the
reader's own default is, and put back afterwards.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor

from companion.exercises.leftovers import kept

Chosen = TypeVar("Chosen")
PRECISIONS = (torch.float32, torch.float64)
# what torch says when float32 meets float64
TWO_PRECISIONS = re.compile(
    "scalar type|same dtype|expected dtype|(Double|Float) did not match|should be the same"
)
ROUNDS = 3  # at a student's desk
SEEDS = 2**62  # how many there are


@dataclass
class Round:
    """One run of a check."""

    seed: int
    drawn: bool = False  # has the check asked for numbers of this round?
    alone: bool = False  # nobody runs this round: a check was called as it is written
    said: str = ""  # the confirmation, printed once all rounds are through
    spoiled: list[str] = field(default_factory=list)  # what answers have left behind, a sentence each
    asked: list[Any] = field(
        default_factory=list
    )  # the last question: the task, the answer's function, its inputs
    cases: list[str] = field(default_factory=list)  # those that were right so far

    def __post_init__(self) -> None:
        self.random = torch.Generator().manual_seed(self.seed)

    @property
    def inputs(self) -> list[Any]:
        """Those of the last question."""
        return self.asked[2] if self.asked else []

    def confirm(self, sentence: str) -> None:
        """Keep the confirmation until all rounds are through."""
        if self.alone:
            print(sentence)
        self.said = sentence


_round: ContextVar[Round | None] = ContextVar("round", default=None)
_plan: ContextVar[tuple[int, int | None]] = ContextVar("plan", default=(ROUNDS, None))


def present() -> Round:
    """The round that is running; outside of all, one that nobody looks at."""
    return _round.get() or Round(secrets.randbelow(SEEDS), alone=True)


def fresh() -> torch.Generator:
    """The round's random numbers; a check that draws from them has other questions in each round."""
    running = present()
    running.drawn = True
    return running.random


def whole(low: int, high: int) -> int:
    """A whole number from `low` to `high`, both possible."""
    return int(torch.randint(low, high + 1, (), generator=fresh()))


def uniform(low: float, high: float, *shape: int) -> Tensor:
    """Numbers between `low` and `high` in the round's precision."""
    return low + (high - low) * torch.rand(shape, generator=fresh())


def normal(*shape: int) -> Tensor:
    """Normal numbers of mean 0 and deviation 1 in the round's precision."""
    return torch.randn(shape, generator=fresh())


def among(choices: Sequence[Chosen]) -> Chosen:
    """One of them."""
    return choices[whole(0, len(choices) - 1)]


def mixed(choices: Sequence[Chosen]) -> list[Chosen]:
    """All of them in an order that is drawn."""
    return [choices[place] for place in torch.randperm(len(choices), generator=fresh()).tolist()]


@contextmanager
def planned(rounds: int, seed: int | None = None) -> Iterator[None]:
    """Inside, checks run so many rounds, and with a seed always the same ones."""
    before = _plan.set((rounds, seed))
    try:
        yield
    finally:
        _plan.reset(before)


def refereed(check: Callable[..., None], refusal: type[AssertionError]) -> Callable[..., None]:
    """The check in rounds; whatever stops it, but for a `refusal`, is told as one.

    A check that is called from within another's is part of that one's round.
    """

    @wraps(check)
    def judge(*answers: object) -> None:
        if _round.get() is not None:
            check(*answers)
            return
        print(_judged(check, answers, refusal))

    judge.refereed = True  # type: ignore[attr-defined]
    return judge


def _judged(check: Callable[..., None], answers: tuple[object, ...], refusal: type[AssertionError]) -> str:
    """The confirmation of all rounds."""
    rounds, start = _plan.get()
    seed = secrets.randbelow(SEEDS) if start is None else start
    for number in range(rounds):
        precision = PRECISIONS[number % len(PRECISIONS)]
        try:
            running = _run(check, answers, refusal, seed + number, precision)
        except refusal as told:
            if precision == PRECISIONS[0] or not TWO_PRECISIONS.search(str(told)):
                raise told.with_traceback(None) from None
            # an answer may keep numbers of its own, made before; then the same questions are asked in their precision
            running = _run(check, answers, refusal, seed + number, PRECISIONS[0])
        if not running.drawn:
            break
    return running.said


def _run(
    check: Callable[..., None],
    answers: tuple[object, ...],
    refusal: type[AssertionError],
    seed: int,
    precision: torch.dtype,
) -> Round:
    """One round, through to its end."""
    running = Round(seed)
    before = _round.set(running)
    try:
        with kept(precision, running.seed):
            check(*answers)
    except refusal as told:
        raise told.with_traceback(None) from None
    except (Exception, SystemExit) as problem:
        raise refusal(_unexpected(problem, running)) from None
    finally:
        _round.reset(before)
    return running


def _unexpected(problem: BaseException, running: Round) -> str:
    name, call = (running.asked[0].name, running.asked[0].call) if running.asked else ("your answer", "")
    first_line = (str(problem).strip().splitlines() or ["no message"])[0].rstrip(".")[:160]
    how = f"; see `{call}`" if call else ""
    return f"The answer of `{name}` cannot be examined ({type(problem).__name__}: {first_line}){how}."


def referee(chapter: ModuleType, refusal: type[AssertionError]) -> None:
    """Put all checks of a chapter's module under these rules; those that are already stay as they are."""
    for name, found in list(vars(chapter).items()):
        if name.startswith("check_") and callable(found) and not hasattr(found, "refereed"):
            setattr(chapter, name, refereed(found, refusal))
