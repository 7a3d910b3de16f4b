"""Films written with PyAV: each picture at its own time, and the sound of the film it came from (chapter 8)."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from companion.errors import CompanionError
from companion.files import shown
from companion.vision.films import Video, opened
from companion.vision.frames import Frame, Picture
from companion.vision.models import pyav

RUN_IN = 0.025  # seconds of sound before the first picture: decoders begin with a packet that is not heard
MOST_BITS = 16_000_000  # a second, for codecs that are given a quality and this bound


@dataclass(frozen=True)
class Form:
    """How a film is written in files of one name."""

    container: str
    codec: str
    pixels: str
    options: dict[str, str]
    steps: int | None = 1000  # a second, for its times; None where a file can only count its pictures


_QUANTISER = {
    "flags": "+qscale",
    "global_quality": str(3 * 118),
}  # 3 of 31 in the libraries' unit; 1 is the finest
_VP8 = {"crf": "10", "deadline": "realtime", "cpu-used": "4"}
FORMS = {
    ".mp4": Form("mp4", "mpeg4", "yuv420p", _QUANTISER),
    ".webm": Form("webm", "libvpx", "yuv420p", _VP8),
    ".mkv": Form("matroska", "libvpx", "yuv420p", _VP8),
    ".avi": Form("avi", "mjpeg", "yuvj420p", _QUANTISER, steps=None),
}


def form_of(path: Path) -> Form:
    """How a film of this name is written.

    Raises:
        CompanionError: Its name is not that of a film.
    """
    if path.suffix.lower() not in FORMS:
        raise CompanionError(
            f"A video cannot be saved as “{shown(path.name)}”; give a name that ends in {', '.join(FORMS)}."
        )
    return FORMS[path.suffix.lower()]


def lost_sound(video: Video, form: Form) -> list[str]:
    """The codecs in a film's sound that this form cannot hold."""
    with opened(video.path) as file, _container(file) as source:
        into = pyav().open(io.BytesIO(), "w", format=form.container)
        return [_name(stream) for stream in source.streams.audio if _copied(stream, into, video) is None]


