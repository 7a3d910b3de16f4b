"""Guards chapter 8's exercises: every right solution passes, every plausible wrong one is told what is wrong."""

import math

import numpy as np
import torch
from banks import Bank, EveryBank, untouched

from companion.exercises import ch08
from companion.vision.smoothing import Hysteresis, OneEuroFilter

norm = np.linalg.norm


def spoils(points, *_):
    """Changes what it was given on its way to the right answer."""
    answer = ratio(points)
    points -= points[0]
    return answer


def ratio(p, tips=(4, 8), knuckles=(5, 17), axes=3):
    return norm(p[tips[0], :axes] - p[tips[1], :axes]) / norm(p[knuckles[0], :axes] - p[knuckles[1], :axes])


PINCH = {
    "numpy": ratio,
    "math": lambda p: math.dist(p[4], p[8]) / math.dist(p[5], p[17]),
    "torch": lambda p: torch.dist(*torch.tensor(p[[4, 8]])) / torch.dist(*torch.tensor(p[[5, 17]])),
    "normalise first": lambda p: norm(np.subtract(*((p - p[0]) / norm(p[5] - p[17]))[[4, 8]])),
}
WRONG_PINCH = {
    "pixels": (lambda p: norm(p[4] - p[8]), "in pixels"),
    "flat": (lambda p: ratio(p, axes=2), "all three axes"),
    "palm": (lambda p: ratio(p, knuckles=(0, 9)), "divide by the palm"),
    "ring finger": (lambda p: ratio(p, knuckles=(5, 13)), "row 13"),
    "middle finger": (lambda p: ratio(p, tips=(4, 12)), "middle finger"),
    "joints": (lambda p: ratio(p, tips=(3, 7)), "between joints"),
    "upside down": (lambda p: 1 / ratio(p), "upside down"),
    "constant": (lambda p: 1.0, "it should be"),
    "not a number": (lambda p: math.nan, "it should be"),
    "vector": (lambda p: p[4] - p[8], "one single number"),
    "in place": (spoils, "work on a copy"),
    "nothing": (lambda p: None, "returns nothing"),
    "untouched": (untouched, "waits for you"),
}


def unmirror(points, side, factor=(-1, 1, 1), shift=(1, 0, 0)):
    return points * factor + shift, "left" if side == "right" else "right"


def unmirror_by_column(points, side):
    points = points.copy()
    points[:, 0] = 1 - points[:, 0]
    return [points, {"left": "right", "right": "left"}[side]]


def unmirror_in_place(points, side):
    points[:, 0] = 1 - points[:, 0]
    return points, {"left": "right", "right": "left"}[side]


UNMIRRORED = {
    "factor and shift": unmirror,
    "by column": unmirror_by_column,
    "torch": lambda p, s: (torch.tensor(unmirror(p, s)[0]), unmirror(p, s)[1]),
}
WRONG_UNMIRRORED = {
    "points only": (lambda p, s: unmirror(p, s)[0], "returns two things"),
    "x only": (lambda p, s: (unmirror(p, s)[0], s), "side is still the mirror's"),
    "side only": (lambda p, s: (p, unmirror(p, s)[1]), "still mirrored"),
    "minus x": (lambda p, s: unmirror(p, s, shift=(0, 0, 0)), "1 − x"),
    "y": (lambda p, s: unmirror(p, s, (1, -1, 1), (0, 1, 0)), "You turned y;"),
    "x and y": (lambda p, s: unmirror(p, s, (-1, -1, 1), (1, 1, 0)), "x and y"),
    "depth": (lambda p, s: unmirror(p, s, (-1, 1, -1)), "depth"),
    "rows": (lambda p, s: (unmirror(p, s)[0][::-1].copy(), unmirror(p, s)[1]), "another order"),
    "always left": (lambda p, s: (unmirror(p, s)[0], "left"), "side is still"),
    "a number": (lambda p, s: (unmirror(p, s)[0], 0), "the word"),
    "in place": (unmirror_in_place, "work on a copy"),
    "untouched": (untouched, "waits for you"),
}


