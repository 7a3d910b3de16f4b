"""Chapter 1's exhibits: undetached fakes, a momentum that is an eps, evaluation in train mode, one stream for all."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from torch.optim import Optimizer

from companion.environment import beside
from companion.objectives import Objective
from companion.randomness import generator
from companion.training.adversarial import AdversarialTrainer
from companion.training.critic import CriticTrainer

__all__ = [
    "OneStream",
    "UndetachedFakes",
    "company_changes_a_picture",
    "gradient_conflict",
    "keras_momentum_as_eps",
    "signal_by_depth",
    "told_by_noise",
    "undetached_step",
]


def undetached_step(
    networks: tuple[nn.Module, nn.Module],
    optimisers: tuple[Optimizer, Optimizer],
    game: Objective,
    real: Tensor,
    latents: Tensor,
) -> None:
    """A step of both players, generator first in each pair, in which the critic's loss leaks into the generator."""
    generator, critic = networks
    for optimiser in optimisers:
        optimiser.zero_grad()  # the bug's other half: cleared once, at the top
    loss = game.critic_loss(critic(real), critic(generator(latents)))  # the bug: no detach
    torch.autograd.backward(loss)
    optimisers[1].step()

    loss = game.generator_loss(critic(generator(latents)))
    torch.autograd.backward(loss)  # adds to what the critic's loss left behind
    optimisers[0].step()


class UndetachedFakes(AdversarialTrainer):
    """The same mistake in the package's loop: attached fakes, and nobody clears the generator's gradients.

    The critic's loss then leaves a gradient in the generator, and the generator's next step follows the sum of both:
    its own wish, and the critic's wish that its images be easy to tell.
    """

    def _fakes(self, batch: Tensor) -> Tensor:
        fakes: Tensor = self.players["generator"](self._inputs(batch))
        return fakes  # the bug: no detach, no torch.no_grad

    def _generator_step(self, batch: Tensor) -> Tensor:
        generator = self.players["generator"]
        forget, generator.clear = generator.clear, lambda: None  # type: ignore[method-assign]
        try:  # the bug's other half: what the critic's loss left is still there when the generator steps
            return super()._generator_step(batch)
        finally:
            generator.clear = forget  # type: ignore[method-assign]
            generator.clear()


def keras_momentum_as_eps(channels: int) -> nn.BatchNorm2d:
    """`BatchNorm2d(c, 0.8)`, copied from a library whose second argument is the momentum.

    In PyTorch the second argument is `eps`, which is added to the variance.
    """
    return nn.BatchNorm2d(channels, 0.8)


def gradient_conflict(trainer: AdversarialTrainer, real: Tensor) -> tuple[float, float]:
    """What the undetached critic's loss leaves in the generator, against the generator's own gradient.

    Args:
        trainer: Any trainer; its networks are read, not changed.
        real: One batch of real data.

    Returns:
        Cosine between both gradients, and the ratio of the critic's to the generator's length.
    """
    parameters = list(trainer.generator.parameters())
    fake = trainer.generator(trainer.draw_latents(len(real)))
    scores = trainer.critic(fake)
    own = parameters_to_vector(
        torch.autograd.grad(trainer.objective.generator_loss(scores), parameters, retain_graph=True)
    )
    real_scores = trainer.critic(real.to(fake.device))
    leaked = parameters_to_vector(
        torch.autograd.grad(trainer.objective.critic_loss(real_scores, scores), parameters)
    )
    cosine = torch.nn.functional.cosine_similarity(own, leaked, dim=0)
    return float(cosine), float(leaked.norm() / own.norm())


@torch.no_grad()
def signal_by_depth(generator: nn.Module, latents: Tensor) -> list[tuple[str, float]]:
    """Standard deviation of what leaves each layer of a generator in train mode, with the layers' names."""
    found = []
    signal = beside(generator, latents)[:, :, None, None]
    for layer in generator.layers:  # type: ignore[union-attr]
        signal = layer(signal)
        found.append((type(layer).__name__, float(signal.std())))
    return found


@torch.no_grad()
def company_changes_a_picture(generator: nn.Module, latents: Tensor, mates: Iterable[Tensor]) -> list[Tensor]:
    """The first latent's image in train mode, once for each company of other latents it is drawn with.

    Batch normalisation in train mode uses the statistics of the batch, so one picture depends on the others. (It also
    moves the running statistics: the generator is copied first.)
    """
    companies = [beside(generator, torch.cat([latents[:1], others])) for others in mates]
    return [deepcopy(generator).train()(company)[0] for company in companies]


class OneStream(CriticTrainer):
    """A critic whose penalty draws its ε with the seed and the step, and forgets what they are for.

    The noise on the fakes is drawn with the same seed and the same step: so it is made of the same numbers.
    """

    def drawing(
        self, purpose: str, index: int | None = None, *, rank: int = 0
    ) -> AbstractContextManager[None]:
        """The bug: whatever the purpose, the numbers are those of the noise."""
        return super().drawing("noise on a cloud", index, rank=rank)


def told_by_noise(purpose: str, *, seed: int = 1, step: int = 0, count: int = 256) -> tuple[Tensor, Tensor]:
    """Each ε of a step's penalty beside the nearest radius in that step's noise, `(count,)` both.

    Torch makes normal numbers of even ones in pairs, by Box and Muller's rule: two of radius √(−2 ln(1 − ε)). So where
    ε and noise come from one stream, half of the ε can be read off the noise, and the other half become angles.

    Args:
        purpose: What the ε are drawn for; “noise on a cloud” is the bug.
        seed: Of both.
        step: Of both.
        count: Points in the batch, a multiple of 8.

    Returns:
        √(−2 ln(1 − ε)), and the radius among the noise that is nearest to it.
    """
    along = torch.rand(count, generator=generator(seed, purpose, step))
    noise = torch.randn(count, 2, generator=generator(seed, "noise on a cloud", step))
    radii = noise.view(-1, 2, 8).norm(dim=1).flatten()  # each number's partner is the eighth after it
    wanted = (-2 * (1 - along).log()).sqrt()
    return wanted, radii[(wanted[:, None] - radii).abs().argmin(1)]
