"""Guards chapter 5's learners: fastai's, step by step, bit for bit; data by name; losses and measures as published."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from pictures import save
from PIL import Image

from companion.cli import main
from companion.data.crappify import Damage, crappify
from companion.data.photos import load_photos
from companion.errors import CompanionError
from companion.metrics.restoration import psnr
from companion.models.store import save_model
from companion.models.unet import UNetConfig
from companion.reproduce.ch05.restoration import LOOKS, looked_into
from companion.reproduce.ch05.shipping import seams
from companion.restoration.colour import Uncoloured, colourfulness
from companion.restoration.folders import critics_data, restoring_data
from companion.restoration.judging import LabelledByFolder, save_for_critic
from companion.restoration.learners import PixelsAndFeatures, critic, encoder_and_rest, unet
from companion.restoration.measuring import far_from, masked_psnr, pieces, spectrum
from companion.restoration.pairs import RuinedPatches, held_out
from companion.restoration.settings import CriticSettings, RestorationGANSettings, RestorationSettings
from companion.training.runs import Run

SHAPE = dict(size=32, batch=2, steps=6)
SMALL = UNetConfig(stages=2)


@pytest.fixture(scope="module")
def photos():
    return load_photos("embedded", least=64)


def network():
    return unet(SMALL, pretrained=False)


def trainer_of(kind, photos):
    if kind == "mse":
        return RestorationSettings(**SHAPE).trainer(network(), photos)
    if kind == "frozen":
        return RestorationSettings(**SHAPE, frozen=True).trainer(network(), photos)
    settings = RestorationGANSettings(**SHAPE, below=0.65 if kind == "adaptive" else None)
    return settings.gan_trainer(network(), critic(8, blocks=1), photos)


@pytest.mark.parametrize("kind", ["mse", "frozen", "adaptive", "fixed"])
@pytest.mark.slow
@pytest.mark.api
def test_a_learner_taken_up_again_equals_one_that_was_never_stopped(kind, photos):
    patches = RestorationSettings(**SHAPE).patches(photos)
    whole = trainer_of(kind, photos)
    reports = [report.numbers for report in whole.run(patches, steps=6)]
    first = trainer_of(kind, photos)
    begun = [report.numbers for report in first.run(patches, steps=3)]
    state = {name: value.clone() for name, value in first.state().items()}
    second = trainer_of(kind, photos)
    second.restore(state)
    assert begun + [report.numbers for report in second.run(patches, steps=6)] == reports
    ended = second.state()
    assert all(torch.equal(value, ended[name]) for name, value in whole.state().items())


def test_a_learner_learns_in_a_run_folder_and_leaves_its_network(tmp_path, photos):
    settings = RestorationSettings(**{**SHAPE, "steps": 3})
    run = Run.start(tmp_path / "run", settings.as_json(), photos.fingerprint)
    trainer = settings.trainer(network(), photos)
    for _ in run.train(trainer, settings.patches(photos), steps=3):
        pass
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"run.json", "metrics.csv", "generator.safetensors", "losses.png"} <= left
    assert Image.open(next((tmp_path / "run/samples").iterdir())).size[0] > 8 * 32


def test_a_frozen_encoder_stays_and_the_rest_moves(photos):
    trainer = trainer_of("frozen", photos)
    model = trainer.learner.model
    own, rest = encoder_and_rest(model)
    convolutions = [weight for weight in own if weight.dim() == 4]
    before = [weight.detach().clone() for weight in (*convolutions, *rest)]
    for _ in trainer.run(RestorationSettings(**SHAPE).patches(photos), steps=2):
        pass
    after = [torch.equal(a, b) for a, b in zip(before, (*convolutions, *rest), strict=True)]
    assert all(after[: len(convolutions)])
    assert not all(after[len(convolutions) :])


@pytest.mark.slow
@pytest.mark.api
def test_the_fixed_switcher_alternates_and_no_critic_is_waited_for_for_ever(photos):
    patches = RestorationSettings(**SHAPE).patches(photos)
    fixed = [report.numbers["critic_batches"] for report in trainer_of("fixed", photos).run(patches, steps=3)]
    assert fixed == [1, 1, 1]
    settings = RestorationGANSettings(**SHAPE, below=1e-9)
    waiting = settings.gan_trainer(network(), critic(8, blocks=1), photos)
    assert [report.numbers["critic_batches"] for report in waiting.run(patches, steps=2)] == [5, 5]


def test_patches_are_a_function_of_seed_and_number_and_fit_together(photos):
    quiet = Damage(writing=False, least_shrink=1, most_shrink=1, least_quality=95, most_quality=95)
    patches = RuinedPatches(photos.split("training"), quiet, 48, 4, seed=3)
    one, again, other = (
        patches[5],
        RuinedPatches(photos.split("training"), quiet, 48, 4, seed=3)[5],
        patches[6],
    )
    assert torch.equal(one.input, again.input)
    assert not torch.equal(one.target, other.target)
    assert psnr(one.input, one.target).min() > 25  # hardly ruined: the same place, the same way round


def test_patches_larger_than_a_photograph_are_refused(photos):
    with pytest.raises(CompanionError, match="least=5000"):
        RuinedPatches(photos, Damage(), 5000, 2)


def test_held_out_pictures_bring_their_masks(photos):
    held = held_out(photos.split("test"), Damage(), 64, each=3)
    assert len(held) == 3 * len(photos.split("test"))
    assert held.marks.shape == (len(held), 1, 64, 64)
    assert held.marks.any()
    assert torch.equal(held.pairs.target[0], held.pairs.target[1])
    assert not torch.equal(held.pairs.input[0], held.pairs.input[1])


def test_what_is_held_out_is_ruined_as_a_whole_like_what_is_trained_on(photos):
    """A small cutting that is ruined by itself would have smaller letters and larger blocks than any patch."""
    test = photos.split("test")
    small, large = (held_out(test, Damage(), size, each=2) for size in (64, 128))
    middle = slice(None), slice(None), slice(32, 96), slice(32, 96)
    assert torch.equal(small.pairs.input, large.pairs.input[middle])
    assert torch.equal(small.marks, large.marks[middle])


def test_psnr_under_a_mask_is_psnr_of_what_it_leaves():
    drawn, wanted = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    half = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    half[:, :, :4] = True
    assert torch.allclose(masked_psnr(drawn, wanted, half), psnr(drawn[:, :, :4], wanted[:, :, :4]))
    assert masked_psnr(drawn, wanted, torch.zeros_like(half)).isnan().all()


def test_the_spectrum_of_a_wave_stands_in_its_ring():
    wave = torch.cos(torch.arange(64) * torch.pi / 2).expand(
        1, 3, 64, 64
    )  # a quarter of a period a pixel: half Nyquist
    found = spectrum(wave, rings=32)
    assert found.argmax() in (15, 16)
    assert found[14:18].sum() > 0.99 * found.sum()


def test_pieces_are_the_quarters():
    images = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    found = pieces(images)
    assert found.shape == (8, 3, 2, 2)
    assert torch.equal(found[1], images[0, :, :2, 2:])
    assert torch.equal(found[6], images[1, :, 2:, :2])


def test_colourfulness_is_hasler_and_suesstrunks():
    """Their equations on NumPy, as OpenCV users write them; and 0 for grey."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 30))
    red, green, blue = pixels.transpose(1, 0, 2, 3).astype(float)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.hypot(rg.std((1, 2)), yb.std((1, 2)))
    wanted = spread + 0.3 * np.hypot(rg.mean((1, 2)), yb.mean((1, 2)))
    found = colourfulness(torch.from_numpy(pixels) / 127.5 - 1)
    assert torch.allclose(found.double(), torch.from_numpy(wanted), atol=1e-3)
    assert colourfulness(torch.full((1, 3, 4, 4), 0.3)).abs() < 1e-4


