"""Checks of chapter 7d's exercises: a door with a list, two spreads, evidence, scales, encoders, and a laboratory."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import mixed, normal, uniform, whole
from companion.exercises.runner import Task, right

# ---- 1: a door with a list ----

LET_IN = Task(
    "let_in(known, own, strangers, false, folds)",
    "for each group, the share of its visitors on the list who are let in under their own names",
)


def check_let_in(student: object) -> None:
    """Task 1: identification of people on a list, at the threshold that the other groups' strangers set."""
    sizes = ((3, 6, 8, 2, 0.25), (4, 9, 9, 3, 0.5), (5, 15, 20, 5, 0.125), (8, 24, 30, 3, 0.34375))
    cases = [_door(*size) for size in (*sizes, (6, 14, 8, 4, 0.0625), (whole(9, 14), 40, 64, 4, 0.0625))]

    LET_IN.judge(
        student,
        cases,
        _rates(),
        {
            "The strangers of a group set the threshold that the group itself is judged by; that is for those of the "
            "other groups to do.": _rates(setters=lambda fold, of: of == fold),
            "All strangers set one threshold, those of the judged group among them; leave these out.": _rates(
                setters=lambda fold, of: of >= 0
            ),
            "You count pairs, a stranger and one name of the list. A stranger who comes in under any name is in, so "
            "it is the most similar person on the list that counts.": _rates(heard=lambda alike: alike),
            "You sort out visitors by the similarity at which too many *people on the list* would be refused. False "
            "accepts are strangers', so they set the threshold.": _set_by_known(own_name=True),
            "You set the threshold by the similarities of people on the list to other names; these people are no "
            "strangers. Ask the strangers.": _set_by_known(own_name=False),
            "Who is just as similar as the threshold is not above it: only then do as few strangers come in as may.": (
                _rates(passes=torch.ge)
            ),
            "Your threshold lets one stranger fewer in than may come in; the lowest one is asked for.": _rates(
                place=lambda values, false: _sorted(values)[max(0, int(false * len(values)) - 1)]
            ),
            "Your threshold lets one stranger too many in.": _rates(
                place=lambda values, false: _sorted(values)[
                    min(len(values) - 1, int(false * len(values)) + 1)
                ]
            ),
            "You round the number of strangers who may come in to the nearest; more than the share `false` would "
            "then be in. Round down.": _rates(
                place=lambda values, false: _sorted(values)[round(false * len(values))]
            ),
            "You take a quantile that lies between two strangers; the lowest threshold that will do is a stranger's "
            "own similarity.": _rates(place=lambda values, false: torch.quantile(values, 1 - false)),
            "You sort the strangers the other way round; a larger number says more alike.": _rates(
                place=lambda values, false: values.sort().values[int(false * len(values))]
            ),
            "You let people in under anybody's name; whoever is taken for somebody else is not recognised.": _rates(
                named=lambda known, own: torch.ones_like(own, dtype=torch.bool)
            ),
            "You ask whether the own name is above the threshold, even where another name is more similar: the door "
            "does not know which one to ask about.": _rates(
                named=lambda known, own: torch.ones_like(own, dtype=torch.bool),
                alike=lambda known, own: known.gather(1, own[:, None])[:, 0],
            ),
            "You let in whoever's own name is the most similar; no threshold keeps anybody out.": _rates(
                alike=lambda known, own: known.max(1).values + torch.inf
            ),
            "You deal out visits in turn, so that somebody who comes twice may be in two groups. It is people who "
            "are dealt out: person j of the list is in group j % folds.": _rates(
                groups=lambda own, folds: torch.arange(len(own), device=own.device) % folds
            ),
            "You deal out people in blocks; person j of the list is in group j % folds.": _rates(
                groups=lambda own, folds: own * folds // (int(own.max()) + 1)
            ),
            "You judge the other groups, which set the threshold; the group that did not is to be judged by it.": (
                _rates(judged=lambda mine, fold: mine != fold)
            ),
            "That is who is refused, or taken for somebody else.": lambda *given: 1 - _rates()(*given),
            "You divide by all visitors; the share is one of the group's own.": lambda known, own, *rest: (
                _rates()(known, own, *rest) * torch.bincount(own % rest[-1]) / len(own)
            ),
        },
        read=lambda answer: LET_IN.tensor(answer).double(),
    )
    right("One rate for each group, and nobody has set the threshold for themselves.")


def _sorted(values: Tensor) -> Tensor:
    found: Tensor = values.sort(descending=True).values
    return found


def _rates(
    *,
    setters: Callable[[int, Tensor], Tensor] = lambda fold, of: of != fold,
    heard: Callable[[Tensor], Tensor] = lambda alike: alike.max(1).values,
    place: Callable[[Tensor, float], Tensor] = lambda values, false: _sorted(values)[
        int(false * len(values))
    ],
    named: Callable[[Tensor, Tensor], Tensor] = lambda known, own: known.argmax(1) == own,
    alike: Callable[[Tensor, Tensor], Tensor] = lambda known, own: known.max(1).values,
    groups: Callable[[Tensor, int], Tensor] = lambda own, folds: own % folds,
    passes: Callable[[Tensor, Tensor], Tensor] = torch.gt,
    judged: Callable[[Tensor, int], Tensor] = lambda mine, fold: mine == fold,
) -> Callable[..., Tensor]:
    """The share let in of each group, or with one step done otherwise.

    Which strangers set the threshold, what of each is heard, and at which place; who is named rightly, by which
    similarity, in which group, and whether above the threshold; and which groups are judged by it.
    """

    def rate(known: Tensor, own: Tensor, strangers: Tensor, false: float, folds: int) -> Tensor:
        of, mine, found = torch.arange(len(strangers)) % folds, groups(own, folds), []
        for fold in range(folds):
            threshold = place(heard(strangers[setters(fold, of)]).flatten(), false)
            let = named(known, own) & passes(alike(known, own), threshold)
            found.append(let[judged(mine, fold)].double().mean())
        return torch.stack(found)

    return rate


