"""Guards precision, recall, density and coverage: sets whose answer is known, and the papers' loops written out."""

import pytest
import torch

from companion.errors import CompanionError
from companion.metrics.manifolds import manifolds


def drawn(count: int, seed: int, dimension: int = 8) -> torch.Tensor:
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed)).double()


def test_the_same_distribution_is_precise_and_covered():
    found = manifolds(drawn(600, 0), drawn(600, 1))
    assert found.precision > 0.8
    assert found.recall > 0.8
    assert found.density == pytest.approx(1.0, abs=0.15)
    assert found.coverage > 0.9


def test_far_away_is_nothing():
    found = manifolds(drawn(100, 0), drawn(100, 1) + 100)
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_half_the_modes_are_precise_but_cover_half():
    two = torch.cat([drawn(200, 0), drawn(200, 1) + 50])
    found = manifolds(two, drawn(400, 2))
    assert found.precision > 0.8
    assert found.coverage == pytest.approx(0.5, abs=0.05)
    assert found.recall == pytest.approx(0.5, abs=0.1)


def test_an_outlier_fools_precision_and_not_density():
    """One real image far off has a ball that holds all the fakes about it (Naeem et al. 2020, figure 1)."""
    real = torch.cat([drawn(200, 0), torch.full((1, 8), 30.0).double()])
    fakes = drawn(200, 1) + 15
    found = manifolds(real, fakes)
    assert found.precision > 0.9
    assert found.density < 0.25


def test_it_is_the_papers_loops():
    real, fake, k = drawn(12, 3, 2), drawn(9, 4, 2), 3

    def radius(points, index):
        others = [float((points[index] - other).norm()) for j, other in enumerate(points) if j != index]
        return sorted(others)[k - 1]

    inside = [[float((x - y).norm()) <= radius(real, i) for y in fake] for i, x in enumerate(real)]
    other = [[float((x - y).norm()) <= radius(fake, j) for j, y in enumerate(fake)] for x in real]
    found = manifolds(real, fake, neighbours=k)
    assert found.precision == pytest.approx(sum(any(row[j] for row in inside) for j in range(9)) / 9)
    assert found.recall == pytest.approx(sum(any(row) for row in other) / 12)
    assert found.density == pytest.approx(sum(map(sum, inside)) / (k * 9))
    assert found.coverage == pytest.approx(sum(any(row) for row in inside) / 12)


def test_too_few_images_are_one_sentence():
    with pytest.raises(CompanionError, match="need more images than that, not 5 and 9"):
        manifolds(drawn(5, 0), drawn(9, 1))
