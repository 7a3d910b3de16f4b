"""Guards what is done to layers."""

import torch
from torch import nn

from companion.layers import spectrally_normalised
from companion.models.dcgan import Critic, DCGANConfig


def test_spectral_normalisation_leaves_a_largest_singular_value_of_one():
    torch.manual_seed(0)
    critic = spectrally_normalised(Critic(DCGANConfig(size=16, width=4), norm=None))
    for _ in range(100):
        critic(torch.randn(2, 1, 16, 16))
    layers = [layer for layer in critic.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert len(layers) > 2
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)


def test_a_multilayer_perceptron_becomes_1_lipschitz():
    torch.manual_seed(0)
    network = spectrally_normalised(nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 1)))
    for _ in range(100):
        network(torch.randn(8, 2))
    places = torch.randn(500, 2, requires_grad=True)
    (slopes,) = torch.autograd.grad(network(places).sum(), places)
    assert slopes.norm(dim=1).max() <= 1.001
