"""Guards chapter 4's exhibits: each penalty is wrong in the way the chapter says, and the right one is not."""

import pytest
import torch
from torch import Tensor

from companion import museum
from companion.models.dcgan import Critic, DCGANConfig
from companion.objectives import WassersteinGP

CONFIG = DCGANConfig(size=16, width=4)


def linear(slope: Tensor):
    """f(x) = a·x."""
    return lambda images: (images * slope).flatten(1).sum(1)


def test_batch_normalisation_leaks_between_images_and_its_absence_does_not():
    torch.manual_seed(0)
    images = torch.randn(8, 1, 16, 16)
    assert museum.leak_between_samples(Critic(CONFIG), images) > 0.05
    assert museum.leak_between_samples(Critic(CONFIG, norm=None), images) == 0
    assert museum.leak_between_samples(Critic(CONFIG).eval(), images) == 0  # running statistics: no company


def test_the_leak_is_what_the_neighbours_add_to_the_slope_of_the_sum():
    """f(xₙ) = xₙ + the mean of all: at x₁ its own slope is 1 + 1/N, and N − 1 neighbours add 1/N each."""

    def critic(images: Tensor) -> Tensor:
        return images.flatten() + images.mean()

    for count in (2, 5, 50):
        expected = (count - 1) / (count + 1)
        assert museum.leak_between_samples(critic, torch.randn(count, 1)) == pytest.approx(expected)


def test_one_epsilon_is_shared_by_all_images():
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.flatten(1).sum(1)

    museum.OneEpsilonPenalty().penalty(critic, torch.zeros(6, 2), torch.ones(6, 2))
    WassersteinGP().penalty(critic, torch.zeros(6, 2), torch.ones(6, 2))
    assert len(seen[0].unique()) == 1
    assert len(seen[1].unique()) == 6


def test_one_epsilon_makes_the_penalty_of_a_batch_vary_more():
    """For f(x) = Σ x²/2 on the way from 0 to 4, the slope at ε is 4ε: each batch sees one ε or all of them."""
    real, fake = torch.zeros(64, 1), torch.full((64, 1), 4.0)

    def spread(objective: WassersteinGP) -> float:
        torch.manual_seed(0)
        found = [objective.penalty(lambda x: x.square().sum(1) / 2, real, fake) for _ in range(60)]
        return float(torch.stack(found).detach().std())

    assert spread(museum.OneEpsilonPenalty()) > 4 * spread(WassersteinGP())


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_wrong_axes_want_another_slope(scale):
    """With the slope that each wants, the wrong penalty is zero and the right one is not, and the other way round."""
    images = torch.randn(4, 3, 8, 8)
    one = scale * torch.ones(3, 8, 8)  # per pixel √3 · scale, per image √192 · scale
    per_pixel, per_image = scale * 3**0.5, scale * 192**0.5
    found = museum.ChannelNormPenalty(weight=1.0).penalty(linear(one), images, images)
    assert found.item() == pytest.approx((per_pixel - 1) ** 2, abs=1e-4)
    found = museum.WholeBatchNormPenalty(weight=1.0).penalty(linear(one), images, images)
    assert found.item() == pytest.approx((2 * per_image - 1) ** 2, rel=1e-3)  # four images: √4 times as long
    right = WassersteinGP(weight=1.0).penalty(linear(one), images, images)
    assert right.item() == pytest.approx((per_image - 1) ** 2, rel=1e-3)


def test_the_root_has_the_right_value_and_no_gradient_at_zero():
    slope = torch.zeros(2, requires_grad=True)
    images = torch.randn(3, 2)
    for objective, finite in ((WassersteinGP(), True), (museum.SquareRootPenalty(), False)):
        penalty = objective.penalty(linear(slope), images, images)
        assert penalty.item() == 10.0
        (gradient,) = torch.autograd.grad(penalty, slope)
        assert bool(gradient.isfinite().all()) == finite
