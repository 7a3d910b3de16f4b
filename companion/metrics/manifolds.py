"""Are samples like real images, and do they reach all of them? Precision, recall, density and coverage (chapter 6).

All four compare two sets of features by balls about points, each as large as the distance to the point's k-th nearest
neighbour in its own set.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.errors import CompanionError


@dataclass(frozen=True)
class Manifolds:
    """How two sets of features lie in each other."""

    precision: float  # share of fakes in some real image's ball (Kynkäänniemi et al. 2019, equation 3)
    recall: float  # share of real images in some fake's ball (equation 4)
    density: (
        float  # real balls about a fake, over k: not one outlier's large ball (Naeem et al. 2020, equation 3)
    )
    coverage: float  # share of real balls that hold a fake (Naeem et al. 2020, equation 4)


def manifolds(real: Tensor, fake: Tensor, *, neighbours: int = 5) -> Manifolds:
    """All four numbers for features `(N, D)` of real images and `(M, D)` of fakes.

    Precision, recall and coverage lie between 0 and 1; density is about 1 for fakes drawn as the real ones, and may be
    more.

    Raises:
        CompanionError: A set has no more points than there are neighbours.
    """
    if min(len(real), len(fake)) <= neighbours:
        raise CompanionError(
            f"Balls to the neighbour number {neighbours} need more images than that, not {len(real)} and {len(fake)}; "
            "give more images or ask for fewer neighbours."
        )
    real, fake = real.cpu().double(), fake.cpu().double()
    apart = torch.cdist(real, fake)  # (N, M)
    in_real = apart <= _radii(real, neighbours)[:, None]
    in_fake = apart <= _radii(fake, neighbours)[None]
    return Manifolds(
        precision=float(in_real.any(0).double().mean()),
        recall=float(in_fake.any(1).double().mean()),
        density=float(in_real.double().sum(0).mean()) / neighbours,
        coverage=float(in_real.any(1).double().mean()),
    )


def _radii(points: Tensor, neighbours: int) -> Tensor:
    """Each point's distance to its k-th nearest other point, `(N,)`."""
    return torch.cdist(points, points).kthvalue(neighbours + 1, dim=1).values  # the nearest of all is itself
