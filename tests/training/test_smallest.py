"""Guards the smallest game: its moves are the gradients of the book's losses, and its ways are as theory has them."""

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


def test_in_turns_it_neither_comes_home_nor_leaves():
    lengths = SmallestGame().in_turns(1.0, 0.0, rate=0.1, steps=5000).norm(dim=1)
    assert 0.7 < lengths.min() < lengths.max() < 1.4


@pytest.mark.parametrize("way", ["together", "in_turns"])
def test_a_fine_on_the_slope_brings_both_home(way):
    end = getattr(SmallestGame(fine=1.0), way)(1.0, 0.0, rate=0.1, steps=2000)[-1]
    assert end.norm() < 1e-4
