"""Checks of chapter 3's exercises: distance on a line, losses with and without labels, clipping, one critic step."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from torch.optim import SGD

from companion.exercises.runner import NotYet, Task, right

# ---- 1: the earth mover's distance on a line ------------------------------------------------------------------------

EARTH_MOVER = Task(
    "earth_mover(first, second)",
    "the mean way from each point of one sample to its partner in the other, both in sorted order",
)


def check_earth_mover(student: object) -> None:
    """Task 1: Wasserstein-1 of two samples of equal size on a line."""
    first, second = torch.tensor([4.0, 0.0, 1.0, 9.0]), torch.tensor([3.0, 6.0, 2.0, 5.5])
    a, b = first.sort().values, second.sort().values
    gaps = (a - b).abs()
    mistakes = {
        "You carry each point to the one in the same row, whatever the way; sort both samples first.": (
            (first - second).abs().mean()
        ),
        "The ways cancel because they keep their signs; take absolute values.": (a - b).mean(),
        "The ways cancel because they keep their signs; take absolute values before the mean, not after.": (
            (a - b).mean().abs()
        ),
        "You add up all the ways; each point weighs 1/N, so take their mean.": gaps.sum(),
        "You square the ways: that is another distance, of order two; here cost is the way itself.": (
            gaps.square().mean()
        ),
        "You take the root of mean squares: that is Wasserstein-2; here cost is the way itself.": (
            gaps.square().mean().sqrt()
        ),
        "You carry each point to its nearest one, so some places get too much earth and others none.": (
            (first[:, None] - second).abs().amin(1).mean()
        ),
        "You average over all pairs; each point has one partner, the one of its own rank.": (
            (first[:, None] - second).abs().mean()
        ),
    }
    values = {sentence: float(value) for sentence, value in mistakes.items()}
    case = f"{first.tolist()} and {second.tolist()}"
    found = EARTH_MOVER.number(EARTH_MOVER.ask(student, first.clone(), second.clone()))
    EARTH_MOVER.expect(found, float(gaps.mean()), case, values)
    found = EARTH_MOVER.number(EARTH_MOVER.ask(student, second.clone(), first.clone()))
    EARTH_MOVER.expect(found, float(gaps.mean()), "the same samples the other way round", {})
    shifted = torch.linspace(-1, 1, 7) ** 3
    found = EARTH_MOVER.number(EARTH_MOVER.ask(student, shifted, shifted - 2.5))
    EARTH_MOVER.expect(found, 2.5, "a sample and itself moved by 2.5", {})
    right("The distance is right: a shift costs its length, and nobody carries earth past anybody else.")


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
REAL, FAKE = torch.tensor([2.0, -1.0, 4.0]), torch.tensor([0.5, -3.0, 1.0, 2.5])


def check_losses(critic_loss: object, generator_loss: object) -> None:
    """Task 2: the Wasserstein losses, value and gradient."""
    real, fake = float(REAL.mean()), float(FAKE.mean())
    squashed = float(FAKE.sigmoid().mean() - REAL.sigmoid().mean())
    _check_loss(
        CRITIC_LOSS,
        critic_loss,
        [REAL, FAKE],
        fake - real,
        {
            "Your sign is the other one: the critic wants real above fake, and a loss goes down.": real
            - fake,
            "You sum over the batch; the expectation is a mean.": float(FAKE.sum() - REAL.sum()),
            "A sigmoid squeezes the scores into 0 … 1; a critic scores with any number.": squashed,
            "That is chapter 1's loss; here no logarithm and no sigmoid is left.": float(
                nn.functional.softplus(-REAL).mean() + nn.functional.softplus(FAKE).mean()
            ),
            "You add both means: then the critic would push real and fake down alike.": fake + real,
            "You average the two halves; the difference of both means is wanted.": (fake - real) / 2,
        },
    )
    _check_loss(
        GENERATOR_LOSS,
        generator_loss,
        [FAKE],
        -fake,
        {
            "Your sign is the other one: the generator wants its scores to rise, and a loss goes down.": fake,
            "You sum over the batch; the expectation is a mean.": -float(FAKE.sum()),
            "That is chapter 1's loss; here no logarithm and no sigmoid is left.": float(
                nn.functional.softplus(-FAKE).mean()
            ),
            "A sigmoid squeezes the scores into 0 … 1; a critic scores with any number.": -float(
                FAKE.sigmoid().mean()
            ),
        },
    )
    right("Both losses are right: differences of means, and autograd can follow.")


def check_labelled_loss(student: object) -> None:
    """Task 2: the same loss in the form with labels."""
    scores = torch.cat([REAL, FAKE])
    labels = torch.cat([-torch.ones(len(REAL)), torch.ones(len(FAKE))])
    product = labels * scores
    mistakes = {
        "You sum over the batch; the mean is wanted.": product.sum(),
        "Your sign is the other one: labels are −1 for real, as they come, and nothing is turned round.": (
            -product.mean()
        ),
        "You ignore the labels: they say which score counts up and which down.": scores.mean(),
        "You return the difference of means; with labels, each half's share of the batch weighs in as well.": (
            FAKE.mean() - REAL.mean()
        ),
    }
    values = {sentence: float(value) for sentence, value in mistakes.items()}
    found = LABELLED_LOSS.number(LABELLED_LOSS.ask(student, scores, labels))
    LABELLED_LOSS.expect(found, float(product.mean()), "three real and four fake scores", values)
    right("The form with labels is right. With equal halves it is half the difference of means.")


def _check_loss(
    task: Task, student: object, scores: list[Tensor], wanted: float, mistakes: dict[str, float]
) -> None:
    leaves = [group.clone().requires_grad_() for group in scores]
    loss = task.scalar(task.ask(student, *leaves))
    task.expect(float(loss.detach()), wanted, f"scores {[group.tolist() for group in scores]}", mistakes)
    if not loss.requires_grad:
        raise NotYet(
            f"The value of `{task.name}` is right, but it has left autograd (`.item()`, `float` and `.detach()` do "
            "that), so nobody could train with it; return the tensor."
        )
    slopes = torch.autograd.grad(loss, leaves, allow_unused=True)
    for slope, leaf in zip(slopes, leaves, strict=True):
        if slope is None or not torch.allclose(slope.abs(), torch.full_like(leaf, 1 / len(leaf))):
            raise NotYet(
                f"The value of `{task.name}` is right but its gradient is not; some part is cut off from autograd."
            )


# ---- 3: clipping ----------------------------------------------------------------------------------------------------

CLIP = Task(
    "clip_weights(critic, c)",
    "every weight of the critic pushed back into [−c, c], in place",
    {
        "leaf Variable that requires grad": "weights are watched by autograd; change them under `torch.no_grad()`",
    },
)


def check_clip_weights(student: object) -> None:
    """Task 3: in place, every parameter, nothing else."""
    for c in (0.01, 0.5):
        critic = _small_critic()
        before = {name: value.detach().clone() for name, value in critic.named_parameters()}
        _put_gradients(critic, torch.ones(33))  # as after `backward`, for those who clip them instead
        objects = [id(value) for value in critic.parameters()]
        CLIP.ask(student, critic, c)
        after = dict(critic.named_parameters())
        if [id(value) for value in critic.parameters()] != objects:
            raise NotYet(
                "The critic has new weights now, and its optimiser still holds the old ones; change them in place."
            )
        if all(torch.equal(after[name], before[name]) for name in before):
            raise NotYet(
                "The critic's weights are as they were: clip the weights themselves, in place (`clamp_`), not "
                "copies of them and not their gradients."
            )
        for name, value in before.items():
            _check_clipped(name, value, after[name].detach(), c)
        if not all(value.requires_grad for value in critic.parameters()):
            raise NotYet("The weights no longer ask for gradients, so the critic would never learn again.")
    right("Every weight lies within the walls, biases too, and those inside have not moved.")


def _check_clipped(name: str, before: Tensor, after: Tensor, c: float) -> None:
    wanted = before.clamp(-c, c)
    if torch.allclose(after, wanted):
        return
    if torch.allclose(after, before) and name.endswith("bias"):
        raise NotYet("The biases are left out; they are weights as well.")
    if torch.allclose(after, before.clamp(max=c)):
        raise NotYet("Only the upper wall stands; weights below −c are left outside.")
    if torch.allclose(after, before.clamp(0, c)):
        raise NotYet("Your lower wall is 0; weights may be negative, down to −c.")
    if torch.allclose(after, before.clamp(-0.01, 0.01)):
        raise NotYet("You clip at 0.01 whatever `c` says; use the argument.")
    if after.abs().max() <= c:
        raise NotYet(
            f"`{name}` lies within the walls, but weights that were inside have moved too: clip, do not scale."
        )
    raise NotYet(f"With c = {c:g}, `{name}` still holds a weight of {float(after.abs().max()):.3g}.")


def _small_critic() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0))


# ---- 4: one critic step ---------------------------------------------------------------------------------------------

CRITIC_STEP = Task(
    "critic_step(critic, optimiser, real, fake, c)",
    "one step of a clipped critic on a batch of real and a batch of fake points",
)


class _Counted(SGD):
    """SGD that remembers how often it stepped and where it left the weights."""

    left: list[Tensor]

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        super().step()
        self.left = [
            *getattr(self, "left", []),
            parameters_to_vector(self.param_groups[0]["params"]).detach(),
        ]


def check_critic_step(student: object) -> None:
    """Task 4: clear, loss, backward, step, clip, in this order; and the generator is left alone."""
    c, rate = 0.3, 0.4
    critic = _small_critic()
    generator = nn.Linear(3, 2)
    real, latents = torch.randn(2, 16, 3, generator=torch.Generator().manual_seed(0))
    real, fake = real[:, :2] + 1, generator(latents)
    expected = deepcopy(critic)
    plain = SGD(expected.parameters(), lr=rate)
    stale = torch.randn(33, generator=torch.Generator().manual_seed(1))  # as an earlier step leaves them
    _put_gradients(critic, stale)
    optimiser = _Counted(critic.parameters(), lr=rate)
    CRITIC_STEP.ask(student, critic, optimiser, real, fake, c)

    (expected(fake.detach()).mean() - expected(real).mean()).backward()
    fresh = [weight.grad for weight in expected.parameters() if weight.grad is not None]
    gradient = torch.cat([part.flatten() for part in fresh])
    before = parameters_to_vector(expected.parameters()).detach()
    plain.step()
    stepped = parameters_to_vector(expected.parameters()).detach()
    found = parameters_to_vector(critic.parameters()).detach()
    _judge_step(found, before, stepped, gradient, stale, c, rate, getattr(optimiser, "left", []))
    if any(weight.grad is not None for weight in generator.parameters()):
        raise NotYet("The critic's loss has reached the generator: detach the fakes.")
    right("The step is right: cleared, stepped once, and clipped afterwards.")


def _judge_step(
    found: Tensor,
    before: Tensor,
    stepped: Tensor,
    gradient: Tensor,
    stale: Tensor,
    c: float,
    rate: float,
    left: list[Tensor],
) -> None:
    """Which of the known orders of the lines leads to the weights found."""

    def same(wanted: Tensor) -> bool:
        return torch.allclose(found, wanted, atol=1e-5)

    if same(stepped.clamp(-c, c)) and len(left) == 1:
        return
    if not left:
        raise NotYet("The optimiser has made no step; the loss alone moves nothing.")
    if len(left) > 1:
        raise NotYet(f"The optimiser has made {len(left)} steps; one is wanted.")
    if same(stepped):
        raise NotYet("The step is right, and the weights are not clipped after it.")
    if same(before.clamp(-c, c)):
        raise NotYet(
            "The optimiser has stepped without a gradient: `backward` comes after clearing, and before the step."
        )
    if same((before - rate * stale).clamp(-c, c)):
        raise NotYet("The optimiser has stepped with an earlier step's gradients: `backward` is missing.")
    if same(before - rate * gradient.clamp(-c, c)):
        raise NotYet("You clip the gradients; it is the weights that have to lie in [−c, c].")
    if same(stepped.clamp(-0.01, 0.01)):
        raise NotYet("You clip at 0.01 whatever `c` says; use the argument.")
    if same((before - rate * (gradient + stale)).clamp(-c, c)):
        raise NotYet("Gradients of an earlier step are still in it: clear them before `backward`.")
    if same((before + rate * gradient).clamp(-c, c)):
        raise NotYet(
            "The critic goes the wrong way: minimise the mean of fake minus the mean of real scores."
        )
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
