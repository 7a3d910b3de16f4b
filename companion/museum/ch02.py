"""Chapter 2's exhibits: channels in the wrong order, and batches that were never shuffled."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from companion.data.pairs import BlurredPatches
from companion.environment import beside

__all__ = [
    "InOrder",
    "as_bgr",
    "gradients_agree",
]


def as_bgr(images: Tensor) -> Tensor:
    """Images `(N, 3, H, W)` as OpenCV reads them: blue first. Nothing complains, for the shapes are the same."""
    return images.flip(1)  # the bug: nobody flips them back


@dataclass
class InOrder(BlurredPatches):
    """Patches cut from one photograph after another, as they lie in the folder, instead of from random ones.

    Eight batches come from the first photograph, the next eight from the second, and so on: each lesson is about one
    subject, and the network forgets the last one over it.
    """

    def _photograph(self, index: int, generator: torch.Generator) -> int:
        return index // 8 % len(self.photos)  # the bug: the order of the folder


def gradients_agree(
    generator: nn.Module, batches: BlurredPatches, *, apart: int = 1, count: int = 32
) -> float:
    """Mean cosine between the gradients of two batches, of the mean absolute error.

    Shuffled batches agree equally well however far apart they are. In order, neighbours agree too well and distant ones
    hardly: first the same lesson many times, then another.

    Args:
        generator: Read, not changed.
        batches: Pairs by index.
        apart: How many batches lie between the two, plus one.
        count: How many batches are looked at, from the first on.
    """
    parameters = list(generator.parameters())
    slopes = []
    for index in range(count):
        pairs = batches[index]
        loss = (generator(beside(generator, pairs.input)) - beside(generator, pairs.target)).abs().mean()
        slope = torch.autograd.grad(loss, parameters)
        slopes.append(torch.cat([part.flatten() for part in slope]))  # in whatever memory layout
    cosines = [torch.cosine_similarity(a, b, dim=0) for a, b in zip(slopes, slopes[apart:], strict=False)]
    return float(torch.stack(cosines).mean())
