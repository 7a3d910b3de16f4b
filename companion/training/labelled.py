"""Adversarial training with classes: generator and critic are told what each image shows (chapter 7)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from companion.data.batches import Labelled
from companion.data.images import Images, Shuffled
from companion.errors import CompanionError
from companion.objectives import Objective
from companion.training.adversarial import AdversarialTrainer


@dataclass(frozen=True)
class ShuffledWithLabels:
    """Batches of images with their classes, in the order of the same batches without.

    Raises:
        CompanionError: The images have no labels, or more classes than `classes`.
    """

    shuffled: Shuffled
    classes: int

    def __post_init__(self) -> None:
        images = self.shuffled.images
        known = 0 if images.labels is None else int(images.labels.max()) + 1
        if not 1 <= known <= self.classes:
            raise CompanionError(
                f"The pictures of {images.name} are of {known or 'no known'} classes and not of {self.classes}; "
                "choose as many as the data has, such as 10 for digits, or 0 for networks that know of none."
            )

    def __getitem__(self, index: int) -> Labelled:
        """Batch number `index`."""
        rows, images = self.shuffled.rows(index), self.shuffled.images
        assert images.labels is not None
        return Labelled(images[rows], images.labels[rows])


def class_count(images: Images) -> int:
    """How many classes a set's labels name.

    Raises:
        CompanionError: It has no labels, or several for each image.
    """
    if images.labels is None or images.labels.dim() != 1:
        raise CompanionError(
            f"The pictures of {images.name} do not have one label each for a classifier to learn; choose "
            "data that has, such as digits or mnist."
        )
    return int(images.labels.max()) + 1


class LabelledTrainer(AdversarialTrainer):
    """Chapter 1's loop with `Labelled` batches: fakes are of the classes of the real images beside them.

    Args:
        generator: Latents `(N, latents)` and classes `(N, classes)`, one-hot, to images.
        critic: Images and classes to scores `(N,)`.
        objective: The two losses and all that goes with them.
        classes: How many there are.
        options: As `AdversarialTrainer` takes them.
    """

    def __init__(
        self, generator: nn.Module, critic: nn.Module, objective: Objective, *, classes: int, **options: Any
    ) -> None:
        super().__init__(generator, critic, objective, **options)
        self.classes = classes

    def _real(self, batch: Labelled) -> Tensor:
        return batch.images

    def _told(self, batch: Labelled) -> tuple[Tensor, ...]:
        return (one_hot(batch.labels, self.classes).float(),)

    def _told_of_samples(self, count: int) -> tuple[Tensor, ...]:
        """Each class in turn."""
        turns = torch.arange(count, device=self.device) % self.classes
        return (one_hot(turns, self.classes).float(),)
