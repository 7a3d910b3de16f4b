"""Guards the maps of attention: whose rows they are, in which pixels, and that the network stays as it was."""

import torch
from torch import nn

from companion.layers import SelfAttention
from companion.models.attending import Attention, attention_of
from companion.models.sagan import Critic, Generator, SAGANConfig

SMALL = SAGANConfig(size=16, channels=1, latents=5, width=8, attention=8)


def test_each_layer_is_found_by_its_name_with_rows_that_sum_to_one():
    generator = Generator(SMALL)
    found = attention_of(generator, torch.randn(3, 5))
    assert list(found) == ["attentions.1"]
    assert found["attentions.1"].weights.shape == (3, 64, 64)
    assert found["attentions.1"].places == found["attentions.1"].keys == (8, 8)
    torch.testing.assert_close(found["attentions.1"].weights.sum(2), torch.ones(3, 64))
    assert generator.training
    assert not generator.attentions[1]._forward_pre_hooks


def test_it_is_what_the_layer_itself_computes():
    critic, images = Critic(SMALL).eval(), torch.randn(2, 1, 16, 16)
    maps = nn.functional.leaky_relu(critic.shrinking[0](images), 0.2)
    (found,) = attention_of(critic, images).values()
    torch.testing.assert_close(found.weights, critic.attentions[0].weights(maps))
    assert attention_of(nn.Conv2d(1, 1, 1), images) == {}


def test_a_points_map_is_its_row_laid_out_as_the_keys_lie():
    """8×8 places, keys pooled to 4×4: the point in column 5, row 2 asks with place 2 · 8 + 5."""
    weights = torch.full((1, 64, 16), 1 / 16)
    weights[0, 2 * 8 + 5] = torch.eye(16)[6]  # all of it on row 1, column 2
    attention = Attention(weights, (8, 8), (4, 4))
    points = torch.tensor([[11.0, 5.9], [0.5, 0.5], [16.0, 16.0]])  # of 16 × 16 pixels
    maps = attention.maps(points, 16)
    assert maps.shape == (1, 3, 16, 16)
    y, x = divmod(int(maps[0, 0].argmax()), 16)
    assert (y // 4, x // 4) == (1, 2)
    assert (
        maps[0, 0].max() == 16 * 0.875**2
    )  # a key is four pixels wide, and its centre lies between two of them
    torch.testing.assert_close(maps[0, 1:], torch.ones(2, 16, 16))


def test_pooled_keys_are_told_apart_from_places():
    layer = SelfAttention(8, keys=16)
    (found,) = attention_of(nn.Sequential(nn.Identity(), layer), torch.randn(1, 8, 8, 8)).values()
    assert (found.places, found.keys) == ((8, 8), (4, 4))
