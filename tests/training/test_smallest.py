"""Guards the smallest game: its moves are the gradients of the book's losses, and its ways are as theory has them."""

import math

import pytest
import torch

from companion.objectives import Minimax
from companion.training.smallest import SmallestGame


@pytest.mark.parametrize("fine", [0.0, 0.7])
def test_moves_are_minus_the_gradients_of_the_minimax_losses(fine):
    theta = torch.tensor(0.8, requires_grad=True)
    psi = torch.tensor(-1.3, requires_grad=True)
    score = psi * theta
    of_critic = Minimax().critic_loss(psi[None] * 0, score[None]) + fine / 2 * psi.square()
    (wanted_psi,) = torch.autograd.grad(of_critic, psi, retain_graph=True)
    (wanted_theta,) = torch.autograd.grad(Minimax().generator_loss(score[None]), theta)
    found = SmallestGame(fine).moves(theta.detach(), psi.detach())
    torch.testing.assert_close(torch.stack(found), -torch.stack([wanted_theta, wanted_psi]))


def test_moving_together_leads_away_by_a_known_factor():
    """‖(θ, ψ)‖² grows by 1 + h²σ(ψθ)² in each step, whatever the rate h."""
    way = SmallestGame().together(0.9, 0.2, rate=0.3, steps=50)
    squared = way.double().square().sum(1)
    believed = torch.sigmoid(way.double().prod(1))[:-1]
    torch.testing.assert_close(squared[1:] / squared[:-1], 1 + 0.09 * believed.square(), rtol=1e-5, atol=0)


def test_in_turns_it_neither_comes_home_nor_leaves_soon():
    lengths = SmallestGame().in_turns(1.0, 0.0, rate=0.1, steps=5000).norm(dim=1)
    assert 0.7 < lengths.min() < lengths.max() < 1.4


def widest(rate: float, steps: int, *, bilinear: bool = False) -> tuple[float, float]:
    """The largest distance from rest in the first and in the last tenth of a game in turns, in double precision."""
    theta, psi, lengths = 1.0, 0.0, []
    for _ in range(steps):
        psi -= rate * theta * (0.5 if bilinear else 1 / (1 + math.exp(-psi * theta)))
        theta += rate * psi * (0.5 if bilinear else 1 / (1 + math.exp(-psi * theta)))
        lengths.append(math.hypot(theta, psi))
    return max(lengths[: steps // 10]), max(lengths[-steps // 10 :])


def test_in_turns_it_leaves_in_the_end_and_only_because_the_belief_changes():
    """At rate 0.5 the curve widens; with the belief held at ½ each half-step is a shear, and the curve stays."""
    first, last = widest(0.5, 20_000)
    assert last > first + 0.1
    first, last = widest(0.5, 20_000, bilinear=True)
    assert last == pytest.approx(first, abs=1e-3)


@pytest.mark.parametrize("way", ["together", "in_turns"])
def test_a_fine_on_the_slope_brings_both_home(way):
    end = getattr(SmallestGame(fine=1.0), way)(1.0, 0.0, rate=0.1, steps=2000)[-1]
    assert end.norm() < 1e-4
