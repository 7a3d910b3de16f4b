"""Checks of chapter 3's exercises: distance on a line, losses with and without labels, clipping, one critic step."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector
from torch.optim import SGD

from companion.exercises.rounds import among, mixed, normal, whole
from companion.exercises.runner import NotYet, Task, right

# ---- 1: the earth mover's distance on a line ------------------------------------------------------------------------

EARTH_MOVER = Task(
    "earth_mover(first, second)",
    "the mean way from each point of one sample to its partner in the other, both in sorted order",
)


def check_earth_mover(student: object) -> None:
    """Task 1: Wasserstein-1 of two samples of equal size on a line, with ties, far from zero, of any number."""

    def sorted_gaps(first: Tensor, second: Tensor) -> Tensor:
        return first.sort().values - second.sort().values

    tied = _halves(6)
    cases = [
        *((_halves(count), _halves(count)) for count in (2, 3, whole(4, 8))),
        (torch.cat([tied, tied]), torch.cat([tied.flip(0), tied + 1])),
        (normal(whole(20, 60)) + 50, torch.empty(0)),
    ]
    cases[-1] = (cases[-1][0], 3 * normal(len(cases[-1][0])) - 20)
    EARTH_MOVER.judge(
        student,
        cases,
        lambda a, b: sorted_gaps(a, b).abs().mean(),
        {
            "You carry each point to the one in the same row, whatever the way; sort both samples first.": (
                lambda a, b: (a - b).abs().mean()
            ),
            "Only one of the samples is sorted; both have to be.": lambda a, b: (
                (a.sort().values - b).abs().mean()
            ),
            "Only the second of the samples is sorted; both have to be.": (
                lambda a, b: (a - b.sort().values).abs().mean()
            ),
            "You sort them in opposite directions; the smallest goes to the smallest.": (
                lambda a, b: (a.sort().values - b.sort(descending=True).values).abs().mean()
            ),
            "The ways cancel because they keep their signs; take absolute values.": (
                lambda a, b: sorted_gaps(a, b).mean()
            ),
            "The ways cancel because they keep their signs; take absolute values before the mean, not after.": (
                lambda a, b: sorted_gaps(a, b).mean().abs()
            ),
            "You add up all the ways; each point weighs 1/N, so take their mean.": (
                lambda a, b: sorted_gaps(a, b).abs().sum()
            ),
            "You square the ways: that is another distance, of order two; here cost is the way itself.": (
                lambda a, b: sorted_gaps(a, b).square().mean()
            ),
            "You take the root of mean squares: that is Wasserstein-2; here cost is the way itself.": (
                lambda a, b: sorted_gaps(a, b).square().mean().sqrt()
            ),
            "You carry each point to its nearest one, so some places get too much earth and others none.": (
                lambda a, b: (a[:, None] - b).abs().amin(1).mean()
            ),
            "You average over all pairs; each point has one partner, the one of its own rank.": (
                lambda a, b: (a[:, None] - b).abs().mean()
            ),
            "You take the longest way; the distance is their mean.": lambda a, b: (
                sorted_gaps(a, b).abs().max()
            ),
            "You take the median way; the distance is their mean.": (
                lambda a, b: sorted_gaps(a, b).abs().median()
            ),
            "Points that are there twice are counted once; each weighs 1/N (a set or `unique` forgets that).": (
                lambda a, b: (a.unique() - b.unique()).abs().mean()
            ),
        },
        tolerance=1e-3,
    )
    right("The distance is right: a shift costs its length, and nobody carries earth past anybody else.")


def _halves(count: int) -> Tensor:
    """Numbers that are quickly read, no two alike."""
    return torch.tensor(mixed([n / 2 for n in range(-12, 13)])[:count])


# ---- 2: losses ------------------------------------------------------------------------------------------------------

CRITIC_LOSS = Task(
    "critic_loss(real, fake)",
    "what the critic minimises, from the scores of both",
    {"must match the size": "the two batches need not be of one size; take each one's mean by itself"},
)
GENERATOR_LOSS = Task("generator_loss(fake)", "what the generator minimises, from the scores of its fakes")
LABELLED_LOSS = Task(
    "labelled_loss(scores, labels)", "the mean of label times score, with labels −1 for real and +1 for fake"
)


def check_losses(critic_loss: object, generator_loss: object) -> None:
    """Task 2: the Wasserstein losses, value and gradient, for batches of any two sizes."""
    sizes = ((2, 3), (4, 3), (whole(5, 9), whole(10, 20)))
    pairs = [(_halves(real), _halves(fake)) for real, fake in sizes[:2]]
    pairs.append((3 * normal(sizes[2][0]) + 30, 2 * normal(sizes[2][1]) - 10))

    def critic(real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    CRITIC_LOSS.judge(
        critic_loss,
        pairs,
        critic,
        {
            "Your sign is the other one: the critic wants real above fake, and a loss goes down.": (
                lambda r, f: -critic(r, f)
            ),
            "You take the size of the difference; where the critic has real above fake the loss is negative: it is the "
            "other one's sign that you have there.": lambda r, f: critic(r, f).abs(),
            "You sum over the batch; the expectation is a mean.": lambda r, f: f.sum() - r.sum(),
            "You divide both sums by the number of real images; each batch has a size of its own.": (
                lambda r, f: (f.sum() - r.sum()) / len(r)
            ),
            "You divide both sums by the number of fakes; each batch has a size of its own.": (
                lambda r, f: (f.sum() - r.sum()) / len(f)
            ),
            "You divide by the number of all scores; take each batch's mean by itself.": (
                lambda r, f: (f.sum() - r.sum()) / (len(r) + len(f))
            ),
            "A sigmoid squeezes the scores into 0 … 1; a critic scores with any number.": (
                lambda r, f: critic(r.sigmoid(), f.sigmoid())
            ),
            "A tanh squeezes the scores into −1 … 1; a critic scores with any number.": (
                lambda r, f: critic(r.tanh(), f.tanh())
            ),
            "That is chapter 1's loss; here no logarithm and no sigmoid is left.": (
                lambda r, f: softplus(-r).mean() + softplus(f).mean()
            ),
            "That is the hinge loss; here every score counts, however sure the critic is.": (
                lambda r, f: (1 - r).relu().mean() + (1 + f).relu().mean()
            ),
            "That is the least squares loss; here scores count as they are.": (
                lambda r, f: (r - 1).square().mean() + f.square().mean()
            ),
            "You add both means: then the critic would push real and fake down alike.": (
                lambda r, f: f.mean() + r.mean()
            ),
            "The fakes are missing; the critic compares two means.": lambda r, f: -r.mean(),
            "The real images are missing; the critic compares two means.": lambda r, f: f.mean(),
            "You average the two halves; the difference of both means is wanted.": lambda r, f: (
                critic(r, f) / 2
            ),
            "You take medians; an expectation is a mean.": lambda r, f: f.median() - r.median(),
        },
        tolerance=1e-3,
    )
    CRITIC_LOSS.follow(critic_loss, pairs, critic)
    fakes = [(fake,) for _, fake in pairs]
    GENERATOR_LOSS.judge(
        generator_loss,
        fakes,
        lambda fake: -fake.mean(),
        {
            "Your sign is the other one: the generator wants its scores to rise, and a loss goes down.": (
                lambda f: f.mean()
            ),
            "You take the size of the mean; where the fakes score low the generator's loss is high: mind the sign.": (
                lambda f: f.mean().abs()
            ),
            "You sum over the batch; the expectation is a mean.": lambda f: -f.sum(),
            "That is chapter 1's loss; here no logarithm and no sigmoid is left.": lambda f: softplus(
                -f
            ).mean(),
            "That is chapter 1's saturating loss; here no logarithm and no sigmoid is left.": (
                lambda f: -softplus(f).mean()
            ),
            "A sigmoid squeezes the scores into 0 … 1; a critic scores with any number.": lambda f: (
                -f.sigmoid().mean()
            ),
            "A tanh squeezes the scores into −1 … 1; a critic scores with any number.": lambda f: (
                -f.tanh().mean()
            ),
            "You compare with a score of 1; the generator just wants its scores higher.": (
                lambda f: (f - 1).square().mean()
            ),
            "You take one minus the mean; the constant teaches nothing, and the loss is minus the mean.": (
                lambda f: 1 - f.mean()
            ),
            "You halve the mean; it counts whole.": lambda f: -f.mean() / 2,
            "You take the median; an expectation is a mean.": lambda f: -f.median(),
        },
        tolerance=1e-3,
    )
    GENERATOR_LOSS.follow(generator_loss, fakes, lambda fake: -fake.mean())
    right("Both losses are right: differences of means, and autograd can follow.")


def check_labelled_loss(student: object) -> None:
    """Task 2: the same loss in the form with labels, in any order and with any share of real ones."""
    cases = []
    for real, fake in ((1, 2), (3, 1), (whole(2, 5), whole(6, 9))):
        labels = torch.tensor(mixed([-1.0] * real + [1.0] * fake))
        cases.append((_halves(len(labels)), labels))
    LABELLED_LOSS.judge(
        student,
        cases,
        lambda scores, labels: (scores * labels).mean(),
        {
            "You sum over the batch; the mean is wanted.": lambda s, y: (s * y).sum(),
            "Your sign is the other one: labels are −1 for real, as they come, and nothing is turned round.": (
                lambda s, y: -(s * y).mean()
            ),
            "You ignore the labels: they say which score counts up and which down.": lambda s, y: s.mean(),
            "You return the difference of means; with labels, each half's share of the batch weighs in as well.": (
                lambda s, y: s[y > 0].mean() - s[y < 0].mean()
            ),
            "You return half the difference of means, which is the same only where both halves are equal.": (
                lambda s, y: (s[y > 0].mean() - s[y < 0].mean()) / 2
            ),
            "You leave out the real scores; they count with −1.": lambda s, y: s[y > 0].mean(),
            "You sort the scores by their place: the labels say which are real, in whatever order they come.": (
                lambda s, y: (s * y.sort().values).mean()
            ),
            "You multiply the means; the mean of the products is wanted.": lambda s, y: s.mean() * y.mean(),
            "You take the size of the mean; it may be negative.": lambda s, y: (s * y).mean().abs(),
            "That is the hinge loss; here label times score counts as it is.": lambda s, y: (
                (1 + s * y).relu().mean()
            ),
            "That is a squared error; the loss is label times score.": lambda s, y: (s - y).square().mean(),
        },
        tolerance=1e-3,
    )
    right("The form with labels is right. With equal halves it is half the difference of means.")


# ---- 3: clipping ----------------------------------------------------------------------------------------------------

CLIP = Task(
    "clip_weights(critic, c)",
    "every weight of the critic pushed back into [−c, c], in place",
    {
        "leaf Variable that requires grad": "weights are watched by autograd; change them under `torch.no_grad()`",
    },
    trains=("critic",),
)


class _Scaled(nn.Module):
    """A layer of nobody's library, with one weight that is a number and one that is a table."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(normal())
        self.table = nn.Parameter(normal(features))

    def forward(self, points: Tensor) -> Tensor:
        """Stretch and shift."""
        return points * self.scale + self.table


