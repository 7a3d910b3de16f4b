"""Guards the `companion` command: what it leaves, what it says, and that no mistake ends in a traceback."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from house import PATIENCE, until
from PIL import Image

from companion.cli import main
from companion.commands import Command, ch03, house
from companion.data.catalogue import ImageSet, choices
from companion.models.store import load_model
from companion.training import runs
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import ColourSettings

TINY = ["--steps", "6", "--batch", "8", "--size", "16", "--width", "2", "--latents", "4", "--device", "cpu"]


def train(out: Path, *more: str) -> int:
    return main(["train", "dcgan", "--out", str(out), *TINY, *more])


def test_training_leaves_all_that_the_help_promises(tmp_path, capsys):
    assert train(tmp_path / "a") == 0
    left = {path.name for path in (tmp_path / "a").iterdir()} - {".lock"}
    assert left == {
        "run.json",
        "metrics.csv",
        "samples",
        "losses.png",
        "checkpoint",
        "generator.safetensors",
    }
    assert len((tmp_path / "a/metrics.csv").read_text().splitlines()) == 1 + 6
    output = capsys.readouterr()
    assert "6 steps are done" in output.out
    assert "critic" in output.err  # the progress bar shows the losses
    assert "<" in output.err  # and the time left


@pytest.mark.parametrize("model", ["wgan", "wgan-gp"])
def test_a_wasserstein_run_leaves_the_same_files_and_says_how_it_was_held(tmp_path, model):
    options = [
        "--data",
        "digits",
        "--critic-steps",
        "2",
        "--critic-rate",
        "0.001",
        "--out",
        str(tmp_path / "a"),
    ]
    assert main(["train", model, *TINY, *options]) == 0
    assert {"metrics.csv", "samples", "losses.png"} <= {path.name for path in (tmp_path / "a").iterdir()}
    settings = json.loads((tmp_path / "a/run.json").read_text())["settings"]
    assert settings["objective"]["name"] == {"wgan": "Wasserstein", "wgan-gp": "WassersteinGP"}[model]
    assert settings["objective"]["critic_steps"] == 2
    assert settings["critic_rate"] == 0.001
    assert settings["uniform"] is True


@pytest.mark.parametrize(
    ("options", "held"),
    [
        (["wgan", "--clip", "0.1"], {"name": "Wasserstein", "clip": 0.1}),
        (["wgan-gp", "--penalty", "1"], {"name": "WassersteinGP", "weight": 1.0}),
        (["wgan-gp", "--one-sided"], {"name": "OneSidedWassersteinGP", "weight": 10.0}),
    ],
)
@pytest.mark.slow
def test_how_the_critic_is_held_can_be_chosen(tmp_path, options, held):
    assert main(["train", *options, *TINY, "--data", "digits", "--out", str(tmp_path / "a")]) == 0
    objective = json.loads((tmp_path / "a/run.json").read_text())["settings"]["objective"]
    assert {key: objective[key] for key in held} == held


def test_a_run_on_sprites_keeps_their_alpha_channel_in_its_samples(tmp_path, monkeypatch):
    """RGBA in, RGBA out; the grids show it over a checkerboard."""
    from companion.data.sets import sprites as module

    sprites = torch.zeros(9, 4, 16, 16, dtype=torch.uint8), torch.zeros(9, dtype=torch.long)
    monkeypatch.setattr(module, "emoji", lambda: sprites)
    assert main(["train", "wgan-gp", *TINY, "--data", "sprites", "--out", str(tmp_path / "a")]) == 0
    generator = load_model(tmp_path / "a/generator.safetensors")
    assert generator.config.channels == 4
    grid = Image.open(next(iter((tmp_path / "a/samples").iterdir())))
    assert grid.mode == "RGB"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--critic-steps", "0"], "--critic-steps cannot be 0"),
        (["--critic-rate", "0"], "--critic-rate cannot be 0"),
        (["--generator-rate", "7"], "--generator-rate cannot be 7"),
        (["--penalty", "-1"], "λ = -1"),
        (["--batch", "1"], "choose 2 or more"),
        (["--size", "48"], "power of two"),
    ],
)
def test_an_impossible_option_of_a_wasserstein_run_is_one_sentence(tmp_path, capsys, more, said):
    assert main(["train", "wgan-gp", *TINY, *more, "--data", "digits", "--out", str(tmp_path / "a")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("times", "between", "said"),
    [
        (1, 60.0, "Stopped after step 3 of 6"),
        (2, -1.0, "Stopped at once; all up to step 2 is kept"),
        (2, 60.0, "Stopped at once, before the first checkpoint"),
    ],
)
def test_ctrl_c_is_answered_and_pressed_again_says_what_is_kept(
    tmp_path, monkeypatch, capsys, times, between, said
):
    """A step may take long, and whoever hears nothing presses again, which costs all since the last checkpoint."""
    step = AdversarialTrainer.one_step

    def pressed(trainer, batches):
        if trainer.step == 2:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return step(trainer, batches)

    monkeypatch.setattr(AdversarialTrainer, "one_step", pressed)
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_CHECKPOINTS", between)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert train(tmp_path / "a") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    told = capsys.readouterr()
    assert (
        told.err.count("Stopping after this step; Ctrl-C again stops at once, back to the last checkpoint.")
        == 1
    )
    assert said in told.out
    monkeypatch.setattr(AdversarialTrainer, "one_step", step)
    assert train(tmp_path / "a", "--resume") == 0


@pytest.mark.full
def test_a_run_stopped_with_ctrl_c_and_resumed_equals_an_uninterrupted_one(tmp_path):
    """As far as sums go: all use one thread, since the number of threads changes the order of additions.

    Slow for its two processes, which import torch: Ctrl-C in this one would stop the tests.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    longer = "--steps", "200"

    def start(name: str, *more: str) -> subprocess.Popen:
        options = ["train", "dcgan", "--out", str(tmp_path / name), *TINY, *longer, *more]
        command = [sys.executable, "-m", "companion", *options]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)

    cut = start("cut")
    samples = tmp_path / "cut/samples"
    until(lambda: samples.is_dir() and any(samples.iterdir()), cut)  # in the middle of the run
    cut.send_signal(signal.SIGINT)
    said, trouble = cut.communicate(timeout=PATIENCE)
    assert cut.returncode == 130, trouble
    assert "Stopped after step" in said
    assert "Traceback" not in trouble
    resumed = start("cut", "--resume")
    assert train(tmp_path / "whole", *longer) == resumed.wait(PATIENCE) == 0
    for name in ("metrics.csv", "generator.safetensors", "checkpoint/last.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--size", "37"], "power of two"),
        (["--steps", "-3"], "--steps cannot be -3"),
        (["--batch", "0"], "--batch cannot be 0"),
        (["--batch", "100000"], "which holds 1797 images"),
        (["--seed", "-1"], "--seed cannot be -1"),
        (["--data", "mnits"], "did you mean mnist"),
        (["--data", "no/such/folder"], "does not exist"),
        (["--device", "quantum"], "There is no device"),
        (["--device", "cuda:99"], "no cuda:99"),
    ],
)
def test_an_impossible_option_is_one_sentence_and_code_2(tmp_path, capsys, more, said):
    assert train(tmp_path / "a", *more) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("companion: ")
    assert said in message
    assert message[-1] in ".?"
    assert not (tmp_path / "a").exists()  # nothing is left behind


