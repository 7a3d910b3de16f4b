"""The one loop behind every GAN of the course (chapter 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from companion.models.evaluating import evaluating
from companion.objectives import Objective, mixes_batch
from companion.randomness import drawing
from companion.training.player import Player, Workshop
from companion.training.second_order import second_order
from companion.training.trainer import Batches, Report, Trainer


@runtime_checkable
class OwnPrior(Protocol):
    """A generator whose latents are not drawn from a standard normal."""

    def draw_latents(self, count: int, device: torch.device, /) -> Tensor:
        """Latents `(count, latents)` from torch's current random state."""


@dataclass(frozen=True)
class GANReport(Report):
    """What one generator step did. Losses and scores are batch means; `trainer` gives access to the networks."""

    trainer: "AdversarialTrainer" = field(repr=False, compare=False)

    @property
    def critic_loss(self) -> float:
        """The critic's, without the penalty."""
        return self.numbers["critic_loss"]

    @property
    def generator_loss(self) -> float:
        """The generator's, whatever is added to the critic's word included."""
        return self.numbers["generator_loss"]

    @property
    def penalty(self) -> float:
        """0 where the objective has none."""
        return self.numbers["penalty"]

    @property
    def real_score(self) -> float:
        """Mean raw score of the last real batch."""
        return self.numbers["real_score"]

    @property
    def fake_score(self) -> float:
        """Mean raw score of the fakes beside it."""
        return self.numbers["fake_score"]