def test_colour_is_taken_away_and_brightness_stays(photos):
    held = held_out(photos.split("test"), Uncoloured(), 64)
    grey, target = held.pairs.input, held.pairs.target
    assert torch.equal(grey[:, 0], grey[:, 2])
    luma = (target * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    assert (grey[:, 0] - luma).abs().max() < 0.02
    assert not held.marks.any()


def test_pixels_and_features_is_the_sum_of_both():
    drawn, wanted = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    loss = PixelsAndFeatures(0.5, "untrained")
    pixels = (drawn - wanted).square().mean()
    assert loss(drawn, wanted).item() == pytest.approx(float(pixels + 0.5 * loss.features(drawn, wanted)))


def test_a_critic_learns_from_two_folders_whose_names_are_the_labels(tmp_path, photos):
    """A generator that draws black is found out by any critic."""
    patches = RestorationSettings(**SHAPE).patches(photos)

    class Black(torch.nn.Conv2d):
        def forward(self, given):
            return given * 0 - 1

    save_for_critic(Black(3, 3, 1), patches, 6, tmp_path / "pictures")
    lessons = LabelledByFolder(tmp_path / "pictures", 32, 8)
    batch = lessons[0]
    assert torch.equal(batch.labels.bool(), batch.images.amax((1, 2, 3)) > -1)
    settings = CriticSettings(size=32, batch=8, steps=12, rate=3e-3)
    trainer = settings.trainer(critic(8, blocks=1))
    losses = [report.numbers["loss"] for report in trainer.run(lessons, steps=12)]
    assert losses[-1] < 0.85 * losses[0]


def test_a_critics_folder_without_both_kinds_is_refused(tmp_path):
    save(tmp_path / "real/a.png")
    with pytest.raises(CompanionError, match="drawn and real"):
        LabelledByFolder(tmp_path, 32, 2)


def test_fastais_data_is_in_our_range_cut_at_one_place_and_split_by_name(tmp_path):
    for number in range(12):
        picture = Image.fromarray(np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8))
        (tmp_path / "good").mkdir(exist_ok=True)
        picture.resize((60, 50), Image.Resampling.BICUBIC).save(tmp_path / f"good/{number}.png")
    gentle = Damage(writing=False, least_shrink=1, most_shrink=1, least_quality=95, most_quality=95)
    list(crappify(tmp_path / "good", tmp_path / "bad", gentle))
    dls = restoring_data(tmp_path / "bad", tmp_path / "good", size=32, batch=4)
    given, wanted = dls.one_batch()
    assert given.shape == wanted.shape == (4, 3, 32, 32)
    assert -1 <= given.min() < -0.2
    assert 0.2 < given.max() <= 1
    assert psnr(torch.Tensor(given), torch.Tensor(wanted)).min() > 25
    names = [{path.stem for path in part.items} for part in (dls.train_ds, dls.valid_ds)]
    assert not names[0] & names[1]


