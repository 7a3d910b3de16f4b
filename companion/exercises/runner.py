"""What every chapter's checks share: asking a student's function, reading its answer, and saying what is wrong.

A check looks at what a function does, never at how it is written. It ends in one of two ways: a line of confirmation,
or `NotYet` with one sentence in the words of the lesson.
"""

import io
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


class NotYet(AssertionError):
    """A task that is not solved yet: one sentence that says what is wrong or what is to be done.

    It is an AssertionError, so nbgrader gives the cell no points; in a notebook only the sentence shows.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"Not yet. {self}"]


@dataclass(frozen=True)
class Task:
    """What a student is asked to write, and how to speak of it."""

    call: str  # as the notebook writes it: “slope(loss, score)”
    todo: str  # completes “write `slope(loss, score)`, …”
    hints: Mapping[str, str] = field(default_factory=dict)  # part of an exception's text → what it means here

    @property
    def name(self) -> str:
        """The function's name."""
        return self.call.partition("(")[0]

    def ask(self, student: object, *inputs: object) -> Any:
        """The answer of the student's function; whatever goes wrong inside becomes one sentence.

        Warnings and anything written to stderr are dropped: nbgrader takes every word there for a failure.

        Raises:
            NotYet: It cannot be called, is not written yet, or stopped with an exception.
        """
        if not callable(student):
            raise NotYet(
                f"Give the check your function itself, `{self.name}` without brackets, not {described(student)}."
            )
        try:
            with quiet():
                return student(*inputs)
        except NotImplementedError as problem:
            raise NotYet(self._stopped(problem) if str(problem) else self.waiting) from None
        except (Exception, SystemExit) as problem:
            raise NotYet(self._stopped(problem)) from None

    @property
    def waiting(self) -> str:
        """The one kind sentence for a task that nobody has begun."""
        return f"This one waits for you: write `{self.call}`, {self.todo}."

    def _stopped(self, problem: BaseException) -> str:
        kind, text = type(problem).__name__, str(problem).strip()
        for part, meaning in self.hints.items():
            if part in text:
                return f"`{self.name}` stopped with {kind} (“{part}”): {meaning}."
        first_line = (text.splitlines() or ["no message"])[0].rstrip(".")[:200]
        return f"`{self.name}` stopped with {kind}: {first_line}; it is called as `{self.call}`."

    def tensor(self, answer: object, shape: tuple[int, ...] | None = None) -> Tensor:
        """The answer as a tensor on the CPU, whether it came as torch's, NumPy's or Python's numbers.

        Raises:
            NotYet: It holds no real numbers, or has another shape than `shape`.
        """
        if answer is None:
            raise NotYet(f"`{self.name}` returns nothing; let it end with `return` and the answer.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # torch's, of a list of tensors whose gradients would be lost
                found = torch.as_tensor(answer).cpu()
        except Exception:  # whatever torch makes of a dictionary, a module or a generator
            raise NotYet(
                f"`{self.name}` returns {described(answer)} where numbers are wanted; see `{self.call}`."
            ) from None
        if found.is_complex():
            raise NotYet(f"`{self.name}` returns complex numbers; a root or a log has met a negative number.")
        if shape is not None and tuple(found.shape) != shape:
            raise NotYet(f"`{self.name}` returns {described(found)}; a tensor of shape {shape} is wanted.")
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

    def expect(
        self,
        found: float,
        wanted: float,
        case: str,
        mistakes: Mapping[str, float],
        *,
        tolerance: float = 1e-3,
    ) -> None:
        """Nothing if the number is right; else the mistake that gives this very number, or the two numbers.

        Args:
            found: The student's number.
            wanted: The right one.
            case: What was asked, completing “for …”.
            mistakes: For each known mistake, the sentence for it and the number it leads to.
            tolerance: Relative and absolute.
        """
        if close(found, wanted, tolerance):
            return
        for sentence, value in mistakes.items():
            if close(found, value, tolerance):
                raise NotYet(sentence)
        raise NotYet(f"For {case} `{self.name}` gives {found:.4g}, and it should be {wanted:.4g}.")

    def match(
        self,
        found: Tensor,
        wanted: Tensor,
        mistakes: Mapping[str, Tensor],
        otherwise: str = "",
        *,
        tolerance: float = 1e-4,
    ) -> None:
        """As `expect`, for many numbers at once: nothing if all are right, else the mistake that gives these very ones.

        Args:
            found: The student's numbers, of the right shape.
            wanted: The right ones.
            mistakes: For each known mistake, the sentence for it and the numbers it leads to.
            otherwise: The sentence for all other mistakes; without one, both are written out.
            tolerance: Relative and absolute.
        """

        def gives(numbers: Tensor) -> bool:
            same = numbers.shape == found.shape
            return same and torch.allclose(found.double(), numbers.double(), tolerance, tolerance)

        if gives(wanted):
            return
        for sentence, value in mistakes.items():
            if gives(value):
                raise NotYet(sentence)
        raise NotYet(
            otherwise or f"`{self.name}` gives {_listed(found)}, and it should be {_listed(wanted)}."
        )


def _listed(numbers: Tensor) -> list[Any]:
    values: list[Any] = numbers.detach().double().numpy().round(3).tolist()
    return values


def close(found: float, wanted: float, tolerance: float = 1e-3) -> bool:
    """Whether two numbers agree; a NaN agrees with nothing."""
    return math.isclose(found, wanted, rel_tol=tolerance, abs_tol=tolerance)


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


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and nothing on stderr inside."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def right(sentence: str) -> None:
    """The confirmation of a solved task."""
    print(f"✓ {sentence}")
