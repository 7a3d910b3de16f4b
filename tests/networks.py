"""Small networks of the registered models, for every test that runs them all."""

import torch
from torch import nn

from companion.models.registry import Model


def woken(model: Model) -> nn.Module:
    """The smallest network, its weights and running statistics drawn so that everything it does shows."""
    torch.manual_seed(0)
    network = model.build(model.small).eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5) if "running_var" in name else value.normal_(0.1, 0.3)
    return network
