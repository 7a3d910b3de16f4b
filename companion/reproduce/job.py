"""What a long run is: a job that does nothing twice, a result, and a recipe by name."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from time import monotonic
from typing import Any

from torch import nn

from companion.files import write_json
from companion.records import Details, Measurement

BUDGETS = ("debug", "laptop", "gpu")


@dataclass
class Job:
    """One recipe at work: its folder, its budget, and a memory of what is finished.

    What was found of shipped models is remembered for these weights alone: once one of them was made anew, it is found
    anew.
    """

    work: Path
    budget: str = "laptop"
    weights: dict[str, str] = field(
        default_factory=dict
    )  # the shipped models it measures, with their checksums

    @property
    def debug(self) -> bool:
        """Whether the run is only to show that it runs."""
        return self.budget == "debug"

    def once(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result stored under `key`, made now if it is not there yet."""
        of = "".join(f" {checksum[:8]}" for checksum in self.weights.values())
        path = self.work / f"{key}{of}.json"
        if (kept := stored(path)) is not None:
            return kept
        content = make()
        write_json(path, content)
        return content

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the block's seconds to those of earlier sittings."""
        begun = monotonic()
        try:
            yield
        finally:
            seconds = self.seconds + monotonic() - begun
            write_json(self.work / "time.json", {"seconds": round(seconds, 1)})

    @property
    def seconds(self) -> float:
        """Seconds of all sittings so far."""
        seconds = (stored(self.work / "time.json") or {}).get("seconds")
        if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
            return float(seconds)
        return 0.0  # none yet, or a damaged file, which forgets them


def stored(path: Path) -> dict[str, Any] | None:
    """What a job stored in a file; None where there is none, or a damaged one, which is to be made again."""
    with suppress(FileNotFoundError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else None
    return None


@dataclass
class Result:
    """What a recipe found."""

    settings: dict[str, Any]
    seeds: list[int]
    metrics: list[Measurement]
    details: Details = field(default_factory=dict)  # curves and single runs, for figures
    model: nn.Module | None = None


@dataclass(frozen=True)
class Recipe:
    """A long run by name."""

    title: str
    chapter: int
    make: Callable[[Job], Result]
    of: tuple[str, ...] = ()  # the shipped models that it measures, or measures with


def over_seeds(name: str, values: list[float]) -> Measurement:
    """Mean and standard deviation of one number over the seeds' runs; of a single run, its number."""
    if len(values) == 1:
        return Measurement(name, values[0], "one seed")
    protocol = f"mean and standard deviation over {len(values)} seeds"
    return Measurement(name, fmean(values), protocol, stdev(values), n=len(values))
