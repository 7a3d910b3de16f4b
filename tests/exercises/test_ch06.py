"""Guards chapter 6's exercises: every right solution passes, every plausible wrong one is told what is wrong."""

import math

import pytest
import torch
from banks import Bank, EveryBank, untouched
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import conv2d

from companion.exercises import ch06
from companion.exercises.runner import NotYet

DIVERGENCE = {
    "formula": lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum(1),
    "the paper's": lambda m, v: -0.5 * torch.sum(1 + v - m.pow(2) - v.exp(), dim=-1),
    "torch's": lambda m, v: kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 1.0)).sum(1),
    "numpy": lambda m, v: (0.5 * (m**2 + v.exp() - v - 1)).sum(1).numpy(),
}
WRONG_DIVERGENCE = {
    "mean": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).mean(1), "mean over the latents"),
    "all": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum(), "one number"),
    "images": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum(0), "sum over the images"),
    "mean of all": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).mean(), "one mean for all"),
    "mean of images": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum(1).mean(), "average over the images"),
    "no sum": (lambda m, v: 0.5 * (m**2 + v.exp() - v - 1), "is (N,)"),
    "no half": (lambda m, v: (m**2 + v.exp() - v - 1).sum(1), "half"),
    "sign": (lambda m, v: 0.5 * (1 + v - m**2 - v.exp()).sum(1), "wrong way"),
    "no one": (lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1), "costs nothing"),
    "no exp": (lambda m, v: 0.5 * (m**2 + v - v - 1).sum(1), "exponential"),
    "log deviation": (lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1).sum(1), "log σ:"),
    "deviation": (lambda m, v: 0.5 * (m**2 + (v / 2).exp() - v - 1).sum(1), "has σ²"),
    "no square": (lambda m, v: 0.5 * (m + v.exp() - v - 1).sum(1), "has μ²"),
    "something": (lambda m, v: m.sum(1), "should be"),
    "untouched": (untouched, "waits for you"),
}

