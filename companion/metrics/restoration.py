"""How close is a restored image to the sharp one? PSNR, SSIM, and a distance in a network's features (chapter 2)."""

import torch
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn.functional import normalize

from companion.errors import CompanionError
from companion.losses import BACKBONES, PerceptualLoss


def psnr(restored: Tensor, sharp: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in decibels, `(N,)`: `10 log₁₀(peak² / mean squared error)`.

    Images `(N, C, H, W)` in [−1, 1], so the peak is 2. Infinite for equal images.
    """
    _check_pair(restored, sharp)
    error = (restored - sharp).square().mean((1, 2, 3))
    return 10 * torch.log10(4 / error)


def aligned_psnr(restored: Tensor, sharp: Tensor, *, reach: int = 8) -> Tensor:
    """The best PSNR of each image over all shifts by up to `reach` whole pixels, `(N,)`.

    A blur and a shift cannot be told apart from blind deblurring's side (Levin et al. 2009, section 5): whoever moves
    the kernel moves the picture. A border of `2 · reach` pixels is left out all round.
    """
    _check_pair(restored, sharp)
    height, width = sharp.shape[-2:]
    edge = 2 * reach
    inner = sharp[..., edge : height - edge, edge : width - edge]
    around = restored[..., edge - reach : height - edge + reach, edge - reach : width - edge + reach]
    count = 2 * reach + 1
    apart = _windows(around.square(), torch.ones_like(inner)) - 2 * _windows(
        around, inner
    )  # but for a constant
    best = apart[..., :count, :count].sum(1).flatten(1).argmin(1).tolist()
    rows, columns = inner.shape[-2:]
    moved = [
        one[:, place // count :, place % count :][:, :rows, :columns]
        for one, place in zip(around, best, strict=True)
    ]
    return psnr(torch.stack(moved), inner)


def _windows(images: Tensor, weights: Tensor) -> Tensor:
    """Sums of images weighted by smaller ones laid over them, at every place where these fit, by Fourier transforms."""
    shape = images.shape[-2:]
    images, weights = images.cpu().double(), weights.cpu().double()  # some devices have no float64
    over = torch.fft.rfft2(images) * torch.fft.rfft2(weights, s=shape).conj()
    sums: Tensor = torch.fft.irfft2(over, s=shape)
    return sums


def ssim(restored: Tensor, sharp: Tensor) -> Tensor:
    """Structural similarity of each image, `(N,)`, 1 for equal ones (Wang et al. 2004, section III.B).

    Scikit-image's, with the paper's Gaussian window (σ = 1.5, 11 pixels) and population covariances; the mean over
    the three channels. Images `(N, C, H, W)` in [−1, 1], at least 11 pixels a side. They are moved to [0, 2] first: the
    comparison of means is of light, which is never negative, and does not stay the same when both are shifted.
    """
    _check_pair(restored, sharp)
    if min(restored.shape[-2:]) < 11:
        raise CompanionError(
            f"SSIM's window is 11 pixels wide and these images are {restored.shape[-2]}×{restored.shape[-1]}; "
            "compare larger ones."
        )
    values = [
        structural_similarity(  # type: ignore[no-untyped-call]
            a.cpu().double().numpy() + 1,
            b.cpu().double().numpy() + 1,
            channel_axis=0,
            data_range=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(restored, sharp, strict=True)
    ]
    return torch.tensor(values, dtype=torch.float32, device=restored.device)


class PerceptualDistance:
    """How different two images look to a network (Zhang et al. 2018, equation 1, with all channel weights one).

    The activations of each chosen layer are scaled to length one at every place, then their squared differences are
    summed over channels, averaged over places, and summed over layers. LPIPS proper weighs the channels by what people
    said of pairs of images; its published weights belong to other backbones than the one at hand here, so the numbers
    compare with each other only, not with published LPIPS.
    """

    def __init__(self, backbone: str = "squeezenet-deep-compression") -> None:
        self.network = PerceptualLoss(backbone)
        self.description = BACKBONES[backbone].description

    @property
    def protocol(self) -> str:
        """Backbone and layers."""
        return f"LPIPS without channel weights on {self.description}"

    @torch.no_grad()
    def __call__(self, restored: Tensor, sharp: Tensor) -> Tensor:
        """The distance of each pair, `(N,)`; images `(N, 3, H, W)` in [−1, 1]."""
        _check_pair(restored, sharp)
        self.network.to(restored.device)
        found, wanted = self.network.activations(restored), self.network.activations(sharp)
        gaps = [
            (normalize(a, eps=1e-10) - normalize(b, eps=1e-10)) for a, b in zip(found, wanted, strict=True)
        ]
        return torch.stack([gap.square().sum(1).mean((1, 2)) for gap in gaps]).sum(0)


def _check_pair(restored: Tensor, sharp: Tensor) -> None:
    if restored.shape != sharp.shape or restored.dim() != 4:
        raise CompanionError(
            f"Two batches of images (N, C, H, W) of one shape can be compared, not {tuple(restored.shape)} and "
            f"{tuple(sharp.shape)}; crop them alike."
        )
