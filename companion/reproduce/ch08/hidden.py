"""Chapter 8: what is left of a hidden face, and what chapter 2's network brings back of it.

Two questions. Can the *person* still be told from others? Photographs of 40 people (Samaria and Harter 1994) are all
hidden in one way, half of them as a list of known people, half as strangers, and each stranger gets the name of the
nearest on the list: Newton, Sweeney and Malin (2005) call it parrot recognition. And can the *face* be read again?
Faces of several sizes are shaken by chapter 2's camera and restored; a detector and a mesh say what they see.
"""

from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from tqdm.auto import tqdm

from companion.data.assets import fetch
from companion.data.degrade import Camera
from companion.data.scale import bytes_of, from_bytes
from companion.metrics import Measurement
from companion.metrics.restoration import psnr
from companion.randomness import generator
from companion.reproduce.ch08.found import PHOTOGRAPHS, labels
from companion.reproduce.job import Job, Recipe, Result
from companion.tiling import restorer
from companion.vision import Box, FaceDetector, FaceMesh, Mesh, Picture, as_picture
from companion.vision.privacy import Hiding, all_faces, blurred, covered, pixelated, shaken

MODEL = "deblur-best"  # chapter 2's, which knows its own camera's shakes and no others
PEOPLE, PHOTOS = 40, 10  # in the ORL database: 40 folders of ten photographs
WAYS: dict[str, Hiding] = {
    "not hidden": lambda face: face,
    "shaken": shaken,
    "blurred": blurred,
    "in squares": pixelated,
    "in its mean colour": lambda face: np.full_like(face, face.mean(axis=(0, 1)).astype(np.uint8)),
    "covered": covered,
}
# What the network is tried on; in an even colour there is nothing to see.
UNDONE = {"shaken", "blurred", "in squares"}
# Pixels of a face when it is shaken; the shake stays, so a small face suffers more.
HEIGHTS = (80, 64, 48, 32)
AROUND = 2.5  # the picture around a face, in heights of the face
EYES = 468, 473  # rows of a mesh: the middles of the irises


def faces_hidden(job: Job) -> Result:
    """Strangers named rightly, way by way; shaken faces before and after restoring, size by size."""
    people, photographs = fetch("orl"), fetch("vision-photographs")
    model = restorer(MODEL)
    named = {
        name: job.once(f"way-{name}", partial(_named, hide, people, model if name in UNDONE else None, job))
        for name, hide in tqdm(WAYS.items(), desc="ways to hide", unit="way", leave=False)
    }
    sizes = {
        height: job.once(f"height-{height}", partial(_at, height, photographs, model, job))
        for height in tqdm(HEIGHTS[-1:] if job.debug else HEIGHTS, desc="sizes", unit="size", leave=False)
    }
    metrics = [
        *_people(named, job),
        *(metric for height in sizes for metric in _faces(height, sizes[height])),
    ]
    settings = {"device": "cpu", "model": MODEL, "camera": "chapter 2's"}
    details = {"people": named, "faces": {str(height): found["faces"] for height, found in sizes.items()}}
    return Result(settings, [], metrics, details)


# ---- who is it? -----------------------------------------------------------------------------------------------------


def _named(hide: Hiding, folder: Path, model: nn.Module | None, job: Job) -> dict[str, float]:
    people = range(1, (2 if job.debug else PEOPLE) + 1)
    files = [folder / f"s{person}" / f"{n}.pgm" for person, n in product(people, range(1, PHOTOS + 1))]
    hidden = [hide(as_picture(file)) for file in files]
    shares = {"hidden": named_rightly(hidden)}
    if model is not None:
        undone = [_restored(model, photo) for photo in tqdm(hidden, desc="restoring", leave=False)]
        shares["restored"] = named_rightly(undone)
    return shares


