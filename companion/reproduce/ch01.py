"""Chapter 1: DCGANs on digits, what helps them, and objectives on a ring."""

from dataclasses import asdict, replace
from functools import partial
from itertools import product
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torchvision.transforms.v2.functional import InterpolationMode, resize

from companion.data import Images, Shuffled, load
from companion.data.toy import GaussianRing, Noisy
from companion.environment import pick_device
from companion.metrics import DigitFeatures, Measurement, measure, mode_report, total_variation
from companion.models.mlp import PlaneCritic
from companion.museum.ch01 import OneStream
from companion.objectives import LeastSquares, Minimax, NonSaturating, Objective, WassersteinGP
from companion.randomness import drawing, generator
from companion.reproduce.following import chosen, learnt, rank_correlation, trained
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import bootstrap, two_way, with_interval
from companion.training.adversarial import AdversarialTrainer
from companion.training.classifier import accuracy, digit_lessons
from companion.training.critic import CriticTrainer, Facing
from companion.training.gan import GANSettings, build, shuffled
from companion.training.plane import plane_trainer
from companion.training.progress import finish, progress


def digit_features(job: Job) -> Result:
    """A classifier of MNIST's training digits, as they are and as coarse as scikit-learn's, for its features.

    No digit that a distance is measured on has been trained on: neither MNIST's test part nor any of scikit-learn's.
    """
    rounds = 1 if job.debug else 8
    seed = 1
    mnist, test, small = load("mnist"), load("mnist-test"), load("digits")
    assert mnist.labels is not None
    assert test.labels is not None
    assert small.labels is not None
    chosen = slice(-1000, None) if job.debug else slice(None)
    fine = mnist.pixels[chosen]
    pixels, labels = torch.cat([fine, _as_coarse(fine)]), mnist.labels[chosen].repeat(2)
    settings = {"device": "cpu", "rounds": rounds, "images": len(pixels), "precision": "float32"}
    lessons = digit_lessons(pixels, labels, rounds=rounds, seed=seed)
    model = learnt(job, lessons, settings, data=mnist.fingerprint)
    found = [
        Measurement(
            "accuracy on MNIST",
            accuracy(model, test.pixels, test.labels),
            f"{len(test):,} test digits, none trained on",
        ),
        Measurement(
            "accuracy on scikit-learn's digits",
            accuracy(model, small.pixels, small.labels),
            f"{len(small):,} digits, none trained on, resized from 8×8 to 32×32",
        ),
    ]
    return Result(settings, [seed], found, model=model)


def _as_coarse(pixels: Tensor) -> Tensor:
    """MNIST's digits `(N, 1, 32, 32)` bytes, in the frame and at the resolution of scikit-learn's.

    Those fill the height of their 8×8 pixels and stand narrow in them; MNIST's fill 20 of 32.
    """
    framed = pixels[..., 6:26, 4:28]
    small = resize(framed, [8, 8], InterpolationMode.BILINEAR, antialias=True)
    coarse: Tensor = resize(small, [32, 32], InterpolationMode.BICUBIC, antialias=True)
    return coarse


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
    reference = load("mnist-test")
    count = 64 if job.debug else 5000
    real, other_half = chosen(reference, 2 * count).chunk(2)
    extractor = DigitFeatures()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in changes}
    for seed in seeds:  # seeds outermost, so that a stopped job has compared everything it has
        for name, change in changes.items():
            settings = replace(base, seed=seed, **change)
            one = partial(_one_fix, settings, real, extractor, f"{name}, seed {seed}")
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


def _one_fix(settings: GANSettings, real: Tensor, extractor: DigitFeatures, label: str) -> dict[str, Any]:
    trainer, images = build(replace(settings, device=pick_device(settings.device).type))
    reports = trainer.run(shuffled(images, settings), steps=settings.steps)
    finish(reports, total=settings.steps, label=label)
    found: dict[str, float] = {}
    for key, live in (("", False), ("_live", True)):
        samples = trainer.sample(len(real), seed=0, live=live)
        distance, _ = measure(real, samples, extractor)
        found |= {f"frechet{key}": distance.value, f"spread{key}": float(samples.std(0).mean())}
    return found


