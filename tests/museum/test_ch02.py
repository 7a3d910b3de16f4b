"""Guards chapter 2's exhibits: each still shows its bug."""

import pytest
import torch

from companion import pretrained
from companion.data.degrade import Camera
from companion.data.pairs import BlurredPatches
from companion.data.photos import Photos, load_photos
from companion.losses import PerceptualLoss
from companion.museum import InOrder, as_bgr, gradients_agree

CAMERA = Camera(shakes=2, size=7, length=6)


@pytest.fixture(scope="module")
def photos() -> Photos:
    return load_photos("embedded").split("training")


def test_bgr_has_the_same_shape_and_other_colours():
    red = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None].expand(1, 3, 2, 2)
    assert as_bgr(red).shape == red.shape
    assert as_bgr(red)[0, :, 0, 0].tolist() == [-1.0, -1.0, 1.0]
    assert torch.equal(as_bgr(as_bgr(red)), red)


def test_a_trained_network_sees_another_picture_in_bgr(photos):
    """The activations of a picture and of the same picture in BGR are far apart, although no number was lost."""
    picture = photos.pixels[0][None, :, :64, :64].float() / 127.5 - 1
    assert PerceptualLoss("untrained")(as_bgr(picture), picture) > 0.05


def test_batches_in_order_come_from_one_photograph_each(photos):
    """Shown with flat photographs of different grey, where a patch tells where it was cut."""
    flat = Photos(
        "flat", photos.sources, tuple(torch.full((3, 60, 60), 40 * n + 20).byte() for n in range(4))
    )
    ordered, shuffled = (kind(flat, CAMERA, size=16, batch=6, seed=1) for kind in (InOrder, BlurredPatches))
    levels = [ordered[index].target.mean((1, 2, 3)) for index in range(32)]
    assert all(level.std() < 1e-5 for level in levels)
    assert [len({round(float(levels[8 * n + i][0]), 3) for i in range(8)}) for n in range(4)] == [1] * 4
    assert len({round(float(level[0]), 3) for level in levels}) == 4
    assert shuffled[0].target.mean((1, 2, 3)).std() > 0.1


@pytest.mark.full
@pytest.mark.every  # since one alone may say the opposite
@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_of_batches_in_order_repeat_themselves(photos, seed):
    """From neighbours to batches eight apart, agreement falls in order, and hardly in a shuffle.

    Under the network's own camera: of others' shakes all its gradients say the same.
    """
    model = pretrained.load("deblur-best")
    (first, last), (shuffled_first, shuffled_last) = (
        [
            gradients_agree(model, kind(photos, Camera(), size=48, batch=6, seed=seed), apart=apart)
            for apart in (1, 8)
        ]
        for kind in (InOrder, BlurredPatches)
    )
    assert first - last > 0.15
    assert abs(shuffled_first - shuffled_last) < 0.1