def _critics() -> dict[str, nn.Module]:
    """Critics of several makes, the smallest first, with weights on both sides of any wall asked for."""
    width = whole(3, 8)
    made: dict[str, nn.Module] = {
        "two linear layers": nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)),
        "convolutions and normalisation": nn.Sequential(
            nn.Conv2d(1, width, 3), nn.GroupNorm(1, width), nn.Flatten(), nn.Linear(4 * width, 1)
        ),
        "a layer of its own": nn.Sequential(
            nn.Linear(2, width), nn.ModuleDict({"last": _Scaled(width)})["last"]
        ),
        "a frozen layer and running averages": nn.Sequential(
            nn.Linear(2, width).requires_grad_(False), nn.BatchNorm1d(width), nn.Linear(width, 1)
        ),
    }
    for critic in made.values():
        for weight in critic.parameters():
            weight.data = 0.6 * normal(*weight.shape)
    return made


def check_clip_weights(student: object) -> None:
    """Task 3: in place, every parameter of any layer, nothing else, for any wall."""
    for name, critic in _critics().items():
        for c in (0.01, 0.25, 0.7):
            _check_clip(student, name, critic, c)
            for weight in critic.parameters():
                weight.data = 0.6 * normal(*weight.shape)
    right("Every weight lies within the walls, biases too, and those inside have not moved.")


