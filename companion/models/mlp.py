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
    """Points `(N, dimensions)` to scores `(N,)`, through `depth` hidden layers."""

    def __init__(self, width: int = 128, dimensions: int = 2, depth: int = 2) -> None:
        super().__init__()
        self.layers = _mlp(dimensions, width, 1, depth)

    def forward(self, points: Tensor) -> Tensor:
        """Score each point."""
        scores: Tensor = self.layers(points).flatten()
        return scores


def _mlp(inputs: int, width: int, outputs: int, depth: int = 2) -> nn.Sequential:
    """Hidden layers with leaky ReLU."""
    layers: list[nn.Module] = []
    for before in [inputs] + [width] * (depth - 1):
        layers += [nn.Linear(before, width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(width, outputs))
