"""Networks that learn to carry a colour from one place of a picture to another (chapter 7)."""

from functools import partial

import torch
from torch import Tensor, nn

from companion.data.carrying import Carrying
from companion.training.player import Player, workshop
from companion.training.progress import progress
from companion.training.supervised import Rounds, SupervisedTrainer

SEED, BATCH = 1, 32


def taught(network: nn.Module, lessons: int, *, side: int, device: torch.device) -> None:
    """Teach a network the task, in place, on new pictures in each of so many steps.

    Args:
        network: From pictures `(N, 5, side, side)` to colours `(N, 3, side, side)`.
        lessons: Steps, of 32 pictures each.
        side: Of the pictures.
        device: Where.
    """
    rounds = Rounds(BATCH * lessons, SEED, batch=BATCH)
    trainer = SupervisedTrainer(
        "carrier",
        network,
        partial(_loss, side),
        rounds=1,
        per_round=lessons,
        seed=SEED,
        workshop=workshop(device.type),
    )
    for _ in progress(trainer.run(rounds, steps=lessons), total=lessons, label="carrying"):
        pass


def _loss(side: int, player: Player, items: Tensor) -> Tensor:
    drawn = Carrying.drawn(len(items), side)
    answers: Tensor = player(player.workshop.bring(drawn.pictures))
    return drawn.errors(answers.float()).mean()