def _check_clip(student: object, critic_name: str, critic: nn.Module, c: float) -> None:
    before = {name: value.detach().clone() for name, value in critic.named_parameters()}
    for average in critic.buffers():
        average.fill_(5)
    _put_gradients(critic, torch.ones(sum(value.numel() for value in before.values())))  # as after `backward`
    objects = [id(value) for value in critic.parameters()]
    CLIP.ask(student, critic, c)
    after = dict(critic.named_parameters())
    if [id(value) for value in critic.parameters()] != objects:
        raise NotYet(
            "The critic has new weights now, and its optimiser still holds the old ones; change them in place."
        )
    if any(bool((average != 5).any()) for average in critic.buffers()):
        raise NotYet(
            "You change the running averages of a normalisation as well; they are no weights, and nobody trains them: "
            "`critic.parameters()` gives the weights alone."
        )
    changed = [name for name in before if not torch.equal(after[name], before[name])]
    outside = [name for name, value in before.items() if value.abs().max() > c]
    if outside and not changed:
        raise NotYet(
            "The critic's weights are as they were: clip the weights themselves, in place (`clamp_`), not "
            "copies of them and not their gradients."
        )
    for name, value in before.items():
        _check_clipped(critic_name, name, value, after[name].detach(), c)


def _check_clipped(critic_name: str, name: str, before: Tensor, after: Tensor, c: float) -> None:
    if torch.allclose(after, before.clamp(-c, c)):
        return
    known: dict[str, Callable[[], Tensor]] = {
        "Only the upper wall stands; weights below −c are left outside.": lambda: before.clamp(max=c),
        "Only the lower wall stands; weights above c are left outside.": lambda: before.clamp(min=-c),
        "Your lower wall is 0; weights may be negative, down to −c.": lambda: before.clamp(0, c),
        "Your upper wall is 0; weights may be positive, up to c.": lambda: before.clamp(-c, 0),
        "You clip at 0.01 whatever `c` says; use the argument.": lambda: before.clamp(-0.01, 0.01),
        "You clip at 1 whatever `c` says; use the argument.": lambda: before.clamp(-1, 1),
        "You put weights outside the walls to 0; they belong at the nearest wall.": (
            lambda: torch.where(before.abs() > c, 0.0, before)
        ),
        "You put every weight at a wall; those inside stay where they are.": lambda: c * before.sign(),
        "You fold weights back by `tanh`, which moves those inside as well; clip them.": lambda: (
            c * (before / c).tanh()
        ),
        "You turn every weight positive; they may be negative, down to −c.": lambda: before.abs().clamp(
            max=c
        ),
    }
    left_out = torch.allclose(after, before)
    if left_out and name.endswith("bias"):
        raise NotYet("The biases are left out; they are weights as well.")
    if left_out:
        raise NotYet(
            f"`{name}` of a critic with {critic_name} is left out: every parameter has to lie within the walls, "
            "whatever layer it belongs to; `critic.parameters()` gives them all."
        )
    for sentence, value in known.items():
        if torch.allclose(after, value()):
            raise NotYet(sentence)
    if after.abs().max() <= c:
        raise NotYet(
            f"`{name}` lies within the walls, but weights that were inside have moved too: clip, do not scale."
        )
    raise NotYet(
        f"With c = {c:g}, `{name}` still holds a weight of {float(after.abs().max()):.3g}, outside the walls."
    )


