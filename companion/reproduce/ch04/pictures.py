"""Colour WGANs under a gradient penalty: chapter 3's on drawn portraits, and one on sprites with an alpha channel."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from companion.data import Images, load
from companion.metrics import BackboneFeatures
from companion.objectives import WassersteinGP
from companion.reproduce.ch03.portraits import DEBUG, GPU, SEEDS, Quality, measured_over_seeds, on_portraits
from companion.reproduce.job import Job, Recipe, Result
from companion.training.gan import ColourSettings

# Three critic steps instead of the paper's five, and twice its rate: a laptop's budget then buys more generator steps.
PENALISED = ColourSettings(objective=WassersteinGP(critic_steps=3), critic_rate=2e-4, generator_rate=2e-4)


def colour_wgan_gp(job: Job) -> Result:
    """Chapter 3's networks on the same data under a gradient penalty."""
    return on_portraits(job, PENALISED)


def sprites_wgan_gp(job: Job) -> Result:
    """Busts with an alpha channel, measured on white beside those it was trained on: too few to hold some back."""
    at_budget = {"debug": DEBUG, "laptop": {"steps": 4000}, "gpu": GPU}
    settings = replace(PENALISED, **{"data": "sprites", **at_budget[job.budget]})
    images = load(settings.data, size=settings.size)
    extractor = BackboneFeatures("untrained") if job.debug else BackboneFeatures()
    assert images.labels is not None
    real = images[: 20 if job.debug else None]
    title = "distance to the nearest training sprite"
    further = {"novelty": Quality(title, NOVELTY, partial(novelty, images))}
    result = measured_over_seeds(job, settings, SEEDS[:1], real, extractor, further)
    result.details["trained on"] = {"pictures": len(images), "motifs": int(images.labels.max()) + 1}
    return result


NOVELTY = (
    "Euclidean over pixels and channels, mean over the samples, in units of how far the nearest sprite of another "
    "motif is from a training sprite"
)


def novelty(images: Images, fake: Tensor) -> float:
    """How far samples are from the nearest training image: 0 for copies, about 1 for what differs as two motifs do.

    Args:
        images: The training set; images with the same label are versions of one motif.
        fake: Samples `(N, C, H, W)`.
    """
    assert images.labels is not None
    real = images[:].flatten(1)
    apart = torch.cdist(real, real)
    apart[images.labels[:, None] == images.labels] = torch.inf
    return float(torch.cdist(fake.flatten(1), real).amin(1).mean() / apart.amin(1).mean())


RECIPES: dict[str, Recipe] = {
    "colour-wgan-gp": Recipe("Colour WGAN-GP on drawn portraits at 64×64", 4, colour_wgan_gp),
    "sprites-wgan-gp": Recipe("WGAN-GP on sprites with an alpha channel at 64×64", 4, sprites_wgan_gp),
}
