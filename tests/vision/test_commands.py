"""Guards `companion vision`: every mode on pictures and videos, without a screen; nothing overwritten; one sentence."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from house import PATIENCE, until
from PIL import Image

from companion.cli import main
from companion.vision import FaceDetector, HandTracker, Tracker, as_picture, sources
from companion.vision.sources import Video

MODES = {"face": "FaceDetector", "mesh": "FaceMesh", "hands": "HandTracker", "pose": "PoseEstimator"}


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mode(kind: type[Tracker]) -> str:
    return {name: mode for mode, name in MODES.items()}[kind.__name__]


@pytest.fixture
def folder(tmp_path, person) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(person).save(folder / "astronaut.png")
    Image.fromarray(person[:, ::-1]).save(folder / "astronaut.webp")
    (folder / "notes.txt").write_text("Eileen Collins")
    return folder


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_folder_becomes_a_picture_and_a_line_per_input(mode, folder, tmp_path, capsys):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["vision", mode, "--source", str(folder), "--save", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "astronaut.jpg",
        "astronaut-2.jpg",
        "found.jsonl",
    }
    found = lines(tmp_path / "out/found.jsonl")
    assert [line["source"] for line in found] == ["astronaut.png", "astronaut.webp"]
    assert all((line["width"], line["height"]) == (512, 512) for line in found)
    kinds = {one["kind"] for line in found for one in line["found"]}
    assert kinds == ({mode.removesuffix("s")} if mode != "hands" else set())
    assert "notes.txt" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_hand_on_a_photograph_is_drawn_and_told(tracker, photo, tmp_path):
    """A woman raises her left index finger; the text beside her photograph is no picture."""
    tracker(HandTracker)
    (tmp_path / "in").mkdir()
    shutil.copy(photo("mm_pointing_up.jpg"), tmp_path / "in")
    (tmp_path / "in/notes.txt").write_text("a finger")
    assert main(["vision", "hands", "--source", str(tmp_path / "in"), "--save", str(tmp_path / "out")]) == 0
    (line,) = lines(tmp_path / "out/found.jsonl")
    (hand,) = line["found"]
    assert (line["source"], hand["kind"], hand["side"]) == ("mm_pointing_up.jpg", "hand", "left")
    assert hand["score"] > 0.9
    assert {len(hand[points]) for points in ("pixels", "normalised", "world")} == {21}
    before, after = (as_picture(tmp_path / place / "mm_pointing_up.jpg") for place in ("in", "out"))
    changed = (np.abs(before.astype(int) - after) > 60).any(-1)
    left, top, right, bottom = (round(edge) for edge in hand["box"])
    assert changed[top:bottom, left:right].mean() > 0.1, "the hand is drawn where the line says it is"
    # Lines are wide, and the label stands beside the box.
    changed[max(0, top - 40) : bottom + 40, max(0, left - 40) : right + 40] = False
    assert not changed.any(), "and nowhere else"


@pytest.mark.slow
def test_without_a_place_lines_are_printed(mode, folder, capsys):
    assert main(["vision", mode, "--source", str(folder / "astronaut.png")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["source"] == "astronaut.png"


@pytest.mark.slow
def test_a_video_becomes_an_annotated_video(mode, film, person, tmp_path):
    small = np.asarray(Image.fromarray(person).resize((256, 256)))
    out = tmp_path / "deep/out.mp4"
    assert main(["vision", mode, "--source", str(film(small, frames=6)), "--save", str(out)]) == 0
    with Video(out) as video:
        assert len(list(video)) == 6
    found = lines(out.with_suffix(".jsonl"))
    assert [line["seconds"] for line in found] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_camera_is_followed_until_it_is_pulled_out(tracker, camera, person, tmp_path, monkeypatch, capsys):
    """A played one, since none is at hand: it sees a photograph, and is gone once four pictures of it are kept."""
    tracker(FaceDetector)
    out = tmp_path / "out.avi"
    camera(sees=person, gone=lambda: len(lines_so_far(out)) >= 4)
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    assert main(["vision", "face", "--source", "0", "--save", str(out)]) == 2
    assert "camera 0 gives no more pictures" in capsys.readouterr().err.splitlines()[-1]
    found = lines(out.with_suffix(".jsonl"))
    with Video(out) as video:
        assert len(list(video)) == len(found) >= 4
    assert all(len(line["found"]) == 1 for line in found)
    assert np.diff([line["seconds"] for line in found]).min() > 0


@pytest.mark.slow
def test_a_person_is_followed_through_a_real_film(mode, real_film, tmp_path):
    out = tmp_path / "out.mp4"
    assert main(["vision", mode, "--source", str(real_film), "--save", str(out)]) == 0
    with Video(out) as video:
        assert len(list(video)) == 120
    found = lines(out.with_suffix(".jsonl"))
    seen = [one for line in found for one in line["found"]]
    assert len(found) == 120
    if mode == "hands":  # he shows none, and none is made up
        assert seen == []
    else:
        assert sum(bool(line["found"]) for line in found) >= 114
        assert {one["kind"] for one in seen} == {mode}


@pytest.mark.slow
def test_a_face_is_hidden_throughout_a_real_film(tracker, real_film, tmp_path):
    faces = tracker(FaceDetector)
    out = tmp_path / "out.avi"
    assert main(["vision", "blur", "--source", str(real_film), "--save", str(out), "--how", "cover"]) == 0
    with Video(real_film) as before, Video(out) as after:
        assert all(faces.find(frame.picture) for frame in before)
        hidden = [frame.picture for frame in after]
    assert len(hidden) == 120
    assert not any(faces.find(picture) for picture in hidden)


def test_faces_are_hidden_in_pictures_and_videos(tracker, folder, film, person, tmp_path, capsys):
    faces = tracker(FaceDetector)
    assert (
        main(["vision", "blur", "--source", str(folder), "--save", str(tmp_path / "out"), "--how", "cover"])
        == 0
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"astronaut.jpg", "astronaut-2.jpg"}
    assert all(faces.find(path) == [] for path in (tmp_path / "out").iterdir())
    said = capsys.readouterr().err
    assert "Look at every result" in said
    assert "leave enough" not in said  # a cover leaves nothing
    source, out = film(person, frames=5), tmp_path / "out.avi"
    assert main(["vision", "blur", "--source", str(source), "--save", str(out)]) == 0
    assert "--how cover leaves nothing" in capsys.readouterr().err
    with Video(source) as before, Video(out) as after:
        assert all(faces.find(frame.picture) for frame in before)
        hidden = list(after)
    assert len(hidden) == 5
    assert not any(faces.find(frame.picture) for frame in hidden)


def test_nothing_is_overwritten(tracker, folder, film, person, tmp_path, capsys):
    tracker(FaceDetector)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/thesis.txt").write_text("three years")
    (tmp_path / "taken.mp4").write_text("film")
    (tmp_path / "half.jsonl").write_text("notes")
    video = film(person, frames=2)
    for source, place in (
        (folder, "taken"),
        (folder, "taken.mp4"),
        (video, "taken.mp4"),
        (video, "half.mp4"),
    ):
        assert main(["vision", "face", "--source", str(source), "--save", str(tmp_path / place)]) == 2
        assert "stays as it is" in capsys.readouterr().err
    assert (tmp_path / "taken/thesis.txt").read_text() == "three years"
    assert (tmp_path / "taken.mp4").read_text() == "film"
    assert (tmp_path / "half.jsonl").read_text() == "notes"
    assert len(list((tmp_path / "taken").iterdir())) == 1


def test_what_cannot_be_read_is_one_sentence_and_code_2(tracker, tmp_path, film, person, capsys):
    tracker(FaceDetector)
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "notes.txt").write_text("sun")
    (tmp_path / "empty.mp4").write_bytes(b"")
    whole = film(person, frames=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    for source, said in (
        ("98", "There is no camera 98"),
        (str(texts), "notes.txt"),
        (str(tmp_path / "empty.mp4"), "0 bytes"),
        (str(tmp_path / "cut.avi"), "breaks off"),
        (str(tmp_path / "none.mp4"), "There is no file"),
    ):
        assert main(["vision", "face", "--source", source]) == 2
        output = capsys.readouterr()
        said_last = output.err.strip().splitlines()[-1]
        assert said_last.startswith("companion: ")
        assert said in said_last
        assert "Traceback" not in output.err
    good = str(film(person, frames=2))
    assert main(["vision", "face", "--source", good, "--save", str(tmp_path / "out.gif")]) == 2
    assert ".webm" in capsys.readouterr().err


def odd_pictures(folder: Path, person: np.ndarray) -> dict[str, bool]:
    """Files of many kinds, and whether the person in it is there to be found."""
    cv2 = pytest.importorskip("cv2")
    photo = Image.fromarray(person)
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    Image.new("RGB", (1, 700)).save(folder / "thin.png")
    Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) << 8).save(folder / "grey16.png")
    cv2.imwrite(str(folder / "rgb16.png"), person[..., ::-1].astype(np.uint16) << 8)
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.png", transparency=0)
    photo.save(folder / "moving.gif", save_all=True, append_images=[photo.rotate(10)])
    turned = Image.Exif()
    turned[0x112] = 6
    photo.rotate(90, expand=True).save(folder / "turned.jpg", exif=turned)
    there = ["grey16.png", "rgb16.png", "cmyk.jpg", "palette.png", "moving.gif", "turned.jpg"]
    return {path.name: path.name in there for path in folder.iterdir()}


@pytest.mark.slow
def test_pictures_of_every_kind_are_read(tracker, tmp_path, person, capsys):
    tracker(FaceDetector)
    (tmp_path / "in").mkdir()
    there = odd_pictures(tmp_path / "in", person)
    before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    for mode in ("face", "blur"):
        out = tmp_path / mode
        assert main(["vision", mode, "--source", str(tmp_path / "in"), "--save", str(out)]) == 0
        said = capsys.readouterr().err
        assert "Of moving.gif, which holds several pictures, only the first was taken" in said
        assert "Left out" not in said
        assert {path.stem for path in out.glob("*.jpg")} == {Path(name).stem for name in there}
    found = lines(tmp_path / "face/found.jsonl")
    assert {line["source"]: bool(line["found"]) for line in found} == there
    assert {path: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before


def test_a_model_that_is_another_is_one_sentence(kinds, folder, tmp_path, monkeypatch, capsys):
    """Another task's bundle, a text, nothing, a folder; and none in the cache, or a damaged one."""
    from companion.vision import FaceMesh
    from companion.vision.models import model_file

    (tmp_path / "text.task").write_text("model")
    picture = str(folder / "astronaut.png")
    for model, said in (
        (model_file(FaceMesh.asset), "is no HandLandmarker model"),
        (tmp_path / "text.task", "is no HandLandmarker model"),
        (tmp_path / "none.task", "does not exist"),
        (tmp_path, "is a folder"),
    ):
        assert main(["vision", "hands", "--source", picture, "--model", str(model)]) == 2
        (sentence,) = capsys.readouterr().err.splitlines()
        assert said in sentence
        assert "graphics libraries" not in sentence

    def refuse(*_: object) -> None:
        raise OSError("no test downloads anything")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path / "cache"))
    assert main(["vision", "face", "--source", picture]) == 2
    assert "put the file by hand at" in capsys.readouterr().err.splitlines()[-1]
    (tmp_path / "cache/mediapipe").mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache/mediapipe/blaze_face_short_range.tflite").write_text("damaged")
    assert main(["vision", "face", "--source", picture]) == 2
    assert "wrong checksum" in capsys.readouterr().err.splitlines()[-1]


