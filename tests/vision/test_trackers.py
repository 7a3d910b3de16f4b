"""Guards the four trackers: right findings, and every trap of MediaPipe's shut."""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from house import PATIENCE, until

from companion.errors import CompanionError
from companion.vision import (
    FaceDetector,
    FaceMesh,
    FacePoint,
    Frame,
    HandPoint,
    HandTracker,
    PoseEstimator,
    PosePoint,
    as_picture,
    models,
)


def test_a_face_is_framed_with_its_landmarks_in_their_places(tracker, person):
    (face,) = tracker(FaceDetector).find(person)
    assert face.score > 0.8
    at = face.pixels
    assert at[FacePoint.RIGHT_EYE][0] < at[FacePoint.NOSE_TIP][0] < at[FacePoint.LEFT_EYE][0]
    assert at[FacePoint.LEFT_EYE][1] < at[FacePoint.NOSE_TIP][1] < at[FacePoint.MOUTH][1]
    left, top, right, bottom = face.bounds
    for point in (FacePoint.LEFT_EYE, FacePoint.RIGHT_EYE, FacePoint.NOSE_TIP, FacePoint.MOUTH):
        assert left < at[point][0] < right
        assert top < at[point][1] < bottom


def test_mesh_and_detector_agree_on_the_eyes(tracker, person):
    (face,) = tracker(FaceDetector).find(person)
    (mesh,) = tracker(FaceMesh).find(person)
    assert mesh.normalised.shape == (478, 3)
    apart = np.linalg.norm(face.pixels[FacePoint.LEFT_EYE] - face.pixels[FacePoint.RIGHT_EYE])
    for iris, eye in ((468, FacePoint.RIGHT_EYE), (473, FacePoint.LEFT_EYE)):
        assert np.linalg.norm(mesh.pixels[iris] - face.pixels[eye]) < 0.15 * apart


def test_blendshapes_know_a_smile(tracker, person):
    (mesh,) = tracker(FaceMesh).find(person)
    assert len(mesh.blendshapes) == 52
    assert mesh.blendshapes["mouthSmileLeft"] > 0.5
    assert mesh.blendshapes["jawOpen"] < 0.5


def test_a_body_has_its_left_on_the_right_of_the_picture(tracker, person):
    (pose,) = tracker(PoseEstimator).find(person)
    at = pose.pixels
    assert at[PosePoint.RIGHT_SHOULDER][0] < at[PosePoint.NOSE][0] < at[PosePoint.LEFT_SHOULDER][0]
    assert pose.visibility[PosePoint.NOSE] > 0.9
    assert pose.visibility[PosePoint.LEFT_ANKLE] < 0.5  # outside the picture
    assert pose.world.shape == (33, 3)
    assert (
        0.2 < np.linalg.norm(pose.world[PosePoint.LEFT_SHOULDER] - pose.world[PosePoint.RIGHT_SHOULDER]) < 0.5
    )


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("mm_pointing_up.jpg", ["left"]),  # she raises her left arm, as the rest of the picture shows
        ("mm_hand_front_back.jpg", ["right", "right"]),  # a right palm and the back of a right hand
        ("onehand10k_1402_ok_pinch.jpg", ["right"]),  # a palm, thumb on the picture's right
    ],
)
def test_sides_are_the_persons_own_and_a_mirror_swaps_them(tracker, photo, name, sides):
    picture = as_picture(photo(name))
    other = {"left": "right", "right": "left"}
    hands = tracker(HandTracker)
    assert sorted(hand.side for hand in hands.find(picture)) == sorted(sides)
    assert sorted(hand.side for hand in hands.find(picture[:, ::-1])) == sorted(other[side] for side in sides)


def test_a_hand_agrees_with_its_arm(tracker, photo):
    picture = as_picture(photo("mm_pointing_up.jpg"))
    (hand,) = tracker(HandTracker).find(picture)
    (pose,) = tracker(PoseEstimator).find(picture)
    distance = np.linalg.norm(hand.pixels[HandPoint.WRIST] - pose.pixels[PosePoint.LEFT_WRIST])
    assert distance < 0.05 * picture.shape[1]
    assert hand.pixels[HandPoint.INDEX_TIP][1] < hand.pixels[HandPoint.WRIST][1]  # it points up
    length = np.linalg.norm(hand.world[HandPoint.MIDDLE_MCP] - hand.world[HandPoint.WRIST])
    assert 0.05 < length < 0.14  # metres: a palm


