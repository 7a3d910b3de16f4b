"""Checks of chapter 8's exercises: a pinch, a mirrored hand, the one-euro filter, a switch, fingers, and a secret.

Nothing here needs a camera or MediaPipe: the hands are landmarks from the record of chapter 8's measurements.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from companion import pretrained
from companion.exercises.rounds import among, mixed, uniform, whole
from companion.exercises.runner import NotYet, Task, described, right

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


def _drawn(name: str, *, in_the_picture: bool) -> Points:
    """A recorded hand at a size, place and turn that are drawn; turned in space, or only within the picture."""
    points = hand(name)
    angles = uniform(-3.1, 3.1, 3).tolist()
    turn = _turn(angles[0], 0, 1)
    if not in_the_picture:
        turn = turn @ _turn(angles[1] / 3, 0, 2) @ _turn(angles[2] / 3, 1, 2)
    size = among((1.0, 0.01, 0.3, 4.0)) * float(uniform(0.8, 1.2))
    return np.asarray(size * ((points - points[0]) @ turn) + among((0, 40, -15)) * size)


def _turn(angle: float, one: int, other: int) -> Points:
    turn = np.eye(3)
    turn[one, one] = turn[other, other] = math.cos(angle)
    turn[one, other], turn[other, one] = math.sin(angle), -math.sin(angle)
    return turn


# ---- 1: a pinch -----------------------------------------------------------------------------------------------------

PINCH = Task("pinch_distance(points)", "the distance from thumb tip to index fingertip, in hand-widths")


def check_pinch_distance(student: object) -> None:
    """Task 1: tips 4 and 8 over knuckles 5 and 17, in three dimensions; the same at every scale and turn."""

    def ratio(points: Points, tips: tuple[int, int], width: tuple[int, int], axes: int = 3) -> float:
        return _length(points, *tips, axes) / _length(points, *width, axes)

    PINCH.judge(
        student,
        [(_drawn(name, in_the_picture=False),) for name in mixed([*_HANDS])],
        lambda p: ratio(p, (4, 8), (5, 17)),
        {
            "That is in pixels: whoever steps back would pinch; divide by the hand's width.": lambda p: (
                _length(p, 4, 8)
            ),
            "You measure across the picture only: turn the hand and its width shrinks. Take all three axes.": (
                lambda p: ratio(p, (4, 8), (5, 17), 2)
            ),
            "You measure the tips across the picture only; take all three axes, as for the width.": (
                lambda p: _length(p, 4, 8, 2) / _length(p, 5, 17)
            ),
            "You measure the width across the picture only; take all three axes, as for the tips.": (
                lambda p: _length(p, 4, 8) / _length(p, 5, 17, 2)
            ),
            "You divide by the palm; a hand-width goes from row 5 to row 17.": lambda p: ratio(
                p, (4, 8), (0, 9)
            ),
            "You divide by the way from the wrist to row 5; a hand-width goes from row 5 to row 17.": (
                lambda p: ratio(p, (4, 8), (0, 5))
            ),
            "You divide by the way from the wrist to row 17; a hand-width goes from row 5 to row 17.": (
                lambda p: ratio(p, (4, 8), (0, 17))
            ),
            "You divide by the way to row 13; the little finger's is 17.": lambda p: ratio(
                p, (4, 8), (5, 13)
            ),
            "You divide by the way between rows 5 and 9; a hand-width goes to row 17.": (
                lambda p: ratio(p, (4, 8), (5, 9))
            ),
            "You measure to the middle finger; the index finger's tip is row 8.": lambda p: ratio(
                p, (4, 12), (5, 17)
            ),
            "You measure to the little finger; the index finger's tip is row 8.": lambda p: ratio(
                p, (4, 20), (5, 17)
            ),
            "You measure between joints; the tips are rows 4 and 8.": lambda p: ratio(p, (3, 7), (5, 17)),
            "You count the rows from 1; row 4 is `points[4]`.": lambda p: ratio(p, (3, 7), (4, 16)),
            "Your ratio is upside down: an open hand should give a large number.": lambda p: ratio(
                p, (5, 17), (4, 8)
            ),
            "You take squares of both lengths; a distance is a root.": lambda p: (
                ratio(p, (4, 8), (5, 17)) ** 2
            ),
            "You multiply by the width; divide.": lambda p: _length(p, 4, 8) * _length(p, 5, 17),
            "You subtract the width; divide by it.": lambda p: _length(p, 4, 8) - _length(p, 5, 17),
            "You add up absolute differences; a distance is the root of the sum of squares.": (
                lambda p: np.abs(p[4] - p[8]).sum() / np.abs(p[5] - p[17]).sum()
            ),
            "You take the largest difference of the three axes; a distance is the root of the sum of squares.": (
                lambda p: np.abs(p[4] - p[8]).max() / np.abs(p[5] - p[17]).max()
            ),
        },
        tolerance=1e-3,
    )
    right("The same pinch gives the same number, near and far.")


# ---- 2: the mirror --------------------------------------------------------------------------------------------------

UNMIRRORED = Task(
    "unmirrored(points, side)",
    "the hand as the camera saw it: the points and the side, “left” or “right”",
)


def check_unmirrored(student: object) -> None:
    """Task 2: x becomes 1 − x, and the side the other one, whichever hand it is and wherever."""
    names = mixed([*_HANDS])
    sides = ["left", "right", *mixed(["left", "right"])]
    cases = []
    for name, side in zip(names, mixed(sides), strict=True):
        points = _recorded(name)[0] * [0.5, 0.6, 1] + uniform(0.05, 0.3, 3).numpy() * [1, 1, 0]
        cases.append((points, side))

    def points_of(answer: object) -> object:
        return UNMIRRORED.pair(answer, "the points and the side: `return points, side`")[0]

    UNMIRRORED.judge(
        student,
        cases,
        lambda p, _: p * [-1, 1, 1] + [1, 0, 0],
        {
            "The points are still mirrored; in normalised landmarks x runs from 0 to 1.": lambda p, _: p,
            "−x lies outside the picture; a mirror makes x to 1 − x.": lambda p, _: p * [-1, 1, 1],
            "You turned y; a mirror swaps left and right, which is x.": lambda p, _: (
                p * [1, -1, 1] + [0, 1, 0]
            ),
            "You turned x and y; a mirror leaves up and down as they are.": lambda p, _: (
                p * [-1, -1, 1] + [1, 1, 0]
            ),
            "x is right, but you turned the depth as well; what is near stays near.": (
                lambda p, _: p * [-1, 1, -1] + [1, 0, 0]
            ),
            "x is right, but you turned the depth to 1 − z as well; what is near stays near.": (
                lambda p, _: p * [-1, 1, -1] + [1, 0, 1]
            ),
            "You turned all three axes; a mirror swaps left and right, which is x.": lambda p, _: 1 - p,
            "You put the rows in another order; row 0 is the wrist in a mirror, too.": (
                lambda p, _: (p * [-1, 1, 1] + [1, 0, 0])[::-1].copy()
            ),
            "You put the rows in another order and leave x as it is; a mirror makes x to 1 − x.": (
                lambda p, _: p[::-1].copy()
            ),
            "You turn the hand about its own middle; the mirror is the picture's: 1 − x.": (
                lambda p, _: p * [-1, 1, 1] + [2 * p[:, 0].mean(), 0, 0]
            ),
            "You turn the hand about its wrist; the mirror is the picture's: 1 − x.": (
                lambda p, _: p * [-1, 1, 1] + [2 * p[0, 0], 0, 0]
            ),
            "You turn the hand about its own borders; the mirror is the picture's: 1 − x.": (
                lambda p, _: p * [-1, 1, 1] + [p[:, 0].min() + p[:, 0].max(), 0, 0]
            ),
            "You swapped x and y; a mirror makes x to 1 − x.": lambda p, _: p[:, [1, 0, 2]],
            "Only the wrist is turned; all 21 rows are.": (
                lambda p, _: np.concatenate([p[:1] * [-1, 1, 1] + [1, 0, 0], p[1:]])
            ),
        },
        read=points_of,
    )
    for points, side in cases:
        answer = UNMIRRORED.ask(student, points.copy(), side)
        told = UNMIRRORED.pair(answer, "the points and the side")[1]
        if isinstance(told, str) and told == side:
            raise NotYet(
                "The points are right, but the side is still the mirror's: there a left hand looks like a right one."
            )
        if not isinstance(told, str) or str.__str__(told) != ("left" if side == "right" else "right"):
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
    """Task 3: speed first, smoothed at 1 Hz; then the cutoff from its size; then the value; all numbers drawn."""
    cases = []
    for seconds, slope in ((1 / 30, 2.0), (0.05, 0.1), (0.1, 0.0), (1 / 120, float(uniform(0.3, 1.5)))):
        value, smooth = (round(float(number), 2) for number in uniform(-2, 2, 2))
        speed, least = round(float(uniform(-3, 3)), 2), round(float(uniform(0.4, 3)), 2)
        cases.append((value, smooth, speed, seconds, least, slope))

    def two(answer: object) -> list[float]:
        pair = EURO.pair(answer, "the smoothed value, then the smoothed speed")
        return [EURO.number(part) for part in pair]

    EURO.judge(student, cases, _step, _WRONG_STEPS, read=two)
    right("Calm at rest and prompt in motion, whichever way the value moves and however long a frame takes.")


def _step(
    value: float,
    smooth: float,
    speed: float,
    seconds: float,
    least: float,
    slope: float,
    *,
    calming: float | None = 1.0,
    per_second: bool = True,
    inside: Callable[[float, float, float], float] = lambda calm, raw, old: abs(calm),
    weight: Callable[[float, float], float] = _weight,
    offset: float = 0.0,
) -> Points:
    """The step, and with the keywords what mistakes make of it.

    Args:
        value: The newest value; the next two are the smoothed value and speed, then come the seconds since and the
            filter's two numbers.
        smooth: See above.
        speed: See above.
        seconds: See above.
        least: See above.
        slope: See above.
        calming: The cutoff of the speed; None leaves it raw.
        per_second: Whether the raw speed is divided by the seconds.
        inside: What the cutoff takes for the speed, from the new one, the raw one and the old one.
        weight: The newest value's share, from seconds and cutoff.
        offset: Added to the cutoff.
    """
    raw = (value - smooth) / (seconds if per_second else 1)
    calm = raw if calming is None else speed + weight(seconds, calming) * (raw - speed)
    alpha = weight(seconds, least + slope * inside(calm, raw, speed) + offset)
    return np.array([smooth + alpha * (value - smooth), calm])


def _with_old_smoothing(*given: float) -> Points:
    """α at both places on the other side."""
    return _step(*given, weight=lambda seconds, cutoff: 1 - _weight(seconds, cutoff))


_WRONG_STEPS: dict[str, Callable[..., Points]] = {
    "Your answers are swapped: the smoothed value comes first.": lambda *g: _step(*g)[::-1].copy(),
    "Your α weighs the old value; α is the newest value's share.": lambda *g: np.array(
        [g[0] + g[1] - _step(*g)[0], _step(*g)[1]]
    ),
    "Your α weighs the old ones, value and speed; α is the newest one's share.": _with_old_smoothing,
    "Your speed is not smoothed: filter the raw one with a cutoff of 1 hertz.": lambda *g: _step(
        *g, calming=None
    ),
    "The cutoff takes the smoothed speed, and you give it the raw one.": (
        lambda *g: _step(*g, inside=lambda calm, raw, old: abs(raw))
    ),
    "Your cutoff takes the speed with its sign; a hand that moves back is as quick. Take its size.": (
        lambda *g: _step(*g, inside=lambda calm, raw, old: calm)
    ),
    "Your cutoff takes the speed from before this step; smooth the new one first.": (
        lambda *g: _step(*g, inside=lambda calm, raw, old: abs(old))
    ),
    "Your speed is a difference between frames; divide it by the seconds.": lambda *g: _step(
        *g, per_second=False
    ),
    "Your cutoff does not rise with the speed: that is the always slow filter.": (
        lambda *g: _step(*g, inside=lambda calm, raw, old: 0.0)
    ),
    "The 2π is missing from τ.": lambda *g: _step(*g, weight=lambda t, f: 1 / (1 + 1 / (f * t))),
    "τ has π where it has 2π.": lambda *g: _step(*g, weight=lambda t, f: 1 / (1 + 1 / (math.pi * f * t))),
    "Your τ is 2π times the cutoff; it is one over that.": (
        lambda *g: _step(*g, weight=lambda t, f: 1 / (1 + 2 * math.pi * f / t))
    ),
    "Your α has Tₑ / τ where it has τ / Tₑ.": lambda *g: _step(*g, weight=lambda t, f: 1 - _weight(t, f)),
    "Your α is exp(−τ / Tₑ); it is 1 / (1 + τ / Tₑ).": (
        lambda *g: _step(*g, weight=lambda t, f: math.exp(-1 / (2 * math.pi * f * t)))
    ),
    "Your α is 1 − exp(−Tₑ / τ), which is nearly it; the one wanted is 1 / (1 + τ / Tₑ).": (
        lambda *g: _step(*g, weight=lambda t, f: 1 - math.exp(-2 * math.pi * f * t))
    ),
    "You smooth the speed with the value's least cutoff; its own is 1 hertz.": lambda *g: _step(
        *g, calming=g[4]
    ),
    "Your cutoff takes the square of the speed; take its size.": (
        lambda *g: _step(*g, inside=lambda calm, raw, old: calm * calm)
    ),
    "The cutoff's least value is missing: it is f_min + β · speed.": (
        lambda *g: _step(*g, offset=-g[4] if g[5] else 0.0)
    ),
    "Your seconds are 1/30 whatever `seconds` says; use the argument.": (
        lambda *g: _step(g[0], g[1], g[2], 1 / 30, g[4], g[5])
    ),
    "You return the value as it came; smooth it.": lambda *g: np.array([g[0], _step(*g)[1]]),
    "You return the speed as it was; it is smoothed, too.": lambda *g: np.array([_step(*g)[0], g[2]]),
    "You return the raw speed; the smoothed one is wanted.": lambda *g: np.array(
        [_step(*g)[0], (g[0] - g[1]) / g[3]]
    ),
    "You return the cutoff or the weight second; the smoothed speed is wanted.": lambda *g: np.array(
        [_step(*g)[0], g[4] + g[5] * abs(_step(*g)[1])]
    ),
    "The raw speed has the other sign: it is the new value minus the old one.": lambda *g: (
        _step(2 * g[1] - g[0], *g[1:]) * [-1, 1] + [2 * g[1], 0]
    ),
}


# ---- 4: a switch ----------------------------------------------------------------------------------------------------

PINCHED = Task(
    "pinched(distances, on, off)", "for each distance whether the pinch is closed, as a list of booleans"
)


def check_pinched(student: object) -> None:
    """Task 4: closes at `on` or less, opens at `off` or more, stays as it is between; open to begin with."""
    cases = []
    for length in (3, 6, 14, 40):
        on, off = among(((0.55, 0.75), (0.4, 0.7), (0.25, 0.5), (1.0, 3.0)))
        between, low, high = round((on + off) / 2, 3), round(on - 0.2, 3), round(off + 0.2, 3)
        turns = [
            between,
            on,
            between,
            off,
            between,
            low,
            between,
            high,
        ]  # every step there is, and both thresholds
        start = 0 if length > 3 else among((0, 2, 4))
        distances = (turns[start:] + turns * 5)[:length] if length < 20 else _trembling(on, off, length)
        cases.append((distances, on, off))

    def states(answer: object) -> Tensor:
        found = PINCHED.tensor(answer)
        if not bool(((found == 0) | (found == 1)).all()):
            raise NotYet(
                "`pinched` returns other things than True and False; one of the two is wanted for each distance."
            )
        return found

    def switched(closes: str = "<=", opens: str = ">=", *, closed: bool = False) -> Callable[..., list[bool]]:
        return lambda distances, on, off: _switched(distances, on, off, closes, opens, closed=closed)

    PINCHED.judge(
        student,
        cases,
        switched(),
        {
            "A pinch closes at `on` or less: a distance of exactly `on` closes it.": switched("<"),
            "A pinch opens at `off` or more: a distance of exactly `off` opens it.": switched(opens=">"),
            "A pinch closes at `on` or less and opens at `off` or more: exactly there it switches.": switched(
                "<", ">"
            ),
            "Your switch has one threshold, `on`, so it flutters; between the two it stays as it was.": (
                lambda d, on, off: [each <= on for each in d]
            ),
            "Your switch has one threshold, `on`, and switches only beyond it; between the two it stays as it was.": (
                lambda d, on, off: [each < on for each in d]
            ),
            "Your switch has one threshold, `off`; the pinch closes only at `on`.": (
                lambda d, on, off: [each < off for each in d]
            ),
            "Your switch has one threshold, `off`, or less; the pinch closes only at `on`.": (
                lambda d, on, off: [each <= off for each in d]
            ),
            "Your switch has one threshold, midway; between the two it stays as it was.": (
                lambda d, on, off: [each < (on + off) / 2 for each in d]
            ),
            "Your answers are the other way round: closed is True.": (
                lambda d, on, off: [not state for state in _switched(d, on, off)]
            ),
            "Your switch begins closed; nobody has pinched yet.": switched(closed=True),
            "Your thresholds are swapped: a pinch closes where the distance is small.": (
                lambda d, on, off: _switched(d, off, on)
            ),
            "Your switch opens between the two; there it stays as it was.": (
                lambda d, on, off: [each <= on for each in d]
            ),
            "Your switch never opens again; it does at `off` or more.": (
                lambda d, on, off: [any(each <= on for each in d[: place + 1]) for place in range(len(d))]
            ),
            "Your answers come one late: each distance's state counts from its own moment.": (
                lambda d, on, off: [False, *_switched(d, on, off)[:-1]]
            ),
            "You forget the state between two distances; keep it from one to the next.": (
                lambda d, on, off: [
                    _switched(d[max(0, place - 1) : place + 1], on, off)[-1] for place in range(len(d))
                ]
            ),
            "Your thresholds are numbers of your own; use `on` and `off`.": lambda d, on, off: _switched(
                d, 0.55, 0.75
            ),
            "You sort the distances; they come in the order of time.": lambda d, on, off: _switched(
                sorted(d), on, off
            ),
        },
        read=states,
    )
    right("One pinch is one pinch, however the distance trembles.")


def _trembling(on: float, off: float, length: int) -> list[float]:
    """A distance that wanders around both thresholds."""
    places = uniform(on - 0.3, off + 0.3, length).tolist()
    return [round(place, 3) for place in places]


def _switched(
    distances: list[float],
    on: float,
    off: float,
    closes: str = "<=",
    opens: str = ">=",
    *,
    closed: bool = False,
) -> list[bool]:
    states = []
    for distance in distances:
        if distance < on or (closes == "<=" and distance == on):
            closed = True
        elif distance > off or (opens == ">=" and distance == off):
            closed = False
        states.append(closed)
    return states


# ---- 5: fingers -----------------------------------------------------------------------------------------------------

COUNT = Task("count_up(points)", "how many fingers are stretched out, 0 to 5, whichever way the hand points")
THUMB_OUT = 1.3  # hand-widths
_LONG = (8, 12, 16, 20)


def check_count_up(student: object) -> None:
    """Task 5: tip further from the wrist than the middle joint; the thumb's tip far from knuckle 17; at any turn."""
    cases = [(_drawn(name, in_the_picture=True),) for name in mixed([*_HANDS])]
    ups = mixed([0, 1, 1, 2, 2, 3, 3, 4, *(whole(0, 4) for _ in range(4))])
    for fingers, thumb in zip(ups, mixed([True, False] * 6), strict=True):
        up = mixed([True] * fingers + [False] * (4 - fingers))
        cases.append((_moved(_fingers(hand("open hand"), up, thumb)),))
    COUNT.judge(
        student,
        cases,
        lambda p: _long(p) + _thumb(p),
        {
            "You compare heights; a finger need not point up. Compare distances from the wrist.": (
                lambda p: sum(p[tip, 1] < p[tip - 2, 1] for tip in _LONG) + _thumb(p)
            ),
            "You compare heights and leave out the thumb; compare distances from the wrist.": (
                lambda p: sum(p[tip, 1] < p[tip - 2, 1] for tip in _LONG)
            ),
            "You leave out the thumb: it is up where its tip is far from row 17.": _long,
            "You count the thumb alone; the four long fingers count as well.": _thumb,
            "You count the fingers that are folded.": lambda p: 5 - _long(p) - _thumb(p),
            "You count the fingers that are folded, and leave out the thumb.": lambda p: 4 - _long(p),
            "You compare a finger's tip with its knuckle; its middle joint is two rows before the tip.": (
                lambda p: _long(p, back=3) + _thumb(p)
            ),
            "You compare a finger's tip with the joint next to it; the middle joint is two rows before the tip.": (
                lambda p: _long(p, back=1) + _thumb(p)
            ),
            "A finger's tip need only be further than its middle joint; yours wants more than that.": (
                lambda p: _long(p, share=1.05) + _thumb(p)
            ),
            "A finger's tip has to be further than its middle joint; yours may be a little nearer.": (
                lambda p: _long(p, share=0.95) + _thumb(p)
            ),
            "Your fingers are measured from the corner of the picture; measure from row 0, the wrist.": (
                lambda p: _long(np.concatenate([0 * p[:1], p[1:]])) + _thumb(p)
            ),
            "Your thumb counts though it is folded: it is up from 1.3 *hand-widths* away from row 17.": (
                lambda p: _long(p) + 1
            ),
            "Your thumb is measured in pixels; it is up from 1.3 *hand-widths* away from row 17.": (
                lambda p: _long(p) + (_length(p, 4, 17) >= THUMB_OUT)
            ),
            "Your thumb counts though it is folded: you compare it with the wrist, as a long finger. It is up from "
            "1.3 *hand-widths* away from row 17.": lambda p: _long(p) + (_length(p, 4, 0) > _length(p, 2, 0)),
            "Your thumb is up from one hand-width; the rule says 1.3.": (
                lambda p: _long(p) + _thumb(p, limit=1.0)
            ),
            "Your thumb's limit is a little below 1.3 hand-widths.": lambda p: (
                _long(p) + _thumb(p, limit=1.25)
            ),
            "Your thumb's limit is a little above 1.3 hand-widths.": lambda p: (
                _long(p) + _thumb(p, limit=1.35)
            ),
            "Your thumb is up from 1.5 hand-widths; the rule says 1.3.": (
                lambda p: _long(p) + _thumb(p, limit=1.5)
            ),
            "You leave out the third axis; a hand may lean towards the camera.": (
                lambda p: _long(p * (1, 1, 0)) + _thumb(p * (1, 1, 0))
            ),
            "Your thumb is measured from row 5; the rule says 17, the little finger's knuckle.": (
                lambda p: _long(p) + _thumb(p, start=5)
            ),
            "Your thumb is measured at row 3; its tip is row 4.": lambda p: _long(p) + _thumb(p, tip=3),
            "Your thumb rule is the other way round: far away is up.": lambda p: _long(p) + (not _thumb(p)),
            "You compare the tips with the thumb's; each with its own middle joint.": (
                lambda p: sum(_length(p, 0, tip) > _length(p, 0, 4) for tip in _LONG) + _thumb(p)
            ),
            **{
                f"You leave out the {name} finger.": (
                    lambda p, tip=tip: _long(p, tuple(other for other in _LONG if other != tip)) + _thumb(p)
                )
                for name, tip in zip(("index", "middle", "ring", "little"), _LONG, strict=True)
            },
        },
    )
    right("Counted rightly, whichever way the hand points.")


