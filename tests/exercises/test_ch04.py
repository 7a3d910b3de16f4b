"""Guards chapter 4's exercises: every right solution passes, every plausible wrong one is told what is wrong."""

import pytest
import torch
from banks import Bank, EveryBank, untouched
from torch import nn
from torch.linalg import vector_norm

from companion.exercises import ch04

BETWEEN = {
    "lerp": lambda r, f: torch.lerp(r, f, torch.rand(len(r), 1, 1, 1)),
    "sum": lambda r, f: (e := torch.rand(r.shape[0], 1, 1, 1)) * r + (1 - e) * f,
    "from the fake": lambda r, f: f + torch.rand(len(r))[:, None, None, None] * (r - f),
    "watched": lambda r, f: torch.lerp(r, f, torch.rand(len(r), 1, 1, 1)).requires_grad_(),
}
WRONG_BETWEEN = {
    "one for all": (lambda r, f: torch.lerp(r, f, torch.rand(1)), "All pictures share"),
    "one per pixel": (lambda r, f: torch.lerp(r, f, torch.rand_like(r)), "different ε"),
    "one per channel": (lambda r, f: torch.lerp(r, f, torch.rand(len(r), r.shape[1], 1, 1)), "different ε"),
    "normal": (lambda r, f: torch.lerp(r, f, torch.randn(len(r), 1, 1, 1)), "beyond the ends"),
    "middle": (lambda r, f: (r + f) / 2, "All pictures share"),
    "ends": (lambda r, f: torch.lerp(r, f, torch.rand(len(r), 1, 1, 1).round()), "few values"),
    "squared": (lambda r, f: torch.lerp(r, f, torch.rand(len(r), 1, 1, 1) ** 2), "not uniform"),
    "other rows": (lambda r, f: torch.lerp(r, f.flip(0), torch.rand(len(r), 1, 1, 1)), "own pair"),
    "shape": (lambda r, f: torch.rand(len(r)) * r + f, "(N, 1, 1, 1)"),
    "untouched": (untouched, "waits for you"),
}


def slopes(critic, images, *, graph=True, norm=lambda g: vector_norm(g.flatten(1), dim=1), total=torch.sum):
    images = images.requires_grad_()
    (gradient,) = torch.autograd.grad(total(critic(images)), images, create_graph=graph)
    return norm(gradient)


def each_by_itself(critic, images):
    images = images.requires_grad_()
    scores = critic(images)
    return torch.stack(
        [
            torch.autograd.grad(score, images, create_graph=True)[0][row].norm()
            for row, score in enumerate(scores)
        ]
    )


def given_outputs(critic, images):
    images.requires_grad_()
    scores = critic(images)
    ones = torch.ones_like(scores)
    (gradient,) = torch.autograd.grad(scores, images, grad_outputs=ones, create_graph=True, retain_graph=True)
    return gradient.view(len(images), -1).norm(2, dim=1)


SLOPES = {
    "sum": slopes,
    "grad_outputs": given_outputs,
    "each by itself": each_by_itself,
    "safe root": lambda c, x: slopes(c, x, norm=lambda g: (g.flatten(1).square().sum(1) + 1e-12).sqrt()),
}


def unwatched(critic, images):
    (gradient,) = torch.autograd.grad(critic(images).sum(), images)
    return gradient.flatten(1).norm(dim=1)


def watched_late(critic, images):
    scores = critic(images).sum()
    (gradient,) = torch.autograd.grad(scores, images.requires_grad_(), create_graph=True)
    return gradient.flatten(1).norm(dim=1)


def whole_tuple(critic, images):
    found = torch.autograd.grad(critic(images.requires_grad_()).sum(), images, create_graph=True)
    return found.flatten(1).norm(dim=1)


