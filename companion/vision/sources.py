"""Where frames come from: a webcam, a video file, or pictures in a folder (chapter 8).

Video files are read in `companion.vision.films`. The browser's camera, for notebooks on another machine, is in
`companion.vision.browser`.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from companion.data.reading import (
    FORMATS,
    SUFFIXES,
    LeftOut,
    Unreadable,
    files_below,
    holds_several,
    looked_at,
)
from companion.errors import CompanionError
from companion.files import shown
from companion.vision.films import Video
from companion.vision.frames import FINEST, Frame, Picture, Source
from companion.vision.models import opencv, quiet
from companion.vision.pictures import as_picture

LAST_CAMERA = 999  # a larger number names no camera, and OpenCV reads it as a kind of camera or not at all
PATIENCE = 5.0  # seconds without a picture after which a webcam counts as gone


def open_source(place: str) -> Source:
    """The source a command line names: a camera's number, a folder, a picture or a video.

    Raises:
        CompanionError: There is no such thing, or it cannot be read.
    """
    if place.isdecimal():
        return Webcam(int(place))
    if not place:  # as from a shell's variable that nobody set; Path("") would be the folder one stands in
        raise CompanionError("The source is empty; give a file, a folder, or a camera's number such as 0.")
    path = Path(place)
    if path.is_dir():
        return Pictures.below(path)
    if not path.exists():
        raise CompanionError(
            f"There is no file or folder {shown(path)}; check the name, or give a camera's number such as 0."
        )
    return Pictures({path.name: path}, name=path.name) if path.suffix.lower() in SUFFIXES else Video(path)


class Pictures:
    """Picture files one after the other, each on its own: a second apart, so to say, and with nothing in common.

    Files that cannot be read are left out and named in `skipped`, once the iteration has passed them; those that hold
    several pictures, such as an animated GIF, are named in `first_only`: their first one is given.
    """

    rate = None

    def __init__(self, files: Mapping[str, Path], *, name: str, skipped: Sequence[str] = ()) -> None:
        self.files = dict(files)
        self.name = name
        self.count = len(self.files)
        self.skipped: list[str] = list(skipped)
        self.first_only: list[str] = []

    @classmethod
    def below(cls, folder: Path) -> "Pictures":
        """All pictures below a folder, in the order of their names.

        Raises:
            CompanionError: The folder is missing, or holds no file with a picture's suffix.
        """
        files = files_below(folder)
        chosen = {name: path for name, path in files.items() if path.suffix.lower() in SUFFIXES}
        others = [LeftOut.file(name, path) for name, path in files.items() if name not in chosen]
        if not chosen:
            raise _no_picture(folder.as_posix(), others)
        return cls(chosen, name=folder.resolve().name, skipped=others)

    def __iter__(self) -> Iterator[Frame]:
        """Every picture that can be read.

        Raises:
            CompanionError: None of them can be; a single file's own sentence where there is only one.
        """
        seen = 0
        for index, (name, path) in enumerate(self.files.items()):
            try:
                picture = as_picture(path)
            except Unreadable as error:
                if len(self.files) == 1 and not self.skipped:
                    raise
                self.skipped.append(LeftOut(name, error.why))
                continue
            seen += 1
            try:
                if holds_several(path):
                    self.first_only.append(name)
            except Unreadable as error:  # its first picture is whole
                self.skipped.append(LeftOut(name, f"damaged behind its first picture ({error.why})"))
            yield Frame(picture, float(index), name)
        if not seen:
            raise _no_picture(self.name, self.skipped)

    def __enter__(self) -> "Pictures":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""


def _no_picture(place: str, skipped: Sequence[str]) -> CompanionError:
    return CompanionError(
        f"No picture could be read in {shown(place)} ({looked_at(skipped)}); give a folder with {FORMATS} files."
    )


class Webcam:
    """A camera of this machine, as it sees, unmirrored: always its newest picture, the ones missed are gone.

    A thread of its own empties the camera, which would otherwise hand over pictures that have queued up and are old.

    Raises:
        CompanionError: There is no camera of that number, or another program has it.
    """

    count = None
    rate = FINEST  # what a camera announces is rarely what it gives

    def __init__(self, index: int = 0) -> None:
        self.name = f"camera {index}"
        self._cv2 = opencv()
        there = False
        if index <= LAST_CAMERA:
            with quiet():
                self._capture = self._cv2.VideoCapture(index)
                there = self._capture.isOpened() and self._capture.read()[0]
            if not there:
                self._capture.release()
        if not there:
            raise CompanionError(
                f"There is no camera {index} here, or another program is using it; close that program, try another "
                "number (0 is the first), or give a video file or a folder."
            )
        self._newest: Picture | None = None
        self._arrived = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._keep_newest, name=self.name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        """Newest pictures, until the camera is closed.

        Raises:
            CompanionError: The camera gives no more pictures.
        """
        began, index = time.monotonic(), 0
        while self._open:
            with self._arrived:
                if not self._arrived.wait_for(lambda: self._newest is not None or not self._open, PATIENCE):
                    raise CompanionError(f"The {self.name} gives no more pictures; is it still plugged in?")
                picture, self._newest = self._newest, None
            if picture is not None:
                yield Frame(picture, time.monotonic() - began, str(index))
                index += 1

    def _keep_newest(self) -> None:
        while self._open:
            there, image = self._capture.read()
            if not there:
                time.sleep(0.01)
                continue
            with self._arrived:
                self._newest = _rgb(image)
                self._arrived.notify()

    def __enter__(self) -> "Webcam":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the camera; a second time does nothing."""
        with self._arrived:
            self._open = False
            self._arrived.notify_all()
        self._thread.join(PATIENCE)
        self._capture.release()


def _rgb(bgr: Any) -> Picture:
    return np.ascontiguousarray(bgr[..., ::-1])
