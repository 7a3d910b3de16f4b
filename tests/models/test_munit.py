"""Guards MUNIT's parts: shapes, what carries style and what does not, critics of several sizes."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from companion.errors import CompanionError
from companion.models.munit import (
    ContentEncoder,
    Decoder,
    Encoder,
    MultiScaleCritic,
    MultiScaleCriticConfig,
    MUNITConfig,
    OneScore,
    StyleEncoder,
    Translator,
)
from companion.models.store import load_model, save_model

SMALL = MUNITConfig(size=16, width=2, styles=3, blocks=2)


@pytest.mark.parametrize(("attention", "deformable"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("size", [16, 48, 64])
def test_there_and_back_again_has_the_shapes_of_the_paper(size, attention, deformable):
    """Content at a quarter of the size, a style of a few numbers, an image of the image's own size in [−1, 1]."""
    config = MUNITConfig(size, 2, 3, 1, attention, deformable)
    content, style = Encoder(config)(torch.randn(2, 3, size, size))
    assert content.shape == (2, 8, size // 4, size // 4)
    assert style.shape == (2, 3)
    image = Decoder(config)(content, style)
    assert image.shape == (2, 3, size, size)
    assert image.abs().max() <= 1
    again, _ = Encoder(config)(image)
    assert again.shape == content.shape


def test_the_content_does_not_know_contrast_and_brightness_and_the_style_does():
    """Instance normalisation takes each map's mean and deviation out; the style encoder has none."""
    torch.manual_seed(0)
    images = torch.randn(2, 3, 16, 16)
    content, style = ContentEncoder(SMALL), StyleEncoder(SMALL)
    torch.testing.assert_close(content(3 * images), content(images), atol=1e-3, rtol=1e-3)
    assert (style(3 * images) - style(images)).abs().max() > style(images).abs().max()
    assert not any(isinstance(layer, nn.InstanceNorm2d) for layer in style.modules())


def test_the_style_sets_mean_and_deviation_of_the_decoders_maps():
    """Scales are 1 plus what the perceptron says, shifts what it says; there is no other way in for the style."""
    decoder = Decoder(SMALL)
    maps = []
    block = decoder.blocks[0]
    block.second.register_forward_pre_hook(lambda layer, given: maps.append(given[0]))
    contents, styles = torch.randn(2, 8, 4, 4), torch.randn(2, 3)
    decoder(contents, styles)
    told = decoder.perceptron(styles)[:, 0, 0]  # (N, scale or shift, channels)
    normal = nn.InstanceNorm2d(8)(block.first(contents))
    wanted = (normal * (1 + told[:, 0, :, None, None]) + told[:, 1, :, None, None]).relu()
    torch.testing.assert_close(maps[0], wanted, rtol=1e-4, atol=1e-5)
    assert decoder.perceptron(styles).shape == (2, 2, 2, 2, 8)


def test_a_styled_block_is_two_convolutions_each_told_its_scale_as_one_plus_and_its_shift():
    block, contents, told = Decoder(SMALL).blocks[0], torch.randn(2, 8, 4, 4), torch.randn(2, 2, 2, 8)
    maps, normal = contents, nn.InstanceNorm2d(8)
    for layer, convolution in enumerate((block.first, block.second)):
        scale, shift = told[:, layer, 0, :, None, None], told[:, layer, 1, :, None, None]
        maps = normal(convolution(maps)) * (1 + scale) + shift
        maps = maps.relu() if layer == 0 else maps
    torch.testing.assert_close(block(contents, told), contents + maps, rtol=1e-4, atol=1e-5)


def test_doubling_layers_normalise_all_maps_of_an_image_together_and_none_by_itself():
    """Else the decoder would take away the brightness of each map that the style has just set."""
    torch.manual_seed(0)
    decoder, maps = Decoder(SMALL), []
    for layer in decoder.growing:
        if isinstance(layer, nn.GroupNorm):
            layer.register_forward_hook(lambda _, given, found: maps.append(found.detach().clone()))
    decoder(10 + torch.randn(2, 8, 4, 4), torch.randn(2, 3))
    assert [found.shape[1] for found in maps] == [4, 2]
    for found in maps:
        torch.testing.assert_close(found.flatten(1).mean(1), torch.zeros(2), rtol=0, atol=1e-4)
        torch.testing.assert_close(found.flatten(1).var(1, unbiased=False), torch.ones(2), rtol=0, atol=1e-2)
        assert found.mean((2, 3)).abs().max() > 0.3


def test_where_nothing_normalises_weights_are_drawn_so_that_signals_keep_their_size():
    """A deviation of √(2 / fan-in) (He et al. 2015), and no bias: in style encoders and critics."""
    torch.manual_seed(0)
    networks = StyleEncoder(MUNITConfig(16, 16, 8, 1)), MultiScaleCritic(MultiScaleCriticConfig(16))
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                fan_in = layer.weight[0].numel()
                few = 4 / (2 * layer.weight.numel()) ** 0.5  # four standard errors of a deviation
                assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=few)
                assert layer.bias.abs().max() == 0


