"""Guards run folders: what they leave, that they continue exactly after any end, and that they destroy nothing."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from companion.errors import CompanionError
from companion.models.store import load_model, read_tensors, write_tensors
from companion.objectives import (
    LeastSquares,
    NonSaturating,
    OneSidedWassersteinGP,
    Wasserstein,
    WassersteinGP,
)
from companion.training import runs
from companion.training.gan import GANSettings, build, shuffled
from companion.training.runs import Run, read_run
from companion.training.stopping import stop_requested

SETTINGS = GANSettings(size=16, batch=8, steps=6, width=2, latents=4)


def start(folder: Path, settings: GANSettings = SETTINGS, **how: bool):
    trainer, images = build(settings)
    run = Run.start(folder, settings.as_json(), images.fingerprint, **how)
    return run, trainer, shuffled(images, settings)


def train(
    folder: Path, settings: GANSettings = SETTINGS, *, stop_after: int | None = None, **how: bool
) -> Run:
    """A run, or its beginning: left as a reader leaves a loop."""
    run, trainer, batches = start(folder, settings, **how)
    reports = run.train(trainer, batches, steps=settings.steps)
    for report in reports:
        if report.step == stop_after:
            reports.close()
            break
    return run


def contents(folder: Path) -> dict[str, bytes]:
    """What must be equal for equal runs: the numbers, the weights and the whole state."""
    names = ("metrics.csv", "generator.safetensors", "checkpoint/last.safetensors")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """An uninterrupted run; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(folder)
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """Runs that were left, each in a folder with its last step for a name; not to be changed."""
    folder = tmp_path_factory.mktemp("begun")
    for step in (1, 3):
        train(folder / str(step), stop_after=step)
    return folder


# ---- what is left behind ----


def test_a_finished_run_leaves_every_file_that_is_promised(whole):
    assert sorted(path.name for path in whole.iterdir() if path.name != ".lock") == [
        "checkpoint",
        "generator.safetensors",
        "losses.png",
        "metrics.csv",
        "run.json",
        "samples",
    ]
    about = read_run(whole)
    assert about.status == "finished"
    assert about.step == 6
    assert about.seconds > 0
    assert about.settings == json.loads(json.dumps(SETTINGS.as_json()))
    assert about.environment["versions"]["torch"] == torch.__version__.split("+")[0]
    assert [path.name for path in sorted((whole / "samples").iterdir())] == [
        f"{n:06d}.png" for n in range(1, 7)
    ]
    with Image.open(whole / "losses.png") as drawn:
        assert drawn.width > 300


def test_metrics_hold_one_exact_row_per_step(whole):
    """Python's shortest form of each number: read back, it is the number of the report."""
    trainer, images = build(SETTINGS)
    reports = list(trainer.run(shuffled(images, SETTINGS), steps=6))
    with open(whole / "metrics.csv", newline="", encoding="utf-8") as rows:
        table = list(csv.DictReader(rows))
    assert list(table[0]) == ["step", "critic_loss", "penalty", "real_score", "fake_score", "generator_loss"]
    assert [int(row["step"]) for row in table] == [1, 2, 3, 4, 5, 6]
    for row, report in zip(table, reports, strict=True):
        assert all(float(row[name]) == getattr(report, name) for name in row)


def test_the_final_generator_is_the_averaged_one(whole):
    trainer, images = build(SETTINGS)
    list(trainer.run(shuffled(images, SETTINGS), steps=6))
    saved = load_model(whole / "generator.safetensors")
    latents = torch.randn(3, 4)
    assert torch.equal(saved(latents), trainer.average.module.eval()(latents))


@pytest.mark.slow
def test_a_long_run_leaves_about_twenty_grids(tmp_path):
    train(tmp_path / "run", replace(SETTINGS, steps=45, batch=2))
    assert len(list((tmp_path / "run/samples").iterdir())) in range(20, 24)


