"""A head before a wall, painted in three colours: its mesh, its hair, and what a network might say of it."""

import numpy as np
import torch
from numpy.typing import NDArray

from companion.likeness.aligning import HEAD, Upright
from companion.likeness.outlining import BROWS, CHIN, OVAL

SIZE = 160
PLACES = HEAD.places(SIZE)
X, Y = PLACES[..., 0], PLACES[..., 1]
FACE = (X / 0.6) ** 2 + ((Y - 0.15) / 0.8) ** 2 < 1
HAIR = ((X / 0.85) ** 2 + ((Y + 0.05) / 0.95) ** 2 < 1) & (Y < 0.5) & ~(FACE & (Y > -0.35))
Colour = tuple[int, int, int]


def mesh() -> Upright:
    """A face's edge, brows and chin; nothing else is asked for."""
    points = np.zeros((478, 3))
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), :2] = np.stack([0.6 * np.sin(turn), 0.15 - 0.8 * np.cos(turn)], 1)
    points[list(BROWS), 1] = -0.15
    assert np.isclose(points[CHIN, 1], 0.95)
    return Upright(np.eye(2, 3), points)


def photograph(
    skin: Colour, hair: Colour, behind: Colour = (120, 130, 150), noise: float = 4.0, seed: int = 0
) -> NDArray[np.uint8]:
    picture = np.full((SIZE, SIZE, 3), behind, float)
    picture[(np.abs(X) < 0.4) & (Y > 0.5)] = skin
    picture[FACE] = skin
    picture[HAIR] = hair
    picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def known_piece(share: float = 0.95) -> torch.Tensor:
    """What the network says: surely hair, but only at one temple."""
    return torch.from_numpy(np.where(HAIR & (X < -0.55), share, 0.0)).float()
