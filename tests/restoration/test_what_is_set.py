"""Guards that chapter 5's settings arrive: the schedule, the losses and their weights, the data, and what is judged."""

import math
from dataclasses import replace
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from fastai.vision.gan import AdaptiveGANSwitcher, FixedGANSwitcher
from PIL import Image
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from companion.data.assets import manifest
from companion.data.batches import Labelled, Pair
from companion.data.crappify import Damage, Ruined
from companion.data.photos import Photos, load_photos
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.files import remove_folder
from companion.models import efficientnet
from companion.models.unet import UNetConfig
from companion.reproduce.ch05 import restoration
from companion.reproduce.job import Job
from companion.restoration.faults import keeping_losses
from companion.restoration.judging import accuracy, drawn_by, mean_psnr, save_for_critic
from companion.restoration.learners import (
    LESSONS,
    PixelsAndFeatures,
    at_hand,
    critic,
    critic_learner,
    encoder_and_rest,
    unet,
    unet_learner,
)
from companion.restoration.pairs import RuinedPatches, held_out
from companion.restoration.settings import CriticSettings, RestorationGANSettings, RestorationSettings
from companion.restoration.trainer import LearnerTrainer, no_data
from companion.training.player import Workshop

SHAPE = dict(size=32, batch=2, steps=8)
GAN = RestorationGANSettings(**SHAPE)


@pytest.fixture(scope="module")
def photos():
    return load_photos("embedded", least=64)


def network(seed: int = 1):
    return unet(UNetConfig(stages=2), pretrained=False, seed=seed)


def judge():
    return critic(8, blocks=1)


# ---- the schedule ----


def cosine(start: float, end: float, share: float) -> float:
    return start + (end - start) * (1 - math.cos(math.pi * share)) / 2


def test_the_rate_climbs_for_a_quarter_and_falls_to_next_to_nothing_and_momentum_does_the_reverse(photos):
    """Smith 2018, as fastai has it; the encoder's rate is a tenth. Asked at each step, of both groups."""
    settings = RestorationSettings(**SHAPE, rate=2e-3)
    trainer = settings.trainer(network(), photos)
    for step, _ in enumerate(trainer.run(settings.patches(photos), steps=8)):
        share = step / 8
        for highest, group in zip((2e-4, 2e-3), trainer.learner.opt.hypers, strict=True):
            if share < 0.25:
                rate, momentum = (
                    cosine(highest / 25, highest, share / 0.25),
                    cosine(0.95, 0.85, share / 0.25),
                )
            else:
                past = (share - 0.25) / 0.75
                rate, momentum = cosine(highest, highest / 1e5, past), cosine(0.85, 0.95, past)
            assert group["lr"] == pytest.approx(rate, rel=1e-6), step
            assert group["mom"] == pytest.approx(momentum, rel=1e-6), step


def test_decay_is_that_of_the_learner():
    learner = unet_learner(no_data(), network(), nn.MSELoss(), wd=0.07)
    learner.create_opt()
    learner.opt.set_hypers(wd=0.0)
    LearnerTrainer(learner, steps=1, products={}, seed=1, workshop=Workshop())
    assert [group["wd"] for group in learner.opt.hypers] == [0.07, 0.07]


@pytest.mark.parametrize("frozen", [False, True])
def test_the_encoder_is_frozen_where_it_is_said_to_be(photos, frozen):
    """Its normalisations learn all the same: fastai's `train_bn`."""
    trainer = RestorationSettings(**SHAPE, frozen=frozen).trainer(network(), photos)
    encoder, rest = encoder_and_rest(trainer.learner.model)
    learning = [parameter.requires_grad for parameter in encoder if parameter.dim() == 4]
    assert learning
    assert all(each is not frozen for each in learning)
    assert all(parameter.requires_grad for parameter in rest)


# ---- losses ----


def test_content_is_squared_error_or_that_and_so_much_of_the_features():
    drawn, good = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plain = RestorationSettings(backbone="untrained").content
    assert isinstance(plain, nn.MSELoss)
    both = RestorationSettings(backbone="untrained", features=0.3).content
    assert isinstance(both, PixelsAndFeatures)
    seen = both.features(drawn, good)
    assert float(both(drawn, good)) == pytest.approx(float(mse_loss(drawn, good) + 0.3 * seen), rel=1e-5)


