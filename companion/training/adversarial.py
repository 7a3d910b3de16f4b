"""The one loop behind every GAN of the course (chapter 1).

The loop is an iterator, so a notebook can draw, a command can show a bar and a test can stop after two steps, all
without callbacks. Everything random is a function of (seed, purpose, index), the purpose being latents, penalty or
dropout, and batch i one of (seed, i): so a resumed run repeats the uninterrupted one bit for bit, nothing shares its
numbers with anything else, and the reader's own are left alone.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from companion.errors import CompanionError
from companion.models.modes import evaluating
from companion.objectives import Objective, mixes_batch
from companion.randomness import drawing
from companion.training import state
from companion.training.second_order import second_order


class Batches(Protocol):
    """Endless training data with random access: `batches[i]` is the i-th batch, the same whenever it is asked for."""

    def __getitem__(self, index: int, /) -> Any:
        """Batch number `index`, `(N, …)`."""


@runtime_checkable
class OwnPrior(Protocol):
    """A generator whose latents are not drawn from a standard normal."""

    def draw_latents(self, count: int, device: torch.device, /) -> Tensor:
        """Latents `(count, latents)` from torch's current random state."""


@dataclass(frozen=True)
class Report:
    """What one generator step did. Losses and scores are batch means; `trainer` gives access to the networks."""

    step: int  # counted from 1
    critic_loss: float  # without the penalty
    generator_loss: float
    penalty: float  # 0 where the objective has none
    real_score: float  # mean raw score of the last real batch
    fake_score: float
    trainer: "AdversarialTrainer" = field(repr=False, compare=False)

    @property
    def finite(self) -> bool:
        """Whether every number is finite; a run with a NaN cannot recover."""
        return all(map(math.isfinite, (self.critic_loss, self.generator_loss, self.penalty)))

    @property
    def line(self) -> str:
        """The losses in one short line, for progress bars and titles."""
        return f"critic {self.critic_loss:.3f}, generator {self.generator_loss:.3f}"


