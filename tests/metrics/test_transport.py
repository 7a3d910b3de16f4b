"""Guards the earth mover's distance on a line, against SciPy and what is known in closed form."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from companion.metrics import earth_movers_distance

samples = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20)


@given(first=samples, second=samples)
def test_it_agrees_with_scipy_whatever_the_sizes_and_ties(first, second):
    found = earth_movers_distance(torch.tensor(first), torch.tensor(second))
    assert found == pytest.approx(wasserstein_distance(first, second), rel=1e-6, abs=1e-6)


@given(first=samples, shift=st.floats(-50, 50))
def test_a_shift_costs_its_length(first, shift):
    points = torch.tensor(first, dtype=torch.float64)
    assert earth_movers_distance(points, points + shift) == pytest.approx(abs(shift), abs=1e-6)


def test_of_equal_sizes_it_is_the_mean_gap_in_sorted_order():
    first, second = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    gaps = (first.sort().values - second.sort().values).abs()
    assert earth_movers_distance(first, second) == pytest.approx(gaps.double().mean().item(), rel=1e-5)
