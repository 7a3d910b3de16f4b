"""Guards the deblurring networks: the paper's shapes, any size of picture, and an identity to begin with."""

import pytest
import torch
from torch import nn

from companion.errors import CompanionError
from companion.models.deblur import (
    PatchCritic,
    PatchCriticConfig,
    ResidualBlock,
    Restorer,
    RestorerConfig,
)
from companion.models.store import load_model, save_model


def woken(config: RestorerConfig) -> Restorer:
    """A generator that changes something: its last convolution begins at zero."""
    torch.manual_seed(0)
    model = Restorer(config).eval()
    last = [layer for layer in model.layers if isinstance(layer, nn.Conv2d)][-1]
    nn.init.normal_(last.weight, 0.0, 0.05)
    return model


def test_the_papers_size_has_nine_blocks_and_eleven_million_weights():
    """DeblurGAN's ResNet generator with nine blocks: 11.4 million, whose up-sampling kernels are 3×3, ours 4×4."""
    model = Restorer(RestorerConfig())
    blocks = [layer for layer in model.layers if isinstance(layer, ResidualBlock)]
    assert len(blocks) == 9
    assert all(sum(isinstance(layer, nn.Conv2d) for layer in block.layers) == 2 for block in blocks)
    assert 11.3e6 < sum(weight.numel() for weight in model.parameters()) < 11.8e6


def test_an_untrained_generator_changes_nothing():
    blurred = torch.rand(2, 3, 16, 16) * 2 - 1
    assert torch.equal(Restorer(RestorerConfig(4, 1))(blurred), blurred)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 16), (17, 30)])
def test_any_height_and_width_goes_through(shape, normalised):
    if normalised and shape == (1, 1):
        pytest.skip("one pixel has no contrast to normalise")
    restored = woken(RestorerConfig(2, 1, normalised))(torch.rand(2, 3, *shape) * 2 - 1)
    assert restored.shape == (2, 3, *shape)
    assert restored.abs().max() <= 1
    assert restored.isfinite().all()


def test_a_pixel_reaches_as_far_as_reach_says_and_no_further():
    """What tiling needs to know; a change at the left edge is felt at column `reach`, at most."""
    model = woken(RestorerConfig(4, 1)).double()
    image = torch.rand(1, 3, 8, 96, dtype=torch.float64) - 0.5
    touched = image.clone()
    touched[..., 0] += 0.4
    changed = ((model(image) - model(touched)).abs() > 0).any(1).any(1).nonzero()[:, 1].max().item()
    assert model.reach - 8 <= changed <= model.reach


def test_a_block_is_its_input_plus_what_its_layers_find():
    block, features = ResidualBlock(3), torch.rand(1, 3, 6, 6)
    nn.init.zeros_(block.layers[-1].weight)
    nn.init.zeros_(block.layers[-1].bias)
    assert torch.equal(block(features), features)


def test_images_of_a_batch_do_not_influence_each_other():
    """Neither with nor without normalisation, in both networks: a penalty and a tiling rely on it."""
    images = torch.rand(3, 3, 16, 16) * 2 - 1
    for normalised in (False, True):
        restorer = woken(RestorerConfig(2, 1, normalised))
        critic = PatchCritic(PatchCriticConfig(4, 2, normalised))
        for model in (restorer, critic):
            assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_the_critic_gives_one_unbounded_score_an_image_of_any_size():
    critic = PatchCritic(PatchCriticConfig(4))
    assert critic(torch.rand(2, 3, 64, 64)).shape == (2,)
    assert critic(torch.rand(2, 3, 40, 56)).shape == (2,)
    assert not any(isinstance(layer, (nn.Sigmoid, nn.Tanh)) for layer in critic.modules())


def test_a_saved_generator_comes_back(tmp_path):
    model = woken(RestorerConfig(2, 1, normalised=True))
    save_model(tmp_path / "m.safetensors", model)
    blurred = torch.rand(1, 3, 8, 8)
    assert torch.equal(load_model(tmp_path / "m.safetensors")(blurred), model(blurred))


@pytest.mark.parametrize(
    "make",
    [
        lambda: RestorerConfig(width=0),
        lambda: RestorerConfig(blocks=-1),
        lambda: PatchCriticConfig(width=0),
        lambda: PatchCriticConfig(halvings=0),
    ],
)
def test_impossible_sizes_are_refused(make):
    with pytest.raises(CompanionError, match="the paper's are"):
        make()


@pytest.mark.parametrize(
    "make", [lambda: RestorerConfig(blocks=10**9), lambda: PatchCriticConfig(halvings=10**9)]
)
def test_networks_that_would_be_built_for_ever_are_refused(make):
    with pytest.raises(CompanionError, match="cannot be 1000000000; choose"):
        make()


def test_without_bounds_a_gradient_passes_where_the_tanh_stands_at_its_end():
    """While training; what is shown stays within black and white all the same."""
    picture = torch.zeros(1, 3, 8, 8)
    for bounded in (True, False):
        generator = Restorer(RestorerConfig(width=2, blocks=1, bounded=bounded)).train()
        last = next(layer for layer in reversed(generator.layers) if isinstance(layer, nn.Conv2d))
        nn.init.constant_(last.bias, 30.0)
        generator(picture).sum().backward()
        assert bool(last.bias.grad.abs().max() > 1) is not bounded
        assert generator.eval()(picture).max() == 1