def named_rightly(photos: list[Picture]) -> float:
    """Share of strangers named rightly, each by the nearest of the known: the least sum of squared differences.

    Args:
        photos: Ten of each person, person by person, all of one size; the first five are known, the others strangers.
    """
    pixels: NDArray[np.float64] = np.stack(photos).reshape(-1, PHOTOS, photos[0].size).astype(np.float64)
    names = np.repeat(np.arange(len(pixels)), PHOTOS // 2)
    known, strangers = (half.reshape(len(names), -1) for half in np.split(pixels, 2, axis=1))
    nearest = [names[np.square(known - one).sum(1).argmin()] for one in strangers]
    return float(np.mean(np.array(nearest) == names))


def _people(named: dict[str, dict[str, float]], job: Job) -> list[Measurement]:
    people = 2 if job.debug else PEOPLE
    protocol = (
        f"{people * PHOTOS // 2} photographs, each named by the nearest of {people * PHOTOS // 2} others of the same "
        f"{people} people (ORL), all treated alike; guessing: {1 / people:.3f}"
    )
    return [
        Measurement(f"named rightly, {name}{', then restored' * (key == 'restored')}", share, protocol)
        for name, shares in named.items()
        for key, share in shares.items()
    ]


# ---- what does the face show? ---------------------------------------------------------------------------------------


def _at(height: int, folder: Path, model: nn.Module, job: Job) -> dict[str, Any]:
    """Every labelled face at least so high, shrunk to that height, under each of the camera's shakes."""
    camera = Camera()
    margin = camera.size // 2
    found: list[dict[str, Any]] = []
    with FaceDetector() as faces, FaceMesh() as meshes:
        for name, points in labels()["face"].items():
            picture = as_picture(folder / name)
            for box in _marked(all_faces(faces, picture), points, picture):
                if box.height < height or (job.debug and found):
                    continue
                wide = _tensor(cut(picture, box, height, margin))
                sharp = as_picture(wide[..., margin:-margin, margin:-margin])
                for index, kernel in enumerate(camera.kernels()):
                    blurry = as_picture(
                        camera.degrade(wide, kernel[None], generator(0, "noise on a hidden face", index))
                    )
                    pair = {"shaken": blurry, "restored": _restored(model, blurry)}
                    found.append(
                        {"photograph": name, "shake": index, **_seen(sharp, pair, height, faces, meshes)}
                    )
    return {"faces": found}


def _marked(boxes: list[Box], points: list[tuple[float, float]], picture: Picture) -> list[Box]:
    height, width, _ = picture.shape
    return [
        box
        for box in boxes
        if any(box.left < x * width < box.right and box.top < y * height < box.bottom for x, y in points)
    ]


def cut(picture: Picture, box: Box, height: int, margin: int) -> Picture:
    """A square around a face, shrunk so that its box is `height` pixels high; beyond the picture its edge goes on.

    The side is `AROUND` heights and `margin` pixels more on each side.
    """
    side = round(AROUND * height)
    half = (side / 2 + margin) * box.height / height  # in the picture's own pixels
    beyond = int(np.ceil(half))
    wide = np.pad(picture, ((beyond, beyond), (beyond, beyond), (0, 0)), mode="edge")
    x, y = beyond + (box.left + box.right) / 2, beyond + (box.top + box.bottom) / 2
    around = (x - half, y - half, x + half, y + half)
    shrunk = Image.fromarray(wide).resize((side + 2 * margin,) * 2, Image.Resampling.LANCZOS, box=around)
    return np.asarray(shrunk)


def _seen(
    sharp: Picture, pair: dict[str, Picture], height: int, faces: FaceDetector, meshes: FaceMesh
) -> dict[str, Any]:
    """PSNR inside the box, whether a face is detected there, and how far the mesh's landmarks are from the sharp's."""
    first = (len(sharp) - height) // 2
    box = slice(first, first + height)
    truth = _mesh(meshes, sharp)
    numbers: dict[str, Any] = {}
    for name, picture in pair.items():
        mesh = _mesh(meshes, picture)
        numbers[f"psnr {name}"] = round(float(psnr(_tensor(picture[box, box]), _tensor(sharp[box, box]))), 2)
        numbers[f"detected {name}"] = any(_central(face.bounds, picture) for face in faces.find(picture))
        numbers[f"off {name}"] = None if truth is None or mesh is None else round(off(mesh, truth), 4)
    return numbers


def _mesh(meshes: FaceMesh, picture: Picture) -> Mesh | None:
    return next((mesh for mesh in meshes.find(picture) if _central(mesh.bounds, picture)), None)


def _central(box: Box, picture: Picture) -> bool:
    middle = len(picture) / 2
    return box.left < middle < box.right and box.top < middle < box.bottom


def off(mesh: Mesh, truth: Mesh) -> float:
    """How far the landmarks are from where they should be: their mean distance, in distances between the eyes."""
    right, left = truth.pixels[list(EYES)]
    return float(np.linalg.norm(mesh.pixels - truth.pixels, axis=1).mean() / np.linalg.norm(left - right))


def _faces(height: int, found: dict[str, Any]) -> list[Measurement]:
    each = found["faces"]
    faces = sum(one["shake"] == 0 for one in each)
    protocol = f"{faces} faces shrunk to {height} pixels, {len(each) // faces} shakes each, {PHOTOGRAPHS}"
    metrics = []
    for name in ("shaken", "restored"):
        label = f"{name}, {height} pixels high"
        mean = fmean(one[f"psnr {name}"] for one in each)
        share = fmean(one[f"detected {name}"] for one in each)
        metrics += [
            Measurement(f"PSNR in the face's box (dB), {label}", mean, protocol),
            Measurement(f"faces detected, {label}", share, protocol),
        ]
    both = [one for one in each if one["off shaken"] is not None and one["off restored"] is not None]
    if both:
        where = f"{protocol}; the {len(both)} in which a mesh is found in all three, in distances between the eyes"
        metrics += [
            Measurement(
                f"mesh off by, {name}, {height} pixels high", fmean(one[f"off {name}"] for one in both), where
            )
            for name in ("shaken", "restored")
        ]
    return metrics


def _tensor(picture: Picture) -> Tensor:
    return from_bytes(bytes_of(picture))[None]


def _restored(model: nn.Module, picture: Picture) -> Picture:
    with torch.inference_mode():
        return as_picture(model(_tensor(picture)))


RECIPES: dict[str, Recipe] = {
    "faces-hidden": Recipe("What is left of a hidden face", 8, faces_hidden, (MODEL,))
}
