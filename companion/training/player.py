"""A player: a network that learns, with all that belongs to it. Here alone is `backward` called.

A GAN has two players, a translation between two sets of pictures four or more, an autoencoder and a classifier one.
Whatever trains them says which loss is whose; how a step is made (precision, compiled or not, averaged or not, in one
process or in several) is the player's business.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from companion.environment import pick_device
from companion.randomness import CPU
from companion.training import state
from companion.training.processes import ALONE, Processes, together

Optimising = Callable[[Iterable[nn.Parameter]], Optimizer]


@dataclass(frozen=True)
class Workshop:
    """Where and how networks are trained: what changes the speed and the last digits of a run, and nothing else."""

    device: torch.device = CPU
    precision: torch.dtype = (
        torch.float32
    )  # bfloat16 runs the networks under autocast; losses stay in float32
    channels_last: bool = False  # memory layout, faster on most processors for images
    compiled: bool = False
    processes: Processes = ALONE

    def autocast(self) -> torch.autocast:
        """Runs networks in the workshop's precision."""
        return torch.autocast(
            self.device.type, dtype=self.precision, enabled=self.precision is not torch.float32
        )

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout of networks and images."""
        return torch.channels_last if self.channels_last else torch.preserve_format

    def bring(self, batch: Any) -> Any:
        """A tensor or a `Batch` on the device, its images in the workshop's layout. A GPU need not wait for it."""
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        flat = isinstance(batch, Tensor) and batch.dim() != 4
        layout = torch.preserve_format if flat else self.layout
        return batch.to(self.device, memory_format=layout, non_blocking=True)


def workshop(device: str, *, bfloat16: bool = False, compiled: bool = False) -> Workshop:
    """A workshop for images on the named device, with the processes that were launched for it.

    Raises:
        CompanionError: The device is not to be had.
    """
    processes, own = together(pick_device(device))
    precision = torch.bfloat16 if bfloat16 else torch.float32
    # Apple's MPS has had wrong or very slow backward passes for channels-last batch normalisation in several versions.
    return Workshop(own, precision, own.type != "mps", compiled, processes)


class Player:
    """A network, its optimiser and its moving average.

    Args:
        network: Moved to the workshop's device; its weights were drawn before, by the caller.
        optimising: Makes the optimiser from the network's parameters.
        workshop: Where and how it is trained.
        ema_decay: Decay of an exponential moving average of the weights; 0 keeps the live ones, None keeps none.
    """

    def __init__(
        self,
        network: nn.Module,
        optimising: Optimising,
        workshop: Workshop,
        *,
        ema_decay: float | None = None,
    ) -> None:
        self.workshop = workshop
        network = workshop.processes.normalising_jointly(network)
        self.network = network.to(workshop.device).to(memory_format=workshop.layout)
        self.optimiser = optimising(self.network.parameters())
        self.average = None if ema_decay is None else Average(network, ema_decay)
        self._play = torch.compile(network) if workshop.compiled else network

    def __call__(self, *inputs: Any) -> Any:
        """The network's outputs, in the workshop's precision."""
        with self.workshop.autocast():
            return self._play(*inputs)

    @property
    def best(self) -> nn.Module:
        """The averaged network where there is an average, else the live one."""
        return self.network if self.average is None else self.average.module

    @contextmanager
    def still(self) -> Iterator[None]:
        """Inside, the network lends its slope to others' losses and gets no gradients of its own, which saves them."""
        self.network.requires_grad_(False)
        try:
            yield
        finally:  # a reader may interrupt a cell anywhere, and go on in the next
            self.network.requires_grad_(True)

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        self.optimiser.zero_grad()

    def update(self) -> None:
        """A step of the optimiser along the gradients that are there, summed over all processes, and of the average."""
        self.workshop.processes.add_up(
            parameter.grad for parameter in self.network.parameters() if parameter.grad is not None
        )
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.network)

    def state(self) -> dict[str, Tensor]:
        """Weights, buffers, optimiser slots and average, as flat named tensors."""
        return state.collect(self._modules(), {"optimiser": self.optimiser})

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take up what `state` gave."""
        state.restore(tensors, self._modules(), {"optimiser": self.optimiser})

    def _modules(self) -> dict[str, nn.Module]:
        return {"network": self.network} | ({} if self.average is None else {"average": self.average})


def learn(loss: Tensor, *players: Player, share: float = 1.0) -> None:
    """One step of these players down a loss, which may be theirs together.

    Args:
        loss: A scalar, the mean over the items at hand.
        players: Whose weights follow it.
        share: The part of the joined batch that these items are; 1 in a single process.
    """
    for player in players:
        player.clear()
    (loss if share == 1.0 else loss * share).backward()  # type: ignore[no-untyped-call]
    for player in players:
        player.update()


class Average(AveragedModel):
    """An exponential moving average of a network, whose decay grows: `min(decay, (1 + n) / (10 + n))` at update n.

    Without the warm-up a short run would still carry its random first weights (TensorFlow's `num_updates` rule). The
    first update takes the weights as they are; running statistics are always the network's own. The updates are
    counted on the host: torch's class asks the device for the count, and each step would wait for it twice.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__(network)
        self.decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take in the network's weights after a step."""
        updates = int(self.n_averaged)
        kept = min(self.decay, (1 + updates) / (10 + updates)) if updates else 0.0
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), 1 - kept)
        for own, live in zip(self.module.buffers(), model.buffers(), strict=True):
            own.copy_(live)
        self.n_averaged += 1
