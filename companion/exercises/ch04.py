"""Checks of chapter 4's exercises: places between, slopes, the penalty in both forms, what leaks, and RGBA sprites."""

import math

import torch
from torch import Tensor, nn

from companion.exercises.runner import NotYet, Task, right

# ---- 1: places between ----------------------------------------------------------------------------------------------

BETWEEN = Task(
    "between(real, fake)",
    "for each pair one place on the line between the real and the fake picture, (N, C, H, W)",
    {"must match the size": "ε has to spread over an image's pixels: give it the shape (N, 1, 1, 1)"},
)


def check_between(student: object) -> None:
    """Task 1: one ε per picture, uniform, on the line between each pair."""
    count = 600
    real, fake = torch.zeros(count, 2, 3, 3), torch.ones(count, 2, 3, 3)
    found = BETWEEN.tensor(BETWEEN.ask(student, real.clone(), fake.clone()), (count, 2, 3, 3))
    along = found.detach().flatten(1)
    if along.min() < -1e-6 or along.max() > 1 + 1e-6:
        raise NotYet("Some of your places lie beyond the ends of the line; ε is uniform on [0, 1].")
    if (along == along[0, 0]).all():
        raise NotYet("All pictures share one ε; draw one for each picture.")
    if not torch.allclose(along, along[:, :1].expand_as(along), atol=1e-6):
        raise NotYet(
            "The pixels of one picture have different ε, so it lies on no line between the two; draw one ε for each "
            "picture and give it the shape (N, 1, 1, 1)."
        )
    if len(set(along[:, 0].tolist())) < count / 2:
        raise NotYet("Your ε takes few values only; it is uniform on [0, 1].")
    uniform = (torch.arange(count) + 0.5) / count
    if (along[:, 0].sort().values - uniform).abs().max() > 2.7 / math.sqrt(count):
        raise NotYet("Your ε is not uniform on [0, 1]: `torch.rand` draws such numbers.")
    again = BETWEEN.tensor(BETWEEN.ask(student, real.clone(), fake.clone()), (count, 2, 3, 3))
    if torch.equal(again.detach(), found.detach()):
        raise NotYet("Asked twice, you give the same places; draw new ε each time, and fix no seed inside.")
    pairs = 10 * torch.arange(4.0).view(4, 1, 1, 1)
    places = BETWEEN.tensor(BETWEEN.ask(student, pairs, pairs + 1), (4, 1, 1, 1)).detach().flatten()
    if ((places - pairs.flatten() < -1e-5) | (places - pairs.flatten() > 1 + 1e-5)).any():
        raise NotYet(
            "A place lies off the line of its own pair: mix each real picture with the fake of its row."
        )
    right("Each pair has its own place on its own line.")


# ---- 2: slopes ------------------------------------------------------------------------------------------------------

SLOPES = Task(
    "slopes(critic, images)",
    "the norm of the slope of each image's score, (N,), such that the critic can learn from it",
    {
        "does not require grad": "autograd has to watch the images: `images.requires_grad_()` before scoring them",
        "can be implicitly created only for scalar": "autograd wants one number: the sum of the scores",
        "not have been used": "the images have to be watched before the critic scores them, not after",
        "'tuple' object": "`torch.autograd.grad` returns a tuple, here of one; take that one out",
    },
)


