"""Is a generator drawing, or remembering? How much nearer a sample is to one training picture than to all others.

A distance to the nearest training picture says little: in pixels, a training digit moved by one pixel lies further from
its original than many a drawing does, and a smooth grey lies near everything. Two things mend that. A picture is first
moved to where it fits best. And its nearest distance is divided by that to the next nearest: what was copied, however
badly, has one original; what was not has several neighbours about as near. Held-out pictures say how near (chapter 1).
"""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import affine_grid, grid_sample, max_pool2d, pad

from companion.randomness import generator


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images `(N, C, H, W)` in [−1, 1] moved by whole pixels; what comes in is −1, black or clear."""
    return pad(images, (right, -right, down, -down), value=-1.0)


def warped(images: Tensor, matrix: Sequence[Sequence[float]]) -> Tensor:
    """Images turned, sheared or scaled about their middle; what comes in is −1.

    Args:
        images: `(N, C, H, W)` in [−1, 1].
        matrix: Two by two; takes the place (right, down) of a pixel of the result to the place it is fetched from.
    """
    fetch = torch.tensor([[*row, 0.0] for row in matrix]).expand(len(images), 2, 3)
    grid = affine_grid(fetch, list(images.shape), align_corners=False)
    return grid_sample(images + 1, grid, align_corners=False) - 1


def thicker(images: Tensor) -> Tensor:
    """Images `(N, C, H, W)` with every bright place grown by one pixel all round."""
    return max_pool2d(images, 3, stride=1, padding=1)


def thinner(images: Tensor) -> Tensor:
    """Images `(N, C, H, W)` with every bright place shrunk by one pixel all round."""
    return -max_pool2d(-images, 3, stride=1, padding=1)


def two_nearest(
    images: Tensor,
    references: Tensor,
    groups: Tensor,
    *,
    own: Tensor | None = None,
    reach: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Distances to the nearest reference, and to the nearest one of another group, each image moved to fit best.

    Args:
        images: `(N, C, H, W)` in [−1, 1].
        references: `(M, C, H, W)`.
        groups: Which references are versions of one picture, `(M,)`; all different where each stands for itself.
        own: Groups that do not count, one for each image, `(N,)`: its own, where it is a reference itself.
        reach: Moves of up to so many pixels each way are tried; a border as wide is left out of the comparison.

    Returns:
        Both distances, Euclidean over pixels and channels, and the positions of the nearest references, each `(N,)`.
    """
    height, width = references.shape[-2:]
    flat = references[..., reach : height - reach, reach : width - reach].flatten(1)
    offsets = range(2 * reach + 1)
    first, second, where = [], [], []
    for start in range(0, len(images), 200):
        part = images[start : start + 200]
        distances = torch.full((len(part), len(flat)), torch.inf)
        for top, left in product(offsets, offsets):
            cut = part[..., top : top + height - 2 * reach, left : left + width - 2 * reach]
            distances = torch.minimum(distances, torch.cdist(cut.flatten(1), flat))
        if own is not None:
            distances[own[start : start + 200, None] == groups] = torch.inf
        nearest = distances.min(1)
        distances[groups[nearest.indices][:, None] == groups] = torch.inf
        first.append(nearest.values)
        second.append(distances.amin(1))
        where.append(nearest.indices)
    return torch.cat(first), torch.cat(second), torch.cat(where)


def between(images: Tensor, references: Tensor, groups: Tensor, *, own: Tensor | None = None) -> Tensor:
    """How far each image lies from the line between its two nearest references, as a part of how far the nearer is.

    0 for a blend of the two, 1 for an image beyond an end of the line. The arguments are those of `two_nearest`.

    Returns:
        Shares in [0, 1], `(N,)`.
    """
    flat = references.flatten(1)
    distances = torch.cdist(images.flatten(1), flat)
    if own is not None:
        distances[own[:, None] == groups] = torch.inf
    near = distances.min(1)
    distances[groups[near.indices][:, None] == groups] = torch.inf
    start, way = flat[near.indices], flat[distances.argmin(1)] - flat[near.indices]
    from_start = images.flatten(1) - start
    along = ((from_start * way).sum(1) / way.square().sum(1)).clamp(0, 1)
    beside: Tensor = vector_norm(from_start - along[:, None] * way, dim=1)
    return beside / near.values


def smaller(suspects: Tensor, strangers: Tensor) -> float:
    """Probability that one of `(N,)` numbers is smaller than one of `(M,)`, ties counting half.

    The statistic of Mann and Whitney, which Meehan et al. 2020 (section 4) use on distances to find copies: ½ where the
    suspects lie as pictures do that nobody can have copied, 1 where all are copies.
    """
    known = strangers.sort().values
    below, up_to = (torch.searchsorted(known, suspects, right=right).sum() for right in (False, True))
    return 1 - float(below + up_to) / 2 / (len(suspects) * len(strangers))


def smaller_interval(suspects: Tensor, strangers: Tensor, *, draws: int = 200) -> tuple[float, float]:
    """The middle 95 % of `smaller` over bootstrap samples of both."""
    values = []
    for index in range(draws):
        draw = generator(0, "bootstrap", index)
        one, other = (
            part[torch.randint(len(part), (len(part),), generator=draw)] for part in (suspects, strangers)
        )
        values.append(smaller(one, other))
    low, high = torch.tensor(values).quantile(torch.tensor([0.025, 0.975])).tolist()
    return low, high
