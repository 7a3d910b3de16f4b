"""Guards chapter 1's exercises: every right solution passes, every plausible wrong one is told what is wrong.

For each task there is a bank: solutions written in different ways, which the check must accept without a word on
stderr (nbgrader takes that for a failure), and mistakes, each with a phrase that its sentence must hold.
"""

import math
import sys
import warnings

import numpy as np
import pytest
import scipy.integrate
import scipy.spatial.distance
import scipy.special
import torch
from banks import Bank, EveryBank, untouched
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from companion.data.toy import GaussianRing
from companion.exercises import ch01
from companion.exercises.runner import NotYet, Task, described
from companion.metrics import frechet_distance, mode_report
from companion.models.evaluating import evaluating
from companion.objectives import LeastSquares, Minimax, NonSaturating

# ---- the banks: right solutions by name, and wrong ones with the phrase their sentence must hold --------------------


class LossModule(nn.Module):
    """A loss as a module."""

    def __init__(self):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, real, fake):
        """Both terms."""
        return self.bce(real, torch.ones_like(real)) + self.bce(fake, torch.zeros_like(fake))


def bce(scores, label):
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


def where_trap(s):
    """log(1 + eˢ) by cases: right in value, NaN in gradient where the branch not taken overflows."""
    return torch.where(s > 0, s + torch.log1p(torch.exp(-s)), torch.log1p(torch.exp(s)))


def loud(answer):
    """A solution that warns and writes to stderr on its way."""

    def solution(*inputs):
        warnings.warn("a library is chatty", stacklevel=1)
        print("progress 100 %", file=sys.stderr)
        return answer(*inputs)

    return solution


DISCRIMINATOR_LOSS = {
    "softplus": lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(),
    "logsigmoid": lambda r, f: -F.logsigmoid(r).mean() - F.logsigmoid(-f).mean(),
    "module": LossModule(),
    "bce": lambda r, f: bce(r, 1.0) + bce(f, 0.0),
    "sum over len": lambda r, f: (
        sum(F.softplus(-s) for s in r) / len(r) + sum(F.softplus(s) for s in f) / len(f)
    ),
    "joint, doubled": lambda r, f: (
        2
        * F.binary_cross_entropy_with_logits(
            torch.cat([r, f]), torch.cat([torch.ones(len(r)), torch.zeros(len(f))])
        )
    ),
    "one mean": lambda r, f: (F.softplus(-r) + F.softplus(f)).mean(),
    "double precision": lambda r, f: F.softplus(-r.double()).mean() + F.softplus(f.double()).mean(),
    "one element": lambda r, f: (F.softplus(-r).mean() + F.softplus(f).mean())[None],
    "package": Minimax().critic_loss,
    "logaddexp": lambda r, f: (
        torch.logaddexp(-r, torch.zeros(1)).mean() + torch.logaddexp(f, torch.zeros(1)).mean()
    ),
    "max trick": lambda r, f: (
        (-r).clamp(min=0)
        + torch.log1p(torch.exp(-r.abs()))
        + f.clamp(min=0)
        + torch.log1p(torch.exp(-f.abs()))
    ).mean(),
    "loud": loud(Minimax().critic_loss),
}
WRONG_DISCRIMINATOR_LOSS = {
    "in place": (lambda r, f: F.softplus(r.neg_()).mean() + F.softplus(f).mean(), "work on a copy"),
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda r, f: None, "returns nothing"),
    "not a function": (torch.tensor(1.0), "without brackets"),
    "text": (lambda r, f: "0.5", "a str where numbers are wanted"),
    "dictionary": (lambda r, f: {"loss": r.mean()}, "a dict where numbers"),
    "two losses": (lambda r, f: (F.softplus(-r).mean(), F.softplus(f).mean()), "one single number"),
    "class": (LossModule, "stopped with TypeError"),
    "one argument": (lambda r: r.mean(), "it is called as `discriminator_loss(real, fake)`"),
    "exception": (lambda r, f: 1 / 0, "ZeroDivisionError"),
    "exit": (lambda r, f: sys.exit(), "SystemExit"),
    "per sample": (lambda r, f: F.softplus(-r) + F.softplus(f), "one single number"),
    "complex": (lambda r, f: torch.tensor(1j), "complex"),
    "sigmoid twice": (lambda r, f: bce(r.sigmoid(), 1.0) + bce(f.sigmoid(), 0.0), "sigmoid twice"),
    "swapped": (lambda r, f: bce(r, 0.0) + bce(f, 1.0), "labels are swapped"),
    "joint mean": (
        lambda r, f: F.binary_cross_entropy_with_logits(
            torch.cat([r, f]), torch.tensor([1.0] * len(r) + [0.0] * len(f))
        ),
        "half",
    ),
    "sum": (lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum(), "sum over the batch"),
    "sign": (lambda r, f: F.logsigmoid(r).mean() + F.logsigmoid(-f).mean(), "sign"),
    "real only": (lambda r, f: bce(r, 1.0), "term for the fakes is missing"),
    "fake only": (lambda r, f: bce(f, 0.0), "term for the real images is missing"),
    "all real": (lambda r, f: bce(r, 1.0) + bce(f, 1.0), "“real” to everything"),
    "all fake": (lambda r, f: bce(r, 0.0) + bce(f, 0.0), "“fake” to everything"),
    "smoothed": (Minimax(smoothing=0.1).critic_loss, "smoothed"),
    "base 2": (lambda r, f: -r.sigmoid().log2().mean() - (1 - f.sigmoid()).log2().mean(), "base 2"),
    "least squares": (LeastSquares().critic_loss, "least squares"),
    "least squares, whole": (lambda r, f: 2 * LeastSquares().critic_loss(r, f), "least squares"),
    "least squares of D": (
        lambda r, f: 2 * LeastSquares().critic_loss(r.sigmoid(), f.sigmoid()),
        "least squares",
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), "chapter 3"),
    "no logarithm": (lambda r, f: f.sigmoid().mean() - r.sigmoid().mean(), "logarithm"),
    "log of mean": (
        lambda r, f: -r.sigmoid().mean().log() - (1 - f.sigmoid()).mean().log(),
        "logarithm of the mean",
    ),
    "log of scores": (lambda r, f: -r.log().mean() - (1 - f).log().mean(), "logarithm of a raw score"),
    "python number": (lambda r, f: Minimax().critic_loss(r, f).item(), "left autograd"),
    "numpy": (
        lambda r, f: np.logaddexp(0, -r.detach().numpy()).mean() + np.logaddexp(0, f.detach().numpy()).mean(),
        "left autograd",
    ),
    "half detached": (lambda r, f: bce(r, 1.0) + bce(f.detach(), 0.0), "gradient is not"),
    "naive": (lambda r, f: -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean(), "At scores of ±60"),
    "exp overflows": (
        lambda r, f: torch.log(1 + torch.exp(-r)).mean() + torch.log(1 + torch.exp(f)).mean(),
        "±600",
    ),
    "epsilon": (
        lambda r, f: -(r.sigmoid() + 1e-8).log().mean() - (1 - f.sigmoid() + 1e-8).log().mean(),
        "hides the infinity",
    ),
    "bce after sigmoid": (
        lambda r, f: (
            F.binary_cross_entropy(r.sigmoid(), torch.ones_like(r))
            + F.binary_cross_entropy(f.sigmoid(), torch.zeros_like(f))
        ),
        "At scores of ±60",
    ),
    "clamped D": (
        lambda r, f: (
            -r.sigmoid().clamp(1e-7, 1 - 1e-7).log().mean()
            - (1 - f.sigmoid().clamp(1e-7, 1 - 1e-7)).log().mean()
        ),
        "At scores of ±60",
    ),
    "clamped scores": (
        lambda r, f: Minimax().critic_loss(r.clamp(-30, 30), f.clamp(-30, 30)),
        "At scores of ±60",
    ),
    "nan_to_num": (
        lambda r, f: torch.nan_to_num(
            -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean(), posinf=60.0
        ),
        "At scores of ±60",
    ),
    "where": (lambda r, f: where_trap(-r).mean() + where_trap(f).mean(), "`torch.where`"),
}

