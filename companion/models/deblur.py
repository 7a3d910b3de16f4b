"""Deblurring as a conditional GAN: a residual generator and a convolutional critic (Kupyn et al. 2018; chapter 2).

Followed from the paper (section 3.2 and figure 4): a 7×7 convolution, two strided ones, nine ResNet blocks (He et al.
2016) of two 3×3 convolutions with one shortcut each, two up-sampling ones, a 7×7 convolution with tanh, and a global
shortcut: the network draws the *difference* between the sharp and the blurred image. The critic is a convolutional
one with leaky ReLU (slope 0.2), whose score is the mean over its patches (PatchGAN, Isola et al. 2017).

Deliberate deviations: normalisation is a choice, and off unless asked for. Instance normalisation (the paper's)
divides each channel by its own contrast in the picture at hand, which is what blur changes, and it makes the result
depend on everything else in the tile. Up-sampling kernels are 4×4 (the stride divides the kernel, so no checkerboard
is built in), there is no dropout, the outer padding repeats the border, and the last convolution begins at zero, so
that an untrained generator changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import pad

from companion.errors import CompanionError
from companion.models.configs import MOST_BLOCKS, MOST_HALVINGS, Config, at_most
from companion.models.registry import Model, Signature, image

Norm = Callable[[int], nn.Module]


def _instance_norm(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=True)  # per image and channel: no image sees its neighbours


@dataclass(frozen=True)
class RestorerConfig(Config):
    """The numbers that fix the generator's shape; the defaults are the paper's size (11 million weights)."""

    width: int = 64  # channels at full resolution, doubled at each of the two halvings
    blocks: int = 9  # ResNet blocks at a quarter of the resolution
    normalised: bool = False  # instance normalisation after each convolution but the last
    bounded: bool = True  # tanh at the end, and black and white as bounds; else neither, while training

    def __post_init__(self) -> None:
        if self.width < 1 or self.blocks < 0:
            raise CompanionError(
                f"A restoring generator needs a positive width and no fewer than 0 blocks, not {self.width} and "
                f"{self.blocks}; the paper's are 64 and 9."
            )
        at_most(MOST_BLOCKS, blocks=self.blocks)


class ResidualBlock(nn.Module):
    """`x + F(x)`, F two 3×3 convolutions with a ReLU between them, `(N, channels, H, W)` to the same."""

    def __init__(self, channels: int, norm: Norm | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            *_normalised(channels, norm),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            *_normalised(channels, norm),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Add what the two convolutions found."""
        changed: Tensor = features + self.layers(features)
        return changed


class Restorer(nn.Module):
    """Blurred images `(N, 3, H, W)` in [−1, 1] to restored ones of the same shape and range; any H and W.

    Inside, sides are filled up to a multiple of 4 by repeating the border, and cut back at the end. A pixel of the
    result depends on blurred pixels at most `reach` away, unless the network is normalised.
    """

    def __init__(self, config: RestorerConfig) -> None:
        super().__init__()
        self.config = config
        norm = _instance_norm if config.normalised else None
        w = config.width
        last = nn.Conv2d(w, 3, 7, padding=3, padding_mode="replicate")
        self.layers = nn.Sequential(
            nn.Conv2d(3, w, 7, padding=3, padding_mode="replicate"),  # (N, w, H, W)
            *_normalised(w, norm),
            nn.ReLU(inplace=True),
            *_halving(w, norm),  # (N, 2w, H/2, W/2)
            *_halving(2 * w, norm),  # (N, 4w, H/4, W/4)
            *(ResidualBlock(4 * w, norm) for _ in range(config.blocks)),
            *_doubling(4 * w, norm),  # (N, 2w, H/2, W/2)
            *_doubling(2 * w, norm),  # (N, w, H, W)
            last,
            *([nn.Tanh()] if config.bounded else []),
        )
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    @property
    def reach(self) -> int:
        """How many pixels away a blurred pixel can still change a restored one."""
        return 3 + 1 + 2 + 4 * 2 * self.config.blocks + 4 + 2 + 3  # layer by layer, in pixels of the image

    def forward(self, blurred: Tensor) -> Tensor:
        """The blurred images plus what the network thinks they lack."""
        height, width = blurred.shape[-2:]
        filled = pad(blurred, (0, -width % 4, 0, -height % 4), mode="replicate")
        difference = self.layers(filled)[..., :height, :width]
        restored: Tensor = blurred + difference
        return restored.clamp(-1, 1) if self.config.bounded or not self.training else restored


@dataclass(frozen=True)
class PatchCriticConfig:
    """The numbers that fix the critic's shape."""

    width: int = 64  # channels after the first convolution, doubled by each further one
    halvings: int = 3  # strided convolutions
    normalised: bool = (
        False  # instance normalisation after the inner ones: allowed under a penalty, as batch norm isn't
    )

    def __post_init__(self) -> None:
        if self.width < 1 or self.halvings < 1:
            raise CompanionError(
                f"A critic needs a positive width and at least one halving, not {self.width} and {self.halvings}; "
                "the paper's are 64 and 3."
            )
        at_most(MOST_HALVINGS, halvings=self.halvings)


class PatchCritic(nn.Module):
    """Images `(N, 3, H, W)` in [−1, 1] to scores `(N,)`, unbounded: the mean of the scores of overlapping patches."""

    def __init__(self, config: PatchCriticConfig) -> None:
        super().__init__()
        self.config = config
        norm = _instance_norm if config.normalised else None
        widths = [config.width * 2**level for level in range(config.halvings)]
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))  # size / 2
            layers.extend([*_normalised(after, norm), nn.LeakyReLU(0.2, inplace=True)])
        layers.append(nn.Conv2d(widths[-1], 1, 3, padding=1))  # one score a patch
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        scores: Tensor = self.layers(images).mean((1, 2, 3))
        return scores


def _normalised(channels: int, norm: Norm | None) -> list[nn.Module]:
    return [] if norm is None else [norm(channels)]


def _halving(channels: int, norm: Norm | None) -> list[nn.Module]:
    wider = 2 * channels
    return [
        nn.Conv2d(channels, wider, 3, stride=2, padding=1),
        *_normalised(wider, norm),
        nn.ReLU(inplace=True),
    ]


def _doubling(channels: int, norm: Norm | None) -> list[nn.Module]:
    narrower = channels // 2
    return [
        nn.ConvTranspose2d(channels, narrower, 4, stride=2, padding=1),
        *_normalised(narrower, norm),
        nn.ReLU(inplace=True),
    ]


def _signature(config: RestorerConfig) -> Signature:
    return Signature((image("blurred", 3),), (image("restored", 3),))


MODELS = (Model("deblur.Restorer", Restorer, RestorerConfig, _signature, RestorerConfig(4, 1)),)
