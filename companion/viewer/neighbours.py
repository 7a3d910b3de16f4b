"""Which pictures of a set are most like a given one: by their pixels, or by what a network sees in them."""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.data.images import Images
from companion.errors import CompanionError

BATCH = 256  # of the pictures that features are computed of
AT_ONCE = 4096  # of the vectors that are compared

Features = Callable[[Tensor], Tensor]
"""From images `(N, C, H, W)` in [−1, 1] to features `(N, D)`; those of `companion.metrics` are such."""


def nearest(vectors: Tensor, row: int, count: int) -> tuple[Tensor, Tensor]:
    """The rows whose vectors lie nearest to one of them, itself left out, and how far away they lie.

    Args:
        vectors: `(N, D)`, of any type of number.
        row: Which is compared with all others, 0 … N − 1.
        count: How many are wanted; all others where there are fewer.

    Returns:
        Rows `(count,)`, the nearest first, and of equally near ones that of the smaller number; their Euclidean
        distances `(count,)`, float32.
    """
    own = vectors[row].float()
    parts = [(part.float() - own).square().sum(1) for part in torch.split(vectors, AT_ONCE)]
    away = torch.cat(parts).sqrt()
    away[row] = torch.inf
    distances, rows = away.sort(stable=True)
    count = min(count, len(vectors) - 1)
    return rows[:count], distances[:count]


class Neighbours:
    """The nearest pictures of a set; features are computed when they are first needed, and once.

    Args:
        images: The set.
        features: What is compared; without it the pixels are, in [−1, 1].
    """

    def __init__(self, images: Images, features: Features | None = None) -> None:
        self.images, self.features = images, features
        self._vectors: Tensor | None = None

    def of(
        self, row: int, count: int, progress: Callable[[int], None] = lambda done: None
    ) -> tuple[Tensor, Tensor]:
        """The nearest pictures and their distances, as `nearest` gives them.

        Args:
            row: Of whom.
            count: How many.
            progress: Called with how many pictures have features by now, while they are computed.

        Raises:
            CompanionError: The features are no table of finite numbers with a row for each picture.
        """
        if self.features is None:
            rows, distances = nearest(self.images.pixels.flatten(1), row, count)
            return rows, distances / 127.5  # bytes that differ by so much differ by 1 as images
        if self._vectors is None:
            self._vectors = self._computed(self.features, progress)
        return nearest(self._vectors, row, count)

    @torch.no_grad()
    def _computed(self, features: Features, progress: Callable[[int], None]) -> Tensor:
        parts: list[Tensor] = []
        for start in range(0, len(self.images), BATCH):
            batch = self.images[start : start + BATCH]
            found = torch.as_tensor(features(batch)).detach().cpu().float()
            if found.dim() != 2 or len(found) != len(batch) or not bool(found.isfinite().all()):
                raise CompanionError(
                    f"The features of {len(batch)} pictures have the shape {tuple(found.shape)}, or hold what is no "
                    "number; give a function that makes a row of finite numbers of each picture."
                )
            parts.append(found)
            progress(start + len(batch))
        return torch.cat(parts)
