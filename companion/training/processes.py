"""Several processes that train one network together, started by `accelerate launch` or `torchrun`.

The joined batch is drawn in every process and each takes its slice, so the data does not depend on how many there are.
Losses are means over a batch, and the joined batch's mean is the slices' means weighted by their length; so are its
gradients, which are summed over the processes before each optimiser's step. What a network computes over its batch
(normalisation) and what is drawn for it (latents, a penalty's ε) is the joined batch's too. So the losses are those of
one process, but for rounding; dropout alone differs, and is drawn for each process apart.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from companion.data.batches import Batch
from companion.errors import CompanionError

Shared = TypeVar("Shared", bound=Tensor | Batch)
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Processes:
    """One of `world` processes that work together; alone by default."""

    rank: int = 0
    world: int = 1

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def part(self, batch: Shared) -> Shared:
        """This process's slice of a joined batch; the first slices are longer by one where it does not come out even.

        Raises:
            CompanionError: There are more processes than items.
        """
        if self.world == 1:
            return batch
        if len(batch) < self.world:
            raise CompanionError(
                f"A batch of {len(batch)} cannot be shared out among {self.world} processes; choose a larger batch."
            )
        if isinstance(batch, Tensor):
            return torch.tensor_split(batch, self.world)[self.rank]  # type: ignore[return-value]
        return batch.part(self.rank, self.world)

    def add_up(self, gradients: Iterable[Tensor]) -> None:
        """Sum tensors over all processes, in place and in one message."""
        if self.world == 1:
            return
        tensors = list(gradients)
        joined = torch.cat([tensor.flatten() for tensor in tensors])
        with _speaking():
            distributed.all_reduce(joined)
        parts = torch.split(joined, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def agree(self, flag: bool) -> bool:
        """Whether the flag is up in any of the processes."""
        if self.world == 1:
            return flag
        raised = torch.tensor(float(flag))
        self.add_up([raised])
        return bool(raised)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """First the main process alone goes through the block, then all others."""
        if not self.main:
            self.agree(False)
        yield
        if self.main:
            self.agree(False)

    def drawing_jointly(self, count: int) -> AbstractContextManager[Any]:
        """Inside, `torch.rand` and `torch.randn` draw for the `count` items of the joined batch, and give a slice."""
        return nullcontext() if self.world == 1 else _DrawingJointly(self, count)

    def normalising_jointly(self, network: Network) -> Network:
        """The network with batch normalisation over the joined batch; changed in place, its weights are the same."""
        if self.world > 1:
            for parent in network.modules():
                for name, layer in parent.named_children():
                    if type(layer) in _JOINT:
                        layer.__class__ = _JOINT[type(layer)]
                        setattr(parent, name, layer)
        return network


ALONE = Processes()


def together(device: torch.device) -> tuple[Processes, torch.device]:
    """The processes that this one was launched with, connected, and the device that is this one's.

    Raises:
        CompanionError: Several were launched, and accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE, device
    try:
        from accelerate import PartialState
    except ImportError:
        raise CompanionError(
            "Several processes were launched, and they find one another through accelerate, which is not installed; "
            "install accelerate, or launch one."
        ) from None
    state = PartialState(cpu=device.type == "cpu")
    own = torch.device("cuda", state.local_process_index) if device.type == "cuda" else device
    return Processes(state.process_index, state.num_processes), own


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # whatever the back end's words: the connection is gone
        raise CompanionError(
            f"Another process of this run has ended ({str(error).splitlines()[0][:80]}); launch all with --resume."
        ) from None


class _DrawingJointly(TorchFunctionMode):
    def __init__(self, processes: Processes, count: int) -> None:
        super().__init__()
        self.processes, self.count = processes, count

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Called by torch in place of each of its functions."""
        if func in (torch.rand, torch.randn):
            return self.processes.part(func(self.count, *args[1:], **(kwargs or {})))
        return func(*args, **(kwargs or {}))


class _Sum(Function):
    """The sum of a tensor over all processes, which passes on to each the sum of all their gradients."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


class _Joint(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation whose mean and variance are those of the joined batch (as `nn.SyncBatchNorm`'s on GPUs)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        axes = [axis for axis in range(x.dim()) if axis != 1]
        count = torch.tensor([float(x.numel() // x.shape[1])], device=x.device)
        with _speaking():
            sums: Tensor = _Sum.apply(torch.cat([x.float().sum(axes), x.float().square().sum(axes), count]))
        total = sums[-1]
        mean, square = (sums[:-1] / total).chunk(2)
        variance = square - mean.square()
        with torch.no_grad():
            self.num_batches_tracked += 1
            kept = 1 - (self.momentum or 0.1)
            self.running_mean.mul_(kept).add_(mean, alpha=1 - kept)
            self.running_var.mul_(kept).add_(variance * total / (total - 1), alpha=1 - kept)
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = (1, -1, *[1] * (x.dim() - 2))
        return ((x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)).to(x.dtype)


class _Joint1d(_Joint, nn.BatchNorm1d):
    pass


class _Joint2d(_Joint, nn.BatchNorm2d):
    pass


_JOINT: dict[type[nn.Module], type[nn.Module]] = {nn.BatchNorm1d: _Joint1d, nn.BatchNorm2d: _Joint2d}
