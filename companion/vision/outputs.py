"""Where results go: pictures to a folder or a video, findings to JSON lines; never over what is there (chapter 8)."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from PIL import Image

from companion.errors import CompanionError
from companion.files import replacing, shown
from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import Found
from companion.vision.models import opencv, quiet

CODECS = {".mp4": "mp4v", ".webm": "VP80", ".mkv": "VP80", ".avi": "MJPG"}
QUALITY = 92  # of JPEG files


class PictureOutput(Protocol):
    """Takes pictures as they come."""

    def write(self, frame: Frame, picture: Picture) -> None:
        """Keep the picture `(H, W, 3)` uint8 RGB that was made from the frame."""


@contextmanager
def picture_output(place: Path, source: Source) -> Iterator[PictureOutput]:
    """What fits the source: a new folder for pictures, a new file for a video or a camera.

    Leaving the block closes the video, so that what was written until then can be played.

    Raises:
        CompanionError: The place is taken, or its name is not that of a video.
    """
    if source.rate is None:
        if place.exists() and not (place.is_dir() and not any(place.iterdir())):
            raise _taken(place)
        place.mkdir(parents=True, exist_ok=True)
        yield PictureFolder(place)
        return
    if place.suffix.lower() not in CODECS:
        raise CompanionError(
            f"A video cannot be saved as “{place.name}”; give a name that ends in {', '.join(CODECS)}."
        )
    if place.exists():
        raise _taken(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    video = VideoFile(place, source.rate)
    try:
        yield video
    finally:
        video.close()


@contextmanager
def line_output(place: Path | None, source: Source) -> Iterator[IO[str]]:
    """`found.jsonl` in a picture output's folder, a `.jsonl` file beside its video, or the terminal without a place.

    Raises:
        CompanionError: There is such a file already.
    """
    if place is None:
        yield sys.stdout
        return
    path = place / "found.jsonl" if source.rate is None else place.with_suffix(".jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = open(path, "x", encoding="utf-8")
    except FileExistsError:
        raise _taken(path) from None
    with file:
        yield file


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
        path = self.folder / f"{stem}.jpg"
        while path.exists():
            number += 1
            path = self.folder / f"{stem}-{number}.jpg"
        with replacing(path) as file:
            Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)


class VideoFile:
    """A video, as large as its first picture."""

    def __init__(self, path: Path, rate: float) -> None:
        self.path = path
        self.rate = rate
        self._writer: Any = None

    def write(self, frame: Frame, picture: Picture) -> None:
        """Add a picture."""
        cv2 = opencv()
        if self._writer is None:
            height, width, _ = picture.shape
            codec = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
            with quiet():
                self._writer = cv2.VideoWriter(str(self.path), codec, self.rate, (width, height))
            if not self._writer.isOpened():
                raise CompanionError(
                    f"The video {self.path} cannot be written; try another folder, or a name that ends in .avi."
                )
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Write the file's end."""
        if self._writer is not None:
            self._writer.release()


def _taken(path: Path) -> CompanionError:
    return CompanionError(
        f"There is something at {shown(path)} already, which stays as it is; choose another --save."
    )
