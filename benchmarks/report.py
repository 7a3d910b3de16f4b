"""What was measured, as a record, as Markdown for the book's results page and as a table on the terminal."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from benchmarks.loops import CLIPPED, CONFIG, PENALISED
from benchmarks.timing import Protocol, Timing
from companion.environment import bfloat16_units, environment
from companion.files import write_json, write_text
from companion.records import read_record

OURS = "companion"
RESULTS = Path("benchmarks/results")
QUALITY = Path("companion/pretrained/gan-precision.json")
COMPARED = ("float32", "bfloat16")


def command(module: str, arguments: Sequence[str] | None) -> str:
    """The command that makes a record again, options and all; no arguments stand for the process's own."""
    given = sys.argv[1:] if arguments is None else arguments
    return shlex.join(["python", "-m", module, *given])


def record(
    measurements: Sequence[Timing], protocol: Protocol, notes: Sequence[str], command: str
) -> dict[str, Any]:
    """The JSON record: where, how, and every number."""
    return {
        "title": "Images per second of the training step",
        "command": command,
        **asdict(environment(torch.device("cpu"))),
        "bfloat16_units": bfloat16_units(),
        "protocol": {
            **asdict(protocol),
            "step": "one critic step and one generator step",
            "networks": {"name": "DCGAN", **asdict(CONFIG)},
            "data": "four batches of handwritten digits in memory, 64×64, three channels",
            "order": "interleaved: every contender one turn, then the next round",
        },
        "notes": list(notes),
        "measurements": [measurement.as_json() for measurement in measurements],
    }


def table(found: dict[str, Any]) -> list[list[str]]:
    """Rows: objective, batch, loop, median, quartiles, best, times the best peer; the first row names them."""
    rows = [["objective", "batch", "loop", "median", "quartiles", "best", "× best peer"]]
    for (game, batch), group in groupby(found["measurements"], key=lambda one: (one["game"], one["batch"])):
        lines = list(group)
        peers = [one["median"] for one in lines if "median" in one and not one["contender"].startswith(OURS)]
        for one in lines:
            head = [game, str(batch), one["contender"]]
            if "median" not in one:
                rows.append([*head, "failed", one["failure"] or "not run", "", ""])
                continue
            low, high = one["quartiles"]
            ratio = f"{one['median'] / max(peers):.2f}" if peers else ""
            rows.append([*head, f"{one['median']:.0f}", f"{low:.0f}–{high:.0f}", f"{one['best']:.0f}", ratio])
    return rows


