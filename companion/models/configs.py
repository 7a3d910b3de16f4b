"""The numbers that fix a network's shape, as JSON and back: what a file says about itself is checked, not trusted."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar, get_type_hints

from companion.errors import CompanionError

WORDS = {int: "a whole number", bool: "true or false"}

AnyConfig = TypeVar("AnyConfig", bound="Config")


@dataclass(frozen=True)
class Config:
    """What a model is built from. Subclasses are frozen dataclasses of `int` and `bool` with defaults."""

    def as_json(self) -> str:
        """The config as a JSON object."""
        return json.dumps(asdict(self))

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
        if unknown := sorted(values.keys() - {field.name for field in fields(cls)}):
            raise CompanionError(
                f"Its config has “{unknown[0][:40]}”, which this version does not know; update companion."
            )
        types = get_type_hints(cls)
        for name, value in values.items():
            if type(value) is not types[name]:
                raise CompanionError(
                    f"Its config gives {json.dumps(value)[:40]} for {name}, which is {WORDS[types[name]]}; "
                    "make the file again."
                )
        return cls(**values)


def positive(**numbers: int) -> None:
    """Refuse a config in which one of these is less than one.

    Raises:
        CompanionError: Names the number.
    """
    for name, number in numbers.items():
        if number < 1:
            raise CompanionError(f"A model's {name} cannot be {number}; choose 1 or more.")
