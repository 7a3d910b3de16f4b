"""Guards the networks for every blur: they begin by changing little, and what they know of blur is right."""

import pytest
import torch
from torch.nn.functional import pad

from companion.data.anyblur import AnyBlur, blur, delta
from companion.data.photos import load_photos
from companion.errors import CompanionError
from companion.models.anyblur import (
    BodyConfig,
    GatedConfig,
    GatedRestorer,
    KernelConfig,
    KernelRestorer,
    PlainConfig,
    PlainRestorer,
    grain_of,
    slopes_of,
    spread,
)
from companion.randomness import generator

SIZE = 15


@pytest.fixture(scope="module")
def scene():
    """A photograph that fades to grey at its border, its kernel, and the two convolved: nothing crosses the border."""
    photo = load_photos("embedded").pixels[0][None, :, 60:156, 100:228].float() / 127.5 - 1
    fade = (torch.hann_window(96, False)[:, None] * torch.hann_window(128, False)).clamp(max=0.25) * 4
    sharp = pad(photo * fade, (SIZE,) * 4)
    kernels = AnyBlur(size=SIZE, longest=14, widest=3, none=0, shake=1, line=0, disc=0).draw(
        1, generator(4, "test")
    )
    half = SIZE // 2
    return sharp, kernels.kernels, blur(pad(sharp, (half,) * 4), kernels.kernels)


@pytest.mark.parametrize(
    "network",
    [PlainRestorer(PlainConfig(4, 1, 1)), GatedRestorer(GatedConfig(4, 1, 1))],
    ids=["plain", "gated"],
)
def test_an_untrained_one_changes_nothing(network):
    images = torch.rand(2, 3, 21, 30, generator=generator(1, "test")) * 2 - 1
    with torch.no_grad():
        assert torch.equal(network(images), images)


def test_an_untrained_one_finds_no_blur(scene):
    """The edges it draws are the picture's own; what turns these into themselves is a point, unless noise is feared."""
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE))
    network.trust.data.fill_(-12.0)
    with torch.no_grad():
        answer = network.answer(scene[0])
    assert (answer.kernels[0] - delta(SIZE)).abs().sum() < 0.1
    assert answer.width.item() < 0.5


def test_a_picture_without_edges_has_a_point_for_its_kernel():
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE))
    with torch.no_grad():
        answer = network.answer(torch.full((1, 3, 40, 40), 0.3))
    assert torch.allclose(answer.kernels[0], delta(SIZE), atol=1e-3)


def test_the_quotient_finds_the_kernel_between_sharp_and_blurredslopes_of(scene):
    sharp, kernel, blurred = scene
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE))
    network.trust.data.fill_(-12.0)  # no noise: take the edges at their word
    grey = sharp.mean(1, keepdim=True), blurred.mean(1, keepdim=True)
    with torch.no_grad():
        found = network.kernel(*map(slopes_of, grey))
    assert found.sum().item() == pytest.approx(1, abs=1e-4)
    assert ((found - kernel).norm() / kernel.norm()).item() < 0.15
    wrong = kernel.flip(2)
    assert ((found - wrong).norm() / kernel.norm()).item() > 0.4


def test_wieners_filter_with_the_true_kernel_undoes_the_blur(scene):
    sharp, kernel, blurred = scene
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE))
    with torch.no_grad():
        weak, strong = network.deconvolve(blurred, kernel, torch.tensor([-8.0]))
    before = (blurred - sharp).square().mean()
    assert (weak - sharp).square().mean() < before / 10
    assert (strong - sharp).square().mean() < (weak - sharp).square().mean()


def test_more_noise_asks_for_more_caution(scene):
    _, kernel, blurred = scene
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE))
    with torch.no_grad():
        trusting, cautious = (
            network.deconvolve(blurred, kernel, torch.tensor([grain]))[0] for grain in (-6.0, -2.0)
        )
    assert slopes_of(cautious[:, :1]).abs().sum() < slopes_of(trusting[:, :1]).abs().sum()


def test_every_weight_learns_something(scene):
    """Nothing is left out of the answer: after one step away from the beginning, each weight has a slope."""
    network = KernelRestorer(KernelConfig(4, 1, 1, size=SIZE, rounds=2))
    torch.nn.init.normal_(network.edges.leave.weight, std=0.01, generator=generator(1, "test"))
    torch.nn.init.normal_(network.clean.leave.weight, std=0.01, generator=generator(2, "test"))
    answer = network.answer(scene[2])
    assert len(answer.tries) == 1
    assert len(answer.kernels) == 2
    (answer.restored.square().mean() + answer.kernels[-1].square().sum() + answer.noise.sum()).backward()
    without = [
        name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()
    ]
    assert without == []


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.05])
def test_the_noise_of_a_slope_is_seen_as_it_is(sigma):
    """A plane has no second differences, so what the mask sees is the noise."""
    slope = torch.linspace(-0.8, 0.8, 200).expand(1, 3, 100, 200)
    noise = 2 * sigma * torch.randn(1, 3, 100, 200, generator=generator(1, "test"))
    assert grain_of(slope + noise).item() == pytest.approx(sigma, rel=0.03)
    assert grain_of(slope).item() < 1e-6


def test_the_spread_of_two_points_is_half_their_distance():
    kernel = torch.zeros(1, SIZE, SIZE)
    kernel[0, 4, 3], kernel[0, 10, 11] = 0.5, 0.5
    assert spread(kernel).item() == pytest.approx(5)


def test_a_kernel_without_a_middle_is_refused():
    with pytest.raises(CompanionError, match="choose an odd size"):
        KernelConfig(size=40)
    with pytest.raises(CompanionError, match="inner cannot be 0"):
        BodyConfig(inner=0)
    for more in ({"inner": 10**9}, {"outer": 10**9}):
        with pytest.raises(CompanionError, match="cannot be 1000000000; choose 64 at most"):
            BodyConfig(**more)


def test_rounds_are_bounded_since_no_weight_tells_how_many_there_are():
    KernelConfig(rounds=10)
    with pytest.raises(CompanionError, match="10 rounds at most"):
        KernelConfig(rounds=10_000_000)
