"""Dataclasses as plain JSON and back: every field of its type, those without a default there, and nothing else.

Settings, models' configs and run records are read here, so a damaged file or one of another version meets the same
checks; what the reader is told of it is theirs to say. Needs neither torch nor anything else.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    NoneType: "None",
}


class Misfit(Exception):
    """JSON that a dataclass cannot be made of; its subclasses say why."""

    def __init__(self, kind: type, place: str, field: str, value: object = None, hint: Any = object) -> None:
        """A field of the dataclass `kind`, which itself stands in the field `place` (empty: nowhere), and its type."""
        super().__init__(field)
        self.kind, self.place, self.field, self.value, self.hint = kind, place, field, value, hint

    @property
    def name(self) -> str:
        """The field, with whose it is."""
        return f"{self.place}'s {self.field}" if self.place else self.field


class Unknown(Misfit):
    """A field that the dataclass does not have."""


class Lacking(Misfit):
    """A field without a default that is not there."""


class Unfit(Misfit):
    """A value that is not of its field's type."""


class Nameless(Misfit):
    """The name of a class that is none of those that may stand in the field."""


def written(value: Any, named: Collection[str] = ()) -> Any:
    """A dataclass as JSON; in the fields `named`, where several classes may stand, with the class's name.

    A number that does not exist, as the correlation with a constant, is null.
    """
    if isinstance(value, (tuple, list)):
        return [written(one) for one in value]
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    if is_dataclass(value):
        parts = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: (_with_name if name in named else written)(part) for name, part in parts.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _with_name(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_with_name(one) for one in value]
    return {"name": type(value).__name__, **written(value)} if is_dataclass(value) else value


def read(kind: type[T], content: object, named: Collection[str] = (), place: str = "") -> T:
    """The dataclass that `written` wrote; a field that is missing has its default. `place` is where it stands.

    Raises:
        Misfit: It cannot be made of that.
    """
    if not isinstance(content, Mapping):
        raise Unfit(kind, place, "", content, kind)
    hints = types_of(kind)
    if unknown := [name for name in content if name not in hints]:
        raise Unknown(kind, place, str(unknown[0]))
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name not in content and one.default is MISSING and one.default_factory is MISSING:
            raise Lacking(kind, place, one.name)
    values = {}
    for name, value in content.items():
        values[name] = _value(kind, place, name, hints[name], value, name in named)
        if not fits(hints[name], values[name]):
            raise Unfit(kind, place, name, value, hints[name])
    return kind(**values)


def _value(kind: type, place: str, name: str, hint: Any, value: object, named: bool) -> object:
    """JSON's value as its type wants it; what cannot be read is left as it is, for the check to refuse."""
    whose = f"{place}'s {name}" if place else name
    if isinstance(value, list) and get_origin(hint) is not list:
        inner = next((get_args(one)[0] for one in alternatives(hint) if get_origin(one) is tuple), hint)
        return tuple(_value(kind, place, name, inner, one, named) for one in value)
    kinds = {one.__name__: one for one in kinds_of(hint)}
    if kinds and isinstance(value, Mapping):
        if not named:
            return read(next(iter(kinds.values())), value, place=whose)
        rest = dict(value)
        called = str(rest.pop("name", "nothing"))
        if called not in kinds:
            raise Nameless(kind, place, name, called, hint)
        return read(kinds[called], rest, place=whose)
    if value is None and hint is float:
        return math.nan
    if type(value) is int and not fits(hint, value, exactly=True) and fits(hint, 0.0):
        try:
            return float(value)
        except OverflowError:  # JSON's whole numbers have no end
            raise Unfit(kind, place, name, value, hint) from None
    return value


def types_of(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The types that may stand for a type: `(float, NoneType)` for `float | None`."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def kinds_of(hint: Any) -> Iterator[type]:
    """The dataclasses that may stand for a type: those it names, and what derives from them."""
    for kind in alternatives(hint):
        if isinstance(kind, type) and is_dataclass(kind):
            yield kind
            for derived in kind.__subclasses__():
                yield from kinds_of(derived)


def fits(hint: Any, value: object, *, exactly: bool = False) -> bool:
    """Whether a value is of a type; a whole number is a number too, unless it is to fit exactly."""
    if len(alternatives(hint)) > 1:
        return any(fits(one, value, exactly=exactly) for one in alternatives(hint))
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        each = inner[:1] * len(value) if isinstance(value, tuple) and inner[-1] is Ellipsis else inner
        return isinstance(value, tuple) and len(each) == len(value) and all(map(fits, each, value))
    if get_origin(hint) is list:
        return isinstance(value, list) and all(fits(inner[0], one) for one in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(fits(inner[1], one) for one in value.values())
    if hint is Any:
        return True
    if isinstance(value, bool):
        return hint is bool
    if hint is float and not exactly:
        return isinstance(value, (int, float))
    return isinstance(value, hint)


def in_words(hint: Any) -> str:
    """A type, completing “choose …”."""
    if get_origin(hint) is tuple:
        return f"a tuple, each of it {in_words(get_args(hint)[0])}"
    return " or ".join(WORDS[one] if one in WORDS else _one(one.__name__) for one in alternatives(hint))


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
