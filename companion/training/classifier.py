"""Training of the digit classifier that serves as chapter 1's feature extractor."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from companion.data.scale import from_bytes
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.evaluating import evaluating
from companion.randomness import drawing
from companion.training.player import Player, Workshop
from companion.training.supervised import Lessons, shifted


def digit_lessons(
    pixels: Tensor, labels: Tensor, *, rounds: int, seed: int, workshop: Workshop | None = None
) -> Lessons:
    """A classifier of images `(N, 1, 32, 32)` uint8: label smoothing 0.05, shifts of up to two pixels."""
    workshop = workshop or Workshop()
    pixels, labels = pixels.to(workshop.device), labels.to(workshop.device)
    with drawing(seed, "weights"):
        model = DigitClassifier(DigitClassifierConfig())

    def loss(player: Player, chosen: Tensor) -> Tensor:
        images = shifted(from_bytes(pixels[chosen]), value=-1.0)
        return cross_entropy(player(images), labels[chosen], label_smoothing=0.05)

    return Lessons.of("classifier", model, loss, len(pixels), rounds=rounds, seed=seed, workshop=workshop)


@torch.no_grad()
def accuracy(model: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    """Share of images `(N, 1, 32, 32)` uint8 that get their label."""
    with evaluating(model):
        chunks = zip(torch.split(pixels, 1000), torch.split(labels, 1000), strict=True)
        right = sum(int((model(from_bytes(part)).argmax(1) == wanted).sum()) for part, wanted in chunks)
    return right / len(labels)