WRONG_SLOPES = {
    "no graph": (lambda c, x: slopes(c, x, graph=False), "create_graph"),
    "unsafe root": (lambda c, x: slopes(c, x, norm=lambda g: g.flatten(1).square().sum(1).sqrt()), "NaN"),
    "channels": (lambda c, x: slopes(c, x, norm=lambda g: g.norm(dim=1)), "flatten first"),
    "whole batch": (lambda c, x: slopes(c, x, norm=lambda g: g.norm()), "one norm for each"),
    "squares": (lambda c, x: slopes(c, x, norm=lambda g: g.flatten(1).square().sum(1)), "squares"),
    "mean": (lambda c, x: slopes(c, x, total=torch.mean), "sum"),
    "absolute values": (
        lambda c, x: slopes(c, x, norm=lambda g: g.flatten(1).abs().sum(1)),
        "absolute values",
    ),
    "root of the mean": (
        lambda c, x: slopes(c, x, norm=lambda g: (g.flatten(1).square().mean(1) + 1e-12).sqrt()),
        "their sum there",
    ),
    "mean over pixels": (
        lambda c, x: slopes(c, x, norm=lambda g: g.norm(dim=1).mean((1, 2))),
        "average the norms",
    ),
    "watched late": (watched_late, "before the critic"),
    "tuple": (whole_tuple, "tuple, here of one"),
    "unwatched": (unwatched, "autograd has to watch"),
    "detached": (lambda c, x: slopes(c, x).detach(), "cannot learn"),
    "untouched": (untouched, "waits for you"),
}

PENALTIES = {
    "plain": (lambda n, w: w * ((n - 1) ** 2).mean(), lambda n, w: w * ((n - 1).relu() ** 2).mean()),
    "clamp": (
        lambda n, w: (w * (n - 1).square()).mean(),
        lambda n, w: w * (n - 1).clamp(min=0).pow(2).mean(),
    ),
    "maximum": (
        lambda n, w: w * (1 - n).square().mean(),
        lambda n, w: w * (torch.maximum(n, torch.ones(())) - 1).square().mean(),
    ),
}
two, one = PENALTIES["plain"]
WRONG_PENALTIES = {
    "mean first": ((lambda n, w: w * (n - 1).mean() ** 2, one), "before the square"),
    "mean of norms first": ((lambda n, w: w * (n.mean() - 1) ** 2, one), "before the square"),
    "sum": ((lambda n, w: w * ((n - 1) ** 2).sum(), one), "is a mean"),
    "no weight": ((lambda n, w: ((n - 1) ** 2).mean(), one), "λ is missing"),
    "ten": ((lambda n, w: 10 * ((n - 1) ** 2).mean(), one), "λ for 10"),
    "absolute": ((lambda n, w: w * (n - 1).abs().mean(), one), "square nothing"),
    "squared norm": ((lambda n, w: w * ((n**2 - 1) ** 2).mean(), one), "squared norm"),
    "one for two": ((one, one), "one-sided form"),
    "two for one": ((two, two), "below 1 costs"),
    "not squared": ((two, lambda n, w: w * (n - 1).relu().mean()), "square nothing"),
    "only the steep": ((two, lambda n, w: w * (n[n > 1] - 1).square().mean()), "they count"),
    "clamped norm": ((two, lambda n, w: w * (n.clamp(min=0) ** 2).mean()), "penalise the norm itself"),
    "number": ((lambda n, w: two(n, w).item(), one), "left autograd"),
    "untouched": ((untouched, untouched), "waits for you"),
}


def company(critic, images):
    with torch.no_grad():
        return not torch.allclose(critic(images)[:2], critic(images[:2]), atol=1e-6)


def gradient(critic, images):
    images = images.requires_grad_()
    (slope,) = torch.autograd.grad(critic(images)[0], images)
    return bool(slope[1:].abs().max() > 1e-7)


def shuffled(critic, images):
    changed = images.clone()
    changed[1:] += 1
    return torch.tensor((critic(images)[0] - critic(changed)[0]).abs() > 1e-5)


LEAKS = {"two companies": company, "gradient": gradient, "changed neighbours": shuffled}


def by_name(critic, images):
    return any(isinstance(layer, nn.BatchNorm2d) for layer in critic.modules())


def by_name_in_training(critic, images):
    return by_name(critic, images) and critic.training


def in_eval(critic, images):
    critic.eval()
    return company(critic, images)


def in_train(critic, images):
    critic.train()
    return company(critic, images)


def alone(critic, images):
    with torch.no_grad():
        return not torch.allclose(critic(images)[:1], critic(images[:1]), atol=1e-6)


