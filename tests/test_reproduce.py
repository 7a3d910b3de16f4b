"""Guards the long runs: every recipe runs, and one that is killed and continued ends with the same record."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from companion.data import load
from companion.errors import CompanionError
from companion.models.store import load_model
from companion.reproduce import RECIPES, ch01, following, reproduce
from companion.reproduce.job import Job, Recipe
from companion.training.gan import GANSettings

NEEDS_MNIST = {"digit-features", "dcgan-mnist", "gan-fixes", "gan-precision", "wgan-loss-quality"}
WITH_WEIGHTS = {"digit-features", "dcgan-mnist", "dcgan-digits", "faces-attributes", "faces-identity"}

# Every recipe in a process of its own that kills itself in its middle; forked, because importing torch takes long.
DRIVER = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from companion.reproduce import ch01, reproduce
from companion.training import runs
from companion.training.adversarial import AdversarialTrainer
runs.SECONDS_BETWEEN_CHECKPOINTS = -1
work, names = Path(sys.argv[1]), sys.argv[2:]

def die_at(count, function):
    left = iter(range(count))
    def run(*arguments, **options):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return run

for name in names:
    if (child := os.fork()) == 0:
        AdversarialTrainer._one_step = die_at(4 if name.startswith("dcgan") else 10, AdversarialTrainer._one_step)
        ch01.accuracy = die_at(0, ch01.accuracy)
        reproduce(name, work / "out", work, budget="debug")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, name
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """A work folder in which every recipe was killed half-way."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system that can fork")
    from companion.data.assets import manifest

    mnist = all(asset.file.is_file() for name, asset in manifest().items() if name.startswith("mnist"))
    names = [name for name in RECIPES if mnist or name not in NEEDS_MNIST]
    work = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-c", DRIVER, str(work), *names], check=True)
    return work


