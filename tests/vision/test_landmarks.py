"""Guards the findings: pixels from fractions, mirrors, boxes, and plain numbers for files."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from companion.vision import Box, Face, FacePoint, Hand, HandPoint, Mesh, Pose, PosePoint


def points(count: int) -> np.ndarray:
    return np.random.default_rng(1).random((count, 3), dtype=np.float32)


def hand() -> Hand:
    return Hand(points(21), 640, 480, world=points(21) / 10, side="left", score=0.9)


def face() -> Face:
    return Face(points(6), 640, 480, box=Box(10, 20, 110, 170), score=0.75)


def pose() -> Pose:
    return Pose(
        points(33), 640, 480, world=points(33), visibility=points(33)[:, 0], presence=points(33)[:, 1]
    )


def mesh() -> Mesh:
    return Mesh(points(478), 640, 480, blendshapes={"jawOpen": 0.25})


def test_pixels_are_fractions_of_width_and_height():
    found = hand()
    assert found.pixels.shape == (21, 2)
    np.testing.assert_allclose(found.pixels[:, 0], found.normalised[:, 0] * 640)
    np.testing.assert_allclose(found.pixels[:, 1], found.normalised[:, 1] * 480)


def test_bounds_hold_every_landmark_and_touch_four():
    found = pose()
    box = found.bounds
    assert found.pixels.min(axis=0).tolist() == [box.left, box.top]
    assert found.pixels.max(axis=0).tolist() == [box.right, box.bottom]
    assert box.width == box.right - box.left
    assert box.height == box.bottom - box.top


def test_a_face_is_bounded_by_what_the_detector_framed():
    assert face().bounds == Box(10, 20, 110, 170)


@pytest.mark.parametrize("found", [face(), mesh(), hand(), pose()], ids=lambda found: type(found).__name__)
def test_a_mirror_moves_landmarks_and_keeps_the_rest(found):
    mirrored = found.mirrored()
    assert type(mirrored) is type(found)
    np.testing.assert_allclose(mirrored.pixels[:, 0], 640 - found.pixels[:, 0], atol=1e-3)
    np.testing.assert_array_equal(mirrored.normalised[:, 1:], found.normalised[:, 1:])
    np.testing.assert_allclose(mirrored.mirrored().bounds, found.bounds, atol=1e-3)
    np.testing.assert_allclose(mirrored.bounds[0], 640 - found.bounds[2], atol=1e-3)


def test_a_mirror_does_not_change_whose_hand_it_is():
    assert hand().mirrored().side == "left"


def test_findings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        hand().side = "right"


@pytest.mark.parametrize("found", [face(), mesh(), hand(), pose()], ids=lambda found: type(found).__name__)
def test_json_holds_what_was_found(found):
    read = json.loads(json.dumps(found.as_json()))
    np.testing.assert_allclose(read["pixels"], found.pixels, atol=0.006)
    np.testing.assert_allclose(read["normalised"], found.normalised, atol=1e-6)
    np.testing.assert_allclose(read["box"], found.bounds, atol=0.006)
    kept = {
        Face: {"score": 0.75},
        Hand: {"score": 0.9, "side": "left"},
        Mesh: {"blendshapes": {"jawOpen": 0.25}},
        Pose: {},
    }
    assert kept[type(found)].items() <= read.items()


def test_points_have_mediapipes_numbers():
    """Names are ours where MediaPipe's differ within themselves (pinky, foot index); the numbers are not."""
    vision = pytest.importorskip("mediapipe").tasks.vision
    theirs = [
        name.replace("PINKY", "LITTLE").replace("FOOT_INDEX", "TOE")
        for name in vision.PoseLandmark.__members__
    ]
    assert [point.name for point in PosePoint] == theirs
    from mediapipe.tasks.python.vision.hand_landmarker import HandLandmark

    theirs = [name.replace("_FINGER", "").replace("PINKY", "LITTLE") for name in HandLandmark.__members__]
    assert [point.name for point in HandPoint] == theirs
    assert len(FacePoint) == 6