class Told(nn.Module):
    """A critic for images alone, which has been told the rest: what a penalty differentiates."""

    def __init__(self, critic: nn.Module, told: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.critic, self.told = critic, told

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        scores: Tensor = self.critic(images, *self.told)
        return scores


class AdversarialTrainer(Trainer[Any]):
    """Trains a generator against a critic under an objective.

    A step is one of the generator's, after `objective.critic_steps` of the critic's, each on a batch of its own.

    Args:
        generator: Latents `(N, generator.latents)` to images; evaluated through its moving average, in eval mode.
        critic: Images to scores `(N,)`.
        objective: The two losses and all that goes with them.
        seed: Fixes latents, penalties, dropout and fixed samples; the weights were drawn before, by the caller.
        workshop: Where and how the networks are trained. Compiled networks are compiled for all but the penalty's
            pass, which needs second derivatives that the compiler refuses.
        ema_decay: Decay of the generator's exponential moving average; 0 keeps the live weights.
        generator_rate: Learning rate instead of the objective's own; likewise `critic_rate`.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        objective: Objective,
        *,
        seed: int,
        workshop: Workshop | None = None,
        ema_decay: float = 0.999,
        generator_rate: float | None = None,
        critic_rate: float | None = None,
    ) -> None:
        objective.check(critic)
        workshop = workshop or Workshop()
        optimising = partial(self._optimising, objective, generator_rate)
        judging = partial(objective.optimiser, learning_rate=critic_rate)
        players = {
            "generator": Player(generator, optimising, workshop, ema_decay=ema_decay),
            "critic": Player(critic, judging, workshop),
        }
        super().__init__(players, workshop, seed=seed)
        self.generator, self.critic = generator, critic
        self.objective = objective
        self.latents: int = getattr(generator, "latents", 0)  # none where it draws from images
        self._one_pass = not mixes_batch(critic)
        self._turn = 0  # within the step: the critic's come first, the generator's last

    def one_step(self, batches: Batches[Any]) -> Mapping[str, Tensor]:
        """Train the critic on its batches, then the generator on the last of them."""
        turns = self.objective.critic_steps
        for self._turn in range(turns):
            batch = self.take(batches[self.step * turns + self._turn])
            numbers = self._critic_step(batch)
        self._turn = turns
        return {**numbers, "generator_loss": self._generator_step(batch)}

    def report(self, numbers: Mapping[str, float]) -> GANReport:
        """The report of the step just made."""
        return GANReport(self.step, numbers, trainer=self)

    def products(self) -> Mapping[str, nn.Module]:
        """The averaged generator."""
        return {"generator": self.players["generator"].best}

    def _optimising(self, objective: Objective, rate: float | None, parameters: Any) -> torch.optim.Optimizer:
        """The generator's optimiser: here the objective's."""
        return objective.optimiser(parameters, rate)

    def _critic_step(self, batch: Any) -> dict[str, Tensor]:
        real = self._real(batch)
        fake = self._fakes(batch).to(real.dtype)
        told = self._told(batch)
        real_scores, fake_scores = self._scores(real, fake, told)
        loss = self.objective.critic_loss(real_scores, fake_scores)
        penalty = self._penalty(real, fake, told)
        self.learn(loss if penalty is None else loss + penalty, self.players["critic"])
        self.objective.constrain(self.critic)
        return {
            "critic_loss": loss,
            "penalty": torch.zeros_like(loss) if penalty is None else penalty,
            "real_score": real_scores.mean(),
            "fake_score": fake_scores.mean(),
        }

    def _penalty(self, real: Tensor, fake: Tensor, told: tuple[Tensor, ...]) -> Tensor | None:
        drawn = self.drawing("penalty", self.step * self.objective.critic_steps + self._turn)
        jointly = self.workshop.processes.drawing_jointly(self._joined)
        with drawn, jointly, self.workshop.autocast(), second_order():
            return self.objective.penalty(Told(self.critic, told), real, fake)

    def _real(self, batch: Any) -> Tensor:
        """The images of a batch that the critic is to call real: here all of it."""
        images: Tensor = batch
        return images

    def _inputs(self, batch: Any) -> Tensor:
        """What the generator draws from, for as many images as the batch holds: here fresh latents."""
        with self.drawing("latents", self.step * (self.objective.critic_steps + 1) + self._turn):
            return self.workshop.processes.part(self.draw_latents(self._joined))

    def _told(self, batch: Any) -> tuple[Tensor, ...]:
        """What both networks are told of each image of the batch, such as its class: here nothing."""
        return ()

    def _told_of_samples(self, count: int) -> tuple[Tensor, ...]:
        """Likewise, of so many samples."""
        return ()

    def _further_loss(self, drawn: Tensor, batch: Any) -> Tensor | None:
        """What is added to the generator's loss besides the critic's word; here nothing."""
        return None

    def _fakes(self, batch: Any) -> Tensor:
        """Images for the critic to learn from, cut off from the generator, whose gradients they must not reach."""
        with torch.no_grad():
            fakes: Tensor = self.players["generator"](self._inputs(batch), *self._told(batch))
        return fakes

    def _scores(self, real: Tensor, fake: Tensor, told: tuple[Tensor, ...] = ()) -> tuple[Tensor, Tensor]:
        """Scores of both, in one pass unless batch normalisation would then mix real with fake."""
        critic = self.players["critic"]
        if self._one_pass:
            twice = [torch.cat([each, each]) for each in told]
            real_scores, fake_scores = critic(torch.cat([real, fake]), *twice).chunk(2)
        else:
            real_scores, fake_scores = critic(real, *told), critic(fake, *told)
        return real_scores.float(), fake_scores.float()

    def _generator_step(self, batch: Any) -> Tensor:
        generator, critic = self.players["generator"], self.players["critic"]
        told = self._told(batch)
        with critic.still():
            drawn = generator(self._inputs(batch), *told)
            loss = self.objective.generator_loss(critic(drawn, *told).float())
            further = self._further_loss(drawn, batch)
            if further is not None:
                loss = loss + further
            self.learn(loss, generator)
        return loss

    @property
    def average(self) -> AveragedModel:
        """The generator with averaged weights."""
        average = self.players["generator"].average
        assert average is not None
        return average

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
            inputs = self.draw_latents(count), *self._told_of_samples(count)
            parts = zip(*(torch.split(each, batch) for each in inputs), strict=True)
            images = torch.cat([model(*part).float().cpu() for part in parts])
        return images.contiguous()

    def preview(self) -> Tensor:
        """The same 64 latents at every step."""
        return self.sample(64)