class _Bowl(nn.Module):
    """f(x) = steepness · ‖x‖²/2, whose slope is steepness · x."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(steepness))

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        scores: Tensor = self.steepness * images.flatten(1).square().sum(1) / 2
        return scores


def check_slopes(student: object) -> None:
    """Task 2: norms per image over all axes, differentiable, finite at zero."""
    critic, images = _Bowl(2.0), _images()
    found = SLOPES.tensor(SLOPES.ask(student, critic, images.clone()))
    wanted = 2 * images.flatten(1).norm(dim=1)
    if tuple(found.shape) != tuple(wanted.shape):
        raise NotYet(
            f"`slopes` returns a tensor of shape {tuple(found.shape)}; there is one norm for each image, (N,), over "
            "channels and pixels together: flatten first."
        )
    known = {
        "Those are the images' norms, not those of the slopes.": wanted / 2,
        "Those are squares; take the root, or a norm.": wanted.square(),
        "Your slope is divided by the number of images: differentiate the *sum* of the scores, not their mean.": (
            wanted / len(images)
        ),
        "You add up absolute values; the length is the root of the sum of squares.": (
            2 * images.flatten(1).abs().sum(1)
        ),
        "You take the mean of the squares under the root; the length has their sum there.": (
            wanted / images[0].numel() ** 0.5
        ),
        "You average the norms of an image's pixels; it has one norm, over channels and pixels together.": (
            2 * images.norm(dim=1).mean((1, 2))
        ),
    }
    SLOPES.match(found.detach(), wanted, known)
    if not found.requires_grad:
        raise NotYet(
            "The norms are right, but the critic cannot learn from them: ask `torch.autograd.grad` for "
            "`create_graph=True`, and detach nothing."
        )
    (by_weight,) = torch.autograd.grad(found.sum(), critic.steepness, allow_unused=True)
    if by_weight is None or not math.isclose(float(by_weight), float(wanted.sum()) / 2, rel_tol=1e-3):
        raise NotYet("The norms are right, but their gradient by the critic's weights is not.")
    flat = _Bowl(0.0)
    norms = SLOPES.tensor(SLOPES.ask(student, flat, images.clone()))
    (by_weight,) = torch.autograd.grad(norms.sum(), flat.steepness)
    if not by_weight.isfinite():
        raise NotYet(
            "Where the slope is zero your norm has the derivative NaN, and one such image ruins every weight: the root "
            "of a sum of squares has none there; `torch.linalg.vector_norm` has."
        )
    right("One norm for each image, and the critic can learn from it, even where the slope is zero.")


def _images() -> Tensor:
    return torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(2))


# ---- 3: the penalty -------------------------------------------------------------------------------------------------

TWO_SIDED = Task("two_sided(norms, weight)", "λ times the mean of the squared deviations from 1")
ONE_SIDED = Task("one_sided(norms, weight)", "the same, but slopes below 1 cost nothing")
NORMS = torch.tensor([0.0, 0.5, 1.0, 2.5, 4.0])


def check_penalties(two_sided: object, one_sided: object) -> None:
    """Task 3: both penalties from the norms of the slopes."""
    weight = 3.0
    deviation, excess = NORMS - 1, (NORMS - 1).clamp(min=0)
    for task, student, part, others in (
        (
            TWO_SIDED,
            two_sided,
            deviation,
            {"Slopes below 1 cost nothing in your penalty; that is the one-sided form.": excess},
        ),
        (
            ONE_SIDED,
            one_sided,
            excess,
            {
                "A slope below 1 costs something in your penalty; one-sided means that only steeper ones do.": (
                    deviation
                )
            },
        ),
    ):
        mistakes = {
            **{sentence: weight * other.square().mean() for sentence, other in others.items()},
            "Your penalty averages over the batch before the square; square each image's deviation first.": (
                weight * part.mean().square()
            ),
            "You sum over the batch; the expectation is a mean.": weight * part.square().sum(),
            "λ is missing: it weighs the deviations.": part.square().mean(),
            "You square nothing; the deviation is squared.": weight * part.abs().mean(),
            "You take λ for 10; use the argument.": 10 * part.square().mean(),
            "You compare the squared norm with 1; the norm itself is wanted.": (
                weight * (NORMS.square() - 1).square().mean()
            ),
            "You leave out norms below 1 before you take the mean; they cost nothing, and they count.": (
                weight * part[NORMS > 1].square().mean()
            ),
            "You clamp the norm, not its excess over 1.": weight * (NORMS.clamp(min=0)).square().mean(),
        }
        values = {sentence: float(value) for sentence, value in mistakes.items()}
        norms = NORMS.clone().requires_grad_()
        loss = task.scalar(task.ask(student, norms, weight))
        task.expect(
            float(loss.detach()),
            float(weight * part.square().mean()),
            f"norms {NORMS.tolist()}, λ = 3",
            values,
        )
        if not loss.requires_grad:
            raise NotYet(f"The value of `{task.name}` is right, but it has left autograd; return the tensor.")
    right("Both penalties are right: squared per image, then the mean.")


# ---- 4: company -----------------------------------------------------------------------------------------------------

LEAKS = Task(
    "leaks(critic, images)",
    "True if the score of some image changes with the company it is scored in, else False",
    {
        "Expected more than 1 value": "batch normalisation cannot score one image alone while it trains; compare two "
        "companies of several images"
    },
)


class _Quiet(nn.Module):
    """Mixes images through their mean, without any layer that is known to."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Score each image against the mean of its batch."""
        flat = images.flatten(1)
        scores: Tensor = self.layer(flat - flat.mean(0)).flatten()
        return scores


