"""The one place where bytes become images and images bytes: 0 … 255 in files, [−1, 1] everywhere else."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


def from_bytes(pixels: Tensor) -> Tensor:
    """Images in [−1, 1], float32, for bytes of any shape, on their device."""
    return pixels.float() / 127.5 - 1


def to_bytes(images: Tensor) -> Tensor:
    """The nearest bytes, uint8, for images in [−1, 1] of any shape, on their device; what lies beyond is cut off."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def bytes_of(picture: "Image.Image | NDArray[Any]") -> Tensor:
    """A copy of a picture's bytes `(H, W, C)`, as `(C, H, W)` uint8."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
