"""Training of the two face readers: one that names attributes, one that tells people apart (chapters 6 and 7)."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

from companion.models.identity import FaceReader, FaceReaderConfig
from companion.models.modes import evaluating
from companion.randomness import drawing
from companion.training.supervised import shifted, train_rounds


def train_attributes(
    pixels: Tensor, labels: Tensor, *, rounds: int, seed: int, checkpoint: Path
) -> Iterator[tuple[int, FaceReader]]:
    """A classifier with one logit for each attribute, trained with binary cross-entropy.

    Args:
        pixels: `(N, 3, S, S)` uint8.
        labels: `(N, L)` bool.
        rounds: How often to go through the set.
        seed: Fixes weights, order, shifts and dropout.
        checkpoint: Keeps each round's state; see `train_rounds`.

    Yields:
        The number of rounds made, and the model.
    """
    model = _reader(labels.shape[1], pixels.shape[-1], seed)
    wanted = labels.float()

    def loss(chosen: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(outputs(model, pixels[chosen], move=True), wanted[chosen])

    done = train_rounds(model, loss, len(pixels), rounds=rounds, seed=seed, checkpoint=checkpoint)
    yield from ((number, model) for number in done)


def train_identity(
    pixels: Tensor, *, length: int = 64, rounds: int, seed: int, checkpoint: Path
) -> Iterator[tuple[int, FaceReader]]:
    """An encoder that brings pictures of the same person together, trained with `contrastive_loss`.

    Args:
        pixels: `(people, pictures, 3, S, S)` uint8, at least two pictures of each person, photographed or drawn.
        length: Length of the embedding.
        rounds: How often to go through the people, each time with two of their pictures.
        seed: Fixes weights, order, choice of pictures, shifts and dropout.
        checkpoint: Keeps each round's state; see `train_rounds`.

    Yields:
        The number of rounds made, and the model.
    """
    people, pictures = pixels.shape[:2]
    model = _reader(length, pixels.shape[-1], seed)

    def loss(chosen: Tensor) -> Tensor:
        first = torch.randint(pictures, (len(chosen),))
        second = (first + torch.randint(1, pictures, (len(chosen),))) % pictures
        both = torch.cat([pixels[chosen, first], pixels[chosen, second]])
        one, other = outputs(model, both, move=True).chunk(2)
        return contrastive_loss(one, other)

    done = train_rounds(model, loss, people, rounds=rounds, seed=seed, checkpoint=checkpoint)
    yield from ((number, model) for number in done)


def contrastive_loss(one: Tensor, other: Tensor, temperature: float = 0.1) -> Tensor:
    """Find your other picture among everybody's: cross-entropy over cosine similarities (Chen et al. 2020, equation 1).

    Only the other set's pictures are candidates, not those of one's own, unlike in the paper.

    Args:
        one: Embeddings `(N, D)` of N people; brought to length one here.
        other: Embeddings of other pictures of the same people, in the same order.
        temperature: What similarities are divided by.
    """
    similar = normalize(one, dim=1) @ normalize(other, dim=1).T / temperature
    answers = torch.arange(len(one), device=one.device)
    return (cross_entropy(similar, answers) + cross_entropy(similar.T, answers)) / 2


def outputs(model: nn.Module, pixels: Tensor, *, move: bool = False) -> Tensor:
    """The network's outputs `(N, outputs)`, float32, for bytes `(N, 3, S, S)`; moved about while it learns."""
    images = pixels.float() / 127.5 - 1
    if move:
        images = shifted(images, value=0.0)
    found: Tensor = model(images.contiguous(memory_format=torch.channels_last))
    return found


@torch.no_grad()
def read_faces(model: nn.Module, pixels: Tensor, batch: int = 500) -> Tensor:
    """Outputs `(N, outputs)` for bytes `(N, 3, S, S)`, in eval mode."""
    with evaluating(model):
        return torch.cat([outputs(model, part) for part in torch.split(pixels, batch)])


def _reader(length: int, size: int, seed: int) -> FaceReader:
    with drawing(seed, "weights"):
        return FaceReader(FaceReaderConfig(length, size)).to(memory_format=torch.channels_last)
