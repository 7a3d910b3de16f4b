"""Training of the digit classifier that serves as chapter 1's feature extractor."""

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.modes import evaluating
from companion.models.store import read_tensors, write_tensors
from companion.randomness import mixed_seed, step_randomness
from companion.training import state

RATE = 2e-3
BATCH = 128


def train_classifier(
    pixels: Tensor, labels: Tensor, *, rounds: int, seed: int, checkpoint: Path
) -> Iterator[tuple[int, DigitClassifier]]:
    """Train on images `(N, 1, 32, 32)` uint8: AdamW, cosine rate, label smoothing 0.05, shifts of up to two pixels.

    Yields the number of rounds made and the model after each round. Every round's state is kept in `checkpoint`, so
    a second call goes on where the first was stopped; a finished one yields once more.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = DigitClassifier(DigitClassifierConfig())
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    done = 0
    if checkpoint.is_file():
        tensors, about = read_tensors(checkpoint)
        state.restore(tensors, {"model": model}, {"optimiser": optimiser})
        done = int(about["rounds"])
        yield done, model
    for number in range(done, rounds):
        _one_round(model, optimiser, pixels, labels, number=number, rounds=rounds, seed=seed)
        tensors = state.collect({"model": model}, {"optimiser": optimiser})
        write_tensors(checkpoint, tensors, {"rounds": str(number + 1)})
        yield number + 1, model


def _one_round(
    model: DigitClassifier,
    optimiser: torch.optim.Optimizer,
    pixels: Tensor,
    labels: Tensor,
    *,
    number: int,
    rounds: int,
    seed: int,
) -> None:
    model.train()
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(mixed_seed(seed, number)))
    chunks = torch.split(order, BATCH)
    with step_randomness(seed, number, torch.device("cpu")):
        for index, chosen in enumerate(chunks):
            progress = (number + index / len(chunks)) / rounds
            optimiser.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * progress)) / 2
            images = _shifted(pixels[chosen].float() / 127.5 - 1)
            loss = cross_entropy(model(images), labels[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()


@torch.no_grad()
def accuracy(model: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    """Share of images `(N, 1, 32, 32)` uint8 that get their label."""
    with evaluating(model):
        chunks = zip(torch.split(pixels, 1000), torch.split(labels, 1000), strict=True)
        right = sum(
            int((model(part.float() / 127.5 - 1).argmax(1) == wanted).sum()) for part, wanted in chunks
        )
    return right / len(labels)


def _shifted(images: Tensor) -> Tensor:
    """The batch moved by up to two pixels each way; what comes in is background."""
    down, right = (int(shift) for shift in torch.randint(-2, 3, (2,)))
    padded = nn.functional.pad(images, (2, 2, 2, 2), value=-1.0)
    return padded[:, :, 2 + down : 34 + down, 2 + right : 34 + right]
