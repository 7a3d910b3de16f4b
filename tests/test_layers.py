"""Guards layers, against their papers' equations and PyTorch's own, and what is done to layers."""

import pytest
import torch
from torch import nn

from companion.errors import CompanionError
from companion.layers import (
    ConditionalBatchNorm,
    DeformableConv2d,
    SelfAttention,
    adaptive_instance_norm,
    spectrally_normalised,
)
from companion.models.dcgan import Critic, DCGANConfig


def test_spectral_normalisation_leaves_a_largest_singular_value_of_one():
    torch.manual_seed(0)
    critic = spectrally_normalised(Critic(DCGANConfig(size=16, width=4), norm=None))
    for _ in range(100):
        critic(torch.randn(2, 1, 16, 16))
    layers = [layer for layer in critic.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert len(layers) > 2
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)


def test_a_multilayer_perceptron_becomes_1_lipschitz():
    torch.manual_seed(0)
    network = spectrally_normalised(nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 1)))
    for _ in range(100):
        network(torch.randn(8, 2))
    places = torch.randn(500, 2, requires_grad=True)
    (slopes,) = torch.autograd.grad(network(places).sum(), places)
    assert slopes.norm(dim=1).max() <= 1.001


def woken_attention(channels: int = 16, **options) -> SelfAttention:
    """An attention layer whose γ is not 0."""
    torch.manual_seed(0)
    layer = SelfAttention(channels, **options)
    with torch.no_grad():
        layer.gain.fill_(0.7)
    return layer


def test_untrained_attention_is_the_identity():
    """γ begins at 0 (Zhang et al. 2019, equation 3), and its gradient does not."""
    layer, maps = SelfAttention(16), torch.randn(2, 16, 8, 8)
    assert torch.equal(layer(maps), maps)
    layer(maps).square().sum().backward()
    assert layer.gain.grad != 0


def test_each_place_attends_once_in_all():
    weights = woken_attention().weights(torch.randn(2, 16, 6, 5))
    assert weights.shape == (2, 30, 30)
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 30))


def test_attention_is_the_papers_sums_place_by_place():
    """Equations 1 to 3, written out in loops; no factor 1/√d."""
    layer, maps = woken_attention(), torch.randn(1, 16, 3, 2)
    x = maps[0].flatten(1)  # (C, N)
    g, f, h = (part.weight[:, :, 0, 0].detach() @ x for part in (layer.queries, layer.keys, layer.values))
    wanted = torch.empty(16, 6)
    for j in range(6):
        scores = torch.stack([f[:, i] @ g[:, j] for i in range(6)])
        beta = scores.exp() / scores.exp().sum()
        told = sum(beta[i] * h[:, i] for i in range(6))
        wanted[:, j] = 0.7 * (layer.out.weight[:, :, 0, 0].detach() @ told) + x[:, j]
    torch.testing.assert_close(layer(maps)[0].flatten(1).detach(), wanted)


@pytest.mark.parametrize("keys", [256, 16])
def test_attention_is_pytorchs_own(keys):
    """With pooled keys and values too; PyTorch's factor 1/√d is set to 1."""
    layer, maps = woken_attention(keys=keys), torch.randn(2, 16, 8, 8)
    factor = {256: 1, 16: 2}[keys]
    queries = layer.queries(maps).flatten(2).transpose(1, 2)
    pooled = [
        nn.functional.max_pool2d(part(maps), factor).flatten(2).transpose(1, 2)
        for part in (layer.keys, layer.values)
    ]
    told = nn.functional.scaled_dot_product_attention(queries, *pooled, scale=1.0)
    wanted = maps + 0.7 * layer.out(told.transpose(1, 2).unflatten(2, (8, 8)))
    torch.testing.assert_close(layer(maps), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("side", "grid"), [(8, 8), (16, 8), (32, 8), (64, 8), (30, 7), (3, 3)])
