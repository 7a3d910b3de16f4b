"""Image sets held in memory as bytes, and the endless shuffled batches drawn from them."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import InterpolationMode, pad, resize

from companion.data.catalogue import ImageSet, folder, named
from companion.data.folders import read_folder
from companion.data.scale import from_bytes
from companion.errors import CompanionError
from companion.files import shown
from companion.randomness import generator


@dataclass(frozen=True)
class Images:
    """Images of one size, kept as bytes; indexing gives floats in [−1, 1]."""

    name: str
    pixels: Tensor = field(repr=False)  # (N, C, H, W), uint8
    labels: Tensor | None = field(default=None, repr=False)  # (N,), int64, where the set has them
    skipped: tuple[str, ...] = ()  # files of a folder that could not be read
    files: tuple[str, ...] = field(default=(), repr=False)  # of a folder, the file of each image

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """The chosen images, `(N, C, H, W)`, float32 in [−1, 1], on the pixels' device."""
        return from_bytes(self.pixels[index])

    @cached_property
    def fingerprint(self) -> str:
        """A short checksum of all pixels: the same data gives the same one."""
        return fingerprint(self.pixels)


def fingerprint(pixels: Tensor) -> str:
    """A short checksum of bytes of any shape."""
    return hashlib.sha256(pixels.contiguous().numpy().tobytes()).hexdigest()[:16]


@dataclass
class Shuffled:
    """Endless batches of a set, a fresh seeded order each time round.

    `batches[i]` depends on `(seed, i)` alone, so a resumed run sees what the uninterrupted one would have seen. The
    few images left over at the end of a round are skipped in that round, not for ever: the next order differs.
    """

    images: Images
    size: int
    seed: int = 0
    _round: int = field(default=-1, repr=False)
    _order: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.size <= len(self.images):
            count = len(self.images)
            held = "1 image" if count == 1 else f"{count} images"
            raise CompanionError(
                f"A batch of {self.size} cannot be drawn from “{shown(self.images.name)}”, which holds {held}; choose "
                + ("a batch of 1." if count == 1 else f"a batch from 1 to {count}.")
            )

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, `(size, C, H, W)`, float32 in [−1, 1]."""
        return self.images[self.rows(index)]

    def rows(self, index: int) -> Tensor:
        """Which images batch number `index` holds, `(size,)`."""
        round_, position = divmod(index, len(self.images) // self.size)
        if round_ != self._round:
            draw = generator(self.seed, "order of the images", round_)
            self._round, self._order = round_, torch.randperm(len(self.images), generator=draw)
        return self._order[position * self.size : (position + 1) * self.size]


def load(source: str | Path, *, size: int = 32) -> Images:
    """Images from a named set or from any folder of pictures, square, `size` pixels a side.

    Args:
        source: A set of images in the catalogue (`companion.data.catalogue`), such as “digits” (scikit-learn's,
            embedded), “portraits” (drawn now, at this size) or “mnist-test”, or a folder.
        size: Side in pixels. MNIST's 28 pixels are padded to 32, its usual frame, before any other resizing.

    Raises:
        CompanionError: Unknown name, missing or empty folder, no readable picture, or no network for a named set.
    """
    if size < 1:
        raise CompanionError(f"Images cannot be {size} pixels wide; choose a positive size such as 32.")
    known = named(ImageSet)
    if str(source) in known:
        found, split = known[str(source)]
        pixels, labels = found.read(split, size)
        return Images(str(source), _squared(pixels, size), labels)
    place = folder(source, ImageSet)
    pixels, files, skipped = read_folder(place, size)
    return Images(place.resolve().name, pixels, skipped=skipped, files=files)


def _squared(pixels: Tensor, size: int) -> Tensor:
    if pixels.shape[-1] == 28 and size >= 32:
        pixels = pad(pixels, [2])
    if pixels.shape[-1] == size:
        return pixels
    resized: Tensor = resize(pixels, [size, size], InterpolationMode.BICUBIC, antialias=True)
    return resized