def test_nothing_is_found_where_nothing_is(tracker, kind):
    assert tracker(kind).find(np.full((120, 160, 3), 127, np.uint8)) == []


def test_the_same_picture_in_every_form_gives_the_same_landmarks(tracker, person):
    faces = tracker(FaceDetector)
    (reference,) = faces.find(person)
    wide = np.concatenate([person, person], axis=1)
    opaque = np.concatenate([person, np.full((*person.shape[:2], 1), 255, np.uint8)], axis=2)
    bgr = np.ascontiguousarray(person[..., ::-1])
    tensor = torch.from_numpy(person).permute(2, 0, 1).float() / 127.5 - 1
    for form in (wide[:, : person.shape[1]], np.asfortranarray(person), bgr[..., ::-1], opaque, tensor):
        (found,) = faces.find(form)
        np.testing.assert_array_equal(found.normalised, reference.normalised)


def test_findings_are_mediapipes_own(tracker, person, kind):
    """The wrapper adds nothing to the numbers and loses none."""
    mp = pytest.importorskip("mediapipe")
    wrapped = tracker(kind)
    task = wrapped._new_task("IMAGE")
    bare = task.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=person))
    task.close()
    found = wrapped.find(person)
    lists = {
        "FaceDetector": lambda: [one.keypoints for one in bare.detections],
        "FaceLandmarker": lambda: bare.face_landmarks,
        "HandLandmarker": lambda: bare.hand_landmarks,
        "PoseLandmarker": lambda: bare.pose_landmarks,
    }[kind.task]()
    assert len(found) == len(lists)
    for ours, theirs in zip(found, lists, strict=True):
        np.testing.assert_array_equal(
            ours.normalised[:, :2], np.float32([(point.x, point.y) for point in theirs])
        )


def frames(picture: np.ndarray, seconds: list[float]) -> list[Frame]:
    return [Frame(picture, time_, str(index)) for index, time_ in enumerate(seconds)]


@pytest.mark.parametrize(
    "seconds",
    [[0, 0.04, 0.08], [0, 0, 0], [0.2, 0.1, 0.0], [0, 0.0001, 0.0002], [1e6, 1e6 + 0.04, 1e6 + 0.05]],
    ids=["as it should be", "standing still", "going back", "under a millisecond", "late"],
)
@pytest.mark.slow
def test_time_may_do_what_it_likes(tracker, person, kind, seconds):
    wrapped = tracker(kind)
    given = frames(person, seconds)
    seen = list(wrapped.follow(given))
    assert [one.frame for one in seen] == given
    assert len({len(one.found) for one in seen}) == 1


def test_two_videos_one_after_the_other_do_not_disturb_each_other(tracker, person):
    faces = tracker(FaceDetector)
    first, second = (list(faces.follow(frames(person, [0, 0.1]))) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.found[0].pixels, other.found[0].pixels)


def test_following_stops_when_nobody_wants_more(tracker, person):
    following = tracker(FaceDetector).follow(frames(person, [0, 0.1, 0.2]))
    next(following)
    following.close()
    assert tracker(FaceDetector).find(person)


def test_a_closed_tracker_says_so(person, kind):
    with kind() as wrapped:
        wrapped.find(person)
        following = wrapped.follow(frames(person, [0, 0.1]))
        next(following)
    wrapped.close()  # once more does nothing
    for use in (
        lambda: wrapped.find(person),
        lambda: next(wrapped.follow(frames(person, [0]))),
        lambda: next(following),
        lambda: wrapped.live(print),
    ):
        with pytest.raises(CompanionError, match=f"This {kind.__name__} is closed"):
            use()


