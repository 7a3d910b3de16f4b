"""Guards the light that is read off the eyes' whites."""

import numpy as np
import pytest

from companion.likeness.aligning import Upright
from companion.likeness.lighting import (
    BELIEVED,
    EYES,
    LEAST,
    MOST,
    WHITE,
    encoded,
    light,
    linear,
    relit,
)

SCALE = 100.0  # pixels of the picture a head unit
SHIFT = np.array([150.0, 150.0])


def face(iris: float = 0.05) -> Upright:
    """Two open eyes, in a picture of 300 pixels a side."""
    points = np.zeros((478, 3))
    for (lids, (middle, *edge)), x in zip(EYES, (-0.3, 0.3), strict=True):
        turn = np.linspace(0, 2 * np.pi, len(lids), endpoint=False)
        points[list(lids), :2] = np.stack([x + 0.14 * np.cos(turn), -0.1 + 0.07 * np.sin(turn)], 1)
        points[middle, :2] = x, -0.1
        turn = np.linspace(0, 2 * np.pi, len(edge), endpoint=False)
        points[edge, :2] = np.stack([x + iris * np.cos(turn), -0.1 + iris * np.sin(turn)], 1)
    matrix = np.array([[1 / SCALE, 0, -SHIFT[0] / SCALE], [0, 1 / SCALE, -SHIFT[1] / SCALE]])
    return Upright(matrix, points)


def photograph(shining) -> np.ndarray:
    """Skin everywhere, two white eyes with dark irises, in such a light (a factor for linear colours)."""
    y, x = np.mgrid[:300, :300]
    colours = np.full((300, 300, 3), (0.4, 0.25, 0.18))
    for at in (-0.3, 0.3):
        away = np.hypot((x - SHIFT[0] - at * SCALE) / 1.4, (y - SHIFT[1] + 0.1 * SCALE) / 0.7)
        colours[away < 0.1 * SCALE] = WHITE
        colours[np.hypot(x - SHIFT[0] - at * SCALE, y - SHIFT[1] + 0.1 * SCALE) < 0.05 * SCALE] = 0.01
    return (encoded((colours * shining).clip(0, 1)) * 255).round().astype(np.uint8)


@pytest.mark.parametrize("shining", [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (1.0, 0.8, 0.6), (0.3, 0.4, 0.5)])
def test_half_of_the_light_is_taken_away(shining):
    wanted = (1 / np.array(shining)) ** BELIEVED
    assert np.allclose(light(photograph(shining), face()), wanted.clip(LEAST, MOST), rtol=0.03)


def test_nobody_is_changed_much():
    dark, bright = light(photograph(np.full(3, 0.02)), face()), light(photograph(np.full(3, 2.2)), face())
    assert np.allclose(dark, MOST)
    assert np.allclose(bright, LEAST, atol=0.05)


def test_where_no_white_is_seen_nothing_is_said():
    assert np.array_equal(light(photograph(np.ones(3)), face(iris=0.2)), np.ones(3))


def test_relit_pictures_are_brighter_by_the_gain():
    picture = photograph(np.ones(3))
    assert np.array_equal(relit(picture, np.ones(3)), picture)
    shone = relit(picture, np.array([1.5, 1.0, 0.9]))
    assert np.allclose(linear(shone[0, 0] / 255), np.array([0.6, 0.25, 0.162]), rtol=0.02)


def test_encoding_is_the_inverse_of_decoding():
    values = np.linspace(0, 1, 256)
    assert np.allclose(encoded(linear(values)), values)
    assert linear(np.array([0.04045]))[0] == pytest.approx(0.0031308, rel=1e-3)
