"""Patches of photographs, each damaged in its own way, and test pictures under drawn damage (chapter 2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.anyblur import AnyBlur, Damage, degrade
from companion.data.batches import Pair
from companion.data.photos import Photos
from companion.data.scale import from_bytes
from companion.errors import CompanionError
from companion.randomness import generator


@dataclass(frozen=True)
class Damaged(Pair):
    """Damaged pictures, the sharp ones, and what was done to them."""

    kernels: Tensor  # (N, size, size)
    noise: Tensor  # (N,), on the scale [0, 1]


@dataclass(frozen=True)
class DamagedPatches:
    """Endless batches of patches, a function of `(seed, index)`.

    Each patch is cut at random from a random photograph, turned and flipped, and damaged in a way that no other is;
    the photograph's own pixels around it are blurred into it.
    """

    photos: Photos
    family: AnyBlur
    size: int
    batch: int
    seed: int = 0

    def __post_init__(self) -> None:
        if any(min(photo.shape[1:]) < self.needed for photo in self.photos.pixels):
            raise CompanionError(
                f"Patches of {self.size} pixels blurred by kernels of {self.family.size} need photographs of at least "
                f"{self.needed} pixels a side; load {self.photos.name} with least={self.needed}."
            )

    @property
    def needed(self) -> int:
        """The shortest side that a photograph needs."""
        return self.size + self.family.size - 1

    def __getitem__(self, index: int) -> Damaged:
        """Batch number `index`."""
        draw = generator(self.seed, "damaged patches", index)
        wide = from_bytes(torch.stack([self._cut(draw) for _ in range(self.batch)]))
        return damaged(wide, self.family.draw(self.batch, draw), draw)

    def _cut(self, draw: torch.Generator) -> Tensor:
        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=draw))

        photo = self.photos.pixels[below(len(self.photos))]
        top, left = (below(side - self.needed + 1) for side in photo.shape[1:])
        cut = photo[:, top : top + self.needed, left : left + self.needed]
        cut = cut.flip(2) if below(2) else cut
        return cut.transpose(1, 2) if below(2) else cut


def damaged(wide: Tensor, damage: Damage, random: torch.Generator) -> Damaged:
    """Pictures `(N, 3, H, W)` with their damaged versions, both cut to the part that the blur leaves valid."""
    half = damage.kernels.shape[-1] // 2
    target = wide[..., half : wide.shape[-2] - half, half : wide.shape[-1] - half]
    return Damaged(degrade(wide, damage, random), target, damage.kernels, damage.noise)