def _fingers(points: Points, up: list[bool], thumb: bool) -> Points:
    """A hand whose fingers are up and down as is said, most of them only just, so that no other rule counts them alike.

    Each tip is a little nearer to the wrist or further from it than its middle joint, the thumb's nearer to its limit
    or beyond; where the other joints lie says nothing. Real fingers are bent less strangely.
    """
    points = points.copy()
    wrist = points[0]
    for tip, stretched in zip(_LONG, up, strict=True):
        middle = points[tip - 2] - wrist
        points[tip] = wrist + _beyond(stretched) * _swung(middle)
        points[tip - 1] = wrist + float(uniform(0.8, 1.2)) * _swung(middle)
    for knuckle in (9, 13):  # 5 and 17 make the hand's width
        points[knuckle] = wrist + float(uniform(0.85, 1.15)) * _swung(points[knuckle + 1] - wrist)
    away = points[4] - points[17]
    away *= THUMB_OUT * _length(points, 5, 17) / np.linalg.norm(away)
    points[4] = points[17] + _beyond(thumb) * _swung(away)
    points[3] = points[17] + float(uniform(0.8, 1.2)) * _swung(away)
    points[2] = wrist + float(uniform(0.8, 1.2)) * _swung(points[4] - wrist)
    return points


def _beyond(yes: bool) -> float:
    """A factor above or below 1, mostly by little: by a few hundredths, by a tenth, or by a quarter."""
    low, high = among(((0.012, 0.03), (0.012, 0.03), (0.06, 0.11), (0.15, 0.35)))
    gap = float(uniform(low, high))
    return 1 + gap if yes else 1 - gap