# ---- continuing ----


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(SETTINGS, bfloat16=True),
        replace(SETTINGS, objective=LeastSquares()),
        replace(SETTINGS, objective=Wasserstein(critic_steps=2)),
        replace(SETTINGS, objective=WassersteinGP(critic_steps=2), critic_norm=False),
        replace(SETTINGS, objective=OneSidedWassersteinGP(critic_steps=2), critic_norm=False),
    ],
    ids=["float32", "bfloat16", "least squares", "clipping", "penalty", "one-sided penalty"],
)
@pytest.mark.slow
def test_a_run_left_early_and_resumed_is_equal_byte_for_byte(tmp_path, settings):
    train(tmp_path / "whole", settings)
    train(tmp_path / "run", settings, stop_after=2)
    assert read_run(tmp_path / "run").status == "stopped"
    assert not (tmp_path / "run/generator.safetensors").exists()
    train(tmp_path / "run", settings, stop_after=4, resume=True)
    train(tmp_path / "run", settings, resume=True)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


DRIVER = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from companion.training import runs
from companion.training.gan import GANSettings, build, shuffled
folder = Path(sys.argv[1])
if child := os.fork():  # one process for each kind: importing torch is what takes long
    folder = folder / "never"
else:
    folder = folder / "often"
    runs.SECONDS_BETWEEN_CHECKPOINTS = -1
settings = GANSettings(size=16, batch=8, steps=6, width=2, latents=4)
trainer, images = build(settings)
run = runs.Run.start(folder, settings.as_json(), images.fingerprint, resume=True)
for report in run.train(trainer, shuffled(images, settings), steps=6):
    if report.step == 4:
        if child:
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGKILL
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.full
def test_a_killed_run_resumes_to_the_same_bytes(tmp_path, whole):
    """SIGKILL in the middle, with a checkpoint behind it and without one.

    Slow for the process that imports torch to be killed; one process forks both.
    """
    assert (
        subprocess.run([sys.executable, "-c", DRIVER, str(tmp_path)], check=False).returncode
        == -signal.SIGKILL
    )
    for checkpoints in ("often", "never"):
        folder = tmp_path / checkpoints
        assert read_run(folder).status == "running"
        assert (folder / "checkpoint").exists() is (checkpoints == "often")
        assert not (folder / "generator.safetensors").exists()
        train(folder, resume=True)
        assert contents(folder) == contents(whole)


def test_rows_written_after_the_last_checkpoint_are_dropped_on_resuming(tmp_path, whole):
    """Killed between two checkpoints, a run has rows its checkpoint knows nothing of, the last one perhaps half."""
    train(tmp_path / "run", stop_after=3)
    with open(tmp_path / "run/metrics.csv", "a", encoding="utf-8") as rows:
        rows.write("4,0.1,0.2,0.0,0.3,0.4\r\n5,0.1,0.")
    train(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)


