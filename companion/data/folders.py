"""Any folder of pictures as training images."""

import warnings
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from companion.data import kept
from companion.errors import CompanionError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm"}
FORMATS = "PNG, JPEG, WebP, TIFF, BMP or GIF"
READER = 1  # raise it when a picture is read otherwise than before: thumbnails kept until then are made anew


class FolderPictures(NamedTuple):
    """The pictures of a folder."""

    pixels: Tensor  # (N, 3, size, size), uint8, RGB
    files: tuple[str, ...]  # the file of each, by its path from the folder, with “/”
    skipped: tuple[str, ...]  # files that looked like pictures or were meant to be, but could not be read


def read_folder(folder: Path, size: int, *, limit: int | None = None) -> FolderPictures:
    """Every readable picture below `folder`, upright, cropped to its central square and resized.

    Reading a large folder again is quick: if it took long, the thumbnails are kept in the cache folder, and a file is
    read again only if its size or its time of change is another.

    Args:
        folder: Searched with its subfolders, hidden ones left out; the order is that of the sorted paths, the same
            on every machine.
        size: Side of the square in pixels.
        limit: Look at no more than the first so many files.

    Raises:
        CompanionError: The folder is missing, is a file, is empty, or holds nothing readable.
    """
    files = dict(list(files_below(folder).items())[:limit])
    thumbnails = _Thumbnails(folder, size)
    pixels = torch.empty(len(files), 3, size, size, dtype=torch.uint8)
    read: list[str] = []
    skipped: list[str] = []
    for name, path in tqdm(files.items(), desc=f"reading {folder.name}", unit="file", leave=False, delay=2):
        picture = thumbnails.of(name, path) if path.suffix.lower() in SUFFIXES else None
        if picture is None:
            skipped.append(name)
        else:
            pixels[len(read)] = picture
            read.append(name)
    if not read:
        raise CompanionError(
            f"No picture could be read in {folder} ({looked_at(skipped)}); give a folder with {FORMATS} files."
        )
    pixels = pixels[: len(read)]
    thumbnails.keep(pixels, read)
    return FolderPictures(pixels, tuple(read), tuple(skipped))


class _Thumbnails:
    """Thumbnails of a folder: those kept by an earlier reading where the file is still the same, else new ones."""

    def __init__(self, folder: Path, size: int) -> None:
        self.place = kept.place("thumbnails", folder.resolve(), size, READER)
        self.old, about = kept.kept(self.place) or (torch.empty(0), {})
        self.rows = {name: (row, stamp) for row, (name, stamp) in enumerate(about.items())}
        self.size = size
        self.stamps: dict[str, list[int]] = {}
        self.seconds = 0.0  # spent on new ones

    def of(self, name: str, path: Path) -> Tensor | None:
        """The file's thumbnail, `(3, size, size)`; None for what cannot be read."""
        before = monotonic()
        try:
            status = path.stat()
        except OSError:  # gone in the meantime
            return None
        self.stamps[name] = [status.st_size, status.st_mtime_ns]
        row, stamp = self.rows.get(name, (0, None))
        if stamp == self.stamps[name]:
            return self.old[row]
        picture = _read(path, self.size)
        self.seconds += monotonic() - before
        return picture

    def keep(self, pixels: Tensor, files: list[str]) -> None:
        """Keep them for the next reading if they took long to make."""
        if self.seconds > kept.WORTH_KEEPING:
            kept.keep(self.place, pixels, {name: self.stamps[name] for name in files})


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


def read_upright(path: Path) -> Image.Image | None:
    """The picture as its maker held it, RGB, eight bits a channel; None for what cannot be read."""
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


def _read(path: Path, size: int) -> Tensor | None:
    upright = read_upright(path)
    if upright is None:
        return None
    square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)


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
