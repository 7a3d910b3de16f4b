"""Faces as files: a folder of pictures with tables, as a published data set would look."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm

from companion.data.faces.datasets import Caricatures, FaceSet, Portraits
from companion.errors import unknown_name
from companion.files import new_folder

STYLES: dict[str, type[Portraits] | type[Caricatures]] = {"portrait": Portraits, "caricature": Caricatures}
BATCH = 64
LICENCE = """These pictures were drawn by the package companion, part of the course “Generative Vision, Hands On”.
They show nobody: every face is a vector of random numbers. To the extent that they can be owned at all, their
authors dedicate them to the public domain under CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/).
"""


def export_faces(
    folder: Path, *, count: int, size: int = 128, style: str = "portrait", seed: int = 0
) -> FaceSet:
    """Write `count` faces, one of each person, and their tables into a new or empty folder.

    `images/00000.png` … with background, `labels.csv` (person, labels, every parameter), `landmarks.csv` (68 points in
    pixels), `LICENCE.txt`. The same arguments give the same files, byte for byte, on the same machine with the same
    versions and number of threads; elsewhere pixels may round otherwise.

    Whatever stops it, a kill included, nothing stands in the folder: a folder that holds files holds all of them. Of
    two exports into one folder the second is refused.

    Raises:
        CompanionError: The style is unknown, the folder holds something already, or a number makes no sense.
    """
    if style not in STYLES:
        raise unknown_name("style of faces", style, STYLES)
    with new_folder(folder) as part:
        faces = STYLES[style](count, size=size, seed=seed)
        faces.pictures(0)  # an impossible size is refused before anything is written
        _write_set(part, faces, style)
    return faces


def _write_set(folder: Path, faces: Portraits | Caricatures, style: str) -> None:
    images = folder / "images"
    images.mkdir()
    names = [f"{number:05d}.png" for number in range(len(faces))]
    points = []
    with tqdm(total=len(faces), desc=f"drawing {style}s", unit="face", leave=False, delay=2) as bar:
        for first in range(0, len(faces), BATCH):
            rows = slice(first, first + BATCH)
            for name, pixels in zip(names[rows], faces.pictures(rows).rgb, strict=True):
                Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(images / name)
                bar.update()
            points += faces.landmarks(rows).flatten(1).tolist()
    labels = ({"file": name, **row} for name, row in zip(names, faces.table(), strict=True))
    _write(folder / "labels.csv", labels)
    header = [f"{axis}{number}" for number in range(68) for axis in "xy"]
    places = ({"file": name, **_rounded(header, row)} for name, row in zip(names, points, strict=True))
    _write(folder / "landmarks.csv", places)
    (folder / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")


def _rounded(header: list[str], row: list[float]) -> dict[str, object]:
    return {name: round(value, 3) for name, value in zip(header, row, strict=True)}


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    listed = list(rows)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
