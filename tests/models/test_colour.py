"""Guards the colour generator: shapes, range, its prior, and that resize-convolutions build no checkerboard in."""

import pytest
import torch
from torch import nn

from companion.errors import CompanionError
from companion.models.colour import ColourConfig, Generator
from companion.models.dcgan import Critic
from companion.models.store import load_model, save_model
from companion.objectives import WassersteinGP, mixes_batch


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_have_the_size_and_the_channels_asked_for_and_its_critic_scores_them(size, channels):
    config = ColourConfig(size=size, channels=channels, latents=5, width=2)
    generator, critic = Generator(config), Critic(config.critic, norm=None)
    images = generator(generator.draw_latents(3, torch.device("cpu")))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert critic(images).shape == (3,)
    assert not mixes_batch(critic)
    WassersteinGP().check(critic)  # which refuses batch normalisation


@pytest.mark.parametrize("wrong", [{"size": 48}, {"size": 8}, {"channels": 2}, {"width": 0}, {"latents": 0}])
def test_what_cannot_be_built_is_one_sentence(wrong):
    with pytest.raises(CompanionError, match="choose"):
        ColourConfig(**wrong)


def test_latents_are_uniform_on_the_unit_interval_or_standard_normal():
    """Mean ½ and variance 1/12 within [0, 1]; else mean 0 and variance 1."""
    cpu = torch.device("cpu")
    torch.manual_seed(0)
    uniform = Generator(ColourConfig(size=16, width=1)).draw_latents(2000, cpu)
    normal = Generator(ColourConfig(size=16, width=1, uniform=False)).draw_latents(2000, cpu)
    assert uniform.shape == normal.shape == (2000, 100)
    assert 0 <= uniform.min() < 0.001
    assert 0.999 < uniform.max() <= 1
    assert float(uniform.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(uniform.var()) == pytest.approx(1 / 12, abs=0.002)
    assert float(normal.mean()) == pytest.approx(0, abs=0.02)
    assert float(normal.var()) == pytest.approx(1, abs=0.02)


def test_the_mean_that_uniform_latents_share_does_not_reach_the_convolutions():
    """In training, adding the same number to all latents changes nothing: the first normalisation removes it."""
    generator = Generator(ColourConfig(size=16, width=4, latents=6)).train()
    latents = torch.rand(8, 6)
    torch.testing.assert_close(generator(latents + 3), generator(latents), atol=1e-4, rtol=0)


def test_every_pixel_is_reached_equally_often():
    """With equal weights a flat feature map stays flat inside the border: transposed kernels of 3 would not do that."""
    generator = Generator(ColourConfig(size=32, width=2))
    ones = torch.ones(1, 4, 8, 8)
    for layer in generator.layers:
        if isinstance(layer, nn.Conv2d):
            grown = nn.functional.conv2d(
                nn.functional.interpolate(ones, scale_factor=2), torch.ones(1, 4, 3, 3), padding=1
            )
            assert layer.kernel_size == (3, 3)
            assert grown[0, 0, 1:-1, 1:-1].unique().numel() == 1
    kinds = {type(layer) for layer in generator.layers}
    assert nn.Upsample in kinds
    assert nn.ConvTranspose2d not in kinds


def test_a_stored_generator_comes_back_with_its_prior(tmp_path):
    generator = Generator(ColourConfig(size=16, channels=4, width=2, uniform=False)).eval()
    save_model(tmp_path / "sprites.safetensors", generator)
    loaded = load_model(tmp_path / "sprites.safetensors")
    assert isinstance(loaded, Generator)
    assert loaded.config == generator.config
    latents = torch.randn(2, 100)
    assert torch.equal(loaded(latents), generator(latents))
