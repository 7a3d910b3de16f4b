"""A game in the plane: small networks with seeded weights in a trainer (chapter 1)."""

from typing import Any

from companion.models.mlp import PlaneCritic, PlaneGenerator
from companion.objectives import Objective
from companion.randomness import drawing
from companion.training.adversarial import AdversarialTrainer


def plane_trainer(
    objective: Objective, *, seed: int, kind: type[AdversarialTrainer] = AdversarialTrainer, **options: Any
) -> AdversarialTrainer:
    """Generator and critic for the plane, their weights drawn with the seed, in a trainer of the given kind.

    `options` are the trainer's, such as `critic_rate`.
    """
    with drawing(seed, "weights"):
        generator, critic = PlaneGenerator(), PlaneCritic()
    return kind(generator, critic, objective, seed=seed, **options)
