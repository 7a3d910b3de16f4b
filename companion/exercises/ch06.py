"""Checks of chapter 6's exercises: divergence, draws about a code, Sobel's slopes, directions, latents, a bound."""

import math

import torch
from torch import Tensor

from companion.exercises.rounds import mixed, normal, present, uniform, whole
from companion.exercises.runner import NotYet, Task, right
from companion.latent.directions import orthogonal
from companion.variational import gaussian_divergence, sobel

# ---- 1: the divergence ----------------------------------------------------------------------------------------------

DIVERGENCE = Task(
    "divergence(mean, log_variance)",
    "what each image's code costs in nats, (N,)",
    {"must match the size": "both are (N, latents), and the sum goes over the latents"},
)


def check_divergence(student: object) -> None:
    """Task 1: half the sum over the latents of μ² + σ² − log σ² − 1, for each image, of any number of latents."""
    sizes = ((2, 3), (whole(3, 4), 5), (whole(6, 9), whole(10, 20)))
    cases = [(_quarters(1.5 * normal(*size)), _quarters(normal(*size))) for size in sizes]

    def terms(mean: Tensor, log_variance: Tensor) -> Tensor:
        return mean.square() + log_variance.exp() - log_variance - 1

    DIVERGENCE.judge(
        student,
        cases,
        gaussian_divergence,
        {
            "You return one number; every image has its own, so sum over the latents alone.": (
                lambda m, v: terms(m, v).sum() / 2
            ),
            "You return one mean for all; every image has its own number, the sum over its latents.": (
                lambda m, v: terms(m, v).mean() / 2
            ),
            "You average over the images; each has its own number, (N,).": (
                lambda m, v: terms(m, v).sum(1).mean() / 2
            ),
            "You sum over the images; sum over the latents, which are the second axis.": (
                lambda m, v: terms(m, v).sum(0) / 2
            ),
            "You sum over nothing; one number an image is (N,), the sum over its latents.": (
                lambda m, v: terms(m, v) / 2
            ),
            "You take the mean over the latents; each of them costs its own nats, so they are summed.": (
                lambda m, v: terms(m, v).mean(1) / 2
            ),
            "The half is missing.": lambda m, v: terms(m, v).sum(1),
            "The sign is the wrong way round: the divergence is never negative.": (
                lambda m, v: -terms(m, v).sum(1) / 2
            ),
            "The −1 is missing: a code that is the prior costs nothing.": (
                lambda m, v: (terms(m, v) + 1).sum(1) / 2
            ),
            "You take log σ² for σ²; the variance is its exponential.": lambda m, v: (
                (m.square() + v - v - 1).sum(1) / 2
            ),
            "You take log σ² for log σ: the variance is exp(log σ²), not exp(2 log σ²).": (
                lambda m, v: terms(m, 2 * v).sum(1) / 2
            ),
            "You add σ where the formula has σ².": lambda m, v: (
                (m.square() + (v / 2).exp() - v - 1).sum(1) / 2
            ),
            "You add μ where the formula has μ².": lambda m, v: (m + v.exp() - v - 1).sum(1) / 2,
        },
    )
    right("Each image's code has its price, and the prior itself is free.")


def _quarters(numbers: Tensor) -> Tensor:
    """The numbers rounded to quarters, which are quickly read."""
    return (4 * numbers).round() / 4


# ---- 2: drawing -----------------------------------------------------------------------------------------------------

DRAWN = Task(
    "drawn(mean, log_variance)",
    "latents about their means such that the encoder can learn from them, (N, latents)",
    {"normal expects": "torch.normal wants a deviation, which is never negative: exp(log σ² / 2)"},
)


def check_drawn(student: object) -> None:
    """Task 2: μ + σ ⊙ ε, fresh noise for every number, and a gradient to both; every image has its own μ and σ."""
    for latents in (2, whole(3, 6)):
        count = whole(5000, 7000)
        mean, log_variance = uniform(-20, 20, count, latents), _log_variances(count, latents)
        found = _draws(student, mean, log_variance)
        noise = (found - mean) / (log_variance / 2).exp()
        if noise.std(0).max() < 1e-2:
            raise NotYet(
                "The noise is missing, or one draw is shared by all images: each image has an ε of its own."
            )
        _about_means(found, mean)
        _as_wide(found - mean, log_variance)
        _independent(noise)
        if torch.equal(_draws(student, mean, log_variance), found):
            raise NotYet(
                "Asked twice, you draw the same latents; draw new ε each time, and fix no seed inside."
            )
        leaves = mean.requires_grad_(), log_variance.requires_grad_()
        _learnable(DRAWN.tensor(DRAWN.ask(student, *leaves), tuple(mean.shape)), *leaves)
    right("Drawn as the encoder says, and it can learn from them.")