@dataclass
class FilmWriter:
    """A film as large as its first picture; what goes wrong on the disk is raised as an OSError.

    Args:
        file: Open for writing, from its beginning.
        form: How it is written.
        rate: The steps a second that the times fit, for a form that can only count.
        like: A film whose sound is copied, as far as the form can hold it, and the shape of whose pixels is kept.
    """

    file: BinaryIO
    form: Form
    rate: float
    like: Video | None = None
    frames: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)  # of the last picture
    _tick: int = field(default=-1, init=False)
    _refused: bool = field(default=False, init=False)
    _container: Any = field(default=None, init=False)
    _stream: Any = field(default=None, init=False)
    _sound: "_Sound | None" = field(default=None, init=False)

    def write(self, frame: Frame, picture: Picture) -> None:
        """Add a picture `(H, W, 3)` at its frame's time; one of another size than the first is fitted into it.

        Raises:
            CompanionError: The form cannot hold such pictures.
        """
        with self._refusals():
            if self._container is None:
                self._begin(picture)
            step = self._stream.codec_context.time_base
            image = pyav().VideoFrame.from_ndarray(self._fitted(picture), format="rgb24")
            self._tick = max(self._tick + 1, round(frame.seconds / step))
            image.pts, image.time_base = self._tick, step
            self._container.mux(self._stream.encode(image))
            self.frames, self._seconds = self.frames + 1, frame.seconds
            if self._sound is not None:
                self._sound.until(frame.seconds)

    def _begin(self, picture: Picture) -> None:
        steps = Fraction(self.form.steps or self.rate).limit_denominator(1001)
        height, width, _ = picture.shape
        self._container = pyav().open(self.file, "w", format=self.form.container)
        self._stream = self._container.add_stream(
            self.form.codec,
            rate=steps,
            time_base=1 / steps,
            width=width,
            height=height,
            pix_fmt=self.form.pixels,
            bit_rate=MOST_BITS,
            options=self.form.options,
        )
        if self.like is not None:
            self._stream.codec_context.sample_aspect_ratio = self.like.pixel_shape
            self._sound = _Sound(self.like, self._container)

    def _fitted(self, picture: Picture) -> Picture:
        size = self._stream.codec_context.width, self._stream.codec_context.height
        if picture.shape[1::-1] == size:
            return picture
        return np.asarray(ImageOps.pad(Image.fromarray(picture), size))  # in the middle, with black borders

    def close(self) -> None:
        """Write the film's end, and of the sound what belongs to the pictures; a second time does nothing."""
        if self._container is None:
            return
        if not self._refused:
            with self._refusals():
                self._container.mux(self._stream.encode(None))
                if self._sound is not None and self.like is not None:
                    self._sound.until(math.inf if self.like.ended else self._seconds)
                self._container.close()
        with suppress(pyav().FFmpegError, OSError):  # of a refused film, the end is refused, too
            self._container.close()
        if self._sound is not None:
            self._sound.close()
        self._container = None

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the libraries refuse in one sentence; what the disk refuses is left as it is."""
        try:
            yield
        except (pyav().FFmpegError, OSError) as error:
            self._refused = True
            if isinstance(error, OSError):
                raise
            other = ".mkv" if self.form.container == "avi" else ".avi"
            raise CompanionError(
                f"Such a film cannot be written ({error.strerror}); choose a --save that ends in {other}."
            ) from None


class _Sound:
    """The sound of a film, copied packet by packet into another, on the clock of its pictures."""

    def __init__(self, video: Video, into: Any) -> None:
        self._began = video.began
        self._file = opened(video.path)
        self._source = _container(self._file)
        copies = {stream: _copied(stream, into, video) for stream in self._source.streams.audio}
        self._copies = {stream.index: copy for stream, copy in copies.items() if copy is not None}
        self._bare = {
            stream.index: pyav().bitstream.BitStreamFilterContext("aac_adtstoasc", stream)
            for stream, copy in copies.items()
            if copy is not None and _wants_description(stream, into)
        }
        self._last: dict[int, int] = {}  # of each stream, when its last packet is to be decoded
        self._into = into
        self._packets = self._read([stream for stream, copy in copies.items() if copy is not None])
        self._next = next(self._packets, None)

    def until(self, seconds: float) -> None:
        """Copy what begins before this moment."""
        while self._next is not None and self._next.pts * self._next.time_base < seconds:
            packet, self._next = self._next, next(self._packets, None)
            copy, bare = self._copies[packet.stream_index], self._bare.get(packet.stream_index)
            for part in [packet] if bare is None else bare.filter(packet):
                part.stream = copy
                self._into.mux(part)

    def _read(self, streams: list[Any]) -> Iterator[Any]:
        """The packets on the new clock, without those before it and those that go back in time."""
        packets = self._source.demux(streams) if streams else iter(())
        while True:
            try:
                packet = next(packets)
            except (StopIteration, pyav().FFmpegError):  # of damage, the pictures tell
                return
            if packet.pts is None or packet.dts is None:
                continue
            shift = round(self._began / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            late = packet.dts > self._last.get(packet.stream_index, packet.dts - 1)
            if late and packet.pts * packet.time_base >= -RUN_IN:
                self._last[packet.stream_index] = packet.dts
                yield packet

    def close(self) -> None:
        """Let go of the film."""
        self._source.close()
        self._file.close()


def _container(file: BinaryIO) -> Any:
    return pyav().open(file, metadata_errors="replace")


def _copied(stream: Any, into: Any, video: Video) -> Any:
    """A stream of another film in this one; None where it cannot hold such."""
    description = _description(stream.index, video) if _wants_description(stream, into) else b""
    if description is None:
        return None
    try:
        copy = into.add_stream_from_template(stream)
    except ValueError:
        return None
    sound = copy.codec_context if copy.type == "audio" else None
    if sound is not None and sound.layout.name.endswith("channels"):  # which MP4 refuses at the film's end
        sound.layout = {1: "mono", 2: "stereo"}.get(sound.layout.nb_channels, sound.layout)
    if description:
        copy.codec_context.extradata = description
    return copy


def _wants_description(stream: Any, into: Any) -> bool:
    """Whether it is AAC as broadcasts have it, described in every packet (ADTS), and goes where that is not allowed.

    MP4 and Matroska take the headers out of the packets themselves; AVI refuses them at the film's end.
    """
    sound = stream.codec_context
    return into.format.name == "avi" and sound is not None and sound.name == "aac" and not sound.extradata


def _description(index: int, video: Video) -> bytes | None:
    """MPEG-4's description of AAC sound (AudioSpecificConfig), from the header of the stream's first packet."""
    with opened(video.path) as file, _container(file) as source:
        try:
            header = bytes(next(source.demux(source.streams[index])))[:4]
        except (StopIteration, pyav().FFmpegError):
            return None
    bits = int.from_bytes(header, "big")
    profile, rate, channels = bits >> 14 & 3, bits >> 10 & 15, bits >> 6 & 7
    if (
        len(header) < 4 or bits >> 20 != 0xFFF or not channels
    ):  # no such header, or the channels told elsewhere
        return None
    return (profile + 1 << 11 | rate << 7 | channels << 3).to_bytes(2, "big")


def _name(stream: Any) -> str:
    return (
        "an unknown codec" if stream.codec_context is None else str(stream.codec_context.codec.canonical_name)
    )
