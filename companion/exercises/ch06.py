"""Checks of chapter 6's exercises: divergence, draws about a code, Sobel's slopes, directions, latents, a bound."""

import math

import torch
from torch import Tensor

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
    """Task 1: half the sum over the latents of μ² + σ² − log σ² − 1, for each image."""
    mean = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.3, 0.0]])
    log_variance = torch.tensor([[0.0, -2.0, 1.0], [0.5, 0.0, -1.0]])
    wanted = gaussian_divergence(mean, log_variance)
    found = DIVERGENCE.tensor(DIVERGENCE.ask(student, mean.clone(), log_variance.clone())).detach()
    if found.dim() == 0:
        raise NotYet(
            "`divergence` returns one number; every image has its own, so sum over the latents alone."
        )
    if tuple(found.shape) == (3,):
        raise NotYet("You sum over the images; sum over the latents, which are the second axis.")
    if tuple(found.shape) != (2,):
        raise NotYet(
            f"`divergence` returns a tensor of shape {tuple(found.shape)}; one number an image is (N,)."
        )
    terms = mean.square() + log_variance.exp() - log_variance - 1
    mistakes = {
        "You take the mean over the latents; each of them costs its own nats, so they are summed.": wanted
        / 3,
        "The half is missing.": 2 * wanted,
        "The sign is the wrong way round: the divergence is never negative.": -wanted,
        "The −1 is missing: a code that is the prior costs nothing.": 0.5 * (terms + 1).sum(1),
        "You take log σ² for σ²; the variance is its exponential.": (
            0.5 * (mean.square() + log_variance - log_variance - 1).sum(1)
        ),
        "You take log σ² for log σ: the variance is exp(log σ²), not exp(2 log σ²).": (
            0.5 * (mean.square() + (2 * log_variance).exp() - 2 * log_variance - 1).sum(1)
        ),
        "You add σ where the formula has σ².": (
            0.5 * (mean.square() + (log_variance / 2).exp() - log_variance - 1).sum(1)
        ),
        "You add μ where the formula has μ².": 0.5 * (mean + log_variance.exp() - log_variance - 1).sum(1),
    }
    DIVERGENCE.match(found, wanted, mistakes)
    right("Each image's code has its price, and the prior itself is free.")


# ---- 2: drawing -----------------------------------------------------------------------------------------------------

DRAWN = Task(
    "drawn(mean, log_variance)",
    "latents about their means such that the encoder can learn from them, (N, latents)",
    {"normal expects": "torch.normal wants a deviation, which is never negative: exp(log σ² / 2)"},
)


def check_drawn(student: object) -> None:
    """Task 2: μ + σ ⊙ ε, fresh noise for every number, and a gradient to both."""
    count = 8000
    mean = torch.tensor([[1.0, -2.0]]).repeat(count, 1).requires_grad_()
    log_variance = torch.tensor([[-2.0, 1.0]]).repeat(count, 1).requires_grad_()
    found = DRAWN.tensor(DRAWN.ask(student, mean, log_variance), (count, 2))
    about, spread = found.detach().mean(0), found.detach().std(0)
    if (spread < 1e-6).all():
        raise NotYet(
            "Every image gets the same latents: noise is missing, or one draw is shared by all images."
        )
    if (about - mean[0].detach()).abs().max() > 0.1:
        raise NotYet("Your latents do not lie about their means; ε has mean 0, and μ is added.")
    known = {
        "You multiply by the variance; the deviation is its root, exp(log σ² / 2).": log_variance[0].exp(),
        "You multiply by log σ² itself; the deviation is exp(log σ² / 2).": log_variance[0].abs(),
        "You take log σ² / 2 for the deviation; its exponential is.": log_variance[0].abs() / 2,
        "You draw with deviation 1 whatever the encoder says; multiply ε by exp(log σ² / 2).": torch.ones(2),
    }
    wanted = (log_variance[0] / 2).exp().detach()
    if not torch.allclose(spread, wanted, rtol=0.06):
        for sentence, value in known.items():
            if torch.allclose(spread, value.detach(), rtol=0.06):
                raise NotYet(sentence)
        raise NotYet(
            f"Your latents spread by {spread.tolist()[0]:.2f} where exp(log σ² / 2) is {wanted[0]:.2f}."
        )
    centred = (found.detach() - about) / spread
    if (centred[:, 0] * centred[:, 1]).mean().abs() > 0.1:
        raise NotYet(
            "The latents of one image share their noise; draw one ε for each number: `torch.randn_like`."
        )
    if (centred.abs() > 1.75).float().mean() < 0.04:
        raise NotYet("Your noise is not normal; `torch.randn_like` draws such numbers.")
    again = DRAWN.tensor(DRAWN.ask(student, mean, log_variance), (count, 2))
    if torch.equal(again.detach(), found.detach()):
        raise NotYet("Asked twice, you draw the same latents; draw new ε each time, and fix no seed inside.")
    _learnable(found, mean, log_variance)
    right("Drawn as the encoder says, and it can learn from them.")


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


