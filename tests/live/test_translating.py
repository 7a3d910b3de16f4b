"""Guards the demo of translation: every drawing is torch's, both ways, and what is given stays in the page."""

import json

import numpy as np
import pytest
import torch
from pictures import save
from PIL import Image
from stand import wait
from torch import Tensor
from visitor import PIXELS, Reader, in_canvas, levels_apart, mixed, values

from companion import pretrained
from companion.data.faces import Caricatures, Portraits
from companion.data.scale import from_bytes, to_bytes
from companion.models.munit import BothWays
from companion.reproduce.ch07.munit import TEST
from companion.training.munit import translated
from companion.translation import _square

pytestmark = pytest.mark.full  # a browser

ALONE = ("translation",)
SAID = "document.querySelector('.gv-live-spoken').textContent"


@pytest.fixture(scope="module")
def both() -> BothWays:
    model = pretrained.load("munit-faces")
    assert isinstance(model, BothWays)
    return model


@pytest.fixture(scope="module")
def corners(site) -> dict[str, Tensor]:
    stored = json.loads((site / "_static/live/translation.json").read_text())["corners"]
    return {way: torch.tensor(four) for way, four in stored.items()}


@pytest.fixture
def reader(visit) -> Reader:
    return visit("translation.html")


def person(who: int, kind=Portraits) -> Tensor:
    """As the sheet has it, `(1, 3, 64, 64)`, in 8 bits."""
    return from_bytes(to_bytes(kind(1, size=64, first=TEST + who)[:]))


def sees(reader: Reader, figure, model, image: Tensor, corners: Tensor) -> None:
    """The large picture is torch's for where the handle is."""
    style = mixed(corners, *values(figure.locator(".gv-live-pad")))
    reader.sees(
        figure.locator("canvas[aria-label^='Its translation']"), translated(model, image, style[None])[0]
    )


def test_at_first_a_portrait_and_its_drawings_are_shown_and_nothing_is_fetched(reader, both, corners):
    figure = reader.reach("translation")
    sees(reader, figure, both.a_to_b, person(0), corners["there"])
    first = person(0)[0]
    reader.sees(figure.locator("canvas[aria-label='The portrait that is translated']"), first)
    assert reader.heavy == []
    assert reader.foreign == []


def test_a_place_between_the_corners_is_drawn_as_torch_draws_it(reader, both, corners):
    figure = reader.reach("translation")
    pad = figure.locator(".gv-live-pad")
    before = values(pad)
    reader.drag(pad, 0.7, 0.8)
    assert values(pad) != before
    sees(reader, figure, both.a_to_b, person(0), corners["there"])
    assert [url.rsplit("/", 1)[-1] for url in reader.heavy if url.endswith(".onnx")] == [
        "munit-faces-a_to_b.onnx"
    ]
    assert reader.errors == []


def test_somebody_else_fills_the_whole_map(reader, both, corners):
    figure = reader.reach("translation")
    figure.get_by_role("button", name="Person 3").press("Enter")
    wait(reader.tab, f"{SAID}.startsWith('Person 3 of 6, as a drawing')")
    sees(reader, figure, both.a_to_b, person(2), corners["there"])
    tiles = [((column + 0.5) / 4, 1 - (row + 0.5) / 4) for row in range(4) for column in range(4)]
    styles = torch.stack([mixed(corners["there"], *place) for place in tiles])
    drawn = translated(both.a_to_b, person(2).expand(16, -1, -1, -1), styles)
    whole = torch.cat([torch.cat(list(drawn[4 * row : 4 * row + 4]), 2) for row in range(4)], 1)
    reader.sees(figure.locator(".gv-live-pad canvas"), whole)


def test_the_way_back_turns_drawings_into_portraits(reader, both, corners):
    figure = reader.reach("translation")
    figure.get_by_text("Drawing to portrait").click()
    wait(reader.tab, f"{SAID}.startsWith('Person 1 of 6, as a portrait')")
    reader.sees(
        figure.locator("canvas[aria-label='The drawing that is translated']"), person(0, Caricatures)[0]
    )
    sees(reader, figure, both.b_to_a, person(0, Caricatures), corners["back"])
    figure.get_by_text("Portrait to drawing").click()
    wait(reader.tab, f"{SAID}.startsWith('Person 1 of 6, as a drawing')")
    sees(reader, figure, both.a_to_b, person(0), corners["there"])
    assert reader.errors == []


