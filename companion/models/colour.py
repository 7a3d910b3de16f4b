"""The colour generator: uniform latents, shaped to 4×4 and grown by resize-convolutions (chapter 4).

Where DCGAN grows its images with transposed convolutions, this one repeats every pixel and then convolves (Odena et
al. 2016, “Deconvolution and checkerboard artifacts”): no output pixel is reached more often than its neighbour, so no
checkerboard can appear, and colour areas come out flat. Its critic is DCGAN's without normalisation
(`companion.models.dcgan.Critic`).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from companion.models.configs import Config
from companion.models.dcgan import DCGANConfig
from companion.models.registry import Model, Signature, image, latents


@dataclass(frozen=True)
class ColourConfig(Config):
    """The numbers that fix the generator's shape, and what its latents are drawn from."""

    size: int = 64  # side of the square images, a power of two, at least 16
    channels: int = 3  # 1 grey, 3 RGB, 4 RGBA with the colours multiplied by alpha
    latents: int = 100  # length of z
    width: int = 32  # channels at half the image size, doubled at each halving
    uniform: bool = True  # latents uniform on [0, 1]; else standard normal

    def __post_init__(self) -> None:
        _ = self.critic  # refuses what cannot be halved down to 4×4, or has no such channels

    @property
    def critic(self) -> DCGANConfig:
        """The shape of the critic for these images; `width` channels at half the image size there too."""
        return DCGANConfig(self.size, self.channels, self.latents, self.width)


class Generator(nn.Module):
    """Latents `(N, latents)` to images `(N, channels, size, size)` in [−1, 1].

    A linear layer shapes the latents to 4×4; each block then doubles the size, convolves, normalises over the batch
    and applies ReLU; a last convolution and tanh give the channels.
    """

    def __init__(self, config: ColourConfig) -> None:
        super().__init__()
        self.config = config
        self.latents = config.latents
        widths = [*config.critic.widths[::-1], max(8, config.width // 2)]  # from 4×4 up to the full size
        layers: list[nn.Module] = [
            nn.Linear(config.latents, widths[0] * 4 * 4, bias=False),
            nn.BatchNorm1d(
                widths[0] * 4 * 4
            ),  # each number by itself: takes the uniform latents' mean out too
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (widths[0], 4, 4)),  # (N, widest, 4, 4)
        ]
        for before, after in pairwise(widths):
            layers += [
                nn.Upsample(scale_factor=2, mode="nearest"),  # size × 2
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.Conv2d(widths[-1], config.channels, 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: Tensor) -> Tensor:
        """Draw one image per row of `latents`."""
        images: Tensor = self.layers(latents)
        return images

    def draw_latents(self, count: int, device: torch.device) -> Tensor:
        """Latents from this generator's prior, `(count, latents)`, from torch's current random state."""
        draw = torch.rand if self.config.uniform else torch.randn
        return draw(count, self.latents, device=device)


def _signature(config: ColourConfig) -> Signature:
    drawn = latents(config.latents, uniform=config.uniform)
    return Signature((drawn,), (image("images", config.channels, config.size),))


MODELS = (Model("colour.Generator", Generator, ColourConfig, _signature, ColourConfig(16, 3, 3, 4)),)
