"""Checks of chapter 4's exercises: places between, slopes, the penalty in both forms, what leaks, and RGBA sprites."""

import math

import torch
from torch import Tensor, nn

from companion.exercises.rounds import among, mixed, normal, uniform, whole
from companion.exercises.runner import NotYet, Task, right

# ---- 1: places between ----------------------------------------------------------------------------------------------

BETWEEN = Task(
    "between(real, fake)",
    "for each pair one place on the line between the real and the fake picture, (N, C, H, W)",
    {"must match the size": "ε has to spread over an image's pixels: give it the shape (N, 1, 1, 1)"},
)


def check_between(student: object) -> None:
    """Task 1: one ε per picture, uniform, on the line between each pair, for pictures of any size."""
    for shape in ((1, 2, 2), (1, whole(2, 4), whole(5, 7)), (whole(2, 4), whole(2, 3), 3)):
        _check_places(student, shape)
        _check_pairs(student, shape)
    right("Each pair has its own place on its own line.")


def _check_places(student: object, shape: tuple[int, int, int]) -> None:
    count = whole(500, 700)
    real, fake = torch.zeros(count, *shape), torch.ones(count, *shape)
    found = BETWEEN.tensor(BETWEEN.ask(student, real, fake), (count, *shape)).detach()
    along = found.flatten(1)
    if not along.isfinite().all():
        raise NotYet("Some of your places are infinite or NaN; ε is uniform on [0, 1].")
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
    if ((along[:, 0] == 0) | (along[:, 0] == 1)).double().mean() > 0.01:
        raise NotYet(
            "Some of your places are the pictures themselves: an ε beyond 0 or 1 is cut off there; `torch.rand` draws "
            "evenly between."
        )
    even = (torch.arange(count) + 0.5) / count
    if (along[:, 0].sort().values - even).abs().max() > 2.9 / math.sqrt(
        count
    ):  # one right answer in ten million
        raise NotYet("Your ε is not uniform on [0, 1]: `torch.rand` draws such numbers.")
    again = BETWEEN.tensor(BETWEEN.ask(student, real, fake), (count, *shape))
    if torch.equal(again.detach(), found):
        raise NotYet("Asked twice, you give the same places; draw new ε each time, and fix no seed inside.")


def _check_pairs(student: object, shape: tuple[int, int, int]) -> None:
    """Pictures of which no two are alike: every place lies on its own line, at one ε for all of its pixels."""
    for count in (1, 2, whole(3, 6)):
        real = 10 * normal(count, *shape)
        fake = real + uniform(0.5, 2, count, *shape)
        places = BETWEEN.tensor(BETWEEN.ask(student, real, fake), (count, *shape)).detach()
        along = ((places - real) / (fake - real)).flatten(1)
        if ((along < -1e-3) | (along > 1 + 1e-3) | ((along - along[:, :1]).abs() > 1e-3)).any():
            raise NotYet(
                "A place lies off the line of its own pair: mix each real picture with the fake of its row, in shares "
                "of (1 − ε) and ε."
            )


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


class _Ramp(nn.Module):
    """f(x) = steepness · ⟨direction, x⟩ + 1: the slope is one length everywhere."""

    def __init__(self, steepness: float, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(steepness))
        self.direction = normal(*shape)

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        scores: Tensor = self.steepness * (images * self.direction).flatten(1).sum(1) + 1
        return scores


