"""A run with an eye on what it is for: a measure at some of its moments (chapter 5)."""

from collections.abc import Callable
from typing import TypeVar

from companion.data.batches import Batch
from companion.restoration.trainer import LearnerTrainer
from companion.training.progress import progress
from companion.training.trainer import Batches
from companion.viz.notebook import moments

Seen = TypeVar("Seen")


def followed(
    trainer: LearnerTrainer, batches: Batches[Batch], look: Callable[[], Seen], *, count: int = 6
) -> dict[int, Seen]:
    """Train to the end, with a progress bar.

    Args:
        trainer: From its first step on.
        batches: What it learns from.
        look: Called at some moments, closer together where training is young, and at the end.
        count: How many moments.

    Returns:
        What `look` gave, by step.
    """
    wanted, seen = moments(trainer.steps, count), {}
    for report in progress(trainer.run(batches, steps=trainer.steps), total=trainer.steps):
        if report.step in wanted:
            seen[report.step] = look()
    return seen
