"""The smallest GAN there is: one real point, one drawn point, and a discriminator with one weight (chapters 1 and 4).

The Dirac-GAN of Mescheder et al. 2018, section 2: the data is the point 0, the generator draws the point θ, and the
discriminator's score of x is ψ·x. Here it plays the minimax game. Both rest at (0, 0); the question is whether they
get there.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SmallestGame:
    """A minimax game about one point.

    `fine` is γ of the penalty R1, `γ/2 · E‖∇D(x)‖²` over real points, which here is `γ/2 · ψ²`
    (Mescheder et al. 2018, equation 9).
    """

    fine: float = 0.0

    def moves(self, theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        """Where each player wants to go: minus the gradient of its own loss, in the shape of `theta` and `psi`.

        With `V = log σ(0) + log(1 − σ(ψθ))` the generator moves by `−∂V/∂θ` and the discriminator by `∂V/∂ψ − γψ`.
        """
        believed = torch.sigmoid(psi * theta)  # the probability that the drawn point is real
        return psi * believed, -theta * believed - self.fine * psi

    def together(self, theta: float, psi: float, *, rate: float, steps: int) -> Tensor:
        """The way `(steps + 1, 2)` of (θ, ψ) when both move at once, each by what it saw before the step."""
        way = [torch.tensor([theta, psi])]
        for _ in range(steps):
            way.append(way[-1] + rate * torch.stack(self.moves(*way[-1])))
        return torch.stack(way)

    def in_turns(self, theta: float, psi: float, *, rate: float, steps: int) -> Tensor:
        """The way `(steps + 1, 2)` of (θ, ψ) when the discriminator moves first, and the generator sees it."""
        way = [torch.tensor([theta, psi])]
        for _ in range(steps):
            drawn, weight = way[-1]
            weight = weight + rate * self.moves(drawn, weight)[1]
            way.append(torch.stack([drawn + rate * self.moves(drawn, weight)[0], weight]))
        return torch.stack(way)
