"""Guards learnt gestures: what features ignore and what they keep, leaving one out, and files that hold no code."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from companion import pretrained
from companion.errors import CompanionError
from companion.records import read_details, read_record
from companion.reproduce.ch08.gestures import _pinches, photographed
from companion.vision.learning import (
    FORMAT,
    Example,
    GestureClassifier,
    as_numbers,
    features,
    from_numbers,
    load_examples,
    save_examples,
)

EXAMPLES = photographed(pretrained.details("hand-gestures")["hands"])


def other_hand(hand):
    """The same picture in a mirror, where the tracker finds a hand of the other side."""
    return replace(hand.mirrored(), side="left" if hand.side == "right" else "right")


def moved(hand, factor, across, down):
    middle = hand.normalised.mean(axis=0)
    points = (hand.normalised - middle) * factor + middle + np.array([across, down, 0], np.float32)
    return replace(hand, normalised=points.astype(np.float32))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_place_distance_and_side_do_not_matter(example):
    wanted = features(example.hand)
    assert wanted.shape == (60,)
    for same in (
        moved(example.hand, 0.3, 0.2, -0.1),
        moved(example.hand, 2, 0, 0.4),
        other_hand(example.hand),
    ):
        np.testing.assert_allclose(features(same), wanted, atol=3e-3)


def test_turning_the_hand_matters():
    """A thumb up is no thumb down."""
    hand = EXAMPLES[0].hand
    turned = replace(hand, normalised=hand.normalised * np.array([-1, -1, 1], np.float32))
    assert np.abs(features(turned) - features(hand)).max() > 1


def test_hands_that_pinch_and_others_are_counted_apart():
    """One of two that pinch and two of three others are right; what no eye could tell or was not found is left out."""
    seen = [("yes", 0.3), ("yes", 0.9), ("no", 0.5), ("no", 0.6), ("no", 2.0), ("?", 0.1)]
    hands = [{"found": True, "pinch": pinch, "read_pinch": distance} for pinch, distance in seen]
    measured = [(one.value, one.protocol.split(" hands")[0]) for one in _pinches([*hands, {"found": False}])]
    assert measured == [(3 / 5, "3 of 5"), (1 / 2, "1 of 2"), (2 / 3, "2 of 3")]
    assert [one.name for one in _pinches(hands[2:])] == ["pinch right", "pinch right: other hands"]


def test_the_photographs_teach_gestures_across_people():
    classifier = GestureClassifier(EXAMPLES)
    record = {metric.name: metric.value for metric in pretrained.record("hand-gestures").metrics}
    assert classifier.accuracy() == pytest.approx(record["gesture right: nearest example"])
    assert classifier.accuracy() > 0.7  # the commonest gesture is less than a third of them
    assert all(classifier.name(example.hand) == example.name for example in EXAMPLES), (
        "each is its own nearest"
    )


def test_leaving_one_out_never_shows_the_example_itself():
    """By hand, one classifier for each example left out."""
    classifier = GestureClassifier([replace(example, sitting="") for example in EXAMPLES])
    rows = np.arange(len(EXAMPLES))
    wanted = [
        KNeighborsClassifier(1).fit(classifier.features[rows != row], classifier.names[rows != row])
        .predict(classifier.features[[row]])[0]
        for row in rows
    ]  # fmt: skip
    assert classifier.left_out() == wanted


def test_examples_of_one_sitting_never_judge_each_other():
    """By hand, one classifier for each sitting; both hands of one photograph, and one woman's on two, are one."""
    classifier = GestureClassifier(EXAMPLES)
    sittings = np.array(classifier.sittings)
    assert len(set(sittings)) == len(EXAMPLES) - 2
    wanted = [
        KNeighborsClassifier(1).fit(classifier.features[sittings != one], classifier.names[sittings != one])
        .predict(classifier.features[[row]])[0]
        for row, one in enumerate(sittings)
    ]  # fmt: skip
    assert classifier.left_out() == wanted
    assert classifier.accuracy() == classifier.accuracy(KNeighborsClassifier(1))
    with pytest.raises(CompanionError, match="one sitting"):
        GestureClassifier([replace(example, sitting="today") for example in EXAMPLES]).left_out()


def test_three_shaky_examples_of_each_gesture_suffice_for_one_person():
    """A reader records three examples of each: the same hands, trembling by a twentieth of a hand-width."""
    rng = np.random.default_rng(1)

    def shaky(hand):
        width = np.linalg.norm(hand.normalised[5, :2] - hand.normalised[17, :2])
        return replace(
            hand, normalised=hand.normalised + rng.normal(0, 0.05 * width, (21, 3)).astype(np.float32)
        )

    chosen = {example.name: example.hand for example in EXAMPLES}
    recorded = [Example(shaky(hand), name) for name, hand in chosen.items() for _ in range(3)]
    classifier = GestureClassifier(recorded)
    assert classifier.accuracy() == 1
    assert all(classifier.name(shaky(hand)) == name for name, hand in chosen.items() for _ in range(10))


