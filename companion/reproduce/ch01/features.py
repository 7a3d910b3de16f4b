"""A digit classifier for its features."""

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import InterpolationMode, resize

from companion.data import load
from companion.metrics import Measurement
from companion.reproduce.following import learnt
from companion.reproduce.job import Job, Recipe, Result
from companion.training.classifier import accuracy, digit_lessons


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


RECIPES: dict[str, Recipe] = {
    "digit-features": Recipe("A digit classifier for its features", 1, digit_features),
}
