"""Training of the face readers: they name attributes, find landmarks, tell people apart (chapters 6 and 7)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    avg_pool2d,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    normalize,
)

from companion.data.scale import from_bytes
from companion.models.evaluating import evaluating
from companion.models.reader import FaceReader, FaceReaderConfig
from companion.randomness import drawing
from companion.training.player import Player, Workshop
from companion.training.supervised import Lessons, shifted


def attribute_lessons(
    pixels: Tensor, labels: Tensor, *, rounds: int, seed: int, workshop: Workshop | None = None
) -> Lessons:
    """A classifier with one logit for each attribute, trained with binary cross-entropy.

    Args:
        pixels: `(N, 3, S, S)` uint8.
        labels: `(N, L)` bool.
        rounds: How often to go through the set.
        seed: Fixes weights, order, shifts and dropout.
        workshop: Where and how it is trained; without one, on the CPU.
    """
    workshop = workshop or ON_CPU
    model = _reader(labels.shape[1], pixels.shape[-1], seed)
    pixels, wanted = pixels.to(workshop.device), labels.float().to(workshop.device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        outputs = player(_moved(pixels[chosen], workshop)).float()
        return binary_cross_entropy_with_logits(outputs, wanted[chosen])

    return Lessons.of("reader", model, loss, len(pixels), rounds=rounds, seed=seed, workshop=workshop)


def landmark_lessons(
    pixels: Tensor, points: Tensor, *, rounds: int, seed: int, workshop: Workshop | None = None
) -> Lessons:
    """A reader of landmarks, trained with absolute errors; every other batch is blurred, as autoencoders draw.

    Args:
        pixels: `(N, 3, S, S)` uint8.
        points: Their landmarks in pixels, `(N, P, 2)`.
        rounds: How often to go through the set.
        seed: Fixes weights, order and dropout.
        workshop: Where and how it is trained; without one, on the CPU.
    """
    workshop = workshop or ON_CPU
    wanted = points.flatten(1) / pixels.shape[-1] * SCALE
    model = _reader(wanted.shape[1], pixels.shape[-1], seed)
    last = model.head[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():  # begins at the mean face
        last.bias.copy_(wanted.mean(0))
    pixels, wanted = pixels.to(workshop.device), wanted.to(workshop.device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        images = from_bytes(pixels[chosen]).to(memory_format=workshop.layout)
        if torch.rand(()) < 0.5:
            images = avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        return l1_loss(player(images).float(), wanted[chosen])

    return Lessons.of("reader", model, loss, len(pixels), rounds=rounds, seed=seed, workshop=workshop)


def read_landmarks(model: nn.Module, pixels: Tensor) -> Tensor:
    """The points of faces by a trained reader, `(N, P, 2)` in pixels, for bytes `(N, 3, S, S)`."""
    return read_faces(model, pixels).view(len(pixels), -1, 2) / SCALE * pixels.shape[-1]


SCALE = 16  # of a reader's outputs: how many of them make the side of a picture


def identity_lessons(
    pixels: Tensor, *, length: int = 64, rounds: int, seed: int, workshop: Workshop | None = None
) -> Lessons:
    """An encoder that brings pictures of the same person together, trained with `contrastive_loss`.

    Args:
        pixels: `(people, pictures, 3, S, S)` uint8, at least two pictures of each person, photographed or drawn.
        length: Length of the embedding.
        rounds: How often to go through the people, each time with two of their pictures.
        seed: Fixes weights, order, choice of pictures, shifts and dropout.
        workshop: Where and how it is trained; without one, on the CPU.
    """
    workshop = workshop or ON_CPU
    people, pictures = pixels.shape[:2]
    model = _reader(length, pixels.shape[-1], seed)
    pixels = pixels.to(workshop.device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        drawn = torch.randint(pictures, (len(chosen),))
        further = torch.randint(1, pictures, (len(chosen),))
        first, second = workshop.bring(torch.stack([drawn, (drawn + further) % pictures]))
        both = torch.cat([pixels[chosen, first], pixels[chosen, second]])
        one, other = player(_moved(both, workshop)).float().chunk(2)
        return contrastive_loss(one, other)

    return Lessons.of("reader", model, loss, people, rounds=rounds, seed=seed, workshop=workshop)


ON_CPU = Workshop(channels_last=True)


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


def _moved(pixels: Tensor, workshop: Workshop) -> Tensor:
    """Bytes `(N, 3, S, S)` as images in [−1, 1], moved about as while learning."""
    return shifted(from_bytes(pixels), value=0.0).to(memory_format=workshop.layout)


@torch.no_grad()
def read_faces(model: nn.Module, pixels: Tensor, batch: int = 500) -> Tensor:
    """Outputs `(N, outputs)`, float32, on the CPU, for bytes `(N, 3, S, S)`, in eval mode, where the model is."""
    device = next(model.parameters()).device
    with evaluating(model):
        parts = []
        for part in torch.split(pixels, batch):
            images = (part.to(device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            parts.append(model(images).float().cpu())
    return torch.cat(parts)


def _reader(length: int, size: int, seed: int) -> FaceReader:
    with drawing(seed, "weights"):
        return FaceReader(FaceReaderConfig(length, size))
