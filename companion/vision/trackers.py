"""Four trackers, alike: faces, face meshes, hands and poses, each a thin wrapper of a MediaPipe task (chapter 8).

    with HandTracker() as hands:
        found = hands.find("photo.jpg")                    # one picture
        for frame, found in hands.follow(Video("a.mp4")):  # a video: what was seen before helps
            ...
        with hands.live(show) as stream:                   # a camera that does not wait
            stream.send(picture)

Everything runs on this machine's processor; nothing is sent anywhere (a test looks). The wrapper's work is to keep
MediaPipe's traps shut: pictures are contiguous RGB whatever comes in, time always goes forward, an error in a callback
comes back to the caller, and a closed tracker says that it is closed. Every method may be called from any thread;
pictures are taken one at a time. A child that was forked (multiprocessing's way on Linux) makes its own copy of a
tracker when it first uses it; a film or stream that was being followed stays with its parent.
"""

import atexit
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from companion.errors import CompanionError
from companion.vision.drawing import draw
from companion.vision.frames import Frame, Picture, Source
from companion.vision.landmarks import Box, Face, Found, Hand, Mesh, Points, Pose
from companion.vision.models import mediapipe, missing_library, model_file, quiet
from companion.vision.pictures import Viewable, as_picture

MOST = 100  # that a tracker looks for in one picture

F = TypeVar("F", bound=Found)


@dataclass(frozen=True)
class Seen(Generic[F]):
    """A frame and what was found in it; `for frame, found in …` takes it apart."""

    frame: Frame
    found: list[F]

    def __iter__(self) -> Iterator[Any]:
        """The frame, and then what was found."""
        yield from (self.frame, self.found)


class Tracker(ABC, Generic[F]):
    """What all four share.

    Args:
        most: How many are looked for at most.
        confidence: From 0 to 1: how sure the model must be, in finding and in following alike.
        model: A model file of your own; without it the published one is used (`companion assets list`).

    Raises:
        CompanionError: MediaPipe is missing, the model is missing or damaged, or a number is out of range.
    """

    asset: ClassVar[str]  # the published model's name in the manifest
    task: ClassVar[str]  # MediaPipe's name of the task

    def __init__(self, *, most: int, confidence: float = 0.5, model: str | Path | None = None) -> None:
        if not isinstance(most, int) or not 1 <= most <= MOST:
            raise CompanionError(
                f"At least one and at most {MOST} can be looked for, not {most}; choose a whole number of these."
            )
        if not 0 <= confidence <= 1:
            raise CompanionError(f"A confidence of {confidence} cannot be; choose a number from 0 to 1.")
        self.most = most
        self.confidence = confidence
        self.model = model_file(self.asset, model)
        self._mediapipe = mediapipe()
        self._closed = False
        self._lock = threading.Lock()
        self._images: Any = None  # the task for single pictures, made when first needed
        _trackers.add(self)

    def find(self, image: Viewable) -> list[F]:
        """What is in one picture, on its own; see `as_picture` for what counts as one.

        Raises:
            CompanionError: It is no picture, or the tracker is closed.
        """
        picture = as_picture(image)
        with self._lock:
            self._check_open()
            if self._images is None:
                self._images = self._new_task("IMAGE")
            return self._found(self._images.detect, picture)

    def follow(self, frames: Iterable[Frame]) -> Iterator[Seen[F]]:
        """What is in each frame of a video, in turn; what was found in a frame helps to find it in the next.

        Times that stand still or go back are moved on by a millisecond, since MediaPipe refuses them.

        Raises:
            CompanionError: The tracker is closed, also later, while following.
        """
        with self._lock:
            self._check_open()
            task = self._new_task("VIDEO")
        now = -1
        try:
            for frame in frames:
                now = max(now + 1, round(frame.seconds * 1000))
                with self._lock:
                    self._check_open()
                    _check_own(task)
                    found = self._found(task.detect_for_video, as_picture(frame.picture), now)
                yield Seen(frame, found)
        finally:
            _close(task)

    def watch(self, source: Source) -> Iterator[Seen[F]]:
        """What is in each frame of a source: pictures are taken each on its own, videos and cameras followed."""
        if source.rate is not None:
            yield from self.follow(source)
            return
        for frame in source:
            yield Seen(frame, self.find(frame.picture))

    def live(self, on_found: Callable[[Seen[F]], None]) -> "Live[F]":
        """A stream that takes frames without waiting; `on_found` is called with each result, in another thread."""
        with self._lock:
            self._check_open()
            return Live(self, on_found)

    def draw(self, image: Viewable, found: Sequence[Found]) -> Picture:
        """A copy of the picture with what was found drawn on it."""
        return draw(as_picture(image), found)

    def close(self) -> None:
        """Let go of the model; a second time does nothing."""
        with self._lock:
            self._closed = True
            if self._images is not None:
                self._images.close()
                self._images = None

    def __enter__(self: "T") -> "T":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise CompanionError(f"This {type(self).__name__} is closed; make a new one.")

    def _found(self, detect: Callable[..., Any], picture: Picture, *time_: int) -> list[F]:
        """What MediaPipe detects, in our words. Its first finding in a process comes with complaints about itself."""
        with nullcontext() if self.task in _complained else quiet():
            found = self._read(detect(self._wrapped(picture), *time_), picture)
        if found:
            _complained.add(self.task)
        return found

    def _wrapped(self, picture: Picture) -> Any:
        return self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=picture)

    def _new_task(self, mode: str, callback: Callable[..., None] | None = None) -> Any:
        vision = self._mediapipe.tasks.vision
        options = getattr(vision, f"{self.task}Options")(
            base_options=self._mediapipe.tasks.BaseOptions(model_asset_path=str(self.model)),
            running_mode=vision.RunningMode[mode],
            result_callback=callback,
            **self._options(),
        )
        try:
            with quiet():
                task = getattr(vision, self.task).create_from_options(options)
        except (
            RuntimeError,
            ValueError,
            FileNotFoundError,
        ) as error:  # the last: a bundle lacks one of its files
            raise CompanionError(
                f"The file {self.model} is no {self.task} model of MediaPipe's ({error}); leave it out to use the "
                f"published {self.asset}."
            ) from None
        except OSError as error:
            raise missing_library(error) from None
        _open_tasks.add(task)
        return task

    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """The task's own options, in MediaPipe's words."""

    @abstractmethod
    def _read(self, result: Any, picture: Picture) -> list[F]:
        """MediaPipe's result in ours."""


