"""Layers and what is done to layers, where more than one network wants it."""

from typing import TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

Network = TypeVar("Network", bound=nn.Module)


def spectrally_normalised(network: Network) -> Network:
    """The same network, each convolution's and linear layer's weight divided by its largest singular value.

    Miyato et al. 2018, algorithm 1: one step of power iteration at each pass in train mode. A convolution's weight is
    taken as a matrix `(out, in · height · width)`, as there, so its slope is bounded but not by exactly 1.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            spectral_norm(layer)
    return network