def test_a_folder_without_pictures_names_what_it_looked_at(tmp_path, capsys):
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays/notes.txt").write_text("sun")
    assert train(tmp_path / "a", "--data", str(tmp_path / "holidays")) == 2
    assert "notes.txt" in capsys.readouterr().err


def test_unreadable_pictures_are_counted_named_and_skipped(tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(9):
        Image.new("RGB", (20, 20), (index * 20, 0, 0)).save(folder / f"{index}.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    assert train(tmp_path / "a", "--data", str(folder)) == 0
    assert "9 pictures read; left out (unreadable): 1 (broken.jpg)" in capsys.readouterr().out


def test_an_existing_run_is_kept_unless_asked(tmp_path, capsys):
    assert train(tmp_path / "a") == 0
    before = (tmp_path / "a/metrics.csv").read_bytes()
    assert train(tmp_path / "a") == 2
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "a/metrics.csv").read_bytes() == before
    assert train(tmp_path / "a", "--overwrite", "--seed", "2") == 0
    assert (tmp_path / "a/metrics.csv").read_bytes() != before


def test_a_foreign_folder_is_never_emptied(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/thesis.txt").write_text("three years")
    assert train(tmp_path / "a", "--overwrite") == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert (tmp_path / "a/thesis.txt").read_text() == "three years"


def test_an_unwritable_place_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert train(tmp_path / "file/a") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(monkeypatch, capsys):
    def full(options):
        raise OSError(28, "No space left on device", "runs/a/metrics.csv")

    monkeypatch.setitem(house.COMMANDS, "doctor", Command("", full))
    assert main(["doctor"]) == 2
    said = capsys.readouterr().err
    assert "The disk is full" in said
    assert "--resume" not in said  # which this command has not


def test_a_machine_without_a_compiler_is_one_sentence(monkeypatch, capsys):
    """As torch says it when `--compiled` meets a machine without g++."""

    def uncompiled(options):
        raise RuntimeError(
            "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')"
        )

    monkeypatch.setitem(house.COMMANDS, "doctor", Command("", uncompiled))
    assert main(["doctor"]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "--compiled needs a C++ compiler" in sentence


@pytest.mark.parametrize(
    "arguments", [["trian"], ["train"], ["train", "dcgan"], ["train", "dcgan", "--steps", "x"]]
)
def test_a_wrong_command_line_says_where_help_is(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("train", "reproduce", "assets", "doctor"))


def test_help_of_a_model_takes_its_defaults_from_the_settings(capsys, monkeypatch):
    """Field by field, at the laptop's budget; on the command line the best device is asked for."""
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        main(["train", "wgan", "--help"])
    shown = capsys.readouterr().out
    wanted = ColourSettings(**ch03.BUDGETS["laptop"])
    for name in ("steps", "batch", "width", "size", "latents", "data", "seed"):
        (line,) = (line for line in shown.splitlines() if line.strip().startswith(f"--{name} "))
        assert line.endswith(f": {getattr(wanted, name)})"), line
    assert "auto, cpu, cuda or mps (default: auto)" in shown
    assert all(name in shown for name in choices(ImageSet).split(", "))


def test_reproduce_lists_its_runs_and_suggests_names(capsys):
    assert main(["reproduce"]) == 0
    assert "dcgan-mnist" in capsys.readouterr().out
    assert main(["reproduce", "dcgan-mnits"]) == 2
    assert "dcgan-mnist" in capsys.readouterr().err


def test_assets_lists_licences_and_refuses_unknown_names(capsys):
    assert main(["assets", "list"]) == 0
    assert "CC BY-SA 3.0" in capsys.readouterr().out
    assert main(["assets", "fetch"]) == 2
    assert main(["assets", "fetch", "mnist-train-image"]) == 2
    assert "mnist-train-images" in capsys.readouterr().err


def test_a_run_folder_within_the_pictures_is_refused(tmp_path, capsys):
    """Else the run would find its own samples among its data, and could never be resumed."""
    for index in range(9):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{index}.png")
    assert train(tmp_path / "run", "--data", str(tmp_path)) == 2
    assert "choose an --out elsewhere" in capsys.readouterr().err


@pytest.mark.slow
def test_a_terminal_without_unicode_gets_question_marks_not_a_traceback():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "companion", "doctor"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_the_bytes_of_an_odd_name_are_printed(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "companion", "assets", "fetch", os.fsdecode(b"caf\xe9")]
    result = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert result.returncode == 2
    assert rb"caf\xe9" in result.stderr


def test_too_little_memory_is_one_sentence(tmp_path, capsys):
    assert train(tmp_path / "a", "--width", "100000000") == 2
    assert "memory is too small" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--latents", "--width", "--size"])
def test_a_number_that_no_machine_counts_to_is_one_sentence(tmp_path, capsys, option):
    """Torch raises a TypeError or an OverflowError of its own for these."""
    assert train(tmp_path / "a", option, str(2**70)) == 2
    assert "memory is too small" in capsys.readouterr().err


def test_resuming_what_is_not_there_begins_and_says_so(tmp_path, capsys):
    assert train(tmp_path / "a", "--resume") == 0
    assert "begins at step 1" in capsys.readouterr().out


def test_faces_are_exported_as_the_options_say(tmp_path, capsys):
    out = tmp_path / "faces"
    command = [
        "faces",
        "export",
        str(out),
        "--count",
        "2",
        "--size",
        "24",
        "--style",
        "caricature",
        "--seed",
        "3",
    ]
    assert main(command) == 0
    assert "2 caricatures are in" in capsys.readouterr().out
    assert [path.name for path in sorted((out / "images").iterdir())] == ["00000.png", "00001.png"]
    with Image.open(out / "images" / "00001.png") as picture:
        assert picture.size == (24, 24)
    assert main(command) == 2
    assert "is not an empty folder; give a new one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--count", "0"], "give 1 or more"),
        (["--size", "4"], "cannot be drawn 4 pixels wide"),
    ],
)
def test_faces_that_cannot_be_drawn_are_refused_and_leave_nothing(tmp_path, capsys, more, said):
    assert main(["faces", "export", str(tmp_path / "new"), *more]) == 2
    said_ = capsys.readouterr().err
    assert said in said_
    assert "Traceback" not in said_
    assert not (tmp_path / "new").exists()


