"""The one place where bytes become images and images bytes, 0 … 255 in files and [−1, 1] everywhere else; and light."""

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


def to_light(stored: Tensor) -> Tensor:
    """Linear light of stored sRGB values, both in [0, 1] (IEC 61966-2-1)."""
    return torch.where(stored <= 0.04045, stored / 12.92, ((stored.clamp(min=0.04) + 0.055) / 1.055) ** 2.4)


def from_light(light: Tensor) -> Tensor:
    """The inverse of `to_light`; values that rounding has put beyond [0, 1] are cut off."""
    light = light.clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=0.003) ** (1 / 2.4) - 0.055)
