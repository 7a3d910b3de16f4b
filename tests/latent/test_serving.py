"""Guards what an app says before it starts, and what it serves."""

import pytest

from companion import serving
from companion.cli import main
from companion.errors import CompanionError
from companion.vision import trackers


@pytest.mark.parametrize("port", ["0", "-5", "80000"])
def test_a_port_that_is_none_is_one_sentence(port, capsys):
    assert main(["app", "digits", "--no-browser", "--port", port]) == 2
    said = capsys.readouterr().err
    assert "from 1024 to 65535" in said
    assert "Traceback" not in said


@pytest.fixture
def served(monkeypatch):
    """What would be served: the cells of Python."""
    cells = []
    monkeypatch.setattr(serving, "serve", lambda title, code, **options: cells.append(code))
    return cells


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "digit"], "did you mean digits"),
        (["--data", "no/such/folder"], "does not exist"),
        (["--size", "0"], "cannot be 0 pixels wide"),
    ],
)
def test_what_cannot_be_browsed_is_one_sentence_and_nothing_is_served(options, said, served, capsys):
    assert main(["app", "browse", "--no-browser", *options]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert served == []


def test_a_folder_without_pictures_is_not_browsed(tmp_path, served, capsys):
    (tmp_path / "notes.txt").write_text("sun")
    assert main(["app", "browse", "--data", str(tmp_path)]) == 2
    assert "notes.txt" in capsys.readouterr().err
    assert served == []


def test_the_cell_that_is_served_ends_in_the_viewer_that_was_asked_for(served):
    assert main(["app", "browse", "--size", "16", "--alike", "digits", "--no-browser"]) == 0
    (cell,) = served
    before, _, last = cell.rpartition("\n")
    scope: dict[str, object] = {}
    exec(before, scope)
    viewer = eval(last, scope)
    assert len(viewer.album) == 1797
    assert viewer.album.images.pixels.shape[1:] == (1, 16, 16)
    assert [*viewer.by] == ["pixels", "features"]


def test_a_missing_tracker_is_said_before_a_page_is_served(served, monkeypatch, capsys):
    def missing(**options):
        raise CompanionError("MediaPipe is not installed; install it with: pip install mediapipe.")

    monkeypatch.setattr(trackers, "FaceMesh", missing)
    assert main(["app", "caricature"]) == 2
    assert "MediaPipe is not installed" in capsys.readouterr().err
    assert served == []


@pytest.mark.parametrize("app", ["browse", "caricature", "digits", "faces"])
def test_every_app_has_its_help_and_says_that_pictures_stay_here(app, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["app", app, "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--port" in said
    assert "pictures stay here" in said
