"""Guards the long runs: every recipe runs, and one that is killed and continued ends with the same record."""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from house import sampled
from PIL import Image

from companion import pretrained
from companion.cli import _parser
from companion.data import load
from companion.data.faces import Portraits
from companion.errors import CompanionError
from companion.metrics import Measurement, frechet_distance
from companion.models.store import load_model
from companion.records import read_details, read_record
from companion.reproduce import RECIPES, following, reproduce
from companion.reproduce.ch00 import facemesh
from companion.reproduce.ch01 import digits
from companion.reproduce.ch02 import deblurring
from companion.reproduce.job import Job, Recipe, Result
from companion.training.gan import GANSettings

NEEDS_MNIST = {"digit-features", "dcgan-mnist", "gan-fixes", "gan-precision", "wgan-loss-quality"}
NEEDS_MEDIAPIPE = {"faces-mediapipe", "likeness", "likeness-looks", "likeness-people", "munit-people"}
NEEDS_ORL = {"likeness-people"}
WITH_WEIGHTS = {
    *("digit-features", "dcgan-mnist", "dcgan-digits", "deblur-any", "faces-attributes", "faces-identity"),
    "deblur-best",
    *("stickers", "unet", "colour"),
    *("faces-vae", "mnist-vae", "mnist-plane"),
    *("sagan-portraits", "munit-faces", "likeness", "identity"),
}
# A minute or less, nothing to continue; tested beside their chapter's code.
SHORT = {
    *("deblur-judged", "deblur-real", "faces-covered", "faces-found", "faces-hidden", "found-afar"),
    *("hand-gestures", "pinch-to-volume"),
    *("faces-sliders", "identity-people", "portrait-generators"),
}
ALIKE = {"restoration-seed-2", "restoration-seed-3"}  # of one function with "restoration-seed-1"
LONG = [name for name in RECIPES if name not in SHORT | ALIKE]

# One of each way to train or measure but fastai's and the classifiers', a minute each; the others differ from them in
# settings and in what they compare.
KINDS = {
    *("critic-constraints", "dcgan-digits", "deblur-gan", "faces-vae", "faces-walks"),
    *("likeness", "munit-faces", "ring-objectives", "sagan-portraits", "wgan-momentum"),
}

# Every recipe in a process of its own that kills itself in its middle; forked, because importing torch takes long.
DRIVER = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from companion.reproduce import reproduce
from companion.reproduce.ch00 import facemesh, faces
from companion.reproduce.ch01 import features, memory, ring
from companion.reproduce.ch02 import anyblur, deblurring
from companion.reproduce.ch04 import constraints
from companion.reproduce.ch06 import drag, walks
from companion.reproduce.ch07 import likeness, looks, people
from companion.training import runs
from companion.training.adversarial import AdversarialTrainer
from companion.training.restoring import RestoringTrainer
from companion.training.supervised import SupervisedTrainer
from companion.training.vae import VAETrainer
from companion.training.munit import TranslationTrainer
runs.SECONDS_BETWEEN_CHECKPOINTS = -1
runs.losses_of_run = lambda folder, then: None
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
        early = "dcgan", "stickers", "sagan-portraits"
        step = 4 if name.startswith(early) else 3 if name.startswith("deblur") else 10
        AdversarialTrainer.one_step = die_at(step, AdversarialTrainer.one_step)
        RestoringTrainer.one_step = die_at(1, RestoringTrainer.one_step)
        anyblur.blind_kernel = die_at(2, anyblur.blind_kernel)
        anyblur.likeliest_blur = die_at(2, anyblur.likeliest_blur)
        VAETrainer.one_step = die_at(2 if name.endswith(("-vae", "-plane")) else 10, VAETrainer.one_step)
        TranslationTrainer.one_step = die_at(3, TranslationTrainer.one_step)
        if name == "identity":
            SupervisedTrainer.one_step = die_at(6, SupervisedTrainer.one_step)
        deblurring.wiener_filter = die_at(3, deblurring.wiener_filter)
        features.accuracy = die_at(0, features.accuracy)
        ring._one_ring_critic = die_at(1, ring._one_ring_critic)
        constraints.slope_norms = die_at(3, constraints.slope_norms)
        faces.read_faces = die_at(0, faces.read_faces)
        facemesh.differences = die_at(5, facemesh.differences)
        memory.two_nearest = die_at(3, memory.two_nearest)
        drag._moved = die_at(3, drag._moved)
        walks._nearer = die_at(4, walks._nearer)
        likeness.lessons = die_at(2, likeness.lessons)
        likeness._read = die_at(7, likeness._read)
        looks.hair_seen = die_at(2, looks.hair_seen)
        people._least = die_at(2, people._least)
        if name in ("unet-restoration", "unet", "colour") or name.startswith("restoration"):
            from companion.restoration.trainer import LearnerTrainer
            LearnerTrainer.one_step = die_at(3, LearnerTrainer.one_step)
        reproduce(name, work / "out", work, budget="debug")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, name
