"""Small films for tests, made with PyAV: each picture at a time of its own."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av")

CODECS = {".mp4": "mpeg4", ".mkv": "libvpx", ".webm": "libvpx", ".avi": "mjpeg", ".ts": "mpeg2video"}
STEADY = [index / 25 for index in range(50)]
BROWSER = [round(0.0408 * index + 0.004 * (index % 3), 3) for index in range(98)]  # four seconds, unsteady
CHANGING = [0.0, 0.1, 0.15, 0.5, 0.52, 1.0, 1.9]


def picture(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Grey, lighter with each index."""
    return np.full((height, width, 3), 20 + 2 * index, np.uint8)


def film(
    path: Path,
    times: Sequence[float],
    *,
    codec: str | None = None,
    sound: str | None = None,
    pictures: Sequence[np.ndarray] | None = None,
    turned: int = 0,
    pixel_shape: Fraction = Fraction(1),
    **options: str,
) -> Path:
    """A film with a picture at each of these seconds, and a tone as long; options are the container's."""
    pictures = pictures or [picture(index) for index in range(len(times))]
    height, width, _ = pictures[0].shape
    codec = codec or CODECS[path.suffix]
    steps = 25 if codec in ("mjpeg", "mpeg2video") else 1000
    quick = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else {}
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(codec, 25, quick, width=width, height=height, time_base=Fraction(1, steps))
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel_shape
        if turned:
            stream.set_display_rotation(turned)
        heard = out.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for seconds, pixels in zip(times, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(seconds * steps), Fraction(1, steps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if heard:
            for start in range(0, round(times[-1] * 48_000), 1024):
                wave = 8000 * np.sin(np.arange(start, start + 1024) * 440 * 2 * np.pi / 48_000)
                tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                tone.sample_rate, tone.pts, tone.time_base = 48_000, start, Fraction(1, 48_000)
                out.mux(heard.encode(tone))
            out.mux(heard.encode(None))
    return path


def trimmed(path: Path, source: Path, start: Fraction) -> Path:
    """The film from a moment on, not recoded: an edit list says which of its frames are not shown."""
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        stream = film.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in film.demux(stream):
            if packet.dts is not None:
                shift = round(start / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                out.mux(packet)
    return path


def cut(path: Path, source: Path, share: float) -> Path:
    """The first part of a file."""
    whole = source.read_bytes()
    path.write_bytes(whole[: round(share * len(whole))])
    return path


def times_of(path: Path) -> list[float]:
    """When each picture is shown, by the libraries' own account."""
    with av.open(str(path)) as film:
        return [frame.time for frame in film.decode(video=0)]


def sound_of(path: Path) -> list[bytes]:
    """The packets of sound, as they lie in the file."""
    with av.open(str(path)) as film:
        packets = film.demux(film.streams.audio) if film.streams.audio else ()
        return [bytes(packet) for packet in packets if packet.dts is not None]
