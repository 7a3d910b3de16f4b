"""What the minimax game measures: the optimal discriminator and the Jensen–Shannon divergence (chapter 1)."""

import math

import torch
from torch import Tensor


def optimal_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """`D*(x) = p(x) / (p(x) + q(x))` (Goodfellow et al. 2014, proposition 1).

    Args:
        real: Density p of the data at some points.
        fake: Density q of the generator at the same points; not both zero at one of them.
    """
    return real / (real + fake)


def jensen_shannon(real: Tensor, fake: Tensor, spacing: float) -> float:
    """Jensen–Shannon divergence in nats: 0 for equal densities, log 2 for densities that never meet.

    `½ KL(p ‖ m) + ½ KL(q ‖ m)` with `m = (p + q)/2`, integrated by the trapezoid rule.

    Args:
        real: Density p on an even grid on the line that holds practically all of its mass, `(N,)`.
        fake: Density q on the same grid.
        spacing: Distance between two points of the grid.
    """
    middle = (real + fake) / 2
    # xlogy makes 0·log 0 = 0, as the integral wants it
    integrand = torch.xlogy(real, real) + torch.xlogy(fake, fake) - 2 * torch.xlogy(middle, middle)
    return float(torch.trapezoid(integrand, dx=spacing)) / 2


def game_value(real: Tensor, fake: Tensor, spacing: float) -> float:
    """`V(D*, G) = −log 4 + 2 JSD(p, q)` (Goodfellow et al. 2014, theorem 1); arguments as `jensen_shannon`."""
    return -math.log(4) + 2 * jensen_shannon(real, fake, spacing)
