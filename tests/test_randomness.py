"""Guards the random numbers: a function of seed and index, different for each, and invisible to the reader."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.randomness import mixed_seed, step_randomness

CPU = torch.device("cpu")


def draws(seed: int, step: int) -> torch.Tensor:
    with step_randomness(seed, step, CPU):
        return torch.rand(4)


def test_a_steps_numbers_depend_on_seed_and_step_alone():
    torch.manual_seed(1)
    first = draws(3, 7)
    torch.rand(10)
    assert torch.equal(draws(3, 7), first)
    assert not torch.equal(draws(3, 8), first)
    assert not torch.equal(draws(4, 7), first)


def test_the_readers_numbers_go_on_as_if_nothing_had_been_drawn():
    """Also when the block is left by an error."""
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    draws(0, 0)
    with pytest.raises(KeyError), step_randomness(0, 1, CPU):
        raise KeyError
    assert torch.equal(torch.rand(2), wanted)


@given(seed=st.integers(0, 2**64), index=st.integers(-1, 2**40))
def test_a_mixed_seed_is_one_torch_takes(seed, index):
    assert 0 <= mixed_seed(seed, index) < 2**63
    torch.Generator().manual_seed(mixed_seed(seed, index))


def test_nearby_pairs_never_share_a_seed():
    """Nor does (seed, index + 1) repeat (seed + 1, index), as a plain sum would."""
    seeds = {mixed_seed(seed, index) for seed in range(200) for index in range(-1, 200)}
    assert len(seeds) == 200 * 201


def test_nearby_pairs_give_unrelated_streams():
    """Neighbouring steps correlate no more than chance allows, over 300 streams of 400 numbers."""

    def stream(seed: int, index: int) -> torch.Tensor:
        return torch.randn(400, generator=torch.Generator().manual_seed(mixed_seed(seed, index)))

    streams = torch.stack([stream(s, i) for s in range(10) for i in range(30)])
    correlations = torch.corrcoef(streams) - torch.eye(300)
    assert correlations.abs().max() < 6 / 400**0.5


def test_every_bit_of_a_mixed_seed_is_used():
    """Flipping the lowest bit of either number flips about half of the 63."""
    for other in ((1, 0), (0, 1)):
        flips = [
            bin(mixed_seed(s, s) ^ mixed_seed(s ^ other[0], s ^ other[1])).count("1") for s in range(200)
        ]
        assert 28 < sum(flips) / 200 < 35
