"""Guards the degradations: kernels are light shared out, the blur is a convolution, and seeds fix everything."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from companion.data.degrade import (
    Camera,
    Shake,
    blur,
    disc_kernel,
    eight_bits,
    gaussian_kernel,
    linear_kernel,
)
from companion.errors import CompanionError

KERNELS = {
    "line": linear_kernel(9.0, 30.0, 15),
    "Gaussian": gaussian_kernel(1.5, 15),
    "disc": disc_kernel(4.0, 15),
    "shake": Shake(length=20).kernel(15, seed=3),
    "long shake": Shake(length=200).kernel(15, seed=3),
    "single pixel": linear_kernel(0.0, 0.0, 1),
}


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_kernel_shares_out_light_and_neither_makes_nor_loses_any(kernel):
    assert kernel.dtype == torch.float32
    assert (kernel >= 0).all()
    assert kernel.sum().item() == pytest.approx(1, abs=1e-5)


def spread(kernel):
    """Variances along both axes and the covariance, in pixels², y counted downwards."""
    at = torch.arange(len(kernel)) - (len(kernel) - 1) / 2
    x, y = (kernel.sum(0) * at).sum(), (kernel.sum(1) * at).sum()
    xx, yy = (kernel.sum(0) * (at - x).square()).sum(), (kernel.sum(1) * (at - y).square()).sum()
    return xx.item(), yy.item(), (kernel * (at[:, None] - y) * (at - x)).sum().item()


def test_a_horizontal_line_of_length_9_has_a_lines_variance_across_and_none_down():
    """L²/12, plus at most the quarter pixel that sharing between neighbours adds."""
    across, down, both = spread(linear_kernel(9, 0, 15))
    assert 81 / 12 <= across <= 81 / 12 + 0.25
    assert down == pytest.approx(0, abs=1e-6)
    assert both == pytest.approx(0, abs=1e-5)


def test_thirty_degrees_rise_to_the_right():
    """Counter-clockwise from the right, and rows count downwards: the covariance is negative."""
    across, down, both = spread(linear_kernel(9, 30, 15))
    assert across > down
    assert both < -1


def test_a_gaussian_has_its_sigma_and_a_disc_its_radius():
    assert spread(gaussian_kernel(1.5, 15))[0] == pytest.approx(1.5**2, rel=0.01)
    disc = disc_kernel(4, 15)
    assert spread(disc)[0] == pytest.approx(4**2 / 4, rel=0.05)  # a disc's variance along a diameter is r²/4
    assert disc[7, 7] == disc[7, 10]  # even inside
    assert disc[7, 12] == 0


def test_the_blur_is_scipys_convolution_of_each_channel_with_its_own_kernel():
    images = torch.rand(2, 3, 20, 24)
    kernels = torch.stack([linear_kernel(5, 20, 7), Shake(length=8).kernel(7, seed=1)])
    blurred = blur(images, kernels)
    assert blurred.shape == (2, 3, 14, 18)
    for n in range(2):
        for channel in range(3):
            wanted = convolve2d(images[n, channel].numpy(), kernels[n].numpy(), mode="valid")
            np.testing.assert_allclose(blurred[n, channel].numpy(), wanted, atol=1e-5)


def test_one_kernel_serves_all_images():
    images, kernel = torch.rand(3, 1, 9, 9), gaussian_kernel(1, 5)
    assert torch.equal(blur(images, kernel), blur(images, kernel.expand(3, 5, 5)))


def test_a_shake_without_anxiety_is_a_straight_line_of_its_length():
    walk = Shake(length=12, anxiety=0.0).walk(seed=5)
    assert abs(walk[-1] - walk[0]) == pytest.approx(12)


def test_every_shake_is_equally_long_however_much_it_turns():
    """The velocity is reset to the same length at every moment (algorithm 1's last line but one)."""
    walk = Shake(length=12, anxiety=0.05).walk(seed=5)
    assert np.abs(np.diff(walk)).sum() == pytest.approx(12)
    assert abs(walk[-1] - walk[0]) < 11


def test_a_seed_fixes_a_shake_and_another_seed_gives_another():
    shake = Shake(length=12)
    assert torch.equal(shake.kernel(15, 4), shake.kernel(15, 4))
    assert not torch.allclose(shake.kernel(15, 4), shake.kernel(15, 5))


def test_a_shake_is_centred():
    """Its mean position is the kernel's middle, so that the blurred image is not shifted."""
    kernel = Shake(length=12).kernel(15, 2)
    at = torch.arange(15) - 7.0
    assert (kernel.sum(0) * at).sum().item() == pytest.approx(0, abs=0.01)
    assert (kernel.sum(1) * at).sum().item() == pytest.approx(0, abs=0.01)


def test_a_camera_of_lines_turns_them_evenly():
    kernels = Camera(kind="line", length=13, shakes=2).kernels()
    assert torch.equal(kernels[0], linear_kernel(13, 0, 15))
    assert torch.allclose(kernels[1], kernels[0].T, atol=1e-6)


@pytest.mark.parametrize(("kind", "variance"), [("disc", (8 / 2) ** 2 / 4), ("gaussian", (8 / 4) ** 2)])
def test_a_camera_of_spots_grows_them_up_to_its_length(kind, variance):
    """A disc's variance along one side is a quarter of its radius squared; smoothing its edge adds a little."""
    kernels = Camera(kind=kind, length=8, shakes=3).kernels()
    from_centre = torch.arange(15) - 7
    spread = (kernels.sum(1) * from_centre.square()).sum(1)
    assert spread[0] < spread[1] < spread[2]
    assert spread[2] == pytest.approx(variance, rel=0.1)


def test_a_camera_adds_its_noise_and_stores_eight_bits():
    camera = Camera(noise=0.02)
    grey = torch.zeros(1, 3, 114, 114)
    taken = camera.degrade(grey, camera.kernels()[:1], torch.Generator().manual_seed(1))
    assert taken.std().item() == pytest.approx(0.02, rel=0.05)
    assert torch.equal(taken, eight_bits(taken))
    again = camera.degrade(grey, camera.kernels()[:1], torch.Generator().manual_seed(1))
    assert torch.equal(taken, again)


def test_eight_bits_keeps_what_is_a_grey_level_and_cuts_what_is_beyond():
    levels = torch.arange(256) / 127.5 - 1
    assert torch.allclose(eight_bits(levels), levels, atol=1e-6)
    assert eight_bits(torch.tensor([-1.2, 1.3])).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 14}, "odd size"),
        ({"size": 0}, "odd size"),
        ({"shakes": 0}, "odd size"),
        ({"kind": "disk"}, "did you mean disc"),
        ({"kind": "disc"}, "20 pixels wide does not fit"),
    ],
)
def test_an_impossible_camera_is_refused(wrong, said):
    with pytest.raises(CompanionError, match=said):
        Camera(**wrong)