def check_slopes(student: object) -> None:
    """Task 2: norms per image over all axes, differentiable, finite at zero, for images of any size."""
    for shape in ((1, 1, 2, 2), (3, 1, 2, 5), (whole(4, 6), whole(2, 4), 4, 3)):
        images = normal(*shape)
        steepness = among((2.3, 3.7, -1.6))
        ramp = _Ramp(steepness, shape[1:])
        _check_slopes(student, _Bowl(steepness), images, abs(steepness) * images.flatten(1).norm(dim=1))
        _check_slopes(student, ramp, images, (abs(steepness) * ramp.direction.norm()).expand(shape[0]))
        flat = _Bowl(0.0)
        norms = SLOPES.tensor(SLOPES.ask(student, flat, images.clone()), (shape[0],))
        (by_weight,) = SLOPES.slopes(norms.sum(), [flat.steepness])
        if not by_weight.isfinite():
            raise NotYet(
                "Where the slope is zero your norm has the derivative NaN, and one such image ruins every weight: the "
                "root of a sum of squares has none there; `torch.linalg.vector_norm` has."
            )
    gentle = _Bowl(0.1)  # a number added under the root would show
    _check_slopes(student, gentle, images, 0.1 * images.flatten(1).norm(dim=1))
    right("One norm for each image, and the critic can learn from it, even where the slope is zero.")


def _check_slopes(student: object, critic: _Bowl | _Ramp, images: Tensor, wanted: Tensor) -> None:
    found = SLOPES.tensor(SLOPES.ask(student, critic, images.clone()))
    wanted = wanted.detach()
    if tuple(found.shape) != tuple(wanted.shape):
        raise NotYet(
            f"`slopes` returns a tensor of shape {tuple(found.shape)}; there is one norm for each image, (N,), over "
            "channels and pixels together: flatten first."
        )
    single = len(images) == 1  # then each image is the whole batch, and those mistakes do not show
    slope = images if isinstance(critic, _Bowl) else critic.direction.expand_as(images)
    slope = critic.steepness.detach() * slope
    known = {
        "Those are the images' norms, not those of the slopes.": images.flatten(1).norm(dim=1),
        "Those are the scores, not the norms of their slopes.": critic(images).detach(),
        "Those are squares; take the root, or a norm.": wanted.square(),
        "Your slope is divided by the number of images: differentiate the *sum* of the scores, not their mean.": (
            wanted / len(images)
        ),
        "You take the norm over the whole batch; each image has its own.": slope.norm().expand_as(wanted),
        "You add up absolute values; the length is the root of the sum of squares.": slope.abs()
        .flatten(1)
        .sum(1),
        "You take the largest part of the slope; the length is the root of the sum of squares.": (
            slope.abs().flatten(1).amax(1)
        ),
        "You take the mean of the squares under the root; the length has their sum there.": (
            wanted / images[0].numel() ** 0.5
        ),
        "You add up the parts of the slope; the length is the root of the sum of squares.": slope.flatten(
            1
        ).sum(1),
        "You average the norms of an image's pixels; it has one norm, over channels and pixels together.": (
            slope.norm(dim=1).mean((1, 2))
        ),
        "You average the norms of an image's channels; it has one norm, over channels and pixels together.": (
            slope.flatten(2).norm(dim=2).mean(1)
        ),
        "You take the norm of the first channel; it has one norm, over channels and pixels together.": (
            slope[:, 0].flatten(1).norm(dim=1)
        ),
        "Your norms are held at 1; the penalty is for the next task.": wanted.clamp(max=1),
    }
    if not single:
        SLOPES.match(found.detach(), wanted, known, case=f"{len(images)} images", tolerance=1e-3)
    elif not torch.allclose(found.detach().double(), wanted.double(), 1e-3, 1e-3):
        return  # the next batch tells which mistake it is
    if not found.requires_grad:
        raise NotYet(
            "The norms are right, but the critic cannot learn from them: ask `torch.autograd.grad` for "
            "`create_graph=True`, and detach nothing."
        )
    (by_weight,) = SLOPES.slopes(found.sum(), [critic.steepness])
    right_one = float(wanted.sum() / critic.steepness.detach())
    if not math.isclose(float(by_weight), right_one, rel_tol=1e-3):
        raise NotYet("The norms are right, but their gradient by the critic's weights is not.")


# ---- 3: the penalty -------------------------------------------------------------------------------------------------

TWO_SIDED = Task("two_sided(norms, weight)", "λ times the mean of the squared deviations from 1")
ONE_SIDED = Task("one_sided(norms, weight)", "the same, but slopes below 1 cost nothing")


