"""Guards chapter 3's exercises: every right solution passes, every plausible wrong one is told what is wrong."""

import numpy as np
import torch
from banks import Bank, EveryBank, untouched
from scipy.stats import wasserstein_distance
from torch.nn import functional as F

from companion.exercises import ch03

# ---- right solutions by name, and wrong ones with the phrase their sentence must hold --------------------------------

EARTH = {
    "sorted": lambda a, b: (a.sort().values - b.sort().values).abs().mean(),
    "numpy": lambda a, b: np.abs(np.sort(a.numpy()) - np.sort(b.numpy())).mean(),
    "scipy": lambda a, b: wasserstein_distance(a.tolist(), b.tolist()),
    "topk": lambda a, b: F.l1_loss(a.topk(len(a)).values, b.topk(len(b)).values).item(),
    "python": lambda a, b: (
        sum(abs(x - y) for x, y in zip(sorted(a.tolist()), sorted(b.tolist()), strict=True)) / len(a)
    ),
}
WRONG_EARTH = {
    "unsorted": (lambda a, b: (a - b).abs().mean(), "sort both"),
    "signed": (lambda a, b: (a.sort().values - b.sort().values).mean(), "absolute values"),
    "absolute too late": (lambda a, b: (a.mean() - b.mean()).abs(), "before the mean"),
    "sum": (lambda a, b: (a.sort().values - b.sort().values).abs().sum(), "take their mean"),
    "squares": (lambda a, b: (a.sort().values - b.sort().values).square().mean(), "order two"),
    "root of squares": (
        lambda a, b: (a.sort().values - b.sort().values).pow(2).mean().sqrt(),
        "Wasserstein-2",
    ),
    "nearest": (lambda a, b: (a[:, None] - b).abs().amin(1).mean(), "nearest"),
    "all pairs": (lambda a, b: (a[:, None] - b).abs().mean(), "all pairs"),
    "sort gives two": (lambda a, b: (a.sort() - b.sort()).abs().mean(), "stopped with TypeError"),
    "nothing": (lambda a, b: None, "returns nothing"),
    "vector": (lambda a, b: (a.sort().values - b.sort().values).abs(), "one single number"),
    "untouched": (untouched, "waits for you"),
}


def critic(real, fake):
    return fake.mean() - real.mean()


def generator(fake):
    return -fake.mean()


LOSSES = {
    "as in the paper": (critic, generator),
    "negated": (lambda r, f: -(r.mean() - f.mean()), lambda f: (-f).mean()),
    "sums over counts": (lambda r, f: f.sum() / len(f) - r.sum() / len(r), lambda f: -f.sum() / f.numel()),
    "labels": (lambda r, f: (f * 1.0).mean() + (r * -1.0).mean(), lambda f: (f * -torch.ones(len(f))).mean()),
}
WRONG_LOSSES = {
    "critic's sign": ((lambda r, f: r.mean() - f.mean(), generator), "real above fake"),
    "critic sums": ((lambda r, f: f.sum() - r.sum(), generator), "is a mean"),
    "critic squashes": ((lambda r, f: f.sigmoid().mean() - r.sigmoid().mean(), generator), "any number"),
    "critic of chapter 1": (
        (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), generator),
        "chapter 1",
    ),
    "critic subtracts first": ((lambda r, f: (f - r).mean(), generator), "by itself"),
    "critic adds": ((lambda r, f: f.mean() + r.mean(), generator), "add both"),
    "critic halves": ((lambda r, f: (f.mean() - r.mean()) / 2, generator), "average the two"),
    "critic absolute": ((lambda r, f: (f.mean() - r.mean()).abs(), generator), "other one"),
    "critic's number": ((lambda r, f: critic(r, f).item(), generator), "left autograd"),
    "critic half detached": ((lambda r, f: f.detach().mean() - r.mean(), generator), "gradient is not"),
    "generator's sign": ((critic, lambda f: f.mean()), "scores to rise"),
    "generator sums": ((critic, lambda f: -f.sum()), "is a mean"),
    "generator of chapter 1": ((critic, lambda f: F.softplus(-f).mean()), "chapter 1"),
    "generator squashes": ((critic, lambda f: -f.sigmoid().mean()), "any number"),
    "untouched": ((untouched, untouched), "waits for you"),
}
LABELLED = {
    "product": lambda s, y: (s * y).mean(),
    "dot": lambda s, y: (s @ y) / len(s),
    "numpy": lambda s, y: float((s.numpy() * y.numpy()).mean()),
}
WRONG_LABELLED = {
    "sum": (lambda s, y: (s * y).sum(), "the mean is wanted"),
    "sign": (lambda s, y: -(s * y).mean(), "other one"),
    "no labels": (lambda s, y: s.mean(), "ignore the labels"),
    "difference": (lambda s, y: s[y > 0].mean() - s[y < 0].mean(), "difference of means"),
    "untouched": (untouched, "waits for you"),
}


@torch.no_grad()
def clip(critic, c):
    for weight in critic.parameters():
        weight.clamp_(-c, c)


def clip_data(critic, c):
    for weight in critic.parameters():
        weight.data.clamp_(min=-c, max=c)


def clip_copy(critic, c):
    with torch.no_grad():
        for weight in critic.parameters():
            weight.copy_(torch.minimum(torch.maximum(weight, torch.tensor(-c)), torch.tensor(c)))


