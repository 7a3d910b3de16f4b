"""Guards chapter 6's exhibits: each is wrong in the way the chapter says, and the right code is not."""

import pytest
import torch

from companion import museum
from companion.models.vae import VAE, Coded, VAEConfig
from companion.variational import Variational

CONFIG = VAEConfig(size=32, channels=1, latents=4, width=4)


def network(kind: type[VAE] = VAE) -> VAE:
    torch.manual_seed(0)
    return kind(CONFIG)


def coding(scale: float = 1.0) -> tuple[torch.Tensor, Coded]:
    torch.manual_seed(1)
    raw = (scale * torch.randn(3, 1, 32, 32)).requires_grad_()
    return torch.rand(3, 1, 32, 32) * 2 - 1, Coded(raw, torch.randn(3, 4), torch.randn(3, 4))


def test_a_mean_over_pixels_weighs_the_divergence_a_thousand_times_as_much():
    images, coded = coding()
    right, wrong = (kind().losses(images, coded, 0) for kind in (Variational, museum.MeanOverPixels))
    assert (right["reconstruction_loss"] / wrong["reconstruction_loss"]).item() == pytest.approx(
        1024, rel=1e-4
    )
    assert torch.equal(right["divergence_loss"], wrong["divergence_loss"])


def test_what_is_cut_off_has_no_gradient_and_what_goes_through_tanh_has_one():
    images, coded = coding(scale=3.0)
    beyond = coded.raw.detach().abs() > 1
    for kind, dead in ((museum.ClippedImages, True), (Variational, False)):
        loss = kind().losses(images, coded, 0)["reconstruction_loss"]
        (slope,) = torch.autograd.grad(loss, coded.raw)
        assert bool((slope[beyond] == 0).all()) == dead


def test_the_logarithm_of_the_variance_is_no_deviation():
    mean, zero = torch.zeros(20_000, 4), torch.zeros(20_000, 4)
    assert torch.equal(network(museum.LogVarianceAsDeviation).draw(mean, zero), mean)  # no noise at all
    torch.testing.assert_close(network().draw(mean, zero).std(0), torch.ones(4), atol=0.03, rtol=0)


def test_no_gradient_comes_back_through_detached_noise():
    images = torch.rand(2, 1, 32, 32)
    for kind, learns in ((VAE, True), (museum.DetachedNoise, False)):
        vae = network(kind)
        vae(images).raw.square().sum().backward()
        reached = [weight.grad is not None for weight in vae.encoder.parameters()]
        assert all(reached) if learns else not any(reached)


def test_noise_in_eval_mode_never_gives_the_same_picture_twice():
    images = torch.rand(2, 1, 32, 32)
    for kind, steady in ((VAE, True), (museum.NoisyEvaluation, False)):
        vae = network(kind).eval()
        assert torch.equal(vae(images).raw, vae(images).raw) == steady