class AdversarialTrainer:
    """Trains a generator against a critic under an objective.

    Args:
        generator: Latents `(N, generator.latents)` to images; evaluated through its moving average, in eval mode.
        critic: Images to scores `(N,)`.
        objective: The two losses and all that goes with them.
        seed: Fixes latents, penalties, dropout and fixed samples; the weights were drawn before, by the caller.
        device: Where both networks are moved.
        precision: `torch.bfloat16` runs both networks under autocast; losses and penalty norms stay in float32.
        ema_decay: Decay of the generator's exponential moving average; 0 keeps the live weights.
        generator_rate: Learning rate instead of the objective's own; likewise `critic_rate`.
        channels_last: Memory layout of the networks. Faster on most processors for 4-dimensional data.
        compiled: Compile both networks with `torch.compile`, but for the penalty's pass, which needs second
            derivatives that the compiler refuses.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        objective: Objective,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
        ema_decay: float = 0.999,
        generator_rate: float | None = None,
        critic_rate: float | None = None,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        objective.check(critic)
        self.device = torch.device(device)
        layout = torch.channels_last if channels_last else torch.preserve_format
        self.generator = generator.to(self.device).to(memory_format=layout)
        self.critic = critic.to(self.device).to(memory_format=layout)
        self.objective = objective
        self.seed = seed
        self.precision = precision
        self.layout = layout
        self.latents: int = getattr(generator, "latents", 0)  # none where it draws from images
        self.generator_optimiser = objective.optimiser(generator.parameters(), generator_rate)
        self.critic_optimiser = objective.optimiser(critic.parameters(), critic_rate)
        self.average = AveragedModel(generator, multi_avg_fn=warmed_up_average(ema_decay))
        self.step = 0
        self._turn = 0  # within the step: the critic's come first, the generator's last
        self._one_pass = not mixes_batch(critic)
        self._draw = torch.compile(generator) if compiled else generator
        self._score = torch.compile(critic) if compiled else critic

    def run(self, batches: Batches, *, steps: int) -> Iterator[Report]:
        """Train until `steps` generator steps have been made in all, yielding a report after each.

        Args:
            batches: Real data; step n draws `objective.critic_steps` batches, at its own positions.
            steps: The step to stop at, counted from the run's beginning, so a resumed run is asked the same.

        Raises:
            CompanionError: A loss is no longer finite; the message names the step.
        """
        self.generator.train()
        self.critic.train()
        while self.step < steps:
            report = self._one_step(batches)
            if not report.finite:
                raise CompanionError(
                    f"A loss became {report.line} at step {report.step}, and training cannot recover from that; "
                    "lower the learning rates or choose another objective."
                )
            yield report

    def _one_step(self, batches: Batches) -> Report:
        critic_steps = self.objective.critic_steps
        with self._drawing("dropout", self.step):
            for self._turn in range(critic_steps):
                batch = batches[self.step * critic_steps + self._turn].to(
                    self.device, memory_format=self.layout
                )
                critic_numbers = self._critic_step(batch)
            self._turn = critic_steps
            generator_loss = self._generator_step(batch)
        self.average.update_parameters(self.generator)
        self.step += 1
        # one transfer for all the numbers, so that a GPU waits once a step
        numbers = torch.stack([*critic_numbers, generator_loss]).tolist()
        critic_loss, penalty, real_score, fake_score, generator_loss_number = numbers
        return Report(
            self.step, critic_loss, generator_loss_number, penalty, real_score, fake_score, trainer=self
        )

    def _drawing(self, purpose: str, index: int) -> AbstractContextManager[None]:
        return drawing(self.seed, purpose, index, device=self.device)

    def _critic_step(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        real = self._real(batch)
        fake = self._fakes(batch).to(real.dtype)
        real_scores, fake_scores = self._scores(real, fake)
        loss = self.objective.critic_loss(real_scores, fake_scores)
        drawn = self._drawing("penalty", self.step * self.objective.critic_steps + self._turn)
        with drawn, self._autocast(), second_order():
            penalty = self.objective.penalty(self.critic, real, fake)
        total = loss if penalty is None else loss + penalty
        self._clear(self.critic_optimiser)
        total.backward()  # type: ignore[no-untyped-call]
        self.critic_optimiser.step()
        self.objective.constrain(self.critic)
        penalty = torch.zeros_like(loss) if penalty is None else penalty.detach()
        return loss.detach(), penalty, real_scores.detach().mean(), fake_scores.detach().mean()

    def _real(self, batch: Any) -> Tensor:
        """The images of a batch that the critic is to call real: here all of it."""
        images: Tensor = batch
        return images

    def _inputs(self, batch: Any) -> Tensor:
        """What the generator draws from, for as many images as the batch holds: here fresh latents."""
        with self._drawing("latents", self.step * (self.objective.critic_steps + 1) + self._turn):
            return self.draw_latents(len(batch))

    def _further_loss(self, drawn: Tensor, batch: Any) -> Tensor | None:
        """What is added to the generator's loss besides the critic's word; here nothing."""
        return None

    def _fakes(self, batch: Tensor) -> Tensor:
        """Images for the critic to learn from, cut off from the generator, whose gradients they must not reach."""
        with torch.no_grad(), self._autocast():
            fakes: Tensor = self._draw(self._inputs(batch))
        return fakes

    def _clear(self, optimiser: Optimizer) -> None:
        optimiser.zero_grad()

    def _scores(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of both, in one pass unless batch normalisation would then mix real with fake."""
        with self._autocast():
            if self._one_pass:
                real_scores, fake_scores = self._score(torch.cat([real, fake])).chunk(2)
            else:
                real_scores, fake_scores = self._score(real), self._score(fake)
        return real_scores.float(), fake_scores.float()

    def _generator_step(self, batch: Tensor) -> Tensor:
        self.critic.requires_grad_(False)  # saves the weight gradients nobody would use
        try:
            with self._autocast():
                drawn = self._draw(self._inputs(batch))
                scores = self._score(drawn)
                further = self._further_loss(drawn, batch)
            loss = self.objective.generator_loss(scores.float())
            if further is not None:
                loss = loss + further
            self._clear(self.generator_optimiser)
            loss.backward()  # type: ignore[no-untyped-call]
            self.generator_optimiser.step()
        finally:  # a reader may interrupt a cell anywhere, and go on in the next
            self.critic.requires_grad_(True)
        return loss.detach()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, dtype=self.precision, enabled=self.precision is not torch.float32
        )

    def draw_latents(self, count: int) -> Tensor:
        """Latents from a standard normal, or the generator's own prior, from torch's current random state.

        Shape `(count, latents)`.
        """
        if isinstance(self.generator, OwnPrior):
            return self.generator.draw_latents(count, self.device)
        return torch.randn(count, self.latents, device=self.device)

    @torch.no_grad()
    def sample(self, count: int, *, seed: int | None = None, batch: int = 256, live: bool = False) -> Tensor:
        """Images from the averaged generator in eval mode, `(count, …)`, float32, on the CPU.

        The same seed gives the same latents, so samples of successive steps can be compared. `live=True` uses the
        weights as they are now instead of their moving average.
        """
        model = self.generator if live else self.average
        with evaluating(model), drawing(self.seed if seed is None else seed, "samples", device=self.device):
            latents = self.draw_latents(count)
            images = torch.cat([model(part).float().cpu() for part in torch.split(latents, batch)])
        return images.contiguous()

    def preview(self) -> Tensor:
        """What a run's sample grids show, eight images a row: the same latents at every step."""
        return self.sample(64)

    def state(self) -> dict[str, Tensor]:
        """All that a run is, as flat named tensors: weights, moving average, optimisers, step."""
        return {"step": torch.tensor(self.step), **state.collect(self._modules(), self._optimisers())}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take up a state that `state` gave; random numbers and data follow from the step alone."""
        state.restore(tensors, self._modules(), self._optimisers())
        self.step = int(tensors["step"])

    def _modules(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "critic": self.critic, "average": self.average}

    def _optimisers(self) -> dict[str, Optimizer]:
        return {"generator_optimiser": self.generator_optimiser, "critic_optimiser": self.critic_optimiser}


Tensors = tuple[Tensor, ...] | list[Tensor]


def warmed_up_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """An exponential moving average whose decay grows to `decay`: `min(decay, (1 + n) / (10 + n))` at update n.

    Without the warm-up a short run would still carry its random first weights (TensorFlow's `num_updates` rule).
    """

    def update(averages: Tensors, currents: Tensors, updates: Tensor | int) -> None:
        kept = min(decay, (1 + int(updates)) / (10 + int(updates)))
        torch._foreach_lerp_(averages, currents, 1 - kept)

    return update
