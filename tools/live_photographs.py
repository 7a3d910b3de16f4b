"""Photographs that the demos show which restore: as they were, and the names of those who took them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor, nn

from companion.data.degrade import Camera
from companion.data.reading import read_upright
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.data.sets.photographs import embedded
from companion.files import replacing
from companion.randomness import generator
from companion.restoration.pairs import picture
from companion.tiling import Photo, restore_photo

LONGEST = 448  # pixels: two tiles across and two down, and not much to load


class Sample(NamedTuple):
    """One of the embedded photographs. A demo shows only those that its network was not trained on."""

    name: str
    label: str  # with whom to credit


SAMPLES = (
    Sample("chelsea", "Chelsea the cat; photograph: Stéfan van der Walt, CC0"),
    Sample("coffee", "A cup of coffee; photograph: Rachel Michetti, Pikolo Espresso Bar, CC0"),
    Sample("rocket", "A rocket takes off; photograph: SpaceX, public domain"),
    Sample("flower", "A flower; photograph: vultilion, CC BY 2.0"),
)


def photograph(sample: Sample) -> Image.Image:
    """A sample, as large as it is shown."""
    picture = read_upright(embedded()[f"embedded/{sample.name}"])
    assert picture is not None
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return picture.convert("RGB")


FORMS: dict[str, dict[str, Any]] = {
    ".webp": {"format": "WEBP", "lossless": True, "method": 6},  # to the byte: what a network is given
    ".jpg": {"format": "JPEG", "quality": 92},
}


def stored(picture: Image.Image, path: Path) -> Image.Image:
    """Write a picture as the page loads it, and give it back as it will be seen there."""
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as file:
        picture.save(file, **FORMS[path.suffix])
    with Image.open(path) as back:
        return back.convert("RGB")


def shaken(
    photo: Image.Image, camera: Camera, kernel: Tensor, number: int
) -> tuple[Image.Image, Image.Image]:
    """A photograph blurred by a kernel, and what of it is left sharp: the border is lost to the blur."""
    sharp, margin = bytes_of(photo), camera.size // 2
    blurred = camera.degrade(
        from_bytes(sharp[None]), kernel, generator(0, "noise of the page's samples", number)
    )
    inner = sharp[:, margin:-margin, margin:-margin]
    return picture(to_bytes(blurred)[0]), picture(inner)


def restored(network: nn.Module, given: Image.Image) -> Image.Image:
    """What the package makes of a picture."""
    return Image.fromarray(restore_photo(network, Photo(np.asarray(given), None, False, {})))