"""


def mediapipe_there() -> bool:
    """Whether MediaPipe and its face mesh are here."""
    from companion.data.assets import manifest

    return find_spec("mediapipe") is not None and manifest()["face-landmarker"].file.is_file()


@pytest.fixture(scope="module")
def killed(request, tmp_path_factory) -> Path:
    """A work folder in which every recipe that is asked for was killed half-way."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system that can fork")
    from companion.data.assets import manifest

    mnist = all(asset.file.is_file() for name, asset in manifest().items() if name.startswith("mnist"))
    lacking = (set() if mnist else NEEDS_MNIST) | (set() if mediapipe_there() else NEEDS_MEDIAPIPE)
    lacking |= set() if manifest()["orl"].here else NEEDS_ORL
    asked = {item.callspec.params["name"] for item in request.session.items if "killed" in item.fixturenames}
    names = [name for name in LONG if name in asked - lacking]
    work = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-c", DRIVER, str(work), *names], check=True)
    return work


@pytest.fixture
def unplotted(monkeypatch) -> None:
    """No `losses.png`: drawing one takes longer than the few steps that it shows. `test_runs` looks at it."""
    monkeypatch.setattr("companion.training.runs.losses_of_run", lambda folder, then: None)


@pytest.mark.parametrize("name", sampled(LONG, KINDS))
@pytest.mark.usefixtures("unplotted")
@pytest.mark.full
def test_a_recipe_killed_in_its_middle_and_continued_ends_as_if_nothing_had_been(
    name, killed, tmp_path, request
):
    """The same metrics, curves and weights as in one sitting; and the record says what it was.

    Slow, since each recipe runs once and a half; a single fork of a process that has torch kills them all.
    """
    if name in NEEDS_MNIST:
        request.getfixturevalue("mnist_cached")
    if name in NEEDS_MEDIAPIPE and not mediapipe_there():
        pytest.skip(
            "needs MediaPipe and its face mesh: pip install mediapipe, companion assets fetch face-landmarker"
        )
    from companion.data.assets import manifest

    if name in NEEDS_ORL and not manifest()["orl"].here:
        pytest.skip("needs the ORL faces: companion assets fetch orl")
    unfinished = killed / f"{name}-debug"
    assert unfinished.is_dir()
    assert not any((killed / "out").glob("[!.]*"))  # nothing but locks
    continued = reproduce(name, tmp_path / "continued", killed, budget="debug")
    whole = reproduce(name, tmp_path / "whole", tmp_path / "work", budget="debug")
    about, again = read_record(whole), read_record(continued)
    assert again.settings == about.settings
    assert again.seeds == about.seeds
    assert [m for m in again.metrics if "seconds" not in m.name] == [
        m for m in about.metrics if "seconds" not in m.name
    ]
    assert read_details(continued) == read_details(whole)

    assert about.name == name
    assert about.title == RECIPES[name].title
    assert about.command == f"companion reproduce {name} --debug"
    assert about.seconds > 0
    assert about.environment.device == "cpu"
    assert about.environment.versions["torch"]
    assert all(metric.protocol for metric in about.metrics)
    assert about.metrics

    weights = [record.with_suffix(".safetensors") for record in (whole, continued)]
    assert [path.exists() for path in weights] == [name in WITH_WEIGHTS] * 2
    if name in WITH_WEIGHTS:
        assert weights[0].read_bytes() == weights[1].read_bytes()
        load_model(weights[0])


