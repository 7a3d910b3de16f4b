"""What chapter 6's recipes share: autoencoders brought to the end of their runs, and how reconstructions are judged."""

from dataclasses import replace

import torch
from torch import Tensor

from companion.environment import pick_device
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
