"""Guards the autoencoder: shapes at every size, the mean in eval mode, noise while learning, and what it refuses."""

import pytest
import torch

from companion.errors import CompanionError
from companion.models.vae import VAE, Coded, Decoder, VAEConfig


def network(**numbers: int) -> VAE:
    torch.manual_seed(0)
    return VAE(VAEConfig(**{"size": 32, "channels": 1, "latents": 5, "width": 4, **numbers}))


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_it_codes_and_decodes_images_of_every_size(size, channels, blocks):
    vae = network(size=size, channels=channels, blocks=blocks)
    coded = vae(torch.rand(2, channels, size, size) * 2 - 1)
    assert isinstance(coded, Coded)
    assert coded.images.shape == coded.raw.shape == (2, channels, size, size)
    assert coded.mean.shape == coded.log_variance.shape == (2, 5)
    assert coded.images.abs().max() <= 1


def test_in_eval_mode_the_mean_is_decoded_and_nothing_is_drawn():
    vae, images = network().eval(), torch.rand(3, 1, 32, 32)
    before = torch.get_rng_state()
    first, second = vae(images), vae(images)
    assert torch.equal(first.raw, second.raw)
    assert torch.equal(first.raw, vae.decoder.raw(first.mean))
    assert torch.equal(torch.get_rng_state(), before)


def test_while_learning_latents_lie_about_their_mean_as_wide_as_the_encoder_says():
    vae = network()
    mean, log_variance = torch.tensor([[1.0, -2.0]]).expand(20_000, -1), torch.tensor([[0.0, -4.0]])
    latents = vae.draw(mean, log_variance.expand(20_000, -1))
    torch.testing.assert_close(latents.mean(0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(latents.std(0), torch.tensor([1.0, 0.1353]), atol=0.03, rtol=0)


def test_a_gradient_reaches_mean_and_variance_through_the_drawn_latents():
    vae = network()
    coded = vae(torch.rand(2, 1, 32, 32))
    mean, log_variance = (part.detach().requires_grad_() for part in coded[1:])
    vae.draw(mean, log_variance).square().sum().backward()
    assert (mean.grad != 0).all()
    assert (log_variance.grad != 0).all()


def test_no_image_of_a_batch_sees_another():
    vae = network().eval()
    images = torch.rand(4, 1, 32, 32)
    torch.testing.assert_close(vae(images).raw[:1], vae(images[:1]).raw, atol=1e-5, rtol=0)


def test_an_untrained_residual_branch_adds_nothing():
    with_branches, without = network(blocks=2), network(blocks=0)
    matching = dict(without.named_parameters())
    assert sum(p.numel() for p in with_branches.parameters()) > sum(p.numel() for p in matching.values())
    images = torch.rand(2, 1, 32, 32)
    last = [block.second for block in with_branches.modules() if hasattr(block, "second")]
    assert last
    assert all((layer.weight == 0).all() for layer in last)
    assert with_branches.eval()(images).raw.isfinite().all()


def test_signals_neither_die_nor_explode_at_the_start():
    vae = network(size=64, channels=3, latents=64, width=24).eval()
    with torch.no_grad():
        raw = vae.decoder.raw(torch.randn(64, 64))
        mean, _ = vae.encoder(torch.rand(64, 3, 64, 64) * 2 - 1)
    assert 0.03 < raw.std() < 3
    assert 0.03 < mean.std() < 3


def test_a_decoder_keeps_its_raw_outputs_for_likelihoods():
    decoder, latents = network().decoder, torch.randn(2, 5)
    assert isinstance(decoder, Decoder)
    torch.testing.assert_close(decoder(latents), decoder.raw(latents).tanh())


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        ({"size": 48}, "power of two from 32 on, not 48; choose 32, 64 or 128"),
        ({"size": 16}, "not 16"),
        ({"channels": 4}, "1 \\(grey\\) or 3 \\(RGB\\) channels, not 4"),
        ({"latents": 0}, "latents cannot be 0"),
        ({"blocks": -1}, "blocks cannot be -1"),
        ({"blocks": 10**9}, "blocks cannot be 1000000000; choose 64 at most"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(numbers, complaint):
    with pytest.raises(CompanionError, match=complaint):
        VAEConfig(**numbers)