def test_landmarks_of_two_layouts_are_compared_in_eye_distances():
    """Points that agree are 0 apart; one moved by the distance between the eyes is 1 apart; others do not count."""
    ours = Portraits(9, size=256, seed=3).landmarks(slice(None))
    theirs = torch.zeros(9, 478, 2)
    for mine, their in facemesh.SHARED.values():
        theirs[:, their] = ours[:, mine]
    assert set(facemesh.differences(ours, theirs).values()) == {0}
    eyes = ours[:, 42:48].mean(1) - ours[:, 36:42].mean(1)
    theirs[:, 152] += eyes.flip(1)  # as long, in another direction
    theirs[:, 61] += eyes / 2  # one of the two corners of the mouth
    apart = facemesh.differences(ours, theirs)
    assert apart.pop("chin") == pytest.approx(1)
    assert apart.pop("corners of the mouth") in (pytest.approx(0), pytest.approx(0.5))
    assert set(apart.values()) == {0}


@pytest.mark.skipif(not mediapipe_there(), reason="needs MediaPipe and its face mesh")
@pytest.mark.full
def test_a_detector_made_for_photographs_finds_our_faces_where_we_say_they_are():
    """A few of the record's faces: all found, eyes and mouth within a tenth of the distance between the eyes.

    Slow, since a detector for photographs needs faces of its own size, drawn at 256 pixels.
    """
    found = facemesh._compared(Portraits(12, size=256, seed=21), "portraits")
    assert found["found"] == 1
    for part in ("inner corners of the eyes", "outer corners of the eyes", "corners of the mouth"):
        assert found["apart"][part] < 0.1, part


def windowed(job: Job):
    """A DCGAN followed at two points of six steps: each mean loss is over a window of three."""
    settings = GANSettings(size=32, batch=8, steps=6, width=2, latents=4)
    return digits._followed(job, settings, load("digits"), points=2)