# ---- 4: one critic step ---------------------------------------------------------------------------------------------

CRITIC_STEP = Task(
    "critic_step(critic, optimiser, real, fake, c)",
    "one step of a clipped critic on a batch of real and a batch of fake points",
    {"must match the size": "the two batches need not be of one size; take each one's mean by itself"},
)


class _Counted(SGD):
    """SGD that remembers how often it stepped, and whether weights lay outside the walls before a step."""

    steps = 0

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        super().step()
        self.steps += 1


def check_critic_step(student: object) -> None:
    """Task 4: clear, loss, backward, step, clip, in this order; and the generator is left alone."""
    for real, fake in ((4, 4), (whole(5, 9), whole(10, 14)), (16, 12)):
        _check_critic_step(student, real, fake, c=among((0.2, 0.3, 0.4)), rate=among((0.3, 0.5)))
    right("The step is right: cleared, stepped once, and clipped afterwards.")


def _check_critic_step(student: object, real_count: int, fake_count: int, c: float, rate: float) -> None:
    critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0))
    for weight in critic.parameters():
        weight.data = 0.5 * normal(*weight.shape)
    generator = nn.Linear(3, 2)
    real, fake = normal(real_count, 2) + 1, generator(normal(fake_count, 3))
    expected = deepcopy(critic)
    stale = normal(33)  # as an earlier step leaves them
    _put_gradients(critic, stale)
    optimiser = _Counted(critic.parameters(), lr=rate)
    CRITIC_STEP.ask(student, critic, optimiser, real, fake, c)
    found = parameters_to_vector(critic.parameters()).detach()
    before = parameters_to_vector(expected.parameters()).detach()
    gradient = _gradient(expected, expected(fake.detach()).mean() - expected(real).mean())
    if optimiser.steps > 1:
        raise NotYet(f"The optimiser has made {optimiser.steps} steps; one is wanted.")
    if not torch.allclose(found, (before - rate * gradient).clamp(-c, c), atol=1e-5):
        others = _other_losses(expected, real, fake.detach())
        _judge_step(found, before, gradient, stale, c, rate, optimiser.steps, others)
    if not optimiser.steps:
        raise NotYet("The optimiser has made no step; leave the weights to it, whatever it may be.")
    if any(weight.grad is not None for weight in generator.parameters()):
        raise NotYet("The critic's loss has reached the generator: detach the fakes.")


