"""Chapter 3: does the loss of a Wasserstein GAN say anything about its pictures? And what does momentum do to it?"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from statistics import fmean, stdev
from typing import Any

from companion.data import load
from companion.data.toy import GaussianRing
from companion.metrics import DigitFeatures, Measurement, mode_report
from companion.museum import MomentumWasserstein
from companion.objectives import NonSaturating, Wasserstein, WassersteinGP
from companion.reproduce.following import rank_correlation, trained
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.gan import GANSettings
from companion.training.plane import plane_trainer
from companion.training.progress import progress

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


RING_CLIP = 0.1  # of networks as small as these; at 0.01 hardly any signal is left
MOMENTA: dict[str, tuple[Wasserstein, float]] = {
    "no momentum": (Wasserstein(clip=RING_CLIP), 5e-4),
    "momentum 0.9": (MomentumWasserstein(clip=RING_CLIP), 5e-4),
    "momentum 0.9, a tenth of the rate": (MomentumWasserstein(clip=RING_CLIP), 5e-5),
}


def wgan_momentum(job: Job) -> Result:
    """A clipped Wasserstein GAN on the ring, its optimiser with and without momentum, over several seeds.

    Momentum 0.9 makes steady steps ten times as long, so it is tried at a tenth of the rate as well.
    """
    seeds = [1, 2] if job.debug else [1, 2, 3, 4, 5]
    steps = 5 if job.debug else 500
    ring = GaussianRing(batch=128)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in MOMENTA}
    for seed in seeds:
        for name, (objective, rate) in MOMENTA.items():
            one = partial(_one_momentum, objective, rate, ring, steps, seed, f"{name}, seed {seed}")
            runs[name].append(job.once(f"seed-{seed}/{name}", one))
    metrics = [
        over_seeds(f"{title}: {name}", [run[key] for run in of_one])
        for name, of_one in runs.items()
        for key, title in (
            ("histogram_distance", "histogram distance"),
            ("wobble", "standard deviation of the critic's estimate in the second half"),
        )
    ]
    about = {
        "device": "cpu",
        "steps": steps,
        "precision": "float32",
        "data": asdict(ring),
        "clip": RING_CLIP,
        "rates": {name: rate for name, (_, rate) in MOMENTA.items()},
    }
    return Result(about, seeds, metrics, {"runs": runs})


def _one_momentum(
    objective: Wasserstein, rate: float, ring: GaussianRing, steps: int, seed: int, label: str
) -> dict[str, Any]:
    trainer = plane_trainer(objective, seed=seed, critic_rate=rate, generator_rate=rate)
    reports = progress(trainer.run(ring, steps=steps), total=steps, label=label)
    estimates = [-report.numbers["critic_loss"] for report in reports]
    report = mode_report(trainer.sample(10_000, seed=0, live=True), ring)
    return {**asdict(report), "wobble": stdev(estimates[steps // 2 :]), "estimates": estimates}


RECIPES: dict[str, Recipe] = {
    "wgan-loss-quality": Recipe("Does a Wasserstein GAN's loss follow its quality?", 3, wgan_loss_quality),
    "wgan-momentum": Recipe("A clipped Wasserstein GAN with and without momentum", 3, wgan_momentum),
}
