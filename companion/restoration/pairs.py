"""Pairs of ruined and good pictures, cut from photographs that are ruined on the way (chapter 5)."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from companion.data.batches import Pair
from companion.data.crappify import Ruined
from companion.data.photos import Photos
from companion.data.scale import bytes_of, from_bytes
from companion.errors import CompanionError
from companion.randomness import generator


class Ruining(Protocol):
    """What is done to a picture: `Damage`, or colour taken away."""

    def ruin(self, picture: Image.Image, name: str, /) -> Ruined:
        """The picture of this name, ruined; of the same size."""


@dataclass
class RuinedPatches:
    """Endless batches of ruined patches with what they were, a function of `(seed, index)`.

    In a batch, `input` is ruined and `target` as it was, both `(batch, 3, size, size)`. Each time a photograph comes
    up it is ruined anew, as a whole, and then one patch is cut out of both, flipped half of the time.
    """

    photos: Photos
    damage: Ruining
    size: int
    batch: int
    seed: int = 0
    _pictures: list[Image.Image] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if any(min(photo.shape[1:]) < self.size for photo in self.photos.pixels):
            raise CompanionError(
                f"Patches of {self.size} pixels need photographs of at least as many a side; load {self.photos.name} "
                f"with least={self.size}."
            )
        self._pictures = [picture(photo) for photo in self.photos.pixels]

    def __getitem__(self, index: int) -> Pair:
        """Batch number `index`."""
        draw = generator(self.seed, "ruined patches", index)

        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=draw))

        ruined, good = [], []
        for place in range(self.batch):
            number = below(len(self._pictures))
            photo = self.photos.pixels[number]
            name = f"{self.photos.sources[number]}, seed {self.seed}, patch {index * self.batch + place}"
            other = bytes_of(self.damage.ruin(self._pictures[number], name).picture)
            top, left = (below(side - self.size + 1) for side in photo.shape[1:])
            window = slice(None), slice(top, top + self.size), slice(left, left + self.size)
            flip = [2] if below(2) else []
            ruined.append(other[window].flip(flip))
            good.append(photo[window].flip(flip))
        return Pair(from_bytes(torch.stack(ruined)), from_bytes(torch.stack(good)))


def picture(photo: Tensor) -> Image.Image:
    """A photograph `(3, H, W)` uint8 for Pillow."""
    return Image.fromarray(photo.permute(1, 2, 0).contiguous().numpy())


@dataclass(frozen=True)
class HeldOut:
    """Ruined pictures with their originals, and how each was ruined."""

    pairs: Pair  # `(N, 3, size, size)` each
    marks: Tensor  # (N, 1, size, size) bool: where it is written over
    shrinks: Tensor  # (N,)
    qualities: Tensor  # (N,)
    each: int  # how many belong to one photograph; they follow one another

    def __len__(self) -> int:
        return len(self.pairs)


def held_out(photos: Photos, damage: Ruining, size: int, *, each: int = 1) -> HeldOut:
    """The middle of each photograph, which is ruined `each` times; the n-th time it has the name “source, held out n”.

    As in training, the photograph is ruined as a whole: shrinking and JPEG leave other traces on a small cutting, and
    the writing on it is smaller.
    """
    ruined, good, marks, shrinks, qualities = [], [], [], [], []
    for source, photo in zip(photos.sources, photos.pixels, strict=True):
        top, left = ((side - size) // 2 for side in photo.shape[1:])
        middle = slice(None), slice(top, top + size), slice(left, left + size)
        for number in range(each):
            result = damage.ruin(picture(photo), f"{source}, held out {number}")
            ruined.append(from_bytes(bytes_of(result.picture)[middle]))
            good.append(from_bytes(photo[middle]))
            marks.append(bytes_of(result.mark.convert("RGB"))[middle][:1] > 0)
            shrinks.append(result.shrink)
            qualities.append(result.quality)
    pairs = Pair(torch.stack(ruined), torch.stack(good))
    return HeldOut(pairs, torch.stack(marks), torch.tensor(shrinks), torch.tensor(qualities), each)
