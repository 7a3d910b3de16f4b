"""Run records: what a run was and what it measured, written and read in one form by everybody.

NAME.json               the record, small enough to be read by people
NAME.details.json.gz    curves and single runs behind it, for figures; only where there are some

A record needs neither torch nor anything else: the site's builder reads it too.
"""

import gzip
import io
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from companion import plain
from companion.errors import CompanionError
from companion.files import shown, write_bytes, write_json

Details = dict[str, Any]
DIGITS = 6  # of a measurement, more than any of them is sure of


@dataclass(frozen=True)
class Measurement:
    """A number with its protocol; print it and both appear."""

    name: str
    value: float
    protocol: str
    spread: float | None = None  # a standard deviation, of what the protocol says
    interval: tuple[float, float] | None = None  # in which the value lies with 95 % confidence
    n: int | None = None  # how many independent things it was measured on

    @property
    def text(self) -> str:
        """The value as a table shows it, with its spread and its interval."""
        return with_spread(self.value, self.spread) + _between(self.interval)

    @property
    def how(self) -> str:
        """The protocol, with the count where there is one."""
        return self.protocol if self.n is None else f"{self.protocol}, n = {self.n}"

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {self.spread:.3g}"
        return f"{self.name}: {self.value:.3g}{spread}{_between(self.interval)}\n    {self.how}"


@dataclass(frozen=True)
class Environment:
    """Where and with what something ran."""

    device: str
    device_name: str
    cores: int
    threads: int
    versions: dict[str, str]
    date: str


@dataclass(frozen=True)
class Record:
    """A run and its numbers."""

    name: str
    title: str
    chapter: int
    command: str  # makes it again
    budget: str
    seeds: tuple[int, ...]
    seconds: float  # of all seeds, over all sittings
    environment: Environment
    settings: dict[str, Any]
    metrics: tuple[Measurement, ...]

    def measured(self, name: str) -> Measurement:
        """The measurement of that name.

        Raises:
            CompanionError: There is none.
        """
        for measurement in self.metrics:
            if measurement.name == name:
                return measurement
        raise CompanionError(f"The record {self.name} measured no “{name}”; look at its metrics.")


def write_record(folder: Path, record: Record, details: Mapping[str, Any]) -> Path:
    """Write a record and its details into a folder and give the record's path; the record comes last.

    Equal details make equal files: the archive carries neither a time nor a name.

    Raises:
        CompanionError: The disk is full, or the place cannot be written.
    """
    path = folder / f"{record.name}.json"
    again = "give the same command again"
    if details:
        text = json.dumps(_for_figures(details), ensure_ascii=False, separators=(",", ":"))
        write_bytes(_details_of(path), _packed(text.encode()), then=again)
    content = plain.written(record)
    content["metrics"] = [
        {name: _told(value) for name, value in one.items() if name == "value" or value is not None}
        for one in content["metrics"]
    ]
    write_json(path, content, then=again)
    return path


def _told(value: Any) -> Any:
    """Numbers to `DIGITS` significant digits, the ends of intervals among them; all else as it is."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return [_told(one) for one in value] if isinstance(value, list) else value


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        CompanionError: There is no such file, or something in it is not as a record has it; the sentence says what.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite)
    except FileNotFoundError:
        raise CompanionError(f"There is no record at {shown(path)}; check the path.") from None
    except ValueError:
        raise _faulty(path, "holds no JSON, or a number that is none") from None
    if not isinstance(content, dict):
        raise _faulty(path, "has no fields")
    try:
        record = plain.read(Record, content)
    except plain.Misfit as misfit:
        raise _faulty(path, _fault_of(misfit)) from None
    if record.name != path.stem:
        raise _faulty(path, f"says that it is “{record.name}”")
    return record


def records_in(folder: Path) -> list[Record]:
    """All records of a folder, sorted by name."""
    return [read_record(path) for path in sorted(folder.glob("*.json"))]


def read_details(path: Path) -> Details:
    """The details beside a record's file; none where the run left none.

    Raises:
        CompanionError: They are damaged.
    """
    packed = _details_of(path)
    if not packed.is_file():
        return {}
    try:
        details: Details = json.loads(gzip.decompress(packed.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error):
        raise _faulty(packed, "is cut short or damaged") from None
    return details


def with_spread(value: float, spread: float | None) -> str:
    """`12.35 ± 0.50`: two digits of the spread, and no more of the value than the spread leaves certain."""
    if spread is None:
        return number(value)
    digits = 0 if spread < 1e-9 else max(0, 1 - math.floor(math.log10(spread)))
    rounded = number(value) if spread < 1e-9 else f"{value:.{digits}f}"
    return f"{rounded}\u00a0±\u00a0{spread:.{digits}f}"


def number(value: float) -> str:
    """Four significant digits, thousands with a thin space: enough to compare, no more than was measured."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.4g}"


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.3g}, {interval[1]:.3g}]"


def _for_figures(value: Any) -> Any:
    """Numbers with six significant digits: more than a figure can show, and a third of the room."""
    if isinstance(value, dict):
        return {key: _for_figures(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_figures(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _details_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.details.json.gz")


def _packed(content: bytes) -> bytes:
    target = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as archive:
        archive.write(content)
    return target.getvalue()


def _faulty(path: Path, fault: str) -> CompanionError:
    return CompanionError(
        f"The file {shown(path)} is no record that can be used: it {fault}; make it again with its command."
    )


def _fault_of(misfit: plain.Misfit) -> str:
    place = misfit.place or "the record"
    if isinstance(misfit, plain.Unknown):
        return f"has a field “{misfit.field}” that {place} does not have"
    if isinstance(misfit, plain.Lacking):
        return f"lacks “{misfit.field}” of {place}"
    return f"has {json.dumps(misfit.value)[:40]} for “{misfit.field}”"


def _finite(text: str) -> float:
    """A number of the file; JSON knows no others, but Python's reader does."""
    if not math.isfinite(float(text)):
        raise ValueError
    return float(text)
