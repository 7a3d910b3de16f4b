"""Checks of chapter 8's exercises: a pinch, a mirrored hand, the one-euro filter, a switch, fingers, and a secret.

Nothing here needs a camera or MediaPipe: the hands are landmarks from the record of chapter 8's measurements.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from companion import pretrained
from companion.exercises.runner import NotYet, Task, right

Points = NDArray[np.float64]

_HANDS = {  # name → photograph, which of its hands (all are MediaPipe's own samples), side
    "pointing finger": ("mm_pointing_up.jpg", 0),
    "open hand": ("mm_hand_front_back.jpg", 0),
    "thumb up": ("mm_thumbs_up.jpg", 0),
    "thumb down": ("mm_thumbs_down.jpg", 0),
}


def hand(name: str) -> Points:
    """Landmarks of a real hand in pixels, `(21, 3)`: x to the right, y down, z away from the camera.

    Args:
        name: “pointing finger”, “open hand”, “thumb up” or “thumb down”.
    """
    normalised, size = _recorded(name)
    return normalised * size


def _recorded(name: str) -> tuple[Points, Points]:
    picture, index = _HANDS[name]
    entries = pretrained.details("hand-gestures")["hands"]
    found = [entry["hand"] for entry in entries if entry["picture"] == picture and entry["found"]][index]
    size = np.array([found["width"], found["height"], found["width"]], np.float64)
    return np.array(found["normalised"], np.float64), size


def _length(points: Points, start: int, end: int, axes: int = 3) -> float:
    return float(np.linalg.norm(points[start, :axes] - points[end, :axes]))


def _expect_array(task: Task, found: Points, wanted: Points, known: dict[str, Points]) -> None:
    given, right_ones, *mistaken = (torch.tensor(part.copy()) for part in (found, wanted, *known.values()))
    task.match(given, right_ones, dict(zip(known, mistaken, strict=True)))


def _numbers(task: Task, answer: object, shape: tuple[int, ...]) -> Points:
    return np.asarray(task.tensor(answer, shape).detach().double().numpy())


def _untouched(task: Task, given: Any, before: Any) -> None:
    if not np.array_equal(given, before):
        raise NotYet(f"`{task.name}` changes the array it is given; make a copy first.")


# ---- 1: a pinch -----------------------------------------------------------------------------------------------------

PINCH = Task("pinch_distance(points)", "the distance from thumb tip to index fingertip, in hand-widths")


def check_pinch_distance(student: object) -> None:
    """Task 1: tips 4 and 8 over knuckles 5 and 17, in three dimensions; the same at every scale."""
    for name in _HANDS:
        near = hand(name)
        for points in (near, near / 7 + 40):
            given = points.copy()
            found = PINCH.number(PINCH.ask(student, given))
            tips, width = _length(points, 4, 8), _length(points, 5, 17)
            flat = _length(points, 4, 8, 2) / _length(points, 5, 17, 2)
            mistakes = {
                "That is in pixels: whoever steps back would pinch; divide by the hand's width.": tips,
                "You measure across the picture only: turn the hand and its width shrinks. Take all three axes.": flat,
                "You divide by the palm; a hand-width goes from row 5 to row 17.": tips
                / _length(points, 0, 9),
                "You divide by the way to row 13; the little finger's is 17.": tips / _length(points, 5, 13),
                "You measure to the middle finger; the index finger's tip is row 8.": _length(points, 4, 12)
                / width,
                "You measure between joints; the tips are rows 4 and 8.": _length(points, 3, 7) / width,
                "Your ratio is upside down: an open hand should give a large number.": width / tips,
            }
            PINCH.expect(found, tips / width, f"the {name}", mistakes)
            _untouched(PINCH, given, points)
    right("The same pinch gives the same number, near and far.")


# ---- 2: the mirror --------------------------------------------------------------------------------------------------

UNMIRRORED = Task(
    "unmirrored(points, side)",
    "the hand as the camera saw it: the points and the side, “left” or “right”",
)


def check_unmirrored(student: object) -> None:
    """Task 2: x becomes 1 − x, and the side the other one."""
    for name, side in (("pointing finger", "left"), ("open hand", "right")):
        wanted, _ = _recorded(name)
        mirror = wanted * [-1, 1, 1] + [1, 0, 0]
        other = "right" if side == "left" else "left"
        given = mirror.copy()
        answer = UNMIRRORED.ask(student, given, other)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise NotYet("`unmirrored` returns two things, the points and the side: `return points, side`.")
        found = _numbers(UNMIRRORED, answer[0], (21, 3))
        _untouched(UNMIRRORED, given, mirror)
        mistakes = {
            "The points are still mirrored; in normalised landmarks x runs from 0 to 1.": mirror,
            "−x lies outside the picture; a mirror makes x to 1 − x.": mirror * [-1, 1, 1],
            "You turned y; a mirror swaps left and right, which is x.": mirror * [1, -1, 1] + [0, 1, 0],
            "You turned x and y; a mirror leaves up and down as they are.": wanted * [1, -1, 1] + [0, 1, 0],
            "x is right, but you turned the depth as well; what is near stays near.": wanted * [1, 1, -1],
            "You put the rows in another order; row 0 is the wrist in a mirror, too.": wanted[::-1],
        }
        _expect_array(UNMIRRORED, found, wanted, mistakes)
        if answer[1] == other:
            raise NotYet(
                "The points are right, but the side is still the mirror's: there a left hand looks like a right one."
            )
        if answer[1] != side:
            raise NotYet("The points are right; the side is the word “left” or “right”.")
    right("Points and side are those of the hand itself.")


# ---- 3: the one-euro filter -----------------------------------------------------------------------------------------

EURO = Task(
    "one_euro_step(value, smooth, speed, seconds, min_cutoff, slope)",
    "the new smoothed value and the new smoothed speed",
)


def _weight(seconds: float, cutoff: float) -> float:
    return 1 / (1 + 1 / (2 * math.pi * cutoff * seconds))


def check_one_euro_step(student: object) -> None:
    """Task 3: speed first, smoothed at 1 Hz; then the cutoff from its size; then the value."""
    cases = [
        (1.3, 0.9, 0.2, 1 / 30, 1.2, 2.0),
        (0.4, 0.9, -1.5, 0.05, 0.8, 0.1),
        (0.9, 0.7, 0.3, 0.1, 2.0, 0.0),
    ]
    for case in cases:
        answer = EURO.ask(student, *case)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise NotYet("`one_euro_step` returns two numbers: the smoothed value, then the smoothed speed.")
        found = np.array([EURO.number(part) for part in answer])
        _expect_array(EURO, found, _step(*case), _known_steps(*case))
    right("Calm at rest and prompt in motion, whichever way the value moves and however long a frame takes.")


def _step(
    value: float,
    smooth: float,
    speed: float,
    seconds: float,
    least: float,
    slope: float,
    calming: float = 1.0,
) -> Points:
    speed += _weight(seconds, calming) * ((value - smooth) / seconds - speed)
    alpha = _weight(seconds, least + slope * abs(speed))
    return np.array([smooth + alpha * (value - smooth), speed])


def _known_steps(
    value: float, smooth: float, speed: float, seconds: float, least: float, slope: float
) -> dict[str, Points]:
    given = (value, smooth, speed, seconds, least, slope)
    wanted, raw, step = _step(*given), (value - smooth) / seconds, value - smooth
    calm = float(wanted[1])
    per_frame = speed + _weight(seconds, 1.0) * (step - speed)

    def at(cutoff: float, kept: float = calm) -> Points:
        weight = _weight(seconds, cutoff) if cutoff > 0 else math.nan
        return np.array([smooth + weight * step, kept])

    circle = 2 * math.pi
    bare = speed + _weight(seconds, 1 / circle) * (raw - speed)
    return {
        "Your answers are swapped: the smoothed value comes first.": wanted[::-1],
        "Your α weighs the old value; α is the newest value's share.": np.array(
            [value + smooth - wanted[0], calm]
        ),
        "Your speed is not smoothed: filter the raw one with a cutoff of 1 hertz.": at(
            least + slope * abs(raw), raw
        ),
        "The cutoff takes the smoothed speed, and you give it the raw one.": at(least + slope * abs(raw)),
        "Your cutoff takes the speed with its sign; a hand that moves back is as quick. Take its size.": at(
            least + slope * calm
        ),
        "Your cutoff takes the speed from before this step; smooth the new one first.": at(
            least + slope * abs(speed)
        ),
        "Your speed is a difference between frames; divide it by the seconds.": at(
            least + slope * abs(per_frame), per_frame
        ),
        "Your cutoff does not rise with the speed: that is the always slow filter.": at(least),
        "The 2π is missing from τ.": at((least + slope * abs(bare)) / circle, bare),
        "You smooth the speed with the value's least cutoff; its own is 1 hertz.": _step(
            *given, calming=least
        ),
    }


# ---- 4: a switch ----------------------------------------------------------------------------------------------------

PINCHED = Task(
    "pinched(distances, on, off)", "for each distance whether the pinch is closed, as a list of booleans"
)
_TREMBLING = (0.9, 0.7, 0.6, 0.52, 0.58, 0.53, 0.6, 0.7, 0.73, 0.8, 0.7, 0.6, 0.5, 0.9)


def check_pinched(student: object) -> None:
    """Task 4: closes at `on` or less, opens at `off` or more, stays as it is between; open to begin with."""
    for distances, on, off in (
        (_TREMBLING, 0.55, 0.75),
        ((0.65, 0.9, 0.65, 0.2, 0.65, 0.9), 0.4, 0.7),
    ):
        found = _numbers(PINCHED, PINCHED.ask(student, list(distances), on, off), (len(distances),))
        values = np.array(distances)
        wanted = _switched(distances, on, off, closed=False)
        known = {
            "Your switch has one threshold, `on`, so it flutters; between the two it stays as it was.": values
            <= on,
            "Your switch has one threshold, `off`; the pinch closes only at `on`.": values < off,
            "Your answers are the other way round: closed is True.": 1 - wanted,
            "Your switch begins closed; nobody has pinched yet.": _switched(distances, on, off, closed=True),
            "Your thresholds are swapped: a pinch closes where the distance is small.": _switched(
                distances, off, on, closed=False
            ),
        }
        _expect_array(PINCHED, found, wanted, {key: np.asarray(value, float) for key, value in known.items()})
    right("One pinch is one pinch, however the distance trembles.")


def _switched(distances: tuple[float, ...], on: float, off: float, *, closed: bool) -> Points:
    states = []
    for distance in distances:
        closed = True if distance <= on else False if distance >= off else closed
        states.append(float(closed))
    return np.array(states)


# ---- 5: fingers -----------------------------------------------------------------------------------------------------

COUNT = Task("count_up(points)", "how many fingers are stretched out, 0 to 5, whichever way the hand points")
THUMB_OUT = 1.3  # hand-widths
_TURNS = (0, 90, 200)  # degrees


def check_count_up(student: object) -> None:
    """Task 5: tip further from the wrist than the middle joint; the thumb's tip far from knuckle 17; at any turn."""
    for name in _HANDS:
        for degrees in _TURNS:
            for scale in (1.0, 0.01):
                points = scale * _turned(hand(name), degrees)
                found = COUNT.number(COUNT.ask(student, points.copy()))
                wanted = _thumb(points) + sum(_long(points))
                case = f"the {name}, turned by {degrees}°" + (" and far away" if scale < 1 else "")
                higher = sum(points[tip, 1] < points[tip - 2, 1] for tip in (8, 12, 16, 20))
                long = sum(_long(points))
                mistakes = {
                    "You compare heights; a finger need not point up. Compare distances from the wrist.": (
                        higher + _thumb(points)
                    ),
                    "You leave out the thumb: it is up where its tip is far from row 17.": long,
                    "You count the fingers that are folded.": 5 - wanted,
                    "Your thumb counts though it is folded: it is up from 1.3 *hand-widths* away from row 17.": long
                    + 1,
                }
                COUNT.expect(found, wanted, case, mistakes)
    right("Counted rightly, whichever way the hand points.")


