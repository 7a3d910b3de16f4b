"""Guards the classical answers: with the true kernel they undo a blur, with a wrong one they do harm."""

import pytest
import torch
from skimage.restoration import denoise_tv_chambolle
from torch.nn.functional import pad

from companion.classical import (
    least_ringing_kernel,
    lucy,
    most_probable_kernel,
    straight_line,
    total_variation,
    wiener_filter,
)
from companion.data.degrade import Camera, blur, disc_kernel, eight_bits, linear_kernel
from companion.data.pairs import held_out
from companion.data.photos import load_photos
from companion.metrics.restoration import psnr

CAMERA = Camera(shakes=3, noise=0.005)


@pytest.fixture(scope="module")
def pictures():
    return held_out(load_photos("embedded").split("test"), CAMERA, 96)


def inner_psnr(images, pairs):
    return psnr(images[..., 16:-16, 16:-16], pairs.target[..., 16:-16, 16:-16]).mean().item()


def test_without_a_blur_total_variation_is_scikit_images_by_its_own_measure():
    """Rudin's, Osher's and Fatemi's sum, which theirs makes small in another way: ours is no larger."""
    draw = torch.Generator().manual_seed(3)
    picture = torch.kron(torch.rand(6, 6, generator=draw), torch.ones(8, 8))
    noisy = (picture + 0.05 * torch.randn(48, 48, generator=draw)).clamp(0, 1)
    still = torch.zeros(1, 5, 5)
    still[:, 2, 2] = 1
    grey = (2 * noisy - 1).expand(1, 1, -1, -1)
    ours = (total_variation(grey, still, weight=0.05, rounds=200)[0, 0] + 1) / 2
    theirs = torch.from_numpy(denoise_tv_chambolle(noisy.numpy(), weight=0.05, eps=1e-7, max_num_iter=2000))

    def cost(found: torch.Tensor) -> float:
        down, across = found.diff(dim=0)[:, :-1], found.diff(dim=1)[:-1]
        rise = (down.square() + across.square()).sqrt().sum()
        return float((found - noisy).square().sum() / 2 + 0.05 * rise)

    assert cost(ours) < 1.01 * cost(theirs)
    assert cost(theirs) < 0.8 * cost(noisy)
    assert (ours - theirs).abs().mean() < 0.01


def test_total_variation_undoes_a_known_blur_better_than_wieners_filter_where_all_is_edges():
    draw = torch.Generator().manual_seed(4)
    sharp = 2 * torch.rand(1, 3, 8, 8, generator=draw).repeat_interleave(12, 2).repeat_interleave(12, 3) - 1
    kernel = torch.zeros(9, 9)
    kernel[4, 1:7] = torch.arange(1.0, 7) / 21  # not its own mirror
    blurred = blur(pad(sharp, (4,) * 4, mode="reflect"), kernel)
    blurred = blurred + 0.005 * torch.randn(blurred.shape, generator=draw)
    errors = [
        float((method(blurred, kernel[None]) - sharp).square().mean())
        for method in (total_variation, wiener_filter)
    ]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("restore", [wiener_filter, lucy])
def test_the_true_kernel_gains_and_an_absurd_one_loses(pictures, restore):
    pairs, kernels = pictures
    before = inner_psnr(pairs.input, pairs)
    assert inner_psnr(restore(pairs.input, kernels), pairs) > before + 1
    absurd = disc_kernel(6, 15).expand(len(pairs), -1, -1)
    assert inner_psnr(restore(pairs.input, absurd), pairs) < before


@pytest.mark.parametrize("restore", [wiener_filter, lucy])
def test_a_point_kernel_changes_little_and_shape_and_range_are_kept(restore):
    images = torch.rand(2, 3, 20, 24) * 1.8 - 0.9
    point = linear_kernel(0, 0, 5).expand(2, -1, -1)
    restored = restore(images, point)
    assert restored.shape == images.shape
    assert restored.abs().max() <= 1
    assert (restored - images).abs().mean() < 0.1


def test_a_straight_line_is_its_own_best_straight_line():
    for angle in (0.0, 30.0, 90.0, 135.0):
        kernel = linear_kernel(9, angle, 15)
        overlap = torch.minimum(straight_line(kernel), kernel).sum().item()
        assert overlap > 0.85, angle


def test_the_blind_choice_takes_the_true_kernel_more_often_than_chance():
    """Seven photographs under three kernels each; and the likelihood's choice is right more often still."""
    pairs, kernels = held_out(load_photos("embedded"), CAMERA, 96, each=3)
    by_ringing, by_likelihood = (
        (choose(pairs.input, CAMERA.kernels()) == kernels).all(-1).all(-1).float().mean()
        for choose in (least_ringing_kernel, most_probable_kernel)
    )
    assert by_ringing > 1 / 3
    assert by_likelihood > max(0.8, by_ringing)


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.04])
def test_the_most_probable_kernel_of_a_picture_with_a_natural_spectrum_is_the_true_one(noise):
    """Gaussian noise with power 1/f² is what it takes photographs to be; sixteen such, wrong noise assumed or right."""
    draw = torch.Generator().manual_seed(0)
    frequency = torch.hypot(torch.fft.fftfreq(142)[:, None], torch.fft.fftfreq(142))
    frequency[0, 0] = torch.inf
    white = torch.fft.fft2(torch.randn(16, 1, 142, 142, generator=draw))
    pictures = torch.fft.ifft2(white / frequency).real
    pictures = (0.4 * pictures / pictures.std()).expand(-1, 3, -1, -1)
    camera = Camera()
    family = camera.kernels()
    kernels = family[torch.arange(16) % 4]
    blurry = camera.degrade(pictures, kernels, draw)
    right = (most_probable_kernel(blurry, family, noise=noise) == kernels).all(-1).all(-1)
    assert int(right.sum()) >= 15
    sharper = most_probable_kernel(eight_bits(pictures), torch.cat([family, linear_kernel(0, 0, 15)[None]]))
    assert (sharper == linear_kernel(0, 0, 15)).all()  # and a picture that is not blurred is seen to be so


def test_blurred_pictures_and_kernels_may_lie_on_another_device(elsewhere):
    images, kernel = torch.rand(1, 3, 20, 24), linear_kernel(5, 30, 9)
    for restore in (wiener_filter, lucy):
        here = restore(images, kernel[None])
        assert torch.equal(restore(elsewhere(images), elsewhere(kernel[None])), here)
    assert torch.equal(straight_line(elsewhere(kernel)), straight_line(kernel))
