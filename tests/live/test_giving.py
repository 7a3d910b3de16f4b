"""Guards the places for pictures: what is dropped or pasted is taken; what is no picture is refused in a sentence."""

import pytest
from house import sampled, until
from pictures import save
from stand import TAKING, give

pytestmark = pytest.mark.full  # a browser

ALONE = TAKING
SHOWN = "figure => [...figure.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()).join()"
REFUSED = "notes.png could not be read as a picture; give a PNG, JPEG, WebP, GIF or BMP file."


@pytest.fixture
def picture(tmp_path) -> bytes:
    save(tmp_path / "picture.png")
    return (tmp_path / "picture.png").read_bytes()


@pytest.mark.parametrize("how", sampled(["drop", "paste"], ["drop"]))
@pytest.mark.parametrize("demo", TAKING)
def test_a_picture_is_taken_and_what_is_none_is_refused(visit, picture, demo, how):
    reader = visit(f"{demo}.html", reduced_motion="reduce")
    figure = reader.reach(demo)
    reader.settle(figure)
    figure.locator(".gv-live-drop input").first.focus()
    before, trouble = figure.evaluate(SHOWN), figure.locator(".gv-live-trouble")
    give(figure, how, b"no pixels", "notes.png")
    reader.says(figure, REFUSED)
    assert trouble.inner_text() == REFUSED
    assert figure.evaluate(SHOWN) == before
    give(figure, how, picture, "mine.png")
    until(lambda: figure.evaluate(SHOWN) != before, pause=lambda _: reader.tab.wait_for_timeout(50))
    assert REFUSED not in trouble.text_content()
