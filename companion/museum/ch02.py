"""Chapter 2's exhibits: channels in the wrong order, and batches that were never shuffled."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from companion.data.photos import BlurredPatches, blurred, sharp


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


def gradients_agree(generator: nn.Module, batches: BlurredPatches, *, count: int = 16) -> float:
    """Mean cosine between the gradients of one batch and the next, of the mean absolute error.

    Near the value of batches drawn at random, each batch tells something new; above it, one says what the last said.

    Args:
        generator: Read, not changed.
        batches: `(N, 6, H, W)` pairs by index.
        count: How many batches, from the first on.
    """
    parameters = list(generator.parameters())
    slopes = []
    for index in range(count):
        pairs = batches[index]
        loss = (generator(blurred(pairs)) - sharp(pairs)).abs().mean()
        slope = torch.autograd.grad(loss, parameters)
        slopes.append(torch.cat([part.flatten() for part in slope]))  # in whatever memory layout
    cosines = [torch.cosine_similarity(one, other, dim=0) for one, other in pairwise(slopes)]
    return float(torch.stack(cosines).mean())
