"""Guards the promise of every command that writes: killed or out of space anywhere, nothing half is taken for whole.

And there is always one command that goes on.
"""

import hashlib
import io
import os
import shutil
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tqdm
from faults import apart, survives
from films import STEADY, film, times_of
from PIL import Image
from torch import nn

from companion import tiling, vision
from companion.cli import main
from companion.data import assets, load
from companion.data.assets import Asset
from companion.data.faces import Portraits
from companion.files import replacing
from companion.metrics import Measurement
from companion.models.store import read_tensors
from companion.records import read_details, read_record
from companion.reproduce import RECIPES
from companion.reproduce.following import followed
from companion.reproduce.job import Recipe, Result
from companion.training import gan, runs
from companion.training.gan import GANSettings

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork"),
]


def both(tmp_path, command, look, least: int, before=Path.mkdir) -> None:
    """Kills and full disks; a command has at least so many operations, or the harness sees none."""
    assert min(survives(tmp_path, command, look, before)) >= least


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_restore(tmp_path, monkeypatch):
    monkeypatch.setattr(tiling, "restorer", lambda name: nn.Identity())
    photos = [tmp_path / name for name in ("a.png", "b.jpg", "c.bmp")]
    for photo in photos:
        Image.new("RGB", (12, 8), (90, 30, 30)).save(photo)

    def command(place: Path) -> int:
        return main(["restore", *map(str, photos), "--out", str(place / "out"), "--device", "cpu"])

    def look(place: Path) -> None:
        for path in (place / "out").glob("[!.]*"):
            with Image.open(path) as whole:
                assert whole.size == (12, 8)
                whole.load()
        command(place)  # does those that are missing; those that are there stay as they are
        assert visible(place / "out") == ["a.png", "b.jpg", "c.png"]

    both(tmp_path, command, look, 7)


@pytest.mark.every
def test_faces_export(tmp_path):
    Portraits(1, size=16).pictures(0)  # what is computed once, not in every child

    def command(place: Path) -> int:
        return main(["faces", "export", str(place / "set"), "--count", "2", "--size", "16"])

    def look(place: Path) -> None:
        if visible(place) == []:
            assert command(place) == 0
        assert visible(place / "set") == ["LICENCE.txt", "images", "labels.csv", "landmarks.csv"]
        assert visible(place / "set/images") == ["00000.png", "00001.png"]
        assert len((place / "set/labels.csv").read_text().splitlines()) == 3
        assert [path.name for path in place.iterdir() if path.suffix == ".part"] == []

    both(tmp_path, command, look, 8)


class FindsNothing(vision.FaceDetector):
    """Stands for the detector, whose model may not be at hand."""

    def __init__(self, **_: object) -> None:
        pass

    def watch(self, source):
        return (vision.Seen(frame, []) for frame in source)

    def find(self, image):
        return []

    def close(self) -> None:
        pass


@pytest.mark.parametrize("mode", ["face", "blur"])
def test_vision_of_a_film(tmp_path, monkeypatch, mode):
    monkeypatch.setattr(vision, "FaceDetector", FindsNothing)
    source = tmp_path / "film.mkv"
    assert apart(lambda: film(source, STEADY[:6])) == 0
    kept = ["out.jsonl", "out.mp4"] if mode == "face" else ["out.mp4"]

    def command(place: Path, name: str = "out.mp4") -> int:
        return main(["vision", mode, "--source", str(source), "--save", str(place / name)])

    def look(place: Path) -> None:
        if (place / "out.mp4").exists():
            assert len(times_of(place / "out.mp4")) == 6
        if (place / "out.jsonl").exists():
            assert len((place / "out.jsonl").read_text().splitlines()) == 6
        if visible(place) == []:
            assert command(place) == 0
            assert visible(place) == kept
        assert command(place) == 2  # nothing is replaced
        assert command(place, "other/out.mp4") == 0
        assert visible(place / "other") == kept

    both(tmp_path, command, look, 2)


def test_vision_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(vision, "FaceDetector", FindsNothing)
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 12, 3), np.uint8)).save(tmp_path / "in" / name)

    def command(place: Path, name: str = "out") -> int:
        return main(["vision", "face", "--source", str(tmp_path / "in"), "--save", str(place / name)])

    def look(place: Path) -> None:
        for path in (place / "out").glob("[!.]*.jpg"):
            with Image.open(path) as whole:
                whole.load()
        if not visible(place) or not visible(place / "out"):
            assert command(place) == 0
            assert visible(place / "out") == ["a.jpg", "b.jpg", "found.jsonl"]
        assert command(place, "other") == 0
        assert visible(place / "other") == ["a.jpg", "b.jpg", "found.jsonl"]

    both(tmp_path, command, look, 6)


