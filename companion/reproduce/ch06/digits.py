"""Digits: how probable unseen ones are to an autoencoder, what β does to its latents, and a map in two dimensions."""

from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Any

import torch

from companion import latent
from companion.data import load
from companion.metrics import DigitFeatures, frechet_distance
from companion.records import Measurement
from companion.reproduce.ch06.common import finished_vae
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import bootstrap, mean_with_interval
from companion.training.vae import VAESettings, binarised
from companion.variational import Bernoulli, gaussian_divergence

DEBUG: dict[str, Any] = {"data": "digits", "steps": 3, "batch": 8, "width": 4, "latents": 4}


def mnist_vae(job: Job) -> Result:
    """An autoencoder of black and white MNIST under the plain lower bound, and its likelihood on the test set.

    Burda et al. 2016 (table 1) report 86.76 nats for a VAE with one stochastic layer of 50 latents, and 84.78 for an
    importance-weighted one, on test images binarised at random, with 5000 draws.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": DEBUG,
        "laptop": {"steps": 24_000},
        "gpu": {"steps": 100_000, "batch": 128, "width": 32, "device": "auto"},
    }
    base = VAESettings(data="mnist", latents=50, width=16, batch=32, objective=Bernoulli())
    settings = replace(base, **at_budget[job.budget])
    trainer, _ = finished_vae(job, "run", settings)
    test, count, draws = (settings.data, 3, 5) if job.debug else (f"{settings.data}-test", 300, 1000)
    images = load(test, size=settings.size)
    chosen = torch.linspace(0, len(images) - 1, count).long()
    unseen = binarised(images[chosen], seed=0)
    scores = job.once(
        "likelihood", lambda: {"nats": latent.log_likelihood(trainer.best, unseen, draws=draws).tolist()}
    )
    nats = [-value for value in scores["nats"]]
    means = latent.codes(trainer.best, images[:2000])
    about = f"importance-weighted, {draws} draws, test images binarised once"
    metrics = [
        Measurement(
            "negative log-likelihood", fmean(nats), f"nats, {about}", None, bootstrap([nats]), len(nats)
        ),
        Measurement(
            "active units", latent.active_units(means), f"of {settings.latents}, {len(means)} test images"
        ),
    ]
    return Result(
        {**settings.as_json(), "precision": "float32"}, [settings.seed], metrics, model=trainer.best
    )


BETAS = (0.25, 1.0, 4.0, 16.0)


def mnist_beta(job: Job) -> Result:
    """Small autoencoders of MNIST under several β: which latents still carry something, and what comes back.

    What would refute “a large β makes latents collapse”: if the count of active units did not fall from β = 1 to 16 in
    every seed.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": DEBUG,
        "laptop": {"steps": 1500},
        "gpu": {"steps": 20_000, "batch": 128, "width": 32, "device": "auto"},
    }
    base = replace(VAESettings(data="mnist", latents=32, width=8, batch=32), **at_budget[job.budget])
    seeds = [1, 2] if job.debug else [1, 2, 3]
    runs: dict[float, list[dict[str, Any]]] = {beta: [] for beta in BETAS}
    for seed in seeds:
        for beta in BETAS:
            settings = replace(base, seed=seed, objective=Bernoulli(beta=beta))
            one = partial(_one_run, job, f"seed-{seed}/beta-{beta:g}", settings)
            runs[beta].append({"seed": seed, **job.once(f"quality/seed-{seed}/beta-{beta:g}", one)})
    metrics = [
        over_seeds(f"{number}, β = {beta:g}", [run[number] for run in of_one])
        for number in (
            "active units",
            "divergence",
            "squared error",
            "Fréchet distance of samples",
            "class by a line",
        )
        for beta, of_one in runs.items()
    ]
    settings_of_all = {**base.as_json(), "precision": "float32"}
    details = {"runs": {f"{beta:g}": of_one for beta, of_one in runs.items()}}
    return Result(settings_of_all, seeds, metrics, details)


