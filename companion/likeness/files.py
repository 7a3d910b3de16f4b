"""Photographs in, drawings out: one picture for each face, and if wanted the way there as a film (chapter 7)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from companion.data.faces.render import LARGEST, SMALLEST
from companion.errors import CompanionError
from companion.files import free_names, one_by_one, refuse_existing, replacing, shown, together
from companion.likeness.drawing import STYLES, caricature, check_strength, exaggerated, morph, portrait
from companion.likeness.measuring import Measured, Measurer
from companion.vision.frames import Picture

ALL_STYLES = (*STYLES, "portrait")
LARGEST_FILM = 320  # pixels
PAUSE, FRAME = 900, 60  # milliseconds at the ends of a film, and between


@dataclass(frozen=True)
class Wish:
    """How a face is to be drawn.

    Raises:
        CompanionError: The strength, style or size cannot be had.
    """

    strength: float = 1.8
    style: str = "ink"  # “portrait” paints instead
    size: int = 512
    moving: bool = False  # also a GIF that goes from the portrait to the drawing and back

    def __post_init__(self) -> None:
        check_strength(self.strength)
        if self.style not in ALL_STYLES:
            raise CompanionError(f"There is no style “{self.style}”; choose {', '.join(ALL_STYLES)}.")
        if not SMALLEST <= self.size <= LARGEST:
            raise CompanionError(
                f"A drawing cannot be {self.size} pixels wide; choose from {SMALLEST} to {LARGEST}."
            )
        if self.moving and self.style == "portrait":
            raise CompanionError("A morph goes from the portrait to a drawing; choose another --style.")

    def draw(self, measured: Measured) -> Picture:
        """The drawing."""
        if self.style == "portrait":
            return portrait(exaggerated(measured.faces, self.strength), self.size)[0]
        return caricature(measured.faces, self.strength, self.style, self.size)[0]


def draw_files(
    measurer: Measurer, files: Iterable[Path], folder: Path, wish: Wish
) -> Iterator[tuple[Path, list[Path] | CompanionError]]:
    """Draw each file's faces into the folder; yields the file and its drawings' paths, or why there are none.

    One face makes NAME.png, several make NAME-1.png, NAME-2.png and so on, from left to right; of a second NAME, its
    suffix stands before that. No file is ever replaced.

    Raises:
        CompanionError: The folder is a file.
    """
    return one_by_one(files, folder, lambda file, taken: _draw(measurer, file, folder, wish, taken))


def _draw(measurer: Measurer, file: Path, folder: Path, wish: Wish, taken: set[str]) -> list[Path]:
    found = measurer.measure(file)
    if not found:
        raise CompanionError(
            f"No face was found in {shown(file)}; give a picture in which one is seen from the front, or a lower "
            "--confidence."
        )
    marks = [""] if len(found) == 1 else [f"-{number + 1}" for number in range(len(found))]
    kinds = (".png", ".gif") if wish.moving else (".png",)
    names = free_names(file, [mark + kind for mark in marks for kind in kinds], taken)
    places = [folder / name for name in names]
    refuse_existing(*places)
    with together(places) as parts:
        waiting = iter(parts)
        for measured in found:
            with replacing(next(waiting)) as target:
                Image.fromarray(wish.draw(measured)).save(target, "PNG")
            if wish.moving:
                with replacing(next(waiting)) as target:
                    _film(wish, measured, target)
    taken |= {place.name.casefold() for place in places}
    return places


def _film(wish: Wish, measured: Measured, target: BinaryIO) -> None:
    """From the portrait to the drawing and back, again and again; the two ends are shown longer."""
    there = [
        Image.fromarray(frame)
        for frame in morph(measured.faces, wish.strength, wish.style, min(wish.size, LARGEST_FILM))
    ]
    frames = [*there, *there[-2:0:-1]]
    times = [FRAME] * len(frames)
    times[0] = times[len(there) - 1] = PAUSE
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
