"""Pictures in files: which files they are, and how they are read, upright and in RGB whatever they hold.

Nothing here needs torch, so that whoever only looks at pictures does not wait for it.
"""

import os
import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from companion.errors import CompanionError
from companion.files import shown

READ = {  # Pillow's names of the forms that are read, by restoring, training and vision alike, and their files'
    "PNG": {".png", ".apng"},
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".mpo"},
    "WEBP": {".webp"},
    "AVIF": {".avif"},
    "TIFF": {".tif", ".tiff"},
    "BMP": {".bmp"},
    "DIB": {".dib"},
    "GIF": {".gif"},
    "PPM": {".pbm", ".pgm", ".ppm", ".pnm", ".pfm"},
    "JPEG2000": {".jp2", ".j2k", ".jpx"},
    "TGA": {".tga"},
}
SUFFIXES = set().union(*READ.values())
FORMATS = "PNG, JPEG, WebP, AVIF, TIFF, BMP or GIF"
MOVING = {  # their further pictures are no by-product, as those of a phone's JPEG are
    "GIF",
    "PNG",
    "WEBP",
    "AVIF",
    "TIFF",
}
PngImagePlugin.MAX_TEXT_CHUNK = (
    2**26
)  # bytes of a colour profile or text, for which Pillow would refuse a whole picture
# All that Pillow raises on damage.
DAMAGED = (
    *(OSError, EOFError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, struct.error),
    RuntimeError,  # of the AVIF plug-in
)


class Unreadable(CompanionError):
    """A file that is no picture to us: why not, in the same words wherever pictures are read, and what to do."""

    def __init__(self, path: Path, why: str, cure: str) -> None:
        super().__init__(f"{shown(path)} cannot be read: {why}; {cure}.")
        self.why = why


class LeftOut(str):
    """The name of a file that was left out, and why."""

    why: str

    def __new__(cls, name: str, why: str) -> "LeftOut":
        """The name `name`."""
        made = super().__new__(cls, name)
        made.why = why
        return made

    @classmethod
    def file(cls, name: str, path: Path) -> "LeftOut":
        """A file that could not be read, or is not named as pictures are."""
        if path.is_file() and path.suffix.lower() not in SUFFIXES:
            return cls(name, "not named as pictures are")
        try:
            with opened(path) as picture:
                as_rgb(picture)
        except CompanionError as error:
            return cls(name, error.why if isinstance(error, Unreadable) else str(error))
        return cls(name, "it changed meanwhile")


NAMED = 5  # of the files that were left out


def named(left_out: Sequence[str]) -> str:
    """How many files were left out, the first of them by name, and below them why."""
    first = left_out[:NAMED]
    names = ", ".join(map(shown, first)) + (", …" if len(left_out) > NAMED else "")
    why = [f"\n  {shown(name)}: {name.why}" for name in first if isinstance(name, LeftOut)]
    return f"{len(left_out)} ({names}){''.join(why)}"


