"""Any folder of pictures as training images."""

from pathlib import Path
from time import monotonic
from typing import NamedTuple

import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from companion.data import kept
from companion.data.reading import FORMATS, SUFFIXES, LeftOut, files_below, looked_at, read_upright
from companion.data.scale import bytes_of
from companion.errors import CompanionError
from companion.files import shown

READER = 2  # raise it when a picture is read otherwise than before: thumbnails kept until then are made anew


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
            skipped.append(LeftOut.file(name, path))
        else:
            pixels[len(read)] = picture
            read.append(name)
    if not read:
        raise CompanionError(
            f"No picture could be read in {shown(folder)} ({looked_at(skipped)}); give a folder with {FORMATS} files."
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


def _read(path: Path, size: int) -> Tensor | None:
    upright = read_upright(path)
    if upright is None:
        return None
    square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    return bytes_of(square)
