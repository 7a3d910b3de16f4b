"""How well are ruined pictures restored? Everywhere, where they were written over, elsewhere, and by damage."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from companion.metrics import BackboneFeatures, frechet_distance, kernel_distance
from companion.metrics.restoration import PerceptualDistance, psnr, ssim
from companion.restoration.pairs import HeldOut

SHRINKS = (1.5, 2.33, 3.17, 4.0)  # limits of the three amounts of damage
RINGS = 32  # of the power spectrum


@dataclass(frozen=True)
class Judge:
    """Held-out pictures, and the networks that compare."""

    held: HeldOut
    backbone: str  # of perceptual and Fréchet distance; another one than any that was trained with

    def judge(self, drawn: Tensor) -> dict[str, Any]:
        """Scores of restored pictures `(N, 3, H, W)`: each picture's own, and those of all together."""
        target, marks = self.held.pairs.target, self.held.marks
        each = {
            "psnr": psnr(drawn, target),
            "ssim": ssim(drawn, target),
            "distance": self.perceptual(drawn, target),
            "inside": masked_psnr(drawn, target, marks),
            "outside": masked_psnr(drawn, target, ~marks),
        }
        features = self.features(pieces(drawn))
        mean, _ = kernel_distance(self._wanted, features)
        return {
            "each": {name: _numbers(values) for name, values in each.items()},
            "frechet": frechet_distance(self._wanted, features),
            "kernel": mean,
            "spectrum": [round(value, 5) for value in spectrum(drawn).tolist()],
        }

    @cached_property
    def perceptual(self) -> PerceptualDistance:
        """LPIPS's relative."""
        return PerceptualDistance(self.backbone)

    @cached_property
    def features(self) -> BackboneFeatures:
        """What the Fréchet distance compares."""
        return BackboneFeatures(self.backbone)

    @cached_property
    def _wanted(self) -> Tensor:
        return self.features(pieces(self.held.pairs.target))

    @property
    def protocol(self) -> str:
        """On what, and with which networks."""
        photographs = len(self.held) // self.held.each
        side = self.held.pairs.target.shape[-1]
        return f"{len(self.held)} pictures of {photographs} photographs, {side}×{side}"


def _numbers(values: Tensor) -> list[float | None]:
    """For JSON, which has no NaN."""
    return [round(value, 5) if math.isfinite(value) else None for value in values.tolist()]


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
