"""Data: real where it can be had, embedded where not. `load` turns a name or a folder into images."""

from companion.data.images import Images, Shuffled, load

__all__ = ["Images", "Shuffled", "load"]
