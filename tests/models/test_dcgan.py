"""Guards DCGAN's shapes, ranges, first weights and the promises of its docstrings."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from companion.errors import CompanionError
from companion.models.dcgan import Critic, DCGANConfig, Generator


def hand_count(size: int, channels: int, latents: int, width: int) -> tuple[int, int]:
    """Parameters of generator and critic from the architecture: kernels 4×4, biases only without normalisation."""
    widths = [width]
    while len(widths) < size.bit_length() - 3:
        widths.append(2 * widths[-1])
    generator = latents * widths[-1] * 16 + 2 * widths[-1]
    critic = channels * widths[0] * 16 + widths[0]
    for small, large in pairwise(widths):
        generator += large * small * 16 + 2 * small
        critic += small * large * 16 + 2 * large
    return generator + widths[0] * channels * 16 + channels, critic + widths[-1] * 16 + 1


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_size_and_channel_count_gives_images_and_scores_of_the_right_shape(size, channels):
    """Images in [−1, 1], one finite score each, and as many parameters as the architecture says."""
    config = DCGANConfig(size=size, channels=channels, latents=5, width=2)
    generator, critic = Generator(config), Critic(config)
    images = generator(torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    scores = critic(images)
    assert scores.shape == (2,)
    assert scores.isfinite().all()
    counted = tuple(sum(p.numel() for p in model.parameters()) for model in (generator, critic))
    assert counted == hand_count(size, channels, 5, 2)


def test_one_image_is_scored_as_a_batch_of_one():
    """`flatten`, not `squeeze`: the shape stays (1,)."""
    critic = Critic(DCGANConfig(size=16, width=2)).eval()
    assert critic(torch.zeros(1, 1, 16, 16)).shape == (1,)


def test_generator_reaches_both_ends_of_the_range():
    """tanh, not a clamp or a sigmoid: strong last weights give pixels near −1 and near 1."""
    generator = Generator(DCGANConfig(size=16, width=4))
    with torch.no_grad():
        generator.layers[-2].weight.mul_(1000)
    images = generator(torch.randn(8, 64))
    assert images.min() < -0.99
    assert images.max() > 0.99


def test_scores_are_unbounded():
    """No saturating head: scaling the last layer scales the scores, beyond any sigmoid or tanh."""
    critic = Critic(DCGANConfig(size=16, width=4)).eval()
    images = torch.randn(6, 1, 16, 16)
    before = critic(images)
    with torch.no_grad():
        critic.layers[-1].weight.mul_(1e6)
    torch.testing.assert_close(critic(images), 1e6 * before, rtol=1e-4, atol=1e-2)
    assert critic(images).abs().max() > 1


def test_first_weights_follow_the_paper():
    """Convolutions N(0, 0.02²), scales of batch normalisation N(1, 0.02²), biases zero."""
    torch.manual_seed(0)
    config = DCGANConfig(size=64, channels=3, width=32)
    for model in (Generator(config), Critic(config)):
        for layer in model.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                count = layer.weight.numel()
                assert layer.weight.mean().abs() < 5 * 0.02 / count**0.5
                assert layer.weight.std().item() == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)
            elif isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert 0.008 < layer.weight.std().item() < 0.04
            if getattr(layer, "bias", None) is not None:
                assert (layer.bias == 0).all()


def test_batch_normalisation_has_pytorchs_own_eps_and_momentum():
    """`BatchNorm2d(c, 0.8)`, copied through many repositories, sets eps to 0.8."""
    config = DCGANConfig()
    layers = [
        x for m in (Generator(config), Critic(config)) for x in m.modules() if isinstance(x, nn.BatchNorm2d)
    ]
    assert len(layers) == 3 + 2
    assert {(layer.eps, layer.momentum) for layer in layers} == {(1e-5, 0.1)}


def test_normalisation_sits_where_the_paper_puts_it():
    """None at the generator's output and none at the critic's input; every other convolution has one."""
    config = DCGANConfig(size=64)
    generator = [type(layer).__name__ for layer in Generator(config).layers]
    critic = [type(layer).__name__ for layer in Critic(config).layers]
    assert generator == ["ConvTranspose2d", "BatchNorm2d", "ReLU"] * 4 + ["ConvTranspose2d", "Tanh"]
    assert critic == ["Conv2d", "LeakyReLU"] + ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 3 + ["Conv2d"]
    assert {x.negative_slope for x in Critic(config).layers if isinstance(x, nn.LeakyReLU)} == {0.2}


def test_networks_without_normalisation_have_biases_instead():
    config = DCGANConfig(size=32, width=2)
    for model in (Generator(config, norm=None), Critic(config, norm=None)):
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
        convolutions = [x for x in model.modules() if isinstance(x, (nn.Conv2d, nn.ConvTranspose2d))]
        assert all(layer.bias is not None for layer in convolutions)


def test_other_normalisations_can_be_given():
    critic = Critic(DCGANConfig(size=32, width=4), norm=lambda channels: nn.GroupNorm(1, channels))
    assert sum(isinstance(layer, nn.GroupNorm) for layer in critic.modules()) == 2
    assert critic(torch.zeros(3, 1, 32, 32)).shape == (3,)


@pytest.mark.parametrize("size", [16, 64])
def test_every_interior_pixel_is_reached_equally_often(size):
    """With all weights one and no normalisation, the interior of the output is flat: no checkerboard is built in."""
    generator = Generator(DCGANConfig(size=size, latents=1, width=1), norm=None)
    for layer in generator.layers:
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.ones_(layer.weight)
            overlap = layer(torch.ones(1, layer.in_channels, 8, 8))[0, 0]
            interior = overlap[4:-4, 4:-4]
            assert (interior == interior[0, 0]).all()


def test_critic_sees_every_pixel():
    """Each input pixel has a gradient: no stride jumps over any."""
    torch.manual_seed(0)
    images = torch.randn(1, 3, 32, 32, requires_grad=True)
    Critic(DCGANConfig(size=32, channels=3, width=4), norm=None)(images).sum().backward()
    assert (images.grad != 0).all()


@pytest.mark.parametrize("size", [37, 8, 0, -16, 24, 1])
def test_impossible_size_is_refused_in_one_sentence_that_names_it(size):
    with pytest.raises(CompanionError, match=rf"not {size}; choose 16, 32"):
        DCGANConfig(size=size)


@pytest.mark.parametrize("channels", [0, 2, 5, -1])
def test_impossible_channel_count_is_refused(channels):
    with pytest.raises(CompanionError, match=f"not {channels};"):
        DCGANConfig(channels=channels)


@pytest.mark.parametrize("numbers", [{"latents": 0}, {"width": 0}, {"width": -3}])
def test_networks_without_latents_or_channels_are_refused(numbers):
    with pytest.raises(CompanionError, match="positive"):
        DCGANConfig(**numbers)
