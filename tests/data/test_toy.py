"""Guards the ring of Gaussians: where its modes are, how wide, and that its density is the one it draws from."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.data.toy import GaussianRing


@given(modes=st.integers(1, 20), radius=st.floats(0.1, 10))
def test_centres_are_evenly_spaced_on_the_circle(modes, radius):
    centres = GaussianRing(modes=modes, radius=radius).centres
    torch.testing.assert_close(centres.norm(dim=1), torch.full((modes,), radius))
    if modes > 1:
        assert centres.mean(0).abs().max() < 1e-4 * radius
        gaps = (centres - centres.roll(1, 0)).norm(dim=1)
        torch.testing.assert_close(gaps, gaps[:1].expand(modes), rtol=1e-3, atol=1e-4)


def test_samples_spread_evenly_over_the_modes_with_the_stated_deviation():
    ring = GaussianRing(batch=16000)
    points = ring[0]
    distance, nearest = torch.cdist(points, ring.centres).min(1)
    assert torch.bincount(nearest, minlength=8).tolist() == pytest.approx([2000] * 8, rel=0.1)
    assert distance.square().mean().item() == pytest.approx(2 * ring.deviation**2, rel=0.05)


def test_a_batch_is_a_function_of_seed_and_index():
    ring = GaussianRing(batch=4)
    assert torch.equal(ring[3], GaussianRing(batch=4)[3])
    assert not torch.equal(ring[3], ring[4])
    assert not torch.equal(ring[3], GaussianRing(batch=4, seed=1)[3])
    assert ring[0].shape == (4, 2)


def test_density_integrates_to_one_and_peaks_at_the_modes():
    """By a sum over a fine grid; at a centre, alone of eight, it is 1/8 · 1/(2πσ²)."""
    ring = GaussianRing(deviation=0.2)
    axis = torch.linspace(-4, 4, 401)
    points = torch.cartesian_prod(axis, axis)
    assert ring.density(points).sum().item() * 0.02**2 == pytest.approx(1, abs=1e-3)
    assert ring.density(ring.centres).tolist() == pytest.approx([1 / (8 * 2 * torch.pi * 0.04)] * 8, rel=1e-3)
