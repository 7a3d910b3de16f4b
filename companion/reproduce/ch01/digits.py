"""DCGANs on digits, and what helps them."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion.data import Images, Shuffled, load
from companion.environment import pick_device
from companion.metrics import DigitFeatures, Measurement, measure, total_variation
from companion.objectives import LeastSquares, Minimax, NonSaturating
from companion.randomness import generator
from companion.reproduce.following import chosen, rank_correlation, trained
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.gan import GANSettings, build, shuffled
from companion.training.progress import finish

FASTER: dict[str, Any] = {
    "critic_rate": 1e-3,
    "generator_rate": 1e-3,
}  # five times DCGAN's; `gan_fixes` says why


def dcgan_mnist(job: Job) -> Result:
    """DCGAN on MNIST, with its Fréchet distance and its losses followed all the way."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 6, "batch": 16, "width": 4},
        "laptop": {"steps": 20_000},
        "gpu": {"steps": 60_000, "batch": 128, "width": 64, "device": "auto"},
    }
    settings = replace(GANSettings(data="mnist", **FASTER), **at_budget[job.budget])
    return _followed(job, settings, load("mnist-test"), points=24)


def dcgan_digits(job: Job) -> Result:
    """DCGAN on scikit-learn's digits, for readers without a network; compared with the digits it was trained on."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 6, "batch": 16, "width": 4},
        "laptop": {"steps": 4000},
        "gpu": {"steps": 10000, "batch": 128, "width": 64, "device": "auto"},
    }
    settings = replace(GANSettings(data="digits", **FASTER), **at_budget[job.budget])
    return _followed(job, settings, load("digits"), points=8)


def _followed(job: Job, settings: GANSettings, reference: Images, *, points: int) -> Result:
    """Train once, measuring the averaged and the live generator at so many points on the way."""
    every = max(1, settings.steps // points)
    count = 64 if job.debug else min(5000, len(reference))
    trainer, curve = trained(job, "run", settings, reference, every=every, count=count)
    final = len(reference) if not job.debug else count
    extractor = DigitFeatures()
    images = trainer.sample(final, seed=0)
    metrics = [*measure(reference[:final], images, extractor)]
    order = torch.randperm(len(reference), generator=generator(0, "halves"))
    one, other = (reference[half] for half in order[: len(order) // 2 * 2].chunk(2))
    halves, _ = measure(one, other, extractor)
    metrics.append(replace(halves, name="Fréchet distance of two halves of the reference"))
    metrics.append(_label_distance(reference, images, extractor))
    if reference.name != settings.data:  # the best a generator can hope for: other real images
        others = Shuffled(load(settings.data, size=settings.size), final)[0]
        floor, _ = measure(reference[:final], others, extractor)
        metrics.append(
            replace(
                floor,
                name="Fréchet distance of real training images",
                protocol=floor.protocol.replace("fake", "training"),
            )
        )
    for name in ("critic_loss", "generator_loss"):
        metrics.append(rank_correlation(name, curve, "whole run"))
        metrics.append(rank_correlation(name, curve[len(curve) // 2 :], "second half"))
    about = {**settings.as_json(), "precision": "bfloat16" if settings.bfloat16 else "float32"}
    return Result(about, [settings.seed], metrics, {"curve": curve}, model=trainer.average.module)


def _label_distance(reference: Images, images: Tensor, extractor: DigitFeatures) -> Measurement:
    """How unevenly the ten digits appear, by the classifier's word."""
    assert reference.labels is not None
    wanted = torch.bincount(reference.labels, minlength=10) / len(reference)
    drawn = torch.bincount(extractor.classify(images), minlength=10) / len(images)
    protocol = f"total variation from the data's labels, {len(images)} images named by the digit classifier"
    return Measurement("histogram distance of labels", total_variation(wanted, drawn), protocol)


FIXES: dict[str, dict[str, Any]] = {
    "as DCGAN says": {},
    "label smoothing 0.1": {"objective": NonSaturating(smoothing=0.1)},
    "least squares": {"objective": LeastSquares()},
    "minimax": {"objective": Minimax()},
    "critic's rate ×2, generator's ÷2": {"critic_rate": 4e-4, "generator_rate": 1e-4},
    "both rates ×5": {"critic_rate": 1e-3, "generator_rate": 1e-3},
    "no normalisation in the critic": {"critic_norm": False},
    "no normalisation in the generator": {"generator_norm": False},
    "batch normalisation with eps 0.8": {"norm_eps": 0.8},
    "no normalisation at all": {"critic_norm": False, "generator_norm": False},
}


