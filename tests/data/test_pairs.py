"""Guards pairs of patches: they are what they say, lie over each other, and a seed fixes everything."""

import pytest
import torch

from companion.data.degrade import Camera, blur
from companion.data.pairs import BlurredPatches, held_out
from companion.data.photos import Photos, load_photos
from companion.errors import CompanionError

CAMERA = Camera(shakes=2, size=7, length=6)


@pytest.fixture(scope="module")
def embedded() -> Photos:
    return load_photos("embedded")


def test_a_batch_is_sharp_patches_and_their_blurred_versions(embedded):
    """Each blurred patch differs from its sharp one, and is close to it; with a point kernel they are equal."""
    batch = BlurredPatches(embedded, CAMERA, size=32, batch=4, seed=1)[0]
    assert batch.input.shape == batch.target.shape == (4, 3, 32, 32)
    assert max(images.abs().max() for images in batch.tensors) <= 1
    gap = (batch.target - batch.input).abs().mean()
    assert 0 < gap < 0.2
    still = Camera(shakes=1, size=1, length=0, noise=0)
    batch = BlurredPatches(embedded, still, size=32, batch=4, seed=1)[0]
    assert torch.allclose(batch.target, batch.input, atol=1e-6)


def test_the_blurred_patch_lies_exactly_over_the_sharp_one(embedded):
    """A shift of one pixel would be learnt as part of the blur."""
    camera = Camera(shakes=1, size=7, length=0, noise=0)  # a point in the middle of a 7×7 kernel
    batch = BlurredPatches(embedded, camera, size=32, batch=4, seed=1)[0]
    assert torch.allclose(batch.target, batch.input, atol=1 / 127)


def test_batches_depend_on_seed_and_index_alone(embedded):
    patches = BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=1)
    first = patches[0]
    patches[7]
    again = BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=1)[0]
    for same in (patches[0], again):
        assert all(map(torch.equal, same.tensors, first.tensors))
    assert not torch.equal(patches[1].input, first.input)
    assert not torch.equal(BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=2)[0].input, first.input)


def test_the_readers_random_numbers_are_left_alone(embedded):
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    BlurredPatches(embedded, CAMERA, size=16, batch=3)[0]
    held_out(embedded, CAMERA, 16)
    assert torch.equal(torch.rand(1), wanted)


def test_patches_larger_than_a_photograph_are_refused(embedded):
    with pytest.raises(CompanionError, match="least=406"):
        BlurredPatches(embedded, CAMERA, size=400, batch=1)


def test_held_out_pictures_carry_the_kernel_that_blurred_them(embedded):
    quiet = Camera(shakes=3, size=7, length=6, noise=0)
    pairs, kernels = held_out(embedded, quiet, 40, each=2)
    assert pairs.input.shape == pairs.target.shape == (14, 3, 40, 40)
    assert [int((kernels[n] - quiet.kernels()[n % 3]).abs().sum() == 0) for n in range(14)] == [1] * 14
    again = blur(pairs.target, kernels)  # of the patch alone: three pixels less all round
    assert torch.allclose(again, pairs.input[..., 3:-3, 3:-3], atol=1 / 127)
