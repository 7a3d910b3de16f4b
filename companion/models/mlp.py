"""Two small multilayer perceptrons for data in the plane, or on a line (chapter 1)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu


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


class PlaneCritics(nn.Module):
    """Several critics of one shape, trained at once: each scores its own part of the batch, and learns from it alone.

    Networks as small as these spend their time on being called, so three together take hardly longer than one. A mean
    over the whole batch is a mean over all of them, so each has its gradient divided by their number, which Adam does
    not feel.
    """

    def __init__(self, critics: list[PlaneCritic]) -> None:
        super().__init__()
        self.count = len(critics)
        layers = [[layer for layer in critic.layers if isinstance(layer, nn.Linear)] for critic in critics]
        same = list(zip(*layers, strict=True))
        self.weights = nn.ParameterList(torch.stack([layer.weight.detach().T for layer in of]) for of in same)
        self.biases = nn.ParameterList(
            torch.stack([layer.bias.detach()[None] for layer in of]) for of in same
        )

    def forward(self, points: Tensor) -> Tensor:
        """Scores `(count · N,)` of points `(count · N, 2)`, the first N for the first critic, and so on."""
        values = points.view(self.count, -1, points.shape[-1])
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.baddbmm(bias, values if place == 0 else leaky_relu(values, SLOPE), weight)
        return values.flatten()


SLOPE = 0.2  # of the leaky ReLUs


def _mlp(inputs: int, width: int, outputs: int, depth: int = 2) -> nn.Sequential:
    """Hidden layers with leaky ReLU."""
    layers: list[nn.Module] = []
    for before in [inputs] + [width] * (depth - 1):
        layers += [nn.Linear(before, width), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Linear(width, outputs))
