"""Training on labels alone, in rounds over a set: the classifiers and readers behind the course's measures."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from companion.randomness import generator
from companion.training.player import Player, Workshop
from companion.training.trainer import Batches, Trainer

RATE = 2e-3
BATCH = 128


@dataclass(frozen=True)
class Rounds:
    """Item numbers of a set in batches, a fresh seeded order each round; the last batch of a round may be short."""

    count: int  # items in the set
    seed: int
    batch: int = BATCH

    @property
    def per_round(self) -> int:
        """Batches in a round."""
        return -(-self.count // self.batch)

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`: item numbers, `(≤ batch,)`."""
        round_, position = divmod(index, self.per_round)
        order = torch.randperm(self.count, generator=generator(self.seed, "order of the images", round_))
        return order[position * self.batch : (position + 1) * self.batch]


class SupervisedTrainer(Trainer[Tensor]):
    """Trains one network with AdamW and a rate that falls by half a cosine.

    Args:
        name: What the network is called; its product has this name.
        model: What learns; its weights were drawn by the caller.
        loss: From the player and the numbers of a batch's items, `(N,)` on the device, to the loss, a scalar; may
            draw random numbers.
        rounds: Over how many the rate falls.
        per_round: Steps in a round.
        seed: Fixes what `loss` and dropout draw.
        workshop: Where and how it is trained.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        loss: Callable[[Player, Tensor], Tensor],
        *,
        rounds: int,
        per_round: int,
        seed: int,
        workshop: Workshop,
    ) -> None:
        player = Player(model, partial(torch.optim.AdamW, lr=RATE, weight_decay=0.01), workshop)
        super().__init__({name: player}, workshop, seed=seed)
        self.loss, self.rounds, self.per_round = loss, rounds, per_round

    def one_step(self, batches: Batches[Tensor]) -> Mapping[str, Tensor]:
        """One batch."""
        (player,) = self.players.values()
        made, within = divmod(self.step, self.per_round)
        share = (made + within / self.per_round) / self.rounds
        player.optimiser.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * share)) / 2
        chosen = self.take(batches[self.step])
        with self.drawing("shifts and dropout", rank=self.workshop.processes.rank):
            loss = self.loss(player, chosen)
        self.learn(loss, player)
        return {"loss": loss}

    def products(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {name: player.best for name, player in self.players.items()}


@dataclass(frozen=True)
class Lessons:
    """A supervised training made ready: the trainer, and what it learns from."""

    trainer: SupervisedTrainer
    batches: Rounds

    @classmethod
    def of(
        cls,
        name: str,
        model: nn.Module,
        loss: Callable[[Player, Tensor], Tensor],
        count: int,
        *,
        rounds: int,
        seed: int,
        workshop: Workshop,
    ) -> "Lessons":
        """So many rounds over a set of `count` items; the rest is as `SupervisedTrainer` takes it."""
        batches = Rounds(count, seed)
        trainer = SupervisedTrainer(
            name, model, loss, rounds=rounds, per_round=batches.per_round, seed=seed, workshop=workshop
        )
        return cls(trainer, batches)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.trainer.rounds * self.trainer.per_round


def shifted(images: Tensor, *, value: float) -> Tensor:
    """The batch `(N, C, H, W)` moved by up to two pixels each way; what comes in has this value."""
    height, width = images.shape[2:]
    down, right = (int(shift) for shift in torch.randint(-2, 3, (2,)))
    padded = nn.functional.pad(images, (2, 2, 2, 2), value=value)
    return padded[:, :, 2 + down : 2 + down + height, 2 + right : 2 + right + width]
