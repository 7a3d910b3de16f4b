"""Checks of chapter 7c's exercises: lookalikes, who moves least, who decides, galleries, faults, fair measures."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import among, normal, uniform, whole
from companion.exercises.runner import NotYet, Task, right

Map = Callable[[Tensor, Tensor, Tensor], Tensor]  # from two covariances and a turn to a matrix

# ---- 1: nobody can tell them apart ----

LOOKALIKE = Task(
    "lookalike(mean_1, covariance_1, mean_2, covariance_2, turn)",
    "the matrix A and the vector b of a map x ↦ A x + b that carries the first Gaussian into the second",
)


def _orthogonal(size: int) -> Tensor:
    """A turn drawn at random, with or without a mirror, `(size, size)`."""
    turn: Tensor = torch.linalg.qr(normal(size, size))[0]
    return turn * torch.tensor([among((-1.0, 1.0)), *[1.0] * (size - 1)])


def _gaussian(size: int) -> tuple[Tensor, Tensor]:
    """A mean `(size,)` that is not near zero, and a covariance `(size, size)` with spreads of 0.5 to 2."""
    axes = torch.linalg.qr(normal(size, size))[0]
    spreads = torch.linspace(0.5, float(uniform(1.3, 2.0)), size)
    covariance = (axes * spreads.square()) @ axes.mT
    return normal(size).sign() * uniform(0.5, 2, size), (covariance + covariance.mT) / 2


def _symmetric(covariance: Tensor, power: float = 0.5) -> Tensor:
    """A power of a covariance, itself symmetric."""
    values, axes = torch.linalg.eigh(covariance)
    root: Tensor = (axes * values**power) @ axes.mT
    return root


def _along_axes(covariance: Tensor) -> Tensor:
    values, axes = torch.linalg.eigh(covariance)
    root: Tensor = axes * values.sqrt()
    return root


def _triangular(covariance: Tensor) -> Tensor:
    found: Tensor = torch.linalg.cholesky(covariance)
    return found


def _deviations(covariance: Tensor) -> Tensor:
    return covariance.diagonal().sqrt().diag()


ROOTS = (_symmetric, _triangular, _along_axes)
Root = Callable[[Tensor], Tensor]

_MISTAKEN: Mapping[str, Callable[[Root], Map]] = {
    "You turn at the end: then the second cloud is turned, too, and no longer the one that was wanted. Turn in "
    "between, where the points scatter alike in all directions.": lambda root: (
        lambda one, two, turn: turn @ root(two) @ root(one).inverse()
    ),
    "You turn first, while the points still scatter more one way than another; turn in between, where they scatter "
    "alike in all directions.": lambda root: lambda one, two, turn: root(two) @ root(one).inverse() @ turn,
    "You multiply by the first root; its inverse is what makes the first cloud round.": lambda root: (
        lambda one, two, turn: root(two) @ turn @ root(one)
    ),
    "You take the first root's transpose for its inverse.": lambda root: (
        lambda one, two, turn: root(two) @ turn @ root(one).mT
    ),
    "Your map leads from the second Gaussian to the first.": lambda root: (
        lambda one, two, turn: root(one) @ turn @ root(two).inverse()
    ),
    "Your map leads back, from the second Gaussian to the first, and is mirrored besides: it is transposed.": (
        lambda root: lambda one, two, turn: (root(one) @ turn @ root(two).inverse()).mT
    ),
    "A root R of a covariance has R Rᵀ = covariance, and yours is transposed.": lambda root: (
        lambda one, two, turn: root(two).mT @ turn @ root(one).mT.inverse()
    ),
    "Of the first covariance you take a root that is transposed: R Rᵀ is the covariance, not Rᵀ R.": lambda root: (
        lambda one, two, turn: root(two) @ turn @ root(one).mT.inverse()
    ),
    "You take the covariances themselves; a map acts on a covariance from both sides, so A holds their roots.": (
        lambda root: lambda one, two, turn: two @ turn @ one.inverse()
    ),
    "You use deviations alone, one for each number; that forgets how the numbers go together.": lambda root: (
        lambda one, two, turn: _deviations(two) @ turn @ _deviations(one).inverse()
    ),
    "You only turn; the second cloud has other spreads as well.": lambda root: lambda one, two, turn: turn,
    "You turn and stretch to the second cloud, and never undo the first one's own shape.": lambda root: (
        lambda one, two, turn: root(two) @ turn
    ),
}


def check_lookalike(student: object) -> None:
    """Task 1: whatever the roots are, the first covariance has to become the second, for each turn by another map."""
    for size in (2, 2, 3, 5, whole(6, 8)):
        one, two = _gaussian(size), _gaussian(size)
        turn, other = _orthogonal(size), _orthogonal(size)
        mirrored = turn * torch.tensor([-1.0, *[1.0] * (size - 1)])
        found = []
        for each in (turn, other, mirrored, -turn):
            inputs = *one, *two, each
            a, b = _affine(LOOKALIKE, LOOKALIKE.ask(student, *(value.clone() for value in inputs)), size)
            _carried(a, b, *inputs)
            found.append(a)
        apart = [float((a - found[0]).abs().max()) > 1e-3 for a in found[1:]]
        if not any(apart):
            raise NotYet("`turn` has no effect on your map; each turn has one of its own.")
        if not all(apart):
            raise NotYet(
                "Two different turns lead to one and the same map (a turn and its mirror, or a turn and its "
                "opposite); use all of `turn`."
            )
    right("The same cloud each time, and each time somebody else stands in your place.")


def _affine(task: Task, answer: object, size: int) -> tuple[Tensor, Tensor]:
    """The matrix `(size, size)` and the vector `(size,)`, without NaN."""
    matrix, vector = task.pair(answer, "a matrix and a vector")
    a, b = task.tensor(matrix).detach(), task.tensor(vector).detach()
    if a.dim() == 1 and b.dim() == 2:
        raise NotYet("You return b first; the matrix A comes first.")
    a, b = task.tensor(a, (size, size)).double(), task.tensor(b, (size,)).double()
    if not bool(a.isfinite().all() and b.isfinite().all()):
        raise NotYet(
            f"`{task.name}` gives NaN or infinity: the root of a covariance is not made of the roots of its entries, "
            "some of which are negative."
        )
    return a, b


def _carried(
    a: Tensor,
    b: Tensor,
    mean_1: Tensor,
    covariance_1: Tensor,
    mean_2: Tensor,
    covariance_2: Tensor,
    turn: Tensor,
) -> None:
    """Nothing if the map carries the first moments into the second.

    Raises:
        NotYet: It does not.
    """
    one, two, mean_1, mean_2, turn = (
        value.double() for value in (covariance_1, covariance_2, mean_1, mean_2, turn)
    )
    if not _near(a @ one @ a.mT, two):
        if _near(a.mT @ one @ a, two):
            raise NotYet("Your A is made for points that lie in rows, x A; in A x it has to be transposed.")
        for told, made in _MISTAKEN.items():
            if any(_near(a, made(root)(one, two, turn)) for root in ROOTS):
                raise NotYet(told)
        raise NotYet(
            f"For {len(mean_1)} numbers, the points that your map makes of the first Gaussian have variances "
            f"{_listed((a @ one @ a.mT).diagonal())}; the second's are {_listed(two.diagonal())}, and the "
            "covariances have to agree as well."
        )
    for told, vector in {
        "You shift by the difference of the means, but A has moved the first mean already.": mean_2 - mean_1,
        "You shift by the second mean; where does A carry the first?": mean_2,
        "You do not shift at all; b is what brings the first mean, as A leaves it, to the second.": 0
        * mean_2,
        "Your shift has the other sign.": a @ mean_1 - mean_2,
        "You add where A has carried the first mean; take it away.": mean_2 + a @ mean_1,
    }.items():
        if _near(b, vector):
            raise NotYet(told)
    if not _near(a @ mean_1 + b, mean_2):
        raise NotYet(
            f"The covariance is right, and the mean is not: your map carries the first to {_listed(a @ mean_1 + b)} "
            f"and not to {_listed(mean_2)}."
        )


def _near(found: Tensor, wanted: Tensor, tolerance: float = 2e-3) -> bool:
    return torch.allclose(found, wanted, tolerance, tolerance)


def _listed(numbers: Tensor) -> str:
    return ", ".join(f"{value:.2f}" for value in numbers.tolist()[:4]).replace("-", "−")


# ---- 2: the one that moves least ----

LEAST = Task(
    "least_moving(mean_1, covariance_1, mean_2, covariance_2)",
    "the matrix A and the vector b of the map that carries the first Gaussian into the second and moves least",
)


def check_least_moving(student: object) -> None:
    """Task 2: the one symmetric, positive map among the lookalikes (Olkin and Pukelsheim 1982)."""
    cases = [(*_gaussian(size), *_gaussian(size)) for size in (2, 2, 3, 5, whole(6, 8))]

    def transport(one: Tensor, two: Tensor) -> Tensor:
        root, undone = _symmetric(one), _symmetric(one, -0.5)
        return undone @ _symmetric(root @ two @ root) @ undone

    def by(matrix: Callable[[Tensor, Tensor], Tensor], shift: Callable[..., Tensor] | None = None) -> Any:
        """A and b side by side `(D, D + 1)`, in double precision."""

        def made(mean_1: Tensor, one: Tensor, mean_2: Tensor, two: Tensor) -> Tensor:
            a, mean_1, mean_2 = matrix(one.double(), two.double()), mean_1.double(), mean_2.double()
            b = mean_2 - a @ mean_1 if shift is None else shift(a, mean_1, mean_2)
            return torch.cat([a, b[:, None]], 1)

        return made

    def joined(answer: object) -> Tensor:
        matrix, vector = LEAST.pair(answer, "a matrix and a vector")
        size = max(LEAST.tensor(matrix).shape, default=0)
        a, b = _affine(LEAST, (matrix, vector), size)
        return torch.cat([a, b[:, None]], 1)

    def roots(root: Root) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda one, two: root(two) @ root(one).inverse()

    def inside(one: Tensor, two: Tensor) -> Tensor:
        root = _symmetric(one)
        return _symmetric(root @ two @ root)

    LEAST.judge(
        student,
        cases,
        by(transport),
        {
            "That is the lookalike without a turn. It moves little, and not least: its A is not symmetric, so on the "
            "whole it still turns.": by(roots(_symmetric)),
            "You take triangular roots and no turn. Such a map belongs to an order of the numbers, and another order "
            "gives another; it is not the one that moves least.": by(roots(_triangular)),
            "You carry axes to axes, the widest to the widest; that may turn everybody round.": by(
                roots(_along_axes)
            ),
            "You stretch each number by itself; that forgets how the numbers go together.": by(
                roots(_deviations)
            ),
            "Your A is the transpose of the lookalike without a turn.": by(
                lambda one, two: roots(_symmetric)(one, two).mT
            ),
            "Your map moves least, from the second Gaussian to the first.": by(
                lambda one, two: transport(two, one)
            ),
            "The root of the product in the middle is missing.": by(lambda one, two: two),
            "That is the root in the middle; before and after it, the first root has to be undone.": by(
                inside
            ),
            "You undo the first root on one side; it stands on both.": by(
                lambda one, two: _symmetric(one, -0.5) @ inside(one, two)
            ),
            "You undo the first root on one side, and on the wrong one; it stands on both.": by(
                lambda one, two: inside(one, two) @ _symmetric(one, -0.5)
            ),
            "Of all lookalikes yours moves *most*: its sign is turned round.": by(
                lambda one, two: -transport(one, two)
            ),
            "You only shift; the second cloud has another shape as well.": by(
                lambda one, two: torch.eye(len(one), dtype=one.dtype)
            ),
            "A is right. You shift by the difference of the means, but A has moved the first mean already.": by(
                transport, lambda a, mean_1, mean_2: mean_2 - mean_1
            ),
            "A is right. You shift by the second mean; where does A carry the first?": by(
                transport, lambda a, mean_1, mean_2: mean_2
            ),
            "A is right. You do not shift at all, and the means differ.": by(
                transport, lambda a, mean_1, mean_2: 0 * mean_2
            ),
            "A is right, and your shift has the other sign.": by(
                transport, lambda a, mean_1, mean_2: a @ mean_1 - mean_2
            ),
        },
        otherwise=_moves,
        read=joined,
        tolerance=2e-3,
    )
    right("No other lookalike moves people less: symmetric, and nobody is turned round.")


def _moves(found: Tensor, mean_1: Tensor, one: Tensor, mean_2: Tensor, two: Tensor) -> str:
    """Whether a wrong map is a lookalike at all, and whether its matrix is symmetric."""
    a, one, two = found[:, :-1].double(), one.double(), two.double()
    if not _near(a @ one @ a.mT, two):
        return (
            f"Your map is no lookalike: of variances {_listed(one.diagonal())} it makes "
            f"{_listed((a @ one @ a.mT).diagonal())}, and the second's are {_listed(two.diagonal())}"
        )
    if not _near(a, a.mT):
        return "Your map is a lookalike, and another one moves points less: that one's A is symmetric"
    return "Your map is a lookalike with a symmetric A, but along some axis it mirrors, or its shift is wrong"


# ---- 3: who decides how a drawing looks? ----

WHO = Task(
    "who_decides(drawings)",
    "three shares of the variance, the person's, the style's, and that of both together",
)


def check_who_decides(student: object) -> None:
    """Task 3: two main effects of a table of pictures, and what they leave."""
    sizes = ((2, 2, 1, 1, 1), (3, 2, 1, 1, 2), (2, 4, 1, 2, 2), (5, 3, 3, 3, 4), (whole(6, 9), 5, 3, 4, 5))
    cases = [(_crossed(*size),) for size in sizes]

    def parts(drawings: Tensor, count: Callable[[int], float] = float) -> tuple[Tensor, ...]:
        """Sums over pixels of squares, of persons, styles, the rest, and all, each divided by its count."""
        people, styles = drawings.shape[:2]
        whole_mean = drawings.mean((0, 1))
        person, style = drawings.mean(1) - whole_mean, drawings.mean(0) - whole_mean
        rest = drawings - whole_mean - person[:, None] - style
        return (
            person.square().sum() / count(people),
            style.square().sum() / count(styles),
            rest.square().sum() / (count(people) * count(styles)),
            (drawings - whole_mean).square().sum() / (people * styles),
        )

    def shares(of: Callable[[Tensor], Sequence[Tensor]]) -> Callable[[Tensor], Tensor]:
        return lambda drawings: torch.stack([*of(drawings)])

    def wanted(drawings: Tensor) -> Tensor:
        person, style, both, every = parts(drawings)
        return torch.stack([person, style, both]) / every

    def within(drawings: Tensor) -> list[Tensor]:
        """People compared within each style, and styles within each person: both contain what is common."""
        every = parts(drawings)[3]
        person, style = (drawings.var(axis, correction=0).sum() / drawings.shape[1 - axis] for axis in (0, 1))
        return [person / every, style / every, 1 - (person + style) / every]

    def unbiased(drawings: Tensor) -> list[Tensor]:
        people, styles = drawings.shape[:2]
        person, style, _, every = parts(drawings)
        every = every * people * styles / (people * styles - 1)
        person, style = person * people / (people - 1), style * styles / (styles - 1)
        return [person / every, style / every, 1 - (person + style) / every]

    def of_deviations(drawings: Tensor) -> Tensor:
        made = torch.stack(parts(drawings)).sqrt()
        return made[:3] / made[3]

    def each_once(drawings: Tensor) -> list[Tensor]:
        people, styles = drawings.shape[:2]
        person, style, _, every = parts(drawings)
        person, style = person / styles, style / people
        return [person / every, style / every, 1 - (person + style) / every]

    def one_mean(drawings: Tensor) -> list[Tensor]:
        """One number is taken for the mean of everything."""
        mean = drawings.mean()
        person, style = ((drawings.mean(axis) - mean).square().mean() for axis in (1, 0))
        every = (drawings - mean).square().mean()
        return [person / every, style / every, 1 - (person + style) / every]

    def a_pixel(drawings: Tensor) -> Tensor:
        """Shares at each pixel, and their mean."""
        flat = drawings.flatten(2)
        return torch.stack([wanted(flat[:, :, [place]]) for place in range(flat.shape[2])]).mean(0)

    WHO.judge(
        student,
        cases,
        wanted,
        {
            "You compare people within each style, and styles within each person; both then contain what is decided "
            "together. Average over styles first, and over people.": shares(within),
            "You compare people within each style, and that holds what both decide, too; average over styles first.": (
                shares(
                    lambda drawings: [
                        within(drawings)[0],
                        wanted(drawings)[1],
                        1 - within(drawings)[0] - wanted(drawings)[1],
                    ]
                )
            ),
            "You divide by one less than the number of people and styles; shares of these very drawings divide by "
            "their number, or they do not add up to one.": shares(unbiased),
            "You take deviations; those do not add up, and squares do.": of_deviations,
            "You count each person once and each style once, and the drawings all: a person's mean stands for as "
            "many drawings as there are styles.": shares(each_once),
            "You average each drawing over its pixels first; two drawings with as much ink in other places are not "
            "the same.": lambda drawings: wanted(drawings.flatten(2).mean(2)[:, :, None]),
            "You take one number for the mean of all drawings; the mean of drawings is a picture, and a difference "
            "from place to place is nobody's doing.": shares(one_mean),
            "You take shares at each pixel and average those; sum the squares over pixels first, or a blank place "
            "counts like one full of ink.": a_pixel,
            "The person's and the style's share have changed places: the first axis is people.": lambda drawings: (
                wanted(drawings)[[1, 0, 2]]
            ),
            "These are variances; divide by that of all drawings.": lambda drawings: torch.stack(
                parts(drawings)[:3]
            ),
            "You give what is left to the style; what neither person nor style explains alone is the third share.": (
                shares(lambda d: [wanted(d)[0], 1 - wanted(d)[0], 0 * wanted(d)[0]])
            ),
            "You leave nothing to both together, and divide person and style by their sum.": (
                shares(lambda d: [*(wanted(d)[:2] / wanted(d)[:2].sum()), 0 * wanted(d)[0]])
            ),
        },
        read=lambda answer: WHO.tensor(answer, (3,)),
    )
    right("Three shares that make one: who it is, how it is drawn, and what only the two together decide.")


def _crossed(people: int, styles: int, *size: int) -> Tensor:
    """Drawings `(people, styles, *size)`: what people do, what styles do, and what both do, in sizes that are drawn."""
    person, style, both = (float(uniform(0.4, 1.5)) for _ in range(3))
    ink = uniform(0.2, 2, *size)  # some places differ more than others
    drawn = person * normal(people, 1, *size) + style * normal(1, styles, *size)
    return normal(*size) + ink * (drawn + both * normal(people, styles, *size))


# ---- 4: found among how many? ----

FOUND = Task("found_among(alike, count)", "the share found in a gallery of `count` people, a number")


def check_found_among(student: object) -> None:
    """Task 4: over all galleries that hold the person and `count` − 1 of the others, how often nobody comes before."""
    cases: list[tuple[Tensor, int]] = [
        (_alike(3), 2),
        (_alike(4, ties=True), 3),
        (_alike(8), 4),
        (_alike(5), 3),
        (_alike(whole(12, 20), ties=True), whole(3, 9)),
        (_alike(whole(30, 40)), whole(10, 20)),
        (_alike(7), 1),
    ]

    def by(
        rivals: Callable[[Tensor], Tensor] = _rivals,
        chance: Callable[[int, int, int], float] = _none_of,
    ) -> Callable[[Tensor, int], float]:
        def share(alike: Tensor, count: int) -> float:
            people = len(alike)
            found = [chance(people, count, int(before)) for before in rivals(alike)]
            return sum(found) / len(found)

        return share

    FOUND.judge(
        student,
        cases,
        by(),
        {
            "That is the share found in the whole gallery; a smaller one holds fewer rivals.": by(
                chance=lambda people, count, before: float(before == 0)
            ),
            "You draw the others with replacement; in a gallery everybody stands once.": by(
                chance=lambda people, count, before: (1 - before / (people - 1)) ** (count - 1)
            ),
            "You draw with replacement, and oneself may be drawn as well; everybody stands once.": by(
                chance=lambda people, count, before: (1 - before / people) ** (count - 1)
            ),
            "You draw `count` others; one of the `count` is the person who is looked for.": by(
                chance=lambda people, count, before: _none_of(people, count + 1, before)
            ),
            "You draw from all people; the person stands there already, so one fewer are left.": by(
                chance=lambda people, count, before: (
                    math.comb(max(0, people - before), count - 1) / math.comb(people, count - 1)
                )
            ),
            "You look for a drawing's person in the drawings' place: a row belongs to one drawing, and its portraits "
            "stand side by side in it.": by(lambda alike: _rivals(alike.mT)),
            "You take the less alike for the nearer; a larger number says more alike.": by(
                lambda alike: _rivals(-alike)
            ),
            "Somebody who is just as alike stands in the way, too; who is only as alike as another is not found.": (
                by(lambda alike: (alike > alike.diagonal()[:, None]).sum(1))
            ),
            "You count everybody as a rival of themselves.": by(lambda alike: _rivals(alike) + 1),
            "You take the first `count` people for the gallery. Others would have given another share; take the "
            "mean over all galleries.": lambda alike, count: by()(alike[:count, :count], count),
            "You take ranks: found if fewer than one in `count` stand before. A gallery is drawn, so nearly always "
            "and never are not the only chances.": by(
                chance=lambda people, count, before: float(before * count < people)
            ),
            "That is how often somebody comes before; found are the others.": by(
                chance=lambda people, count, before: 1 - _none_of(people, count, before)
            ),
            "That is chance; it does not look at who is alike.": lambda alike, count: 1 / count,
        },
        otherwise=_near_by,
        read=FOUND.scalar,
    )
    right("One number for each size of gallery, and none of them without its size.")


def _rivals(alike: Tensor) -> Tensor:
    """How many others are at least as alike as the own portrait, for each row, `(N,)`."""
    return (alike >= alike.diagonal()[:, None]).sum(1) - 1


def _none_of(people: int, count: int, before: int) -> float:
    """The chance that, of `count` − 1 others drawn without replacement, none is one of those before."""
    others, drawn = people - 1, count - 1
    return math.comb(max(0, others - before), drawn) / math.comb(others, drawn)


def _alike(people: int, *, ties: bool = False) -> Tensor:
    """How alike drawings and portraits are, `(people, people)`; the own ones a little more."""
    found = normal(people, people) + float(uniform(0.5, 1.2)) * torch.eye(people)
    found = (10 * found).round() / 10 if people < 9 else found
    if ties:
        found[0, 1] = found[0, 0]
        found[-1, 0] = found[-1, -1]
    return found


def _near_by(found: Tensor, alike: Tensor, count: int) -> str:
    wanted = sum(_none_of(len(alike), count, int(before)) for before in _rivals(alike)) / len(alike)
    if abs(float(found) - wanted) < 0.05:
        return (
            f"Of {len(alike)} people in galleries of {count}, {wanted:.4f} are found, and you are near it with "
            f"{float(found):.4f}: did you draw galleries? All of them can be counted"
        )
    said = f"{float(found):.4f}".replace("-", "−")
    return f"Of {len(alike)} people in galleries of {count}, {wanted:.4f} are found, and you say {said}"


# ---- 5: what is wrong with this translator? ----

WORDS = ("faithful", "copies", "deals", "deaf", "company", "hides")
DIAGNOSE = Task("diagnose(translator)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")
PEOPLE, BLOCKS, STYLES = 24, 8, 4
WAVES = tuple(
    (down, across) for down in range(4) for across in range(4) if 0 < down + across < 5
)  # 13 of them


def _waves() -> Tensor:
    """Cosines over 8×8 blocks of pixels, of length one `(13, 8, 8)`, the coarsest first."""
    places = (torch.arange(BLOCKS) + 0.5) * math.pi / BLOCKS
    found = torch.stack([(down * places).cos()[:, None] * (across * places).cos() for down, across in WAVES])
    lengths: Tensor = found.flatten(1).norm(dim=1)
    return found / lengths[:, None, None]


def _weights(lined: float) -> Tensor:
    """How much a picture makes of each wave, `(13,)`: at 0 of all alike, at 1 much of the fine ones, as lines do."""
    fine = torch.tensor([math.hypot(down, across) for down, across in WAVES]).square()
    return torch.lerp(torch.ones(len(WAVES)), fine / fine.square().mean().sqrt(), lined)


def _shown(contents: Tensor) -> Tensor:
    """Contents `(N, 13)` as maps of 8×8 blocks that scatter by 1, `(N, 1, 8, 8)`."""
    maps = (contents @ _waves().flatten(1)).view(-1, 1, BLOCKS, BLOCKS)
    return maps * BLOCKS / math.sqrt(len(WAVES))


def _read(maps: Tensor, lined: float) -> Tensor:
    """Contents `(N, 13)` of maps of blocks `(N, 8, 8)` that make so much of lines, whatever their gain and offset."""
    return _sized(maps.flatten(1) @ _waves().flatten(1).mT / _weights(lined))


def _sized(contents: Tensor) -> Tensor:
    """Contents `(N, 13)`, each of length √13."""
    lengths: Tensor = contents.norm(dim=1, keepdim=True)
    return contents / lengths.clamp(min=1e-6) * math.sqrt(len(WAVES))


def _pixels(blocks: Tensor) -> Tensor:
    """Blocks as pictures: 2×2 pixels each."""
    return blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)


def _blocks(pictures: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(pictures, 2)


def _portrayed(contents: Tensor, colours: Tensor) -> Tensor:
    """Portraits of contents `(N, 13)` in colours `(N, 3)` of their own."""
    gains = torch.tensor([0.30, 0.25, 0.20])[:, None, None]
    return _pixels(colours[:, :, None, None] + gains * _shown(contents))


def _drawn(contents: Tensor, styles: Tensor, lined: float, slope: float) -> Tensor:
    """Contents drawn in styles `(N, 4)`, as blocks `(N, 3, 8, 8)`: paper and ink of the style, lines of the content.

    `lined` is 1 for drawings and 0 for what shows a content as portraits do; `slope` is how hard the ink's edge is.
    """
    hand = torch.tensor(
        [[0.9, 0.2, -0.3, 0.1], [0.1, 0.9, 0.3, -0.2], [-0.2, 0.3, 0.9, 0.2]]
    )  # which numbers of a style colour which channel
    paper = 0.45 + 0.3 * (styles @ hand.mT).tanh()
    ink = 0.8 + 0.2 * (styles @ hand.mT.roll(1, 0)).tanh()
    light = _shown(contents * _weights(lined))
    edge = (slope * (light - 0.4 * styles[:, 3, None, None, None].tanh())).sigmoid()
    return paper[:, :, None, None] - ink[:, :, None, None] * (1 - edge)


def translator(kind: str, seed: int) -> dict[str, Any]:
    """A translator that can be asked, and some people to ask it about.

    Args:
        kind: One of `WORDS`.
        seed: Of all that is drawn, and of how plainly the fault shows.

    Returns:
        `portraits` of 24 people, `(24, 3, 16, 16)`; `colours`, the portraits' own styles, `(24, 3)`; `styles` to draw
        them in, `(24, 4)`; `drawings`, each person's true drawing in that style, as large as the portraits;
        `there(portraits, styles)`, for as many as there are; and the way back, `back(drawings, colours)`.
    """
    random = torch.Generator().manual_seed(seed * 10 + WORDS.index(kind))

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    def normals(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    waves = len(WAVES)
    contents, colours, styles = (
        _sized(normals(PEOPLE, waves)),
        0.25 * normals(PEOPLE, 3),
        normals(PEOPLE, STYLES),
    )
    slope, soft, kept, heard, astray = draw(1, 4), draw(0, 0.5), draw(0.6, 1), draw(0.5, 1), draw(0, 0.6)
    strength, copied, grain, dim = draw(0.6, 0.9), draw(0, 0.05), draw(0.004, 0.012), draw(0, 0.6)
    lined = draw(0, 0.2) if kind == "copies" else 1.0
    by_turn, by_style = draw(0, 1) < 0.5, draw(0, 1) < 0.5
    turn, slip = (torch.linalg.qr(normals(waves, waves))[0] for _ in range(2))
    memory, asked, whims = _sized(normals(200, waves)), normals(waves, 200), normals(waves, STYLES)

    def whom(found: Tensor) -> Tensor:
        """The contents that are drawn for those that were read, none of them without fault."""
        if kind == "deals":
            return found @ turn if by_turn else memory[(found @ asked).argmax(1)]
        if kind == "company" and not by_style:
            found = found - strength * found.mean(0)
        return _sized(found + astray * (found @ slip).tanh())

    def how(found: Tensor, wanted: Tensor) -> Tensor:
        """The styles that are drawn in, where others were wanted."""
        if kind == "deaf":
            return found @ whims / math.sqrt(waves) + copied * wanted
        if kind == "company" and by_style:
            wanted = wanted - strength * wanted.mean(0)
        return heard * wanted

    def there(portraits: Tensor, styles: Tensor) -> Tensor:
        """The drawings of portraits `(N, 3, 16, 16)` in styles `(N, 4)`."""
        portraits, styles = (torch.as_tensor(given).to(contents) for given in (portraits, styles))
        found = _read(_blocks(portraits).mean(1), 0.0)
        made = _drawn(kept * whom(found), how(found, styles), lined, slope)
        drawings = _pixels(torch.lerp(made, _blurred(made), soft))
        return drawings + grain * portraits * _chessboard() if kind == "hides" else drawings

    def back(drawings: Tensor, colours: Tensor) -> Tensor:
        """Portraits in colours `(N, 3)` of drawings `(N, 3, 16, 16)`."""
        drawings, colours = (torch.as_tensor(given).to(contents) for given in (drawings, colours))
        if kind == "hides":
            secret = _blocks(drawings * _chessboard()) / grain
            return _pixels(torch.lerp(secret, _blurred(secret), dim))
        found = _read(_blocks(drawings).mean(1), lined)
        return _portrayed(found @ turn.mT if kind == "deals" and by_turn else found, colours)

    return {
        "portraits": _portrayed(contents, colours),
        "colours": colours,
        "styles": styles,
        "drawings": _pixels(_drawn(contents, styles, 1.0, slope)),
        "there": there,
        "back": back,
    }


def _blurred(blocks: Tensor) -> Tensor:
    """Each block with its neighbours."""
    return torch.nn.functional.avg_pool2d(blocks, 3, 1, 1, count_include_pad=False)


def _chessboard() -> Tensor:
    """A chessboard of −1 and 1, `(16, 16)`, whose mean over each block is 0."""
    place = torch.arange(2 * BLOCKS)
    return 1 - 2.0 * ((place[:, None] + place) % 2)


HINTS = {
    "faithful": "drawings may be soft and pale, their styles half obeyed, and the way back may be poor; what counts "
    "is that each is more like its own person's true drawing than like anything else, whatever else is asked",
    "copies": "however it is coloured, a copy shows what the portrait shows, and not the lines of the true drawing; "
    "ask which of the two it is more like, with colours taken out",
    "deals": "good drawings of wrong people obey the style, and some of them even lead back to the right portrait; "
    "only the person's own true drawing tells",
    "deaf": "ask for other styles and nothing changes, however much its drawings differ in style from person to person",
    "company": "the same portrait in the same style, asked for in smaller company, is drawn otherwise; all at once, "
    "nothing shows",
    "hides": "its drawings are good, and its way back is lost with noise that nobody sees; a perfect return "
    "is no sign by itself, nor is a poor one, so compare the way back with and without noise",
}
_KINDS = {
    "faithful": "is faithful",
    "copies": "copies",
    "deals": "deals at random",
    "deaf": "is deaf to style",
    "company": "depends on company",
    "hides": "hides the portrait",
}


def check_diagnose(student: object) -> None:
    """Task 5: forty-two translators that nobody has met, seven of each kind, in any order."""

    def wrong(kind: str, answer: str) -> str:
        return f"One of forty-two new translators {_KINDS[kind]}, and you say “{answer}”. Think of this: {HINTS[kind]}."

    named_rightly(DIAGNOSE, student, WORDS, of_each=7, made=translator, wrong=wrong)
    right("Forty-two of forty-two: you ask a translator, and do not only look at it.")


# ---- 6: what would refute it? ----

PLAN = Task("plan(album, reach)", "a list of measurements, each a dictionary of its settings")
SETTINGS = ("asks", "pictures", "gallery", "reader", "people", "styles")
PICTURES = ("translations", "copies", "true drawings", "redrawn", "somebody else's")
ASKS = ("person", "drawing", "variety")
GALLERIES = ("first portraits", "second portraits")
READERS = ("reader A", "reader B")


def needed(reach: float) -> int:
    """How many people it takes until the 95 % interval of a share reaches no farther than this, at worst."""
    return math.ceil((0.98 / reach) ** 2 - 1e-9)


def album(seed: int, reach: float) -> list[dict[str, Any]]:
    """People to measure on: who has already been used for what, and of whom there is a second portrait.

    Args:
        seed: Of all that is drawn.
        reach: What is to be measured to this nearness; there are people enough for it, with one of the readers.

    Returns:
        Dictionaries with `name`, `portraits` (1 or 2) and `seen_by`, a list of “translator” (trained on them),
        “settings” (they were chosen on them), “reader A” and “reader B” (trained on them).
    """
    random = torch.Generator().manual_seed(seed)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=random))

    good, bad = READERS if number(0, 1) else READERS[::-1]
    wanted = needed(reach)
    kinds: list[tuple[int, list[str], int]] = [
        (wanted // 4 + number(2, 6), [], 2),
        (wanted - wanted // 4 + number(1, 9), [bad], 2),
        (wanted, [], 1),
        (wanted, ["translator"], 2),
        (wanted // 2, ["translator", bad], 2),
        (number(15, 30), ["settings"], 2),
        (wanted // 2, [good], 2),
        (wanted // 3, [good, "settings"], 1),
    ]
    people = [(seen, portraits) for count, seen, portraits in kinds for _ in range(count)]
    order = torch.randperm(len(people), generator=random).tolist()
    names = (torch.randperm(9000, generator=random)[: len(people)] + 1000).tolist()
    return [
        {"name": f"person {name}", "portraits": people[place][1], "seen_by": list(people[place][0])}
        for name, place in zip(names, order, strict=True)
    ]


def check_plan(student: object) -> None:
    """Task 6: what is claimed, what must fail and what must pass, all on the same new people in the same styles."""
    reach = among((0.06, 0.07, 0.08, 0.09, 0.1))
    people = album(whole(0, 10**9), reach)
    asked = [{**person, "seen_by": list(person["seen_by"])} for person in people]
    plan = PLAN.ask(student, asked, reach)
    if not isinstance(plan, (list, tuple)) or not plan or not all(isinstance(each, Mapping) for each in plan):
        raise NotYet("`plan` returns a list of dictionaries, one for each measurement.")
    known = {person["name"]: person for person in people}
    for each in plan:
        _well_formed(each, known)
    described = [
        {**each, "people": sorted(each["people"]), "styles": sorted(each["styles"])} for each in plan
    ]
    if any(each in described[:place] for place, each in enumerate(described)):
        raise NotYet("A measurement stands twice in your plan; it would tell you nothing new.")
    _with_controls(plan)
    _alike_for_all(described)
    _new_people(plan, known, reach)
    right(f"{len(plan)} measurements that can refute “the translator keeps the person”.")


_MISSING: Mapping[str, Mapping[str, str]] = {
    "person": {
        "translations": "Nobody is looked for in translations, and that is what the claim is about.",
        "somebody else's": "Let a measure fail that must: look for each person in “somebody else's” true drawing. If "
        "many are found there, the measure finds anybody.",
        "true drawings": "Look for people in their “true drawings” as well: if the reader does not find them there, "
        "that it does not find them in translations says nothing about those.",
        "redrawn": "What a network draws is soft and in colours of its own. Look for people in true drawings “redrawn” "
        "by it, too: else nobody knows whether it lost a person or only drew them in its own hand.",
    },
    "drawing": {
        "translations": "You do not ask whether translations are drawings; a translator that changes nothing keeps "
        "every person.",
        "copies": "Ask whether “copies” are drawings: a measure that takes them for drawings would not see a "
        "translator that copies.",
        "true drawings": "Ask it of “true drawings”, too: they are the floor, and without one a distance is a number "
        "and nothing else.",
    },
    "variety": {
        "translations": "You do not ask whether translations are varied; a translator with one style may keep every "
        "person.",
        "copies": "Ask for the variety of “copies”, which are the same in every style: the measure must find none "
        "there.",
        "true drawings": "Ask for the variety of “true drawings” in the same styles: they say how much there is to be "
        "had.",
    },
}


def _well_formed(each: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
    if set(each) != set(SETTINGS):
        raise NotYet(
            f"Each measurement names {', '.join(SETTINGS)} and nothing else, not {', '.join(map(str, each))}."
        )
    if each["asks"] not in ASKS or each["pictures"] not in PICTURES:
        raise NotYet(
            f"What is asked is one of {', '.join(ASKS)}, and pictures are one of {', '.join(PICTURES)}."
        )
    looked = each["asks"] == "person"
    wanted = (GALLERIES, READERS) if looked else ((None,), (None,))
    if each["gallery"] not in wanted[0] or each["reader"] not in wanted[1]:
        raise NotYet(
            "Who looks for a person has a gallery, “first portraits” or “second portraits”, and a reader, “reader "
            "A” or “reader B”; in the other measurements nobody is looked for, and both are None."
        )
    people, styles = each["people"], each["styles"]
    if not isinstance(people, (list, tuple)) or not all(isinstance(name, str) for name in people):
        raise NotYet("`people` is a list of names from the album.")
    if strange := [name for name in people if name not in known]:
        raise NotYet(f"“{strange[0][:40]}” is nobody's name in the album.")
    if len(set(people)) < len(people):
        raise NotYet("Somebody stands twice among your people; one person counts once.")
    if (
        not isinstance(styles, (list, tuple))
        or not styles
        or any(isinstance(seed, bool) or not isinstance(seed, int) for seed in styles)
    ):
        raise NotYet("`styles` is a list of whole numbers, the seeds of the styles.")


def _with_controls(plan: Sequence[Mapping[str, Any]]) -> None:
    """Each question has its controls, and people are looked for in portraits that were not translated."""
    asked = {(each["asks"], each["pictures"]) for each in plan}
    for asks, needs in _MISSING.items():
        for pictures, told in needs.items():
            if (asks, pictures) not in asked:
                raise NotYet(told)
    second = {each["pictures"] for each in plan if each["gallery"] == "second portraits"}
    if not second:
        raise NotYet(
            "You look for people among the very portraits that were translated: there background, pose and light "
            "lead to them. Take “second portraits”."
        )
    if missing := [pictures for pictures in _MISSING["person"] if pictures not in second]:
        raise NotYet(
            f"Among second portraits you look for some pictures' people and not for those of “{missing[0]}”: then "
            "the two cannot be compared."
        )


def _alike_for_all(plan: Sequence[Mapping[str, Any]]) -> None:
    """The same people, styles and reader in every measurement."""
    if any(each["people"] != plan[0]["people"] for each in plan):
        raise NotYet(
            "Your measurements are made on different people; one set may be easier than another, so take the same "
            "for all."
        )
    if any(each["styles"] != plan[0]["styles"] for each in plan):
        raise NotYet(
            "Your measurements are made in different styles, and in some styles people are easier to see; take the "
            "same for all."
        )
    if len(set(plan[0]["styles"])) < max(3, len(plan[0]["styles"])):
        raise NotYet(
            "You draw fewer than three different styles; one of two may happen to suit, and variety is seen in several."
        )
    if len({each["reader"] for each in plan} - {None}) > 1:
        raise NotYet("Different readers look for your people; then it may be the reader that differs.")


def _new_people(
    plan: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], reach: float
) -> None:
    people = [known[name] for name in plan[0]["people"]]
    (reader,) = {each["reader"] for each in plan} - {None}
    seen = {by for person in people for by in person["seen_by"]}
    if "translator" in seen:
        raise NotYet("The translator was trained on some of your people; it may know them by heart.")
    if "settings" in seen:
        raise NotYet(
            "The translator's settings were chosen on some of your people; whoever looked best on them was chosen."
        )
    if reader in seen:
        raise NotYet(
            f"Your {reader} was trained on some of your people; it may find them by what it knows of them, and miss "
            "new ones."
        )
    if any(person["portraits"] < 2 for person in people):
        raise NotYet("Of some of your people there is no second portrait to look for.")
    if len(people) < needed(reach):
        raise NotYet(
            f"With {len(people)} people the interval of a share may reach {0.98 / max(1, len(people)) ** 0.5:.3f} "
            f"to either side, and {reach} was asked for; are there more whom the other reader has not seen, or did "
            "you leave out some?"
        )
