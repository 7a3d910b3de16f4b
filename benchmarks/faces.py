"""`python -m benchmarks.faces`: faces drawn per second, by style and size, eager and (with --compiled) compiled.

Drawing should cost less than training on what is drawn. Styles and sizes take turns, round after round, so that a busy
machine is unfair to none; the record keeps every round and the machine's load before and after.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from companion.data.faces import caricature, draw, portrait
from companion.data.faces.grid import Columns
from companion.data.faces.parameters import Faces, exaggerate
from companion.data.faces.render import CHUNK
from companion.environment import environment

Renderer = Callable[[Columns, int], tuple[Tensor, Tensor]]
RENDERERS: dict[str, Renderer] = {"portrait": portrait.portrait, "caricature": caricature.caricature}


@dataclass(frozen=True)
class Case:
    """One style at one size."""

    style: str
    size: int
    compiled: bool


def faces(count: int, *, k: float) -> Faces:
    """A crowd, exaggerated by `k`."""
    return exaggerate(draw(torch.arange(count), torch.zeros(count, dtype=torch.long), seed=1), k)


def measure(cases: list[Case], *, count: int, rounds: int) -> dict[Case, list[float]]:
    """Faces a second of each case, one number a round."""
    draws = {case: _prepared(case, count) for case in cases}
    rates: dict[Case, list[float]] = {case: [] for case in cases}
    with torch.no_grad():
        for case in cases:
            draws[case]()  # caches fill, torch compiles
        for _ in range(rounds):
            for case in cases:
                start = time.perf_counter()
                draws[case]()
                rates[case].append(count / (time.perf_counter() - start))
    return rates


def _prepared(case: Case, count: int) -> Callable[[], None]:
    crowd = faces(count, k=1.5 if case.style == "caricature" else 1.0)
    chunk = max(1, CHUNK // case.size**2)
    pieces = [Columns(crowd.rows(slice(first, first + chunk))) for first in range(0, count, chunk)]
    renderer: Any = RENDERERS[case.style]
    if case.compiled:
        renderer = torch.compile(renderer, dynamic=False)

    def run() -> None:
        for piece in pieces:
            renderer(piece, case.size)

    return run


def record(rates: dict[Case, list[float]], load: list[float]) -> dict[str, Any]:
    """The JSON record: where, how, and every number."""
    return {
        "title": "Faces drawn per second",
        "command": "python -m benchmarks.faces",
        **environment(torch.device("cpu")),
        "threads": torch.get_num_threads(),
        "load_before_and_after": load,
        "cases": [
            {
                "style": case.style,
                "size": case.size,
                "compiled": case.compiled,
                "median": round(statistics.median(values), 1),
                "faces_per_second": [round(value, 1) for value in values],
            }
            for case, values in rates.items()
        ],
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces", description=__doc__)
    parser.add_argument("--compiled", action="store_true", help="through torch.compile too (minutes more)")
    parser.add_argument(
        "--quick", action="store_true", help="a few faces once, to see that all works; not recorded"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the record (default: benchmarks/results)")
    chosen = parser.parse_args(arguments)
    modes = (False, True) if chosen.compiled else (False,)
    cases = [Case(style, size, mode) for mode in modes for style in RENDERERS for size in (64, 128)]
    before = os.getloadavg()[0]
    rates = measure(cases, count=4 if chosen.quick else 128, rounds=1 if chosen.quick else chosen.rounds)
    found = record(rates, [round(before, 2), round(os.getloadavg()[0], 2)])
    for case in found["cases"]:
        how = "compiled" if case["compiled"] else "eager"
        print(f"{case['style']:<11}{case['size']:>4} px  {how:<9}{case['median']:>8.0f} a second")
    out = chosen.out or (None if chosen.quick else Path("benchmarks/results"))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "faces.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
