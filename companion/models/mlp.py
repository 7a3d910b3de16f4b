"""Two small multilayer perceptrons for data in the plane (chapter 1)."""

import torch
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
    """Points `(N, 2)` to scores `(N,)`."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.layers = _mlp(2, width, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Score each point."""
        scores: Tensor = self.layers(points).flatten()
        return scores

    @torch.no_grad()
    def surface(self, extent: float = 3.0, resolution: int = 120) -> Tensor:
        """Scores on a square grid over [−extent, extent]², `(resolution, resolution)`, rows from low y to high."""
        axis = torch.linspace(-extent, extent, resolution)
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        points = torch.stack([x.flatten(), y.flatten()], dim=1)
        return self.forward(points).view(resolution, resolution)


def _mlp(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two hidden layers with leaky ReLU."""
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )
