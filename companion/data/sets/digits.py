"""Handwritten digits: scikit-learn's, embedded and tiny, and MNIST and Fashion-MNIST, fetched on demand (chapter 1)."""

import gzip
from typing import TYPE_CHECKING

import numpy as np

from companion.data.assets import fetch
from companion.data.catalogue import Credit, ImageSet

if TYPE_CHECKING:
    from torch import Tensor


def embedded() -> "tuple[Tensor, Tensor]":
    """scikit-learn's 1,797 digits (Alpaydin & Kaynak 1998): pixels `(1797, 1, 8, 8)` uint8, labels `(1797,)`."""
    import torch
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)  # stored as 0…16
    return torch.from_numpy(grey)[:, None], torch.from_numpy(digits.target).long()


def published(name: str, split: str) -> "tuple[Tensor, Tensor]":
    """A split of “mnist” or “fashion-mnist” from two gzipped idx files, read in place: the cache may be read-only.

    An idx file is a header, of 16 bytes for images and 8 for labels, and then the bytes. (torchvision's reader wants
    them unpacked on the disk first.)

    Returns:
        Pixels `(N, 1, 28, 28)` uint8 and labels `(N,)`: 60,000 to train on, 10,000 to test on.
    """
    import torch

    part = {"training": "train", "test": "test"}[split]
    images, labels = (
        gzip.decompress(fetch(f"{name}-{part}-{which}").read_bytes()) for which in ("images", "labels")
    )
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    targets = np.frombuffer(labels, np.uint8, offset=8)
    return torch.from_numpy(pixels.copy()), torch.from_numpy(targets.astype(np.int64))


CLOTHES = (  # Fashion-MNIST's labels (Xiao et al. 2017, table 2)
    *("T-shirt or top", "trousers", "pullover", "dress", "coat"),
    *("sandal", "shirt", "trainer", "bag", "ankle boot"),
)


def _published(name: str, description: str, names: tuple[str, ...] = ()) -> ImageSet:
    files = (f"{name}-{part}-{which}" for part in ("train", "test") for which in ("images", "labels"))
    return ImageSet(
        name=name,
        description=description,
        assets=tuple(files),
        splits=("training", "test"),
        read=lambda split, size: published(name, split),
        words=lambda labels: {word: labels == label for label, word in enumerate(names)},
    )


SETS = (
    ImageSet(
        name="digits",
        description="scikit-learn's handwritten digits: 1,797 at 8×8, grey",
        credits=(
            Credit(
                "digits",
                "1,797 handwritten digits at 8×8, shipped with scikit-learn; the test set of *Optical Recognition of "
                "Handwritten Digits*",
                "CC BY 4.0",
                "E. Alpaydin and C. Kaynak, UCI Machine Learning Repository",
                "alpaydin1998",
            ),
        ),
        splits=("training",),
        read=lambda split, size: embedded(),
    ),
    _published("mnist", "MNIST (LeCun et al. 1998): 70,000 handwritten digits at 28×28, grey"),
    _published(
        "fashion-mnist",
        "Fashion-MNIST (Xiao et al. 2017): 70,000 pictures of clothes at 28×28, grey",
        CLOTHES,
    ),
)
