"""Real shakes (Levin et al. 2009): four pictures, eight movements of a real camera, in grey (chapter 2)."""

from typing import TYPE_CHECKING

from PIL import Image

from companion.data.assets import fetch
from companion.data.catalogue import PairSet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from companion.data.batches import Pair

NAME = "levin-shakes"


def shaken() -> "tuple[tuple[str, ...], Pair]":
    """Each shaken picture beside one taken with the camera at rest, `(32, 3, 255, 255)`, and their names."""
    import torch

    from companion.data.batches import Pair
    from companion.data.scale import bytes_of, from_bytes

    folder = fetch(NAME)
    files = sorted(folder.glob("im?_kernel?_img.png"))
    still = [folder / "gt" / f"{file.name[:3]}.png" for file in files]

    def read(paths: "list[Path]") -> "Tensor":
        pictures = []
        for path in paths:
            with Image.open(path) as image:
                pictures.append(bytes_of(image.convert("L").convert("RGB")))
        return from_bytes(torch.stack(pictures))

    return tuple(file.stem for file in files), Pair(input=read(files), target=read(still))


SETS = (
    PairSet(
        name=NAME,
        description="Levin et al. 2009: 32 pictures shaken by a real hand, and the same from a camera at rest",
        assets=(NAME,),
        read=shaken,
    ),
)