def files_below(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by its name from there, hidden ones left out, in the same order on every machine.

    Linked folders are followed, each folder once, however many ways and loops lead there. What cannot be looked into,
    such as a folder without permission, a broken link or a pipe, is listed too, so that whoever reads names it.

    Raises:
        CompanionError: The folder is missing, is a file, or may not be opened.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CompanionError(f"The folder {shown(folder)} {what}; give a folder with {FORMATS} files.")
    try:
        os.listdir(folder)
    except PermissionError:
        raise CompanionError(
            f"The folder {shown(folder)} may not be opened; change its permissions."
        ) from None
    below = {path.relative_to(folder).as_posix(): path for path in _below(folder)}
    return {name: below[name] for name in sorted(below)}


def pictures_below(folder: Path) -> dict[str, Path]:
    """Every file below `folder` that is named as pictures are, as `files_below` gives them.

    Raises:
        CompanionError: There is none, or the folder cannot be looked into.
    """
    files = files_below(folder)
    pictures = {name: path for name, path in files.items() if path.suffix.lower() in SUFFIXES}
    if not pictures:
        raise CompanionError(
            f"There is no picture in {shown(folder)} ({looked_at(list(files))}); give a folder with pictures."
        )
    return pictures


def refuse_within(source: Path, target: Path) -> None:
    """Refuse a folder for results that lies within the pictures they are made of.

    Raises:
        CompanionError: It does.
    """
    if target.resolve().is_relative_to(source.resolve()):
        raise CompanionError(
            f"The folder {shown(target)} lies within the pictures in {shown(source)}, so the next run would take its "
            "own results for pictures; choose one elsewhere."
        )


def _below(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()
    closed: list[OSError] = []
    waiting = [folder]  # the folder's own tree comes before what links lead to
    while waiting:
        for place, folders, files in os.walk(waiting.pop(0), onerror=closed.append):
            if os.path.realpath(place) in seen:
                folders.clear()
                continue
            seen.add(os.path.realpath(place))
            links = [name for name in folders if os.path.islink(os.path.join(place, name))]
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
            waiting += [Path(place, name) for name in sorted(links) if not name.startswith(".")]
            yield from (Path(place, name) for name in files if not name.startswith("."))
    yield from (Path(error.filename) for error in closed)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture's file, open; damage that shows while it is used counts, too.

    Raises:
        Unreadable: In one sentence, which says why.
    """
    if not path.exists():
        raise Unreadable(path, "it does not exist", "check the name")
    if path.is_dir():
        closed = not os.access(path, os.R_OK | os.X_OK)
        why, cure = (
            ("the folder may not be opened", "change its permissions")
            if closed
            else ("it is a folder", "name the files in it")
        )
        raise Unreadable(path, why, cure)
    if not path.is_file():
        raise Unreadable(path, "it is a pipe or a device, not a file", "save what comes out of it first")
    with _picture_in(path, path) as picture:
        yield picture


@contextmanager
def _picture_in(source: Path | BinaryIO, path: Path) -> Iterator[Image.Image]:
    """The picture that a file or its bytes hold; `path` is what the messages call it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large or odd pictures, which are read all the same
            with Image.open(source, formats=_forms()) as picture:
                yield picture
    except Image.DecompressionBombError:
        raise Unreadable(
            path,
            "it has more pixels than are read for safety's sake",
            "make it smaller, or take a part of it",
        ) from None
    except PermissionError:
        raise Unreadable(path, "it may not be read", "change its permissions") from None
    except DAMAGED as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> Unreadable:
    if str(error) == NO_WHITE:
        return Unreadable(path, NO_WHITE, "save it with 8 or 16 bits")
    if path.is_file() and path.stat().st_size == 0:
        return Unreadable(path, "it is empty (0 bytes)", "copy it again from where it came")
    if "truncated" in str(error):
        return Unreadable(path, "it is cut short", "copy it again from where it came")
    return Unreadable(
        path, f"it is damaged, or no picture in a known form ({FORMATS})", "save it as JPEG or PNG"
    )


@cache
def _forms() -> list[str]:
    """Those forms that this Pillow knows."""
    Image.init()
    return [name for name in READ if name in Image.OPEN]


def read_upright(path: Path | BinaryIO) -> Image.Image | None:
    """A file's picture as its maker held it, RGB, eight bits a channel; None for what cannot be read."""
    reading = opened(path) if isinstance(path, Path) else _picture_in(path, Path("the picture"))
    try:
        with reading as picture:
            return as_rgb(upright(picture))
    except Unreadable:
        return None


def upright(picture: Image.Image) -> Image.Image:
    """The picture turned as its EXIF says; EXIF that cannot be read turns nothing, and is no damage to the picture."""
    picture.load()  # whose own damage counts
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGED:
        return picture.copy()


def holds_several(path: Path) -> bool:
    """Whether a readable file is an animation, or a document of several pages."""
    with opened(path) as picture:
        return picture.format in MOVING and getattr(picture, "n_frames", 1) > 1


def as_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a channel; 16-bit grey scaled, not clipped as Pillow does; what is transparent on white."""
    if picture.mode == "F":
        picture = Image.fromarray(_bytes_of_floats(np.asarray(picture)))
    elif picture.mode == "I" or picture.mode.startswith("I;16"):
        picture = Image.fromarray((sixteen_bits(picture) >> 8).astype(np.uint8))
    elif picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture.convert("RGB")


NO_WHITE = "it holds 32-bit numbers, which have no agreed white"


def sixteen_bits(picture: Image.Image) -> NDArray[np.uint16]:
    """The levels `(H, W)` of a grey picture with 16 bits, which Pillow may hold in 32.

    Raises:
        ValueError: There are larger numbers in it, or negative ones, and nobody can say what is white.
    """
    levels = np.asarray(picture).astype(np.int64)
    if levels.size and not 0 <= levels.min() <= levels.max() <= 65535:
        raise ValueError(NO_WHITE)
    return levels.astype(np.uint16)


def _bytes_of_floats(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Floats say nowhere what white is: taken as 1, or as 255 or 65535 where a value lies beyond the one before."""
    finite = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
    white = next((white for white in (1, 255) if finite.max() <= white), 65535)
    return np.round(finite.clip(0, white) * (255 / white)).astype(np.uint8)


def looked_at(names: Iterable[str]) -> str:
    """What a folder held that was of no use, for an error's brackets."""
    names = [*names]
    if not names:
        return "it is empty"
    listed = ", ".join(map(shown, names[:3])) + (", …" if len(names) > 3 else "")
    return f"{len(names)} file{'s' * (len(names) != 1)} looked at: {listed}"