def _two_sided(norms: Tensor) -> Tensor:
    return norms - 1


def _one_sided(norms: Tensor) -> Tensor:
    return (norms - 1).relu()


def check_penalties(two_sided: object, one_sided: object) -> None:
    """Task 3: both penalties from the norms of the slopes, value and gradient, for any number and any λ."""
    two_mistakes = {"Slopes below 1 cost nothing in your penalty; that is the one-sided form.": _one_sided}
    one_mistakes = {
        "A slope below 1 costs something in your penalty; one-sided means that only steeper ones do.": _two_sided,
        "Slopes above 1 cost nothing in your penalty; it is those below that are free.": lambda n: (
            1 - n
        ).relu(),
    }
    for task, student, part, others in (
        (TWO_SIDED, two_sided, _two_sided, two_mistakes),
        (ONE_SIDED, one_sided, _one_sided, one_mistakes),
    ):
        cases = [
            (torch.tensor([0.0, 2.5]), 3.0),
            (torch.tensor(mixed([0.0, 0.5, 1.0, 2.5, 4.0])), among((0.5, 2.0, 3.0))),
            (uniform(0, 3, whole(6, 20)), float(whole(4, 9))),
        ]

        def wanted(norms: Tensor, weight: float, part: object = part) -> Tensor:
            cost: Tensor = weight * part(norms).square().mean()  # type: ignore[operator]
            return cost

        task.judge(
            student,
            cases,
            wanted,
            {
                **{s: lambda n, w, other=other: w * other(n).square().mean() for s, other in others.items()},
                "Your penalty averages over the batch before the square; square each image's deviation first.": (
                    lambda n, w, part=part: w * part(n).mean().square()
                ),
                "Your penalty averages the norms before anything else; each image's deviation is squared by itself.": (
                    lambda n, w, part=part: w * part(n.mean()).square()
                ),
                "You sum over the batch; the expectation is a mean.": (
                    lambda n, w, part=part: w * part(n).square().sum()
                ),
                "λ is missing: it weighs the deviations.": lambda n, w, part=part: part(n).square().mean(),
                "λ is squared as well; it weighs the squares.": (
                    lambda n, w, part=part: (w * part(n)).square().mean()
                ),
                "You divide by λ; it multiplies.": lambda n, w, part=part: part(n).square().mean() / w,
                "You square nothing; the deviation is squared.": lambda n, w, part=part: (
                    w * part(n).abs().mean()
                ),
                "You square nothing and keep the sign, so that deviations cancel; each one is squared.": (
                    lambda n, w, part=part: w * part(n).mean()
                ),
                "You take λ for 10; use the argument.": lambda n, w, part=part: 10 * part(n).square().mean(),
                "You compare the squared norm with 1; the norm itself is wanted.": (
                    lambda n, w, part=part: w * part(n.square()).square().mean()
                ),
                "You penalise the norm itself; its deviation from 1 is meant.": lambda n, w: (
                    w * n.square().mean()
                ),
                "You leave out norms below 1 before you take the mean; they cost nothing, and they count.": (
                    lambda n, w: w * (n[n > 1] - 1).square().mean()
                ),
                "You halve the penalty; λ alone weighs it.": (
                    lambda n, w, part=part: w * part(n).square().mean() / 2
                ),
                "You take the largest deviation; the expectation is a mean.": (
                    lambda n, w, part=part: w * part(n).square().max()
                ),
                "You take the root of the mean; λ weighs the mean of the squares itself.": (
                    lambda n, w, part=part: w * part(n).square().mean().sqrt()
                ),
                "You clamp the norm at 1 from below and forget to take 1 away.": (
                    lambda n, w: w * n.clamp(min=1).square().mean()
                ),
            },
            tolerance=1e-3,
        )
        task.follow(student, cases, wanted)
    gentle = uniform(0.1, 0.9, whole(3, 8))
    ONE_SIDED.judge(
        one_sided,
        [(gentle, 1000.0)],  # a weight under which a little shows
        lambda norms, weight: weight * _one_sided(norms).square().mean(),
        {
            "A slope below 1 still costs a little in your penalty; it is to cost nothing at all.": lambda n, w: (
                w * torch.where(n > 1, n - 1, 0.1 * (n - 1)).square().mean()
            )
        },
    )
    right("Both penalties are right: squared per image, then the mean.")