SATURATING = {
    "softplus": lambda f: -F.softplus(f).mean(),
    "logsigmoid": lambda f: F.logsigmoid(-f).mean(),
    "bce": lambda f: -bce(f, 0.0),
    "package": Minimax().generator_loss,
    "sum over len": lambda f: sum(F.logsigmoid(-f)) / len(f),
}
NON_SATURATING = {
    "softplus": lambda f: F.softplus(-f).mean(),
    "logsigmoid": lambda f: -F.logsigmoid(f).mean(),
    "bce": lambda f: bce(f, 1.0),
    "package": NonSaturating().generator_loss,
    "softplus minus score": lambda f: (F.softplus(f) - f).mean(),
}
WRONG_SATURATING = {
    "untouched": (untouched, "`saturating_loss(fake)`"),
    "nothing": (lambda f: None, "returns nothing"),
    "sign": (lambda f: F.softplus(f).mean(), "at most zero"),
    "the other": (lambda f: F.softplus(-f).mean(), "That is the non-saturating loss"),
    "log D": (lambda f: F.logsigmoid(f).mean(), "mean of log D"),
    "sigmoid twice": (lambda f: F.logsigmoid(-f.sigmoid()).mean(), "sigmoid twice"),
    "sum": (lambda f: -F.softplus(f).sum(), "sum over the batch"),
    "base 2": (lambda f: -F.softplus(f).mean() / math.log(2), "base 2"),
    "mean score": (lambda f: -f.mean(), "chapter 3"),
    "per sample": (lambda f: -F.softplus(f), "one single number"),
    "naive": (lambda f: (1 - f.sigmoid()).log().mean(), "±60"),
    "epsilon": (lambda f: (1 - f.sigmoid() + 1e-6).log().mean(), "hides the infinity"),
    "no sigmoid": (lambda f: (1 - f).log().mean(), "raw score"),
    "detached": (lambda f: -F.softplus(f.detach()).mean(), "left autograd"),
}
WRONG_NON_SATURATING = {
    "untouched": (untouched, "`non_saturating_loss(fake)`"),
    "nothing": (lambda f: None, "returns nothing"),
    "sign": (lambda f: F.logsigmoid(f).mean(), "less real"),
    "the other": (lambda f: -F.softplus(f).mean(), "That is the saturating loss"),
    "label 0": (lambda f: bce(f, 0.0), "label 0"),
    "sigmoid twice": (lambda f: bce(f.sigmoid(), 1.0), "sigmoid twice"),
    "sum": (lambda f: F.softplus(-f).sum(), "sum over the batch"),
    "naive log": (lambda f: -f.sigmoid().log().mean(), "±600"),
    "epsilon": (lambda f: -(f.sigmoid() + 1e-8).log().mean(), "hides the infinity"),
    "base 2": (lambda f: F.softplus(-f).mean() / math.log(2), "base 2"),
    "item": (lambda f: F.softplus(-f).mean().item(), "left autograd"),
}


def slope_by_backward(loss, score):
    s = torch.tensor(score, requires_grad=True)
    loss(s).backward()
    return s.grad


def slope_by_backward_of_a_batch(loss, score):
    s = torch.full((1,), score, requires_grad=True)
    loss(s).backward()
    return s.grad.item()


def slope_by_differences(loss, score, h=1e-3):
    return (loss(torch.tensor(score + h).double()) - loss(torch.tensor(score - h).double())) / (2 * h)


