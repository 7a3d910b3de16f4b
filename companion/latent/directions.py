"""Directions in latent space that change one thing: found from labels or from the codes alone, and how cleanly."""

from collections.abc import Mapping

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from companion.errors import CompanionError
from companion.latent.given import number, rows


def mean_direction(codes: Tensor, labels: Tensor) -> Tensor:
    """From the mean code of those without an attribute to that of those with it, `(latents,)`.

    Larsen et al. 2016 (section 3.2) call it an attribute vector. Whatever else goes with the attribute in the data goes
    along: if those who smile look to the left, so will the picture.

    Args:
        codes: `(N, latents)`.
        labels: Whether each has it, `(N,)` bool.

    Raises:
        CompanionError: All have it, or none.
    """
    with_it, without = _divided(codes, labels)
    return with_it.mean(0) - without.mean(0)


def logistic_direction(codes: Tensor, labels: Tensor, *, strength: float = 1.0) -> Tensor:
    """The direction across which a logistic regression tells those with an attribute from those without.

    As long as the two means lie apart along it, so that one step is a step from the one group to the other, as in
    `mean_direction`. It spends itself on what tells the groups apart and leaves alone what merely goes with it.

    Args:
        codes: `(N, latents)`.
        labels: Whether each has it, `(N,)` bool.
        strength: Of the regression, C in scikit-learn: less keeps closer to the difference of means.

    Raises:
        CompanionError: All have it, or none.
    """
    with_it, without = _divided(codes, labels)
    number(strength, "The strength of the regression", least=1e-12)
    codes = codes.detach()
    spread = codes.std(0).clamp(min=1e-6)  # scaled, else unused latents would count as much as used ones
    fitted = LogisticRegression(C=strength, max_iter=2000).fit(
        (codes / spread).double().numpy(), labels.bool().numpy()
    )
    normal = torch.from_numpy(fitted.coef_[0]).float() / spread
    if not normal.norm() > 0:
        raise CompanionError(
            "These codes do not tell the two groups apart, so there is no direction; give codes that differ."
        )
    normal = normal / normal.norm()
    direction: Tensor = normal * (normal @ (with_it.mean(0) - without.mean(0)))
    return direction


def orthogonal(direction: Tensor, others: Mapping[str, Tensor]) -> Tensor:
    """A direction without what it shares with others: its part at right angles to all of them, `(latents,)`."""
    if not others:
        return direction
    own = rows(direction[None], "directions")
    found = torch.cat([rows(other[None], "directions", length=own.shape[1]) for other in others.values()])
    _, sizes, basis = torch.linalg.svd(found, full_matrices=False)  # rows orthonormal
    basis = basis[sizes > 1e-5 * sizes.max().clamp(min=1e-30)]  # what others have in common counts once
    left: Tensor = direction - (direction @ basis.T) @ basis
    return left


def principal_directions(codes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The directions in which codes `(N, latents)` vary most, at right angles, the widest first.

    Returns:
        Directions `(count, latents)`, each as long as the standard deviation along it, and their shares of all
        variance, `(count,)`.

    Raises:
        CompanionError: Fewer than two codes, or more directions than they can have.
    """
    codes = rows(codes, "codes", least=2)
    number(count, "The number of directions", least=1, most=min(codes.shape))
    centred = codes - codes.mean(0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    variances = sizes.square() / (len(codes) - 1)
    return directions[:count] * variances[:count, None].sqrt(), variances[:count] / variances.sum()


def responses(before: Tensor, after: Tensor) -> Tensor:
    """How much each attribute's probability rose when faces were edited, `(L,)`: the mean over the faces.

    Args:
        before: A reader's logits for the faces at one end of a slider, `(N, L)`.
        after: Likewise for the same faces at its other end.
    """
    return (after.sigmoid() - before.sigmoid()).mean(0)


def separability(codes: Tensor, labels: Tensor, *, held_out: Tensor, held_out_labels: Tensor) -> float:
    """Share of held-out codes whose class a linear classifier of the codes names: an auxiliary look at latent space.

    Args:
        codes: `(N, latents)`.
        labels: Class of each, `(N,)` int64.
        held_out: Codes of other images, `(M, latents)`.
        held_out_labels: Their classes, `(M,)`.
    """
    spread = codes.std(0).clamp(min=1e-6)
    fitted = LogisticRegression(max_iter=1000).fit((codes / spread).double().numpy(), labels.numpy())
    return float(fitted.score((held_out / spread).double().numpy(), held_out_labels.numpy()))


def _divided(codes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    rows(codes, "codes")
    if labels.shape != codes.shape[:1]:
        raise CompanionError(
            f"There are {len(codes)} codes and labels of shape {tuple(labels.shape)}; give one label for each image."
        )
    if not bool(((labels == 0) | (labels == 1)).all()):
        raise CompanionError(
            "A label says whether an image has the attribute: give 0 or 1, or false or true."
        )
    labels = labels.bool()
    if labels.all() or not labels.any():
        raise CompanionError(
            "A direction needs images with the attribute and images without it; all of these are alike."
        )
    return codes[labels], codes[~labels]
