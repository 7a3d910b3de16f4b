"""Checks for the exercises of chapter 1, GAN basics (`notebooks/exercises/01_gan_basics.ipynb`).

Each check tries a student's function on inputs that tell right from wrong. Next to the right answer it works out what
the well-known mistakes would give, so that it can name the mistake.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import SGD, Optimizer

from companion.exercises.rounds import among, fresh, mixed, normal, uniform, whole
from companion.exercises.runner import NotYet, Task, close, described, module, right
from companion.metrics import frechet_distance
from companion.models.dcgan import DCGANConfig, Generator
from companion.models.mlp import PlaneCritic, PlaneGenerator

Loss = Callable[..., Tensor]

# ---- 1 and 2: losses from raw scores --------------------------------------------------------------------------------

EXTREMES = (60.0, 600.0)

DISCRIMINATOR_LOSS = Task(
    "discriminator_loss(real, fake)",
    "the mean of −log D over the real scores plus the mean of −log(1 − D) over the fake ones",
)
SATURATING_LOSS = Task("saturating_loss(fake)", "the mean of log(1 − D) over the scores of fakes")
NON_SATURATING_LOSS = Task("non_saturating_loss(fake)", "the mean of −log D over the scores of fakes")
SLOPE = Task(
    "slope(loss, score)",
    "the derivative of the loss at one score, as autograd finds it",
    {
        "does not require grad": "make the score a tensor with `requires_grad=True`",
        "'float' object has no attribute": "a loss takes a tensor: make one from the score, with "
        "`requires_grad=True`",
    },
)


def check_discriminator_loss(student: object) -> None:
    """Task 1: `−E[log σ(s)] − E[log(1 − σ(s))]` over real and fake scores, safe for every score."""

    def wanted(real: Tensor, fake: Tensor) -> Tensor:
        return softplus(-real).mean() + softplus(fake).mean()

    mistakes: dict[str, Loss] = {
        "Your loss applies the sigmoid twice: the scores are raw, so σ belongs in once, either in your own line or "
        "inside binary_cross_entropy_with_logits.": lambda r, f: wanted(r.sigmoid(), f.sigmoid()),
        "Your labels are swapped: D(x) is the probability that x is real, so real images have label 1 and fakes "
        "0.": lambda r, f: wanted(-r, -f),
        "You average the real and the fake term, so your loss is half of what the equation says; add them.": (
            lambda r, f: wanted(r, f) / 2
        ),
        "You sum over the batch; the expectation is a mean, or the loss would grow with the batch size.": (
            lambda r, f: wanted(r, f) * len(r)
        ),
        "Your sign is the other one: this is what the discriminator maximises, and an optimiser minimises.": (
            lambda r, f: -wanted(r, f)
        ),
        "The term for the fakes is missing: the discriminator also has to say “fake” where it is.": (
            lambda r, f: softplus(-r).mean()
        ),
        "The term for the real images is missing: the discriminator also has to say “real” where it is.": (
            lambda r, f: softplus(f).mean()
        ),
        "You give the fakes label 1 as well; then the discriminator learns to say “real” to everything.": (
            lambda r, f: softplus(-r).mean() + softplus(-f).mean()
        ),
        "You give the real images label 0 as well; then the discriminator learns to say “fake” to everything.": (
            lambda r, f: softplus(r).mean() + softplus(f).mean()
        ),
        "Your labels are smoothed; here the real label is plainly 1.": (
            lambda r, f: (0.9 * softplus(-r) + 0.1 * softplus(r)).mean() + softplus(f).mean()
        ),
        "Your logarithm has base 2; the loss is in nats, with the natural logarithm.": (
            lambda r, f: wanted(r, f) / math.log(2)
        ),
        "That is the least squares loss, on raw scores; the one wanted here is the cross-entropy of D = σ(s).": (
            lambda r, f: (r - 1).square().mean() + f.square().mean()
        ),
        "That is half the least squares loss, on raw scores; the one wanted here is the cross-entropy of D = σ(s).": (
            lambda r, f: ((r - 1).square().mean() + f.square().mean()) / 2
        ),
        "That is the least squares loss of the probabilities; the one wanted here takes their logarithm.": (
            lambda r, f: (r.sigmoid() - 1).square().mean() + f.sigmoid().square().mean()
        ),
        "That is the difference of the mean scores, which waits until chapter 3; the one wanted here takes log σ.": (
            lambda r, f: f.mean() - r.mean()
        ),
        "You leave out the logarithm: the loss is −log of a probability, not a probability.": (
            lambda r, f: f.sigmoid().mean() - r.sigmoid().mean()
        ),
        "You take the logarithm of the mean; the equation takes the mean of the logarithms.": (
            lambda r, f: -r.sigmoid().mean().log() - (1 - f.sigmoid()).mean().log()
        ),
        "You leave the signs as they are before the softplus: −log σ(s) is softplus(−s).": (
            lambda r, f: softplus(r).mean() + softplus(f).mean()
        ),
        "That is the hinge loss, which waits until chapter 5; the one wanted here takes log σ.": (
            lambda r, f: (1 - r).relu().mean() + (1 + f).relu().mean()
        ),
        "You add up the probabilities of a mistake; the loss takes their logarithms.": (
            lambda r, f: (-r).sigmoid().mean() + f.sigmoid().mean()
        ),
        "You return the larger of the two terms; add them.": (
            lambda r, f: torch.maximum(softplus(-r).mean(), softplus(f).mean())
        ),
        "You subtract the term for the fakes; the two means are added.": (
            lambda r, f: softplus(-r).mean() - softplus(f).mean()
        ),
        "You take the scores' means first; the equation takes the mean of the logarithms.": (
            lambda r, f: softplus(-r.mean()) + softplus(f.mean())
        ),
    }
    _check_loss(DISCRIMINATOR_LOSS, student, wanted, mistakes, arguments=2)
    right("The loss is right, and it stays finite, with the right gradient, at scores of ±600.")


def check_generator_losses(saturating: object, non_saturating: object) -> None:
    """Task 2: both losses of the generator, as functions of the scores of its fakes."""
    _check_loss(
        SATURATING_LOSS,
        saturating,
        lambda fake: -softplus(fake).mean(),
        {
            "Your sign is the other one: the generator minimises E[log(1 − D)], which is at most zero; with your "
            "sign it would help the discriminator.": lambda f: softplus(f).mean(),
            "That is the non-saturating loss; the saturating one is the mean of log(1 − D).": (
                lambda f: softplus(-f).mean()
            ),
            "That is the mean of log D; in the saturating loss stands log(1 − D).": lambda f: (
                -softplus(-f).mean()
            ),
            "You take 1 − D where the logarithm of it belongs.": lambda f: (-f).sigmoid().mean(),
            **_common_mistakes(lambda f: -softplus(f).mean()),
        },
        arguments=1,
    )
    _check_loss(
        NON_SATURATING_LOSS,
        non_saturating,
        lambda fake: softplus(-fake).mean(),
        {
            "Your sign is the other one: minimising log D would make the fakes look less real.": (
                lambda f: -softplus(-f).mean()
            ),
            "That is the saturating loss; the non-saturating one is the mean of −log D.": lambda f: (
                -softplus(f).mean()
            ),
            "You give the fakes label 0, as the discriminator does; the generator wants them called real, label "
            "1.": lambda f: softplus(f).mean(),
            "You take −D where its logarithm belongs.": lambda f: -f.sigmoid().mean(),
            **_common_mistakes(lambda f: softplus(-f).mean()),
        },
        arguments=1,
    )
    right("Both losses are right, and both stay finite, with the right gradients, at scores of ±600.")


def _common_mistakes(wanted: Loss) -> dict[str, Loss]:
    return {
        "Your loss applies the sigmoid twice: the scores are raw, so σ belongs in once.": (
            lambda f: wanted(f.sigmoid())
        ),
        "You sum over the batch; the expectation is a mean.": lambda f: wanted(f) * len(f),
        "Your logarithm has base 2; the loss is in nats, with the natural logarithm.": (
            lambda f: wanted(f) / math.log(2)
        ),
        "That is the negative mean score, which waits until chapter 3; the one wanted here takes log σ.": (
            lambda f: -f.mean()
        ),
        "You take the logarithm of the mean probability; the equation takes the mean of the logarithms.": (
            lambda f: f.sigmoid().mean().log() * (1 if float(wanted(f)) < 0 else -1)
        ),
        "You take the mean score first; the equation takes the mean of the logarithms.": lambda f: wanted(
            f.mean()
        ),
        "You halve the loss; the mean counts whole.": lambda f: wanted(f) / 2,
        "That is the least squares loss; the one wanted here is the cross-entropy of D = σ(s).": (
            lambda f: (f - 1).square().mean()
        ),
        "That is half the least squares loss; the one wanted here is the cross-entropy of D = σ(s).": (
            lambda f: (f - 1).square().mean() / 2
        ),
        "You take the worst of the fakes; the expectation is a mean.": (
            lambda f: torch.stack([wanted(each) for each in f]).max()
        ),
    }


def _check_loss(
    task: Task, student: object, wanted: Loss, mistakes: Mapping[str, Loss], arguments: int
) -> None:
    """Value and gradient at ordinary scores of any number, then at scores where a naive logarithm overflows."""
    cases = [tuple(_scores(count) for _ in range(arguments)) for count in (2, 4, whole(5, 9), whole(20, 40))]
    case = " and ".join(
        f"{name} scores {group.tolist()}"
        for name, group in zip(("real", "fake")[-arguments:], cases[0], strict=True)
    )

    def finite(answer: object) -> Tensor:
        found = task.scalar(answer)
        if not bool(found.isfinite()):
            raise NotYet(
                f"`{task.name}` gives {float(found.detach())} for {case}: the logarithm of a raw score does not exist "
                "where the score is negative; σ turns a score into the probability D first."
            )
        return found

    task.judge(student, cases, wanted, mistakes, read=finite, tolerance=1e-3)
    task.follow(student, cases, wanted)
    for size in (*EXTREMES, float(whole(90, 500))):
        _check_extreme(
            task, student, wanted, [size * torch.tensor([-1.0, 1.0]) for _ in range(arguments)], size
        )


def _scores(count: int) -> Tensor:
    """Scores of both signs that are quickly read; the first is negative, and the second above 1."""
    few = mixed([n / 2 for n in range(-6, 9) if n])[:count]
    scores = torch.tensor(few) if count <= len(few) else 2 * normal(count)
    scores[0], scores[1] = -scores[0].abs(), 1.5 + scores[1].abs()  # no logarithm of a raw score lives there
    return scores


def _check_extreme(task: Task, student: object, wanted: Loss, scores: Sequence[Tensor], size: float) -> None:
    """The score pair (−size, size) in each place: one of them costs `size`, the other nothing."""
    found, slopes = _value_and_slopes(task, student, scores)
    if not math.isfinite(found):
        raise NotYet(
            f"At scores of ±{size:g} `{task.name}` gives {found}: float32 rounds σ({size:g}) to 1 or overflows in "
            f"exp({size:g}), and a log(0) or an infinity is left; use the score itself, through `softplus`, "
            "`logsigmoid` or binary_cross_entropy_with_logits."
        )
    if not close(found, float(wanted(*scores)), 1e-2):
        raise NotYet(
            f"At scores of ±{size:g} `{task.name}` gives {found:.4g} instead of {float(wanted(*scores)):.4g}: a clamp "
            "or a small ε hides the infinity and changes the loss; use the score itself, through `softplus`, "
            "`logsigmoid` or binary_cross_entropy_with_logits."
        )
    if slopes is None or not torch.allclose(slopes, _right_slopes(wanted, scores), atol=1e-3):
        raise NotYet(
            f"At scores of ±{size:g} the value of `{task.name}` is right but its gradient is not (NaN or cut off): "
            "`torch.where` and `clamp` let the bad branch into the gradient; use `softplus`, `logsigmoid` or "
            "binary_cross_entropy_with_logits."
        )


def _value_and_slopes(task: Task, student: object, scores: Sequence[Tensor]) -> tuple[float, Tensor | None]:
    """The student's loss and its gradient at all scores, in one row; None if autograd knows nothing of it."""
    leaves = [group.clone().requires_grad_() for group in scores]
    loss = task.scalar(task.ask(student, *(leaf.clone() for leaf in leaves)))
    slopes = torch.cat(task.slopes(loss, leaves)) if loss.requires_grad else None
    return float(loss.detach()), slopes


