"""The earth mover's distance, exactly: on a line, where that is easy, and between samples of one size (chapter 3)."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from companion.errors import CompanionError


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


def cheapest_plan(first: Tensor, second: Tensor) -> Tensor:
    """Which point of the second sample each point of the first goes to, under the plan whose mean way is shortest.

    Where all points weigh the same and there are as many of both, some best plan splits none of them (Birkhoff), so it
    is an assignment, which SciPy finds exactly; its time grows with the cube of N.

    Args:
        first: `(N, D)`.
        second: `(N, D)`.

    Returns:
        Numbers of points, `(N,)`: the mean of `‖first − second[plan]‖` is the Wasserstein-1 distance of the samples.

    Raises:
        CompanionError: The samples differ in size.
    """
    if len(first) != len(second):
        raise CompanionError(
            f"A plan that splits no point needs as many of both, not {len(first)} and {len(second)}; draw equally many."
        )
    _, plan = linear_sum_assignment(torch.cdist(first.cpu(), second.cpu()).numpy())
    return torch.from_numpy(plan).to(second.device)


def cost_of_plan(first: Tensor, second: Tensor, plan: Tensor) -> float:
    """The mean way under a plan; under the cheapest it is the Wasserstein-1 distance of the two samples."""
    return float(torch.linalg.vector_norm(first - second[plan], dim=1).mean())