def test_new_styles_are_other_styles(reader, both, corners):
    figure = reader.reach("translation")
    made = figure.locator("canvas[aria-label^='Its translation']")
    before = translated(
        both.a_to_b, person(0), mixed(corners["there"], *values(figure.locator(".gv-live-pad")))[None]
    )
    reader.sees(made, before[0])
    figure.get_by_role("button", name="New styles").click()
    wait(reader.tab, f"{SAID} === 'Four new styles.'")
    assert levels_apart(made.evaluate(PIXELS), before[0]) > 10


def test_a_picture_of_ones_own_is_translated_and_leaves_the_page_not(reader, both, corners, tmp_path):
    figure = reader.reach("translation")
    save(tmp_path / "own.png", width=64, height=64, seed=3)
    with reader.tab.expect_file_chooser() as chooser:
        figure.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(tmp_path / "own.png")
    wait(reader.tab, f"{SAID}.startsWith('Your picture, as a drawing')")
    given = figure.locator("canvas[aria-label='The portrait that is translated']").evaluate(PIXELS)
    sees(reader, figure, both.a_to_b, from_bytes(in_canvas(given)[None]), corners["there"])
    assert reader.foreign == []


def give(reader, figure, path) -> None:
    with reader.tab.expect_file_chooser() as chooser:
        figure.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(path)
    wait(reader.tab, f"{SAID}.startsWith('Your picture, as a drawing')")


def test_the_other_way_keeps_a_picture_of_ones_own_and_whoever_was_chosen(reader, both, corners, tmp_path):
    figure = reader.reach("translation")
    save(tmp_path / "own.png", width=64, height=64, seed=3)
    give(reader, figure, tmp_path / "own.png")
    own = figure.locator("canvas[aria-label='The portrait that is translated']").evaluate(PIXELS)
    figure.get_by_text("Drawing to portrait").click()
    wait(reader.tab, f"{SAID}.startsWith('Your picture, as a portrait')")
    assert figure.locator("canvas[aria-label='The drawing that is translated']").evaluate(PIXELS) == own
    sees(reader, figure, both.b_to_a, from_bytes(in_canvas(own)[None]), corners["back"])
    figure.get_by_role("button", name="Person 3").press("Enter")
    wait(reader.tab, f"{SAID}.startsWith('Person 3 of 6, as a portrait')")
    figure.get_by_text("Portrait to drawing").click()
    wait(reader.tab, f"{SAID}.startsWith('Person 3 of 6, as a drawing')")
    sees(reader, figure, both.a_to_b, person(2), corners["there"])


def test_a_transparent_picture_lies_on_white_as_the_command_has_it(reader, tmp_path):
    figure = reader.reach("translation")
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[16:48, 16:48] = 200, 40, 60, 255
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    give(reader, figure, tmp_path / "clear.png")
    given = figure.locator("canvas[aria-label='The portrait that is translated']")
    assert levels_apart(given.evaluate(PIXELS), _square(tmp_path / "clear.png", 64)[0]) < 1


def test_it_fits_a_phone(visit):
    reader = visit("translation.html", viewport={"width": 360, "height": 740}, has_touch=True)
    reader.reach("translation")
    assert reader.tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_model_that_is_missing_is_named_and_the_drawing_stays(reader, both, corners):
    figure = reader.reach("translation")
    reader.tab.context.route("**/*.onnx", lambda route: route.fulfill(status=404))
    pad = figure.locator(".gv-live-pad")
    first = mixed(corners["there"], *values(pad))
    figure.get_by_role("button", name="New styles").click()
    reader.says(figure, "The model munit-faces-a_to_b could not be fetched: the server answered 404.")
    made = translated(both.a_to_b, person(0), first[None])[0]
    reader.sees(figure.locator("canvas[aria-label^='Its translation']"), made)
