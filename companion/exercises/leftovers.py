"""What an answer leaves behind: in its inputs, in modules, and in what all code shares (seeds, types, gradients).

Every question is put between `noted` and the list of changes it gives: what has changed is put back where that can be
done, and told in a sentence. Later cells would have gone wrong, far from the line that did it.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Restore = Callable[[], list[str]]  # puts one thing back and says what had become of it


# ---- what all code shares -------------------------------------------------------------------------------------------


@contextmanager
def kept(precision: torch.dtype, seed: int) -> Iterator[None]:
    """Inside, torch's default type is `precision` and all seeds are `seed`; outside, nothing has changed."""
    settings, randomness = _settings(), _randomness()
    try:
        torch.set_default_dtype(precision)
        _seed_all(seed)
        yield
    finally:
        _reset(settings)
        torch.set_rng_state(randomness[0])
        np.random.set_state(randomness[1])  # noqa: NPY002
        random.setstate(randomness[2])


def _randomness() -> tuple[Tensor, Any, Any]:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002


@dataclass(frozen=True)
class _Setting:
    """Something that one line changes for all code that comes after."""

    get: Callable[[], Any]
    put: Callable[[Any], object]
    told: str


def _put_errors(before: dict[str, Any]) -> None:
    np.seterr(**before)


_SETTINGS = (
    _Setting(
        torch.get_default_dtype,
        torch.set_default_dtype,
        "changes torch's default type for everybody; give the type to the tensors that need it",
    ),
    _Setting(
        torch.is_anomaly_enabled,
        torch.autograd.set_detect_anomaly,
        "leaves autograd's search for anomalies switched on; use it in a `with` block",
    ),
    _Setting(
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
        "changes for everybody which algorithms torch may use; leave that setting alone",
    ),
    _Setting(np.geterr, _put_errors, "changes NumPy's warnings for everybody; use `with np.errstate(…):`"),
    _Setting(
        sys.getrecursionlimit, sys.setrecursionlimit, "changes Python's recursion limit; leave it as it is"
    ),
)
GRADIENTS_OFF = "leaves gradients switched off for everybody; use `with torch.no_grad():`"
SEEDED = (
    "sets the seed of everybody's random numbers; leave the seed alone, or draw from a generator of your own "
    "(`torch.Generator`, `np.random.default_rng`)"
)


def _settings() -> list[Any]:
    return [setting.get() for setting in _SETTINGS]


def _reset(before: Sequence[Any]) -> list[str]:
    changed = []
    for setting, value in zip(_SETTINGS, before, strict=True):
        if setting.get() != value:
            setting.put(value)
            changed.append(setting.told)
    return changed


# ---- seeds ----------------------------------------------------------------------------------------------------------

_BLOCK = 624  # numbers that a Mersenne Twister makes at a time
_BLOCKS_FOLLOWED = 400


def _seed_all(seed: int) -> None:
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - what students' own lines draw from
    random.seed(seed)


def _keys() -> tuple[int, Any, Any]:
    """What tells where all random numbers come from: torch's seed, and the keys of NumPy's and Python's generators."""
    numpy_state: Any = np.random.get_state()  # noqa: NPY002
    return (
        torch.default_generator.initial_seed(),
        numpy_state[1],
        np.array(random.getstate()[1][:_BLOCK], np.uint32),
    )


def _reseeded(before: tuple[int, Any, Any]) -> bool:
    """Whether a generator is elsewhere than where drawing from it leads.

    Torch remembers its seed. NumPy and Python do not, so their keys are looked for among those that come after the one
    at the start; nobody draws a quarter of a million numbers from them in an answer.
    """
    seed, *keys = _keys()
    return seed != before[0] or any(_left(*pair) for pair in zip(before[1:], keys, strict=True))


def _left(before: Any, after: Any) -> bool:
    if np.array_equal(before, after):
        return False
    follower: Any = np.random.RandomState()
    follower.set_state(("MT19937", before, _BLOCK))
    for _ in range(_BLOCKS_FOLLOWED):
        follower.bytes(4 * _BLOCK)
        if np.array_equal(follower.get_state()[1], after):
            return False
    return True


