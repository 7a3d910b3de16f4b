"""Guards what judges chapter 2's content losses: fidelity as its authors mean it, and eyes that have not taught."""

import sys

import pytest
import torch
from torch import nn

from companion.data.batches import Pair
from companion.data.photos import load_photos
from companion.errors import CompanionError
from companion.metrics.restoration import psnr
from companion.reproduce.ch02 import deblurring


@pytest.fixture(scope="module")
def pictures():
    pixels = load_photos("embedded", least=96).pixels[:3]
    return torch.stack([photo[:, :96, :96] for photo in pixels]).float() / 127.5 - 1


def test_all_information_is_kept_by_the_same_picture_and_less_by_a_worse_one(pictures):
    pytest.importorskip("torchmetrics")
    grain = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(1))
    soft = nn.functional.avg_pool2d(pictures, 5, 1, padding=2, count_include_pad=False)
    kept = [
        deblurring._information_kept(restored, pictures)
        for restored in (pictures, pictures + 0.02 * grain, pictures + 0.2 * grain, soft)
    ]
    assert kept[0] == pytest.approx(torch.ones(3), abs=1e-3)
    assert (kept[1] < kept[0]).all()
    assert (kept[2] < kept[1]).all()
    assert (kept[3] < 0.7).all()


def test_without_the_library_the_comparison_says_what_to_install(pictures, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("torchmetrics")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchmetrics.functional.image", None)
    with pytest.raises(CompanionError, match="needs torchmetrics: pip install torchmetrics"):
        deblurring._information_kept(pictures, pictures)


def test_a_pupil_is_seen_by_eyes_that_belong_to_neither_teacher(pictures):
    pytest.importorskip("torchmetrics")

    class Trainer:
        def restore_images(self, blurred):
            return blurred / 2

    wide = nn.functional.pad(pictures, (16, 16, 16, 16))
    seen = deblurring._seen(Trainer(), Pair(wide, wide), ["untrained"])
    assert list(seen) == ["PSNR (dB)", "SSIM", "information kept", "distance by untrained"]
    assert seen["PSNR (dB)"] == pytest.approx(
        float(psnr(pictures / 2, pictures).mean())
    )  # the border left out
    assert 0 < seen["SSIM"] < 1
    assert seen["distance by untrained"] > 0