WRONG_LEAKS = {
    "one alone": (alone, "companies of several"),
    "by name": (by_name, "compare scores"),
    "by name and mode": (by_name_in_training, "compare scores"),
    "always": (lambda c, x: True, "compare scores"),
    "never": (lambda c, x: False, "compare scores"),
    "in eval": (in_eval, "compare scores"),
    "in train": (in_train, "compare scores"),
    "a share": (lambda c, x: 0.3, "True or False"),
    "nothing": (lambda c, x: None, "returns nothing"),
    "untouched": (untouched, "waits for you"),
}


def premultiplied(sprites):
    unit = (sprites + 1) / 2
    return torch.cat([unit[:, :3] * unit[:, 3:], unit[:, 3:]], dim=1) * 2 - 1


def in_place_on_a_copy(sprites):
    copy = (sprites.clone() + 1) / 2
    copy[:, :3] *= copy[:, 3:4]
    return 2 * copy - 1


def algebra(sprites):
    colour, alpha = sprites.split([3, 1], dim=1)
    return torch.cat([(colour + 1) * (alpha + 1) / 2 - 1, alpha], dim=1)


SPRITES = {"unit": premultiplied, "copy": in_place_on_a_copy, "algebra": algebra}


def changes_input(sprites):
    alpha = (sprites[:, 3:] + 1) / 2
    sprites[:, :3] = (sprites[:, :3] + 1) * alpha - 1
    return sprites


def signed(sprites):
    return torch.cat([sprites[:, :3] * sprites[:, 3:], sprites[:, 3:]], dim=1)


def half_signed(sprites):
    return torch.cat([sprites[:, :3] * (sprites[:, 3:] + 1) / 2, sprites[:, 3:]], dim=1)


WRONG_SPRITES = {
    "signed": (signed, "[0, 1] first"),
    "half signed": (half_signed, "grey 0"),
    "left in the unit range": (lambda s: (premultiplied(s) + 1) / 2, "still in [0, 1]"),
    "alpha too": (lambda s: ((s + 1) / 2 * (s[:, 3:] + 1) / 2) * 2 - 1, "itself"),
    "on white": (
        lambda s: premultiplied(s) + torch.tensor([1, 1, 1, 0.0]).view(4, 1, 1) * (1 - s[:, 3:]),
        "on white",
    ),
    "cut": (
        lambda s: torch.cat([torch.where(s[:, 3:] > 0, s[:, :3], -1.0), s[:, 3:]], dim=1),
        "in proportion",
    ),
    "nothing done": (lambda s: s, "as they came"),
    "input changed": (changes_input, "copy"),
    "only colours": (lambda s: premultiplied(s)[:, :3], "of shape"),
    "alpha gone": (
        lambda s: torch.cat([premultiplied(s)[:, :3], torch.ones_like(s[:, 3:])], 1),
        "set alpha to 1",
    ),
    "untouched": (untouched, "waits for you"),
}


BANKS = {
    "between": Bank(ch04.check_between, BETWEEN, WRONG_BETWEEN),
    "slopes": Bank(ch04.check_slopes, SLOPES, WRONG_SLOPES),
    "penalties": Bank(lambda pair: ch04.check_penalties(*pair), PENALTIES, WRONG_PENALTIES),
    "leaks": Bank(ch04.check_leaks, LEAKS, WRONG_LEAKS),
    "sprites": Bank(ch04.check_premultiplied, SPRITES, WRONG_SPRITES),
}


class TestBanks(EveryBank):
    banks = BANKS
    several = frozenset({"penalties"})


def test_the_penalty_of_the_right_parts_is_the_packages():
    """The solutions put together, against the objective: the same number for the same ε."""
    from companion.objectives import WassersteinGP

    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    real, fake = torch.randn(2, 6, 3, 2, 2)
    torch.manual_seed(4)
    ours = two(slopes(critic, BETWEEN["lerp"](real, fake)), 10.0)
    torch.manual_seed(4)
    assert ours.item() == pytest.approx(WassersteinGP().penalty(critic, real, fake).item(), rel=1e-5)


def test_checks_leave_the_readers_random_numbers_alone():
    """But for what the student's own function draws."""
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    ch04.check_slopes(slopes)
    ch04.check_leaks(company)
    ch04.check_premultiplied(premultiplied)
    assert torch.equal(torch.rand(2), wanted)
