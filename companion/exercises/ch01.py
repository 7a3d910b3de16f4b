"""Checks for the exercises of chapter 1, GAN basics (`notebooks/exercises/01_gan_basics.ipynb`).

Each check tries a student's function on inputs that tell right from wrong. Next to the right answer it works out what
the well-known mistakes would give, so that it can name the mistake.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import SGD, Optimizer

from companion.exercises.runner import NotYet, Task, close, described, right
from companion.metrics import frechet_distance
from companion.models.dcgan import DCGANConfig, Generator
from companion.models.mlp import PlaneCritic, PlaneGenerator

Loss = Callable[..., Tensor]

# ---- 1 and 2: losses from raw scores --------------------------------------------------------------------------------

REAL_SCORES = torch.tensor([2.0, -1.0, 0.5, 3.0])
FAKE_SCORES = torch.tensor([-0.5, 1.5, -2.0, 0.25])
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
    }
    _check_loss(DISCRIMINATOR_LOSS, student, wanted, mistakes, [REAL_SCORES, FAKE_SCORES])
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
            **_common_mistakes(lambda f: -softplus(f).mean()),
        },
        [FAKE_SCORES],
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
            **_common_mistakes(lambda f: softplus(-f).mean()),
        },
        [FAKE_SCORES],
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
    }


def _check_loss(
    task: Task, student: object, wanted: Loss, mistakes: Mapping[str, Loss], scores: Sequence[Tensor]
) -> None:
    """Value and gradient at ordinary scores, then at scores where a naive logarithm overflows."""
    values = {sentence: float(mistake(*scores)) for sentence, mistake in mistakes.items()}
    case = " and ".join(
        f"{name} scores {group.tolist()}"
        for name, group in zip(("real", "fake")[-len(scores) :], scores, strict=True)
    )
    found, slopes = _value_and_slopes(task, student, scores)
    if not math.isfinite(found):
        raise NotYet(
            f"`{task.name}` gives {found} for {case}: the logarithm of a raw score does not exist where the score is "
            "negative; σ turns a score into the probability D first."
        )
    task.expect(found, float(wanted(*scores)), case, values)
    if slopes is None:
        raise NotYet(
            f"The value of `{task.name}` is right, but it has left autograd (`.item()`, `float`, NumPy and `.detach()` "
            "do that), so nobody could train with it; return the tensor."
        )
    if not torch.allclose(slopes, _right_slopes(wanted, scores), atol=1e-3):
        raise NotYet(
            f"The value of `{task.name}` is right but its gradient is not; some part is cut off from autograd "
            "(`.item()`, `.detach()`, `.data` or `torch.no_grad()`)."
        )
    for size in EXTREMES:
        _check_extreme(task, student, wanted, [size * torch.tensor([-1.0, 1.0]) for _ in scores], size)


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
    if not loss.requires_grad:
        return float(loss), None
    slopes = task.ask(lambda: torch.autograd.grad(loss, leaves, allow_unused=True))
    filled = [
        torch.zeros_like(leaf) if slope is None else slope for leaf, slope in zip(leaves, slopes, strict=True)
    ]
    return float(loss.detach()), torch.cat(filled).float()


def _right_slopes(wanted: Loss, scores: Sequence[Tensor]) -> Tensor:
    leaves = [group.clone().requires_grad_() for group in scores]
    return torch.cat(torch.autograd.grad(wanted(*leaves), leaves))


def check_slope(student: object) -> None:
    """Task 2: the derivative of any loss with respect to one score."""

    def cube(scores: Tensor) -> Tensor:
        return torch.as_tensor(scores).pow(3).sum()

    def falling(scores: Tensor) -> Tensor:
        return -torch.as_tensor(scores).square().mean()

    sigma = 1 / (1 + math.exp(-2.0))
    found = SLOPE.number(SLOPE.ask(student, cube, 2.0))
    mistakes = {
        "`slope` returns the loss itself; the slope is its derivative with respect to the score.": 8.0,
        "Your sign is the other one: `slope` is the derivative itself, not the direction of descent.": -12.0,
        "You multiply the derivative by the score; `slope` is the derivative alone.": 24.0,
        "That is the slope with respect to D = σ(s); the slope with respect to the score s is wanted.": (
            12.0 / (sigma * (1 - sigma))
        ),
        "`slope` returns the score; it should return the derivative of the loss there.": 2.0,
        "`slope` gives 0: was the gradient cleared before it was read?": 0.0,
    }
    SLOPE.expect(found, 12.0, "the loss s³ at score 2", mistakes, tolerance=1e-2)
    piling = {
        "Asked twice, `slope` adds up: gradients pile up in `.grad`; make a new tensor each time.": 24.0
    }
    found = SLOPE.number(SLOPE.ask(student, cube, 2.0))
    SLOPE.expect(found, 12.0, "the loss s³ at score 2, asked again,", piling, tolerance=1e-2)
    absolute = {"`slope` drops the sign; a falling loss has a negative slope.": 6.0}
    found = SLOPE.number(SLOPE.ask(student, falling, 3.0))
    SLOPE.expect(found, -6.0, "the loss −s² at score 3", absolute, tolerance=1e-2)
    found = SLOPE.number(SLOPE.ask(student, lambda scores: softplus(torch.as_tensor(scores)).mean(), -6.0))
    SLOPE.expect(found, 1 / (1 + math.exp(6.0)), "the loss log(1 + eˢ) at score −6", {}, tolerance=3e-4)
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
CENTRES = torch.tensor(
    [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0], [-4.0, 1.0], [-4.0, -4.0], [5.0, -5.0]]
)


def check_modes_covered(student: object) -> None:
    """Task 3: how many modes the samples reach."""
    samples = torch.cat(
        [
            CENTRES[0] + 0.1 * _directions(9),
            CENTRES[1] + 0.3 * _directions(4),  # exactly as many as are wanted
            *(CENTRES[mode] + 0.3 * _directions(3) for mode in (2, 5)),  # one too few
            CENTRES[3] + 0.45 * torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]]),  # 0.64 away
            *(CENTRES[mode] + 1.5 * _directions(7) for mode in (4, 6)),
        ]
    )
    mistakes: dict[str, float] = {
        "A mode with exactly `least` samples is covered: at least means ≥.": 1,
        "Your distance is not the Euclidean one: look at squares and roots, and at both coordinates.": 3,
        "One sample makes no mode here: it needs at least `least` of them within `reach`.": 4,
        "You count samples however far they are from their mode; only those within `reach` count.": 5,
        "You return how many modes there are; only those with enough samples near them count.": 7,
        "You return how many samples lie within reach; the number of modes is wanted.": 19,
        "You return how many samples there are; the number of modes is wanted.": len(samples),
        "You return a share of the modes; their number is wanted.": 2 / 7,
    }
    unused = "Your answer does not change with `{}`; use the argument, not a number of your own."
    diagonal = CENTRES[3] + 0.3 * torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # 0.42 away
    euclidean = "Your distance is not the Euclidean one: √(0.3² + 0.3²) is within 0.5."
    cases: list[tuple[Tensor, float, int, int, str, dict[str, float]]] = [
        (samples, 0.5, 4, 2, "samples at two modes, and near others,", mistakes),
        (samples, 0.5, 3, 4, "the same samples and `least` = 3", {unused.format("least"): 2}),
        (samples, 1.0, 4, 3, "the same samples and `reach` = 1", {unused.format("reach"): 2}),
        (diagonal, 0.5, 4, 1, "four samples 0.42 away from a mode", {euclidean: 0}),
        (samples + 50, 0.5, 4, 0, "samples far from every mode", {}),
    ]
    for points, reach, least, wanted, case, known in cases:
        answer = MODES_COVERED.ask(student, points.clone(), CENTRES.clone(), reach, least)
        MODES_COVERED.expect(MODES_COVERED.number(answer), wanted, case, known)
    right("The modes are counted rightly: near enough, and often enough.")


def _directions(count: int) -> Tensor:
    """Evenly spaced unit vectors, `(count, 2)`."""
    angles = torch.arange(count) * (2 * math.pi / max(count, 1)) + 0.3
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def check_histogram_distance(student: object) -> None:
    """Task 3: total variation between the modes' shares and the uniform distribution."""
    centres = CENTRES[:4]
    counts = torch.tensor([10, 6, 4, 0])
    samples = torch.cat(
        [centre + 0.3 * _directions(int(count)) for centre, count in zip(centres, counts, strict=True)]
    )
    shares, fair = counts / counts.sum(), torch.full((4,), 0.25)
    gaps = (shares - fair).abs()
    present = shares > 0
    mistakes = {
        "The factor ½ is missing: every sample in the wrong mode is counted twice, once where it is too many and once "
        "where it lacks.": gaps.sum(),
        "You average the differences; the distance is half their sum.": gaps.mean(),
        "You compare counts; divide by the number of samples to get shares.": (counts - 0.25).abs().sum() / 2,
        "You compare counts; divide by the number of samples to get shares, or the distance grows with the batch.": (
            (counts - 5.0).abs().sum() / 2
        ),
        "You square the differences; the distance sums their absolute values.": gaps.square().sum(),
        "You square the differences; the distance sums their absolute values, halved.": gaps.square().sum()
        / 2,
        "You take a root of squares; the distance is half the sum of absolute values.": gaps.square()
        .sum()
        .sqrt(),
        "You take the largest difference; the distance is half the sum of all of them.": gaps.max(),
        "A mode that nobody reached is left out; it counts with share zero.": gaps[present].sum() / 2,
        "A mode that nobody reached is left out; it counts with share zero, against a fair share of ¼.": (
            (shares[present] - 1 / 3).abs().sum() / 2
        ),
        "That is a similarity, the overlap of the histograms; the distance is one minus it.": 1
        - gaps.sum() / 2,
        "The differences cancel because they keep their signs; sum their absolute values.": torch.tensor(0.0),
    }
    values = {sentence: float(value) for sentence, value in mistakes.items()}
    found = HISTOGRAM_DISTANCE.number(HISTOGRAM_DISTANCE.ask(student, samples.clone(), centres.clone()))
    HISTOGRAM_DISTANCE.expect(found, 0.3, "20 samples shared 10, 6, 4, 0 among four modes", values)
    even = (CENTRES[:, None] + _directions(5)).flatten(0, 1)
    found = HISTOGRAM_DISTANCE.number(HISTOGRAM_DISTANCE.ask(student, even, CENTRES.clone()))
    HISTOGRAM_DISTANCE.expect(found, 0, "seven modes with five samples each", {})
    collapsed = CENTRES[2] + 1.4 * _directions(12)  # all nearest to one mode, none of them close to it
    found = HISTOGRAM_DISTANCE.number(HISTOGRAM_DISTANCE.ask(student, collapsed, CENTRES.clone()))
    dropped = {
        "You leave out samples that lie far from their mode; here each sample counts for its nearest centre.": 0.5,
        "You assume a number of modes; it is the number of rows of `centres`.": 1 - 1 / 8,
    }
    HISTOGRAM_DISTANCE.expect(found, 6 / 7, "samples that are all nearest to one of seven modes", dropped)
    right("The histogram distance is right: 0 for equal shares, 1 − 1/K for a collapse to one of K modes.")


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
WIDTH = 0.01
GRID = torch.arange(-8, 8, WIDTH, dtype=torch.float64)


