"""Chapter 3's exhibits: a sigmoid left on a critic, momentum, and clipping before the step."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.optim import Optimizer, RMSprop

from companion.objectives import Wasserstein
from companion.training.adversarial import AdversarialTrainer, GANReport

__all__ = [
    "ClippedBeforeTheStep",
    "MomentumWasserstein",
    "largest_weights",
    "with_sigmoid",
]


def with_sigmoid(critic: nn.Module) -> nn.Module:
    """A critic that still ends as chapter 1's papers end theirs: in a sigmoid.

    Its scores lie between 0 and 1, so no two clouds can be further apart than 1, wherever they are.
    """
    return nn.Sequential(critic, nn.Sigmoid())  # the bug: the sigmoid


@dataclass(frozen=True)
class MomentumWasserstein(Wasserstein):
    """RMSprop with momentum, one argument away from what algorithm 1 asks.

    The critic's loss changes its gradient's direction with every step of the generator; momentum goes on in the old.
    """

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """RMSprop at 5e-5 with the momentum that is a habit from classifiers."""
        rate = 5e-5 if learning_rate is None else learning_rate
        return RMSprop(parameters, lr=rate, momentum=0.9)  # the bug: the momentum


class ClippedBeforeTheStep(AdversarialTrainer):
    """The weights are clipped before the critic's step instead of after it.

    Then the step carries them out of the range again, and the generator learns from a critic that is too steep.
    """

    def _critic_step(self, batch: Tensor) -> dict[str, Tensor]:
        clipping = self.objective
        assert isinstance(clipping, Wasserstein)
        clipping.constrain(self.critic)  # the bug: before …
        self.objective = replace(clipping, clip=math.inf)  # … and not after
        try:
            return super()._critic_step(batch)
        finally:
            self.objective = clipping


def largest_weights(reports: Iterable[GANReport]) -> list[float]:
    """The critic's largest absolute weight as the generator finds it, after each report."""
    return [
        max(float(weight.detach().abs().max()) for weight in report.trainer.critic.parameters())
        for report in reports
    ]
