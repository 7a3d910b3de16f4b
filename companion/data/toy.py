"""Data in the plane, where everything about a GAN can be drawn (chapter 1)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.randomness import mixed_seed


@dataclass(frozen=True)
class GaussianRing:
    """A mixture of Gaussians with equal weights, evenly spaced on a circle; endless batches by index.

    The usual test bed for mode collapse (Metz et al. 2017 use eight modes, radius 2 and deviation 0.02; we widen the
    deviation to 0.05 so that a drawing shows a cloud rather than a dot).
    """

    batch: int = 256
    modes: int = 8
    radius: float = 2.0
    deviation: float = 0.05
    seed: int = 0

    @property
    def centres(self) -> Tensor:
        """The modes' means, `(modes, 2)`."""
        angles = torch.arange(self.modes) * (2 * math.pi / self.modes)
        return self.radius * torch.stack([angles.cos(), angles.sin()], dim=1)

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, `(batch, 2)`, a function of `(seed, index)`."""
        generator = torch.Generator().manual_seed(mixed_seed(self.seed, index))
        mode = torch.randint(self.modes, (self.batch,), generator=generator)
        return self.centres[mode] + self.deviation * torch.randn(self.batch, 2, generator=generator)

    def density(self, points: Tensor) -> Tensor:
        """The true probability density at `points` `(N, 2)`, shape `(N,)`."""
        squared = torch.cdist(points, self.centres.to(points)).square()
        variance = self.deviation**2
        return (squared / (-2 * variance)).exp().mean(1) / (2 * math.pi * variance)
