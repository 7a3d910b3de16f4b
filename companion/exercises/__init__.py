"""Checks of the exercises: one module a chapter, `exercises.ch03` is chapter 3's; `runner` holds what they share."""

from importlib import import_module
from types import ModuleType

from companion.found import names


def __getattr__(name: str) -> ModuleType:
    """A chapter's checks, imported when they are asked for."""
    if name not in names(__name__):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return names(__name__)
