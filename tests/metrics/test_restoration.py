"""Guards PSNR, SSIM and the perceptual distance against closed forms, scikit-image and torchmetrics."""

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from companion.errors import CompanionError
from companion.metrics.restoration import PerceptualDistance, aligned_psnr, psnr, ssim


def test_psnr_of_a_known_error():
    """An error of 0.2 everywhere on a range of 2: 20 log₁₀(2 / 0.2) = 20 dB; each image for itself."""
    sharp = torch.zeros(2, 3, 4, 4)
    restored = torch.stack([torch.full((3, 4, 4), 0.2), torch.full((3, 4, 4), 0.02)])
    assert psnr(restored, sharp).tolist() == pytest.approx([20, 40], rel=1e-5)
    assert psnr(sharp, sharp).tolist() == [math.inf] * 2


def test_psnr_is_scikit_images():
    a, b = torch.rand(2, 1, 3, 16, 16) * 2 - 1
    wanted = peak_signal_noise_ratio(b[0].numpy(), a[0].numpy(), data_range=2)
    assert psnr(a, b).item() == pytest.approx(wanted, rel=1e-5)


def test_ssim_of_two_flat_images_is_the_luminance_term():
    """Without variance only (2 μ₁ μ₂ + C₁) / (μ₁² + μ₂² + C₁) remains, of light in [0, 2], C₁ = (0.01 · 2)²."""
    a, b = torch.full((1, 3, 16, 16), 0.5), torch.full((1, 3, 16, 16), 0.3)
    c1 = (0.01 * 2) ** 2
    wanted = (2 * 1.5 * 1.3 + c1) / (1.5**2 + 1.3**2 + c1)
    assert ssim(a, b).item() == pytest.approx(wanted, rel=1e-5)
    assert ssim(a, a).item() == pytest.approx(1)


def test_ssim_of_two_middle_greys_that_hardly_differ_is_nearly_one():
    """About the zero of our scale, where means that were compared as they stand would have opposite signs."""
    assert ssim(torch.full((1, 3, 16, 16), -0.02), torch.full((1, 3, 16, 16), 0.02)).item() > 0.999


def test_ssim_is_near_torchmetrics():
    """Another implementation of the paper's window, which goes another way at the border."""
    functional = pytest.importorskip("torchmetrics.functional.image")
    torch.manual_seed(0)
    a = torch.nn.functional.interpolate(torch.rand(2, 3, 12, 12), size=96, mode="bilinear")
    b = (a + 0.05 * torch.randn(a.shape)).clamp(0, 1)
    wanted = functional.structural_similarity_index_measure(
        b, a, data_range=1.0, gaussian_kernel=True, sigma=1.5, reduction="none"
    )
    assert ssim(b * 2 - 1, a * 2 - 1).tolist() == pytest.approx(wanted.tolist(), abs=0.02)


def test_the_perceptual_distance_is_lpips_formula_with_weights_of_one():
    """Unit-length activations, squared differences summed over channels, averaged over places, summed over layers."""
    distance = PerceptualDistance("untrained")
    a, b = torch.rand(2, 2, 3, 16, 16) * 2 - 1
    wanted = torch.zeros(2)
    with torch.no_grad():
        for x, y in zip(distance.network.activations(a), distance.network.activations(b), strict=True):
            x, y = (f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10) for f in (x, y))
            wanted += (x - y).square().sum(1).mean((1, 2))
    assert distance(a, b).tolist() == pytest.approx(wanted.tolist(), rel=1e-4)
    assert distance(a, a).tolist() == [0, 0]
    assert "without channel weights" in distance.protocol


def test_torchmetrics_lpips_gives_the_same_on_the_same_network():
    """Its SqueezeNet 1.1 with random weights and no channel weights, against ours fed with its activations."""
    lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
    torch.manual_seed(0)
    reference = lpips._LPIPS(pretrained=False, net="squeeze", pnet_rand=True)
    for layer in reference.lins:
        torch.nn.init.ones_(layer.model[-1].weight)
    a, b = torch.rand(2, 2, 3, 64, 64) * 2 - 1
    distance = PerceptualDistance("untrained")
    distance.network.activations = lambda images: list(reference.net(reference.scaling_layer(images)))
    with torch.no_grad():
        wanted = reference(a, b).flatten()
    assert distance(a, b).tolist() == pytest.approx(wanted.tolist(), rel=1e-3)


@pytest.mark.parametrize("measure", [psnr, ssim, PerceptualDistance("untrained")])
def test_images_of_different_shapes_are_refused(measure):
    with pytest.raises(CompanionError, match="crop them alike"):
        measure(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 15))


def test_images_smaller_than_ssims_window_are_refused():
    with pytest.raises(CompanionError, match="11 pixels"):
        ssim(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))


def test_a_shift_costs_an_aligned_comparison_nothing():
    """And a shift further than `reach` does."""
    photo = torch.rand(2, 3, 60, 60, generator=torch.Generator().manual_seed(0)) * 2 - 1
    noisy = photo + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
    straight = aligned_psnr(noisy, photo, reach=4)
    assert torch.allclose(straight, psnr(noisy[..., 8:-8, 8:-8], photo[..., 8:-8, 8:-8]))
    assert torch.allclose(straight, torch.tensor(26.0), atol=0.3)  # 10 log₁₀(4 / 0.1²)
    assert torch.allclose(aligned_psnr(noisy.roll((3, -4), (2, 3)), photo, reach=4), straight, atol=0.05)
    assert (aligned_psnr(noisy.roll(5, 2), photo, reach=4) < 10).all()
