"""Guards what the long runs say of their uncertainty."""

import pytest
import torch
from scipy.stats import ttest_1samp

from companion.reproduce.statistics import (
    bootstrap,
    mean_with_interval,
    over_few,
    over_pairs,
    two_way,
    with_interval,
)


def test_a_table_owes_its_variance_to_what_made_it():
    """Rows alone, both alone together (nothing left for the pair), or the pair alone."""
    noise = torch.randn(3, 3, 6, generator=torch.Generator().manual_seed(0)) * 0.01
    rows = torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    pair = torch.eye(3)[:, :, None] - 1 / 3
    for made, source in (
        (rows, "objective"),
        (rows.transpose(0, 1), "balance"),
        (pair, "objective × balance"),
    ):
        shares = {part.source: part for part in two_way((made + noise).tolist(), "objective", "balance")}
        assert shares[source].share > 0.99
        assert shares[source].p_value < 1e-10
        assert sum(part.share for part in shares.values()) == pytest.approx(1)
        assert shares["seeds"].p_value is None


def test_noise_alone_is_owed_to_the_seeds():
    noise = torch.randn(3, 3, 40, generator=torch.Generator().manual_seed(0))
    shares = {part.source: part for part in two_way(noise.tolist(), "rows", "columns")}
    assert shares["seeds"].share > 0.9
    assert all(part.p_value > 0.01 for part in shares.values() if part.p_value is not None)


def test_an_interval_holds_the_mean_and_shrinks_with_n():
    """About ±2σ/√n; and a measurement says its own."""
    numbers = torch.randn(400, generator=torch.Generator().manual_seed(0)).tolist()
    few, many = bootstrap([numbers[:25]]), bootstrap([numbers])
    assert few[1] - few[0] == pytest.approx(4 / 5, rel=0.4)
    assert many[1] - many[0] == pytest.approx(4 / 20, rel=0.3)
    assert bootstrap([[1.0, 1.0], [3.0, 3.0]]) == (2, 2)
    assert with_interval("gain", 2.0, (1.5, 2.5), "34 photographs").interval == (1.5, 2.5)


def test_a_mean_stands_with_the_interval_of_its_numbers():
    values = [1.0, 2.0, 3.0, 6.0]
    found = mean_with_interval("size", values, "four")
    assert (found.name, found.value, found.protocol) == ("size", 3.0, "four")
    assert found.interval == bootstrap([values])
    assert found.interval[0] < 3.0 < found.interval[1]


def test_a_few_numbers_have_students_interval():
    """As SciPy's test of one sample gives it; a bootstrap of three would hold the truth far too seldom."""
    values = [1.0, 1.5, 2.75]
    found = over_few("gap", values, "three seeds")
    wanted = ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.interval == pytest.approx((wanted.low, wanted.high))
    assert (found.value, found.n) == (1.75, 3)
    assert over_few("gap", [2.0], "one seed").interval is None
    low, high = mean_with_interval("gap", values, "three seeds").interval
    assert found.interval[0] < low < high < found.interval[1]


def test_pairs_are_compared_seed_by_seed_and_the_one_comes_first():
    own, others = [3.0, 5.0, 4.0], [1.0, 2.0, 3.0]
    found = over_pairs("more", own, others, "one, minus another; ")
    assert found.value == pytest.approx(2.0)
    assert found.protocol == "one, minus another; 3 seeds, paired"
    assert found.interval == over_few("more", [2.0, 3.0, 1.0], "").interval
    with pytest.raises(ValueError, match="shorter"):
        over_pairs("more", own, others[:2])
