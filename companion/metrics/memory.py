"""Is a generator drawing, or remembering? Distances to the nearest training image, and what they are held against.

A distance alone says nothing: in pixels, a training digit moved by one pixel lies further from its original than many a
drawing does from its neighbour. So samples are compared with held-out images, which nobody can have remembered, in a
space where a moved copy stays near, and each measurement comes with controls whose answer is known (chapter 1).
"""

import torch
from scipy.stats import rankdata
from torch import Tensor

from companion.randomness import generator


def nearest(queries: Tensor, references: Tensor, excluded: Tensor | None = None) -> Tensor:
    """Euclidean distance of each of `(N, D)` to the nearest of `(M, D)`, shape `(N,)`.

    Args:
        queries: Features or flat images.
        references: Likewise.
        excluded: `(N, M)` bool, the pairs that do not count: a picture beside itself, say. None for all count.
    """
    found = []
    for start in range(0, len(queries), 500):
        rows = slice(start, start + 500)
        distances = torch.cdist(queries[rows].float(), references.float())
        if excluded is not None:
            distances = distances.masked_fill(excluded[rows], torch.inf)
        found.append(distances.amin(1))
    return torch.cat(found)


def nearer(suspects: Tensor, strangers: Tensor) -> float:
    """Probability that a suspect's distance is smaller than a stranger's, ties counting half.

    The statistic of Mann and Whitney, used for this purpose by Meehan et al. 2020 (section 4): ½ where the suspects
    lie as images do that nobody can have copied, 1 where all are copies, 0 where all lie far from everything.

    Args:
        suspects: Distances to the nearest training image, `(N,)`.
        strangers: Those of held-out images, `(M,)`.
    """
    ranks = rankdata(torch.cat([suspects, strangers]).numpy())
    first, second = len(suspects), len(strangers)
    beaten = ranks[:first].sum() - first * (first + 1) / 2
    return float(1 - beaten / (first * second))


def nearer_interval(suspects: Tensor, strangers: Tensor, *, draws: int = 200) -> tuple[float, float]:
    """The middle 95 % of `nearer` over bootstrap samples of both."""
    values = []
    for index in range(draws):
        draw = generator(0, "bootstrap", index)
        one, other = (
            part[torch.randint(len(part), (len(part),), generator=draw)] for part in (suspects, strangers)
        )
        values.append(nearer(one, other))
    low, high = torch.tensor(values).quantile(torch.tensor([0.025, 0.975])).tolist()
    return low, high
