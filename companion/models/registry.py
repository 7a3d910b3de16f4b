"""Every model of the package, found by folder, with what goes into it and what comes out (its signature).

A module of `companion.models` says in `MODELS` what it registers; nothing else knows its name. Storing, restoring,
exporting and the site's demos read the signature and no class.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal

import torch
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.found import modules
from companion.models.configs import AnyConfig
from companion.randomness import generator

Kind = Literal["image", "latents", "vector"]
FREE = {"batch": 2, "height": 24, "width": 40}  # what a shape may leave open, and an example's choice


@dataclass(frozen=True)
class Port:
    """One tensor that goes into a model or comes out of it, float32.

    A bounded input is drawn evenly between its bounds, an unbounded one from a standard normal: for latents, that is
    their prior.
    """

    name: str
    kind: Kind
    shape: tuple[int | str, ...]  # a word, one of `FREE`, is a size that every call chooses
    low: float = -math.inf
    high: float = math.inf

    def draw(self, sizes: dict[str, int], random: torch.Generator) -> Tensor:
        """A tensor that fits, the free sizes as given."""
        shape = [sizes[size] if isinstance(size, str) else size for size in self.shape]
        if math.isinf(self.low):
            return torch.randn(shape, generator=random)
        return self.low + (self.high - self.low) * torch.rand(shape, generator=random)


def image(name: str, channels: int, size: int | None = None) -> Port:
    """Images `(batch, channels, size, size)` in [−1, 1]; of any height and width without a size."""
    sides = ("height", "width") if size is None else (size, size)
    return Port(name, "image", ("batch", channels, *sides), -1.0, 1.0)


def latents(length: int, *, uniform: bool = False) -> Port:
    """Latents `(batch, length)`, standard normal, or uniform on [0, 1]."""
    low, high = (0.0, 1.0) if uniform else (-math.inf, math.inf)
    return Port("latents", "latents", ("batch", length), low, high)


def vector(name: str, length: int) -> Port:
    """Rows of numbers without bounds, `(batch, length)`: logits, features, an embedding."""
    return Port(name, "vector", ("batch", length))


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out of it."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def prior(self) -> str | None:
        """What the model's latents are drawn from; None where it has none."""
        for port in self.inputs:
            if port.kind == "latents":
                return (
                    "standard normal" if math.isinf(port.low) else f"uniform on [{port.low:g}, {port.high:g}]"
                )
        return None

    @property
    def restores(self) -> bool:
        """Whether colour images of any size go in and come out in the same size."""
        wanted = image("", channels=3).shape
        ports = (*self.inputs, *self.outputs)
        return len(ports) == 2 and all(port.kind == "image" and port.shape == wanted for port in ports)

    def example(self, *, seed: int = 0, **sizes: int) -> tuple[Tensor, ...]:
        """Valid inputs, one tensor each, the same for the same seed; `sizes` chooses among `FREE`."""
        return tuple(
            port.draw({**FREE, **sizes}, generator(seed, "example inputs", index))
            for index, port in enumerate(self.inputs)
        )


@dataclass(frozen=True)
class Model(Generic[AnyConfig]):
    """A class of networks that can be stored and built again from its config."""

    name: str  # in files; it outlives the class's place in the package
    build: Callable[[AnyConfig], nn.Module]  # the class itself
    config: type[AnyConfig]
    signature: Callable[[AnyConfig], Signature]
    small: AnyConfig  # built in no time: what the tests run

    def example(self, config: AnyConfig, *, seed: int = 0, **sizes: int) -> tuple[Tensor, ...]:
        """Valid inputs for the network of a config; see `Signature.example`."""
        return self.signature(config).example(seed=seed, **sizes)


@cache
def models() -> dict[str, Model[Any]]:
    """Every registered model by its name."""
    found: dict[str, Model[Any]] = {}
    for module in modules("companion.models"):
        for model in getattr(module, "MODELS", ()):
            if model.name in found:
                raise ValueError(f"Two models are registered as {model.name}.")
            found[model.name] = model
    return found


def model_of(network: nn.Module) -> Model[Any]:
    """What is registered about a network's class.

    Raises:
        CompanionError: Nothing is.
    """
    for model in models().values():
        if type(network) is model.build:
            return model
    raise CompanionError(
        f"{type(network).__name__} is no registered model; add it to MODELS in its module of companion.models."
    )


def signature_of(network: nn.Module) -> Signature:
    """The signature of a network of a registered class.

    Raises:
        CompanionError: Its class is not registered.
    """
    signature: Signature = model_of(network).signature(network.config)
    return signature
