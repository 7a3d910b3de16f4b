"""Where a network looks: the attention of its layers, and maps of it for chosen points (chapter 7)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from companion.layers import SelfAttention
from companion.models.evaluating import evaluating


@dataclass(frozen=True)
class Attention:
    """What one layer attended to in each image of a batch."""

    weights: Tensor  # (N, H · W, keys), each row sums to one
    places: tuple[int, int]  # H and W of the layer's maps
    keys: tuple[int, int]  # rows and columns in which the keys lie

    def maps(self, points: Tensor, size: int) -> Tensor:
        """How much each point attends to each pixel, `(N, K, size, size)`; 1 where all places count alike.

        Args:
            points: `(K, 2)` as (x, y) in pixels; the upper left pixel's centre is (0.5, 0.5).
            size: Side of the image that they are points of; the maps are brought to it by linear interpolation.
        """
        height, width = self.places
        columns, rows = (
            (points[:, axis] * side / size).long().clamp(0, side - 1)
            for axis, side in enumerate((width, height))
        )
        chosen = self.weights[:, rows * width + columns]  # (N, K, keys)
        relative = torch.unflatten(chosen, 2, self.keys) * chosen.shape[2]
        return interpolate(relative, (size, size), mode="bilinear")


@torch.no_grad()
def attention_of(network: nn.Module, *inputs: Tensor) -> dict[str, Attention]:
    """What each attention layer of a network attends to, by the layer's name, with these inputs and in eval mode."""
    found: dict[str, Attention] = {}
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, SelfAttention)}

    def note(name: str, layer: SelfAttention, features: Tensor) -> None:
        height, width = features.shape[2:]
        found[name] = Attention(layer.weights(features), (height, width), layer.grid(height, width))

    hooks = [
        layer.register_forward_pre_hook(lambda layer, given, name=name: note(name, layer, given[0]))
        for name, layer in layers.items()
    ]
    try:
        with evaluating(network):
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found
