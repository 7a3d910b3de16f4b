"""Guards pictures that a record keeps."""

import torch

from companion.data.webp import as_webp, from_webp
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
