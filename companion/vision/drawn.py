"""Pictures that are nobody's: a hand that pinches, and somebody who dances, modelled in clay (of capsules).

MediaPipe's networks take them for a hand and a body. So there are films of a hand that anybody may pass on.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Place = tuple[float, float]  # in heights of the picture, from its upper left corner
Colour = tuple[int, int, int]

SKIN: Colour = (226, 174, 142)
WALL: Colour = (214, 219, 222)
LIGHT = np.array([-0.45, -0.55, 0.75]) / np.linalg.norm([-0.45, -0.55, 0.75])
SOFT = 1 / 150  # how far edges between capsules are smoothed, in heights
DARK, BRIGHT = 0.45, 0.65  # light from nowhere, and from the lamp


class Capsule(NamedTuple):
    """A ball at each end and what lies between; the raised ones are nearer to the camera."""

    start: Place
    end: Place
    radius: float
    radius_end: float
    colour: Colour = SKIN
    raised: float = 0.0


def picture(capsules: Iterable[Capsule], height: int, width: int, wall: Colour = WALL) -> Pixels:
    """Capsules of clay, lit from the upper left, `(height, width, 3)`; drawn at twice the size, for soft edges."""
    large = _rendered(list(capsules), 2 * height, 2 * width, wall)
    return np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BOX))


def _rendered(capsules: list[Capsule], height: int, width: int, wall: Colour) -> Pixels:
    y, x = np.mgrid[0:height, 0:width] / height
    relief, inside = np.zeros((height, width)), np.full((height, width), -1.0)
    colour = np.broadcast_to(np.array(wall, float), (height, width, 3)).copy()
    nearest = np.full((height, width), -np.inf)
    for capsule in capsules:
        depth = _depth(capsule, x, y)  # how far within, in heights
        bulge = np.sqrt(np.maximum(depth * (2 * capsule.radius - depth), 0)) + capsule.raised
        front = (depth > -1 / height) & (bulge > nearest)
        nearest[front], colour[front] = bulge[front], capsule.colour
        relief = np.maximum(relief, np.where(depth > 0, bulge, 0))
        inside = np.maximum(inside, depth)
    down, right = np.gradient(gaussian_filter(relief, SOFT * height) * height)
    lit = (-right * LIGHT[0] - down * LIGHT[1] + LIGHT[2]) / np.sqrt(right**2 + down**2 + 1)
    shaded = colour * (DARK + BRIGHT * np.clip(lit, 0, 1))[..., None]
    cover = np.clip(inside * height + 0.5, 0, 1)[..., None]
    pixels: Pixels = np.clip(wall + cover * (shaded - wall), 0, 255).astype(np.uint8)
    return pixels


def _depth(capsule: Capsule, x: Field, y: Field) -> Field:
    (ax, ay), (bx, by) = capsule.start, capsule.end
    along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    along = np.clip(along, 0, 1)
    radius = capsule.radius + along * (capsule.radius_end - capsule.radius)
    return np.asarray(radius - np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))


# ---- a hand that pinches --------------------------------------------------------------------------------------------

STILL_FINGERS = {
    "middle": (
        [(0.535, 0.535), (0.542, 0.385), (0.546, 0.295), (0.549, 0.215)],
        [0.047, 0.042, 0.038, 0.032],
    ),
    "ring": ([(0.615, 0.555), (0.648, 0.42), (0.664, 0.345), (0.676, 0.275)], [0.045, 0.040, 0.036, 0.030]),
    "little": ([(0.685, 0.60), (0.735, 0.50), (0.762, 0.44), (0.785, 0.385)], [0.040, 0.034, 0.031, 0.027]),
}
INDEX, THUMB = np.array([0.455, 0.55]), np.array([0.482, 0.80])  # where the two begin,
INDEX_OPEN, THUMB_OPEN = np.array([0.395, 0.235]), np.array([0.205, 0.585])  # reach to,
TOUCH = np.array([0.300, 0.455])  # and meet
PALM = [
    Capsule((0.545, 1.1), (0.545, 0.86), 0.10, 0.098),
    Capsule((0.53, 0.83), (0.465, 0.575), 0.085, 0.058),
    Capsule((0.55, 0.83), (0.535, 0.565), 0.085, 0.058),
    Capsule((0.57, 0.83), (0.61, 0.585), 0.085, 0.056),
    Capsule((0.585, 0.82), (0.675, 0.63), 0.078, 0.050),
]


def hand(opened: float, height: int = 480, width: int | None = None) -> Pixels:
    """A right hand, its palm to the camera; thumb and index finger touch at 0 and are spread at 1.

    It stands in the middle of a picture that is wider than high.
    """
    nearer = 1 - 0.22 * (1 - opened)  # a bent finger points at the camera and looks shorter
    index = _bent(
        INDEX,
        TOUCH + [0.006, -0.02] + opened * (INDEX_OPEN - TOUCH),
        [0.145, 0.095, 0.080],
        nearer,
        0.36 - 0.34 * opened,
    )
    thumb = _bent(
        THUMB, TOUCH + [-0.006, 0.02] + opened * (THUMB_OPEN - TOUCH), [0.140, 0.125, 0.100], 1, 0.16
    )
    fingers = [
        *STILL_FINGERS.values(),
        (index, [0.046, 0.040, 0.037, 0.031]),
        (thumb, [0.060, 0.048, 0.041, 0.034]),
    ]
    bones = [
        Capsule(joints[row], joints[row + 1], radii[row], radii[row + 1], raised=0.012 * (joints is thumb))
        for joints, radii in fingers
        for row in range(3)
    ]
    width = width or height
    aside = (width / height - 1) / 2
    moved = [
        one._replace(start=(one.start[0] + aside, one.start[1]), end=(one.end[0] + aside, one.end[1]))
        for one in (*PALM, *bones)
    ]
    return picture(moved, height, width)


def _bent(start: Field, end: Field, bones: list[float], nearer: float, bend: float) -> list[Place]:
    """A finger's joints from one place to another, bent to one side (FABRIK, Aristidou and Lasenby 2011)."""
    lengths = nearer * np.array(bones)
    way = end - start
    aside = np.array([-way[1], way[0]]) / np.linalg.norm(way) * bend * 0.8 * np.linalg.norm(lengths)
    shares = np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
    joints = [start + way * share + aside * np.sin(np.pi * share) for share in shares]
    for _ in range(60):
        for order in (range(len(lengths) - 1, -1, -1), range(len(lengths))):
            back = order[0] > 0
            joints[-1 if back else 0] = end if back else start
            for bone in order:
                fixed, moved = (bone + 1, bone) if back else (bone, bone + 1)
                line = joints[moved] - joints[fixed]
                joints[moved] = joints[fixed] + line / np.linalg.norm(line) * lengths[bone]
    return [(float(x), float(y)) for x, y in joints]