def weight(seconds, cutoff):
    return 1 / (1 + 1 / (2 * math.pi * cutoff * seconds))


def euro(
    value,
    smooth,
    speed,
    seconds,
    low,
    slope,
    *,
    size=abs,
    cutoff=1.0,
    alpha=weight,
    rate=True,
    calm=True,
    old=False,
    raw_inside=False,
):
    raw = (value - smooth) / (seconds if rate else 1)
    new = speed + alpha(seconds, cutoff or low) * (raw - speed) if calm else raw
    inside = speed if old else raw if raw_inside else new
    return smooth + alpha(seconds, low + slope * size(inside)) * (value - smooth), new


def by_the_package(value, smooth, speed, seconds, low, slope):
    calm = OneEuroFilter(low, slope)
    calm(smooth, 0.0)
    calm._speed = np.array(speed)
    return calm(value, seconds), calm._speed


EURO = {
    "by hand": euro,
    "package": by_the_package,
    "list": lambda *a: list(euro(*a)),
    "array": lambda *a: tuple(np.array(euro(*a))),
}
WRONG_EURO = {
    "one number": (lambda *a: euro(*a)[0], "returns two things"),
    "swapped": (lambda *a: euro(*a)[::-1], "swapped"),
    "old value's share": (
        lambda *a: (a[0] + a[1] - euro(*a)[0], euro(*a)[1]),
        "weighs the old value",
    ),
    "raw speed": (lambda *a: euro(*a, calm=False), "not smoothed"),
    "raw speed inside": (lambda *a: euro(*a, raw_inside=True), "you give it the raw one"),
    "old speed": (lambda *a: euro(*a, old=True), "before this step"),
    "always slow": (lambda *a: euro(*a, size=lambda _: 0), "always slow"),
    "per frame": (lambda *a: euro(*a, rate=False), "divide it by the seconds"),
    "no 2π": (lambda *a: euro(*a, alpha=lambda t, f: 1 / (1 + 1 / (f * t))), "2π is missing"),
    "other cutoff": (lambda *a: euro(*a, cutoff=None), "its own is 1 hertz"),
    "sign": (lambda *a: euro(*a, size=lambda v: v), "with its sign"),
    "last value": (lambda *a: (a[1], a[2]), "it should be"),
    "untouched": (untouched, "waits for you"),
}


def switched(distances, on, off, state=False):
    answer = []
    for d in distances:
        state = d <= on or (state and d < off)
        answer.append(state)
    return answer


def by_hysteresis(distances, on, off):
    switch = Hysteresis(on, off)
    return [switch(d) for d in distances]


SWITCH = {
    "by hand": switched,
    "package": by_hysteresis,
    "array": lambda *a: np.array(switched(*a)),
    "numbers": lambda *a: [int(one) for one in switched(*a)],
}
WRONG_SWITCH = {
    "on alone": (lambda d, on, off: [v <= on for v in d], "one threshold, `on`"),
    "off alone": (lambda d, on, off: [v < off for v in d], "one threshold, `off`"),
    "inverted": (lambda *a: [not one for one in switched(*a)], "other way round"),
    "begins closed": (lambda *a: switched(*a, state=True), "begins closed"),
    "never opens": (lambda d, on, off: switched(d, on, 9.0), "never opens again"),
    "last only": (lambda *a: switched(*a)[-1], "of shape"),
    "untouched": (untouched, "waits for you"),
}


def fingers(p, *, rule=None, thumb=True):
    rule = rule or (lambda tip: norm(p[tip] - p[0]) > norm(p[tip - 2] - p[0]))
    out = norm(p[4] - p[17]) >= 1.3 * norm(p[5] - p[17])
    return sum(bool(rule(tip)) for tip in (8, 12, 16, 20)) + (bool(out) if thumb else 0)