def _log_variances(count: int, latents: int) -> Tensor:
    """Of both signs, and none near 0, where deviation and variance are both 1."""
    return torch.where(
        uniform(0, 1, count, latents) < 0.5,
        uniform(-2.5, -1.2, count, latents),
        uniform(0.8, 1.5, count, latents),
    )


def _draws(student: object, mean: Tensor, log_variance: Tensor) -> Tensor:
    inputs = mean.clone().requires_grad_(), log_variance.clone().requires_grad_()
    return DRAWN.tensor(DRAWN.ask(student, *inputs), tuple(mean.shape)).detach().to(mean)


def _about_means(found: Tensor, mean: Tensor) -> None:
    """Each latent's draws, over the images, rise with their means by 1 for 1, and are not shifted."""
    noise = found - mean
    slack = 5.5 * noise.std(0) / math.sqrt(len(mean))  # one right answer in a million
    centred = mean - mean.mean(0)
    rise = (centred * noise).mean(0) / centred.square().mean(0)
    if not ((noise.mean(0).abs() <= slack + 1e-4) & (rise.abs() <= slack / mean.std(0) + 1e-5)).all():
        raise NotYet("Your latents do not lie about their means; ε has mean 0, and μ is added.")


def _as_wide(noise: Tensor, log_variance: Tensor) -> None:
    """The noise of wide latents and of narrow ones has the deviation that belongs to it."""
    wanted = (log_variance / 2).exp()
    wide = log_variance > 0

    def spreads(deviation: Tensor) -> bool:
        share = noise / deviation
        return all(abs(float(some.std()) - 1) < 0.06 for some in (share[wide], share[~wide]))

    if spreads(wanted):
        return
    known = {
        "You multiply by the variance; the deviation is its root, exp(log σ² / 2).": log_variance.exp(),
        "You multiply by log σ² itself; the deviation is exp(log σ² / 2).": log_variance.abs(),
        "You take log σ² / 2 for the deviation; its exponential is.": log_variance.abs() / 2,
        "You draw with deviation 1 whatever the encoder says; multiply ε by exp(log σ² / 2).": (
            torch.ones_like(noise)
        ),
    }
    for sentence, deviation in known.items():
        if spreads(deviation):
            raise NotYet(sentence)
    raise NotYet(
        f"Latents whose exp(log σ² / 2) is about {wanted[wide].square().mean().sqrt():.2f} spread by "
        f"{noise[wide].std():.2f} in yours."
    )


def _independent(noise: Tensor) -> None:
    """Every number's noise is its own, and normal."""
    together = (noise.T @ noise) / len(noise)
    if (together - together.diag().diag()).abs().max() > 0.1:
        raise NotYet(
            "The latents of one image share their noise; draw one ε for each number: `torch.randn_like`."
        )
    if len({tuple(row) for row in (1000 * noise).round().tolist()}) < 0.9 * len(noise):
        raise NotYet("Several images share their noise; draw one ε for each number: `torch.randn_like`.")
    normal_size = math.sqrt(2 / math.pi)  # the mean of |ε|
    if (noise.abs() > 1.75).to(noise).mean() < 0.04 or abs(float(noise.abs().mean()) - normal_size) > 0.035:
        raise NotYet("Your noise is not normal; `torch.randn_like` draws such numbers.")


def _learnable(found: Tensor, mean: Tensor, log_variance: Tensor) -> None:
    by_mean, by_spread = (
        (None, None)
        if not found.requires_grad
        else torch.autograd.grad(found.square().sum(), (mean, log_variance), allow_unused=True)
    )
    if by_mean is None:
        raise NotYet(
            "The numbers are right, but no gradient reaches μ: a sample has none. Write z as a plain function of μ, σ "
            "and noise."
        )
    if by_spread is None or not by_spread.abs().sum():
        raise NotYet(
            "A gradient reaches μ and none reaches log σ²: detach nothing, and multiply ε by σ itself."
        )
    z = found.detach()
    for gradient, wanted, what in (
        (by_mean, 2 * z, "z rises by 1 where μ does"),
        (by_spread, z * (z - mean.detach()), "z rises by σε / 2 where log σ² rises by 1"),
    ):
        if not torch.allclose(gradient, wanted, 1e-3, 1e-3):
            raise NotYet(
                f"The numbers are right and their gradient is not: {what}. Detach nothing, and write z as one plain "
                "function of μ, log σ² and noise."
            )


# ---- 3: Sobel -------------------------------------------------------------------------------------------------------

