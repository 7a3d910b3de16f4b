"""Faces side by side, as a page shows them (chapter 7)."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from companion.vision.frames import Picture
from companion.viz.grids import named

HAIR = np.array([213, 94, 0])  # the tint
TINT = 0.55  # share of it


def sheet(rows: Sequence[Sequence[Picture]], side: int = 200, *, columns: Sequence[str] = ()) -> Image.Image:
    """Pictures in rows, each `side` pixels wide and high, under the names of their columns."""
    pictures = np.concatenate([np.concatenate([_sized(p, side) for p in row], 1) for row in rows])
    return named(Image.fromarray(pictures), columns=columns)


def tinted(picture: Picture, share: Tensor, side: int = 200) -> Picture:
    """The picture with a tint where a share `(S, S)` of it, 0 to 1, is above a half."""
    shown = _sized(picture, side).astype(float)
    mask = np.asarray(Image.fromarray(share.numpy().astype(np.float32)).resize((side, side))) > 0.5
    shown[mask] = (1 - TINT) * shown[mask] + TINT * HAIR
    return shown.round().astype(np.uint8)


def _sized(picture: Picture, side: int) -> Picture:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
