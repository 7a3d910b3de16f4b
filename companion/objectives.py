"""What generator and critic each minimise: one small object per published objective.

Every chapter's GAN is the same loop (`companion.training.AdversarialTrainer`) with another objective. An objective
holds the two losses and, where its paper asks for them, a penalty on the critic, a constraint applied after each
critic step, the number of critic steps, and the optimiser the paper recommends.

All losses take raw scores, shape `(N,)`, before any sigmoid: the binary cross-entropies below apply the sigmoid
themselves, in the numerically safe form `log σ(s) = −softplus(−s)`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import softplus
from torch.optim import Adam, Optimizer, RMSprop

from companion.errors import CompanionError

BATCH_MIXERS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def mixes_batch(module: nn.Module) -> bool:
    """Whether some layer lets the images of one batch influence each other's scores (batch normalisation)."""
    return any(isinstance(layer, BATCH_MIXERS) for layer in module.modules())


@dataclass(frozen=True)
class Objective:
    """The protocol, with the defaults that most objectives share: no penalty, no constraint, one critic step.

    The default optimiser is DCGAN's: Adam at 2e-4 with β₁ = 0.5 (Radford et al. 2016, section 4).
    """

    critic_steps: int = 1

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss of the critic from its scores of real and fake images, each `(N,)`; a scalar."""
        raise NotImplementedError

    def generator_loss(self, fake: Tensor) -> Tensor:
        """Loss of the generator from the critic's scores of its images, `(N,)`; a scalar."""
        raise NotImplementedError

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor | None:
        """What is added to the critic's loss, from the images themselves `(N, …)`; None for nothing."""
        return None

    def constrain(self, critic: nn.Module) -> None:
        """Applied to the critic after each of its optimiser steps."""

    def check(self, critic: nn.Module) -> None:
        """Raise `CompanionError` for a critic this objective cannot train."""

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """The optimiser the objective's paper recommends, optionally at another learning rate."""
        return _adam(parameters, 2e-4 if learning_rate is None else learning_rate, betas=(0.5, 0.999))


