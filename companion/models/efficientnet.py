"""EfficientNet-Lite0: MobileNet's inverted bottlenecks, scaled by EfficientNet's rule and freed of what phones lack.

The network of Tan and Le (2019, table 1, B0) as its authors simplified it for small devices (2020): no squeeze-and-
excitation, ReLU6 in place of swish, stem and head never scaled. Here it is the *trunk* alone, up to a chosen stage, as
an encoder of pictures (chapter 5). Its ImageNet weights lie in one file of 18.8 MB under Apache-2.0.

The weights were trained in TensorFlow, whose padding of a strided convolution is uneven: what does not divide comes
at the right and below (`_SamePadding`). Whoever pads evenly reads the same weights half a pixel beside.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from companion.data.assets import fetch

MEAN, STD = 0.498, 0.502  # of the pictures it was trained on, values in [0, 1]: nearly our [−1, 1]
STEM = 32  # channels after the first convolution
STAGES = (  # expansion, channels, blocks, stride of the first, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


class _SamePadding(nn.Conv2d):
    """A convolution padded as TensorFlow does, so that the result has ⌈side / stride⌉ pixels a side."""

    def forward(self, input: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C', ⌈H/stride⌉, ⌈W/stride⌉)`."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        short = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in input.shape[-2:]]
        down, right = short
        return super().forward(pad(input, (right // 2, right - right // 2, down // 2, down - down // 2)))


def _convolution(
    before: int, after: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    convolution = _SamePadding(before, after, kernel, stride, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(after, eps=1e-3, momentum=0.01)]


class InvertedBottleneck(nn.Module):
    """Wide inside, narrow outside (Sandler et al. 2018, figure 3d): expand, look at each channel by itself, project."""

    def __init__(self, before: int, after: int, *, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = before * expansion
        expand = [*_convolution(before, wide), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *expand,
            *_convolution(wide, wide, kernel, stride=stride, groups=wide),
            nn.ReLU6(inplace=True),
            *_convolution(wide, after),
        )
        self.shortcut = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """`(N, before, H, W)` to `(N, after, H/stride, W/stride)`."""
        found: Tensor = self.layers(features)
        return features + found if self.shortcut else found


def trunk(stages: int = len(STAGES), *, pretrained: bool = False) -> nn.Sequential:
    """Stem and first stages, one child each: images `(N, 3, H, W)`, normalised, to features.

    Args:
        stages: How many of the seven; after 1, 2, 3, 4, 5, 6 and 7 of them a picture has 1/2, 1/4, 1/8, 1/16, 1/16,
            1/32 and 1/32 of its side.
        pretrained: With ImageNet's weights, which the asset `efficientnet-lite0` holds.

    Raises:
        CompanionError: The weights cannot be had.
    """
    stem = nn.Sequential(*_convolution(3, STEM, 3, stride=2), nn.ReLU6(inplace=True))
    children: list[nn.Module] = [stem]
    before = STEM
    for expansion, channels, blocks, stride, kernel in STAGES[:stages]:
        chain = []
        for index in range(blocks):
            first = stride if index == 0 else 1
            chain.append(
                InvertedBottleneck(before, channels, expansion=expansion, stride=first, kernel=kernel)
            )
            before = channels
        children.append(nn.Sequential(*chain))
    built = nn.Sequential(*children)
    if pretrained:
        state = torch.load(fetch("efficientnet-lite0"), map_location="cpu", weights_only=True)
        built.load_state_dict(renamed(built.state_dict(), state))
    return built


def renamed(own: Mapping[str, Tensor], published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published tensors under our names: both list them in the order in which the network uses them."""
    return dict(zip(own, published.values(), strict=False))