# ---- 4: company -----------------------------------------------------------------------------------------------------

LEAKS = Task(
    "leaks(critic, images)",
    "True if the score of some image changes with the company it is scored in, else False",
    {
        "Expected more than 1 value": "batch normalisation cannot score one image alone while it trains; compare two "
        "companies of several images"
    },
    averages=("critic",),  # a critic that trains moves them whenever it scores
)


class _Mean(nn.Module):
    """Mixes images through their mean, without any layer that is known to."""

    def forward(self, features: Tensor) -> Tensor:
        """Each image against the mean of its batch."""
        return features - features.mean(0)


class _Neighbour(nn.Module):
    """Mixes each image with the next one."""

    def forward(self, features: Tensor) -> Tensor:
        """Each image with a share of its neighbour."""
        return features + 0.5 * features.roll(1, 0)


class _Spread(nn.Module):
    """Mixes images through one number, as progressive growing does (Karras et al. 2018, section 3)."""

    def forward(self, features: Tensor) -> Tensor:
        """Each image, and how much the batch varies."""
        return features + features.std(0).mean()


def check_leaks(student: object) -> None:
    """Task 4: by what the critic does, not by the names of its layers, in the mode it comes in."""
    channels, side = whole(2, 6), whole(1, 3)
    critics: dict[str, tuple[nn.Module, bool]] = {
        "batch normalisation": (_critic(nn.BatchNorm2d(channels), channels, side), True),
        "no normalisation": (_critic(nn.Identity(), channels, side), False),
        "layer normalisation": (_critic(nn.GroupNorm(1, channels), channels, side), False),
        "a mean over the batch of its own": (_critic(_Mean(), channels, side), True),
        "batch normalisation in evaluation mode": (
            _critic(nn.BatchNorm2d(channels), channels, side).eval(),
            False,
        ),
        "a layer that looks at the next image": (_critic(_Neighbour(), channels, side), True),
        "a mean over the batch of its own, in evaluation mode": (
            _critic(_Mean(), channels, side).eval(),
            True,
        ),
        "no normalisation, in evaluation mode": (_critic(nn.Identity(), channels, side).eval(), False),
        "the spread of the batch": (_critic(_Spread(), channels, side), True),
    }
    for name in mixed([*critics]):
        critic, wanted = critics[name]
        answer = LEAKS.ask(student, critic, normal(whole(6, 9), channels, side, side))
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
    right("You found every leak by what the critic does.")


def _critic(norm: nn.Module, channels: int, side: int) -> nn.Sequential:
    critic = nn.Sequential(
        norm, nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(channels * side * side, 1), nn.Flatten(0)
    )
    with torch.no_grad():
        for weight in critic[3].parameters():
            weight.copy_(normal(*weight.shape))
    return critic


# ---- 5: sprites -----------------------------------------------------------------------------------------------------

PREMULTIPLIED = Task(
    "premultiplied(sprites)",
    "RGBA sprites in [−1, 1] with their colours multiplied by alpha, still in [−1, 1]",
)


