"""Checks of chapter 7's exercises: caricature, similarity, doubt, light, who is who, attention, styles, and plans."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import among, mixed, normal, present, uniform, whole
from companion.exercises.runner import NotYet, Task, right

# ---- 1: as far as it goes ----

CARICATURE = Task(
    "caricature(faces, mean, k, low, high)",
    "each face k times as far from the mean, or as far as all limits allow",
)


def check_caricature(student: object) -> None:
    """Task 1: m + k (x − m), each face with the largest k up to the one asked for that keeps all its numbers inside."""
    cases = [
        (*_people(faces, numbers), k)
        for faces, numbers, k in (
            (1, 2, 1.0),
            (2, 3, 2.0),
            (4, 5, 0.0),
            (whole(5, 8), whole(6, 9), 3.5),
            (3, 4, round(float(uniform(1.2, 1.6)), 1)),
        )
    ]

    def drawn(
        strength: Callable[[Tensor, Tensor, float], Tensor | float] = lambda room, _, k: room.clamp(max=k),
        *,
        above: bool = True,
        below: bool = True,
        middle: Callable[[Tensor, Tensor], Tensor] = lambda _, mean: mean,
        limits: Callable[[Tensor, Tensor], Tensor] = lambda limit, mean: limit - mean,
    ) -> Callable[..., Tensor]:
        """The caricature whose strength is made of each face's room `(N, 1)`, the room of all numbers and k."""

        def draw(faces: Tensor, mean: Tensor, k: float, low: Tensor, high: Tensor) -> Tensor:
            mean = middle(faces, mean)
            apart = faces - mean
            rooms = torch.full_like(apart, math.inf)
            for looked, way, limit in ((above, apart > 0, high), (below, apart < 0, low)):
                if looked:
                    rooms = torch.where(way, limits(limit, mean) / apart, rooms)
            return mean + strength(rooms.amin(1, keepdim=True), rooms, k) * apart

        return draw

    def finite(answer: object) -> Tensor:
        found = CARICATURE.tensor(answer)
        if bool(found.isnan().any()):
            raise NotYet(
                "Your drawing holds NaN: a number that is the mean's very own is divided by 0, and has all the room in "
                "the world."
            )
        return found

    CARICATURE.judge(
        student,
        [(faces, mean, k, low, high) for faces, mean, low, high, k in cases],
        drawn(),
        {
            "You cut off each number by itself: a chin at its limit stops while the nose grows on, and the drawing is "
            "of somebody else. Hold the whole face back.": (
                lambda x, m, k, low, high: (m + k * (x - m)).clamp(low, high)
            ),
            "Some of your numbers leave `low` to `high`: limits are for where a face ends, not where it begins.": drawn(
                lambda room, rooms, k: k
            ),
            "You hold everybody back as far as the first who meets a limit; each face has its own k.": drawn(
                lambda room, rooms, k: room.amin().clamp(max=k)
            ),
            "You exaggerate from the mean of the faces that you were given; whoever is alone would never change. Take "
            "`mean`.": drawn(middle=lambda faces, _: faces.mean(0)),
            "You go as far as the limits allow; go no further than k.": drawn(lambda room, rooms, k: room),
            "You look at the upper limits alone; a number below the mean grows towards `low`.": drawn(
                below=False
            ),
            "You look at the lower limits alone; a number above the mean grows towards `high`.": drawn(
                above=False
            ),
            "Your room is the limit itself; it begins at the mean: high − m.": drawn(
                limits=lambda limit, _: limit
            ),
            "You add k times what is special to the face itself; k = 1 has to change nothing.": drawn(
                lambda room, rooms, k: 1 + room.clamp(max=k)
            ),
            "You add k times what is special to the face itself, and cut off; k = 1 has to change nothing.": (
                lambda x, m, k, low, high: (x + k * (x - m)).clamp(low, high)
            ),
            "You draw what is special and nobody; add the mean.": (
                lambda x, m, k, low, high: drawn()(x, m, k, low, high) - m
            ),
        },
        read=finite,
    )
    right("Each face goes as far as it can, straight away from the mean, and stays itself.")


