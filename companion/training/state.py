"""The state of a run as flat named tensors, which is what a safetensors file can hold."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def collect(modules: Mapping[str, nn.Module], optimisers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    """Weights, buffers and optimiser slots under dotted names. Rates and decays are settings, not state."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for index, slots in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{slot}": value for slot, value in slots.items()}
    return tensors


def restore(
    tensors: Mapping[str, Tensor], modules: Mapping[str, nn.Module], optimisers: Mapping[str, Optimizer]
) -> None:
    """Put back what `collect` gave.

    Raises:
        ValueError: An optimiser's slot has another shape than its parameter: the fused kernels trust them blindly, and
            would write outside the tensor.
    """
    for name, module in modules.items():
        module.load_state_dict(_below(name, tensors))
    for name, optimiser in optimisers.items():
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(name, tensors).items():
            index, slot = key.split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        for place, of_one in slots.items():
            for slot, value in of_one.items():
                if value.shape != (() if slot == "step" else parameters[place].shape):
                    raise ValueError(f"{name}.{place}.{slot} has the shape {tuple(value.shape)}")
        optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
        for parameter, loaded in optimiser.state.items():
            loaded |= {slot: _laid_out_like(parameter, value) for slot, value in loaded.items()}


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """A copy in the parameter's memory layout: the fused optimisers walk both side by side, whatever the strides."""
    same = parameter.shape == value.shape
    return (torch.empty_like(parameter, dtype=value.dtype) if same else torch.empty_like(value)).copy_(value)


def _below(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
