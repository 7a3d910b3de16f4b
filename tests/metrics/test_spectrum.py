"""Guards the measure of checkerboards: nothing in noise, the known amount in a made one, in each direction."""

import pytest
import torch
from torch.nn.functional import conv_transpose2d

from companion.data.faces import Portraits
from companion.errors import CompanionError
from companion.metrics.spectrum import checkerboard, spectrum


def noise(count: int = 400, size: int = 32) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(count, 1, size, size)


def test_noise_has_none():
    assert checkerboard(noise()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("direction", ["across", "down", "both"])
@pytest.mark.parametrize("amplitude", [0.05, 0.2])
def test_a_made_pattern_is_found_in_the_amount_that_the_window_lets_through(direction, amplitude):
    """Amplitude a over noise of 1: one ratio of the three becomes 1 + a²(Σw)⁴ / (Σw²)² = 1 + a² · 4/9 · 32²."""
    signs = 1.0 - 2 * (torch.arange(32) % 2)
    pattern = {
        "across": signs.expand(32, 32),
        "down": signs[:, None].expand(32, 32),
        "both": signs[:, None] * signs,
    }
    found = checkerboard(noise() + amplitude * pattern[direction])
    assert found == pytest.approx(1 + amplitude**2 * 4 / 9 * 32**2 / 3, rel=0.1)


def test_it_rises_with_the_pattern_and_not_with_the_contrast():
    images = noise(50)
    signs = 1.0 - 2 * (torch.arange(32) % 2)
    marked = images + 0.1 * signs[:, None] * signs
    assert checkerboard(marked) > 2 * checkerboard(images)
    assert checkerboard(10 * marked + 3) == pytest.approx(checkerboard(marked))


def test_a_kernel_that_its_stride_does_not_divide_leaves_one_and_another_none():
    """Odena et al. 2016: kernel 3 with stride 2 reaches pixels unequally often; kernel 4 does not."""
    torch.manual_seed(0)
    maps = torch.rand(100, 1, 18, 18)
    uneven, even = (
        conv_transpose2d(maps, torch.ones(1, 1, kernel, kernel), stride=2)[..., 2:34, 2:34]
        for kernel in (3, 4)
    )
    assert checkerboard(uneven) > 5
    assert checkerboard(even) < 1.5


def test_drawn_portraits_have_hardly_any():
    """The control from real pictures; with a checkerboard of one grey level in fifty added they have."""
    images = Portraits(24, size=64)[:]
    signs = 1.0 - 2 * (torch.arange(64) % 2)
    assert checkerboard(images) < 2
    assert checkerboard(images + 0.04 * signs[:, None] * signs) > 3 * checkerboard(images)


def test_energy_of_a_constant_is_none():
    assert spectrum(torch.full((1, 3, 16, 16), 0.3)).max() < 1e-20


@pytest.mark.parametrize("size", [8, 17])
def test_images_without_such_a_frequency_are_one_sentence(size):
    with pytest.raises(CompanionError, match=f"not {size}×{size}"):
        checkerboard(torch.zeros(1, 1, size, size))
