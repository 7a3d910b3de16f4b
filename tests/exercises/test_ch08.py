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


LONG = (8, 12, 16, 20)


def length(p, start, end):
    return norm(p[start] - p[end])


def finger(p, tip, back=2, share=1.0, start=0):
    return length(p, tip, start) > share * length(p, tip - back, start)


def thumb_out(p, tip=4, start=17, limit=1.3, knuckles=(5, 17)):
    return length(p, tip, start) >= limit * length(p, *knuckles)


def count(p, long=finger, thumb=thumb_out, tips=LONG, hand=None):
    """How many are up; `long` and `thumb` say what up means, of the hand or of what is made of it."""
    p = p if hand is None else hand(p)
    return sum(bool(long(p, tip)) for tip in tips) + bool(thumb(p))


def in_units(p):
    p = (p - p[0]) / norm(p[5] - p[17])
    tips, middles = norm(p[[8, 12, 16, 20]], axis=1), norm(p[[6, 10, 14, 18]], axis=1)
    return (tips > middles).sum() + (norm(p[4] - p[17]) >= 1.3)


def by_torch(p):
    far = torch.cdist(torch.tensor(p), torch.tensor(p))
    up = (far[0, [8, 12, 16, 20]] > far[0, [6, 10, 14, 18]]).sum()
    return up + (far[4, 17] / far[5, 17] >= 1.3)


def by_squares(p):
    """No root is needed to compare."""

    def square(a, b):
        return sum((x - y) ** 2 for x, y in zip(p[a].tolist(), p[b].tolist(), strict=True))

    up = [square(0, 4 * each + 4) > square(0, 4 * each + 2) for each in range(1, 5)]
    return len([one for one in [*up, square(4, 17) >= 1.69 * square(5, 17)] if one])


def by_scalar_product(p):
    """|a| > |b| where (a + b)·(a − b) > 0."""
    tips, middles = p[8::4] - p[0], p[6::4] - p[0]
    return int(np.einsum("fi,fi->f", tips + middles, tips - middles).__gt__(0).sum()) + int(thumb_out(p))


def straight(p, tip):
    bones = sum(length(p, row, row + 1) for row in range(tip - 3, tip))
    return length(p, tip, tip - 3) >= 0.85 * bones


def until_folded(p):
    """Counts from the index finger up to the first that is folded."""
    total = 0
    for tip in LONG:
        if not finger(p, tip):
            break
        total += 1
    return total + thumb_out(p)


def stretched(p, axes):
    return p * [float(axis in axes) for axis in "xyz"]


