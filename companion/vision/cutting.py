"""What a network is shown of a picture: a hand, cut out and turned upright, or everything from far away."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from companion.vision.frames import Picture
from companion.vision.landmarks import Box, Hand, HandPoint

SIDE = 224  # pixels that the network which places a hand's landmarks is given
# Landmarks that say where the square lies: the wrist, and of each finger the two joints that are nearest (of the thumb
# all three). Fingertips move most, and have no say.
INNER = [point for point in HandPoint if not point.name.endswith(("DIP", "TIP"))]
WIDER = 2.0  # the square's side, in longer sides of these landmarks' own upright box,
TOWARDS = 0.1  # and how far it is moved towards the fingers, in heights of that box

Corners = NDArray[np.float64]  # (4, 2) as (x, y) in pixels: upper left, lower left, lower right, upper right


def square_around(hand: Hand) -> Corners:
    """The square that MediaPipe cuts out in the next frame: turned so that the fingers point up.

    Up leads from the wrist to the middle between the middle finger's knuckle and that of its two neighbours (Zhang et
    al. 2020, section 2, and the numbers of MediaPipe's `HandLandmarksToRectCalculator` and of the graph it stands in;
    a test shows that MediaPipe 0.10.33 sees nothing beyond this square).
    """
    points = hand.pixels[:, :2].astype(float)
    wrist = points[HandPoint.WRIST]
    beside = (points[HandPoint.INDEX_MCP] + points[HandPoint.RING_MCP]) / 2
    way = (points[HandPoint.MIDDLE_MCP] + beside) / 2 - wrist
    up = way / np.linalg.norm(way)
    axes = np.stack([[-up[1], up[0]], up])  # to the right, and up
    inner = points[INNER] @ axes.T
    least, most = inner.min(0), inner.max(0)
    middle = ((least + most) / 2 + [0, TOWARDS * (most - least)[1]]) @ axes
    right, above = WIDER / 2 * (most - least).max() * axes
    return np.stack(
        [middle - right + above, middle - right - above, middle + right - above, middle + right + above]
    )


def cut_out(picture: Picture, corners: Corners, side: int = SIDE) -> Picture:
    """The part of a picture within a square that may be turned, `(side, side, 3)`; black where the picture ends."""
    data = corners.flatten().tolist()
    cut = Image.fromarray(picture).transform(
        (side, side), Image.Transform.QUAD, data, Image.Resampling.BICUBIC
    )
    return np.asarray(cut)


class FarAway(NamedTuple):
    """A picture made smaller before a plain wall, and where its pixels have come to lie: `scale · (x, y) + moved`."""

    picture: Picture
    scale: float
    moved: tuple[int, int]

    def shows(self, found: Box, thing: Box) -> bool:
        """Whether what was found from far away holds the middle of a thing that was marked in the picture when near."""
        middle = np.array([thing.left + thing.right, thing.top + thing.bottom]) / 2
        x, y = self.scale * middle + self.moved
        return bool(found.left <= x <= found.right and found.top <= y <= found.bottom)


def far_away(
    picture: Picture, scale: float, place: tuple[float, float], width: int = 640, height: int = 480
) -> FarAway:
    """A picture as a camera would have it from further off, before a wall of its mean colour.

    Args:
        picture: `(H, W, 3)`.
        scale: By which it is made smaller.
        place: Where it is laid: (0, 0) for the upper left corner, (1, 1) for the lower right.
        width: Of the result.
        height: Likewise.
    """
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.LANCZOS)
    colour = [round(value) for value in picture.reshape(-1, 3).mean(0)]
    wall = Image.new("RGB", (width, height), (colour[0], colour[1], colour[2]))
    moved = (round((width - size[0]) * place[0]), round((height - size[1]) * place[1]))
    wall.paste(small, moved)
    return FarAway(np.asarray(wall), scale, moved)