def test_a_stopped_export_says_that_nothing_is_left(tmp_path, capsys, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("companion.data.faces.export.export_faces", stopped)
    assert main(["faces", "export", str(tmp_path / "new")]) == 130
    assert "is as it was before" in capsys.readouterr().out


def test_fetching_all_assets_leaves_out_what_nobody_publishes(monkeypatch, capsys):
    from companion.data import assets

    monkeypatch.setattr(assets, "fetch", lambda name: Path(name))
    assert main(["assets", "fetch", "all"]) == 0
    fetched = capsys.readouterr().out
    assert "vgg16" in fetched
    assert "squeezenet-deep-compression" not in fetched


@pytest.mark.slow
@pytest.mark.api
def test_train_deblur_leaves_a_run_folder_with_blurred_restored_and_sharp(tmp_path, capsys):
    """And continues: `--resume` with more steps goes on where it was."""
    out = tmp_path / "run"
    command = ["train", "deblur", "--budget", "smoke", "--steps", "2", "--blur", "disc", "--out", str(out)]
    assert main(command) == 0
    assert "2 steps are done" in capsys.readouterr().out
    grid = Image.open(out / "samples" / "000002.png")
    assert grid.height > 2 * 32  # three rows of 32 pixels
    about = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert about["status"] == "finished"
    assert about["settings"]["objective"]["name"] == "WassersteinGP"
    assert [term["name"] for term in about["settings"]["content"]] == ["Perceptual", "PixelL1"]
    assert about["settings"]["camera"]["kind"] == "disc"
    command[command.index("2")] = "3"
    assert main([*command, "--resume"]) == 0
    assert len((out / "metrics.csv").read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize("objective", ["non-saturating", "least-squares", "wasserstein", "wasserstein-gp"])
@pytest.mark.slow
def test_a_deblurring_run_continued_is_equal_byte_for_byte(tmp_path, objective):
    def run(name: str, steps: int, *more: str) -> None:
        command = ["train", "deblur", "--budget", "smoke", "--objective", objective]
        assert main([*command, "--steps", str(steps), "--out", str(tmp_path / name), *more]) == 0

    run("whole", 3)
    run("cut", 2)
    run("cut", 3, "--resume")
    for file in ("metrics.csv", "generator.safetensors"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "cut" / file).read_bytes()


def test_train_deblur_without_the_backbones_weights_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path / "cache"))
    command = ["train", "deblur", "--steps", "1", "--out", str(tmp_path / "run")]
    assert main([*command, "--backbone", "squeezenet-deep-compression"]) == 2
    assert "use “untrained”" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_train_deblur_refuses_to_read_its_own_samples(tmp_path, capsys):
    out = tmp_path / "photos" / "run"
    assert main(["train", "deblur", "--data", str(tmp_path / "photos"), "--out", str(out)]) == 2
    assert "read its own" in capsys.readouterr().err