def slope_in_float64(loss, score):
    s = torch.tensor([score], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(loss(s), s)[0]


SHARED = torch.zeros(1, requires_grad=True)


def slope_piling(loss, score):
    SHARED.data.fill_(score)
    loss(SHARED).backward()
    return SHARED.grad.clone()


def slope_of_probability(loss, score):
    d = torch.tensor(score).sigmoid().requires_grad_()
    loss(d.logit()).backward()
    return d.grad


SLOPE = {
    "backward": slope_by_backward,
    "batch of one": slope_by_backward_of_a_batch,
    "autograd.grad": lambda loss, score: torch.autograd.grad(
        loss(s := torch.tensor(score, requires_grad=True)), s
    )[0],
    "func.grad": lambda loss, score: torch.func.grad(loss)(torch.tensor(score)),
    "differences": slope_by_differences,
    "float64": slope_in_float64,
    "numpy": lambda loss, score: slope_by_backward(loss, score).numpy(),
    "loud": loud(slope_by_backward),
}
WRONG_SLOPE = {
    "untouched": (untouched, "waits for you"),
    "nothing": (
        lambda loss, score: loss(torch.tensor(score, requires_grad=True)).backward(),
        "returns nothing",
    ),
    "the loss": (lambda loss, score: loss(torch.tensor(score)), "returns the loss itself"),
    "the score": (lambda loss, score: score, "returns the score"),
    "sign": (lambda loss, score: -slope_by_backward(loss, score), "direction of descent"),
    "absolute": (lambda loss, score: abs(slope_by_backward(loss, score)), "drops the sign"),
    "times score": (lambda loss, score: score * slope_by_backward(loss, score), "multiply the derivative"),
    "of D": (slope_of_probability, "with respect to D"),
    "piling up": (slope_piling, "pile up"),
    "no grad": (
        lambda loss, score: torch.autograd.grad(loss(s := torch.tensor(score)), s)[0],
        "requires_grad=True",
    ),
    "grad of nothing": (lambda loss, score: torch.tensor(score, requires_grad=True).grad, "returns nothing"),
    "fixed formula": (lambda loss, score: -torch.tensor(-score).sigmoid(), "loss s³ at score"),
    "cleared": (lambda loss, score: torch.zeros(1), "gives 0"),
    "swapped": (lambda score, loss: score(loss, 1), "TypeError"),
}


def covered_by_loop(samples, centres, reach, least):
    count = 0
    for centre in centres:
        near = sum(1 for sample in samples if math.dist(sample.tolist(), centre.tolist()) <= reach)
        count += near >= least
    return count


def covered_by_nearest(samples, centres, reach, least):
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    return (torch.bincount(nearest[distance <= reach], minlength=len(centres)) >= least).sum()


def within(samples, centres, reach, p=2.0):
    return torch.cdist(samples, centres, p=p) <= reach


COVERED = {
    "loop": covered_by_loop,
    "nearest": covered_by_nearest,
    "cdist": lambda s, c, reach, least: (within(s, c, reach).sum(0) >= least).sum(),
    "numpy": lambda s, c, reach, least: (
        (np.linalg.norm(s.numpy()[:, None] - c.numpy()[None], axis=-1) <= reach).sum(0) >= least
    ).sum(),
    "squares": lambda s, c, reach, least: (
        ((s[:, None] - c).square().sum(-1) <= reach**2).sum(0).ge(least).count_nonzero().item()
    ),
    "a float": lambda s, c, reach, least: (within(s, c, reach).sum(0) >= least).float().sum(),
}
WRONG_COVERED = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda s, c, reach, least: None, "returns nothing"),
    "strict least": (
        lambda s, c, reach, least: (within(s, c, reach).sum(0) > least).sum(),
        "at least means ≥",
    ),
    "any": (lambda s, c, reach, least: within(s, c, reach).any(0).sum(), "One sample makes no mode"),
    "no reach": (
        lambda s, c, reach, least: (
            torch.bincount(torch.cdist(s, c).argmin(1), minlength=len(c)) >= least
        ).sum(),
        "however far",
    ),
    "squared": (
        lambda s, c, reach, least: (((s[:, None] - c).square().sum(-1) <= reach).sum(0) >= least).sum(),
        "not the Euclidean one",
    ),
    "chebyshev": (
        lambda s, c, reach, least: (within(s, c, reach, math.inf).sum(0) >= least).sum(),
        "not the Euclidean one",
    ),
    "manhattan": (
        lambda s, c, reach, least: (within(s, c, reach, 1.0).sum(0) >= least).sum(),
        "not the Euclidean one",
    ),
    "samples in reach": (
        lambda s, c, reach, least: within(s, c, reach).any(1).sum(),
        "how many samples lie within",
    ),
    "all modes": (lambda s, c, reach, least: len(c), "how many modes there are"),
    "share": (
        lambda s, c, reach, least: covered_by_nearest(s, c, reach, least) / len(c),
        "share of the modes",
    ),
    "which ones": (lambda s, c, reach, least: within(s, c, reach).sum(0) >= least, "one single number"),
    "fixed least": (
        lambda s, c, reach, least: (within(s, c, reach).sum(0) >= 4).sum(),
        "does not change with `least`",
    ),
    "fixed reach": (
        lambda s, c, reach, least: (within(s, c, 0.5).sum(0) >= least).sum(),
        "change with `reach`",
    ),
    "wrong axis": (lambda s, c, reach, least: (within(s, c, reach).sum(1) >= least).sum(), "wrong axis"),
    "ring assumed": (  # mostly 0, as down the wrong axis, or whatever it is given: that depends on the draw
        lambda s, c, reach, least: mode_report(s, GaussianRing()).covered,
        "samples",
    ),
}


def shares_of(samples, centres):
    nearest = torch.cdist(samples, centres).argmin(1)
    return torch.bincount(nearest, minlength=len(centres)) / len(samples)


def gaps(samples, centres):
    return (shares_of(samples, centres) - 1 / len(centres)).abs()


def distance_by_loop(samples, centres):
    counts = [0] * len(centres)
    for sample in samples.tolist():
        counts[min(range(len(centres)), key=lambda k: math.dist(sample, centres[k].tolist()))] += 1
    return sum(abs(count / len(samples) - 1 / len(centres)) for count in counts) / 2


def only_present(samples, centres):
    _, counts = torch.cdist(samples, centres).argmin(1).unique(return_counts=True)
    return counts / len(samples)


HISTOGRAM = {
    "torch": lambda s, c: gaps(s, c).sum() / 2,
    "loop": distance_by_loop,
    "one hot": lambda s, c: (
        0.5
        * (F.one_hot(torch.cdist(s, c).argmin(1), len(c)).double().mean(0) - 1 / len(c)).abs().sum().item()
    ),
    "excess": lambda s, c: (shares_of(s, c) - 1 / len(c)).clamp(min=0).sum(),
    "overlap": lambda s, c: 1 - torch.minimum(shares_of(s, c), torch.tensor(1 / len(c))).sum(),
    "numpy": lambda s, c: (
        0.5
        * np.abs(
            np.bincount(scipy.spatial.distance.cdist(s, c).argmin(1), minlength=len(c)) / len(s) - 1 / len(c)
        ).sum()
    ),
}
WRONG_HISTOGRAM = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda s, c: None, "returns nothing"),
    "no half": (lambda s, c: gaps(s, c).sum(), "factor ½"),
    "mean": (lambda s, c: gaps(s, c).mean(), "average the differences"),
    "squares": (lambda s, c: gaps(s, c).square().sum(), "square the differences"),
    "half squares": (lambda s, c: gaps(s, c).square().sum() / 2, "square the differences"),
    "euclidean": (lambda s, c: gaps(s, c).norm(), "root of squares"),
    "largest": (lambda s, c: gaps(s, c).max(), "largest difference"),
    "signed": (lambda s, c: (shares_of(s, c) - 1 / len(c)).sum() / 2, "keep their signs"),
    "counts": (lambda s, c: (shares_of(s, c) * len(s) - 1 / len(c)).abs().sum() / 2, "compare counts"),
    "counts, fair": (lambda s, c: (shares_of(s, c) - 1 / len(c)).abs().sum() * len(s) / 2, "compare counts"),
    "similarity": (lambda s, c: 1 - gaps(s, c).sum() / 2, "similarity"),
    "missing mode": (lambda s, c: (only_present(s, c) - 1 / len(c)).abs().sum() / 2, "left out"),
    "missing mode, fewer": (
        lambda s, c: (only_present(s, c) - 1 / len(only_present(s, c))).abs().sum() / 2,
        "left out",
    ),
    "no minlength": (
        lambda s, c: (
            (torch.bincount(torch.cdist(s, c).argmin(1)) / len(s) - torch.full((len(c),), 1 / len(c)))
            .abs()
            .sum()
            / 2
        ),
        "minlength",
    ),
    "eight assumed": (lambda s, c: (shares_of(s, c) - 1 / 8).abs().sum() / 2, "assume eight modes"),
    "histogram": (lambda s, c: shares_of(s, c), "one single number"),
    "far ones dropped": (
        lambda s, c: (
            (
                F.one_hot(torch.cdist(s, c).argmin(1), len(c)).float()
                * (torch.cdist(s, c).min(1).values < 1)[:, None]
            )
            .mean(0)
            .sub(1 / len(c))
            .abs()
            .sum()
            / 2
        ),
        "far from their mode",
    ),
}

