"""Chapter 8: how many faces and bodies on real photographs are found, and how many are found that are none."""

import csv
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from companion.data.assets import fetch
from companion.metrics import Measurement
from companion.reproduce.job import Job, Recipe, Result
from companion.vision import FaceDetector, FaceMesh, Picture, PoseEstimator, PosePoint, as_picture
from companion.vision.privacy import all_faces

Point = tuple[float, float]  # the middle of a face or a nose, in parts of the picture
Finder = Callable[[Picture], list[Point]]

NEAR = 0.08  # of the picture's longer side: so near to the label, a finding is the labelled face
NOSE_TIP = 1  # row of a mesh
PHOTOGRAPHS = "photographs of MediaPipe's and Google's examples, COCO, HaGRID and OneHand10K"


def labels() -> dict[str, dict[str, list[Point]]]:
    """Middles of faces, marked by eye, by kind (“face” or “drawing”) and picture; a picture may have none.

    Two pictures where no eye could tell are left out: a batter seen from behind, a face behind a hand.
    """
    text = files("companion.vision").joinpath("labelled_faces.csv").read_text(encoding="utf-8")
    marked: dict[str, dict[str, list[Point]]] = {"face": {}, "drawing": {}}
    for row in csv.DictReader(text.splitlines()):
        points = marked["drawing" if row["kind"] == "drawing" else "face"].setdefault(row["picture"], [])
        if row["kind"] != "none":
            points.append((float(row["x"]), float(row["y"])))
    return marked


def faces_found(job: Job) -> Result:
    """Recall and false findings of the detector (whole picture, and in tiles), the mesh and the pose estimator."""
    folder = fetch("vision-photographs")
    marked = labels()
    if job.debug:
        marked = {kind: dict(list(pictures.items())[:2]) for kind, pictures in marked.items()}
    with FaceDetector() as faces, FaceMesh(most=5) as mesh, PoseEstimator(most=5) as pose:
        finders: dict[str, Finder] = {
            "FaceDetector": lambda picture: [middle(face.bounds, picture) for face in faces.find(picture)],
            "FaceDetector in tiles": lambda picture: [
                middle(box, picture) for box in all_faces(faces, picture)
            ],
            "FaceMesh": lambda picture: [_point(one.normalised[NOSE_TIP]) for one in mesh.find(picture)],
            "PoseEstimator": lambda picture: [
                _point(one.normalised[PosePoint.NOSE]) for one in pose.find(picture)
            ],
        }
        counts = {
            kind: {name: _count(finder, folder, pictures) for name, finder in finders.items()}
            for kind, pictures in marked.items()
        }
        blue = _count(
            lambda picture: [middle(face.bounds, picture) for face in faces.find(swapped(picture))],
            folder,
            marked["face"],
        )
        models = sorted({Path(tracker.model).name for tracker in (faces, mesh, pose)})
    metrics = [
        metric
        for kind, finders_ in counts.items()
        for name, count in finders_.items()
        for metric in _metrics(kind, name, count)
    ]
    metrics += _metrics("face", "FaceDetector, colours swapped", blue)
    return Result({"device": "cpu", "models": models}, [], metrics, counts)


def _count(finder: Finder, folder: Path, marked: dict[str, list[Point]]) -> dict[str, Any]:
    """Labelled faces, those found, and findings that are none, in all and by picture."""
    each = {}
    for name, points in marked.items():
        picture = as_picture(folder / name)
        found = finder(picture)
        right = [any(near(point, one, picture) for one in found) for point in points]
        false = [one for one in found if not any(near(point, one, picture) for point in points)]
        each[name] = {"labelled": len(points), "found": sum(right), "false": len(false)}
    sums = {key: sum(one[key] for one in each.values()) for key in ("labelled", "found", "false")}
    return {**sums, "pictures": each}


def _metrics(kind: str, name: str, count: dict[str, Any]) -> list[Measurement]:
    shown = f"{len(count['pictures'])} " + (
        PHOTOGRAPHS if kind == "face" else "drawings of MediaPipe's examples"
    )
    subject = "faces" if kind == "face" else "drawn faces"
    return [
        Measurement(
            f"{name}: {subject} found",
            count["found"] / count["labelled"],
            f"{count['labelled']} marked by eye in {shown}",
        ),
        Measurement(f"{name}: false findings for {subject}", float(count["false"]), f"in {shown}"),
    ]


def swapped(picture: Picture) -> Picture:
    """Blue for red, as OpenCV reads a picture."""
    return np.ascontiguousarray(picture[..., ::-1])


def middle(box: Sequence[float], picture: Picture) -> Point:
    """The middle of a box in pixels (left, top, right, bottom), in parts of the picture."""
    left, top, right, bottom = box
    height, width, _ = picture.shape
    return (left + right) / 2 / width, (top + bottom) / 2 / height


def _point(landmark: Any) -> Point:
    return float(landmark[0]), float(landmark[1])


def near(one: Point, other: Point, picture: Picture) -> bool:
    """Whether two places are so near that a finding at the one is what is marked at the other."""
    height, width, _ = picture.shape
    apart = np.hypot((one[0] - other[0]) * width, (one[1] - other[1]) * height)
    return bool(apart <= NEAR * max(height, width))


RECIPES: dict[str, Recipe] = {"faces-found": Recipe("Faces and bodies found on photographs", 8, faces_found)}
