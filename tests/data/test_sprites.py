"""Guards the sprites: their number, their motifs, and colours that are multiplied by alpha."""

import numpy as np
import pytest
import torch
from PIL import Image

from companion.data import load
from companion.data.assets import manifest
from companion.data.sets.sprites import EMOJI, emoji
from companion.viz import checkerboard, over


@pytest.fixture
def in_cache():
    if not manifest()[EMOJI].here:
        pytest.skip(
            "the sprites are not in the cache; fetch with companion assets fetch, or set COMPANION_CACHE"
        )


@pytest.mark.usefixtures("in_cache")
def test_each_motif_comes_in_six_skin_tones():
    pixels, motifs = emoji()
    assert pixels.shape == (678, 4, 128, 128)
    assert pixels.dtype == torch.uint8
    assert (torch.bincount(motifs) == 6).all()


@pytest.mark.usefixtures("in_cache")
@pytest.mark.slow
def test_no_colour_exceeds_its_alpha_before_and_after_resizing():
    """What is multiplied by alpha cannot be larger; the bicubic resize overshoots a little at a few hard edges."""
    pixels, _ = emoji()
    assert (pixels[:, :3] <= pixels[:, 3:]).all()
    small = load("sprites", size=32)
    assert small.pixels.shape == (678, 4, 32, 32)
    excess = small.pixels[:, :3].int() - small.pixels[:, 3:].int()
    assert excess.max() <= 16
    assert (excess > 2).float().mean() < 0.001


@pytest.mark.usefixtures("in_cache")
def test_a_sprite_over_a_ground_is_what_pillow_composes():
    pixels, _ = emoji()
    first = Image.open(manifest()[EMOJI].parts[0].file).convert("RGBA")
    wanted = Image.alpha_composite(Image.new("RGBA", first.size, (40, 160, 90, 255)), first).convert("RGB")
    ground = torch.tensor([40, 160, 90])[:, None, None] / 127.5 - 1
    ours = (over(pixels[:1] / 127.5 - 1, ground)[0] + 1) * 127.5
    assert np.abs(ours.permute(1, 2, 0).numpy() - np.asarray(wanted, dtype=float)).max() <= 2


def test_nothing_is_the_ground_and_what_is_solid_hides_it():
    nothing, solid = torch.full((1, 4, 16, 16), -1.0), torch.ones(1, 4, 16, 16)
    ground = checkerboard(16)
    assert ground.unique().numel() == 2
    torch.testing.assert_close(over(nothing, ground)[0], ground.expand(3, -1, -1))
    torch.testing.assert_close(over(solid, ground), torch.ones(1, 3, 16, 16))
