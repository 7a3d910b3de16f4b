"""A variational autoencoder made of residual blocks (Kingma & Welling 2014; He et al. 2016; chapter 6).

An encoder φ turns an image into a Gaussian over latents, N(μ, diag σ²), a decoder ψ turns latents into an image. From
the paper: the reparameterisation z = μ + σ ⊙ ε (section 2.4), diagonal covariances, an encoder that gives log σ²
(appendix C). The networks are ours: a strided convolution at each halving and a transposed one at each doubling
(kernel 4, stride 2, as in chapter 1), residual blocks between them, no normalisation, so that no image of a batch sees
another. The last convolution of each residual branch begins at zero (De & Smith 2020), which keeps signals in bounds in
its stead. Activations are SiLU (Elfwing et al. 2018): after a hundred steps on portraits the squared error was half of
what ReLU had left.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from companion.errors import CompanionError
from companion.models.configs import MOST_BLOCKS, Config, at_most, positive
from companion.models.registry import Model, Port, Signature, image, latents, vector

SMALLEST = 4  # side of the feature maps between convolutions and the linear layer


@dataclass(frozen=True)
class VAEConfig(Config):
    """The numbers that fix both networks' shapes."""

    size: int = 64  # side of the square images, a power of two, at least 32
    channels: int = 3  # 1 grey, 3 RGB
    latents: int = 64  # length of z
    width: int = 24  # channels at half the image size, doubled at each further halving
    blocks: int = 1  # residual blocks at each size

    def __post_init__(self) -> None:
        if self.size < 32 or self.size & (self.size - 1):
            raise CompanionError(
                f"This autoencoder halves its images down to 4×4, so the size must be a power of two from 32 on, not "
                f"{self.size}; choose 32, 64 or 128."
            )
        if self.channels not in (1, 3):
            raise CompanionError(
                f"This autoencoder takes images of 1 (grey) or 3 (RGB) channels, not {self.channels}; choose one of "
                "these."
            )
        if self.blocks < 0:
            raise CompanionError(f"A model's blocks cannot be {self.blocks}; choose 0 or more.")
        at_most(MOST_BLOCKS, blocks=self.blocks)
        positive(latents=self.latents, width=self.width)

    @property
    def widths(self) -> list[int]:
        """Channels at sizes `size/2, size/4, … 4`."""
        return [self.width * 2**level for level in range(self.size.bit_length() - 3)]


class Coded(NamedTuple):
    """What the autoencoder makes of images `(N, C, S, S)`."""

    raw: Tensor  # the decoder's outputs before tanh, `(N, C, S, S)`
    mean: Tensor  # μ, `(N, latents)`
    log_variance: Tensor  # log σ², `(N, latents)`

    @property
    def images(self) -> Tensor:
        """The reconstructions, in [−1, 1]."""
        return self.raw.tanh()


class ResidualBlock(nn.Module):
    """`x + F(x)`, F two 3×3 convolutions, each after a SiLU; F begins at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Add what the two convolutions found."""
        changed: Tensor = features + self.second(silu(self.first(silu(features))))
        return changed


class Encoder(nn.Module):
    """φ: images `(N, channels, size, size)` in [−1, 1] to mean and log variance, each `(N, latents)`."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        layers: list[nn.Module] = [nn.Conv2d(config.channels, widths[0], 4, stride=2, padding=1)]
        layers += [ResidualBlock(widths[0]) for _ in range(config.blocks)]
        for before, after in pairwise(widths):
            layers += [nn.SiLU(), nn.Conv2d(before, after, 4, stride=2, padding=1)]
            layers += [ResidualBlock(after) for _ in range(config.blocks)]
        self.layers = nn.Sequential(*layers, nn.SiLU(), nn.Flatten())  # (N, widest · 4 · 4)
        self.head = nn.Linear(widths[-1] * SMALLEST**2, 2 * config.latents)
        _initialise(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of the Gaussian that stands for each image."""
        mean, log_variance = self.head(self.layers(images)).chunk(2, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """ψ: latents `(N, latents)` to images `(N, channels, size, size)` in [−1, 1]."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.latents = config.latents
        widths = config.widths[::-1]  # widest first: from 4×4 upwards
        self.foot = nn.Linear(config.latents, widths[0] * SMALLEST**2)
        layers: list[nn.Module] = []
        for before, after in pairwise([*widths, widths[-1]]):  # no blocks at full size, where they cost most
            layers += [ResidualBlock(before) for _ in range(config.blocks)]
            layers += [nn.SiLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
        layers += [nn.SiLU(), nn.Conv2d(widths[-1], config.channels, 3, padding=1)]
        self.layers = nn.Sequential(*layers)
        _initialise(self)

    def raw(self, latents: Tensor) -> Tensor:
        """What the images are before tanh: for a pixel that is black or white, half the log odds of white."""
        raw: Tensor = self.layers(self.foot(latents).view(len(latents), -1, SMALLEST, SMALLEST))
        return raw

    def forward(self, latents: Tensor) -> Tensor:
        """Draw one image per row of `latents`."""
        return self.raw(latents).tanh()


class VAE(nn.Module):
    """Both networks. While learning, latents are drawn about their mean; in eval mode they are the mean itself."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.latents = config.latents
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def draw(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """`z = μ + σ ⊙ ε`, ε from N(0, I) (Kingma & Welling 2014, section 2.4): a gradient reaches μ and σ."""
        return mean + (log_variance / 2).exp() * torch.randn_like(mean)

    def forward(self, images: Tensor) -> Coded:
        """Code the images and decode them again."""
        mean, log_variance = self.encoder(images)
        latents = self.draw(mean, log_variance) if self.training else mean
        return Coded(self.decoder.raw(latents), mean, log_variance)


def _initialise(network: nn.Module) -> None:
    """He et al. 2015, equation 10, as for ReLU; residual branches end in zeros, biases are zero."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            transposed = isinstance(layer, nn.ConvTranspose2d)
            nn.init.kaiming_normal_(
                layer.weight, mode="fan_out" if transposed else "fan_in", nonlinearity="relu"
            )
            if transposed:
                layer.weight.data.mul_(2)  # a quarter of the kernel meets each pixel: stride 2 both ways
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for block in network.modules():
        if isinstance(block, ResidualBlock):
            nn.init.zeros_(block.second.weight)


def _encoder_signature(config: VAEConfig) -> Signature:
    outputs = (vector("mean", config.latents), vector("log_variance", config.latents))
    return Signature((image("images", config.channels, config.size),), outputs)


def _decoder_signature(config: VAEConfig) -> Signature:
    return Signature((latents(config.latents),), (image("images", config.channels, config.size),))


def _signature(config: VAEConfig) -> Signature:
    raw = Port("raw", "image", ("batch", config.channels, config.size, config.size))
    coding = _encoder_signature(config)
    return Signature(coding.inputs, (raw, *coding.outputs))


SMALL = VAEConfig(size=32, channels=1, latents=3, width=4)
MODELS = (
    Model("vae.VAE", VAE, VAEConfig, _signature, SMALL),
    Model("vae.Encoder", Encoder, VAEConfig, _encoder_signature, SMALL),
    Model("vae.Decoder", Decoder, VAEConfig, _decoder_signature, SMALL),
)
