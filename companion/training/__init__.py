"""Training: the adversarial loop, and run folders that can be stopped and continued."""

from typing import TYPE_CHECKING, Any

from companion.training.progress import finish, progress

if TYPE_CHECKING:
    from companion.training.adversarial import AdversarialTrainer, Batches, Report

__all__ = ["AdversarialTrainer", "Batches", "Report", "finish", "progress"]


def __getattr__(name: str) -> Any:
    """The loop comes with torch, which takes seconds: imported when first asked for, not with every neighbour."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from companion.training import adversarial

    return getattr(adversarial, name)
