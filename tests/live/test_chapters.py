"""Guards the demos within the chapters: each begins as its chapter asks, and untouched it loads nothing heavy."""

import pytest
import torch
from visitor import drawn, mixed, prepared, values

pytestmark = pytest.mark.full  # the site is built, and a browser uses it

CHAPTERS = {
    "01_gan_basics": ("gan-lab", "digit-walk"),
    "02_deblur_gan": ("deblur",),
    "02b_any_shake": ("any-shake",),
    "03_wgan": ("gan-lab",),
    "04_wgan_gp": ("gan-lab",),
    "04b_sprites_and_sound": ("listen",),
    "05_restoration": ("restore",),
    "06_vae": ("digit-plane", "faces-sliders"),
    "07_draw_me": ("face-maker", "draw-me"),
    "07b_attention": ("attention",),
    "07c_translation": ("translation",),
    "08_mediapipe": ("landmarks", "pinch"),
}
WITHOUT = ("notebooks/00_faces.html", "book/results.html", "notebooks/exercises/01_gan_basics.html")
PANEL = ".gv-live-lab-panel"


def chapter(name: str) -> str:
    return f"notebooks/{name}.html"


@pytest.mark.parametrize("name", CHAPTERS)
def test_its_demos_begin_and_load_nothing_heavy_before_a_touch(visit, name):
    reader = visit(chapter(name))
    assert reader.tab.locator("figure[data-live]").count() == len(CHAPTERS[name])
    assert not [
        url for url in reader.asked if "/live/demos/" in url and url.endswith(".js")
    ]  # nobody has come near
    for demo in CHAPTERS[name]:
        figure = reader.reach(demo)
        assert figure.locator(".gv-live-stage").is_visible()
        assert figure.locator("figcaption").inner_text().strip()
    reader.tab.wait_for_timeout(500)
    assert (reader.heavy, reader.foreign, reader.errors) == ([], [], [])


@pytest.mark.parametrize("page", WITHOUT)
def test_a_page_without_a_demo_loads_none_of_it(visit, page):
    reader = visit(page)
    reader.tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    reader.tab.wait_for_timeout(500)
    assert [url for url in reader.asked if "/_static/live/" in url] == []
    assert reader.heavy == []


def test_a_touch_loads_the_one_model_that_is_touched(visit):
    reader = visit(chapter("01_gan_basics"))
    reader.reach("gan-lab")
    figure = reader.reach("digit-walk")
    pad = figure.locator(".gv-live-pad")
    reader.drag(pad, 0.2, 0.7)
    corners = torch.tensor(prepared("digit-walk")["corners"])
    reader.sees(figure.locator(".gv-live-side canvas"), drawn("dcgan-mnist", mixed(corners, *values(pad))))
    assert [url.rsplit("/", 1)[-1] for url in reader.heavy if url.endswith(".onnx")] == ["dcgan-mnist.onnx"]


@pytest.mark.parametrize(
    ("name", "games"),
    [("01_gan_basics", ["nonsaturating"]), ("03_wgan", ["clipped"]), ("04_wgan_gp", ["clipped", "twosided"])],
)
def test_the_laboratory_plays_the_chapters_game(visit, name, games):
    reader = visit(chapter(name))
    figure = reader.reach("gan-lab")
    panels = figure.locator(f"{PANEL}[data-turn]")
    panels.nth(len(games) - 1).wait_for()
    assert [panel.locator("header select").input_value() for panel in panels.all()] == games
    assert (
        figure.get_by_text("Real data:").count() == 0
    )  # what chooses between runs is left to the laboratory's page
    figure.get_by_role("button", name="One step", exact=True).click()
    for place in range(len(games)):
        figure.locator(PANEL).nth(place).locator(".gv-live-lab-step", has_text="step 1").wait_for()
    assert (reader.heavy, reader.errors) == ([], [])


def test_two_games_stand_side_by_side_where_there_is_room_and_else_one_below_the_other(visit):
    for width, beside in ((1280, True), (360, False)):
        reader = visit(chapter("04_wgan_gp"), viewport={"width": width, "height": 900})
        panels = reader.reach("gan-lab").locator(PANEL)
        first, second = (panels.nth(place).bounding_box() for place in (0, 1))
        assert (first["y"] == second["y"]) == beside
        assert reader.tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_the_face_of_chapter_7_has_the_one_slider_that_its_formula_has(visit):
    figure = visit(chapter("07_draw_me")).reach("face-maker")
    assert figure.locator("input[type=range]").count() == 1
    assert figure.get_by_label("Exaggeration").is_visible()