T = TypeVar("T", bound="Tracker[Any]")
_complained: set[str] = set()
_trackers: "weakref.WeakSet[Tracker[Any]]" = weakref.WeakSet()
_open_tasks: "weakref.WeakSet[Any]" = weakref.WeakSet()
_left_behind: list[Any] = []  # in a forked child, its parent's tasks: even to delete one would wait for ever


def _begin_anew() -> None:
    """In a forked child: MediaPipe's threads stayed with the parent, so its tasks answer no more."""
    _left_behind.extend(_open_tasks)
    _open_tasks.clear()
    for tracker in list(_trackers):
        tracker._lock, tracker._images = threading.Lock(), None


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_begin_anew)


def _is_own(task: Any) -> bool:
    return not any(task is other for other in _left_behind)


def _check_own(task: Any) -> None:
    if not _is_own(task):
        raise CompanionError(
            "This was begun before the process forked, and its model's threads stayed with the parent; begin it in the "
            "child."
        )


def _close(task: Any) -> None:
    if _is_own(task):
        task.close()


@atexit.register
def _close_all() -> None:
    """Tasks left open fail noisily while Python itself is being taken down, so they are closed just before."""
    for task in list(_open_tasks):
        with suppress(RuntimeError):
            task.close()


class Live(Generic[F]):
    """A live stream: frames in, results out through a callback, frames dropped while the model is busy.

    Made by `Tracker.live`. An error in the callback ends the stream: the next `send`, or `close`, raises it, in the
    caller's thread.
    """

    def __init__(self, tracker: Tracker[F], on_found: Callable[[Seen[F]], None]) -> None:
        self._tracker = tracker
        self._on_found = on_found
        self._waiting: dict[
            int, Frame
        ] = {}  # by time in milliseconds; dropped frames leave with the next result
        self._error: Exception | None = None
        self._began = time.monotonic()
        self._now = -1
        self._lock = threading.Lock()
        self._task: Any = tracker._new_task("LIVE_STREAM", self._receive)

    def send(self, image: Viewable) -> None:
        """Hand over the newest picture and return at once.

        Raises:
            CompanionError: It is no picture, or the stream or its tracker is closed.
            Exception: Whatever the callback raised since the last call.
        """
        picture = as_picture(image)
        with self._lock:
            if self._task is None:
                raise CompanionError("This live stream is closed; open another with live().")
            self._tracker._check_open()
            _check_own(self._task)
            self._raise()
            seconds = time.monotonic() - self._began
            self._now = max(self._now + 1, round(seconds * 1000))
            self._waiting[self._now] = Frame(picture, seconds, str(self._now))
            self._task.detect_async(self._tracker._wrapped(picture), self._now)

    def close(self) -> None:
        """Wait for the results on their way, then end the stream; raises what the callback raised, once."""
        with self._lock:
            task, self._task = self._task, None
        if task is not None:
            _close(task)
        self._raise()

    def __enter__(self) -> "Live[F]":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:  # else the error already on its way is the one to see
                raise

    def _receive(self, result: Any, image: Any, milliseconds: int) -> None:
        frame = self._waiting[milliseconds]
        for passed in [key for key in list(self._waiting) if key <= milliseconds]:
            del self._waiting[passed]
        if self._error is not None:
            return
        try:
            self._on_found(Seen(frame, self._tracker._read(result, frame.picture)))
        except Exception as error:  # MediaPipe would only log it
            self._error = error

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


