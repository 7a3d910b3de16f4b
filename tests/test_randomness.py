"""Guards the random numbers: a function of seed, purpose and index, unrelated for each, and invisible to the reader."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

import companion
from companion.randomness import drawing, generator, stream, streams

DRAWERS = {"stream", "streams", "generator", "drawing", "_drawing"}


def purposes() -> set[str]:
    """Every purpose that the package's code names, as text."""
    found = set()
    for path in Path(companion.__file__).parent.rglob("*.py"):
        found |= set(named_in(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def named_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in DRAWERS:
            yield from (
                argument.value
                for argument in node.args[:2]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


PURPOSES = sorted(purposes())


def test_the_houses_purposes_are_found():
    assert {"weights", "latents", "penalty", "noise on a cloud", "order of the images", "samples"} <= set(
        PURPOSES
    )


def test_nothing_in_the_package_is_seeded_but_by_purpose():
    """Neither a seed of its own nor another generator; exercises draw their questions from fixed ones."""
    allowed = {"randomness.py", "course.py"}
    for path in Path(companion.__file__).parent.rglob("*.py"):
        if path.name in allowed or "exercises" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        assert "manual_seed" not in text, path
        if path.name != "degrade.py":  # a hand's shake is a constant, see there
            assert "default_rng(" not in text or "default_rng(stream(" in text, path


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (1, 0), (1, 17)])
def test_no_two_purposes_share_a_number_or_correlate(seed, index):
    """What went wrong once: a batch's noise and its latents were the same numbers."""
    drawn = {
        purpose: torch.randn(4000, generator=generator(seed, purpose, index), dtype=torch.float64)
        for purpose in PURPOSES
    }
    for one, other in itertools.combinations(PURPOSES, 2):
        assert not np.intersect1d(drawn[one], drawn[other]).size, (one, other)
    correlations = torch.corrcoef(torch.stack(list(drawn.values()))) - torch.eye(len(drawn))
    assert correlations.abs().max() < 5.5 / 4000**0.5


def test_a_penaltys_epsilon_tells_nothing_of_the_fakes_noise():
    """Box and Muller's radius √(−2 ln(1 − ε)) once stood among the noise for half of the ε, shuffled or not."""

    def told(purpose: str) -> int:
        """How many ε can be computed from the noise; torch's kernel pairs each number with the eighth after it."""
        with drawing(1, "penalty", 5):
            along = torch.rand(256).double()
        noise = torch.randn(256, 2, generator=generator(1, purpose, 5)).double().view(-1, 2, 8)
        radii = (-2 * (1 - along).log()).sqrt()
        return int(((radii[:, None] - noise.norm(dim=1).flatten()).abs().amin(1) < 1e-6).sum())

    assert told("penalty") == 128  # one stream for both: half of them
    assert told("noise on a cloud") == 0


def draws(seed: int, step: int, rank: int = 0) -> torch.Tensor:
    with drawing(seed, "latents", step, rank):
        return torch.rand(4)


def test_numbers_depend_on_seed_purpose_index_and_rank_alone():
    torch.manual_seed(1)
    first = draws(3, 7)
    torch.rand(10)
    assert torch.equal(draws(3, 7), first)
    others = [draws(3, 8), draws(4, 7), draws(3, 7, rank=1)]
    with drawing(3, "penalty", 7):
        others.append(torch.rand(4))
    assert not any(torch.equal(other, first) for other in others)
    assert torch.equal(torch.rand(4, generator=generator(3, "latents", 7)), first)


def test_the_readers_numbers_go_on_as_if_nothing_had_been_drawn():
    """Also when the block is left by an error, and for blocks within blocks."""
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    with drawing(0, "dropout"):
        first = torch.rand(1)
        draws(0, 0)
        second = torch.rand(1)
    with drawing(0, "dropout"):
        assert torch.equal(torch.rand(2), torch.cat([first, second]))
    with pytest.raises(KeyError), drawing(0, "latents", 1):
        raise KeyError
    assert torch.equal(torch.rand(2), wanted)


@given(seed=st.integers(0, 2**64), index=st.integers(-1, 2**40), purpose=st.text())
@pytest.mark.slow
def test_a_stream_is_a_seed_that_torch_takes(seed, index, purpose):
    assert 0 <= stream(seed, purpose, index) < 2**63
    generator(seed, purpose, index)


@given(seed=st.integers(0, 2**63 - 1), indices=st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
def test_many_streams_at_once_are_the_same_streams(seed, indices):
    expected = [stream(seed, "smile", index) for index in indices]
    assert streams(seed, "smile", torch.tensor(indices)).tolist() == expected


def test_many_streams_are_uniform_numbers_themselves():
    shares = streams(1, "smile", torch.arange(20_000)).double() / 2**63
    assert kstest(shares.numpy(), "uniform").pvalue > 0.001
    assert abs(np.corrcoef(shares[:-1], shares[1:])[0, 1]) < 5 / 20_000**0.5


def test_nearby_arguments_never_share_a_stream():
    """Nor does (seed, index + 1) repeat (seed + 1, index), as a plain sum would."""
    found = {
        stream(seed, purpose, index, rank)
        for seed in range(60)
        for purpose in ("latents", "penalty")
        for index in range(-1, 60)
        for rank in range(3)
    }
    assert len(found) == 60 * 2 * 61 * 3


def test_nearby_arguments_give_unrelated_streams():
    """Neighbouring steps correlate no more than chance allows, over 300 streams of 400 numbers."""
    drawn = torch.stack(
        [torch.randn(400, generator=generator(s, "latents", i)) for s in range(10) for i in range(30)]
    )
    correlations = torch.corrcoef(drawn) - torch.eye(300)
    assert correlations.abs().max() < 6 / 400**0.5


def test_every_bit_is_used():
    """Flipping the lowest bit of seed or index flips about half of the 63."""
    for other in ((1, 0), (0, 1)):
        flips = [
            bin(stream(s, "a", s) ^ stream(s ^ other[0], "a", s ^ other[1])).count("1") for s in range(200)
        ]
        assert 28 < sum(flips) / 200 < 35
