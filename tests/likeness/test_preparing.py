"""Guards `companion align`: upright faces of one size, and for every other file a reason."""

import csv

import numpy as np
import pytest
from pictures import save
from PIL import Image

from companion.cli import main
from companion.errors import CompanionError
from companion.likeness import preparing
from companion.likeness.preparing import (
    BROUGHT,
    NOTE,
    REPORT,
    SHEET,
    Aligner,
    Preparation,
    align,
    read_report,
)
from companion.vision.landmarks import Mesh

HOW = Preparation(size=32, least=10)


class Turned:
    """As `FaceMesh`: whose face a picture shows is told by the colour of its first pixel."""

    def __init__(self, template):
        self.template = template

    def find(self, picture):
        height, width, _ = picture.shape
        told = int(picture[0, 0, 0])
        if told == 1:
            return []
        flat, depth = self.template.copy(), np.zeros(len(self.template))
        unit = 4 if told == 3 else width / 5
        if told == 4:  # turned by 50 degrees
            depth = np.sin(np.radians(50)) * flat[:, 0]
            flat[:, 0] *= np.cos(np.radians(50))
        if told == 5:  # no face
            flat[:, 1] *= 3
        angle = 0.5 if told == 6 else 0.0
        cos, sin = np.cos(angle), np.sin(angle)
        flat = flat @ np.array([[cos, sin], [-sin, cos]]) * unit + (width / 2, height / 2)
        normalised = np.concatenate([flat / (width, height), depth[:, None] * unit / width], 1)
        return [Mesh(normalised.astype(np.float32), width, height, {})] * (2 if told == 2 else 1)


@pytest.fixture
def face(template):
    """A template whose eyes' corners lie where eyes' corners lie."""
    made = template.copy()
    made[[33, 263]] = (-0.45, 0.0), (0.45, 0.0)
    return made


@pytest.fixture
def aligner(face):
    return Aligner(face, Turned(face), HOW)


def picture(path, told):
    save(path, 150, 140, seed=told)
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0] = told
    Image.fromarray(pixels).save(path)
    return path


def report(folder):
    with (folder / REPORT).open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_one_face_is_cut_out_and_everything_else_has_its_reason(tmp_path, aligner):
    for told in range(7):
        picture(tmp_path / f"in/{told}.png", told)
    (tmp_path / "in/text.jpg").write_text("no picture")
    outcomes = {outcome.name: outcome for outcome in align(tmp_path / "in", tmp_path / "out", aligner)}
    reasons = {name: outcome.reason for name, outcome in outcomes.items()}
    assert reasons.pop("text.jpg").startswith("cannot be read: ")
    assert reasons == {
        "0.png": "",
        "1.png": "no face",
        "2.png": "2 faces",
        "3.png": "too small",
        "4.png": "turned away",
        "5.png": "unlike a face",
        "6.png": "",
    }
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["0.png", "6.png", REPORT, NOTE, SHEET]
    assert Image.open(tmp_path / "out/0.png").size == (32, 32)
    for (read, shows), outcome in zip(read_report(tmp_path / "out"), outcomes.values(), strict=True):
        assert (read.name, read.result, read.reason) == (outcome.name, outcome.result, outcome.reason)
        assert read.yaw == pytest.approx(outcome.yaw, abs=1e-3)
        assert shows == (tmp_path / "out" / read.result if read.result else tmp_path / "in" / read.name)
    told = report(tmp_path / "out")
    assert {name: row["reason"] for name, row in told.items()} == {
        name: outcome.reason for name, outcome in outcomes.items()
    }
    assert abs(float(told["4.png"]["yaw"])) == pytest.approx(50, abs=6)
    assert abs(float(told["6.png"]["roll"])) == pytest.approx(np.degrees(0.5), abs=0.1)
    assert float(told["0.png"]["unit"]) == pytest.approx(30, rel=0.01)


def test_a_tilted_face_comes_out_as_the_same_face_upright(tmp_path, aligner, face):
    """Two pictures of one scene, one of them turned with its face."""
    squares = np.random.default_rng(3).integers(0, 256, (15, 15, 3), dtype=np.uint8)
    scene = Image.fromarray(squares.repeat(20, 0).repeat(20, 1))
    straight, _ = aligner.look("a", np.asarray(marked(scene, 0)), None)
    turned = scene.rotate(-np.degrees(0.5), Image.Resampling.BICUBIC, center=(149.5, 149.5))
    tilted, found = aligner.look("b", np.asarray(marked(turned, 6)), None)
    assert abs(found.roll) == pytest.approx(np.degrees(0.5), abs=0.1)
    one, other = (
        preparing.cut_out(np.asarray(image), where, HOW.window, 32).astype(int)
        for image, where in ((scene, straight), (turned, tilted))
    )
    assert np.abs(one - other)[6:-6, 6:-6].mean() < 12
    assert np.abs(one - other[:, ::-1])[6:-6, 6:-6].mean() > 40


def marked(image, told):
    pixels = np.asarray(image).copy()
    pixels[0, 0] = told
    return pixels


def test_a_second_run_goes_on_and_touches_nothing(tmp_path, aligner):
    for name in ("a.png", "b/a.png", "b/a.bmp"):
        picture(tmp_path / "in" / name, 0)
    run = align(tmp_path / "in", tmp_path / "out", aligner)
    next(run)
    run.close()
    assert not (tmp_path / "out" / REPORT).exists()
    (first,) = (tmp_path / "out").rglob("*.png")
    before = first.stat().st_mtime_ns
    names = [outcome.result for outcome in align(tmp_path / "in", tmp_path / "out", aligner)]
    assert names == ["a.png", "b/a.png", "b/a.png.png"]  # one name in two folders is no clash
    assert all((tmp_path / "out" / name).is_file() for name in names)
    assert first.stat().st_mtime_ns == before