def read(record: Path) -> dict:
    return json.loads(record.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_killed_in_its_middle_and_continued_ends_as_if_nothing_had_been(
    name, killed, tmp_path, request
):
    """The same metrics, curves and weights as in one sitting; and the record says what it was."""
    if name in NEEDS_MNIST:
        request.getfixturevalue("mnist_cached")
    unfinished = killed / f"{name}-debug"
    assert unfinished.is_dir()
    assert not any((killed / "out").glob("*"))
    continued = reproduce(name, tmp_path / "continued", killed, budget="debug")
    whole = reproduce(name, tmp_path / "whole", tmp_path / "work", budget="debug")
    for part in ("metrics", "details", "settings", "seeds"):
        assert read(continued)[part] == read(whole)[part], part

    about = read(whole)
    assert about["name"] == name
    assert about["title"] == RECIPES[name].title
    assert about["command"] == f"companion reproduce {name} --budget debug"
    assert about["seconds"] > 0
    assert about["device"] == "cpu"
    assert about["versions"]["torch"]
    assert all(metric["protocol"] for metric in about["metrics"])
    assert about["metrics"]

    weights = [record.with_suffix(".safetensors") for record in (whole, continued)]
    assert [path.exists() for path in weights] == [name in WITH_WEIGHTS] * 2
    if name in WITH_WEIGHTS:
        assert weights[0].read_bytes() == weights[1].read_bytes()
        load_model(weights[0])


def windowed(job: Job):
    """A DCGAN followed at two points of six steps: each mean loss is over a window of three."""
    settings = GANSettings(size=32, batch=8, steps=6, width=2, latents=4)
    return ch01._followed(job, settings, load("digits"), points=2)


def interrupted(monkeypatch, after: int) -> None:
    """The next measurements go well, then comes Ctrl-C, once."""
    calls = iter(range(after))
    places = (following, "frechet_distance"), (ch01, "measure")
    originals = [getattr(*place) for place in places]

    def counted(original):
        def run(*arguments, **options):
            if next(calls, None) is None:
                for place, old in zip(places, originals, strict=True):
                    monkeypatch.setattr(*place, old)
                raise KeyboardInterrupt
            return original(*arguments, **options)

        return run

    for place, original in zip(places, originals, strict=True):
        monkeypatch.setattr(*place, counted(original))


@pytest.mark.parametrize("measurements", [0, 1, 2, 3, 4], ids=lambda n: f"after {n} measurements")
def test_ctrl_c_while_measuring_loses_no_point_of_a_curve(tmp_path, monkeypatch, measurements):
    """The point is measured when the run is continued, and the mean losses are those of whole windows."""
    monkeypatch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
    whole = read(reproduce("windowed", tmp_path / "whole", tmp_path / "a", budget="debug"))
    interrupted(monkeypatch, measurements)
    try:
        reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug")
        raise AssertionError("it was not interrupted")
    except KeyboardInterrupt:
        pass
    parts = read(reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug"))
    assert parts["details"] == whole["details"]
    assert parts["metrics"] == whole["metrics"]


def test_a_window_broken_by_a_stop_still_counts_whole(tmp_path, monkeypatch):
    """Stopped at step 5 of 6, with windows of three; the mean at step 6 is over steps 4, 5 and 6."""
    monkeypatch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
    whole = read(reproduce("windowed", tmp_path / "whole", tmp_path / "a", budget="debug"))
    original = following.progress

    def stopped(reports, **options):
        for report in original(reports, **options):
            yield report
            if report.step == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr(following, "progress", stopped)
    try:
        reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug")
    except KeyboardInterrupt:
        monkeypatch.setattr(following, "progress", original)
    parts = read(reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug"))
    assert parts["details"] == whole["details"]
    curve = whole["details"]["curve"]
    assert [point["step"] for point in curve] == [3, 6]
    rows = (tmp_path / "a/windowed-debug/run/metrics.csv").read_text().splitlines()[4:]
    assert curve[1]["critic_loss"] == pytest.approx(sum(float(row.split(",")[1]) for row in rows) / 3)


def test_a_job_does_nothing_twice_and_adds_up_its_sittings(tmp_path):
    job = Job(tmp_path / "work")
    made = []
    for _ in range(2):
        assert job.once("a/b", lambda: made.append(1) or {"value": 3}) == {"value": 3}
    assert made == [1]
    job.work.mkdir(exist_ok=True)
    with job.timed():
        pass
    first = job.seconds
    with pytest.raises(KeyboardInterrupt), job.timed():
        raise KeyboardInterrupt
    assert job.seconds >= first >= 0


def test_an_older_record_is_kept_unless_told_otherwise(tmp_path):
    (tmp_path / "ring-objectives.json").write_text("{}")
    with pytest.raises(CompanionError, match="record at .*--overwrite"):
        reproduce("ring-objectives", tmp_path, tmp_path / "work", budget="debug")
    assert (tmp_path / "ring-objectives.json").read_text() == "{}"


def test_an_unknown_run_is_answered_with_the_nearest_ones(tmp_path):
    with pytest.raises(CompanionError, match="“dcgan-mnst”; did you mean dcgan-mnist"):
        reproduce("dcgan-mnst", tmp_path, tmp_path)


def test_every_packaged_record_was_made_by_a_recipe_and_every_weight_has_one():
    """Nothing in `pretrained/` is pasted in."""
    from companion import pretrained

    folder = Path(pretrained.__file__).parent
    assert {path.stem for path in folder.glob("*.safetensors")} <= set(pretrained.names()) <= set(RECIPES)
    for name in pretrained.names():
        about = pretrained.record(name)
        assert about["name"] == name
        assert about["budget"] in ("laptop", "gpu")
        assert about["command"] == f"companion reproduce {name} --budget {about['budget']}"
        assert about["versions"]["torch"]
    for path in folder.glob("*.safetensors"):
        assert not pretrained.load(path.stem).training
    with pytest.raises(CompanionError, match="pretrained run called “nothing”"):
        pretrained.load("nothing")
