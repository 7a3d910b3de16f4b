"""Random numbers with a purpose: a function of (seed, purpose, index), so that no two things share theirs.

Whatever stops can go on exactly where it stopped, since a number hangs on nothing but these three. And the purpose
keeps apart what has one seed and one index: without it, a batch's noise and its latents would be the same numbers
(chapter 1's museum shows what that does).

Purposes are plain words such as “weights” or “penalty”; a test finds all of them in the package and draws every pair.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256

import torch
from torch import Tensor

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15  # SplitMix64's: 2⁶⁴ over the golden ratio
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
CPU = torch.device("cpu")


def stream(seed: int, purpose: str, index: int = 0, rank: int = 0) -> int:
    """One 63-bit seed for a generator, such that different arguments give unrelated streams.

    Args:
        seed: The run's or the data set's.
        purpose: What the numbers are for.
        index: Which of them: a step, a batch, a round.
        rank: Of the process, where several are to differ; 0 where all draw the same.
    """
    bits = (_start(seed, purpose, rank) + index * STEP) & MASK
    bits = ((bits ^ (bits >> 30)) * FIRST) & MASK
    bits = ((bits ^ (bits >> 27)) * SECOND) & MASK
    return (bits ^ (bits >> 31)) >> 1


def streams(seed: int, purpose: str, indices: Tensor) -> Tensor:
    """What `stream` gives for many indices at once: `(N,)` int64 for `(N,)` integers, on the CPU."""
    bits = _signed(_start(seed, purpose, 0)) + indices.long().cpu() * _signed(STEP)  # int64 wraps around
    bits = (bits ^ _shifted(bits, 30)) * _signed(FIRST)
    bits = (bits ^ _shifted(bits, 27)) * _signed(SECOND)
    return _shifted(bits ^ _shifted(bits, 31), 1)


def generator(seed: int, purpose: str, index: int = 0, rank: int = 0) -> torch.Generator:
    """A generator on the CPU at the beginning of a `stream`."""
    return torch.Generator().manual_seed(stream(seed, purpose, index, rank))


@contextmanager
def drawing(
    seed: int, purpose: str, index: int = 0, rank: int = 0, *, device: torch.device = CPU
) -> Iterator[None]:
    """Inside, torch's own random numbers on the CPU and on `device` are a `stream`; outside, nothing has changed."""
    generators = [torch.default_generator, *_of_device(device)]
    before = [each.get_state() for each in generators]
    try:
        for each in generators:
            each.manual_seed(stream(seed, purpose, index, rank))
        yield
    finally:
        for each, state in zip(generators, before, strict=True):
            each.set_state(state)


def _of_device(device: torch.device) -> list[torch.Generator]:
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.init()  # type: ignore[no-untyped-call]
        number = torch.cuda.current_device() if device.index is None else device.index
        return [torch.cuda.default_generators[number]]
    return [torch.mps._get_default_mps_generator()] if device.type == "mps" else []


@lru_cache(maxsize=4096)
def _start(seed: int, purpose: str, rank: int) -> int:
    """Where a stream's indices are counted from, 64 bits: a cryptographic hash has no near misses."""
    return int.from_bytes(sha256(f"{seed}/{purpose}/{rank}".encode()).digest()[:8], "big")


def _signed(value: int) -> int:
    """64 bits as int64 reads them."""
    return value - 2**64 if value >= 2**63 else value


def _shifted(bits: Tensor, places: int) -> Tensor:
    """A logical shift to the right: int64's own would carry the sign in."""
    shifted: Tensor = (bits >> places) & (2 ** (64 - places) - 1)
    return shifted
