"""Layers and what is done to layers, where more than one network wants it."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, max_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from companion.errors import CompanionError

Network = TypeVar("Network", bound=nn.Module)


def spectrally_normalised(network: Network) -> Network:
    """The same network, each convolution's and linear layer's weight divided by its largest singular value.

    Miyato et al. 2018, algorithm 1: one step of power iteration at each pass in train mode. A convolution's weight is
    taken as a matrix `(out, in · height · width)`, as there, so its slope is bounded but not by exactly 1.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            spectral_norm(layer)
    return network


class SelfAttention(nn.Module):
    """Every place looks at every other: `(N, channels, H, W)` to the same (Zhang et al. 2019, section 3; chapter 7).

    Place j asks with `g(x_j)`, place i answers with the key `f(x_i)` and is worth `h(x_i)`:
    `β_ji = softmax_i(f(x_i)ᵀ g(x_j))` (equation 1), `o_j = v(Σ_i β_ji h(x_i))` (equation 2) and `y_j = γ o_j + x_j`
    (equation 3), γ learnt from 0 on: at first the layer changes nothing. Queries and keys have an eighth of the
    channels, values half of them.

    Keys and values are max-pooled by the smallest whole factor that leaves at most `keys` of them, so the table of
    weights grows with the number of places and not with its square. (The paper reduces only channels. The default
    halves the sides of 16×16 maps and quarters those of 32×32; without pooling, attention over 16×16 maps took longer
    than all other layers.)

    Args:
        channels: Of the feature maps, at least 8.
        keys: The most places that can be looked at.
    """

    def __init__(self, channels: int, *, keys: int = 64) -> None:
        super().__init__()
        if channels < 8 or keys < 1:
            raise CompanionError(
                f"Attention over {channels} channels has no room for queries, which get an eighth of them; "
                "choose a larger width, or no attention."
            )
        self.most = keys
        self.queries = nn.Conv2d(channels, channels // 8, 1, bias=False)  # g
        self.keys = nn.Conv2d(channels, channels // 8, 1, bias=False)  # f
        self.values = nn.Conv2d(channels, channels // 2, 1, bias=False)  # h
        self.out = nn.Conv2d(channels // 2, channels, 1, bias=False)  # v
        self.gain = nn.Parameter(torch.zeros(()))  # γ

    def weights(self, features: Tensor) -> Tensor:
        """How much each place attends to each key, `(N, H · W, keys)`; each row sums to one."""
        asked = self.queries(features).flatten(2).transpose(1, 2)  # (N, H · W, channels / 8)
        found = self._pooled(self.keys(features)).flatten(2)  # (N, channels / 8, keys)
        weights: Tensor = (asked @ found).softmax(2)  # no 1/√d: the paper has none
        return weights

    def forward(self, features: Tensor) -> Tensor:
        """The features, and γ times what each place was told by those it attends to."""
        values = self._pooled(self.values(features)).flatten(2)  # (N, channels / 2, keys)
        told = values @ self.weights(features).transpose(1, 2)  # (N, channels / 2, H · W)
        changed: Tensor = features + self.gain * self.out(torch.unflatten(told, 2, features.shape[2:]))
        return changed

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns in which the keys of maps of this size lie."""
        factor = self._factor(height, width)
        return height // factor, width // factor

    def _factor(self, height: int, width: int) -> int:
        shortest = min(height, width)
        fit = (by for by in range(1, shortest) if (height // by) * (width // by) <= self.most)
        return next(fit, shortest)

    def _pooled(self, maps: Tensor) -> Tensor:
        return max_pool2d(maps, self._factor(*maps.shape[2:]))


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift are those of the image's class (de Vries et al. 2017; chapter 7).

    A class is given by weights `(N, classes)`, one-hot for a class by itself, so that a mixture of classes is
    normalised with the mixture of their scales. With one class it is batch normalisation.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.normal = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Parameter(torch.ones(classes, channels))
        self.shift = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        """Maps `(N, channels, H, W)`, normalised over the batch, then scaled and shifted image by image."""
        scale, shift = (classes @ table for table in (self.scale, self.shift))  # (N, channels) each
        changed: Tensor = self.normal(features) * scale[:, :, None, None] + shift[:, :, None, None]
        return changed


def adaptive_instance_norm(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`scale · (x − μ(x)) / σ(x) + shift` (Huang et al. 2018, section 5.1; chapter 7).

    Mean and deviation are taken over the places of each map by itself, so no image sees its neighbours in the batch.

    Args:
        features: Maps `(N, C, H, W)`.
        scale: One factor for each map, `(N, C)`.
        shift: What is added to each, likewise.
    """
    return instance_norm(features) * scale[:, :, None, None] + shift[:, :, None, None]


class DeformableConv2d(nn.Module):
    """A convolution that chooses at each place where its nine weights look (Dai et al. 2017, equation 2).

    A second convolution says how far each weight's look is moved, by rows and by columns, in pixels; between pixels it
    is interpolated. That one begins at zero, so the layer begins as the convolution it was made of.

    Args:
        convolution: 3×3, padded by 1, at stride 1, without bias; the layer keeps its weights.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight
        self.moves = nn.Conv2d(convolution.in_channels, 2 * 3 * 3, 3, padding=1)
        nn.init.zeros_(self.moves.weight)
        assert self.moves.bias is not None
        nn.init.zeros_(self.moves.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Maps `(N, C, H, W)` to `(N, D, H, W)`."""
        from torchvision.ops import deform_conv2d  # nearly a second, which other layers need not wait for

        looked: Tensor = deform_conv2d(features, self.moves(features), self.weight, padding=1)
        return looked