def test_assets_fetch(tmp_path, monkeypatch):
    content = b"seven seas" * 10_000

    class Answer:
        """A source that is always there, without a server that a forked child would share."""

        ok, headers = True, {}

        def iter_content(self, size: int):
            return (content[start : start + size] for start in range(0, len(content), size))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(assets, "_session", lambda: SimpleNamespace(get=lambda *_, **__: Answer()))
    sha256 = hashlib.sha256(content).hexdigest()
    asset = Asset("seas", "", ["http://seas/x"], "far/seas.txt", sha256, len(content), "CC0-1.0", "nobody")
    monkeypatch.setattr(assets, "manifest", lambda: {"seas": asset})

    def command(place: Path) -> int:
        monkeypatch.setenv("COMPANION_CACHE", str(place / "cache"))
        return main(["assets", "fetch", "seas"])

    def look(place: Path) -> None:
        kept = place / "cache/far/seas.txt"
        assert not kept.exists() or kept.read_bytes() == content
        assert command(place) == 0
        assert kept.read_bytes() == content

    both(tmp_path, command, look, 4)


# ---- training ----

SMALLEST = {"size": 16, "width": 1, "latents": 1, "batch": 2, "device": "cpu"}


def drawn(folder: Path, *, then: str) -> None:
    """Stands for the curves, whose drawing would be most of the work."""
    with replacing(folder / "losses.png", then=then) as file:
        file.write(b"curves")


@pytest.fixture
def quick(monkeypatch) -> None:
    """A step and its pictures cost next to nothing, all files are written, and a checkpoint comes after every step."""
    digits = load("digits", size=16)
    monkeypatch.setattr(gan, "load", lambda *_, **__: digits)
    monkeypatch.setattr(runs, "losses_of_run", drawn)
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    monkeypatch.setattr(
        tqdm.tqdm, "monitor_interval", 0
    )  # its thread must not be there when a child is forked


def train(folder: Path, *how: str, steps: int = 2, seed: int = 1) -> int:
    about = {**SMALLEST, "steps": steps, "seed": seed, "out": folder}
    options = [word for name, value in about.items() for word in (f"--{name}", str(value))]
    return main(["train", "dcgan", *options, *how])


def results(run: Path) -> dict[str, bytes]:
    """What is equal for equal runs: rows, weights, state, pictures."""
    kept = [run / "metrics.csv", *run.rglob("[!.]*.safetensors"), *(run / "samples").glob("[!.]*")]
    return {str(path.relative_to(run)): path.read_bytes() for path in kept}


def all_whole(place: Path) -> None:
    """No weights and no state is half, wherever it stands."""
    for path in place.rglob("[!.]*.safetensors"):
        read_tensors(path)


def test_train(tmp_path, quick):
    """The plain command goes on if there is nothing yet; else it names --resume, which ends as if nothing had been."""
    assert train(tmp_path / "whole") == 0
    whole = results(tmp_path / "whole")
    assert len(whole) == 1 + 2 + 2

    def look(place: Path) -> None:
        all_whole(place)
        with redirect_stderr(io.StringIO()) as told:
            code = train(place / "run")
        if code:
            assert "continue its run with --resume" in told.getvalue()
            assert train(place / "run", "--resume") == 0
        assert results(place / "run") == whole
        assert not [*place.rglob(".*.part")]

    both(tmp_path, lambda place: train(place / "run"), look, 30)


@pytest.mark.every
def test_train_resume(tmp_path, quick):
    """A run of one step that is made longer; whatever breaks the second sitting off, a third one ends it."""
    assert train(tmp_path / "whole") == 0
    assert train(tmp_path / "begun", steps=1) == 0
    whole = results(tmp_path / "whole")

    def command(place: Path) -> int:
        return train(place / "run", "--resume")

    def look(place: Path) -> None:
        all_whole(place)
        assert command(place) == 0
        assert results(place / "run") == whole

    both(tmp_path, command, look, 20, lambda place: shutil.copytree(tmp_path / "begun", place / "run"))


