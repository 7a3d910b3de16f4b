"""Chapter 8: hands and faces from further and further away. From which height on are they found, and read rightly?"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from companion.data.assets import fetch
from companion.metrics import Measurement
from companion.reproduce.ch08.found import Point, middle, near
from companion.reproduce.ch08.found import labels as face_labels
from companion.reproduce.ch08.gestures import labels
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import mean_with_interval
from companion.vision import Box, FaceDetector, Hand, HandTracker, Picture, as_picture
from companion.vision.cutting import far_away
from companion.vision.gestures import fingers_up, shape
from companion.vision.models import model_name

HEIGHTS = (24, 32, 40, 48, 64, 80, 100)  # in pixels; nothing is made larger than it was when near
LEAST = 80  # pixels: what is not so high when near is left out
PLACES = tuple((x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9))


def found_afar(job: Job) -> Result:
    """Each marked hand and face that is found on a photograph, laid small into pictures of 640×480 pixels.

    A hand is read rightly where it is found and the same fingers are up as when it was near. What would refute “found
    is not yet read”: a height at which hands are found as often as the tallest, and read as often too, while shorter
    ones are found less often.
    """
    folder = fetch("vision-photographs")
    marked_hands: dict[str, list[Point]] = {}
    for row in labels():
        marked_hands.setdefault(row["picture"], []).append((float(row["x"]), float(row["y"])))
    marked_faces = face_labels()["face"]
    with HandTracker(most=4) as hands, FaceDetector() as faces:
        rows = {
            "hands": job.once(
                "hands",
                partial(_each, folder, marked_hands, job, lambda p: [(h.bounds, h) for h in hands.find(p)]),
            ),
            "faces": job.once(
                "faces",
                partial(_each, folder, marked_faces, job, lambda p: [(f.box, None) for f in faces.find(p)]),
            ),
        }
        model = model_name(hands.model)
    metrics = [metric for kind, found in rows.items() for metric in _metrics(kind, found["each"], model)]
    settings = {"device": "cpu", "heights": list(HEIGHTS), "least": LEAST, "places": len(PLACES)}
    return Result(settings, [], metrics, rows)


Find = Callable[[Picture], list[tuple[Box, Hand | None]]]


def _each(folder: Path, marks: dict[str, list[Point]], job: Job, find: Find) -> dict[str, Any]:
    """For every marked thing that is found and tall enough: its numbers at each height."""
    rows: list[dict[str, Any]] = []
    for name, points in tqdm(marks.items(), desc="photographs", leave=False):
        picture = as_picture(folder / name)
        for box, thing in find(picture):
            if any(near(point, middle(box, picture), picture) for point in points) and box.height >= LEAST:
                rows.append({"picture": name, **_smaller(picture, box, thing, find)})
        if job.debug and len(rows) > 1:
            break
    return {"each": rows}


def _smaller(picture: Picture, box: Box, near_by: Hand | None, find: Find) -> dict[str, list[Any]]:
    """At each height that it has: the share of places where it is found and, of a hand, read rightly; how far off."""
    numbers: dict[str, list[Any]] = {"found": [], "read": [], "off": []}
    for height in (height for height in HEIGHTS if height <= box.height):
        there = []
        for place in PLACES:
            far = far_away(picture, height / box.height, place)
            there += [thing for where, thing in find(far.picture) if far.shows(where, box)][:1]
        numbers["found"].append(len(there) / len(PLACES))
        if near_by is not None:
            right = sum(thing is not None and fingers_up(thing) == fingers_up(near_by) for thing in there)
            numbers["read"].append(right / len(PLACES))
            apart = [off(thing, near_by) for thing in there if thing is not None]
            numbers["off"].append(round(median(apart), 4) if apart else None)
    return numbers


def off(hand: Hand, near: Hand) -> float:
    """How far the landmarks of two shapes are apart, root mean square, in hand-widths."""
    return float(np.sqrt(np.square(shape(hand) - shape(near)).sum(1).mean()))


def _metrics(kind: str, rows: list[dict[str, Any]], model: str) -> list[Measurement]:
    """Means over photographs, since what stands in one photograph shares its light and its sharpness."""
    metrics = []
    for place, height in enumerate(HEIGHTS):
        so_high = [row for row in rows if place < len(row["found"])]
        count = len(so_high)
        so_tall = (
            f"marked by eye, found near, and at least {max(height, LEAST)} pixels tall in their photograph"
        )
        metrics.append(Measurement(f"{kind}, {height} pixels high", count, so_tall))
        for number in ("found", "read"):
            values = _by_photograph(so_high, number, place)
            if values:
                protocol = f"{count} {kind} on {len(values)} photographs, {len(PLACES)} places each"
                protocol += " in pictures of 640×480 pixels; interval over photographs"
                protocol += f"; model {model}" if kind == "hands" else ""
                name = f"{kind} {number}, {height} pixels high"
                metrics.append(mean_with_interval(name, values, protocol))
        apart = [row["off"][place] for row in so_high if row["off"] and row["off"][place] is not None]
        if apart:
            of = (
                f"median of {len(apart)} hands that are found there, each at its median place, in hand-widths"
            )
            metrics.append(
                Measurement(f"landmarks off by, {height} pixels high", median(apart), of, n=len(apart))
            )
    return metrics


def _by_photograph(rows: list[dict[str, Any]], number: str, place: int) -> list[float]:
    values: dict[str, list[float]] = {}
    for row in rows:
        if row[number]:  # of a face nothing is read
            values.setdefault(row["picture"], []).append(row[number][place])
    return [fmean(of_one) for of_one in values.values()]


RECIPES: dict[str, Recipe] = {
    "found-afar": Recipe("Hands and faces from further and further away", 8, found_afar)
}
