"""Films in files, read with PyAV: every picture with the time at which it is shown (chapter 8).

A film's own number of frames a second is not asked: recorders write none, or a thousand, and phones change theirs while
they film. How films are written stands in `companion.vision.filming`.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from companion.errors import CompanionError
from companion.files import shown
from companion.vision.frames import FINEST, Frame, Picture
from companion.vision.models import pyav

# What holds films. The libraries beneath PyAV would also play a text as pictures of its letters, and follow play lists.
READ = "mov,matroska,avi,flv,asf,mpeg,mpegts,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,ogg,mxf,dv,yuv4mpegpipe,nut,mjpeg"
SEGMENT = b"\x18\x53\x80\x67"  # what holds all else in a Matroska file
JOINED = 1.0  # seconds by which time goes back where two films were joined, and not only two frames confused
INSTANT = 0.001  # seconds between two frames that a film shows at one time
EVEN = 1 / 25  # seconds to the next frame where a film says nothing at all about time


class Video:
    """The frames of a video file, upright and in order, each with the seconds since the first.

    Raises:
        CompanionError: The file is missing, empty, no film, in a codec that cannot be read here, or not one frame of it
            can be.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        self.ended = False  # whether all of its frames were given
        self.began = Fraction(0)  # seconds at which its first picture is shown by the file's own clock
        self.pixel_shape = Fraction(1)  # how wide a pixel of its pictures is for its height
        self._av = pyav()
        self._file = opened(self.path)
        self._damage: list[float] = []  # seconds at which packets could not be decoded
        try:
            self._container, self._stream = _film_in(self._file, self.path)
            self._frames = self._decoded()
            self._next = next(self._frames, None)
            if self._next is None:
                what = "the file is cut short" if cut_short(self._file) else "its pictures are damaged"
                raise CompanionError(
                    f"No frame of {shown(self.path)} can be read: {what} ({self._stream.codec_context.name}); copy it "
                    "again from where it came from."
                )
        except BaseException:
            self._file.close()
            raise
        base = self._stream.base_rate
        self.rate: float = float(base) if base and base <= FINEST else FINEST
        self.count = self._announced()

    def __iter__(self) -> Iterator[Frame]:
        """Every frame that is shown, once.

        Raises:
            CompanionError: Parts could not be decoded, or the file breaks off; all that could be read came before.
        """
        index = 0
        while self._next is not None:
            (seconds, picture), self._next = self._next, None
            yield Frame(picture, seconds, str(index))
            index += 1
            if not self._file.closed:
                self._next = next(self._frames, None)
        if index and not self._file.closed:
            self.ended = True
            self._complain(index)

    def _complain(self, frames: int) -> None:
        again = "copy it again from where it came from"
        if cut_short(self._file):
            raise CompanionError(
                f"The video {shown(self.path)} breaks off after {frames} frames: the file is cut short; {again}."
            )
        if self._damage:
            places = f"{len(self._damage)} place{'s' * (len(self._damage) != 1)}"
            raise CompanionError(
                f"The video {shown(self.path)} is damaged: at {places}, first after {self._damage[0]:.1f} s, it could "
                f"not be decoded; {frames} frames were; {again}."
            )

    def _decoded(self) -> Iterator[tuple[float, Picture]]:
        """Seconds and picture of each frame; what cannot be decoded is noted in `_damage` and passed over.

        Before the first whole picture nothing counts as damage: a recording may begin between two of them.
        """
        clock = _Clock(self._stream)
        begun, packets = False, self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                return
            except self._av.FFmpegError:
                if begun:
                    self._damage.append(clock.seconds)
                continue  # after an error of the file itself, `packets` has ended
            for frame in frames:
                seconds = clock.at(frame)
                if not begun:
                    begun, self.began = True, clock.began
                    self.pixel_shape = _pixel_shape(self._stream, frame)
                yield seconds, _upright(frame)

    def _announced(self) -> int | None:
        stream = self._stream
        if not (stream.duration and stream.average_rate):
            return None
        return round(float(stream.duration * stream.time_base * stream.average_rate))

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        self._next = None
        self._container.close()
        self._file.close()


def opened(path: Path) -> BinaryIO:
    """A file to read from, whatever bytes its name has.

    Raises:
        CompanionError: It is missing, a folder, no file that can be read twice, closed to us, or empty.
    """
    if path.is_dir():
        raise CompanionError(f"{shown(path)} is a folder; name a file in it.")
    if not path.exists():
        raise CompanionError(f"There is no file {shown(path)}; check the name.")
    if not path.is_file():
        raise CompanionError(
            f"{shown(path)} is a pipe or a device, not a file; save what comes out of it first."
        )
    try:
        file = open(path, "rb")
    except PermissionError:
        raise CompanionError(f"The file {shown(path)} may not be read; change its permissions.") from None
    if path.stat().st_size == 0:
        file.close()
        raise CompanionError(f"The file {shown(path)} is empty (0 bytes); give a whole file.")
    return file


