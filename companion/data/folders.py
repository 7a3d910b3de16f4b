"""Any folder of pictures as training images."""

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from companion.errors import CompanionError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
FORMATS = "PNG, JPEG, WebP, TIFF, BMP or GIF"


def read_folder(folder: Path, size: int) -> tuple[Tensor, tuple[str, ...]]:
    """Every readable picture below `folder`, upright, cropped to its central square and resized.

    Args:
        folder: Searched with its subfolders, hidden ones left out; the order is that of the sorted paths, the same
            on every machine.
        size: Side of the square in pixels.

    Returns:
        Pixels `(N, 3, size, size)` uint8 RGB, and the names of the files that looked like pictures or were meant to
        be, but could not be read.

    Raises:
        CompanionError: The folder is missing, is a file, is empty, or holds nothing readable.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CompanionError(f"The folder {folder} {what}; give a folder with {FORMATS} files.")
    below = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    names = sorted(name for name in below if not any(part.startswith(".") for part in name.split("/")))
    pictures: list[Tensor] = []
    skipped: list[str] = []
    for name in tqdm(names, desc=f"reading {folder.name}", unit="file", leave=False, delay=2):
        path = below[name]
        picture = _read(path, size) if path.suffix.lower() in SUFFIXES else None
        if picture is None:
            skipped.append(name)
        else:
            pictures.append(picture)
    if not pictures:
        raise CompanionError(
            f"No picture could be read in {folder} ({_looked_at(skipped)}); give a folder with {FORMATS} files."
        )
    return torch.stack(pictures), tuple(skipped)


def _read(path: Path, size: int) -> Tensor | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large or odd pictures, which are read all the same
            with Image.open(path) as opened:
                upright = _as_rgb(ImageOps.exif_transpose(opened))
                square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # all that Pillow raises on damage
        return None
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)


def _as_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a channel; 16-bit grey scaled, not clipped as Pillow does; what is transparent on white."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        high = np.asarray(picture).astype(np.int64).clip(0, 65535) >> 8
        picture = Image.fromarray(high.astype(np.uint8))
    elif picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture.convert("RGB")


def _looked_at(names: list[str]) -> str:
    if not names:
        return "it is empty"
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} file{'s' * (len(names) != 1)} looked at: {listed}"