def test_a_hand_unlike_all_examples_has_no_name():
    two = [example for example in EXAMPLES if example.name in {"I", "T"}]
    classifier = GestureClassifier(two)
    open_hand = next(example.hand for example in EXAMPLES if example.name == "TIMRL")
    assert classifier.name(open_hand) is None
    assert classifier.name(open_hand, reach=100) in {"I", "T"}
    name, distance = classifier.nearest(two[0].hand)
    assert (name, distance) == (two[0].name, 0)


def test_the_distance_is_a_root_mean_square_in_hand_widths():
    classifier = GestureClassifier(EXAMPLES)
    hand = moved(EXAMPLES[0].hand, 1, 0, 0)
    _, distance = classifier.nearest(hand)
    by_hand = min(
        np.sqrt(((features(hand) - features(e.hand)).reshape(20, 3) ** 2).sum(1).mean()) for e in EXAMPLES
    )
    assert distance == pytest.approx(by_hand, abs=1e-6)


def test_too_few_examples_are_refused():
    one, two = EXAMPLES[0], next(example for example in EXAMPLES if example.name != EXAMPLES[0].name)
    with pytest.raises(CompanionError, match="at least two are needed, and 1 came"):
        GestureClassifier([one, one])
    with pytest.raises(CompanionError, match="at least two are needed, and 0 came"):
        GestureClassifier([])
    with pytest.raises(CompanionError, match=f"“{two.name}” has a single example"):
        GestureClassifier([one, one, two])


def test_examples_come_back_from_their_file(tmp_path):
    path = tmp_path / "mine.json"
    save_examples(path, EXAMPLES)
    back = load_examples(path)
    assert [(one.name, one.sitting) for one in back] == [(one.name, one.sitting) for one in EXAMPLES]
    for old, new in zip(EXAMPLES, back, strict=True):
        assert as_numbers(new.hand) == as_numbers(old.hand)
    assert GestureClassifier(back).left_out() == GestureClassifier(EXAMPLES).left_out()
    with pytest.raises(CompanionError, match="already"):
        save_examples(path, EXAMPLES)


def test_a_file_holds_landmarks_and_nothing_else(tmp_path):
    path = tmp_path / "mine.json"
    save_examples(path, EXAMPLES[:1])
    (entry,) = json.loads(path.read_text(encoding="utf-8"))["examples"]
    assert set(entry) == {"name", "sitting", "side", "score", "width", "height", "normalised", "world"}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": "other"}', '{"format": "companion gestures 1", "examples": [{"name": 1}]}'],
)
def test_a_file_that_holds_no_gestures_is_one_sentence(tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CompanionError, match="holds no gestures"):
        load_examples(path)
    with pytest.raises(CompanionError, match="no file"):
        load_examples(tmp_path / "none.json")


def test_a_hand_with_too_few_landmarks_is_none():
    entry = as_numbers(EXAMPLES[0].hand)
    with pytest.raises(ValueError, match="No hand"):
        from_numbers({**entry, "normalised": entry["normalised"][:20]})


def test_the_recipe_reads_photographs_and_continues_where_it_stopped(photo, tracker, tmp_path):
    from companion.reproduce import reproduce
    from companion.vision import HandTracker

    photo("gs_hand_test.jpg")
    tracker(HandTracker)
    one, two = (
        reproduce("hand-gestures", tmp_path / name, tmp_path / "work", budget="debug") for name in ("a", "b")
    )
    assert read_record(one).metrics == read_record(two).metrics
    assert read_details(one) == read_details(two)
    assert len(read_details(one)["hands"]) == 4


def test_a_name_may_be_a_text_and_what_cannot_be_read_is_not_called_empty(tmp_path):
    place = tmp_path / "mine.json"
    save_examples(str(place), EXAMPLES[:1])
    assert [one.name for one in load_examples(str(place))] == [EXAMPLES[0].name]
    with pytest.raises(CompanionError, match="cannot be read"):
        load_examples(tmp_path)
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(CompanionError, match="already"):
        save_examples(link, EXAMPLES[:1])


def endless():
    """A whole file, in which one width is no number that a picture can have."""
    hand = {"name": "fist", **as_numbers(EXAMPLES[0].hand), "width": float("inf")}
    return json.dumps({"format": FORMAT, "examples": [hand]})


@pytest.mark.parametrize("content", [endless(), "[" * 100_000], ids=["endless", "deep"])
def test_odd_json_is_one_sentence(tmp_path, content):
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(CompanionError, match="holds no gestures"):
        load_examples(tmp_path / "odd.json")