def _gradient(critic: nn.Module, loss: Tensor) -> Tensor:
    found = torch.autograd.grad(loss, [*critic.parameters()], allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in found])


def _other_losses(critic: nn.Module, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """The gradients that mistaken losses lead to."""
    on_real, on_fake = critic(real), critic(fake)
    losses = {
        "The critic goes the wrong way: minimise the mean of fake minus the mean of real scores.": (
            on_real.mean() - on_fake.mean()
        ),
        "You sum the scores; take the mean of each batch.": on_fake.sum() - on_real.sum(),
        "The critic never sees the real points; its loss needs both kinds.": on_fake.mean(),
        "The critic never sees the fakes; its loss needs both kinds.": -on_real.mean(),
        "You add both means; the critic compares them: fake minus real.": on_fake.mean() + on_real.mean(),
        "That is chapter 1's loss; here no logarithm and no sigmoid is left.": (
            softplus(-on_real).mean() + softplus(on_fake).mean()
        ),
        "You halve the loss; the difference of both means counts whole.": (on_fake.mean() - on_real.mean())
        / 2,
    }
    return {
        sentence: torch.cat(
            [
                part.flatten()
                for part in torch.autograd.grad(
                    loss, [*critic.parameters()], allow_unused=True, materialize_grads=True, retain_graph=True
                )
            ]
        )
        for sentence, loss in losses.items()
    }


def _judge_step(
    found: Tensor,
    before: Tensor,
    gradient: Tensor,
    stale: Tensor,
    c: float,
    rate: float,
    steps: int,
    others: dict[str, Tensor],
) -> None:
    """Which of the known orders of the lines leads to the weights found."""
    stepped = before - rate * gradient
    places = torch.arange(len(before))
    biases = ((places >= 16) & (places < 24)) | (places == 32)  # of the critic of `_check_critic_step`

    def same(wanted: Tensor) -> bool:
        return torch.allclose(found, wanted, atol=1e-5)

    if not steps:
        raise NotYet("The optimiser has made no step; the loss alone moves nothing.")
    known = {
        "The step is right, and the weights are not clipped after it.": stepped,
        "Your biases are not clipped after the step; they are weights as well.": torch.where(
            biases, stepped, stepped.clamp(-c, c)
        ),
        "Your biases alone are clipped after the step; all parameters have to be.": torch.where(
            biases, stepped.clamp(-c, c), stepped
        ),
        "The optimiser has stepped without a gradient: `backward` comes after clearing, and before the step.": (
            before.clamp(-c, c)
        ),
        "The optimiser has stepped with an earlier step's gradients: `backward` is missing.": (
            before - rate * stale
        ).clamp(-c, c),
        "You clip the gradients; it is the weights that have to lie in [−c, c].": before
        - rate * gradient.clamp(-c, c),
        "You clip the gradients too; only the weights have to lie in [−c, c].": (
            before - rate * gradient.clamp(-c, c)
        ).clamp(-c, c),
        "You clip at 0.01 whatever `c` says; use the argument.": stepped.clamp(-0.01, 0.01),
        "Gradients of an earlier step are still in it: clear them before `backward`.": (
            before - rate * (gradient + stale)
        ).clamp(-c, c),
        "Only the upper wall stands; weights below −c are left outside.": stepped.clamp(max=c),
        "Only the lower wall stands; weights above c are left outside.": stepped.clamp(min=-c),
    }
    for sentence, wanted in known.items():
        if same(wanted):
            raise NotYet(sentence)
    for sentence, other in others.items():
        if same((before - rate * other).clamp(-c, c)) or same(before - rate * other):
            raise NotYet(sentence)
    if found.abs().max() > c + 1e-6:
        raise NotYet(
            "After your step the critic lies outside the walls: clip *after* the step, not before, or the generator "
            "learns from a critic that is too steep."
        )
    raise NotYet(
        "The critic's weights are not where one step with its loss and one clip lead; the loss is the mean score of "
        "the fakes minus that of the real ones."
    )


def _put_gradients(model: nn.Module, values: Tensor) -> None:
    start = 0
    for weight in model.parameters():
        weight.grad = values[start : start + weight.numel()].view_as(weight).clone()
        start += weight.numel()
