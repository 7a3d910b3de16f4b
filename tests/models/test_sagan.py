"""Guards SAGAN's networks: shapes, where attention and normalisation sit, what a class changes."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from companion.errors import CompanionError
from companion.layers import SelfAttention
from companion.models.attending import attention_of
from companion.models.sagan import Critic, Generator, SAGANConfig, Watched
from companion.models.store import load_model, save_model
from companion.objectives import mixes_batch

SMALL = SAGANConfig(size=16, channels=3, latents=5, width=8, attention=8)


@pytest.mark.parametrize("resize", [False, True])
@pytest.mark.parametrize(
    ("size", "channels", "attention"), [(16, 1, 8), (32, 3, 16), (64, 3, 32), (64, 1, 0)]
)
def test_every_size_and_channel_count_gives_images_and_scores(size, channels, attention, resize):
    config = SAGANConfig(size, channels, 5, 8, attention=attention, resize=resize)
    generator, critic = Generator(config), Critic(config)
    images = generator(torch.randn(2, 5))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert critic(images).shape == (2,)
    for network in (generator, critic):
        count = sum(isinstance(layer, SelfAttention) for layer in network.modules())
        assert count == (attention > 0)


def test_attention_stands_at_maps_of_the_side_asked_for():
    sides = []
    generator, critic = Generator(SMALL), Critic(SMALL)
    for network in (generator, critic):
        (layer,) = (layer for layer in network.modules() if isinstance(layer, SelfAttention))
        layer.register_forward_hook(lambda layer, given, maps: sides.append(maps.shape[-1]))
    critic(generator(torch.randn(2, 5)))
    assert sides == [8, 8]


def test_every_weight_of_both_networks_is_normalised_or_none():
    """The tables of scales and shifts are no layers and stay as they are."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    for spectral in (True, False):
        config = replace(SMALL, spectral=spectral, classes=2)
        for network in (Generator(config), Critic(config)):
            layers = [layer for layer in network.modules() if isinstance(layer, kinds)]
            assert len(layers) >= 4
            assert {is_parametrized(layer, "weight") for layer in layers} == {spectral}


def test_no_transposed_convolution_is_left_where_pixels_are_repeated():
    kinds = {type(layer) for layer in Generator(replace(SMALL, resize=True, spectral=False)).modules()}
    assert nn.Upsample in kinds
    assert nn.ConvTranspose2d not in kinds


def test_the_critic_scores_each_image_by_itself():
    critic, images = Critic(SMALL).eval(), torch.randn(3, 3, 16, 16)
    assert not mixes_batch(critic)
    torch.testing.assert_close(critic(images)[1:2], critic(images[1:2]))


def test_a_class_adds_its_inner_product_with_the_summed_maps():
    """Miyato & Koyama 2018, equation 5: the score is ψ(φ(x)) + yᵀVφ(x)."""
    critic, images = Critic(replace(SMALL, classes=3, spectral=False)).eval(), torch.randn(2, 3, 16, 16)
    maps = []
    critic.head.register_forward_pre_hook(lambda layer, given: maps.append(given[0]))
    none, second = torch.zeros(2, 3), torch.eye(3)[[1, 1]]
    apart = critic(images, second) - critic(images, none)
    torch.testing.assert_close(apart, maps[0].sum((2, 3)) @ critic.projection.weight[:, 1])


def test_a_class_changes_the_image_and_not_its_neighbours():
    torch.manual_seed(0)
    generator, latents = Generator(replace(SMALL, classes=3)), torch.randn(2, 5)
    with torch.no_grad():
        for norm in generator.norms:
            norm.scale.normal_(1, 0.5)
    generator.eval()
    first, second = torch.eye(3)[[0, 0]], torch.eye(3)[[0, 1]]
    same, other = generator(latents, first), generator(latents, second)
    torch.testing.assert_close(other[0], same[0])
    assert not torch.allclose(other[1], same[1], atol=1e-3)


@pytest.mark.parametrize("classes", [0, 2])
def test_a_stored_generator_draws_the_same(tmp_path, classes):
    """Normalised weights among them: what the power iteration found is stored too."""
    generator = Generator(replace(SMALL, classes=classes))
    told = [torch.eye(2)[[0, 1]]] if classes else []
    generator(torch.randn(2, 5), *told)
    save_model(tmp_path / "sagan.safetensors", generator.eval())
    loaded, latents = load_model(tmp_path / "sagan.safetensors"), torch.randn(2, 5)
    assert loaded.config == generator.config
    assert torch.equal(loaded(latents, *told), generator(latents, *told))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"attention": 16}, "choose 8, 4, or 0 for none"),
        ({"classes": -1}, "choose 0 for none"),
        ({"size": 48}, "power of two"),
        ({"width": 0}, "positive"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(wrong, said):
    with pytest.raises(CompanionError, match=said):
        replace(SMALL, **wrong)


def test_too_few_channels_to_attend_are_one_sentence():
    with pytest.raises(CompanionError, match="choose a larger width, or no attention"):
        Critic(replace(SMALL, width=2))


def test_a_watched_generator_draws_the_same_and_says_where_it_looked():
    watched, latents = Watched(replace(SMALL, spectral=False)).eval(), torch.randn(3, 5)
    (layer,) = (layer for layer in watched.modules() if isinstance(layer, SelfAttention))
    nn.init.constant_(layer.gain, 0.7)
    images, weights = watched(latents, torch.ones(3, 1))
    torch.testing.assert_close(images, watched.generator(latents))
    (found,) = attention_of(watched.generator, latents).values()
    torch.testing.assert_close(weights, found.weights)


def test_the_strength_of_attention_is_a_factor_of_its_gain():
    watched, latents = Watched(replace(SMALL, spectral=False)).eval(), torch.randn(3, 5)
    (layer,) = (layer for layer in watched.modules() if isinstance(layer, SelfAttention))
    nn.init.constant_(layer.gain, 0.7)
    images, _ = watched(latents, torch.tensor([[0.0], [1.0], [2.0]]))
    for index, gain in enumerate((0.0, 0.7, 1.4)):
        nn.init.constant_(layer.gain, gain)
        torch.testing.assert_close(images[index], watched.generator(latents)[index])


def test_a_generator_without_attention_cannot_be_watched():
    with pytest.raises(CompanionError, match="without attention looks nowhere"):
        Watched(replace(SMALL, attention=0))
