"""Chapter 8: what covering and blurring faces is worth, against opponents that “faces-hidden” did not play.

Strangers are named by the nearest on a list, as there; but under many ways to split the photographs, with the ellipse
that `privacy.hide_faces` covers, and by one mean colour of the face or of the wall. And a blur is undone by whoever
knows it: least squares with the blur's own kernel.
"""

from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse.linalg import LinearOperator, lsqr
from skimage.data import astronaut
from tqdm.auto import tqdm

from companion.data.assets import fetch
from companion.metrics import Measurement
from companion.randomness import generator
from companion.reproduce.ch08.hidden import PEOPLE, PHOTOS, WAYS
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import mean_with_interval
from companion.vision import Box, FaceDetector, Picture, as_picture
from companion.vision.models import opencv
from companion.vision.privacy import BLURRED_AT, _ellipse, _part, blurred, covered, hide_faces

Field = NDArray[np.float64]

SPLITS = 20  # ways to choose five of each person's ten photographs for the list
FRAME = 60  # pixels around a photograph, in which the face fills the frame: a detector wants to see some wall
LEAST = 0.3  # confidence, as every face has to be found
CORNER = 8, 6  # rows and columns of the wall at the upper left and right, so few that no hair is among them
MIDDLE = slice(35, 85), slice(25, 67)  # rows and columns that lie on the face
FACE, WALL = "middle of the face", "wall in the upper corners"
STOPS = (5, 20, 50, 100)  # rounds of least squares


def faces_covered(job: Job) -> Result:
    """Strangers named rightly under many splits, way by way; and a strong blur undone with its own kernel.

    What would refute “covering the face is enough”: with the package's ellipse over each face, a share of strangers
    named rightly well above guessing. What would refute “the mean colour tells how light a face is”: a share named by
    the wall's mean that is no smaller than that named by the face's. Intervals are over people, since all splits are of
    the same photographs.
    """
    shares = job.once("named", partial(_all_ways, fetch("orl"), job))
    brought_back = job.once("undone", _undone)
    people = 2 if job.debug else PEOPLE
    half = people * PHOTOS // 2
    protocol = (
        f"{half} photographs, each named by the nearest of {half} others of the same {people} people (ORL), all "
        f"treated alike; mean of {SPLITS} splits; interval over {people} people; guessing: {1 / people:.3f}"
    )
    metrics = [
        mean_with_interval(f"named rightly, {name}", values, protocol) for name, values in shares.items()
    ]
    wall, face = (shares[f"by the mean colour of the {part}"] for part in (WALL, FACE))
    more = [a - b for a, b in zip(wall, face, strict=True)]
    name = "named rightly by the wall's mean colour more than by the face's"
    metrics.append(mean_with_interval(name, more, f"{protocol}; paired"))
    protocol = (
        "PSNR in the detector's box, one face (NASA's astronaut), least squares with the blur's own kernel"
    )
    metrics += [
        Measurement(f"blur undone (dB), {stop}", found, protocol) for stop, found in brought_back.items()
    ]
    settings = {"device": "cpu", "splits": SPLITS, "confidence": LEAST}
    return Result(settings, [], metrics, {"named": shares, "undone": brought_back})


# ---- who is it? -----------------------------------------------------------------------------------------------------


def _all_ways(folder: Path, job: Job) -> dict[str, list[float]]:
    people = range(1, (2 if job.debug else PEOPLE) + 1)
    photos = [
        as_picture(folder / f"s{person}" / f"{n}.pgm") for person, n in product(people, range(1, PHOTOS + 1))
    ]
    shown: dict[str, list[Picture] | list[Field]] = {
        name: [WAYS[name](photo) for photo in photos]
        for name in ("not hidden", "blurred", "in squares", "covered")
    }
    with FaceDetector(confidence=LEAST) as detector:
        boxes = [_face(detector, photo) for photo in tqdm(photos, desc="faces", leave=False)]
    shown["face covered by the package's ellipse"] = [
        hide_faces(photo, [box], covered) for photo, box in zip(photos, boxes, strict=True)
    ]
    rows, columns = CORNER
    means: dict[str, Callable[[Picture], Any]] = {
        "whole photograph": np.mean,
        FACE: lambda photo: photo[MIDDLE].mean(),
        WALL: lambda photo: np.delete(photo[:rows], np.s_[columns:-columns], axis=1).mean(),
    }
    for name, mean in means.items():
        shown[f"by the mean colour of the {name}"] = [np.array([mean(photo)]) for photo in photos]
    return {name: shares_named(pictures) for name, pictures in shown.items()}