def _right_slopes(wanted: Loss, scores: Sequence[Tensor]) -> Tensor:
    leaves = [group.clone().requires_grad_() for group in scores]
    return torch.cat(torch.autograd.grad(wanted(*leaves), leaves))


def check_slope(student: object) -> None:
    """Task 2: the derivative of any loss with respect to one score, at any score."""

    def cube(scores: Tensor) -> Tensor:
        return torch.as_tensor(scores).pow(3).sum()

    def falling(scores: Tensor) -> Tensor:
        return -torch.as_tensor(scores).square().mean()

    score = among((2.0, 1.5, 2.5))
    sigma, wanted = 1 / (1 + math.exp(-score)), 3 * score**2
    case = f"the loss s³ at score {score:g}"
    found = SLOPE.number(SLOPE.ask(student, cube, score))
    mistakes = {
        "`slope` returns the loss itself; the slope is its derivative with respect to the score.": score**3,
        "Your sign is the other one: `slope` is the derivative itself, not the direction of descent.": -wanted,
        "You multiply the derivative by the score; `slope` is the derivative alone.": wanted * score,
        "You divide the loss by the score; a slope is how the loss changes there.": score**2,
        "That is the slope with respect to D = σ(s); the slope with respect to the score s is wanted.": (
            wanted / (sigma * (1 - sigma))
        ),
        "`slope` returns the score; it should return the derivative of the loss there.": score,
        "`slope` gives 0: was the gradient cleared before it was read?": 0.0,
        "That is the second derivative; the first is wanted.": 6 * score,
        "You halve the derivative: a difference over both sides is divided by 2h, not by 4h.": wanted / 2,
        "You double the derivative: a difference over both sides is divided by 2h, not by h.": wanted * 2,
        "That is the derivative of σ at the score, whatever the loss; use the loss you are given.": (
            sigma * (1 - sigma)
        ),
    }
    SLOPE.expect(found, wanted, case, mistakes, tolerance=1e-2)
    piling = {
        "Asked twice, `slope` adds up: gradients pile up in `.grad`; make a new tensor each time.": 2 * wanted
    }
    found = SLOPE.number(SLOPE.ask(student, cube, score))
    SLOPE.expect(found, wanted, f"{case}, asked again,", piling, tolerance=1e-2)
    score = among((3.0, 0.5, 4.0))
    absolute = {"`slope` drops the sign; a falling loss has a negative slope.": 2 * score}
    found = SLOPE.number(SLOPE.ask(student, falling, score))
    SLOPE.expect(found, -2 * score, f"the loss −s² at score {score:g}", absolute, tolerance=1e-2)
    found = SLOPE.number(SLOPE.ask(student, falling, -score))
    SLOPE.expect(found, 2 * score, f"the loss −s² at score −{score:g}", {}, tolerance=1e-2)
    score = among((-6.0, -4.0, -5.0))
    found = SLOPE.number(SLOPE.ask(student, lambda scores: softplus(torch.as_tensor(scores)).mean(), score))
    SLOPE.expect(
        found, 1 / (1 + math.exp(-score)), f"the loss log(1 + eˢ) at score −{-score:g}", {}, tolerance=3e-4
    )
    right("The slope is right, for any loss.")


# ---- 3: modes -------------------------------------------------------------------------------------------------------

MODES_COVERED = Task(
    "modes_covered(samples, centres, reach, least)",
    "the number of centres with at least `least` samples within the distance `reach`",
)
HISTOGRAM_DISTANCE = Task(
    "histogram_distance(samples, centres)",
    "half the summed absolute difference between the modes' shares of the samples and equal shares",
    {
        "must match the size": "a mode that nobody reached counts as zero and must stay in the histogram: "
        "`torch.bincount` has `minlength` for that",
        "could not be broadcast": "a mode that nobody reached counts as zero and must stay in the histogram: "
        "`bincount` has `minlength` for that",
    },
)


