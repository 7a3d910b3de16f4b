"""Guards the autoencoder's objective: torch's own divergence and likelihood, SciPy's Sobel, and what sharpening is."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.distributions import Bernoulli as Coin
from torch.distributions import Normal, kl_divergence

from companion.models.vae import Coded
from companion.settings import SettingError
from companion.variational import (
    Bernoulli,
    Variational,
    bernoulli_likelihood,
    edge_gap,
    gaussian_divergence,
    risen,
    sharpened,
    sobel,
)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_divergence_is_torchs():
    mean, log_variance = drawn(5, 7).double(), drawn(5, 7, seed=1).double()
    ours = gaussian_divergence(mean, log_variance)
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(7), torch.ones(7)))
    torch.testing.assert_close(ours, theirs.sum(1).double())


def test_the_divergence_of_the_prior_is_zero_and_of_a_shifted_one_half_its_square():
    zero = torch.zeros(1, 3)
    assert gaussian_divergence(zero, zero).item() == 0
    assert gaussian_divergence(torch.tensor([[2.0, 0.0, 1.0]]), zero).item() == pytest.approx(2.5)
    assert gaussian_divergence(zero, zero + math.log(4)).item() == pytest.approx(3 * (1.5 - math.log(2)))


def test_sobel_is_scipys_over_eight():
    images = pictures(2, 3, 9, 11).double()
    found = sobel(images)
    assert found.shape == (2, 6, 9, 11)
    for axis, part in ((-1, found[:, :3]), (-2, found[:, 3:])):
        wanted = np.array(
            [[ndimage.sobel(c, axis=axis, mode="nearest") / 8 for c in one] for one in images.numpy()]
        )
        torch.testing.assert_close(part, torch.from_numpy(wanted))


def test_sobel_of_a_ramp_is_its_slope():
    down, across = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    slopes = sobel((0.25 * across - 0.5 * down)[None, None])
    assert slopes[0, 0, 1:-1, 1:-1].unique().tolist() == [0.25]
    assert slopes[0, 1, 1:-1, 1:-1].unique().tolist() == [-0.5]


def test_the_gap_between_edges_forgets_brightness_and_counts_a_step():
    """A picture that is brighter all over has the same edges; a black one lacks a step's: 1 over its two columns."""
    images = pictures(3, 1, 8, 8) / 2
    torch.testing.assert_close(edge_gap(images, images + 0.2), torch.zeros(3), atol=1e-4, rtol=0)
    step = torch.zeros(1, 1, 8, 8)
    step[..., 4:] = 1.0
    assert edge_gap(step, torch.zeros_like(step)).item() == pytest.approx(8 * 2 * 0.5)


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_the_sharpened_targets_gradient_is_the_squared_errors_times_one_more(strength):
    """Held constant and inside the image's range, T − R = (1 + δ)(I − R): a longer step in the same direction."""
    images, start = 0.2 * pictures(2, 3, 8, 8), 0.2 * pictures(2, 3, 8, 8, seed=1)
    plain, pushed = (start.clone().requires_grad_() for _ in range(2))
    (images - plain).square().sum().backward()
    (sharpened(images, pushed, strength) - pushed).square().sum().backward()
    torch.testing.assert_close(pushed.grad, (1 + strength) * plain.grad)


def test_a_target_beyond_white_is_cut_off_and_there_the_gradient_is_smaller():
    images, guess = torch.tensor([[[[0.9]]]]), torch.tensor([[[[0.5]]]], requires_grad=True)
    target = sharpened(images, guess, 1.0)
    assert target.item() == 1.0  # 0.9 + 0.4 would be 1.3
    assert not target.requires_grad
    (target - guess).square().sum().backward()
    assert guess.grad.item() == pytest.approx(-2 * 0.5)


def coding(images: torch.Tensor, latents: int = 4) -> Coded:
    return Coded(
        drawn(*images.shape, seed=2), drawn(len(images), latents), drawn(len(images), latents, seed=1)
    )


def test_the_objective_is_the_chapters_equation():
    """Sums over each image, means over the batch, weights included; written out here in a loop."""
    images, objective = pictures(3, 3, 8, 8), Variational(beta=0.5, sharpening=0.3, sobel=0.7)
    coded = coding(images)
    found = objective.losses(images, coded, step=0)
    back = coded.raw.tanh()
    squares, codes, edges = [], [], []
    for i, r, m, v in zip(images, back, coded.mean, coded.log_variance, strict=True):
        target = (i + 0.3 * (i - r)).clamp(-1, 1)
        squares.append(float((target - r).square().sum()))
        codes.append(float(-0.5 * (1 + v - m.square() - v.exp()).sum()))
        edges.append(float((sobel(i[None]) - sobel(r[None])).abs().sum()))
    assert found["reconstruction_loss"].item() == pytest.approx(sum(squares) / 3, rel=1e-5)
    assert found["divergence_loss"].item() == pytest.approx(0.5 * sum(codes) / 3, rel=1e-5)
    assert found["edge_loss"].item() == pytest.approx(0.7 * sum(edges) / 3, rel=1e-5)


def test_a_plain_autoencoder_has_two_terms():
    images = pictures(2, 1, 8, 8)
    assert set(Variational().losses(images, coding(images), 0)) == {"reconstruction_loss", "divergence_loss"}


def test_weights_rise_when_they_are_asked_to():
    assert [risen(step, 0, 0) for step in (0, 5)] == [1.0, 1.0]
    assert [risen(step, 10, 20) for step in (0, 10, 15, 30, 99)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    images = pictures(2, 1, 8, 8)
    coded = coding(images)
    full = Variational(beta=2.0, sobel=1.0).losses(images, coded, 0)
    rising = Variational(beta=2.0, sobel=1.0, warm_up=10, edges_from=4, edges_over=4)
    half = rising.losses(images, coded, 5)
    assert half["divergence_loss"].item() == pytest.approx(full["divergence_loss"].item() / 2)
    assert half["edge_loss"].item() == pytest.approx(full["edge_loss"].item() / 4)


def test_a_negative_weight_is_refused():
    with pytest.raises(SettingError, match="beta cannot be -1"):
        Variational(beta=-1.0)


def test_the_likelihood_of_black_and_white_images_is_torchs():
    """The odds that tanh hides: (1 + tanh a) / 2 is the probability of white."""
    raw = drawn(4, 1, 6, 6).double()
    images = (drawn(4, 1, 6, 6, seed=1) > 0).double() * 2 - 1
    coin = Coin(probs=(1 + raw.tanh()) / 2)
    theirs = coin.log_prob((images + 1) / 2).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_likelihood(images, raw), theirs)


def test_a_pixel_that_is_surely_wrong_still_has_a_gradient():
    raw = torch.full((1, 1, 1, 1), 40.0, requires_grad=True)  # its tanh is 1 to the last bit
    (-bernoulli_likelihood(torch.full((1, 1, 1, 1), -1.0), raw)).sum().backward()
    assert raw.grad.item() == pytest.approx(2.0)


def test_the_bernoulli_objective_is_the_lower_bound():
    images = (drawn(3, 1, 6, 6) > 0).float() * 2 - 1
    coded = coding(images)
    found = Bernoulli().losses(images, coded, 0)
    bound = bernoulli_likelihood(images, coded.raw) - gaussian_divergence(coded.mean, coded.log_variance)
    assert sum(value.item() for value in found.values()) == pytest.approx(-bound.mean().item())
