"""Training of the digit classifier that serves as chapter 1's feature extractor."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from companion.data.scale import from_bytes
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.modes import evaluating
from companion.randomness import drawing
from companion.training.supervised import shifted, train_rounds


def train_classifier(
    pixels: Tensor, labels: Tensor, *, rounds: int, seed: int, checkpoint: Path
) -> Iterator[tuple[int, DigitClassifier]]:
    """Train on images `(N, 1, 32, 32)` uint8: AdamW, cosine rate, label smoothing 0.05, shifts of up to two pixels.

    Yields the number of rounds made and the model after each round. Every round's state is kept in `checkpoint`, so
    a second call goes on where the first was stopped; a finished one yields once more.
    """
    with drawing(seed, "weights"):
        model = DigitClassifier(DigitClassifierConfig())

    def loss(chosen: Tensor) -> Tensor:
        images = shifted(from_bytes(pixels[chosen]), value=-1.0)
        return cross_entropy(model(images), labels[chosen], label_smoothing=0.05)

    done = train_rounds(model, loss, len(pixels), rounds=rounds, seed=seed, checkpoint=checkpoint)
    yield from ((number, model) for number in done)


@torch.no_grad()
def accuracy(model: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    """Share of images `(N, 1, 32, 32)` uint8 that get their label."""
    with evaluating(model):
        chunks = zip(torch.split(pixels, 1000), torch.split(labels, 1000), strict=True)
        right = sum(int((model(from_bytes(part)).argmax(1) == wanted).sum()) for part, wanted in chunks)
    return right / len(labels)
