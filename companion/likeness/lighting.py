"""In what light was a face photographed? The whites of its eyes were in the same (chapter 7).

A photograph shows a colour times a light, so a person in a dim room would be drawn with a dark skin. The eyes' whites
are nearly the same in everybody, and say what a white thing looked like there. They also lie deep, in the shadow of
brows and lids, so they are believed half: the correction is the square root of what they ask for.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from companion.data.scale import from_light, to_light
from companion.likeness.aligning import Upright, Window, cut_out
from companion.vision.frames import Picture
from companion.vision.models import opencv

Gains = NDArray[np.float64]  # (3,): of linear red, green and blue

# Rows of MediaPipe's mesh: each eye's lids once round, and its iris: the middle and four points of the edge.
EYES = (
    (
        (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
        (468, 469, 470, 471, 472),
    ),
    (
        (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
        (473, 474, 475, 476, 477),
    ),
)
WINDOW = Window((0.0, -0.1), 0.7)
SIDE = 280  # pixels of the cut-out, in which an eye is some 50 wide
LIMBUS = 1.15  # irises are cut out a little larger than they are found: their edge is dark
BRIGHTER = 0.7  # quantile of brightness from which on a pixel is white and no lash or shadow
WHITE = np.array([0.46, 0.43, 0.42])  # linear: an eye's white in good light, a little warm
BELIEVED = 0.5  # exponent
LEAST, MOST = 0.8, 2.0  # gain
ENOUGH = 30  # pixels of white; fewer say nothing


def light(picture: Picture, face: Upright) -> Gains:
    """By what linear colours have to be multiplied to be as in good light; ones where no white is seen."""
    cut = cut_out(picture, face, WINDOW, SIDE)
    whites = linear(cut[_whites(face)] / 255)
    if len(whites) < ENOUGH:
        return np.ones(3)
    brightness = whites.mean(1)
    seen = np.median(whites[brightness >= np.quantile(brightness, BRIGHTER)], 0)
    gains: Gains = ((WHITE / np.maximum(seen, 1e-3)) ** BELIEVED).clip(LEAST, MOST)
    return gains


def relit(picture: Picture, gains: Gains) -> Picture:
    """The picture in good light."""
    shone = encoded(linear(picture / 255) * gains)
    return (shone * 255).round().astype(np.uint8)


def linear(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """SRGB in [0, 1] to linear light."""
    return to_light(torch.from_numpy(colours)).numpy()


def encoded(shining: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other way round; what lies beyond [0, 1] is cut off."""
    return from_light(torch.from_numpy(shining)).numpy()


def _whites(face: Upright) -> NDArray[np.bool_]:
    """Where the cut-out shows the eyes' whites."""
    cv2 = opencv()
    at = (face.points[:, :2] - WINDOW.centre + WINDOW.half) / (2 * WINDOW.half) * SIDE
    found = np.zeros((SIDE, SIDE), np.uint8)
    for lids, iris in EYES:
        eye = cv2.fillPoly(np.zeros_like(found), [np.round(at[list(lids)]).astype(np.int32)], 1)
        eye = cv2.erode(eye, np.ones((3, 3), np.uint8))
        reach = np.linalg.norm(at[list(iris[1:])] - at[iris[0]], axis=1).mean() * LIMBUS
        centre = [round(float(number)) for number in at[iris[0]]]
        found |= cv2.circle(eye, centre, round(float(reach)), 0, -1)
    return found.astype(bool)