OPTIMAL = {
    "plain": lambda p, q: torch.where(p + q > 0, p / (p + q), 0.5),
    "nan_to_num": lambda p, q: torch.nan_to_num(p / (p + q), nan=0.5),
    "zero there": lambda p, q: torch.nan_to_num(p / (p + q)),
    "epsilon": lambda p, q: p / (p + q + 1e-12),
    "clamped": lambda p, q: p / (p + q).clamp(min=1e-30),
    "from the score": lambda p, q: torch.nan_to_num((p.log() - q.log()).sigmoid(), nan=0.5),
    "numpy": lambda p, q: np.divide(
        p.numpy(), (p + q).numpy(), out=np.full(len(p), 0.5), where=(p + q).numpy() > 0
    ),
    "list": lambda p, q: [a / (a + b) if a + b else 0.5 for a, b in zip(p.tolist(), q.tolist(), strict=True)],
    "single precision": lambda p, q: torch.nan_to_num((p / (p + q)).float(), 0.5),
    "odds": lambda p, q: torch.where(p > 0, 1 / (1 + q / p), 0.0),
}
WRONG_OPTIMAL = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda p, q: None, "returns nothing"),
    "fake": (lambda p, q: q / (p + q), "probability of “fake”"),
    "ratio": (lambda p, q: p / q, "odds"),
    "score": (lambda p, q: p.log() - q.log(), "its σ"),
    "hard": (lambda p, q: (p > q).float(), "how sure it is"),
    "coin": (lambda p, q: torch.full_like(p, 0.5), "not ½ everywhere"),
    "difference": (lambda p, q: (p - q).sigmoid(), "difference"),
    "p": (lambda p, q: p, "a density, not a probability"),
    "softmax": (lambda p, q: torch.stack([p, q]).softmax(0)[0], "difference"),
    "average": (lambda p, q: p / ((p + q) / 2), "their sum"),
    "squares": (lambda p, q: p**2 / (p**2 + q**2), "square the densities"),
    "nan": (lambda p, q: p / (p + q), "0/0"),
    "large epsilon": (lambda p, q: p / (p + q + 0.1), "the best answer is"),
    "one number": (lambda p, q: (p / (p + q)).nansum(), "is wanted"),
    "out of range": (lambda p, q: torch.nan_to_num(p / (p + q), nan=-1.0), "between 0 and 1"),
    "all NaN": (lambda p, q: p * math.nan, "the best answer is"),
}


def xlogy_value(d, p, q, width):
    return ((torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum() * width).item()


VALUE = {
    "xlogy": xlogy_value,
    "clamped": lambda d, p, q, w: (
        (p * d.clamp(1e-12, 1 - 1e-12).log() + q * (1 - d.clamp(1e-12, 1 - 1e-12)).log()).sum() * w
    ),
    "trapezium": lambda d, p, q, w: torch.trapezoid(torch.xlogy(p, d) + torch.xlogy(q, 1 - d), dx=w),
    "numpy": lambda d, p, q, w: (
        np.sum(scipy.special.xlogy(p.numpy(), d.numpy()) + scipy.special.xlog1py(q.numpy(), -d.numpy())) * w
    ),
    "nan_to_num": lambda d, p, q, w: (
        (torch.nan_to_num(p * d.log(), nan=0.0) + torch.nan_to_num(q * (1 - d).log(), nan=0.0)).sum() * w
    ),
    "masked": lambda d, p, q, w: (
        ((p[p > 0] * d[p > 0].log()).sum() + (q[q > 0] * torch.log1p(-d[q > 0])).sum()) * w
    ),
    "loud": loud(xlogy_value),
}
WRONG_VALUE = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda d, p, q, w: None, "returns nothing"),
    "sign": (lambda d, p, q, w: -xlogy_value(d, p, q, w), "maximises"),
    "no width": (lambda d, p, q, w: xlogy_value(d, p, q, 1), "width of the grid"),
    "mean": (lambda d, p, q, w: (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).mean(), "mean over the grid"),
    "unweighted": (lambda d, p, q, w: (d.log() + (1 - d).log()).sum() * w, "without weights"),
    "no fakes": (lambda d, p, q, w: torch.xlogy(p, d).sum() * w, "term of the fakes"),
    "no reals": (lambda d, p, q, w: torch.xlogy(q, 1 - d).sum() * w, "term of the real images"),
    "log D twice": (lambda d, p, q, w: torch.xlogy(p + q, d).sum() * w, "for them it is log(1 − D)"),
    "swapped": (lambda d, p, q, w: xlogy_value(d, q, p, w), "changed places"),
    "half": (lambda d, p, q, w: xlogy_value(d, p, q, w) / 2, "halve"),
    "base 2": (lambda d, p, q, w: xlogy_value(d, p, q, w) / math.log(2), "base 2"),
    "0 log 0": (lambda d, p, q, w: (p * d.log() + q * (1 - d).log()).sum() * w, "0 · log 0"),
    "grid": (lambda d, p, q, w: torch.xlogy(p, d) + torch.xlogy(q, 1 - d), "one single number"),
    "ignores D": (
        lambda d, p, q, w: xlogy_value((p / (p + q)).nan_to_num(0.5), p, q, w),
        "best discriminator",
    ),
}