def _film_in(file: BinaryIO, path: Path) -> tuple[Any, Any]:
    """The open container and its film."""
    av = pyav()
    try:
        container = av.open(file, options={"format_whitelist": READ}, metadata_errors="replace")
    except av.FFmpegError:
        if cut_short(file):
            why = "it is cut short, and what tells where its pictures lie is missing"
        else:
            why = "it is damaged, or no video"
        raise CompanionError(
            f"No frame of {shown(path)} can be read: {why}; give a whole MP4, WebM, MKV, MOV or AVI file."
        ) from None
    stream = container.streams.best("video")
    if stream is None or stream.disposition & stream.disposition.attached_pic:
        raise CompanionError(f"There are no moving pictures in {shown(path)}, only sound; give a video.")
    if stream.codec_context is None:
        raise CompanionError(
            f"The pictures of {shown(path)} are in the codec {_codec_in(file)}, which cannot be read here; convert "
            "the film to H.264 with the program that made it."
        )
    return container, stream


def _codec_in(file: BinaryIO) -> str:
    """What a codec that is not known here is called in its file: only the libraries' own report says so."""
    av = pyav()
    file.seek(0)
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as lines, av.open(file, metadata_errors="replace") as container:
            report = "".join(text for _, _, text in lines) + container.dumps_format()
    finally:
        av.logging.set_level(level)
    names = re.search(r"AVCodecID (V_\S+?)\.?\s|Video: none \((\S+) /|Video: (\w+)", report)
    return next(filter(None, names.groups()), "none") if names else "none"


def cut_short(file: BinaryIO) -> bool:
    """Whether a film's file is shorter than it says itself; Matroska, MP4 and AVI say so in their headers."""
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(64)
    with suppress(struct.error, IndexError):
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _boxes_end(file, length) > length
        if head[:4] == b"\x1aE\xdf\xa3":
            return _elements_end(file, length) > length
        if head[:4] == b"RIFF":
            (size,) = struct.unpack("<I", head[4:8])
            return length < int(size)  # and not size + 8: some programs count the first eight bytes too
    return False


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Where the last of an MP4 file's boxes ends."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        size, kind, large = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
        size = large if size == 1 else length - place if size == 0 else size
        if size < 8 or not kind.isalnum():  # what follows the last box is not ours to judge
            break
        place += size
    return place


def _elements_end(file: BinaryIO, length: int) -> int:
    """Where the last of a Matroska file's elements ends; those that a recorder left open are looked into."""
    place = 0
    while place < length:
        file.seek(place)
        data = file.read(12)
        name, rest = data[: _width(data[0])], data[_width(data[0]) :]
        width = _width(rest[0])
        size = int.from_bytes(rest[:width], "big") & ((1 << 7 * width) - 1)
        still_open = size == (1 << 7 * width) - 1
        inside = name == SEGMENT or still_open
        place += len(name) + width + (0 if inside else size)
    return place


def _width(first: int) -> int:
    """How many bytes a number of Matroska's takes that begins with this one."""
    return 9 - first.bit_length()


@dataclass
class _Clock:
    """From presentation times to seconds since the first frame, which always go forward."""

    stream: Any
    seconds: float = 0.0
    began: Fraction = Fraction(0)
    _origin: Fraction | None = None

    def at(self, frame: Any) -> float:
        """The seconds of the next frame."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        step = float(1 / self.stream.average_rate) if self.stream.average_rate else EVEN
        time = None if ticks is None else ticks * (frame.time_base or self.stream.time_base)
        if self._origin is None:
            self._origin = self.began = time or Fraction(0)
        elif time is None:
            self.seconds += step
        elif (elapsed := float(time - self._origin)) < self.seconds - JOINED:
            self.seconds += step  # another film begins
            self._origin = time - Fraction(self.seconds)
        else:
            self.seconds = max(self.seconds + INSTANT, elapsed)
        return self.seconds


def _upright(frame: Any) -> Picture:
    """The frame in RGB as it is shown: turned, or mirrored, as the film says."""
    pixels = frame.to_ndarray(format="rgb24")
    (right, down), (right_below, down_below) = _turn(frame)
    if abs(down) > abs(right):  # rows become columns
        pixels, right, down_below = pixels.swapaxes(0, 1), right_below, down
    return np.ascontiguousarray(pixels[:: -1 if down_below < 0 else 1, :: -1 if right < 0 else 1])


def _turn(frame: Any) -> Any:
    """Where a pixel's neighbour on the right, and the one below, are shown: each how far right, how far down."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return np.eye(2) if matrix is None else np.frombuffer(matrix, np.int32).reshape(3, 3)[:2, :2]


def _pixel_shape(stream: Any, frame: Any) -> Fraction:
    shape = Fraction(stream.sample_aspect_ratio or 1)
    right, down = _turn(frame)[0]
    return 1 / shape if abs(down) > abs(right) else shape
