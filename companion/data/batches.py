"""What a batch holds when it is more than images: pairs, two domains, labels. Row n of each tensor belongs together.

A batch is handled like the plain tensor it stands in for: `len`, `batch[:4]`, `to(device)`, `split`, `part`, `joined`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Tensor

Some = TypeVar("Some", bound="Batch")


@dataclass(frozen=True)
class Batch:
    """Tensors of equal length. Kinds of batches name them as their fields."""

    def __post_init__(self) -> None:
        if len({len(tensor) for tensor in self.tensors}) > 1:
            lengths = ", ".join(f"{field.name} {len(getattr(self, field.name))}" for field in fields(self))
            raise ValueError(f"A {type(self).__name__} has tensors of different lengths: {lengths}.")

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The fields in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self: Some, index: slice | Tensor | Sequence[int] | Sequence[bool]) -> Some:
        """The chosen rows, as a batch of their own."""
        return self._each(lambda tensor: tensor[index])

    def to(
        self: Some,
        device: torch.device | str,
        memory_format: torch.memory_format = torch.preserve_format,
        *,
        non_blocking: bool = False,
    ) -> Some:
        """The batch on a device, its images `(N, C, H, W)` in a memory layout."""
        return self._each(
            lambda tensor: tensor.to(
                device,
                memory_format=memory_format if tensor.dim() == 4 else torch.preserve_format,
                non_blocking=non_blocking,
            )
        )

    def pin_memory(self: Some) -> Some:
        """The batch in memory that a GPU can copy from while it works."""
        return self._each(lambda tensor: tensor.pin_memory())

    def split(self: Some, size: int) -> list[Some]:
        """Batches of `size` in turn, the last perhaps smaller."""
        return [self[first : first + size] for first in range(0, len(self), size)]

    def part(self: Some, rank: int, world: int) -> Some:
        """The slice of one of `world` processes; the first are longer by one where it does not come out even."""
        return self._each(lambda tensor: torch.tensor_split(tensor, world)[rank])

    @classmethod
    def joined(cls: type[Some], batches: Sequence[Some]) -> Some:
        """Several batches as one, in their order."""
        return cls(*(torch.cat(column) for column in zip(*(batch.tensors for batch in batches), strict=True)))

    def _each(self: Some, change: Callable[[Tensor], Tensor]) -> Some:
        return type(self)(*map(change, self.tensors))


@dataclass(frozen=True)
class Pair(Batch):
    """What a network is given and what it should make of it: a blurred photograph and the sharp one."""

    input: Tensor  # (N, C, H, W) in [−1, 1]
    target: Tensor  # likewise


@dataclass(frozen=True)
class Domains(Batch):
    """Images of two sets that have nothing to do with each other, as many of one as of the other."""

    a: Tensor  # (N, C, H, W) in [−1, 1]
    b: Tensor  # likewise


@dataclass(frozen=True)
class Labelled(Batch):
    """Images with the class of each, for models that are told what to draw."""

    images: Tensor  # (N, C, H, W) in [−1, 1]
    labels: Tensor  # (N,), int64
