"""Guards chapter 8's exhibits: each bug fails in the way the chapter says, and the wrapper's way does not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from companion import museum
from companion.data.assets import cache_folder
from companion.errors import CompanionError
from companion.vision import Frame, HandTracker, as_picture


@pytest.fixture(scope="module")
def photo() -> Path:
    """A woman who raises her left hand."""
    path = cache_folder() / "vision-photos/mm_pointing_up.jpg"
    if not path.is_file():
        pytest.skip("the photograph is not at hand")
    return path


@pytest.fixture(scope="module")
def hands(photo) -> Iterator[HandTracker]:
    pytest.importorskip("mediapipe")
    models = cache_folder() / "mediapipe"
    if not any(models.glob("hand_landmarker*.task")):
        pytest.skip("the hand model is not in the cache")
    with HandTracker() as tracker:
        yield tracker


def test_a_mirror_turns_her_left_hand_into_a_right_one(hands, photo):
    picture = as_picture(photo)
    assert [hand.side for hand in hands.find(picture)] == ["left"]
    assert museum.sides_in_the_mirror(hands, picture) == ["right"]


def test_blue_skin_is_no_skin(hands, photo):
    assert len(hands.find(photo)) == 1
    assert museum.found_in_bgr(hands, str(photo)) == []


def test_a_view_is_read_askew_and_its_hand_is_lost(hands, photo):
    picture = as_picture(photo)
    view = picture[:, 40:]
    seen = museum.as_mediapipe_reads(view)
    assert seen.shape == view.shape
    np.testing.assert_array_equal(seen[0], view[0])  # the first row is right, the next begins 40 pixels early
    np.testing.assert_array_equal(seen[1, :40], picture[1, :40])
    assert len(hands.find(view)) == 1
    assert hands.find(seen) == []


@pytest.mark.parametrize(
    "view", [lambda p: p[:, ::-1], lambda p: p[..., ::-1], lambda p: np.broadcast_to(p[:1], p.shape)]
)
def test_a_view_that_runs_backwards_or_repeats_is_refused(photo, view):
    with pytest.raises(CompanionError, match="part of a larger picture"):
        museum.as_mediapipe_reads(view(as_picture(photo)))


def test_a_clock_in_seconds_stands_still(hands, photo):
    picture = as_picture(photo)
    frames = [Frame(picture, index / 4, str(index)) for index in range(6)]
    answers = museum.with_a_clock_in_seconds(hands, frames)
    assert [type(answer) for answer in answers] == [int, str, str, str, int, str]
    assert "monotonically increasing" in answers[1]
    assert [len(seen.found) for seen in hands.follow(frames)] == [1] * 6
