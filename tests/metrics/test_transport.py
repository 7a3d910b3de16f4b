"""Guards the earth mover's distance, against SciPy and what is known in closed form."""

from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from companion.errors import CompanionError
from companion.metrics import cheapest_plan, cost_of_plan, earth_movers_distance

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


@given(shift=st.tuples(*[st.floats(-3, 3, width=32)] * 3))
def test_the_cheapest_plan_finds_a_shift_again(shift):
    """A shift is a gradient of a convex function, so carrying every point along it is a best plan."""
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(2))
    moved = (points + torch.tensor(shift))[order]
    plan = cheapest_plan(points, moved)
    assert plan.sort().values.tolist() == list(range(40))
    expected = torch.tensor(shift).norm().item()
    assert cost_of_plan(points, moved, plan) == pytest.approx(expected, abs=1e-4)


def test_on_a_line_the_plan_costs_what_the_area_says():
    first, second = torch.randn(2, 100, 1, generator=torch.Generator().manual_seed(0))
    cost = cost_of_plan(first, second, cheapest_plan(first, second))
    assert cost == pytest.approx(earth_movers_distance(first[:, 0], second[:, 0]), rel=1e-5)


def test_no_other_plan_is_cheaper():
    first, second = torch.rand(2, 5, 2, generator=torch.Generator().manual_seed(0))
    best = cost_of_plan(first, second, cheapest_plan(first, second))
    costs = [cost_of_plan(first, second, torch.tensor(order)) for order in permutations(range(5))]
    assert min(costs) == pytest.approx(best, rel=1e-6)


def test_samples_of_two_sizes_have_no_such_plan():
    with pytest.raises(CompanionError, match="not 3 and 4"):
        cheapest_plan(torch.zeros(3, 2), torch.zeros(4, 2))