def test_the_critics_loss_is_cross_entropy_with_a_pictures_label_at_each_of_its_patches():
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([1, 0, 1])
    loss = critic_learner(no_data(), judge()).loss_func
    wanted = binary_cross_entropy_with_logits(scores, labels[:, None].expand(3, 4).float())
    assert float(loss(scores, labels)) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize(("adversarial", "weight"), [(0.0, 200.0), (0.0, 50.0), (1.0, 200.0), (3.0, 0.0)])
def test_a_generators_loss_is_the_critics_word_and_the_content_each_by_its_weight(
    photos, adversarial, weight
):
    """Of the first step: the U-Net changes nothing yet, and the critic, whose rate is nothing, stays as it was."""
    settings = replace(GAN, adversarial=adversarial, weight=weight, below=None, rate=1e-12)
    trainer = settings.gan_trainer(network(), judge(), photos)
    patches = settings.patches(photos)
    (report,) = trainer.run(patches, steps=1)
    pair = patches[1]  # the critic had the one before
    drawn = network().train()(pair.input)
    with torch.no_grad():
        scores = trainer.learner.model.critic.eval()(drawn)
    word = binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
    wanted = adversarial * word + weight * mse_loss(drawn, pair.target)
    assert report.numbers["generator_loss"] == pytest.approx(float(wanted), rel=0.02)


def test_a_stored_gan_knows_its_critics_last_loss(photos):
    settings = replace(GAN, below=None)
    trainer = settings.gan_trainer(network(), judge(), photos)
    (*_, last) = trainer.run(settings.patches(photos), steps=2)
    assert last.numbers["critic_loss"] > 0
    assert float(trainer.state()["critic_loss"]) == pytest.approx(last.numbers["critic_loss"])


def test_who_waits_for_what(photos):
    fixed = replace(GAN, below=None).gan_trainer(network(), judge(), photos)
    assert isinstance(fixed._switcher, FixedGANSwitcher)
    waiting = replace(GAN, below=0.4).gan_trainer(network(), judge(), photos)
    assert isinstance(waiting._switcher, AdaptiveGANSwitcher)
    assert waiting._switcher.critic_thresh == 0.4


def test_a_gans_optimiser_is_the_lessons(photos):
    trainer = replace(GAN, rate=3e-4).gan_trainer(network(), judge(), photos)
    for group in trainer.learner.opt.hypers:
        found = {name: group[name] for name in ("lr", "mom", "sqr_mom", "eps", "wd")}
        assert found == pytest.approx({"lr": 3e-4, "mom": 0.0, "sqr_mom": 0.99, "eps": 1e-8, "wd": 1e-3})


def test_after_a_look_at_results_it_is_the_turn_that_it_was(photos):
    trainer = replace(GAN, below=None).gan_trainer(network(), judge(), photos)
    game, model = trainer.learner.gan_trainer, trainer.learner.model
    before = game.gen_mode
    with keeping_losses(trainer.learner):
        game.switch(not before)
    assert game.gen_mode is before
    assert model.gen_mode is before


# ---- weights ----


