"""Guards the endless family of blurs: kernels are light shared out, as large as asked, and a seed fixes all."""

from dataclasses import replace

import pytest
import torch

from companion.data import degrade as first_camera
from companion.data.anyblur import (
    KINDS,
    AnyBlur,
    Damage,
    blur,
    degrade,
    delta,
    discs,
    drawn,
    from_light,
    gaussians,
    lines,
    shakes,
    through_jpeg,
    to_light,
)
from companion.data.anypairs import DamagedPatches
from companion.data.photos import load_photos
from companion.errors import CompanionError
from companion.models.anyblur import spread
from companion.randomness import generator

FAMILY = AnyBlur()
MANY = FAMILY.draw(400, generator(3, "test"))


def of_one(kernel, **changes):
    """Damage for one picture; nothing but the kernel unless it is said."""
    nothing = Damage(
        kernels=kernel[None],
        kinds=torch.zeros(1, dtype=torch.long),
        linear=torch.zeros(1, dtype=torch.bool),
        noise=torch.zeros(1),
        quality=torch.zeros(1, dtype=torch.long),
    )
    return replace(nothing, **changes)


def test_kernels_share_out_light_and_neither_make_nor_lose_any():
    assert MANY.kernels.shape == (400, 41, 41)
    assert (MANY.kernels >= 0).all()
    assert torch.allclose(MANY.kernels.sum((1, 2)), torch.ones(400), atol=1e-5)


def test_kernels_are_centred_on_their_centre_of_mass():
    """So a restored picture lies over the sharp one, and a network need not guess where."""
    at = torch.arange(41) - 20.0
    for axis in (1, 2):
        assert ((MANY.kernels.sum(axis) * at).sum(1).abs() < 0.05).all()


@pytest.mark.slow
def test_each_kind_comes_as_often_as_its_share():
    share = torch.bincount(FAMILY.draw(8000, generator(1, "test")).kinds, minlength=5) / 8000
    rest = 1 - FAMILY.none - FAMILY.shake - FAMILY.line - FAMILY.disc
    wanted = torch.tensor([FAMILY.none, FAMILY.shake, FAMILY.line, FAMILY.disc, rest])
    assert torch.allclose(share, wanted, atol=0.02)
    assert len(KINDS) == 5


def test_shakes_are_as_long_as_they_were_asked_to_be():
    lengths = torch.tensor([0.0, 1.0, 17.0, 40.0])
    paths = shakes(lengths, generator(1, "test"))
    assert torch.allclose(paths.diff(dim=1).abs().sum(1), lengths, atol=1e-3)


def test_a_shake_is_no_longer_across_than_along():
    """A kernel's spread is at most that of all its length in two points at its ends."""
    lengths = torch.full((50,), 30.0)
    found = spread(drawn(shakes(lengths, generator(1, "test")), 41))
    assert (found <= 15.5).all()
    assert found.max() > 8  # and some hands hardly turn


def test_spread_is_the_textbooks():
    """`L/√12` of a line, `r/√2` of a disc, `√2 σ` of a Gaussian, 0 of nothing."""
    line = drawn(lines(torch.tensor([24.0]), generator(1, "test")), 41)
    assert spread(line).item() == pytest.approx(24 / 12**0.5, rel=0.02)
    assert spread(discs(torch.tensor([6.0]), 41)).item() == pytest.approx(6 / 2**0.5, rel=0.03)
    assert spread(gaussians(torch.tensor([3.0]), 41)).item() == pytest.approx(3 * 2**0.5, rel=0.01)
    assert spread(delta(41)[None]).item() == 0


def test_no_blur_no_noise_and_no_jpeg_leave_the_bytes_alone():
    image = torch.randint(0, 256, (1, 3, 60, 70)).float() / 127.5 - 1
    still = of_one(delta(41))
    for linear in (False, True):
        found = degrade(image, replace(still, linear=torch.tensor([linear])), generator(1, "test"))
        assert torch.allclose(found, image[..., 20:40, 20:50], atol=1e-6)


def test_blur_is_the_first_cameras_whatever_the_size():
    images = torch.rand(2, 3, 30, 37, generator=generator(1, "test"))
    kernels = FAMILY.draw(2, generator(2, "test")).kernels[:, 13:28, 13:28]
    assert torch.allclose(blur(images, kernels), first_camera.blur(images, kernels), atol=1e-5)


def test_light_adds_up_before_it_is_encoded():
    """Half black and half white under one wide kernel: half of the light, which sRGB stores as 188 of 255."""
    stripes = torch.tensor([-1.0, 1.0]).repeat(20)[None, None, None, :].expand(1, 3, 40, 40)
    even = torch.zeros(3, 3)
    even[1] = torch.tensor([0.25, 0.5, 0.25])
    for linear, wanted in ((False, 128), (True, 188)):
        found = degrade(stripes, of_one(even, linear=torch.tensor([linear])), generator(1, "test"))
        assert ((found + 1) * 127.5).unique().tolist() == pytest.approx([wanted], abs=0.01)


def test_light_is_srgbs():
    """IEC 61966-2-1: 0.5 stored is 0.2140 of the light; both curves meet and undo each other."""
    stored = torch.linspace(0, 1, 1001)
    light = to_light(stored)
    assert light[500].item() == pytest.approx(0.21404, abs=1e-5)
    assert (light.diff() > 0).all()
    assert torch.allclose(from_light(light), stored, atol=1e-5)


def test_noise_has_the_standard_deviation_that_was_drawn():
    grey = torch.zeros(1, 3, 240, 240)
    found = degrade(grey, of_one(delta(41), noise=torch.tensor([0.03])), generator(1, "test"))
    assert (found / 2).std().item() == pytest.approx(0.03, rel=0.02)
    assert MANY.noise.max() <= FAMILY.noise
    assert MANY.noise.median().item() == pytest.approx(FAMILY.noise / 4, rel=0.2)


def test_jpeg_is_stored_where_it_was_drawn_and_only_there():
    image = load_photos("embedded").pixels[0][None, :, 100:180, 200:280].float() / 127.5 - 1
    inner = image[0, :, 20:60, 20:60]
    worse, better = (
        degrade(image, of_one(delta(41), quality=torch.tensor([quality])), generator(1, "test"))[0]
        for quality in (40, 95)
    )
    assert (worse - inner).abs().mean() > (better - inner).abs().mean() > 0
    assert torch.equal(worse, through_jpeg(inner, 40))


def test_a_family_that_does_not_fit_its_kernels_is_refused():
    with pytest.raises(CompanionError, match="do not fit kernels of 21"):
        AnyBlur(size=21)
    with pytest.raises(CompanionError, match="more than one"):
        AnyBlur(shake=0.9)


def test_batches_depend_on_seed_and_index_alone():
    photos = load_photos("embedded", least=90)
    family = AnyBlur(size=11, longest=10, widest=2)
    first = DamagedPatches(photos, family, size=40, batch=3, seed=1)[5]
    again = DamagedPatches(photos, family, size=40, batch=3, seed=1)
    again[0]
    assert all(map(torch.equal, again[5].tensors, first.tensors))
    assert first.input.shape == first.target.shape == (3, 3, 40, 40)
    assert not torch.equal(again[6].input, first.input)
    with pytest.raises(CompanionError, match="need photographs of at least"):
        DamagedPatches(photos, family, size=400, batch=3)