def test_each_image_is_translated_by_itself():
    translator = Translator(SMALL)
    images, styles = torch.randn(3, 3, 16, 16), torch.randn(3, 3)
    torch.testing.assert_close(translator(images, styles)[1:2], translator(images[1:2], styles[1:2]))


def test_a_translator_is_made_of_trained_parts_and_stored_with_them(tmp_path):
    torch.manual_seed(0)
    source, target, decoder = Encoder(SMALL), Encoder(SMALL), Decoder(SMALL)
    translator = Translator.joining(SMALL, source, target, decoder.eval())
    images, styles = torch.randn(2, 3, 16, 16), torch.randn(2, 3)
    wanted = decoder(source(images)[0], styles)
    assert torch.equal(translator(images, styles), wanted)
    assert torch.equal(translator.style(images), target(images)[1])
    assert not any(weight.is_meta for weight in translator.parameters())
    save_model(tmp_path / "a_to_b.safetensors", translator)
    assert torch.equal(load_model(tmp_path / "a_to_b.safetensors")(images, styles), wanted)


@pytest.mark.parametrize(
    ("images", "styles", "said"),
    [
        ((1, 3, 50, 48), (1, 3), "Images of 48×50 pixels"),
        ((1, 3, 16, 16), (1, 4), "Styles of 4 numbers do not fit"),
    ],
)
def test_what_does_not_fit_a_translator_is_one_sentence(images, styles, said):
    """Not an image of 48 pixels, and no complaint of a matrix."""
    with pytest.raises(CompanionError, match=said):
        Translator(SMALL)(torch.zeros(images), torch.zeros(styles))


def test_critics_look_at_the_image_its_half_and_its_quarter():
    """Each with one score for each of its patches, and with weights of its own."""
    torch.manual_seed(0)
    critic, images = MultiScaleCritic(MultiScaleCriticConfig(width=2, halvings=2)), torch.randn(2, 3, 32, 32)
    scores = critic(images)
    assert [tuple(each.shape) for each in scores] == [(2, 64), (2, 16), (2, 4)]
    half = avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)
    torch.testing.assert_close(scores[1], critic.critics[1](half).flatten(1))
    flat = critic(torch.full((1, 3, 32, 32), 0.5))  # averages at the border count no padding
    assert critic.critics[2](torch.full((1, 3, 8, 8), 0.5)).flatten().allclose(flat[2])
    total = OneScore(critic)(images)
    torch.testing.assert_close(total, sum(each.mean(1) for each in scores))


def test_a_critic_normalises_all_its_layers_or_none():
    for spectral in (True, False):
        critic = MultiScaleCritic(MultiScaleCriticConfig(width=2, spectral=spectral))
        normalised = [hasattr(x, "parametrizations") for x in critic.modules() if isinstance(x, nn.Conv2d)]
        assert normalised == [spectral] * 3 * 5


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 40}, "up to 4096, not 40"),
        ({"size": 10**7}, "up to 4096"),
        ({"size": 0}, "multiple of 16"),
        ({"width": 0}, "width cannot be 0"),
        ({"width": 4097}, "width cannot be 4097; choose 4096 at most"),
        ({"styles": 10**22}, "styles cannot be 1"),
        ({"blocks": 10**9}, "blocks cannot be 1000000000; choose 64 at most"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(wrong, said):
    with pytest.raises(CompanionError, match=said):
        MUNITConfig(**wrong)


@pytest.mark.parametrize("wrong", [{"scales": 10**9}, {"halvings": 10**9}, {"width": 10**9}])
def test_critics_that_would_be_built_for_ever_are_refused(wrong):
    with pytest.raises(CompanionError, match="cannot be 1000000000; choose"):
        MultiScaleCriticConfig(**wrong)
