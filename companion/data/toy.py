"""Data in the plane, where everything about a GAN can be drawn (chapters 1, 3 and 4)."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from companion.randomness import generator


class Points(Protocol):
    """Endless batches of points, each a function of its number and the seed."""

    def __getitem__(self, index: int, /) -> Tensor:
        """Batch number `index`, `(batch, 2)`."""


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
        draw = generator(self.seed, "Gaussian ring", index)
        mode = torch.randint(self.modes, (self.batch,), generator=draw)
        return self.centres[mode] + self.deviation * torch.randn(self.batch, 2, generator=draw)

    def density(self, points: Tensor) -> Tensor:
        """The true probability density at `points` `(N, 2)`, shape `(N,)`."""
        squared = torch.cdist(points, self.centres.to(points)).square()
        variance = self.deviation**2
        return (squared / (-2 * variance)).exp().mean(1) / (2 * math.pi * variance)


@dataclass(frozen=True)
class VerticalLine:
    """Points spread evenly over the line from `(at, 0)` to `(at, 1)`; endless batches by index.

    Two such lines never meet, however close: example 1 of Arjovsky et al. 2017 (chapter 3).
    """

    at: float = 0.0
    batch: int = 256
    seed: int = 0

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, `(batch, 2)`, a function of `(seed, index)`."""
        draw = generator(self.seed, "vertical line", index)
        heights = torch.rand(self.batch, generator=draw)
        return torch.stack([torch.full_like(heights, self.at), heights], dim=1)


@dataclass(frozen=True)
class SwissRoll:
    """A spiral seen from its end, with a little noise; endless batches by index (chapter 4).

    As the code of Gulrajani et al. 2017 draws it: scikit-learn's `make_swiss_roll` with noise 0.25, first and third
    coordinate, divided by 7.5.
    """

    batch: int = 256
    deviation: float = 0.25 / 7.5
    seed: int = 0

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, `(batch, 2)`, a function of `(seed, index)`."""
        draw = generator(self.seed, "Swiss roll", index)
        angle = 1.5 * math.pi * (1 + 2 * torch.rand(self.batch, generator=draw))
        spiral = torch.stack([angle * angle.cos(), angle * angle.sin()], dim=1) / 7.5
        return spiral + self.deviation * torch.randn(self.batch, 2, generator=draw)


@dataclass(frozen=True)
class Noisy:
    """Another data set of the plane with noise added: a generator that stands still (chapter 4).

    Gulrajani et al. 2017 train critics to the end against it (section 3.1, unit noise). As in their code, batch n holds
    the data's batch n, each point displaced: so the line from a real point to its fake is short.
    """

    data: Points
    deviation: float = 1.0
    seed: int = 1

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, `(batch, 2)`."""
        points = self.data[index]
        draw = generator(self.seed, "noise on a cloud", index)
        return points + self.deviation * torch.randn(points.shape, generator=draw)