def _one_run(job: Job, key: str, settings: VAESettings) -> dict[str, Any]:
    trainer, _ = finished_vae(job, key, settings)
    training = load(settings.data, size=settings.size)
    test = training if job.debug else load(f"{settings.data}-test", size=settings.size)
    count = 300 if job.debug else 2000
    assert training.labels is not None
    assert test.labels is not None
    images = test[:count]
    with torch.no_grad():
        mean, log_variance = trainer.best.encoder(images.to(trainer.device))
    extractor = DigitFeatures()
    learnt = latent.codes(trainer.best, training[:count])
    return {
        "active units": latent.active_units(mean.cpu()),
        "divergence": float(gaussian_divergence(mean, log_variance).mean()),
        "squared error": float((trainer.reconstruct(images) - images).square().mean()),
        "Fréchet distance of samples": frechet_distance(
            extractor(images), extractor(trainer.sample(count, seed=0))
        ),
        "class by a line": latent.separability(
            learnt, training.labels[:count], held_out=mean.cpu(), held_out_labels=test.labels[:count]
        ),
    }


def mnist_plane(job: Job) -> Result:
    """An autoencoder of MNIST with two latents, for the map of digits and the pad that walks on it."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {**DEBUG, "latents": 2},
        "laptop": {"steps": 4000},
        "gpu": {"steps": 40_000, "batch": 128, "width": 32, "device": "auto"},
    }
    settings = replace(VAESettings(data="mnist", latents=2, width=16, batch=32), **at_budget[job.budget])
    trainer, _ = finished_vae(job, "run", settings)
    test = load(settings.data if job.debug else f"{settings.data}-test", size=settings.size)
    images = test[: 300 if job.debug else 5000]
    means = latent.codes(trainer.best, images)
    error = (trainer.reconstruct(images) - images).square().mean((1, 2, 3)).tolist()
    metrics = [
        mean_with_interval("squared error", error, f"per pixel, {len(error)} test images"),
    ]
    assert test.labels is not None
    shown = {"means": means[:1500].tolist(), "labels": test.labels[:1500].tolist()}
    return Result(
        {**settings.as_json(), "precision": "float32"}, [settings.seed], metrics, shown, trainer.best
    )


CLASSIFIED = {"alone": 0.0, "with a classifier": 100.0}  # weights of its cross-entropy
OF_CLASSES = ("class by a line", "squared error", "divergence", "Fréchet distance of samples")


def mnist_classes(job: Job) -> Result:
    """Two latents, with and without an auxiliary classifier that learns beside: are the classes apart, at what price?

    What would refute “a classifier lays the classes apart”: a share of unseen digits told by a line that is not larger
    with it in every seed.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": DEBUG,
        "laptop": {"steps": 2500},
        "gpu": {"steps": 20_000, "batch": 128, "width": 32, "device": "auto"},
    }
    base = replace(VAESettings(data="mnist", width=8, batch=32), **at_budget[job.budget])
    base = replace(base, latents=2)
    seeds = [1, 2] if job.debug else [1, 2, 3]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CLASSIFIED}
    for seed in seeds:
        for name, weight in CLASSIFIED.items():
            key = f"seed-{seed}/{name.replace(' ', '-')}"
            one = partial(_one_run, job, key, replace(base, seed=seed, classifier=weight))
            runs[name].append({"seed": seed, **job.once(f"quality/{key}", one)})
    metrics = [
        over_seeds(f"{number}: {name}", [run[number] for run in of_one])
        for number in OF_CLASSES
        for name, of_one in runs.items()
    ]
    shown = {name: _plane(job, f"seed-1/{name.replace(' ', '-')}", base, w) for name, w in CLASSIFIED.items()}
    settings = {**base.as_json(), "classifier": list(CLASSIFIED.values()), "precision": "float32"}
    return Result(settings, seeds, metrics, {"runs": runs, "planes": shown})


def _plane(job: Job, key: str, base: VAESettings, weight: float) -> dict[str, Any]:
    """Where the first seed's encoder puts unseen digits, and what they are."""
    trainer, _ = finished_vae(job, key, replace(base, seed=1, classifier=weight))
    test = load(base.data if job.debug else f"{base.data}-test", size=base.size)
    assert test.labels is not None
    return {"means": latent.codes(trainer.best, test[:1000]).tolist(), "labels": test.labels[:1000].tolist()}


RECIPES: dict[str, Recipe] = {
    "mnist-classes": Recipe("An auxiliary classifier of two latents on MNIST", 6, mnist_classes),
    "mnist-vae": Recipe("The likelihood of binarised MNIST under an autoencoder", 6, mnist_vae),
    "mnist-beta": Recipe("β and collapsed latents on MNIST", 6, mnist_beta),
    "mnist-plane": Recipe("A map of digits with two latents", 6, mnist_plane),
}