COUNT = {
    "distances": count,
    "hand-widths first": in_units,
    "math": lambda p: (
        sum(math.dist(p[t], p[0]) > math.dist(p[t - 2], p[0]) for t in LONG) + int(thumb_out(p))
    ),
    "squares": by_squares,
    "scalar product": by_scalar_product,
    "matrix of distances": by_torch,
    "torch": lambda p: torch.tensor(float(count(p))),
    "list of one": lambda p: [np.int16(count(p))],
    "float32": lambda p: count(torch.tensor(p).float().numpy()),
}
WRONG_COUNT = {
    "heights": (lambda p: count(p, lambda p, t: p[t, 1] < p[t - 2, 1]), "compare heights"),
    "heights, y upwards": (lambda p: count(p, lambda p, t: p[t, 1] > p[t - 2, 1]), "it should be"),
    "sideways": (lambda p: count(p, lambda p, t: p[t, 0] > p[t - 2, 0]), "it should be"),
    "knuckle": (lambda p: count(p, lambda p, t: finger(p, t, back=3)), "with its knuckle"),
    "last joint": (lambda p: count(p, lambda p, t: finger(p, t, back=1)), "joint next to it"),
    "rows from 1": (lambda p: count(p, tips=(7, 11, 15, 19)), "it should be"),
    "rows from 1, all": (lambda p: count(np.roll(p, 1, axis=0)), "it should be"),
    "little finger first": (lambda p: count(p[::-1]), "it should be"),
    "axes in another order": (lambda p: count(p, hand=lambda p: p * [1, 1, 0.5]), "it should be"),
    "5 % above": (lambda p: count(p, lambda p, t: finger(p, t, share=1.05)), "wants more than that"),
    "5 % below": (lambda p: count(p, lambda p, t: finger(p, t, share=0.95)), "a little nearer"),
    "thumb 5 % above": (lambda p: count(p, thumb=lambda p: thumb_out(p, limit=1.365)), "a little above"),
    "thumb 5 % below": (lambda p: count(p, thumb=lambda p: thumb_out(p, limit=1.235)), "a little below"),
    "ten pixels more": (
        lambda p: count(p, lambda p, t: length(p, t, 0) > length(p, t - 2, 0) + 10),
        "it should be",
    ),
    "whole pixels": (lambda p: count(p, hand=np.round), "it should be"),
    "from the corner": (lambda p: count(p, lambda p, t: norm(p[t]) > norm(p[t - 2])), "from the corner"),
    "from the thumb's root": (lambda p: count(p, lambda p, t: finger(p, t, start=1)), "it should be"),
    "from the palm": (
        lambda p: count(
            p, lambda p, t: norm(p[t] - p[[0, 5, 17]].mean(0)) > norm(p[t - 2] - p[[0, 5, 17]].mean(0))
        ),
        "it should be",
    ),
    "flat": (lambda p: count(stretched(p, "xy")), "third axis"),
    "flat fingers": (
        lambda p: count(p, lambda p, t: finger(stretched(p, "xy"), t)),
        "it should be",
    ),
    "flat thumb": (lambda p: count(p, thumb=lambda p: thumb_out(stretched(p, "xy"))), "it should be"),
    "one axis": (lambda p: count(stretched(p, "y")), "it should be"),
    "sums of differences": (
        lambda p: count(p, lambda p, t: abs(p[t] - p[0]).sum() > abs(p[t - 2] - p[0]).sum()),
        "it should be",
    ),
    "largest difference": (
        lambda p: count(p, lambda p, t: abs(p[t] - p[0]).max() > abs(p[t - 2] - p[0]).max()),
        "it should be",
    ),
    "the book's rule": (lambda p: count(p, straight), "it should be"),
    "both of the book's rules": (
        lambda p: count(p, lambda p, t: straight(p, t) and finger(p, t, share=1.05)),
        "it should be",
    ),
    "no thumb": (lambda p: count(p, thumb=lambda p: False), "leave out the thumb"),
    "thumb always": (lambda p: count(p, thumb=lambda p: True), "counts though"),
    "folded": (lambda p: 5 - count(p), "folded"),
    "no ring finger": (lambda p: count(p, tips=(8, 12, 20)), "leave out the ring"),
    "until one is folded": (until_folded, "it should be"),
    "thumb in pixels": (lambda p: count(p, thumb=lambda p: length(p, 4, 17) >= 1.3), "hand-widths"),
    "thumb as a finger": (
        lambda p: count(p, thumb=lambda p: length(p, 4, 0) > length(p, 2, 0)),
        "counts though",
    ),
    "thumb of a right hand": (lambda p: count(p, thumb=lambda p: p[4, 0] < p[3, 0]), "it should be"),
    "thumb of a left hand": (lambda p: count(p, thumb=lambda p: p[4, 0] > p[2, 0]), "it should be"),
    "thumb by the palm's side": (
        lambda p: count(p, thumb=lambda p: np.cross(p[5, :2] - p[0, :2], p[4, :2] - p[0, :2]) > 0),
        "it should be",
    ),
    "thumb's joint": (lambda p: count(p, thumb=lambda p: thumb_out(p, tip=3)), "at row 3"),
    "thumb from row 5": (lambda p: count(p, thumb=lambda p: thumb_out(p, start=5)), "from row 5"),
    "thumb over the palm": (
        lambda p: count(p, thumb=lambda p: thumb_out(p, knuckles=(0, 9))),
        "it should be",
    ),
    "thumb over half a width": (
        lambda p: count(p, thumb=lambda p: thumb_out(p, knuckles=(5, 13))),
        "it should be",
    ),
    "thumb's square": (
        lambda p: count(p, thumb=lambda p: length(p, 4, 17) ** 2 >= 1.3 * length(p, 5, 17) ** 2),
        "it should be",
    ),
    "thumb twice": (lambda p: count(p) + thumb_out(p), "it should be"),
    "four at most": (lambda p: min(4, count(p)), "it should be"),
    "one more": (lambda p: count(p) + 1, "one more than it"),
    "five": (lambda p: 5, "the same whatever it is given"),
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
        name: count(ch08.hand(name)) for name in ("pointing finger", "open hand", "thumb up", "thumb down")
    }
    assert counted == {"pointing finger": 1, "open hand": 5, "thumb up": 1, "thumb down": 1}
