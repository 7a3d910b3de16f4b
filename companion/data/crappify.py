"""Ruining good pictures, so that a network can learn the way back (chapter 5; fast.ai's lesson 7, “crappify”).

A picture is shrunk to a random low size, a number or a word is written over it, it is stored as a poor JPEG, and blown
up again by bicubic interpolation. What comes out has the size of what went in, and is what every simple viewer would
show: the baseline that a network has to beat. Where the writing lies is known, so that restoring can be measured there
and elsewhere.

Everything random follows from a seed and the picture's *name*: a second run, or a second machine, ruins a picture in
the same way, whatever else is in the folder. (To the last bit with the same Pillow, which brings letters and JPEG.)
"""

import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from companion.data.photos import digest
from companion.data.reading import pictures_below, read_upright, refuse_within
from companion.errors import CompanionError
from companion.files import begin_or_go_on, replacing, shown
from companion.randomness import generator
from companion.settings import Settings, option

WORDS = ("PROOF", "SAMPLE", "COPY", "PREVIEW", "DRAFT", "TEST")
SMALLEST = 8  # pixels of the low size's shorter side, below which nothing is left to restore
INSIDE = 16  # of 255: from so much ink on, a pixel counts as written over
NOTE = "crappify.json"  # beside the ruined pictures: how they were made


@dataclass(frozen=True)
class Damage(Settings):
    """How badly pictures are ruined. Each picture draws its own amount, evenly, between the two limits."""

    least_shrink: float = option(1.5, help="pictures shrink by at least this factor", metavar="X", least=1)
    most_shrink: float = option(4.0, help="and by at most this one", metavar="X", least=1)
    least_quality: int = option(10, help="lowest JPEG quality", metavar="Q", least=1, below=96)
    most_quality: int = option(70, help="highest JPEG quality", metavar="Q", least=1, below=96)
    writing: bool = option(True)
    seed: int = option(1, help="of all random numbers, together with each file's name", metavar="N", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.least_shrink > self.most_shrink or self.least_quality > self.most_quality:
            raise CompanionError(
                f"Shrinking from {self.least_shrink:g} to {self.most_shrink:g} and qualities from "
                f"{self.least_quality} to {self.most_quality} cannot be: the first is to be the smaller one."
            )

    def ruin(self, picture: Image.Image, name: str) -> "Ruined":
        """A picture of this name, ruined; RGB, of the same size."""
        draw = _Draws(self.seed, name)
        shrink = draw.between(self.least_shrink, self.most_shrink)
        quality = round(draw.between(self.least_quality, self.most_quality))
        side = min(picture.size)
        shrink = max(1.0, min(shrink, side / SMALLEST))
        width, height = (max(1, round(length / shrink)) for length in picture.size)
        low = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        ink = Image.new("L", low.size)
        if self.writing:
            ink = _writing(low.size, draw)
            low.paste(draw.colour(), mask=ink)
        stored = io.BytesIO()
        low.save(stored, "JPEG", quality=quality)
        back = Image.open(stored).resize(picture.size, Image.Resampling.BICUBIC)
        mark = ink.resize(picture.size, Image.Resampling.BILINEAR).point(
            [255 * (i >= INSIDE) for i in range(256)]
        )
        return Ruined(back, mark, shrink, quality)


@dataclass(frozen=True)
class Ruined:
    """A ruined picture, and what was done to it."""

    picture: Image.Image  # RGB
    mark: Image.Image  # grey: 255 where it is written over, else 0
    shrink: float
    quality: int  # of the JPEG


class _Draws:
    """One picture's random numbers."""

    def __init__(self, seed: int, name: str) -> None:
        self._generator = generator(seed, "damage", int(digest(name)[:15], 16))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self._generator, dtype=torch.double))

    def below(self, limit: int) -> int:
        return int(torch.randint(limit, (), generator=self._generator))

    def colour(self) -> tuple[int, int, int]:
        """Any colour, one time in two white as in the lesson."""
        red, green, blue = (self.below(256) for _ in range(3))
        return (255, 255, 255) if self.below(2) else (red, green, blue)


