"""Guards the toy data: where the points lie, how wide they spread, and that the density is the one drawn from."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.data.toy import GaussianRing, Noisy, SwissRoll, VerticalLine


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


def test_points_of_a_vertical_line_share_their_place_and_spread_evenly_in_height():
    line = VerticalLine(at=0.3, batch=4000)
    points = line[2]
    assert (points[:, 0] == 0.3).all()
    heights = points[:, 1].sort().values
    assert (heights - torch.linspace(0, 1, 4000)).abs().max() < 0.04
    assert torch.equal(points, VerticalLine(at=0.3, batch=4000)[2])
    assert not torch.equal(line[1], line[2])


def test_the_swiss_roll_is_scikit_learns():
    """Without noise every point (r cos r, r sin r)/7.5 lies on the spiral of scikit-learn's function, and as evenly."""
    from sklearn.datasets import make_swiss_roll

    ours = SwissRoll(batch=4000, deviation=0.0)[0] * 7.5
    theirs = torch.tensor(make_swiss_roll(4000, random_state=0)[0][:, [0, 2]])
    radius = ours.norm(dim=1)
    torch.testing.assert_close(
        ours, radius[:, None] * torch.stack([radius.cos(), radius.sin()], dim=1), rtol=0, atol=1e-4
    )
    assert (radius.sort().values - theirs.norm(dim=1).sort().values).abs().max() < 0.5
    assert SwissRoll().deviation * 7.5 == pytest.approx(0.25)
    noise = SwissRoll(batch=4000)[0] * 7.5 - ours
    assert noise.std().item() == pytest.approx(0.25, rel=0.05)


def test_noise_displaces_each_point_of_the_datas_own_batch():
    ring = GaussianRing(batch=4000)
    noisy = Noisy(ring, deviation=0.7)
    assert (noisy[3] - ring[3]).std().item() == pytest.approx(0.7, rel=0.05)
    assert torch.equal(noisy[3], Noisy(ring, deviation=0.7)[3])
    assert not torch.equal(noisy[3] - ring[3], noisy[4] - ring[4])