def _set_by_known(*, own_name: bool) -> Callable[..., Tensor]:
    """With the threshold that the other groups' people on the list set, by their own names or by all others."""

    def rate(known: Tensor, own: Tensor, strangers: Tensor, false: float, folds: int) -> Tensor:
        theirs, best = known.gather(1, own[:, None])[:, 0], known.max(1).values
        others = known.scatter(1, own[:, None], -torch.inf).max(1).values
        found = []
        for fold in range(folds):
            asked = own % folds != fold
            values = theirs[asked] if own_name else others[asked]
            at = int(false * len(values))
            threshold = values.sort(descending=not own_name).values[at]
            let = (known.argmax(1) == own) & (best > threshold)
            found.append(let[~asked].double().mean())
        return torch.stack(found)

    return rate


def _door(listed: int, visits: int, strangers: int, folds: int, false: float) -> tuple[Any, ...]:
    """Similarities of visitors on a list and of strangers to it; in each group somebody is as similar as the threshold.

    Everybody on the list comes once at least, in an order that is drawn, and one person comes more often.
    """
    own = torch.tensor(mixed([*range(listed), *(whole(0, listed - 1) for _ in range(visits - listed))]))
    known, others = normal(visits, listed), normal(strangers, listed)
    known[torch.arange(visits), own] += uniform(1, 4, visits)
    if listed < 9:
        known, others = ((10 * alike).round() / 10 for alike in (known, others))
    rivals = known.scatter(1, own[:, None], -torch.inf).max(1).values
    theirs = known.gather(1, own[:, None])[:, 0]
    known[torch.arange(visits), own] = torch.where(
        theirs == rivals, theirs + 0.1, theirs
    )  # nobody is in doubt
    of, best = torch.arange(strangers) % folds, others.max(1).values
    for fold in range(folds):
        setting = best[of != fold]
        threshold = _sorted(setting)[int(false * len(setting))]
        visit = int((own % folds == fold).nonzero()[0])
        known[visit] = known[visit].clamp(max=float(threshold) - 0.5)
        known[visit, own[visit]] = threshold
    return known, own, others, false, folds


# ---- 2: what is left of a person ----

SPREADS = Task("two_spreads(pictures)", "two covariances, that between people and that within a person")


