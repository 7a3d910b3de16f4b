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


def whitened(rows: dict[str, Tensor], known: Tensor) -> dict[str, Tensor]:
    """Rows in units of how much they vary within a person, as other people tell.

    Without that a pose outweighs a nose. (Within-class covariance normalisation, Hatch et al. 2006.)

    Args:
        rows: Of any kinds of pictures, each `(N, D)`.
        known: The others' rows, `(people, views, D)`; their mean becomes the origin.

    Returns:
        As many rows, `(N, D)` each, along the axes of the covariance within the others.
    """
    within = (known - known.mean(1, keepdim=True)).flatten(0, 1).double()
    variances, axes = torch.linalg.eigh(within.T @ within / len(within))
    scale = (variances.clamp(min=0) + 1e-4 * variances.mean()).rsqrt()
    mean = known.flatten(0, 1).double().mean(0)
    return {name: ((each.double() - mean) @ axes * scale).float() for name, each in rows.items()}


def accepted_in_folds(
    alike: Tensor,
    people: tuple[Tensor, Tensor],
    *,
    false: float,
    folds: int = 10,
    asked: Tensor | None = None,
) -> Tensor:
    """Share of same pairs that are accepted in each fold of people, `(folds,)`, as the field reports verification.

    The threshold of a fold comes from the other folds: it is the lowest at which no more than a share `false` of
    their different pairs is accepted. Pairs of two folds are not used. So nobody is judged by a threshold that their
    own pictures have set (Huang et al. 2007, “view 2”).

    Args:
        alike: How alike pictures are, `(N, M)`; higher is more alike.
        people: Who is seen in the N and in the M pictures, numbers `(N,)` and `(M,)`.
        false: Share of false accepts.
        folds: How many groups the people are dealt out to, in turn.
        asked: Which pairs are asked about, `(N, M)` bool; all without it. Pictures with themselves are none.

    Raises:
        CompanionError: A fold has no pair of the same person, or the others too few of two for such a share; a
            likeness is no number; or there are no folds to set thresholds for each other.
    """
    _check_folds(alike, false, folds)
    rows, columns = people
    same = rows[:, None] == columns
    asked = torch.ones_like(same) if asked is None else asked
    everybody = torch.unique(torch.cat(people))
    fold_of = torch.searchsorted(everybody, torch.cat(people)) % folds
    of_rows, of_columns = fold_of[: len(rows)], fold_of[len(rows) :]
    accepted = []
    for fold in range(folds):
        mine = (of_rows == fold)[:, None] & (of_columns == fold) & same & asked
        others = (of_rows != fold)[:, None] & (of_columns != fold) & ~same & asked
        allowed = int(false * int(others.sum()))
        if not (mine.any() and allowed):
            raise CompanionError(
                f"{len(everybody)} people in {folds} folds are too few to tell a false accept in {1 / false:.0f}; "
                "give more people, or accept more."
            )
        threshold = alike[others].topk(allowed + 1).values[-1]  # so many are above it
        accepted.append((alike[mine] > threshold).double().mean())
    return torch.stack(accepted)


def _check_folds(alike: Tensor, false: float, folds: int) -> None:
    if not alike.isfinite().all():
        raise CompanionError("A pair's score is not finite; check the embeddings that it was made from.")
    if folds < 2 or not 0 < false < 1:
        raise CompanionError(
            f"{folds} folds and a share of {false:g} false accepts set no thresholds; give two folds or more, "
            "and a share between 0 and 1."
        )
