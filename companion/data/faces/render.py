"""From faces to pictures, a few at a time, so that memory depends on the chunk and not on the set."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.faces.caricature import caricature, sticker
from companion.data.faces.grid import Columns
from companion.data.faces.parameters import Faces, exaggerate
from companion.data.faces.portrait import portrait
from companion.data.scale import to_bytes
from companion.errors import CompanionError

CHUNK = 2**18  # pixels drawn at once: their fields still fit a processor's cache
SMALLEST, LARGEST = 16, 1024


@dataclass(frozen=True)
class Drawn:
    """N faces as pictures, and which of their pixels show the person."""

    images: Tensor  # (N, 3, H, W), RGB in [−1, 1]
    alpha: Tensor  # (N, 1, H, W) in [0, 1]

    @property
    def rgb(self) -> Tensor:
        """Bytes, `(N, 3, H, W)` uint8, background and all."""
        return to_bytes(self.images)


def draw_portraits(faces: Faces, size: int = 64) -> Drawn:
    """Portraits, `size` pixels a side, on the faces' device; no gradients."""
    return _draw(portrait, faces, size)


def draw_caricatures(faces: Faces, size: int = 64, *, k: float = 1.5) -> Drawn:
    """Pen drawings of the same faces, their shape exaggerated `mean + k · (identity − mean)`."""
    return _draw(caricature, exaggerate(faces, k), size)


def draw_stickers(faces: Faces, size: int = 64, *, k: float = 1.5) -> Drawn:
    """The same drawings cut out of their paper: what is left shows on black, the colours multiplied by alpha."""
    return _draw(sticker, exaggerate(faces, k), size)


def _draw(renderer: Callable[[Columns, int], tuple[Tensor, Tensor]], faces: Faces, size: int) -> Drawn:
    if not SMALLEST <= size <= LARGEST:
        raise CompanionError(
            f"Faces cannot be drawn {size} pixels wide; choose from {SMALLEST} to {LARGEST}."
        )
    count, device = len(faces), faces.values.device
    images, alpha = (
        torch.empty(count, 3, size, size, device=device),
        torch.empty(count, 1, size, size, device=device),
    )
    chunk = max(1, CHUNK // size**2)
    with torch.no_grad():
        for first in range(0, count, chunk):
            rows = slice(first, first + chunk)
            pixels, covered = renderer(Columns(faces.rows(rows)), size)
            images[rows], alpha[rows, 0] = pixels.mul_(2).sub_(1), covered
    return Drawn(images, alpha)