def _bell(mean: float, deviation: float) -> Tensor:
    """A normal density on the grid."""
    return (-((GRID - mean) / deviation).square() / 2).exp() / (deviation * math.sqrt(2 * math.pi))


def _box(low: float, high: float) -> Tensor:
    """A uniform density on the grid."""
    inside = (GRID.ge(low) & GRID.lt(high)).double()
    return inside / (inside.sum() * WIDTH)


def _kl(p: Tensor, q: Tensor) -> float:
    return float((torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum() * WIDTH)


def _js(p: Tensor, q: Tensor) -> float:
    return (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2


def _value(discriminator: Tensor, p: Tensor, q: Tensor) -> float:
    xlogy = torch.special.xlogy
    return float((xlogy(p, discriminator) + xlogy(q, 1 - discriminator)).sum() * WIDTH)


def check_optimal_discriminator(student: object) -> None:
    """Task 4: `D* = p / (p + q)`, and something harmless where both densities are zero."""
    p, q = _bell(-1, 1.0), _bell(1, 0.9)
    found = _optimal(student, p, q)
    wanted = p / (p + q)
    mistakes: dict[str, Tensor] = {
        "That is the probability of “fake”: D* is the share of p, the real density, in p + q.": q / (p + q),
        "p / q is the odds, and it exceeds 1; the probability is p / (p + q).": p / q,
        "That is the score log p − log q; the probability is its σ.": p.log() - q.log(),
        "That decides, 0 or 1; the best discriminator says how sure it is, p / (p + q).": (p > q).double(),
        "The best discriminator is not ½ everywhere; it is only where p = q.": torch.full_like(p, 0.5),
        "That compares densities by their difference; only their ratio matters: p / (p + q).": (
            p - q
        ).sigmoid(),
        "p alone is a density, not a probability; compare it with q.": p,
        "That is half of p / (p + q).": wanted / 2,
        "You divide by the average of p and q; divide by their sum.": 2 * wanted,
        "You square the densities: D* is p / (p + q) itself.": p**2 / (p**2 + q**2),
    }
    counts = (p + q) > 1e-3
    if not torch.allclose(found[counts], wanted[counts], atol=1e-3):
        for sentence, values in mistakes.items():
            if torch.allclose(found[counts], values[counts], atol=1e-3):
                raise NotYet(sentence)
        worst = int((found - wanted).abs().nan_to_num(math.inf).masked_fill(~counts, 0).argmax())
        raise NotYet(
            f"Where p = {float(p[worst]):.3g} and q = {float(q[worst]):.3g}, `optimal_discriminator` gives "
            f"{float(found[worst]):.3g}, and the best answer is {float(wanted[worst]):.3g}."
        )
    found = _optimal(student, _box(-3, -1), _box(0, 1))
    if not torch.isfinite(found).all():
        raise NotYet(
            "Where p and q are both 0, yours is 0/0, NaN; any probability will do there, ½ for instance."
        )
    if float(found.min()) < -1e-6 or float(found.max()) > 1 + 1e-6:
        raise NotYet("Where p and q are both 0, any probability will do, but it must lie between 0 and 1.")
    if not (
        close(float(found[GRID.sub(-2).abs().argmin()]), 1)
        and close(float(found[GRID.sub(0.5).abs().argmin()]), 0)
    ):
        raise NotYet("Where only p is positive D* is 1, and where only q is positive it is 0; yours is not.")
    right("No discriminator can beat yours.")


def _optimal(student: object, p: Tensor, q: Tensor) -> Tensor:
    answer = OPTIMAL_DISCRIMINATOR.ask(student, p.clone(), q.clone())
    return OPTIMAL_DISCRIMINATOR.tensor(answer, tuple(p.shape)).detach().double()


def check_game_value(student: object) -> None:
    """Task 4: `V(D) = ∫ p log D + q log(1 − D)`, where 0 · log 0 is 0."""
    p, q = _bell(-1, 1.0), _bell(1, 0.9)
    guess = (-GRID / 2).sigmoid()
    wanted = _value(guess, p, q)
    mistakes = {
        "Your sign is the other one: V is what the discriminator maximises, and it is never positive.": -wanted,
        "The width of the grid is missing: an integral is a sum of values times `width`.": wanted / WIDTH,
        "You take a mean over the grid; an integral is a sum of values times `width`.": wanted
        / WIDTH
        / len(GRID),
        "You sum the logarithms without weights; each one counts with its density, p or q.": float(
            (guess.log() + (1 - guess).log()).sum() * WIDTH
        ),
        "The term of the fakes is missing, q log(1 − D).": float((p * guess.log()).sum() * WIDTH),
        "The term of the real images is missing, p log D.": float((q * (1 - guess).log()).sum() * WIDTH),
        "You take log D for the fakes as well; for them it is log(1 − D).": _value(guess, p + q, 0 * q),
        "p and q have changed places: real images have density p, and log D belongs to them.": _value(
            guess, q, p
        ),
        "Your logarithm has base 2; the value is in nats, with the natural logarithm.": wanted / math.log(2),
        "You halve the value; V is the plain sum of both integrals.": wanted / 2,
        "The weights are the wrong way round: log D counts with p, without a logarithm of p.": float(
            (guess * p.log() + (1 - guess) * q.log()).sum() * WIDTH
        ),
    }
    GAME_VALUE.expect(_game(student, guess, p, q), wanted, "a discriminator σ(−x/2)", mistakes)
    half = torch.full_like(p, 0.5)
    GAME_VALUE.expect(_game(student, half, p, q), -math.log(4), "a discriminator that says ½ everywhere", {})
    apart, other = _box(-3, -1), _box(0, 1)
    sure = torch.where(other > 0, 0.0, 1.0).double()
    found = _game(student, sure, apart, other)
    if not math.isfinite(found):
        raise NotYet(
            "Where p = 0 and D = 0, yours is 0 · log 0, NaN; nothing is drawn there, so it counts as 0: "
            "`torch.xlogy` knows that, or clamp D a little above 0 and below 1."
        )
    GAME_VALUE.expect(found, 0, "a discriminator that is always right", {})
    right("The value is right: −log 4 for a coin toss, 0 for a discriminator that is always right.")


def _game(student: object, discriminator: Tensor, p: Tensor, q: Tensor) -> float:
    return GAME_VALUE.number(GAME_VALUE.ask(student, discriminator.clone(), p.clone(), q.clone(), WIDTH))


def check_jensen_shannon(student: object) -> None:
    """Task 4: the Jensen–Shannon divergence in nats, between 0 and log 2."""
    p, q = _bell(-1, 1.0), _bell(1, 0.9)
    middle = (p + q) / 2
    wanted = _js(p, q)
    mistakes = {
        "The factor ½ is missing: it is the mean of the two divergences, at most log 2.": 2 * wanted,
        "You halve twice.": wanted / 2,
        "That is its square root, the Jensen–Shannon distance, which SciPy's `jensenshannon` gives; square it.": (
            math.sqrt(wanted)
        ),
        "Your logarithm has base 2; in nats the largest value is log 2.": wanted / math.log(2),
        "The width of the grid is missing: an integral is a sum of values times `width`.": wanted / WIDTH,
        "You take a mean over the grid; an integral is a sum of values times `width`.": wanted
        / WIDTH
        / len(GRID),
        "That is KL(p ‖ q); Jensen–Shannon measures p and q from their average.": _kl(p, q),
        "That is KL(q ‖ p); Jensen–Shannon measures p and q from their average.": _kl(q, p),
        "That is the mean of KL(p ‖ q) and KL(q ‖ p); Jensen–Shannon measures p and q from their average.": (
            (_kl(p, q) + _kl(q, p)) / 2
        ),
        "That is the sum of KL(p ‖ q) and KL(q ‖ p); Jensen–Shannon measures p and q from their average.": (
            _kl(p, q) + _kl(q, p)
        ),
        "Only p is measured from the average; q is missing.": _kl(p, middle),
        "Only half of it is there: q's divergence from the average is missing.": _kl(p, middle) / 2,
        "Only q is measured from the average; p is missing.": _kl(q, middle),
        "The divergences are the wrong way round: it is KL(p ‖ m) and KL(q ‖ m), with the average m second.": (
            (_kl(middle, p) + _kl(middle, q)) / 2
        ),
        "Your average lacks its ½: m = (p + q) / 2, or its integral is 2.": wanted - math.log(2),
        "Your sign is the other one: a divergence is never negative.": -wanted,
        "That is the value of the game, −log 4 + 2 JS; solve it for JS.": -math.log(4) + 2 * wanted,
    }
    JENSEN_SHANNON.expect(_divergence(student, p, q), wanted, "two bells, at −1 and 1,", mistakes)
    JENSEN_SHANNON.expect(_divergence(student, q, p), wanted, "the same bells, swapped,", {})
    JENSEN_SHANNON.expect(_divergence(student, p, p), 0, "p = q", {})
    found = _divergence(student, _box(-3, -1), _box(0, 1))
    if not math.isfinite(found):
        raise NotYet(
            f"Where a density is 0, yours is 0 · log 0, and the sum becomes {found}; nothing is drawn there, so it "
            "counts as 0: `torch.xlogy` knows that, or clamp what stands in the logarithm."
        )
    JENSEN_SHANNON.expect(found, math.log(2), "densities that do not overlap", {}, tolerance=5e-3)
    right("The divergence is right: 0 for equal densities, log 2 for ones that do not overlap.")


def _divergence(student: object, p: Tensor, q: Tensor) -> float:
    return JENSEN_SHANNON.number(JENSEN_SHANNON.ask(student, p.clone(), q.clone(), WIDTH))


# ---- 5: the Fréchet distance ----------------------------------------------------------------------------------------

FRECHET_1D = Task("frechet_1d(real, fake)", "the Fréchet distance between two sets of single numbers")
DISGUISE = Task(
    "disguise(real)",
    "as many fakes as there are real numbers, of only two different values, at Fréchet distance zero",
)


def check_frechet_1d(student: object) -> None:
    """Task 5: `(μ₁ − μ₂)² + (σ₁ − σ₂)²`, compared with the package's own."""
    draw = torch.Generator().manual_seed(5)
    real = 3 * torch.randn(4000, generator=draw) + 1
    fake = 1.5 * torch.randn(3000, generator=draw) - 1
    (m1, s1), (m2, s2) = ((float(group.mean()), float(group.std())) for group in (real, fake))
    gap = (m1 - m2) ** 2
    mistakes = {
        "That is its square root; the Fréchet distance of the book, like the FID, is squared.": math.sqrt(
            gap + (s1 - s2) ** 2
        ),
        "You compare variances where the formula compares deviations: (σ₁ − σ₂)².": gap
        + (s1**2 - s2**2) ** 2,
        "The difference of the means is not squared.": abs(m1 - m2) + (s1 - s2) ** 2,
        "Neither difference is squared.": abs(m1 - m2) + abs(s1 - s2),
        "The difference of the deviations is not squared.": gap + abs(s1 - s2),
        "Only the means are compared; the deviations belong to it too.": gap,
        "Only the deviations are compared; the means belong to it too.": (s1 - s2) ** 2,
        "The last term is missing: with −2σ₁σ₂ the two variances become (σ₁ − σ₂)².": gap + s1**2 + s2**2,
        "The last term counts twice: it is −2σ₁σ₂, which makes (σ₁ − σ₂)².": gap + s1**2 + s2**2 - s1 * s2,
        "The last term holds the product of the variances; it is their root's: −2σ₁σ₂.": gap
        + s1**2
        + s2**2
        - 2 * (s1 * s2) ** 2,
        "The sign of the last term is the other one: it is −2σ₁σ₂.": gap + (s1 + s2) ** 2,
        "You add the variances' difference; it is the deviations' difference, squared.": gap
        + abs(s1**2 - s2**2),
    }
    case = "3σ-wide numbers around 1 against 1.5σ-wide ones around −1"
    found = FRECHET_1D.number(FRECHET_1D.ask(student, real.clone(), fake.clone()))
    FRECHET_1D.expect(found, _frechet(real, fake), case, mistakes, tolerance=5e-3)
    found = FRECHET_1D.number(FRECHET_1D.ask(student, real.clone(), real.flip(0)))
    paired = "You compare the numbers in pairs; the distance knows only means and deviations, not the order."
    wanted_paired = float((real - real.flip(0)).square().mean())
    FRECHET_1D.expect(found, 0, "the same numbers in another order", {paired: wanted_paired}, tolerance=1e-4)
    narrow = 0.2 * fake - 4
    found = FRECHET_1D.number(FRECHET_1D.ask(student, narrow.clone(), real.clone()))
    wanted = _frechet(narrow, real)
    FRECHET_1D.expect(
        found, wanted, "narrow numbers around −4 against wide ones around 1", {}, tolerance=5e-3
    )
    right(
        f"Yours and the package's agree: {found:.3f} for narrow numbers around −4 against wide ones around 1."
    )


def _frechet(real: Tensor, fake: Tensor) -> float:
    """The package's distance between two sets of single numbers."""
    return frechet_distance(real[:, None], fake[:, None])


def check_disguise(student: object) -> None:
    """Task 5: two values only, and yet the Fréchet distance sees no difference."""
    draw = torch.Generator().manual_seed(6)
    for real in (
        torch.randn(1000, generator=draw),
        0.5 * torch.randn(1500, generator=draw) + 20,
        6 * torch.rand(601, generator=draw),
    ):
        _check_disguise_of(student, real)
    right("Perfect by the number, and two values are all there is. A small distance does not prove variety.")


def _check_disguise_of(student: object, real: Tensor) -> None:
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
    if distance > 2e-3 * deviation**2:
        gap, spread = float(fake.mean() - real.double().mean()), float(fake.std())
        what = (
            f"their mean is off by {gap:.3g}"
            if gap**2 > distance / 2
            else f"their deviation is {spread:.3g}, and the real one is {deviation:.3g}"
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


def _new_game() -> _Game:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        generator, discriminator = PlaneGenerator(latents=4, width=16), PlaneCritic(width=16)
    optimisers = (SGD(generator.parameters(), lr=0.2), SGD(discriminator.parameters(), lr=0.2))
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


def _play(game: _Game, step: object, turn: int) -> None:
    """One step of the game on its own batch, in training mode, with gradients switched on."""
    draw = torch.Generator().manual_seed(turn)
    real = torch.randn(32, 2, generator=draw) + torch.tensor([2.0, 1.0])
    latents = torch.randn(32, 4, generator=draw)
    was_enabled = torch.is_grad_enabled()
    try:
        ONE_STEP.ask(step, game.generator, game.discriminator, *game.optimisers, real, latents)
        if torch.is_grad_enabled() != was_enabled:
            raise NotYet(
                "`one_step` leaves gradients switched off for everybody; use `with torch.no_grad():`."
            )
    finally:
        torch.set_grad_enabled(was_enabled)


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
    game, wanted = _new_game(), _new_game()
    before = game.weights(game.generator), game.weights(game.discriminator)
    _play(game, student, turn=0)
    _play(wanted, _stepper(_both, _non_saturating), turn=0)
    _check_moves(game, before)
    _check_player(
        game, wanted, "discriminator", {s: (loss, _non_saturating) for s, loss in _CRITIC_MISTAKES.items()}
    )
    _check_player(game, wanted, "generator", {s: (_both, loss) for s, loss in _GENERATOR_MISTAKES.items()})
    for turn in (1, 2, 3):
        _play(game, student, turn)
        _play(wanted, _stepper(_both, _non_saturating), turn)
    for player in ("discriminator", "generator"):
        if not _same(game, wanted, player):
            raise NotYet(
                f"The first step is right, but later the {player} goes astray: gradients of earlier steps pile up, "
                "so `zero_grad` belongs before each `backward`."
            )
    right("Four steps of your game and of ours end at the same weights.")


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


def _check_player(game: _Game, wanted: _Game, player: str, mistakes: Mapping[str, tuple[Loss, Loss]]) -> None:
    if _same(game, wanted, player):
        return
    for sentence, losses in mistakes.items():
        mistaken = _new_game()
        _play(mistaken, _stepper(*losses), turn=0)
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
SAMPLE = Task(
    "sample(generator, latents)", "the generator's images, drawn in evaluation mode and without a graph"
)


def check_normalised(student: object) -> None:
    """Task 7: eps stays small, and the running averages keep 80 % of what they were."""
    for channels in (3, 5):
        _check_norm(student, channels)
    right("It normalises, and its running averages keep 80 % of what they knew.")


def _check_norm(student: object, channels: int) -> None:
    layer = NORMALISED.ask(student, channels)
    if not isinstance(layer, nn.Module):
        raise NotYet(f"`normalised` returns {described(layer)}; a layer is wanted.")
    draw = torch.Generator().manual_seed(7)
    images = 3 + 0.1 * torch.randn(16, channels, 6, 6, generator=draw)
    layer.train()
    trained = NORMALISED.tensor(NORMALISED.ask(layer, images.clone()), tuple(images.shape)).detach()
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
    found = NORMALISED.tensor(NORMALISED.ask(layer, later.clone()), tuple(images.shape)).detach()
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
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    enabled = torch.is_grad_enabled()
    try:
        answer = SAMPLE.ask(student, generator, latents.clone())
        left_enabled = torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(enabled)
    images = SAMPLE.tensor(answer, tuple(drawn_alone.shape))
    if any(not torch.equal(value, before[name]) for name, value in generator.state_dict().items()):
        raise NotYet(
            "Drawing has changed the generator: in training mode batch normalisation moves its running averages at "
            "every call; draw in evaluation mode."
        )
    if torch.allclose(images.detach().float(), drawn_together, atol=1e-5):
        raise NotYet(
            "Your samples were normalised with each other's statistics: draw in evaluation mode, where an image "
            "depends on its own latents alone."
        )
    near = 1e-3 * float(drawn_alone.abs().max())  # an untrained generator's images are faint
    if not torch.allclose(images.detach().float(), drawn_alone, atol=near):
        raise NotYet(
            "Your images are not what the generator draws from these latents; return them as they come."
        )
    if not left_enabled:
        raise NotYet("`sample` leaves gradients switched off for everybody; use `with torch.no_grad():`.")
    if images.requires_grad:
        raise NotYet(
            "Your images still carry the graph that made them, and its memory; draw under `torch.no_grad()`."
        )
    if generator.training != training:
        mode, left = ("training", "evaluation") if training else ("evaluation", "training")
        raise NotYet(
            f"The generator came in {mode} mode and is left in {left} mode; remember `generator.training` and set it "
            "back."
        )


def _used_generator() -> tuple[Generator, Tensor]:
    """A generator whose running averages have seen some batches, and latents for eight images."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(8)
        generator = Generator(DCGANConfig(size=16, width=4, latents=8))
        for _ in range(3):
            generator(torch.randn(16, 8))
        return generator, torch.randn(8, 8)


@torch.no_grad()
def _both_ways(generator: Generator, latents: Tensor) -> tuple[Tensor, Tensor]:
    """The images in eval mode and in training mode; the generator's running averages are put back."""
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    together: Tensor = generator.train()(latents)
    generator.load_state_dict(state)
    alone: Tensor = generator.eval()(latents)
    return alone, together