DRAWN = {
    "paper": lambda m, v: m + (v / 2).exp() * torch.randn_like(m),
    "root": lambda m, v: m + v.exp().sqrt() * torch.randn(m.shape),
    "rsample": lambda m, v: Normal(m, (0.5 * v).exp()).rsample(),
}
WRONG_DRAWN = {
    "sample": (lambda m, v: Normal(m, (0.5 * v).exp()).sample(), "no gradient reaches μ"),
    "spread detached": (lambda m, v: m + (v / 2).exp().detach() * torch.randn_like(m), "none reaches log σ²"),
    "variance": (lambda m, v: m + v.exp() * torch.randn_like(m), "the deviation is its root"),
    "logarithm": (lambda m, v: m + v * torch.randn_like(m), "log σ² itself"),
    "half logarithm": (lambda m, v: m + v / 2 * torch.randn_like(m), "its exponential is"),
    "one": (lambda m, v: m + torch.randn_like(m), "whatever the encoder says"),
    "mean": (lambda m, v: m, "noise is missing"),
    "shared by images": (lambda m, v: m + (v / 2).exp() * torch.randn(1, 2), "shared by all images"),
    "shared by latents": (lambda m, v: m + (v / 2).exp() * torch.randn(len(m), 1), "share their noise"),
    "first image's": (lambda m, v: m + (v[0] / 2).exp() * torch.randn_like(m), "spread by"),
    "scaled": (lambda m, v: 1.03 * (m + (v / 2).exp() * torch.randn_like(m)), "about their means"),
    "no mean": (lambda m, v: (v / 2).exp() * torch.randn_like(m), "about their means"),
    "uniform": (
        lambda m, v: m + (v / 2).exp() * math.sqrt(12) * (torch.rand_like(m) - 0.5),
        "not normal",
    ),
    "seeded": (
        lambda m, v: m + (v / 2).exp() * torch.randn(m.shape, generator=torch.Generator().manual_seed(1)),
        "Asked twice",
    ),
    "mean turned round": (
        lambda m, v: 2 * m.detach() - m + (v / 2).exp() * torch.randn_like(m),
        "rises by 1",
    ),
    "spread twice": (
        lambda m, v: m + (2 * (v / 2).exp() - (v / 2).exp().detach()) * torch.randn_like(m),
        "rises by σε / 2",
    ),
    "spread all but detached": (
        lambda m, v: m + (v / 2).exp().detach() * torch.randn_like(m) + 1e-6 * v,
        "rises by σε / 2",
    ),
    "Laplace's": (
        lambda m, v: m + (v / 2).exp() * torch.distributions.Laplace(0.0, 0.5**0.5).sample(m.shape),
        "not normal",
    ),
    "shared by pairs": (
        lambda m, v: m + (v / 2).exp() * torch.randn_like(m[: (len(m) + 1) // 2]).repeat(2, 1)[: len(m)],
        "Several images share",
    ),
    "untouched": (untouched, "waits for you"),
}

KERNEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


def convolved(images, kernel=KERNEL):
    channels = images.shape[1]
    return conv2d(images, kernel.to(images).expand(channels, 1, 3, 3), groups=channels)


def sliced(images):
    across = images[..., 2:] - images[..., :-2]
    return (across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]) / 8


RIGHTWARDS = {
    "convolution": convolved,
    "slices": sliced,
    "each channel": lambda x: torch.cat(
        [conv2d(x[:, c : c + 1], KERNEL.to(x)[None, None]) for c in range(x.shape[1])], 1
    ),
}
WRONG_RIGHTWARDS = {
    "no eight": (lambda x: 8 * convolved(x), "leave out the 8"),
    "four": (lambda x: 2 * convolved(x), "divide by 4"),
    "left": (lambda x: -convolved(x), "to the left"),
    "down": (lambda x: convolved(x, KERNEL.T), "downwards"),
    "plain": (lambda x: (x[..., 2:] - x[..., :-2])[..., 1:-1, :] / 2, "smooth nothing"),
    "prewitt": (
        lambda x: convolved(x, torch.tensor([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]]) / 6),
        "weigh the three rows alike",
    ),
    "length": (lambda x: (convolved(x) ** 2 + convolved(x, KERNEL.T) ** 2).sqrt(), "length of the slope"),
    "same size": (lambda x: torch.nn.functional.pad(sliced(x), (1, 1, 1, 1)), "(N, C, H − 2, W − 2)"),
    "channels mixed": (lambda x: conv2d(x, KERNEL[None, None]), "groups=C"),
    "something": (lambda x: convolved(x) + 1, "not Sobel's"),
    "untouched": (untouched, "waits for you"),
}

APART = {
    "projection": lambda v, u: v - (v @ u) / (u @ u) * u,
    "unit": lambda v, u: v - (v @ (n := u / u.norm())) * n,
    "solved": lambda v, u: v - u * torch.linalg.lstsq(u[:, None], v[:, None]).solution.squeeze(),
}
WRONG_APART = {
    "along": (lambda v, u: (v @ u) / (u @ u) * u, "*along*"),
    "plus": (lambda v, u: v + (v @ u) / (u @ u) * u, "You add"),
    "once": (lambda v, u: v - (v @ u) / u.norm() * u, "once"),
    "nothing": (lambda v, u: v - (v @ u) * u, "by nothing"),
    "subtract": (lambda v, u: v - u, "as it is"),
    "unit result": (lambda v, u: (w := v - (v @ u) / (u @ u) * u) / w.norm(), "length 1; leave"),
    "own length": (lambda v, u: v - (v @ u) / (v @ v) * u, "own length"),
    "from the other": (lambda v, u: u - (v @ u) / (v @ v) * v, "away from the other"),
    "unchanged": (lambda v, u: v, "should be"),
    "shape": (lambda v, u: (v @ u)[None], "of shape"),
    "untouched": (untouched, "waits for you"),
}

