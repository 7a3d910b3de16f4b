"""How the samples of a generator are judged beside unseen images: in features, and by whether they are new."""

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from companion.data import Images
from companion.metrics import frechet_distance, kernel_distance
from companion.metrics.manifolds import manifolds
from companion.metrics.memory import smaller, smaller_interval, two_nearest
from companion.viz import over

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


def over_white(images: Tensor) -> Tensor:
    """Images without an alpha channel as they are, those with one over white."""
    return over(images, torch.ones(())) if images.shape[1] == 4 else images
