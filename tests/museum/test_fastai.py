"""What the museum may say of fastai: run, at the version named here, rather than read."""

from importlib.metadata import version

import pytest
import torch
from torch import nn

VERSION = "2.8.12"
CLIP = 0.01


@pytest.mark.skipif(version("fastai") != VERSION, reason=f"says what fastai {VERSION} does")
def test_fastai_shows_its_generator_a_clipped_critic():
    """It clips before each batch, the generator's included: no batch of a training ever meets an unclipped critic.

    Clipped before and not after its own step, the critic stands unclipped from each of its steps to the next batch; at
    the end of the training it stays so. Nobody looks in between but the validation, so what is claimed of clipping
    before the step (a generator that learns from a critic beyond its bounds) does not happen here.
    """
    from fastai.data.core import DataLoaders
    from fastai.vision.gan import GANLearner

    class Critic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            steepest = max(float(weight.detach().abs().max()) for weight in self.parameters())
            seen.append((learner.model.gen_mode, learner.training, steepest))
            return self.layer(points)

    seen: list[tuple[bool, bool, float]] = []
    latents, points = torch.randn(48, 4), torch.randn(48, 2) + 3
    batches = [(latents[i : i + 4], points[i : i + 4]) for i in range(0, 48, 4)]
    critic = Critic()
    learner = GANLearner.wgan(DataLoaders(batches, batches), nn.Linear(4, 2), critic, clip=CLIP, lr=0.1)
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)

    training = [(for_generator, steepest) for for_generator, trained, steepest in seen if trained]
    assert {for_generator for for_generator, _ in training} == {True, False}
    assert all(steepest <= CLIP * 1.0001 for _, steepest in training)
    after = max(float(weight.abs().max()) for weight in critic.parameters())
    assert after > 5 * CLIP  # the last step's, at a rate of 0.1
