"""Training: the adversarial loop, and run folders that can be stopped and continued."""

from companion.training.adversarial import AdversarialTrainer, Batches, Report
from companion.training.progress import finish, progress

__all__ = ["AdversarialTrainer", "Batches", "Report", "finish", "progress"]
