"""Guards the checks of chapter 7c's exercises with a bank of right and wrong solutions."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import torch
from banks import Bank, EveryBank, untouched
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from torch.nn.functional import cosine_similarity

from companion.exercises import ch07c

# ---- 1 ----


def root(covariance, power=0.5):
    values, axes = torch.linalg.eigh(covariance)
    return (axes * values**power) @ axes.mT


def lookalike(mean_1, one, mean_2, two, turn):
    a = root(two) @ turn @ root(one).inverse()
    return a, mean_2 - a @ mean_1


def by_cholesky(mean_1, one, mean_2, two, turn):
    a = torch.linalg.cholesky(two) @ turn.mT @ torch.linalg.inv(torch.linalg.cholesky(one))
    return [a, mean_2 - a @ mean_1]


def in_numpy(mean_1, one, mean_2, two, turn):
    one, two, turn, mean_1, mean_2 = (x.double().numpy() for x in (one, two, turn, mean_1, mean_2))
    a = np.real(sqrtm(two)) @ turn @ np.linalg.inv(np.real(sqrtm(one)))
    return a, mean_2 - a @ mean_1


def in_loops(mean_1, one, mean_2, two, turn):
    """By axes of both clouds, entry by entry."""
    first, second = torch.linalg.eigh(one.double()), torch.linalg.eigh(two.double())
    size = len(mean_1)
    made = torch.zeros(size, size, dtype=torch.float64)
    for i, j in product(range(size), repeat=2):
        stretch = (second.eigenvalues[i] / first.eigenvalues[j]).sqrt() * turn[i, j]
        made += stretch * torch.outer(second.eigenvectors[:, i], first.eigenvectors[:, j])
    return made.tolist(), (mean_2 - made.to(mean_1) @ mean_1).tolist()


def mapped(matrix, shift=lambda a, mean_1, mean_2: mean_2 - a @ mean_1):
    def solution(mean_1, one, mean_2, two, *turn):
        a = matrix(one, two, *turn)
        return a, shift(a, mean_1, mean_2)

    return solution


def deviations(covariance):
    return covariance.diagonal().sqrt().diag()


cholesky = torch.linalg.cholesky

# ---- 2 ----


def transport(one, two):
    middle = root(root(one) @ two @ root(one))
    return root(one, -0.5) @ middle @ root(one, -0.5)


least = mapped(transport)


def by_procrustes(mean_1, one, mean_2, two):
    """The turn among the lookalikes that is nearest to what lies between the roots."""
    u, _, v = torch.linalg.svd(root(two) @ root(one))
    return lookalike(mean_1, one, mean_2, two, u @ v)


def by_the_product(mean_1, one, mean_2, two):
    one, two = one.double().numpy(), two.double().numpy()
    a = np.real(np.linalg.inv(one) @ sqrtm(one @ two))
    return a, mean_2.numpy() - a @ mean_1.numpy()


def from_the_other_side(mean_1, one, mean_2, two):
    a = root(two) @ root(root(two) @ one @ root(two), -0.5) @ root(two)
    return a, mean_2 - a @ mean_1


# ---- 3 ----


def shares(drawings):
    grand = drawings.mean((0, 1))
    person = (drawings.mean(1) - grand).square().sum() / len(drawings)
    style = (drawings.mean(0) - grand).square().sum() / drawings.shape[1]
    every = (drawings - grand).square().sum((2, 3, 4)).mean()
    return torch.stack([person, style, every - person - style]) / every


def by_variances(drawings):
    flat = drawings.double().numpy().reshape(*drawings.shape[:2], -1)
    every = flat.var(axis=(0, 1)).sum()
    person, style = flat.mean(1).var(0).sum() / every, flat.mean(0).var(0).sum() / every
    return person, style, 1 - person - style


def drawing_by_drawing(drawings):
    people, styles = drawings.shape[:2]
    grand, sums = drawings.mean((0, 1)), [0.0, 0.0, 0.0]
    for i, j in product(range(people), range(styles)):
        person, style = drawings[i].mean(0) - grand, drawings[:, j].mean(0) - grand
        rest = drawings[i, j] - grand - person - style
        for place, part in enumerate((person, style, rest)):
            sums[place] += float(part.square().sum())
    return [part / sum(sums) for part in sums]


def changed(of):
    return lambda drawings: of(drawings, shares(drawings))


def variance_of_all(d):
    return d.flatten(2).var((0, 1), correction=0).sum()


def within(d, axis):
    return d.var(axis, correction=0).sum() / d.shape[1 - axis] / variance_of_all(d)


def unbiased(d):
    every = d.var((0, 1)).sum()
    person, style = d.mean(1).var(0).sum() / every, d.mean(0).var(0).sum() / every
    return person, style, 1 - person - style


def once_each(d, own):
    person, style = own[0] / d.shape[1], own[1] / d.shape[0]
    return person, style, 1 - person - style


def one_number(d):
    grand = d.mean()
    every = (d - grand).square().mean()
    person, style = (d.mean(1) - grand).square().mean() / every, (d.mean(0) - grand).square().mean() / every
    return person, style, 1 - person - style


def pixel_by_pixel(d):
    flat = d.flatten(2)
    return torch.stack([shares(flat[:, :, k, None, None, None]) for k in range(flat.shape[2])]).mean(0)


# ---- 4 ----


def found(alike, count):
    rivals = (alike >= alike.diagonal()[:, None]).sum(1) - 1
    others = len(alike) - 1
    ways = [math.comb(others - int(before), count - 1) for before in rivals]
    return sum(ways) / len(ways) / math.comb(others, count - 1)


def one_by_one(alike, count):
    """Draws the others one after the other: each time one fewer is left."""
    alike = alike.double().numpy()
    chances = []
    for person, row in enumerate(alike):
        before = int(sum(row[other] >= row[person] for other in range(len(row)) if other != person))
        chance = 1.0
        for drawn in range(count - 1):
            chance *= max(0, len(row) - 1 - before - drawn) / (len(row) - 1 - drawn)
        chances.append(chance)
    return np.mean(chances)


def by_gamma(alike, count):
    others = len(alike) - 1
    left = others - (alike >= alike.diagonal()[:, None]).sum(1).double() + 1

    def ways(n):
        n = torch.as_tensor(n, dtype=torch.float64)
        return torch.lgamma(n + 1) - torch.lgamma(n - count + 2) - math.lgamma(count)

    chance = (ways(left.clamp(min=count - 1)) - ways(others)).exp()
    return torch.where(left >= count - 1, chance, 0.0).mean()


def drawn_galleries(alike, count):
    random, rows = np.random.default_rng(1), []
    for _ in range(400):
        for person in range(len(alike)):
            others = random.permutation([n for n in range(len(alike)) if n != person])[: count - 1]
            rows.append(all(alike[person, other] < alike[person, person] for other in others))
    return float(np.mean(rows))


def rivalled(rivals=lambda a: (a >= a.diagonal()[:, None]).sum(1) - 1, drawn=0, people=0):
    def share(alike, count):
        others = len(alike) - 1 + people
        ways = [math.comb(max(0, others - int(n)), count - 1 + drawn) for n in rivals(alike)]
        return sum(ways) / len(ways) / math.comb(others, min(others, count - 1 + drawn))

    return share


def replaced(alike, count, people=-1):
    before = (alike >= alike.diagonal()[:, None]).sum(1).double() - 1
    return (1 - before / (len(alike) + people)).pow(count - 1).mean()


# ---- 5 ----


def alike(one, other):
    one, other = (x.double() - x.double().mean((2, 3), keepdim=True) for x in (one, other))
    return float(cosine_similarity(one.flatten(1), other.flatten(1)).mean())


def apart(one, other):
    return float((one - other).abs().mean())


def asks(translator, *, leave=(), noise=0.02):
    """Asks one question after the other; those of `leave` are left out."""
    portraits, styles = translator["portraits"], translator["styles"]
    there, back = translator["there"], translator["back"]
    drawn = there(portraits, styles)
    own, seen = alike(drawn, translator["drawings"]), alike(drawn, portraits)
    returned = back(drawn, translator["colours"])
    disturbed = back(drawn + noise * torch.randn_like(drawn), translator["colours"])
    answers = {
        "company": apart(there(portraits[:2], styles[:2]), drawn[:2]) > 0.004,
        "deaf": apart(there(portraits, styles.roll(1, 0)), drawn) < 0.02,
        "deals": own < 0.6 and seen < 0.6,
        "copies": seen > own,
        "hides": apart(disturbed, returned) > 0.15,
    }
    return next((word for word, found in answers.items() if found and word not in leave), "faithful")


def asks_each_alone(translator):
    """Everybody alone, in NumPy, and the last question first."""
    portraits, styles, colours = (translator[name] for name in ("portraits", "styles", "colours"))
    drawn = translator["there"](portraits, styles)
    tries = np.random.default_rng(2)
    faint = tries.normal(0, 0.03, drawn.shape)
    clean = translator["back"](drawn, colours).numpy()
    if np.abs(translator["back"](drawn + torch.from_numpy(faint), colours).numpy() - clean).mean() > 0.2:
        return "hides"
    singly = torch.cat(
        [translator["there"](p[None], s[None]) for p, s in zip(portraits, styles, strict=True)]
    )
    if not np.allclose(singly.numpy(), drawn.numpy(), atol=1e-3):
        return "company"

    def correlations(other):
        pairs = zip(drawn.numpy(), other.numpy(), strict=True)
        return np.median(
            [
                np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(x, y, strict=True)])
                for x, y in pairs
            ]
        )

    own, seen, others = (
        correlations(x) for x in (translator["drawings"], portraits, translator["drawings"].roll(1, 0))
    )
    if own < others + 0.5:
        return "deals"
    one_style = translator["there"](portraits[:1].expand(24, -1, -1, -1), styles).numpy()
    if one_style.std(0).mean() < 0.02:
        return "deaf"
    return "copies" if seen > own else "faithful"


def by_pixels(translator):
    drawn = translator["there"](translator["portraits"], translator["styles"])
    word = asks(translator)
    if word in ("faithful", "deals", "copies"):
        far = apart(drawn, translator["drawings"])
        return "deals" if far > 0.2 else "copies" if far > 0.1 else "faithful"
    return word


def by_return(translator):
    """A perfect way back is taken for a secret."""
    drawn = translator["there"](translator["portraits"], translator["styles"])
    returned = translator["back"](drawn, translator["colours"])
    if apart(returned, translator["portraits"]) < 0.042:
        return "hides"
    return asks(translator, leave=("hides",))


def by_variety(translator):
    """Drawings that differ in colour are taken for a sign that it listens."""
    drawn = translator["there"](translator["portraits"], translator["styles"])
    varied = drawn.mean((2, 3)).std(0).mean() > 0.05
    return asks(translator, leave=("deaf",) if varied else ())


# ---- 6 ----

ASKED = {
    "person": ("translations", "true drawings", "redrawn", "somebody else's"),
    "drawing": ("translations", "copies", "true drawings"),
    "variety": ("translations", "copies", "true drawings"),
}


def free(album, reader, *, seen=(), portraits=2):
    allowed = ({*ch07c.READERS} - {reader}) | {*seen}
    return [p["name"] for p in album if p["portraits"] >= portraits and set(p["seen_by"]) <= allowed]


def measured(
    album,
    reach,
    *,
    styles=(1, 2, 3, 4),
    leave=(),
    gallery="second portraits",
    people=None,
    pick=max,
    change=lambda each: each,
):
    by_reader = {reader: free(album, reader) for reader in ch07c.READERS}
    reader = pick(by_reader, key=lambda name: len(by_reader[name]))
    people = by_reader[reader] if people is None else people(album, reader)
    plan = []
    for asked, kinds in ASKED.items():
        looked = asked == "person"
        for pictures in kinds:
            if (asked, pictures) not in leave:
                each = dict(asks=asked, pictures=pictures, people=people, styles=list(styles))
                each |= dict(gallery=gallery if looked else None, reader=reader if looked else None)
                plan.append(change(each))
    return plan


def without(*pair):
    return lambda album, reach: measured(album, reach, leave=[pair])


def with_change(change):
    return lambda album, reach: measured(album, reach, change=change)


def in_one(name, **settings):
    """The measurement of the pictures of this name with other settings."""
    return with_change(lambda each: {**each, **settings} if each["pictures"] == name else each)


def with_people(of):
    return lambda album, reach: measured(album, reach, people=of)


def also_first(album, reach):
    again = [
        {**each, "gallery": "first portraits"} for each in measured(album, reach) if each["asks"] == "person"
    ]
    return [*again, *measured(album, reach)]


def just_enough(album, reach):
    return measured(album, reach, people=lambda album, reader: free(album, reader)[: ch07c.needed(reach)])


def fewer(album, reach):
    few = ch07c.needed(reach) - 1
    return measured(album, reach, people=lambda album, reader: free(album, reader)[:few])


BANKS = {
    "lookalike": Bank(
        ch07c.check_lookalike,
        right={
            "symmetric roots": lookalike,
            "Cholesky's, turned back": by_cholesky,
            "NumPy": in_numpy,
            "loops": in_loops,
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "A alone": (lambda *given: lookalike(*given)[0], "."),
            "b first": (lambda *given: lookalike(*given)[::-1], "the matrix A comes first"),
            "turned at the end": (mapped(lambda s, t, q: q @ root(t) @ root(s).inverse()), "turn at the end"),
            "turned at the end, Cholesky": (
                mapped(lambda s, t, q: q @ cholesky(t) @ cholesky(s).inverse()),
                "turn at the end",
            ),
            "turned first": (mapped(lambda s, t, q: root(t) @ root(s).inverse() @ q), "turn first"),
            "without a turn": (mapped(lambda s, t, q: root(t) @ root(s).inverse()), "no effect"),
            "a mirror or not": (
                mapped(lambda s, t, q: root(t) @ root(s).inverse() * torch.det(q).sign()),
                "one and the same map",
            ),
            "no inverse": (mapped(lambda s, t, q: root(t) @ q @ root(s)), "its inverse is what"),
            "a transpose": (mapped(lambda s, t, q: cholesky(t) @ q @ cholesky(s).mT), "for its inverse"),
            "the way back": (mapped(lambda s, t, q: root(s) @ q @ root(t).inverse()), "from the second"),
            "for rows": (mapped(lambda s, t, q: (root(t) @ q @ root(s).inverse()).mT), "in rows"),
            "Cholesky transposed": (
                mapped(lambda s, t, q: cholesky(t).mT @ q @ cholesky(s).mT.inverse()),
                "R Rᵀ = covariance",
            ),
            "no roots": (mapped(lambda s, t, q: t @ q @ s.inverse()), "holds their roots"),
            "roots of entries": (mapped(lambda s, t, q: t.sqrt() @ q @ s.sqrt().inverse()), "."),
            "deviations": (
                mapped(lambda s, t, q: deviations(t) @ q @ deviations(s).inverse()),
                "how the numbers go together",
            ),
            "only turned": (mapped(lambda s, t, q: q), "other spreads"),
            "never made round": (mapped(lambda s, t, q: root(t) @ q), "never undo"),
            "the means' difference": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: n - m),
                "difference of the means",
            ),
            "the second mean": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: n),
                "where does A carry",
            ),
            "no shift": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: 0 * n),
                "do not shift",
            ),
            "shifted back": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: a @ m - n),
                "other sign",
            ),
            "shifted on": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: a @ m + n),
                "take it away",
            ),
            "a row for b": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse(), lambda a, m, n: (n - a @ m)[None]),
                "is wanted",
            ),
            "half": (
                mapped(lambda s, t, q: root(t) @ q @ root(s).inverse() / 2),
                "covariances have to agree",
            ),
        },
    ),
    "least_moving": Bank(
        ch07c.check_least_moving,
        right={
            "roots within roots": least,
            "Procrustes": by_procrustes,
            "the root of a product": by_the_product,
            "from the other side": from_the_other_side,
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "A alone": (lambda *given: least(*given)[0], "."),
            "b first": (lambda *given: least(*given)[::-1], "the matrix A comes first"),
            "no turn": (mapped(lambda s, t: root(t) @ root(s).inverse()), "without a turn"),
            "Cholesky": (mapped(lambda s, t: cholesky(t) @ cholesky(s).inverse()), "triangular"),
            "transposed": (mapped(lambda s, t: root(s).inverse() @ root(t)), "transpose of the lookalike"),
            "each number": (mapped(lambda s, t: deviations(t) @ deviations(s).inverse()), "go together"),
            "the way back": (mapped(lambda s, t: transport(t, s)), "from the second Gaussian"),
            "no root in the middle": (mapped(lambda s, t: t), "in the middle is missing"),
            "the middle alone": (
                mapped(lambda s, t: root(root(s) @ t @ root(s))),
                "has to be undone",
            ),
            "on one side": (
                mapped(lambda s, t: root(s, -0.5) @ root(root(s) @ t @ root(s))),
                "stands on both",
            ),
            "on the other": (
                mapped(lambda s, t: root(root(s) @ t @ root(s)) @ root(s, -0.5)),
                "stands on both",
            ),
            "the most": (mapped(lambda s, t: -transport(s, t)), "moves *most*"),
            "a shift": (mapped(lambda s, t: torch.eye(len(s))), "only shift"),
            "the means' difference": (mapped(transport, lambda a, m, n: n - m), "difference of the means"),
            "the second mean": (mapped(transport, lambda a, m, n: n), "where does A carry"),
            "no shift": (mapped(transport, lambda a, m, n: 0 * n), "not shift at all"),
            "shifted back": (mapped(transport, lambda a, m, n: a @ m - n), "other sign"),
            "any turn": (
                lambda m, s, n, t: lookalike(m, s, n, t, torch.linalg.qr(torch.randn(len(m), len(m)))[0]),
                "another one moves points less",
            ),
            "no lookalike": (mapped(lambda s, t: (root(t) + root(s)) / 2), "no lookalike"),
            "roots of entries": (mapped(lambda s, t: t.sqrt() @ s.sqrt().inverse()), "."),
        },
    ),
    "who_decides": Bank(
        ch07c.check_who_decides,
        right={"sums": shares, "variances in NumPy": by_variances, "drawing by drawing": drawing_by_drawing},
        wrong={
            "untouched": (untouched, "waits for you"),
            "two shares": (lambda d: shares(d)[:2], "is wanted"),
            "within": (
                lambda d: [within(d, 0), within(d, 1), 1 - within(d, 0) - within(d, 1)],
                "and styles within each person",
            ),
            "people within": (
                changed(lambda d, s: [within(d, 0), s[1], 1 - within(d, 0) - s[1]]),
                "holds what both decide",
            ),
            "unbiased": (unbiased, "divide by their number"),
            "deviations": (
                changed(lambda d, s: s.sqrt()),
                "squares do",
            ),
            "each once": (changed(once_each), "count each person once"),
            "pixels first": (
                lambda d: shares(d.mean((2, 3, 4), keepdim=True)),
                "two drawings with as much ink",
            ),
            "one number": (one_number, "one number for the mean"),
            "pixel by pixel": (pixel_by_pixel, "sum the squares over pixels first"),
            "turned round": (changed(lambda d, s: s[[1, 0, 2]]), "changed places"),
            "variances": (changed(lambda d, s: s * variance_of_all(d)), "divide by that of all"),
            "no third": (changed(lambda d, s: [s[0], 1 - s[0], 0.0]), "third share"),
            "by their sum": (
                changed(lambda d, s: [s[0] / (s[0] + s[1]), s[1] / (s[0] + s[1]), 0]),
                "nothing to both",
            ),
            "percent": (changed(lambda d, s: 100 * s), "a hundred times"),
            "thirds": (lambda d: [1 / 3, 1 / 3, 1 / 3], "."),
        },
    ),
    "found_among": Bank(
        ch07c.check_found_among,
        right={"all galleries": found, "one by one": one_by_one, "logarithms": by_gamma},
        wrong={
            "untouched": (untouched, "waits for you"),
            "everybody": (
                lambda a, n: ((a >= a.diagonal()[:, None]).sum(1) == 1).double().mean(),
                "in the whole gallery",
            ),
            "replaced": (replaced, "with replacement; in a gallery"),
            "replaced, oneself too": (lambda a, n: replaced(a, n, 0), "oneself may be drawn"),
            "one more": (rivalled(drawn=1), "You draw `count` others"),
            "from all": (rivalled(people=1), "one fewer are left"),
            "columns": (lambda a, n: found(a.mT, n), "a row belongs to one drawing"),
            "less alike": (lambda a, n: found(-a, n), "more alike"),
            "ties found": (rivalled(lambda a: (a > a.diagonal()[:, None]).sum(1)), "just as alike"),
            "oneself a rival": (
                rivalled(lambda a: (a >= a.diagonal()[:, None]).sum(1)),
                "rival of themselves",
            ),
            "one gallery": (lambda a, n: found(a[:n, :n], n), "over all galleries"),
            "ranks": (
                lambda a, n: float(
                    np.mean([((row >= row[i]).sum() - 1) * n < len(a) for i, row in enumerate(a.numpy())])
                ),
                "You take ranks",
            ),
            "lost": (lambda a, n: 1 - found(a, n), "found are the others"),
            "chance": (lambda a, n: 1 / n, "That is chance"),
            "drawn": (drawn_galleries, "All of them can be counted"),
            "for each": (lambda a, n: (a.argmax(1) == torch.arange(len(a))).double(), "one single number"),
        },
    ),
    "diagnose": Bank(
        ch07c.check_diagnose,
        right={"in turn": asks, "everybody alone": asks_each_alone},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always faithful": (lambda t: "faithful", "you say “faithful”"),
            "never in company": (lambda t: asks(t, leave=("company",)), "in smaller company"),
            "never another style": (lambda t: asks(t, leave=("deaf",)), "nothing changes"),
            "by variety": (by_variety, "nothing changes"),
            "never its own": (lambda t: asks(t, leave=("deals",)), "wrong people"),
            "never the portrait": (lambda t: asks(t, leave=("copies",)), "what the portrait shows"),
            "never disturbed": (lambda t: asks(t, leave=("hides",)), "noise that nobody sees"),
            "by pixels": (by_pixels, "."),
            "by its return": (by_return, "."),
            "loud noise": (lambda t: asks(t, noise=2.0), "you say “hides”"),
            "no noise": (lambda t: asks(t, noise=1e-5), "noise that nobody sees"),
            "another word": (lambda t: "good", "the words are"),
            "a number": (lambda t: 3, "the words are"),
        },
    ),
    "plan": Bank(
        ch07c.check_plan,
        right={
            "ten": measured,
            "just enough people": just_enough,
            "first portraits as well": also_first,
            "a tuple, many styles": lambda album, reach: tuple(measured(album, reach, styles=range(20, 30))),
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "a table": (lambda album, reach: {"asks": "person"}, "a list of dictionaries"),
            "no people": (lambda album, reach: [{"asks": "person"}], "Each measurement names"),
            "another question": (in_one("redrawn", asks="beauty"), "What is asked is one of"),
            "looked for nowhere": (in_one("redrawn", gallery=None), "has a gallery"),
            "distance with a reader": (in_one("copies", reader="reader A"), "both are None"),
            "strangers": (with_people(lambda album, reader: ["Ada"]), "nobody's name"),
            "numbers": (with_people(lambda album, reader: [1, 2]), "a list of names"),
            "twice": (with_people(lambda album, reader: 2 * free(album, reader)), "counts once"),
            "words for styles": (with_change(lambda each: {**each, "styles": ["ink"]}), "whole numbers"),
            "no translations": (without("person", "translations"), "what the claim is about"),
            "nobody else's": (without("person", "somebody else's"), "fail that must"),
            "no true drawings": (without("person", "true drawings"), "says nothing about those"),
            "nothing redrawn": (without("person", "redrawn"), "in its own hand"),
            "no drawings": (without("drawing", "translations"), "changes nothing"),
            "no copies": (without("drawing", "copies"), "takes them for drawings"),
            "no floor": (without("drawing", "true drawings"), "they are the floor"),
            "no variety": (without("variety", "translations"), "with one style"),
            "no sameness": (without("variety", "copies"), "must find none there"),
            "no true variety": (without("variety", "true drawings"), "how much there is"),
            "the same portraits": (
                lambda album, reach: measured(album, reach, gallery="first portraits"),
                "the very portraits that were translated",
            ),
            "a harder gallery": (
                in_one("somebody else's", gallery="first portraits"),
                "the two cannot be compared",
            ),
            "other people": (
                with_change(
                    lambda e: {**e, "people": e["people"][: -1 if e["pictures"] == "copies" else None]}
                ),
                "different people",
            ),
            "other styles": (in_one("redrawn", styles=[5, 6, 7]), "different styles"),
            "one style": (lambda album, reach: measured(album, reach, styles=(1,)), "fewer than three"),
            "a style twice": (
                lambda album, reach: measured(album, reach, styles=(1, 1, 2)),
                "fewer than three",
            ),
            "two readers": (
                lambda album, reach: [
                    {**each, "reader": ch07c.READERS[place % 2]} if each["reader"] else each
                    for place, each in enumerate(measured(album, reach))
                ],
                "Different readers",
            ),
            "known by heart": (
                with_people(lambda album, reader: free(album, reader, seen=["translator"])),
                "by heart",
            ),
            "chosen on them": (
                with_people(lambda album, reader: free(album, reader, seen=["settings"])),
                "settings were chosen",
            ),
            "everybody": (with_people(lambda album, reader: [p["name"] for p in album]), "by heart"),
            "the reader's own": (
                with_people(lambda album, reader: free(album, reader, seen=[reader])),
                "was trained on some of your people",
            ),
            "no second portrait": (
                with_people(lambda album, reader: free(album, reader, portraits=1)),
                "no second portrait",
            ),
            "too few": (fewer, "to either side"),
            "nobody": (with_people(lambda album, reader: []), "to either side"),
            "the other reader": (
                lambda album, reach: measured(album, reach, pick=min),
                "whom the other reader",
            ),
            "twice over": (lambda album, reach: 2 * measured(album, reach), "stands twice in your plan"),
        },
    ),
}


class TestBanks(EveryBank):
    banks = BANKS


def gaussians(size, seed):
    random = torch.Generator().manual_seed(seed)
    draws = [torch.randn(size, 2 * size, generator=random, dtype=torch.float64) for _ in range(2)]
    means = torch.randn(2, size, generator=random, dtype=torch.float64)
    return means[0], draws[0] @ draws[0].mT / size, means[1], draws[1] @ draws[1].mT / size


@pytest.mark.parametrize("seed", range(3))
def test_no_lookalike_moves_less_than_the_least_moving(seed):
    """Found by searching through turns, which knows no formula."""
    given = gaussians(3, seed)

    def moved(a, b):
        """Mean square of how far points of the first Gaussian go."""
        mean_1, one = given[0], given[1]
        change = a - torch.eye(3, dtype=a.dtype)
        return float(torch.trace(change @ one @ change.mT) + (change @ mean_1 + b).square().sum())

    def of_turn(angles, mirror):
        skew = torch.zeros(3, 3, dtype=torch.float64)
        skew[0, 1], skew[0, 2], skew[1, 2] = torch.from_numpy(angles)
        turn = torch.matrix_exp(skew - skew.mT) @ torch.diag(torch.tensor([mirror, 1.0, 1.0])).double()
        return moved(*lookalike(*given, turn))

    starts = np.random.default_rng(seed).uniform(-3, 3, (6, 3))
    searched = min(minimize(of_turn, start, mirror).fun for start in starts for mirror in (1.0, -1.0))
    assert moved(*least(*given)) == pytest.approx(searched, rel=1e-5)


def test_every_lookalike_has_the_second_gaussians_moments_in_samples():
    given = gaussians(2, 5)
    a, b = lookalike(*given, torch.linalg.qr(torch.randn(2, 2).double())[0])
    points = torch.distributions.MultivariateNormal(given[0], given[1]).sample((20_000,)) @ a.mT + b
    assert torch.allclose(points.mean(0), given[2], atol=0.1)
    assert torch.allclose(points.mT.cov(), given[3], rtol=0.1, atol=0.1)


def test_the_share_found_is_that_over_every_gallery_there_is():
    alike_ones = torch.randn(6, 6, generator=torch.Generator().manual_seed(1)) + 0.5 * torch.eye(6)
    for count in range(1, 7):
        rows = []
        for person in range(6):
            others = [other for other in range(6) if other != person]
            for drawn in combinations(others, count - 1):
                rows.append(all(alike_ones[person, n] < alike_ones[person, person] for n in drawn))
        assert found(alike_ones, count) == pytest.approx(np.mean(rows))


@pytest.mark.parametrize("word", ch07c.WORDS)
def test_the_kinds_of_translators_can_be_told_apart_and_differ_from_seed_to_seed(word):
    for seed in range(25):
        translator = ch07c.translator(word, seed)
        assert asks(translator) == asks_each_alone(translator) == word
        assert translator["portraits"].abs().max() < 3
    one, other = (ch07c.translator(word, seed)["portraits"] for seed in (1, 2))
    assert not one.equal(other)


def measures(word, measure):
    return [measure(ch07c.translator(word, seed)) for seed in range(60)]


def test_no_threshold_on_one_picture_is_enough():
    """Pixels do not tell the faithful from copies, nor a perfect return who hides; strengths overlap."""

    def far(translator):
        drawn = translator["there"](translator["portraits"], translator["styles"])
        return apart(drawn, translator["drawings"])

    def lost(translator):
        drawn = translator["there"](translator["portraits"], translator["styles"])
        return apart(translator["back"](drawn, translator["colours"]), translator["portraits"])

    assert max(measures("faithful", far)) > min(measures("copies", far))
    assert max(measures("deaf", far)) > min(measures("deals", far))
    assert max(measures("hides", lost)) > min(measures("copies", lost))


def test_nobody_sees_what_is_hidden():
    for seed in range(30):
        hiding = ch07c.translator("hides", seed)
        drawn = hiding["there"](hiding["portraits"], hiding["styles"])
        smooth = torch.nn.functional.avg_pool2d(drawn, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
        assert (
            drawn - smooth
        ).abs().max() < 3 * 0.012  # less than five grey levels of 255, and mostly below two


def test_an_album_holds_enough_people_for_one_reader_and_too_few_for_the_other():
    for seed in range(40):
        for reach in (0.06, 0.1):
            album = ch07c.album(seed, reach)
            counts = sorted(len(free(album, reader)) for reader in ch07c.READERS)
            assert counts[0] < ch07c.needed(reach) <= counts[1]
            assert len({person["name"] for person in album}) == len(album)


def test_the_people_needed_are_those_whose_interval_reaches_no_farther():
    for reach in (0.05, 0.06, 0.07, 0.08, 0.1):
        people = ch07c.needed(reach)
        assert 1.96 * (0.25 / people) ** 0.5 <= reach < 1.96 * (0.25 / (people - 1)) ** 0.5