def check_premultiplied(student: object) -> None:
    """Task 5: colours times alpha on [0, 1], alpha as it was, back in [−1, 1]; for sprites of any size."""

    def unit(sprites: Tensor) -> tuple[Tensor, Tensor]:
        return (sprites[:, :3] + 1) / 2, (sprites[:, 3:] + 1) / 2

    def joined(colour: Tensor, alpha: Tensor) -> Tensor:
        return torch.cat([colour, alpha], dim=1)

    def wanted(sprites: Tensor) -> Tensor:
        colour, alpha = unit(sprites)
        return joined(colour * alpha, alpha) * 2 - 1

    def otherwise(found: Tensor, sprites: Tensor) -> str:
        return _unlike(found, wanted(sprites), sprites)

    cases = [(_sprites(*size),) for size in ((1, 1, 1), (3, 5, 5), (whole(2, 4), whole(2, 4), whole(5, 7)))]
    PREMULTIPLIED.judge(
        student,
        cases,
        wanted,
        {
            "The sprites are as they came.": lambda s: s,
            "You multiply in [−1, 1], where “black” is −1 and not 0: go to [0, 1] first, and back afterwards.": (
                lambda s: joined(s[:, :3] * s[:, 3:], s[:, 3:])
            ),
            "You multiply colours in [−1, 1] by an alpha in [0, 1]: hidden colours become grey 0, not black −1.": (
                lambda s: joined(s[:, :3] * unit(s)[1], s[:, 3:])
            ),
            "Your sprites are still in [0, 1]; the course's images are in [−1, 1].": lambda s: (
                (wanted(s) + 1) / 2
            ),
            "Alpha is still in [0, 1]; all four channels are in [−1, 1].": (
                lambda s: joined(wanted(s)[:, :3], unit(s)[1])
            ),
            "Colours are still in [0, 1]; the course's images are in [−1, 1].": (
                lambda s: joined(unit(s)[0] * unit(s)[1], s[:, 3:])
            ),
            "You multiply alpha by itself as well; it stays as it was.": (
                lambda s: joined(wanted(s)[:, :3], 2 * unit(s)[1].square() - 1)
            ),
            "You lay the sprites on white; on black, what nobody can see is black.": (
                lambda s: joined(unit(s)[0] * unit(s)[1] + 1 - unit(s)[1], unit(s)[1]) * 2 - 1
            ),
            "You cut where alpha is small; in between, colours fade in proportion to alpha.": (
                lambda s: joined(torch.where(unit(s)[1] > 0.5, unit(s)[0], 0.0), unit(s)[1]) * 2 - 1
            ),
            "You blacken only what is wholly transparent; in between, colours fade in proportion to alpha.": (
                lambda s: joined(torch.where(unit(s)[1] > 0, unit(s)[0], 0.0), unit(s)[1]) * 2 - 1
            ),
            "You divide by alpha; that is the way back.": (
                lambda s: joined(unit(s)[0] / unit(s)[1].clamp(min=1e-6), unit(s)[1]) * 2 - 1
            ),
            "You multiply by 1 − alpha; it is what alpha shows that is kept.": (
                lambda s: joined(unit(s)[0] * (1 - unit(s)[1]), unit(s)[1]) * 2 - 1
            ),
            "You take the first channel for alpha; it is the fourth.": (
                lambda s: joined(s[:, :1], 2 * (s[:, 1:] + 1) / 2 * (s[:, :1] + 1) / 2 - 1)
            ),
            "You set alpha to 1; it stays as it was.": (
                lambda s: joined(wanted(s)[:, :3], torch.ones_like(s[:, 3:]))
            ),
        },
        otherwise=otherwise,
    )
    right("What nobody can see is black, and what is solid is untouched.")


def _sprites(count: int, height: int, width: int) -> Tensor:
    """Sprites of noise; of more than two the first is wholly transparent and the second solid."""
    sprites = uniform(-1, 1, count, 4, height, width)
    if count > 1:
        sprites[0, 3], sprites[1, 3] = -1.0, 1.0
    return sprites


def _unlike(found: Tensor, wanted: Tensor, sprites: Tensor) -> str:
    if not torch.allclose(found[:, 3].double(), wanted[:, 3].double(), atol=1e-4):
        return "Alpha has changed; it is the fourth channel, and it stays as it was."
    solid = sprites[:, 3] == 1
    if not torch.allclose(
        found[:, :3].mean(1)[solid].double(), wanted[:, :3].mean(1)[solid].double(), atol=1e-4
    ):
        return "A solid sprite (alpha 1 everywhere) should keep its colours."
    return "Where alpha is 0 colours should be black, −1, and in between they should be darker in proportion."