SLOPES = Task(
    "rightwards(images)",
    "Sobel's slope to the right at every inner pixel, (N, C, H − 2, W − 2)",
    {"expected input": "a convolution over each channel by itself has `groups=C`, or use slices instead"},
)


def check_rightwards(student: object) -> None:
    """Task 3: the difference of the columns beside, smoothed by ¼, ½, ¼ along them, halved; images of any size."""
    sizes = (
        (1, 1, 3, 4),
        (2, 3, whole(6, 9), 5),
        (whole(3, 4), whole(2, 4), whole(4, 7), whole(8, 12)),
    )

    def inner(answer: object) -> Tensor:
        found = SLOPES.tensor(answer)
        if tuple(found.shape) == tuple(present().asked[2][0].shape):
            raise NotYet(
                "Your slopes are as many as the pixels; those at the border lack a neighbour, so there are "
                "(N, C, H − 2, W − 2)."
            )
        return found

    def rightwards(images: Tensor) -> Tensor:
        return sobel(images)[:, : images.shape[1], 1:-1, 1:-1]

    def downwards(images: Tensor) -> Tensor:
        return sobel(images)[:, images.shape[1] :, 1:-1, 1:-1]

    def across(images: Tensor, above: float, here: float, below: float) -> Tensor:
        columns = images[..., 2:] - images[..., :-2]
        return above * columns[..., :-2, :] + here * columns[..., 1:-1, :] + below * columns[..., 2:, :]

    SLOPES.judge(
        student,
        [(normal(*size),) for size in sizes],
        rightwards,
        {
            "You leave out the 8: a ramp that rises by 1 a pixel should give 1.": lambda x: 8 * rightwards(x),
            "You divide by 4: Sobel's columns lie two pixels apart, so it is 8.": lambda x: 2 * rightwards(x),
            "Your slope points to the left: the column on the right comes with a plus.": (
                lambda x: -rightwards(x)
            ),
            "That is the slope downwards; rightwards compares columns.": downwards,
            "You compare the columns beside and smooth nothing; Sobel weighs three rows 1, 2, 1.": (
                lambda x: across(x, 0, 1 / 2, 0)
            ),
            "You weigh the three rows alike; Sobel weighs them 1, 2, 1.": (
                lambda x: across(x, 1 / 6, 1 / 6, 1 / 6)
            ),
            "That is the length of the slope; its part to the right has a sign.": (
                lambda x: (rightwards(x).square() + downwards(x).square()).sqrt()
            ),
        },
        otherwise=lambda *_: "Some slopes are not Sobel's; try a ramp whose slope you know.",
        read=inner,
    )
    right("Sobel's slope, and a ramp of 1 a pixel gives 1.")


# ---- 4: directions --------------------------------------------------------------------------------------------------

APART = Task("apart(direction, other)", "the part of a direction at right angles to another, (latents,)")


def check_apart(student: object) -> None:
    """Task 4: v − (v · u / u · u) u, for a u of any length, and any number of latents."""
    cases = [
        (_quarters(2 * normal(latents)), _quarters(3 * normal(latents)) + 1 / 8)  # never of length 0
        for latents in (3, 5, whole(6, 40))
    ]

    def wanted(direction: Tensor, other: Tensor) -> Tensor:
        return orthogonal(direction, {"other": other})

    APART.judge(
        student,
        cases,
        wanted,
        {
            "You give the part *along* the other; it has to be taken away.": lambda v, u: v - wanted(v, u),
            "You add the part along the other; take it away.": lambda v, u: 2 * v - wanted(v, u),
            "You divide by the other's length once; the other comes twice, so its length does, too: divide by u · u.": (
                lambda v, u: v - (v @ u) / u.norm() * u
            ),
            "You divide by nothing, which is right only for an other of length 1: divide by u · u.": (
                lambda v, u: v - (v @ u) * u
            ),
            "You subtract the other as it is; subtract as much of it as the direction holds.": (
                lambda v, u: v - u
            ),
            "You bring the result to length 1; leave it as long as it is, so that one step stays one step.": (
                lambda v, u: wanted(v, u) / wanted(v, u).norm()
            ),
            "You divide by the direction's own length; it is the other's that counts.": (
                lambda v, u: v - (v @ u) / (v @ v) * u
            ),
            "You take the direction away from the other; the direction is what is left.": (
                lambda v, u: wanted(u, v)
            ),
        },
        tolerance=1e-3,
    )
    right("At right angles to the other, and otherwise the same.")


# ---- 5: live latents ------------------------------------------------------------------------------------------------

ALIVE = Task("alive(means)", "how many latents have means whose variance over the images is above 0.01")


