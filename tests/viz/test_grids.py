"""Guards pixels: each image in its place, sprites over their ground, photographs as they are, great circles."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from companion import viz


def test_a_grid_shows_each_image_in_its_place_on_white():
    """−1 is black, 1 is white, 0 the middle; row by row; a gap of two pixels around each."""
    images = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    pixels = np.asarray(viz.image_grid(images, columns=2))
    assert pixels.shape == (2 * 4 + 3 * 2, 2 * 4 + 3 * 2, 3)
    assert (pixels[2:6, 2:6] == 0).all()
    assert (pixels[2:6, 8:12] == 128).all()
    assert (pixels[8:12, 2:6] == 255).all()
    assert (pixels[:2] == 255).all()
    assert (pixels[8:12, 8:12] != 0).all()


def test_a_grid_enlarges_without_smoothing_and_keeps_colour():
    image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).expand(2, 3, 2, 2).clone()
    image[:, 2] = -1
    pixels = np.asarray(viz.image_grid(image, scale=5, gap=0))
    assert pixels.shape == (10, 20, 3)
    assert {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()} == {(255, 255, 0), (0, 0, 0)}


def test_a_grid_takes_images_as_training_leaves_them():
    """With gradients, in half precision, beyond the range, one alone, with alpha."""
    for images in (
        torch.randn(2, 1, 4, 4, requires_grad=True),
        torch.randn(2, 3, 4, 4).bfloat16(),
        9 * torch.randn(1, 1, 4, 4),
        torch.ones(2, 4, 4, 4),
    ):
        assert viz.image_grid(images).size[0] >= 4


vectors = st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6).map(torch.tensor)


@given(start=vectors, end=vectors, steps=st.integers(2, 9))
def test_interpolation_begins_and_ends_at_its_ends(start, end, steps):
    path = viz.interpolation(start, end, steps)
    assert path.shape == (steps, 6)
    assert path.isfinite().all()
    torch.testing.assert_close(path[0], start, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(path[-1], end, rtol=1e-3, atol=1e-3)


def test_interpolation_stays_on_the_sphere_and_advances_by_equal_angles():
    """A straight line would pass at 0.71 of the length half-way between these two."""
    start, end = torch.eye(4)[0] * 3, torch.eye(4)[1] * 3
    path = viz.interpolation(start, end, 5)
    torch.testing.assert_close(path.norm(dim=1), torch.full((5,), 3.0))
    cosines = torch.nn.functional.cosine_similarity(path[:-1], path[1:])
    torch.testing.assert_close(cosines, torch.full((4,), float(np.cos(np.pi / 8))))


def test_interpolation_between_equal_or_opposite_latents_is_finite():
    z = torch.randn(8)
    torch.testing.assert_close(viz.interpolation(z, z, 4), z.expand(4, 8))
    assert viz.interpolation(z, -z, 4).isfinite().all()


def test_points_are_marked_where_they_lie():
    """(0, 0) is the image's corner, so the middle of a 10-pixel image is (5, 5), at any scale."""
    for scale in (1, 4):
        canvas = np.asarray(
            viz.marked(torch.full((3, 10, 10), -1.0), torch.tensor([[5.0, 5.0]]), scale=scale)
        )
        assert canvas.shape == (10 * scale, 10 * scale, 3)
        rows, columns = canvas.any(2).nonzero()
        assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((5 * scale, 5 * scale), abs=0.6)


def test_a_grid_lays_sprites_over_a_checkerboard():
    """Nothing shows the ground in two tones, and what is solid hides it."""
    sprites = torch.full((2, 4, 16, 16), -1.0)
    sprites[1] = 1.0
    pixels = np.asarray(viz.image_grid(sprites, gap=0))
    assert len(np.unique(pixels[:, :16])) == 2
    assert (pixels[:, 16:] == 255).all()


def test_photographs_in_rows_are_shown_pixel_for_pixel():
    shades = torch.linspace(-1, 1, 2 * 3 * 20 * 24).view(2, 3, 20, 24)
    sheet = np.asarray(viz.photo_rows({"one": shades, "a longer name": -shades}))
    expected = ((shades[1] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert (sheet[2:22, -26:-2] == expected).all()
    assert (sheet[2:22, :40] == 255).all(), "the shorter label is written to the right"
    assert (sheet[26:46, :40] < 128).any()


def test_names_stand_beside_rows_and_above_columns_and_pictures_stay_as_they_are():
    """Each in the middle of its own; a name that is wider than its column takes a second line."""
    plain = Image.new("RGB", (200, 120), "blue")
    both = np.asarray(
        viz.named(plain, rows=["one", "two", "three"], columns=["k = 0", "measured and painted"])
    )
    dark = both.max(2) < 128
    above, left = both.shape[0] - 120, both.shape[1] - 200
    assert (both[above:, left:] == (0, 0, 255)).all()
    assert (both[:above, :left] == 255).all()
    for row in range(3):
        assert dark[above + 40 * row + 10 : above + 40 * row + 30, :left].any()
        assert not dark[above + 40 * row : above + 40 * row + 8, :left].any()
    first, second = dark[:above, left : left + 100], dark[:above, left + 100 :]
    assert not first[: above // 2].any(), "one line stands on the pictures"
    assert first[above // 2 :].any()
    assert second[: above // 2].any()
    middle = [half.any(0).nonzero()[0] for half in (first, second)]
    assert [where.mean() for where in middle] == pytest.approx([50, 50], abs=6)


def test_a_sheet_without_names_is_left_alone():
    plain = Image.new("RGB", (30, 20), "red")
    assert viz.named(plain).tobytes() == plain.tobytes()


def test_images_and_points_may_lie_on_another_device(elsewhere):
    images = torch.rand(3, 3, 8, 8) * 2 - 1
    for drawn in (
        lambda given: viz.image_grid(given(images)),
        lambda given: viz.photo_rows({"a": given(images)}),
        lambda given: viz.marked(given(images[0]), given(torch.tensor([[1.0, 2.0]]))),
    ):
        assert np.array_equal(np.asarray(drawn(elsewhere)), np.asarray(drawn(lambda same: same)))


def test_heat_lies_where_weights_are_and_the_ring_where_it_was_asked():
    images = torch.zeros(1, 3, 16, 16)
    weights = torch.full((1, 4, 4), 1.0)
    weights[0, 3, 0] = 8.0
    found = viz.heated(images, weights, (0.25, 0.75), scale=4)
    assert found.shape == (1, 3, 64, 64)
    red = found[0, 0] - found[0, 2]
    assert (red[48:, :16] > 0.5).all()  # the bottom left quarter of a quarter
    white, dark = (found[0] > 0.99).all(0), (found[0] < -0.99).all(0)
    ring = white | dark
    assert white.any()
    assert dark.any()
    rows, columns = white.nonzero(as_tuple=True)
    assert rows.float().mean() + 0.5 == pytest.approx(16, abs=0.5)
    assert columns.float().mean() + 0.5 == pytest.approx(48, abs=0.5)
    assert red[:48][~ring[:48]].abs().max() < 1e-6  # an even weight leaves grey as it is