# ---- somebody who dances --------------------------------------------------------------------------------------------

SHIRT, TROUSERS, SHOES, HAIR = (92, 140, 168), (70, 76, 92), (52, 48, 50), (74, 52, 42)


def dancer(height: int = 600, width: int = 600) -> Pixels:
    """A whole body: one arm up, one out, one knee raised."""
    body = [
        Capsule((0.44, 0.17), (0.44, 0.15), 0.052, 0.056, HAIR, -0.02),
        Capsule((0.44, 0.165), (0.44, 0.195), 0.046, 0.036, SKIN, 0.02),
        Capsule((0.44, 0.22), (0.44, 0.27), 0.026, 0.030, SKIN),
        Capsule((0.375, 0.305), (0.505, 0.305), 0.040, 0.040, SHIRT),
        Capsule((0.405, 0.32), (0.42, 0.50), 0.062, 0.052, SHIRT),
        Capsule((0.475, 0.32), (0.46, 0.50), 0.062, 0.052, SHIRT),
        Capsule((0.41, 0.53), (0.47, 0.53), 0.060, 0.060, TROUSERS),
        # the arm that is up
        Capsule((0.362, 0.30), (0.275, 0.225), 0.034, 0.028, SHIRT),
        Capsule((0.275, 0.225), (0.285, 0.10), 0.026, 0.019),
        Capsule((0.285, 0.09), (0.287, 0.055), 0.021, 0.016),
        # the arm that is out
        Capsule((0.518, 0.30), (0.635, 0.335), 0.034, 0.028, SHIRT),
        Capsule((0.635, 0.335), (0.735, 0.265), 0.026, 0.019),
        Capsule((0.745, 0.258), (0.770, 0.238), 0.021, 0.016),
        # the leg that stands, and the other
        Capsule((0.405, 0.55), (0.385, 0.73), 0.056, 0.042, TROUSERS),
        Capsule((0.385, 0.73), (0.375, 0.90), 0.040, 0.028, TROUSERS),
        Capsule((0.375, 0.925), (0.335, 0.945), 0.026, 0.020, SHOES),
        Capsule((0.475, 0.55), (0.575, 0.66), 0.056, 0.042, TROUSERS, 0.02),
        Capsule((0.575, 0.66), (0.555, 0.82), 0.040, 0.028, TROUSERS, 0.02),
        Capsule((0.555, 0.845), (0.595, 0.870), 0.026, 0.020, SHOES, 0.02),
    ]
    eyes = [Capsule((x, 0.165), (x + 0.001, 0.165), 0.006, 0.006, (40, 34, 32), 0.06) for x in (0.423, 0.457)]
    mouth = [Capsule((0.430, 0.205), (0.450, 0.205), 0.004, 0.004, (150, 70, 66), 0.06)]
    return picture([*body, *eyes, *mouth], height, width)
