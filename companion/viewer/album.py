"""What there is to look through: pictures, what is said of each, and the groups they can be narrowed down to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.catalogue import ImageSet, PhotoSet, fetch, folder, named
from companion.data.images import Images, load
from companion.data.reading import SUFFIXES, LeftOut, pictures_below, read_upright
from companion.data.scale import bytes_of
from companion.errors import CompanionError, unknown_name
from companion.files import shown
from companion.likeness.preparing import REPORT, Outcome, read_report
from companion.viz.grids import image_grid

SIZE = 64  # of the pictures that are held in memory
BLANK = (225, 225, 225)  # stands for a picture that cannot be read
KEPT = "kept"  # the group of the pictures that `companion align` made faces of


@dataclass(frozen=True)
class Album:
    """Pictures to look through."""

    images: Images
    words: tuple[str, ...] = field(repr=False)  # a few for each picture, to stand below it
    groups: Mapping[str, Tensor] = field(
        default_factory=dict, repr=False
    )  # numbers of the pictures in each, (n,)
    files: tuple[Path, ...] = field(default=(), repr=False)  # whole, the file of each, where there are any
    notes: tuple[str, ...] = field(
        default=(), repr=False
    )  # more of each, to stand beside it when it is large

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, group: str = "") -> Tensor:
        """Numbers of the pictures in a group, ascending, `(n,)` int64; of all for “”.

        Raises:
            CompanionError: There is no such group.
        """
        if not group:
            return torch.arange(len(self))
        if group not in self.groups:
            raise unknown_name("group of pictures", group, self.groups)
        return self.groups[group]

    def thumbnail(self, row: int, side: int) -> Image.Image:
        """A picture, square; small ones are enlarged pixel by pixel, as far as they fit into the side."""
        scale = max(1, side // max(self.images.pixels.shape[2:]))
        drawn = image_grid(self.images[row : row + 1], columns=1, scale=scale, gap=0)
        return ImageOps.pad(drawn, (max(drawn.size),) * 2, color="white")

    def large(self, row: int, side: int) -> Image.Image:
        """The whole of a picture, within a square of that side: its file where it has one that can be read."""
        whole = read_upright(self.files[row]) if self.files else None
        if whole is None:
            return self.thumbnail(row, side)
        whole.thumbnail((side, side), Image.Resampling.LANCZOS)
        return whole

    def about(self, row: int) -> str:
        """All that is said of a picture, in a line."""
        said = self.notes[row] if self.notes else self.words[row]
        within = [name for name, rows in self.groups.items() if bool((rows == row).any())]
        more = [name for name in within if name not in re.split("[,;:] ", said)]
        return "; ".join(filter(None, [said, *more]))


def page_count(pictures: int, each: int) -> int:
    """How many pages of `each` pictures there are; one that is empty where there is no picture."""
    return max(1, -(-pictures // each))


def on_page(rows: Tensor, page: int, each: int) -> Tensor:
    """Those of the pictures `(n,)` that stand on a page, which are counted from 1."""
    return rows[(page - 1) * each : page * each]


def album(source: Images | str | Path, *, size: int = SIZE, groups: Mapping[str, Any] | None = None) -> Album:
    """Gather what there is to look through.

    Args:
        source: Images; a set of images or of photographs in the catalogue, such as “fashion-mnist”; a folder of
            pictures, whose first subfolders are groups; or the folder that `companion align` wrote, with what was left
            out by its reasons. What cannot be read is left out, and named in `images.skipped`.
        size: Side in pixels to which named sets and files are brought.
        groups: Further groups by their names: whether each picture belongs there, N times true or false.

    Raises:
        CompanionError: An unknown name, a folder with no readable picture, a report that is none, no network for a
            named set, or a group that says nothing of some pictures.
    """
    found = _of_images(source) if isinstance(source, Images) else _named(str(source), size)
    return replace(found, groups=dict(found.groups) | _given(groups or {}, len(found)))


def check_source(source: str, size: int) -> None:
    """Refuse what cannot be looked through, as far as that can be told without reading it; fetch what is missing.

    Raises:
        CompanionError: As `album`.
    """
    if size < 1:
        raise CompanionError(f"Images cannot be {size} pixels wide; choose a positive size such as {SIZE}.")
    if source in {**named(ImageSet), **named(PhotoSet)}:
        fetch(source)
    elif (path := folder(source, ImageSet) / REPORT).is_file():
        read_report(path.parent)
    else:
        pictures_below(path.parent)


def _named(source: str, size: int) -> Album:
    images, photos = named(ImageSet), named(PhotoSet)
    if source in images:
        return _of_images(load(source, size=size), images[source][0])
    if source in photos:
        return _of_files(source, dict(photos[source][0].files()), size)
    path = folder(source, ImageSet)
    if (path / REPORT).is_file():
        return _aligned(path, size)
    return _of_folder(load(path, size=size), path)


def _of_images(images: Images, known: ImageSet | None = None) -> Album:
    if images.labels is None:
        return Album(images, images.files or ("",) * len(images))
    words = dict(known.words(images.labels)) if known is not None else {}
    if not words:
        numbers = tuple(map(str, images.labels.tolist()))
        different = len({*numbers}) == len(numbers) > 1  # they narrow nothing down
        by_number = {str(label): images.labels == label for label in sorted({*images.labels.tolist()})}
        return Album(images, numbers, {} if different else _rows(by_number))
    groups = _rows(words)
    said: list[list[str]] = [[] for _ in range(len(images))]
    for word, rows in groups.items():
        for row in rows.tolist():
            said[row].append(word)
    return Album(images, tuple(map(", ".join, said)), groups)


def _rows(groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """From whether each picture belongs to a group, `(N,)` bool, to the numbers of those that do; none is empty."""
    return {name: fits.nonzero()[:, 0] for name, fits in groups.items() if bool(fits.any())}


def _of_folder(images: Images, path: Path) -> Album:
    return Album(
        images,
        tuple(shown(Path(name).name) for name in images.files),
        _by_folder(images.files),
        tuple(path / name for name in images.files),
        tuple(map(shown, images.files)),
    )


def _by_folder(files: tuple[str, ...]) -> dict[str, Tensor]:
    """Pictures by the first folder in their names; nothing where all lie in one."""
    first = [name.split("/")[0] if "/" in name else "." for name in files]
    return _by_word(first) if len({*first}) > 1 else {}


def _by_word(words: list[str]) -> dict[str, Tensor]:
    rows: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        rows.setdefault(word, []).append(row)
    return {shown(word): torch.tensor(rows[word]) for word in sorted(rows)}


def _of_files(name: str, files: dict[str, Path], size: int) -> Album:
    """Photographs of a set, each cut to its central square."""
    read: dict[str, Tensor] = {}
    skipped = []
    for short, path in tqdm(files.items(), desc=f"reading {name}", unit="file", leave=False, delay=2):
        picture = read_upright(path) if path.suffix.lower() in SUFFIXES else None
        if picture is None:
            skipped.append(LeftOut.file(short, path))
        else:
            read[short] = bytes_of(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))
    if not read:
        raise CompanionError(
            f"No photograph of {name} can be read; fetch it again: companion assets fetch {name}."
        )
    images = Images(name, torch.stack([*read.values()]), skipped=tuple(skipped), files=tuple(read))
    found = _of_folder(images, Path())
    return replace(found, files=tuple(files[short] for short in read))


def _aligned(path: Path, size: int) -> Album:
    """Every picture that `companion align` looked at: the face it became, or the whole picture and why not."""
    lines = read_report(path)
    pixels = torch.empty(len(lines), 3, size, size, dtype=torch.uint8)
    for row, (_, file) in enumerate(
        tqdm(lines, desc=f"reading {path.name}", unit="file", leave=False, delay=2)
    ):
        picture = read_upright(file) or Image.new("RGB", (size, size), BLANK)
        pixels[row] = bytes_of(ImageOps.pad(picture, (size, size), Image.Resampling.LANCZOS, color="white"))
    outcomes = [outcome for outcome, _ in lines]
    reasons = [outcome.reason.split(":")[0] or KEPT for outcome in outcomes]
    return Album(
        Images(path.resolve().name, pixels, files=tuple(outcome.name for outcome in outcomes)),
        tuple(outcome.reason.split(":")[0] or shown(Path(outcome.name).name) for outcome in outcomes),
        _by_word(reasons),
        tuple(file for _, file in lines),
        tuple(map(_measured, outcomes)),
    )


def _measured(outcome: Outcome) -> str:
    """A line of the report in words."""
    numbers = {"turned {:.0f}°": outcome.yaw, "tilted {:.0f}°": outcome.roll}
    numbers |= {"half a head is {:.0f} pixels": outcome.unit, "misfit {:.2f}": outcome.misfit}
    said = [form.format(number) for form, number in numbers.items() if number is not None]
    return "; ".join(filter(None, [shown(outcome.name), outcome.reason, *said]))


def _given(groups: Mapping[str, Any], count: int) -> dict[str, Tensor]:
    found = {}
    for name, told in groups.items():
        fits = torch.as_tensor(told if isinstance(told, Tensor) else list(told)).bool()
        if fits.shape != (count,):
            raise CompanionError(
                f"The group “{name}” has the shape {tuple(fits.shape)}, and there are {count} pictures; give true or "
                "false for each."
            )
        found[name] = fits
    return _rows(found)