# ---- 3: Sobel -------------------------------------------------------------------------------------------------------

SLOPES = Task(
    "rightwards(images)",
    "Sobel's slope to the right at every inner pixel, (N, C, H − 2, W − 2)",
    {"expected input": "a convolution over each channel by itself has `groups=C`, or use slices instead"},
)


def check_rightwards(student: object) -> None:
    """Task 3: the difference of the columns beside, smoothed by ¼, ½, ¼ along them, halved."""
    images = torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(4))
    found = SLOPES.tensor(SLOPES.ask(student, images.clone()))
    if tuple(found.shape) != (2, 3, 5, 7):
        raise NotYet(
            f"`rightwards` returns a tensor of shape {tuple(found.shape)} for images (2, 3, 7, 9); inner pixels of "
            "each channel by itself are (2, 3, 5, 7)."
        )
    slopes = sobel(images)[..., 1:-1, 1:-1]
    wanted, down = slopes[:, :3], slopes[:, 3:]
    across = images[..., 2:] - images[..., :-2]
    plain = across[..., 1:-1, :] / 2
    prewitt = (across[..., 2:, :] + across[..., 1:-1, :] + across[..., :-2, :]) / 6
    mistakes = {
        "You leave out the 8: a ramp that rises by 1 a pixel should give 1.": 8 * wanted,
        "You divide by 4: Sobel's columns lie two pixels apart, so it is 8.": 2 * wanted,
        "Your slope points to the left: the column on the right comes with a plus.": -wanted,
        "That is the slope downwards; rightwards compares columns.": down,
        "You compare the columns beside and smooth nothing; Sobel weighs three rows 1, 2, 1.": plain,
        "You weigh the three rows alike; Sobel weighs them 1, 2, 1.": prewitt,
        "That is the length of the slope; its part to the right has a sign.": (
            wanted.square() + down.square()
        ).sqrt(),
    }
    SLOPES.match(
        found.detach(), wanted, mistakes, "Some slopes are not Sobel's; try a ramp whose slope you know."
    )
    right("Sobel's slope, and a ramp of 1 a pixel gives 1.")


# ---- 4: directions --------------------------------------------------------------------------------------------------

APART = Task("apart(direction, other)", "the part of a direction at right angles to another, (latents,)")


def check_apart(student: object) -> None:
    """Task 4: v − (v · u / u · u) u, for a u of any length."""
    direction, other = torch.tensor([1.0, 2.0, -1.0, 0.5]), torch.tensor([0.0, 3.0, 4.0, 0.0])
    found = APART.tensor(APART.ask(student, direction.clone(), other.clone()), (4,)).detach()
    dot, length = direction @ other, other.norm()
    wanted = orthogonal(direction, {"other": other})
    along = dot / length**2 * other
    mistakes = {
        "You give the part *along* the other; it has to be taken away.": along,
        "You add the part along the other; take it away.": direction + along,
        "You divide by the other's length once; the other comes twice, so its length does, too: divide by u · u.": (
            direction - dot / length * other
        ),
        "You divide by nothing, which is right only for an other of length 1: divide by u · u.": (
            direction - dot * other
        ),
        "You subtract the other as it is; subtract as much of it as the direction holds.": direction - other,
        "You bring the result to length 1; leave it as long as it is, so that one step stays one step.": (
            wanted / wanted.norm()
        ),
        "You divide by the direction's own length; it is the other's that counts.": (
            direction - dot / (direction @ direction) * other
        ),
    }
    APART.match(found, wanted, mistakes)
    right("At right angles to the other, and otherwise the same.")


