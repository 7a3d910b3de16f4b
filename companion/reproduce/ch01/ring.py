"""Objectives on a ring of Gaussians; and what one stream for two purposes does to a critic there."""

from dataclasses import asdict, replace
from functools import partial
from itertools import product
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.linalg import vector_norm

from companion.data.toy import GaussianRing, Noisy
from companion.metrics import Measurement, mode_report
from companion.models.mlp import PlaneCritic
from companion.museum.ch01 import OneStream
from companion.objectives import LeastSquares, Minimax, NonSaturating, Objective, WassersteinGP
from companion.randomness import drawing
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_few, two_way
from companion.training.adversarial import AdversarialTrainer
from companion.training.critic import CriticTrainer, Facing
from companion.training.plane import plane_trainer
from companion.training.progress import progress

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

    - “What an objective does depends on the balance.” If their interaction can be told from chance in no number
      (p above 0.01), or if one objective covers the most modes at each balance.
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
    metrics.append(over_few("one stream against a stream each", gaps, about))
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
    "one-stream": Recipe("A critic whose penalty draws the numbers of the noise", 1, one_stream),
    "ring-objectives": Recipe(
        "Three objectives and three balances on a ring of Gaussians", 1, ring_objectives
    ),
}
