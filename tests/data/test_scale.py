"""Guards the one scale of images: bytes and [−1, 1] are each other's inverses, and nothing wraps around."""

import numpy as np
import pytest
import torch
from PIL import Image

from companion.data.scale import bytes_of, from_bytes, to_bytes


def test_every_byte_comes_back():
    levels = torch.arange(256, dtype=torch.uint8)
    images = from_bytes(levels)
    assert images.dtype == torch.float32
    assert (images[0], images[51], images[255]) == (-1, pytest.approx(-0.6), 1)
    assert torch.equal(to_bytes(images), levels)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_nearest_byte_is_taken_and_what_lies_beyond_is_cut_off(dtype):
    images = torch.tensor([-7.0, -1.0, 0.0, 1.0, 7.0], dtype=dtype)
    assert to_bytes(images).tolist() == [0, 0, 128, 255, 255]
    assert to_bytes(from_bytes(torch.tensor(100)) + 0.4 / 127.5) == 100


def test_a_pictures_bytes_are_a_copy_with_the_channels_first():
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    for picture in (array, Image.fromarray(array)):
        pixels = bytes_of(picture)
        assert pixels.shape == (3, 2, 4)
        assert pixels[1].tolist() == array[..., 1].tolist()
    bytes_of(array).zero_()
    assert array.max() == 23
