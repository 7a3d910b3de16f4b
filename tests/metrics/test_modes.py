"""Guards the count of modes and the histogram distance at their extremes and in between."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.data.toy import GaussianRing
from companion.metrics import mode_report, total_variation

RING = GaussianRing(batch=8000)


def test_the_data_itself_covers_every_mode():
    """In two dimensions 1.1 % lie beyond three deviations."""
    report = mode_report(RING[0], RING)
    assert report.covered == report.modes == 8
    assert report.high_quality == pytest.approx(1 - 0.0111, abs=0.005)
    assert report.histogram_distance < 0.03


def test_full_collapse_covers_one_mode():
    report = mode_report(RING.centres[2].expand(100, 2), RING)
    assert (report.covered, report.high_quality) == (1, 1.0)
    assert report.histogram_distance == pytest.approx(7 / 8)


def test_samples_far_from_every_mode_cover_none():
    """At the middle of the ring: out of reach, though still nearest to something."""
    report = mode_report(torch.randn(100, 2) * 0.01, RING)
    assert (report.covered, report.high_quality) == (0, 0.0)


@pytest.mark.parametrize("collapsed", [1, 2, 4, 8])
def test_collapse_onto_some_modes_is_counted_and_measured(collapsed):
    samples = RING.centres[:collapsed].repeat(100, 1)
    report = mode_report(samples, RING)
    assert report.covered == collapsed
    assert report.histogram_distance == pytest.approx(1 - collapsed / 8, abs=1e-6)


def test_a_sample_is_within_reach_up_to_three_deviations():
    centre = RING.centres[:1]
    for far, share in [(2.99, 1.0), (3.01, 0.0)]:
        assert mode_report(centre + torch.tensor([far * RING.deviation, 0]), RING).high_quality == share


def test_a_stray_sample_does_not_count_as_a_mode_covered():
    """A mode needs a twentieth of its fair share: of 8,000 samples 50, not one."""
    most = RING.centres[0].expand(8000, 2)
    for strays, covered in [(1, 1), (49, 1), (51, 2)]:
        samples = torch.cat([most[strays:], RING.centres[1].expand(strays, 2)])
        assert mode_report(samples, RING).covered == covered


def test_the_report_reads_as_a_sentence():
    assert (
        str(mode_report(RING.centres, RING))
        == "8 of 8 modes, 100% of samples on a mode, histogram distance 0.00"
    )


histograms = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda v: torch.tensor(v) / sum(v))


@given(p=histograms, q=histograms, r=histograms)
def test_total_variation_is_a_distance_between_zero_and_one(p, q, r):
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == pytest.approx(total_variation(q, p))
    assert total_variation(p, q) == pytest.approx(float((p - q).clamp(min=0).sum()), abs=1e-6)
    assert total_variation(p, r) <= total_variation(p, q) + total_variation(q, r) + 1e-6
    assert 0 <= total_variation(p, q) <= 1


def test_total_variation_of_disjoint_histograms_is_one():
    assert total_variation(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])) == 1
