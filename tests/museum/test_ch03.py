"""Guards chapter 3's exhibits: each fails in the way the chapter says, and the right code beside it does not."""

import pytest
import torch
from torch.optim import RMSprop

from companion import museum
from companion.data.toy import GaussianRing, VerticalLine
from companion.models.mlp import PlaneCritic
from companion.objectives import Wasserstein, WassersteinGP
from companion.training import AdversarialTrainer
from companion.training.critic import critic_steps
from companion.training.plane import plane_trainer

RING = GaussianRing(batch=32)


def estimate(critic: torch.nn.Module, gap: float) -> float:
    near, far = VerticalLine(0.0, batch=64), VerticalLine(gap, batch=64, seed=1)
    *_, last = critic_steps(critic, WassersteinGP(), near, far, steps=150, seed=0, learning_rate=3e-3)
    return last


@pytest.mark.slow
def test_a_sigmoid_cannot_measure_more_than_one():
    """Lines 4 apart: the right critic says so, the one with the sigmoid less than 1.

    A penalty of λ(s − 1)² beside a gain of 4s is worth a slope s of 1 + 4/2λ, so the right critic says 4.8.
    """
    torch.manual_seed(0)
    right, wrong = PlaneCritic(width=32), museum.with_sigmoid(PlaneCritic(width=32))
    assert estimate(right, 4.0) == pytest.approx(4.0 * (1 + 4.0 / 20), rel=0.1)
    assert estimate(wrong, 4.0) < 1.0


def test_momentum_is_the_only_difference():
    weights = [torch.nn.Parameter(torch.zeros(1))]
    right, wrong = (kind().optimiser(weights) for kind in (Wasserstein, museum.MomentumWasserstein))
    assert isinstance(wrong, RMSprop)
    assert {key for key in right.defaults if right.defaults[key] != wrong.defaults[key]} == {"momentum"}
    assert wrong.defaults["momentum"] == 0.9


def test_clipping_before_the_step_leaves_the_generator_a_critic_outside_the_range():
    largest = {
        kind: museum.largest_weights(
            plane_trainer(Wasserstein(), seed=1, kind=kind, critic_rate=1e-3).run(RING, steps=3)
        )
        for kind in (AdversarialTrainer, museum.ClippedBeforeTheStep)
    }
    assert max(largest[AdversarialTrainer]) <= 0.01
    assert min(largest[museum.ClippedBeforeTheStep]) > 0.0102


def test_the_exhibit_puts_the_objective_back():
    trainer = plane_trainer(Wasserstein(), seed=1, kind=museum.ClippedBeforeTheStep)
    list(trainer.run(RING, steps=1))
    assert trainer.objective == Wasserstein()
