"""What the trackers find: faces, meshes, hands and poses, as small frozen objects (chapter 8).

Every object carries its landmarks `normalised`, shape `(K, 3)`: x and y run from 0 to 1 over the picture's width and
height, from its upper left corner (a landmark outside the picture lies beyond); z is the depth in units of the
picture's width, smaller nearer to the camera. `pixels` gives the same x and y in pixels. World landmarks, where there
are any, are in metres, x to the right of the picture, y down, z away from the camera.

**Left and right are the person's own**, as long as the picture shows the world as a camera sees it. MediaPipe's models
judge a hand from what the picture shows, and a mirror turns right hands into left ones: in a mirrored selfie every
side comes out wrong, of hands, of poses and of blendshapes alike. So give trackers the picture unmirrored, and mirror
for the eye alone, picture and findings together (`mirrored`). OpenCV and browsers hand over unmirrored pictures; a
browser's preview may look mirrored, its frames are not. (MediaPipe before 0.10.15 named the sides as if every picture
were mirrored, as most tutorials still say; a test holds the version in use to what photographs of known hands show.)
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Side = Literal["left", "right"]
Kind = TypeVar("Kind", bound="Found")


class HandPoint(IntEnum):
    """Rows of a hand's landmarks, from the wrist out; each finger from its knuckle to its tip."""

    WRIST = 0
    THUMB_CMC = 1
    THUMB_MCP = 2
    THUMB_IP = 3
    THUMB_TIP = 4
    INDEX_MCP = 5
    INDEX_PIP = 6
    INDEX_DIP = 7
    INDEX_TIP = 8
    MIDDLE_MCP = 9
    MIDDLE_PIP = 10
    MIDDLE_DIP = 11
    MIDDLE_TIP = 12
    RING_MCP = 13
    RING_PIP = 14
    RING_DIP = 15
    RING_TIP = 16
    LITTLE_MCP = 17
    LITTLE_PIP = 18
    LITTLE_DIP = 19
    LITTLE_TIP = 20


class FacePoint(IntEnum):
    """Rows of a detected face's landmarks; the person's right eye is on the left of an unmirrored picture."""

    RIGHT_EYE = 0
    LEFT_EYE = 1
    NOSE_TIP = 2
    MOUTH = 3
    RIGHT_EAR = 4
    LEFT_EAR = 5


class PosePoint(IntEnum):
    """Rows of a pose's landmarks; left and right are the person's."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_LITTLE = 17
    RIGHT_LITTLE = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_TOE = 31
    RIGHT_TOE = 32


class Box(NamedTuple):
    """A rectangle in pixels; its edges may lie outside the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, eq=False)
class Found:
    """What all findings have: landmarks, and the size of the picture they were found in."""

    normalised: Points = field(repr=False)  # (K, 3), see above
    width: int  # of the picture, in pixels
    height: int

    @property
    def pixels(self) -> Points:
        """Landmarks in pixels, `(K, 2)`: x to the right and y down from the picture's upper left corner."""
        size = np.array([self.width, self.height], np.float32)
        return self.normalised[:, :2] * size

    @property
    def bounds(self) -> Box:
        """The smallest rectangle around all landmarks."""
        (left, top), (right, bottom) = self.pixels.min(axis=0), self.pixels.max(axis=0)
        return Box(float(left), float(top), float(right), float(bottom))

    def mirrored(self: Kind) -> Kind:
        """The same finding for the picture seen in a mirror: landmarks move, sides and metres stay the person's."""
        flipped = self.normalised.copy()
        flipped[:, 0] = 1 - flipped[:, 0]
        return replace(self, normalised=flipped)

    def as_json(self) -> dict[str, Any]:
        """Everything found, in plain numbers: pixels to a hundredth, the rest to six digits after the point."""
        return {
            "box": [round(edge, 2) for edge in self.bounds],
            "pixels": _rounded(self.pixels, 2),
            "normalised": _rounded(self.normalised, 6),
        }


@dataclass(frozen=True, eq=False)
class Face(Found):
    """A detected face: six landmarks (`FacePoint`; their z is 0), a box and how sure the detector is."""

    box: Box  # around the face as the detector frames it: brow to chin, ears left out
    score: float  # 0 to 1

    @property
    def bounds(self) -> Box:
        """The detector's own box."""
        return self.box

    def mirrored(self) -> "Face":
        """The same face for the picture seen in a mirror."""
        box = Box(self.width - self.box.right, self.box.top, self.width - self.box.left, self.box.bottom)
        return replace(super().mirrored(), box=box)

    def as_json(self) -> dict[str, Any]:
        """Everything found, in plain numbers."""
        return {"score": round(self.score, 6), **super().as_json()}


@dataclass(frozen=True, eq=False)
class Mesh(Found):
    """A face as a mesh of 478 landmarks: 468 on the skin and lids, then five on each iris.

    `blendshapes` tells by name how far each of 52 movements of the face is carried out, 0 to 1: “jawOpen”,
    “eyeBlinkLeft” … The names are those of Apple's ARKit; left and right are the person's.
    """

    blendshapes: dict[str, float] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Everything found, in plain numbers."""
        return {
            "blendshapes": {name: round(score, 6) for name, score in self.blendshapes.items()},
            **super().as_json(),
        }


@dataclass(frozen=True, eq=False)
class Hand(Found):
    """A hand: 21 landmarks (`HandPoint`), the same in metres around the hand's centre, and whose side it is on."""

    world: Points = field(repr=False)  # (21, 3), metres
    side: Side  # the person's own, in an unmirrored picture
    score: float  # how sure the model is of the side, ½ to 1

    def as_json(self) -> dict[str, Any]:
        """Everything found, in plain numbers."""
        return {
            "side": self.side,
            "score": round(self.score, 6),
            **super().as_json(),
            "world": _rounded(self.world, 6),
        }


@dataclass(frozen=True, eq=False)
class Pose(Found):
    """A body: 33 landmarks (`PosePoint`), the same in metres around the middle of the hips, and what can be seen.

    A landmark that is hidden or outside the picture is guessed; `visibility` and `presence` say so.
    """

    world: Points = field(repr=False)  # (33, 3), metres
    visibility: Points = field(repr=False)  # (33,), 0 to 1: in the picture and not hidden
    presence: Points = field(repr=False)  # (33,), 0 to 1: in the picture, hidden or not

    def as_json(self) -> dict[str, Any]:
        """Everything found, in plain numbers."""
        return {
            **super().as_json(),
            "world": _rounded(self.world, 6),
            "visibility": _rounded(self.visibility, 6),
            "presence": _rounded(self.presence, 6),
        }


def _rounded(points: Points, digits: int) -> list[Any]:
    numbers: list[Any] = np.round(points.astype(np.float64), digits).tolist()
    return numbers
