"""What a variational autoencoder minimises: an image that comes back, and a code near the prior (chapter 6).

The chapter's objective, for an image I, its code N(μ, diag σ²) = φ(I) and the image R = ψ(z) drawn from that code:

    Σ |T − R|²  +  β · ½ Σ (μ² + σ² − log σ² − 1)  +  γ Σ |f(I) − f(R)|,    T = I + δ (I − R), f = Sobel

Every Σ goes over all pixels and channels, or over all latents, of *one image*; losses of a batch are means over its
images. The balance hangs on this: with a mean over pixels in the first sum, β = 1 would weigh C·H·W times as much.
As a likelihood, the first sum is a Gaussian's with variance β / 2 for each pixel (Kingma & Welling 2014, appendix C.2,
times 2σ² and without its constant).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from companion.models.vae import Coded
from companion.settings import Settings, option


def gaussian_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(μ, diag σ²) from N(0, I), `(N,)`, in nats (Kingma & Welling 2014, appendix B).

    Args:
        mean: μ, `(N, latents)`.
        log_variance: log σ², likewise.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)


def sobel(images: Tensor) -> Tensor:
    """Slopes of images `(N, C, H, W)`, `(N, 2C, H, W)`: rightwards for each channel, then downwards.

    Sobel's two 3×3 kernels over 8, so that a ramp that rises by a per pixel gives a. The border is repeated.
    """
    padded = pad(images, (1, 1, 1, 1), mode="replicate")
    rows, columns = _smoothed(padded, 2), _smoothed(padded, 3)
    across = (rows[..., 2:] - rows[..., :-2]) / 2
    down = (columns[..., 2:, :] - columns[..., :-2, :]) / 2
    return torch.cat([across, down], 1)


def _smoothed(images: Tensor, dimension: int) -> Tensor:
    """Weighted by ¼, ½, ¼ along one dimension, which grows shorter by 2."""
    length = images.shape[dimension] - 2
    before, here, after = (images.narrow(dimension, start, length) for start in range(3))
    return (before + after) / 4 + here / 2


def edge_gap(images: Tensor, drawn: Tensor) -> Tensor:
    """`Σ |f(I) − f(R)|` of each pair, `(N,)`: how far the slopes of two batches `(N, C, H, W)` lie apart."""
    return (sobel(images) - sobel(drawn)).abs().sum((1, 2, 3))


def sharpened(images: Tensor, drawn: Tensor, strength: float) -> Tensor:
    """The target `I + δ (I − R)`, cut off at [−1, 1], through which no gradient goes; `(N, C, H, W)`.

    R is a blurred I, so this is an unsharp mask. Where nothing is cut off, `T − R` is `(1 + δ)(I − R)`, and the
    gradient of its square that of the squared error times 1 + δ.
    """
    return (images + strength * (images - drawn)).clamp(-1, 1).detach()


@dataclass(frozen=True)
class Variational(Settings):
    """The chapter's objective with squared errors; with δ = γ = 0 that of a plain VAE."""

    beta: float = option(1.0, least=0)  # β, of the divergence
    sharpening: float = option(0.0, least=0)  # δ, of the target
    sobel: float = option(0.0, least=0)  # γ, of the edges
    warm_up: int = option(0, least=0)  # steps in which β rises from 0
    edges_from: int = option(0, least=0)  # step from which δ and γ rise from 0
    edges_over: int = option(0, least=0)  # steps in which they rise

    def losses(self, images: Tensor, coded: Coded, step: int) -> dict[str, Tensor]:
        """The three terms at a step, weights included, scalars: means over the batch of images `(N, C, H, W)`."""
        beta = self.beta * risen(step, 0, self.warm_up)
        late = risen(step, self.edges_from, self.edges_over)
        drawn = coded.images
        terms = {
            "reconstruction_loss": self.gap(images, coded, self.sharpening * late).mean(),
            "divergence_loss": beta * gaussian_divergence(coded.mean, coded.log_variance).mean(),
        }
        if self.sobel:
            terms["edge_loss"] = self.sobel * late * edge_gap(images, drawn).mean()
        return terms

    def gap(self, images: Tensor, coded: Coded, sharpening: float) -> Tensor:
        """`Σ |T − R|²` of each image, `(N,)`."""
        drawn = coded.images
        target = sharpened(images, drawn, sharpening) if sharpening else images
        return (target - drawn).square().sum((1, 2, 3))


@dataclass(frozen=True)
class Bernoulli(Variational):
    """The objective for images of black and white pixels (−1 and 1): the evidence lower bound itself, at β = 1.

    A decoder's output before tanh is half the log odds of white, since (1 + tanh a) / 2 = 1 / (1 + exp(−2a)).
    """

    def gap(self, images: Tensor, coded: Coded, sharpening: float) -> Tensor:
        """Minus the log probability of each image, `(N,)`, in nats."""
        return -bernoulli_likelihood(images, coded.raw)


def bernoulli_likelihood(images: Tensor, raw: Tensor) -> Tensor:
    """Log probability of each black and white image `(N, C, H, W)` under a decoder's raw outputs, `(N,)`, in nats.

    Grey images give the expected log probability of an image whose pixels are white as often as they are bright.
    """
    return -binary_cross_entropy_with_logits(2 * raw, (images + 1) / 2, reduction="none").sum((1, 2, 3))


def risen(step: int, start: int, over: int) -> float:
    """What part of a weight that rises from 0 to 1, from a step on and in so many steps, is reached at a step."""
    return float(step >= start) if over == 0 else min(1.0, max(0.0, (step - start) / over))