@pytest.mark.every
def test_train_overwrite(tmp_path, quick):
    """Another run in the place of a finished one: broken off, the same command goes on."""
    assert train(tmp_path / "whole", steps=1) == 0
    assert train(tmp_path / "older", steps=2, seed=2) == 0
    whole = results(tmp_path / "whole")

    def command(place: Path) -> int:
        return train(place / "run", "--overwrite", steps=1)

    def look(place: Path) -> None:
        all_whole(place)
        assert command(place) == 0
        assert results(place / "run") == whole

    both(tmp_path, command, look, 20, lambda place: shutil.copytree(tmp_path / "older", place / "run"))


# ---- long runs ----


def tiny(job) -> Result:
    """A recipe with all that a long one leaves: a run, measured on its way, a measurement, curves, weights."""
    settings = GANSettings(**SMALLEST, steps=1)

    def quality(trainer) -> dict[str, float]:
        return {"brightness": float(trainer.sample(2).mean())}

    trainer, _, curve = followed(job, "run", settings, quality, every=1)
    end = job.once("end", lambda: {"brightness": float(trainer.sample(9).mean())})
    metrics = [Measurement("brightness", end["brightness"], "mean of nine")]
    return Result(settings.as_json(), [1], metrics, {"curve": curve}, trainer.average.module)


def reproduced(out: Path) -> tuple[object, ...]:
    """What is equal for equal runs: all but the seconds."""
    record = read_record(out / "tiny.json")
    return record.metrics, read_details(out / "tiny.json"), (out / "tiny.safetensors").read_bytes()


def reproduce_tiny(place: Path, *how: str) -> int:
    folders = ["--work", str(place / "work"), "--out", str(place / "out")]
    return main(["reproduce", "tiny", "--debug", *folders, *how])


@pytest.mark.every
def test_reproduce(tmp_path, quick, monkeypatch):
    """An older record with its weights stands until the new ones take their place; the same command always goes on."""
    monkeypatch.setitem(RECIPES, "tiny", Recipe("", 1, tiny))

    assert reproduce_tiny(tmp_path / "whole") == 0
    whole = reproduced(tmp_path / "whole/out")
    for name in ("tiny.json", "tiny.details.json.gz", "tiny.safetensors"):
        (tmp_path / "older/out").mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "whole/out" / name, tmp_path / "older/out" / name)
    older_weights = tmp_path / "older/out/tiny.safetensors"
    older_weights.write_bytes(b"older")

    def look(place: Path) -> None:
        all_whole(place / "work")
        if (place / "out/tiny.json").exists():
            assert reproduced(place / "out") in (whole, (*whole[:2], b"older"))
        assert reproduce_tiny(place, "--overwrite") == 0
        assert reproduced(place / "out") == whole
        assert visible(place / "out") == visible(tmp_path / "whole/out")
        assert not [*place.rglob(".*.part")]

    def older(place: Path) -> None:
        shutil.copytree(tmp_path / "older", place)

    both(tmp_path, lambda place: reproduce_tiny(place, "--overwrite"), look, 30, older)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[" * 100_000], ids=["empty", "cut", "other", "deep"]
)
def test_damaged_work_of_a_long_run_is_made_again(tmp_path, quick, monkeypatch, content):
    """Whichever file it is, and though `reproduce` has no option that could say so."""
    monkeypatch.setitem(RECIPES, "tiny", Recipe("", 1, tiny))
    assert reproduce_tiny(tmp_path) == 0
    whole = reproduced(tmp_path / "out")
    work = tmp_path / "work/tiny-debug"
    files = [path.relative_to(work) for path in work.rglob("[!.]*") if path.is_file()]
    assert {"time.json", "end.json", "run/run.json", "run-quality/000001.json"} <= {
        str(file) for file in files
    }
    for file in files:
        (work / file).write_bytes(content)
        assert reproduce_tiny(tmp_path, "--overwrite") == 0, file
        assert reproduced(tmp_path / "out") == whole


def test_of_two_that_reproduce_the_same_the_second_is_refused(tmp_path, quick, monkeypatch, capsys):
    """In the middle of the first: its work and its record are its own."""

    def twice(job) -> Result:
        assert reproduce_tiny(tmp_path) == 2
        assert "Another process is writing" in capsys.readouterr().err
        return tiny(job)

    monkeypatch.setitem(RECIPES, "tiny", Recipe("", 1, twice))
    assert reproduce_tiny(tmp_path) == 0
    assert read_record(tmp_path / "out/tiny.json").name == "tiny"
