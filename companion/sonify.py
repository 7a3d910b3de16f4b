"""Listening to images: rows to pitch, brightness to loudness, colour to place and timbre (chapter 4).

An image is read like a score, from left to right (Meijer 1992, “An experimental system for auditory image
representations”). The mapping, in full:

- **Row → pitch.** The image is averaged down to at most `ROWS` rows; each sounds one pitch, the top row the highest,
  evenly spaced in octaves from `LOWEST` to `HIGHEST` hertz.
- **Brightness → loudness.** The amplitude of a row's pitch is the mean of its red, green and blue on [0, 1]. Black is
  silent. What is transparent is silent too.
- **Colour → place.** Red sits on the left, blue on the right, green and grey in the middle, at equal power.
- **Colour → timbre.** The more saturated a colour, the more of the octave above sounds along: grey is a pure tone.

The loudest moment of a sound just reaches `PEAK`; so a sound says nothing about whether one image is brighter than
another as a whole.
"""

import math
import wave
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from companion.data.reading import as_rgb, opened
from companion.data.scale import bytes_of, from_bytes
from companion.errors import CompanionError
from companion.files import replacing, shown
from companion.training.runs import read_run

RATE = 22_050  # samples a second; the octave above the highest pitch still fits below half of it
ROWS = 32
LOWEST, HIGHEST = 110.0, 3520.0  # hertz: five octaves, from A2 to A7
PEAK = 0.9
BLOCK = 4096  # samples that are computed at a time
FADE = 0.01  # seconds in which each image swells and fades, so that it does not click
LONGEST = 60.0  # seconds that an image may last
GAP = 2  # pixels between the samples of a run's grids
PHASES = 0.61803398875  # each row begins elsewhere in its wave (golden ratio), so that their crests do not coincide


def pitches(rows: int) -> Tensor:
    """Hertz of each row from the top, `(rows,)`, evenly spaced in octaves; a single row sounds in the middle."""
    if rows == 1:
        return torch.tensor([math.sqrt(LOWEST * HIGHEST)], dtype=torch.float64)
    return torch.logspace(math.log2(HIGHEST), math.log2(LOWEST), rows, base=2, dtype=torch.float64)


def sound(images: Tensor, *, seconds: float = 2.0) -> Tensor:
    """Each image played from left to right, one after another.

    Args:
        images: `(N, C, H, W)` in [−1, 1]; grey, RGB, or RGBA with the colours multiplied by alpha.
        seconds: How long each image lasts.

    Returns:
        Left and right channel in [−1, 1], `(2, N · round(seconds · RATE))`, float32.

    Raises:
        CompanionError: There is no image, or it cannot last so long.
    """
    if not len(images):
        raise CompanionError("There is no picture to listen to; give at least one.")
    if not 1 / RATE <= seconds <= LONGEST:  # nor NaN
        raise CompanionError(
            f"A picture cannot sound for {seconds:g} seconds; choose a number above 0, up to {LONGEST:g}."
        )
    length = round(seconds * RATE)
    played = torch.cat([_played(image, length) for image in images.detach().cpu().float()], 1)
    loudest = float(played.abs().max())
    return (played * (PEAK / loudest) if loudest > 0 else played).float()


def save_wav(path: Path, waves: Tensor) -> None:
    """Write `(2, T)` in [−1, 1] as 16-bit stereo.

    Raises:
        CompanionError: There is a file of that name; none is replaced.
    """
    samples = (waves.clamp(-1, 1) * 32767).round().to(torch.int16)
    with replacing(path) as file, wave.open(file, "wb") as wav:
        wav.setnchannels(2)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(samples.T.contiguous().numpy().astype("<i2").tobytes())
        if path.exists():
            raise CompanionError(f"There is a file at {shown(path)} already, and it is not overwritten.")


def image_from(path: Path) -> Tensor:
    """A picture file as `(1, C, H, W)` in [−1, 1], RGB or RGBA with the colours multiplied by alpha.

    Raises:
        CompanionError: The file cannot be read.
    """
    with opened(path) as found:
        transparent = found.mode in ("RGBA", "LA", "PA") or "transparency" in found.info
        picture = found.convert("RGBA").convert("RGBa") if transparent else as_rgb(found)
    channels = len(picture.getbands())
    pixels = np.frombuffer(picture.tobytes(), np.uint8).reshape(picture.height, picture.width, channels)
    return from_bytes(bytes_of(pixels))[None]


def images_of_run(folder: Path) -> Tensor:
    """The first sample of each grid that a run left: the same latents over training, `(N, 3, size, size)`.

    (The grids show sprites over a checkerboard, which is then heard too: play `trainer.sample` instead.)

    Raises:
        CompanionError: The folder holds no run, or one that has left no samples yet, or a damaged one.
    """
    size = read_run(folder).settings.get("size")
    if not isinstance(size, int):
        raise CompanionError(
            f"The file {folder / 'run.json'} does not say how large its samples are; give another run."
        )
    grids = sorted(folder.glob("samples/*.png"))
    if not grids:
        raise CompanionError(f"The run in {shown(folder)} has left no samples yet; wait for the first.")
    inside = slice(GAP, GAP + size)
    return torch.cat([image_from(grid)[:, :3, inside, inside] for grid in grids])


def _played(image: Tensor, length: int) -> Tensor:
    """One image, not yet scaled, `(2, length)` float64."""
    columns = min(image.shape[-1], length)
    rows = min(image.shape[-2], ROWS)
    light = adaptive_avg_pool2d(
        (image[:3].cpu() + 1) / 2, (rows, columns)
    ).double()  # (C, rows, columns), 0 to 1
    colour = light.expand(3, -1, -1)
    loudness = colour.mean(0)
    bright = colour.amax(0)
    total = colour.sum(0).clamp(min=1e-12)
    place = (colour[2] - colour[0]) / total  # −1 left … 1 right
    angle = (place + 1) * (math.pi / 4)
    left, right = loudness * angle.cos(), loudness * angle.sin()  # equal power
    saturation = (bright - colour.amin(0)) / bright.clamp(min=1e-12)
    frequency = pitches(rows)[:, None]
    phase = 2 * math.pi * PHASES * torch.arange(rows, dtype=torch.float64)[:, None]
    blocks = []
    for first in range(0, length, BLOCK):
        time = torch.arange(first, min(first + BLOCK, length), dtype=torch.float64)
        turn = 2 * math.pi * frequency * time / RATE + phase
        at = _between(columns, time, length)
        tone = turn.sin() + _at(saturation, at) * 0.5 * (2 * turn).sin()
        blocks.append(torch.stack([(_at(side, at) * tone).sum(0) for side in (left, right)]))
    swell = (torch.arange(length, dtype=torch.float64) + 0.5) / (FADE * RATE)
    return torch.cat(blocks, 1) * torch.minimum(swell, swell.flip(0)).clamp(max=1)


Places = tuple[Tensor, Tensor, Tensor]


def _between(columns: int, time: Tensor, length: int) -> Places:
    """Neighbouring columns at each moment and how far it lies towards the second: loudness glides, it never clicks."""
    place = ((time + 0.5) / length * columns - 0.5).clamp(0, columns - 1)
    first = place.floor().long()
    return first, (first + 1).clamp(max=columns - 1), place - first


def _at(values: Tensor, places: Places) -> Tensor:
    first, second, along = places
    return torch.lerp(values[:, first], values[:, second], along)
