"""Guards the outline of hair: a piece that the network knows grows to the whole, and skin stays skin."""

import numpy as np
import pytest
import torch

from companion.likeness.aligning import HEAD, Upright
from companion.likeness.outlining import BROWS, CHIN, OVAL, hair_seen

SIZE = 160
PLACES = HEAD.places(SIZE)
X, Y = PLACES[..., 0], PLACES[..., 1]
FACE = (X / 0.6) ** 2 + ((Y - 0.15) / 0.8) ** 2 < 1
HAIR = ((X / 0.85) ** 2 + ((Y + 0.05) / 0.95) ** 2 < 1) & (Y < 0.5) & ~(FACE & (Y > -0.35))
NONE = torch.zeros(SIZE, SIZE)


def mesh() -> Upright:
    """A face's edge, brows and chin; nothing else is asked for."""
    points = np.zeros((478, 3))
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), :2] = np.stack([0.6 * np.sin(turn), 0.15 - 0.8 * np.cos(turn)], 1)
    points[list(BROWS), 1] = -0.15
    assert np.isclose(points[CHIN, 1], 0.95)
    return Upright(np.eye(2, 3), points)


def photograph(skin, hair, behind=(120, 130, 150), noise=4.0):
    """A head before a wall, and where its hair is."""
    picture = np.full((SIZE, SIZE, 3), behind, float)
    picture[(np.abs(X) < 0.4) & (Y > 0.5)] = skin
    picture[FACE] = skin
    picture[HAIR] = hair
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def overlap(found: torch.Tensor) -> float:
    one = found.numpy() > 0.5
    return (one & HAIR).sum() / (one | HAIR).sum()


def known_piece(share: float = 0.95) -> torch.Tensor:
    """What the network says: surely hair, but only at one temple."""
    return torch.from_numpy(np.where(HAIR & (X < -0.55), share, 0.0)).float()


@pytest.mark.parametrize(("skin", "hair"), [((225, 180, 160), (90, 60, 40)), ((225, 180, 160), (200, 170, 100)),
                                        ((120, 80, 60), (30, 25, 25)), ((235, 200, 190), (150, 70, 40))])  # fmt: skip
def test_a_piece_of_hair_grows_to_all_of_it(skin, hair):
    said = known_piece()
    found = hair_seen(photograph(skin, hair), mesh(), said, NONE)
    assert overlap(found) > 0.85 > 0.3 > overlap(said)


@pytest.mark.parametrize("skin", [(225, 180, 160), (120, 80, 60)])
def test_a_bald_head_stays_bald(skin):
    found = hair_seen(photograph(skin, skin), mesh(), NONE, NONE)
    assert found.mean() < 0.01


def test_hair_of_which_the_network_is_sure_is_kept_though_it_looks_like_skin():
    """Dark hair over dark skin, in little light: no colour tells them apart."""
    sure = torch.from_numpy(HAIR * 0.95).float()
    found = hair_seen(photograph((40, 28, 24), (30, 24, 22)), mesh(), sure, NONE)
    assert overlap(found) > 0.75


def test_below_the_chin_the_network_is_asked_alone():
    said = torch.from_numpy(np.where(Y > 0.95, 0.7, 0.0)).float()
    found = hair_seen(photograph((225, 180, 160), (90, 60, 40)), mesh(), said, NONE)
    assert torch.equal(found[PLACES[:, 0, 1] > 0.95], said[PLACES[:, 0, 1] > 0.95])


def test_the_picture_is_left_as_it_was():
    picture = photograph((225, 180, 160), (90, 60, 40))
    before = picture.copy()
    first = hair_seen(picture, mesh(), known_piece(), NONE)
    assert np.array_equal(picture, before)
    assert torch.equal(first, hair_seen(picture, mesh(), known_piece(), NONE))  # no chance in it