def _turned(points: Points, degrees: float) -> Points:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.asarray(points @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]))


def _thumb(points: Points) -> bool:
    return _length(points, 4, 17) >= THUMB_OUT * _length(points, 5, 17)


def _long(points: Points) -> list[bool]:
    return [_length(points, 0, tip) > _length(points, 0, tip - 2) for tip in (8, 12, 16, 20)]


# ---- 6: a secret ----------------------------------------------------------------------------------------------------

TYPED = Task("typed(taps)", "the keys that the index finger's tip was on, as one string")
KEYS = ("123", "456", "789", "*0#")


def taps(code: str) -> Points:
    """Landmarks at the moments in which a hand presses the keys of a code, normalised, `(len(code), 21, 3)`.

    The hand is a real one; where its finger goes is made up. The keys fill a rectangle, x from 0.2 to 0.8 and y from
    0.1 to 0.9, as three columns and four rows.
    """
    still, _ = _recorded("pointing finger")
    rng = np.random.default_rng(8)
    pressed = []
    for key in code:
        row = next(row for row, keys in enumerate(KEYS) if key in keys)
        centre = [0.2 + 0.2 * (KEYS[row].index(key) + 0.5), 0.1 + 0.2 * (row + 0.5)]
        moved = still.copy()
        moved[:, :2] += centre + rng.uniform(-0.09, 0.09, 2) - still[8, :2]
        pressed.append(moved)
    return np.stack(pressed)


