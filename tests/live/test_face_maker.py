"""Guards the face maker as a reader uses it: sliders, buttons, keys, a small screen, and a browser without WebGL."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import stand
from PIL import Image
from stand import opened_tab, wait, write_page

pytestmark = pytest.mark.full  # a browser draws

BYTES = "(place) => document.querySelectorAll('.gv-live-face canvas')[place].toDataURL()"
SPOKEN = "document.querySelector('.gv-live-spoken').textContent"
TROUBLE = "(document.querySelector('.gv-live-trouble')?.textContent ?? '')"
ALONE = ("face-maker",)
# Colour of a cheek in the first picture that is hung, as its largest and smallest channel.
FIRST_CHEEK = """
  const hang = ImageBitmapRenderingContext.prototype.transferFromImageBitmap;
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
    if (bitmap && !window.cheek) {
      const easel = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      easel.drawImage(bitmap, 0, 0);
      const [x, y] = [0.44, 0.6].map((share) => Math.round(share * bitmap.width));
      const { data } = easel.getImageData(x, y, 1, 1);
      window.cheek = [Math.max(...data.slice(0, 3)), Math.min(...data.slice(0, 3))];
    }
    hang.call(this, bitmap);
  };
"""
QUIET = "!!document.querySelector('.gv-live-faces[aria-busy=false]')"


@pytest.fixture(scope="module")
def site(site) -> Path:
    write_page(site, "face-maker", "person=7")
    return site


@pytest.fixture
def tab(browser, address) -> Iterator["object"]:
    tab = shown(browser, address, reduced_motion="reduce")
    yield tab
    tab.context.close()


def shown(browser, address: str, **options: object) -> "object":
    tab = stand.shown(browser, address, demo="face-maker", **options)
    wait(tab, QUIET)
    return tab


def pictures(tab) -> list[str]:
    """Portrait and caricature as they are shown."""
    wait(tab, QUIET)
    return [tab.evaluate(BYTES, place) for place in (0, 1)]


def test_it_lives_without_a_model_and_asks_for_little(tab, address):
    assert not [r.url for r in tab.asked if r.url.endswith((".wasm", ".onnx", ".task"))]
    assert {r.url.startswith((address, "data:")) for r in tab.asked} == {True}
    assert tab.said == []


def test_the_first_picture_is_somebody_and_not_the_grey_mean(browser, address):
    tab = stand.shown(browser, address, demo="face-maker", script=FIRST_CHEEK)
    most, least = wait(tab, "window.cheek")
    assert most - least > 30
    tab.context.close()


def test_strength_changes_the_caricature_and_a_feature_both(tab):
    before = pictures(tab)
    tab.get_by_label("Exaggeration").press("End")
    stronger = pictures(tab)
    assert before[0] == stronger[0]
    assert before[1] != stronger[1]
    tab.get_by_label("Cheeks").press("End")
    after = pictures(tab)
    assert after[0] != stronger[0]
    assert after[1] != stronger[1]


def test_at_strength_none_shape_no_longer_tells_people_apart(tab):
    tab.get_by_label("Exaggeration").press("Home")
    before = pictures(tab)
    tab.get_by_label("Width of the jaw").press("End")
    after = pictures(tab)
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_somebody_else_is_somebody_else_and_is_told(tab):
    assert tab.evaluate(SPOKEN).startswith("Person 7: ")
    before = pictures(tab)
    tab.get_by_role("button", name="Somebody else").press("Enter")
    wait(tab, f"!{SPOKEN}.startsWith('Person 7:')")
    after = pictures(tab)
    assert before[0] != after[0]
    assert before[1] != after[1]
    label = tab.locator(".gv-live-face canvas").first.get_attribute("aria-label")
    assert tab.evaluate(SPOKEN).endswith(label.removeprefix("Portrait: "))


@pytest.mark.parametrize("style", ["Hatched", "Sepia", "Print"])
def test_each_style_is_another_drawing(tab, style):
    before = pictures(tab)
    tab.get_by_text(style, exact=True).click()
    after = pictures(tab)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_hair_hats_and_colours_change_both_pictures(tab):
    seen = [pictures(tab)]
    tab.get_by_text("Hair", exact=True).click()
    tab.get_by_label("Cut").select_option("afro")
    seen.append(pictures(tab))
    tab.get_by_label("9 of 12").check(force=True)
    seen.append(pictures(tab))
    tab.get_by_text("Worn", exact=True).click()
    tab.get_by_text("Turban", exact=True).click()
    seen.append(pictures(tab))
    for before, after in pairwise(seen):
        assert before[0] != after[0]
        assert before[1] != after[1]


def test_a_picture_is_dragged_to_turn_the_head(tab):
    before = pictures(tab)
    box = tab.locator(".gv-live-face canvas").first.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2, steps=3)
    tab.mouse.up()
    assert pictures(tab)[0] != before[0]
    tab.get_by_text("Mood and pose", exact=True).click()
    assert tab.get_by_label("Turned").evaluate("slider => slider.valueAsNumber") > 0.1


def test_a_drawing_is_saved_large(tab, tmp_path):
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Save drawing").click()
    waiting.value.save_as(tmp_path / "drawing.png")
    with Image.open(tmp_path / "drawing.png") as picture:
        assert picture.size == (1024, 1024)
        assert len(picture.convert("RGB").resize((64, 64)).getcolors(4096)) > 50


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_small_phone(browser, address, theme):
    tab = shown(browser, address, viewport={"width": 360, "height": 700}, has_touch=True)
    tab.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    for name in ("Eyes", "Nose and mouth", "Hair", "Mood and pose", "Worn", "Face"):
        tab.get_by_text(name, exact=True).click()
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    sizes = tab.locator("button, .gv-live-swatches label, select").evaluate_all(
        "all => all.filter(one => one.offsetHeight).map(one => one.offsetHeight)"
    )
    assert min(sizes) >= 32  # large enough for a thumb
    tab.context.close()


def test_a_browser_without_webgl_is_told(browser, address):
    tab = opened_tab(browser)
    tab.add_init_script("OffscreenCanvas.prototype.getContext = () => null;")
    tab.goto(f"{address}/face-maker.html")
    wait(tab, f"{TROUBLE} !== ''")
    assert "WebGL 2" in tab.evaluate(TROUBLE)
