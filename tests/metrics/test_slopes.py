"""Guards what is measured at critics: slopes at points, gradients at layers, weights at the walls."""

import pytest
import torch
from torch import nn

from companion.metrics import gradients_by_layer, share_at_walls, slope_norms
from companion.models.mlp import PlaneCritic
from companion.objectives import Wasserstein


def test_slope_of_half_the_squared_length_is_the_length():
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [-1.0, 0.0]])
    torch.testing.assert_close(
        slope_norms(lambda x: x.square().sum(1) / 2, points), torch.tensor([0.0, 5.0, 1.0])
    )
    assert not points.requires_grad


def test_gradients_of_a_linear_chain_are_the_products_of_its_weights():
    """f(x) = 3 · 2 · x: the loss's gradient is ±1/N at the output, and times 3 one layer earlier."""
    critic = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False), nn.Flatten(0))
    with torch.no_grad():
        critic[0].weight.fill_(2.0)
        critic[1].weight.fill_(3.0)
    found = gradients_by_layer(critic, Wasserstein(), torch.ones(2, 1), torch.zeros(2, 1))
    assert found == pytest.approx([3.0, 1.0])  # four numbers of ±1/2 have the norm 1
    assert all(weight.grad is None for weight in critic.parameters())


def test_one_gradient_for_every_layer_first_layer_first():
    critic = PlaneCritic(width=8, depth=5)
    with torch.no_grad():
        critic.layers[0].weight.mul_(100)  # reaches only what lies before it
        critic.layers[-1].weight.mul_(1e-3)
    found = gradients_by_layer(critic, Wasserstein(), torch.randn(16, 2), torch.randn(16, 2))
    assert len(found) == 6
    assert found[-1] == pytest.approx((32 * (1 / 16) ** 2) ** 0.5)
    assert found[-2] < 1e-2 * found[-1]


def test_share_at_walls_counts_both_walls_and_the_biases():
    critic = nn.Linear(3, 1)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[0.01, -0.01, 0.003]]))
        critic.bias.fill_(0.00995)
    assert share_at_walls(critic, 0.01) == 0.75
    assert share_at_walls(critic, 0.01, within=0.001) == 0.5