def check_typed(student: object) -> None:
    """Task 6: row 8, its place in the pad, the key there."""
    for code in ("2580", "0197", "*31#64"):
        given = taps(code)
        answer = TYPED.ask(student, given.copy())
        if isinstance(answer, (list, tuple)) and "".join(map(str, answer)) == code:
            raise NotYet("The keys are right; join them to one string: `''.join(keys)`.")
        if not isinstance(answer, str):
            raise NotYet("`typed` returns one string, such as “0197”; a number would lose its leading 0.")
        tips = given[:, 8]
        if answer == code:
            continue
        if answer == _read(tips * [-1, 1, 1] + [1, 0, 0]):
            raise NotYet("Your code is mirrored: column 0 is on the left.")
        if answer == _read(tips * [1, -1, 1] + [0, 1, 0]):
            raise NotYet("Your keypad is upside down: y grows downwards, so row 0 is at the top.")
        if answer in [_read(given[:, row]) for row in (4, 7, 12)]:
            raise NotYet(
                "So says another landmark, or another grid: take row 8; the keys begin at 0.2 and 0.1."
            )
        raise NotYet(f"Somebody typed {code}, and you read {answer[:20] or 'nothing'}.")
    right("Landmarks alone gave the code away.")


def _read(places: Points) -> str:
    column = np.clip(np.floor((places[:, 0] - 0.2) / 0.2), 0, 2).astype(int)
    row = np.clip(np.floor((places[:, 1] - 0.1) / 0.2), 0, 3).astype(int)
    return "".join(KEYS[r][c] for r, c in zip(row, column, strict=True))