def test_a_run_may_be_made_longer_and_equals_the_longer_one(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    longer = replace(SETTINGS, steps=9)
    train(tmp_path / "run", longer, resume=True)
    train(tmp_path / "whole", longer)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_resuming_a_finished_run_changes_nothing(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    train(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)
    assert read_run(tmp_path / "run").status == "finished"


def test_seconds_add_up_over_sittings_and_the_step_is_remembered(tmp_path):
    train(tmp_path / "run", stop_after=3)
    about = read_run(tmp_path / "run")
    run, *_ = start(tmp_path / "run", resume=True)
    assert run.seconds == about.seconds > 0
    assert run.first_step == read_run(tmp_path / "run").step == 3


# ---- nothing is destroyed ----


def test_an_existing_folder_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years")
    for how in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(CompanionError):
            start(tmp_path, **how)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(CompanionError, match="--resume.*--overwrite.*another --out"):
        start(tmp_path)


def test_an_empty_folder_is_as_good_as_none(tmp_path):
    start(tmp_path)
    assert read_run(tmp_path).status == "running"


def test_overwriting_deletes_what_a_run_made_and_what_a_kill_left(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run/.metrics.csv.123.part").touch()
    (tmp_path / "run/checkpoint/.last.safetensors.123.part").touch()
    run, *_ = start(tmp_path / "run", overwrite=True)
    left = sorted(path.name for path in run.folder.rglob("*") if path.is_file())
    assert left == [".lock", "run.json"]
    assert not run.resumed


@pytest.mark.parametrize(
    "mine", ["notes.txt", "samples/favourite.png", "checkpoint/best.safetensors", "mine/a/b"]
)
def test_overwriting_a_run_with_anything_else_in_its_folder_is_refused(tmp_path, whole, mine):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / mine).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "run" / mine).write_text("mine")
    before = sorted((tmp_path / "run").rglob("*"))
    with pytest.raises(CompanionError, match=rf"no run made \({mine}\)"):
        start(tmp_path / "run", overwrite=True)
    assert sorted((tmp_path / "run").rglob("*")) == before


def test_resuming_with_other_settings_names_each_of_them(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    other = replace(SETTINGS, seed=9, objective=LeastSquares())
    with pytest.raises(CompanionError, match=r"seed 1, not 9") as error:
        start(tmp_path / "run", other, resume=True)
    assert "objective NonSaturating, not LeastSquares" in str(error.value)
    assert "batch" not in str(error.value)  # equal ones are not listed
    assert contents(tmp_path / "run") == contents(whole)


def test_of_an_objective_only_the_parts_that_differ_are_named(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    other = replace(SETTINGS, objective=NonSaturating(critic_steps=3))
    with pytest.raises(CompanionError, match=r"\(objective's critic_steps 1, not 3\)"):
        start(tmp_path / "run", other, resume=True)


def test_resuming_with_other_data_is_refused(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(CompanionError, match="data has changed"):
        Run.start(tmp_path / "run", SETTINGS.as_json(), "another", resume=True)


def test_resuming_to_fewer_steps_than_were_made_is_refused(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(CompanionError, match="has made 6 steps already"):
        start(tmp_path / "run", replace(SETTINGS, steps=5), resume=True)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(CompanionError, match="There is a file at"):
        start(tmp_path / "run")
    with pytest.raises(CompanionError, match="cannot be written"):
        start(tmp_path / "run" / "below")


# ---- damage ----


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def tampered(path: Path) -> None:
    """One weight changed, and the file written again as a valid one."""
    _, about = read_tensors(path)
    tensors = load_file(path)
    tensors["generator.network.layers.0.weight"].view(-1)[0] += 1
    save_file(tensors, path, about)


def another_runs(path: Path) -> None:
    """Whole and valid, but of a wider network."""
    train(path.parents[2] / "other", replace(SETTINGS, width=3))
    shutil.copy(path.parents[2] / "other/checkpoint/last.safetensors", path)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncated, tampered, emptied, another_runs], ids=lambda f: f.__name__)
@pytest.mark.slow
def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path, begun, damage):
    shutil.copytree(begun / "3", tmp_path / "run")
    damage(tmp_path / "run/checkpoint/last.safetensors")
    with pytest.raises(CompanionError, match=r"damaged|checksum|another run") as error:
        train(tmp_path / "run", resume=True)
    assert "last.safetensors" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"settings": 3}', '"run"', '{"step": 1e999}', "[" * 5000, "\0"]
)
@pytest.mark.slow
def test_a_damaged_record_is_refused_in_one_sentence(tmp_path, begun, content):
    shutil.copytree(begun / "1", tmp_path / "run")
    (tmp_path / "run/run.json").write_text(content)
    with pytest.raises(CompanionError, match=r"run.json is damaged"):
        start(tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    "field", ["status", "step", "seconds", "settings", "data_fingerprint", "environment", "moves"]
)
def test_a_whole_number_beyond_all_floats_is_damage_in_every_field(tmp_path, whole, field):
    about = json.loads((whole / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**about, field: -(10**400)}))
    with pytest.raises(CompanionError, match="is damaged; give another run"):
        read_run(tmp_path)


