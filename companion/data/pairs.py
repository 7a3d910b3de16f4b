"""Pairs of blurred and sharp patches, cut from photographs and blurred on the way (chapter 2)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.photos import Photos
from companion.data.scale import from_bytes
from companion.errors import CompanionError
from companion.randomness import generator


@dataclass
class BlurredPatches:
    """Endless batches of sharp patches with their blurred versions, a function of `(seed, index)`.

    In a batch, `input` is blurred and `target` sharp, both `(batch, 3, size, size)`. Each patch is cut at random from a
    random photograph, flipped half of the time, and blurred by a random kernel of the camera's family; the photograph's
    own pixels around the patch are blurred into it.
    """

    photos: Photos
    camera: Camera
    size: int
    batch: int
    seed: int = 0
    _kernels: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._kernels = self.camera.kernels()
        needed = self.size + self.camera.size - 1
        if any(min(photo.shape[1:]) < needed for photo in self.photos.pixels):
            raise CompanionError(
                f"Patches of {self.size} pixels blurred by kernels of {self.camera.size} need photographs of at least "
                f"{needed} pixels a side; load {self.photos.name} with least={needed}."
            )

    def __getitem__(self, index: int) -> Pair:
        """Batch number `index`."""
        draw = generator(self.seed, "patches", index)

        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=draw))

        margin = self.camera.size - 1
        cuts, kernels = [], []
        for _ in range(self.batch):
            photo = self.photos.pixels[self._photograph(index, draw)]
            top, left = (below(side - self.size - margin + 1) for side in photo.shape[1:])
            cut = photo[:, top : top + self.size + margin, left : left + self.size + margin]
            cuts.append(cut.flip(2) if below(2) else cut)
            kernels.append(self._kernels[below(len(self._kernels))])
        wide = from_bytes(torch.stack(cuts))
        return Pair(self.camera.degrade(wide, torch.stack(kernels), draw), _inner(wide, margin))

    def _photograph(self, index: int, draw: torch.Generator) -> int:
        """Which photograph a patch of batch `index` is cut from: any."""
        return int(torch.randint(len(self.photos), (), generator=draw))


def held_out(
    photos: Photos, camera: Camera, size: int, *, each: int = 1, seed: int = 0
) -> tuple[Pair, Tensor]:
    """Test patches: the middle of each photograph, once under each of `each` kernels.

    Returns:
        Pairs of N patches as `BlurredPatches` gives them, and the kernel of each, `(N, k, k)`. The n-th patch
        takes kernel n of the family, beginning again after the last; noise is a function of `(seed, n)`.
    """
    family, margin = camera.kernels(), camera.size - 1
    pairs, kernels = [], []
    for n in range(each * len(photos)):
        photo = photos.pixels[n // each]
        top, left = ((side - size - margin) // 2 for side in photo.shape[1:])
        wide = from_bytes(photo[None, :, top : top + size + margin, left : left + size + margin])
        kernel = family[n % len(family)]
        draw = generator(seed, "noise of held-out patches", n)
        pairs.append(Pair(camera.degrade(wide, kernel, draw), _inner(wide, margin)))
        kernels.append(kernel)
    return Pair.joined(pairs), torch.stack(kernels)


def _inner(wide: Tensor, margin: int) -> Tensor:
    before = margin // 2
    return wide[..., before : wide.shape[-2] - margin + before, before : wide.shape[-1] - margin + before]
