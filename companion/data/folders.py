"""Any folder of pictures as training images."""

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
        folder: Searched with its subfolders; the order is that of the sorted paths, the same on every machine.
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
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    pictures: list[Tensor] = []
    skipped: list[str] = []
    for path in tqdm(paths, desc=f"reading {folder.name}", unit="file", leave=False, delay=2):
        picture = _read(path, size) if path.suffix.lower() in SUFFIXES else None
        if picture is None:
            skipped.append(path.relative_to(folder).as_posix())
        else:
            pictures.append(picture)
    if not pictures:
        raise CompanionError(
            f"No picture could be read in {folder} ({_looked_at(skipped)}); give a folder with {FORMATS} files."
        )
    return torch.stack(pictures), tuple(skipped)


def _read(path: Path, size: int) -> Tensor | None:
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # all that Pillow raises on damage
        return None
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)


def _looked_at(names: list[str]) -> str:
    if not names:
        return "it is empty"
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} file{'s' * (len(names) != 1)} looked at: {listed}"
