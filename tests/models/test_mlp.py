"""Guards the two small networks for the plane: shapes, and that nothing bounds what they say."""

import torch

from companion.models.mlp import PlaneCritic, PlaneGenerator


def test_points_and_scores_have_the_right_shape_and_no_bound():
    generator, critic = PlaneGenerator(latents=3, width=8), PlaneCritic(width=8)
    points = generator(torch.randn(5, 3))
    assert points.shape == (5, 2)
    assert critic(points).shape == (5,)
    assert critic(points[:1]).shape == (1,)
    assert generator.latents == 3
    assert critic(1e6 * torch.randn(50, 2)).abs().max() > 100
    assert generator(1e6 * torch.randn(50, 3)).abs().max() > 100


def test_other_dimensions_than_two_are_scored_too():
    assert PlaneCritic(width=8, dimensions=5)(torch.randn(3, 5)).shape == (3,)


def test_depth_counts_the_hidden_layers():
    layers = PlaneCritic(width=8, depth=12).layers
    assert sum(isinstance(layer, torch.nn.Linear) for layer in layers) == 13
    assert len(PlaneCritic().layers) == 5
