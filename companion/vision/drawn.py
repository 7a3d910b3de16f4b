"""Pictures that are nobody's: a hand that pinches, and somebody who dances, modelled in clay (of capsules).

MediaPipe's networks take them for a hand and a body. So there are films of both that anybody may pass on.
"""

from collections.abc import Iterable, Sequence
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
        near = _window(capsule, height)
        depth = _depth(capsule, x[near], y[near])  # how far within, in heights
        bulge = np.sqrt(np.maximum(depth * (2 * capsule.radius - depth), 0)) + capsule.raised
        front = (depth > -1 / height) & (bulge > nearest[near])
        nearest[near][front], colour[near][front] = bulge[front], capsule.colour
        relief[near] = np.maximum(relief[near], np.where(depth > 0, bulge, 0))
        inside[near] = np.maximum(inside[near], depth)
    down, right = np.gradient(gaussian_filter(relief, SOFT * height) * height)
    lit = (-right * LIGHT[0] - down * LIGHT[1] + LIGHT[2]) / np.sqrt(right**2 + down**2 + 1)
    shaded = colour * (DARK + BRIGHT * np.clip(lit, 0, 1))[..., None]
    cover = np.clip(inside * height + 0.5, 0, 1)[..., None]
    pixels: Pixels = np.clip(wall + cover * (shaded - wall), 0, 255).astype(np.uint8)
    return pixels


def _window(capsule: Capsule, height: int) -> tuple[slice, slice]:
    """The rows and columns that a capsule may cover, and two pixels more for its edge."""
    radius = max(capsule.radius, capsule.radius_end) + 2 / height

    def along(axis: int) -> slice:
        ends = capsule.start[axis], capsule.end[axis]
        low, high = (min(ends) - radius) * height, (max(ends) + radius) * height
        return slice(max(0, int(low)), max(0, int(high) + 2))

    return along(1), along(0)


def _turned(capsules: Iterable[Capsule], about: Place, angle: float, size: float = 1.0) -> list[Capsule]:
    """Capsules turned about a place, clockwise by radians, and made larger or smaller from there."""
    cos, sin = size * np.cos(angle), size * np.sin(angle)

    def there(place: Place) -> Place:
        x, y = place[0] - about[0], place[1] - about[1]
        return (float(about[0] + cos * x - sin * y), float(about[1] + sin * x + cos * y))

    return [
        Capsule(
            *(there(one.start), there(one.end), size * one.radius, size * one.radius_end),
            *(one.colour, size * one.raised),
        )
        for one in capsules
    ]


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
WRIST, ELBOW = (0.545, 0.90), (0.545, 1.80)
ARM = [Capsule(ELBOW, (0.545, 1.1), 0.12, 0.10), Capsule((0.545, 1.1), (0.545, 0.86), 0.10, 0.098)]
PALM = [
    Capsule((0.53, 0.83), (0.465, 0.575), 0.085, 0.058),
    Capsule((0.55, 0.83), (0.535, 0.565), 0.085, 0.058),
    Capsule((0.57, 0.83), (0.61, 0.585), 0.085, 0.056),
    Capsule((0.585, 0.82), (0.675, 0.63), 0.078, 0.050),
]


FOLDING = np.radians([85, 175, 230])  # of a finger's bones out of the palm's plane, when it is folded


class Held(NamedTuple):
    """How an arm and the three fingers that do not pinch are held."""

    elbow: float = 0.0  # radians by which the arm leans to the right,
    wrist: float = 0.0  # and the hand on it
    folded: tuple[float, float, float] = (
        0.0,
        0.0,
        0.0,
    )  # of the middle, ring and little finger: 1 lies in the palm
    size: float = 1.0  # smaller is farther away


def hand(opened: float, height: int = 480, width: int | None = None, held: Held | None = None) -> Pixels:
    """A right hand, its palm to the camera; thumb and index finger touch at 0 and are spread at 1.

    It stands in the middle of a picture that is wider than high.
    """
    held = held or Held()
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
    bones = [
        *(
            bone
            for finger, fold in zip(STILL_FINGERS.values(), held.folded, strict=True)
            for bone in _folded(*finger, fold)
        ),
        *_bones(index, [0.046, 0.040, 0.037, 0.031]),
        *_bones(thumb, [0.060, 0.048, 0.041, 0.034], [0.012] * 3),
    ]
    palm = _turned([*PALM, *bones], WRIST, held.wrist)
    arm = _turned([*ARM, *palm], ELBOW, held.elbow, held.size)
    width = width or height
    aside = (width / height - 1) / 2
    moved = [
        one._replace(start=(one.start[0] + aside, one.start[1]), end=(one.end[0] + aside, one.end[1]))
        for one in arm
    ]
    return picture(moved, height, width)


