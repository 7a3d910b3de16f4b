"""Guards the checks of chapter 5's exercises with a bank of right and wrong solutions."""

import hashlib
import math
import random
import zlib
from itertools import product

import torch
from banks import Bank, EveryBank, untouched
from torch.nn.functional import binary_cross_entropy_with_logits

from companion.exercises import ch05

# ---- 1 ----


def by_crc(name, low, high):
    return low + (high - low) * zlib.crc32(name.encode()) / 2**32


def by_random(name, low, high):
    return random.Random(name).uniform(low, high)


def by_torch(name, low, high):
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    return torch.empty(1).uniform_(low, high, generator=torch.Generator().manual_seed(seed))


def by_chance(name, low, high):
    return random.uniform(low, high)


def by_hash(name, low, high):
    return low + (high - low) * (hash(name) % 1000) / 1000


def too_coarse(name, low, high):
    return low + (high - low) * (zlib.crc32(name.encode()) % 7) / 7


def squared(name, low, high):
    return low + (high - low) * (zlib.crc32(name.encode()) / 2**32) ** 2


def from_zero(name, low, high):
    return high * zlib.crc32(name.encode()) / 2**32


# ---- 2 ----


def repeated(weight, scale):
    return weight[:: scale**2].repeat_interleave(scale**2, 0)


def by_mean(weight, scale):
    groups = weight.unflatten(0, (-1, scale**2)).mean(1)
    return groups.repeat_interleave(scale**2, 0)


