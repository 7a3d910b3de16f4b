"""Handwritten digits: scikit-learn's, embedded and tiny, and MNIST and Fashion-MNIST, fetched on demand (chapter 1)."""

import gzip

import numpy as np
import torch
from torch import Tensor

from companion.data.assets import fetch


def embedded() -> tuple[Tensor, Tensor]:
    """scikit-learn's 1,797 digits (Alpaydin & Kaynak 1998): pixels `(1797, 1, 8, 8)` uint8, labels `(1797,)`."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)  # stored as 0…16
    return torch.from_numpy(grey)[:, None], torch.from_numpy(digits.target).long()


def mnist() -> tuple[Tensor, Tensor]:
    """MNIST's training digits (LeCun et al. 1998): pixels `(60000, 1, 28, 28)` uint8, labels `(60000,)`."""
    return _idx_pair("mnist-train")


def mnist_test() -> tuple[Tensor, Tensor]:
    """MNIST's test digits: pixels `(10000, 1, 28, 28)` uint8, labels `(10000,)`."""
    return _idx_pair("mnist-test")


def fashion_mnist() -> tuple[Tensor, Tensor]:
    """Fashion-MNIST's training pictures (Xiao et al. 2017): as `mnist`."""
    return _idx_pair("fashion-mnist-train")


def fashion_mnist_test() -> tuple[Tensor, Tensor]:
    """Fashion-MNIST's test pictures: as `mnist_test`."""
    return _idx_pair("fashion-mnist-test")


def _idx_pair(name: str) -> tuple[Tensor, Tensor]:
    """Images and labels from two gzipped idx files, read in place: the cache may be read-only.

    An idx file is a header, of 16 bytes for images and 8 for labels, and then the bytes. (torchvision's reader wants
    them unpacked on the disk first.)
    """
    images, labels = (gzip.decompress(fetch(f"{name}-{part}").read_bytes()) for part in ("images", "labels"))
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    targets = np.frombuffer(labels, np.uint8, offset=8)
    return torch.from_numpy(pixels.copy()), torch.from_numpy(targets.astype(np.int64))