class FaceDetector(Tracker[Face]):
    """Faces as boxes with six landmarks: fast, and good within about two metres (BlazeFace, Bazarevsky et al. 2019)."""

    asset = "face-detector"
    task = "FaceDetector"

    def __init__(self, *, most: int = 20, confidence: float = 0.5, model: str | Path | None = None) -> None:
        super().__init__(most=most, confidence=confidence, model=model)

    def _options(self) -> dict[str, Any]:
        return {"min_detection_confidence": self.confidence}

    def _read(self, result: Any, picture: Picture) -> list[Face]:
        height, width, _ = picture.shape
        found = sorted(result.detections, key=lambda one: -one.categories[0].score)[: self.most]
        return [
            Face(
                np.array([(point.x, point.y, 0) for point in one.keypoints], np.float32),
                width,
                height,
                box=_box(one.bounding_box),
                score=float(one.categories[0].score),
            )
            for one in found
        ]


class FaceMesh(Tracker[Mesh]):
    """Faces as meshes of 478 landmarks with 52 blendshapes (Kartynnik et al. 2019; Grishchenko et al. 2020)."""

    asset = "face-landmarker"
    task = "FaceLandmarker"

    def __init__(self, *, most: int = 1, confidence: float = 0.5, model: str | Path | None = None) -> None:
        super().__init__(most=most, confidence=confidence, model=model)

    def _options(self) -> dict[str, Any]:
        return {
            "num_faces": self.most,
            "min_face_detection_confidence": self.confidence,
            "min_face_presence_confidence": self.confidence,
            "min_tracking_confidence": self.confidence,
            "output_face_blendshapes": True,
        }

    def _read(self, result: Any, picture: Picture) -> list[Mesh]:
        height, width, _ = picture.shape
        return [
            Mesh(_points(landmarks), width, height, {one.category_name: float(one.score) for one in shapes})
            for landmarks, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True)
        ]


class HandTracker(Tracker[Hand]):
    """Hands: 21 landmarks each, in the picture and in metres, and whether left or right (Zhang et al. 2020)."""

    asset = "hand-landmarker"
    task = "HandLandmarker"

    def __init__(self, *, most: int = 2, confidence: float = 0.5, model: str | Path | None = None) -> None:
        super().__init__(most=most, confidence=confidence, model=model)

    def _options(self) -> dict[str, Any]:
        return {
            "num_hands": self.most,
            "min_hand_detection_confidence": self.confidence,
            "min_hand_presence_confidence": self.confidence,
            "min_tracking_confidence": self.confidence,
        }

    def _read(self, result: Any, picture: Picture) -> list[Hand]:
        height, width, _ = picture.shape
        each = zip(result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True)
        return [
            Hand(
                _points(landmarks),
                width,
                height,
                world=_points(world),
                side="left" if sides[0].category_name == "Left" else "right",
                score=float(sides[0].score),
            )
            for landmarks, world, sides in each
        ]


class PoseEstimator(Tracker[Pose]):
    """Bodies: 33 landmarks each, in the picture and in metres, and what is visible (Bazarevsky et al. 2020)."""

    asset = "pose-landmarker"
    task = "PoseLandmarker"

    def __init__(self, *, most: int = 1, confidence: float = 0.5, model: str | Path | None = None) -> None:
        super().__init__(most=most, confidence=confidence, model=model)

    def _options(self) -> dict[str, Any]:
        return {
            "num_poses": self.most,
            "min_pose_detection_confidence": self.confidence,
            "min_pose_presence_confidence": self.confidence,
            "min_tracking_confidence": self.confidence,
        }

    def _read(self, result: Any, picture: Picture) -> list[Pose]:
        height, width, _ = picture.shape
        return [
            Pose(
                _points(landmarks),
                width,
                height,
                world=_points(world),
                visibility=np.array([point.visibility for point in landmarks], np.float32),
                presence=np.array([point.presence for point in landmarks], np.float32),
            )
            for landmarks, world in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
        ]


def _points(landmarks: Any) -> Points:
    return np.array([(point.x, point.y, point.z) for point in landmarks], np.float32)


def _box(box: Any) -> Box:
    return Box(
        float(box.origin_x),
        float(box.origin_y),
        float(box.origin_x + box.width),
        float(box.origin_y + box.height),
    )