ALIVE = {
    "variance": lambda m: int((m.var(0) > 0.01).sum()),
    "square": lambda m: (m.std(0).square() > 0.01).sum(),
    "by hand": lambda m: sum(((m[:, d] - m[:, d].mean()) ** 2).mean() > 0.01 for d in range(m.shape[1])),
}
WRONG_ALIVE = {
    "deviation": (lambda m: (m.std(0) > 0.01).sum(), "deviation"),
    "means": (lambda m: (m.mean(0).abs() > 0.01).sum(), "stands still"),
    "images": (lambda m: (m.var(1) > 0.01).sum(), "the images"),
    "dead": (lambda m: (m.var(0) <= 0.01).sum(), "dead"),
    "mean squares": (lambda m: (m.square().mean(0) > 0.01).sum(), "mean squares"),
    "one variance": (lambda m: int(m.var() > 0.01), "one variance of them all"),
    "share": (lambda m: (m.var(0) > 0.01).float().mean(), "share"),
    "all": (lambda m: m.shape[1], "should be"),
    "deviation of 0.09": (lambda m: (m.std(0) > 0.09).sum(), "should be"),
    "variance of 0.012": (lambda m: (m.var(0) > 0.012).sum(), "should be"),
    "untouched": (untouched, "waits for you"),
}

ESTIMATE = {
    "logsumexp": lambda w: w.logsumexp(1) - math.log(w.shape[1]),
    "largest first": lambda w: (w - w.amax(1, keepdim=True)).exp().mean(1).log() + w.amax(1),
}
WRONG_ESTIMATE = {
    "bound": (lambda w: w.mean(1), "one draw"),
    "no count": (lambda w: w.logsumexp(1), "number of draws"),
    "no log": (lambda w: w.exp().mean(1), "logarithm is wanted"),
    "best": (lambda w: w.amax(1), "best draw"),
    "count itself": (lambda w: w.logsumexp(1) - w.shape[1], "its logarithm belongs"),
    "images": (lambda w: w.logsumexp(0) - math.log(len(w)), "over the images"),
    "underflow": (lambda w: w.exp().mean(1).log(), "largest out"),
    "mean of all": (lambda w: w.logsumexp((0, 1)) - math.log(w.numel()), "together"),
    "whole": (lambda w: w.logsumexp((0, 1)), "is (N,)"),
    "one maximum for all": (
        lambda w: w.max() + (w - w.max()).exp().mean(1).log(),
        "takes each image's largest out",
    ),
    "about the mean": (
        lambda w: w.mean() + (w - w.mean()).exp().mean(1).log(),
        "takes each image's largest out",
    ),
    "900 by hand": (lambda w: (w + 900).double().exp().mean(1).log() - 900, "infinite"),
    "untouched": (untouched, "waits for you"),
}

BANKS = {
    "divergence": Bank(ch06.check_divergence, DIVERGENCE, WRONG_DIVERGENCE),
    "drawn": Bank(ch06.check_drawn, DRAWN, WRONG_DRAWN),
    "rightwards": Bank(ch06.check_rightwards, RIGHTWARDS, WRONG_RIGHTWARDS),
    "apart": Bank(ch06.check_apart, APART, WRONG_APART),
    "alive": Bank(ch06.check_alive, ALIVE, WRONG_ALIVE),
    "estimate": Bank(ch06.check_estimate, ESTIMATE, WRONG_ESTIMATE),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_checks_leave_the_readers_random_numbers_alone():
    before = torch.get_rng_state()
    ch06.check_rightwards(RIGHTWARDS["slices"])
    ch06.check_alive(ALIVE["variance"])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_kernel_of_ones_own_in_float32_is_right_and_a_wrong_one_is_not():
    sobels = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8

    def rightwards(images: torch.Tensor) -> torch.Tensor:
        channels = images.shape[1]
        return torch.nn.functional.conv2d(images, sobels.expand(channels, 1, 3, 3), groups=channels)

    ch06.check_rightwards(rightwards)
    with pytest.raises(NotYet, match="leave out the 8"):
        ch06.check_rightwards(lambda images: 8 * rightwards(images))
