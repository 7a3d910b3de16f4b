"""The ORL faces (Samaria & Harter 1994): ten photographs of each of forty people (chapter 8)."""

from typing import TYPE_CHECKING

from companion.data.assets import fetch, manifest
from companion.data.catalogue import ImageSet

if TYPE_CHECKING:
    from torch import Tensor

NAME = "orl"


def people(size: int) -> "tuple[Tensor, Tensor]":
    """Photographs `(400, 3, size, size)` uint8, all channels equal, and the numbers of the people, from 0."""
    import torch

    from companion.data.folders import read_folder

    read = read_folder(fetch(NAME), size)
    listed = {part.file.relative_to(manifest()[NAME].file).as_posix() for part in manifest()[NAME].parts}
    rows = [row for row, file in enumerate(read.files) if file in listed]
    numbers = [int(read.files[row].split("/")[0].removeprefix("s")) - 1 for row in rows]
    return read.pixels[rows], torch.tensor(numbers)


SETS = (
    ImageSet(
        name=NAME,
        description="ORL: 400 photographs of 40 people, 92×112, grey; to measure on, not to show",
        assets=(NAME,),
        splits=("training",),
        read=lambda split, size: people(size),
    ),
)
