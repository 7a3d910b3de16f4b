"""What several demos share: a photograph free for all, pictures that are nobody's, and MediaPipe's networks."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

from companion.data.assets import manifest
from companion.errors import CompanionError
from companion.files import replacing
from companion.vision.drawn import dancer, hand
from companion.vision.landmarks import Found, Hand, Mesh, Pose
from companion.vision.models import mediapipe, model_file, stand_in

FINDERS = {"face": "face-landmarker", "hand": "hand-landmarker", "pose": "pose-landmarker"}
QUALITY = 90


def photograph(folder: Path) -> Path:
    """`astronaut.jpg`: Eileen Collins, by NASA, in the public domain."""
    return saved(folder / "astronaut.jpg", skimage.data.astronaut())


def portrait(folder: Path) -> Path:
    """`astronaut-near.jpg`: her head from the same photograph."""
    near = (
        Image.fromarray(skimage.data.astronaut())
        .crop((88, 0, 360, 272))
        .resize((544, 544), Image.Resampling.LANCZOS)
    )
    return saved(folder / "astronaut-near.jpg", np.asarray(near), 84)


def drawn_hand(folder: Path) -> Path:
    """`hand.jpg`: an open hand."""
    return saved(folder / "hand.jpg", hand(0.8))


def drawn_dancer(folder: Path) -> Path:
    """`dancer.jpg`: a body from head to toe."""
    return saved(folder / "dancer.jpg", dancer())


def saved(path: Path, picture: np.ndarray, quality: int = QUALITY) -> Path:
    """Written as JPEG, whole or not at all."""
    with replacing(path) as file:
        Image.fromarray(picture).save(file, "JPEG", quality=quality, optimize=True)
    return path


def finder(kind: str, folder: Path) -> bool:
    """Whether one of MediaPipe's networks is at hand; if so, it is copied for the page."""
    name = FINDERS[kind]
    file = manifest()[name].file if manifest()[name].here else stand_in(name)
    if file is None:
        print(
            f"  The demos in the page find nothing without {name}: companion assets fetch {name}", flush=True
        )
        return False
    shutil.copyfile(file, folder / "models" / f"{kind}_landmarker.task")
    return True


def found_in(kind: str, path: Path) -> list[dict[str, Any]] | None:
    """What the package finds in a picture, as the page has it; None where MediaPipe is not installed."""
    from companion.vision.trackers import FaceMesh, HandTracker, PoseEstimator

    trackers = {"face": FaceMesh, "hand": HandTracker, "pose": PoseEstimator}
    try:
        with trackers[kind](model=model_file(FINDERS[kind])) as tracker:
            return [in_page(kind, one) for one in tracker.find(path)]
    except CompanionError:
        return None


def in_page(kind: str, found: Found) -> dict[str, Any]:
    """A finding in the words of `book/live/kit/landmarks.js`."""
    landmarks = [dict(zip("xyz", map(_short, row), strict=True)) for row in found.normalised.tolist()]
    about: dict[str, Any] = {
        "kind": kind,
        "width": found.width,
        "height": found.height,
        "landmarks": landmarks,
    }
    if isinstance(found, Hand):
        about |= {"side": found.side, "score": _short(found.score)}
    if isinstance(found, Mesh):
        about |= {"moves": {name: _short(amount) for name, amount in found.blendshapes.items()}}
    if isinstance(found, Pose):
        for landmark, seen in zip(landmarks, found.visibility.tolist(), strict=True):
            landmark["visibility"] = _short(seen)
    return about


def _short(value: float) -> float:
    return round(value, 5)


def mesh_edges() -> dict[str, list[int]] | None:
    """MediaPipe's lists of the lines of a face's mesh, pair after pair; None where MediaPipe is not installed."""
    try:
        lists = mediapipe().tasks.vision.FaceLandmarksConnections
    except CompanionError:
        return None
    lines = {"web": ["TESSELATION"], "middle": ["LIPS", "FACE_OVAL"]}
    for side in ("left", "right"):
        lines[side] = [f"{side.upper()}_{part}" for part in ("EYE", "EYEBROW", "IRIS")]
    return {
        name: [
            end
            for part in parts
            for edge in getattr(lists, f"FACE_LANDMARKS_{part}")
            for end in (edge.start, edge.end)
        ]
        for name, parts in lines.items()
    }
