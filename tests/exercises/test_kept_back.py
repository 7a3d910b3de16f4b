"""Guards the checks against answers that a stranger's bank held: right but for one rule, one size or one edge."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from companion.exercises import ch01, ch02, ch03, ch04, ch05
from companion.exercises.runner import NotYet


def covered(samples, centres, reach, least):
    return int(((torch.cdist(samples, centres) < reach).sum(0) >= least).sum())


def nearest_by_streets(samples, centres):
    shares = torch.bincount(torch.cdist(samples, centres, p=1).argmin(1), minlength=len(centres)) / len(
        samples
    )
    return float((shares - 1 / len(centres)).abs().sum() / 2)


def rank_by_rank(real, fake):
    if len(real) == len(fake):
        return float((real.sort().values - fake.sort().values).square().mean())
    return float((real.mean() - fake.mean()) ** 2 + (real.std() - fake.std()) ** 2)


def blurred(images, kernel):
    weight = kernel.flip(0, 1)[None, None]
    return F.conv2d(images.flatten(0, 1)[:, None], weight).unflatten(0, images.shape[:2])[:, :, 0]


class Block(nn.Module):
    """Right but for what is between, or for what goes back."""

    def __init__(self, channels, between=torch.relu, shortcut=lambda x: x):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.between, self.shortcut = between, shortcut

    def forward(self, features):
        return self.shortcut(features) + self.second(self.between(self.first(features)))


def clip(critic, c, *, frozen=True, averages=False):
    with torch.no_grad():
        for weight in critic.parameters():
            if frozen or weight.requires_grad:
                weight.clamp_(-c, c)
        for average in critic.buffers() if averages else ():
            average.clamp_(-1, 1)


def cut_off(real, fake):
    along = (0.5 + 0.29 * torch.randn(len(real), 1, 1, 1)).clamp(0, 1)
    return torch.lerp(real, fake, along)


def lifted(critic, images):
    images = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + 0.01).sqrt()


arrivals: dict[str, float] = {}


def by_arrival(name, low, high):
    return low + (high - low) * arrivals.setdefault(name, len(arrivals) * 0.618 % 1)


def inside(drawn, wanted, mask):
    error = ((drawn - wanted).square() * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
    return (10 * torch.log10(4 / error)).clamp(max=50)


def sigmoid_first(scores, labels):
    return F.binary_cross_entropy(scores.sigmoid(), labels[:, None].expand_as(scores).to(scores))


def evaluating(channels):
    return nn.BatchNorm2d(channels, momentum=0.2).eval()


def by_itself(channels):
    return nn.InstanceNorm2d(channels, momentum=0.2, track_running_stats=True)


WRONG = {
    "a sample at the reach is out": (ch01.check_modes_covered, covered, "at most means ≤"),
    "the nearest by streets": (ch01.check_histogram_distance, nearest_by_streets, "not the Euclidean one"),
    "ranks of two sets of one size": (ch01.check_frechet_1d, rank_by_rank, "`frechet_1d` gives"),
    "each image normalised by itself": (ch01.check_normalised, by_itself, "over the whole batch"),
    "a layer in evaluation mode": (ch01.check_normalised, evaluating, "comes in evaluation mode"),
    "a kernel divided by its sum": (ch02.check_blur, lambda x, k: blurred(x, k / k.sum()), "by its sum"),
    "a kernel without signs": (ch02.check_blur, lambda x, k: blurred(x, k.abs()), "without their signs"),
    "a blur cut off": (
        ch02.check_blur,
        lambda x, k: blurred(x, k).clamp(-1, 1),
        "cut your blurred images off",
    ),
    "a ReLU that ends": (ch02.check_residual_block, lambda n: Block(n, F.relu6), "cut off at 6"),
    "a shortcut that nothing goes back through": (
        ch02.check_residual_block,
        lambda n: Block(n, shortcut=torch.detach),
        "undetached",
    ),
    "frozen weights left out": (
        ch03.check_clip_weights,
        lambda critic, c: clip(critic, c, frozen=False),
        "is left out",
    ),
    "running averages clipped": (
        ch03.check_clip_weights,
        lambda critic, c: clip(critic, c, averages=True),
        "running averages",
    ),
    "ε cut off at the ends": (ch04.check_between, cut_off, "the pictures themselves"),
    "a number under the root": (ch04.check_slopes, lifted, "."),
    "by order of arrival": (ch05.check_amount, by_arrival, "in another order"),
    "decibels cut off": (ch05.check_psnr_inside, inside, "."),
    "σ before the logarithm": (ch05.check_critic_loss, sigmoid_first, "You take the sigmoid first"),
}


@pytest.mark.parametrize(("check", "wrong", "phrase"), WRONG.values(), ids=WRONG)
@pytest.mark.slow
def test_wrong_by_one_rule_one_size_or_one_edge(check, wrong, phrase):
    with pytest.raises(NotYet, match=phrase):
        check(wrong)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (ch01.check_normalised, lambda n: nn.BatchNorm2d(n, momentum=0.2)),
        (ch02.check_blur, blurred),
        (ch02.check_residual_block, Block),
        (ch03.check_clip_weights, clip),
    ],
    ids=["normalised", "blur", "block", "clip"],
)
def test_their_right_counterparts_pass(check, right, capsys):
    check(right)
    assert capsys.readouterr().out.startswith("✓ ")