# ---- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """What may be done to which inputs, by their names."""

    trains: Sequence[str] = ()  # weights, gradients and running averages may change
    averages: Sequence[str] = ()  # running averages may
    takes: Sequence[str] = ()  # given away for good: nothing is looked at


@contextmanager
def noted(names: Sequence[str], inputs: Sequence[object], rules: Rules, seed: int) -> Iterator[list[str]]:
    """Yields a list that holds, when the block has ended, what it has changed, as ends of “`f` …”.

    Args:
        names: The inputs' names.
        inputs: What the block is given: tensors, arrays, lists, modules, optimisers, whatever. Modules whose weights
            an optimiser among them holds may learn.
        rules: What else may be done to them.
        seed: Where all random numbers go on if the block has set a seed of its own.
    """
    trained = {id(weight) for each in inputs if isinstance(each, Optimizer) for weight in _held(each)}
    restores = [
        restore
        for name, given in zip(names, inputs, strict=True)
        if name not in rules.takes
        for restore in _watched(name, given, trained, rules)
    ]
    settings, keys = _settings(), _keys()
    changed: list[str] = []
    try:
        yield changed
    finally:
        if _reseeded(keys):
            changed.append(SEEDED)
            _seed_all(seed)
        changed += _reset(settings)
        for restore in restores:
            changed += restore()


def _held(optimiser: Optimizer) -> list[Tensor]:
    return [weight for group in optimiser.param_groups for weight in group["params"]]


def _watched(name: str, given: object, trained: set[int], rules: Rules) -> list[Restore]:
    if isinstance(given, Tensor):
        return [_tensor(name, given)]
    if isinstance(given, np.ndarray):
        return [_array(name, given)]
    if isinstance(given, nn.Module):
        return _module(name, given, trained, rules)
    if isinstance(given, Optimizer):
        return [_optimiser(name, given)]
    if isinstance(given, list):
        return [
            _list(name, given),
            *(part for each in given for part in _watched(name, each, trained, rules)),
        ]
    if isinstance(given, tuple):
        return [part for each in given for part in _watched(name, each, trained, rules)]
    return []


def _spoilt(name: str, copy: str) -> str:
    return f"changes its `{name}`, and whoever uses it afterwards gets other numbers; work on a copy, such as `{copy}`"


def _tensor(name: str, given: Tensor) -> Restore:
    data, was, watched, past = given.detach(), given.detach().clone(), given.requires_grad, given.grad_fn

    def restore() -> list[str]:
        if given.grad_fn is not past or (watched and not given.requires_grad):
            return [
                f"cuts its `{name}` off from autograd for everybody; `.detach()` without an underscore makes a copy"
            ]
        if _as_before(given.detach(), was):
            return []
        if not watched:  # a graph may still need what it holds now
            given.data = data.copy_(was) if data.shape == was.shape else was
        return [_spoilt(name, f"{name}.clone()")]

    return restore


def _as_before(given: Tensor, was: Tensor) -> bool:
    """The same numbers; what was not a number still is none."""
    alike = given.shape == was.shape and given.dtype == was.dtype
    return alike and torch.allclose(given, was, rtol=0, atol=0, equal_nan=True)


def _array(name: str, given: Any) -> Restore:
    was = given.copy()

    def restore() -> list[str]:
        if given.shape == was.shape and np.array_equal(given, was):
            return []
        if given.shape == was.shape:
            given[...] = was
        return [_spoilt(name, f"{name}.copy()")]

    return restore


def _list(name: str, given: list[Any]) -> Restore:
    was = list(given)

    def restore() -> list[str]:
        if len(given) == len(was) and all(a is b for a, b in zip(given, was, strict=True)):
            return []
        given[:] = was
        return [_spoilt(name, f"list({name})")]

    return restore