def test_many_threads_get_the_answers_one_gets(tracker, person):
    faces = tracker(FaceDetector)
    mirrored = np.ascontiguousarray(person[:, ::-1])
    expected = {id(picture): faces.find(picture)[0].pixels for picture in (person, mirrored)}
    wrong: list[object] = []

    def work() -> None:
        for picture in (person, mirrored) * 5:
            try:
                np.testing.assert_array_equal(faces.find(picture)[0].pixels, expected[id(picture)])
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_live_stream_answers_with_the_frame_it_was_given(tracker, person, kind):
    seen = []
    with tracker(kind).live(seen.append) as stream:
        for answers in range(3):  # some frames may be dropped while the model is busy
            until(lambda: stream.send(person) or len(seen) > answers)  # noqa: B023
    expected = len(tracker(kind).find(person))
    for one in seen:
        np.testing.assert_array_equal(one.frame.picture, person)
        assert len(one.found) == expected
    times = [one.frame.seconds for one in seen]
    assert times == sorted(times)


def test_sending_faster_than_the_model_drops_frames_and_does_not_wait(tracker, person):
    seen, go_on = [], threading.Event()

    def slow(one: object) -> None:
        go_on.wait(PATIENCE)
        seen.append(one)

    with tracker(PoseEstimator).live(slow) as stream:
        for _ in range(30):
            stream.send(person)
        assert seen == [], "it waited for an answer"
        go_on.set()
    assert 1 <= len(seen) <= 30
    assert not stream._waiting or len(stream._waiting) < 30


def test_an_error_in_the_callback_arrives_where_the_frames_are_sent(tracker, person):
    def broken(seen: object) -> None:
        raise ZeroDivisionError("in the callback")

    stream = tracker(FaceDetector).live(broken)
    with pytest.raises(ZeroDivisionError, match="in the callback"):
        until(lambda: stream.send(person))
    stream._error = None
    stream.close()


def test_an_error_in_the_last_callback_arrives_at_the_end(tracker, person):
    def broken(seen: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), tracker(FaceDetector).live(broken) as stream:
        stream.send(person)


def test_the_callers_own_error_is_not_hidden_by_the_callbacks(tracker, person):
    def broken(seen: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(KeyError), tracker(FaceDetector).live(broken) as stream:
        stream.send(person)
        raise KeyError


def test_a_closed_stream_says_so(tracker, person):
    with tracker(FaceDetector).live(print) as stream:
        pass
    with pytest.raises(CompanionError, match="live stream is closed"):
        stream.send(person)


def test_drawing_changes_a_copy_and_only_where_something_was_found(tracker, person, kind):
    wrapped = tracker(kind)
    found = wrapped.find(person)
    before = person.copy()
    drawn = wrapped.draw(person, found)
    np.testing.assert_array_equal(person, before)
    changed = np.argwhere((drawn != person).any(axis=2))
    assert bool(len(changed)) == bool(found)
    if found and kind in (FaceDetector, FaceMesh):
        box = found[0].bounds
        margin = 0.3 * box.width
        assert changed[:, 0].min() > box.top - margin
        assert changed[:, 0].max() < box.bottom + margin


def test_hands_are_drawn_in_their_sides_colour(tracker, photo):
    from companion.vision.drawing import LEFT, RIGHT

    picture = as_picture(photo("mm_pointing_up.jpg"))
    drawn = tracker(HandTracker).draw(picture, tracker(HandTracker).find(picture))
    assert (drawn == LEFT).all(axis=2).any()
    assert not (drawn == RIGHT).all(axis=2).any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"most": 0}, "At least one"),
        ({"most": 2**31}, "at most 100"),
        ({"most": 1.5}, "a whole number"),
        ({"confidence": 1.5}, "from 0 to 1"),
    ],
)
def test_impossible_numbers_are_one_sentence(kind, options, said):
    with pytest.raises(CompanionError, match=said):
        kind(**options)


def test_a_model_that_is_missing_damaged_or_empty_is_one_sentence(tmp_path, person, kind):
    (tmp_path / "empty.task").write_bytes(b"")
    (tmp_path / "text.task").write_text("not a model" * 100)
    for name, said in (
        ("none.task", "does not exist"),
        ("empty.task", "is empty"),
        ("text.task", "is no .* model"),
    ):
        with pytest.raises(CompanionError, match=said) as error:
            kind(model=tmp_path / name).find(person)
        assert "\n" not in str(error.value)