def _swung(way: Points) -> Points:
    """A way as long as this one, in a direction not far from it."""
    angles = uniform(-0.5, 0.5, 3).tolist()
    return np.asarray(way @ _turn(angles[0], 0, 1) @ _turn(angles[1], 0, 2) @ _turn(angles[2], 1, 2))


def _moved(points: Points) -> Points:
    """The same hand, or its mirror image, turned in space, at a size and place that are drawn: no ratio changes."""
    angles = uniform(-3.1, 3.1, 3).tolist()
    turn = _turn(angles[0], 0, 1) @ _turn(angles[1], 0, 2) @ _turn(angles[2], 1, 2)
    size = among((1.0, 0.005, 0.1, 4.0)) * float(uniform(0.8, 1.2))
    mirror = np.array([among((1.0, -1.0)), 1.0, 1.0])
    place = uniform(0.1, 0.9, 3).numpy() * 1000
    return np.asarray(size * ((points - points[0]) * mirror @ turn + place))


def _thumb(points: Points, *, tip: int = 4, start: int = 17, limit: float = THUMB_OUT) -> bool:
    return _length(points, tip, start) >= limit * _length(points, 5, 17)


def _long(points: Points, tips: tuple[int, ...] = _LONG, *, back: int = 2, share: float = 1.0) -> int:
    return sum(_length(points, 0, tip) > share * _length(points, 0, tip - back) for tip in tips)


