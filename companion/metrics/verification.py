"""Is this the same person? Scores of pairs, and the numbers by which verification is judged (chapter 7)."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from companion.errors import CompanionError


@dataclass(frozen=True)
class Verification:
    """How well a score tells pairs of the same person from pairs of two."""

    area: float  # under the ROC curve: the chance that a same pair outscores a different one
    true_accepts: float  # share of same pairs accepted where one different pair in a hundred is
    equal_error: float  # where as many same pairs are refused as different ones are accepted


def verification(same: Tensor, different: Tensor) -> Verification:
    """Judge the scores of same pairs `(N,)` and of different pairs `(M,)`; a higher score means more alike.

    Raises:
        CompanionError: One of the two is empty, or a score is not finite.
    """
    if not (len(same) and len(different)):
        raise CompanionError(
            "Verification needs pairs of the same person and pairs of two; one of them is empty."
        )
    scores = torch.cat([same, different]).cpu().double().numpy()
    if not np.isfinite(scores).all():
        raise CompanionError("A pair's score is not finite; check the embeddings that it was made from.")
    truth = np.concatenate([np.ones(len(same)), np.zeros(len(different))])
    false_accepts, true_accepts, _ = roc_curve(truth, scores, drop_intermediate=False)
    at_one_percent = float(true_accepts[false_accepts <= 0.01].max())
    crossing = int(np.abs(false_accepts - (1 - true_accepts)).argmin())
    equal_error = float(false_accepts[crossing] + 1 - true_accepts[crossing]) / 2
    return Verification(float(roc_auc_score(truth, scores)), at_one_percent, equal_error)


def recall_at_one(queries: Tensor, gallery: Tensor) -> float:
    """Share of queries `(N, D)` whose nearest of the gallery `(N, D)`, by cosine, is the one in the same row."""
    queries, gallery = (torch.nn.functional.normalize(part, dim=1) for part in (queries, gallery))
    nearest = (queries @ gallery.T).argmax(1)
    return float((nearest == torch.arange(len(queries), device=nearest.device)).cpu().double().mean())
