"""Chapter 6's exhibits: how a variational autoencoder goes wrong without an error.

Each is `VAE` or `Variational` with one line changed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.models.vae import VAE, Coded
from companion.variational import Variational, sharpened

__all__ = ["ClippedImages", "DetachedNoise", "LogVarianceAsDeviation", "MeanOverPixels", "NoisyEvaluation"]


@dataclass(frozen=True)
class MeanOverPixels(Variational):
    """The error a mean over pixels, the divergence still a sum: β is C·H·W times what it says, and latents collapse."""

    def gap(self, images: Tensor, coded: Coded, sharpening: float) -> Tensor:
        """The mean of `|T − R|²` over each image's pixels, `(N,)`."""
        drawn = coded.images
        target = sharpened(images, drawn, sharpening) if sharpening else images
        return (target - drawn).square().mean((1, 2, 3))  # the bug: not sum


@dataclass(frozen=True)
class ClippedImages(Variational):
    """Images cut off at [−1, 1] before they are compared: where they lie beyond, they have no gradient and stay."""

    def gap(self, images: Tensor, coded: Coded, sharpening: float) -> Tensor:
        """`Σ |I − R|²` of each image, `(N,)`, R cut off."""
        drawn = coded.raw.clamp(-1, 1)  # the bug: not tanh
        return (images - drawn).square().sum((1, 2, 3))


class LogVarianceAsDeviation(VAE):
    """Takes log σ² for σ: where the encoder says “as the prior”, log σ² = 0, nothing is drawn at all."""

    def draw(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """`z = μ + log σ² ⊙ ε`."""
        return mean + log_variance * torch.randn_like(mean)  # the bug: not (log_variance / 2).exp()


class DetachedNoise(VAE):
    """Draws latents as a sampler does: no gradient comes back through them, and the encoder only learns the prior."""

    def draw(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """`z ~ N(μ, σ²)`."""
        return torch.normal(mean, (log_variance / 2).exp()).detach()  # the bug: not μ + σ ⊙ ε


class NoisyEvaluation(VAE):
    """Draws latents in eval mode, too: the same picture comes back differently each time, and each time worse."""

    def forward(self, images: Tensor) -> Coded:
        """Code the images and decode them again."""
        mean, log_variance = self.encoder(images)
        return Coded(
            self.decoder.raw(self.draw(mean, log_variance)), mean, log_variance
        )  # the bug: always drawn
