"""Data: real where it can be had, embedded where not. `load` turns a name or a folder into images."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from companion.data.images import Images, Shuffled, load

__all__ = ["Images", "Shuffled", "load"]


def __getattr__(name: str) -> Any:
    """Images come with torch, which takes seconds: imported when first asked for, not with every neighbour."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from companion.data import images

    return getattr(images, name)
