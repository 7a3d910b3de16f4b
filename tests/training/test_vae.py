"""Guards the autoencoder's training: it learns, stops and goes on bit for bit, and leaves a whole run folder."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from companion import latent
from companion.cli import main
from companion.data import load
from companion.errors import CompanionError
from companion.losses import Perceptual
from companion.models.store import load_model
from companion.models.vae import VAE
from companion.training.runs import Run
from companion.training.vae import VAESettings, VAETrainer, binarised, build, shuffled
from companion.variational import Bernoulli, Variational

TINY = VAESettings(width=4, latents=4, batch=16, steps=4)
EVERYTHING = Variational(sharpening=0.5, sobel=0.2, warm_up=3, edges_from=1, edges_over=2)


@pytest.mark.parametrize(
    "change",
    [{}, {"objective": EVERYTHING}, {"objective": Bernoulli()}, {"classifier": 5.0}],
    ids=["plain", "all", "bernoulli", "classifier"],
)
@pytest.mark.slow
@pytest.mark.api
def test_it_stops_and_goes_on_byte_for_byte(tmp_path, change):
    settings = replace(TINY, **change)

    def run(name: str, **options: bool) -> Run:
        return Run.start(tmp_path / name, settings.as_json(), "digits", **options)

    def made() -> tuple[VAETrainer, object]:
        trainer, images = build(settings)
        return trainer, shuffled(images, settings)

    list(run("whole").train(*made(), steps=4))
    reports = run("parts").train(*made(), steps=4)
    next(reports), next(reports)
    reports.close()
    list(run("parts", resume=True).train(*made(), steps=4))
    for name in ("metrics.csv", "vae.safetensors", "checkpoint/last.safetensors", "samples/000004.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name
    assert isinstance(load_model(tmp_path / "whole/vae.safetensors"), VAE)


def test_reports_name_the_terms_and_the_error_in_pixels():
    trainer, images = build(replace(TINY, objective=EVERYTHING))
    report = next(trainer.run(shuffled(images, TINY), steps=1))
    assert set(report.numbers) == {
        "reconstruction_loss",
        "divergence_loss",
        "edge_loss",
        "divergence",
        "squared_error",
    }
    assert report.line.startswith("reconstruction ")


def test_a_content_loss_joins_in():
    settings = replace(TINY, data="digits", content=(Perceptual(10.0, "untrained"),))
    trainer, images = build(settings)
    report = next(trainer.run(shuffled(images, settings), steps=1))
    assert report.numbers["content_loss"] > 0


@pytest.mark.slow
def test_it_learns_digits():
    """A few steps bring the error well below that of the best single image, which is the mean."""
    warm = Variational(warm_up=100)
    settings = replace(TINY, width=8, latents=16, batch=32, steps=200, rate=2e-3, objective=warm)
    trainer, images = build(settings)
    for _ in trainer.run(shuffled(images, settings), steps=settings.steps):
        pass
    some = images[:200]
    error = (trainer.reconstruct(some) - some).square().mean()
    assert error < 0.7 * (some - images[:].mean(0)).square().mean()


def test_samples_are_the_same_for_the_same_seed_and_leave_the_readers_numbers_alone():
    trainer, _ = build(TINY)
    before = torch.get_rng_state()
    first, second, other = trainer.sample(3, seed=1), trainer.sample(3, seed=1), trainer.sample(3, seed=2)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert trainer.preview().shape == (24 * 2 + 32, 1, 32, 32)


def test_black_and_white_is_drawn_as_bright_as_the_image_and_anew_each_time():
    grey = torch.full((1, 1, 64, 64), 0.5)
    first, again, next_time = binarised(grey, 1), binarised(grey, 1), binarised(grey, 1, index=1)
    assert set(first.unique().tolist()) == {-1.0, 1.0}
    assert first.mean().item() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(first, again)
    assert not torch.equal(first, next_time)
    ends = torch.tensor([-1.0, 1.0]).repeat(1000)
    assert torch.equal(binarised(ends, 0), ends)


def test_a_bernoulli_run_learns_from_black_and_white():
    settings = replace(TINY, objective=Bernoulli())
    batches = shuffled(load("digits"), settings)
    assert set(batches[0].unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(batches[3], batches[3])


@pytest.mark.slow
def test_a_classifier_learns_beside_and_lays_the_classes_apart():
    settings = replace(TINY, latents=2, width=6, steps=150, seed=1, ema_decay=0.9)
    apart = {}
    for weight in (0.0, 1000.0):
        trainer, images = build(replace(settings, classifier=weight))
        reports = list(
            trainer.run(shuffled(images, replace(settings, classifier=weight)), steps=settings.steps)
        )
        codes, labels = latent.codes(trainer.best, images[:]), images.labels
        apart[weight] = latent.separability(
            codes[::2], labels[::2], held_out=codes[1::2], held_out_labels=labels[1::2]
        )
    assert apart[1000.0] > apart[0.0] + 0.1
    assert reports[-1].numbers["classifier_loss"] < reports[0].numbers["classifier_loss"]
    assert set(trainer.products()) == {"vae"}


def test_the_classifiers_loss_is_the_weighted_cross_entropy_of_the_means():
    settings = replace(TINY, classifier=3.0)
    trainer, images = build(settings)
    batch = shuffled(images, settings)[0]
    line = trainer.players["classifier"].network
    with torch.no_grad():
        mean = trainer.players["vae"].network.eval().encoder(batch.images)[0]
        wanted = 3.0 * torch.nn.functional.cross_entropy(line(mean), batch.labels)
    trainer.players["vae"].network.train()
    found = next(trainer.run(shuffled(images, settings), steps=1)).numbers["classifier_loss"]
    assert found == pytest.approx(float(wanted), rel=1e-4)


def test_a_classifier_needs_labels(tmp_path):
    for number in range(16):
        Image.new("RGB", (32, 32), (number, 0, 0)).save(tmp_path / f"{number}.png")
    with pytest.raises(CompanionError, match="one label each"):
        build(replace(TINY, classifier=1.0, data=str(tmp_path)))


def test_a_classifier_beside_black_and_white_pixels_is_refused():
    with pytest.raises(CompanionError, match="black and white"):
        replace(TINY, classifier=1.0, objective=Bernoulli())


def test_an_impossible_size_is_refused_before_data_is_read():
    with pytest.raises(CompanionError, match="power of two"):
        build(replace(TINY, size=40, data="no such folder"))


def test_the_command_trains_and_resumes(tmp_path, capsys):
    command = ["train", "vae", "--budget", "smoke", "--sobel", "0.1", "--out", str(tmp_path / "run")]
    main([*command, "--steps", "2"])
    main([*command, "--steps", "3", "--resume"])
    assert "3 steps are done" in capsys.readouterr().out
    assert (tmp_path / "run/vae.safetensors").is_file()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--data", "digitz"], "digits"),
        (["--beta", "-1"], "beta"),
        (["--beta", "inf"], "beta"),
        (["--classifier", "inf"], "classifier"),
        (["--size", "40"], "power of two"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, capsys, options, complaint):
    assert main(["train", "vae", "--budget", "smoke", "--out", str(tmp_path / "run"), *options])
    said = capsys.readouterr().err
    assert complaint in said
    assert "Traceback" not in said