def kl(p, q, w):
    return scipy.special.rel_entr(p, q).sum() * w


def js(p, q, w):
    m = (p + q) / 2
    return 0.5 * (torch.xlogy(p, p / m).nan_to_num(0.0) + torch.xlogy(q, q / m).nan_to_num(0.0)).sum() * w


def scipy_distance(p, q, w):
    return scipy.spatial.distance.jensenshannon(p.numpy() * w, q.numpy() * w)


JS = {
    "torch": js,
    "rel_entr": lambda p, q, w: (kl(p, (p + q) / 2, w) + kl(q, (p + q) / 2, w)) / 2,
    "scipy, squared": lambda p, q, w: scipy_distance(p, q, w) ** 2,
    "epsilon": lambda p, q, w: (
        0.5
        * (
            p * ((p + 1e-12) / ((p + q) / 2 + 1e-12)).log() + q * ((q + 1e-12) / ((p + q) / 2 + 1e-12)).log()
        ).sum()
        * w
    ),
    "clamped": lambda p, q, w: sum(
        0.5 * (a * (a.clamp(min=1e-30).log() - ((p + q) / 2).clamp(min=1e-30).log())).sum() * w
        for a in (p, q)
    ),
    "by entropies": lambda p, q, w: (
        (
            scipy.special.entr((p + q) / 2).sum()
            - scipy.special.entr(p).sum() / 2
            - scipy.special.entr(q).sum() / 2
        )
        * w
    ),
    "from the game": lambda p, q, w: (xlogy_value((p / (p + q)).nan_to_num(0.5), p, q, w) + math.log(4)) / 2,
    "trapezium": lambda p, q, w: torch.trapezoid(
        torch.special.entr((p + q) / 2) - (torch.special.entr(p) + torch.special.entr(q)) / 2, dx=w
    ),
    "simpson": lambda p, q, w: scipy.integrate.simpson(
        scipy.special.entr((p + q).numpy() / 2)
        - (scipy.special.entr(p.numpy()) + scipy.special.entr(q.numpy())) / 2,
        dx=w,
    ),
    "kl_div": lambda p, q, w: (
        0.5 * w * sum(F.kl_div(((p + q) / 2).clamp(min=1e-30).log(), a, reduction="sum") for a in (p, q))
    ),
}
WRONG_JS = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda p, q, w: None, "returns nothing"),
    "no half": (lambda p, q, w: 2 * js(p, q, w), "factor ½"),
    "twice halved": (lambda p, q, w: js(p, q, w) / 2, "halve twice"),
    "scipy": (scipy_distance, "square root"),
    "base 2": (lambda p, q, w: js(p, q, w) / math.log(2), "base 2"),
    "no width": (lambda p, q, w: js(p, q, 1), "width of the grid"),
    "mean": (lambda p, q, w: js(p, q, 1) / len(p), "mean over the grid"),
    "kl": (kl, "KL(p ‖ q)"),
    "other kl": (lambda p, q, w: kl(q, p, w), "KL(q ‖ p)"),
    "jeffreys": (lambda p, q, w: kl(q, p, w) + kl(p, q, w), "sum of KL"),
    "half jeffreys": (lambda p, q, w: (kl(q, p, w) + kl(p, q, w)) / 2, "mean of KL"),
    "only p": (lambda p, q, w: kl(p, (p + q) / 2, w), "q is missing"),
    "only p, halved": (lambda p, q, w: kl(p, (p + q) / 2, w) / 2, "q's divergence"),
    "only q": (lambda p, q, w: kl(q, (p + q) / 2, w), "p is missing"),
    "reversed": (lambda p, q, w: (kl((p + q) / 2, p, w) + kl((p + q) / 2, q, w)) / 2, "wrong way round"),
    "m is a sum": (lambda p, q, w: (kl(p, p + q, w) + kl(q, p + q, w)) / 2, "lacks its ½"),
    "sign": (lambda p, q, w: -js(p, q, w), "never negative"),
    "value": (lambda p, q, w: -math.log(4) + 2 * js(p, q, w), "value of the game"),
    "0 log 0": (
        lambda p, q, w: 0.5 * (p * (2 * p / (p + q)).log() + q * (2 * q / (p + q)).log()).sum() * w,
        "0 · log 0",
    ),
    "grid": (lambda p, q, w: p - q, "one single number"),
}

FRECHET = {
    "formula": lambda r, f: (r.mean() - f.mean()) ** 2 + (r.std() - f.std()) ** 2,
    "expanded": lambda r, f: (
        (r.mean() - f.mean()).square() + r.var() + f.var() - 2 * (r.var() * f.var()).sqrt()
    ).item(),
    "divided by N": lambda r, f: (
        (r.mean() - f.mean()) ** 2 + (r.std(correction=0) - f.std(correction=0)) ** 2
    ),
    "numpy": lambda r, f: (
        (r.numpy().mean() - f.numpy().mean()) ** 2 + (r.numpy().std() - f.numpy().std()) ** 2
    ),
    "package": lambda r, f: frechet_distance(torch.stack([r, r], 1), torch.stack([f, f], 1)) / 2,
    "double": lambda r, f: (
        (r.double().mean() - f.double().mean()) ** 2 + (r.double().std() - f.double().std()) ** 2
    ),
}
WRONG_FRECHET = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda r, f: None, "returns nothing"),
    "root": (lambda r, f: FRECHET["formula"](r, f).sqrt(), "is squared"),
    "variances": (lambda r, f: (r.mean() - f.mean()) ** 2 + (r.var() - f.var()) ** 2, "compare variances"),
    "means not squared": (
        lambda r, f: (r.mean() - f.mean()).abs() + (r.std() - f.std()) ** 2,
        "is not squared",
    ),
    "none squared": (lambda r, f: (r.mean() - f.mean()).abs() + (r.std() - f.std()).abs(), "Neither"),
    "deviations not squared": (
        lambda r, f: (r.mean() - f.mean()) ** 2 + (r.std() - f.std()).abs(),
        "deviations is not",
    ),
    "means only": (lambda r, f: (r.mean() - f.mean()) ** 2, "Only the means"),
    "deviations only": (lambda r, f: (r.std() - f.std()) ** 2, "Only the deviations"),
    "no cross term": (lambda r, f: (r.mean() - f.mean()) ** 2 + r.var() + f.var(), "last term is missing"),
    "single cross term": (
        lambda r, f: (r.mean() - f.mean()) ** 2 + r.var() + f.var() - r.std() * f.std(),
        "counts twice",
    ),
    "product of variances": (
        lambda r, f: (r.mean() - f.mean()) ** 2 + r.var() + f.var() - 2 * r.var() * f.var(),
        "product of the variances",
    ),
    "plus": (lambda r, f: (r.mean() - f.mean()) ** 2 + (r.std() + f.std()) ** 2, "sign of the last term"),
    "one number of two": (
        lambda r, f: ((r.mean() - f.mean()) ** 2, (r.std() - f.std()) ** 2),
        "one single number",
    ),
    "pairs": (lambda r, f: (r - f[: len(r)]).square().mean(), "in pairs"),
    "sorted pairs": (
        lambda r, f: (r[:3000].sort().values - f[:3000].sort().values).abs().mean(),
        "not pairs",
    ),
}


