"""The bug museum: real bugs, built so that a notebook can watch them fail. Never train with these for anything else.

Each exhibit is the right code with a line or two changed, so the difference between a plot of the one and a plot of
the other is those lines. One module a chapter; what it names in its `__all__` hangs here, too.
"""

from functools import cache
from typing import Any

from companion.found import modules


@cache
def _exhibits() -> dict[str, Any]:
    """Every exhibit by its name."""
    return {name: getattr(module, name) for module in modules(__name__) for name in module.__all__}


def __getattr__(name: str) -> Any:
    """An exhibit of some chapter; all chapters are imported when the first is asked for."""
    if name == "__all__":
        return sorted(_exhibits())
    if name.startswith("_") or name not in _exhibits():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _exhibits()[name]


def __dir__() -> list[str]:
    return sorted(_exhibits())