def bytes_below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_other_options_need_another_folder(tmp_path, aligner, face):
    """Of another size, or of other pictures: no folder becomes a mixture, not even a stopped one."""
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name, 0)
        picture(tmp_path / "other" / name, 6)
    run = align(tmp_path / "in", tmp_path / "out", aligner)
    next(run)
    run.close()
    before = bytes_below(tmp_path / "out")
    larger = Aligner(face, Turned(face), Preparation(size=48, least=10))
    with pytest.raises(
        CompanionError, match=r"made with other settings \(size 32\); give the same ones, or another"
    ):
        align(tmp_path / "in", tmp_path / "out", larger)
    with pytest.raises(CompanionError, match=r"other settings \(pictures .*in\)"):
        align(tmp_path / "other", tmp_path / "out", aligner)
    assert bytes_below(tmp_path / "out") == before
    list(align(tmp_path / "in", tmp_path / "out", aligner))
    assert {Image.open(tmp_path / f"out/{name}.png").size for name in "ab"} == {(32, 32)}


@pytest.mark.parametrize("foreign", ["a.png", "notes.txt", "below/z.png", "align.csv"])
def test_a_folder_with_other_files_is_refused_before_any_work(tmp_path, aligner, foreign):
    picture(tmp_path / "in/a.png", 0)
    place = tmp_path / "out" / foreign
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    with pytest.raises(
        CompanionError, match=f"{foreign} is not what this call would make there; give a new folder"
    ):
        align(tmp_path / "in", tmp_path / "out", aligner)
    assert bytes_below(tmp_path / "out") == {place: b"mine"}


def test_what_came_into_the_folder_meanwhile_is_refused_and_hidden_files_are_not(tmp_path, aligner):
    picture(tmp_path / "in/a.png", 0)
    list(align(tmp_path / "in", tmp_path / "out", aligner))
    (tmp_path / "out/.DS_Store").write_text("the system's")
    assert [each.result for each in align(tmp_path / "in", tmp_path / "out", aligner)] == ["a.png"]
    picture(tmp_path / "out/holiday.png", 0)
    with pytest.raises(CompanionError, match=r"holiday\.png is not what"):
        align(tmp_path / "in", tmp_path / "out", aligner)


def test_a_damaged_note_is_no_traceback(tmp_path, aligner):
    picture(tmp_path / "in/a.png", 0)
    list(align(tmp_path / "in", tmp_path / "out", aligner))
    (tmp_path / "out" / NOTE).write_text("{half")
    with pytest.raises(CompanionError, match="other settings; give"):
        align(tmp_path / "in", tmp_path / "out", aligner)


def test_a_face_is_never_called_as_the_sheet_is(tmp_path, aligner):
    """Else the sheet would take its place."""
    picture(tmp_path / "in/align.jpg", 0)
    (outcome,) = align(tmp_path / "in", tmp_path / "out", aligner)
    assert Image.open(tmp_path / "out" / outcome.result).size == (32, 32)


def test_webcaricature_is_read_as_it_is_published_with_its_own_points(tmp_path, face):
    """That the tracker finds nothing there does not matter."""

    class Blind:
        def find(self, picture):
            return []

    root = tmp_path / "WebCaricature"
    for name in ("C00001", "P00001"):
        picture(root / f"OriginalImages/Somebody/{name}.jpg", 1)
    points = np.zeros((17, 2))
    points[4:] = face[list(BROUGHT)] * 30 + (75, 70)
    (root / "FacialPoints/Somebody").mkdir(parents=True)
    np.savetxt(root / "FacialPoints/Somebody/C00001.txt", points)
    aligner = Aligner(face, Blind(), HOW)
    found = {outcome.name: outcome for outcome in align(root, tmp_path / "out", aligner)}
    assert found["Somebody/C00001.jpg"].result == "Somebody/C00001.png"
    assert found["Somebody/C00001.jpg"].unit == pytest.approx(30, rel=1e-3)
    assert found["Somebody/P00001.jpg"].reason == "no face"
    (root / "FacialPoints/Somebody/P00001.txt").write_text("1 2\n3 4\n")
    found = {outcome.name: outcome for outcome in align(root, tmp_path / "out2", aligner)}
    assert "17 points" in found["Somebody/P00001.jpg"].reason
    assert found["Somebody/C00001.jpg"].result


def test_results_never_lie_within_the_pictures(tmp_path, aligner):
    picture(tmp_path / "in/a.png", 0)
    with pytest.raises(CompanionError, match="lies within"):
        list(align(tmp_path / "in", tmp_path / "in/faces", aligner))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CompanionError, match="no picture"):
        list(align(tmp_path / "empty", tmp_path / "out", aligner))


@pytest.mark.slow
def test_the_command_counts_the_reasons(tmp_path, monkeypatch, reader, face, capsys):
    class Tracker(Turned):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    import companion.vision.trackers
    from companion import pretrained

    reader.template.copy_(reader.template.new_tensor(face))
    monkeypatch.setattr(companion.vision.trackers, "FaceMesh", lambda **options: Tracker(face))
    monkeypatch.setattr(pretrained, "load", lambda name: reader)
    for told in (0, 1, 4):
        picture(tmp_path / f"in/{told}.png", told)
    assert main(["align", str(tmp_path / "in"), str(tmp_path / "out"), "--least", "10", "--size", "32"]) == 0
    said = capsys.readouterr().out
    assert "1 of 3 pictures became faces" in said
    assert "1: no face" in said
    assert "1: turned away" in said
    assert main(["align", str(tmp_path / "in"), str(tmp_path / "out"), "--size", "4"]) != 0
