"""The earth mover's distance, exactly, where that is easy: on a line (chapter 3)."""

import torch
from torch import Tensor


def earth_movers_distance(first: Tensor, second: Tensor) -> float:
    """Wasserstein-1 distance between two samples on the line, each point of a sample weighing the same.

    `∫ |F_p(x) − F_q(x)| dx`, the area between both cumulative distribution functions, two stairs (Vallender 1974).
    For samples of equal size it is also the mean of `|aᵢ − bᵢ|` over both in sorted order: on a line nobody carries
    earth past anybody else.

    Args:
        first: `(N,)`.
        second: `(M,)`.
    """
    # some devices have no float64
    first, second = first.cpu().double().sort().values, second.cpu().double().sort().values
    places = torch.cat([first, second]).sort().values
    # how much of each sample lies at or below the left end of every gap between two places
    below_first = torch.searchsorted(first, places[:-1], right=True).double() / len(first)
    below_second = torch.searchsorted(second, places[:-1], right=True).double() / len(second)
    return float(((below_first - below_second).abs() * places.diff()).sum())
