"""Guards the classical answers: with the true kernel they undo a blur, with a wrong one they do harm."""

import pytest
import torch

from companion.classical import likeliest_kernel, lucy, straight_line, wiener_filter
from companion.data.degrade import Camera, disc_kernel, linear_kernel
from companion.data.pairs import held_out
from companion.data.photos import load_photos
from companion.metrics.restoration import psnr

CAMERA = Camera(shakes=3, noise=0.005)


@pytest.fixture(scope="module")
def pictures():
    return held_out(load_photos("embedded").split("test"), CAMERA, 96)


def inner_psnr(images, pairs):
    return psnr(images[..., 16:-16, 16:-16], pairs.target[..., 16:-16, 16:-16]).mean().item()


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
    """Of three kernels chance takes a third; over three cameras, since in one hand two shakes may be alike."""
    right = []
    for seed in (1, 2, 3):
        camera = Camera(shakes=3, noise=0.005, seed=seed)
        pairs, kernels = held_out(load_photos("embedded"), camera, 96, each=3)
        chosen = likeliest_kernel(pairs.input, camera.kernels())
        right.append((chosen - kernels).abs().sum((1, 2)) == 0)
    assert torch.cat(right).float().mean() >= 0.5


def test_blurred_pictures_and_kernels_may_lie_on_another_device(elsewhere):
    images, kernel = torch.rand(1, 3, 20, 24), linear_kernel(5, 30, 9)
    for restore in (wiener_filter, lucy):
        here = restore(images, kernel[None])
        assert torch.equal(restore(elsewhere(images), elsewhere(kernel[None])), here)
    assert torch.equal(straight_line(elsewhere(kernel)), straight_line(kernel))
