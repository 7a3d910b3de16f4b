"""Guards the outline of hair: a piece that the network knows grows to the whole, and skin stays skin."""

import numpy as np
import pytest
import torch
from heads import HAIR, PLACES, SIZE, Y, known_piece, mesh, photograph

from companion.likeness.outlining import hair_seen

NONE = torch.zeros(SIZE, SIZE)


def overlap(found: torch.Tensor) -> float:
    one = found.numpy() > 0.5
    return (one & HAIR).sum() / (one | HAIR).sum()


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
