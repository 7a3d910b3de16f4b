"""Chapter 8: how well the rules read hands on real photographs."""

import csv
from collections import Counter
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion.data.assets import fetch
from companion.metrics import Measurement
from companion.reproduce.ch08.found import swapped
from companion.reproduce.job import Job, Recipe, Result
from companion.vision import Hand, HandTracker, as_picture
from companion.vision.gestures import PINCHED, Finger, fingers_up, pinch
from companion.vision.learning import Example, GestureClassifier, as_numbers, from_numbers
from companion.vision.models import model_name

LETTERS = dict(zip("TIMRL", Finger, strict=True))  # how the labels write fingers
NEAR = 0.1  # a hand found belongs to a label when their centres are so near, in parts of the picture


def labels() -> list[dict[str, str]]:
    """Hands on photographs, labelled by eye: picture, centre, fingers up, pinch; “?” where no eye could tell."""
    text = files("companion.vision").joinpath("labelled_hands.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def hand_gestures(job: Job) -> Result:
    """Fingers up and pinch by the rules, and gestures by their nearest example, on labelled photographs."""
    folder = fetch("vision-photographs")
    labelled = labels()[:4] if job.debug else labels()
    pictures: dict[str, list[Hand]] = {}
    blue: dict[str, list[Hand]] = {}
    with HandTracker(most=4) as tracker:
        for name in dict.fromkeys(row["picture"] for row in labelled):
            found = job.once(name, partial(_found, tracker, folder / name))
            pictures[name] = [from_numbers(hand) for hand in found["hands"]]
            blue[name] = tracker.find(swapped(as_picture(folder / name)))
    hands = [_read(row, _belonging(row, pictures[row["picture"]])) for row in labelled]
    metrics = [*_fingers(hands), *_pinches(hands)]
    lost = [_belonging(row, blue[row["picture"]]) for row in labelled]
    share = float(np.mean([hand is not None for hand in lost]))
    metrics.append(
        Measurement("hands found, colours swapped", share, f"{len(lost)} labelled hands, {PHOTOGRAPHS}")
    )
    if not job.debug:
        metrics += _learnt(hands)
    metrics = [replace(one, protocol=f"{one.protocol}; model {model_name(tracker.model)}") for one in metrics]
    settings = {"device": "cpu", "model": tracker.model.name, "pictures": len(pictures), "hands": len(hands)}
    return Result(settings, [], metrics, {"sources": SOURCES, "hands": hands})


def _found(tracker: HandTracker, path: Path) -> dict[str, Any]:
    return {"hands": [as_numbers(hand) for hand in tracker.find(path)]}


def _belonging(row: dict[str, str], found: list[Hand]) -> Hand | None:
    """The hand found where the label says, if there is one."""
    wanted = np.array([float(row["x"]), float(row["y"])])

    def away(hand: Hand) -> float:
        low, high = hand.normalised[:, :2].min(0), hand.normalised[:, :2].max(0)
        return float(np.linalg.norm((low + high) / 2 - wanted))

    nearest = min(found, key=away, default=None)
    return nearest if nearest is not None and away(nearest) <= NEAR else None


def _read(row: dict[str, str], hand: Hand | None) -> dict[str, Any]:
    """A label beside what the rules say."""
    read: dict[str, Any] = {key: row[key] for key in ("picture", "up", "pinch", "note")}
    if hand is None:
        return {**read, "found": False}
    up = "".join(letter for letter, finger in LETTERS.items() if finger in fingers_up(hand))
    return {
        **read,
        "found": True,
        "read_up": up,
        "read_pinch": round(pinch(hand), 3),
        "hand": as_numbers(hand),
    }


def _fingers(hands: list[dict[str, Any]]) -> list[Measurement]:
    clear = [hand for hand in hands if hand["up"] != "?"]
    found = [hand for hand in clear if hand["found"]]
    protocol = (
        f"{len(found)} of {len(clear)} labelled hands found on real photographs; the rules' thresholds were set on the "
        "same photographs"
    )
    each = [(letter in hand["read_up"]) == (letter in hand["up"]) for hand in found for letter in LETTERS]
    return [
        Measurement("hands found", len(found) / len(clear), f"{len(clear)} labelled hands, {PHOTOGRAPHS}"),
        Measurement(
            "finger count right",
            float(np.mean([len(hand["read_up"]) == len(hand["up"]) for hand in found])),
            protocol,
        ),
        Measurement("single fingers right", float(np.mean(each)), protocol),
    ]


def _pinches(hands: list[dict[str, Any]]) -> list[Measurement]:
    """All hands together, then those that pinch and the others, since the few that pinch hardly move the whole."""
    found = [hand for hand in hands if hand["found"] and hand["pinch"] != "?"]
    groups = {
        "pinch right": found,
        "pinch right: pinching hands": [hand for hand in found if hand["pinch"] == "yes"],
        "pinch right: other hands": [hand for hand in found if hand["pinch"] == "no"],
    }
    return [_pinch_right(name, group) for name, group in groups.items() if group]


def _pinch_right(name: str, hands: list[dict[str, Any]]) -> Measurement:
    right = sum((hand["read_pinch"] <= PINCHED) == (hand["pinch"] == "yes") for hand in hands)
    protocol = f"{right} of {len(hands)} hands found on real photographs; the threshold was set on the same"
    return Measurement(name, right / len(hands), f"{protocol} photographs")


def _learnt(hands: list[dict[str, Any]]) -> list[Measurement]:
    """Every person's hands named by a classifier that has seen all others', for two classifiers."""
    examples = photographed(hands)
    classifier = GestureClassifier(examples)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    protocol = (
        f"leave one person out, {len(examples)} hands of {len(set(classifier.sittings))} people on real photographs, "
        f"{len(set(classifier.names))} gestures"
    )
    return [
        Measurement("gesture right: nearest example", classifier.accuracy(), protocol),
        Measurement("gesture right: logistic regression", classifier.accuracy(logistic), protocol),
    ]


def photographed(hands: list[dict[str, Any]]) -> list[Example]:
    """The record's hands as examples, named by their fingers, a person's in one sitting; no gesture of one person."""
    examples = [
        Example(from_numbers(hand["hand"]), hand["up"], SAME_PERSON.get(hand["picture"], hand["picture"]))
        for hand in hands
        if hand["found"] and hand["up"] != "?" and hand["pinch"] == "no"
    ]
    people = Counter(name for name, _ in {(example.name, example.sitting) for example in examples})
    return [example for example in examples if people[example.name] > 1]


SAME_PERSON = {"mm_thumbs_up.jpg": "mm_pointing_up.jpg"}  # all other photographs show people of their own
# Said beside the landmarks, in the record: whose photographs they were found on.
SOURCES = {
    "gs_, mm_": "Google's sample photographs for MediaPipe; the landmarks: CC BY 4.0, as the rest of this book",
    "hagrid_": "HaGRID, HAnd Gesture Recognition Image Dataset (Kapitanov, Kvanchiani, Nagaev, Kraynov and "
    "Makhliarchuk 2024, arXiv:2206.08219), under a variant of CC BY-SA 4.0; the landmarks found here: CC BY-SA 4.0",
    "onehand10k_": "OneHand10K (Wang, Peng and Liu 2019, IEEE Transactions on Circuits and Systems for Video "
    "Technology 29(11)), for research; the landmarks of one hand",
}
PHOTOGRAPHS = "photographs of MediaPipe's and Google's examples, HaGRID and OneHand10K"

RECIPES: dict[str, Recipe] = {"hand-gestures": Recipe("Gestures on labelled photographs", 8, hand_gestures)}
