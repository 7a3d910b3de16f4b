"""Do a sharpened target and a Sobel term help an autoencoder? Each alone, both, and what could stand in for them."""

import csv
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Any

from companion.data import load
from companion.losses import Perceptual
from companion.metrics import FaceFeatures, frechet_distance
from companion.reproduce.ch06.common import fidelity, finished_vae
from companion.reproduce.ch06.faces import BETA
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.vae import VAESettings
from companion.variational import Variational

BACKBONE = "squeezenet-deep-compression"
DELTA, GAMMA = 0.5, 0.25
ARMS: dict[str, dict[str, Any]] = {
    "MSE": {"objective": Variational(beta=BETA)},
    # Where nothing is cut off, sharpening weighs the error 1 + δ times as much, and so does a smaller β
    "MSE, β / (1 + δ)": {"objective": Variational(beta=BETA / (1 + DELTA))},
    "sharpened target": {"objective": Variational(beta=BETA, sharpening=DELTA)},
    "Sobel": {"objective": Variational(beta=BETA, sobel=GAMMA)},
    "sharpened target and Sobel": {"objective": Variational(beta=BETA, sharpening=DELTA, sobel=GAMMA)},
    "perceptual": {"objective": Variational(beta=BETA), "content": (Perceptual(100.0, BACKBONE),)},
}
NUMBERS = (
    *("PSNR", "SSIM", "perceptual distance", "edge sharpness"),
    *("Fréchet distance of reconstructions", "Fréchet distance of samples", "divergence"),
)


def vae_objectives(job: Job) -> Result:
    """The same network, data, seed and steps under six objectives, measured on people it was not trained on.

    What would refute what the chapter says:

    - “A sharpened target is a smaller β by another name.” If the second and the third arm lie apart by more than the
      seeds do, in edge sharpness or PSNR.
    - “The Sobel term makes edges steeper.” If its arm's edge sharpness is not above MSE's in every seed.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"data": "digits", "size": 32, "steps": 3, "batch": 8, "width": 4, "latents": 4},
        "laptop": {"steps": 2500},
        "gpu": {"steps": 30000, "batch": 64, "device": "auto"},
    }
    base = VAESettings(data="portraits", size=64, batch=16, latents=64, width=12)
    base = replace(base, **at_budget[job.budget])
    arms = dict(list(ARMS.items())[:5]) if job.debug else ARMS
    seeds = [1, 2] if job.debug else [1, 2, 3]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in arms}
    for seed in seeds:  # seeds outermost, so that a stopped job has compared everything it has
        for name, change in arms.items():
            one = partial(_one, job, name, replace(base, seed=seed, **change))
            runs[name].append(
                {"seed": seed, **job.once(f"quality/seed-{seed}/{name.replace('/', 'over')}", one)}
            )
    metrics = [
        over_seeds(f"{number}: {name}", [run[number] for run in of_one])
        for number in NUMBERS
        for name, of_one in runs.items()
        if number in of_one[0]
    ]
    settings = {
        **base.as_json(),
        "precision": "float32",
        "delta": DELTA,
        "gamma": GAMMA,
        "backbone": BACKBONE,
    }
    return Result(settings, seeds, metrics, {"runs": runs})


def _one(job: Job, name: str, settings: VAESettings) -> dict[str, Any]:
    key = f"seed-{settings.seed}/{name.replace('/', 'over')}"
    trainer, _ = finished_vae(job, key, settings)
    test, count = (settings.data, 24) if job.debug else (f"{settings.data}-test", 1000)
    strangers = load(test, size=settings.size)[:count]
    back, extractor = trainer.reconstruct(strangers), FaceFeatures()
    real = extractor(strangers)
    last = _last_divergence(job, key)
    return {
        **fidelity(back, strangers, None if job.debug else BACKBONE),
        "Fréchet distance of reconstructions": frechet_distance(real, extractor(back)),
        "Fréchet distance of samples": frechet_distance(
            real, extractor(trainer.sample(len(strangers), seed=0))
        ),
        "divergence": last,
    }


def _last_divergence(job: Job, key: str) -> float:
    """The mean divergence, in nats, over the last tenth of a run."""
    with open(job.work / key / "metrics.csv", encoding="utf-8", newline="") as rows:
        values = [float(row["divergence"]) for row in csv.DictReader(rows)]
    return fmean(values[-max(1, len(values) // 10) :])


RECIPES: dict[str, Recipe] = {
    "vae-objectives": Recipe("Does sharpening help an autoencoder, and do edges?", 6, vae_objectives)
}