RATES: dict[str, dict[str, float]] = {
    "equal rates": {"critic_rate": 1e-3, "generator_rate": 1e-3},
    "critic five times faster": {"critic_rate": 1e-3, "generator_rate": 2e-4},
    "generator five times faster": {"critic_rate": 2e-4, "generator_rate": 1e-3},
}
RING_OBJECTIVES: dict[str, Objective] = {
    "minimax": Minimax(),
    "non-saturating": NonSaturating(),
    "least squares": LeastSquares(),
}


def ring_objectives(job: Job) -> Result:
    """Three objectives at three balances of rates on a ring of eight Gaussians: which modes does each reach?

    An analysis of variance says what is owed to the objective, to the balance, and to the pair; how far the samples
    spread and how hard the critic pushes them is followed on the way.

    What would refute what the chapter says of them:

    - “The pair decides.” If objective and balance each make up more of the variance than their interaction.
    - “Minimax does not stand still; its push dies, late.” If its samples spread less than one mode does (0.05), or if
      the median push at the end is no smaller than the non-saturating game's at the same balance.
    """
    seeds = [1, 2] if job.debug else [1, 2, 3, 4, 5, 6, 7, 8]
    steps = 5 if job.debug else 2000
    ring = GaussianRing()
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:
        for (name, objective), (balance, rates) in product(RING_OBJECTIVES.items(), RATES.items()):
            label = f"{name}, {balance}"
            one = partial(_one_ring, objective, rates, ring, steps, seed, label)
            runs.setdefault(label, []).append(job.once(f"seed-{seed}/{label}", one))
    metrics = [
        replace(
            over_seeds(f"{title}: {label}", [run[key] for run in of]), protocol=RING_PROTOCOL.format(len(of))
        )
        for label, of in runs.items()
        for key, title in RING_NUMBERS.items()
    ]
    metrics += [share for key in RING_NUMBERS for share in _shares(key, runs)]
    about = {
        "device": "cpu",
        "steps": steps,
        "precision": "float32",
        "data": asdict(ring),
        "rates": RATES,
        "runs": sum(map(len, runs.values())),
    }
    return Result(about, seeds, metrics, {"runs": runs})


RING_PROTOCOL = "10,000 samples of the live generator, mean and standard deviation over {} seeds"
RING_NUMBERS = {
    "covered": "modes covered of 8",
    "high_quality": "share of samples on a mode",
    "histogram_distance": "histogram distance",
    "spread": "spread of the samples",
    "push": "median push on a sample",
}


def _shares(key: str, runs: dict[str, list[dict[str, Any]]]) -> list[Measurement]:
    """What a number's variance is owed to."""
    table = [
        [[run[key] for run in runs[f"{name}, {balance}"]] for balance in RATES] for name in RING_OBJECTIVES
    ]
    protocol = (
        f"of the total sum of squares, {len(RING_OBJECTIVES)}×{len(RATES)} cells of {len(table[0][0])} seeds"
    )
    return [
        Measurement(
            f"share of variance, {RING_NUMBERS[key]}: {part.source}",
            part.share,
            protocol if part.p_value is None else f"{protocol}, p = {part.p_value:.2g} by Fisher's F",
        )
        for part in two_way(table, "objective", "balance")
    ]


