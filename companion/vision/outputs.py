"""Where results go: pictures to a folder or a video, findings to JSON lines; never over what is there (chapter 8)."""

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from PIL import Image

from companion.data.reading import SUFFIXES
from companion.errors import CompanionError
from companion.files import fitting, locked, remove_unfinished, replacing, shown
from companion.vision.filming import FORMS, FilmWriter, form_of, lost_sound
from companion.vision.films import Video
from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import Found

QUALITY = 92  # of JPEG files


class PictureOutput(Protocol):
    """Takes pictures as they come."""

    def write(self, frame: Frame, picture: Picture) -> None:
        """Keep the picture `(H, W, 3)` uint8 RGB that was made from the frame."""


@contextmanager
def picture_output(place: Path, source: Source) -> Iterator[PictureOutput]:
    """What fits the source: a new folder for pictures, a new file for a video or a camera.

    However the block is left, what was written until then stays and can be played, unless the disk refused it: then
    nothing stays. The sound of a film is copied; if that cannot be, it is said before anything is written.

    Raises:
        CompanionError: The place is taken, its name is not that of a video, or it cannot be written.
    """
    if source.rate is None:
        if not _free(place):
            raise _taken(place)
        if place.suffix.lower() in SUFFIXES | set(FORMS):
            raise CompanionError(
                f"For pictures --save names a folder, and {shown(place.name)} is a file's name; leave its ending out."
            )
        with locked(place.resolve()):
            remove_unfinished(place)
            yield PictureFolder(place)
        return
    form = form_of(place)
    if os.path.lexists(place):
        raise _taken(place)
    film = source if isinstance(source, Video) else None
    if film is not None and (lost := lost_sound(film, form)):
        elsewhere = "" if lost_sound(film, FORMS[".mkv"]) else "; it can in a .mkv file"
        print(
            f"The sound ({', '.join(lost)}) cannot be kept in {shown(place.name)}{elsewhere}.",
            file=sys.stderr,
        )
    with _kept(place) as file, closing(FilmWriter(file, form, source.rate, film)) as writer:
        yield writer


@contextmanager
def line_output(place: Path | None, source: Source) -> Iterator[IO[str]]:
    """`found.jsonl` in a picture output's folder, a `.jsonl` file beside its video, or the terminal without a place.

    However the block is left, whole lines stay, unless the disk refused them.

    Raises:
        CompanionError: There is such a file already, or it cannot be written.
    """
    if place is None:
        yield sys.stdout
        return
    path = place / "found.jsonl" if source.rate is None else place.with_suffix(".jsonl")
    if os.path.lexists(path):
        raise _taken(path)
    with _kept(path) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        try:
            yield lines
        finally:
            lines.detach()


@contextmanager
def _kept(path: Path) -> Iterator[BinaryIO]:
    """A new file that stays, too, if anything but the disk breaks the block off, such as a camera pulled out."""
    ended: BaseException | None = None
    with replacing(path) as file:
        try:
            yield file
        except OSError:
            raise
        except BaseException as error:
            if not file.tell():  # nothing was written: nothing need stay
                raise
            ended = error
        if os.path.lexists(path):  # another process was faster
            raise _taken(path)
    if ended is not None:
        raise ended


def as_line(frame: Frame, found: Sequence[Found]) -> str:
    """One line of JSON: the frame's name, time and size, and everything found in it."""
    height, width, _ = frame.picture.shape
    record: dict[str, Any] = {"source": shown(frame.name), "seconds": round(frame.seconds, 3)}
    record |= {"width": width, "height": height}
    record["found"] = [{"kind": type(one).__name__.lower(), **one.as_json()} for one in found]
    return json.dumps(record, ensure_ascii=False)


class PictureFolder:
    """One JPEG per frame, named as its source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, frame: Frame, picture: Picture) -> None:
        """Save the picture; of two sources with one name, the second gets a number."""
        stem, number = Path(frame.name.replace("/", "-")).stem, 1
        path = self.folder / fitting(stem, ".jpg")
        while path.exists():
            number += 1
            path = self.folder / fitting(stem, f"-{number}.jpg")
        with replacing(path) as file:
            Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)


def _free(folder: Path) -> bool:
    """Whether a folder can take pictures: it is not there, or holds only what is hidden, such as a killed try's."""
    return not folder.exists() or (
        folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())
    )


def _taken(path: Path) -> CompanionError:
    return CompanionError(
        f"There is something at {shown(path)} already, which stays as it is; choose another --save."
    )