@pytest.mark.parametrize("number", ["1e999", "-1", "2.5", '"3"', "null", "true"])
@pytest.mark.slow
def test_a_record_with_an_impossible_step_is_refused(tmp_path, begun, number):
    shutil.copytree(begun / "1", tmp_path / "run")
    about = tmp_path / "run/run.json"
    assert '"step": 1,' in about.read_text()
    about.write_text(about.read_text().replace('"step": 1,', f'"step": {number},'))
    with pytest.raises(CompanionError, match=r"run.json is damaged"):
        start(tmp_path / "run", resume=True)


def flip(content: bytes) -> bytes:
    """A digit of the second row is another one."""
    place = content.index(b".", content.index(b"\r\n1,")) + 1
    return content[:place] + (b"1" if content[place : place + 1] != b"1" else b"2") + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda content: None, lambda content: content[:-40], lambda content: b"\xff\0" + content, flip],
    ids=["lost", "cut", "other bytes", "another digit"],
)
@pytest.mark.slow
def test_metrics_that_are_not_those_of_the_checkpoint_are_noticed(tmp_path, begun, damage):
    shutil.copytree(begun / "3", tmp_path / "run")
    path = tmp_path / "run/metrics.csv"
    damaged = damage(path.read_bytes())
    path.unlink() if damaged is None else path.write_bytes(damaged)
    with pytest.raises(CompanionError, match="is not as the checkpoint at step 3 left it"):
        train(tmp_path / "run", resume=True)


def test_a_run_in_which_somebody_works_is_left_alone(tmp_path):
    """Two that continue one run would lose it, and one that overwrites would pull the other's folder away."""
    run, trainer, batches = start(tmp_path / "run")
    reports = run.train(trainer, batches, steps=6)
    next(reports)
    for how in ({"resume": True}, {"overwrite": True}, {}):
        with pytest.raises(CompanionError, match="Another process works in the folder"):
            start(tmp_path / "run", **how)
    reports.close()
    start(tmp_path / "run", resume=True)


def test_a_dead_process_holds_no_run(tmp_path):
    train(tmp_path / "run", stop_after=2)
    (tmp_path / "run/.lock").write_text("of a process that was killed")
    train(tmp_path / "run", resume=True)


@pytest.mark.parametrize("left", [[], ["samples"], ["samples", "checkpoint"]])
def test_a_folder_that_was_begun_and_holds_nothing_is_as_good_as_none(tmp_path, left):
    """What a kill between two of the first operations leaves, or a disk that was full at the start."""
    for how in ({}, {"resume": True}, {"overwrite": True}):
        folder = tmp_path / "-".join(["run", *how])
        for name in left:
            (folder / name).mkdir(parents=True)
        start(folder, **how)


@pytest.mark.slow
def test_overwriting_that_was_killed_can_be_taken_up_by_the_same_command(tmp_path, whole, monkeypatch):
    """Whichever file it came to, run.json is the last to go."""
    count = sum(path.is_file() for path in whole.rglob("[!.]*"))
    unlink = Path.unlink
    for after in range(count):
        folder = tmp_path / f"after-{after}"
        shutil.copytree(whole, folder)
        calls = iter(range(after))

        def killed(path, missing_ok=False, calls=calls):
            if path.name[0] != "." and next(calls, None) is None:
                raise KeyboardInterrupt
            unlink(path, missing_ok)

        monkeypatch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            start(folder, overwrite=True)
        monkeypatch.undo()
        run, *_ = start(folder, overwrite=True)
        assert not run.resumed


@pytest.mark.slow
def test_another_number_of_threads_is_said_and_may_be_meant(tmp_path):
    train(tmp_path / "run", stop_after=2)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        with pytest.raises(CompanionError, match=f"OMP_NUM_THREADS={threads}, or give --moved"):
            start(tmp_path / "run", resume=True)
        train(tmp_path / "run", resume=True, moved=True)
    finally:
        torch.set_num_threads(threads)
    (move,) = read_run(tmp_path / "run").moves
    assert move == {"step": 2, "from": ["cpu", threads], "to": ["cpu", threads + 1]}


