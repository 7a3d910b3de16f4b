"""Chapter 3: does the loss of a Wasserstein GAN say anything about its pictures?"""

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

from companion.data import load
from companion.metrics import DigitFeatures, Measurement
from companion.objectives import NonSaturating, Wasserstein, WassersteinGP
from companion.reproduce.following import rank_correlation, trained
from companion.reproduce.job import Job, Recipe, Result
from companion.training.gan import GANSettings

# Each at its own paper's optimiser, rates and critic steps. Clipping keeps the critic's batch normalisation, as its
# paper's DCGAN does; the penalty forbids it.
LOSSES: dict[str, dict[str, Any]] = {
    "Wasserstein, clipping": {"objective": Wasserstein()},
    "Wasserstein, penalty": {"objective": WassersteinGP(), "critic_norm": False},
    "non-saturating": {"objective": NonSaturating()},
}
POINTS = 16  # of each run at which its samples are measured


def wgan_loss_quality(job: Job) -> Result:
    """Small DCGANs on MNIST, their losses followed beside the Fréchet distance of their samples, over several seeds."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 4, "batch": 16, "width": 2},
        "laptop": {"steps": 2000},
        "gpu": {"steps": 20000, "width": 64, "device": "auto"},
    }
    base = replace(GANSettings(data="mnist", width=16), **at_budget[job.budget])
    seeds = [1, 2] if job.debug else [1, 2, 3]
    reference, count = load("mnist-test"), 64 if job.debug else 5000
    every = max(1, base.steps // POINTS)
    curves: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in LOSSES}
    for seed in seeds:  # seeds outermost, so that a stopped job has compared everything it has
        for name, change in LOSSES.items():
            settings = replace(base, seed=seed, **change)
            _, curve = trained(job, f"seed-{seed}/{name}", settings, reference, every=every, count=count)
            curves[name].append([{**point, "estimate": -point["critic_loss"]} for point in curve])
    metrics = [metric for name, of_one in curves.items() for metric in _correlations(name, of_one)]
    metrics += [_final(name, of_one, count) for name, of_one in curves.items()]
    about = {**base.as_json(), "precision": "float32", "window": every}
    del about["objective"], about["critic_norm"]  # they are what is compared
    return Result(about, seeds, metrics, {"curves": curves})


COMPARISONS = [  # a loss, and whose distance it is compared with
    ("estimate", "frechet_live"),
    ("estimate", "frechet"),
    ("generator_loss", "frechet_live"),
]


def _correlations(name: str, curves: list[list[dict[str, Any]]]) -> Iterator[Measurement]:
    """How a run's losses order its moments, over the seeds."""
    half = len(curves[0]) // 2
    for loss, distance in COMPARISONS:
        whose = ", averaged generator" if distance == "frechet" else ""
        for part, first in (("whole run", 0), ("second half", half)):
            found = [rank_correlation(loss, curve[first:], part, distance) for curve in curves]
            values = [metric.value for metric in found]
            yield Measurement(
                f"{name}: {found[0].name}{whose}",
                fmean(values),
                f"{found[0].protocol}; mean and standard deviation over {len(values)} seeds",
                stdev(values),
            )


def _final(name: str, curves: list[list[dict[str, Any]]], count: int) -> Measurement:
    values = [curve[-1]["frechet"] for curve in curves]
    protocol = (
        f"{DigitFeatures().protocol}, {count} real and {count} fake images, moving average of the generator"
    )
    return Measurement(
        f"{name}: Fréchet distance at the end",
        fmean(values),
        f"{protocol}, mean and standard deviation over {len(values)} seeds",
        stdev(values),
    )


RECIPES: dict[str, Recipe] = {
    "wgan-loss-quality": Recipe("Does a Wasserstein GAN's loss follow its quality?", 3, wgan_loss_quality),
}
