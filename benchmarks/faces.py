"""`python -m benchmarks.faces`: faces drawn per second, by style, size and threads, and (with --compiled) compiled.

Timed are the bare renderers, from parameters that are there already, and the same faces as a data set gives them,
parameters and all. `companion` itself compiles neither.

Drawing should cost less than training on what is drawn. All cases take turns, round after round, so that a busy
machine is unfair to none; the record keeps every round and the machine's load before and after. `python -m benchmarks`
measures this too, and shows it below the training steps.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks import report
from companion.data.faces import Caricatures, Portraits, caricature, draw, portrait
from companion.data.faces.grid import Columns
from companion.data.faces.parameters import Faces, exaggerate
from companion.data.faces.render import CHUNK
from companion.environment import environment
from companion.files import write_json

Renderer = Callable[[Columns, int], tuple[Tensor, Tensor]]
RENDERERS: dict[str, Renderer] = {"portrait": portrait.portrait, "caricature": caricature.caricature}
SETS = {"portrait": Portraits, "caricature": Caricatures}


@dataclass(frozen=True)
class Case:
    """One style at one size, drawn one way."""

    style: str
    size: int
    compiled: bool
    threads: int
    as_set: bool = False  # asked from the data set, as training asks, instead of the renderer alone


def faces(count: int, *, k: float) -> Faces:
    """A crowd, exaggerated by `k`."""
    return exaggerate(draw(torch.arange(count), torch.zeros(count, dtype=torch.long), seed=1), k)


def measure(cases: list[Case], *, count: int, rounds: int) -> dict[Case, list[float]]:
    """Faces a second of each case, one number a round."""
    draws = {case: _prepared(case, count) for case in cases}
    rates: dict[Case, list[float]] = {case: [] for case in cases}
    threads = torch.get_num_threads()
    turns = [(turn, case) for turn in range(rounds + 1) for case in cases]
    try:
        for turn, case in tqdm(turns, desc="drawing faces", unit="turn", smoothing=0.05, disable=None):
            torch.set_num_threads(case.threads)
            with torch.no_grad():
                start = time.perf_counter()
                draws[case]()
                if turn > 0:  # the first is for caches to fill and torch to compile
                    rates[case].append(count / (time.perf_counter() - start))
    finally:
        torch.set_num_threads(threads)
    return rates


def _prepared(case: Case, count: int) -> Callable[[], object]:
    if case.as_set:
        people = SETS[case.style](count, size=case.size, seed=1)
        return lambda: people[:]
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


def record(rates: dict[Case, list[float]], load: list[float], command: str) -> dict[str, Any]:
    """The JSON record: where, how, and every number."""
    return {
        "title": "Faces drawn per second",
        "command": command,
        **asdict(environment(torch.device("cpu"))),
        "load_before_and_after": load,
        "cases": [
            {
                "style": case.style,
                "size": case.size,
                "compiled": case.compiled,
                "as_set": case.as_set,
                "threads": case.threads,
                "median": round(statistics.median(values), 1),
                "faces_per_second": [round(value, 1) for value in values],
            }
            for case, values in rates.items()
        ],
    }


def run(*, compiled: bool, quick: bool, rounds: int, command: str) -> dict[str, Any]:
    """Measure every case and give the record, which names the command that was given."""
    modes = (False, True) if compiled else (False,)
    threads = [1] if quick else sorted({1, os.cpu_count() or 1})
    cases = [
        Case(style, size, mode, count)
        for mode in modes
        for count in (threads[-1:] if mode else threads)  # compiling takes a minute a case
        for style in RENDERERS
        for size in (64, 128)
    ]
    cases += [
        Case(style, size, compiled=False, threads=threads[-1], as_set=True)
        for style in SETS
        for size in (64, 128)
    ]
    before = os.getloadavg()[0]
    rates = measure(cases, count=4 if quick else 128, rounds=1 if quick else rounds)
    return record(rates, [round(before, 2), round(os.getloadavg()[0], 2)], command)


def write(found: dict[str, Any], folder: Path) -> None:
    """`faces.json`."""
    write_json(folder / "faces.json", found)


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
    command = report.command("benchmarks.faces", arguments)
    found = run(compiled=chosen.compiled, quick=chosen.quick, rounds=chosen.rounds, command=command)
    print(report.plain(report.faces_table(found)))
    out = chosen.out or (None if chosen.quick else report.RESULTS)
    if out:
        write(found, out)
        report.render(out)


if __name__ == "__main__":
    main()