def test_the_critics_labels_say_one_for_real(tmp_path):
    (tmp_path / "drawn").mkdir()
    for number in range(12):
        save(tmp_path / f"real/{number}.png", seed=number)
        Image.new("RGB", (60, 50)).save(tmp_path / f"drawn/{number}.png")
    images, labels = critics_data(tmp_path, size=32, batch=8).one_batch()
    assert torch.equal(labels.bool().cpu(), torch.Tensor(images).amax((1, 2, 3)) > -1)


@pytest.mark.slow
def test_nothing_but_the_restoring_brings_fastai():
    code = "import sys, companion.reproduce, companion.models.registry as r; r.models(); print('fastai' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@pytest.mark.slow
@pytest.mark.api
def test_restore_takes_a_unet_for_photographs_of_any_size_and_tiles_them(tmp_path, capsys):
    """Larger than a tile and of odd sides; an untrained network gives back what it was given."""
    pixels = save(tmp_path / "photo.png", width=301, height=270)
    save_model(tmp_path / "generator.safetensors", network())
    given = ["restore", str(tmp_path / "photo.png"), "--model", str(tmp_path / "generator.safetensors")]
    assert main([*given, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    assert (np.asarray(Image.open(tmp_path / "out/photo.png")) == pixels).all()


@pytest.mark.slow
def test_the_harm_of_tiles_is_nothing_for_a_network_that_changes_nothing():
    assert seams(network()).value > 60


def test_far_from_marks_is_as_far_as_asked_and_no_farther():
    marks = torch.zeros(1, 1, 9, 9, dtype=torch.bool)
    marks[0, 0, 4, 4] = True
    far = far_from(marks, 2)
    assert far.shape == marks.shape
    assert far.dtype == torch.bool
    assert (~far).sum() == 25  # the square around the mark
    assert not far[0, 0, 2:7, 2:7].any()
    assert far_from(torch.zeros_like(marks), 3).all()


def test_looks_are_cut_where_they_are_said_to_be():
    """From the picture named, so many pixels down and right."""
    pictures = torch.arange(5 * 3 * 256 * 256).reshape(5, 3, 256, 256)
    for (at, top, left), look in zip(LOOKS, looked_into(pictures), strict=True):
        assert look.shape == (3, 96, 96)
        assert look[0, 0, 0] == pictures[at, 0, top, left]
        assert look[2, -1, -1] == pictures[at, 2, top + 95, left + 95]
