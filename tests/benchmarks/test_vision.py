"""Guards the trackers' benchmark: it runs, and both sides of it find the same."""

import json

import pytest

pytest.importorskip("mediapipe")

from benchmarks import vision
from companion.errors import CompanionError
from companion.vision.models import model_file


@pytest.mark.slow
def test_both_sides_see_the_same_frames(tmp_path, monkeypatch, capsys):
    import socket

    def refuse(*_: object) -> None:
        raise OSError("no test downloads anything")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    try:
        for kind in vision.KINDS.values():
            model_file(kind.asset)
    except CompanionError as error:
        pytest.skip(str(error))
    vision.main(["--quick", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "vision.json").read_text(encoding="utf-8"))
    assert [(case["tracker"], case["mode"]) for case in found["cases"]] == [
        (kind.__name__, mode) for kind in vision.KINDS.values() for mode in ("picture", "video")
    ]
    for case in found["cases"]:
        assert case["found"]["bare"] == case["found"]["ours"]
        assert len(case["all_milliseconds"]["bare"]) == len(case["all_milliseconds"]["ours"]) == 3
        assert case["milliseconds"]["bare"] > 0
    assert {"device_name", "threads", "date", "mediapipe", "load_before_and_after"} <= found.keys()
    assert "MediaPipe, frames/s" in capsys.readouterr().out
    page = (tmp_path / "throughput.md").read_text(encoding="utf-8")
    assert page.count("| HandTracker |") == 2
    assert "4 frames of 640×480" in page