def check_modes_covered(student: object) -> None:
    """Task 3: how many modes the samples reach, whatever their number, the reach and the least."""

    def near(samples: Tensor, centres: Tensor, reach: float, p: float = 2.0) -> Tensor:
        return torch.cdist(samples, centres, p=p) <= reach

    def squared(samples: Tensor, centres: Tensor, reach: float) -> Tensor:
        return torch.cdist(samples, centres).square() <= reach

    def nearest(samples: Tensor, centres: Tensor) -> Tensor:
        return torch.bincount(torch.cdist(samples, centres).argmin(1), minlength=len(centres))

    MODES_COVERED.judge(
        student,
        [
            _modes(count, least, reach)
            for count, least, reach in ((3, 3, 0.5), (6, 4, 0.5), (9, 2, 0.8), (7, 6, 1.7))
        ]
        + [_at_the_edge()],
        lambda s, c, reach, least: (near(s, c, reach).sum(0) >= least).sum(),
        {
            "A mode with exactly `least` samples is covered: at least means ≥.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) > least).sum()
            ),
            "A sample exactly `reach` away from a centre is within it: at most means ≤.": (
                lambda s, c, reach, least: ((torch.cdist(s, c) < reach).sum(0) >= least).sum()
            ),
            "Your distance is not the Euclidean one: it is squared, so take the root, or square the reach.": (
                lambda s, c, reach, least: (squared(s, c, reach).sum(0) >= least).sum()
            ),
            "Your distance is not the Euclidean one: you take the larger of both coordinates' differences.": (
                lambda s, c, reach, least: (near(s, c, reach, math.inf).sum(0) >= least).sum()
            ),
            "Your distance is not the Euclidean one: √(0.6² + 0.6²) is within 0.9, and 0.6 + 0.6 is not.": (
                lambda s, c, reach, least: (near(s, c, reach, 1.0).sum(0) >= least).sum()
            ),
            "One sample makes no mode here: it needs at least `least` of them within `reach`.": (
                lambda s, c, reach, least: near(s, c, reach).any(0).sum()
            ),
            "You count samples however far they are from their mode; only those within `reach` count.": (
                lambda s, c, reach, least: (nearest(s, c) >= least).sum()
            ),
            "You return how many modes there are; only those with enough samples near them count.": (
                lambda s, c, reach, least: len(c)
            ),
            "You return how many samples lie within reach; the number of modes is wanted.": (
                lambda s, c, reach, least: near(s, c, reach).any(1).sum()
            ),
            "You return how many samples there are; the number of modes is wanted.": lambda s, *_: len(s),
            "You return a share of the modes; their number is wanted.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) >= least).sum() / len(c)
            ),
            "You return how many modes are not covered.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) < least).sum()
            ),
            "Your answer does not change with `least`; use the argument, not a number of your own.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) >= 4).sum()
            ),
            "Your answer does not change with `least`: you have 5 there; use the argument.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) >= 5).sum()
            ),
            "Your answer does not change with `reach`; use the argument, not a number of your own.": (
                lambda s, c, reach, least: (near(s, c, 0.5).sum(0) >= least).sum()
            ),
            "You sum over the wrong axis: samples near each mode are counted down the column of that mode.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(1) >= least).sum()
            ),
            "You count modes with at most `least` samples; at least means ≥.": (
                lambda s, c, reach, least: (near(s, c, reach).sum(0) <= least).sum()
            ),
            "You compare with the number of samples beyond the reach.": (
                lambda s, c, reach, least: ((~near(s, c, reach)).sum(0) >= least).sum()
            ),
        },
    )
    right("The modes are counted rightly: near enough, and often enough.")


def _at_the_edge() -> tuple[Tensor, Tensor, float, int]:
    """A mode whose samples lie exactly at the reach, in whole numbers, which no rounding moves, and one just beyond."""
    centres = torch.tensor([[0.0, 0.0], [20.0, whole(-4, 4)], [40.0, 0.0]]) + whole(-5, 5)
    exactly = torch.tensor(mixed([[3.0, 4.0], [-4.0, 3.0], [5.0, 0.0], [0.0, -5.0]]))
    beyond = torch.tensor([[3.0, 4.01], [5.01, 0.0], [0.0, -5.01]])
    samples = torch.cat([centres[0] + exactly[:3], centres[1] + exactly[1:], centres[2] + beyond])
    return samples, centres, 5.0, 3


