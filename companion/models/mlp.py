"""Two small multilayer perceptrons for data in the plane, or on a line (chapter 1)."""

from torch import Tensor, nn


class PlaneGenerator(nn.Module):
    """Latents `(N, latents)` to points `(N, 2)`."""

    def __init__(self, latents: int = 16, width: int = 128) -> None:
        super().__init__()
        self.latents = latents
        self.layers = _mlp(latents, width, 2)

    def forward(self, latents: Tensor) -> Tensor:
        """One point per row of `latents`."""
        points: Tensor = self.layers(latents)
        return points


class PlaneCritic(nn.Module):
    """Points `(N, dimensions)` to scores `(N,)`."""

    def __init__(self, width: int = 128, dimensions: int = 2) -> None:
        super().__init__()
        self.layers = _mlp(dimensions, width, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Score each point."""
        scores: Tensor = self.layers(points).flatten()
        return scores


def _mlp(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two hidden layers with leaky ReLU."""
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )
