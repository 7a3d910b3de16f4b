"""Chapter 4's exhibits: how a gradient penalty goes wrong without an error.

Each penalty is `WassersteinGP.penalty` written out once more with one line changed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from companion.environment import beside
from companion.objectives import WassersteinGP

__all__ = [
    "ChannelNormPenalty",
    "OneEpsilonPenalty",
    "SquareRootPenalty",
    "WholeBatchNormPenalty",
    "leak_between_samples",
]


def leak_between_samples(critic: nn.Module, images: Tensor) -> float:
    """How much of what a penalty takes for the first image's slope belongs to the scores of its neighbours.

    A penalty takes the slope of the *sum* of scores at each image. At x₁ it finds the image's own slope and the
    neighbours' part: `‖∂(f(x₂) + … + f(x_N))/∂x₁‖ / ‖∂f(x₁)/∂x₁‖`, exactly 0 where each image is scored by itself.
    `WassersteinGP` refuses a critic with batch normalisation for it.

    Args:
        critic: In the mode, train or eval, that is to be examined.
        images: One batch, `(N, …)`, at least two.
    """
    images = beside(critic, images.detach()).clone().requires_grad_()
    scores = critic(images)
    (own,) = torch.autograd.grad(scores[0], images, retain_graph=True)
    (neighbours,) = torch.autograd.grad(scores[1:].sum(), images)
    return float(vector_norm(neighbours[0]) / vector_norm(own[0]))


@dataclass(frozen=True)
class OneEpsilonPenalty(WassersteinGP):
    """One ε for the whole batch: every step looks at one place between real and fake, and nowhere else."""

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """λ · E[(‖∇f(x̂)‖₂ − 1)²], all x̂ at the same part of their lines."""
        along = torch.rand(1, *[1] * (real.dim() - 1), device=real.device)  # the bug: 1, not len(real)
        between = torch.lerp(real, fake, along).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty: Tensor = self.weight * (vector_norm(slope.flatten(1), dim=1) - 1).square().mean()
        return penalty


@dataclass(frozen=True)
class ChannelNormPenalty(WassersteinGP):
    """The norm over the channels alone: it asks every *pixel* for a slope of 1, so the image's is √(H · W)."""

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """λ · E[(‖∇f(x̂)‖₂ − 1)²], the norm of each pixel's slope."""
        along = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        between = torch.lerp(real, fake, along).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty: Tensor = self.weight * (vector_norm(slope, dim=1) - 1).square().mean()  # the bug: no flatten
        return penalty


@dataclass(frozen=True)
class WholeBatchNormPenalty(WassersteinGP):
    """The norm over the whole batch: it asks all images *together* for a slope of 1, so each one's is 1/√N."""

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """λ · (‖∇f‖₂ − 1)², the norm over every number in the batch."""
        along = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        between = torch.lerp(real, fake, along).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty: Tensor = self.weight * (vector_norm(slope) - 1).square()  # the bug: no dim
        return penalty


@dataclass(frozen=True)
class SquareRootPenalty(WassersteinGP):
    """The norm written as a root of a sum of squares, which has no derivative at zero: NaN in every weight."""

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """λ · E[(‖∇f(x̂)‖₂ − 1)²], correct in value."""
        along = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        between = torch.lerp(real, fake, along).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        norm = slope.flatten(1).square().sum(1).sqrt()  # the bug: the root
        penalty: Tensor = self.weight * (norm - 1).square().mean()
        return penalty
