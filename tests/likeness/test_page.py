"""Guards “draw me” as a page: drawn as the controls say, and a picture without a face changes nothing."""

import base64
import io
import re

import numpy as np
import pytest
from pictures import save
from PIL import Image

from companion.data.faces.parameters import PARAMETERS
from companion.errors import CompanionError
from companion.likeness import drawing, measuring
from companion.likeness.measuring import Measurer
from companion.likeness.page import DrawMe


@pytest.fixture
def page(tmp_path, monkeypatch, reader, tracker) -> DrawMe:
    """The real measurer, on a tracker that finds a face in everything."""
    monkeypatch.setattr(measuring, "FaceMesh", lambda **options: tracker)
    monkeypatch.setattr(drawing, "real_mean", lambda: {p.name: p.mean for p in PARAMETERS if p.shape})
    save(tmp_path / "sample.png", 60, 50)
    with Measurer(reader=reader) as measurer:
        yield DrawMe(measurer, tmp_path / "sample.png", size=48)


def opened(widget) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(widget.value)))


def uploads(seed: int = 5):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return {"new": ({"name": "me.png", "content": memoryview(buffer.getvalue())},)}


def test_the_sample_is_drawn_at_once_as_the_command_draws_it(page):
    (measured,) = page.measurer.measure(page.sample)
    assert np.array_equal(opened(page.portrait), drawing.portrait(measured.faces, 48)[0])
    assert np.array_equal(opened(page.picture), drawing.caricature(measured.faces, 1.8, "ink", 48)[0])
    assert page.face.layout.display == "none"
    assert page.message.value == ""


def test_strength_and_style_change_the_caricature_alone(page):
    portrait, photograph = page.portrait.value, page.photograph.value
    seen = {page.picture.value}
    for control, value in ((page.strength, 3.0), (page.style, "sepia"), (page.strength, 1.0)):
        control.value = value
        seen.add(page.picture.value)
    assert len(seen) == 4
    assert (page.portrait.value, page.photograph.value) == (portrait, photograph)
    wanted = drawing.caricature(page.found[0].faces, 1.0, "sepia", 48)[0]
    assert np.array_equal(opened(page.picture), wanted)


def test_what_is_downloaded_is_what_is_seen(page):
    page.style.value = "print"
    (source,) = re.findall(
        'download="caricature.png" href="data:image/png;base64,(.*?)"', page.download.value
    )
    assert base64.b64decode(source) == page.picture.value


def test_a_photograph_takes_the_place_of_the_sample_which_can_come_back(page):
    sample = page.portrait.value
    page.strength.value = 2.5
    page._uploaded(uploads())
    assert page.whole.size == (90, 80)
    assert page.portrait.value != sample
    assert page.strength.value == 2.5
    page.sample_button.click()
    assert page.portrait.value == sample


def test_one_of_several_faces_is_chosen(page, tracker):
    tracker.faces = 2
    page.take(page.sample)
    assert page.face.layout.display == ""
    assert [label for label, _ in page.face.options] == ["1 of 2", "2 of 2"]
    page.face.value = 1
    assert page.message.value == ""
    tracker.faces = 1
    page.take(page.sample)
    assert page.face.value == 0


def test_a_picture_without_a_face_or_no_picture_is_said_and_changes_nothing(page, tracker):
    before = page.picture.value, page.photograph.value
    tracker.faces = 0
    page._uploaded(uploads())
    assert "No face was found in this picture" in page.message.value
    page._uploaded({"new": ({"name": "a.txt", "content": memoryview(b"hello")},)})
    assert "could not be read as a picture; give a PNG" in page.message.value
    assert (page.picture.value, page.photograph.value) == before
    page.strength.value = 2.0
    assert page.message.value == ""


def test_a_sample_that_is_no_picture_is_refused(page, tmp_path):
    (tmp_path / "notes.txt").write_text("sun")
    with pytest.raises(CompanionError, match=r"notes\.txt cannot be read as a picture"):
        DrawMe(page.measurer, tmp_path / "notes.txt")
