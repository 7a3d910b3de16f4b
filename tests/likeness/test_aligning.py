"""Guards where a face is cut out: a similarity and nothing else, the right pixel in the right place, at any size."""

import numpy as np
import pytest
from PIL import Image

from companion.likeness.aligning import EYES_TO_MOUTH, HEAD, Upright, cut_out, similarity, upright
from companion.vision.landmarks import Mesh


def turned(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    return points @ np.array([[cos, sin], [-sin, cos]]) + shift


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, 3.1])
def test_turn_scale_and_shift_are_undone(template, angle):
    pixels = turned(template, angle, 50.0, (200.0, 130.0))
    matrix = similarity(pixels, template)
    assert np.allclose(pixels @ matrix[:, :2].T + matrix[:, 2], template)


def test_no_face_is_stretched(template):
    """A narrow face stays narrow: what is fitted has one scale."""
    matrix = similarity(template * (40, 60), template)
    assert np.allclose(matrix[:, :2] @ matrix[:, :2].T, np.eye(2) * (matrix[:, 0] ** 2).sum())


def test_depth_has_the_unit_of_the_rest(template):
    pixels = turned(template, 0.3, 50.0, (200.0, 130.0)) / (400, 300)
    mesh = Mesh(np.concatenate([pixels, np.full((len(pixels), 1), 0.25)], 1), 400, 300, {})
    face = upright(mesh, template)
    assert np.allclose(face.points[:, 2], 0.25 * 400 / 50, atol=1e-4)
    assert np.isclose(face.unit, 50, rtol=1e-4)
    assert np.allclose(face.to_picture(template), mesh.pixels, atol=1e-2)


@pytest.mark.parametrize("unit", [10.0, 40.0, 200.0])
@pytest.mark.parametrize("window", [HEAD, EYES_TO_MOUTH])
def test_a_place_of_the_face_lies_where_the_window_says(unit, window):
    """A white spot at one place of the face, in pictures of any size."""
    spot = np.array([[window.centre[0] + 0.3 * window.half, window.centre[1] - 0.5 * window.half]])
    middle = (2.4 * unit, 2.2 * unit)
    face = face_at(unit, middle)
    picture = np.zeros((int(4.5 * unit), int(5 * unit), 3), np.uint8)
    (x, y), reach = face.to_picture(spot)[0], max(1, round(0.05 * unit * window.half))
    picture[int(y) - reach : int(y) + reach + 1, int(x) - reach : int(x) + reach + 1] = 255
    cut = cut_out(picture, face, window, 64).astype(float)[..., 0]
    assert cut.shape == (64, 64)
    assert cut.max() > 60
    rows, columns = np.indices(cut.shape)
    found = np.array([(cut * columns).sum(), (cut * rows).sum()]) / cut.sum()
    wanted = (spot[0] - window.centre + window.half) / (2 * window.half) * 64 - 0.5
    pixel = 64 / (2 * window.half * unit)  # of the picture, in the cut-out's
    assert np.abs(found - wanted).max() < 1 + pixel


def test_beyond_the_picture_its_edge_goes_on():
    picture = np.full((100, 100, 3), 200, np.uint8)
    picture[:, :50] = 40
    cut = cut_out(picture, face_at(100.0, (50.0, 50.0)), HEAD, 32)
    assert (cut[:, :10] == 40).all()
    assert (cut[:, -10:] == 200).all()


def test_a_large_photograph_is_reduced_without_aliases():
    lines = np.tile((np.arange(900) % 2 * 255).astype(np.uint8), (900, 1))
    cut = cut_out(np.stack([lines] * 3, 2), face_at(270.0, (450.0, 450.0)), HEAD, 32)
    assert np.abs(cut.astype(int) - 127).max() < 40


def test_a_small_face_in_a_huge_photograph_takes_no_more_memory_than_itself():
    picture = np.broadcast_to(np.uint8(90), (30_000, 30_000, 3))
    assert (cut_out(picture, face_at(20.0, (29_990.0, 5.0)), HEAD, 32) == 90).all()


def face_at(unit: float, middle: tuple[float, float]) -> Upright:
    """A face that looks straight, so many pixels a head unit, mid-head at this place."""
    matrix = np.array([[1 / unit, 0, -middle[0] / unit], [0, 1 / unit, -middle[1] / unit]])
    return Upright(matrix, np.zeros((478, 3)))


def test_the_window_is_seen_the_right_way_round():
    """Left stays left, and up stays up."""
    picture = np.asarray(Image.linear_gradient("L").convert("RGB"))  # dark above
    cut = cut_out(picture, face_at(60.0, (128.0, 128.0)), HEAD, 32).astype(int)
    assert cut[0].mean() < cut[-1].mean() - 100
    cut = cut_out(picture.transpose(1, 0, 2).copy(), face_at(60.0, (128.0, 128.0)), HEAD, 32).astype(int)
    assert cut[:, 0].mean() < cut[:, -1].mean() - 100
