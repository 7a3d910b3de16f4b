"""Guards the fast second derivatives: the same numbers as PyTorch's own, for straight and for curved critics."""

import pytest
import torch
from torch import Tensor, nn

from companion.models.dcgan import Critic, DCGANConfig
from companion.objectives import WassersteinGP
from companion.training.second_order import second_order

CRITICS = {
    "leaky": lambda: Critic(DCGANConfig(16, 3, 4, 8), norm=None),
    "relu, odd sizes": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, dilation=2, groups=2), nn.Flatten(), nn.Linear(16, 1)
    ),
    "curved": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 4, 2, 1), nn.Tanh(), nn.Conv2d(4, 6, 4, 2, 1), nn.InstanceNorm2d(6, affine=True),
        nn.LeakyReLU(0.1), nn.Conv2d(6, 1, 4),
    ),
    "by name": lambda: nn.Sequential(nn.Conv2d(3, 2, 3, padding="same"), nn.LeakyReLU(), nn.Conv2d(2, 1, 16)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gradients(critic: nn.Module, fast: bool) -> list[Tensor]:
    torch.manual_seed(1)
    real, fake = torch.randn(2, 5, 3, 16, 16)
    critic.zero_grad()
    if fast:
        with second_order():
            penalty = WassersteinGP().penalty(critic, real, fake)
    else:
        penalty = WassersteinGP().penalty(critic, real, fake)
    (penalty + critic(real).mean()).backward()
    return [penalty.detach(), *(weight.grad.clone() for weight in critic.parameters())]


@pytest.mark.parametrize("make", CRITICS.values(), ids=CRITICS)
def test_gradients_are_those_of_plain_pytorch(make):
    torch.manual_seed(0)
    critic = make()
    for plain, fast in zip(gradients(critic, False), gradients(critic, True), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-12)


def test_under_autocast_it_computes_in_bfloat16_as_torch_does():
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    critic = CRITICS["leaky"]()
    with torch.autocast("cpu", torch.bfloat16):
        plain, fast = gradients(critic, False), gradients(critic, True)
    for one, other in zip(plain, fast, strict=True):
        torch.testing.assert_close(other, one, rtol=0.02, atol=2e-3)


def test_what_it_cannot_do_it_refuses():
    """A slope with respect to a convolution's weights is not silently zero."""
    convolution = nn.Conv2d(1, 1, 3)
    with second_order():
        scores = convolution(torch.randn(2, 1, 5, 5)).sum()
    with pytest.raises(RuntimeError, match="unused"):
        torch.autograd.grad(scores, convolution.weight, create_graph=True)


def test_without_a_penalty_nothing_is_touched():
    with second_order():
        assert torch.equal(
            torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.5), torch.tensor([-0.5, 2.0])
        )
        assert torch.equal(torch.relu(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]))
