"""Guards the checks of chapter 7b's exercises with a bank of right and wrong solutions."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from banks import Bank, EveryBank, untouched
from scipy.optimize import linprog
from scipy.stats import norm, t
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from companion.exercises import ch07b
from companion.layers import SelfAttention
from companion.objectives import Hinge

# ---- 1 ----


def counted(channels, side, factor):
    places, keys = side**2, (side // factor) ** 2
    return (5 * channels**2 * places) // 4 + (5 * channels * places * keys) // 8, places * keys


def layer_by_layer(channels, side, factor):
    places, keys = side * side, side * side // factor**2
    products = 2 * places * channels * (channels // 8)  # queries and keys
    products += 2 * places * channels * (channels // 2)  # values, and back
    products += places * keys * (channels // 8 + channels // 2)
    return torch.tensor([products, places * keys])


def off(products=0, entries=0):
    """Right but for what functions of C, places and keys say."""

    def count(channels, side, factor):
        own = counted(channels, side, factor)
        found = channels, side**2, (side // factor) ** 2
        return tuple(
            n + (change(*found) if change else 0) for n, change in zip(own, (products, entries), strict=True)
        )

    return count


# ---- 2 ----


def shuffles(layer, maps, *, tolerance=1e-3, order=None):
    order = torch.randperm(maps[0, 0].numel()) if order is None else order
    with torch.no_grad():
        answer = layer(maps)
        other = layer(maps.flatten(2)[..., order].view_as(maps))
    wanted = answer.flatten(2)[..., order].view_as(maps)
    return bool((other - wanted).abs().max() < tolerance * answer.std())


def in_numpy(layer, maps):
    n, c, h, w = maps.shape
    order = np.random.default_rng(3).permutation(h * w)
    given = maps.numpy().reshape(n, c, h * w)[:, :, order].reshape(n, c, h, w)
    before, after = (
        layer(torch.from_numpy(x)).detach().numpy().reshape(n, c, h * w) for x in (maps.numpy(), given)
    )
    return np.allclose(after, before[:, :, order], rtol=1e-4, atol=1e-4 * np.abs(before).max())


def moved(change, tolerance=1e-3):
    def judges(layer, maps):
        with torch.no_grad():
            answer, other = layer(maps), layer(change(maps))
        return bool((other - change(answer)).abs().max() < tolerance * answer.std())

    return judges


def two_places(layer, maps):
    order = torch.arange(maps[0, 0].numel())
    order[:2] = torch.tensor([1, 0])
    return shuffles(layer, maps, order=order)


def backwards(layer, maps):
    order = torch.randperm(maps[0, 0].numel())
    with torch.no_grad():
        answer = layer(maps)
        other = layer(maps.flatten(2)[..., order].view_as(maps))
    return bool((other - answer).abs().max() < 1e-3 * answer.std())


def absolutely(layer, maps, tolerance=1e-5):
    with torch.no_grad():
        order = torch.randperm(maps[0, 0].numel())
        answer, other = layer(maps), layer(maps.flatten(2)[..., order].view_as(maps))
    return bool((other - answer.flatten(2)[..., order].view_as(maps)).abs().max() < tolerance)


# ---- 3 ----


def by_variation(p, q, most):
    return 2 * (1 - min(most, 1) * float((p - q).abs().sum()) / 2)


def by_ends(p, q, most):
    end = min(most, 1.0)
    return sum(min(a * (1 - s) + b * (1 + s) for s in (-end, end)) for a, b in zip(p, q, strict=True))


def by_programme(p, q, most):
    """A linear programme with scores and both hinges free; it knows no derivation."""
    k = len(p)
    cost = np.concatenate([np.zeros(k), p.double().numpy(), q.double().numpy()])
    one, none = np.eye(k), np.zeros((k, k))
    rows = np.block([[-one, -one, none], [one, none, -one]])
    bounds = [(-most, most)] * k + [(0, None)] * 2 * k
    return linprog(cost, rows, -np.ones(2 * k), bounds=bounds).fun


def hinged(score):
    def loss(p, q, most):
        s = score(p, q, most)
        return (p * (1 - s).relu() + q * (1 + s).relu()).sum()

    return loss


# ---- 4 ----


def reads(layer):
    weights = layer["weights"]
    if max(layer["gain"]) == min(layer["gain"]) == 0:
        return "never used"
    if not torch.allclose(weights.sum(2), torch.ones(()).to(weights), atol=1e-3):
        return "wrong axis"
    if weights.max() < 3 / weights.shape[2]:
        return "even"
    return "healthy" if elsewhere(weights) > 0.2 else "all alike"


def elsewhere(weights):
    return (weights - weights.mean(1, keepdim=True)).abs().sum(2).mean() / 2


def reads_by_entropy(layer):
    weights = layer["weights"].double()
    if layer["gain"][-1] == 0:
        return "never used"
    if weights.sum(2).std() > 1e-3:
        return "wrong axis"
    entropy = -(weights * weights.clamp(min=1e-12).log()).sum(2).mean()
    if entropy > 0.97 * math.log(weights.shape[2]):
        return "even"
    places = weights.argmax(2)
    return "all alike" if (places == places.mode(1, keepdim=True).values).double().mean() > 0.7 else "healthy"


def by_maps(layer):
    """Never looks at γ."""
    return reads({**layer, "gain": [0.0, 1.0]})


def by_mean_sum(layer):
    if reads(layer) != "wrong axis" or (layer["weights"].sum(2).mean() - 1).abs() > 0.01:
        return reads(layer)
    return "healthy"


def by_sharpness(layer):
    return "healthy" if reads(layer) == "all alike" else reads(layer)


def by_size_of_gain(layer):
    return "never used" if abs(layer["gain"][-1]) < 0.1 else reads(layer)


def by_largest_weight(layer):
    if reads(layer) in ("even", "healthy", "all alike") and layer["weights"].max() > 0.03:
        return reads(layer) if reads(layer) != "even" else "all alike"
    return reads(layer)


# ---- 5 ----


def first(gaps, effect):
    return next(n for n in range(2, 1000) if t.ppf(0.975, n - 1) * gaps.std().item() / math.sqrt(n) <= effect)


def at_once(gaps, effect):
    n = np.arange(2, 2000)
    reach = t.ppf(0.975, n - 1) * np.std(gaps.numpy(), ddof=1) / np.sqrt(n)
    return int(n[np.argmax(reach <= effect)])


def changed(
    spread=lambda g: g.std(), bound=lambda n, _: t.ppf(0.975, n - 1), power=0.5, start=2, part=1.0, extra=0
):
    def count(gaps, effect):
        found = next(
            n
            for n in range(start, 2000)
            if bound(n, len(gaps)) * float(spread(gaps)) / n**power <= part * effect
        )
        return found + extra

    return count


# ---- 6 ----


def runs(
    seeds,
    *,
    layers=ch07b.LAYERS,
    rates=(2.5e-4, 5e-4, 1e-3),
    choosing=(900,),
    first_seed=0,
    steps=lambda layer: 4000,
    trial_steps=lambda rate: 1500,
    chosen_for=None,
):
    trials = [
        dict(stage="choose", layer=layer, rate=rate, seed=seed, steps=trial_steps(rate))
        for layer, rate, seed in product(chosen_for or layers, rates, choosing)
    ]
    compared = [
        dict(stage="compare", layer=layer, rate="chosen", seed=first_seed + seed, steps=steps(layer))
        for layer in layers
        for seed in range(seeds)
    ]
    return trials + compared


def tuned(seeds):
    """Attention has a rate more to choose from."""
    more = dict(stage="choose", layer="attention", rate=4e-3, seed=900, steps=1500)
    return [*runs(seeds), more]


def other_seeds(seeds):
    return [
        {**run, "seed": run["seed"] + 50} if (run["stage"], run["layer"]) == ("compare", "even") else run
        for run in runs(seeds)
    ]


def with_rates(seeds):
    return [{**run, "rate": 5e-4} for run in runs(seeds)]


BANKS = {
    "cost": Bank(
        ch07b.check_cost,
        right={
            "in one": counted,
            "layer by layer": layer_by_layer,
            "floats": lambda *a: [float(n) for n in counted(*a)],
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "one number": (lambda *a: counted(*a)[0], "two things"),
            "no v": (off(lambda c, p, k: -p * c * c // 2), "leave out the convolution v"),
            "the table alone": (off(lambda c, p, k: -5 * p * c * c // 4), "before anybody looks"),
            "convolutions alone": (off(lambda c, p, k: -5 * p * k * c // 8), "convolutions alone"),
            "scores alone": (off(lambda c, p, k: -p * k * c // 2), "scores alone"),
            "no scores": (off(lambda c, p, k: -p * k * c // 8), "leave out the scores"),
            "all channels": (off(lambda c, p, k: p * c * c + p * k * c // 2), "half of them"),
            "pooled before": (off(lambda c, p, k: -5 * (p - k) * c * c // 8), "pooling comes after"),
            "not pooled": (lambda c, s, f: counted(c, s, 1), "fewer keys"),
            "pooled once": (
                lambda c, s, f: (5 * c * c * s * s // 4 + 5 * c * s**4 // f // 8, s**4 // f),
                "one key of factor² places",
            ),
            "pooled queries": (
                lambda c, s, f: (
                    5 * c * c * s * s // 4 + 5 * c * (s // f) ** 4 // 8,
                    (s // f) ** 4,
                ),
                "every place asks",
            ),
            "a row": (
                lambda c, s, f: (5 * c * c * s // 4 + 5 * c * s * (s // f) // 8, s * (s // f)),
                "the maps are side × side",
            ),
            "entries by channels": (off(None, lambda c, p, k: (c - 1) * p * k), "sums over them first"),
            "pairs of places": (off(None, lambda c, p, k: p * p - p * k), "each place and each key"),
            "additions": (lambda *a: (2 * counted(*a)[0], counted(*a)[1]), "additions as well"),
            "turned round": (lambda *a: counted(*a)[::-1], "multiplications come first"),
            "a fraction": (lambda *a: (counted(*a)[0] + 0.5, counted(*a)[1]), "whole numbers"),
        },
    ),
    "ignores_order": Bank(
        ch07b.check_ignores_order,
        right={
            "shuffled": shuffles,
            "NumPy": in_numpy,
            "a tensor": lambda *a: torch.tensor(shuffles(*a)),
            "three orders": lambda layer, maps: all(shuffles(layer, maps) for _ in range(3)),
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "always": (lambda layer, maps: True, "ignores it"),
            "never": (lambda layer, maps: False, "does look at the order"),
            "mirrors": (moved(lambda x: x.flip(3)), "ignores it"),
            "both mirrors": (moved(lambda x: x.flip(2, 3)), "ignores it"),
            "shifts": (moved(lambda x: x.roll((1, 2), (2, 3))), "ignores it"),
            "two neighbours": (lambda *a: all(two_places(*a) for _ in range(3)), "ignores it"),
            "not shuffled back": (backwards, "does look at the order"),
            "without slack": (lambda *a: shuffles(*a, tolerance=0), "rounding"),
            "absolute slack": (absolutely, "a millionth of the answer"),
            "too much slack": (lambda *a: shuffles(*a, tolerance=0.15), "hundredth"),
            "a difference": (lambda layer, maps: 0.0, "true or false is wanted"),
            "a convolution or not": (
                lambda layer, maps: not isinstance(layer, nn.Conv2d),
                "ignores it",
            ),
        },
    ),
    "least_hinge": Bank(
        ch07b.check_least_hinge,
        right={"by the variation": by_variation, "both ends": by_ends, "a linear programme": by_programme},
        wrong={
            "untouched": (untouched, "waits for you"),
            "the chapter's": (lambda p, q, c: by_variation(p, q, 1.0), "beyond `most`"),
            "to the end": (hinged(lambda p, q, c: c * (p - q).sign()), "it stops at 1"),
            "a line without end": (lambda p, q, c: 2 - c * (p - q).abs().sum(), "goes on beyond"),
            "no half": (lambda p, q, c: 2 - 2 * min(c, 1) * (p - q).abs().sum(), "half of the total"),
            "no 2": (lambda p, q, c: by_variation(p, q, c) / 2, "the 2 before the bracket"),
            "the variation": (lambda p, q, c: (p - q).abs().sum() / 2, "falls as that grows"),
            "no critic": (lambda p, q, c: 2.0, "says 0 to everything"),
            "turned round": (hinged(lambda p, q, c: min(c, 1) * (q - p).sign()), "turned round"),
            "a slope": (hinged(lambda p, q, c: (p - q).clamp(-c, c)), "should be"),
            "the minimum": (lambda p, q, c: torch.minimum(p, q).sum(), "should be"),
            "all of them": (lambda p, q, c: hinged(lambda *_: torch.tensor(min(c, 1)))(p, q, c), "."),
            "kinds apart": (lambda p, q, c: 2 * torch.minimum(p, q), "one single number"),
        },
    ),
    "diagnose": Bank(
        ch07b.check_diagnose,
        right={"sums, then shares": reads, "entropy, then places": reads_by_entropy},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always healthy": (lambda layer: "healthy", "you call it healthy"),
            "maps alone": (by_maps, "how the maps look says nothing"),
            "the mean sum": (by_mean_sum, "still do on average"),
            "sharpness": (by_sharpness, "sharp maps are no sign"),
            "γ's size": (by_size_of_gain, "you call it never used"),
            "the largest weight": (by_largest_weight, "K is not always the same"),
            "another word": (lambda layer: "fine", "the words are"),
            "a number": (lambda layer: 3, "the words are"),
        },
    ),
    "seeds_needed": Bank(
        ch07b.check_seeds_needed,
        right={"the first": first, "at once": at_once, "a loop": changed()},
        wrong={
            "untouched": (untouched, "waits for you"),
            "1.96": (changed(bound=lambda n, _: norm.ppf(0.975)), "You take 1.96"),
            "one side": (changed(bound=lambda n, _: t.ppf(0.95, n - 1)), "bound of one side"),
            "freedom": (changed(bound=lambda n, _: t.ppf(0.975, n)), "degrees of freedom as seeds"),
            "the pilot's freedom": (changed(bound=lambda n, m: t.ppf(0.975, m - 1)), "of the new seeds"),
            "by their number": (changed(spread=lambda g: g.std(correction=0)), "divides by one less"),
            "no root": (changed(power=1), "falls with its root"),
            "the whole interval": (changed(part=0.5), "whole interval"),
            "the variance": (changed(spread=lambda g: g.var()), "should be"),
            "one too many": (changed(extra=1), "one seed too far"),
            "from three": (changed(start=3), "begin with three"),
            "from the pilot's": (lambda g, e: changed(start=len(g))(g, e), "fewer may be enough"),
            "the mean": (changed(spread=lambda g: g.mean().abs()), "how far they scatter"),
            "a fraction": (lambda g, e: first(g, e) - 0.5, "whole numbers"),
            "always eight": (lambda g, e: 8, "should be"),
        },
    ),
    "plan": Bank(
        ch07b.check_plan,
        right={
            "three rates": runs,
            "four rates, two seeds": lambda seeds: runs(
                seeds, rates=(1e-4, 5e-4, 1e-3, 4e-3), choosing=(70, 71)
            ),
            "a tuple": lambda seeds: tuple(runs(seeds, first_seed=3)),
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "a table": (lambda seeds: {"runs": runs(seeds)}, "a list of dictionaries"),
            "no rate": (lambda seeds: [{"seed": 1}], "Each run names"),
            "another layer": (lambda seeds: runs(seeds, layers=("attention", "mean")), "a layer one of"),
            "words for seeds": (
                lambda seeds: [{**run, "seed": "one"} for run in runs(seeds)],
                "whole numbers",
            ),
            "no control": (lambda seeds: runs(seeds, layers=("attention", "none")), "not the looking"),
            "nothing without": (lambda seeds: runs(seeds, layers=("attention", "even")), "without a layer"),
            "no attention": (lambda seeds: runs(seeds, layers=("even", "none")), "what the claim is about"),
            "rates for one alone": (
                lambda seeds: runs(seeds, chosen_for=("attention",)),
                "You choose no rate for “even”",
            ),
            "no first stage": (lambda seeds: runs(seeds, rates=()), "You choose no rate"),
            "known before": (with_rates, "nobody knows it"),
            "rates that are chosen": (
                lambda seeds: runs(seeds, rates=(5e-4, 1e-3, "chosen")),
                "one of its own",
            ),
            "more trials": (tuned, "same trials"),
            "two rates": (lambda seeds: runs(seeds, rates=(5e-4, 1e-3)), "fewer than three"),
            "the chapter's rates": (lambda seeds: runs(seeds, rates=(1e-4, 2.5e-4, 5e-4)), "lie beyond"),
            "longer trials": (
                lambda seeds: runs(seeds, trial_steps=lambda rate: 3000 if rate < 5e-4 else 1500),
                "differ in their steps",
            ),
            "more steps": (
                lambda seeds: runs(seeds, steps=lambda layer: 4000 + 1000 * (layer == "attention")),
                "more training",
            ),
            "few seeds": (lambda seeds: runs(seeds - 1), "were asked for"),
            "three seeds": (lambda seeds: runs(3), "You compare with 3 seeds"),
            "more seeds": (lambda seeds: runs(seeds + 1), "were asked for"),
            "other seeds": (other_seeds, "do not share their seeds"),
            "twice": (lambda seeds: 2 * runs(seeds), "stands twice"),
            "lucky twice": (lambda seeds: runs(seeds, choosing=(0,)), "lucky twice"),
        },
    ),
}


class TestBanks(EveryBank):
    banks = BANKS


@pytest.mark.parametrize(("side", "keys", "factor"), [(8, 64, 1), (8, 16, 2), (12, 16, 3)])
def test_the_cost_is_what_torch_counts_in_the_packages_layer(side, keys, factor):
    layer = SelfAttention(16, keys=keys)
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(1, 16, side, side))
    products, entries = counted(16, side, factor)
    assert counter.get_total_flops() == 2 * products  # torch counts the additions as well
    assert layer.weights(torch.zeros(1, 16, side, side)).numel() == entries


def test_the_least_hinge_is_the_packages_hinge_under_a_bounded_critic():
    p, q, most = torch.tensor([0.5, 0.2, 0.3]), torch.tensor([0.1, 0.2, 0.7]), 0.4
    scores = (p - q).sign() * most
    real, fake = (scores.repeat_interleave((10 * share).round().long()) for share in (p, q))
    assert float(Hinge().critic_loss(real, fake)) == pytest.approx(by_variation(p, q, most), abs=1e-6)


def test_the_kinds_of_layers_can_be_told_apart_and_differ_from_seed_to_seed():
    for word in ch07b.WORDS:
        for seed in range(60):
            layer = ch07b.attended(word, seed)
            assert reads(layer) == reads_by_entropy(layer) == word
        one, other = (ch07b.attended(word, seed)["weights"] for seed in (1, 2))
        assert one.shape != other.shape or not one.equal(other)
        assert {ch07b.attended(word, seed)["weights"].shape[2] for seed in range(20)} == {16, 64}


def test_the_museums_fault_is_the_wrong_axis():
    """As many keys as places: their sums are right on average, and one by one they are not."""
    layers = [ch07b.attended("wrong axis", seed)["weights"] for seed in range(20)]
    sums = [weights.sum(2) for weights in layers if weights.shape[2] == ch07b.PLACES]
    assert all(abs(float(each.mean()) - 1) < 1e-5 and float(each.std()) > 0.1 for each in sums)
    assert len(sums) > 3