@dataclass(frozen=True)
class Minimax(Objective):
    """The original game, V(D, G) of Goodfellow et al. 2014, equation 1 (chapter 1).

    The generator minimises `E[log(1 − D(G(z)))]`, whose gradient vanishes where the discriminator is sure: that is
    the saturation chapter 1 measures. `smoothing` lowers the real label from 1 to `1 − smoothing` (one-sided label
    smoothing, Salimans et al. 2016, section 3.4); it changes the discriminator's loss alone.
    """

    smoothing: float = 0.0

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """`−E[t log D(x) + (1 − t) log(1 − D(x))] − E[log(1 − D(G(z)))]`, t the real label."""
        real_label = 1 - self.smoothing
        on_real = real_label * softplus(-real) + self.smoothing * softplus(real)
        return on_real.mean() + softplus(fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`E[log(1 − D(G(z)))]`, at most zero: the generator pushes it down."""
        return -softplus(fake).mean()


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """The game as it is played in practice (Goodfellow et al. 2014, section 3; chapter 1).

    The discriminator's loss is unchanged; the generator minimises `−E[log D(G(z))]`, which has the same fixed point
    and a strong gradient just where the discriminator is sure.
    """

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`−E[log D(G(z))]`."""
        return softplus(-fake).mean()


@dataclass(frozen=True)
class LeastSquares(Objective):
    """Least squares GAN (Mao et al. 2017, equation 9: labels a = 0, b = c = 1; chapter 1).

    The critic's scores are regressed on their labels, so there is no sigmoid, and a fake far on the right side of
    the boundary still has a gradient.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """`½ E[(D(x) − 1)²] + ½ E[D(G(z))²]`."""
        return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`½ E[(D(G(z)) − 1)²]`."""
        return 0.5 * (fake - 1).square().mean()


@dataclass(frozen=True)
class Hinge(Objective):
    """Hinge objective (Lim & Ye 2017, section 3; Zhang et al. 2019, equation 4; chapter 7).

    The critic learns only from images within its margin, real scores below 1 and fake ones above −1; the generator
    pushes its scores up without end, so the critic's slope has to be bounded otherwise: spectral normalisation.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """`E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))]`."""
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`−E[D(G(z))]`."""
        return -fake.mean()

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """Adam with β = (0, 0.9) (Zhang et al. 2019, section 4); their two rates are a run's settings."""
        return _adam(parameters, 2e-4 if learning_rate is None else learning_rate, betas=(0.0, 0.9))


@dataclass(frozen=True)
class Wasserstein(Objective):
    """Wasserstein objective with weight clipping (Arjovsky et al. 2017, algorithm 1; chapter 3)."""

    critic_steps: int = 5
    clip: float = 0.01  # c in algorithm 1

    def __post_init__(self) -> None:
        if not self.clip > 0:  # nor NaN
            raise CompanionError(
                f"Weights cannot be clipped to [−c, c] with c = {self.clip:g}; choose c > 0."
            )

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Difference of mean scores; its negative estimates the Wasserstein distance up to a factor."""
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`−E[f(G(z))]`."""
        return -fake.mean()

    @torch.no_grad()
    def constrain(self, critic: nn.Module) -> None:
        """Push every weight back into [−c, c]."""
        for weight in critic.parameters():
            weight.clamp_(-self.clip, self.clip)

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """RMSprop at 5e-5 without momentum, as algorithm 1 asks."""
        return RMSprop(parameters, lr=5e-5 if learning_rate is None else learning_rate)


@dataclass(frozen=True)
class WassersteinGP(Objective):
    """Wasserstein objective with a gradient penalty (Gulrajani et al. 2017, equation 3; chapter 4).

    Scores are unbounded, so the critic's last layer is linear, and no layer may mix images of a batch:
    `check` refuses batch normalisation.
    """

    critic_steps: int = 5
    weight: float = 10.0  # λ in equation 3

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:  # nor NaN
            raise CompanionError(
                f"A penalty of weight λ = {self.weight:g} is none; choose 0 or more (the paper's is 10)."
            )

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Difference of mean scores; its negative estimates the Wasserstein distance."""
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """`−E[f(G(z))]`."""
        return -fake.mean()

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """λ · E[(‖∇f(x̂)‖₂ − 1)²], x̂ uniform on the line between each real image and its fake."""
        along = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)  # one ε per image
        between = torch.lerp(real, fake, along).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        # unlike the root of a sum of squares, vector_norm has a gradient at zero
        norms = vector_norm(slope.flatten(1), dim=1)
        penalty: Tensor = self.weight * self.excess(norms).square().mean()
        return penalty

    def excess(self, norms: Tensor) -> Tensor:
        """How far each slope is from 1, `(N,)`: two-sided, too flat is as bad as too steep."""
        return norms - 1

    def check(self, critic: nn.Module) -> None:
        """Refuse batch normalisation, under which a per-image gradient does not exist."""
        _refuse_batch_mixers(critic)

    def optimiser(self, parameters: Iterable[nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """Adam at 1e-4 with β = (0, 0.9), as algorithm 1 asks."""
        return _adam(parameters, 1e-4 if learning_rate is None else learning_rate, betas=(0.0, 0.9))


@dataclass(frozen=True)
class OneSidedWassersteinGP(WassersteinGP):
    """The penalty that only minds slopes above 1 (Gulrajani et al. 2017, section 4; chapter 4).

    1-Lipschitz means *at most* 1, so this is what the theory asks; its authors found hardly a difference in practice
    and kept the two-sided form.
    """

    def excess(self, norms: Tensor) -> Tensor:
        """`max(0, ‖∇f‖ − 1)`."""
        return (norms - 1).relu()


@dataclass(frozen=True)
class NonSaturatingR1(NonSaturating):
    """The non-saturating game with R1, a fine on the slope at real images (Mescheder et al. 2018, eq. 9; chapter 4).

    It does not ask for a slope: it asks for none, where the data is, so that the game can come to rest.
    """

    weight: float = 10.0  # γ in equation 9

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:  # nor NaN
            raise CompanionError(
                f"A penalty of weight γ = {self.weight:g} is none; choose 0 or more (the paper's is 10)."
            )

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """γ/2 · E‖∇D(x)‖² over real images, the slope that of the score."""
        places = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(places).sum(), places, create_graph=True)
        penalty: Tensor = self.weight / 2 * slope.flatten(1).square().sum(1).mean()
        return penalty

    def check(self, critic: nn.Module) -> None:
        """Refuse batch normalisation, under which a per-image gradient does not exist."""
        _refuse_batch_mixers(critic)


def _refuse_batch_mixers(critic: nn.Module) -> None:
    if mixes_batch(critic):
        raise CompanionError(
            "A critic with batch normalisation cannot have a per-image gradient penalty; "
            "build it with norm=None or with layer normalisation."
        )


def _adam(parameters: Iterable[nn.Parameter], learning_rate: float, betas: tuple[float, float]) -> Adam:
    """Adam in its fused form, which does the same sums in one pass over the weights."""
    return Adam(parameters, lr=learning_rate, betas=betas, fused=True)
