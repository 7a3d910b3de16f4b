"""DCGAN: a generator and a critic made of strided convolutions (Radford et al. 2016; chapter 1).

Followed from the paper: no pooling, no fully connected hidden layers, batch normalisation everywhere but in the
generator's output and the critic's input, ReLU in the generator with tanh at its end, leaky ReLU (slope 0.2) in the
critic, weights drawn from N(0, 0.02²).

Deliberate deviations: 64 normal latents instead of 100 uniform ones; scales of batch normalisation drawn from
N(1, 0.02²), as the authors' code does and the paper does not say; any power-of-two size from 16, any `width` (the
paper's is 128 at 64×64); and a critic without the final sigmoid: it returns scores, and the objective applies the
sigmoid where there is one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from companion.errors import CompanionError
from companion.models.configs import Config
from companion.models.registry import Model, Signature, image, latents

Norm = Callable[[int], nn.Module]


@dataclass(frozen=True)
class DCGANConfig(Config):
    """The numbers that fix both networks' shapes."""

    size: int = 32  # side of the square images, a power of two, at least 16
    channels: int = 1  # 1 grey, 3 RGB, 4 RGBA
    latents: int = 64  # length of z
    width: int = 32  # channels of the widest feature maps at half the image size

    def __post_init__(self) -> None:
        if self.size < 16 or self.size & (self.size - 1):
            raise CompanionError(
                f"DCGAN halves its images down to 4×4, so the size must be a power of two from 16 on, not "
                f"{self.size}; choose 16, 32, 64 or 128."
            )
        if self.channels not in (1, 3, 4):
            raise CompanionError(
                f"Images have 1 (grey), 3 (RGB) or 4 (RGBA) channels, not {self.channels}; choose one of these."
            )
        if self.latents < 1 or self.width < 1:
            raise CompanionError(
                f"A DCGAN needs at least one latent and one channel, not {self.latents} and {self.width}; "
                "choose positive numbers."
            )

    @property
    def widths(self) -> list[int]:
        """Channels at sizes `size/2, size/4, … 4`: doubled each time the size halves."""
        return [self.width * 2**level for level in range(self.size.bit_length() - 3)]


class Generator(nn.Module):
    """Latents `(N, latents)` to images `(N, channels, size, size)` in [−1, 1].

    Each block doubles the size with a transposed convolution (kernel 4, stride 2: the stride divides the kernel, so
    every output pixel is reached equally often and no checkerboard is built in; Odena et al. 2016). `norm` makes the
    normalisation of a hidden layer from its channel count; None leaves it out.
    """

    def __init__(self, config: DCGANConfig, norm: Norm | None = nn.BatchNorm2d) -> None:
        super().__init__()
        self.config = config
        self.latents = config.latents
        widths = config.widths[::-1]  # widest first: from 4×4 upwards
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(config.latents, widths[0], 4, bias=norm is None),  # (N, widest, 4, 4)
            *_normalised(widths[0], norm, nn.ReLU(inplace=True)),
        ]
        for before, after in pairwise(widths):
            layers.append(
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=norm is None)
            )  # size × 2
            layers.extend(_normalised(after, norm, nn.ReLU(inplace=True)))
        layers.append(nn.ConvTranspose2d(widths[-1], config.channels, 4, stride=2, padding=1))
        self.layers = nn.Sequential(*layers, nn.Tanh())
        self.apply(init_weights)

    def forward(self, latents: Tensor) -> Tensor:
        """Draw one image per row of `latents`."""
        images: Tensor = self.layers(latents[:, :, None, None])
        return images


class Critic(nn.Module):
    """Images `(N, channels, size, size)` in [−1, 1] to scores `(N,)`, unbounded: no sigmoid here.

    In chapters 1 and 2 it classifies real against fake and is called the discriminator. `norm` makes the
    normalisation of a hidden layer from its channel count; None leaves it out, as a penalised critic needs.
    """

    def __init__(self, config: DCGANConfig, norm: Norm | None = nn.BatchNorm2d) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        layers: list[nn.Module] = [
            nn.Conv2d(config.channels, widths[0], 4, stride=2, padding=1),  # size / 2
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=norm is None))  # size / 2
            layers.extend(_normalised(after, norm, nn.LeakyReLU(0.2, inplace=True)))
        layers.append(nn.Conv2d(widths[-1], 1, 4))  # (N, 1, 1, 1)
        self.layers = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        scores: Tensor = self.layers(images).flatten()
        return scores


def _normalised(channels: int, norm: Norm | None, activation: nn.Module) -> list[nn.Module]:
    return [activation] if norm is None else [norm(channels), activation]


def init_weights(layer: nn.Module) -> None:
    """Weights of convolutions from N(0, 0.02²), scales of batch normalisation from N(1, 0.02²), biases zero."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
    else:
        return
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _signature(config: DCGANConfig) -> Signature:
    return Signature((latents(config.latents),), (image("images", config.channels, config.size),))


MODELS = (Model("dcgan.Generator", Generator, DCGANConfig, _signature, DCGANConfig(16, 1, 3, 4)),)
