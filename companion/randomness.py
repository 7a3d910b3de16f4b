"""Random numbers as a function of (seed, index), so that whatever stops can go on exactly where it stopped."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def step_randomness(seed: int, step: int, device: torch.device) -> Iterator[None]:
    """Inside, torch's random numbers depend on `(seed, step)` alone; outside, nothing has changed."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(mixed_seed(seed, step))
        yield


def mixed_seed(seed: int, index: int) -> int:
    """One 63-bit seed from two numbers, such that nearby pairs give unrelated streams (SplitMix64's finaliser)."""
    mask = (1 << 64) - 1
    value = (seed * 0x9E3779B97F4A7C15 + (index + 2) * 0xD1B54A32D192ED03) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return (value ^ (value >> 31)) >> 1