def _bones(
    joints: Sequence[Place], radii: Sequence[float], raised: Sequence[float] = (0, 0, 0)
) -> list[Capsule]:
    return [
        Capsule(joints[row], joints[row + 1], radii[row], radii[row + 1], raised=raised[row])
        for row in range(3)
    ]


def _folded(joints: list[Place], radii: list[float], fold: float) -> list[Capsule]:
    """A finger that folds towards the camera: seen from there, its bones grow short and then point back."""
    ways = np.diff(np.array(joints), axis=0) * np.cos(fold * FOLDING)[:, None]
    seen = np.concatenate([joints[:1], joints[0] + np.cumsum(ways, axis=0)])
    return _bones(
        [(float(x), float(y)) for x, y in seen], radii, (0.3 * fold * np.array([0.1, 0.16, 0.13])).tolist()
    )


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
TRUNK = [
    Capsule((0.44, 0.17), (0.44, 0.15), 0.052, 0.056, HAIR, -0.02),
    Capsule((0.44, 0.165), (0.44, 0.195), 0.046, 0.036, SKIN, 0.02),
    Capsule((0.44, 0.22), (0.44, 0.27), 0.026, 0.030, SKIN),
    Capsule((0.375, 0.305), (0.505, 0.305), 0.040, 0.040, SHIRT),
    Capsule((0.405, 0.32), (0.42, 0.50), 0.062, 0.052, SHIRT),
    Capsule((0.475, 0.32), (0.46, 0.50), 0.062, 0.052, SHIRT),
    Capsule((0.41, 0.53), (0.47, 0.53), 0.060, 0.060, TROUSERS),
    *(Capsule((x, 0.165), (x + 0.001, 0.165), 0.006, 0.006, (40, 34, 32), 0.06) for x in (0.423, 0.457)),
    Capsule((0.430, 0.205), (0.450, 0.205), 0.004, 0.004, (150, 70, 66), 0.06),
]
ARM_UP = [
    Capsule((0.362, 0.30), (0.275, 0.225), 0.034, 0.028, SHIRT),
    Capsule((0.275, 0.225), (0.285, 0.10), 0.026, 0.019),
    Capsule((0.285, 0.09), (0.287, 0.055), 0.021, 0.016),
]
ARM_OUT = [
    Capsule((0.518, 0.30), (0.635, 0.335), 0.034, 0.028, SHIRT),
    Capsule((0.635, 0.335), (0.735, 0.265), 0.026, 0.019),
    Capsule((0.745, 0.258), (0.770, 0.238), 0.021, 0.016),
]
STANDING = [
    Capsule((0.405, 0.55), (0.385, 0.73), 0.056, 0.042, TROUSERS),
    Capsule((0.385, 0.73), (0.375, 0.90), 0.040, 0.028, TROUSERS),
    Capsule((0.375, 0.925), (0.335, 0.945), 0.026, 0.020, SHOES),
]
RAISED = [
    Capsule((0.475, 0.55), (0.575, 0.66), 0.056, 0.042, TROUSERS, 0.02),
    Capsule((0.575, 0.66), (0.555, 0.82), 0.040, 0.028, TROUSERS, 0.02),
    Capsule((0.555, 0.845), (0.595, 0.870), 0.026, 0.020, SHOES, 0.02),
]
HIPS, FOOT = (0.44, 0.53), (0.375, 0.92)


class Step(NamedTuple):
    """How far a dancer has moved, in radians clockwise; each limb from its root, and from its elbow or knee."""

    sway: float = 0.0  # all of the body, on the foot
    lean: float = 0.0  # what is above the hips
    arm_up: tuple[float, float] = (0.0, 0.0)
    arm_out: tuple[float, float] = (0.0, 0.0)
    raised: tuple[float, float] = (0.0, 0.0)


def dancer(height: int = 600, width: int = 600, step: Step | None = None) -> Pixels:
    """A whole body: one arm up, one out, one knee raised."""
    step = step or Step()
    arms = [*_limb(ARM_UP, step.arm_up), *_limb(ARM_OUT, step.arm_out)]
    above = _turned([*TRUNK, *arms], HIPS, step.lean)
    body = _turned([*above, *STANDING, *_limb(RAISED, step.raised)], FOOT, step.sway)
    return picture(body, height, width)


def _limb(bones: list[Capsule], angles: tuple[float, float]) -> list[Capsule]:
    upper, *lower = bones
    return _turned([upper, *_turned(lower, upper.end, angles[1])], upper.start, angles[0])
