"""Whatever a reader calls a picture, as the one thing MediaPipe reads rightly: contiguous 8-bit RGB (chapter 8)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from companion.data.reading import Unreadable, as_rgb, opened, upright
from companion.errors import CompanionError
from companion.vision.frames import Picture

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_SIDE = 32_766  # pixels; MediaPipe ends the whole process over a longer one
TOO_LONG = f"it has a side of more than {LONGEST_SIDE:,} pixels, which no tracker takes"

Viewable: TypeAlias = "str | Path | Image.Image | NDArray[Any] | Tensor"


def as_picture(image: Viewable) -> Picture:
    """The image as `(H, W, 3)` uint8 RGB, contiguous in memory.

    Args:
        image: A file, turned upright as its EXIF data say; a Pillow image, likewise; a tensor `(C, H, W)` or
            `(1, C, H, W)` in [−1, 1], as in the rest of the course; or a uint8 array `(H, W)`, `(H, W, 1)`,
            `(H, W, 3)` RGB or `(H, W, 4)` RGBA, in any memory layout. Grey becomes three equal channels, what is
            transparent lies on white. OpenCV's arrays are BGR, which nothing in the array tells: pass
            `image[..., ::-1]`.

    Raises:
        CompanionError: The file is missing, empty or no picture, the array has another type or shape, or a side is
            longer than MediaPipe takes.
    """
    if isinstance(image, str | Path):
        return _read(Path(image))
    picture = _pixels(image)
    if max(picture.shape) > LONGEST_SIDE:
        raise CompanionError(f"The picture cannot be looked at: {TOO_LONG}; make it smaller.")
    return picture


def _pixels(image: "Image.Image | NDArray[Any] | Tensor") -> Picture:
    if isinstance(image, Image.Image):
        if not min(image.size):
            raise CompanionError("The picture has no pixels; give one that has.")
        return np.asarray(as_rgb(upright(image)))
    torch = sys.modules.get(
        "torch"
    )  # who hands over a tensor has imported it; who doesn't need not wait for it
    pixels = _from_tensor(image) if torch and isinstance(image, torch.Tensor) else np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.size == 0:
        raise _unfit(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=2)
    elif pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = np.asarray(as_rgb(Image.fromarray(np.ascontiguousarray(pixels))))
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise _unfit(pixels)
    return np.ascontiguousarray(pixels)  # copies only what has gaps or runs backwards


def _read(path: Path) -> Picture:
    with opened(path) as picture:
        if max(picture.size) > LONGEST_SIDE:
            raise Unreadable(path, TOO_LONG, "make it smaller")
        return np.asarray(as_rgb(upright(picture)))


def _from_tensor(image: "Tensor") -> NDArray[Any]:
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if not image.is_floating_point() or image.ndim != 3:
        raise CompanionError(
            f"A tensor {tuple(image.shape)} of {image.dtype} is no picture; give floats in [−1, 1], shape (C, H, W)."
        )
    from companion.data.scale import to_bytes  # which needs torch, as whoever hands over a tensor has it

    return to_bytes(image).permute(1, 2, 0).cpu().numpy()


def _unfit(pixels: NDArray[Any]) -> CompanionError:
    return CompanionError(
        f"An array {pixels.shape} of {pixels.dtype} is no picture; give 8-bit numbers (uint8), "
        "shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA."
    )
