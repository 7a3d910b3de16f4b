"""Functions made anew: with a memory of their own, with no more around them, or in another start of Python."""

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any


def twin(student: object) -> object:
    """The same function with a memory of its own: what it keeps between calls is copied, wherever it keeps it.

    Whoever asks two of them sees whether an answer hangs on what was asked before. Of the names that it and its
    helpers use, lists, dictionaries and the like are copied, functions are made anew, and all else is shared.
    """
    if not isinstance(student, FunctionType):
        return _own(student)
    names: dict[str, Any] = dict(student.__globals__)
    made: dict[FunctionType, FunctionType] = {}

    def again(function: FunctionType) -> FunctionType:
        if function not in made:
            cells = tuple(CellType(_own(cell.cell_contents)) for cell in function.__closure__ or ())
            made[function] = other = FunctionType(
                function.__code__, names, function.__name__, _own(function.__defaults__), cells or None
            )
            other.__kwdefaults__ = _own(function.__kwdefaults__)
            other.__dict__.update({key: _own(value) for key, value in vars(function).items()})
            for name in names_in(function.__code__):
                value = function.__globals__.get(name)
                if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                    names[name] = again(value)
                elif name in function.__globals__:
                    names[name] = _own(value)
        return made[function]

    return again(student)


def names_in(code: CodeType) -> set[str]:
    """The names that a function's code, and that of functions within it, looks up around it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(names_in, inner))


def _own(value: Any) -> Any:
    """A copy of what remembers; libraries and whatever cannot be copied are shared."""
    if isinstance(value, (ModuleType, FunctionType, type)):
        return value
    try:
        return deepcopy(value)
    except Exception:  # whatever a class of somebody's makes of being copied
        return value


def alone(function: FunctionType) -> FunctionType:
    """The function with no more of its module around it than it needs."""
    needed: dict[str, Any] = {"__builtins__": builtins}
    made: dict[FunctionType, FunctionType] = {}

    def again(of: FunctionType) -> FunctionType:
        if of not in made:
            made[of] = FunctionType(of.__code__, needed, of.__name__, of.__defaults__, of.__closure__)
            for name in names_in(of.__code__) & of.__globals__.keys():
                value = of.__globals__[name]
                inner = isinstance(value, FunctionType) and value.__globals__ is of.__globals__
                needed[name] = again(value) if inner else value
        return made[of]

    return again(function)


@contextmanager
def another_start() -> Iterator[None]:
    """Python's `hash` with the other salt that the next start of Python may bring."""
    own = builtins.hash

    def salted(value: object) -> int:
        return own(("another start", value)) if isinstance(value, (str, bytes, tuple)) else own(value)

    builtins.hash = salted
    try:
        yield
    finally:
        builtins.hash = own