@pytest.mark.slow
def test_a_run_of_another_device_goes_on_here_if_that_is_meant(tmp_path):
    train(tmp_path / "run", stop_after=2)
    about = tmp_path / "run/run.json"
    about.write_text(about.read_text().replace('"device": "cpu"', '"device": "cuda"', 1))
    checkpoint = tmp_path / "run/checkpoint/last.safetensors"
    tensors, notes = read_tensors(checkpoint)
    there = Run(
        tmp_path / "run", read_run(tmp_path / "run").settings, read_run(tmp_path / "run").data_fingerprint
    )
    write_tensors(checkpoint, tensors, {**notes, "run": there.identity})
    with pytest.raises(CompanionError, match=r"device cuda, not cpu\); give --moved"):
        start(tmp_path / "run", resume=True)
    train(tmp_path / "run", resume=True, moved=True, stop_after=4)
    train(tmp_path / "run", resume=True)
    after = read_run(tmp_path / "run")
    assert after.status == "finished"
    assert [move["from"][0] for move in after.moves] == ["cuda"]


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(CompanionError, match="holds no run"):
        read_run(tmp_path)


# ---- trouble while training ----


def poisoned_after(step: int):
    """Makes the generator's weights NaN once `step` steps are done, as a gradient too large would."""

    def poison(trainer) -> None:
        with torch.no_grad():
            next(iter(trainer.generator.parameters())).fill_(float("nan"))

    return lambda trainer, report: poison(trainer) if report.step == step else None


def test_nan_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    """The step is named, no row of it is left, the run counts as failed, and the checkpoint resumes."""
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    run, trainer, batches = start(tmp_path / "run")
    spoil = poisoned_after(3)
    with pytest.raises(CompanionError, match="at step 4,"):
        for report in run.train(trainer, batches, steps=6):
            spoil(trainer, report)
    assert read_run(tmp_path / "run").status == "failed"
    assert len((tmp_path / "run/metrics.csv").read_text().splitlines()) == 1 + 3
    tensors, about = read_tensors(tmp_path / "run/checkpoint/last.safetensors")
    assert about["step"] == "3"
    assert all(value.isfinite().all() for value in tensors.values())
    assert not (tmp_path / "run/generator.safetensors").exists()


@pytest.mark.parametrize("leave", [False, True], ids=["at the end", "left early"])
@pytest.mark.slow
def test_weights_that_are_nan_never_replace_a_good_checkpoint(tmp_path, leave):
    """A finite loss can still spoil the weights in its step: the checkpoint of before stays."""
    train(tmp_path / "run", stop_after=2)
    good = (tmp_path / "run/checkpoint/last.safetensors").read_bytes()
    run, trainer, batches = start(tmp_path / "run", resume=True)
    reports = run.train(trainer, batches, steps=3)
    report = next(reports)
    poisoned_after(3)(trainer, report)
    with pytest.raises(CompanionError, match="no longer finite after step 3"):
        reports.close() if leave else next(reports)
    assert (tmp_path / "run/checkpoint/last.safetensors").read_bytes() == good
    assert read_run(tmp_path / "run").status == "failed"


class Interrupted:
    """Batches whose reading is broken off once, as Ctrl-C does within a step."""

    def __init__(self, batches, at: int) -> None:
        self.batches, self.at = batches, at

    def __getitem__(self, index: int):
        if index == self.at:
            raise KeyboardInterrupt
        return self.batches[index]