def by_loop(weight, scale):
    result = weight.clone()
    for channel in range(len(weight) // scale**2):
        for place in range(scale**2):
            result[channel * scale**2 + place] = weight[channel]
    return result


def tiled(weight, scale):
    return weight[: len(weight) // scale**2].repeat(scale**2, 1, 1, 1)


def one_filter(weight, scale):
    return weight[:1].expand_as(weight)


def all_but_the_first(weight, scale):
    result = weight[1:2].repeat(len(weight), 1, 1, 1)
    result[: scale**2] = weight[:1]
    return result


# ---- 3 ----


def inside(drawn, wanted, mask):
    error = (drawn - wanted).square().mean(1, keepdim=True)
    return 10 * torch.log10(4 / ((error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))))


def inside_by_loop(drawn, wanted, mask):
    values = []
    for a, b, m in zip(drawn, wanted, mask, strict=True):
        chosen = (a - b)[m.expand_as(a)]
        values.append(20 * (2 / chosen.square().mean().sqrt()).log10())
    return torch.stack(values)


def over_all(drawn, wanted, mask):
    error = (drawn - wanted).square() * mask
    return 10 * torch.log10(4 / error.mean((1, 2, 3)))


def one_channel(drawn, wanted, mask):
    error = (drawn - wanted).square() * mask
    return 10 * torch.log10(4 / (error.sum((1, 2, 3)) / mask.sum((1, 2, 3))))


def together(drawn, wanted, mask):
    chosen = (drawn - wanted)[mask.expand_as(drawn)]
    return 10 * torch.log10(4 / chosen.square().mean())


# ---- 4 ----


def expanded(scores, labels):
    return binary_cross_entropy_with_logits(scores, labels[:, None].expand_as(scores).float())


def by_hand(scores, labels):
    sign = (2 * labels[:, None] - 1) * scores
    return torch.nn.functional.softplus(-sign).mean()


# ---- 5 ----


def colourful(images):
    r, g, b = ((images + 1) * 127.5).unbind(1)
    rg, yb = (r - g).flatten(1), (0.5 * (r + g) - b).flatten(1)
    spread = (rg.var(1, correction=0) + yb.var(1, correction=0)) ** 0.5
    return spread + 0.3 * torch.hypot(rg.mean(1), yb.mean(1))


def spreads_only(images):
    r, g, b = ((images + 1) * 127.5).unbind(1)
    rg, yb = (r - g).flatten(1), (0.5 * (r + g) - b).flatten(1)
    return (rg.var(1, correction=0) + yb.var(1, correction=0)) ** 0.5


def unbiased(images):
    r, g, b = ((images + 1) * 127.5).unbind(1)
    rg, yb = (r - g).flatten(1), (0.5 * (r + g) - b).flatten(1)
    return (rg.var(1) + yb.var(1)) ** 0.5 + 0.3 * torch.hypot(rg.mean(1), yb.mean(1))


# ---- 6 ----


def mean(values):
    return sum(values) / len(values)


def reads(run):
    late = run["critic_loss"][-50:]
    falls = max(run["gain"]) - mean(run["gain"][-2:])
    if mean(late) < 0.1:
        return "critic too strong"
    if abs(mean(late) - 0.693) < 0.02 and max(late) - min(late) < 0.06:
        return "critic asleep"
    return "learnt by heart" if falls > 0.4 else "healthy"


def reads_by_ratio(run):
    late = torch.tensor(run["critic_loss"][-80:])
    if late.mean() < 0.2:
        return "critic too strong"
    if late.std() < 0.01:
        return "critic asleep"
    content = torch.tensor(run["content_loss"])
    return "learnt by heart" if content[-30:].mean() < 0.12 * content[:5].mean() else "healthy"


def by_size_of_the_loss(run):
    answer = reads(run)
    if answer in ("learnt by heart", "healthy"):
        return "learnt by heart" if run["content_loss"][-1] < 0.3 else "healthy"
    return answer


# ---- 7 ----


def full(rates=(1e-4, 1e-3), seeds=(1, 2, 3), steps=5000):
    return [
        dict(generator_pretrained=g, critic_pretrained=c, seed=s, generator_steps=steps, rate=r)
        for g, c, s, r in product((False, True), (False, True), seeds, rates)
    ]


PAIRED = {(1, 1e-4), (2, 1e-3), (3, 1e-2)}  # a seed has one rate: luck and rate cannot be told apart


def lopsided():
    return [run for run in full() if run["generator_pretrained"] or run["rate"] == 1e-4]


def cell_missing():
    return [run for run in full() if run["generator_pretrained"] or not run["critic_pretrained"]]


def more_steps():
    return [{**run, "generator_steps": 5000 + 2000 * run["generator_pretrained"]} for run in full()]


def other_seeds():
    return [{**run, "seed": run["seed"] + 10 * run["critic_pretrained"]} for run in full()]


BANKS = {
    "amount": Bank(
        ch05.check_amount,
        right={"a checksum": by_crc, "Python's random": by_random, "torch": by_torch},
        wrong={
            "untouched": (untouched, "waits for you"),
            "chance": (by_chance, "in another order"),
            "hash": (by_hash, "changes with every start"),
            "seven amounts": (too_coarse, "share only"),
            "not even": (squared, "not spread evenly"),
            "from nothing": (from_zero, "asked was for"),
            "a range of its own": (lambda name, low, high: by_crc(name, 1.5, 4.0), "Your factors"),
        },
    ),
    "icnr": Bank(
        ch05.check_icnr,
        right={"every nth, repeated": repeated, "the group's mean": by_mean, "a loop": by_loop},
        wrong={
            "untouched": (untouched, "waits for you"),
            "nothing": (lambda weight, scale: weight, "as it came"),
            "tiled": (tiled, "one after the other"),
            "one filter": (one_filter, "copied one filter"),
            "one filter for all but the first": (all_but_the_first, "copied one filter"),
            "zeros": (lambda weight, scale: weight * 0, "one and the same value"),
            "halves": (lambda weight, scale: weight / 2, "still differ"),
        },
    ),
    "psnr_inside": Bank(
        ch05.check_psnr_inside,
        right={"mean over channels first": inside, "a loop": inside_by_loop},
        wrong={
            "untouched": (untouched, "waits for you"),
            "over all pixels": (over_all, "all pixels of the picture"),
            "one channel": (one_channel, "three channels"),
            "outside": (lambda d, w, m: inside(d, w, ~m), "outside the writing"),
            "everywhere": (lambda d, w, m: inside(d, w, torch.ones_like(m)), "the whole picture"),
            "peak 1": (lambda d, w, m: inside(d, w, m) - 20 * torch.log10(torch.tensor(2.0)), "peak is 1"),
            "together": (together, "each has its own"),
        },
    ),
    "critic_loss": Bank(
        ch05.check_critic_loss,
        right={"expanded labels": expanded, "softplus": by_hand},
        wrong={
            "untouched": (untouched, "waits for you"),
            "mean score": (
                lambda s, y: binary_cross_entropy_with_logits(s.mean(1), y.float()),
                "before the loss",
            ),
            "turned round": (lambda s, y: expanded(s, 1 - y), "1 is real"),
            "sigmoid": (lambda s, y: expanded(s.sigmoid(), y), "twice"),
            "first patch": (lambda s, y: expanded(s[:, :1], y), "first patch"),
            "sum": (lambda s, y: expanded(s, y) * s.shape[1], "take the mean"),
            "sum over pictures, too": (lambda s, y: expanded(s, y) * s.numel(), "patches and pictures"),
            "no gradient": (lambda s, y: float(expanded(s, y)), "nobody could train with it"),
        },
    ),
    "colourfulness": Bank(
        ch05.check_colourfulness,
        right={"opponents": colourful},
        wrong={
            "untouched": (untouched, "waits for you"),
            "range": (lambda images: colourful(images) / 127.5, "0 to 255"),
            "no means": (spreads_only, "left out the means"),
            "full means": (
                lambda images: spreads_only(images) + (colourful(images) - spreads_only(images)) / 0.3,
                "it is 0.3",
            ),
            "one pixel less": (unbiased, "one pixel less"),
            "one for all": (lambda images: colourful(images).mean(), "each picture has its own"),
        },
    ),
    "diagnose": Bank(
        ch05.check_diagnose,
        right={"the gain decides": reads, "the fall of the loss decides": reads_by_ratio},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always healthy": (lambda run: "healthy", "you call it healthy"),
            "the loss's size": (by_size_of_the_loss, "its size says nothing"),
            "another word": (lambda run: "fine", "the words are"),
        },
    ),
    "plan": Bank(
        ch05.check_plan,
        right={
            "two rates": full,
            "three rates, five seeds": lambda: full((1e-4, 3e-4, 1e-3), range(5), 100),
            "0 and 1": lambda: [
                {**run, "critic_pretrained": int(run["critic_pretrained"])} for run in full()
            ],
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "a cell is missing": (cell_missing, "which of the two helps"),
            "more steps": (more_steps, "generator's steps"),
            "two seeds": (lambda: full(seeds=(1, 2)), "three seeds"),
            "one rate": (lambda: full(rates=(1e-4,)), "at least two"),
            "tuned on one side": (lopsided, "tuned for one alone"),
            "other seeds": (other_seeds, "do not share their seeds"),
            "twice": (lambda: full() + full(), "stands twice"),
            "a table": (lambda: {"runs": full()}, "a list of dictionaries"),
            "a seed a rate": (
                lambda: [run for run in full((1e-4, 1e-3, 1e-2)) if (run["seed"], run["rate"]) in PAIRED],
                "luck must not be mixed",
            ),
            "nearly one rate": (lambda: full(rates=(1e-4, 1.0000001e-4)), "at least two"),
            "no steps": (lambda: full(steps=-5), "whole number of 1 or more"),
            "not a number of steps": (lambda: full(steps=math.nan), "whole number of 1 or more"),
            "steps in words": (lambda: full(steps="many"), "whole number of 1 or more"),
            "a rate of nothing": (lambda: full(rates=(0, -1)), "between 0 and 1"),
            "rates in words": (lambda: full(rates=("low", "high")), "between 0 and 1"),
            "no rate": (lambda: [{"seed": 1}], "Each run names"),
        },
    ),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_the_kinds_of_runs_can_be_told_apart_and_differ_from_seed_to_seed():
    for word in ch05.WORDS:
        assert all(reads(ch05.logged(word, seed)) == word for seed in range(40))
        assert ch05.logged(word, 1) != ch05.logged(word, 2)