def in_units(p):
    p = (p - p[0]) / norm(p[5] - p[17])
    tips, middles = norm(p[[8, 12, 16, 20]], axis=1), norm(p[[6, 10, 14, 18]], axis=1)
    return (tips > 1.05 * middles).sum() + (norm(p[4] - p[17]) >= 1.3)


COUNT = {
    "distances": fingers,
    "hand-widths first": in_units,
    "knuckles": lambda p: fingers(p, rule=lambda t: norm(p[t] - p[0]) > norm(p[t - 3] - p[0])),
    "torch": lambda p: torch.tensor(float(fingers(p))),
}
WRONG_COUNT = {
    "heights": (lambda p: fingers(p, rule=lambda t: p[t, 1] < p[t - 2, 1]), "compare heights"),
    "no thumb": (lambda p: fingers(p, thumb=False), "leave out the thumb"),
    "folded": (lambda p: 5 - fingers(p), "folded"),
    "thumb in pixels": (
        lambda p: fingers(p, thumb=False) + (norm(p[4] - p[17]) >= 1.3),
        "hand-widths",
    ),
    "thumb as a finger": (
        lambda p: fingers(p, thumb=False) + (norm(p[4] - p[0]) > norm(p[2] - p[0])),
        "counts though",
    ),
    "five": (lambda p: 5, "it should be"),
    "list": (lambda p: [True, False], "one single number"),
    "untouched": (untouched, "waits for you"),
}


def keys(taps, row=8, columns=(0.2, 0.2), rows=(0.1, 0.2)):
    column = ((taps[:, row, 0] - columns[0]) // columns[1]).astype(int).clip(0, 2)
    line = ((taps[:, row, 1] - rows[0]) // rows[1]).astype(int).clip(0, 3)
    return "".join(ch08.KEYS[r][c] for r, c in zip(line, column, strict=True))


def by_nearest_centre(taps):
    centres = {
        key: np.array([0.3 + 0.2 * c, 0.2 + 0.2 * r])
        for r, row in enumerate(ch08.KEYS)
        for c, key in enumerate(row)
    }
    return "".join(min(centres, key=lambda key: norm(centres[key] - tap[8, :2])) for tap in taps)


TYPED = {"grid": keys, "nearest centre": by_nearest_centre}
WRONG_TYPED = {
    "joint": (lambda t: keys(t, row=7), "another landmark"),
    "thumb": (lambda t: keys(t, row=4), "another landmark"),
    "mirrored": (lambda t: keys(t * [-1, 1, 1] + [1, 0, 0]), "mirrored"),
    "upside down": (lambda t: keys(t * [1, -1, 1] + [0, 1, 0]), "upside down"),
    "list": (lambda t: list(keys(t)), "join them"),
    "number": (lambda t: 2580, "one string"),
    "by heart": (lambda t: "2580", "Somebody typed"),
    "no corner": (lambda t: keys(t, columns=(0.0, 1 / 3), rows=(0.0, 0.25)), "another grid"),
    "nothing": (lambda t: "", "you read nothing"),
    "untouched": (untouched, "waits for you"),
}


BANKS = {
    "pinch": Bank(ch08.check_pinch_distance, PINCH, WRONG_PINCH),
    "unmirrored": Bank(ch08.check_unmirrored, UNMIRRORED, WRONG_UNMIRRORED),
    "euro": Bank(ch08.check_one_euro_step, EURO, WRONG_EURO),
    "pinched": Bank(ch08.check_pinched, SWITCH, WRONG_SWITCH),
    "count": Bank(ch08.check_count_up, COUNT, WRONG_COUNT),
    "typed": Bank(ch08.check_typed, TYPED, WRONG_TYPED),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_the_hands_show_what_their_names_say():
    counted = {
        name: fingers(ch08.hand(name)) for name in ("pointing finger", "open hand", "thumb up", "thumb down")
    }
    assert counted == {"pointing finger": 1, "open hand": 5, "thumb up": 1, "thumb down": 1}
