"""How well are ruined pictures restored? Everywhere, where they were written over, elsewhere, and by damage."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from companion.metrics import BackboneFeatures, frechet_distance, kernel_distance
from companion.metrics.restoration import PerceptualDistance, psnr, ssim
from companion.restoration.measuring import far_from, masked_psnr, pieces, spectrum
from companion.restoration.pairs import HeldOut

SHRINKS = (1.5, 2.33, 3.17, 4.0)  # limits of the three amounts of damage
FAR = 16  # pixels from the writing, beyond which what happens beside letters does not count


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
            "far": masked_psnr(drawn, target, far_from(marks, FAR)),
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
