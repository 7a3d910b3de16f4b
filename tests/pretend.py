"""A device test without a device: inside `pretending`, tensors claim to be elsewhere and refuse what they would there.

Everything is computed on the CPU, forwards and backwards alike. What is “on the card” is known by its memory, so views,
`Parameter.data` and in-place operations carry the claim along. Refused: tensors in two places in one operation, a
generator of another place, `.numpy()` without `.cpu()`, autocast for the CPU, and float64 where the device has none.

`waits` lists where the program had to wait for the card: for a number or a mask that it computed, and for a copy in
either direction, unless it was asked for without waiting and from pinned memory.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map_only

MOVES = {"to", "cpu", "cuda"}
# may name tensors of two places: copies, and what asks another tensor for its shape alone
CROSSES = {"copy_", "__setitem__", "__set__", "_has_compatible_shallow_copy_type", "view_as", "expand_as"}
# give the program a number or a size that only the card knows
ASKS = {"item", "tolist", "__bool__", "__int__", "__float__", "__index__", "is_nonzero", "equal", "allclose"}
ASKS |= {"nonzero", "argwhere", "unique", "masked_select", "bincount"}
PLACES = {"device", "is_cuda", "is_mps", "is_cpu", "get_device"}  # how a tensor is asked where it is


class Elsewhere(TorchFunctionMode):
    """See the module; `kind` is “cuda” or “mps”."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.card: dict[int, Any] = {}  # memory on the card; kept alive, so that no address is used twice
        self.pinned: dict[int, Any] = {}  # memory of the CPU that the card can copy from while it works
        self.waits: list[str] = []

    def holds(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self.card

    def put(self, tensor: Tensor) -> Tensor:
        if self.kind == "mps" and tensor.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64, which the device does not have.")
        storage = tensor.untyped_storage()
        self.card[storage._cdata] = storage
        return tensor

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        getter = getattr(func, "__name__", "") == "__get__"
        name = getattr(func.__self__, "__name__", "") if getter else getattr(func, "__name__", "")
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        here = [self.holds(tensor) for tensor in tensors]
        if (getter and name in PLACES) or name == "get_device":
            return self._place(name, args[0], func)
        if name == "pin_memory":
            return self._pin(args[0])
        if name in MOVES:
            return self._move(name, args, kwargs)
        if name in CROSSES:
            if name in ("copy_", "__setitem__") and len(set(here)) == 2:
                self._wait(name)
            return func(*args, **kwargs)  # into memory that stays where it is
        wanted = self._asked_for(kwargs)
        if "device" in kwargs and kwargs["device"] is not None:
            kwargs["device"] = "cpu"
        if name in ("numpy", "__array__", "__dlpack__") and any(here):
            raise TypeError(f"can't convert {self.kind}:0 device type tensor to numpy; use .cpu() first")
        on_card = wanted if wanted is not None else any(here)
        if (draw := kwargs.get("generator")) is not None and on_card and draw.device.type == "cpu":
            raise RuntimeError(f"Expected a '{self.kind}' device type for generator but found 'cpu'")
        if any(here):
            self._refuse_mixing(name, func, tensors, here)
            if torch.is_autocast_enabled("cpu"):
                raise RuntimeError(f"autocast for the CPU around {name} on {self.kind}")
            if name in ASKS or (name == "__getitem__" and self._waits_for_index(tensors, here)):
                self._wait(name)
        elif on_card and name in ("tensor", "as_tensor"):
            self._wait(name)  # what the program knows is copied over
        result = func(*args, **kwargs)
        if on_card:
            tree_map_only(Tensor, self.put, result)
        return result

    def _place(self, name: str, tensor: Tensor, func: Any) -> Any:
        if not self.holds(tensor):
            return func(tensor)
        answers = {"device": torch.device(self.kind, 0), "get_device": 0}
        return answers.get(name, name == f"is_{self.kind}")

    def _asked_for(self, kwargs: dict[str, Any]) -> bool | None:
        device = kwargs.get("device")
        return None if device is None else torch.device(device).type == self.kind

    def _move(self, name: str, args: Any, kwargs: Any) -> Tensor:
        tensor = args[0]
        given = [*args[1:], *kwargs.values()] if name == "to" else [name]
        kinds = [torch.device(x).type for x in given if isinstance(x, (str, torch.device))]
        kinds += [self.kind if self.holds(x) else "cpu" for x in given if isinstance(x, Tensor)]
        there = kinds[0] == self.kind if kinds else self.holds(tensor)
        dtypes = [
            x.dtype if isinstance(x, Tensor) else x for x in given if isinstance(x, (torch.dtype, Tensor))
        ]
        options = {key: kwargs[key] for key in ("memory_format",) if key in kwargs}
        changed = tensor.to(*dtypes[:1], **options) if dtypes or options else tensor
        if self.holds(tensor) and changed is not tensor:
            self.put(changed)  # the type changes before the place: no float64 there
        if there == self.holds(tensor):
            return changed
        freely = kwargs.get("non_blocking", False) and (self.kind == "mps" or self._is_pinned(tensor))
        if not (there and freely):
            self._wait(name)
        return self.put(changed.clone()) if there else changed.clone()

    def _pin(self, tensor: Tensor) -> Tensor:
        if self.kind != "cuda" or self.holds(tensor):
            raise RuntimeError("only memory of the CPU can be pinned, and for CUDA alone")
        pinned = tensor.clone()
        self.pinned[pinned.untyped_storage()._cdata] = pinned.untyped_storage()
        return pinned

    def _is_pinned(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self.pinned

    def _waits_for_index(self, tensors: list[Tensor], here: list[bool]) -> bool:
        """A mask on the card has to be counted, and an index on the CPU copied over."""
        indices = list(zip(tensors, here, strict=True))[1:]
        return any(not on or index.dtype is torch.bool for index, on in indices)

    def _wait(self, name: str) -> None:
        """Remember the line of the package, or else of the test, that waits."""
        frame: Any = sys._getframe()
        while frame.f_back and Path(frame.f_code.co_filename).parts[-2:-1] == ("tests",):
            frame = frame.f_back
        while frame.f_back and "companion" not in Path(frame.f_code.co_filename).parts:
            frame = frame.f_back
        self.waits.append(f"{name} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}")

    def _refuse_mixing(self, name: str, func: Any, tensors: list[Tensor], here: list[bool]) -> None:
        indexing = name in ("__getitem__", "index_select") and here[0]  # indices may stay on the CPU
        astray = [
            t for t, on in zip(tensors, here, strict=True) if not on and (t.dim() or name in ("cat", "stack"))
        ]
        if astray and not indexing:
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {resolve_name(func) or name} found one of shape "
                f"{tuple(astray[0].shape)} on cpu and others on {self.kind}:0"
            )


@contextmanager
def pretending(kind: str) -> Iterator[Elsewhere]:
    """Inside, `device=kind` and `.to(kind)` work as if there were such a device; numbers are drawn as on the CPU."""
    drawing = mock.patch("torch.mps._get_default_mps_generator", return_value=torch.default_generator)
    with drawing, Elsewhere(kind) as mode:
        yield mode
