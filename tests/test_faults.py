"""Guards the promise of every command that writes: killed or out of space anywhere, nothing half is taken for whole.

And there is always one command that goes on.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from faults import apart, survives_a_full_disk, survives_kills
from films import STEADY, film, times_of
from PIL import Image
from torch import nn

from companion import tiling, vision
from companion.cli import main
from companion.data import assets
from companion.data.assets import Asset
from companion.data.faces import Portraits

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork"),
]


def both(tmp_path, command, look, capfd, least: int) -> None:
    """Kills and full disks; a command has at least so many operations, or the harness sees none."""
    assert survives_kills(tmp_path, command, look) >= least
    assert survives_a_full_disk(tmp_path, command, look, lambda: capfd.readouterr().err) >= least


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_restore(tmp_path, monkeypatch, capfd):
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

    both(tmp_path, command, look, capfd, least=9)


def test_faces_export(tmp_path, capfd):
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

    both(tmp_path, command, look, capfd, least=8)


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
def test_vision_of_a_film(tmp_path, monkeypatch, capfd, mode):
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

    both(tmp_path, command, look, capfd, least=3)


def test_vision_of_a_folder(tmp_path, monkeypatch, capfd):
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

    both(tmp_path, command, look, capfd, least=6)


def test_assets_fetch(tmp_path, monkeypatch, capfd):
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

    import requests

    monkeypatch.setattr(requests, "get", lambda *_, **__: Answer())
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

    both(tmp_path, command, look, capfd, least=4)
