"""What chapter 6's recipes share: autoencoders brought to the end of their runs, and how images are judged."""

from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from companion.data import Images
from companion.environment import pick_device
from companion.metrics import frechet_distance, kernel_distance
from companion.metrics.manifolds import manifolds
from companion.metrics.memory import smaller, smaller_interval, two_nearest
from companion.metrics.restoration import PerceptualDistance, psnr, ssim
from companion.reproduce.following import begun, finish_run
from companion.reproduce.job import Job
from companion.training.runs import Run
from companion.training.vae import VAESettings, VAETrainer, build, shuffled
from companion.variational import sobel


def finished_vae(job: Job, key: str, settings: VAESettings) -> tuple[VAETrainer, Run]:
    """An autoencoder's run in its folder below the job's, brought to its end."""
    settings = replace(settings, device=pick_device(settings.device).type)
    trainer, images = build(settings)
    run = begun(job, key, settings.as_json(), images.fingerprint)
    finish_run(run, trainer, shuffled(images, settings), steps=settings.steps, label=key)
    return trainer, run


def sharpness(drawn: Tensor, images: Tensor) -> float:
    """Gradient energy of reconstructions over that of their originals: 1 for edges as steep, less for blurred ones."""
    return float(sobel(drawn).square().sum() / sobel(images).square().sum())


def fidelity(drawn: Tensor, images: Tensor, backbone: str | None) -> dict[str, float]:
    """PSNR, SSIM, edge sharpness and, with a backbone, perceptual distance: means over images `(N, C, S, S)`."""
    found = {
        "PSNR": float(psnr(drawn, images).mean()),
        "SSIM": float(ssim(drawn, images).mean()),
        "edge sharpness": sharpness(drawn, images),
    }
    if backbone is not None:
        distance = PerceptualDistance(backbone)
        parts = zip(torch.split(drawn, 100), torch.split(images, 100), strict=True)
        found["perceptual distance"] = float(torch.cat([distance(*part) for part in parts]).mean())
    return found


# What `compared` and `like_unseen` find, by the titles of their measurements
COMPARED = {
    "Fréchet distance": "frechet",
    "kernel distance": "kernel",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
LIKE_UNSEEN = "nearer to a training portrait than unseen ones"
BESIDE = 250  # samples, and as many unseen images, whose nearest training images are looked for


def compared(real: Tensor, fake: Tensor) -> dict[str, Any]:
    """Fréchet and kernel distance, precision, recall, density and coverage of features `(N, D)` of either."""
    kernel, _ = kernel_distance(real, fake)
    return {"frechet": frechet_distance(real, fake), "kernel": kernel, **asdict(manifolds(real, fake))}


def like_unseen(drawn: Tensor, unseen: Tensor, training: Images) -> dict[str, Any]:
    """How often a sample lies nearer to a training image than an unseen one does, by pixels, with an interval.

    It compares like with like only: smooth pictures lie nearer to everything, reconstructions of strangers among them.
    """
    own = torch.arange(len(training))
    nearest = two_nearest(drawn[:BESIDE], training[:], own)[0]
    usual = two_nearest(unseen[:BESIDE], training[:], own)[0]
    return {"memory": smaller(nearest, usual), "memory interval": smaller_interval(nearest, usual)}
