"""Guards the critic that learns alone: it finds the known distance, keeps its constraint, and repeats itself."""

import pytest
import torch

from companion.data.toy import VerticalLine
from companion.errors import CompanionError
from companion.models.mlp import PlaneCritic
from companion.objectives import Wasserstein, WassersteinGP
from companion.training.critic import critic_steps

NEAR, FAR = VerticalLine(0.0, batch=64), VerticalLine(0.7, batch=64, seed=1)


def critic(**shape) -> PlaneCritic:
    torch.manual_seed(0)
    return PlaneCritic(**{"width": 32, **shape})


def test_a_penalised_critic_finds_the_distance_between_two_lines():
    """W₁ is their distance, 0.7; the penalty lets the slope exceed 1 by a little."""
    estimates = list(
        critic_steps(critic(), WassersteinGP(), NEAR, FAR, steps=250, seed=0, learning_rate=3e-3)
    )
    assert 0.65 < sum(estimates[-20:]) / 20 < 0.85


def test_a_clipped_critic_stays_inside_after_every_step():
    model = critic()
    for _ in critic_steps(model, Wasserstein(), NEAR, FAR, steps=3, seed=0, learning_rate=1.0):
        assert max(weight.abs().max() for weight in model.parameters()) <= 0.01


def test_it_repeats_itself_and_leaves_the_readers_random_numbers_alone():
    runs = []
    for reader in (1, 2):
        model = critic()
        torch.manual_seed(reader)
        wanted = torch.rand(3)
        torch.manual_seed(reader)
        runs.append(list(critic_steps(model, WassersteinGP(), NEAR, FAR, steps=4, seed=5)))
        assert torch.equal(torch.rand(3), wanted)
    assert runs[0] == runs[1]
    assert runs[0] != list(critic_steps(critic(), WassersteinGP(), NEAR, FAR, steps=4, seed=6))


def test_a_critic_that_the_objective_cannot_train_is_refused():
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(2), critic())
    with pytest.raises(CompanionError, match="batch normalisation"):
        next(critic_steps(model, WassersteinGP(), NEAR, FAR, steps=1, seed=0))
