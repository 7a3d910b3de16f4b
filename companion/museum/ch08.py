"""Exhibits of chapter 8: what MediaPipe does without the wrapper's care."""

from collections.abc import Sequence

from companion.errors import CompanionError
from companion.vision import Frame, Hand, HandTracker, Picture, Side
from companion.vision.models import mediapipe, opencv

__all__ = [
    "as_mediapipe_reads",
    "found_in_bgr",
    "sides_in_the_mirror",
    "with_a_clock_in_seconds",
]


def sides_in_the_mirror(tracker: HandTracker, picture: Picture) -> list[Side]:
    """The sides of the hands in a picture that was mirrored for the eye before it went to the tracker.

    A mirror makes a left hand look like a right one, and the model judges by looks alone.
    """
    return [hand.side for hand in tracker.find(picture[:, ::-1])]  # the bug: mirrored first, found then


def found_in_bgr(tracker: HandTracker, path: str) -> list[Hand]:
    """The hands found in a file as OpenCV reads it: blue, green, red, where the model expects red, green, blue."""
    cv2 = opencv()
    image: Picture = cv2.imread(path)
    return tracker.find(image)  # the bug: no image[..., ::-1]


def as_mediapipe_reads(view: Picture) -> Picture:
    """What MediaPipe sees when it is given a view, `(H, W, 3)`, as it lies in memory.

    MediaPipe takes the address of the first pixel and reads on from there, row after row without gaps; a view that
    shows a part of a larger picture has gaps, so each row begins a little further off.

    Raises:
        CompanionError: The view runs backwards or repeats itself; MediaPipe would read another's memory.
    """
    if min(view.strides) <= 0:
        raise CompanionError(
            "Give a part of a larger picture, such as picture[:, 20:]; a reversed one reads past it."
        )
    image = mediapipe().Image(image_format=mediapipe().ImageFormat.SRGB, data=view)  # the bug: not contiguous
    seen: Picture = image.numpy_view().copy()
    return seen


def with_a_clock_in_seconds(tracker: HandTracker, frames: Sequence[Frame]) -> list[int | str]:
    """How many hands MediaPipe finds in each frame of a video, or what it says, when it is told whole seconds.

    It asks for milliseconds, each later than the last; in seconds, time stands still for a whole second's frames.
    """
    task = tracker._new_task("VIDEO")
    answers: list[int | str] = []
    for frame in frames:
        try:
            seconds = int(frame.seconds)  # the bug: round(1000 * frame.seconds) is meant
            answers.append(
                len(task.detect_for_video(tracker._wrapped(frame.picture), seconds).hand_landmarks)
            )
        except ValueError as error:
            answers.append(str(error))
    task.close()
    return answers