def _one_ring(
    objective: Objective, rates: dict[str, Any], ring: GaussianRing, steps: int, seed: int, label: str
) -> dict[str, Any]:
    trainer = plane_trainer(objective, seed=seed, **rates)
    curve = []
    for report in progress(trainer.run(ring, steps=steps), total=steps, label=f"{label}, seed {seed}"):
        if report.step % max(1, steps // 10) == 0:
            curve.append({"step": report.step, **_movement(trainer.sample(1000, seed=0, live=True), trainer)})
    final = trainer.sample(10_000, seed=0, live=True)
    return {**asdict(mode_report(final, ring)), **_movement(final, trainer), "curve": curve}


def _movement(samples: Tensor, trainer: AdversarialTrainer) -> dict[str, float]:
    """How far samples `(N, 2)` spread about their mean, and how hard the generator's loss pushes the median one."""
    points = samples.clone().requires_grad_()
    loss = trainer.objective.generator_loss(trainer.critic(points)) * len(
        points
    )  # a sample's own loss, not a share
    (push,) = torch.autograd.grad(loss, points)
    spread = (samples - samples.mean(0)).square().sum(1).mean().sqrt()
    return {"spread": float(spread), "push": float(vector_norm(push, dim=1).median())}


STREAMS: dict[str, type[CriticTrainer]] = {"a stream each": CriticTrainer, "one stream": OneStream}


def one_stream(job: Job) -> Result:
    """What it does to a critic that its penalty's ε are the numbers of the fakes' noise; the museum's exhibit.

    Paired over seeds. What would refute “it does no harm that such runs could see”: an interval without zero.
    """
    seeds = [1, 2] if job.debug else list(range(1, 9))
    steps = 5 if job.debug else 1500
    ring = GaussianRing(batch=128)
    runs = [
        {"seed": seed, **job.once(f"seed-{seed}", partial(_one_ring_critic, ring, steps, seed))}
        for seed in seeds
    ]
    protocol = (
        f"mean of the last 100 of {steps} estimates, two-sided penalty, λ = 10, ring against unit noise"
    )
    metrics = []
    for name in STREAMS:
        found = over_seeds(f"critic's estimate: {name}", [run[name] for run in runs])
        metrics.append(replace(found, protocol=f"{protocol}, {found.protocol}"))
    gaps = [run["one stream"] - run["a stream each"] for run in runs]
    about = f"{protocol}, paired over {len(gaps)} seeds"
    metrics.append(with_interval("one stream against a stream each", fmean(gaps), bootstrap([gaps]), about))
    settings = {"device": "cpu", "steps": steps, "precision": "float32", "rate": 1e-3, "data": asdict(ring)}
    return Result(settings, seeds, metrics, {"runs": runs})


def _one_ring_critic(ring: GaussianRing, steps: int, seed: int) -> dict[str, float]:
    found = {}
    for name, kind in STREAMS.items():
        with drawing(seed, "weights"):
            critic = PlaneCritic(width=64, depth=3)
        trainer = kind(critic, WassersteinGP(), seed=seed, learning_rate=1e-3)
        facing = Facing(
            ring, Noisy(ring, seed=seed)
        )  # the seed of the noise is the trainer's: that is the bug
        reports = progress(trainer.run(facing, steps=steps), total=steps, label=f"{name}, seed {seed}")
        found[name] = fmean([-report.numbers["critic_loss"] for report in reports][-100:])
    return found


RECIPES: dict[str, Recipe] = {
    "digit-features": Recipe("A digit classifier for its features", 1, digit_features),
    "dcgan-mnist": Recipe("DCGAN on MNIST at 32×32", 1, dcgan_mnist),
    "dcgan-digits": Recipe("DCGAN on scikit-learn's digits at 32×32", 1, dcgan_digits),
    "gan-fixes": Recipe("What helps a small DCGAN on MNIST", 1, gan_fixes),
    "gan-precision": Recipe("A small DCGAN in float32 and in bfloat16", 1, gan_precision),
    "one-stream": Recipe("A critic whose penalty draws the numbers of the noise", 1, one_stream),
    "ring-objectives": Recipe(
        "Three objectives and three balances on a ring of Gaussians", 1, ring_objectives
    ),
}