# ---- 6: a secret ----------------------------------------------------------------------------------------------------

TYPED = Task("typed(taps)", "the keys that the index finger's tip was on, as one string")
KEYS = ("123", "456", "789", "*0#")


def taps(code: str, seed: int = 8) -> Points:
    """Landmarks at the moments in which a hand presses the keys of a code, normalised, `(len(code), 21, 3)`.

    The hand is a real one; where its finger goes is made up. The keys fill a rectangle, x from 0.2 to 0.8 and y from
    0.1 to 0.9, as three columns and four rows.

    Args:
        code: The keys.
        seed: Decides where on its key each press falls.
    """
    still, _ = _recorded("pointing finger")
    rng = np.random.default_rng(seed)
    pressed = []
    for key in code:
        row = next(row for row, keys in enumerate(KEYS) if key in keys)
        centre = [0.2 + 0.2 * (KEYS[row].index(key) + 0.5), 0.1 + 0.2 * (row + 0.5)]
        moved = still.copy()
        moved[:, :2] += centre + rng.uniform(-0.09, 0.09, 2) - still[8, :2]
        pressed.append(moved)
    return np.stack(pressed)


def check_typed(student: object) -> None:
    """Task 6: row 8, its place in the pad, the key there; once for each press, whatever was pressed before."""
    keys = mixed([*"".join(KEYS)])
    codes = [
        "".join(mixed(["0", keys[0]])),
        f"0{keys[1]}{keys[1]}{keys[2]}",  # a key pressed twice
        f"0{''.join(keys[:5])}",  # a second leading 0: losing it is told from losing the first press of one code
        "".join(keys) + keys[3] * 3 + keys[0],
    ]
    asked = [(code, taps(code, whole(0, 10**6))) for code in codes]
    answers = [TYPED.ask(student, given.copy()) for _, given in asked]
    if all(_in_parts(answer, code) for answer, code in zip(answers, codes, strict=True)):
        raise NotYet("The keys are right; join them to one string: `''.join(keys)`.")
    found = [_one_string(answer) for answer in answers]
    if found != codes:
        raise NotYet(_about_codes(found, asked))
    right("Landmarks alone gave the code away.")


