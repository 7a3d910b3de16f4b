"""Guards what a network is shown: a hand turned upright, a picture from far away, and drawn hands that are found."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from companion import pretrained
from companion.vision import Box, Frame, Hand, HandPoint, HandTracker
from companion.vision.cutting import INNER, SIDE, FarAway, cut_out, far_away, square_around
from companion.vision.drawn import hand as drawn_hand
from companion.vision.gestures import pinch
from companion.vision.learning import from_numbers

RECORDED = [entry for entry in pretrained.details("hand-gestures")["hands"] if entry["found"]]
HANDS = [from_numbers(entry["hand"]) for entry in RECORDED]
each_hand = pytest.mark.parametrize("hand", HANDS, ids=[entry["picture"] for entry in RECORDED])


def within(hand: Hand) -> np.ndarray:
    """The landmarks in the cutout, as fractions of its side from its upper left corner."""
    corners = square_around(hand)
    right, down = corners[3] - corners[0], corners[1] - corners[0]
    return (hand.pixels - corners[0]) @ np.stack([right, down]).T / (right @ right)


@each_hand
def test_the_square_is_one_and_holds_the_hand_with_its_fingers_up(hand):
    corners = square_around(hand)
    sides = np.roll(corners, -1, axis=0) - corners
    assert np.ptp(np.linalg.norm(sides, axis=1)) < 1e-3
    assert abs(sides[0] @ sides[1]) < 1e-3 * (sides[0] @ sides[0])
    inside = within(hand)
    assert inside.min() > 0.05
    assert inside.max() < 0.95
    wrist, middle = (inside[point] for point in (HandPoint.WRIST, HandPoint.MIDDLE_MCP))
    assert middle[1] < wrist[1]
    assert abs(middle[0] - wrist[0]) < 0.3 * (wrist[1] - middle[1])
    assert np.ptp(inside[INNER], axis=0).max() == pytest.approx(
        0.5, abs=1e-6
    )  # twice as wide as the palm's part


def test_fingertips_do_not_move_the_square():
    hand = HANDS[0]
    bent = hand.normalised.copy()
    bent[[point for point in HandPoint if point.name.endswith(("DIP", "TIP"))]] += 0.1
    np.testing.assert_array_equal(square_around(replace(hand, normalised=bent)), square_around(hand))
    assert len(INNER) == 12


@each_hand
def test_a_hand_that_is_turned_is_cut_out_alike(hand):
    angle = 0.7
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    size = [hand.width, hand.height]
    turned = hand.normalised.copy()
    turned[:, :2] = (hand.pixels @ turn + [30, -20]) / size
    np.testing.assert_allclose(within(replace(hand, normalised=turned)), within(hand), atol=1e-4)


def test_a_square_that_is_not_turned_is_a_plain_part_of_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    corners = np.array([[20, 10], [20, 74], [84, 74], [84, 10]], float)
    np.testing.assert_array_equal(cut_out(picture, corners, 64), picture[10:74, 20:84])
    assert cut_out(picture, corners - [100, 0], 64)[:, 0].max() == 0  # beyond the edge
    assert cut_out(picture, corners).shape == (SIDE, SIDE, 3)


def test_from_far_away_everything_is_where_it_is_said_to_be():
    picture = np.full((100, 200, 3), 50, np.uint8)
    picture[40:60, 90:110] = 250
    for place in ((0.0, 0.0), (0.3, 0.9), (1.0, 1.0)):
        far = far_away(picture, 0.5, place, 320, 240)
        assert far.picture.shape == (240, 320, 3)
        bright = np.argwhere(far.picture[..., 0] > 150)[:, ::-1].mean(0) + 0.5
        np.testing.assert_allclose(bright, 0.5 * np.array([100, 50]) + far.moved, atol=0.6)


def test_a_finding_is_right_where_the_thing_is_and_nowhere_else():
    thing = Box(20, 40, 60, 80)  # its middle, at half the size and moved: (20 + 10, 30 + 5)
    far = FarAway(np.zeros((1, 1, 3), np.uint8), 0.5, (10, 5))
    assert far.shows(Box(29, 34, 31, 36), thing)
    assert not far.shows(Box(31, 34, 40, 36), thing)
    assert not far.shows(Box(29, 36, 31, 50), thing)


@pytest.mark.full
def test_in_the_next_frame_mediapipe_sees_the_square_and_nothing_beyond(tracker):
    """Noise beyond the square moves no landmark at all; within its rim it does."""
    tracker(HandTracker)  # is the model at hand?
    picture = drawn_hand(0.85)
    noise = np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)

    def followed(second: np.ndarray) -> list[Hand]:
        frames = [Frame(picture, 0.0, "first"), Frame(second, 1 / 30, "second")]
        with HandTracker(most=1) as one_hand:
            return [found[0] for _, found in one_hand.follow(frames)]

    first, undisturbed = followed(picture)
    corners = square_around(first)
    middle = corners.mean(0)

    def within_the_square(scale: float) -> np.ndarray:
        mask = Image.new("1", picture.shape[1::-1])
        ImageDraw.Draw(mask).polygon(
            [tuple(corner) for corner in middle + scale * (corners - middle)], fill=1
        )
        return np.asarray(mask)[..., None]

    def moved(where: np.ndarray) -> float:
        disturbed = followed(np.where(where, noise, picture))[1]
        return float(np.abs(disturbed.pixels - undisturbed.pixels).max())

    assert (~within_the_square(1.02)).mean() > 0.05
    assert moved(~within_the_square(1.02)) == 0
    assert moved(within_the_square(1.0) & ~within_the_square(0.97)) > 0.1


@pytest.mark.full
def test_a_drawn_hand_is_found_and_its_pinch_grows_as_it_opens(tracker):
    found = [tracker(HandTracker).find(drawn_hand(opened)) for opened in (0.0, 0.4, 0.8)]
    assert [len(hands) for hands in found] == [1, 1, 1]
    pinches = [pinch(hands[0]) for hands in found]
    assert pinches == sorted(pinches)
    assert pinches[0] < 0.6 < 1.2 < pinches[-1]
    assert {hands[0].side for hands in found} == {"right"}