def _optimiser(name: str, given: Optimizer) -> Restore:
    def settings() -> list[dict[str, Any]]:
        return [
            {key: value for key, value in group.items() if key != "params"} for group in given.param_groups
        ]

    was = settings()

    def restore() -> list[str]:
        if settings() == was:
            return []
        for group, before in zip(given.param_groups, was, strict=False):
            group.update(before)
        return [f"changes the settings of its `{name}`, such as the learning rate; leave them as they are"]

    return restore


def _module(name: str, given: nn.Module, trained: set[int], rules: Rules) -> list[Restore]:
    learns = name in rules.trains or any(id(weight) in trained for weight in given.parameters())
    restores = [_mode(name, given), _asking(name, given)]
    if learns:
        return restores
    return [*restores, _numbers(name, given, name in rules.averages), _gradients(name, given)]


def _mode(name: str, given: nn.Module) -> Restore:
    was = [(module, module.training) for module in given.modules()]

    def restore() -> list[str]:
        changed = [module for module, training in was if module.training != training]
        for module, training in was:
            module.training = training
        if not changed:
            return []
        mode, left = ("training", "evaluation") if was[0][1] else ("evaluation", "training")
        if given not in changed:
            return [
                f"leaves a layer of its `{name}` in {left} mode; remember each layer's `training` and set it back"
            ]
        return [
            f"got its `{name}` in {mode} mode and leaves it in {left} mode; remember `{name}.training` and set it back"
        ]

    return restore


def _asking(name: str, given: nn.Module) -> Restore:
    was = [(weight, weight.requires_grad) for weight in given.parameters()]

    def restore() -> list[str]:
        changed = [weight for weight, asks in was if weight.requires_grad != asks]
        for weight, asks in was:
            weight.requires_grad_(asks)
        if not changed:
            return []
        if was and not any(asks for _, asks in was):
            return [f"makes the frozen weights of its `{name}` ask for gradients again; leave them frozen"]
        return [
            f"leaves weights of its `{name}` frozen, gradients still switched off: they no longer ask for gradients "
            "and would never learn; set `requires_grad_(True)` when you are through"
        ]

    return restore


def _numbers(name: str, given: nn.Module, averages_move: bool) -> Restore:
    """Weights and running averages, of a module that is not to learn."""
    stored: dict[str, Any] = given.state_dict(keep_vars=True)
    was = [(key, value, value.detach().clone()) for key, value in stored.items() if isinstance(value, Tensor)]
    weights = {key for key, _ in given.named_parameters()}

    def restore() -> list[str]:
        now: dict[str, Any] = given.state_dict(keep_vars=True)
        changed = [
            key
            for key, value, before in was
            if now.get(key) is not value or not torch.equal(value.detach(), before)
        ]
        for key, value, before in was:
            if key in changed:
                value.data = before
        told = [key for key in changed if key in weights or not averages_move]
        if not told:
            return []
        if told[0] in weights:
            return [
                f"changes the weights of its `{name}` (`{told[0]}`); here it is only asked, and does not learn"
            ]
        return [
            f"moves the running averages of its `{name}` (`{told[0]}`): in training mode batch normalisation does so "
            "at every call; use evaluation mode, or a copy"
        ]

    return restore


def _gradients(name: str, given: nn.Module) -> Restore:
    was = [
        (weight, weight.grad, None if weight.grad is None else weight.grad.clone())
        for weight in given.parameters()
    ]

    def same(weight: Tensor, values: Tensor | None) -> bool:
        if weight.grad is None or values is None:
            empty = weight.grad if values is None else values
            return empty is None or not bool(empty.any())
        return torch.equal(weight.grad, values)

    def restore() -> list[str]:
        changed = [weight for weight, _, values in was if not same(weight, values)]
        for weight, grad, values in was:
            if grad is not None and values is not None:
                grad.detach().copy_(values)
            weight.grad = grad
        if not changed:
            return []
        return [
            f"leaves gradients in the weights of its `{name}`, where the next step would add to them; use "
            "`torch.autograd.grad`, which fills none"
        ]

    return restore