def test_an_interruption_within_a_step_never_becomes_a_checkpoint(tmp_path, whole, monkeypatch):
    """A half-made step is a state no uninterrupted run ever had; the run goes on from the last whole one."""
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    run, trainer, batches = start(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        list(run.train(trainer, Interrupted(batches, at=4), steps=6))
    train(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 kB; where mounting is not allowed, the tests on it are skipped."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    if (
        os.name != "posix"
        or shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True).returncode
    ):
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_really_full_disk_gives_one_sentence_and_the_run_continues_when_there_is_space(small_disk, whole):
    """A ballast file fills the disk while training; taken away, the resumed run is the uninterrupted one."""
    folder = small_disk / "run"
    train(folder, stop_after=2)
    good = (folder / "checkpoint/last.safetensors").read_bytes()
    run, trainer, batches = start(folder, resume=True)
    reports = run.train(trainer, batches, steps=6)
    next(reports)
    with open(small_disk / "ballast", "wb", buffering=0) as ballast:
        for block in (4096, 1):
            try:
                while ballast.write(b"x" * block):
                    pass
            except OSError:
                pass
    with pytest.raises(CompanionError, match=r"No space left on device.*free some space") as error:
        list(reports)
    assert "\n" not in str(error.value)
    assert (folder / "checkpoint/last.safetensors").read_bytes() == good
    (small_disk / "ballast").unlink()
    train(folder, resume=True)
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("function", ["write_tensors", "losses_of_run", "image_grid", "environment"])
@pytest.mark.slow
def test_whatever_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, function):
    """Checkpoint, curves, grids, record: each may be the one that meets the end of the disk."""
    run, trainer, batches = start(tmp_path / "run")

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, function, full)
    with pytest.raises(CompanionError, match="No space left on device"):
        list(run.train(trainer, batches, steps=6))


def test_settings_that_cannot_be_are_refused_by_name():
    for name, value in [("batch", 0), ("steps", -3), ("seed", -1)]:
        with pytest.raises(CompanionError, match=f"setting {name} cannot be {value}"):
            replace(SETTINGS, **{name: value})
    with pytest.raises(CompanionError, match="power of two"):
        build(replace(SETTINGS, size=37, data="mnist"))  # before any data is read
    with pytest.raises(CompanionError, match="cannot be drawn from “digits”"):
        shuffled(build(SETTINGS)[1], replace(SETTINGS, batch=5000))


def test_settings_reach_what_they_name():
    """Rates, normalisation, decay, precision and objective of the settings are those of the trainer."""
    settings = replace(
        SETTINGS,
        generator_rate=1e-3,
        critic_rate=2e-3,
        critic_norm=False,
        bfloat16=True,
        objective=LeastSquares(),
    )
    trainer, images = build(settings)
    assert trainer.players["generator"].optimiser.param_groups[0]["lr"] == 1e-3
    assert trainer.players["critic"].optimiser.param_groups[0]["lr"] == 2e-3
    assert trainer.workshop.precision is torch.bfloat16
    assert isinstance(trainer.objective, LeastSquares)
    kinds = [
        {type(layer).__name__ for layer in model.modules()} for model in (trainer.generator, trainer.critic)
    ]
    assert "BatchNorm2d" in kinds[0]
    assert "BatchNorm2d" not in kinds[1]
    assert trainer.latents == 4
    assert len(images) == 1797
    assert build(SETTINGS)[0].objective == NonSaturating()


def test_building_leaves_the_readers_random_numbers_alone_and_depends_on_the_seed():
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    first = build(SETTINGS)[0].state()
    assert torch.equal(torch.rand(3), wanted)
    again, other = build(SETTINGS)[0].state(), build(replace(SETTINGS, seed=2))[0].state()
    key = "generator.network.layers.0.weight"
    assert torch.equal(first[key], again[key])
    assert not torch.equal(first[key], other[key])


def test_the_checkpoint_of_another_run_is_refused_even_if_it_fits(tmp_path):
    for seed in (1, 2):
        train(tmp_path / str(seed), replace(SETTINGS, seed=seed), stop_after=3)
    shutil.copy(tmp_path / "2/checkpoint/last.safetensors", tmp_path / "1/checkpoint/last.safetensors")
    with pytest.raises(CompanionError, match="belongs to another run"):
        train(tmp_path / "1", resume=True)


def test_hidden_litter_does_not_make_a_folder_full(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.DS_Store").write_bytes(b"")
    train(tmp_path / "run")
    assert (tmp_path / "run/.DS_Store").exists()


# ---- signals ----


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_was_ignored_stays_ignored(number):
    """`nohup` starts a program so, and its run must outlive the terminal."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with stop_requested() as stop:
            signal.raise_signal(number)
            assert not stop.requested
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_not_ignored_asks_for_a_stop():
    with stop_requested() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
