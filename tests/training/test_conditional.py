"""Guards the conditional loop: what goes in, what the loss is, and that a resumed run repeats the uninterrupted one."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.photos import load_photos
from companion.errors import CompanionError
from companion.losses import Perceptual, PixelL1
from companion.objectives import LeastSquares, NonSaturating, Wasserstein, WassersteinGP
from companion.training.conditional import ConditionalTrainer
from companion.training.deblurring import DeblurSettings, build

TINY = DeblurSettings(
    size=16,
    batch=2,
    width=2,
    blocks=1,
    critic_width=4,
    camera=Camera(shakes=2, size=5, length=4),
    content=(PixelL1(), Perceptual(10.0, "untrained")),
)


@pytest.fixture(scope="module")
def photos():
    return load_photos("embedded")


def advanced(deblurring, steps):
    return list(deblurring.trainer.run(deblurring.batches, steps=steps))


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("objective", [NonSaturating(), LeastSquares(), Wasserstein(), WassersteinGP()])
@pytest.mark.slow
@pytest.mark.api
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(photos, objective, bfloat16):
    settings = replace(TINY, objective=objective, bfloat16=bfloat16)
    whole, first, second = (build(settings, photos) for _ in range(3))
    reports = advanced(whole, 4)
    advanced(first, 2)
    second.trainer.restore({key: value.clone() for key, value in first.trainer.state().items()})
    assert [r.generator_loss for r in advanced(second, 4)] == [r.generator_loss for r in reports[2:]]
    wanted, found = whole.trainer.state(), second.trainer.state()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


class Double(nn.Module):
    """A generator whose output is known: the weight times what goes in."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, images):
        return self.weight * images


class Mean(nn.Module):
    """A critic whose score is known: the weight times the image's mean."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, images):
        return self.weight * images.mean((1, 2, 3))


def known():
    return ConditionalTrainer(
        Double(), Mean(), LeastSquares(), content=nn.L1Loss(), seed=1, generator_rate=0.01, critic_rate=1e-9
    )


def test_the_generators_loss_is_the_critics_word_plus_the_content_loss():
    """Equation 1 of the paper with numbers: restored = 2 · blurred, the score its mean, the content loss L1."""
    pairs = Pair(input=torch.full((1, 3, 4, 4), 0.1), target=torch.full((1, 3, 4, 4), 0.5))
    (report,) = known().run([pairs], steps=1)
    adversarial, content = 0.5 * (0.2 - 1) ** 2, abs(0.2 - 0.5)
    assert report.generator_loss == pytest.approx(adversarial + content, rel=1e-4)
    assert report.real_score == pytest.approx(0.5, rel=1e-4)  # the sharp half
    assert report.fake_score == pytest.approx(0.2, rel=1e-4)  # the restored blurred half
    assert report.critic_loss == pytest.approx(0.5 * (0.5 - 1) ** 2 + 0.5 * 0.2**2, rel=1e-4)


def test_the_content_loss_moves_the_generator_towards_the_sharp_image():
    """Blurred 0.1, sharp 0.5: the right factor is 5, so the weight grows although the critic's word is muted."""
    pairs = Pair(input=torch.full((1, 3, 4, 4), 0.1), target=torch.full((1, 3, 4, 4), 0.5))
    trainer = known()
    list(trainer.run([pairs] * 3, steps=3))
    assert trainer.generator.weight.item() > 2.0


def test_previews_are_held_out_pictures_blurred_restored_and_sharp(photos):
    trainer = build(TINY, photos).trainer
    rows = trainer.preview()
    count = len(rows) // 3
    assert rows.shape[1:] == (3, 16, 16)
    assert torch.equal(rows[:count], rows[count : 2 * count])  # untrained, it changes nothing
    shown = trainer.shown
    assert torch.equal(rows[:count], shown.input)
    assert torch.equal(rows[2 * count :], shown.target)


def test_restored_images_come_in_their_order_and_shape_whatever_the_batch(photos):
    trainer = build(TINY, photos).trainer
    blurry = torch.rand(5, 3, 20, 12) * 2 - 1
    assert torch.equal(trainer.restore_images(blurry, batch=2), blurry)


def test_training_never_sees_a_held_out_photograph(photos):
    deblurring = build(TINY, photos)
    trained_on = set(deblurring.batches.photos.sources)
    for part in ("validation", "test"):
        assert not trained_on & set(photos.split(part).sources)


def test_equal_seeds_draw_equal_weights(photos):
    first, again, other = (build(replace(TINY, seed=seed), photos).trainer for seed in (1, 1, 2))
    weights = [trainer.critic.state_dict()["layers.0.weight"] for trainer in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"steps": 0}, {"seed": -1}, {"size": 4}, {"seed": 2**63}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(CompanionError, match=f"setting {next(iter(wrong))}"):
        replace(TINY, **wrong)


def test_settings_are_plain_json():
    import json

    about = json.loads(json.dumps(TINY.as_json()))
    assert about["objective"]["name"] == "NonSaturating"
    assert [term["name"] for term in about["content"]] == ["PixelL1", "Perceptual"]
    assert about["camera"]["size"] == 5
