"""Settings: frozen dataclasses that check themselves, that JSON can hold, and whose fields say what they are for.

A class of settings derives from `Settings`, is a frozen dataclass, and declares its fields with `option`:

    @dataclass(frozen=True)
    class RunSettings(Settings):
        batch: int = option(64, help="images per step", metavar="N", least=1)

Whoever makes such settings, in a notebook or through the command line, meets the same limits in the same words; the
command line takes its options and their defaults from these fields. A subclass that only changes a default writes
`batch: int = 32` and keeps the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from companion.errors import CompanionError, unknown_name

T = TypeVar("T")
S = TypeVar("S", bound="Settings")
WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    NoneType: "None",
}


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
        """Whether a value of the right type lies within the limits; NaN lies in none, None in all."""
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
        hints = _hints(type(self))
        for name, about in self.options().items():
            value = getattr(self, name)
            if not _fits(hints[name], value):
                raise SettingError(name, value, _in_words(hints[name]))
            if not about.allows(value):
                raise SettingError(name, value, about.advice)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """What each field says of itself, by its name, in their order."""
        return {one.name: cls._option(one.name) for one in fields(cls)}

    @classmethod
    def types(cls) -> dict[str, tuple[Any, ...]]:
        """The types each field may have: `(float, NoneType)` for `float | None`."""
        return {name: _alternatives(hint) for name, hint in _hints(cls).items()}

    @classmethod
    def _option(cls, name: str) -> Option:
        """The nearest declaration of a field that carries one: a subclass may have changed the default alone."""
        declared = (getattr(base, "__dataclass_fields__", {}).get(name) for base in cls.__mro__)
        carried = (one.metadata["option"] for one in declared if one is not None and "option" in one.metadata)
        about: Option = next(carried, Option())
        return about

    def as_json(self) -> dict[str, object]:
        """The settings as plain JSON; where several classes may stand, with the class's name."""
        return {name: _written(getattr(self, name), about.named) for name, about in self.options().items()}

    @classmethod
    def from_json(cls: type[S], content: Mapping[str, object]) -> S:
        """The settings that `as_json` wrote; a field that is missing has its default.

        Raises:
            CompanionError: A name or a value that cannot be.
        """
        try:
            return _built(cls, content, "")
        except SettingError as error:
            raise CompanionError(str(error)) from None  # of a file: nobody gave an option


def _written(value: object, named: bool) -> object:
    if isinstance(value, tuple):
        return [_written(one, named) for one in value]
    if not is_dataclass(value):
        return value
    parts = {one.name: _written(getattr(value, one.name), False) for one in fields(value)}
    return {"name": type(value).__name__, **parts} if named else parts


def _built(kind: type[T], content: Mapping[str, object], whose: str) -> T:
    """A dataclass from its JSON; `whose` is where it stands, for the messages."""
    hints = _hints(kind)
    options = kind.options() if issubclass(kind, Settings) else {}
    if unknown := [name for name in content if name not in hints]:
        raise unknown_name(f"setting of {kind.__name__}", str(unknown[0]), hints)
    values: dict[str, object] = {}
    for name, value in content.items():
        about = options.get(name, Option())
        values[name] = _read(hints[name], value, whose + name, about.named)
        if not _fits(hints[name], values[name]):
            raise SettingError(whose + name, value, _in_words(hints[name]))
    return kind(**values)


def _read(hint: Any, value: object, name: str, named: bool) -> object:
    """JSON's value as its type wants it; what cannot be read is left as it is, for the check to refuse."""
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_read(get_args(hint)[0], one, name, named) for one in value)
    kinds = {kind.__name__: kind for kind in _kinds(hint)}
    if kinds and isinstance(value, Mapping):
        if not named:
            return _built(next(iter(kinds.values())), value, f"{name}'s ")
        rest = dict(value)
        called = str(rest.pop("name", "nothing"))
        if called not in kinds:
            raise unknown_name(name, called, kinds)
        return _built(kinds[called], rest, f"{name}'s ")
    if type(value) is int and not _fits(hint, value, exactly=True):
        return float(value) if _fits(hint, float(value)) else value
    return value


def _hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _kinds(hint: Any) -> Iterator[type]:
    """The dataclasses that may stand for a type: those it names, and what derives from them."""
    for kind in _alternatives(hint):
        if isinstance(kind, type) and is_dataclass(kind):
            yield kind
            for derived in kind.__subclasses__():
                yield from _kinds(derived)


def _fits(hint: Any, value: object, *, exactly: bool = False) -> bool:
    """Whether a value is of a type; a whole number is a number too, unless it is to fit exactly."""
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(get_args(hint)[0], one) for one in value)
    if len(_alternatives(hint)) > 1:
        return any(_fits(one, value, exactly=exactly) for one in _alternatives(hint))
    if isinstance(value, bool):
        return hint is bool
    if hint is float and not exactly:
        return isinstance(value, (int, float))
    return isinstance(value, hint)


def _in_words(hint: Any) -> str:
    """A type, completing “choose …”."""
    if get_origin(hint) is tuple:
        return f"a tuple, each of it {_in_words(get_args(hint)[0])}"
    return " or ".join(WORDS[one] if one in WORDS else _one(one.__name__) for one in _alternatives(hint))


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _shown(value: object) -> str:
    return f"“{value}”" if isinstance(value, str) else str(value)
