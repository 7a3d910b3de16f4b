"""Faces made unrecognisable, in a picture or a video (chapter 8).

No filter of this kind is a promise. The detector overlooks faces, small ones and turned ones most; and a blurred face
can be told from others, as the chapter measures: where it matters, cover a face, and look at every result.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from companion.errors import CompanionError
from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import Box
from companion.vision.models import opencv
from companion.vision.pictures import as_picture
from companion.vision.trackers import FaceDetector

Hiding = Callable[[Picture], Picture]  # one face's part of a picture, to what is shown in its place

MARGIN = 0.35  # of the detector's box, on each side: forehead, ears and chin
TILES = (1, 2, 3)  # the picture whole, then in 2 × 2 and 3 × 3 tiles, where small faces are large enough
SMALLEST_TILE = 160  # pixels; in smaller ones the detector sees faces that are none
OVERLAP = 0.25  # of a tile, so that a face on a border lies whole in one of them
SAME = 0.3  # overlap (intersection over union) from which two boxes are one face
GREY = 128  # of 255: what a covered face becomes
BLURRED_AT = 96  # pixels: the height at which a face is blurred
STILL = 0.9  # … and from which a face has not moved between two frames
LINGER = 1 / 3  # seconds before and after a frame in which a face was found, in which it is hidden too
ROUNDING = 1e-6  # seconds


def blurred(face: Picture) -> Picture:
    """A Gaussian blur, σ a fifth of the part's height; drawn small and enlarged, which a blur this strong hides."""
    cv2 = opencv()
    height, width, _ = face.shape
    scale = min(1.0, BLURRED_AT / height)
    small = cv2.resize(
        face, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    soft = cv2.GaussianBlur(small, (0, 0), max(1.0, len(small) / 5))
    large: Picture = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return large


def pixelated(face: Picture) -> Picture:
    """Eight large squares across."""
    cv2 = opencv()
    height, width, _ = face.shape
    few = cv2.resize(face, (8, max(1, round(8 * height / width))), interpolation=cv2.INTER_AREA)
    squares: Picture = cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST)
    return squares


def covered(face: Picture) -> Picture:
    """An even grey, the same for everyone: nothing of the face is left, not even how light it is."""
    return np.full_like(face, GREY)


def shaken(face: Picture) -> Picture:
    """The first shake of chapter 2's camera, at full size: a blur that can be undone, to see what a blur hides."""
    return _shake()(face)


@cache
def _shake() -> Hiding:
    from companion.data.degrade import Camera  # needs torch, which takes seconds, and no other way does
    from companion.data.scale import bytes_of, from_bytes
    from companion.randomness import generator

    camera = Camera()
    kernel, margin = camera.kernels()[:1], camera.size // 2

    def shake(face: Picture) -> Picture:
        wide = np.pad(face, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        images = from_bytes(bytes_of(wide))[None]
        return as_picture(camera.degrade(images, kernel, generator(0, "noise on a hidden face")))

    return shake


def all_faces(detector: FaceDetector, picture: Picture) -> list[Box]:
    """Boxes of all faces the detector finds in the picture and in overlapping tiles of it, each face once."""
    found = [
        (face.score, Box(box.left + x, box.top + y, box.right + x, box.bottom + y))
        for x, y, tile in _tiles(picture)
        for face in detector.find(tile)
        for box in [face.box]
    ]
    return _apart([box for _, box in sorted(found, key=lambda one: -one[0])], SAME)


def hide_faces(picture: Picture, boxes: Sequence[Box], hiding: Hiding = blurred) -> Picture:
    """A copy of the picture `(H, W, 3)` with an ellipse around each box hidden."""
    hidden = picture.copy()
    for box in boxes:
        part = _part(box, picture)
        face = picture[part]
        if face.size:
            hidden[part] = np.where(_ellipse(box, part), hiding(np.ascontiguousarray(face)), hidden[part])
    return hidden


def hide_in_source(
    source: Source, detector: FaceDetector, hiding: Hiding = blurred
) -> Iterator[tuple[Frame, Picture]]:
    """Each frame of a source with its faces hidden: pictures each on its own, of videos for `LINGER` seconds around."""
    linger = 0.0 if source.rate is None else LINGER
    return hide_in_video(source, detector, hiding, linger=linger)


def hide_in_video(
    frames: Iterable[Frame], detector: FaceDetector, hiding: Hiding = blurred, *, linger: float = LINGER
) -> Iterator[tuple[Frame, Picture]]:
    """Each frame with its faces hidden, and those found up to `linger` seconds before or after it, too.

    A detector that misses a face in a frame now and then would show it there; so frames leave `linger` seconds late,
    and no more of them are held than that.
    """
    waiting: deque[Frame] = deque()
    found: deque[tuple[float, list[Box]]] = deque()  # seconds, and the faces seen then

    def hidden() -> tuple[Frame, Picture]:
        frame = waiting.popleft()
        while found[0][0] < frame.seconds - linger - ROUNDING:
            found.popleft()
        boxes = [
            box for seconds, seen in found if seconds <= frame.seconds + linger + ROUNDING for box in seen
        ]
        return frame, hide_faces(frame.picture, _apart(boxes, STILL), hiding)

    broken: CompanionError | None = None
    try:
        for frame in frames:
            waiting.append(frame)
            found.append((frame.seconds, all_faces(detector, frame.picture)))
            while waiting[0].seconds < frame.seconds - linger - ROUNDING:
                yield hidden()
    except CompanionError as error:  # a film that is damaged: what was whole of it is hidden and kept
        broken = error
    while waiting:
        yield hidden()
    if broken is not None:
        raise broken


def _tiles(picture: Picture) -> Iterator[tuple[int, int, Picture]]:
    height, width, _ = picture.shape
    for number in TILES:
        tall, wide = (round(side / (number - OVERLAP * (number - 1))) for side in (height, width))
        if number > 1 and min(tall, wide) < SMALLEST_TILE:
            return
        for y in np.linspace(0, height - tall, number).astype(int):
            for x in np.linspace(0, width - wide, number).astype(int):
                yield int(x), int(y), picture[y : y + tall, x : x + wide]


def _apart(boxes: Sequence[Box], most: float) -> list[Box]:
    """The boxes in turn, without those that overlap an earlier one by `most` or more."""
    kept: list[Box] = []
    for box in boxes:
        if all(_overlap(box, other) < most for other in kept):
            kept.append(box)
    return kept


def _overlap(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    tall = min(one.bottom, other.bottom) - max(one.top, other.top)
    if wide <= 0 or tall <= 0:
        return 0.0
    return wide * tall / (one.width * one.height + other.width * other.height - wide * tall)


def _part(box: Box, picture: Picture) -> tuple[slice, slice]:
    height, width, _ = picture.shape
    x, y = MARGIN * box.width, MARGIN * box.height
    rows = slice(max(0, int(box.top - y)), min(height, int(np.ceil(box.bottom + y))))
    return rows, slice(max(0, int(box.left - x)), min(width, int(np.ceil(box.right + x))))


def _ellipse(box: Box, part: tuple[slice, slice]) -> NDArray[np.bool_]:
    rows, columns = part
    y = (np.arange(rows.start, rows.stop) + 0.5 - (box.top + box.bottom) / 2) / (box.height * (0.5 + MARGIN))
    x = (np.arange(columns.start, columns.stop) + 0.5 - (box.left + box.right) / 2) / (
        box.width * (0.5 + MARGIN)
    )
    inside: NDArray[np.bool_] = y[:, None] ** 2 + x[None, :] ** 2 <= 1
    return inside[..., None]
