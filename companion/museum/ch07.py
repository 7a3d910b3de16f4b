"""Chapter 7's exhibits: attention, translation and likenesses gone wrong without an error.

Each is a layer, an encoder, a loss or a step of the course with one line changed.
"""

import numpy as np
import torch
from torch import Tensor, nn

from companion.data.faces import Faces, exaggerate
from companion.layers import SelfAttention
from companion.likeness.lighting import Gains
from companion.models.munit import MUNITConfig, StyleEncoder
from companion.vision.frames import Picture

__all__ = [
    "AttentionOverPlaces",
    "ShownPixels",
    "StyleWithPlaces",
    "UntrainedAttention",
    "batch_instance_norm",
    "exaggerated_from_drawn_mean",
    "relit_in_bytes",
    "worn_by_halves",
]


class AttentionOverPlaces(SelfAttention):
    """The softmax over the wrong axis: keys share out the places, so a place may be told a lot or nothing at all."""

    def weights(self, features: Tensor) -> Tensor:
        """`(N, H · W, keys)`; each *column* sums to one."""
        asked = self.queries(features).flatten(2).transpose(1, 2)
        found = self._pooled(self.keys(features)).flatten(2)
        weights: Tensor = (asked @ found).softmax(1)  # the bug: not 2
        return weights


class UntrainedAttention(SelfAttention):
    """γ is a number and no parameter: no optimiser knows of it, it stays zero, and the layer never does anything."""

    def __init__(self, channels: int, *, keys: int = 64) -> None:
        super().__init__(channels, keys=keys)
        del self.gain
        self.register_buffer("gain", torch.zeros(()))  # the bug: not nn.Parameter


def batch_instance_norm(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Adaptive instance normalisation with the batch's statistics: a picture's style depends on its neighbours'."""
    mean = features.mean((0, 2, 3), keepdim=True)  # the bug: not (2, 3)
    variance = features.var((0, 2, 3), correction=0, keepdim=True)  # likewise
    normal = (features - mean) / (variance + 1e-5).sqrt()
    return normal * scale[:, :, None, None] + shift[:, :, None, None]


class StyleWithPlaces(StyleEncoder):
    """A style for each of sixteen places instead of one for the picture: it can say what lies where, and contents leak.

    Styles `(N, 16 · styles)`.
    """

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__(config)
        places = 4
        self[-3] = nn.AdaptiveAvgPool2d(places)  # the bug: not 1
        self[-1] = nn.Linear(4 * config.width * places**2, config.styles * places**2)


class ShownPixels(nn.Module):
    """Compares pixels where contents should be compared: what pleases it most is the input, unchanged."""

    def forward(self, translated: Tensor, images: Tensor) -> Tensor:
        """Mean squared difference of the images themselves; a scalar."""
        return (translated - images).square().mean()  # the bug: not of what an encoder says they show


def exaggerated_from_drawn_mean(faces: Faces, strength: float) -> Faces:
    """Measured faces, exaggerated from the mean of drawn ones: the step from photograph to drawing grows as well."""
    return exaggerate(faces, strength)  # the bug: not from the mean of measured people


def worn_by_halves(worn: dict[str, float]) -> dict[str, float]:
    """A probability taken for an amount: everybody wears a little of everything."""
    return dict(worn)  # the bug: no decision


def relit_in_bytes(picture: Picture, gains: Gains) -> Picture:
    """Gains of linear light, multiplied with what is not linear: as if each were taken to the power of 2.2."""
    brighter = picture / 255 * gains  # the bug: sRGB is no light
    return (brighter.clip(0, 1) * 255).round().astype(np.uint8)
