"""Guards chapter 7's exhibits: each is wrong in the way the chapter says, and the right code is not."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from companion import museum
from companion.data.faces import draw
from companion.data.faces.parameters import COLUMN, PARAMETERS
from companion.data.photos import load_photos
from companion.data.scale import from_bytes
from companion.layers import SelfAttention, adaptive_instance_norm
from companion.likeness import drawing
from companion.likeness.lighting import linear, relit
from companion.likeness.measuring import _put_on
from companion.models.likeness import WORN
from companion.models.munit import MUNITConfig, StyleEncoder
from companion.training.munit import ShownContent

CONFIG = MUNITConfig(size=64, width=8, styles=4, blocks=1)


def layer(kind: type[SelfAttention]) -> SelfAttention:
    torch.manual_seed(0)
    made = kind(16, keys=16)
    for weight in made.parameters():
        if weight.dim():
            nn.init.normal_(weight, std=0.5)
    return made


def test_a_softmax_over_places_gives_some_of_them_nothing():
    features = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(1))
    right, wrong = (
        layer(kind).weights(features).sum(2) for kind in (SelfAttention, museum.AttentionOverPlaces)
    )
    torch.testing.assert_close(right, torch.ones_like(right))
    assert wrong.min() < 0.01
    assert wrong.max() > 3
    torch.testing.assert_close(layer(museum.AttentionOverPlaces).weights(features).sum(1), torch.ones(2, 16))


def test_a_gain_that_is_no_parameter_never_leaves_zero():
    """Both are asked for something only attention can do: every place is to know the mean of all."""
    features = torch.randn(4, 16, 4, 4, generator=torch.Generator().manual_seed(2))
    wanted = features + features.mean((2, 3), keepdim=True)
    after = {}
    for kind in (SelfAttention, museum.UntrainedAttention):
        made = layer(kind)
        optimiser = torch.optim.Adam(made.parameters(), lr=0.02)
        for _ in range(60):
            loss = (made(features) - wanted).square().mean()
            optimiser.zero_grad()
            loss.backward() if loss.requires_grad else None
            optimiser.step()
        after[kind] = float(loss), float(made.gain)
    start = float((features - wanted).square().mean())
    assert after[museum.UntrainedAttention] == (pytest.approx(start), 0.0)
    assert after[SelfAttention][0] < 0.5 * start
    assert after[SelfAttention][1] != 0


def test_with_the_batchs_statistics_a_picture_depends_on_its_neighbours():
    random = torch.Generator().manual_seed(3)
    features, scale, shift = torch.randn(3, 4, 6, 6, generator=random), torch.ones(3, 4), torch.zeros(3, 4)
    others = features.clone()
    others[1:] = 5 * others[1:] + 2
    for norm, alone in ((adaptive_instance_norm, True), (museum.batch_instance_norm, False)):
        same = torch.allclose(norm(features, scale, shift)[0], norm(others, scale, shift)[0], atol=1e-5)
        assert same == alone
    one = features[:1]  # with one picture there is no difference
    assert torch.allclose(
        museum.batch_instance_norm(one, scale[:1], shift[:1]),
        adaptive_instance_norm(one, scale[:1], shift[:1]),
    )


def test_a_style_with_places_tells_what_lies_where():
    """How much of a thumbnail of 4×4 pixels a linear reader finds in the styles of pictures it has not seen."""
    random = torch.Generator().manual_seed(4)
    pictures = interpolate(torch.rand(400, 3, 4, 4, generator=random) * 2 - 1, 64, mode="bilinear")
    thumbnails = adaptive_avg_pool2d(pictures, 4).flatten(1)
    found = {}
    for kind in (StyleEncoder, museum.StyleWithPlaces):
        torch.manual_seed(5)
        with torch.no_grad():
            styles = kind(CONFIG)(pictures)
        known = torch.cat([(styles - styles.mean(0)) / styles.std(0), torch.ones(400, 1)], 1)
        reader = torch.linalg.lstsq(known[:300], thumbnails[:300]).solution
        left = (known[300:] @ reader - thumbnails[300:]).square().mean()
        found[kind] = 1 - float(left / thumbnails[300:].var(0).mean())
    assert found[StyleEncoder] < 0.1
    assert found[museum.StyleWithPlaces] > 3 * found[StyleEncoder]


def test_what_compares_pixels_is_pleased_most_by_the_input_itself():
    """A picture in another tint shows the same: what compares contents minds less; pixels want the input back."""
    images = torch.stack([photo[:, 100:164, 100:164] for photo in load_photos("embedded").pixels[:4]])
    images = from_bytes(images)
    tinted = (0.3 * images + torch.tensor([0.4, -0.3, 0.2])[:, None, None]).requires_grad_()
    moved = images.roll(16, 3)  # shows something else
    right, wrong = ShownContent("untrained"), museum.ShownPixels()
    assert wrong(images, images) == 0
    ratios = [float(loss(tinted, images) / loss(moved, images)) for loss in (right, wrong)]
    assert ratios[0] < 0.6 * ratios[1]
    (slope,) = torch.autograd.grad(wrong(tinted, images), tinted)
    torch.testing.assert_close(
        -slope * slope.numel() / 2, images - tinted.detach()
    )  # straight back to the input


def test_from_the_drawn_mean_what_all_photographs_share_grows_as_well(monkeypatch):
    """Measured people who all differ from drawn ones in one way are pushed on in that way."""
    numbers = torch.arange(6)
    drawn = draw(numbers, torch.zeros_like(numbers), 3)
    shared = {"head_width": 0.01, "eye_height": -0.01}
    measured = drawn.replace(**{name: drawn[name] + shift for name, shift in shared.items()})
    real_mean = {name: PARAMETERS[COLUMN[name]].mean + shift for name, shift in shared.items()}
    monkeypatch.setattr(drawing, "real_mean", lambda: real_mean)
    right, wrong = drawing.exaggerated(measured, 2.0), museum.exaggerated_from_drawn_mean(measured, 2.0)
    for name, shift in shared.items():
        torch.testing.assert_close(
            wrong[name] - right[name], torch.full((6,), shift), atol=1e-5, rtol=0, msg=name
        )


def test_by_halves_everybody_wears_a_little_of_everything():
    worn = dict.fromkeys(WORN, 0.05) | {"glasses": 0.9}
    assert museum.worn_by_halves(worn)["beard"] == 0.05
    decided = _put_on(worn)
    assert {name for name, amount in decided.items() if amount} == {"glasses"}


def test_gains_of_bytes_are_gains_of_light_to_a_power():
    picture = np.full((4, 4, 3), 90, np.uint8)
    right, wrong = (change(picture, np.full(3, 1.5)) for change in (relit, museum.relit_in_bytes))
    gains = [(linear(changed / 255) / linear(picture / 255)).mean() for changed in (right, wrong)]
    assert gains == pytest.approx([1.5, 1.5**2.2], rel=0.05)
