"""Checks of the exercises: one module a chapter, `exercises.ch03` is chapter 3's; `runner` holds what they share.

However a chapter's module is imported, its checks are refereed from then on: run in rounds, see `rounds`.
"""

import sys
from importlib import import_module
from types import ModuleType

from companion.found import names


class _Exercises(ModuleType):
    """The package, which meets each chapter as Python binds it to its name here, at the end of its import."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and any(key.startswith("check_") for key in vars(value)):
            from companion.exercises.rounds import referee
            from companion.exercises.runner import NotYet

            referee(value, NotYet)
        super().__setattr__(name, value)


def __getattr__(name: str) -> ModuleType:
    """A chapter's checks, imported when they are asked for."""
    if name not in names(__name__):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return names(__name__)


sys.modules[__name__].__class__ = _Exercises
