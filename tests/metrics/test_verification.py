"""Guards the numbers by which verification is judged."""

import math

import pytest
import torch

from companion.errors import CompanionError
from companion.metrics.verification import recall_at_one, verification


def test_scores_that_never_overlap_are_perfect_and_reversed_ones_the_worst():
    perfect = verification(torch.tensor([0.8, 0.9]), torch.tensor([0.1, 0.2, 0.3]))
    assert (perfect.area, perfect.true_accepts, perfect.equal_error) == (1, 1, 0)
    assert verification(torch.tensor([0.1]), torch.tensor([0.8, 0.9])).area == 0


def test_two_shifted_normals_have_a_known_area_and_error():
    """For unit normals d apart the area is Φ(d/√2), the equal error Φ(−d/2), and TAR at FAR 1 % is Φ(d − Φ⁻¹(0.99))."""
    d, count = 2.0, 200_000
    generator = torch.Generator().manual_seed(0)
    same, different = (torch.randn(count, generator=generator) + shift for shift in (d, 0.0))
    found = verification(same, different)
    normal = torch.distributions.Normal(0.0, 1.0)
    assert found.area == pytest.approx(normal.cdf(torch.tensor(d / math.sqrt(2))).item(), abs=2e-3)
    assert found.equal_error == pytest.approx(normal.cdf(torch.tensor(-d / 2)).item(), abs=3e-3)
    at = torch.tensor(d) - normal.icdf(torch.tensor(0.99))
    assert found.true_accepts == pytest.approx(normal.cdf(at).item(), abs=6e-3)


def test_equal_scores_are_a_coin_toss():
    assert verification(torch.zeros(5), torch.zeros(7)).area == 0.5


@pytest.mark.parametrize(("same", "different"), [([], [1.0]), ([1.0], []), ([float("nan")], [1.0])])
def test_pairs_that_cannot_be_judged_are_refused(same, different):
    with pytest.raises(CompanionError, match="pairs|not finite"):
        verification(torch.tensor(same), torch.tensor(different))


def test_recall_counts_whose_nearest_is_themselves_whatever_the_lengths():
    gallery = torch.eye(3)
    queries = torch.tensor(
        [[5.0, 1.0, 0.0], [0.9, 1.0, 0.0], [0.0, 0.2, 0.1]]
    )  # the third is nearest the second
    assert recall_at_one(queries, gallery) == pytest.approx(2 / 3)
