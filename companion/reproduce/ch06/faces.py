"""The autoencoder of drawn portraits that the chapter's sliders move."""

from dataclasses import replace
from typing import Any

from companion.data import load
from companion.metrics import FaceFeatures, measure
from companion.metrics.restoration import psnr
from companion.records import Measurement
from companion.reproduce.ch06.common import finished_vae
from companion.reproduce.job import Job, Recipe, Result
from companion.training.vae import VAESettings
from companion.variational import Variational

# β is twice the variance that the squared error stands for: a pixel is taken to be off by 0.35, where black and white
# lie 2 apart. Chosen by eye in short runs of one seed: at 1 faces stayed smooth, at 0.05 draws from the prior broke.
BETA = 0.25
OBJECTIVE = Variational(beta=BETA, sharpening=0.5, sobel=0.25, edges_from=1000, edges_over=2000)
FACES = VAESettings(data="portraits", size=64, batch=16, latents=64, width=16, objective=OBJECTIVE)


def faces_vae(job: Job) -> Result:
    """An autoencoder of 64×64 portraits, measured on people it was not trained on."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"data": "digits", "size": 32, "steps": 3, "batch": 8, "width": 4, "latents": 8},
        "laptop": {"steps": 30_000},
        "gpu": {"steps": 60000, "batch": 64, "width": 32, "device": "auto"},
    }
    settings = replace(FACES, **at_budget[job.budget])
    trainer, _ = finished_vae(job, "run", settings)
    test, count = (settings.data, 64) if job.debug else (f"{settings.data}-test", None)
    strangers = load(test, size=settings.size)[:count]
    quality = psnr(trainer.reconstruct(strangers), strangers)
    frechet, kernel = measure(strangers, trainer.sample(len(strangers), seed=0), FaceFeatures())
    about = f"reconstructions of {len(strangers)} portraits of people not trained on, decoded from the mean"
    metrics = [
        Measurement(
            "PSNR", float(quality.mean()), f"decibels, {about}", float(quality.std()), n=len(quality)
        ),
        replace(frechet, name="Fréchet distance of samples"),
        replace(kernel, name="kernel distance of samples"),
    ]
    return Result(
        {**settings.as_json(), "precision": "float32"}, [settings.seed], metrics, model=trainer.best
    )


RECIPES: dict[str, Recipe] = {"faces-vae": Recipe("An autoencoder of drawn portraits at 64×64", 6, faces_vae)}