def _people(faces: int, numbers: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Faces within their limits, the mean, and the limits; one number of one face is the mean's."""
    mean = _quarters(normal(numbers))
    low, high = mean - uniform(1, 2, numbers), mean + uniform(1, 2, numbers)
    people = mean + 0.9 * uniform(-1, 1, faces, numbers)
    people[0, 0], people[0, 1] = mean[0], mean[1] + 0.4 * among([-1, 1])
    return people, mean, low, high


def _quarters(numbers: Tensor) -> Tensor:
    """The numbers rounded to quarters, which are quickly read."""
    return (4 * numbers).round() / 4


# ---- 2: one face over another ----

LAID = Task("laid_over(points, goal, weights)", "the points turned, scaled and shifted onto the goal, (K, 2)")


def check_laid_over(student: object) -> None:
    """Task 2: the similarity of least weighted squares, also for points that only a mirror would bring near."""
    cases = [_meshes(count) for count in (4, 5, whole(7, 9), whole(15, 30))]
    points, goal, weights = _meshes(whole(6, 9))
    cases.append((points * torch.tensor([-1.0, 1.0]), goal, weights))

    LAID.judge(
        student,
        cases,
        _similar,
        {
            "You weigh all points alike; a point of weight 0 has no say.": (
                lambda p, q, w: _similar(p, q, torch.ones_like(w))
            ),
            "You weigh the means alone; turn and scale come from weighted sums, too.": (
                lambda p, q, w: _similar(p, q, torch.ones_like(w), means=w)
            ),
            "You weigh turn and scale alone; the means that are taken away are weighted, too.": (
                lambda p, q, w: _similar(p, q, w, means=torch.ones_like(w))
            ),
            "Your weights count twice in the sums: you multiply both points and goal by them. Multiply one, or both by "
            "their root.": lambda p, q, w: _similar(p, q, w.square(), means=w),
            "You fit any linear map, which stretches and shears faces until all are alike; turn, scale and shift are "
            "all that is allowed.": _affine,
            "You allow a mirror image: of the singular vectors, the determinant of U Vᵀ has to be made +1.": _mirrored,
            "You leave out the scale; faces near and far stay large and small.": (
                lambda p, q, w: _similar(p, q, w, factor=lambda a, *_: a / a.abs())
            ),
            "Your scale is the ratio of the two spreads; least squares gives a smaller one, as no two faces fit.": (
                lambda p, q, w: _similar(
                    p, q, w, factor=lambda a, own, other: a / a.abs() * (other / own).sqrt()
                )
            ),
            "You divide by the squares of the goal; it is the points that are scaled.": (
                lambda p, q, w: _similar(p, q, w, factor=lambda a, own, other: a * own / other)
            ),
            "You turn the other way round: your matrix of the turn is transposed.": (
                lambda p, q, w: _similar(p, q, w, factor=lambda a, *_: a.conj())
            ),
            "You shift by the difference of the means, and turn and scale about the origin; the points' own mean is "
            "moved by that, so turn first, and shift by q̄ − a p̄.": lambda p, q, w: _shifted(
                p, q, w, before=False
            ),
            "You shift the points to the goal before you turn them, so the shift is turned, too.": (
                lambda p, q, w: _shifted(p, q, w, before=True)
            ),
            "You find turn and scale with the means still in; take both means away first.": (
                lambda p, q, w: _similar(p, q, w, centred=False)
            ),
            "You leave the points about the origin; bring them to the goal's mean.": (
                lambda p, q, w: _similar(p, q, w) - _mean(q, w)
            ),
        },
        tolerance=1e-3,
    )
    right("Turned, scaled and shifted, and stretched by nothing.")


def _meshes(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Points, a goal that is nearly the same turned, scaled and shifted, and weights, one of them 0."""
    points = _quarters(normal(count, 2) + uniform(-3, 3, 2))
    angle, scale = uniform(0.5, 2.6) * among([-1, 1]), uniform(1.5, 3)
    goal = _real(_complex(points) * torch.polar(scale, angle)) + 0.5 * normal(count, 2) + uniform(-3, 3, 2)
    weights = torch.tensor(mixed([0.0, 1.0, 2.0, 0.5, *uniform(0.3, 3, count).tolist()][:count]))
    return points, _quarters(goal), _quarters(weights)


def _complex(points: Tensor) -> Tensor:
    return torch.view_as_complex(points.contiguous())


def _real(numbers: Tensor) -> Tensor:
    return torch.view_as_real(numbers)


def _mean(points: Tensor, weights: Tensor) -> Tensor:
    return (weights[:, None] * points).sum(0) / weights.sum()


def _fit(points: Tensor, goal: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The complex number of turn and scale about the origin, and the sums of squares of both."""
    p, q = _complex(points), _complex(goal)
    own, other = (weights * p.abs().square()).sum(), (weights * q.abs().square()).sum()
    return (weights * p.conj() * q).sum() / own, own, other


def _similar(
    points: Tensor,
    goal: Tensor,
    weights: Tensor,
    *,
    means: Tensor | None = None,
    centred: bool = True,
    factor: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda a, *_: a,
) -> Tensor:
    """The similarity in weighted least squares (chapter 7), or what one line of it changed makes of it.

    Args:
        points: What is moved, `(K, 2)`.
        goal: Whereto, `(K, 2)`.
        weights: Of the sums, `(K,)`.
        means: Weights of the means, if they are others.
        centred: Whether the means are taken away before turn and scale are found.
        factor: Makes another number of turn and scale, from it and the two sums of squares.
    """
    own, other = (_mean(of, weights if means is None else means) for of in (points, goal))
    found = _fit(points - own, goal - other, weights) if centred else _fit(points, goal, weights)
    return _real(_complex(points - own) * factor(*found)) + other


def _shifted(points: Tensor, goal: Tensor, weights: Tensor, *, before: bool) -> Tensor:
    own, other = _mean(points, weights), _mean(goal, weights)
    turn, *_ = _fit(points - own, goal - other, weights)
    moved = points + (other - own if before else 0)
    return _real(_complex(moved) * turn) + (0 if before else other - own)


def _affine(points: Tensor, goal: Tensor, weights: Tensor) -> Tensor:
    places = torch.cat([points, torch.ones_like(points[:, :1])], 1)
    root = weights.sqrt()[:, None]
    moved: Tensor = places @ (torch.linalg.pinv(root * places) @ (root * goal))
    return moved


def _mirrored(points: Tensor, goal: Tensor, weights: Tensor) -> Tensor:
    """By singular values, turned or mirrored, whichever brings the points nearer."""
    own, other = _mean(points, weights), _mean(goal, weights)
    p, q = points - own, goal - other
    u, s, vh = torch.linalg.svd((weights[:, None] * p).T @ q)
    moved: Tensor = s.sum() / (weights[:, None] * p.square()).sum() * p @ u @ vh + other
    return moved


# ---- 3: a loss that lets one doubt ----

LOSS = Task(
    "doubtful_loss(means, log_variances, truth, known)",
    "the mean negative log-likelihood of what is known, a scalar",
    {"must match the size": "all four are (N, P)"},
)


def check_doubtful_loss(student: object) -> None:
    """Task 3: ½ ((x − μ)² / σ² + log σ²) over what is known; the rest is NaN, and spoils neither value nor gradient."""
    sizes = ((2, 3), (3, 5), (whole(4, 6), whole(6, 9)))
    cases = [
        (_quarters(normal(*size)), _quarters(1.5 * normal(*size)), _quarters(1.5 * normal(*size)))
        for size in sizes
    ]
    asked = [
        (means, logs, *_partly(truth, everything=number == 0))
        for number, (means, logs, truth) in enumerate(cases)
    ]

    def over(
        term: Callable[[Tensor, Tensor], Tensor],
        reduced: Callable[[Tensor, Tensor], Tensor] = lambda t, _: t.mean(),
    ) -> Callable[..., Tensor]:
        """From the errors and log variances of what is known, and which are known."""
        return lambda m, s, x, known: reduced(term(x[known] - m[known], s[known]), known)

    def says(error: Tensor, s: Tensor) -> Tensor:
        return (error.square() / s.exp() + s) / 2

    def finite(answer: object) -> Tensor:
        found = LOSS.tensor(answer)
        if bool(found.isnan().any()) and not bool(present().asked[2][3].all()):
            raise NotYet(
                "Your loss is NaN where a truth is not known, since 0 · NaN is NaN. Choose: `truth[known]`."
            )
        return found

    wanted = over(says)
    LOSS.judge(
        student,
        asked,
        wanted,
        {
            "You take log σ² for log σ, as the chapter's network gives it; here the variance is exp(log σ²).": over(
                lambda d, s: d.square() / (2 * s).exp() / 2 + s
            ),
            "You divide by the deviation; the squared error is divided by the variance.": over(
                lambda d, s: (d.square() / (s / 2).exp() + s) / 2
            ),
            "You leave out log σ²: then to doubt everything costs nothing.": over(
                lambda d, s: d.square() / s.exp() / 2
            ),
            "The half of log σ² is missing; log σ is half of it.": over(
                lambda d, s: d.square() / s.exp() / 2 + s
            ),
            "The half of the squared error is missing.": over(lambda d, s: d.square() / s.exp() + s / 2),
            "The half is missing.": over(lambda d, s: 2 * says(d, s)),
            "Your log σ² has the other sign: doubt would be rewarded.": over(
                lambda d, s: (d.square() / s.exp() - s) / 2
            ),
            "You multiply by the variance; who doubts more has to pay less for an error.": over(
                lambda d, s: (d.square() * s.exp() + s) / 2
            ),
            "You divide by log σ² itself; the variance is its exponential.": over(
                lambda d, s: (d.square() / s + s) / 2
            ),
            "You do not square the error.": over(lambda d, s: (d / s.exp() + s) / 2),
            "You take the error's size; a normal distribution asks for its square.": over(
                lambda d, s: (d.abs() / s.exp() + s) / 2
            ),
            "You keep the constant ½ log 2π, which teaches nothing; leave it out.": over(
                lambda d, s: says(d, s) + math.log(2 * math.pi) / 2
            ),
            "You give the likelihood's logarithm; what is minimised is its negative.": over(
                lambda d, s: -says(d, s)
            ),
            "You sum; take the mean over what is known.": over(says, lambda t, _: t.sum()),
            "You divide by how many numbers there are; divide by how many are known.": over(
                says, lambda t, known: t.sum() / known.numel()
            ),
            "You sum over the numbers of a face; take the mean over all that are known.": over(
                says, lambda t, known: t.sum() / len(known)
            ),
        },
        read=finite,
    )
    assert callable(student)
    for means, logs, truth, known in asked:
        leaves = [means.clone().requires_grad_(), logs.clone().requires_grad_()]
        loss = LOSS.scalar(LOSS.ask(student, *leaves, truth.clone(), known.clone()))
        if any(bool(slope.isnan().any()) for slope in LOSS.slopes(loss, leaves)):
            raise NotYet(
                "The loss is right and its gradient is NaN: what is left out after it was computed is still gone back "
                "through, and 0 · NaN is NaN. Choose what is known first."
            )
        LOSS.follow(
            lambda m, s, x=truth, known=known: student(m, s, x.clone(), known.clone()),
            [(means, logs)],
            lambda m, s, x=truth, known=known: wanted(m, s, x, known),
        )
    right(
        "Who doubts pays for the doubt, who is sure pays for the error, and nobody pays for what nobody knows."
    )


def _partly(truth: Tensor, *, everything: bool) -> tuple[Tensor, Tensor]:
    """Truths of which some are NaN, and which are known."""
    known = uniform(0, 1, *truth.shape) < (2 if everything else 0.6)
    known[0, 0] = True
    known[0, 1] = known[0, 1] and everything
    return torch.where(known, truth, math.nan), known


# ---- 4: honest doubts ----

FACTOR = Task(
    "honest_factors(means, doubts, truth, share)",
    "by what each number's doubts are to be multiplied so that this share of the truths lies within one, (P,)",
)


def check_honest_factors(student: object) -> None:
    """Task 4: each number's quantile of |x − μ| / σ over the faces, however a quantile is taken between two faces."""
    cases = [
        (*_stated(faces, numbers), share)
        for faces, numbers, share in (
            (120, 3, 0.68),
            (whole(150, 200), 4, 0.9),
            (whole(400, 600), whole(6, 8), round(float(uniform(0.4, 0.6)), 2)),
        )
    ]

    def quantile(away: Tensor, share: float, axis: int | None = 0) -> Tensor:
        flat = away.flatten() if axis is None else away
        return torch.quantile(flat, share, dim=axis or 0)

    def wanted(means: Tensor, doubts: Tensor, truth: Tensor, share: float) -> Tensor:
        return quantile((truth - means).abs() / doubts, share)

    def near_enough(answer: object) -> Tensor:
        means, doubts, truth, share = present().asked[2]
        found = FACTOR.tensor(answer)
        if found.shape != truth.shape[1:]:
            return found
        found, away = found.detach().to(truth), (truth - means).abs() / doubts
        fewest, most = (
            (away < found * slack).sum(0).to(truth) - share * len(truth) for slack in (1 - 1e-5, 1 + 1e-5)
        )
        fits = bool(((fewest < 1.01) & (most > -1.01)).all())
        return wanted(means, doubts, truth, share) if fits else found

    FACTOR.judge(
        student,
        cases,
        wanted,
        {
            "You take the root mean square of the errors in doubts; a few large errors move it, and it knows nothing "
            "of `share`. Which factor has this share of the truths within?": (
                lambda m, s, x, share: ((x - m) / s).square().mean(0).sqrt()
            ),
            "You take the deviation of the errors in doubts; it forgives an error that is always the same, and knows "
            "nothing of `share`.": lambda m, s, x, share: ((x - m) / s).std(0),
            "You forget the doubts: the errors are to be measured in them.": (
                lambda m, s, x, share: quantile((x - m).abs(), share)
            ),
            "You forget that errors go both ways: within one doubt means |x − μ| < σ.": (
                lambda m, s, x, share: quantile((x - m) / s, share)
            ),
            "You divide by the mean doubt; each face has its own.": (
                lambda m, s, x, share: quantile((x - m).abs(), share) / s.mean(0)
            ),
            "You take all numbers together; each has a factor of its own.": (
                lambda m, s, x, share: quantile((x - m).abs() / s, share, None).expand(x.shape[1])
            ),
            "You return one factor; each number has its own, (P,).": (
                lambda m, s, x, share: quantile((x - m).abs() / s, share, None)
            ),
            "You go over the numbers of a face; go over the faces, which are the first axis.": (
                lambda m, s, x, share: quantile((x - m).abs() / s, share, 1)
            ),
            "Your factor is the wrong way round: it is what the doubts are multiplied by.": (
                lambda m, s, x, share: 1 / wanted(m, s, x, share)
            ),
            "That is the share that lies within one doubt as they are; wanted is a factor.": (
                lambda m, s, x, share: ((x - m).abs() < s).to(x).mean(0)
            ),
            "You divide the share that is wanted by the share that there is; twice the doubt holds less than twice as "
            "many.": lambda m, s, x, share: share / ((x - m).abs() < s).to(x).mean(0),
            "So many lie outside of yours; they should lie within.": (
                lambda m, s, x, share: wanted(m, s, x, 1 - share)
            ),
        },
        read=near_enough,
    )
    right("Multiplied by these, each number's doubts mean what they say.")


def _stated(faces: int, numbers: int) -> tuple[Tensor, Tensor, Tensor]:
    """Means, doubts and truths; each number's doubts are wrong by a factor, its errors have long tails and lean."""
    truth = normal(faces, numbers)
    doubts = uniform(0.2, 1, faces, numbers)
    tails = torch.where(uniform(0, 1, faces, numbers) < 0.15, 4.0, 1.0)
    factors = torch.tensor(mixed([0.4, 2.0, 0.6, 1.6, 0.5, 2.5, 0.7, 1.8][:numbers]))
    errors = factors * doubts * (tails * normal(faces, numbers) + 0.3)
    return truth - errors, doubts, truth


# ---- 5: in white light ----

BALANCED = Task("in_white_light(picture, whites)", "the picture without half of its light's tint, (3, H, W)")
GAMMA = 2.2


def check_in_white_light(student: object) -> None:
    """Task 5: gains √(w̄ / w) of linear light, w the whites' median, then cut off at 1 and back to values in [−1, 1]."""
    cases = [_tinted(height, width) for height, width in ((3, 5), (6, 5), (whole(7, 9), whole(10, 14)))]

    def balanced(
        *,
        seen: Callable[[Tensor], Tensor] = lambda light: light.median(1).values,
        gains: Callable[[Tensor], Tensor] = lambda white: (white.mean() / white).sqrt(),
        gamma: float = GAMMA,
        whites_gamma: float = GAMMA,
        everywhere: bool = False,
        most: float = 1,
        back: Callable[[Tensor], Tensor] = lambda values: 2 * values - 1,
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """One line of it changed."""

        def balance(picture: Tensor, whites: Tensor) -> Tensor:
            values = (picture + 1) / 2
            looked = values.flatten(1) if everywhere else values[:, whites]
            gain = gains(seen(looked**whites_gamma))
            light = values**gamma * gain[:, None, None]
            return back(light.clamp(max=most) ** (1 / gamma))

        return balance

    def real(answer: object) -> Tensor:
        found = BALANCED.tensor(answer)
        if bool(found.isnan().any()):
            raise NotYet(
                "Your picture holds NaN: a negative number has no power of 2.2. Bring the values from [−1, 1] to "
                "[0, 1] first."
            )
        return found

    BALANCED.judge(
        student,
        cases,
        balanced(),
        {
            "You multiply values as if they were light: light is the value to the power of 2.2.": balanced(
                gamma=1, whites_gamma=1
            ),
            "Your gains come from values; look at the whites in light.": balanced(whites_gamma=1),
            "Your gains are for light, and you multiply the values by them.": balanced(gamma=1),
            "You go from values to light with the power 1 / 2.2; it is the other way round.": balanced(
                gamma=1 / GAMMA, whites_gamma=1 / GAMMA
            ),
            "You average over the whites; a lash or a gloss among them moves a mean and not a median.": balanced(
                seen=lambda light: light.mean(1)
            ),
            "You take the whites at their brightest; it is their median that is wanted.": balanced(
                seen=lambda light: light.amax(1)
            ),
            "You believe the whites wholly; half of it is the square root.": balanced(
                gains=lambda white: white.mean() / white
            ),
            "You take half of the gain; half of the way is its square root.": balanced(
                gains=lambda white: white.mean() / white / 2
            ),
            "You go half of the way from 1 to the gain in a straight line; half is the square root here.": balanced(
                gains=lambda white: (1 + white.mean() / white) / 2
            ),
            "Your gains make the tint stronger: what the whites have too much of is to become less.": balanced(
                gains=lambda white: (white / white.mean()).sqrt()
            ),
            "You bring the whites to 1; only the tint is to go, so the whites' own mean is what they are brought to.": (
                balanced(gains=lambda white: white.rsqrt())
            ),
            "You bring the whites to their brightest channel; bring them to the mean of the three.": balanced(
                gains=lambda white: (white.max() / white).sqrt()
            ),
            "You bring red and blue to green; bring all three to their mean.": balanced(
                gains=lambda white: (white[1] / white).sqrt()
            ),
            "One gain for all changes no tint; each channel has its own.": balanced(
                gains=lambda white: (white.mean() / white).sqrt().mean().expand(3)
            ),
            "You look at the whole picture, and who wears red gets a green face; look at the whites.": balanced(
                everywhere=True
            ),
            "You look at all that is not white.": lambda picture, whites: balanced()(picture, ~whites),
            "You do not cut off: some light is above 1, and no screen shows it.": balanced(most=math.inf),
            "You leave the values in [0, 1]; pictures here run from −1 to 1.": balanced(
                back=lambda values: values
            ),
        },
        read=real,
    )
    right("Half of the light's tint is gone, and the picture is as bright as it was.")


def _tinted(height: int, width: int) -> tuple[Tensor, Tensor]:
    """A picture under a tinted light, and where its whites are: an odd number of pixels, some of them lashes."""
    tint = torch.tensor(mixed([0.95, 0.7, 0.45]))
    light = uniform(0, 1.0, 3, height, width)
    places = torch.tensor(mixed(range(height * width)))[: 2 * whole(2, height * width // 6) + 1]
    light.flatten(1)[:, places] = tint[:, None] * uniform(0.7, 1, 3, len(places))
    lashes = places[: len(places) // 3]
    light.flatten(1)[:, lashes] = uniform(0.01, 0.1, 3, len(lashes))
    whites = torch.zeros(height * width, dtype=torch.bool)
    whites[places] = True
    return 2 * light.clamp(0, 1) ** (1 / GAMMA) - 1, whites.view(height, width)


# ---- 6: one person or two ----

SAME = Task(
    "same_person(vectors, who)", "the area under the curve: how often one person's pair is the nearer one"
)


def check_same_person(student: object) -> None:
    """Task 6: over all pairs of photographs of one person and all of two, ties half, however people are numbered."""
    cases = [
        _photographed(*sizes) for sizes in ((2, 2, 1), (3, 3, 2), (whole(4, 6), whole(3, 5), whole(3, 5)))
    ]

    def area(
        near: Tensor,
        far: Tensor,
        count: Callable[[Tensor, Tensor], Tensor] = lambda a, b: (a < b) + (a == b) / 2,
    ) -> Tensor:
        return count(near[:, None], far).to(near).mean()

    def over(
        count: Callable[[Tensor, Tensor], Tensor] = lambda a, b: (a < b) + (a == b) / 2,
        *,
        itself: bool = False,
        everybody: bool = False,
        norm: float = 2,
    ) -> Callable[[Tensor, Tensor], Tensor]:
        def measured(vectors: Tensor, who: Tensor) -> Tensor:
            apart, one = _distances(vectors, norm), who[:, None] == who
            pairs = torch.ones_like(one).triu(0 if itself else 1)
            return area(apart[pairs & one], apart[pairs if everybody else pairs & ~one], count)

        return measured

    def each_person(vectors: Tensor, who: Tensor) -> Tensor:
        areas = []
        for person in set(who.tolist()):
            own, others = vectors[who == person], vectors[who != person]
            near = _distances(own)[torch.ones(len(own), len(own), dtype=torch.bool).triu(1)]
            areas.append(area(near, _distances(own, other=others).flatten()))
        return torch.stack([each for each in areas if not each.isnan()]).mean()

    def nearest(vectors: Tensor, who: Tensor) -> Tensor:
        apart = _distances(vectors).fill_diagonal_(math.inf)
        return (who[apart.argmin(1)] == who).to(vectors).mean()

    SAME.judge(
        student,
        cases,
        over(),
        {
            "You do not count ties: where two distances are equal, half a point is given.": over(
                lambda a, b: a < b
            ),
            "Your ties count whole; where two distances are equal, half a point is given.": over(
                lambda a, b: a <= b
            ),
            "Your area is the wrong way round: one person's photographs are to be the nearer ones.": over(
                lambda a, b: (a > b) + (a == b) / 2
            ),
            "You pair photographs with themselves: at distance 0 everybody is like themselves.": over(
                itself=True
            ),
            "You compare with all pairs; those of one person are not to be beaten but to win.": over(
                everybody=True
            ),
            "You go person by person and average; here all pairs count alike.": each_person,
            "You ask whose photograph is the nearest; compare all pairs.": nearest,
            "You measure by streets (the sum of the differences); distances are Euclidean.": over(norm=1),
        },
        tolerance=1e-4,
    )
    right("One half is chance, one is a passport.")


def _distances(vectors: Tensor, norm: float = 2, other: Tensor | None = None) -> Tensor:
    """Exact for whole numbers, so that ties are ties."""
    apart = vectors[:, None] - (vectors if other is None else other)
    distances: Tensor = torch.linalg.vector_norm(apart, norm, dim=2)
    return distances


def _photographed(people: int, most: int, numbers: int) -> tuple[Tensor, Tensor]:
    """What is read off some photographs of each person, in whole numbers, and whose each is, in any order."""
    names = torch.tensor(mixed(range(11, 31))[:people])
    each = [2, 2, *(whole(1, most) for _ in range(people - 2))]
    who = names.repeat_interleave(torch.tensor(each))
    who = who[torch.tensor(mixed(range(len(who))))]
    middles = (2 * normal(31, numbers)).round()
    return middles[who] + (1.2 * normal(len(who), numbers)).round(), who


# ---- 7: attention ----

ATTENTION = Task(
    "attention(queries, keys, values)",
    "what every place is told, (N, C, P)",
    {
        "size of tensor": "queries are (N, d, P), keys (N, d, K) and values (N, C, K): transpose what does not fit"
    },
)


def check_attention(student: object) -> None:
    """Task 7: softmax of the scaled products over the keys, and the values' mean by it; scores of any size."""
    sizes = ((1, 4, 2, 3, 2), (2, 3, 5, 4, 2), (whole(2, 4), whole(5, 9), whole(6, 9), whole(10, 14), 3))
    cases = [(normal(n, d, p), normal(n, d, k), normal(n, c, k)) for n, d, p, k, c in sizes]
    sure = 3, 4, 6, 5, 2
    n, d, p, k, c = sure
    cases.append(((40 * normal(n, d, p)).round(), (40 * normal(n, d, k)).round(), normal(n, c, k)))

    def told(
        weigh: Callable[[Tensor], Tensor] = lambda scores: scores.softmax(2),
        scale: Callable[[Tensor, Tensor], float] = lambda q, k: q.shape[1] ** -0.5,
    ) -> Callable[..., Tensor]:
        """From what is made of the scores `(N, P, K)`, and their scale."""
        return lambda q, k, v: v @ weigh((q.mT @ k) * scale(q, k)).mT

    def finite(answer: object) -> Tensor:
        found = ATTENTION.tensor(answer)
        if present().asked[2][0].abs().max() > 20 and not bool(found.isfinite().all()):
            raise NotYet(
                "For scores in the hundreds you give NaN or infinity: exp(1000) is infinite to a computer. "
                "`torch.softmax` takes the largest score of each place out first."
            )
        return found

    def wanted(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return scaled_dot_product_attention(q.mT, k.mT, v.mT).mT

    ATTENTION.judge(
        student,
        cases,
        wanted,
        {
            "Your softmax goes over the places that ask; each place shares its attention out among the keys.": told(
                lambda scores: scores.softmax(1)
            ),
            "Your softmax goes over the pictures of the batch; each place shares its attention out among the keys.": (
                told(lambda scores: scores.softmax(0))
            ),
            "Your softmax goes over places and keys together; the weights of each place sum to one.": told(
                lambda scores: scores.flatten(1).softmax(1).view_as(scores)
            ),
            "You do not scale the scores: divide them by √d.": told(scale=lambda q, k: 1),
            "You divide the scores by d; it is its root.": told(scale=lambda q, k: 1 / q.shape[1]),
            "You divide by the root of the number of keys; d is how long a query is.": told(
                scale=lambda q, k: k.shape[2] ** -0.5
            ),
            "You divide by the root of the number of places; d is how long a query is.": told(
                scale=lambda q, k: q.shape[2] ** -0.5
            ),
            "You multiply the scores by √d; divide them.": told(scale=lambda q, k: q.shape[1] ** 0.5),
            "You take the scores themselves for weights; a softmax makes shares of them.": told(
                lambda scores: scores
            ),
            "You take a sigmoid; the weights of a place have to sum to one.": told(
                lambda scores: scores.sigmoid()
            ),
            "You take the exponential and divide by nothing; the weights of a place have to sum to one.": told(
                lambda scores: scores.exp()
            ),
            "You listen to the loudest key alone; a softmax shares out.": told(
                lambda scores: torch.nn.functional.one_hot(scores.argmax(2), scores.shape[2]).to(scores)
            ),
            "All keys get the same of your attention.": told(lambda scores: (0 * scores).softmax(2)),
            "Your answer is (N, P, C); channels come first, as in a picture.": lambda q, k, v: (
                wanted(q, k, v).mT
            ),
        },
        read=finite,
        tolerance=1e-3,
    )
    right("Each place asks, all keys answer, and the shares sum to one.")


# ---- 8: another's style ----

RESTYLED = Task(
    "restyled(features, example)", "each map with the mean and the deviation of the example's, (N, C, H, W)"
)


def check_restyled(student: object) -> None:
    """Task 8: adaptive instance normalisation, map by map; sizes that differ, and a flat map."""
    cases = [
        (_maps(n, c, *own), _maps(n, c, *others))
        for n, c, own, others in (
            (1, 1, (2, 3), (2, 2)),
            (2, 3, (3, 2), (4, 5)),
            (whole(3, 4), whole(2, 4), (whole(4, 6), whole(6, 8)), (3, whole(2, 4))),
        )
    ]
    flat = _maps(2, 2, 3, 5)
    flat[1, 0] = among([0.5, -2.0, 3.0])
    cases.append((flat, _maps(2, 2, 4, 3)))
    own = 2, 3

    def styled(
        mine: tuple[int, ...] = own,
        theirs: tuple[int, ...] = own,
        *,
        divide: Callable[[Tensor], Tensor] = torch.sqrt,
        multiply: Callable[[Tensor], Tensor] = torch.sqrt,
        correction: int = 0,
        centred: bool = True,
        shifted: bool = True,
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """One line of it changed: over which axes, by what, and with which means."""

        def restyle(features: Tensor, example: Tensor) -> Tensor:
            (mean, variance), (other, others) = (
                (of.mean(axes, keepdim=True), of.var(axes, correction=correction, keepdim=True))
                for of, axes in ((features, mine), (example, theirs))
            )
            normal_ = (features - mean * centred) / divide(variance + 1e-9)
            return normal_ * multiply(others) + other * shifted

        return restyle

    def finite(answer: object) -> Tensor:
        found = RESTYLED.tensor(answer)
        if not bool((found.abs() < 100).all()):
            raise NotYet(
                "A flat map has deviation 0, and you divide by it; add a small number, such as 1e-5, to the variance, "
                "so that it becomes the example's mean."
            )
        return found

    RESTYLED.judge(
        student,
        cases,
        styled(),
        {
            "Your statistics go over the batch: a picture's style then depends on its neighbours.": styled(
                (0, 2, 3), (0, 2, 3)
            ),
            "The example's statistics go over the batch; each picture has an example of its own.": styled(
                own, (0, 2, 3)
            ),
            "The features' statistics go over the batch: what a picture becomes depends on its neighbours.": styled(
                (0, 2, 3), own
            ),
            "Your statistics go over the channels, too; each map has its own.": styled((1, 2, 3), (1, 2, 3)),
            "You divide by the variance; it is the deviation that is brought to 1.": styled(
                divide=lambda variance: variance
            ),
            "You multiply by the example's variance; its root is the deviation.": styled(
                multiply=lambda variance: variance
            ),
            "You divide and multiply by variances; their roots are the deviations.": styled(
                divide=lambda variance: variance, multiply=lambda variance: variance
            ),
            "You divide by one place less; divide by their number.": styled(correction=1),
            "You leave out the example's mean.": styled(shifted=False),
            "You leave the features' own mean in; take it away before you divide.": styled(centred=False),
            "You keep the features' own deviation; it becomes the example's.": styled(
                divide=torch.ones_like, multiply=torch.ones_like
            ),
            "You bring the features to deviation 1; bring them on to the example's.": styled(
                multiply=torch.ones_like
            ),
        },
        read=finite,
        tolerance=1e-3,
    )
    right("What is shown stays, how it is drawn is the example's, and no picture sees its neighbours.")


def _maps(count: int, channels: int, height: int, width: int) -> Tensor:
    """Maps each with a mean and a deviation of its own, none near 1."""
    noise = normal(count, channels, height, width)
    noise = (noise - noise.mean((2, 3), keepdim=True)) / noise.std((2, 3), correction=0, keepdim=True)
    deviations = uniform(1.5, 3, count, channels, 1, 1)
    return deviations * noise + uniform(-3, 3, count, channels, 1, 1)


# ---- 9: what is wrong with this reader? ----

WORDS = ("healthy", "too sure", "one not learnt", "mirrored", "clean pictures only")
DIAGNOSE = Task("diagnose(answers)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")
NUMBERS, FACES = 10, 300


def answered(kind: str, seed: int) -> dict[str, dict[str, Tensor]]:
    """What a reader of this kind says of drawn people in clean and in spoiled pictures, beside the truth.

    Args:
        kind: One of `WORDS`.
        seed: Of the people, of what is hard to read, and of how plainly the fault shows.

    Returns:
        `means`, `doubts` and `truth`, `(FACES, NUMBERS)` each, of `clean` and of `spoiled` pictures; every number is
        in a unit of its own.
    """
    random = torch.Generator().manual_seed(seed * 10 + WORDS.index(kind))

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=random)

    def noise() -> Tensor:
        return torch.randn(FACES, NUMBERS, generator=random)

    hard, units, offsets = draw(0.2, 0.65, NUMBERS), 10 ** draw(-2, 1, NUMBERS), draw(-3, 3, NUMBERS)
    fewer = float(draw(0.3, 0.55))
    places = torch.randperm(NUMBERS, generator=random)[:2]
    found = {}
    for pictures, harder in (("clean", 1.0), ("spoiled", 1.25)):
        truth, stated = noise(), (harder * hard * (0.2 * noise()).exp()).clamp(0.1, 0.9)
        real = (2.2 * stated).clamp(max=0.97) if kind == "clean pictures only" and harder > 1 else stated
        if kind == "one not learnt":
            real[:, places[0]] = stated[:, places[0]] = 0.999
        # the mean of what the truth may be, given a look whose error leaves a deviation `real`
        means = (1 - real.square()) * truth + real * (1 - real.square()).sqrt() * noise()
        if kind == "mirrored":
            means[:, places] *= -1
        if kind == "too sure":
            stated = fewer * stated
        found[pictures] = {
            "means": offsets + units * means,
            "doubts": units * stated,
            "truth": offsets + units * truth,
        }
    return found


HINTS = {
    "healthy": "a healthy reader may find a number hard, as long as it says so and knows something of each",
    "too sure": "who is too sure has far fewer than 68 % of the truths within one doubt, in every number alike, "
    "while its means still rise with the truth",
    "one not learnt": "of a number that was not learnt the mean does not move with the truth, and the doubt may be "
    "honest all the same",
    "mirrored": "in a mirror some numbers change their sign: the means fall where the truth rises",
    "clean pictures only": "who has seen clean pictures only is honest on these, and makes larger errors on spoiled "
    "ones without doubting more",
}


def check_diagnose(student: object) -> None:
    """Task 9: forty readers that nobody has met, eight of each kind, in any order."""

    def wrong(kind: str, answer: str) -> str:
        return (
            f"One of forty new readers is {kind}, and you call it {answer}. Think of this: {HINTS[kind]}. Each number "
            "has its own unit, so the size of an error says nothing."
        )

    named_rightly(DIAGNOSE, student, WORDS, of_each=8, made=answered, wrong=wrong)
    right("Forty of forty: you read readers.")


# ---- 10: which outlines would tell? ----

PLAN = Task("plan(photographs)", "a list of comparisons, each a dictionary of its settings")
SETTINGS = ("photograph", "hand", "sees", "method")
METHODS = ("network", "outlined")
OUTLINES, PEOPLE, OF_EACH, TWICE = 60, 30, 8, 8


def album(seed: int) -> list[dict[str, Any]]:
    """Photographs whose hair may be outlined by hand, in any order.

    Args:
        seed: Of who is among them.

    Returns:
        Each with its `name`, the `person` it shows, that person's `hair` and `skin`, and whether whoever wrote the
        outline has `looked_at` it.
    """
    random = torch.Generator().manual_seed(seed)

    def below(limit: int) -> int:
        return int(torch.randint(limit, (), generator=random))

    photographs: list[dict[str, Any]] = []
    for hair, skin in (("dark", "deep"), ("dark", "fair"), ("fair", "fair")):
        for _ in range(14 + below(5)):
            person = f"person {below(10**6):06}"
            photographs += [
                {
                    "name": f"{below(10**9):09}.jpg",
                    "person": person,
                    "hair": hair,
                    "skin": skin,
                    "looked_at": False,
                }
                for _ in range(1 + below(3))
            ]
    order = torch.randperm(len(photographs), generator=random).tolist()
    for place in order[:9]:
        photographs[place]["looked_at"] = True
    return [photographs[place] for place in torch.randperm(len(photographs), generator=random).tolist()]


def check_plan(student: object) -> None:
    """Task 10: new photographs, one a person, all kinds, both methods against each hand, blind, some by two hands."""
    photographs = album(whole(0, 10**9))
    known = {photo["name"]: dict(photo) for photo in photographs}
    runs = PLAN.ask(student, photographs)
    if not isinstance(runs, list) or not runs or not all(isinstance(run, Mapping) for run in runs):
        raise NotYet("`plan` returns a list of dictionaries, one for each comparison.")
    for run in runs:
        if set(run) != set(SETTINGS):
            raise NotYet(
                f"Each comparison names {', '.join(SETTINGS)} and nothing else, not {', '.join(map(str, run))}."
            )
        if any(not isinstance(run[name], str) for name in SETTINGS) or run["photograph"] not in known:
            raise NotYet(
                "A comparison's settings are four texts, and its photograph is the `name` of one that you were given."
            )
        if run["method"] not in METHODS or run["sees"] not in ("photograph", *METHODS):
            raise NotYet(
                f"A method is one of {' and '.join(METHODS)}, and a hand sees the photograph or what one of them found."
            )
    _sees_nothing_else(runs)
    hands = {(run["photograph"], run["hand"]) for run in runs}
    chosen = {name: known[name] for name, _ in hands}
    _new_people(chosen)
    _all_kinds(chosen, known)
    by_two = sum(count > 1 for count in Counter(name for name, _ in hands).values())
    if by_two < TWICE:
        raise NotYet(
            f"{by_two or 'No'} photographs are outlined by two hands; let two outline {TWICE} at least. How far people "
            "differ from each other is the best that any method can be told apart by."
        )
    if len(hands) > OUTLINES:
        raise NotYet(f"You ask for {len(hands)} outlines by hand, and there is time for {OUTLINES}.")
    right(f"{len(hands)} outlines of {len(chosen)} people that can refute “the outline helps”.")


def _sees_nothing_else(runs: list[Mapping[str, str]]) -> None:
    """Both methods against the same hands, once each, and these hands are blind."""
    if any(run["sees"] != "photograph" for run in runs):
        raise NotYet(
            "Whoever sees a method's answer while outlining will agree with it; a hand sees the photograph alone."
        )
    methods: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        methods[run["photograph"], run["hand"]].append(run["method"])
    if any(len(found) != len(set(found)) for found in methods.values()):
        raise NotYet("A comparison stands twice in your plan; it would tell you nothing new.")
    if any(set(found) != set(METHODS) for found in methods.values()):
        raise NotYet(
            "Some outline is compared with one method alone; only where both meet the same hand on the same photograph "
            "can their difference be taken in pairs."
        )


def _new_people(chosen: Mapping[str, Mapping[str, Any]]) -> None:
    """Photographs that nothing was made by, one a person."""
    if any(photo["looked_at"] for photo in chosen.values()):
        raise NotYet(
            "Some of your photographs were looked at while the outline was written; on these it is bound to be good."
        )
    people = Counter(photo["person"] for photo in chosen.values())
    if max(people.values()) > 1:
        raise NotYet(
            "Somebody is in your plan with two photographs; the same hair twice is not two people, so take one of each."
        )
    if len(people) < PEOPLE:
        raise NotYet(
            f"You ask {len(people)} people; with fewer than {PEOPLE} the interval is wider than what you look for."
        )


def _all_kinds(chosen: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Enough of each pairing of hair and skin that there is."""
    counts = Counter((photo["hair"], photo["skin"]) for photo in chosen.values())
    for hair, skin in sorted({(photo["hair"], photo["skin"]) for photo in known.values()}):
        if counts[hair, skin] < OF_EACH:
            raise NotYet(
                f"Only {counts[hair, skin]} of your people have {hair} hair over {skin} skin; take {OF_EACH} of each "
                "pairing at least, as a method that fails where hair and skin are alike fails some people alone."
            )