def _modes(count: int, least: int, reach: float) -> tuple[Tensor, Tensor, float, int]:
    """Modes of which some are well covered, some just so, and some fail by a little in each way there is."""
    places = torch.tensor(mixed([(x, y) for x in range(-2, 3) for y in range(-2, 3)])[:count]).to(
        torch.get_default_dtype()
    )
    centres = reach * (4.5 * places + uniform(-0.5, 0.5, count, 2)) + uniform(-3, 3, 2)
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    groups = [
        0.6 * _directions(least + whole(2, 5)),
        0.6 * _directions(least),  # exactly as many as are wanted
        0.6 * _directions(least - 1),  # one too few
        0.62 * corners.repeat(1 + least // 4, 1),  # 0.88 away, and 1.24 along the streets
        0.8 * corners.repeat(1 + least // 4, 1),  # 1.13 away, and 0.8 in each coordinate
        1.6 * _directions(least + 3),  # nearest to it, and too far away
        0.6 * _directions(1),
        0.9 * _directions(least + 1),
        1.3 * _directions(least),
    ]
    chosen = [groups[1], groups[2], groups[3]] if count == 3 else groups[:count]
    samples = torch.cat(
        [centre + reach * group for centre, group in zip(centres, mixed(chosen), strict=True)]
    )
    return samples[torch.randperm(len(samples), generator=fresh())], centres, reach, least


def _directions(count: int) -> Tensor:
    """Evenly spaced unit vectors, `(count, 2)`."""
    angles = torch.arange(count) * (2 * math.pi / max(count, 1)) + 0.3
    return torch.stack([angles.cos(), angles.sin()], dim=1).to(torch.get_default_dtype())


def check_histogram_distance(student: object) -> None:
    """Task 3: total variation between the modes' shares and the uniform distribution, for any number of modes."""

    def shares(samples: Tensor, centres: Tensor) -> Tensor:
        counts = torch.bincount(torch.cdist(samples, centres).argmin(1), minlength=len(centres))
        return counts / len(samples)

    def gaps(samples: Tensor, centres: Tensor) -> Tensor:
        return (shares(samples, centres) - 1 / len(centres)).abs()

    def present_only(samples: Tensor, centres: Tensor) -> Tensor:
        found = shares(samples, centres)
        return found[found > 0]

    def counted(samples: Tensor, centres: Tensor) -> Tensor:
        return shares(samples, centres) * len(samples)

    def near_only(samples: Tensor, centres: Tensor) -> Tensor:
        apart = torch.cdist(samples, centres)
        near = (apart.min(1).values < 1).to(apart.dtype)
        found = torch.zeros(len(centres)).index_add(0, apart.argmin(1), near) / len(samples)
        return (found - 1 / len(centres)).abs().sum() / 2

    HISTOGRAM_DISTANCE.judge(
        student,
        [
            _spread([3, 1, 0], 0.4),
            _spread(mixed([10, 6, 4, 0]), 0.3),
            _spread([5] * whole(5, 8), 0.9),
            _spread(
                mixed([12] + [0] * whole(5, 7)), 1.4
            ),  # all nearest to one mode, none of them close to it
            _spread([whole(0, 9) for _ in range(whole(5, 10))] + [1], 1.4),
            _askew(),
        ],
        lambda s, c: gaps(s, c).sum() / 2,
        {
            "The factor ½ is missing: every sample in the wrong mode is counted twice, once where it is too many and "
            "once where it lacks.": lambda s, c: gaps(s, c).sum(),
            "You average the differences; the distance is half their sum.": lambda s, c: gaps(s, c).mean(),
            "You average the differences and halve them; the distance is half their sum.": (
                lambda s, c: gaps(s, c).mean() / 2
            ),
            "You compare counts; divide by the number of samples to get shares.": (
                lambda s, c: (counted(s, c) - 1 / len(c)).abs().sum() / 2
            ),
            "You compare counts; divide by the number of samples, or the distance grows with the batch.": (
                lambda s, c: (counted(s, c) - len(s) / len(c)).abs().sum() / 2
            ),
            "You square the differences; the distance sums their absolute values.": lambda s, c: (
                gaps(s, c).square().sum()
            ),
            "You square the differences; the distance sums their absolute values, halved.": (
                lambda s, c: gaps(s, c).square().sum() / 2
            ),
            "You take a root of squares; the distance is half the sum of absolute values.": lambda s, c: gaps(
                s, c
            ).norm(),
            "You take a root of squares and halve it; the distance is half the sum of absolute values.": (
                lambda s, c: gaps(s, c).norm() / 2
            ),
            "You take the largest difference; the distance is half the sum of all of them.": lambda s, c: (
                gaps(s, c).max()
            ),
            "A mode that nobody reached is left out; it counts with share zero.": (
                lambda s, c: (present_only(s, c) - 1 / len(c)).abs().sum() / 2
            ),
            "A mode that nobody reached is left out; it counts with share zero, against a fair share of its own.": (
                lambda s, c: (present_only(s, c) - 1 / len(present_only(s, c))).abs().sum() / 2
            ),
            "That is a similarity, the overlap of the histograms; the distance is one minus it.": (
                lambda s, c: 1 - gaps(s, c).sum() / 2
            ),
            "The differences cancel because they keep their signs; sum their absolute values.": (
                lambda s, c: torch.tensor(0.0)
            ),
            "You leave out samples that lie far from their mode; each sample counts for its nearest centre.": near_only,
            "Your nearest centre is not the Euclidean one: you add up the coordinates' differences.": (
                lambda s, c: (
                    (
                        torch.bincount(torch.cdist(s, c, p=1.0).argmin(1), minlength=len(c)) / len(s)
                        - 1 / len(c)
                    )
                    .abs()
                    .sum()
                    / 2
                )
            ),
            "Your nearest centre is not the Euclidean one: you take the larger of both coordinates' differences.": (
                lambda s, c: (
                    (
                        torch.bincount(torch.cdist(s, c, p=math.inf).argmin(1), minlength=len(c)) / len(s)
                        - 1 / len(c)
                    )
                    .abs()
                    .sum()
                    / 2
                )
            ),
            "You assume eight modes; their number is that of the rows of `centres`.": (
                lambda s, c: (shares(s, c) - 1 / 8).abs().sum() / 2
            ),
            "You count for each sample the farthest centre; the nearest one has it (`argmin`).": (
                lambda s, c: (
                    (torch.bincount(torch.cdist(s, c).argmax(1), minlength=len(c)) / len(s) - 1 / len(c))
                    .abs()
                    .sum()
                    / 2
                )
            ),
            "That is the share of modes that nobody reached; the distance looks at how even all shares are.": (
                lambda s, c: (shares(s, c) == 0).float().mean()
            ),
            "That is the entropy of the shares; the distance is half the sum of absolute differences.": (
                lambda s, c: torch.special.entr(shares(s, c)).sum()
            ),
        },
        tolerance=1e-3,
    )
    right("The histogram distance is right: 0 for equal shares, 1 − 1/K for a collapse to one of K modes.")


def _spread(counts: Sequence[int], away: float) -> tuple[Tensor, Tensor]:
    """So many samples around each of the centres, all nearest to their own."""
    places = mixed([(x, y) for x in range(-2, 3) for y in range(-2, 3)])[: len(counts)]
    centres = 4 * torch.tensor(places).to(torch.get_default_dtype()) + uniform(-0.3, 0.3, len(counts), 2)
    groups = [centre + away * _directions(count) for centre, count in zip(centres, counts, strict=True)]
    samples = torch.cat(groups)
    return samples[torch.randperm(len(samples), generator=fresh())], centres


def _askew() -> tuple[Tensor, Tensor]:
    """Samples whose nearest centre is another by the sum, or the larger, of both coordinates' differences."""
    centres = torch.tensor([[-0.85, -0.85], [1.3, 0.0], [21.2, 0.0], [19.05, -0.95]])
    own = torch.cat(
        [centre.repeat(count, 1) for centre, count in zip(centres[[1, 3]], (whole(1, 3), 1), strict=True)]
    )
    middles = torch.tensor([[0.0, 0.0], [20.0, 0.0]]).repeat_interleave(
        torch.tensor([whole(4, 7), whole(8, 9)]), 0
    )
    samples = torch.cat([own, middles])
    shift, order = uniform(-3, 3, 2), torch.randperm(len(samples), generator=fresh())
    return samples[order] + shift, centres + shift


# ---- 4: the optimal discriminator -----------------------------------------------------------------------------------

OPTIMAL_DISCRIMINATOR = Task(
    "optimal_discriminator(p, q)", "the probability of “real” at each point that no discriminator can beat"
)
GAME_VALUE = Task(
    "game_value(discriminator, p, q, width)", "the integral of p log D + q log(1 − D) as a sum over the grid"
)
JENSEN_SHANNON = Task(
    "jensen_shannon(p, q, width)",
    "the mean of the Kullback–Leibler divergences of p and of q from their average",
)


@dataclass(frozen=True)
class _Grid:
    """Evenly spaced points, `width` apart, and densities there in float64.

    They end where a bell's D* is not yet rounded to 0 or 1.
    """

    width: float
    start: float
    end: float

    @property
    def x(self) -> Tensor:
        """The points."""
        return torch.arange(self.start, self.end, self.width, dtype=torch.float64)

    def bell(self, mean: float, deviation: float) -> Tensor:
        """A normal density."""
        return (-((self.x - mean) / deviation).square() / 2).exp() / (deviation * math.sqrt(2 * math.pi))

    def box(self, low: float, high: float) -> Tensor:
        """A uniform density."""
        inside = (self.x.ge(low) & self.x.lt(high)).double()
        return inside / (inside.sum() * self.width)

    def bells(self) -> tuple[Tensor, Tensor]:
        """Two bells that overlap, of unequal width."""
        middle, apart = float(uniform(-0.3, 0.3)), float(uniform(0.8, 1.1))
        one, other = float(uniform(0.98, 1.05)), float(uniform(0.88, 0.94))
        sides = among(((1, -1), (-1, 1)))
        return self.bell(middle + sides[0] * apart, one), self.bell(middle + sides[1] * apart, other)

    def boxes(self) -> tuple[Tensor, Tensor]:
        """Two boxes that do not meet, in an order that is drawn."""
        one, other = self.box(-3, -1), self.box(0, among((1, 2)))
        return among(((one, other), (other, one)))


def _grids() -> list[_Grid]:
    """Of several widths and lengths, the coarsest first."""
    return [_Grid(0.05, -6.5, 7), _Grid(0.02, -7, 6.5), _Grid(among((0.01, 0.025)), -6.5, 6.5)]


def _kl(p: Tensor, q: Tensor, width: float) -> Tensor:
    gaps: Tensor = torch.special.xlogy(p, p) - torch.special.xlogy(p, q)
    return gaps.sum() * width


def _js(p: Tensor, q: Tensor, width: float) -> Tensor:
    divergence: Tensor = _kl(p, (p + q) / 2, width) + _kl(q, (p + q) / 2, width)
    return divergence / 2


def _value(discriminator: Tensor, p: Tensor, q: Tensor, width: float) -> Tensor:
    xlogy = torch.special.xlogy
    earned: Tensor = xlogy(p, discriminator) + xlogy(q, 1 - discriminator)
    return earned.sum() * width


def check_optimal_discriminator(student: object) -> None:
    """Task 4: `D* = p / (p + q)`, and something harmless where both densities are zero."""
    known: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "That is the probability of “fake”: D* is the share of p, the real density, in p + q.": lambda p, q: (
            q / (p + q)
        ),
        "p / q is the odds, and it exceeds 1; the probability is p / (p + q).": lambda p, q: p / q,
        "q / p is the odds of “fake”; the probability of “real” is p / (p + q).": lambda p, q: q / p,
        "That is the score log p − log q; the probability is its σ.": lambda p, q: p.log() - q.log(),
        "That decides, 0 or 1; the best discriminator says how sure it is, p / (p + q).": lambda p, q: (
            p > q
        ).double(),
        "The best discriminator is not ½ everywhere; it is only where p = q.": lambda p, q: torch.full_like(
            p, 0.5
        ),
        "That compares densities by their difference; only their ratio matters: p / (p + q).": lambda p, q: (
            p - q
        ).sigmoid(),
        "That is the difference's share, (p − q) / (p + q), from −1 to 1; a probability is p / (p + q).": (
            lambda p, q: (p - q) / (p + q)
        ),
        "p alone is a density, not a probability; compare it with q.": lambda p, q: p,
        "That is half of p / (p + q).": lambda p, q: p / (p + q) / 2,
        "You divide by the average of p and q; divide by their sum.": lambda p, q: 2 * p / (p + q),
        "You square the densities: D* is p / (p + q) itself.": lambda p, q: p**2 / (p**2 + q**2),
        "You take roots of the densities: D* is p / (p + q) itself.": lambda p, q: (
            p.sqrt() / (p.sqrt() + q.sqrt())
        ),
        "You divide by the largest density; divide at each point by p + q there.": lambda p, q: p / p.max(),
        "You divide by the sum over all points; divide at each point by p + q there.": lambda p, q: (
            p / (p + q).sum()
        ),
    }
    for grid in _grids():
        _check_optimal(student, *grid.bells(), known)
        p, q = grid.boxes()
        found = _optimal(student, p, q)
        if not torch.isfinite(found).all():
            raise NotYet(
                "Where p and q are both 0, yours is 0/0, NaN; any probability will do there, ½ for instance."
            )
        if float(found.min()) < -1e-6 or float(found.max()) > 1 + 1e-6:
            raise NotYet(
                "Where p and q are both 0, any probability will do, but it must lie between 0 and 1."
            )
        if not (
            torch.allclose(found[p > 0], q[p > 0] + 1, atol=1e-3)
            and torch.allclose(found[q > 0], p[q > 0], atol=1e-3)
        ):
            raise NotYet(
                "Where only p is positive D* is 1, and where only q is positive it is 0; yours is not."
            )
    right("No discriminator can beat yours.")


def _check_optimal(
    student: object, p: Tensor, q: Tensor, known: Mapping[str, Callable[[Tensor, Tensor], Tensor]]
) -> None:
    found, wanted = _optimal(student, p, q), p / (p + q)
    counts = (p + q) > 1e-3
    if torch.allclose(found[counts], wanted[counts], atol=1e-3):
        return
    for sentence, mistake in known.items():
        if torch.allclose(found[counts], mistake(p, q)[counts], atol=1e-3):
            raise NotYet(sentence)
    if bool(found[counts].isfinite().all()) and bool((found[counts] == found[counts][0]).all()):
        raise NotYet("Your discriminator says the same at every point; it looks at p and q there.")
    worst = int((found - wanted).abs().nan_to_num(math.inf).masked_fill(~counts, 0).argmax())
    OPTIMAL_DISCRIMINATOR.match(
        found[counts],
        wanted[counts],
        {},
        f"Where p = {float(p[worst]):.3g} and q = {float(q[worst]):.3g}, `optimal_discriminator` gives "
        f"{float(found[worst]):.3g}, and the best answer is {float(wanted[worst]):.3g}.",
        tolerance=1e-3,
    )


def _optimal(student: object, p: Tensor, q: Tensor) -> Tensor:
    answer = OPTIMAL_DISCRIMINATOR.ask(student, p.clone(), q.clone())
    return OPTIMAL_DISCRIMINATOR.tensor(answer, tuple(p.shape)).detach().double()


def check_game_value(student: object) -> None:
    """Task 4: `V(D) = ∫ p log D + q log(1 − D)`, where 0 · log 0 is 0, on grids of any width."""
    cases = []
    for grid in _grids():
        p, q = grid.bells()
        guess = (-grid.x * float(uniform(0.3, 0.6)) + float(uniform(-0.3, 0.3))).sigmoid()
        cases.append((guess, p, q, grid.width))
    cases.append((torch.full_like(p, 0.5), p, q, grid.width))
    xlogy = torch.special.xlogy
    GAME_VALUE.judge(
        student,
        cases,
        _value,
        {
            "Your sign is the other one: V is what the discriminator maximises, and it is never positive.": (
                lambda d, p, q, w: -_value(d, p, q, w)
            ),
            "The width of the grid is missing: an integral is a sum of values times `width`.": (
                lambda d, p, q, w: _value(d, p, q, 1)
            ),
            "Your width is 0.01 whatever `width` says; use the argument.": lambda d, p, q, w: _value(
                d, p, q, 0.01
            ),
            "You divide by the width; an integral is a sum of values times `width`.": (
                lambda d, p, q, w: _value(d, p, q, 1 / w)
            ),
            "You take a mean over the grid; an integral is a sum of values times `width`.": (
                lambda d, p, q, w: _value(d, p, q, 1) / len(p)
            ),
            "You sum the logarithms without weights; each one counts with its density, p or q.": (
                lambda d, p, q, w: (d.log() + (1 - d).log()).sum() * w
            ),
            "The term of the fakes is missing, q log(1 − D).": lambda d, p, q, w: xlogy(p, d).sum() * w,
            "The term of the real images is missing, p log D.": lambda d, p, q, w: xlogy(q, 1 - d).sum() * w,
            "You take log D for the fakes as well; for them it is log(1 − D).": lambda d, p, q, w: (
                xlogy(p + q, d).sum() * w
            ),
            "You subtract the term of the fakes; both are added.": (
                lambda d, p, q, w: (xlogy(p, d) - xlogy(q, 1 - d)).sum() * w
            ),
            "p and q have changed places: real images have density p, and log D belongs to them.": (
                lambda d, p, q, w: _value(d, q, p, w)
            ),
            "Your logarithm has base 2; the value is in nats, with the natural logarithm.": (
                lambda d, p, q, w: _value(d, p, q, w) / math.log(2)
            ),
            "Your logarithm has base 10; the value is in nats, with the natural logarithm.": (
                lambda d, p, q, w: _value(d, p, q, w) / math.log(10)
            ),
            "You halve the value; V is the plain sum of both integrals.": lambda d, p, q, w: (
                _value(d, p, q, w) / 2
            ),
            "The weights are the wrong way round: log D counts with p, without a logarithm of p.": (
                lambda d, p, q, w: (d * p.log() + (1 - d) * q.log()).sum() * w
            ),
            "You put the best discriminator in; the value of the one that you are given is wanted.": (
                lambda d, p, q, w: _value(p / (p + q), p, q, w)
            ),
            "You leave out the logarithms; V weighs log D, not D.": (
                lambda d, p, q, w: (p * d + q * (1 - d)).sum() * w
            ),
            "You add log 4, as if to get at the divergence; V is the plain integral.": (
                lambda d, p, q, w: _value(d, p, q, w) + math.log(4)
            ),
        },
        tolerance=1e-3,
    )
    real, fake = grid.boxes()
    sure = torch.where(fake > 0, 0.0, 1.0).double()
    found = GAME_VALUE.number(GAME_VALUE.ask(student, sure, real.clone(), fake.clone(), grid.width))
    if not math.isfinite(found):
        raise NotYet(
            "Where p = 0 and D = 0, yours is 0 · log 0, NaN; nothing is drawn there, so it counts as 0: "
            "`torch.xlogy` knows that, or clamp D a little above 0 and below 1."
        )
    GAME_VALUE.expect(found, 0, "a discriminator that is always right", {})
    right("The value is right: −log 4 for a coin toss, 0 for a discriminator that is always right.")


def check_jensen_shannon(student: object) -> None:
    """Task 4: the Jensen–Shannon divergence in nats, between 0 and log 2, on grids of any width."""
    cases = [(*grid.bells(), grid.width) for grid in _grids()]
    p, q, width = cases[-1]
    cases += [(q, p, width), (p, p.clone(), width)]

    def middle(p: Tensor, q: Tensor) -> Tensor:
        return (p + q) / 2

    JENSEN_SHANNON.judge(
        student,
        cases,
        _js,
        {
            "The factor ½ is missing: it is the mean of the two divergences, at most log 2.": lambda *g: (
                2 * _js(*g)
            ),
            "You halve twice.": lambda *g: _js(*g) / 2,
            "That is its square root, the Jensen–Shannon distance, which SciPy's `jensenshannon` gives; square it.": (
                lambda *g: _js(*g).clamp(min=0).sqrt()
            ),
            "Your logarithm has base 2; in nats the largest value is log 2.": lambda *g: (
                _js(*g) / math.log(2)
            ),
            "Your logarithm has base 10; in nats the largest value is log 2.": lambda *g: (
                _js(*g) / math.log(10)
            ),
            "The width of the grid is missing: an integral is a sum of values times `width`.": (
                lambda p, q, w: _js(p, q, 1)
            ),
            "Your width is 0.01 whatever `width` says; use the argument.": lambda p, q, w: _js(p, q, 0.01),
            "You take a mean over the grid; an integral is a sum of values times `width`.": (
                lambda p, q, w: _js(p, q, 1) / len(p)
            ),
            "That is KL(p ‖ q); Jensen–Shannon measures p and q from their average.": _kl,
            "That is KL(q ‖ p); Jensen–Shannon measures p and q from their average.": lambda p, q, w: _kl(
                q, p, w
            ),
            "That is the mean of KL(p ‖ q) and KL(q ‖ p); Jensen–Shannon measures p and q from their average.": (
                lambda p, q, w: (_kl(p, q, w) + _kl(q, p, w)) / 2
            ),
            "That is the sum of KL(p ‖ q) and KL(q ‖ p); Jensen–Shannon measures p and q from their average.": (
                lambda p, q, w: _kl(p, q, w) + _kl(q, p, w)
            ),
            "Only p is measured from the average; q is missing.": lambda p, q, w: _kl(p, middle(p, q), w),
            "Only half of it is there: q's divergence from the average is missing.": (
                lambda p, q, w: _kl(p, middle(p, q), w) / 2
            ),
            "Only q is measured from the average; p is missing.": lambda p, q, w: _kl(q, middle(p, q), w),
            "Only half of it is there: p's divergence from the average is missing.": (
                lambda p, q, w: _kl(q, middle(p, q), w) / 2
            ),
            "The divergences are the wrong way round: it is KL(p ‖ m) and KL(q ‖ m), with the average m second.": (
                lambda p, q, w: (_kl(middle(p, q), p, w) + _kl(middle(p, q), q, w)) / 2
            ),
            "Your average lacks its ½: m = (p + q) / 2, or its integral is 2.": lambda *g: (
                _js(*g) - math.log(2)
            ),
            "Your sign is the other one: a divergence is never negative.": lambda *g: -_js(*g),
            "That is the value of the game, −log 4 + 2 JS; solve it for JS.": lambda *g: (
                -math.log(4) + 2 * _js(*g)
            ),
            "Your average is the geometric one, √(p q); m = (p + q) / 2.": (
                lambda p, q, w: (_kl(p, (p * q).sqrt(), w) + _kl(q, (p * q).sqrt(), w)) / 2
            ),
            "That is the total variation, half the summed difference; the divergence takes logarithms.": (
                lambda p, q, w: (p - q).abs().sum() * w / 2
            ),
        },
        tolerance=1e-3,
    )
    for grid in _grids()[-1:]:
        real, fake = grid.boxes()
        found = JENSEN_SHANNON.number(JENSEN_SHANNON.ask(student, real.clone(), fake.clone(), grid.width))
        if not math.isfinite(found):
            raise NotYet(
                f"Where a density is 0, yours is 0 · log 0, and the sum becomes {found}; nothing is drawn there, so it "
                "counts as 0: `torch.xlogy` knows that, or clamp what stands in the logarithm."
            )
        JENSEN_SHANNON.expect(found, math.log(2), "densities that do not overlap", {}, tolerance=5e-3)
    right("The divergence is right: 0 for equal densities, log 2 for ones that do not overlap.")


# ---- 5: the Fréchet distance ----------------------------------------------------------------------------------------

FRECHET_1D = Task(
    "frechet_1d(real, fake)",
    "the Fréchet distance between two sets of single numbers",
    {
        "must match the size": "the two sets need not be of one size; compare their means and deviations, not pairs"
    },
)
DISGUISE = Task(
    "disguise(real)",
    "as many fakes as there are real numbers, of only two different values, at Fréchet distance zero",
)


def check_frechet_1d(student: object) -> None:
    """Task 5: `(μ₁ − μ₂)² + (σ₁ − σ₂)²`, compared with the package's own, for sets of any sizes, near and far."""

    def gap(real: Tensor, fake: Tensor) -> Tensor:
        return (real.mean() - fake.mean()).square()

    def deviations(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return real.std(), fake.std()

    def from_both(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda real, fake: gap(real, fake) + change(*deviations(real, fake))

    cases = [
        (2.5 * normal(whole(1500, 2500)) + 1, 1.5 * normal(whole(2600, 3500)) - 1),
        (0.4 * normal(whole(2600, 3500)) - 4, 3 * normal(whole(1500, 2500)) + float(uniform(0.5, 1.5))),
        (uniform(0, 6, whole(1500, 2500)), float(uniform(1.3, 2)) * normal(whole(1500, 2500))),
        (uniform(0, 1, count := whole(1500, 2500)).square(), normal(count)),
    ]
    FRECHET_1D.judge(
        student,
        cases,
        _frechet,
        {
            "That is its square root; the Fréchet distance of the book, like the FID, is squared.": (
                lambda r, f: math.sqrt(_frechet(r, f))
            ),
            "You compare variances where the formula compares deviations: (σ₁ − σ₂)².": from_both(
                lambda a, b: (a**2 - b**2) ** 2
            ),
            "The difference of the means is not squared.": (
                lambda r, f: gap(r, f).sqrt() + (r.std() - f.std()).square()
            ),
            "The difference of the means keeps its sign; it is squared.": (
                lambda r, f: r.mean() - f.mean() + (r.std() - f.std()).square()
            ),
            "Neither difference is squared.": lambda r, f: gap(r, f).sqrt() + (r.std() - f.std()).abs(),
            "The difference of the deviations is not squared.": from_both(lambda a, b: (a - b).abs()),
            "Only the means are compared; the deviations belong to it too.": gap,
            "Only the deviations are compared; the means belong to it too.": lambda r, f: (
                r.std() - f.std()
            ).square(),
            "The last term is missing: with −2σ₁σ₂ the two variances become (σ₁ − σ₂)².": from_both(
                lambda a, b: a**2 + b**2
            ),
            "The last term counts twice: it is −2σ₁σ₂, which makes (σ₁ − σ₂)².": from_both(
                lambda a, b: a**2 + b**2 - a * b
            ),
            "The last term holds the product of the variances; it is their root's: −2σ₁σ₂.": from_both(
                lambda a, b: a**2 + b**2 - 2 * (a * b) ** 2
            ),
            "The sign of the last term is the other one: it is −2σ₁σ₂.": from_both(lambda a, b: (a + b) ** 2),
            "You add the variances' difference; it is the deviations' difference, squared.": from_both(
                lambda a, b: (a**2 - b**2).abs()
            ),
            "You subtract the deviations' part; it is added.": from_both(lambda a, b: -((a - b) ** 2)),
            "You halve the distance; it counts whole.": lambda r, f: _frechet(r, f) / 2,
            "You multiply both parts; they are added.": lambda r, f: gap(r, f) * (r.std() - f.std()).square(),
            "You compare the numbers rank by rank: that is Wasserstein-2 of the samples; the Fréchet distance takes "
            "means and deviations only.": (lambda r, f: (_quantiles(r) - _quantiles(f)).square().mean()),
            "You compare the numbers in pairs; the distance knows only means and deviations, not the order.": (
                lambda r, f: (r - f[: len(r)]).square().mean()
            ),
            "You compare medians; the formula has means.": (
                lambda r, f: (r.median() - f.median()).square() + (r.std() - f.std()).square()
            ),
        },
        tolerance=5e-3,
    )
    real = cases[0][0]
    paired = "You compare the numbers in pairs; the distance knows only means and deviations, not the order."
    FRECHET_1D.judge(
        student,
        [(real, real.flip(0))],
        lambda r, f: torch.tensor(0.0),
        {paired: lambda r, f: (r - f).square().mean()},
        tolerance=1e-4,
    )
    right("Yours and the package's agree, for wide numbers and narrow ones, near and far.")


def _quantiles(numbers: Tensor) -> Tensor:
    return numbers.quantile(torch.linspace(0.01, 0.99, 99))


def _frechet(real: Tensor, fake: Tensor) -> float:
    """The package's distance between two sets of single numbers."""
    return frechet_distance(real[:, None], fake[:, None])


def check_disguise(student: object) -> None:
    """Task 5: two values only, and yet the Fréchet distance sees no difference; each time, whatever is tossed."""
    for real in (
        normal(whole(50, 60) * 2 + 1),
        normal(1000),
        0.5 * normal(whole(150, 200)) + 20,
        6 * uniform(0, 1, 601) - float(uniform(0, 4)),
    ):
        for time in range(4):
            _check_disguise_of(student, real, again=time > 0)
    right("Perfect by the number, and two values are all there is. A small distance does not prove variety.")


def _check_disguise_of(student: object, real: Tensor, *, again: bool) -> None:
    answer = DISGUISE.tensor(DISGUISE.ask(student, real.clone())).detach().double()
    if answer.numel() != len(real):
        raise NotYet(
            f"`disguise` returns {described(answer)}; as many fakes as real numbers are wanted, {len(real)}."
        )
    fake = answer.flatten()
    if not torch.isfinite(fake).all():
        raise NotYet("Some of your fakes are infinite or NaN.")
    deviation = float(real.std())
    jumps = fake.sort().values.diff() > 1e-3 * deviation
    values = int(jumps.sum()) + 1
    if values > 2:
        raise NotYet(
            f"Your fakes take {values} different values; only two are allowed. That is the whole trick."
        )
    if values == 1:
        raise NotYet(
            "All your fakes are the same number: the mean may fit, but the deviation is 0; take two values, one on "
            "each side."
        )
    distance = _frechet(real, fake)
    if distance <= 2e-3 * deviation**2:
        return
    gap, spread = float(fake.mean() - real.double().mean()), float(fake.std())
    what = (
        f"their mean is off by {gap:.3g}"
        if gap**2 > distance / 2
        else f"their deviation is {spread:.3g}, and the real one is {deviation:.3g}"
    )
    if again:
        raise NotYet(
            f"The same numbers once more, and now the Fréchet distance sees your fakes, because {what}: do not toss "
            "coins, decide how many take each value."
        )
    raise NotYet(f"The Fréchet distance still sees your fakes: it is {distance:.3g}, because {what}.")


# ---- 6: one step of the game ----------------------------------------------------------------------------------------

Step = Callable[[nn.Module, nn.Module, Optimizer, Optimizer, Tensor, Tensor], object]

ONE_STEP = Task(
    "one_step(generator, discriminator, generator_optimiser, discriminator_optimiser, real, latents)",
    "one step of the discriminator's optimiser, then one of the generator's",
    {
        "backward through the graph a second time": "the discriminator's step has used up the graph of your fakes; "
        "detach them there",
        "modified by an inplace operation": "these scores were made before the discriminator's step changed its "
        "weights; score the fakes again for the generator's step",
        "does not require grad": "the loss no longer reaches the weights: is something detached, or are gradients "
        "still switched off from the step before?",
    },
)


@dataclass
class _Game:
    """Two small networks, their optimisers, and a record of whose optimiser stepped."""

    generator: nn.Module
    discriminator: nn.Module
    optimisers: tuple[Optimizer, Optimizer]
    events: list[str]
    leak: bool = False  # the discriminator's loss has reached the generator's gradients

    def weights(self, player: nn.Module) -> Tensor:
        return torch.cat([weight.detach().flatten() for weight in player.parameters()])


def _new_game(players: tuple[nn.Module, nn.Module], rate: float) -> _Game:
    """A game at its beginning: copies of both players."""
    generator, discriminator = map(deepcopy, players)
    optimisers = (SGD(generator.parameters(), lr=rate), SGD(discriminator.parameters(), lr=rate))
    game = _Game(generator, discriminator, optimisers, [])

    def watch_generator(*_: object) -> None:
        game.events.append("generator")

    def watch_discriminator(*_: object) -> None:
        if not game.events:
            grads = (weight.grad for weight in generator.parameters())
            game.leak = any(grad is not None and bool(grad.any()) for grad in grads)
        game.events.append("discriminator")

    optimisers[0].register_step_pre_hook(watch_generator)
    optimisers[1].register_step_pre_hook(watch_discriminator)
    return game


def _play(game: _Game, step: object, batch: tuple[Tensor, Tensor]) -> None:
    """One step of the game on its own copy of the batch."""
    real, latents = batch
    ONE_STEP.ask(step, game.generator, game.discriminator, *game.optimisers, real.clone(), latents.clone())


def _stepper(critic_loss: Loss, generator_loss: Loss) -> Step:
    """A step that is right but for its losses."""

    def step(
        generator: nn.Module,
        discriminator: nn.Module,
        g: Optimizer,
        d: Optimizer,
        real: Tensor,
        latents: Tensor,
    ) -> None:
        fake = generator(latents)
        _descend(d, critic_loss(discriminator(real), discriminator(fake.detach())))
        _descend(g, generator_loss(discriminator(fake)))

    return step


def _descend(optimiser: Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _both(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def _non_saturating(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()


_CRITIC_MISTAKES: dict[str, Loss] = {
    "The discriminator moves the wrong way: are real and fake swapped in its loss?": lambda r, f: _both(f, r),
    "The discriminator climbs its loss instead of descending; check the sign.": lambda r, f: -_both(r, f),
    "The discriminator never sees the fakes; its loss needs both kinds.": lambda r, f: softplus(-r).mean(),
    "The discriminator never sees the real images; its loss needs both kinds.": lambda r, f: softplus(
        f
    ).mean(),
    "The discriminator's loss is halved; use `game.critic_loss` as it is.": lambda r, f: _both(r, f) / 2,
    "The discriminator learns to call fakes real; in its own step they are fakes.": (
        lambda r, f: softplus(-r).mean() + softplus(-f).mean()
    ),
}
_CRITIC_MISTAKES |= {
    "The discriminator's loss is a sum over the batch; use `game.critic_loss` as it is.": (
        lambda r, f: len(r) * _both(r, f)
    ),
    "The discriminator's loss is the least squares one; use `game.critic_loss` as it is.": (
        lambda r, f: ((r - 1).square().mean() + f.square().mean()) / 2
    ),
    "The discriminator's loss is twice the least squares one; use `game.critic_loss` as it is.": (
        lambda r, f: (r - 1).square().mean() + f.square().mean()
    ),
    "The discriminator's loss is chapter 3's, the difference of means; use `game.critic_loss` as it is.": (
        lambda r, f: f.mean() - r.mean()
    ),
}
_GENERATOR_MISTAKES: dict[str, Loss] = {
    "The generator plays the saturating loss; this game is the non-saturating one.": lambda f: (
        -softplus(f).mean()
    ),
    "The generator moves the wrong way, as if it wanted to be caught: its fakes should be called real.": (
        lambda f: softplus(f).mean()
    ),
    "The generator climbs its loss instead of descending; check the sign.": lambda f: -_non_saturating(f),
    "The generator's loss is halved; use `game.generator_loss` as it is.": lambda f: _non_saturating(f) / 2,
}


def check_one_step(student: object) -> None:
    """Task 6: the discriminator learns from detached fakes, then the generator alone learns, and nothing piles up."""
    for count in (4, whole(16, 40)):
        _check_game(student, count, latents=whole(2, 6), width=whole(8, 20))
    right("Four steps of your game and of ours end at the same weights.")


def _check_game(student: object, count: int, latents: int, width: int) -> None:
    players = PlaneGenerator(latents=latents, width=width), PlaneCritic(width=width)
    for network in players:
        for weight in network.parameters():
            weight.data = normal(*weight.shape) / math.sqrt(weight.shape[-1])
    start = partial(_new_game, players, among((0.15, 0.2, 0.25)))
    batches = [(normal(count, 2) + torch.tensor([2.0, 1.0]), normal(count, latents)) for _ in range(4)]
    game, wanted = start(), start()
    before = game.weights(game.generator), game.weights(game.discriminator)
    _play(game, student, batches[0])
    _play(wanted, _stepper(_both, _non_saturating), batches[0])
    _check_moves(game, before)
    for player, mistakes in (
        ("discriminator", {s: (loss, _non_saturating) for s, loss in _CRITIC_MISTAKES.items()}),
        ("generator", {s: (_both, loss) for s, loss in _GENERATOR_MISTAKES.items()}),
    ):
        _check_player(game, wanted, player, mistakes, start, batches[0])
    for batch in batches[1:]:
        _play(game, student, batch)
        _play(wanted, _stepper(_both, _non_saturating), batch)
        for player in ("discriminator", "generator"):  # who goes astray first has not cleared
            if not _same(game, wanted, player):
                raise NotYet(
                    f"The first step is right, but later the {player} goes astray: gradients of earlier steps pile up, "
                    f"so the {player}'s `zero_grad` belongs before its `backward`."
                )


def _check_moves(game: _Game, before: tuple[Tensor, Tensor]) -> None:
    """Who moved, how often, in which order, and whose gradients went where."""
    moved = [
        not torch.equal(game.weights(player), old)
        for player, old in zip((game.generator, game.discriminator), before, strict=True)
    ]
    if not any(moved):
        raise NotYet(
            "Neither player has moved: a step is `zero_grad`, `backward`, then `step` of the optimiser."
        )
    if not moved[1]:
        raise NotYet("The discriminator has not moved: after `backward` its optimiser has to `step`.")
    if game.leak and game.events[0] == "discriminator":
        raise NotYet(
            "Gradients have reached the generator before the discriminator steps: detach the fakes in the "
            "discriminator's loss, or the generator learns to be caught; begin the generator's part only afterwards."
        )
    if not moved[0]:
        raise NotYet(
            "The generator has not moved: in its own step the fakes must not be detached, and its optimiser has to "
            "`step` after `backward`."
        )
    if game.events and game.events[0] == "generator":
        raise NotYet("The generator moves first; in this game the discriminator does.")
    if game.events.count("discriminator") > 1:
        raise NotYet(
            "The generator's step also moves the discriminator: only the generator's optimiser steps there."
        )
    if game.events.count("generator") > 1:
        raise NotYet("The generator moves more than once; one step of its optimiser is one step of the game.")


def _check_player(
    game: _Game,
    wanted: _Game,
    player: str,
    mistakes: Mapping[str, tuple[Loss, Loss]],
    start: Callable[[], _Game],
    batch: tuple[Tensor, Tensor],
) -> None:
    if _same(game, wanted, player):
        return
    for sentence, losses in mistakes.items():
        mistaken = start()
        _play(mistaken, _stepper(*losses), batch)
        if _same(game, mistaken, player):
            raise NotYet(sentence)
    raise NotYet(
        f"The {player} has moved, but not as its loss asks: use the real images and the latents as given, the losses "
        f"of `game`, and clear the {player}'s old gradients before `backward`."
    )


def _same(game: _Game, other: _Game, player: str) -> bool:
    mine, theirs = game.weights(getattr(game, player)), other.weights(getattr(other, player))
    return torch.allclose(mine, theirs, atol=1e-5, rtol=1e-4)


# ---- 7: the bug museum ----------------------------------------------------------------------------------------------

NORMALISED = Task(
    "normalised(channels)",
    "a `BatchNorm2d` whose running averages keep 80 % of their old value at each step",
)
LAYER = Task("normalised(channels)(images)", NORMALISED.todo)
SAMPLE = Task(
    "sample(generator, latents)", "the generator's images, drawn in evaluation mode and without a graph"
)


def check_normalised(student: object) -> None:
    """Task 7: eps stays small, and the running averages keep 80 % of what they were, for any number of channels."""
    for channels in (1, 3, whole(4, 9)):
        _check_norm(student, channels)
    right("It normalises, and its running averages keep 80 % of what they knew.")


def _check_norm(student: object, channels: int) -> None:
    layer = module(NORMALISED, NORMALISED.ask(student, channels), "a layer is wanted")
    if not layer.training:
        raise NotYet(
            "Your layer comes in evaluation mode, where it never learns its averages; return it as it is made."
        )
    height, width = whole(5, 7), whole(6, 9)
    images = (
        float(uniform(2, 4)) + 0.06 * normal(16, channels, 1, 1) + 0.08 * normal(16, channels, height, width)
    )
    trained = NORMALISED.tensor(LAYER.ask(layer, images.clone()), tuple(images.shape)).detach()
    if bool((trained.mean((2, 3)).abs() < 1e-3).all()):
        raise NotYet(
            "Your layer brings each image to mean 0 by itself, as `InstanceNorm2d` does; batch normalisation takes "
            "mean and deviation over the whole batch."
        )
    spread = float(trained.std())
    if abs(float(trained.mean())) > 0.05 or spread > 1.1:
        raise NotYet(
            "In training mode your layer does not bring each channel to mean 0 and deviation 1 over the batch."
        )
    if spread < 0.9:
        raise NotYet(
            f"In training mode your layer turns channels of deviation 0.1 into deviation {spread:.2f} instead of 1: "
            "the second argument of `BatchNorm2d` is eps, which is added to the variance; name the argument you mean."
        )
    layer.eval()
    later = images + 0.5
    found = NORMALISED.tensor(LAYER.ask(layer, later.clone()), tuple(images.shape)).detach()
    if torch.allclose(found, trained, atol=0.02):
        raise NotYet(
            "In evaluation mode your layer still uses the batch before it; it should use running averages."
        )
    for share, sentence in _MOMENTA.items():
        if torch.allclose(found, _after_one_batch(images, share, later), atol=0.02, rtol=0.02):
            raise NotYet(sentence)
    if not torch.allclose(found, _after_one_batch(images, 0.2, later), atol=0.02, rtol=0.02):
        raise NotYet(
            "After one batch the running averages should hold 80 % of their old value and 20 % of the batch's."
        )


_MOMENTA = {
    0.8: "In torch, momentum is the share of the *new* batch, so 0.8 keeps only 20 % of the old average; Keras counts "
    "the other way round.",
    0.1: "The running averages keep 90 % of their old value, torch's default; the author wanted 80 %.",
    1.0: "The running averages forget everything at each step; the author wanted them to keep 80 %.",
    0.0: "The running averages never move; the author wanted them to keep 80 % and take 20 % from the batch.",
}


def _after_one_batch(images: Tensor, share: float, later: Tensor) -> Tensor:
    """What a new batch normalisation makes of `later` in eval mode, its averages having taken `share` of `images`."""
    mean = share * images.mean((0, 2, 3), keepdim=True)
    variance = 1 - share + share * images.var((0, 2, 3), keepdim=True)
    return (later - mean) / (variance + 1e-5).sqrt()


def check_sample(student: object) -> None:
    """Task 7: images from a generator in eval mode, which is left as it was found."""
    for training in (True, False):
        _check_sampling(student, training)
    right("Your samples depend on their own latents alone, and the generator is left as it was.")


def _check_sampling(student: object, training: bool) -> None:
    generator, latents = _used_generator()
    drawn_alone, drawn_together = _both_ways(generator, latents)
    generator.train(training)
    images = SAMPLE.tensor(SAMPLE.ask(student, generator, latents.clone()), tuple(drawn_alone.shape))
    near = 1e-3 * float(drawn_alone.abs().max())  # an untrained generator's images are faint
    if torch.allclose(images.detach(), drawn_together, atol=min(1e-5, near)):
        raise NotYet(
            "Your samples were normalised with each other's statistics: draw in evaluation mode, where an image "
            "depends on its own latents alone."
        )
    if not torch.allclose(images.detach().to(drawn_alone.dtype), drawn_alone, atol=near):
        changed = {
            "You cut the images off at 0; return them as they come, in [−1, 1].": drawn_alone.clamp(min=0),
            "You bring the images to [0, 1]; return them as they come, in [−1, 1].": (drawn_alone + 1) / 2,
            "You bring the images to 0 … 255; return them as they come, in [−1, 1].": 127.5
            * (drawn_alone + 1),
            "You put the images through one more tanh; return them as they come.": drawn_alone.tanh(),
            "Your images are in another order than their latents.": drawn_alone.flip(0),
            "Your images are turned upside down; return them as they come.": drawn_alone.flip(2),
        }
        for sentence, images_there in changed.items():
            if torch.allclose(images.detach().to(drawn_alone.dtype), images_there, atol=near):
                raise NotYet(sentence)
        raise NotYet(
            "Your images are not what the generator draws from these latents; return them as they come."
        )
    if images.requires_grad:
        raise NotYet(
            "Your images still carry the graph that made them, and its memory; draw under `torch.no_grad()`."
        )


def _used_generator() -> tuple[Generator, Tensor]:
    """A generator whose running averages have seen some batches, and latents for a few images."""
    latents = whole(4, 9)
    with torch.no_grad():
        generator = Generator(DCGANConfig(size=16, width=among((2, 4)), latents=latents))
        for weight in generator.parameters():
            weight.copy_(0.3 * normal(*weight.shape) if weight.dim() > 1 else 1 + 0.2 * normal(*weight.shape))
        for _ in range(3):
            generator(normal(16, latents))
        return generator, normal(whole(5, 9), latents)


@torch.no_grad()
def _both_ways(generator: Generator, latents: Tensor) -> tuple[Tensor, Tensor]:
    """The images in eval mode and in training mode; the generator's running averages are put back."""
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    together: Tensor = generator.train()(latents)
    generator.load_state_dict(state)
    alone: Tensor = generator.eval()(latents)
    return alone, together