def _in_parts(answer: object, code: str) -> bool:
    """Whether an answer is the code, key by key."""
    return isinstance(answer, (list, tuple, np.ndarray)) and "".join(map(str, answer)) == code


def _one_string(answer: object) -> str:
    if isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool):
        raise NotYet("`typed` returns one string, such as “0197”; a number would lose its leading 0.")
    if answer is not None and not isinstance(answer, str):
        raise NotYet(f"`typed` returns {described(answer)}; one string is wanted, such as “0197”.")
    return TYPED.text(answer)


def _about_codes(found: list[str], asked: list[tuple[str, Points]]) -> str:
    """The mistake that has read all of these strings; if none is known, what was read where."""
    codes = [code for code, _ in asked]
    read = [_wrong_codes(code, given) for code, given in asked]
    for sentence in read[0]:
        if found == [each[sentence] for each in read]:
            return sentence
    if [_bare(each) for each in found] == codes:
        return "The keys are right, and something stands between them; the code alone is wanted."
    code, text = next(pair for pair in zip(codes, found, strict=True) if pair[0] != pair[1])
    told = f"Somebody typed {code}, and you read {text[:20] or 'nothing'}"
    if len(text) != len(code):
        return f"{told}: {len(text)} keys for {len(code)} presses."
    first = next(place for place, pair in enumerate(zip(text, code, strict=True)) if pair[0] != pair[1])
    return f"{told}; look at press {first}."


