"""Chapter 4: how much of the distance between two clouds does a critic find, under which constraint?

And colour WGANs under a gradient penalty: chapter 3's on drawn portraits, and one on sprites with an alpha channel.
"""

from dataclasses import asdict, replace
from functools import partial
from statistics import fmean
from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from tqdm.auto import tqdm

from companion.data import Images, load
from companion.data.toy import GaussianRing, Noisy, SwissRoll
from companion.metrics import BackboneFeatures, Measurement, slope_norms
from companion.models.mlp import PlaneCritic
from companion.objectives import Objective, OneSidedWassersteinGP, Wasserstein, WassersteinGP
from companion.randomness import drawing
from companion.reproduce.ch03 import DEBUG, GPU, SEEDS, Quality, measured_over_seeds, on_portraits
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.critic import critic_steps
from companion.training.gan import ColourSettings

CLOUDS: dict[str, GaussianRing | SwissRoll] = {
    "ring": GaussianRing(batch=128),
    "Swiss roll": SwissRoll(batch=128),
}
CONSTRAINTS: dict[str, tuple[Objective, float]] = {
    "clipping at 0.01": (Wasserstein(clip=0.01), 5e-4),
    "clipping at 0.1": (Wasserstein(clip=0.1), 5e-4),
    "two-sided penalty": (WassersteinGP(), 1e-3),
    "two-sided penalty, λ = 0.1": (WassersteinGP(weight=0.1), 1e-3),
    "one-sided penalty": (OneSidedWassersteinGP(), 1e-3),
}


def critic_constraints(job: Job) -> Result:
    """Critics of one shape between data and the same data with unit noise, under five constraints, over seeds."""
    seeds = [1, 2] if job.debug else [1, 2, 3]
    steps = 5 if job.debug else 1500
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:
        for cloud, data in CLOUDS.items():
            for name, (objective, rate) in CONSTRAINTS.items():
                label = f"{cloud}, {name}"
                one = partial(_one_critic, data, objective, rate, steps, seed, f"{label}, seed {seed}")
                runs.setdefault(label, []).append(job.once(f"seed-{seed}/{label}", one))
    points = 200 if job.debug else 2000
    metrics = [_exact(cloud, data, points) for cloud, data in CLOUDS.items()]
    metrics += [
        over_seeds(f"{title}: {label}", [run[key] for run in of_one])
        for label, of_one in runs.items()
        for key, title in (("estimate", "critic's estimate"), ("slope", "mean slope at the fakes"))
    ]
    about = {
        "device": "cpu",
        "steps": steps,
        "precision": "float32",
        "critic": "3 hidden layers of 64",
        "data": {name: asdict(data) for name, data in CLOUDS.items()},
        "rates": {name: rate for name, (_, rate) in CONSTRAINTS.items()},
    }
    return Result(about, seeds, metrics, {"runs": runs})


def _one_critic(
    data: GaussianRing | SwissRoll, objective: Objective, rate: float, steps: int, seed: int, label: str
) -> dict[str, Any]:
    fake = Noisy(data)
    with drawing(seed, "weights"):
        critic = PlaneCritic(width=64, depth=3)
    found = critic_steps(critic, objective, data, fake, steps=steps, seed=seed, learning_rate=rate)
    estimates = list(tqdm(found, total=steps, desc=label, unit="step", leave=False))
    slopes = slope_norms(critic, fake[-1])
    return {"estimate": fmean(estimates[-100:]), "slope": float(slopes.mean())}


def _exact(cloud: str, data: GaussianRing | SwissRoll, points: int) -> Measurement:
    """The earth mover's distance between large samples, by the best assignment; biased upwards a little."""

    def sample(batches: GaussianRing | SwissRoll | Noisy, first: int) -> Tensor:
        count = -(-points // data.batch)
        return torch.cat([batches[first + index] for index in range(count)])[:points]

    cost = torch.cdist(sample(data, 10_000), sample(Noisy(data), 20_000)).numpy()
    rows, columns = linear_sum_assignment(cost)
    protocol = f"best assignment of {points:,} data points to {points:,} points with unit noise"
    return Measurement(f"earth mover's distance: {cloud}", float(cost[rows, columns].mean()), protocol)


# Three critic steps instead of the paper's five, and twice its rate: a laptop's budget then buys more generator steps.
PENALISED = ColourSettings(
    objective=WassersteinGP(critic_steps=3), critic_rate=2e-4, generator_rate=2e-4, bfloat16=True
)


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
    "critic-constraints": Recipe("How much of the distance a critic finds", 4, critic_constraints),
    "colour-wgan-gp": Recipe("Colour WGAN-GP on drawn portraits at 64×64", 4, colour_wgan_gp),
    "sprites-wgan-gp": Recipe("WGAN-GP on sprites with an alpha channel at 64×64", 4, sprites_wgan_gp),
}
