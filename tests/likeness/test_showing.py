"""Guards the sheet of faces and the tint."""

import numpy as np
import torch

from companion.likeness.showing import HAIR, TINT, sheet, tinted


def test_a_sheet_has_its_pictures_in_rows():
    dark, light = np.zeros((8, 8, 3), np.uint8), np.full((16, 16, 3), 200, np.uint8)
    made = np.asarray(sheet([[dark, light], [light, dark], [light, light]], 10))
    assert made.shape == (30, 20, 3)
    assert made[5, 5].sum() == 0
    assert (made[5, 15] == 200).all()
    assert made[15, 15].sum() == 0


def test_only_what_is_more_likely_than_not_is_tinted():
    picture = np.full((20, 20, 3), 100, np.uint8)
    share = torch.zeros(4, 4)
    share[:, :2] = 0.9
    shown = tinted(picture, share, 20)
    assert np.array_equal(shown[10, 2], np.round((1 - TINT) * 100 + TINT * HAIR).astype(np.uint8))
    assert (shown[10, 17] == 100).all()
