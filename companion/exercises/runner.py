"""What every chapter's checks share: asking a student's function, reading its answer, and saying what is wrong.

A check looks at what a function does, never at how it is written. It ends in one of two ways: a line of confirmation,
or `NotYet` with one sentence in the words of the lesson. Each question is put with limits (`limits`) and looked at
for what it leaves behind (`leftovers`); a check draws its questions anew in each of its rounds (`rounds`).
"""

import io
import linecache
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from companion.exercises import diagnosis
from companion.exercises.leftovers import GRADIENTS_OFF, Rules, noted
from companion.exercises.limits import GIGABYTES, SECONDS, OutOfTimeError, limited
from companion.exercises.rounds import SEEDS, present

_HERE = str(Path(__file__).parent)


class NotYet(AssertionError):
    """A task that is not solved yet: one sentence that says what is wrong or what is to be done.

    It is an AssertionError, so nbgrader gives the cell no points; in a notebook only the sentence shows.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"Not yet. {self}"]


class TimedOut(NotYet):
    """An answer that took too long: neither right nor wrong, and no grade is made of it."""


def _as_it_is(answer: Any) -> Any:
    return answer


@dataclass(frozen=True)
class Task:
    """What a student is asked to write, and how to speak of it."""

    call: str  # as the notebook writes it: “slope(loss, score)”
    todo: str  # completes “write `slope(loss, score)`, …”
    hints: Mapping[str, str] = field(default_factory=dict)  # part of an exception's text → what it means here
    trains: Sequence[str] = ()  # arguments whose weights are to change; those of a given optimiser are anyway
    averages: Sequence[str] = ()  # arguments whose running averages may move
    takes: Sequence[str] = ()  # arguments that are given away, modes and all

    @property
    def name(self) -> str:
        """The function's name."""
        return self.call.partition("(")[0]

    @property
    def arguments(self) -> list[str]:
        """The names of what it is called with."""
        return [part.strip() for part in self.call.rstrip(")").rpartition("(")[2].split(",")]

    def ask(self, student: object, *inputs: object) -> Any:
        """The answer of the student's function; whatever goes wrong inside becomes one sentence.

        Warnings and anything written to stderr are dropped: nbgrader takes every word there for a failure. What the
        answer leaves behind is put back, and told by `right` if nothing else is wrong.

        Raises:
            NotYet: It cannot be called, is not written yet, or stopped with an exception.
            TimedOut: It took too long.
        """
        if not callable(student):
            raise NotYet(
                f"Give the check your function itself, `{self.name}` without brackets, not {described(student)}."
            )
        running = present()
        running.asked[:] = [self, student, [_copied(each) for each in inputs]]
        names = [*self.arguments, *["input"] * len(inputs)][: len(inputs)]
        seed = int(torch.randint(SEEDS, (), generator=running.random))
        rules = Rules(self.trains, self.averages, self.takes)
        with noted(names, inputs, rules, seed) as changed:
            answer, left_off = self._answer(student, inputs)
            answer = _parted(answer)  # an input that it may be is put back now
        if left_off:
            changed.insert(0, GRADIENTS_OFF)
        running.spoiled += [f"`{self.name}` {what}." for what in changed]
        return answer

    def _answer(self, student: Callable[..., Any], inputs: tuple[object, ...]) -> tuple[Any, bool]:
        try:
            with quiet():
                return limited(lambda: student(*inputs))
        except OutOfTimeError:
            raise TimedOut(
                f"`{self.name}` has not come to an end within {SECONDS:.0f} seconds of computing, and its answer takes "
                "an instant: is there a loop that never ends, or one that waits?"
            ) from None
        except MemoryError:
            raise NotYet(self._too_much) from None
        except NotImplementedError as problem:
            raise NotYet(self._stopped(problem) if str(problem) else self.waiting) from None
        except (Exception, SystemExit, GeneratorExit) as problem:
            raise NotYet(self._too_much if _out_of_memory(problem) else self._stopped(problem)) from None

    @property
    def waiting(self) -> str:
        """The one kind sentence for a task that nobody has begun."""
        return f"This one waits for you: write `{self.call}`, {self.todo}."

    @property
    def _too_much(self) -> str:
        return f"`{self.name}` asks for more than {GIGABYTES} GB of memory; its answer needs next to none."

    def _stopped(self, problem: BaseException) -> str:
        kind, text = type(problem).__name__, str(problem).strip()
        where = _students_line(problem.__traceback__)
        for part, meaning in self.hints.items():
            if part in text:
                return f"`{self.name}` stopped with {kind} (“{part}”){where}: {meaning}."
        first_line = (text.splitlines() or ["no message"])[0].rstrip(".")[:160]
        told = f"`{self.name}` stopped with {kind}{where}: {first_line}"
        return f"{told}{_meaning(problem)}; it is called as `{self.call}`."

    def tensor(self, answer: object, shape: tuple[int, ...] | None = None) -> Tensor:
        """The answer as a tensor on the CPU, whether it came as torch's, NumPy's or Python's numbers, or lists of them.

        A list of tensors becomes one, and their graphs stay.

        Raises:
            NotYet: It holds no real numbers, or has another shape than `shape`.
        """
        if answer is None:
            raise NotYet(f"`{self.name}` returns nothing; let it end with `return` and the answer.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # torch's, of a list of tensors whose gradients would be lost
                found = torch.as_tensor(_plain(answer)).cpu()
        except Exception:  # whatever torch makes of a dictionary, a module or a generator
            parts = isinstance(answer, (list, tuple)) or (isinstance(answer, np.ndarray) and answer.ndim)
            why = ", and its parts are something else or of different shapes" if parts else ""
            raise NotYet(
                f"`{self.name}` returns {described(answer)} where numbers are wanted{why}; see `{self.call}`."
            ) from None
        if found.is_complex():
            raise NotYet(f"`{self.name}` returns complex numbers; a root or a log has met a negative number.")
        if shape is not None and tuple(found.shape) != shape:
            raise NotYet(
                f"`{self.name}` returns {described(found)}; a tensor of shape {shape} is wanted"
                f"{_shapes_apart(tuple(found.shape), shape)}."
            )
        return found

    def scalar(self, answer: object) -> Tensor:
        """The answer as a tensor of one element, its graph kept."""
        found = self.tensor(answer)
        if found.numel() != 1:
            raise NotYet(
                f"`{self.name}` returns {described(found)} where one single number is wanted; "
                "take the mean or the sum that the task asks for."
            )
        return found.reshape(())

    def number(self, answer: object) -> float:
        """The single number the answer holds."""
        return float(self.scalar(answer).detach())

    def text(self, answer: object) -> str:
        """The answer as plain text.

        Raises:
            NotYet: It is something else.
        """
        if answer is None:
            raise NotYet(f"`{self.name}` returns nothing; let it end with `return` and the answer.")
        if not isinstance(answer, str):
            raise NotYet(
                f"`{self.name}` returns {described(answer)} where a text is wanted; see `{self.call}`."
            )
        return str.__str__(answer)

    def pair(self, answer: object, parts: str) -> tuple[Any, Any]:
        """The two parts of an answer, be it a tuple, a list, an array or a tensor.

        Args:
            answer: What came back.
            parts: What the two are, completing “… returns two things, …”.

        Raises:
            NotYet: It is not two of anything.
        """
        if isinstance(answer, (tuple, list, Tensor, np.ndarray)) and (
            not isinstance(answer, (Tensor, np.ndarray)) or answer.ndim
        ):
            two = list(answer)
            if len(two) == 2:
                return two[0], two[1]
        raise NotYet(f"`{self.name}` returns two things, {parts}, and yours returns {described(answer)}.")

    def slopes(self, value: Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
        """The derivatives of a student's number, through its own graph; zero where it does not depend on a leaf.

        Raises:
            NotYet: Autograd cannot go back through it.
        """
        if not value.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]
        found = self.ask(
            lambda: torch.autograd.grad(value, list(leaves), allow_unused=True, retain_graph=True)
        )
        return [
            torch.zeros_like(leaf) if slope is None else slope
            for leaf, slope in zip(leaves, found, strict=True)
        ]

    def judge(
        self,
        student: object,
        cases: Sequence[Sequence[Any]],
        wanted: Callable[..., Any],
        mistakes: Mapping[str, Callable[..., Any]],
        *,
        otherwise: Callable[..., str] | None = None,
        read: Callable[[Any], Any] = _as_it_is,
        tolerance: float = 1e-4,
    ) -> None:
        """Ask all cases and compare; a mistake is named if it gives the very answers to all of them.

        Args:
            student: The function.
            cases: The inputs of each question, the smallest first.
            wanted: The right answer to such inputs, a number or many.
            mistakes: For each known mistake, the sentence for it and the function that makes it.
            otherwise: What to say of any other mistake, from the answer and the inputs; without it, the numbers.
            read: Makes numbers of an answer that is more than that, or says what is wrong with it.
            tolerance: Relative and absolute.

        Raises:
            NotYet: An answer is wrong; told for the smallest case that shows it.
        """
        answers, rights = [], []
        for number, inputs in enumerate(cases):
            rights.append(_numbers(wanted(*map(_copied, inputs))))
            try:
                answers.append(self.tensor(read(self.ask(student, *map(_copied, inputs)))).detach())
            except TimedOut:
                raise
            except NotYet as told:
                wrong = [n for n in range(number) if not _same(answers[n], rights[n], tolerance)]
                if wrong or not number:
                    if wrong:
                        break
                    raise
                before, here = self._case(cases[number - 1]), self._case(inputs)
                raise NotYet(
                    f"{str(told)[:-1]}; that was with {here}, and it was right with {before}."
                ) from None
        wrong = [n for n, answer in enumerate(answers) if not _same(answer, rights[n], tolerance)]
        if not wrong:
            tell_leftovers()
            return
        if len(answers) < len(cases):  # a mistake that explains the answers has to explain the failure, too
            failed = cases[len(answers)]
            mistakes = {told: made for told, made in mistakes.items() if self._fails_too(made, failed, read)}
        named = _nearest_mistake(answers, cases, mistakes, tolerance)
        if named:
            raise NotYet(named)
        first = wrong[0]
        order = [first, *(n for n in range(len(answers)) if n != first)]
        questions = [Question(cases[n], answers[n], rights[n]) for n in order]
        raise NotYet(self._sentence(student, questions, otherwise, read, tolerance))

    def _fails_too(
        self, mistake: Callable[..., Any], inputs: Sequence[Any], read: Callable[[Any], Any]
    ) -> bool:
        made = _attempted(mistake, inputs)
        if made is None:
            return True
        try:
            self.tensor(read(made))
        except NotYet:
            return True
        return False

    def _sentence(
        self,
        student: object,
        questions: Sequence["Question"],
        otherwise: Callable[..., str] | None,
        read: Callable[[Any], Any],
        tolerance: float,
    ) -> str:
        """The sentence for a wrong answer, the first of these, of which only the numbers are known."""
        inputs, found, wanted = questions[0]
        case = self._case(inputs)
        if found.shape != wanted.shape:
            if wanted.dim() == 0 and found.numel() > 1:
                self.scalar(found)
            if found.numel() != wanted.numel() or wanted.dim():
                self.tensor(found, tuple(wanted.shape))
            found = found.reshape(wanted.shape)
        present().asked[:] = [self, student, list(inputs)]
        known = self._known([Question(inputs, found, wanted), *questions[1:]], case, tolerance, read)
        if otherwise is not None:
            return f"{otherwise(found, *inputs).rstrip('.')}{known}."
        return f"For {case} `{self.name}` {_gives(found, wanted)}{known}."

    def _case(self, inputs: Sequence[Any]) -> str:
        """The inputs in words: their values where they are few, else their shapes."""
        parts = []
        for name, value in zip(self.arguments, inputs, strict=False):
            short = diagnosis.shown(value).replace("-", "−")
            size = tuple(value.shape) if isinstance(value, (Tensor, np.ndarray)) else None
            parts.append(f"{name} = {short}" if short else f"{name} {size}" if size is not None else "")
        parts = [part for part in parts if part]
        return (
            " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
            or "what it was given"
        )

    def follow(
        self,
        student: object,
        cases: Sequence[Sequence[Any]],
        wanted: Callable[..., Tensor],
        *,
        tolerance: float = 1e-3,
    ) -> None:
        """Compare the gradients of a loss, by all tensors that it is given, with those of the right one.

        Raises:
            NotYet: It has left autograd, or part of it has.
        """
        for inputs in cases:
            leaves, values = _leaves(inputs)
            loss = self.scalar(self.ask(student, *values))
            if not loss.requires_grad:
                raise NotYet(
                    f"The value of `{self.name}` is right, but it has left autograd (`.item()`, `float`, NumPy and "
                    "`.detach()` do that), so nobody could train with it; return the tensor."
                )
            found = self.slopes(loss, leaves)
            ours, values = _leaves(inputs)
            slopes = torch.autograd.grad(wanted(*values), ours, allow_unused=True, materialize_grads=True)
            for slope, right_one in zip(found, slopes, strict=True):
                if not torch.allclose(slope.double(), right_one.double(), tolerance, tolerance):
                    raise NotYet(
                        f"The value of `{self.name}` is right but its gradient is not; some part is cut off from "
                        "autograd (`.item()`, `.detach()`, `.data` or `torch.no_grad()`)."
                    )

    def expect(
        self,
        found: float,
        wanted: float,
        case: str,
        mistakes: Mapping[str, float],
        *,
        tolerance: float = 1e-3,
    ) -> None:
        """Nothing if the number is right; else the mistake that gives this very number, or what is known about it.

        Args:
            found: The student's number.
            wanted: The right one.
            case: What was asked, completing “for …”.
            mistakes: For each known mistake, the sentence for it and the number it leads to.
            tolerance: Relative and absolute.
        """
        if close(found, wanted, tolerance):
            present().cases.append(case)
            return
        for sentence, value in mistakes.items():
            if close(found, value, tolerance):
                raise NotYet(sentence)
        ours, theirs = (torch.tensor(float(value), dtype=torch.float64) for value in (found, wanted))
        known = self._known([Question(present().inputs, ours, theirs)], case, tolerance)
        raise NotYet(f"For {case} `{self.name}` {_gives(ours, theirs)}{known}.")

    def match(
        self,
        found: Tensor,
        wanted: Tensor,
        mistakes: Mapping[str, Tensor],
        otherwise: str = "",
        *,
        case: str = "",
        tolerance: float = 1e-4,
    ) -> None:
        """As `expect`, for many numbers at once: nothing if all are right, else the mistake that gives these very ones.

        Args:
            found: The student's numbers, of the right shape.
            wanted: The right ones.
            mistakes: For each known mistake, the sentence for it and the numbers it leads to.
            otherwise: The sentence for all other mistakes; without one, both are written out.
            case: What was asked, completing “for …”.
            tolerance: Relative and absolute.
        """

        def gives(numbers: Tensor) -> bool:
            same = numbers.shape == found.shape
            return same and torch.allclose(found.double(), numbers.double(), tolerance, tolerance)

        if gives(wanted):
            present().cases.append(case)
            return
        for sentence, value in mistakes.items():
            if gives(value):
                raise NotYet(sentence)
        known = self._known([Question(present().inputs, found, wanted)], case, tolerance)
        if otherwise:
            raise NotYet(f"{otherwise.rstrip('.')}{known}.")
        raise NotYet(f"{f'For {case} ' if case else ''}`{self.name}` {_gives(found, wanted)}{known}.")

    def _known(
        self,
        questions: Sequence["Question"],
        case: str,
        tolerance: float,
        read: Callable[[Any], Any] = _as_it_is,
    ) -> str:
        """All that can be found out about wrong answers, as the end of a sentence about the first."""
        inputs, found, wanted = questions[0]
        without_effect = self._idle(questions, read) if bool(found.isfinite().all()) else []
        if without_effect:
            if len(without_effect) == len(inputs):
                return ": your answer is the same whatever it is given"
            names = " and ".join(f"`{name}`" for name in without_effect)
            verb = "has" if len(without_effect) == 1 else "have"
            return f": {names} {verb} no effect on your answer; use what you get"
        if found.shape == wanted.shape:
            pairs = [diagnosis.Pair(each.found, each.wanted) for each in questions]
            if related := diagnosis.relation(pairs, max(tolerance, 1e-3)):
                return f": {related}"
        before = [each for each in present().cases if each and each != case]
        if before:
            return f"; it was right for {before[-1]}, so look at what differs"
        return ""

    def _idle(self, questions: Sequence["Question"], read: Callable[[Any], Any]) -> list[str]:
        running = present()
        if not running.asked or running.asked[0] is not self:
            return []
        asked, spoiled = list(running.asked), list(running.spoiled)
        student, inputs = asked[1:]
        names = self.arguments[: len(inputs)]

        def again(others: Sequence[Any]) -> Tensor | None:
            try:
                answer: Tensor = self.tensor(read(self.ask(student, *map(_copied, others))))
                return answer.detach()
            except NotYet:
                return None
            finally:
                running.asked[:], running.spoiled[:] = asked, spoiled

        answered = [(each.inputs, each.found) for each in questions[:_PROBED]]
        return diagnosis.idle(again, names, answered) if len(names) == len(inputs) else []


_PROBED = 8  # questions that are asked again with other inputs, at most


class Question(NamedTuple):
    """What was asked, what came back, and what should have."""

    inputs: Sequence[Any]
    found: Tensor
    wanted: Tensor


def _gives(found: Tensor, wanted: Tensor) -> str:
    if wanted.dim() == 0:
        return f"gives {float(found):.4g}, and it should be {float(wanted):.4g}"
    return f"gives {_listed(found)}, and it should be {_listed(wanted)}"


def _plain(answer: object) -> object:
    """The answer in a form that torch takes, without what a class of its own may have made of comparing.

    The same numbers are the same answer, in whatever they come.
    """
    if isinstance(answer, Tensor):
        return _dense(answer).as_subclass(Tensor)
    if isinstance(answer, (np.ndarray, np.generic)):
        return _torchs(np.array(answer, order="C", subok=False))  # torch takes no array that runs backwards
    if isinstance(answer, (list, tuple)):
        parts = [_plain(part) for part in answer]
        if any(isinstance(part, (Tensor, np.ndarray)) for part in parts):
            return torch.stack([torch.as_tensor(part).cpu() for part in parts])
        return parts
    if isinstance(answer, (Fraction, Decimal)):
        return float(answer)
    return answer


def _dense(tensor: Tensor) -> Tensor:
    if tensor.is_nested:
        raise ValueError("It has no shape.")
    if tensor.is_quantized:
        return tensor.dequantize()
    return tensor if tensor.layout == torch.strided else tensor.to_dense()


def _torchs(numbers: NDArray[Any]) -> object:
    """An array with a type of numbers that torch has."""
    if numbers.dtype.kind == "O":
        return _plain(numbers.tolist())
    if numbers.dtype.kind == "f" and numbers.dtype.itemsize > 8:
        return numbers.astype(np.float64)
    return numbers.astype(numbers.dtype.newbyteorder("="), copy=False)


def _numbers(value: Any) -> Tensor:
    return torch.as_tensor(value).detach().cpu()


def _same(found: Tensor, wanted: Tensor | None, tolerance: float) -> bool:
    """Equal within the tolerance, and of one shape but for a single number, which may come in brackets."""
    if wanted is None or (found.shape != wanted.shape and not found.numel() == wanted.numel() == 1):
        return False
    return torch.allclose(found.double().reshape(wanted.shape), wanted.double(), tolerance, tolerance)


def _nearest_mistake(
    answers: Sequence[Tensor],
    cases: Sequence[Sequence[Any]],
    mistakes: Mapping[str, Callable[..., Any]],
    tolerance: float,
) -> str:
    """The sentence of the mistake that gives these answers to all cases; of several, of the nearest; or nothing."""
    apart: dict[str, float] = {}
    for sentence, mistake in mistakes.items():
        apart[sentence] = 0.0
        for answer, inputs in zip(answers, cases, strict=False):  # an answer that failed ends the answers
            apart[sentence] += _gap(answer, _attempted(mistake, inputs), tolerance)
            if math.isinf(apart[sentence]):
                break
    nearest = min(apart, key=lambda sentence: apart[sentence], default="")
    return nearest if math.isfinite(apart.get(nearest, math.inf)) else ""


def _gap(found: Tensor, other: Tensor | None, tolerance: float) -> float:
    """How far two answers lie apart in all; infinitely if they are not the same within the tolerance."""
    if other is None or not _same(found, other, tolerance):
        return math.inf
    return float((found.double().flatten() - other.double().flatten()).abs().nan_to_num(0, 0, 0).sum())


def _attempted(mistake: Callable[..., Any], inputs: Sequence[Any]) -> Tensor | None:
    """What a mistake gives here; None where it cannot be made."""
    try:
        return _numbers(mistake(*map(_copied, inputs)))
    except (RuntimeError, ValueError, IndexError):
        return None


def _leaves(inputs: Sequence[Any]) -> tuple[list[Tensor], list[Any]]:
    """Tensors that autograd watches, and the inputs with copies of them in their places."""
    leaves, values = [], []
    for each in inputs:
        if isinstance(each, Tensor) and each.is_floating_point():
            leaves.append(each.detach().clone().requires_grad_())
            values.append(leaves[-1].clone())
        else:
            values.append(each)
    return leaves, values


def _parted(answer: Any) -> Any:
    """The answer, sharing no memory with what was given; a graph that it hangs on is left alone."""
    if isinstance(answer, Tensor):
        return answer if answer.requires_grad else answer.clone()
    if isinstance(answer, np.ndarray):
        return answer.copy()
    return type(answer)(map(_parted, answer)) if type(answer) in (list, tuple) else answer


def _copied(value: object) -> object:
    """Numbers as they are now; everything else as it is."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, (np.ndarray, list)):
        return value.copy()
    return value


def _out_of_memory(problem: BaseException) -> bool:
    return any(
        part in str(problem) for part in ("not enough memory", "can't allocate memory", "std::bad_alloc")
    )


def _students_line(trace: TracebackType | None) -> str:
    """The last line on an exception's way that is the student's own, with its number."""
    found = ""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not (path.startswith((_HERE, "<frozen")) or "site-packages" in path or f"lib{'/'}python" in path):
            line = linecache.getline(path, trace.tb_lineno).strip()
            found = f" in your line {trace.tb_lineno}{f', `{line[:80]}`,' if line else ''}"
        trace = trace.tb_next
    return found.rstrip(",") if found.endswith("`,") else found


def _meaning(problem: BaseException) -> str:
    """What the commonest exceptions mean, in a few words."""
    text = str(problem)
    for kind, part, meaning in _MEANINGS:
        if isinstance(problem, kind) and part in text:
            return f" ({meaning})"
    return ""


_MEANINGS: tuple[tuple[type[BaseException], str, str], ...] = (
    (RecursionError, "", "it calls itself without end"),
    (
        NameError,
        "is not defined",
        "a name that nothing has been given to: is it misspelt, or made in a later cell?",
    ),
    (UnboundLocalError, "", "a name that is used before it is given a value"),
    (ZeroDivisionError, "", "something that may be zero is divided by"),
    (TypeError, "positional argument", "it takes other arguments than it is called with"),
    (TypeError, "unexpected keyword", "a function that you call has no such argument"),
    (TypeError, "has no len", "a single number where a list is wanted"),
    (TypeError, "not subscriptable", "brackets after something that has no parts"),
    (TypeError, "not iterable", "a loop over something that has no parts"),
    (TypeError, "NoneType", "something that returns nothing is used as a value"),
    (AttributeError, "NoneType", "something that returns nothing is used as a value"),
    (AttributeError, "has no attribute", "a method of another library or another kind of object"),
    (IndexError, "", "an index that reaches beyond the end"),
    (KeyError, "", "a key that is not in the dictionary"),
    (RuntimeError, "must match the size", "two shapes that do not fit each other"),
    (RuntimeError, "shapes cannot be multiplied", "two shapes that do not fit each other"),
    (
        RuntimeError,
        "expected scalar type",
        "two types of numbers meet; let new tensors have the type of the old",
    ),
    (RuntimeError, "same dtype", "two types of numbers meet; let new tensors have the type of the old"),
    (RuntimeError, "to have the same dtype", "two types of numbers meet"),
    (RuntimeError, "does not require grad", "nothing on the way is watched by autograd"),
    (RuntimeError, "a second time", "a graph is gone after its first `backward`"),
    (RuntimeError, "Can't call numpy() on Tensor that requires grad", "`.detach()` comes before `.numpy()`"),
    (RuntimeError, "Boolean value of Tensor", "`if` wants one truth value, and a tensor has many"),
    (RuntimeError, "leaf Variable that requires grad", "weights are changed under `torch.no_grad()`"),
    (RuntimeError, "is invalid for input of size", "a shape with another number of places"),
    (ValueError, "could not be broadcast", "two shapes that do not fit each other"),
    (ValueError, "ambiguous", "`if` wants one truth value, and an array has many"),
    (ValueError, "unpack", "more or fewer values than names to give them to"),
)


def _shapes_apart(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What lies between two shapes, as the end of a sentence."""
    if len(found) == len(wanted) and sorted(found) == sorted(wanted):
        return ": its axes are in another order"
    if [n for n in found if n != 1] == [n for n in wanted if n != 1]:
        return (
            ": an axis of length 1 is too many"
            if len(found) > len(wanted)
            else ": an axis of length 1 is missing"
        )
    if math.prod(found) == math.prod(wanted):
        return ": the numbers are as many, in another arrangement"
    if len(found) == len(wanted):
        first = next(axis for axis, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b)
        return f": axis {first} has length {found[first]} instead of {wanted[first]}"
    if len(found) < len(wanted):
        return ": too much is summed, averaged or left out"
    return ": something is left that should be summed, averaged or taken out"


def _listed(numbers: Tensor) -> str:
    values = numbers.detach().double().numpy().round(3)
    if values.size <= 12:
        return str(values.tolist())
    head = ", ".join(f"{value:.3g}" for value in values.flatten()[:4])
    return f"{tuple(numbers.shape)} numbers that begin with {head}"


def close(found: float, wanted: float, tolerance: float = 1e-3) -> bool:
    """Whether two numbers agree; a NaN agrees with nothing."""
    return math.isclose(found, wanted, rel_tol=tolerance, abs_tol=tolerance)


def given(**inputs: object) -> str:
    """The smallest case in words, for a sentence: “real = [2.0, −1.0] and fake = [0.5]”."""
    parts = [f"{name} = {text}" for name, value in inputs.items() if (text := diagnosis.shown(value))]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts).replace("-", "−")


def described(value: object) -> str:
    """A value in a few words: what it is, not what it holds."""
    if value is None:
        return "nothing"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, (bool, int, float)):
        return f"the number {value:.4g}"
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def module(task: Task, answer: object, what: str) -> nn.Module:
    """The answer, which has to be a module.

    Raises:
        NotYet: It is something else.
    """
    if not isinstance(answer, nn.Module):
        raise NotYet(f"`{task.name}` makes {described(answer)}; {what}.")
    return answer


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and nothing on stderr inside."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def tell_leftovers() -> None:
    """Say what answers have left behind so far, where they are right themselves.

    Raises:
        NotYet: They have left something.
    """
    if spoiled := present().spoiled:
        raise NotYet(f"The answer is right, but {spoiled[0]}")


def right(sentence: str) -> None:
    """The confirmation of a solved task, at the end of its check.

    Raises:
        NotYet: All answers were right, and one of them has left something behind.
    """
    tell_leftovers()
    present().confirm(f"✓ {sentence}")
