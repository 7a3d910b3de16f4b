"""Faces brought to one place and size: a mesh laid over the mean face's, and the picture cut out around it (chapter 7).

Units are the head units of the drawn faces: half a mean head's height is 1, the origin is mid-head, y grows downwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from companion.vision.frames import Picture
from companion.vision.landmarks import Mesh

FINER = 2  # times, in each direction, that a cut-out is sampled before it is reduced: no aliases

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A square of the plane, in head units."""

    centre: tuple[float, float]
    half: float  # of its side

    def places(self, size: int) -> Numbers:
        """Where the middles of a cut-out's pixels lie, `(size, size, 2)`."""
        line = (np.arange(size) + 0.5) / size * 2 * self.half - self.half
        x, y = np.meshgrid(line + self.centre[0], line + self.centre[1])
        return np.stack([x, y], 2)


HEAD = Window((0.0, -0.05), 1.65)  # all of a head with long hair or a hat
EYES_TO_MOUTH = Window((0.0, 0.12), 0.64)  # where spectacles and whiskers are


@dataclass(frozen=True, eq=False)
class Upright:
    """A face's mesh laid over a template's, and how it came there."""

    matrix: Numbers  # (2, 3): from a picture's pixels to head units
    points: Numbers  # (K, 3): the mesh in head units, with its depth in the same unit

    @property
    def unit(self) -> float:
        """How many pixels of the picture make one head unit."""
        return 1 / float(np.hypot(*self.matrix[:, 0]))

    def to_picture(self, places: Numbers) -> Numbers:
        """Places in head units `(K, 2)` as pixels of the picture."""
        return (places - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T


def upright(mesh: Mesh, template: Numbers) -> Upright:
    """The mesh turned, scaled and shifted so that its points lie nearest to the template's, `(K, 2)` in head units.

    A similarity in least squares (Umeyama 1991, in the plane): no face is stretched.
    """
    pixels = mesh.pixels.astype(np.float64)
    matrix = similarity(pixels, template)
    flat = pixels @ matrix[:, :2].T + matrix[:, 2]
    depth = mesh.normalised[:, 2:].astype(np.float64) * mesh.width * np.hypot(*matrix[:, 0])
    return Upright(matrix, np.concatenate([flat, depth], 1))


def similarity(points: Numbers, goal: Numbers) -> Numbers:
    """The matrix `(2, 3)` of turn, scale and shift that takes points `(K, 2)` nearest to a goal `(K, 2)`."""
    own, other = points - points.mean(0), goal - goal.mean(0)
    along = (own * other).sum()
    across = (own[:, 0] * other[:, 1] - own[:, 1] * other[:, 0]).sum()
    turn = np.array([[along, -across], [across, along]]) / (own**2).sum()
    return np.concatenate([turn, (goal.mean(0) - turn @ points.mean(0))[:, None]], 1)


def cut_out(picture: Picture, face: Upright, window: Window, size: int) -> Picture:
    """What lies in a window, upright, `(size, size, 3)`; beyond the picture its edge goes on."""
    fine = size * FINER
    step = 2 * window.half / fine
    corners = np.array([[x, y] for x in (-1, 1) for y in (-1, 1)]) * window.half + window.centre
    around = face.to_picture(corners)
    left, top = np.floor(around.min(0)).astype(int) - 2
    right, bottom = np.ceil(around.max(0)).astype(int) + 2
    rows, columns = (
        np.arange(first, last).clip(0, length - 1)
        for first, last, length in ((top, bottom, picture.shape[0]), (left, right, picture.shape[1]))
    )
    image = Image.fromarray(picture[np.ix_(rows, columns)])
    reduced = max(1, int(step * face.unit))  # so that a fine pixel is made of about one of the picture's
    image = image.reduce(reduced)
    turn = np.linalg.inv(face.matrix[:, :2]) * step / reduced
    corner = np.array(window.centre)[None] - window.half
    start = (face.to_picture(corner)[0] + 0.5 - (left, top)) / reduced
    numbers = (turn[0, 0], turn[0, 1], start[0], turn[1, 0], turn[1, 1], start[1])
    cut = image.transform((fine, fine), Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR)
    return np.asarray(cut.reduce(FINER))
