"""Pictures in files: which files they are, and how they are read, upright and in RGB whatever they hold.

Nothing here needs torch, so that whoever only looks at pictures does not wait for it.
"""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from companion.errors import CompanionError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm"}
FORMATS = "PNG, JPEG, WebP, TIFF, BMP or GIF"
MOVING = {
    "GIF",
    "PNG",
    "WEBP",
    "TIFF",
}  # their further pictures are no by-product, as those of a phone's JPEG are


def files_below(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its name from there, hidden ones left out, in the same order on every machine.

    Raises:
        CompanionError: The folder is missing or is a file.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CompanionError(f"The folder {folder} {what}; give a folder with {FORMATS} files.")
    below = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: below[name]
        for name in sorted(below)
        if not any(part.startswith(".") for part in name.split("/"))
    }


def read_upright(path: Path | BinaryIO) -> Image.Image | None:
    """A file's picture as its maker held it, RGB, eight bits a channel; None for what cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large or odd pictures, which are read all the same
            with Image.open(path) as opened:
                return as_rgb(ImageOps.exif_transpose(opened))
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # all that Pillow raises on damage
        return None


def holds_several(path: Path) -> bool:
    """Whether a readable file is an animation, or a document of several pages."""
    with Image.open(path) as opened:
        return opened.format in MOVING and getattr(opened, "n_frames", 1) > 1


def as_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a channel; 16-bit grey scaled, not clipped as Pillow does; what is transparent on white."""
    if picture.mode == "F":
        picture = Image.fromarray(_bytes_of_floats(np.asarray(picture)))
    elif picture.mode == "I" or picture.mode.startswith("I;16"):
        high = np.asarray(picture).astype(np.int64).clip(0, 65535) >> 8
        picture = Image.fromarray(high.astype(np.uint8))
    elif picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture.convert("RGB")


def _bytes_of_floats(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Floats say nowhere what white is: taken as 1, or as 255 or 65535 where a value lies beyond the one before."""
    finite = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
    white = next((white for white in (1, 255) if finite.max() <= white), 65535)
    return np.round(finite.clip(0, white) * (255 / white)).astype(np.uint8)


def looked_at(names: list[str]) -> str:
    """What a folder held that was of no use, for an error's brackets."""
    if not names:
        return "it is empty"
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names)} file{'s' * (len(names) != 1)} looked at: {listed}"
