"""Chapter 7's exhibits: attention and translation gone wrong without an error.

Each is a layer, an encoder or a loss of the course with one line changed.
"""

import torch
from torch import Tensor, nn

from companion.layers import SelfAttention
from companion.models.munit import MUNITConfig, StyleEncoder

__all__ = [
    "AttentionOverPlaces",
    "ShownPixels",
    "StyleWithPlaces",
    "UntrainedAttention",
    "batch_instance_norm",
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
