"""Settings: frozen dataclasses that check themselves, that JSON can hold, and whose fields say what they are for.

A class of settings derives from `Settings`, is a frozen dataclass, and declares its fields with `option`:

    @dataclass(frozen=True)
    class RunSettings(Settings):
        batch: int = option(64, help="images per step", metavar="N", least=1)

Whoever makes such settings, in a notebook or through the command line, meets the same limits in the same words; the
command line takes its options and their defaults from these fields. A subclass that only changes a default writes
`batch: int = 32` and keeps the rest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from companion import plain
from companion.errors import CompanionError, unknown_name

T = TypeVar("T")
S = TypeVar("S", bound="Settings")


class SettingError(CompanionError):
    """A setting that cannot be: in Python it is named as the field, and the command line names its option."""

    def __init__(self, field: str, value: object, choose: str) -> None:
        """`choose` completes “choose …”."""
        self.field = field
        self.trouble = f"cannot be {_shown(value)}; choose {choose}."
        super().__init__(f"The setting {field} {self.trouble}")


@dataclass(frozen=True)
class Option:
    """What a field says of itself beside its type and default."""

    help: str | None = None  # None: the command line does not offer it
    metavar: str | None = None
    least: float | None = None  # the smallest value that can be
    above: float | None = None  # every value that can be is larger
    below: float | None = None  # every value that can be is smaller
    choices: tuple[str, ...] = ()
    choose: str | None = None  # what to choose instead, where the limits alone do not say it
    named: bool = False  # several classes may stand here, so JSON gets the class's name too

    def allows(self, value: Any) -> bool:
        """Whether a value of the right type lies within the limits; NaN and infinity lie in none, None in all."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return value is None or (
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (not self.choices or value in self.choices)
        )

    @property
    def advice(self) -> str:
        """What to choose, completing “choose …”."""
        if self.choose is not None:
            return self.choose
        if self.choices:
            return " or ".join(self.choices)
        if self.above is not None and self.below is not None:
            return f"one between {self.above:g} and {self.below:g}"
        limits = [
            f"{self.least:g} or more" if self.least is not None else "",
            f"more than {self.above:g}" if self.above is not None else "",
            f"less than {self.below:g}" if self.below is not None else "",
        ]
        return ", ".join(filter(None, limits))


def option(default: T, **about: Any) -> T:
    """A dataclass field that carries an `Option`; the keywords are that class's fields."""
    return field(default=default, metadata={"option": Option(**about)})


@dataclass(frozen=True)
class Settings:
    """What all settings share: limits checked when they are made, and JSON both ways."""

    def __post_init__(self) -> None:
        """Check every field's type and limits.

        Raises:
            SettingError: A field's value cannot be.
        """
        hints = plain.types_of(type(self))
        for name, about in self.options().items():
            value = getattr(self, name)
            if not plain.fits(hints[name], value):
                raise SettingError(name, value, plain.in_words(hints[name]))
            if not about.allows(value):
                raise SettingError(name, value, about.advice)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """What each field says of itself, by its name, in their order."""
        return {one.name: cls._option(one.name) for one in fields(cls)}

    @classmethod
    def types(cls) -> dict[str, tuple[Any, ...]]:
        """The types each field may have: `(float, NoneType)` for `float | None`."""
        return {name: plain.alternatives(hint) for name, hint in plain.types_of(cls).items()}

    @classmethod
    def _option(cls, name: str) -> Option:
        """The nearest declaration of a field that carries one: a subclass may have changed the default alone."""
        declared = (getattr(base, "__dataclass_fields__", {}).get(name) for base in cls.__mro__)
        carried = (one.metadata["option"] for one in declared if one is not None and "option" in one.metadata)
        about: Option = next(carried, Option())
        return about

    @classmethod
    def _named(cls) -> set[str]:
        """The fields in which several classes may stand."""
        return {name for name, about in cls.options().items() if about.named}

    def as_json(self) -> dict[str, object]:
        """The settings as plain JSON; where several classes may stand, with the class's name."""
        content: dict[str, object] = plain.written(self, self._named())
        return content

    @classmethod
    def from_json(cls: type[S], content: Mapping[str, object]) -> S:
        """The settings that `as_json` wrote; a field that is missing has its default.

        Raises:
            CompanionError: A name or a value that cannot be.
        """
        try:
            return plain.read(cls, content, cls._named())
        except plain.Unknown as no:
            raise unknown_name(f"setting of {no.kind.__name__}", no.field, plain.types_of(no.kind)) from None
        except plain.Nameless as no:
            known = (kind.__name__ for kind in plain.kinds_of(no.hint))
            raise unknown_name(no.name, str(no.value), known) from None
        except plain.Misfit as no:
            refused = SettingError(no.name, no.value, plain.in_words(no.hint))
        except SettingError as error:
            refused = error
        raise CompanionError(str(refused))  # of a file: nobody gave an option


def _shown(value: object) -> str:
    return f"“{value}”" if isinstance(value, str) else str(value)
