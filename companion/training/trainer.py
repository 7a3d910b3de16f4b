"""What every training of the course is: steps that can be counted, reported, stopped, stored and taken up again.

A run folder, a progress bar, a plot and a record know this protocol and nothing of what is trained. The loop is an
iterator, so a notebook can draw, a command can show a bar and a test can stop after two steps, all without callbacks.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.randomness import drawing
from companion.training.player import Player, Workshop, learn

Item = TypeVar("Item")
Given = TypeVar("Given", covariant=True)


class Batches(Protocol[Given]):
    """Endless training data with random access: `batches[i]` is the i-th batch, the same whenever it is asked for."""

    def __getitem__(self, index: int, /) -> Given:
        """Batch number `index`."""


@dataclass(frozen=True)
class Report:
    """What one step did: named numbers, means over its batch."""

    step: int  # counted from 1
    numbers: Mapping[str, float]

    @property
    def finite(self) -> bool:
        """Whether every number is finite; a run with a NaN cannot recover."""
        return all(map(math.isfinite, self.numbers.values()))

    @property
    def line(self) -> str:
        """The losses in one short line, for progress bars and titles."""
        losses = {name: value for name, value in self.numbers.items() if name.endswith("loss")}
        return ", ".join(
            f"{name.removesuffix('_loss').replace('_', ' ')} {value:.3f}" for name, value in losses.items()
        )


class Trainer(ABC, Generic[Item]):
    """The protocol, with all that does not depend on what is trained.

    Everything random is a function of (seed, purpose, index), and batch i one of (seed, i): so a resumed run repeats
    the uninterrupted one bit for bit, nothing shares its numbers with anything else, and the reader's own are left
    alone.

    Args:
        players: The networks that learn, by name.
        workshop: Where and how they are trained.
        seed: Fixes all that is drawn while training; the weights were drawn before, by the caller.
    """

    def __init__(self, players: Mapping[str, Player], workshop: Workshop, *, seed: int) -> None:
        self.players = dict(players)
        self.workshop = workshop
        self.seed = seed
        self.step = 0  # steps made
        self._joined = 0  # items of the batch at hand, over all processes
        self._share = 1.0  # the part of them that this process has

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.workshop.device

    def run(self, batches: Batches[Item], *, steps: int) -> Iterator[Report]:
        """Train until `steps` steps have been made in all, yielding a report after each.

        Args:
            batches: The data; which of them a step takes follows from its number.
            steps: The step to stop at, counted from the run's beginning, so a resumed run is asked the same.

        Raises:
            CompanionError: A number is no longer finite; the message names the step.
        """
        for player in self.players.values():
            player.network.train()
        while self.step < steps:
            with self.drawing("dropout", rank=self.workshop.processes.rank):
                numbers = self.one_step(batches)
            self.step += 1
            report = self.report(self._transferred(numbers))
            if not report.finite:
                raise CompanionError(
                    f"A loss became {report.line} at step {report.step}, and training cannot recover from that; "
                    "lower the learning rates or choose another objective."
                )
            yield report

    @abstractmethod
    def one_step(self, batches: Batches[Item]) -> Mapping[str, Tensor]:
        """Make step number `self.step`, counted from 0; returns its numbers, means over the batch, as scalars."""

    @abstractmethod
    def products(self) -> Mapping[str, nn.Module]:
        """The models that a finished run leaves, by the names of their files."""

    def preview(self) -> Tensor | None:
        """What a run's sample grids show, `(N, C, H, W)`, eight images a row; None where there is nothing to see."""
        return None

    def report(self, numbers: Mapping[str, float]) -> Report:
        """The report of the step just made."""
        return Report(self.step, numbers)

    def state(self) -> dict[str, Tensor]:
        """All that a run is, as flat named tensors."""
        tensors = {"step": torch.tensor(self.step)}
        for name, player in self.players.items():
            tensors |= {f"{name}.{key}": value for key, value in player.state().items()}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state that `state` gave; random numbers and data follow from the step alone.

        Raises:
            LookupError, RuntimeError, ValueError: It is not the state of such a trainer.
        """
        for name, player in self.players.items():
            below = f"{name}."
            player.restore(
                {key.removeprefix(below): value for key, value in tensors.items() if key.startswith(below)}
            )
        self.step = int(tensors["step"])

    # ---- for those who write a step ----

    def take(self, batch: Any) -> Any:
        """This process's slice of a batch, on the device; from now on, losses count as means over it."""
        self._joined = len(batch)
        own = self.workshop.processes.part(batch)
        self._share = len(own) / len(batch)
        return self.workshop.bring(own)

    def learn(self, loss: Tensor, *players: Player) -> None:
        """One step of these players down a loss, a mean over the batch at hand."""
        learn(loss, *players, share=self._share)

    def drawing(
        self, purpose: str, index: int | None = None, *, rank: int = 0
    ) -> AbstractContextManager[None]:
        """Inside, torch's random numbers are those of this purpose, by default in this step."""
        number = self.step if index is None else index
        return drawing(self.seed, purpose, number, rank, device=self.device)

    def _transferred(self, numbers: Mapping[str, Tensor]) -> dict[str, float]:
        """All numbers in one transfer, so that a GPU waits once a step; over several processes, their weighted sum."""
        found = [number.detach().float().to(self.device) for number in numbers.values()]
        joined = torch.stack(found) * self._share
        self.workshop.processes.add_up([joined])
        return dict(zip(numbers, joined.tolist(), strict=True))
