"""The numbers that fix a network's shape, as JSON and back: what a file says about itself is checked, not trusted."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from companion import plain
from companion.errors import CompanionError

AnyConfig = TypeVar("AnyConfig", bound="Config")

MOST_BLOCKS = 64  # of a kind in a network, each built by itself: a slip of the finger would build for ever
WIDEST = 4096  # channels at full size, or numbers in a style
MOST_HALVINGS = 12  # of an image, and more than any has


@dataclass(frozen=True)
class Config:
    """What a model is built from. Subclasses are frozen dataclasses of `int` and `bool` with defaults."""

    def as_json(self) -> str:
        """The config as a JSON object."""
        return json.dumps(plain.written(self))

    @classmethod
    def from_json(cls: type[AnyConfig], text: str) -> AnyConfig:
        """The config that `as_json` wrote; a field it lacks, since it is older, has its default.

        Raises:
            CompanionError: It is no JSON object, has a field this version does not know, one of another type, or one
                that the config itself refuses.
        """
        try:
            values: Any = json.loads(text)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise CompanionError("Its config cannot be read; make the file again.")
        try:
            return plain.read(cls, values)
        except plain.Unknown as no:
            raise CompanionError(
                f"Its config has “{no.field[:40]}”, which this version does not know; update companion."
            ) from None
        except plain.Misfit as no:
            raise CompanionError(
                f"Its config gives {json.dumps(no.value)[:40]} for {no.field}, which is {plain.in_words(no.hint)}; "
                "make the file again."
            ) from None


def at_most(most: int, **numbers: int) -> None:
    """Refuse a config in which one of these is larger.

    Raises:
        CompanionError: Names the number.
    """
    for name, number in numbers.items():
        if number > most:
            raise CompanionError(f"A model's {name} cannot be {number}; choose {most} at most.")


def positive(**numbers: int) -> None:
    """Refuse a config in which one of these is less than one.

    Raises:
        CompanionError: Names the number.
    """
    for name, number in numbers.items():
        if number < 1:
            raise CompanionError(f"A model's {name} cannot be {number}; choose 1 or more.")
