"""Mode collapse, measured: which modes the samples reach, and how evenly (chapter 1)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.toy import GaussianRing


@dataclass(frozen=True)
class ModeReport:
    """How samples spread over a ring of Gaussians, after Srivastava et al. 2017; the twentieth is ours."""

    covered: int  # modes with at least one sample in 20 of their fair share within reach
    modes: int
    high_quality: float  # share of samples within reach (three deviations) of some mode
    histogram_distance: float  # total variation between the shares of the modes and the uniform distribution

    def __str__(self) -> str:
        return (
            f"{self.covered} of {self.modes} modes, {self.high_quality:.0%} of samples on a mode, "
            f"histogram distance {self.histogram_distance:.2f}"
        )


def mode_report(samples: Tensor, ring: GaussianRing) -> ModeReport:
    """Count the modes of `ring` that `samples` `(N, 2)` reach.

    A sample is within reach of its nearest mode if it lies at most three deviations from the centre. Samples out of
    reach still count for the nearest mode in the histogram distance, so that this is 0 for perfect samples and
    `1 − 1/modes` if all fall to one mode.
    """
    distance, nearest = torch.cdist(samples, ring.centres.to(samples)).min(1)
    within = distance <= 3 * ring.deviation
    reached = torch.bincount(nearest[within], minlength=ring.modes)
    fair_share = len(samples) / ring.modes
    shares = torch.bincount(nearest, minlength=ring.modes) / len(samples)
    return ModeReport(
        covered=int((reached >= fair_share / 20).sum()),
        modes=ring.modes,
        high_quality=float(within.float().mean()),
        histogram_distance=total_variation(shares, torch.full_like(shares, 1 / ring.modes)),
    )


def total_variation(first: Tensor, second: Tensor) -> float:
    """`½ Σ |pᵢ − qᵢ|` of two histograms that each sum to one: 0 for equal ones, 1 for disjoint ones."""
    return float((first - second).abs().sum() / 2)
