"""Steady values from trembling ones: the one-euro filter, a switch that doesn't flutter, and holding still to lock.

Nothing here knows of hands or pictures: numbers and moments go in, numbers come out (chapter 8).
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion.errors import CompanionError

Values = NDArray[np.float64]


def smoothing_factor(seconds: ArrayLike, cutoff: ArrayLike) -> Values:
    """Weight α = 1 / (1 + τ / Tₑ) of the newest value in a low-pass filter (Casiez et al. 2012, algorithm 1).

    Args:
        seconds: Tₑ, the time since the last value.
        cutoff: Cutoff frequency in hertz: what changes faster is held back; τ = 1 / (2π · cutoff).
    """
    tau = 1 / (2 * math.pi * np.asarray(cutoff, np.float64))
    step = np.asarray(seconds, np.float64)
    return np.asarray(step / (step + tau))


@dataclass
class OneEuroFilter:
    """Smooth while slow, prompt while fast (Casiez et al. 2012, algorithm 1; chapter 8).

    A low-pass filter trades jitter for lag. Jitter shows when the hand is still, lag when it moves; so the cutoff
    rises with the speed. To tune it, hold still and lower `min_cutoff` until nothing trembles; then move fast and
    raise `slope` until nothing lags.

    A reading that is missing, NaN or infinite, is skipped: the smoothed value stays, and the next reading counts from
    the last one that was there.

    Raises:
        CompanionError: A cutoff is not above zero, or the slope is below.
    """

    min_cutoff: float = 1.0  # hertz, at rest
    slope: float = 0.0  # β: hertz per unit of speed
    speed_cutoff: float = 1.0  # hertz, of the filter that smooths the speed itself
    _value: Values | None = field(default=None, init=False, repr=False)
    _speed: Values = field(default_factory=lambda: np.zeros(()), init=False, repr=False)
    _seconds: Values = field(default_factory=lambda: np.array(-math.inf), init=False, repr=False)

    def __post_init__(self) -> None:
        if min(self.min_cutoff, self.speed_cutoff) <= 0 or self.slope < 0:
            raise CompanionError("A one-euro filter needs cutoffs above zero and a slope of at least zero.")

    def __call__(self, value: ArrayLike, seconds: float) -> Values:
        """The smoothed value at a moment; arrays are smoothed entry by entry, each at its own speed.

        NaN only where nothing has been read yet.

        Args:
            value: A number or an array, always of the same shape; entries that are NaN or infinite are skipped.
            seconds: When it was measured, in seconds from any beginning; the steps need not be even. A second value
                for one moment changes nothing, and a moment that is NaN or infinite is no reading.

        Raises:
            CompanionError: The time went back.
        """
        new = np.array(value, np.float64)
        if self._value is None:
            self._value, self._speed = np.full_like(new, np.nan), np.zeros_like(new)
            self._seconds = np.full_like(new, -math.inf)
        if not math.isfinite(seconds):
            return self._value
        if seconds < self._seconds.max(initial=-math.inf):
            raise CompanionError(
                "The filter was given an earlier moment than its last; call reset() before a new start."
            )
        read = np.isfinite(new)
        first = read & np.isnan(self._value)
        later = read & ~first & (self._seconds < seconds)
        step = np.where(later, seconds - self._seconds, 1.0)
        later = self._follow(np.where(later, new, self._value), step, later)
        self._value = np.where(first, new, self._value)
        self._seconds = np.where(first | later, seconds, self._seconds)
        return self._value

    def _follow(self, new: Values, step: Values, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The algorithm's step in some entries, and where it was made; the others have any step but 0, and stay."""
        assert self._value is not None
        with np.errstate(over="ignore", invalid="ignore"):
            speed = (new - self._value) / step
            speed = self._speed + smoothing_factor(step, self.speed_cutoff) * (speed - self._speed)
            cutoff = self.min_cutoff + self.slope * np.abs(speed)
            value = self._value + smoothing_factor(step, cutoff) * (new - self._value)
        where = where & np.isfinite(speed) & np.isfinite(value)  # a reading of 1e308 is none either
        self._speed = np.where(where, speed, self._speed)
        self._value = np.where(where, value, self._value)
        return where

    def reset(self) -> None:
        """Forget what was seen, as when the hand has left the picture."""
        self._value = None


@dataclass
class Hysteresis:
    """A switch with two thresholds, so that a value trembling around one of them can't make it flutter.

    With `on` above `off` it is on from `on` upwards and off from `off` downwards; with `on` below `off` the other way
    round, as a pinch needs it: it closes when the distance is small. In between the switch stays as it is, and so it
    does where a reading is missing: NaN or infinite.

    Raises:
        CompanionError: Both thresholds are the same.
    """

    on: float
    off: float
    state: bool = False

    def __post_init__(self) -> None:
        if self.on == self.off:
            raise CompanionError(
                "Hysteresis needs two different thresholds; with one, the switch would flutter."
            )

    def __call__(self, value: float) -> bool:
        """Whether the switch is on after this value."""
        if not math.isfinite(value):
            return self.state
        sign = 1 if self.on > self.off else -1
        if sign * value >= sign * self.on:
            self.state = True
        elif sign * value <= sign * self.off:
            self.state = False
        return self.state


@dataclass
class HoldToLock:
    """Whoever holds a value still for long enough locks it; it stays locked until `reset`.

    The value is still while it lies within `tolerance` of where the holding began. A reading that is missing, NaN or
    infinite, neither breaks the holding nor locks: nothing changes until the next one.
    """

    seconds: float = 1.0  # how long to hold
    tolerance: float = 0.05  # in the value's own unit
    locked: float | None = field(default=None, init=False)  # the value, once it is
    _began: tuple[float, float] | None = field(default=None, init=False, repr=False)  # value and moment

    def __call__(self, value: float, now: float) -> float | None:
        """The locked value, or None while nothing is locked; `now` in seconds."""
        if self.locked is not None or not (math.isfinite(value) and math.isfinite(now)):
            return self.locked
        if self._began is None or abs(value - self._began[0]) > self.tolerance:
            self._began = (value, now)
        elif now - self._began[1] >= self.seconds:
            self.locked = value
        return self.locked

    def held(self, now: float) -> float:
        """How much of the holding is done, 0 to 1."""
        if self.locked is not None:
            return 1.0
        return 0.0 if self._began is None else min(1.0, (now - self._began[1]) / self.seconds)

    def reset(self) -> None:
        """Unlock, and begin anew."""
        self.locked = self._began = None