def test_a_seed_is_the_weights():
    one, again, other = (network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_a_pretrained_encoder_is_the_published_one():
    if not manifest()["efficientnet-lite0"].here:
        pytest.skip("needs the backbone: companion assets fetch efficientnet-lite0")
    found = unet(UNetConfig(stages=2)).encoder.state_dict()
    wanted = efficientnet.trunk(2, pretrained=True).state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.fixture
def published(monkeypatch):
    """What torchvision would fetch: a ResNet with weights of its own."""
    from torchvision import models

    torch.manual_seed(5)
    network = models.resnet34(weights=None)
    monkeypatch.setattr(models, "resnet34", lambda weights: network)
    return network


def test_the_lessons_encoder_is_what_torchvision_publishes(published):
    config = at_hand(UNetConfig(resnet=LESSONS))
    assert config == UNetConfig(resnet=34)
    found = unet(config).encoder
    images = torch.rand(2, 3, 64, 64)
    layers = torch.nn.Sequential(*list(published.children())[:-2])
    assert torch.equal(found.eval()(images), layers.eval()(images))


def test_without_them_it_is_the_courses_own(monkeypatch, capsys):
    from torchvision import models

    def offline(weights):
        raise URLError("no way out")

    monkeypatch.setattr(models, "resnet34", offline)
    assert at_hand(UNetConfig(4, resnet=34)) == UNetConfig(4)
    assert capsys.readouterr().out == (
        "The weights of ResNet34 could not be fetched (URLError); go online, or take the course's encoder, "
        "EfficientNet-Lite0. This run goes on with that.\n"
    )
    assert at_hand(UNetConfig(4)) == UNetConfig(4)


def test_the_gpus_budget_has_the_lessons_encoder(published, tmp_path):
    assert restoration.fresh(Job(tmp_path, "gpu"), seed=1).config == UNetConfig(resnet=34)


# ---- data ----


class Noting:
    """Leaves pictures as they are, and notes their names."""

    def __init__(self) -> None:
        self.names = []

    def ruin(self, picture: Image.Image, name: str) -> Ruined:
        self.names.append(name)
        return Ruined(picture, Image.new("L", picture.size), 1.0, 100)


def ramps() -> Photos:
    """Two photographs that grow brighter to the right, and each row is darker than the one above."""
    row = torch.arange(60)
    grey = (2 * row[None] + 100 - row[:, None]).byte().expand(3, 60, 60)
    return Photos("ramps", ("one", "two"), (grey, grey))


def test_half_of_the_patches_are_mirrored_left_to_right_input_and_target_alike():
    batch = RuinedPatches(ramps(), Noting(), 16, 200)[0]
    assert torch.equal(batch.input, batch.target)
    grows = batch.target[:, 0, 0, -1] > batch.target[:, 0, 0, 0]
    assert 60 < int(grows.sum()) < 140
    assert (batch.target[:, 0, 0] > batch.target[:, 0, -1]).all()  # never upside down


def test_patches_come_from_all_places():
    batch = RuinedPatches(ramps(), Noting(), 16, 200)[0]
    lowest = to_bytes(batch.target)[:, 0, -1].amin(1)
    assert lowest.unique().numel() > 40


def test_each_patch_of_each_seed_is_ruined_in_its_own_way():
    noting = Noting()
    for seed in (1, 2):
        patches = RuinedPatches(ramps(), noting, 16, 4, seed)
        for index in (0, 1):
            _ = patches[index]
    assert len(set(noting.names)) == len(noting.names) == 16
    endings = [name.split(", ", 1)[1] for name in noting.names]
    assert len(set(endings)) == 16


def test_training_and_shown_pairs_are_of_other_photographs(photos):
    settings = RestorationSettings(**SHAPE, damage=Damage(seed=3))
    assert settings.patches(photos).photos.sources == photos.split("training").sources
    validation = photos.split("validation")
    shown, each = settings.shown(photos), -(-8 // len(validation))
    again = held_out(validation, Damage(seed=3), 32, each=each).pairs
    assert torch.equal(shown.target, again.target)
    assert torch.equal(shown.input, again.input)
    assert not set(photos.split("training").sources) & set(validation.sources)


def test_marks_are_where_it_was_written_over(photos):
    """Where nothing was written, only shrinking and JPEG have changed the picture, so it is nearer to the original."""
    found = held_out(
        photos, Damage(least_shrink=1.0, most_shrink=1.01, least_quality=94, most_quality=95), 64, each=4
    )
    share = found.marks.float().mean((1, 2, 3))
    assert (share > 0).any()
    assert (share < 0.5).all()
    off = (found.pairs.input - found.pairs.target).abs().mean(1, keepdim=True)
    assert off[found.marks].mean() > 5 * off[~found.marks].mean()


# ---- judging ----


class Darker(nn.Module):
    """Half as bright in eval mode, and nothing at all in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.share * images if not self.training else 0 * images


def test_networks_are_judged_in_eval_mode_and_left_as_they_were():
    images = torch.rand(5, 3, 8, 8)
    model = Darker().train()
    assert torch.allclose(drawn_by(model, images, batch=2), images / 2)
    assert model.training


def test_a_mean_psnr_is_of_what_is_drawn():
    images = torch.full((2, 3, 8, 8), 0.8)
    pairs = Pair(images, torch.full((2, 3, 8, 8), 0.2))
    assert mean_psnr(Darker(), pairs) == pytest.approx(10 * math.log10(4 / 0.2**2), rel=1e-4)


@pytest.mark.parametrize(("real", "drawn", "share"), [(1, -1, 1.0), (-1, 1, 0.0), (1, 1, 0.5), (-1, -1, 0.5)])
def test_a_critic_is_right_about_a_real_patch_above_zero_and_a_drawn_one_below(real, drawn, share):
    def pictures(score):
        return torch.full((3, 1, 2, 2), float(score))

    class Means(nn.Module):
        def forward(self, images):
            return images.mean((1, 2, 3))[:, None]

    assert accuracy(Means(), pictures(real), pictures(drawn)) == share


def test_a_critic_is_taught_with_what_was_drawn_and_what_should_have_been(tmp_path):
    pair = Pair(*torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    save_for_critic(Darker(), [pair], 1, tmp_path)
    for label, wanted in (("drawn", pair.input / 2), ("real", pair.target)):
        for place in range(2):
            stored = bytes_of(Image.open(tmp_path / label / f"0000-{place:02}.png"))
            assert np.array_equal(stored, to_bytes(wanted)[place]), label
            assert torch.equal(from_bytes(stored), from_bytes(to_bytes(wanted)[place]))


def test_a_preview_shows_given_drawn_and_wanted(photos):
    trainer = RestorationSettings(**SHAPE).trainer(network(), photos)
    given, drawn, wanted = trainer.preview().chunk(3)
    assert torch.equal(given, trainer.shown.input[:8])
    assert torch.equal(wanted, trainer.shown.target[:8])
    assert torch.allclose(drawn, drawn_by(network(), given), atol=1e-5)


def test_a_critics_run_has_its_rate():
    trainer = CriticSettings(size=32, batch=2, steps=4, rate=5e-4).trainer(judge())
    lesson = Labelled(torch.rand(2, 3, 32, 32), torch.tensor([0, 1]))
    rates = []
    for _ in trainer.run([lesson] * 4, steps=4):
        rates.append(max(group["lr"] for group in trainer.learner.opt.hypers))
    assert max(rates) == pytest.approx(5e-4, rel=1e-6)


# ---- records ----


@pytest.mark.parametrize("same", [True, False])
def test_a_comparison_takes_a_seeds_record_where_it_was_made_with_the_same_settings_alone(
    monkeypatch, tmp_path, same
):
    job = Job(tmp_path, "debug")
    record = SimpleNamespace(budget="debug", settings=restoration._about(job) if same else {})
    kept = SimpleNamespace(
        names=lambda: ["restoration-seed-1", "restoration-seed-2"],
        record=lambda name: record,
        details=lambda name: pytest.fail("the kept one is taken"),
    )
    monkeypatch.setattr(restoration, "pretrained", kept)
    monkeypatch.setattr(restoration, "_judge", lambda job: None)
    monkeypatch.setattr(restoration, "_rows", lambda *_: pytest.fail("it is run anew"))
    with pytest.raises(pytest.fail.Exception, match="kept one" if same else "anew"):
        restoration.compared(job)


def test_pictures_that_were_lost_are_drawn_again_before_a_critic_learns(tmp_path):
    job, settings = Job(tmp_path, "debug"), replace(restoration.base(Job(tmp_path, "debug")), seed=1)
    drawing = network()
    whole = restoration.critic_for(job, "critic", settings, drawing)
    lost = next(iter(sorted(tmp_path.glob("critic-pictures/drawn/*.png"))))
    before = lost.read_bytes()
    lost.unlink()
    remove_folder(tmp_path / "critic")
    again = restoration.critic_for(job, "critic", settings, drawing)
    assert lost.read_bytes() == before
    assert again[1] == whole[1]
    kept, found = whole[0].state_dict(), again[0].state_dict()
    assert all(torch.equal(kept[name], found[name]) for name in kept)
