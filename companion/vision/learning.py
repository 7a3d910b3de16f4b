"""Gestures learnt from a few examples of your own hand (chapter 8).

The examples are the model: a file holds them as text, and training takes milliseconds, so nothing else is saved. They
are landmarks; no picture is kept anywhere.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from companion.errors import CompanionError
from companion.files import shown, write_text
from companion.vision.gestures import shape
from companion.vision.landmarks import Hand

FORMAT = "companion gestures 1"
POINTS = 20  # landmarks of a hand but for the wrist


@dataclass(frozen=True)
class Example:
    """A hand and the name of what it shows.

    Two hands on one photograph, of one person, or of one evening at one camera are more alike than two strangers'.
    Give such examples one name of their `sitting`, and they are never judged by each other.
    """

    hand: Hand
    name: str
    sitting: str = ""


def features(hand: Hand) -> NDArray[np.float64]:
    """Sixty numbers that say how a hand is held, `(60,)`.

    They stay the same wherever the hand is in the picture, however far from the camera, and whether it is the left or
    the right: a left hand is mirrored first. They change when the hand is turned, since a thumb up and a thumb down
    are not the same.

    Raises:
        ValueError: The hand has no width.
    """
    points = shape(hand)[1:]  # the wrist is always at the origin
    if hand.side == "left":
        points = points * [-1, 1, 1]
    return np.asarray(points.reshape(-1))


class GestureClassifier:
    """The nearest example's name, nearness measured between `features`.

    Raises:
        CompanionError: There are fewer than two gestures, or one has a single example.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = list(examples)
        counts = Counter(example.name for example in examples)
        if len(counts) < 2:
            raise CompanionError(
                f"To tell gestures apart, at least two are needed, and {len(counts)} came; record another one."
            )
        few = [name for name, count in counts.items() if count < 2]
        if few:
            raise CompanionError(f"“{few[0]}” has a single example; record at least two of each gesture.")
        self.features = np.stack([features(example.hand) for example in examples])  # (N, 60)
        self.names = np.array([example.name for example in examples])  # (N,)
        self.sittings = [example.sitting or f"example {i}" for i, example in enumerate(examples)]
        self._model: Any = KNeighborsClassifier(n_neighbors=1).fit(self.features, self.names)

    def nearest(self, hand: Hand) -> tuple[str, float]:
        """The nearest example's name, and how far its landmarks are from the hand's: root mean square, hand-widths."""
        distances, rows = self._model.kneighbors(features(hand)[None])
        return str(self.names[rows[0, 0]]), float(distances[0, 0] / np.sqrt(POINTS))

    def name(self, hand: Hand, *, reach: float = 0.6) -> str | None:
        """What the hand shows, or None where no example is within `reach` hand-widths."""
        name, distance = self.nearest(hand)
        return name if distance <= reach else None

    def left_out(self) -> list[str]:
        """What each example is called by a classifier that has seen all others but those of the same sitting.

        Examples without a sitting are each their own: then this is leave-one-out.

        Raises:
            CompanionError: All examples come from one sitting, so that none is left to learn from.
        """
        if len(set(self.sittings)) < 2:
            raise CompanionError(
                "All examples come from one sitting; record another, at another time or place."
            )
        return [str(name) for name in self._judged(self._model)]

    def accuracy(self, model: Any = None) -> float:
        """Share of the examples that are named rightly in this way, by the nearest example or a model of yours.

        Args:
            model: Any of scikit-learn's classifiers, unfitted; it sees `features`.
        """
        named = self.left_out() if model is None else self._judged(model)
        return float(np.mean(np.array(named) == self.names))

    def _judged(self, model: Any) -> Any:
        return cross_val_predict(
            model, self.features, self.names, groups=self.sittings, cv=LeaveOneGroupOut()
        )


def save_examples(path: str | Path, examples: Sequence[Example]) -> None:
    """Write examples as text.

    Raises:
        CompanionError: There is a file already.
    """
    entries = [{"name": one.name, "sitting": one.sitting, **as_numbers(one.hand)} for one in examples]
    content = {"format": FORMAT, "examples": entries}
    path = Path(path)
    if os.path.lexists(path):
        raise CompanionError(f"There is a file {shown(path)} already; choose another name.")
    write_text(path, json.dumps(content))


def load_examples(path: str | Path) -> list[Example]:
    """Read what `save_examples` wrote.

    Raises:
        CompanionError: The file is missing or holds no examples.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError("another format")
        return [
            Example(from_numbers(entry), str(entry["name"]), str(entry.get("sitting", "")))
            for entry in content["examples"]
        ]
    except FileNotFoundError:
        raise CompanionError(f"There is no file {path}; record examples first.") from None
    except OSError as error:
        raise CompanionError(
            f"The file {path} cannot be read ({error.strerror}); give the file of your gestures."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise CompanionError(f"The file {path} holds no gestures; record examples again.") from None


def as_numbers(hand: Hand) -> dict[str, Any]:
    """A hand in plain numbers, from which `from_numbers` makes it again."""
    return {
        "side": hand.side,
        "score": round(hand.score, 4),
        "width": hand.width,
        "height": hand.height,
        "normalised": np.round(hand.normalised.astype(np.float64), 5).tolist(),
        "world": np.round(hand.world.astype(np.float64), 5).tolist(),
    }


def from_numbers(entry: dict[str, Any]) -> Hand:
    """The hand that `as_numbers` took apart.

    Raises:
        ValueError: Numbers are missing, or there are not 21 landmarks.
    """
    normalised, world = (np.array(entry[key], np.float32) for key in ("normalised", "world"))
    if normalised.shape != (21, 3) or world.shape != (21, 3) or entry["side"] not in ("left", "right"):
        raise ValueError("No hand.")
    size = int(entry["width"]), int(entry["height"])
    return Hand(normalised, *size, world=world, side=entry["side"], score=float(entry["score"]))
