"""The pictures that “listen” offers: scores that were made for it, and a photograph."""

from pathlib import Path

import numpy as np
from live_samples import photograph
from matplotlib.colors import hsv_to_rgb
from PIL import Image

from companion.files import replacing

SIDE = 256


def files(folder: Path) -> None:
    """`listen-NAME.png`, and `astronaut.jpg`."""
    photograph(folder)
    for name, picture in {"waves": waves(), "chords": chords(), "fan": fan()}.items():
        with replacing(folder / f"listen-{name}.png") as file:
            Image.fromarray((255 * picture).round().astype(np.uint8)).save(file, "PNG", optimize=True)


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Places to the right, x, and downwards, y, from 0 to 1."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    return x, y


def waves() -> np.ndarray:
    """Two lines that cross, an orange one and a blue one."""
    x, y = grid()
    turn = 0.5 + 0.36 * np.sin(2 * np.pi * 1.5 * x)
    lines = [(turn, (1.0, 0.5, 0.1)), (1 - turn, (0.15, 0.45, 1.0))]
    picture = np.zeros((SIDE, SIDE, 3))
    for line, colour in lines:
        picture += np.exp(-((y - line) ** 2) / (2 * 0.012**2))[..., None] * np.array(colour)
    return picture.clip(0, 1)


def chords() -> np.ndarray:
    """Four bars of three white lines each: chords, an octave of five apart in the picture's height."""
    x, y = grid()
    octave = 1 / 5  # of the height
    bass = [
        0.78,
        0.78 - octave * 5 / 12,
        0.78 - octave * 7 / 12,
        0.78,
    ]  # a tonic, its fourth, its fifth, and home
    picture = np.zeros((SIDE, SIDE))
    for bar, low in enumerate(bass):
        inside = np.clip(1 - np.abs(x - (bar + 0.5) / 4) * 8, 0, 1) ** 0.5
        for step in (0, 4, 7, 12):
            height = low - octave * (1 + step / 12)
            picture += inside * np.exp(-((y - height) ** 2) / (2 * 0.009**2))
    return np.repeat(picture.clip(0, 1)[..., None], 3, axis=2)


def fan() -> np.ndarray:
    """Every hue, as rays that spread from the left."""
    x, y = grid()
    angle = np.arctan2(y - 0.5, x + 0.12)
    rays = 0.5 + 0.5 * np.cos(angle * 26)
    hue = (angle / 1.7 + 0.5) % 1
    bright = rays**6 * np.clip(1.15 - 0.6 * x, 0, 1)
    return np.asarray(hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.85), bright.clip(0, 1)], axis=-1)))
