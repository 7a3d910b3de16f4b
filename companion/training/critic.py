"""A critic trained alone, between data and fakes that stand still (chapters 3 and 4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from companion.data.batches import Domains
from companion.objectives import Objective
from companion.training.player import Player, Workshop
from companion.training.second_order import second_order
from companion.training.trainer import Batches, Trainer


@dataclass(frozen=True)
class Facing:
    """Two data sets side by side: batch i of the one and batch i of the other."""

    real: Batches[Tensor]
    fake: Batches[Tensor]

    def __getitem__(self, index: int) -> Domains:
        """Both batches number `index`."""
        return Domains(self.real[index], self.fake[index])


class CriticTrainer(Trainer[Domains]):
    """Trains a critic alone; a batch is one of real points and one of fakes.

    Args:
        critic: Points `(N, …)` to scores `(N,)`; its weights were drawn before, by the caller.
        objective: Its critic loss, penalty, constraint and optimiser are used.
        seed: Fixes what the penalty draws.
        learning_rate: Instead of the objective's own.
        workshop: Where and how it is trained.
    """

    def __init__(
        self,
        critic: nn.Module,
        objective: Objective,
        *,
        seed: int,
        learning_rate: float | None = None,
        workshop: Workshop | None = None,
    ) -> None:
        objective.check(critic)
        workshop = workshop or Workshop()
        player = Player(critic, partial(objective.optimiser, learning_rate=learning_rate), workshop)
        super().__init__({"critic": player}, workshop, seed=seed)
        self.critic, self.objective = critic, objective

    def one_step(self, batches: Batches[Domains]) -> Mapping[str, Tensor]:
        """Train on the next batch of each."""
        batch = self.take(batches[self.step])
        real, fake = batch.a, batch.b
        player = self.players["critic"]
        loss = self.objective.critic_loss(player(real).float(), player(fake).float())
        jointly = self.workshop.processes.drawing_jointly(self._joined)
        with self.drawing("penalty"), jointly, self.workshop.autocast(), second_order():
            penalty = self.objective.penalty(self.critic, real, fake)
        self.learn(loss if penalty is None else loss + penalty, player)
        self.objective.constrain(self.critic)
        return {"critic_loss": loss}

    def products(self) -> Mapping[str, nn.Module]:
        """None: such critics are thrown away."""
        return {}


def critic_steps(
    critic: nn.Module,
    objective: Objective,
    real: Batches[Tensor],
    fake: Batches[Tensor],
    *,
    steps: int,
    seed: int,
    learning_rate: float | None = None,
) -> Iterator[float]:
    """Train the critic in place, yielding `−critic_loss` of each step's batches: its estimate of the distance.

    Step n draws batch n of both; the rest is as `CriticTrainer` takes it.
    """
    trainer = CriticTrainer(critic, objective, seed=seed, learning_rate=learning_rate)
    for report in trainer.run(Facing(real, fake), steps=steps):
        yield -report.numbers["critic_loss"]
