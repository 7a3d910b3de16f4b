"""The loop behind every network of the course that is trained on labels alone: rounds over a set, resumable."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from companion.models.store import read_tensors, write_tensors
from companion.randomness import drawing, generator
from companion.training import state

RATE = 2e-3
BATCH = 128


def train_rounds(
    model: nn.Module,
    loss: Callable[[Tensor], Tensor],
    count: int,
    *,
    rounds: int,
    seed: int,
    checkpoint: Path,
    batch: int = BATCH,
) -> Iterator[int]:
    """Train a model in place with AdamW and a cosine rate, a fresh seeded order each round.

    Args:
        model: What learns; its weights were drawn by the caller.
        loss: From the numbers of a batch's items, `(batch,)`, to the loss, a scalar; may draw random numbers.
        count: Number of items in the set.
        rounds: How often to go through it.
        seed: Fixes the order and what `loss` and dropout draw.
        checkpoint: Keeps each round's state, so that a second call goes on where the first was stopped.
        batch: Items a step.

    Yields:
        The number of rounds made, after each; a finished training yields once more.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    done = 0
    if checkpoint.is_file():
        tensors, about = read_tensors(checkpoint)
        state.restore(tensors, {"model": model}, {"optimiser": optimiser})
        done = int(about["rounds"])
        yield done
    for number in range(done, rounds):
        model.train()
        order = torch.randperm(count, generator=generator(seed, "order of the images", number))
        chunks = torch.split(order, batch)
        for index, chosen in enumerate(chunks):
            share = (number + index / len(chunks)) / rounds
            optimiser.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * share)) / 2
            with drawing(seed, "shifts and dropout", number * len(chunks) + index):
                value = loss(chosen)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        tensors = state.collect({"model": model}, {"optimiser": optimiser})
        write_tensors(checkpoint, tensors, {"rounds": str(number + 1)})
        yield number + 1


def shifted(images: Tensor, *, value: float) -> Tensor:
    """The batch `(N, C, H, W)` moved by up to two pixels each way; what comes in has this value."""
    height, width = images.shape[2:]
    down, right = (int(shift) for shift in torch.randint(-2, 3, (2,)))
    padded = nn.functional.pad(images, (2, 2, 2, 2), value=value)
    return padded[:, :, 2 + down : 2 + down + height, 2 + right : 2 + right + width]