def _face(detector: FaceDetector, photo: Picture) -> Box:
    """The face of a photograph that it fills: found in a copy with a frame around it, twice as large."""
    wide = np.pad(photo, ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), mode="edge")
    height, width, _ = wide.shape
    found = detector.find(np.asarray(Image.fromarray(wide).resize((2 * width, 2 * height))))
    box = max(found, key=lambda face: face.score).box
    return Box(*(edge / 2 - FRAME for edge in box))


def shares_named(pictures: list[Picture] | list[Field]) -> list[float]:
    """For each person, how often the nearest to a photograph of theirs that is off the list is theirs, over all splits.

    Args:
        pictures: Ten of each person, person by person, all of one shape; nearest is the least sum of squared
            differences. Each split puts half of a person's ten on the list.
    """
    rows = torch.from_numpy(np.stack(pictures).reshape(len(pictures), -1)).double()
    apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    people = len(pictures) // PHOTOS
    names = torch.arange(people).repeat_interleave(PHOTOS // 2)
    first = torch.arange(people)[:, None] * PHOTOS
    right = []
    for split in range(SPLITS):
        order = torch.randperm(PHOTOS, generator=generator(0, "who is on the list", split))
        known, strangers = ((first + half).flatten() for half in order.chunk(2))
        nearest = names[apart[strangers][:, known].argmin(1)]
        right.append((nearest == names).double().view(people, -1).mean(1))
    shares: list[float] = torch.stack(right).mean(0).tolist()
    return shares


# ---- a blur undone --------------------------------------------------------------------------------------------------


def _undone() -> dict[str, float]:
    """PSNR in the face's box: blurred, and after some rounds of least squares."""
    picture = as_picture(astronaut())  # type: ignore[no-untyped-call]
    with FaceDetector() as detector:
        (face,) = detector.find(picture)
    part = _part(face.box, picture)
    inside = _ellipse(face.box, part)[..., 0]
    hidden = hide_faces(picture, [face.box], blurred)[part].astype(float)
    blur = blur_matrices(*inside.shape)
    left, top, right, bottom = map(int, face.box)
    rows, columns = part
    box = (slice(top - rows.start, bottom - rows.start), slice(left - columns.start, right - columns.start))
    clear = picture[part].astype(float)[box]

    def decibels(values: Field) -> float:
        return round(10 * float(np.log10(255**2 / np.square(values[box] - clear).mean())), 2)

    found = {"as it is": decibels(hidden)}
    for stop in STOPS:
        channels = [undone(blur, hidden[..., channel], inside, stop) for channel in range(3)]
        found[f"{stop} rounds"] = decibels(np.stack(channels, axis=-1))
    return found


def blur_matrices(height: int, width: int) -> tuple[Field, Field]:
    """`privacy.blurred` as two matrices, for columns and for rows: all its steps are linear but for rounding."""
    cv2 = opencv()
    scale = BLURRED_AT / height
    rows = BLURRED_AT, round(width * scale)

    def one_way(length: int, few: int) -> Field:
        small = cv2.resize(np.eye(length), (length, few), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (1, 0), sigmaX=1e-3, sigmaY=BLURRED_AT / 5)
        large: Field = cv2.resize(soft, (length, length), interpolation=cv2.INTER_LINEAR)
        return large

    return one_way(height, rows[0]), one_way(width, rows[1])


def undone(blur: tuple[Field, Field], hidden: Field, inside: NDArray[np.bool_], rounds: int) -> Field:
    """What the ellipse may have held, given what is around it and what was made of it."""
    down, across = blur
    around = np.where(inside, 0, hidden)
    made = (hidden - down @ around @ across.T)[inside]

    def forwards(values: Field) -> Field:
        whole = np.zeros(inside.shape)
        whole[inside] = values
        result: Field = (down @ whole @ across.T)[inside]
        return result

    def backwards(values: Field) -> Field:
        whole = np.zeros(inside.shape)
        whole[inside] = values
        result: Field = (down.T @ whole @ across)[inside]
        return result

    size = int(inside.sum())
    operator = LinearOperator((size, size), matvec=forwards, rmatvec=backwards)
    start = hidden[inside]
    step = lsqr(operator, made - forwards(start), iter_lim=rounds, atol=0, btol=0)[0]
    solved = hidden.copy()
    solved[inside] = (start + step).clip(0, 255)
    return solved


RECIPES: dict[str, Recipe] = {
    "faces-covered": Recipe("What covering and blurring faces is worth, many times over", 8, faces_covered)
}