def clip_swap(critic, c):
    for weight in critic.parameters():
        weight.data = weight.data.clamp(-c, c)


CLIP = {"clamp": clip, "data": clip_data, "copy": clip_copy, "swapped data": clip_swap}


def watched(critic, c):
    for weight in critic.parameters():
        weight.clamp_(-c, c)


def only_weights(critic, c):
    for name, weight in critic.named_parameters():
        if name.endswith("weight"):
            weight.data.clamp_(-c, c)


def new_parameters(critic, c):
    for layer in critic:
        if isinstance(layer, torch.nn.Linear):
            layer.weight = torch.nn.Parameter(layer.weight.detach().clamp(-c, c))
            layer.bias = torch.nn.Parameter(layer.bias.detach().clamp(-c, c))


def scaled(critic, c):
    for weight in critic.parameters():
        weight.data.mul_(c / weight.data.abs().max())


def frozen(critic, c):
    clip(critic, c)
    critic.requires_grad_(False)


def constant(critic, c):
    clip(critic, 0.01)


def gradients(critic, c):
    torch.nn.utils.clip_grad_value_(critic.parameters(), c)


def from_zero(critic, c):
    for weight in critic.parameters():
        weight.data.clamp_(0, c)


WRONG_CLIP = {
    "gradients": (gradients, "not their gradients"),
    "from zero": (from_zero, "lower wall"),
    "copies": (lambda critic, c: [weight.clamp(-c, c) for weight in critic.parameters()], "as they were"),
    "watched": (watched, "torch.no_grad"),
    "no biases": (only_weights, "biases"),
    "new parameters": (new_parameters, "in place"),
    "upper wall only": (lambda critic, c: [w.data.clamp_(max=c) for w in critic.parameters()], "upper wall"),
    "scaled": (scaled, "do not scale"),
    "frozen": (frozen, "no longer ask"),
    "own constant": (constant, "use the argument"),
    "untouched": (untouched, "waits for you"),
}


def step(critic, optimiser, real, fake, c):
    optimiser.zero_grad()
    loss = critic(fake.detach()).mean() - critic(real).mean()
    loss.backward()
    optimiser.step()
    clip(critic, c)


def step_in_one_pass(critic, optimiser, real, fake, c):
    scores = critic(torch.cat([real, fake.detach()]))
    loss = scores[len(real) :].mean() - scores[: len(real)].mean()
    critic.zero_grad()
    loss.backward()
    optimiser.step()
    clip(critic, c)
    return loss


STEP = {"plain": step, "one pass": step_in_one_pass}


def cleared_late(critic, optimiser, real, fake, c):
    (critic(fake.detach()).mean() - critic(real).mean()).backward()
    optimiser.zero_grad()
    optimiser.step()
    clip(critic, c)


def no_backward(critic, optimiser, real, fake, c):
    optimiser.step()
    clip(critic, c)


def clipped_gradients(critic, optimiser, real, fake, c):
    optimiser.zero_grad()
    (critic(fake.detach()).mean() - critic(real).mean()).backward()
    torch.nn.utils.clip_grad_value_(critic.parameters(), c)
    optimiser.step()


def own_wall(critic, optimiser, real, fake, c):
    step(critic, optimiser, real, fake, 0.01)


def clipped_twice(critic, optimiser, real, fake, c):
    clip(critic, c)
    step(critic, optimiser, real, fake, c)


def variant(*, clear=True, detach=True, sign=1, clipped="after", steps=1):
    def wrong(critic, optimiser, real, fake, c):
        if clear:
            optimiser.zero_grad()
        if clipped == "before":
            clip(critic, c)
        loss = critic(fake.detach() if detach else fake).mean() - critic(real).mean()
        (sign * loss).backward()
        for _ in range(steps):
            optimiser.step()
        if clipped == "after":
            clip(critic, c)

    return wrong


WRONG_STEP = {
    "cleared late": (cleared_late, "without a gradient"),
    "no backward": (no_backward, "`backward` is missing"),
    "clipped gradients": (clipped_gradients, "clip the gradients"),
    "own wall": (own_wall, "use the argument"),
    "clipped twice": (clipped_twice, "one step with its loss and one clip"),
    "not cleared": (variant(clear=False), "earlier step"),
    "not detached": (variant(detach=False), "detach"),
    "wrong way": (variant(sign=-1), "wrong way"),
    "clipped before": (variant(clipped="before"), "after"),
    "not clipped": (variant(clipped="never"), "not clipped after"),
    "no step": (variant(steps=0), "made no step"),
    "two steps": (variant(steps=2), "2 steps"),
    "untouched": (untouched, "waits for you"),
}


BANKS = {
    "earth": Bank(ch03.check_earth_mover, EARTH, WRONG_EARTH),
    "losses": Bank(lambda pair: ch03.check_losses(*pair), LOSSES, WRONG_LOSSES),
    "labelled": Bank(ch03.check_labelled_loss, LABELLED, WRONG_LABELLED),
    "clip": Bank(ch03.check_clip_weights, CLIP, WRONG_CLIP),
    "step": Bank(ch03.check_critic_step, STEP, WRONG_STEP),
}


class TestBanks(EveryBank):
    banks = BANKS
    several = frozenset({"losses"})
