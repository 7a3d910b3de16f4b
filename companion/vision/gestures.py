"""What a hand says: fingers up, a count, a pinch in hand-widths, a swipe (chapter 8).

Everything is measured in **hand-widths**, the distance between the knuckles of the index and the little finger: a hand
far from the camera has small fingers and a small width, and their ratio stays. Depth counts, so that a hand turned to
the side keeps its width. These are rules a reader can follow with a pencil; `companion.vision.learning` learns
gestures from examples instead.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from companion.vision.landmarks import Hand, HandPoint
from companion.vision.smoothing import Hysteresis

Shape = NDArray[np.float64]
Direction = Literal["left", "right", "up", "down"]


class Finger(IntEnum):
    """The five, thumb first."""

    THUMB = 0
    INDEX = 1
    MIDDLE = 2
    RING = 3
    LITTLE = 4

    @property
    def points(self) -> list[int]:
        """Rows of its four landmarks, from the palm to the tip."""
        return list(range(4 * self + 1, 4 * self + 5))


# Found with a pencil on a handful of photographs; the chapter measures how far they carry.
STRAIGHT = 0.85  # tip to knuckle, over the finger's length along its bones
AWAY = 1.05  # wrist to tip, over wrist to middle joint
THUMB_OUT = 1.3  # hand-widths from the thumb's tip to the little finger's knuckle
PINCHED = 0.55  # hand-widths from the thumb's tip to the index finger's
LET_GO = 0.75


def shape(hand: Hand) -> Shape:
    """The landmarks in three dimensions, `(21, 3)`, in hand-widths, the wrist at the origin.

    Neither the hand's place in the picture nor its distance from the camera nor the picture's proportions matter. x
    and y come in pixels, and z in widths of the picture, so all three are brought to pixels first. (MediaPipe's
    landmarks in metres could serve, too; on the course's photographs they are the less exact ones.)

    Raises:
        ValueError: The hand has no width: both knuckles are in one place.
    """
    points = hand.normalised.astype(np.float64) * [hand.width, hand.height, hand.width]
    width = np.linalg.norm(points[HandPoint.INDEX_MCP] - points[HandPoint.LITTLE_MCP])
    if not width > 0:
        raise ValueError("The hand has no width.")
    return np.asarray((points - points[HandPoint.WRIST]) / width)


def _distance(points: Shape, start: int, end: int) -> float:
    return float(np.linalg.norm(points[start] - points[end]))


def pinch(hand: Hand) -> float:
    """How far the tip of the thumb is from the tip of the index finger, in hand-widths.

    Landmarks lie inside the fingertips, so it is not 0 when they touch: 0.3 for a ring of both fingers on a photograph,
    and up to 0.5 when the same photograph is followed as a video. About 1 to 2 in an open hand.
    """
    return _distance(shape(hand), HandPoint.THUMB_TIP, HandPoint.INDEX_TIP)


def pinch_switch() -> Hysteresis:
    """A switch for a hand's `pinch`: on when thumb and index finger touch, off when they have clearly parted."""
    return Hysteresis(on=PINCHED, off=LET_GO)


def fingers_up(hand: Hand) -> tuple[Finger, ...]:
    """The fingers that are stretched out, whichever way the hand points.

    A finger is when it is straight and its tip is further from the wrist than its middle joint. The thumb is when its
    tip is far from the little finger's knuckle. A thumb and index finger that pinch are both busy, and not up.
    """
    points = shape(hand)
    up = [finger for finger in Finger if _is_up(points, finger)]
    if _distance(points, HandPoint.THUMB_TIP, HandPoint.INDEX_TIP) <= PINCHED:
        up = [finger for finger in up if finger > Finger.INDEX]
    return tuple(up)


def _is_up(points: Shape, finger: Finger) -> bool:
    knuckle, middle, _, tip = finger.points
    if finger == Finger.THUMB:
        return _distance(points, tip, HandPoint.LITTLE_MCP) >= THUMB_OUT
    bones = sum(_distance(points, row, row + 1) for row in finger.points[:-1])
    straight = _distance(points, tip, knuckle) >= STRAIGHT * bones
    away = _distance(points, HandPoint.WRIST, tip) >= AWAY * _distance(points, HandPoint.WRIST, middle)
    return straight and away


def count_fingers(hands: Iterable[Hand]) -> int:
    """How many fingers are up on all hands together."""
    return sum(len(fingers_up(hand)) for hand in hands)


@dataclass
class SwipeDetector:
    """Swipes of one hand: a quick way in one direction, much further than across.

    Left and right are the person's own, as everywhere in `companion.vision`.
    """

    distance: float = 1.5  # hand-widths
    within: float = 0.4  # seconds
    pause: float = 0.6  # seconds after a swipe in which no other counts: the hand is on its way back
    _track: deque[tuple[float, float, float]] = field(default_factory=deque, init=False, repr=False)
    _again: float = field(default=-np.inf, init=False, repr=False)

    def __call__(self, hand: Hand | None, seconds: float) -> Direction | None:
        """The swipe completed at this moment, if there is one; None for `hand` where none is seen.

        Raises:
            ValueError: The hand has no width.
        """
        if hand is None:
            self._track.clear()
            return None
        width = float(np.linalg.norm(_palm(hand, HandPoint.INDEX_MCP) - _palm(hand, HandPoint.LITTLE_MCP)))
        if not width > 0:
            raise ValueError("The hand has no width.")
        x, y = _palm(hand, HandPoint.MIDDLE_MCP)[:2]
        if not np.isfinite([x, y, seconds]).all():  # no reading
            return None
        self._track.append((seconds, x, y))
        while seconds - self._track[0][0] > self.within:
            self._track.popleft()
        _, began_x, began_y = self._track[0]
        across, down = (x - began_x) / width, (y - began_y) / width
        if seconds < self._again or max(abs(across), abs(down)) < self.distance:
            return None
        if max(abs(across), abs(down)) < 2 * min(abs(across), abs(down)):
            return None  # as much across as along: a wave, not a swipe
        self._again = seconds + self.pause
        self._track.clear()
        if abs(across) > abs(down):
            return "left" if across > 0 else "right"  # the picture's right is the person's left
        return "down" if down > 0 else "up"


def _palm(hand: Hand, point: HandPoint) -> Shape:
    size = [hand.width, hand.height, hand.width]
    return np.asarray(hand.normalised[point].astype(np.float64) * size)
