"""Guards pictures that a record keeps."""

import base64
import io

import pytest
import torch
from PIL import Image

from companion.data.webp import as_webp, from_webp
from companion.errors import CompanionError
from companion.metrics.restoration import psnr


def test_pictures_kept_in_a_record_come_back_to_the_eye():
    """Three pictures, each its own colour's ramp, in their order; WebP may move a pixel by a little."""
    ramp = torch.linspace(-1, 1, 32)
    pictures = torch.full((3, 3, 32, 32), -1.0)
    for at in range(3):
        pictures[at, at] = ramp
    back = from_webp(as_webp(pictures))
    assert back.shape == pictures.shape
    assert psnr(back, pictures).min() > 30


def in_base64(form: str, width: int, height: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, form)
    return base64.b64encode(file.getvalue()).decode()


KEPT = as_webp(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1)
DAMAGED = {
    "nothing": "",
    "words": "no picture at all",
    "other letters": "Bärenmarke",
    "cut": KEPT[: len(KEPT) // 2 // 4 * 4],
    "cut within a byte": KEPT[: len(KEPT) // 2 // 4 * 4 + 1],
    "a letter gone": KEPT[:40] + KEPT[41:],
    "a strange letter": KEPT[:40] + "*" + KEPT[41:],
    "a strange letter more": KEPT[:40] + "*" + KEPT[40:],
    "its head overwritten": "AAAA" + KEPT[4:],
    "another form": in_base64("PNG", 64, 32),
    "no text": None,
    "a number": 7,
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_text_is_one_sentence(how):
    with pytest.raises(
        CompanionError, match=r"holds no picture or a damaged one; take it as a record keeps it"
    ):
        from_webp(DAMAGED[how])


def test_a_picture_that_is_no_row_of_squares_is_refused():
    with pytest.raises(CompanionError, match="holds 40×32 pixels, which is no row of squares; take it"):
        from_webp(in_base64("WEBP", 40, 32))


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 1, 32, 32), (2, 4, 32, 32), (2, 3, 32, 16), (0, 3, 8, 8)])
def test_what_is_no_square_colour_pictures_is_not_kept(shape):
    with pytest.raises(CompanionError, match="keeps square colour pictures .*; cut them"):
        as_webp(torch.zeros(shape))


def test_more_than_a_webp_can_hold_is_refused():
    assert from_webp(as_webp(torch.zeros(1, 3, 8, 8).expand(2047, -1, -1, -1))).shape == (2047, 3, 8, 8)
    with pytest.raises(CompanionError, match="2048 pictures of 8 pixels are wider than the 16383"):
        as_webp(torch.zeros(1, 3, 8, 8).expand(2048, -1, -1, -1))
