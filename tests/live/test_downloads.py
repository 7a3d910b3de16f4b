"""Guards what a reader is told while models come: how much is here, and what broke off or came damaged."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from browsing import Quiet, opened, serving, sync_api
from house import PATIENCE, until
from PIL import Image
from visitor import PIXELS, Reader

pytestmark = pytest.mark.full  # a browser loads models

ALONE = ("faces-sliders",)
DECODER, ENCODER = "faces-vae-decoder.onnx", "faces-vae-encoder.onnx"


class Halting(Quiet):
    """Sends half of one file, and the rest when it may; or breaks off there."""

    half = ""  # its name
    breaks_off = False
    gate = threading.Event()

    def copyfile(self, source: IO[bytes], outputfile: IO[bytes]) -> None:  # type: ignore[override]
        content = source.read()
        if self.path.rpartition("/")[2] != Halting.half:
            outputfile.write(content)
            return
        outputfile.write(content[: len(content) // 2])
        outputfile.flush()
        Halting.gate.wait(PATIENCE)
        if not Halting.breaks_off:
            outputfile.write(content[len(content) // 2 :])


@pytest.fixture
def reader(browser: "sync_api.Browser", site: Path) -> Iterator[Reader]:
    Halting.half, Halting.breaks_off = "", False
    Halting.gate.clear()
    with serving(site, handler=Halting) as where, opened(browser) as window:
        yield Reader(window.new_page(), f"{where}/faces-sliders.html")
        Halting.gate.set()


def smile(figure: "sync_api.Locator") -> None:
    figure.get_by_label("Smile").press("End")


def drawn_anew(figure: "sync_api.Locator", before: str) -> None:
    """Wait until the face is another one."""
    face = figure.locator("canvas").first
    until(lambda: face.evaluate(PIXELS) != before, pause=lambda _: figure.page.wait_for_timeout(50))


def test_how_much_of_a_model_has_come_is_shown_when_the_program_is_here(reader, site, tmp_path):
    figure = reader.reach("faces-sliders")
    before = figure.locator("canvas").first.evaluate(PIXELS)
    smile(figure)
    drawn_anew(figure, before)
    Halting.half = ENCODER
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "teal.png")
    figure.locator("input[type=file]").set_input_files(tmp_path / "teal.png")
    all_of_it = (site / f"_static/live/models/{ENCODER}").stat().st_size
    shown = figure.locator(
        ".gv-live-progress:visible", has_text=f"{all_of_it / 2e6:.1f} of {all_of_it / 1e6:.1f} MB"
    )
    shown.wait_for()
    assert shown.locator("progress").evaluate("bar => bar.value") == pytest.approx(0.5, abs=0.01)
    Halting.gate.set()
    figure.locator(".gv-live-progress:visible").wait_for(state="detached")


def test_what_comes_packed_has_no_known_end(reader):
    """A host packs the program; then nobody knows how much there is, and the bar does not stand at nothing."""
    reader.tab.context.route("**/*.wasm", packed)
    Halting.half = DECODER
    figure = reader.reach("faces-sliders")
    smile(figure)
    bar = figure.locator(".gv-live-progress:visible")
    bar.wait_for()
    bar.filter(has_text="MB").wait_for()
    assert bar.locator("progress").get_attribute("value") is None
    assert " of " not in bar.text_content()
    Halting.gate.set()


def packed(route: "sync_api.Route") -> None:
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "content-encoding": "br"}, body=answer.body())


def test_a_download_that_breaks_off_is_told_and_can_be_tried_again(reader):
    Halting.half, Halting.breaks_off = DECODER, True
    Halting.gate.set()
    figure = reader.reach("faces-sliders")
    before = figure.locator("canvas").first.evaluate(PIXELS)
    smile(figure)
    reader.says(figure, "The model faces-vae-decoder broke off on its way. Try again, or load the page anew.")
    Halting.half = ""
    figure.get_by_label("Beard").press("End")
    drawn_anew(figure, before)
    assert figure.locator(".gv-live-trouble").is_hidden()


@pytest.mark.parametrize("body", ["<!doctype html><title>Please sign in</title>", ""])
def test_a_model_that_is_none_is_told_and_can_be_tried_again(reader, body):
    """As behind a portal that answers everything with its own page."""
    reader.tab.context.route(f"**/{DECODER}", lambda route: route.fulfill(body=body))
    figure = reader.reach("faces-sliders")
    before = figure.locator("canvas").first.evaluate(PIXELS)
    smile(figure)
    reader.says(figure, "The model faces-vae-decoder came damaged. Try again, or load the page anew.")
    reader.tab.context.unroute(f"**/{DECODER}")
    figure.get_by_label("Beard").press("End")
    drawn_anew(figure, before)
    assert figure.locator(".gv-live-trouble").is_hidden()