def test_the_number_of_keys_is_bounded_whatever_the_size(side, grid):
    layer = woken_attention(8)
    assert layer.grid(side, side) == (grid, grid)
    assert layer.weights(torch.randn(1, 8, side, side)).shape == (1, side**2, grid**2)
    assert grid**2 <= 64


def test_too_few_channels_to_attend_are_one_sentence():
    with pytest.raises(CompanionError, match="choose a larger width"):
        SelfAttention(4)


def test_conditional_normalisation_has_a_scale_and_a_shift_for_each_class():
    """Of one class it is batch normalisation; of two, each image gets its own; a mixture gets the mixture."""
    layer, maps = ConditionalBatchNorm(2, 2), torch.randn(4, 2, 3, 3) * 5 + 1
    with torch.no_grad():
        layer.scale.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        layer.shift.copy_(torch.tensor([[0.0, 0.5], [1.0, -1.0]]))
    normal = nn.BatchNorm2d(2, affine=False)(maps)
    classes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.5, 0.5]])
    found = layer(maps, classes)
    torch.testing.assert_close(found[0, 1], normal[0, 1] * 2 + 0.5)
    torch.testing.assert_close(found[1, 0], normal[1, 0] * 3 + 1)
    torch.testing.assert_close(found[2, 1], normal[2, 1] * 4 - 1)
    torch.testing.assert_close(found[3, 0], normal[3, 0] * 2 + 0.5)
    plain = ConditionalBatchNorm(2, 1)(maps, torch.ones(4, 1))
    torch.testing.assert_close(plain, nn.BatchNorm2d(2)(maps))


def test_adaptive_instance_normalisation_sets_mean_and_deviation_of_each_map():
    """Huang et al. 2018, section 5.1; each image by itself."""
    maps = torch.randn(3, 2, 16, 16) * 4 + 7
    scale, shift = torch.rand(3, 2) + 0.5, torch.randn(3, 2)
    found = adaptive_instance_norm(maps, scale, shift)
    torch.testing.assert_close(found.mean((2, 3)), shift, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.std((2, 3), correction=0), scale, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(adaptive_instance_norm(maps[:1], scale[:1], shift[:1]), found[:1])
    mean, deviation = maps[1, 0].mean(), maps[1, 0].std(correction=0)
    torch.testing.assert_close(
        found[1, 0], scale[1, 0] * (maps[1, 0] - mean) / deviation + shift[1, 0], atol=1e-4, rtol=1e-4
    )


def test_a_deformable_convolution_begins_as_the_convolution_it_was_made_of():
    plain = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    images = torch.randn(2, 3, 8, 10)
    torch.testing.assert_close(DeformableConv2d(plain)(images), plain(images), rtol=1e-4, atol=1e-5)


def test_a_deformable_convolution_looks_where_its_moves_say_and_between_pixels_interpolates():
    """Moved by one row and by a half column, all nine alike, it sees an image that was moved so (Dai et al., eq. 2)."""
    plain = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    layer = DeformableConv2d(plain)
    images = torch.randn(1, 2, 9, 9)
    with torch.no_grad():
        layer.moves.bias.copy_(torch.tensor([1.0, 0.5]).repeat(9))  # rows and columns of each weight in turn
    moved = images.roll(-1, 2)
    moved = (moved + moved.roll(-1, 3)) / 2
    inner = (..., slice(1, -2), slice(1, -2))  # what no edge has touched
    torch.testing.assert_close(layer(images)[inner], plain(moved)[inner], rtol=1e-4, atol=1e-5)


def test_a_deformable_convolution_learns_where_to_look():
    """A gradient reaches what moves its looks, though they begin at zero."""
    layer = DeformableConv2d(nn.Conv2d(2, 3, 3, padding=1, bias=False))
    layer(torch.randn(1, 2, 6, 6)).square().sum().backward()
    assert layer.moves.weight.grad.abs().max() > 0
    assert layer.weight.grad.abs().max() > 0
