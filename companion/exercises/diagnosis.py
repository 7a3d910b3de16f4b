"""What a wrong answer has to do with the right one, where no mistake is known that gives this very answer.

A number may have the wrong sign or be twice too large; an array may be turned, or right but for its border; an
argument may have no effect. Each finding is the end of “it should be …: ”.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FACTORS = {
    2: "twice as much", 0.5: "half as much", 3: "three times as much", 1 / 3: "a third as much",
    4: "four times as much", 0.25: "a quarter of it", 10: "ten times as much", 0.1: "a tenth of it",
    100: "a hundred times as much", 0.01: "a hundredth of it", math.pi: "π times as much", 1 / math.pi: "a πth of it",
    2 * math.pi: "2π times as much", 0.5 / math.pi: "a 2πth of it", 127.5: "127.5 times as much",
    255: "255 times as much", 1 / 255: "a 255th of it", math.sqrt(2): "√2 times as much",
    math.sqrt(0.5): "a √2th of it",
    1 / math.log(2): "a logarithm of base 2 where the natural one is wanted",
    1 / math.log(10): "a logarithm of base 10 where the natural one is wanted",
    math.log(10): "a natural logarithm where one of base 10 is wanted",
}  # fmt: skip
_SHAPES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "its square": lambda w: w.square(),
    "its root": lambda w: w.abs().sqrt(),
    "its reciprocal": lambda w: 1 / w,
    "its size without the sign": lambda w: w.abs(),
    "one minus it": lambda w: 1 - w,
    "one minus it, with the other sign": lambda w: w - 1,
    "one more than it": lambda w: w + 1,
    "its logarithm": lambda w: w.log(),
    "its exponential": lambda w: w.exp(),
    "its σ": lambda w: w.sigmoid(),
    "it, with everything negative cut off": lambda w: w.clamp(min=0),
    "it, cut off beyond ±1": lambda w: w.clamp(-1, 1),
    "it, brought from [−1, 1] to [0, 1]": lambda w: (w + 1) / 2,
    "it, brought from [0, 1] to [−1, 1]": lambda w: 2 * w - 1,
    "it, rounded": lambda w: w.round(),
    "it, rounded down": lambda w: w.floor(),
}


Change = Callable[[Tensor], Tensor]  # from the right answer to a wrong one


class Pair(NamedTuple):
    """An answer and the right one; those of the first pair have one shape."""

    found: Tensor
    wanted: Tensor


def relation(pairs: Sequence[Pair], tolerance: float) -> str:
    """In a few words what the numbers found are, seen from those wanted; empty if nobody knows.

    What one mistake would make of the right answers is said only if it explains all pairs. Failing that, what can be
    seen in the first pair is told.
    """
    pairs = [Pair(found.detach().double(), wanted.detach().double()) for found, wanted in pairs]
    found, wanted = pairs[0]
    if not bool(found.isfinite().all()) and bool(wanted.isfinite().all()):
        kind = (
            "NaN (0/0, or a root or logarithm of a negative number)"
            if bool(found.isnan().any())
            else "infinite"
        )
        place = "" if found.numel() == 1 else f", first at {_first(~found.isfinite())}"
        return f"yours is {kind}{place}"
    for words, change in _changes(wanted, tolerance):
        if all(_explains(change, pair, tolerance) for pair in pairs):
            return words
    return _partly(found, wanted, tolerance)


def _explains(change: Change, pair: Pair, tolerance: float) -> bool:
    found, wanted = pair
    try:
        other = change(wanted)
    except (IndexError, RuntimeError):  # of another shape than the first
        return False
    if found.numel() != other.numel() or (found.shape != other.shape and found.numel() > 1):
        return False  # a single number may come in brackets
    slack = tolerance * min(1.0, float(wanted.abs().max()) or 1.0) if wanted.numel() else tolerance
    return bool(other.isfinite().all()) and torch.allclose(
        found.reshape(other.shape), other, tolerance, slack
    )


def _changes(wanted: Tensor, tolerance: float) -> Iterator[tuple[str, Change]]:
    """What mistakes may make of an answer like this one, each with its words."""
    if float(wanted.abs().max()) > 10 * tolerance:
        yield "yours has the other sign", lambda w: -w
        for factor, words in _FACTORS.items():
            yield f"yours is {words}", partial(torch.mul, torch.tensor(factor, dtype=torch.float64))
            minus = torch.tensor(-factor, dtype=torch.float64)
            yield f"yours is {words}, and has the other sign", partial(torch.mul, minus)
    yield from _turns(wanted)
    for words, change in _SHAPES.items():
        yield f"yours is {words}", change
    if wanted.numel() > 2:
        yield "yours has lost its mean", lambda w: w - w.mean()
        yield "yours is divided by its sum", lambda w: w / w.sum()
        yield "yours is divided by its largest number", lambda w: w / w.abs().max()
        yield "yours is the mean of all of them, at each place", lambda w: w.mean().expand_as(w)


def _turns(wanted: Tensor) -> Iterator[tuple[str, Change]]:
    """The same numbers at other places."""
    for axis, length in enumerate(wanted.shape):
        if length > 1:
            yield f"yours is turned round along axis {axis}", partial(torch.flip, dims=[axis])
        for shift in (1, -1) if length > 2 else ():
            words = f"yours lies {'behind' if shift > 0 else 'ahead'} by one along axis {axis}"
            yield words, partial(torch.roll, shifts=shift, dims=axis)
    if wanted.dim() > 1 and wanted.shape[-1] == wanted.shape[-2]:
        yield "in yours rows and columns are swapped", lambda w: w.mT
    if wanted.dim() == 1 and len(wanted) > 2:
        yield "yours is in sorted order", lambda w: w.sort().values


def _partly(found: Tensor, wanted: Tensor, tolerance: float) -> str:
    """Where it differs, if only some of it does; or what is the same everywhere."""
    if wanted.numel() < 3:
        return ""
    apart = found - wanted
    wrong = apart.abs() > tolerance * (1 + wanted.abs())
    ratio = found / wanted
    if bool(ratio.isfinite().all()) and float(ratio.std()) < tolerance * float(ratio.mean().abs()):
        return f"yours is {float(ratio.mean()):.4g} times as much at each place"
    if float(apart.std()) < tolerance * float(apart.mean().abs()):
        way = "higher" if float(apart.mean()) > 0 else "lower"
        return f"yours is {abs(float(apart.mean())):.4g} {way} at each place"
    if 0 < int(wrong.sum()) <= 0.6 * wrong.numel():
        place = _first(wrong)
        here = tuple(int(n) for n in place.strip("[]").split(","))
        return (
            f"yours is right at {wrong.numel() - int(wrong.sum())} of {wrong.numel()} places; the first wrong one is "
            f"{place}, {float(found[here]):.4g} where {float(wanted[here]):.4g} belongs"
        )
    if bool((found == found.flatten()[0]).all()):
        return "yours is one number everywhere"
    return ""


def _first(marked: Tensor) -> str:
    return str(marked.nonzero()[0].tolist())


# ---- arguments without effect ---------------------------------------------------------------------------------------


def idle(
    ask: Callable[[Sequence[Any]], Tensor | None],
    names: Sequence[str],
    questions: Sequence[tuple[Sequence[Any], Tensor]],
) -> list[str]:
    """The arguments that can be changed in every question, one at a time, without changing any answer.

    Args:
        ask: The answer to other inputs, or None where it fails.
        names: Of the inputs.
        questions: Inputs as they were, and the answer to them.
    """
    return [name for place, name in enumerate(names) if _has_no_effect(ask, place, questions)]


def _has_no_effect(
    ask: Callable[[Sequence[Any]], Tensor | None],
    place: int,
    questions: Sequence[tuple[Sequence[Any], Tensor]],
) -> bool:
    tried = False
    for inputs, found in questions:
        for other in _others(inputs[place]):
            answer = ask([*inputs[:place], other, *inputs[place + 1 :]])
            if answer is None:
                continue
            tried = True
            if not torch.equal(answer.double().flatten(), found.detach().double().flatten()):
                return False
    return tried


def _others(value: Any) -> list[Any]:
    """Other values of the same kind and size; none where nobody knows what may be put in its place.

    No two are alike but for a factor and a shift: many a right answer, a ratio above all, is the same for those.
    """
    if isinstance(value, float):
        return [1.37 * value + 0.11, 0.61 * value - 0.07]
    if isinstance(value, list) and value and all(type(each) is float for each in value):
        return [other.tolist() for other in _others(np.array(value))]
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
        waves = (torch.from_numpy(wave).to(value) for wave in _waves(tuple(value.shape)))
        return [1.31 * value + 0.17, *(value + wave * _spread(value) for wave in waves)]
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
        waves_too = (wave.astype(value.dtype) for wave in _waves(value.shape))
        return [1.31 * value + value.dtype.type(0.17), *(value + wave * _spread(value) for wave in waves_too)]
    return []


def _waves(shape: tuple[int, ...]) -> Iterator[NDArray[np.float64]]:
    """Numbers up and down, that differ from place to place."""
    places = np.arange(1, math.prod(shape) + 1).reshape(shape)
    for pace, height in ((2.4, 0.3), (1.1, 1.7)):
        yield height * np.sin(pace * places)


def _spread(values: Any) -> float:
    """How far numbers lie apart, to change them by about as much."""
    apart = float(values.max() - values.min())
    return apart if math.isfinite(apart) and apart > 0 else 1.0


def shown(value: Any) -> str:
    """A value as a reader would write it, if it is short; else empty."""
    if isinstance(value, (bool, str)):
        return repr(value)
    if isinstance(value, (int, float)):
        return f"{value:.4g}"
    if isinstance(value, (Tensor, np.ndarray)):
        size = value.numel() if isinstance(value, Tensor) else value.size
        if not 0 < size <= 8:
            return ""
        numbers = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
        if numbers.dtype.kind == "f":
            numbers = numbers.astype(float).round(3)  # float32 rounded would end in 0.30000001192092896
        return str(numbers.tolist())
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        parts = [shown(each) for each in value]
        return f"[{', '.join(parts)}]" if all(parts) else ""
    return ""
