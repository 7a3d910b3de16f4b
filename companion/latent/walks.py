"""Walks through latent space, and how they are kept as an animation."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from companion.data.scale import to_bytes
from companion.errors import CompanionError
from companion.files import replacing
from companion.latent.given import number, rows
from companion.viz.grids import interpolation

PILLOWS = {
    ".gif": "GIF",
    ".webp": "WEBP",
    ".png": "PNG",
}  # a PNG with several pictures moves in every browser


def walk(stations: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Latents on the way from station to station, `((K − 1) · steps + 1, latents)`.

    Args:
        stations: `(K, latents)`, at least two: codes of chosen images, say.
        steps: From each to the next.
        spherical: On great circles (White 2016) rather than straight lines. Codes of a VAE are means and lie shorter
            than draws from the prior, so straight lines do them less harm than a GAN's latents.
    """
    stations = rows(stations, "stations")
    if len(stations) < 2 or steps < 1 or steps != int(steps):
        raise CompanionError("A walk needs two stations or more, and a whole number of steps between them.")
    ways = []
    for start, end in pairwise(stations):
        along = torch.linspace(0, 1, steps + 1)[:, None]
        way = interpolation(start, end, steps + 1) if spherical else torch.lerp(start, end, along)
        ways.append(way[:-1])
    return torch.cat([*ways, stations[-1:]])


def save_walk(frames: Tensor, path: Path | str, *, rate: float = 12.0, scale: int = 3) -> Path:
    """Keep images as an animation: .gif, .webp or .png, or a video (.mp4, .webm, .mkv, .avi) where PyAV is at hand.

    Args:
        frames: `(N, C, H, W)` in [−1, 1].
        path: Where; what lies there is replaced.
        rate: Images a second.
        scale: How much they are enlarged, without smoothing.

    Raises:
        CompanionError: There is nothing to save, or no such rate or scale; the name ends in none of these, or the place
            cannot be written.
    """
    from companion.vision.filming import FORMS

    path = Path(path)
    kind = path.suffix.lower()
    if frames.dim() != 4 or not len(frames) or frames.shape[1] not in (1, 3):
        raise CompanionError(
            f"A walk of shape {tuple(frames.shape)} cannot be saved; give one or more images, (N, 1 or 3, H, W)."
        )
    number(rate, "The number of images a second", least=0.02, most=1000)
    number(scale, "The scale", least=1)
    pictures = [_picture(frame, scale) for frame in frames]
    if kind in PILLOWS:
        with replacing(path) as file:
            pictures[0].save(
                file,
                PILLOWS[kind],
                save_all=True,
                append_images=pictures[1:],
                duration=round(1000 / rate),
                loop=0,
            )
    elif kind in FORMS:
        _save_video(pictures, path, rate)
    else:
        endings = ", ".join([*PILLOWS, *FORMS])
        raise CompanionError(f"A walk cannot be saved as “{path.name}”; give a name that ends in {endings}.")
    return path


def _picture(frame: Tensor, scale: int) -> Image.Image:
    pixels = to_bytes(frame).expand(3, -1, -1).permute(1, 2, 0).numpy()
    return Image.fromarray(np.ascontiguousarray(pixels.repeat(scale, 0).repeat(scale, 1)))


def _save_video(pictures: list[Image.Image], path: Path, rate: float) -> None:
    from companion.vision.filming import FilmWriter, form_of
    from companion.vision.frames import Frame

    with replacing(path) as file, closing(FilmWriter(file, form_of(path), rate)) as film:
        for number, picture in enumerate(pictures):
            pixels = np.asarray(picture)
            film.write(Frame(pixels, number / rate, str(number)), pixels)
