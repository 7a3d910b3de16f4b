"""What does a clipped game make of drawn portraits in colour? Chapter 4 measures its own in the same way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion.data import load
from companion.metrics import FaceFeatures, FeatureExtractor, Measurement, measure
from companion.models.store import load_model
from companion.objectives import Wasserstein
from companion.reproduce.following import finished_run
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.gan import ColourSettings
from companion.viz import over

SEEDS = [1, 2, 3]


DEBUG: dict[str, Any] = {"steps": 6, "batch": 4, "width": 2, "size": 16, "data": "digits"}


GPU: dict[str, Any] = {"width": 48, "steps": 30000, "batch": 64, "device": "auto"}


@dataclass(frozen=True)
class Quality:
    """A number that samples have."""

    title: str
    protocol: str
    of: Callable[[Tensor], float]  # of samples `(N, C, H, W)`


def colour_wgan(job: Job) -> Result:
    """The colour WGAN on drawn portraits, its critic's weights clipped, at its paper's own rates and steps."""
    return on_portraits(job, ColourSettings(objective=Wasserstein()))


def on_portraits(job: Job, settings: ColourSettings) -> Result:
    """Measured beside people nobody was trained on; the floor is what other real portraits reach."""
    at_budget = {"debug": DEBUG, "laptop": {"width": 16, "steps": 3000}, "gpu": GPU}
    settings = replace(settings, **at_budget[job.budget])
    test, count = (settings.data, 20) if job.debug else (f"{settings.data}-test", None)
    real = load(test, size=settings.size)[:count]
    extractor = FaceFeatures()
    result = measured_over_seeds(job, settings, SEEDS, real, extractor, {})
    floor, _ = measure(real, load(settings.data, size=settings.size)[: len(real)], extractor)
    protocol = floor.protocol.replace("fake", "training")
    result.metrics.append(replace(floor, name="Fréchet distance of real training images", protocol=protocol))
    return result


def measured_over_seeds(
    job: Job,
    settings: ColourSettings,
    seeds: list[int],
    real: Tensor,
    extractor: FeatureExtractor,
    further: Mapping[str, Quality],
) -> Result:
    """A run for each seed, measured at its end; the weights of the best are kept.

    Args:
        job: The recipe at work.
        settings: Of all runs, but for the seed.
        seeds: One run each; in a debug run the first two.
        real: Images `(N, C, H, W)` that the samples are compared with; with an alpha channel, over white.
        extractor: Whose features are compared.
        further: What else is measured, by its key in the record's details.
    """
    seeds = seeds[:2] if job.debug else seeds
    real = over_white(real)
    runs: list[dict[str, Any]] = []
    for seed in seeds:
        one = partial(_one_colour, job, replace(settings, seed=seed), real, extractor, further)
        runs.append({"seed": seed, **job.once(f"quality/seed-{seed}", one)})
    about = (
        f"{extractor.protocol}, {len(real)} real and {len(real)} fake images, moving average of the generator"
    )
    named = {"frechet": ("Fréchet distance", about), "kernel": ("kernel distance", about)}
    named |= {key: (quality.title, quality.protocol) for key, quality in further.items()}
    metrics: list[Measurement] = []
    for key, (title, protocol) in named.items():
        found = over_seeds(title, [run[key] for run in runs])
        metrics.append(replace(found, protocol=f"{protocol}, {found.protocol}"))
    best = min(runs, key=lambda run: run["frechet"])["seed"]
    model = load_model(job.work / f"seed-{best}" / "generator.safetensors")
    shared = {**settings.as_json(), "precision": "float32"}
    return Result(shared, seeds, metrics, {"runs": runs, "shipped": f"seed {best}"}, model=model)


def _one_colour(
    job: Job,
    settings: ColourSettings,
    real: Tensor,
    extractor: FeatureExtractor,
    further: Mapping[str, Quality],
) -> dict[str, float]:
    trainer, _ = finished_run(job, f"seed-{settings.seed}", settings, lambda trainer: None)
    fake = trainer.sample(len(real), seed=0)
    frechet, kernel = measure(real, over_white(fake), extractor)
    others = {key: quality.of(fake) for key, quality in further.items()}
    return {"frechet": frechet.value, "kernel": kernel.value, **others}


def over_white(images: Tensor) -> Tensor:
    """Images without an alpha channel as they are, those with one over white."""
    return over(images, torch.ones(())) if images.shape[1] == 4 else images


RECIPES: dict[str, Recipe] = {
    "colour-wgan": Recipe("Colour WGAN with clipping on drawn portraits at 64×64", 3, colour_wgan),
}
