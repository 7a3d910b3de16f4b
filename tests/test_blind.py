"""Guards the kernel found without a network: on a picture of edges it is about the true one, and centred."""

import math

import pytest
import torch
from torch.nn.functional import pad

from companion.blind import ENOUGH, blind_kernel, evidence, likeliest_blur, steepness, woodcut
from companion.classical import unsupervised, wiener_filter
from companion.data.anyblur import delta, gaussians
from companion.data.degrade import Camera, blur
from companion.data.pairs import held_out
from companion.data.photos import load_photos
from companion.metrics.restoration import aligned_psnr


@pytest.fixture(scope="module")
def pictures():
    photos = load_photos("embedded").split("test")
    return held_out(photos, Camera(shakes=2, seed=5, size=11, length=12, noise=0.001), 160)


def test_a_found_kernel_is_light_shared_out_and_lies_in_the_middle(pictures):
    found = blind_kernel(pictures[0].input[0], 11)
    assert found.shape == (11, 11)
    assert (found >= 0).all()
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    at = torch.arange(11) - 5.0
    assert (found.sum(0) * at).sum().abs() <= 0.51
    assert (found.sum(1) * at).sum().abs() <= 0.51


def test_on_a_cartoon_the_true_kernel_comes_out():
    """Black and white rectangles are what the method hopes for: few edges, all of them strong."""
    draw = torch.Generator().manual_seed(0)
    scene = torch.full((1, 1, 150, 150), -0.6)
    for _ in range(40):
        top, left, height, width = (int(torch.randint(low, high, (), generator=draw)) for low, high in RANGES)
        scene[..., top : top + height, left : left + width] = (
            float(torch.rand((), generator=draw)) * 1.2 - 0.6
        )
    kernel = Camera(shakes=1, seed=5, size=11, length=12).kernels()[0]
    found = blind_kernel(blur(scene, kernel)[0], 11)
    assert likeness(found, kernel) > 0.85
    assert likeness(found, kernel) > likeness(found, kernel.flip(1)) + 0.1


RANGES = ((0, 130), (0, 130), (10, 50), (10, 50))


def likeness(one, other):
    """The largest normalised correlation over shifts by up to three pixels."""
    shifts = [(down, right) for down in range(-3, 4) for right in range(-3, 4)]
    moved = [one.roll(shift, (0, 1)) for shift in shifts]
    return max(float((each * other).sum() / (each.norm() * other.norm())) for each in moved)


def test_the_unsupervised_filter_gains_with_the_true_kernel_and_repeats_itself(pictures):
    pairs, kernels = pictures
    grey = pairs[:1].input[:, :1, :80, :80], pairs[:1].target[:, :1, :80, :80]
    found = unsupervised(grey[0], kernels[:1])
    assert torch.equal(found, unsupervised(grey[0], kernels[:1]))
    assert aligned_psnr(found, grey[1], reach=2) > aligned_psnr(grey[0], grey[1], reach=2) + 1
    assert (found - wiener_filter(grey[0], kernels[:1])).abs().mean() < 0.2


@pytest.mark.slow
def test_a_shaken_photograph_has_a_blur_and_a_sharp_one_none(pictures):
    pairs, kernels = pictures
    shaken, sharp = likeliest_blur(pairs.input[0], (9, 15)), likeliest_blur(pairs.target[0], (9, 15))
    assert shaken.sure
    assert not sharp.sure
    assert shaken.kernel.shape == (15, 15)
    assert likeness(shaken.kernel, pad(kernels[0], (2,) * 4)) > 0.6


def test_a_drawing_is_too_steep_for_any_blur_though_a_kernel_explains_it():
    """A rectangle on an even ground: every edge is of one height, so a long kernel costs the likelihood nothing."""
    drawn = torch.full((3, 130, 130), -0.6)
    drawn[:, 30:90, 40:100] = 0.7
    found = likeliest_blur(drawn, (9, 15))
    assert found.evidence > ENOUGH
    assert found.steepness > 2
    assert not found.sure


def test_an_edge_is_as_steep_as_its_kernel_leaves_it(pictures):
    """A straight edge of the whole range is 1 once blurred; before, it is one over the kernel's fullest line."""
    _, kernels = pictures
    sharp = torch.full((3, 60, 60), -0.5)
    sharp[:, :, 30:] = 0.9
    for kernel in kernels:
        for picture, turned in ((sharp, kernel), (sharp.mT, kernel.mT)):
            blurred = blur(picture[None], turned)[0]
            assert steepness(blurred, turned) == pytest.approx(1, rel=1e-4)
            assert steepness(picture, turned) == pytest.approx(1 / float(kernel.sum(0).max()), rel=1e-4)
    assert steepness(sharp[:, :1, :1], kernels[0]) == 0


def test_the_true_kernel_has_more_evidence_than_its_mirror_no_blur_or_more_freedom(pictures):
    pairs, kernels = pictures
    family = torch.stack([kernels[0], gaussians(torch.tensor([2.0]), 11)[0], delta(11), kernels[0]])
    true, soft, none, dear = evidence(pairs.input[0], family, torch.tensor([0, 0, 0, 121]))
    assert true > max(soft, none)
    pixels = 160 * 160
    assert (true - dear).item() == pytest.approx(121 * math.log(pixels) / pixels, rel=1e-4)


def test_a_picture_too_small_for_any_kernel_has_no_blur():
    found = likeliest_blur(torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(1)))
    assert not found.sure
    assert torch.equal(found.kernel, delta(41))


@pytest.mark.parametrize("shape", [(3, 60, 60), (3, 1, 50), (3, 50, 1), (3, 1, 1), (3, 30, 30)])
@pytest.mark.parametrize("value", [-1.0, 0.2, 1.0])
@pytest.mark.slow
def test_a_flat_picture_has_no_blur(shape, value):
    found = likeliest_blur(torch.full(shape, value))
    assert not found.sure
    assert found.kernel.sum().item() == pytest.approx(1)
    assert torch.isfinite(blind_kernel(torch.full((3, 60, 60), value), 9)).all()


def test_a_woodcut_has_few_edges_and_the_kernel_turns_it_into_the_blurred_picture(pictures):
    pairs, kernels = pictures
    grey = (pairs.input[0].mean(0) + 1) / 2
    cut = woodcut(grey, kernels[0])
    assert cut.shape == grey.shape
    again = blur(cut[None, None], kernels[0])[0, 0]
    inner = slice(5, -5)
    left = (again - grey[inner, inner]).abs().mean()
    assert left < 0.3 * (grey - grey.mean()).abs().mean()  # fur is given up, what it lies on is not
    edges = [(one.diff(dim=1).abs() > 1e-2).double().mean().item() for one in (cut, grey)]
    assert edges[0] < 0.7 * edges[1]
