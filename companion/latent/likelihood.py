"""How probable images are to a VAE, and which of its latents it uses (Burda et al. 2016)."""

import math

import torch
from torch import Tensor

from companion.environment import beside
from companion.models.evaluating import evaluating
from companion.models.vae import VAE
from companion.randomness import generator
from companion.variational import bernoulli_likelihood


@torch.no_grad()
def log_likelihood(
    model: VAE, images: Tensor, *, draws: int = 1000, seed: int = 0, chunk: int = 250
) -> Tensor:
    """An estimate from below of log p(x) for each black and white image `(N, C, S, S)`, `(N,)`, in nats.

    Importance-weighted (Burda et al. 2016, equation 8): the log of the mean of p(x | z) p(z) / q(z | x) over draws of z
    from the encoder's Gaussian. With one draw it is the evidence lower bound; it rises towards log p(x) with their
    number.

    Args:
        model: With a Bernoulli decoder, see `companion.variational.Bernoulli`.
        images: Pixels −1 or 1.
        draws: Of z for each image; the published figures take 5000.
        seed: Fixes the draws.
        chunk: Draws decoded at once.
    """
    found = []
    with evaluating(model):
        for index, one in enumerate(beside(model, images)):
            mean, log_variance = model.encoder(one[None])
            noise = torch.randn(draws, mean.shape[1], generator=generator(seed, "importance", index)).to(mean)
            latents = mean + (log_variance / 2).exp() * noise
            prior = -0.5 * latents.square().sum(1)
            posterior = -0.5 * (noise.square() + log_variance).sum(
                1
            )  # both without (2π)^(−D/2), which cancels
            fits = torch.cat(
                [
                    bernoulli_likelihood(one.expand(len(part), -1, -1, -1), model.decoder.raw(part))
                    for part in torch.split(latents, chunk)
                ]
            )
            found.append(torch.logsumexp(fits + prior - posterior, 0) - math.log(draws))
    return torch.stack(found).cpu()


def active_units(codes: Tensor, *, threshold: float = 0.01) -> int:
    """How many latents carry something: those whose mean varies over the images by more than a variance of 0.01.

    Burda et al. 2016, section 5.2. A collapsed latent's mean is 0 whatever the image.

    Args:
        codes: Means φ(x), `(N, latents)`.
        threshold: The variance.
    """
    return int((codes.var(0) > threshold).sum())