def plain(rows: list[list[str]]) -> str:
    """The table for a terminal, columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(found: dict[str, Any], quality: Path = QUALITY) -> str:
    """The table with its protocol, and what bfloat16 does to quality where that has been measured."""
    head, *rows = table(found)
    protocol, counts = found["protocol"], found["measurements"][0]["weights"]
    units = found["bfloat16_units"]
    lines = [
        "<!-- Written by `make bench`; edit benchmarks/report.py instead. -->",
        "",
        "| " + " | ".join(head) + " |",
        "|---|--:|---|--:|--:|--:|--:|",
        *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
        "",
        f"Images per second of one critic step and one generator step, {found['date']}: {found['device_name']}, "
        f"{found['threads']} threads, bfloat16 units: {units or 'none'}, torch {found['versions']['torch']}. "
        f"DCGAN at {CONFIG.size}×{CONFIG.size}, {CONFIG.channels} channels, width {CONFIG.width} "
        f"({counts['generator']:,} and {counts['critic']:,} weights under {found['measurements'][0]['game']}), "
        f"the same for all; {protocol['rounds']} interleaved rounds, medians, quartiles, best. "
        "Peers run in float32, as published. Ours also keeps the generator's moving average, which they do not.",
        *_penalty_cost(found),
        *(f"\n{note}" for note in found["notes"]),
    ]
    return "\n".join([*lines, *_quality(quality)]) + "\n"


def _penalty_cost(found: dict[str, Any]) -> list[str]:
    """How many times as long a step with the penalty takes as one with clipping, loop by loop."""
    medians = {
        (one["game"], one["batch"], one["contender"]): one["median"]
        for one in found["measurements"]
        if "median" in one
    }
    costs = [
        f"{median / medians[PENALISED.name, batch, contender]:.2f} ({contender}, batch {batch})"
        for (game, batch, contender), median in medians.items()
        if game == CLIPPED.name and (PENALISED.name, batch, contender) in medians
    ]
    return (
        ["", f"A step with the penalty takes so many times as long as one with clipping: {', '.join(costs)}."]
        if costs
        else []
    )


def _quality(path: Path) -> list[str]:
    """What the recorded runs in both precisions say, where they exist and were not a rehearsal."""
    if not path.is_file():
        return []
    run = read_record(path)
    named = {metric.name.removeprefix("Fréchet distance: "): metric for metric in run.metrics}
    if run.budget in ("debug", "smoke") or not all(name in named for name in COMPARED):
        return []
    full, half = (f"{named[name].value:.2f} ± {named[name].spread:.2f}" for name in COMPARED)
    return [
        "",
        f"And the images? Trained for {run.settings['steps']:,} steps on {run.settings['data'].upper()}, "
        f"float32 reaches a Fréchet distance of {full}, bfloat16 {half} (`companion reproduce {run.name}`; "
        f"{named[COMPARED[0]].protocol}).",
    ]


def faces_table(found: dict[str, Any]) -> list[list[str]]:
    """Rows: style, size, how, threads, median, slowest and fastest round; the first row names them."""
    rows = [["faces", "size", "drawn", "threads", "median", "from–to"]]
    for case in found["cases"]:
        rates = case["faces_per_second"]
        bare = "compiled" if case["compiled"] else "eager"
        how = "as a data set, eager" if case["as_set"] else bare
        size = f"{case['size']}×{case['size']}"
        ends = f"{min(rates):,.0f}–{max(rates):,.0f}"
        rows.append([f"{case['style']}s", size, how, str(case["threads"]), f"{case['median']:,.0f}", ends])
    return rows


def faces_markdown(found: dict[str, Any]) -> str:
    """The table with its protocol."""
    head, *rows = faces_table(found)
    rounds = len(found["cases"][0]["faces_per_second"])
    before, after = found["load_before_and_after"]
    lines = [
        "And the faces? So many are drawn in a second:",
        "",
        "| " + " | ".join(head) + " |",
        "|---|--:|---|--:|--:|--:|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        f"128 faces a turn, {rounds} interleaved rounds, {found['date']}: {found['device_name']}, torch "
        f"{found['versions']['torch']}; the machine's load was {before} before and {after} after "
        f"(`{found['command']}`).",
    ]
    return "\n".join(lines) + "\n"


def vision_table(found: dict[str, Any]) -> list[list[str]]:
    """Rows: tracker, what it was given, frames a second bare and ours, what is added; the first row names them."""
    rows = [["tracker", "given", "MediaPipe, frames/s", "ours, frames/s", "added ms", "added"]]
    for case in found["cases"]:
        rates = case["frames_per_second"]
        given = {"picture": "single pictures", "video": "a video"}[case["mode"]]
        added = [f"{case['added_milliseconds']:.2f}", f"{case['overhead']:.1%}"]
        rows.append([case["tracker"], given, f"{rates['bare']:.0f}", f"{rates['ours']:.0f}", *added])
    return rows


def vision_markdown(found: dict[str, Any]) -> str:
    """The table with its protocol."""
    head, *rows = vision_table(found)
    protocol = found["protocol"]
    before, after = found["load_before_and_after"]
    width, height = protocol["size"]
    lines = [
        "And the trackers of chapter 8, beside MediaPipe without our wrapper:",
        "",
        "| " + " | ".join(head) + " |",
        "|---|---|--:|--:|--:|--:|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        f"{protocol['frames']} frames of {width}×{height}, a pan over one photograph ({protocol['photograph']}), "
        f"{protocol['order']}. {found['date']}: {found['device_name']}, {found['cores']} cores, MediaPipe "
        f"{found['mediapipe']} on the CPU; the machine's load was {before} before and {after} after "
        f"(`{found['command']}`).",
    ]
    return "\n".join(lines) + "\n"


def write(found: dict[str, Any], folder: Path) -> None:
    """`throughput.json`."""
    write_json(folder / "throughput.json", found)


def render(folder: Path) -> None:
    """`throughput.md`, the page's tables, from the records there are: training step, faces, trackers."""
    parts = [
        make(json.loads((folder / name).read_text(encoding="utf-8")))
        for name, make in (
            ("throughput.json", markdown),
            ("faces.json", faces_markdown),
            ("vision.json", vision_markdown),
        )
        if (folder / name).is_file()
    ]
    write_text(folder / "throughput.md", "\n".join(parts))
