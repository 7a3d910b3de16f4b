"""From images to latents and back, without noise."""

from collections.abc import Mapping

import torch
from torch import Tensor

from companion import pretrained
from companion.environment import beside
from companion.errors import CompanionError, unknown_name
from companion.latent.given import finite, rows
from companion.models.evaluating import evaluating
from companion.models.vae import VAE


def autoencoder(run: str) -> VAE:
    """The autoencoder that a run left, shipped or fetched as `pretrained.load` has it.

    Raises:
        CompanionError: The run left another model, or none.
    """
    model = pretrained.load(run)
    if not isinstance(model, VAE):
        raise CompanionError(f"The run {run} left no autoencoder; make it with: companion reproduce {run}.")
    return model


@torch.no_grad()
def codes(model: VAE, images: Tensor, *, batch: int = 256) -> Tensor:
    """The means φ(x) of images `(N, C, S, S)` in [−1, 1]: `(N, latents)`, float32, on the CPU.

    Raises:
        CompanionError: The images have another size or number of channels than the model's.
    """
    config = model.config
    wanted = (config.channels, config.size, config.size)
    if images.dim() != 4 or tuple(images.shape[1:]) != wanted:
        raise CompanionError(
            f"This autoencoder takes images of shape (N, {', '.join(map(str, wanted))}), not {tuple(images.shape)}; "
            "resize them, or bring them to as many channels."
        )
    images = finite(images, "pixels").float()
    with evaluating(model):
        parts = [model.encoder(beside(model, part))[0].float().cpu() for part in torch.split(images, batch)]
    return torch.cat(parts)


@torch.no_grad()
def decoded(model: VAE, latents: Tensor, *, batch: int = 256) -> Tensor:
    """The images ψ(z) of latents `(N, latents)`: `(N, C, S, S)` in [−1, 1], float32, on the CPU.

    Raises:
        CompanionError: The latents are of another length than the model's, or there are none.
    """
    latents = rows(latents, "latents", length=model.latents)
    with evaluating(model):
        parts = [model.decoder(beside(model, part)).float().cpu() for part in torch.split(latents, batch)]
    return torch.cat(parts).contiguous()


def edited(
    model: VAE, images: Tensor, directions: Mapping[str, Tensor], amounts: Mapping[str, float]
) -> Tensor:
    """`ψ(φ(x) + Σ tᵢ vᵢ)`: the images `(N, C, S, S)` moved along some of the directions.

    Args:
        model: Encodes and decodes.
        images: What is changed.
        directions: vᵢ by name, `(latents,)` each.
        amounts: tᵢ by name; what is not named stays.

    Raises:
        CompanionError: An amount has no direction, or the images do not fit the model.
    """
    latents = codes(model, images)
    for name, amount in amounts.items():
        if name not in directions:
            raise unknown_name("direction", name, directions)
        rows(directions[name][None], "directions", length=model.latents)
        latents = latents + amount * directions[name]
    return decoded(model, latents)
