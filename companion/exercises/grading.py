"""Grading that a notebook cannot bend: the checks stand aside, fresh, and judge what the notebook has defined.

`examine` is what the hidden tests call: the check comes from a new import of its module, whatever a notebook has done
to the old one, and asks in more rounds. Where the course's own `nbgrader_config.py` is used, `begin` runs in the
kernel before any of the student's lines. It takes the checks out of the notebook's reach, and leaves modules of the
same names that hold what an exercise needs and no answers.

This keeps out answers that reach for the check instead of the question. It is no prison: whoever grades strangers'
code does so on a machine that can be lost.
"""

import builtins
import io
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch

from companion.exercises.twins import alone

HERE = Path(__file__).parent
PACKAGE = "companion.exercises"
ROUNDS = 5
SHELLS = {
    "input",
    "display",
    "exit",
    "quit",
    "help",
}  # of Python's own names, those that a notebook's shell replaces


def examine(check: str, *answers: object) -> None:
    """Run a check from a fresh import, in more rounds than at a student's desk, and without a word if all is right.

    Args:
        check: Its module and name, such as “ch03.check_losses”.
        answers: What it judges.

    Raises:
        NotYet: The answer is wrong; the class comes from the fresh import, too.
    """
    chapter, _, name = check.partition(".")
    with _aside():
        loaded, rounds = import_module(f"{PACKAGE}.{chapter}"), import_module(f"{PACKAGE}.rounds")
    with redirect_stdout(io.StringIO()), rounds.planned(ROUNDS):
        vars(loaded)[name](*answers)


@contextmanager
def _aside() -> Iterator[None]:
    """Inside, nothing of the exercises counts as imported; afterwards what was there is there again."""
    package = sys.modules[PACKAGE]
    before = {name: module for name, module in sys.modules.items() if name.startswith(f"{PACKAGE}.")}
    bound = {name: vars(package).pop(name.rpartition(".")[2], None) for name in before}
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
            vars(package).pop(name.rpartition(".")[2], None)
        sys.modules.update(before)
        vars(package).update({name.rpartition(".")[2]: module for name, module in bound.items() if module})


# ---- in the kernel of an autograder ---------------------------------------------------------------------------------


def begin(magic: str, *used: str) -> None:
    """Take the checks out of reach, and let a cell that begins with `%%magic` be judged by them.

    To be called before any of a student's lines.

    Args:
        magic: A name that nobody can guess.
        used: The chapters whose checks the notebook uses, such as “ch03”; of the others nothing can be had at all.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    chapters = {name: import_module(f"{PACKAGE}.{name}") for name in used}
    rounds, refusal = import_module(f"{PACKAGE}.rounds"), import_module(f"{PACKAGE}.runner").NotYet
    package = sys.modules[PACKAGE]
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        if name != __name__:
            del sys.modules[name]
            vars(package).pop(name.rpartition(".")[2], None)
    for name in [path.stem for path in HERE.glob("ch[0-9][0-9]*.py")]:
        front = _front(chapters.get(name, ModuleType(f"{PACKAGE}.{name}")))
        sys.modules[front.__name__] = front
        vars(package)[name] = front
    originals = _Originals()
    own_import, plain = builtins.__import__, dict(vars(builtins))

    def judge(_: str, text: str) -> None:
        with rounds.planned(ROUNDS):
            replaced = originals.put_back()
            if replaced:
                raise refusal(
                    f"Your notebook replaces `{replaced[0]}`, which the checks need as it was; take that out."
                )
            exec(compile(text, "<graded>", "exec"), {**shell.user_ns, **chapters, "__builtins__": given})

    def examined(check: str, *answers: object) -> None:
        chapter, _, name = check.partition(".")
        with redirect_stdout(io.StringIO()):
            vars(chapters[chapter])[name](*answers)

    def importing(name: str, *others: Any, **named: Any) -> Any:
        return SimpleNamespace(examine=examined) if name == __name__ else own_import(name, *others, **named)

    given = {**plain, "__import__": importing}
    shell.register_magic_function(judge, "cell", magic)
    sys.addaudithook(_guard())


def _front(chapter: ModuleType) -> ModuleType:
    """What a notebook needs of a chapter: its public numbers and functions, and checks that judge nothing."""
    front = ModuleType(chapter.__name__, chapter.__doc__)
    for name, value in vars(chapter).items():
        if name.startswith("check_"):
            setattr(front, name, _not_here)
        elif (
            isinstance(value, FunctionType)
            and value.__module__ == chapter.__name__
            and not name.startswith("_")
        ):
            setattr(front, name, alone(value))
        elif not name.startswith("_") and isinstance(
            value, (int, float, str, tuple, torch.Tensor, np.ndarray)
        ):
            setattr(front, name, value)
    return front


def _not_here(*_: object) -> None:
    print("While grading, checks run in the graded cells alone.")


class _Originals:
    """What the checks compare and compute with, as it was before the notebook began."""

    def __init__(self) -> None:
        places: list[tuple[str, Any]] = [
            ("torch", torch),
            ("torch.Tensor", torch.Tensor),
            ("torch.autograd", torch.autograd),
            ("torch.fft", torch.fft),
            ("torch.linalg", torch.linalg),
            ("torch.special", torch.special),
            ("torch.nn.Module", torch.nn.Module),
            ("torch.nn.functional", torch.nn.functional),
            ("torch.optim.Optimizer", torch.optim.Optimizer),
            ("torch.optim.SGD", torch.optim.SGD),
            ("numpy", np),
            ("math", math),
            ("threading", threading),
            ("threading.Thread", threading.Thread),
            ("builtins", builtins),
        ]
        self.known = [
            (place, f"{where}.{name}", name, value)
            for where, place in places
            for name, value in vars(place).items()
            if (callable(value) and not name.startswith("_") and name not in SHELLS) or name == "__import__"
        ]

    def put_back(self) -> list[str]:
        """Undo what has been replaced; the names of it."""
        changed = [entry for entry in self.known if vars(entry[0]).get(entry[2]) is not entry[3]]
        for place, _, name, value in changed:
            setattr(place, name, value)
        return [called for _, called, _, _ in changed]


def _guard() -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook (PEP 578): the checks' source is not read, and nobody walks through the interpreter's memory."""
    folder = str(HERE)
    memory = {"gc.get_objects", "gc.get_referrers", "gc.get_referents"}
    closed = {*memory, "sys._current_frames", "sys.settrace", "sys.setprofile"}

    def guard(event: str, details: tuple[Any, ...]) -> None:
        if event in closed:
            raise PermissionError(f"{event} is closed while grading.")
        if event == "open" and isinstance(details[0], (str, bytes)):
            path = details[0] if isinstance(details[0], str) else details[0].decode(errors="replace")
            if path.startswith(folder):
                raise PermissionError("The checks are closed while grading.")

    return guard
