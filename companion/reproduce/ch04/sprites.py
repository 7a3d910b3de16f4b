"""A colour WGAN under a gradient penalty, on sprites with an alpha channel."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion.data import Images, load
from companion.metrics import BackboneFeatures, FeatureExtractor, Measurement, measure
from companion.models.store import load_model
from companion.objectives import WassersteinGP
from companion.reproduce.following import finished_run
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.samples import over_white
from companion.training.gan import ColourSettings

# Three critic steps instead of the paper's five, and twice its rate: a laptop's budget then buys more generator steps.
PENALISED = ColourSettings(
    data="sprites",
    objective=WassersteinGP(critic_steps=3),
    critic_rate=2e-4,
    generator_rate=2e-4,
    seed=1,
)
AT_BUDGET: dict[str, dict[str, Any]] = {
    "debug": {"steps": 6, "batch": 4, "width": 2, "size": 16, "data": "digits"},
    "laptop": {"steps": 4000},
    "gpu": {"width": 48, "steps": 30000, "batch": 64, "device": "auto"},
}
NOVELTY = (
    "Euclidean over pixels and channels, mean over the samples, in units of how far the nearest sprite of another "
    "motif is from a training sprite"
)


def sprites_wgan_gp(job: Job) -> Result:
    """Busts with an alpha channel, measured on white beside those it was trained on: too few to hold some back."""
    settings = replace(PENALISED, **AT_BUDGET[job.budget])
    images = load(settings.data, size=settings.size)
    assert images.labels is not None
    extractor = BackboneFeatures("untrained") if job.debug else BackboneFeatures()
    real = over_white(images[: 20 if job.debug else None])
    key = f"seed-{settings.seed}"
    found = job.once(f"quality/{key}", partial(_quality, job, key, settings, images, real, extractor))
    about = (
        f"{extractor.protocol}, {len(real)} real and {len(real)} fake images, moving average of the generator"
    )
    metrics = [
        Measurement("Fréchet distance", found["frechet"], f"{about}, one seed"),
        Measurement("kernel distance", found["kernel"], f"{about}, one seed"),
        Measurement("distance to the nearest training sprite", found["novelty"], f"{NOVELTY}, one seed"),
    ]
    trained_on = {"pictures": len(images), "motifs": int(images.labels.max()) + 1}
    details = {"runs": [{"seed": settings.seed, **found}], "trained on": trained_on}
    model = load_model(job.work / key / "generator.safetensors")
    return Result(
        {**settings.as_json(), "precision": "float32"}, [settings.seed], metrics, details, model=model
    )


def _quality(
    job: Job, key: str, settings: ColourSettings, images: Images, real: Tensor, extractor: FeatureExtractor
) -> dict[str, float]:
    trainer, _ = finished_run(job, key, settings, lambda trainer: None)
    fake = trainer.sample(len(real), seed=0)
    frechet, kernel = measure(real, over_white(fake), extractor)
    return {"frechet": frechet.value, "kernel": kernel.value, "novelty": novelty(images, fake)}


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
    "sprites-wgan-gp": Recipe("WGAN-GP on sprites with an alpha channel at 64×64", 4, sprites_wgan_gp),
}
