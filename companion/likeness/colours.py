"""A person's colours, looked up in the picture where the mesh says what lies there (chapter 7).

The picture has been brought into good light (`lighting`). Skin is taken from its evenly lit middle, and then half-way
to the nearest skin of the course's own people: their row of skins runs from the fairest to the deepest, and along it
nothing is moved, so nobody is made lighter or darker.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from companion.data.faces.prior import SKINS
from companion.likeness.aligning import HEAD, Upright
from companion.vision.frames import Picture

Colour = NDArray[np.float64]  # (3,), sRGB in [0, 1]

# Rows of MediaPipe's mesh.
CHEEKS_AND_FOREHEAD = (50, 280, 205, 425, 117, 346, 9, 151, 108, 337)
BROWS = (105, 334, 66, 296, 107, 336)
LIPS = (0, 17, 37, 267, 84, 314)
IRISES = (468, 473)
TO_OWN_SKIN = 0.5  # share of the way to the row of skins, at right angles to it
SURE = 0.6  # of a part's probability, from which on a pixel counts as showing it
ENOUGH = 12  # pixels, below which a colour is looked up elsewhere
CLOTHES_FROM = 1.25  # head units below the middle


def colours(crop: Picture, face: Upright, parts: dict[str, Tensor]) -> dict[str, Colour]:
    """The colours of skin, hair, lips, irises and clothes.

    Args:
        crop: The cut-out face in good light, `(S, S, 3)`.
        face: Its mesh.
        parts: Each part's probability, `(S, S)`.
    """
    pixels = crop.astype(np.float64) / 255
    skin = own_skin(_lit(_around(pixels, face, CHEEKS_AND_FOREHEAD, 2)))
    hair = pixels[parts["hair"].numpy() > SURE]
    hair = hair if len(hair) >= ENOUGH else _around(pixels, face, BROWS, 0)
    below = (HEAD.places(len(crop))[..., 1] > CLOTHES_FROM) & (parts["elsewhere"].numpy() > SURE)
    return {
        "skin": skin,
        "hair": np.median(hair, 0),
        "lips": np.median(_around(pixels, face, LIPS, 0), 0),
        "iris": np.median(_around(pixels, face, IRISES, 0), 0),
        "clothes": np.median(pixels[below], 0) if below.sum() >= ENOUGH else np.full(3, 0.45),
    }


def own_skin(colour: Colour) -> Colour:
    """A skin's colour, brought half-way to the row of skins that the course's people have."""
    row = np.array(SKINS, dtype=np.float64) / 255
    start, step = row[:-1], np.diff(row, axis=0)
    along = (((colour - start) * step).sum(1) / (step**2).sum(1)).clip(0, 1)
    nearest = start + along[:, None] * step
    best = nearest[((colour - nearest) ** 2).sum(1).argmin()]
    blended: Colour = colour + TO_OWN_SKIN * (best - colour)
    blended *= colour.mean() / blended.mean()  # neither lighter nor darker
    return blended


def _lit(pixels: Colour) -> Colour:
    """The middle of the lighter half: no shadow, no gloss."""
    light = pixels.mean(1)
    low, high = np.quantile(light, [0.4, 0.9])
    middle: Colour = np.median(pixels[(light >= low) & (light <= high)], 0)
    return middle


def _around(pixels: Colour, face: Upright, rows: tuple[int, ...], reach: int) -> Colour:
    """The pixels around points of the mesh, `(n, 3)`."""
    size = len(pixels)
    at = (face.points[list(rows), :2] - HEAD.centre + HEAD.half) / (2 * HEAD.half) * size
    steps = np.arange(-reach, reach + 1)
    columns, lines = (
        (np.floor(at[:, axis])[:, None].astype(int) + steps).clip(0, size - 1) for axis in (0, 1)
    )
    found: Colour = pixels[lines[:, :, None], columns[:, None, :]].reshape(-1, 3)
    return found


def enlarged(parts: Tensor, size: int) -> Tensor:
    """Probabilities `(C, h, w)` for a picture of `size` pixels a side."""
    return torch.nn.functional.interpolate(parts[None], size=(size, size), mode="bilinear")[0]
