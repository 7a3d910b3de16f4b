"""What is restored where: PSNR under a mask, pieces of pictures, and how much fine detail there is (chapter 5)."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

RINGS = 32  # of the power spectrum


def masked_psnr(drawn: Tensor, wanted: Tensor, marks: Tensor) -> Tensor:
    """PSNR of each picture over the marked pixels alone, in decibels, `(N,)`; NaN where none is marked.

    Args:
        drawn: `(N, 3, H, W)` in [−1, 1].
        wanted: Likewise.
        marks: `(N, 1, H, W)`, bool.
    """
    error = (drawn - wanted).square().mean(1, keepdim=True) * marks
    mean = error.sum((1, 2, 3)) / marks.sum((1, 2, 3))
    return 10 * torch.log10(4 / mean)


def far_from(marks: Tensor, pixels: int) -> Tensor:
    """Where no mark lies within a square that reaches so many pixels each way: `(N, 1, H, W)`, bool, like the marks."""
    return max_pool2d(marks.float(), 2 * pixels + 1, stride=1, padding=pixels) == 0


def pieces(images: Tensor) -> Tensor:
    """The four quarters of each picture, `(4N, 3, H/2, W/2)`."""
    side = images.shape[-1] // 2
    cut = images.unfold(2, side, side).unfold(3, side, side)  # (N, 3, 2, 2, side, side)
    return cut.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1], side, side)


def spectrum(images: Tensor, rings: int = RINGS) -> Tensor:
    """Mean power of grey pictures by spatial frequency, `(rings,)`, from 0 to Nyquist's half a period a pixel.

    Pictures `(N, 3, H, W)` in [−1, 1]; a Hann window keeps the border's jump out.
    """
    grey = images.mean(1)
    grey = grey - grey.mean((1, 2), keepdim=True)
    height, width = grey.shape[1:]
    window = torch.hann_window(height, False)[:, None] * torch.hann_window(width, False)
    power = torch.fft.fft2(grey * window).abs().square().mean(0)
    down, right = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)
    ring = (torch.hypot(down, right) * 2 * rings).long()
    inside = ring < rings
    sums = torch.zeros(rings).index_add_(0, ring[inside], power[inside])
    return sums / torch.bincount(ring[inside], minlength=rings)
