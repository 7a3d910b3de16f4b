"""Guards the two small networks for the plane: shapes, and that nothing bounds what they say."""

import torch

from companion.data.toy import GaussianRing, Noisy
from companion.models.mlp import PlaneCritic, PlaneCritics, PlaneGenerator
from companion.objectives import OneSidedWassersteinGP
from companion.reproduce.ch04.constraints import Repeated
from companion.training.critic import critic_steps


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


def test_critics_side_by_side_learn_what_each_would_alone():
    """One-sided, with slopes far below 1: so there is nothing random in it.

    Equal up to rounding, and what Adam makes of it where a gradient is next to nothing: far less than was learnt.
    """
    torch.manual_seed(0)
    ring = GaussianRing(batch=32)
    fake = Noisy(ring, deviation=0.1)
    alone = [PlaneCritic(width=16, depth=3) for _ in range(3)]
    together = PlaneCritics(alone)
    points = ring[99]
    assert torch.allclose(together(points.repeat(3, 1)).view(3, -1)[1], alone[1](points), atol=1e-6)
    before = [critic(points).detach() for critic in alone]
    objective = OneSidedWassersteinGP()
    list(critic_steps(together, objective, Repeated(ring, 3), Repeated(fake, 3), steps=8, seed=1))
    for critic in alone:
        list(critic_steps(critic, objective, ring, fake, steps=8, seed=1))
    scores = together(points.repeat(3, 1)).view(3, -1)
    for critic, found, old in zip(alone, scores, before, strict=True):
        learnt = critic(points) - old
        assert (found - critic(points)).abs().max() < 0.05 * learnt.abs().max()