def gan_fixes(job: Job) -> Result:
    """What helps a small DCGAN on MNIST, one change at a time, over several seeds.

    Beside each distance: what the change did to the same seeds' plain runs, and the floor, which is the distance of two
    halves of the real set. What would refute “normalise the discriminator”: a gain in one row (with or without a
    normalised generator) and none in the other.
    """
    result = _compared(job, FIXES, seeds=[1, 2, 3])
    runs = result.details["runs"]
    for row, (with_norm, without) in NORMALISED.items():
        gaps = [
            run["frechet"] - plain["frechet"]
            for run, plain in zip(runs[without], runs[with_norm], strict=True)
        ]
        result.metrics.append(over_seeds(f"cost of an unnormalised critic, {row}", gaps))
    return result


NORMALISED = {  # rows of the table of normalisation: both critics beside one generator
    "normalised generator": ("as DCGAN says", "no normalisation in the critic"),
    "unnormalised generator": ("no normalisation in the generator", "no normalisation at all"),
}


def gan_precision(job: Job) -> Result:
    """Does training in bfloat16 cost quality? The plain recipe in both precisions, over enough seeds to tell."""
    return _compared(job, {"float32": {}, "bfloat16": {"bfloat16": True}}, seeds=[1, 2, 3, 4, 5, 6, 7, 8])


DEAD = (
    0.02  # mean deviation of a pixel over the samples, below which they are one picture; MNIST's own is 0.28
)


def _compared(job: Job, changes: dict[str, dict[str, Any]], *, seeds: list[int]) -> Result:
    """A small DCGAN on MNIST, once for every change and seed, judged by its Fréchet distance at the end.

    A generator that draws one picture whatever its latents is counted as dead; its distance says only how far that
    picture is, so it is left out of the means.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 4, "batch": 16},
        "laptop": {"steps": 1000},
        "gpu": {"steps": 10000, "device": "auto"},
    }
    base = replace(GANSettings(data="mnist", width=16), **at_budget[job.budget])
    seeds = seeds[:2] if job.debug else seeds
    images, reference = load(base.data, size=base.size), load("mnist-test")
    count = 64 if job.debug else 5000
    real, other_half = chosen(reference, 2 * count).chunk(2)
    extractor = DigitFeatures()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in changes}
    for seed in seeds:  # seeds outermost, so that a stopped job has compared everything it has
        for name, change in changes.items():
            settings = replace(base, seed=seed, **change)
            one = partial(_one_fix, settings, images, real, extractor, f"{name}, seed {seed}")
            runs[name].append(job.once(f"seed-{seed}/{name}", one))
    floor, _ = measure(real, other_half, extractor)
    metrics = [replace(floor, name="Fréchet distance: two halves of the real set")]
    protocol = f"{extractor.protocol}, {count} real and {count} fake images, "
    for key, whose in (("", "moving average of the generator"), ("_live", "live generator")):
        of_live = ", live" if key else ""
        for name, of in runs.items():
            alive = [run[f"frechet{key}"] for run in of if run[f"spread{key}"] >= DEAD]
            dead = len(of) - len(alive)
            if dead:
                metrics.append(
                    Measurement(f"dead runs: {name}{of_live}", dead, f"{protocol}{whose}, of {len(of)} seeds")
                )
            if alive:
                found = over_seeds(f"Fréchet distance: {name}{of_live}", alive)
                metrics.append(replace(found, protocol=f"{protocol}{whose}, {found.protocol}"))
    about = {**base.as_json(), "precision": "float32 unless named", "runs": sum(map(len, runs.values()))}
    return Result(about, seeds, metrics, {"runs": runs})


def _one_fix(
    settings: GANSettings, images: Images, real: Tensor, extractor: DigitFeatures, label: str
) -> dict[str, Any]:
    trainer, _ = build(replace(settings, device=pick_device(settings.device).type), images)
    reports = trainer.run(shuffled(images, settings), steps=settings.steps)
    finish(reports, total=settings.steps, label=label)
    found: dict[str, float] = {}
    for key, live in (("", False), ("_live", True)):
        samples = trainer.sample(len(real), seed=0, live=live)
        distance, _ = measure(real, samples, extractor)
        found |= {f"frechet{key}": distance.value, f"spread{key}": float(samples.std(0).mean())}
    return found


RECIPES: dict[str, Recipe] = {
    "dcgan-mnist": Recipe("DCGAN on MNIST at 32×32", 1, dcgan_mnist),
    "dcgan-digits": Recipe("DCGAN on scikit-learn's digits at 32×32", 1, dcgan_digits),
    "gan-fixes": Recipe("What helps a small DCGAN on MNIST", 1, gan_fixes),
    "gan-precision": Recipe("A small DCGAN in float32 and in bfloat16", 1, gan_precision),
}
