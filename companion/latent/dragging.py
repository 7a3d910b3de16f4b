"""Drag a point of a face, and its code follows (chapter 6).

Pan et al. 2023 (“Drag your GAN”) move a GAN's latents until the features around a point appear at a goal, and look for
the point again after every step. That is the idea here, in small, with two deliberate deviations. Where a point is, is
not tracked but read off the code, by a linear map fitted to faces whose points are known exactly; and since the map is
linear, the step is not searched for but solved for.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.errors import CompanionError
from companion.latent.coding import codes as coded
from companion.latent.coding import decoded
from companion.latent.given import finite, rows
from companion.models.vae import VAE

# Of the 68 points, those that somebody would take hold of; left and right are the picture's.
POINTS = {
    **{"chin": 8, "left jaw": 4, "right jaw": 12, "left brow": 19, "right brow": 24, "nose": 33},
    **{"left eye": 36, "right eye": 45, "left mouth corner": 48, "right mouth corner": 54, "lower lip": 57},
}
RIDGE = 10.0  # keeps the fit from following latents that hardly vary
NEAR = 0.1  # of the picture's side: points nearer than this go along with the one that is dragged


@dataclass(frozen=True)
class Handles:
    """Where the points of faces are, as a linear function of their codes, and how codes vary."""

    model: VAE
    weights: Tensor  # `(latents, 2 P)`, pixels for each unit of a latent
    code: Tensor  # the mean code, `(latents,)`
    place: Tensor  # the mean points, `(2 P,)`
    precision: Tensor  # the inverse of the codes' covariance, `(latents, latents)`

    @classmethod
    def fit(cls, model: VAE, codes: Tensor, points: Tensor) -> "Handles":
        """By least squares.

        Args:
            model: Whose codes they are.
            codes: Of faces, `(N, latents)`.
            points: Theirs, in pixels of the model's pictures, `(N, P, 2)` as x and y.

        Raises:
            CompanionError: There are fewer faces than latents, or not the same number of both.
        """
        codes = rows(codes, "codes", length=model.latents)
        points = finite(points, "points").float()
        if points.dim() != 3 or points.shape[2] != 2:
            raise CompanionError(
                f"The points have the shape {tuple(points.shape)}; give (N, points, 2), as x and y."
            )
        if len(codes) != len(points) or len(codes) <= codes.shape[1]:
            raise CompanionError(
                f"{len(codes)} codes of {codes.shape[1]} latents and the points of {len(points)} faces cannot be "
                "fitted; give one set of points for each code, and more codes than latents."
            )
        flat = points.flatten(1)
        code, place = codes.mean(0), flat.mean(0)
        centred = codes - code
        spread = centred.T @ centred + RIDGE * torch.eye(codes.shape[1])
        weights = torch.linalg.solve(spread, centred.T @ (flat - place))
        return cls(model, weights, code, place, torch.linalg.inv(spread / len(codes)))

    def points(self, codes: Tensor) -> Tensor:
        """Where the points of codes `(N, latents)` lie: `(N, P, 2)`, x and y in pixels."""
        flat = (codes - self.code) @ self.weights + self.place
        return flat.view(len(codes), -1, 2)

    def seen(self, codes: Tensor) -> Tensor:
        """Likewise, but asked of the pictures: decoded and coded again, since a decoder need not do as it is told."""
        return self.points(coded(self.model, decoded(self.model, codes)))

    def drag(
        self,
        codes: Tensor,
        point: int,
        by: tuple[float, float],
        *,
        hold: float = 0.02,
        stay: float = 0.3,
        steps: int = 5,
    ) -> Tensor:
        """Codes whose pictures have one point moved, `(N, latents)`.

        Each step Δ solves `min |Jₚ Δ − d|² + hold · Σ_q w_q |J_q Δ|² + stay · Δᵀ Σ⁻¹ Δ`: what is left of the way,
        the way of all other points q, and how unusual the change is among faces; J are the map's slopes, and w
        rises from 0 at the point to 1 far away. Then the point is looked for again.

        Args:
            codes: `(N, latents)`.
            point: Its number, such as `POINTS["chin"]`.
            by: To the right and downwards, in pixels.
            hold: How firmly other points are held where they are.
            stay: How firmly the code is held where it is.
            steps: How often the point is looked for.

        Raises:
            CompanionError: There is no such point.
        """
        count = self.weights.shape[1] // 2
        if point not in range(count):
            raise CompanionError(f"There is no point {point}; points have numbers from 0 to {count - 1}.")
        codes = rows(codes, "codes", length=self.model.latents)
        way = finite(torch.tensor(by, dtype=codes.dtype), "pixels to drag by")
        if way.shape != (2,):
            raise CompanionError(
                f"A point is dragged by two numbers, to the right and downwards, not by {by}."
            )
        slopes = self.weights.T.reshape(count, 2, -1)  # (P, 2, latents)
        begun = self.seen(codes)
        firm = hold * self._far(begun, point)  # (N, P)
        stiffness = torch.einsum("np,pcl,pcm->nlm", firm, slopes, slopes)
        stiffness = stiffness + slopes[point].T @ slopes[point] + stay * self.precision
        goal, moved = begun[:, point] + way, codes
        for _ in range(steps):
            left = goal - self.seen(moved)[:, point]
            moved = moved + torch.linalg.solve(stiffness, left @ slopes[point])
        return moved

    def _far(self, points: Tensor, point: int) -> Tensor:
        """W of every point `(N, P)`: 0 at the one that is dragged, 1 far from it."""
        apart = (points - points[:, [point]]).square().sum(2)
        return 1 - torch.exp(-apart / 2 / (NEAR * self.model.config.size) ** 2)