def test_a_video_cut_short_keeps_what_was_read(tracker, tmp_path, film, person):
    tracker(FaceDetector)
    whole = film(person, frames=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    assert (
        main(["vision", "face", "--source", str(tmp_path / "cut.avi"), "--save", str(tmp_path / "out.avi")])
        == 2
    )
    with Video(tmp_path / "out.avi") as video:
        assert len(list(video)) == len(lines(tmp_path / "out.jsonl")) >= 2


@pytest.mark.full
def test_ctrl_c_leaves_a_video_that_plays(tracker, tmp_path, film, person):
    from companion.vision import PoseEstimator

    tracker(PoseEstimator)
    out = tmp_path / "out.avi"
    command = [sys.executable, "-m", "companion", "vision", "pose", "--source", str(film(person, frames=400))]
    process = subprocess.Popen([*command, "--save", str(out)], stderr=subprocess.PIPE, text=True)
    until(lambda: len(lines_so_far(out)) >= 3, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert "Stopped after" in said
    assert "Traceback" not in said
    with Video(out) as video:
        assert len(list(video)) == len(lines(out.with_suffix(".jsonl"))) < 400


def lines_so_far(out: Path) -> list[str]:
    """What stands in the unfinished file of lines."""
    parts = out.parent.glob(f".{out.stem}.jsonl.*.part")
    return [line for part in parts for line in part.read_text(encoding="utf-8").splitlines()]
