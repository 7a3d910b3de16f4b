"""What was found, drawn on the picture: light lines with a dark edge, so that they show on any photograph."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from companion.vision.frames import Picture
from companion.vision.landmarks import Box, Face, Found, Hand, Mesh, Pose
from companion.vision.models import mediapipe, opencv

Colour = tuple[int, int, int]
LEFT: Colour = (255, 190, 60)  # the person's left is amber,
RIGHT: Colour = (110, 220, 255)  # the right is sky blue, both told apart under every common colour blindness
MIDDLE: Colour = (255, 255, 255)
EDGE: Colour = (31, 41, 51)
SURE = 0.5  # landmarks of a body less visible than this are guesses and stay undrawn

FINGERS = [
    [0, 1, 2, 3, 4],
    [0, 5, 6, 7, 8],
    [5, 9, 10, 11, 12],
    [9, 13, 14, 15, 16],
    [0, 17, 18, 19, 20],
    [13, 17],
]
LIMBS = {
    LEFT: [[11, 13, 15, 17, 19, 15, 21], [23, 25, 27, 29, 31, 27], [2, 3, 7]],
    RIGHT: [[12, 14, 16, 18, 20, 16, 22], [24, 26, 28, 30, 32, 28], [5, 6, 8]],
    MIDDLE: [[12, 11, 23, 24, 12], [2, 1, 0, 4, 5], [9, 10]],
}


def draw(picture: Picture, found: Sequence[Found]) -> Picture:
    """A copy of the picture with each finding drawn on it; picture and result `(H, W, 3)` uint8 RGB."""
    drawn = np.ascontiguousarray(picture).copy()
    for one in found:
        if isinstance(one, Face):
            _face(drawn, one)
        elif isinstance(one, Mesh):
            _mesh(drawn, one)
        elif isinstance(one, Hand):
            _hand(drawn, one)
        elif isinstance(one, Pose):
            _pose(drawn, one)
    return drawn


def _face(picture: Picture, face: Face) -> None:
    left, top, right, bottom = face.bounds
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
    _lines(picture, [corners], MIDDLE)
    for row, point in enumerate(face.pixels):
        _dot(picture, point, (RIGHT, LEFT, MIDDLE, MIDDLE, RIGHT, LEFT)[row])
    _label(picture, f"{face.score:.2f}", face.bounds)


def _mesh(picture: Picture, mesh: Mesh) -> None:
    at = mesh.pixels
    web, contours = _mesh_lines()
    cv2 = opencv()
    over = picture.copy()
    cv2.polylines(over, _fixed(list(at[web])), False, MIDDLE, 1, cv2.LINE_AA, 4)
    cv2.addWeighted(over, 0.45, picture, 0.55, 0, picture)  # the web lets the face show through
    for colour, lines in contours.items():
        _lines(picture, list(at[lines]), colour)


@cache
def _mesh_lines() -> tuple[NDArray[np.int64], dict[Colour, NDArray[np.int64]]]:
    """Pairs of rows, `(E, 2)`: the whole web, and the contours by colour; MediaPipe's own lists."""
    lists = mediapipe().tasks.vision.FaceLandmarksConnections

    def pairs(*names: str) -> NDArray[np.int64]:
        edges = [edge for name in names for edge in getattr(lists, f"FACE_LANDMARKS_{name}")]
        return np.array([(edge.start, edge.end) for edge in edges])

    sides = {
        side: pairs(f"{name}_EYE", f"{name}_EYEBROW", f"{name}_IRIS")
        for side, name in ((LEFT, "LEFT"), (RIGHT, "RIGHT"))
    }
    return pairs("TESSELATION"), {**sides, MIDDLE: pairs("LIPS", "FACE_OVAL")}


def _hand(picture: Picture, hand: Hand) -> None:
    colour = LEFT if hand.side == "left" else RIGHT
    at = hand.pixels
    _lines(picture, [at[finger] for finger in FINGERS], colour)
    for point in at:
        _dot(picture, point, colour)
    _label(picture, f"{hand.side} {hand.score:.2f}", hand.bounds)


def _pose(picture: Picture, pose: Pose) -> None:
    at, seen = pose.pixels, pose.visibility >= SURE
    for colour, chains in LIMBS.items():
        bones = [(a, b) for chain in chains for a, b in pairwise(chain)]
        _lines(picture, [at[[a, b]] for a, b in bones if seen[a] and seen[b]], colour)
    for row in np.flatnonzero(seen):
        _dot(picture, at[row], MIDDLE if row == 0 else LEFT if row in _LEFT_ROWS else RIGHT)


_LEFT_ROWS = {1, 2, 3, 9, *range(7, 32, 2)}


def _thickness(picture: Picture) -> int:
    height, width, _ = picture.shape
    return max(1, round(int(max(height, width)) / 400))


def _fixed(lines: Sequence[NDArray[np.float32]]) -> list[NDArray[np.int32]]:
    """Pixels with four binary digits after the point, as OpenCV draws sub-pixel lines."""
    return [np.round(np.clip(line, -1e6, 1e6) * 16).astype(np.int32) for line in lines]


def _lines(picture: Picture, lines: Sequence[NDArray[np.float32]], colour: Colour) -> None:
    cv2, width = opencv(), _thickness(picture)
    for shade, wide in ((EDGE, width + 2), (colour, width)):
        cv2.polylines(picture, _fixed(lines), False, shade, wide, cv2.LINE_AA, 4)


def _dot(picture: Picture, at: NDArray[np.float32], colour: Colour) -> None:
    cv2, radius = opencv(), 2 * _thickness(picture)
    ((x, y),) = _fixed([at])
    for shade, size in ((EDGE, radius + 1), (colour, radius)):
        cv2.circle(picture, (int(x), int(y)), size * 16, shade, -1, cv2.LINE_AA, 4)


def _label(picture: Picture, text: str, bounds: Box) -> None:
    """White on a dark plate above the finding, or below it where there is no room above."""
    cv2, width = opencv(), _thickness(picture)
    scale, gap = 0.3 + 0.15 * width, 3 * width
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, width)
    left = int(min(max(bounds.left, 0), max(picture.shape[1] - wide - 2 * gap, 0)))
    foot = int(bounds.top) - 2 * gap
    if foot - tall - gap < 0:
        foot = int(bounds.bottom) + 3 * gap + tall
    cv2.rectangle(picture, (left, foot - tall - gap), (left + wide + 2 * gap, foot + gap), EDGE, -1)
    cv2.putText(
        picture, text, (left + gap, foot), cv2.FONT_HERSHEY_SIMPLEX, scale, MIDDLE, width, cv2.LINE_AA
    )
