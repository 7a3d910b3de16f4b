"""A critic trained alone, between data and fakes that stand still (chapters 3 and 4)."""

from collections.abc import Iterator

from torch import nn

from companion.objectives import Objective
from companion.randomness import drawing
from companion.training.adversarial import Batches
from companion.training.second_order import second_order


def critic_steps(
    critic: nn.Module,
    objective: Objective,
    real: Batches,
    fake: Batches,
    *,
    steps: int,
    seed: int,
    learning_rate: float | None = None,
) -> Iterator[float]:
    """Train the critic in place, yielding `−critic_loss` of each step's batches: its estimate of the distance.

    Args:
        critic: Points `(N, …)` to scores `(N,)`; its weights were drawn before, by the caller.
        objective: Its critic loss, penalty, constraint and optimiser are used.
        real: Step n draws batch n.
        fake: Likewise.
        steps: How many.
        seed: Fixes what the penalty draws; as everywhere it is a function of (seed, purpose, step).
        learning_rate: Instead of the objective's own.
    """
    objective.check(critic)
    optimiser = objective.optimiser(critic.parameters(), learning_rate)
    for step in range(steps):
        real_batch, fake_batch = real[step], fake[step]
        loss = objective.critic_loss(critic(real_batch), critic(fake_batch))
        with drawing(seed, "penalty", step, device=real_batch.device), second_order():
            penalty = objective.penalty(critic, real_batch, fake_batch)
        total = loss if penalty is None else loss + penalty
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        objective.constrain(critic)
        yield -float(loss.detach())
