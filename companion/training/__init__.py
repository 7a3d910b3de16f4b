"""Training: one protocol for all that learns, and run folders that can be stopped and continued."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from companion.training.progress import finish, progress

if TYPE_CHECKING:
    from companion.training.adversarial import AdversarialTrainer
    from companion.training.player import Workshop
    from companion.training.trainer import Batches, Report, Trainer

__all__ = ["AdversarialTrainer", "Batches", "Report", "Trainer", "Workshop", "finish", "progress"]
PLACES = {"AdversarialTrainer": "adversarial", "Workshop": "player"}


def __getattr__(name: str) -> Any:
    """The loop comes with torch, which takes seconds: imported when first asked for, not with every neighbour."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"companion.training.{PLACES.get(name, 'trainer')}"), name)