# ---- 5: live latents ------------------------------------------------------------------------------------------------

ALIVE = Task("alive(means)", "how many latents have means whose variance over the images is above 0.01")


def check_alive(student: object) -> None:
    """Task 5: counted by variance over the images, whatever the mean."""
    noise = torch.randn(500, 6, generator=torch.Generator().manual_seed(5))
    noise = (noise - noise.mean(0)) / noise.std(0)
    deviations = torch.tensor([1.0, 0.5, 0.15, 0.05, 0.02, 0.0])
    means = noise * deviations + torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 2.0])
    found = ALIVE.number(ALIVE.ask(student, means.clone()))
    mistakes = {
        "You compare the deviation with 0.01; the variance is its square.": 5.0,
        "You count latents whose mean is far from 0; one that stands still at 2 says nothing about any image.": 2.0,
        "You count the images; the variance goes over them, and what is counted is latents.": 500.0,
        "You count the dead ones.": 3.0 + 1e-9,
        "You return a share; a count is wanted.": 0.5,
    }
    ALIVE.expect(found, 3.0, "six latents with deviations 1, 0.5, 0.15, 0.05, 0.02 and 0", mistakes)
    more = means[:, [0, 0, 1, 3]]
    ALIVE.expect(
        ALIVE.number(ALIVE.ask(student, more.clone())),
        3.0,
        "four latents with deviations 1, 1, 0.5 and 0.05",
        {"You count the dead ones.": 1.0, "You return a share; a count is wanted.": 0.75},
    )
    right("A latent lives if it says something different of different images.")


# ---- 6: a bound that rises ------------------------------------------------------------------------------------------

BOUND = Task("estimate(log_weights)", "the log of the mean weight of each image's draws, (N,)")


def check_estimate(student: object) -> None:
    """Task 6: log Σ exp − log K over the draws, where every weight underflows."""
    log_weights = torch.tensor([[-1.0, -2.0, -4.0], [-0.5, -0.5, -0.5]])
    wanted = log_weights.logsumexp(1) - math.log(3)
    found = BOUND.tensor(BOUND.ask(student, log_weights.clone())).detach()
    if tuple(found.shape) == (3,):
        raise NotYet("You average over the images; each image has its own draws, on the second axis.")
    if tuple(found.shape) != (2,):
        raise NotYet(
            f"`estimate` returns a tensor of shape {tuple(found.shape)}; one number an image is (N,)."
        )
    mistakes = {
        "You take the mean of the logs, which is the bound with one draw; take the log of the mean weight.": (
            log_weights.mean(1)
        ),
        "You forget the number of draws: the mean is the sum over K.": log_weights.logsumexp(1),
        "You give the mean weight; its logarithm is wanted.": log_weights.exp().mean(1),
        "You keep the best draw alone; all of them count.": log_weights.amax(1),
        "You subtract K where its logarithm belongs.": log_weights.logsumexp(1) - 3,
    }
    BOUND.match(found, wanted, mistakes)
    far = log_weights - 900.0
    found = BOUND.tensor(BOUND.ask(student, far.clone())).detach()
    if not found.isfinite().all():
        raise NotYet(
            "For log weights near −900 you give infinity: exp(−900) is 0 to a computer. `torch.logsumexp` takes the "
            "largest out first."
        )
    BOUND.match(found, wanted - 900.0, {})
    right("The mean weight's logarithm, even where every weight is too small to write down.")