def two_values(real, weight=0.5):
    """Some at one value and the rest at another, such that mean and deviation fit."""
    n = len(real)
    low = min(max(round(weight * n), 1), n - 1)
    share = low / n
    mean, spread = real.double().mean(), real.double().std(correction=0)
    below = mean - spread * math.sqrt((1 - share) / share)
    above = mean + spread * math.sqrt(share / (1 - share))
    return torch.cat([below.expand(low), above.expand(n - low)])


DISGUISE = {
    "exact": two_values,
    "uneven": lambda r: two_values(r, 0.2),
    "mean ± std": lambda r: r.mean() + r.std() * torch.where(torch.arange(len(r)) % 2 == 0, 1.0, -1.0),
    "by sign": lambda r: r.mean() + r.std() * torch.sign(torch.arange(len(r)) - len(r) / 2 + 0.25),
    "list": lambda r: [float(r.mean() + r.std() * (-1) ** i) for i in range(len(r))],
    "numpy": lambda r: np.where(np.arange(len(r)) < len(r) // 2, r.mean() - r.std(), r.mean() + r.std()),
    "column": lambda r: two_values(r)[:, None],
}
WRONG_DISGUISE = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda r: None, "returns nothing"),
    "the real ones": (lambda r: r, "different values"),
    "one value": (lambda r: r.mean().expand(len(r)), "the same number"),
    "±1": (lambda r: torch.where(torch.arange(len(r)) % 2 == 0, 1.0, -1.0) * 1.0, "still sees"),
    "± variance": (lambda r: r.mean() + r.var() * (torch.arange(len(r)) % 2 * 2 - 1), "their deviation is"),
    "extremes": (lambda r: torch.where(torch.arange(len(r)) % 2 == 0, r.min(), r.max()), "still sees"),
    "too few": (
        lambda r: torch.stack([r.mean() - r.std(), r.mean() + r.std()]),
        "as many fakes as real numbers",
    ),
    "two numbers": (lambda r: (r.mean() - r.std(), r.mean() + r.std()), "as many fakes"),
    "normal": (lambda r: torch.randn(len(r)) * r.std() + r.mean(), "different values"),
    "nan": (lambda r: r * math.nan, "NaN"),
    "three values": (
        lambda r: r.mean() + 1.2247 * r.std() * (torch.arange(len(r)) % 3 - 1),
        "3 different values",
    ),
    "uneven halves": (
        lambda r: torch.where(torch.arange(len(r)) % 4 == 0, r.mean() - r.std(), r.mean() + r.std()),
        "mean",
    ),
    "text": (lambda r: "two values", "a str"),
}

GAME = NonSaturating()


def reference_step(g, d, go, do, real, latents):
    fake = g(latents)
    do.zero_grad()
    GAME.critic_loss(d(real), d(fake.detach())).backward()
    do.step()
    go.zero_grad()
    GAME.generator_loss(d(fake)).backward()
    go.step()


def step_no_grad_fakes(g, d, go, do, real, latents):
    with torch.no_grad():
        fake = g(latents)
    loss = GAME.critic_loss(d(real), d(fake))
    do.zero_grad()
    loss.backward()
    do.step()
    loss = GAME.generator_loss(d(g(latents)))
    go.zero_grad()
    loss.backward()
    go.step()


def step_frozen(g, d, go, do, real, latents):
    scores = d(torch.cat([real, g(latents).detach()]))
    d.zero_grad()
    GAME.critic_loss(*scores.chunk(2)).backward()
    do.step()
    d.requires_grad_(False)
    g.zero_grad()
    GAME.generator_loss(d(g(latents))).backward()
    d.requires_grad_(True)
    go.step()


def step_zero_after(g, d, go, do, real, latents):
    (F.softplus(-d(real)).mean() + F.softplus(d(g(latents).detach())).mean()).backward()
    do.step()
    bce(d(g(latents)), 1.0).backward()
    go.step()
    do.zero_grad()
    go.zero_grad()


def step_by_autograd_grad(g, d, go, do, real, latents):
    for weight, slope in zip(
        d.parameters(),
        torch.autograd.grad(GAME.critic_loss(d(real), d(g(latents).detach())), list(d.parameters())),
        strict=True,
    ):
        weight.grad = slope
    do.step()
    for weight, slope in zip(
        g.parameters(),
        torch.autograd.grad(GAME.generator_loss(d(g(latents))), list(g.parameters())),
        strict=True,
    ):
        weight.grad = slope
    go.step()


def step_zero_both_first(g, d, go, do, real, latents):
    do.zero_grad(set_to_none=False)
    go.zero_grad(set_to_none=False)
    d.train(), g.train()
    bce(d(real), 1.0).backward()
    bce(d(g(latents).detach()), 0.0).backward()
    do.step()
    bce(d(g(latents)), 1.0).backward()
    go.step()
    return "done"


STEP = {
    "reference": reference_step,
    "no_grad fakes": step_no_grad_fakes,
    "frozen": step_frozen,
    "zero after": step_zero_after,
    "autograd.grad": step_by_autograd_grad,
    "two backwards": step_zero_both_first,
    "loud": loud(reference_step),
}


def variant(
    *,
    critic_loss=GAME.critic_loss,
    generator_loss=GAME.generator_loss,
    detach_d=True,
    detach_g=False,
    zero_d=True,
    zero_g=True,
    step_d=True,
    step_g=True,
    extra_d=False,
    zero_late=False,
    fresh=False,
):
    """The step with one or two things wrong."""

    def step(g, d, go, do, real, latents):
        fake = g(latents)
        if zero_d:
            do.zero_grad()
        if zero_g and not detach_d:
            go.zero_grad()
        critic_loss(d(real), d(fake.detach() if detach_d else g(latents))).backward()
        if zero_late:
            do.zero_grad()
        if step_d:
            do.step()
        if zero_g and detach_d:
            go.zero_grad()
        again = torch.randn_like(latents) if fresh else latents
        generator_loss(d(g(again).detach() if detach_g else g(again))).backward()
        if step_g:
            go.step()
        if extra_d:
            do.step()

    return step