@pytest.fixture(scope="module")
def whole_window(tmp_path_factory) -> tuple[Path, Path]:
    """Its record in one sitting, and the folder it was made in."""
    folder = tmp_path_factory.mktemp("windowed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
        return reproduce("windowed", folder / "whole", folder / "work", budget="debug"), folder / "work"


def interrupted(monkeypatch, after: int) -> None:
    """The next measurements go well, then comes Ctrl-C, once."""
    calls = iter(range(after))
    places = (following, "frechet_distance"), (digits, "measure")
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
@pytest.mark.full
def test_ctrl_c_while_measuring_loses_no_point_of_a_curve(tmp_path, monkeypatch, whole_window, measurements):
    """The point is measured when the run is continued, and the mean losses are those of whole windows.

    Slow, since a measurement draws and reads thousands of pictures, whatever the budget.
    """
    monkeypatch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
    whole, _ = whole_window
    interrupted(monkeypatch, measurements)
    try:
        reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug")
        raise AssertionError("it was not interrupted")
    except KeyboardInterrupt:
        pass
    parts = reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug")
    assert read_details(parts) == read_details(whole)
    assert read_record(parts).metrics == read_record(whole).metrics


@pytest.mark.full
def test_a_window_broken_by_a_stop_still_counts_whole(tmp_path, monkeypatch, whole_window):
    """Stopped at step 5 of 6, with windows of three; the mean at step 6 is over steps 4, 5 and 6."""
    monkeypatch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
    whole, work = whole_window
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
    parts = reproduce("windowed", tmp_path / "parts", tmp_path / "b", budget="debug")
    assert read_details(parts) == read_details(whole)
    curve = read_details(whole)["curve"]
    assert [point["step"] for point in curve] == [3, 6]
    rows = (work / "windowed-debug/run/metrics.csv").read_text().splitlines()[4:]
    assert curve[1]["critic_loss"] == pytest.approx(sum(float(row.split(",")[1]) for row in rows) / 3)


@pytest.mark.parametrize("content", ["", "{", '{"step": 3, "fre'], ids=["empty", "a brace", "cut"])
@pytest.mark.parametrize("damaged", ["time.json", "run-quality/000003.json"])
@pytest.mark.slow
def test_damaged_work_is_made_again_and_the_record_comes_out_the_same(
    tmp_path, monkeypatch, whole_window, damaged, content
):
    """A measurement is taken where the run was then, so the run begins anew; what is sound stays."""
    whole, work = whole_window
    shutil.copytree(work, tmp_path / "work")
    (place,) = (tmp_path / "work").glob(f"*/{damaged}")
    place.write_text(content)
    monkeypatch.setitem(RECIPES, "windowed", Recipe("", 1, windowed))
    again = reproduce("windowed", tmp_path / "again", tmp_path / "work", budget="debug")
    assert read_record(again).metrics == read_record(whole).metrics
    assert read_details(again) == read_details(whole)


def test_a_set_is_looked_at_at_random_and_always_alike():
    """Any part of it may come, and the same one each time."""
    digits = load("digits")
    one, again = (following.chosen(digits, 100) for _ in range(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, digits[:100])
    assert len(following.chosen(digits, 5000)) == len(digits)


def test_one_constant_picture_lies_no_nearer_than_the_real_set_is_wide():
    """Fréchet's distance from a set to a point is at least the trace of its covariance: so a death can be told."""
    real = torch.randn(200, 5, dtype=torch.double) @ torch.randn(5, 5, dtype=torch.double)
    width = float(torch.cov(real.T).trace())
    for picture in (real.mean(0), real[3]):
        assert frechet_distance(real, picture.expand(50, -1)) >= width * (1 - 1e-9)


def test_dead_generators_are_counted_and_left_out_of_the_means(tmp_path, monkeypatch, mnist_cached):
    """Two seeds, one of which draws one picture whatever its latents."""

    def one(settings, images, real, extractor, label):
        spread = 0.3 if settings.seed == 1 else 0.001
        return {"frechet": 10.0 * settings.seed, "spread": spread, "frechet_live": 5.0, "spread_live": 0.3}

    monkeypatch.setattr(digits, "_one_fix", one)
    result = digits._compared(Job(tmp_path, "debug"), {"plain": {}}, seeds=[1, 2])
    named = {metric.name: metric.value for metric in result.metrics}
    assert named["dead runs: plain"] == 1
    assert named["Fréchet distance: plain"] == 10
    assert named["Fréchet distance: plain, live"] == 5
    assert "dead runs: plain, live" not in named


def test_what_a_restorer_keeps_of_a_picture():
    """As it was: 1; half the contrast: ½; one grey, or noise: about 0."""
    blurry = torch.rand(4, 3, 32, 32) * 2 - 1
    for restored, kept in (
        (blurry, 1),
        (blurry / 2, 0.5),
        (torch.full_like(blurry, 0.7), 0),
        (torch.rand(4, 3, 32, 32), 0),
    ):
        assert deblurring._kept(restored, blurry) == pytest.approx(kept, abs=0.05)


@pytest.mark.parametrize(
    ("gains", "lost"), [([0, -18, -18], 100), ([0, -18, -4], None), ([0, -18, -4, -12], 200), ([0, -9], None)]
)
def test_a_generator_that_comes_back_is_not_lost(gains, lost):
    curve = [{"step": 50 * at, "gain_live": gain} for at, gain in enumerate(gains, start=1)]
    assert deblurring._lost(curve) == lost


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


@pytest.mark.slow
def test_every_packaged_record_was_made_by_a_recipe_and_every_weight_has_one():
    """Nothing in `pretrained/` is pasted in."""
    from companion import pretrained

    folder = Path(pretrained.__file__).parent
    assert {path.stem for path in folder.glob("*.safetensors")} <= set(pretrained.names()) <= set(RECIPES)
    for name in pretrained.names():
        about = pretrained.record(name)
        assert about.budget in ("laptop", "gpu")
        assert about.command == f"companion reproduce {name} --budget {about.budget}"
        assert about.environment.versions["torch"]
    assert {path.name.split(".")[0] for path in folder.glob("*.gz")} < set(pretrained.names())
    for path in folder.glob("*.safetensors"):
        assert not pretrained.load(path.stem).training
    with pytest.raises(CompanionError, match="pretrained run called “nothing”"):
        pretrained.load("nothing")


def test_real_shakes_are_measured_where_the_photographs_are(tmp_path, monkeypatch):
    """A picture that is sharp already can only be kept or harmed, one by one; without the photographs, one sentence."""
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    monkeypatch.setattr("companion.data.assets._download", lambda asset, url: "no network")
    with pytest.raises(CompanionError, match="levin-shakes .* put the 44 files by hand into"):
        reproduce("deblur-real", tmp_path / "out", tmp_path / "work", budget="debug")
    folder = tmp_path / "photos" / "levin-blur"
    monkeypatch.setattr(
        "companion.data.sets.levin.fetch", lambda name: folder
    )  # these are not the published ones
    (folder / "gt").mkdir(parents=True)
    still = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    Image.fromarray(still).save(folder / "gt" / "im1.png")
    for kernel, picture in ((1, still // 2 + 64), (2, still ^ 1)):
        Image.fromarray(picture).save(folder / f"im1_kernel{kernel}_img.png")
    record = reproduce("deblur-real", tmp_path / "out", tmp_path / "work", budget="debug")
    gains = read_details(record)["gains"]
    assert set(gains) == {"im1_kernel1_img", "im1_kernel2_img"}
    assert gains["im1_kernel2_img"] < 0
    least = read_record(record).measured("least gain in PSNR (dB), real shakes")
    assert least.value == pytest.approx(min(gains.values()), abs=1e-3)


@pytest.mark.slow
def test_the_shipped_generator_is_compared_photograph_by_photograph(tmp_path):
    """Its mean is the mean over photographs, and a lead is the difference of two such means."""
    path = reproduce("deblur-judged", tmp_path / "out", tmp_path / "work", budget="debug")
    record, each = read_record(path), read_details(path)["test"]
    own = np.array(each["the network"]["gains"])
    assert record.measured("gain in PSNR (dB), test: the network").value == pytest.approx(
        own.mean(), abs=1e-3
    )
    for rival in deblurring.RIVALS:
        lead = record.measured(f"gain a photograph (dB), test: the network over {rival}")
        assert lead.value == pytest.approx(own.mean() - np.mean(each[rival]["gains"]), abs=1e-3)
        assert lead.interval[0] <= lead.value <= lead.interval[1]


def test_a_seed_with_a_record_of_the_same_budget_is_not_run_again(tmp_path):
    """A comparison over seeds takes what an earlier sitting recorded, and makes what none has."""
    from companion.reproduce.ch05 import restoration

    assert restoration._recorded(Job(tmp_path), "unet", dict) == pretrained.details("unet")
    made = {"made": 1}
    assert restoration._recorded(Job(tmp_path), "no-such-seed", lambda: made) is made
    assert restoration._recorded(Job(tmp_path, "gpu"), "unet", lambda: made) is made
    assert restoration._recorded(Job(tmp_path, "debug"), "unet", lambda: made) is made


def test_what_was_measured_of_shipped_weights_is_measured_again_once_these_were_made_anew(
    tmp_path, monkeypatch
):
    """And the record says of which weights its numbers are."""
    now, found = {"munit-faces": "a" * 16}, []

    def measure(job) -> Result:
        numbers = job.once("who", lambda: found.append(1) or {"times": len(found)})
        return Result({"people": 3}, [], [Measurement("times", numbers["times"], "counted")])

    monkeypatch.setattr(pretrained, "checksum", now.__getitem__)
    monkeypatch.setitem(RECIPES, "tiny", Recipe("", 1, measure, ("munit-faces",)))
    for weights, times in (("a", 1), ("a", 1), ("b", 2), ("a", 1)):
        now["munit-faces"] = 16 * weights
        about = read_record(reproduce("tiny", tmp_path / "out", tmp_path, budget="debug", overwrite=True))
        assert about.measured("times").value == times
        assert about.settings == {"people": 3, "weights": {"munit-faces": 16 * weights}}


def test_what_the_recipes_measure_are_shipped_weights_and_their_checksum_is_the_files():
    for name, recipe in RECIPES.items():
        for shipped in recipe.of:
            assert len(pretrained.checksum(shipped)) == 16, (name, shipped)
    assert RECIPES["munit-people"].of == ("munit-faces", "faces-identity", "likeness")
    weights = Path(pretrained.__file__).parent / "munit-faces.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest().startswith(pretrained.checksum("munit-faces"))
    with pytest.raises(CompanionError, match="left numbers and no network"):
        pretrained.checksum("munit-people")


@pytest.mark.parametrize("budget", ["debug", "laptop", "gpu"])
def test_a_records_command_is_one_that_there_is(tmp_path, monkeypatch, budget):
    monkeypatch.setitem(RECIPES, "memory", Recipe("", 1, lambda job: Result({}, [], [])))
    about = read_record(reproduce("memory", tmp_path / "out", tmp_path, budget=budget))
    parsed = _parser().parse_args(about.command.split()[1:])
    assert ("debug" if parsed.debug else parsed.budget) == budget
