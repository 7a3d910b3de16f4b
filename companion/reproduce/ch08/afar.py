"""Chapter 8: hands and faces from further and further away. From which height on are they found, and read rightly?"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from companion.data.assets import fetch
from companion.metrics import Measurement
from companion.reproduce.ch08.found import PHOTOGRAPHS
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, with_interval
from companion.vision import Box, FaceDetector, Hand, HandTracker, Picture, as_picture
from companion.vision.cutting import far_away
from companion.vision.gestures import fingers_up, shape
from companion.vision.models import model_name

HEIGHTS = (24, 32, 40, 48, 64, 80, 100)  # in pixels; what is not the last one high when near is left out
PLACES = tuple((x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9))


def found_afar(job: Job) -> Result:
    """Each hand and face that stands alone on a photograph, laid small into pictures of 640×480 pixels.

    A hand is read rightly where it is found and the same fingers are up as when it was near. What would refute “found
    is not yet read”: a height at which hands are found as often as the tallest, and read as often too, while shorter
    ones are found less often.
    """
    folder = fetch("vision-photographs")
    names = sorted(path.name for path in folder.iterdir() if path.suffix in {".jpg", ".png"})
    with HandTracker(most=2) as hands, FaceDetector() as faces:
        rows = {
            "hands": job.once(
                "hands", partial(_each, folder, names, job, lambda p: [(h.bounds, h) for h in hands.find(p)])
            ),
            "faces": job.once(
                "faces", partial(_each, folder, names, job, lambda p: [(f.box, None) for f in faces.find(p)])
            ),
        }
        model = model_name(hands.model)
    metrics = [metric for kind, found in rows.items() for metric in _metrics(kind, found["each"], model)]
    return Result({"device": "cpu", "heights": list(HEIGHTS), "places": len(PLACES)}, [], metrics, rows)


Find = Callable[[Picture], list[tuple[Box, Hand | None]]]


def _each(folder: Path, names: Sequence[str], job: Job, find: Find) -> dict[str, Any]:
    """For every thing that is found alone and tall enough: its numbers at each height."""
    rows: list[dict[str, Any]] = []
    for name in tqdm(names, desc="photographs", leave=False):
        picture = as_picture(folder / name)
        found = find(picture)
        if len(found) == 1 and found[0][0].height >= HEIGHTS[-1] and not (job.debug and len(rows) > 1):
            rows.append({"picture": name, **_smaller(picture, *found[0], find)})
    return {"each": rows}


def _smaller(picture: Picture, box: Box, near: Hand | None, find: Find) -> dict[str, list[Any]]:
    """At each height: the share of places where it is found and, of a hand, is read rightly; how far it is off."""
    numbers: dict[str, list[Any]] = {"found": [], "read": [], "off": []}
    for height in HEIGHTS:
        there = []
        for place in PLACES:
            far = far_away(picture, height / box.height, place)
            there += [thing for where, thing in find(far.picture) if far.shows(where, box)][:1]
        numbers["found"].append(len(there) / len(PLACES))
        if near is not None:
            right = sum(thing is not None and fingers_up(thing) == fingers_up(near) for thing in there)
            numbers["read"].append(right / len(PLACES))
            apart = [off(thing, near) for thing in there if thing is not None]
            numbers["off"].append(round(median(apart), 4) if apart else None)
    return numbers


def off(hand: Hand, near: Hand) -> float:
    """How far the landmarks of two shapes are apart, root mean square, in hand-widths."""
    return float(np.sqrt(np.square(shape(hand) - shape(near)).sum(1).mean()))


def _metrics(kind: str, rows: list[dict[str, Any]], model: str) -> list[Measurement]:
    protocol = f"{len(rows)} {kind}, {len(PLACES)} places each in pictures of 640×480 pixels, {PHOTOGRAPHS}"
    if kind == "hands":
        protocol += f"; model {model}"
    metrics = []
    for place, height in enumerate(HEIGHTS):
        for number in ("found", "read"):
            values = [row[number][place] for row in rows if row[number]]
            if values:
                name = f"{kind} {number}, {height} pixels high"
                metrics.append(with_interval(name, fmean(values), bootstrap([values]), protocol))
        apart = [row["off"][place] for row in rows if row["off"] and row["off"][place] is not None]
        if apart:
            of = (
                f"median of {len(apart)} hands that are found there, each at its median place, in hand-widths"
            )
            metrics.append(Measurement(f"landmarks off by, {height} pixels high", median(apart), of))
    return metrics


RECIPES: dict[str, Recipe] = {
    "found-afar": Recipe("Hands and faces from further and further away", 8, found_afar)
}