def step_same_fakes(g, d, go, do, real, latents):
    fake = g(latents)
    do.zero_grad()
    GAME.critic_loss(d(real), d(fake)).backward()
    do.step()
    go.zero_grad()
    GAME.generator_loss(d(fake)).backward()
    go.step()


def step_old_scores(g, d, go, do, real, latents):
    fake = g(latents)
    scores = d(fake)
    do.zero_grad()
    GAME.critic_loss(d(real), d(fake.detach())).backward()
    do.step()
    go.zero_grad()
    GAME.generator_loss(scores).backward()
    go.step()


def step_generator_first(g, d, go, do, real, latents):
    go.zero_grad()
    GAME.generator_loss(d(g(latents))).backward()
    go.step()
    do.zero_grad()
    GAME.critic_loss(d(real), d(g(latents).detach())).backward()
    do.step()


def step_stays_frozen(g, d, go, do, real, latents):
    do.zero_grad()
    GAME.critic_loss(d(real), d(g(latents).detach())).backward()
    do.step()
    d.requires_grad_(False)
    go.zero_grad()
    GAME.generator_loss(d(g(latents))).backward()
    go.step()


def step_both_losses(g, d, go, do, real, latents):
    do.zero_grad()
    go.zero_grad()
    GAME.critic_loss(d(real), d(g(latents).detach())).backward()
    GAME.generator_loss(d(g(latents))).backward()
    do.step()
    go.step()


def step_switched_off(g, d, go, do, real, latents):
    reference_step(g, d, go, do, real, latents)
    torch.set_grad_enabled(False)


def step_twice(g, d, go, do, real, latents):
    reference_step(g, d, go, do, real, latents)
    go.step()


WRONG_STEP = {
    "untouched": (untouched, "waits for you"),
    "does nothing": (lambda g, d, go, do, real, latents: None, "Neither player has moved"),
    "no steps": (variant(step_d=False, step_g=False), "Neither player has moved"),
    "undetached": (variant(detach_d=False), "detach the fakes"),
    "undetached, no zero": (variant(detach_d=False, zero_g=False), "detach the fakes"),
    "undetached, reused": (step_same_fakes, "detach"),
    "detached in both": (variant(detach_g=True), "must not be detached"),
    "no step of D": (variant(step_d=False), "The discriminator has not moved"),
    "no step of G": (variant(step_g=False), "The generator has not moved"),
    "zero_grad too late": (variant(zero_late=True), "The discriminator has not moved"),
    "no zero_grad for D": (variant(zero_d=False), "pile up"),
    "no zero_grad for G": (variant(zero_g=False), "pile up"),
    "D steps again": (variant(extra_d=True), "also moves the discriminator"),
    "G steps again": (step_twice, "moves more than once"),
    "labels swapped": (variant(critic_loss=lambda r, f: GAME.critic_loss(f, r)), "swapped"),
    "D climbs": (variant(critic_loss=lambda r, f: -GAME.critic_loss(r, f)), "climbs"),
    "real only": (variant(critic_loss=lambda r, f: bce(r, 1.0)), "never sees the fakes"),
    "fakes called real": (variant(critic_loss=lambda r, f: bce(r, 1.0) + bce(f, 1.0)), "call fakes real"),
    "half loss": (variant(critic_loss=lambda r, f: GAME.critic_loss(r, f) / 2), "halved"),
    "least squares": (variant(critic_loss=LeastSquares().critic_loss), "least squares one"),
    "saturating": (variant(generator_loss=Minimax().generator_loss), "saturating loss"),
    "wants to be caught": (variant(generator_loss=lambda f: bce(f, 0.0)), "wanted to be caught"),
    "G climbs": (variant(generator_loss=lambda f: -GAME.generator_loss(f)), "climbs"),
    "fresh latents": (variant(fresh=True), "latents as given"),
    "old scores": (step_old_scores, "score the fakes again"),
    "generator first": (step_generator_first, "moves first"),
    "stays frozen": (step_stays_frozen, "gradients still switched off"),
    "both losses first": (step_both_losses, "only afterwards"),
    "gradients off": (step_switched_off, "switched off for everybody"),
    "sees only its arguments": (lambda g, d, real, latents: None, "it is called as"),
}


class OwnNorm(nn.BatchNorm2d):
    """A layer of the student's own."""

    def __init__(self, channels):
        super().__init__(channels, momentum=0.2)


NORMALISED = {
    "named": lambda channels: nn.BatchNorm2d(channels, momentum=0.2),
    "positional": lambda channels: nn.BatchNorm2d(channels, 1e-5, 0.2),
    "from Keras": lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=1 - 0.8),
    "in a Sequential": lambda channels: nn.Sequential(nn.BatchNorm2d(channels, momentum=0.2)),
    "lazy": lambda channels: nn.LazyBatchNorm2d(momentum=0.2),
    "class": OwnNorm,
    "no affine": lambda channels: nn.BatchNorm2d(channels, momentum=0.2, affine=False),
}
WRONG_NORMALISED = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda channels: None, "a layer is wanted"),
    "the bug": (lambda channels: nn.BatchNorm2d(channels, 0.8), "is eps"),
    "both": (lambda channels: nn.BatchNorm2d(channels, 0.8, 0.2), "is eps"),
    "0.2 as eps": (lambda channels: nn.BatchNorm2d(channels, 0.2), "is eps"),
    "Keras's sense": (lambda channels: nn.BatchNorm2d(channels, momentum=0.8), "share of the *new* batch"),
    "default": (lambda channels: nn.BatchNorm2d(channels), "keep 90 %"),
    "instance": (lambda channels: nn.InstanceNorm2d(channels, momentum=0.2), "over the whole batch"),
    "no averages": (
        lambda channels: nn.BatchNorm2d(channels, track_running_stats=False),
        "still uses the batch",
    ),
    "frozen": (lambda channels: nn.BatchNorm2d(channels, momentum=0.0), "never move"),
    "forgets": (lambda channels: nn.BatchNorm2d(channels, momentum=1.0), "forget everything"),
    "plain mean": (lambda channels: nn.BatchNorm2d(channels, momentum=None), "forget everything"),
    "other momentum": (lambda channels: nn.BatchNorm2d(channels, momentum=0.5), "80 % of their old value"),
    "fixed channels": (lambda channels: nn.BatchNorm2d(3, momentum=0.2), "stopped with"),
    "one dimension": (lambda channels: nn.BatchNorm1d(channels, momentum=0.2), "stopped with"),
    "identity": (lambda channels: nn.Identity(), "mean 0 and deviation 1"),
}


