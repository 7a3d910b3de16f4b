"""What a wrong answer has to do with the right one, where no mistake is known that gives this very answer.

A number may have the wrong sign or be twice too large; an array may be turned, or right but for its border; an
argument may have no effect. Each finding is the end of “it should be …: ”.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
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


def relation(found: Tensor, wanted: Tensor, tolerance: float) -> str:
    """In a few words what the numbers found are, seen from those wanted, of one shape; empty if nobody knows."""
    found, wanted = found.detach().double(), wanted.detach().double()
    if not bool(found.isfinite().all()) and bool(wanted.isfinite().all()):
        kind = (
            "NaN (0/0, or a root or logarithm of a negative number)"
            if bool(found.isnan().any())
            else "infinite"
        )
        place = "" if found.numel() == 1 else f", first at {_first(~found.isfinite())}"
        return f"yours is {kind}{place}"

    def is_(other: Tensor) -> bool:
        return torch.allclose(found, other, tolerance, tolerance * min(1.0, float(wanted.abs().max() or 1)))

    if float(wanted.abs().max()) > 10 * tolerance:
        if is_(-wanted):
            return "yours has the other sign"
        for factor, words in _FACTORS.items():
            if is_(factor * wanted):
                return f"yours is {words}"
            if is_(-factor * wanted):
                return f"yours is {words}, and has the other sign"
    return _turned(is_, wanted) or _changed(is_, wanted) or _partly(found, wanted, tolerance)


def _turned(is_: Callable[[Tensor], bool], wanted: Tensor) -> str:
    """The same numbers at other places."""
    for axis, length in enumerate(wanted.shape):
        if length > 1 and is_(wanted.flip(axis)):
            return f"yours is turned round along axis {axis}"
        for shift in (1, -1):
            if length > 2 and is_(wanted.roll(shift, axis)):
                return f"yours lies {'behind' if shift > 0 else 'ahead'} by one along axis {axis}"
    if wanted.dim() > 1 and wanted.shape[-1] == wanted.shape[-2] and is_(wanted.mT):
        return "in yours rows and columns are swapped"
    if wanted.dim() == 1 and len(wanted) > 2 and is_(wanted.sort().values):
        return "yours is in sorted order"
    return ""


def _changed(is_: Callable[[Tensor], bool], wanted: Tensor) -> str:
    for words, change in _SHAPES.items():
        other = change(wanted)
        if bool(other.isfinite().all()) and is_(other):
            return f"yours is {words}"
    if wanted.numel() > 2:
        if is_(wanted - wanted.mean()):
            return "yours has lost its mean"
        if is_(wanted / wanted.sum()):
            return "yours is divided by its sum"
        if is_(wanted / wanted.abs().max()):
            return "yours is divided by its largest number"
        if is_(wanted.mean().expand_as(wanted)):
            return "yours is the mean of all of them, at each place"
    return ""


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
    ask: Callable[[list[Any]], Tensor | None], names: list[str], inputs: list[Any], found: Tensor
) -> list[str]:
    """The arguments that one can change without changing the answer, and which could be tried at all.

    Args:
        ask: The answer to other inputs, or None where it fails.
        names: Of the inputs.
        inputs: As they were.
        found: The answer to them.
    """
    without_effect = []
    for place, name in enumerate(names):
        other = _another(inputs[place])
        if other is None:
            continue
        answer = ask([*inputs[:place], other, *inputs[place + 1 :]])
        if answer is None:
            continue
        if answer.shape == found.shape and torch.equal(answer.detach().double(), found.detach().double()):
            without_effect.append(name)
    return without_effect


def _another(value: Any) -> Any:
    """Another value of the same kind and size; None where nobody knows what may be put in its place."""
    if isinstance(value, float):
        return 1.37 * value + 0.11
    if isinstance(value, (Tensor, np.ndarray)) and "float" in str(value.dtype):
        size = value.numel() if isinstance(value, Tensor) else value.size
        return value * 1.31 + 0.17 * (-1.0) ** (size % 2) if size else None
    return None


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
