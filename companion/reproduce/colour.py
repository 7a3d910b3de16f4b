"""Chapters 3 and 4: colour WGANs on drawn portraits, clipped and penalised, and on sprites with an alpha channel."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion.data import Images, load
from companion.metrics import BackboneFeatures, FaceFeatures, FeatureExtractor, Measurement, measure
from companion.models.store import load_model
from companion.objectives import Wasserstein, WassersteinGP
from companion.reproduce.following import finished_run
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import ColourSettings
from companion.viz import over

SEEDS = [1, 2, 3]
DEBUG: dict[str, Any] = {"steps": 6, "batch": 4, "width": 2, "size": 16, "data": "digits"}
GPU: dict[str, Any] = {"width": 48, "steps": 30000, "batch": 64, "device": "auto"}
# Three critic steps instead of the paper's five, and twice its rate: a laptop's budget then buys more generator steps.
PENALISED = ColourSettings(objective=WassersteinGP(critic_steps=3), critic_rate=2e-4, generator_rate=2e-4)
Quality = Callable[[Tensor], dict[str, float]]
MEASURED = {
    "frechet": "Fréchet distance",
    "kernel": "kernel distance",
    "novelty": "distance to the nearest training sprite",
}


def colour_wgan(job: Job) -> Result:
    """The colour WGAN on drawn portraits, its critic's weights clipped, at its paper's own rates and steps."""
    return _on_portraits(job, ColourSettings(objective=Wasserstein()))


def colour_wgan_gp(job: Job) -> Result:
    """The same networks on the same data under a gradient penalty."""
    return _on_portraits(job, PENALISED)


def portraits_best(job: Job) -> Result:
    """One longer and wider run of the penalised game: the portraits that the book ships, with its curve."""
    at_budget = {"debug": DEBUG, "laptop": {"steps": 20_000}, "gpu": {**GPU, "steps": 60_000}}
    settings = replace(PENALISED, critic_rate=5e-4, generator_rate=5e-4, **at_budget[job.budget])
    test, count = (settings.data, 20) if job.debug else (f"{settings.data}-test", None)
    real = load(test, size=settings.size)[:count]
    extractor = FaceFeatures()
    every = max(1, settings.steps // 20)

    def quality(trainer: AdversarialTrainer) -> dict[str, Any]:
        found, kernel = measure(real, trainer.sample(len(real), seed=0), extractor)
        return {
            "step": trainer.step,
            "frechet": found.value,
            "kernel": kernel.value,
            "protocol": found.protocol,
        }

    def measured(trainer: AdversarialTrainer) -> None:
        if trainer.step and trainer.step % every == 0:
            job.once(f"quality/{trainer.step:06d}", partial(quality, trainer))

    trainer, _ = finished_run(job, "run", settings, measured)
    points = sorted((job.work / "quality").glob("*.json"))
    curve = [job.once(f"quality/{point.stem}", dict) for point in points]
    last = curve[-1]
    protocol = f"{last['protocol']}, moving average of the generator, one seed"
    metrics = [Measurement(MEASURED[key], last[key], protocol) for key in ("frechet", "kernel")]
    halves, _ = measure(real[0::2], real[1::2], extractor)
    metrics.append(replace(halves, name="Fréchet distance of two halves of the reference"))
    about = {**settings.as_json(), "precision": "float32"}
    return Result(about, [settings.seed], metrics, {"curve": curve}, model=trainer.average.module)


def sprites_wgan_gp(job: Job) -> Result:
    """Busts with an alpha channel, measured on white beside those it was trained on: too few to hold some back."""
    at_budget = {"debug": DEBUG, "laptop": {"steps": 4000}, "gpu": GPU}
    settings = replace(PENALISED, **{"data": "sprites", **at_budget[job.budget]})
    images = load(settings.data, size=settings.size)
    extractor = BackboneFeatures("untrained") if job.debug else BackboneFeatures()
    assert images.labels is not None
    real = _on_white(images[: 20 if job.debug else None])

    def further(fake: Tensor) -> dict[str, float]:
        return {"novelty": novelty(images, fake)}

    result = _over_seeds(job, settings, SEEDS[:1], real, extractor, further)
    result.details["trained on"] = {"pictures": len(images), "motifs": int(images.labels.max()) + 1}
    return result


def _on_portraits(job: Job, settings: ColourSettings) -> Result:
    """Measured beside people nobody was trained on; the floor is what other real portraits reach."""
    at_budget = {"debug": DEBUG, "laptop": {"width": 16, "steps": 3000}, "gpu": GPU}
    settings = replace(settings, **at_budget[job.budget])
    test, count = (settings.data, 20) if job.debug else (f"{settings.data}-test", None)
    real = load(test, size=settings.size)[:count]
    extractor = FaceFeatures()
    result = _over_seeds(job, settings, SEEDS, real, extractor, lambda fake: {})
    floor, _ = measure(real, load(settings.data, size=settings.size)[: len(real)], extractor)
    protocol = floor.protocol.replace("fake", "training")
    result.metrics.append(replace(floor, name="Fréchet distance of real training images", protocol=protocol))
    return result


def _over_seeds(
    job: Job,
    settings: ColourSettings,
    seeds: list[int],
    real: Tensor,
    extractor: FeatureExtractor,
    further: Quality,
) -> Result:
    """A run for each seed, measured at its end; the weights of the best are kept."""
    seeds = seeds[:2] if job.debug else seeds
    runs: list[dict[str, Any]] = []
    for seed in seeds:
        one = partial(_one, job, replace(settings, seed=seed), real, extractor, further)
        runs.append({"seed": seed, **job.once(f"quality/seed-{seed}", one)})
    about = (
        f"{extractor.protocol}, {len(real)} real and {len(real)} fake images, moving average of the generator"
    )
    metrics: list[Measurement] = []
    for key in [key for key in MEASURED if key in runs[0]]:
        found = over_seeds(MEASURED[key], [run[key] for run in runs])
        protocol = f"{NOVELTY if key == 'novelty' else about}, {found.protocol}"
        metrics.append(replace(found, protocol=protocol))
    best = min(runs, key=lambda run: run["frechet"])["seed"]
    model = load_model(job.work / f"seed-{best}" / "generator.safetensors")
    shared = {**settings.as_json(), "precision": "float32"}
    return Result(shared, seeds, metrics, {"runs": runs, "shipped": f"seed {best}"}, model=model)


def _one(
    job: Job, settings: ColourSettings, real: Tensor, extractor: FeatureExtractor, further: Quality
) -> dict[str, float]:
    trainer, _ = finished_run(job, f"seed-{settings.seed}", settings, lambda trainer: None)
    fake = trainer.sample(len(real), seed=0)
    frechet, kernel = measure(real, _on_white(fake), extractor)
    return {"frechet": frechet.value, "kernel": kernel.value, **further(fake)}


def _on_white(images: Tensor) -> Tensor:
    return over(images, torch.ones(())) if images.shape[1] == 4 else images


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
    "colour-wgan": Recipe("Colour WGAN with clipping on drawn portraits at 64×64", 3, colour_wgan),
    "colour-wgan-gp": Recipe("Colour WGAN-GP on drawn portraits at 64×64", 4, colour_wgan_gp),
    "portraits-best": Recipe("The portraits that the book ships, at 64×64", 4, portraits_best),
    "sprites-wgan-gp": Recipe("WGAN-GP on sprites with an alpha channel at 64×64", 4, sprites_wgan_gp),
}