def sample_by_hand(generator, latents):
    was_training = generator.training
    generator.eval()
    with torch.no_grad():
        images = generator(latents)
    generator.train(was_training)
    return images


def sample_with_the_package(generator, latents):
    with evaluating(generator), torch.inference_mode():
        return generator(latents)


@torch.no_grad()
def sample_in_parts(generator, latents):
    was = generator.training
    try:
        return torch.cat([generator.eval()(part) for part in latents.split(3)])
    finally:
        generator.train(was)


def sample_a_copy(generator, latents):
    from copy import deepcopy

    return deepcopy(generator).eval()(latents).detach()


def sampler(*, mode=False, grad=False, back=True):
    def sample(generator, latents):
        was = generator.training
        if mode is not None:
            generator.train(mode)
        with torch.set_grad_enabled(grad):
            images = generator(latents)
        if back == "train":
            generator.train()
        elif back:
            generator.train(was)
        return images

    return sample


def sample_together_restored(generator, latents):
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    generator.train()
    with torch.no_grad():
        images = generator(latents)
    generator.load_state_dict(state)
    return images


def sample_switching_off(generator, latents):
    torch.set_grad_enabled(False)
    return sample_by_hand(generator, latents)


SAMPLE = {
    "by hand": sample_by_hand,
    "package": sample_with_the_package,
    "in parts": sample_in_parts,
    "copy": sample_a_copy,
    "numpy": lambda generator, latents: sample_by_hand(generator, latents).numpy(),
    "loud": loud(sample_by_hand),
}
WRONG_SAMPLE = {
    "untouched": (untouched, "waits for you"),
    "nothing": (lambda g, z: None, "returns nothing"),
    "the bug": (lambda g, z: g(z), "each other's statistics"),
    "no grad, train": (sampler(mode=None), "each other's statistics"),
    "train": (sampler(mode=True), "each other's statistics"),
    "train, restored": (sample_together_restored, "each other's statistics"),
    "carries the graph": (sampler(grad=True), "graph"),
    "left in eval": (sampler(back=False), "leaves it in evaluation mode"),
    "always trains": (sampler(back="train"), "leaves it in training mode"),
    "first image": (lambda g, z: sample_by_hand(g, z)[0], "is wanted"),
    "rescaled": (lambda g, z: (sample_by_hand(g, z) + 1) / 2, "return them as they come"),
    "own latents": (lambda g, z: sample_by_hand(g, torch.randn_like(z)), "from these latents"),
    "gradients off": (sample_switching_off, "switched off for everybody"),
    "no generator": (lambda g, z: g.draw(z), "AttributeError"),
}

BANKS = {
    "discriminator_loss": Bank(ch01.check_discriminator_loss, DISCRIMINATOR_LOSS, WRONG_DISCRIMINATOR_LOSS),
    "saturating_loss": Bank(
        lambda f: ch01.check_generator_losses(f, NON_SATURATING["softplus"]), SATURATING, WRONG_SATURATING
    ),
    "non_saturating_loss": Bank(
        lambda f: ch01.check_generator_losses(SATURATING["softplus"], f), NON_SATURATING, WRONG_NON_SATURATING
    ),
    "slope": Bank(ch01.check_slope, SLOPE, WRONG_SLOPE),
    "modes_covered": Bank(ch01.check_modes_covered, COVERED, WRONG_COVERED),
    "histogram_distance": Bank(ch01.check_histogram_distance, HISTOGRAM, WRONG_HISTOGRAM),
    "optimal_discriminator": Bank(ch01.check_optimal_discriminator, OPTIMAL, WRONG_OPTIMAL),
    "game_value": Bank(ch01.check_game_value, VALUE, WRONG_VALUE),
    "jensen_shannon": Bank(ch01.check_jensen_shannon, JS, WRONG_JS),
    "frechet_1d": Bank(ch01.check_frechet_1d, FRECHET, WRONG_FRECHET),
    "disguise": Bank(ch01.check_disguise, DISGUISE, WRONG_DISGUISE),
    "one_step": Bank(ch01.check_one_step, STEP, WRONG_STEP),
    "normalised": Bank(ch01.check_normalised, NORMALISED, WRONG_NORMALISED),
    "sample": Bank(ch01.check_sample, SAMPLE, WRONG_SAMPLE),
}


class TestBanks(EveryBank):
    banks = BANKS


@pytest.mark.parametrize("bank", BANKS.values(), ids=BANKS)
def test_each_bank_is_large_enough(bank):
    assert len(bank.right) >= 4
    assert len(bank.wrong) >= 6


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 3.0).filter(lambda factor: abs(factor - 1) > 0.05), st.sampled_from(list(BANKS)))
def test_a_right_answer_times_a_factor_is_wrong(factor, task):
    check, solutions, _ = BANKS[task]
    solution = next(iter(solutions.values()))

    def scaled(*inputs):
        answer = solution(*inputs)
        return None if answer is None else answer * factor

    if task in {"one_step", "normalised"}:
        return  # no number comes back from these
    with pytest.raises(NotYet):
        check(scaled)


def test_not_yet_counts_as_a_failed_assertion_and_shows_one_sentence():
    problem = NotYet("Look again.")
    assert isinstance(problem, AssertionError)
    assert problem._render_traceback_() == ["Not yet. Look again."]


@pytest.mark.slow
def test_a_check_leaves_random_numbers_and_gradients_alone():
    torch.manual_seed(4)
    wanted = torch.rand(3)
    torch.manual_seed(4)
    for check, solutions, wrong in BANKS.values():
        check(next(iter(solutions.values())))
        for mistaken, _ in list(wrong.values())[-2:]:
            if mistaken is not WRONG_SAMPLE["own latents"][0]:
                with pytest.raises(NotYet):
                    check(mistaken)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (torch.zeros(2, 1), "a tensor of shape (2, 1)"),
        (0.25, "the number 0.25"),
        (int, "an int"),
    ],
)
def test_described(value, words):
    assert described(value) == words


def test_numbers_are_read_whatever_library_they_come_from():
    task = Task("f(x)", "a number")
    for value in (
        2,
        2.0,
        np.float32(2),
        np.array([2]),
        torch.tensor([[2]]),
        torch.tensor(2.0, requires_grad=True),
    ):
        assert task.number(value) == 2.0