def check_leaks(student: object) -> None:
    """Task 4: by what the critic does, not by the names of its layers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        images = torch.randn(8, 6, 1, 1)
        critics = {
            "batch normalisation": (_critic(nn.BatchNorm2d(6)), True),
            "no normalisation": (_critic(nn.Identity()), False),
            "layer normalisation": (_critic(nn.GroupNorm(1, 6)), False),
            "a mean over the batch of its own": (_Quiet(), True),
            "batch normalisation in evaluation mode": (_critic(nn.BatchNorm2d(6)).eval(), False),
        }
    for name, (critic, wanted) in critics.items():
        training = critic.training
        before = {key: value.clone() for key, value in critic.state_dict().items()}
        answer = LEAKS.ask(student, critic, images.clone())
        if answer is None:
            raise NotYet("`leaks` returns nothing; let it end with `return` and True or False.")
        found = LEAKS.number(answer)
        if found not in (0.0, 1.0):
            raise NotYet(f"`leaks` returns {found:.3g}; True or False is wanted.")
        if bool(found) != wanted:
            says = (
                "that it leaks, and each image is scored by itself"
                if found
                else "that nothing leaks, and it does"
            )
            raise NotYet(f"For a critic with {name} `leaks` says {says}; compare scores in two companies.")
        if critic.training != training:
            raise NotYet("`leaks` has changed the critic's mode; examine it in the mode it comes in.")
        critic.load_state_dict(before)  # running averages may have moved: forgiven
    right("You found every leak by what the critic does.")


def _critic(norm: nn.Module) -> nn.Sequential:
    return nn.Sequential(norm, nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(6, 1), nn.Flatten(0))


# ---- 5: sprites -----------------------------------------------------------------------------------------------------

PREMULTIPLIED = Task(
    "premultiplied(sprites)",
    "RGBA sprites in [−1, 1] with their colours multiplied by alpha, still in [−1, 1]",
)


def check_premultiplied(student: object) -> None:
    """Task 5: colours times alpha on [0, 1], alpha as it was, back in [−1, 1]."""
    sprites = torch.rand(3, 4, 5, 5, generator=torch.Generator().manual_seed(6)) * 2 - 1
    sprites[0, 3], sprites[1, 3] = -1.0, 1.0  # nothing to see, and nothing to see through
    given = sprites.clone()
    found = PREMULTIPLIED.tensor(PREMULTIPLIED.ask(student, given), (3, 4, 5, 5)).detach().float()
    unit = (sprites + 1) / 2
    colour, alpha = unit[:, :3] * unit[:, 3:], unit[:, 3:]
    wanted = torch.cat([colour, alpha], dim=1) * 2 - 1
    known = {
        "You multiply in [−1, 1], where “black” is −1 and not 0: go to [0, 1] first, and back afterwards.": (
            torch.cat([sprites[:, :3] * sprites[:, 3:], sprites[:, 3:]], dim=1)
        ),
        "You multiply colours in [−1, 1] by an alpha in [0, 1]: hidden colours become grey 0, not black −1.": (
            torch.cat([sprites[:, :3] * alpha, sprites[:, 3:]], dim=1)
        ),
        "Your sprites are still in [0, 1]; the course's images are in [−1, 1].": torch.cat(
            [colour, alpha], dim=1
        ),
        "You multiply alpha by itself as well; it stays as it was.": (
            torch.cat([colour, alpha * alpha], dim=1) * 2 - 1
        ),
        "The sprites are as they came.": sprites,
        "You lay the sprites on white; on black, what nobody can see is black.": (
            torch.cat([colour + 1 - alpha, alpha], dim=1) * 2 - 1
        ),
        "You cut where alpha is small; in between, colours fade in proportion to alpha.": torch.cat(
            [torch.where(alpha > 0.5, unit[:, :3], 0.0), alpha], dim=1
        )
        * 2
        - 1,
    }
    PREMULTIPLIED.match(found, wanted, known, _unlike(found, wanted))
    if not torch.equal(given, sprites):
        raise NotYet("You have changed the sprites that came in; work on a copy.")
    right("What nobody can see is black, and what is solid is untouched.")


def _unlike(found: Tensor, wanted: Tensor) -> str:
    if not torch.allclose(found[:, 3], wanted[:, 3], atol=1e-4):
        return "Alpha has changed; it is the fourth channel, and it stays as it was."
    if not torch.allclose(found[1], wanted[1], atol=1e-4):
        return "A solid sprite (alpha 1 everywhere) should keep its colours."
    return "Where alpha is 0 colours should be black, −1, and in between they should be darker in proportion."