def _writing(size: tuple[int, int], draw: _Draws) -> Image.Image:
    """A number or a word at a random place, size and angle: how much ink each pixel gets, 0 … 255."""
    width, height = size
    text = WORDS[draw.below(len(WORDS))] if draw.below(2) else str(draw.below(10_000))
    letters = max(6.0, min(size) * draw.between(0.12, 0.3))
    font = ImageFont.load_default(letters)
    left, top, right, bottom = font.getbbox(text)
    stamp = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(stamp).text((1 - left, 1 - top), text, fill=255, font=font)
    turned = stamp.rotate(draw.between(-60, 60), Image.Resampling.BICUBIC, expand=True)
    # its middle lies within the picture, so that some of it always shows
    place = round(draw.between(0.2, 0.8) * width), round(draw.between(0.2, 0.8) * height)
    ink = Image.new("L", size)
    ink.paste(turned, (place[0] - turned.width // 2, place[1] - turned.height // 2))
    return ink


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    written: bool  # now; False where it lay there already, or could not be read
    readable: bool = True


def crappify(
    source: Path, target: Path, damage: Damage | None = None, *, masks: Path | None = None
) -> Iterator[Outcome]:
    """Ruin every picture below a folder into another one: the same names, as PNG, which adds no damage of its own.

    What lies there already is left as it is, so a run that was stopped goes on.

    Args:
        source: Searched with its subfolders.
        target: Made if missing; notes in `crappify.json` how it was made.
        damage: How badly; the defaults without one.
        masks: A folder for the places of the writing: white where it lies. It has a note of its own.

    Yields:
        Each file's outcome, in the order of the names.

    Raises:
        CompanionError: A folder cannot be used so, or two pictures would get one name, or what is there was made in
            another way.
    """
    damage = damage or Damage()
    pictures = pictures_below(source)
    for place in (target, masks):
        if place is not None:
            refuse_within(source, place)
    results = _results(pictures)
    _begin(target, masks, damage, set(results.values()))

    def made(name: str) -> Outcome:
        places = [folder / results[name] for folder in (target, masks) if folder is not None]
        if all(place.is_file() for place in places):
            return Outcome(name, False)
        picture = read_upright(pictures[name])
        if picture is None:
            return Outcome(name, False, False)
        ruined = damage.ruin(picture, name)
        for place, image in zip(places, (ruined.picture, ruined.mark), strict=False):
            with replacing(place) as file:
                image.save(file, "PNG")
        return Outcome(name, True)

    with ThreadPoolExecutor(os.cpu_count()) as workers:  # Pillow lets go of Python's lock where it works hard
        yield from workers.map(made, pictures)


def _begin(target: Path, masks: Path | None, damage: Damage, results: set[str]) -> None:
    """Note how pictures and masks are made, each in their own folder; the masks' may lie within the pictures'."""
    expected = set(results)
    if masks is not None:
        there, inner = target.resolve(), masks.resolve()
        if there == inner:
            raise CompanionError(
                f"The masks would replace the pictures in {shown(target)}; give another folder for them."
            )
        if inner.is_relative_to(there):
            expected |= {(inner.relative_to(there) / name).as_posix() for name in (*results, NOTE)}
    begin_or_go_on(target, NOTE, damage.as_json(), expected)
    if masks is not None:
        begin_or_go_on(masks, NOTE, {"masks of": damage.as_json()}, results)


def count(source: Path) -> int:
    """How many pictures `crappify` would look at."""
    return len(pictures_below(source))


def _results(names: Mapping[str, Path]) -> dict[str, str]:
    """What each picture's result is called."""
    results = {name: Path(name).with_suffix(".png").as_posix() for name in names}
    taken: dict[str, str] = {}
    for name, result in results.items():
        if result in taken:
            raise CompanionError(
                f"{shown(taken[result])} and {shown(name)} would both become {shown(result)}; rename one of them."
            )
        taken[result] = name
    return results