def test_a_model_that_was_damaged_in_the_cache_is_never_used(tmp_path, monkeypatch, kind):
    from companion.data.assets import manifest

    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    path = tmp_path / manifest()[kind.asset].path
    path.parent.mkdir()
    path.write_bytes(b"half a download")
    with pytest.raises(CompanionError, match="wrong checksum"):
        kind()


def test_a_damaged_stand_in_is_not_taken(tmp_path, monkeypatch):
    """Then the published model is asked for, as if the stand-in were not there."""
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    monkeypatch.setattr(models, "fetch", lambda name: tmp_path / f"fetched {name}")
    place, _ = models.STAND_INS["hand-landmarker"]
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).write_bytes(b"damaged")
    assert models.model_file("hand-landmarker").name == "fetched hand-landmarker"


def test_protocols_say_of_a_stand_in_that_it_is_not_the_published_model():
    assert models.model_name(Path("a/hand_landmarker.task")) == "hand_landmarker.task"
    said = models.model_name(Path("a/hand_landmarker_lite.task"))
    assert said == "hand_landmarker_lite.task, not the published one"


def test_without_mediapipe_one_sentence_says_what_to_install(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(CompanionError, match="pip install --no-deps .mediapipe>="):
        kind()


def test_without_graphics_libraries_one_sentence_names_them(monkeypatch, person, tracker):
    tracker(FaceDetector)  # skips where its model is not at hand

    def refuse(*_: object) -> None:
        raise OSError("libGLESv2.so.2: cannot open shared object file")

    with FaceDetector() as faces:
        monkeypatch.setattr(faces._mediapipe.tasks.vision.FaceDetector, "create_from_options", refuse)
        with pytest.raises(CompanionError, match="apt-get install libegl1 libgles2 libgl1"):
            faces.find(person)


LEFT_OPEN = """
import sys
import companion.vision
print(sorted({"mediapipe", "cv2"} & set(sys.modules)))
import numpy as np
trackers = [getattr(companion.vision, name)() for name in sys.argv[1:]]
for tracker in trackers:
    tracker.find(np.zeros((64, 64, 3), np.uint8))
"""


@pytest.mark.slow
def test_a_process_imports_mediapipe_late_and_ends_in_silence(kinds):
    """MediaPipe's own clean-up fails with a traceback, where a task is open while Python is being taken down."""
    command = [sys.executable, "-c", LEFT_OPEN, *(kind.__name__ for kind in kinds)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
    assert "Traceback" not in answer.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_a_tracker_made_before_a_fork_finds_the_same_in_the_child(tracker, person):
    """Its threads stay with the parent; used as it was, it would wait for over a minute, without a word."""
    tracker(FaceDetector)
    with FaceDetector() as faces:
        (here,) = faces.find(person)
        following = faces.follow(Frame(person, 0.04 * index, str(index)) for index in range(3))
        next(following)
        stream = faces.live(lambda seen: None)

        def child(answers: "multiprocessing.Queue[object]") -> None:
            (there,) = faces.find(person)
            answers.put(there.score)
            for begun in (lambda: next(following), lambda: stream.send(person)):
                try:
                    begun()
                except CompanionError as error:
                    answers.put(str(error))
            stream.close()
            answers.put("closed")

        forking = multiprocessing.get_context("fork")
        answers = forking.Queue()
        process = forking.Process(target=child, args=[answers], daemon=True)
        process.start()
        assert answers.get(timeout=PATIENCE) == here.score
        assert "before the process forked" in answers.get(timeout=PATIENCE)
        assert "before the process forked" in answers.get(timeout=PATIENCE)
        assert answers.get(timeout=PATIENCE) == "closed"
        process.join(PATIENCE)
        assert process.exitcode == 0
        assert [one.score for one in faces.find(person)] == [here.score]
        following.close()
        stream.close()