def check_alive(student: object) -> None:
    """Task 5: counted by variance over the images, whatever the mean, and however many there are."""
    kinds = ((1, 2, 1, 0), (3, 1, 2, 0), (whole(2, 5), whole(1, 3), whole(2, 4), whole(0, 2)))
    ALIVE.judge(
        student,
        [(_means(*counts),) for counts in kinds],
        lambda m: (m.var(0) > 0.01).sum(),
        {
            "You compare the deviation with 0.01; the variance is its square.": (
                lambda m: (m.std(0) > 0.01).sum()
            ),
            "You count latents whose mean is far from 0; one that stands still at 2 says nothing about any image.": (
                lambda m: (m.mean(0).abs() > 0.01).sum()
            ),
            "You count the images; the variance goes over them, and what is counted is latents.": (
                lambda m: (m.var(1) > 0.01).sum()
            ),
            "You count the dead ones.": lambda m: (m.var(0) <= 0.01).sum(),
            "You return a share; a count is wanted.": lambda m: (m.var(0) > 0.01).to(m).mean(),
            "You take one variance of them all; each latent has its own.": (lambda m: (m.var() > 0.01).sum()),
            "You take mean squares; a latent that stands still at 2 has variance 0.": (
                lambda m: (m.square().mean(0) > 0.01).sum()
            ),
        },
    )
    right("A latent lives if it says something different of different images.")


def _means(alive: int, weak: int, still: int, shifted: int) -> Tensor:
    """Means of images' codes: latents that live, some of them about 1, some that move too little, some that stand."""
    noise = normal(whole(200, 500), alive + weak + still)
    noise = (noise - noise.mean(0)) / noise.std(0)
    deviations = torch.cat([_about(0.106, 1.2, alive), _about(0.094, 0.02, weak), torch.zeros(still)])
    offsets = torch.cat([torch.ones(shifted), torch.zeros(alive - shifted + weak), uniform(1, 3, still)])
    order = torch.tensor(mixed(range(alive + weak + still)))
    return (noise * deviations + offsets)[:, order]


def _about(border: float, beyond: float, count: int) -> Tensor:
    """So many deviations between two numbers, the first of them at the one that is near the border of 0.1."""
    return torch.cat([torch.tensor([border] * min(1, count)), uniform(border, beyond, max(0, count - 1))])


# ---- 6: a bound that rises ------------------------------------------------------------------------------------------

BOUND = Task("estimate(log_weights)", "the log of the mean weight of each image's draws, (N,)")


def check_estimate(student: object) -> None:
    """Task 6: log Σ exp − log K over the draws, also where every weight underflows."""
    sizes = ((2, 3), (whole(3, 4), 5), (whole(7, 9), whole(10, 30)))
    near = [_quarters(normal(*size)) - whole(1, 3) for size in sizes]
    far = [log_weights - whole(850, 950) for log_weights in near]
    apart = [
        log_weights + 900.0 * torch.tensor(mixed([*range(-1, 2)] * 3))[: len(log_weights), None]
        for log_weights in near
    ]  # one image near, one far below, one far above

    def finite(answer: object) -> Tensor:
        found = BOUND.tensor(answer)
        if present().asked[2][0].abs().max() > 100 and not bool(found.isfinite().all()):
            raise NotYet(
                "For log weights near −900 or 900 you give infinity: exp(−900) is 0 to a computer, and exp(900) "
                "infinite. `torch.logsumexp` takes each image's largest out first."
            )
        return found

    BOUND.judge(
        student,
        [(log_weights,) for log_weights in (*near, *far, *apart)],
        lambda w: w.logsumexp(1) - math.log(w.shape[1]),
        {
            "You take the mean of the logs, which is the bound with one draw; take the log of the mean weight.": (
                lambda w: w.mean(1)
            ),
            "You forget the number of draws: the mean is the sum over K.": lambda w: w.logsumexp(1),
            "You give the mean weight; its logarithm is wanted.": lambda w: w.exp().mean(1),
            "You keep the best draw alone; all of them count.": lambda w: w.amax(1),
            "You subtract K where its logarithm belongs.": lambda w: w.logsumexp(1) - w.shape[1],
            "You average over the images; each image has its own draws, on the second axis.": (
                lambda w: w.logsumexp(0) - math.log(len(w))
            ),
            "You average over draws and images together; one number an image is (N,).": (
                lambda w: w.logsumexp((0, 1)) - math.log(w.numel())
            ),
            "You sum over draws and images together; one number an image is (N,), and it is a mean.": (
                lambda w: w.logsumexp((0, 1))
            ),
        },
        read=finite,
    )
    right("The mean weight's logarithm, even where every weight is too small to write down.")
