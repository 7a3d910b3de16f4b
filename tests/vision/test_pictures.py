"""Guards what becomes of an image before MediaPipe sees it: always contiguous, upright, 8-bit RGB."""

import numpy as np
import pytest
import torch
from PIL import Image

from companion.errors import CompanionError
from companion.vision import as_picture
from companion.vision.sources import Pictures


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def check(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


def test_a_contiguous_array_is_not_copied(pixels):
    assert as_picture(pixels) is pixels


@pytest.mark.parametrize(
    "view",
    [
        lambda p: p[:, ::-1],  # mirrored
        lambda p: p[..., ::-1],  # BGR turned to RGB
        lambda p: p[1:4, 2:6],  # a part
        lambda p: p[::2, ::2],
        lambda p: p.transpose(1, 0, 2),
        np.asfortranarray,
    ],
)
def test_views_keep_what_they_show(pixels, view):
    check(as_picture(view(pixels)), view(pixels))


def test_grey_becomes_three_equal_channels(pixels):
    grey = pixels[..., 0]
    expected = np.stack([grey] * 3, axis=2)
    check(as_picture(grey), expected)
    check(as_picture(grey[..., None]), expected)
    check(as_picture(Image.fromarray(np.ascontiguousarray(grey))), expected)


def test_what_is_transparent_lies_on_white(pixels):
    alpha = np.zeros((5, 7, 1), np.uint8)
    alpha[:2] = 255
    found = as_picture(np.concatenate([pixels, alpha], axis=2))
    check(found[:2], pixels[:2])
    assert (found[2:] == 255).all()


def test_tensors_are_floats_from_minus_one_to_one(pixels):
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).float() / 127.5 - 1
    check(as_picture(tensor), pixels)
    check(as_picture(tensor[None].requires_grad_()), pixels)
    assert as_picture(tensor[:1]).shape == (5, 7, 3)
    assert as_picture(3 * tensor).max() == 255  # what lies outside is cut off, not wrapped around


@pytest.mark.parametrize("orientation", range(1, 9))
def test_files_are_turned_as_their_exif_says(tmp_path, orientation):
    """A corner that is white in the upright picture is white in the upper left, however the file holds it."""
    upright = np.zeros((4, 6, 3), np.uint8)
    upright[0, 0] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    check(as_picture(tmp_path / "a.png"), upright)
    check(as_picture(str(tmp_path / "a.png")), upright)
    with Image.open(tmp_path / "a.png") as opened:
        check(as_picture(opened), upright)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((5, 7, 3), np.float32),
        np.zeros((5, 7, 3), np.uint16),
        np.zeros((5, 7, 2), np.uint8),
        np.zeros((2, 5, 7, 3), np.uint8),
        np.zeros((0, 7, 3), np.uint8),
        np.zeros(7, np.uint8),
        torch.zeros(2, 3, 5, 7),
        torch.zeros(3, 5, 7, dtype=torch.uint8),
        torch.zeros(2, 5, 7),
    ],
    ids=lambda one: f"{one.dtype}{tuple(one.shape)}",
)
def test_anything_else_is_one_sentence(wrong):
    with pytest.raises(CompanionError, match="no picture; give") as error:
        as_picture(wrong)
    assert "\n" not in str(error.value)


def test_files_that_are_no_pictures_say_why(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a picture")
    for name, why in (
        ("empty.jpg", "empty \\(0 bytes\\)"),
        ("text.jpg", "cannot be read"),
        ("no.jpg", "does not exist"),
    ):
        with pytest.raises(CompanionError, match=why):
            as_picture(tmp_path / name)


def test_a_side_that_would_end_the_process_is_one_sentence(tmp_path):
    """MediaPipe does not raise: it aborts, and takes a notebook's kernel, or the rest of a folder, along."""
    long = np.zeros((2, 32_767, 3), np.uint8)
    with pytest.raises(
        CompanionError, match="more than 32,766 pixels, which no tracker takes; make it smaller"
    ):
        as_picture(long)
    Image.fromarray(long).save(tmp_path / "panorama.png")
    Image.fromarray(long[:, :4]).save(tmp_path / "small.png")
    with Pictures.below(tmp_path) as source:
        assert [frame.name for frame in source] == ["small.png"]
    assert source.skipped == ["panorama.png"]
    assert "no tracker takes" in source.skipped[0].why


def test_a_picture_without_pixels_is_one_sentence():
    with pytest.raises(CompanionError, match="has no pixels"):
        as_picture(Image.new("RGB", (0, 5)))