def _bare(text: str) -> str:
    return "".join(each for each in text if each in "".join(KEYS))


def _wrong_codes(code: str, given: Points) -> dict[str, str]:
    """What the known mistakes read."""
    tips = given[:, 8]
    once = "".join(key for place, key in enumerate(code) if place == 0 or key != code[place - 1])
    return {
        "Your code is mirrored: column 0 is on the left.": _read(tips * [-1, 1, 1] + [1, 0, 0]),
        "Your keypad is upside down: y grows downwards, so row 0 is at the top.": _read(
            tips * [1, -1, 1] + [0, 1, 0]
        ),
        "Your keypad is turned by half a turn: row 0 is at the top, column 0 on the left.": _read(
            tips * [-1, -1, 1] + [1, 1, 0]
        ),
        "A key that is pressed twice counts twice; you write it once.": once,
        "Each press counts, also of a key that came before; you write each key once.": "".join(
            dict.fromkeys(code)
        ),
        "You sort the keys; they are wanted in the order of the presses.": "".join(sorted(code)),
        "Your code runs backwards; the first press comes first.": code[::-1],
        "You leave out the last press.": code[:-1],
        "You leave out the first press.": code[1:],
        "You leave out * and #; they are keys as well.": "".join(key for key in code if key.isdigit()),
        "Your number has lost its leading 0; join the keys as text.": code.lstrip("0"),
        **{
            "So says another landmark, or another grid: take row 8; the keys begin at 0.2 and 0.1. You read row "
            f"{row}.": _read(given[:, row])
            for row in (*range(8), *range(9, 21))
        },
        "So says another landmark, or another grid: the keys fill x from 0.2 to 0.8 and y from 0.1 to 0.9, not the "
        "whole picture.": _read(tips, (0.0, 1 / 3), (0.0, 1 / 4)),
        "Your columns are right, and your rows begin at the top of the picture; the keys begin at y = 0.1.": _read(
            tips, rows=(0.0, 0.2)
        ),
        "Your rows are right, and your columns begin at the left of the picture; the keys begin at x = 0.2.": _read(
            tips, columns=(0.0, 0.2)
        ),
        "Your grid begins at the left and at the top of the picture; the keys begin at x = 0.2 and y = 0.1.": _read(
            tips, (0.0, 0.2), (0.0, 0.2)
        ),
        "You round to the nearest border between keys; a key reaches from one border to the next: round down.": _read(
            tips + np.array([0.1, 0.1, 0])
        ),
    }


def _read(
    places: Points, columns: tuple[float, float] = (0.2, 0.2), rows: tuple[float, float] = (0.1, 0.2)
) -> str:
    column = np.clip(np.floor((places[:, 0] - columns[0]) / columns[1]), 0, 2).astype(int)
    row = np.clip(np.floor((places[:, 1] - rows[0]) / rows[1]), 0, 3).astype(int)
    return "".join(KEYS[r][c] for r, c in zip(row, column, strict=True))
