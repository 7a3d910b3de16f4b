"""Guards the digit sets: counts, ranges, which label belongs to which image, and that the cache may be read-only."""

import numpy as np
import pytest
import torch

from companion.data.sets import digits


def test_the_embedded_digits_are_scikit_learns_spread_over_all_byte_values():
    from sklearn.datasets import load_digits

    pixels, labels = digits.embedded()
    assert pixels.shape == (1797, 1, 8, 8)
    assert (pixels.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert sorted(pixels.unique().tolist()) == sorted({round(n * 255 / 16) for n in range(17)})
    assert np.array_equal(labels.numpy(), load_digits().target)


def test_mnist_has_the_published_counts_and_first_labels(mnist_cached):
    """The first labels as on the set's page: a header read with the wrong length would shift them."""
    pixels, labels = digits.published("mnist", "training")
    assert pixels.shape == (60000, 1, 28, 28)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert torch.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert pixels.float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)


def test_mnists_test_part_is_another_set(mnist_cached):
    pixels, labels = digits.published("mnist", "test")
    assert pixels.shape == (10000, 1, 28, 28)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