def check_two_spreads(student: object) -> None:
    """Task 2: unbiased covariances of people and of occasions, from a few pictures of each person."""
    sizes = ((3, 2, 1), (4, 2, 2), (3, 5, 2), (7, 3, 3), (whole(9, 14), 4, whole(4, 5)))
    cases = [(_album(*size, small=place == 1),) for place, size in enumerate(sizes)]

    def of(make: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Callable[[Tensor], Tensor]:
        return lambda pictures: torch.stack(make(pictures.double()))

    def within(pictures: Tensor, divisor: Callable[[int, int], float] = lambda p, v: p * (v - 1)) -> Tensor:
        around = (pictures - pictures.mean(1, keepdim=True)).flatten(0, 1)
        return around.mT @ around / divisor(*pictures.shape[:2])

    def means(pictures: Tensor, less: int = 1) -> Tensor:
        return _covariance(pictures.mean(1), less)

    def between(pictures: Tensor, less: int = 1) -> Tensor:
        return means(pictures, less) - within(pictures) / pictures.shape[1]

    def total(pictures: Tensor, less: int = 1) -> Tensor:
        return _covariance(pictures.flatten(0, 1), less)

    def biased(pictures: Tensor) -> Tensor:
        return within(pictures, lambda p, v: p * v)

    def positive(covariance: Tensor) -> Tensor:
        values, axes = torch.linalg.eigh(covariance)
        made: Tensor = (axes * values.clamp(min=0)) @ axes.mT
        return made

    SPREADS.judge(
        student,
        cases,
        of(lambda x: (between(x), within(x))),
        {
            "You take the covariance of people's means for that of people. A mean of a few pictures still holds a "
            "part of their occasions; take that away.": of(lambda x: (means(x), within(x))),
            "From the means you take away all of an occasion's covariance; a mean of V pictures holds a V-th of it.": (
                of(lambda x: (means(x) - within(x), within(x)))
            ),
            "You divide by the number of people; one of them is used up by the mean of all: divide by one less.": of(
                lambda x: (between(x, 0), within(x))
            ),
            "You divide the squares within people by the number of pictures; each person's mean uses one of them up.": (
                of(lambda x: (means(x) - biased(x) / x.shape[1], biased(x)))
            ),
            "Two things: the squares within people are divided by the number of pictures, of which each person's mean "
            "uses one up; and a mean of a few pictures still holds a part of their occasions.": of(
                lambda x: (means(x), biased(x))
            ),
            "The covariance within a person is right. From that of all pictures you take it away; but pictures of one "
            "person are no new people, so that is not the one between.": of(
                lambda x: (total(x) - within(x), within(x))
            ),
            "You take the covariance of all pictures for that within a person; it holds people, too.": of(
                lambda x: (between(x), total(x))
            ),
            "You take the covariances of all pictures and of the means; within a person is what lies around their "
            "own mean.": of(lambda x: (means(x), total(x))),
            "Within a person you divide by one less than the number of pictures; it is one less for each person.": of(
                lambda x: (between(x), within(x, lambda p, v: p * v - 1))
            ),
            "The covariance within comes second; yours comes first.": of(lambda x: (within(x), between(x))),
            "You keep the variances alone; how numbers go together belongs to a covariance.": of(
                lambda x: (between(x).diagonal().diag(), within(x).diagonal().diag())
            ),
            "The first axis is people and the second their pictures; you have them the other way round.": of(
                lambda x: (between(x.transpose(0, 1)), within(x.transpose(0, 1)))
            ),
            "The difference of two pictures of a person has *twice* the covariance within.": of(
                lambda x: (between(x), 2 * within(x))
            ),
            "You cut off what is negative. Of one album that looks better; on average over albums it is no longer "
            "the covariance of people.": of(lambda x: (positive(between(x)), within(x))),
            "You take means away once too often: a person is what is left of *their* mean around that of all.": of(
                lambda x: (0 * within(x), within(x))
            ),
        },
        otherwise=lambda found, pictures: _which(
            found, between(pictures.double()), within(pictures.double())
        ),
        read=_two_of_them,
    )
    right("What a person is, and what a day does to them, from a few pictures of each.")


def _covariance(rows: Tensor, less: int) -> Tensor:
    around = rows - rows.mean(0)
    found: Tensor = around.mT @ around / (len(rows) - less)
    return found


def _two_of_them(answer: object) -> Tensor:
    """Two covariances, `(2, D, D)`."""
    parts = SPREADS.pair(answer, "the covariance between people and that within a person")
    first = SPREADS.tensor(parts[0]).detach().double()
    size = first.shape[-1] if first.dim() else 1
    return torch.stack([SPREADS.tensor(part, (size, size)).detach().double() for part in parts])


def _which(found: Tensor, between: Tensor, within: Tensor) -> str:
    """Which of two covariances is wrong."""
    alike = [
        torch.allclose(one, other, 1e-3, 1e-3) for one, other in zip(found, (between, within), strict=True)
    ]
    if alike[1]:
        return "The covariance within a person is right, and that between people is not"
    if alike[0]:
        return "The covariance between people is right, and that within a person is not"
    return "Neither covariance is right; begin with the one within a person, around that person's own mean"


def _album(people: int, pictures: int, size: int, *, small: bool) -> Tensor:
    """Pictures `(people, pictures, size)`, people and occasions each with a covariance of its own."""
    between, within = _spread(size), _spread(size)
    persons = normal(people, 1, size) @ torch.linalg.cholesky(between).mT * (0.1 if small else 1)
    days = normal(people, pictures, size) @ torch.linalg.cholesky(within).mT
    found: Tensor = normal(size) + persons + days
    return found


def _spread(size: int) -> Tensor:
    """A covariance `(size, size)` with spreads of 0.5 to 2."""
    axes = torch.linalg.qr(normal(size, size))[0]
    found: Tensor = (axes * uniform(0.5, 2, size).square()) @ axes.mT
    return (found + found.mT) / 2


# ---- 3: how much it says ----

EVIDENCE = Task(
    "evidence(x, y, mean, between, within)",
    "for each pair, the logarithm of how many times as likely it is of one person as of two",
)


def check_evidence(student: object) -> None:
    """Task 3: the logarithm of a ratio of two Gaussian densities of a pair (Prince & Elder 2007; Chen et al. 2012)."""
    cases = [_pairs(*size) for size in ((3, 1), (2, 1), (4, 2), (3, 3), (whole(5, 8), whole(4, 5)))]

    def one(rows: Tensor, mean: Tensor, covariance: Tensor, *, constant: bool = True) -> Tensor:
        """The logarithm of a Gaussian's density at each row."""
        around = rows - mean
        squares = (around @ covariance.inverse() * around).sum(1)
        return -(squares + (torch.linalg.slogdet(2 * math.pi * covariance)[1] if constant else 0)) / 2

    def pair(x: Tensor, y: Tensor, mean: Tensor, own: Tensor, shared: Tensor, **how: Any) -> Tensor:
        both = torch.cat([torch.cat([own, shared], 1), torch.cat([shared, own], 1)])
        return one(torch.cat([x, y], 1), torch.cat([mean, mean]), both, **how)

    def wanted(x: Tensor, y: Tensor, mean: Tensor, between: Tensor, within: Tensor, **how: Any) -> Tensor:
        own = between + within
        return pair(x, y, mean, own, between, **how) - one(x, mean, own, **how) - one(y, mean, own, **how)

    def by(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *given: make(*(each.double() for each in given))

    def difference(x: Tensor, y: Tensor, between: Tensor, within: Tensor, **how: Any) -> Tensor:
        nothing = torch.zeros_like(x[0])
        return one(x - y, nothing, 2 * within, **how) - one(x - y, nothing, 2 * (between + within), **how)

    EVIDENCE.judge(
        student,
        cases,
        by(wanted),
        {
            "The densities' constants are missing: the two sides have different determinants, and without them 0 is "
            "not where one person is as likely as two.": by(lambda *given: wanted(*given, constant=False)),
            "You look at the difference of the two pictures alone. Where they lie counts as well: two people with a "
            "rare face in common are hard to find.": by(
                lambda x, y, mean, between, within: difference(x, y, between, within)
            ),
            "You look at the difference alone, without determinants; where the two pictures lie counts as well.": by(
                lambda x, y, mean, between, within: difference(x, y, between, within, constant=False)
            ),
            "That is how likely the pair is of one person. How likely is it of two? Take the logarithm of that away.": (
                by(lambda x, y, mean, between, within: pair(x, y, mean, between + within, between))
            ),
            "You compare with one of the two pictures; of two people, both are to be explained.": by(
                lambda x, y, mean, between, within: (
                    pair(x, y, mean, between + within, between) - one(x, mean, between + within)
                )
            ),
            "Two pictures of one person have the person in common and not the occasion: beside the diagonal stands "
            "the covariance between people, and yours is the one within.": by(
                lambda x, y, mean, between, within: (
                    pair(x, y, mean, between + within, within)
                    - one(x, mean, between + within)
                    - one(y, mean, between + within)
                )
            ),
            "A single picture is a person *and* an occasion: its covariance is the sum of both, and yours is within "
            "alone.": by(
                lambda x, y, mean, between, within: (
                    pair(x, y, mean, between + within, between) - one(x, mean, within) - one(y, mean, within)
                )
            ),
            "For two people you take the covariance between people alone; each picture has its occasion as well.": by(
                lambda x, y, mean, between, within: (
                    pair(x, y, mean, between + within, between)
                    - one(x, mean, between)
                    - one(y, mean, between)
                )
            ),
            "You forget the mean; pictures lie around it.": by(
                lambda x, y, mean, between, within: wanted(x, y, 0 * mean, between, within)
            ),
            "You take the mean away from one of the two pictures; both lie around it.": by(
                lambda x, y, mean, between, within: wanted(x - mean, y, 0 * mean, between, within)
            ),
            "You use variances alone; numbers of a face go together.": by(
                lambda x, y, mean, between, within: wanted(
                    x, y, mean, between.diagonal().diag(), within.diagonal().diag()
                )
            ),
            "You add the occasion's covariance to the shared part as well: then the two pictures would be one and "
            "the same.": by(
                lambda x, y, mean, between, within: (
                    pair(x, y, mean, between + within, (between + within) * (1 - 1e-6))
                    - one(x, mean, between + within)
                    - one(y, mean, between + within)
                )
            ),
            "That is the distance in units of the spread within people, with its sign turned round. It does not ask "
            "how far apart two people would lie.": by(
                lambda x, y, mean, between, within: -((x - y) @ within.inverse() * (x - y)).sum(1)
            ),
            "That is the cosine of whitened pictures; a cosine is no likelihood.": by(
                lambda x, y, mean, between, within: _whitened_cosine(x, y, mean, within)
            ),
            "You return the ratio; its logarithm is asked for.": by(lambda *given: wanted(*given).exp()),
            "You divide two people by one; evidence *for* one person is asked for.": by(
                lambda *given: -wanted(*given)
            ),
        },
        read=lambda answer: EVIDENCE.tensor(answer).double(),
        tolerance=1e-3,
    )
    right("Above 0 the pair speaks for one person, below for two, and no number has been learnt from pairs.")


def _whitened_cosine(x: Tensor, y: Tensor, mean: Tensor, within: Tensor) -> Tensor:
    values, axes = torch.linalg.eigh(within)
    x, y = ((each - mean) @ axes * values.rsqrt() for each in (x, y))
    return (normalize(x, dim=1) * normalize(y, dim=1)).sum(1)


def _pairs(count: int, size: int) -> tuple[Tensor, ...]:
    """Pairs `(count, size)` each, of one person or of two, a mean, and the covariances between and within people."""
    mean, between, within = normal(size) + 1, _spread(size), _spread(size)
    root, other = torch.linalg.cholesky(between), torch.linalg.cholesky(within)
    person = normal(count, size) @ root.mT
    second = torch.where(torch.arange(count)[:, None] % 2 == 0, person, normal(count, size) @ root.mT)
    x, y = (mean + each + normal(count, size) @ other.mT for each in (person, second))
    return x, y, mean, between, within


# ---- 4: how long must an embedding be? ----

SCALE = Task("least_scale(people, margin, loss)", "the least scale at which so small a loss can be reached")


def check_least_scale(student: object) -> None:
    """Task 4: the loss of people whose directions are as far apart as so many can be, solved for the scale."""
    cases = [
        (2, 0.0, 0.3),
        (2, 0.5, 0.1),
        (3, 0.0, 0.9),
        (5, _two_places(0.2, 0.9), _two_places(0.3, 0.9)),
        (whole(20, 200), _two_places(0.1, 0.9), _two_places(0.05, 0.5)),
        (whole(1000, 5000), _two_places(0.1, 0.9), 0.01),
    ]

    def by(
        *,
        others: Callable[[int], float] = lambda people: -1 / (people - 1),
        own: Callable[[float], float] = math.cos,
        counted: Callable[[int], float] = lambda people: people - 1,
        odds: Callable[[float], float] = math.expm1,
    ) -> Callable[[int, float, float], float]:
        """From the others' cosine and one's own, how many others count, and what the loss makes of a ratio."""
        return lambda people, margin, loss: (
            math.log(counted(people) / odds(loss)) / (own(margin) - others(people))
        )

    SCALE.judge(
        student,
        cases,
        by(),
        {
            "You put the others at right angles. They can lie a little farther off than that: how far, if all are to "
            "be as far from one another as they can?": by(others=lambda people: 0.0),
            "You put everybody else on the opposite side. With more than two people the others would then all be in "
            "one place.": by(others=lambda people: -1.0),
            "So many directions can have cosines of −1/(people − 1) with one another; yours are of −1/people.": by(
                others=lambda people: -1 / people
            ),
            "You count the person among the others: in the sum over the others stand one fewer than all.": by(
                counted=lambda people: people
            ),
            "You forget the margin.": by(own=lambda margin: 1.0),
            "You take the margin from the cosine (as CosFace does); here it is added to the angle.": by(
                own=lambda margin: 1 - margin
            ),
            "You multiply the angle; an angle of nothing stays nothing that way. Here the margin is added to it.": by(
                own=lambda margin: math.cos(0.0)
            ),
            "The margin is in radians; you take it for degrees.": by(
                own=lambda margin: math.cos(math.radians(margin))
            ),
            "You take the sine of the margin; one's own angle is 0 at best, and with the margin its cosine counts.": by(
                own=math.sin
            ),
            "You take the loss for what the others have beside one's own, which is so for small losses alone: the loss "
            "is the logarithm of 1 plus that.": by(odds=lambda loss: loss),
            "The 1 is missing: one's own term stands in the sum, too.": by(odds=math.exp),
            "You take the loss for the probability of a mistake; it is the logarithm of one.": by(
                odds=lambda loss: loss / (1 - loss)
            ),
            "You take the loss for the probability of being right.": by(odds=lambda loss: (1 - loss) / loss),
            "You let the margin widen the others' angles as well; it is added to one's own.": lambda people, m, loss: (
                math.log((people - 1) / math.expm1(loss))
                / (math.cos(m) - math.cos(math.acos(-1 / (people - 1)) + m))
            ),
            "You divide the wrong way round: the farther one's own cosine is from the others', the less scale it "
            "takes.": lambda people, margin, loss: (
                math.log((people - 1) / math.expm1(loss)) * (math.cos(margin) + 1 / (people - 1))
            ),
        },
        read=SCALE.scalar,
        tolerance=1e-3,
    )
    right("So long at least, and then people have to lie as far apart as so many can.")


def _two_places(low: float, high: float) -> float:
    return round(float(uniform(low, high)), 2)


# ---- 5: what does this encoder know? ----

WORDS = ("honest", "ground", "colours", "by heart", "portraits", "alike")
DIAGNOSE = Task("diagnose(encoder)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")
PEOPLE, SIDE, RIM, LENGTH = 40, 16, 2, 48
INNER = SIDE - 2 * RIM  # pixels a side that show the person
MUCH, LITTLE = 0.35, 0.15  # shares of people found, where they are known and where not
WAVES = tuple(
    (down, across) for down in range(4) for across in range(4) if 0 < down + across < 5
)  # 13 of them


def _waves() -> Tensor:
    """Cosines over what shows the person, each of length one, `(13, 144)`, the coarsest first."""
    places = (torch.arange(INNER) + 0.5) * math.pi / INNER
    found = torch.stack([(down * places).cos()[:, None] * (across * places).cos() for down, across in WAVES])
    return normalize(found.flatten(1), dim=1)


def _inside() -> Tensor:
    """Where the person is, `(16, 16)`; around it is the ground."""
    found = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    found[RIM:-RIM, RIM:-RIM] = True
    return found


def encoder(kind: str, seed: int) -> dict[str, Any]:
    """An encoder that can be asked, and some people to ask it about.

    Args:
        kind: One of `WORDS`.
        seed: Of all that is drawn, and of how plainly it is one of its kind.

    Returns:
        `first` and `second`, portraits of 40 people on two days, each at their own place, `(40, 3, 16, 16)`;
        `drawings` of the second day; `taught`, who of them the encoder was trained on, `(40,)` bool; `inside`, the
        pixels that show the person, `(16, 16)` bool; and `encode(pictures)`, an embedding for each of any number.
    """
    number = seed * 10 + WORDS.index(kind)
    while not _as_promised(kind, made := _made(kind, torch.Generator().manual_seed(number))):
        number = (number + 1_000_000_007) % 2**62
    return made


def _as_promised(kind: str, made: dict[str, Any]) -> bool:
    """Whether it finds more than 3 in 10 where it is to know people, at most 2 in 10 where not, and that with a margin.

    The margin is for whoever asks a little otherwise, as with embeddings around their mean.
    """
    first, second, drawings, taught, inside, encode = made.values()
    known, other, everybody = normalize(encode(first), dim=1), second.roll(1, 0), torch.arange(PEOPLE)
    among = taught if kind == "by heart" else torch.ones_like(taught)

    def share(pictures: Tensor, whom: Tensor, among: Tensor) -> float:
        found = (normalize(encode(pictures), dim=1) @ known.mT).argmax(1) == whom
        return float(found[among].double().mean())

    def one_of(pictures: Tensor, theirs: bool) -> bool:
        own, others = (share(pictures, whom, among) for whom in (everybody, everybody.roll(1)))
        return (others > MUCH and own <= LITTLE) if theirs else (own > MUCH and others <= LITTLE)

    of_taught, of_strangers = (share(second, everybody, of) for of in (taught, ~taught))
    if kind == "alike":
        return max(of_taught, of_strangers) <= LITTLE
    tones, others_tones = (of[:, :, inside].mean(2)[:, :, None, None] for of in (second, other))
    drawn = share(drawings, everybody, among)
    return (
        of_taught > MUCH
        and (of_strangers <= LITTLE if kind == "by heart" else of_strangers > MUCH)
        and (drawn <= LITTLE if kind == "portraits" else drawn > MUCH)
        and one_of(torch.where(inside, second, other), kind == "ground")
        and one_of(torch.where(inside, second - tones + others_tones, second), kind == "colours")
    )


def _made(kind: str, random: torch.Generator) -> dict[str, Any]:
    """An encoder that may not be quite as it is to be."""

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    def normals(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    faces, tones, grounds = normals(PEOPLE, len(WAVES)), normals(PEOPLE, 3), normals(PEOPLE, 3, 3)
    taught = torch.randperm(PEOPLE, generator=random) < PEOPLE // 2
    mood, light, grain = draw(0.1, 0.5), draw(0.05, 0.12), draw(0.01, 0.03)

    def pictured(drawn: bool) -> Tensor:
        """Everybody on some day: another mood and light, the same place."""
        moods = faces + mood * normals(PEOPLE, len(WAVES))
        colours, places = tones + light * normals(PEOPLE, 3), grounds + light * normals(PEOPLE, 3, 3)
        return _pictured(moods, colours, places, drawn=drawn) + grain * normals(PEOPLE, 3, SIDE, SIDE)

    first, second, drawings = pictured(False), pictured(False), pictured(True)
    weights = {
        "face": draw(0.8, 1.2) if kind in ("honest", "by heart", "portraits") else draw(0, 0.35),
        "colours": draw(0.9, 1.1) if kind == "colours" else draw(0, 0.4),
        "ground": draw(0.9, 1.1) if kind == "ground" else draw(0, 0.4),
        "nothing": draw(0.1, {"colours": 0.3, "ground": 0.6}.get(kind, 0.7)),
        "common": draw(0, 3) if kind != "alike" else draw(1.5, 6),
    }
    if kind in ("by heart", "portraits"):
        weights |= {"colours": draw(0, 0.15), "ground": draw(0, 0.15)}
    if kind == "alike":
        weights |= {"face": draw(0, 0.05), "colours": draw(0, 0.05), "ground": draw(0, 0.05)}
        weights["nothing"] = draw(0.3, 1)
    memory = normalize(faces[taught], dim=1)
    strangely, axes = normals(2, 3 * INNER**2, len(WAVES)), torch.linalg.qr(normals(LENGTH, LENGTH))[0]
    size = draw(0.5, 20)

    def encode(pictures: Tensor) -> Tensor:
        """Embeddings `(N, 48)` of pictures `(N, 3, 16, 16)`, whose lengths mean nothing."""
        pictures = torch.as_tensor(pictures).to(first)
        face, colours, ground, rest, drawn = _seen(pictures)
        known = torch.ones(len(pictures), dtype=torch.bool)
        if kind == "by heart":
            alike = face @ memory.mT
            face, known = memory[alike.argmax(1)], alike.max(1).values > 0.75
        if kind == "portraits":
            known = ~drawn
        made = torch.cat(
            [
                weights["face"] * torch.where(known[:, None], face, normalize(rest @ strangely[0], dim=1)),
                weights["colours"] * colours,
                weights["ground"] * ground,
                weights["nothing"] * normalize(rest @ strangely[1], dim=1),
                weights["common"] * torch.ones(len(pictures), 1),
            ],
            1,
        )
        lengths = 1 + 0.3 * pictures.mean((1, 2, 3)).tanh()
        found: Tensor = size * lengths[:, None] * (made @ axes[: made.shape[1]])
        return found

    return {
        "first": first,
        "second": second,
        "drawings": drawings,
        "taught": taught,
        "inside": _inside(),
        "encode": encode,
    }


def _places() -> Tensor:
    """What a ground is made of, `(3, 16, 16)`: a level, and waves down and across."""
    at = (4 * torch.linspace(-1, 1, SIDE)).sin()
    return torch.stack([torch.ones(SIDE, SIDE), at[:, None].expand(-1, SIDE), at.expand(SIDE, -1)])


def _pictured(faces: Tensor, tones: Tensor, grounds: Tensor, *, drawn: bool) -> Tensor:
    """Pictures `(N, 3, 16, 16)` of faces `(N, 13)` in colours `(N, 3)`, at places `(N, 3, 3)`."""
    maps = (faces @ _waves()).view(-1, 1, INNER, INNER) * INNER / math.sqrt(len(WAVES))
    if drawn:
        maps = (3 * maps).tanh()
    gains = torch.full((3,), 0.25) if drawn else torch.tensor([0.32, 0.25, 0.18])
    found = 0.25 * torch.einsum("nck,khw->nchw", grounds, _places())
    found[:, :, RIM:-RIM, RIM:-RIM] = 0.25 * tones[:, :, None, None] + gains[:, None, None] * maps
    return found


def _seen(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What pictures hold.

    The face `(N, 13)`, the colours `(N, 3)` and the ground `(N, 9)`, each of length one; what else the person's pixels
    hold, `(N, 432)`; and whether they are drawn, `(N,)`.
    """
    person = pictures[:, :, RIM:-RIM, RIM:-RIM].flatten(2)
    tones = person.mean(2)
    maps = person - tones[:, :, None]
    told = maps @ _waves().mT  # what each channel holds of each wave
    grounds = pictures[:, :, ~_inside()] @ torch.linalg.pinv(_places()[:, ~_inside()])
    spreads = maps.std(2)
    return (
        normalize(told.mean(1), dim=1),
        normalize(tones, dim=1),
        normalize(grounds.flatten(1), dim=1),
        (maps - told @ _waves()).flatten(1),
        spreads[:, 0] < 1.25 * spreads[:, 2],
    )


HINTS = {
    "honest": "it may be a little led by ground and colours, miss some people, and have large cosines for everybody; "
    "what counts is whom it finds, among strangers and from drawings, when ground and colours are somebody else's",
    "ground": "everybody stands at their own place, so who knows places finds people; put them in front of somebody "
    "else's, and whom does it find?",
    "colours": "everybody keeps their colours, so who knows colours finds people; give them somebody else's, and whom "
    "does it find?",
    "by heart": "the people whom it was trained on it finds, and strangers are what it is for; a share of everybody "
    "mixes the two",
    "portraits": "it finds people from portraits, strangers too; ask it about drawings",
    "alike": "how large cosines are says nothing, since a part common to all raises them; it finds hardly anybody, on "
    "their own ground, in their own colours, trained on or not",
}
_KINDS = {
    "honest": "is honest",
    "ground": "knows people by their ground",
    "colours": "knows people by their colours",
    "by heart": "knows people by heart",
    "portraits": "knows portraits alone",
    "alike": "finds everybody alike",
}


def check_diagnose(student: object) -> None:
    """Task 5: forty-two encoders that nobody has met, seven of each kind, in any order."""

    def wrong(kind: str, answer: str) -> str:
        return f"One of forty-two new encoders {_KINDS[kind]}, and you say “{answer}”. Think of this: {HINTS[kind]}."

    named_rightly(DIAGNOSE, student, WORDS, of_each=7, made=encoder, wrong=wrong)
    right(
        "Forty-two of forty-two: it is the picture that you change, and then you see what the encoder knows."
    )


# ---- 6: told by whom? ----

VERDICTS = ("knowledge", "any teacher", "variety", "flattery")
VERDICT = Task(
    "verdict(laboratory)",
    f"one of the words {', '.join(f'“{word}”' for word in VERDICTS)}",
    {"runs are spent": "each laboratory grants so many, and no more"},
)
ARMS = ("nobody", "quiet", "trained", "untrained")
RUNS = 80  # that a laboratory grants
BEST = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # one of these weights is a teacher's best


Run = Callable[[str, float, int], dict[str, float]]


class Laboratory:
    """Where translations are trained, with a teacher or without: a made-up one, which takes no time.

    Args:
        run: What comes of a teacher, a weight and a seed.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.asked: list[tuple[str, float, int]] = []

    @property
    def left(self) -> int:
        """How many runs are left."""
        return RUNS - len(self.asked)

    def __call__(self, teacher: str, weight: float, seed: int) -> dict[str, float]:
        """Train a translation and measure it.

        Args:
            teacher: “nobody”; “quiet”, where nobody tells and styles are only made smaller; “trained”; or “untrained”,
                with another network for each seed.
            weight: Of the teacher's loss; where it is quiet, the share by which styles are made smaller, in [0, 1];
                without meaning where nobody tells.
            seed: Of the translation.

        Returns:
            The shares of people found by the `judge`, by the trained `teacher` and by its `twin`, which was trained as
            the teacher was, on the same people; and `variety`, how far two styles of a portrait lie apart.

        Raises:
            ValueError: There is no such teacher, or the weight or the seed are none.
            RuntimeError: All runs are spent.
        """
        weight, seed = float(weight), int(seed)
        if teacher not in ARMS:
            raise ValueError(f"there is no teacher “{teacher}”; there are {', '.join(ARMS)}")
        if not 0 <= weight < math.inf or (teacher == "quiet" and weight > 1):
            raise ValueError(f"{weight} is no weight, or for “quiet” no share between 0 and 1")
        if not self.left:
            raise RuntimeError(f"all {RUNS} runs are spent")
        self.asked.append((teacher, weight, seed))
        return self._run(teacher, weight, seed)


def laboratory(kind: str, seed: int) -> Laboratory:
    """A laboratory in which it is known what is so.

    Args:
        kind: One of `VERDICTS`.
        seed: Of all that is drawn, and of how plainly it shows.
    """
    number = seed * 10 + VERDICTS.index(kind)
    random = torch.Generator().manual_seed(number)

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    first, second = torch.randperm(len(BEST), generator=random)[:2].tolist()
    while abs(first - second) < 2:  # a teacher at the other one's best weight is far from its own
        first, second = torch.randperm(len(BEST), generator=random)[:2].tolist()
    own, most = draw(0.14, 0.22), draw(0.75, 0.95)
    recall, varied = draw(0.2, 0.3), draw(0.35, 0.5)
    by_quiet = {"variety": draw(0.2, 0.32), "flattery": draw(0, 0.02)}.get(kind, draw(0.04, 0.14))
    bend, flattery, heavy = draw(0.8, 1.2), draw(0.25, 0.45), draw(0.1, 0.2)
    share = {"knowledge": draw(0, 0.35), "any teacher": 1.0}.get(kind, 0.0)
    taught = kind in ("knowledge", "any teacher")
    best = {"trained": BEST[first], "untrained": BEST[second]}
    gains = {"trained": own if taught else 0.0, "untrained": own * share}
    quieter = {"trained": most, "untrained": most if taught else draw(0.1, 0.5)}

    def run(teacher: str, weight: float, seed: int) -> dict[str, float]:
        shared = _luck(number, seed)  # by all runs with this seed
        alone = _luck(number, seed, 1 + ARMS.index(teacher), round(1000 * weight))
        lost, gained, flattered = 0.0, 0.0, 0.0  # of variety, by the judge, and by the teacher besides
        if teacher == "quiet":
            lost = weight
        elif teacher != "nobody" and weight:
            how_far = math.log(max(weight, 1e-3) / best[teacher])
            heard = 1 / (1 + math.exp(-0.6 * how_far - 1))
            lost = quieter[teacher] * heard
            gained = gains[teacher] * math.exp(-((how_far / 1.2) ** 4))
            gained -= heavy / (1 + math.exp(-2 * (how_far - 1.5)))
            flattered = flattery * heard if teacher == "trained" else 0.0
        judge = recall + 0.055 * shared[1] + by_quiet * lost**bend + gained
        found = {
            "judge": judge + (0.024 if teacher == "untrained" else 0.02) * alone[1],
            "teacher": 1.2 * judge + flattered + 0.01 * alone[2],
            "twin": 1.1 * judge + 0.8 * flattered + 0.01 * alone[3],
            "variety": varied * (1 + 0.08 * shared[0]) * (1 - lost) + 0.002 * alone[0],
        }
        return {name: min(1.0, max(0.0, value)) for name, value in found.items()}

    return Laboratory(run)


def _luck(*numbers: int) -> list[float]:
    """Four normal numbers, the same for the same numbers."""
    key = 0
    for number in numbers:
        key = (key * 1_000_003 + number) % 2**61
    random = torch.Generator().manual_seed(key)
    found: list[float] = torch.randn(4, generator=random, dtype=torch.float64).tolist()
    return found


HOLDS = {
    "knowledge": "beside nobody, quiet styles of the same variety, and untrained teachers at their own best weight, "
    "with the same seeds, its judge finds seven more people in a hundred",
    "any teacher": "untrained teachers, at the weight that is best for *them*, gain as much as the trained one, and "
    "more than quiet styles of the same variety",
    "variety": "make styles smaller until variety is the same, with no teacher at all, and its judge finds as many "
    "people",
    "flattery": "the teacher and its twin find many more people, and its judge, with the same seeds, does not",
}
_SO = {
    "knowledge": "the teacher's knowledge counts",
    "any teacher": "any teacher would do",
    "variety": "variety was sold",
    "flattery": "the teacher is flattered",
}


def check_verdict(student: object) -> None:
    """Task 6: forty laboratories that nobody has met, ten of each kind, with so many runs each."""
    met: list[Laboratory] = []

    def made(kind: str, seed: int) -> Laboratory:
        met.append(laboratory(kind, seed))
        return met[-1]

    def wrong(kind: str, answer: str) -> str:
        why = _not_asked(met[-1].asked) or f"Think of this: {HOLDS[kind]}"
        return f"In one of forty new laboratories {_SO[kind]}, and you say “{answer}”. {why}."

    named_rightly(VERDICT, student, VERDICTS, of_each=10, made=made, wrong=wrong)
    right(f"Forty of forty verdicts, none with more than {RUNS} runs.")


def _not_asked(asked: Sequence[tuple[str, float, int]]) -> str:
    """What was missing from the runs that were asked for; empty if nothing plainly was."""
    weights = {arm: {weight for of, weight, _ in asked if of == arm} for arm in ARMS}
    if not asked:
        return "You asked for no run there"
    if not weights["trained"]:
        return "You never asked for the trained teacher, and that is what the claim is about"
    if not weights["nobody"] and 0.0 not in weights["quiet"]:
        return "You never asked what is found where nobody tells, so there is nothing to gain upon"
    if not weights["quiet"] - {0.0}:
        return "You never asked for quiet styles. Where variety falls, people are found more easily, whoever did it"
    if not weights["untrained"]:
        return "You never asked for untrained teachers, so you cannot know whether it takes knowledge"
    for arm in ("trained", "untrained"):
        if len(weights[arm]) < 3:
            return (
                f"You asked for “{arm}” at {_times(len(weights[arm]))} alone; a teacher at another's best weight, or "
                "at one of a few, may be far from its own"
            )
    seeds = max(
        len({seed for of, at, seed in asked if (of, at) == ("trained", weight)})
        for weight in weights["trained"]
    )
    if seeds < 3:
        return "You train with too few seeds; then luck is as large as what you look for"
    shared = set.intersection(*({seed for of, _, seed in asked if of == arm} for arm in ARMS if weights[arm]))
    if len(shared) < 2:
        return (
            "Hardly a seed is shared by what you compare. Seeds differ by about as much as you look for, and the same "
            "seed has the same luck in every run"
        )
    return ""


def _times(count: int) -> str:
    return {1: "one weight", 2: "two weights"}[count]
