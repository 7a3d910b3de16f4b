"""Small networks: of the registered models, for every test that runs them all, and one that hardly does anything."""

import torch
from torch import Tensor, nn

from companion.models.registry import Model


class Hardly(nn.Module):
    """Changes a photograph by one level, so that its file has to be written anew."""

    def forward(self, images: Tensor) -> Tensor:
        return images - 2 / 255


def woken(model: Model) -> nn.Module:
    """The smallest network, its weights and running statistics drawn so that everything it does shows."""
    torch.manual_seed(0)
    network = model.build(model.small).eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5) if "running_var" in name else value.normal_(0.1, 0.3)
    return network
