"""Guards the demos that restore photographs: any picture comes out as the package restores it, and stays in the page.

What is compared is the file that a reader downloads, several tiles with their seams, with what `companion.tiling` makes
of the same file.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import stand
import torch
from browsing import memory
from house import ROOT
from PIL import Image
from stand import shown, wait
from torch import nn

from companion import pretrained
from companion.data.crappify import Damage
from companion.data.photos import load_photos
from companion.restoration.colour import Uncoloured
from companion.restoration.pairs import picture
from companion.tiling import TILE, Photo, read_photo, restore_photo

pytestmark = pytest.mark.full  # a browser

ALONE = ("restore", "deblur")
ROOMY = 1e6  # pixels, as in book/live/restoring/photo.js
TOLD = "document.querySelector('.gv-live-verdict').textContent"
TROUBLE = "document.querySelector('.gv-live-trouble').textContent"
DONE = f"{TOLD}.startsWith('Done') || {TROUBLE} !== ''"
DICE = """seed => { Math.random = () => (seed = (48271 * seed) % 2147483647) / 2147483647; }"""


@pytest.fixture
def visit(browser, address) -> Iterator["object"]:
    tabs = []

    def go(demo: str, **options: object) -> "object":
        tabs.append(shown(browser, address, demo=demo, **options))
        return tabs[-1]

    yield go
    for tab in tabs:
        tab.context.close()


@pytest.fixture(scope="module")
def coffee() -> Image.Image:
    """A photograph of 600×400 pixels: three tiles across and two down."""
    photos = load_photos("embedded")
    return picture(photos.pixels[photos.sources.index("embedded/coffee")])


def give(tab: "object", path: Path) -> None:
    tab.set_input_files("input[type=file]", path)
    wait(tab, DONE)
    assert tab.evaluate(TROUBLE) == ""


def downloaded(tab: "object") -> tuple[str, Image.Image]:
    """The name and the picture of what the button gives."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download").click()
    return download.value.suggested_filename, Image.open(download.value.path())


def apart(found: Image.Image, wanted: "np.ndarray", what: str) -> tuple[float, int]:
    """Mean and largest difference, in levels of 255."""
    difference = np.abs(np.asarray(found.convert("RGB")).astype(int) - wanted.astype(int))
    print(f"{what}: mean {difference.mean():.5f} of 255, largest {difference.max()}")
    return float(difference.mean()), int(difference.max())


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


# ---- the same pictures as the package's -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demo", "network", "button"),
    [("restore", "unet", ""), ("restore", "colour", "Colour"), ("deblur", "deblur-best", "")],
)
def test_a_picture_of_several_tiles_is_the_packages(visit, coffee, tmp_path, demo, network, button):
    damage = Uncoloured() if network == "colour" else Damage()
    path = saved(damage.ruin(coffee, "coffee").picture, tmp_path / "coffee.png")
    tab = visit(demo)
    if button:
        tab.locator(".gv-live-choice").get_by_text(button, exact=True).click()
        wait(tab, DONE)
    give(tab, path)
    name, found = downloaded(tab)
    assert (
        name
        == {"unet": "coffee-restored", "colour": "coffee-coloured", "deblur-best": "coffee-deblurred"}[
            network
        ]
        + ".png"
    )
    assert found.size == (600, 400)
    mean, largest = apart(
        found, restore_photo(pretrained.load(network), read_photo(path)), f"{network}, 6 tiles"
    )
    assert largest <= 1
    assert mean < 0.02
    assert tab.said == []


def test_a_picture_smaller_than_a_tile_is_the_packages(visit, coffee, tmp_path):
    path = saved(coffee.crop((100, 100, 250, 199)), tmp_path / "small.png")
    tab = visit("deblur")
    give(tab, path)
    wanted = restore_photo(pretrained.load("deblur-best"), read_photo(path))
    assert apart(downloaded(tab)[1], wanted, "deblur-best, 150×99")[1] <= 1


def test_for_a_network_of_one_size_a_small_picture_is_filled_up_by_its_border(visit, coffee, tmp_path):
    """Which is near what the package does, that fills up to a multiple of 16."""
    small = coffee.crop((100, 100, 250, 199))
    path = saved(Damage(writing=False).ruin(small, "small").picture, tmp_path / "small.png")
    tab = visit("restore")
    give(tab, path)
    _, found = downloaded(tab)
    model = pretrained.load("unet")
    assert apart(found, restore_photo(Filled(model), read_photo(path)), "unet, 150×99, filled up")[1] <= 1
    mean, _ = apart(found, restore_photo(model, read_photo(path)), "unet, 150×99, as the package does it")
    assert mean < 0.5


class Filled(nn.Module):
    """A network on a tile that the picture's border fills."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        height, width = images.shape[-2:]
        wide = nn.functional.pad(images, (0, TILE - width, 0, TILE - height), mode="replicate")
        return self.network(wide)[..., :height, :width]


def test_a_grey_picture_stays_grey_and_transparency_stays(visit, coffee, tmp_path):
    grey = coffee.convert("L").resize((300, 200))
    alpha = np.full((200, 300), 255, np.uint8)
    alpha[:, :40] = 128
    tab = visit("deblur")
    give(tab, saved(Image.merge("LA", (grey, Image.fromarray(alpha))), tmp_path / "clear.png"))
    _, found = downloaded(tab)
    assert found.mode == "RGBA"
    red, green, blue, kept = (np.asarray(band) for band in found.split())
    assert (red == green).all()
    assert (green == blue).all()
    assert (kept == alpha).all()
    network = pretrained.load("deblur-best")
    wanted = restore_photo(network, Photo(np.asarray(grey), None, False, {}))
    far = slice(40 + network.reach, None)  # canvases round the colours of what is half transparent
    assert np.abs(red.astype(int) - wanted.astype(int))[:, far].max() <= 1


def test_a_photograph_is_turned_upright(visit, coffee, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    path = saved(coffee.crop((100, 100, 250, 199)), tmp_path / "turned.jpg", quality=95, exif=exif)
    tab = visit("deblur")
    give(tab, path)
    _, found = downloaded(tab)
    assert found.size == (99, 150)
    mean, _ = apart(
        found, restore_photo(pretrained.load("deblur-best"), read_photo(path)), "a JPEG on its side"
    )
    assert mean < 0.5  # the browser decodes JPEG by its own library
    assert not found.getexif()


# ---- as a person uses it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("demo", ["restore", "deblur"])
def test_it_opens_with_a_sample_and_loads_no_model_until_it_is_asked_to(visit, address, demo):
    tab = visit(demo)
    assert tab.evaluate(TOLD).startswith("Restored in Python")
    line = tab.get_by_role("slider", name="Before and after")
    assert line.get_attribute("aria-valuetext").endswith("in the left 50 %, Restored in the rest")
    line.focus()
    for key in ("ArrowRight", "Shift+ArrowRight"):
        tab.keyboard.press(key)
    assert line.evaluate("one => one.valueAsNumber") == 62
    tab.keyboard.press("End")
    assert line.get_attribute("aria-valuetext").endswith(" only")
    box = tab.locator(".gv-live-compare").bounding_box()
    tab.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 30)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 90, steps=4)
    tab.mouse.up()
    assert line.evaluate("one => one.valueAsNumber") == pytest.approx(25, abs=1)
    clip = tab.locator(".gv-live-layers canvas").nth(1).evaluate("one => one.style.clipPath")
    assert float(re.search(r"([\d.]+)px\)", clip)[1]) == pytest.approx(0.25 * box["width"], abs=2)
    assert not [request.url for request in tab.asked if request.url.endswith((".wasm", ".onnx", ".mjs"))]
    sample, restored = (psnr_told(tab)[place] for place in (0, 1))
    assert restored > sample + 2
    assert {request.url.startswith((address, "data:", "blob:")) for request in tab.asked} == {True}


def psnr_told(tab: "object") -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+) dB", tab.evaluate(TOLD))]


def test_a_sample_is_restored_again_in_the_page_and_is_what_python_found(visit):
    tab = visit("restore")
    python = psnr_told(tab)
    tab.get_by_role("button", name="Restore", exact=True).click()
    wait(tab, DONE)
    assert psnr_told(tab) == pytest.approx(python, abs=0.3)  # the one from Python came as a JPEG
    assert "Stéfan van der Walt, CC0; changed by us." in tab.inner_text(".gv-live-credit")
    tab.get_by_text("as it was").click()
    line = tab.get_by_role("slider", name="Before and after")
    assert line.get_attribute("aria-valuetext").startswith("As it was")
    assert downloaded(tab)[0] == "chelsea-restored.png"


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(visit, coffee, kind):
    stored = io.BytesIO()
    coffee.resize((90, 60)).save(stored, "PNG")
    tab = visit("deblur")
    stand.give(tab, kind, stored.getvalue(), "holiday.png")
    wait(tab, DONE)
    name, found = downloaded(tab)
    assert name == "holiday-deblurred.png"
    assert found.size == (90, 60)
    assert tab.locator(".gv-live-layers canvas").first.get_attribute("aria-label") == "Shaken: holiday.png"


def test_a_good_picture_is_ruined_first_and_comes_back_in_part(visit, coffee, tmp_path):
    tab = visit("restore")
    tab.evaluate(DICE, 6)  # thrown anew each time it may be all JPEG and no writing, which hardly comes back
    give(tab, saved(coffee, tmp_path / "coffee.png"))
    assert "PSNR" not in tab.evaluate(TOLD)  # nobody knows what it should be
    tab.get_by_role("group", name="Ruin it first").get_by_text("yes").click()
    wait(tab, f"{TOLD}.includes('PSNR')")
    before, after = psnr_told(tab)
    assert 10 < before < after - 1


def test_its_own_shakes_are_undone_and_a_strangers_is_not(visit, coffee, tmp_path):
    tab = visit("deblur")
    give(tab, saved(coffee, tmp_path / "coffee.png"))
    gains = []
    for shake in ("shake 2", "a stranger’s"):
        tab.get_by_role("group", name="Shake it first").get_by_text(shake).click()
        wait(tab, f"{TOLD}.startsWith('Done') && {TOLD}.includes('PSNR')")
        before, after = psnr_told(tab)
        gains.append(after - before)
    print(f"gains in decibels: its own shake {gains[0]:.1f}, a stranger's {gains[1]:.1f}")
    assert gains[0] > 2
    assert gains[1] < 1


def test_it_can_be_stopped_and_begun_again(visit, coffee, tmp_path):
    tab = visit("restore")
    tab.set_input_files("input[type=file]", saved(coffee, tmp_path / "coffee.png"))
    wait(tab, "document.querySelector('.gv-live-progress').textContent.includes('tile 1 of')")
    stop = tab.get_by_role("button", name="Stop")
    stop.focus()
    tab.keyboard.press("Enter")
    wait(tab, f"{TOLD}.startsWith('Stopped')")
    assert tab.get_by_role("button", name="Download").is_disabled()
    assert tab.evaluate("document.activeElement.textContent") == "Restore"
    assert stop.is_disabled()
    tab.keyboard.press("Enter")
    wait(tab, DONE)
    assert downloaded(tab)[1].size == (600, 400)


def test_a_closer_look_is_moved_below_the_line(visit):
    tab = visit("restore", viewport={"width": 360, "height": 740}, has_touch=True)
    tab.get_by_role("button", name="Look closer").tap()
    view = tab.locator(".gv-live-view")
    assert view.evaluate("one => one.scrollWidth") > 1.9 * view.evaluate("one => one.clientWidth")
    view.focus()
    before = view.evaluate("one => one.scrollLeft")
    tab.keyboard.press("ArrowRight")
    wait(tab, f"document.querySelector('.gv-live-view').scrollLeft > {before}")
    tab.get_by_role("button", name="Look closer").tap()
    assert view.evaluate("one => [one.scrollLeft, one.scrollWidth - one.clientWidth]") == [0, 0]
    box = tab.locator(".gv-live-compare").bounding_box()
    tab.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + 40)
    assert tab.get_by_role("slider").first.evaluate("one => one.valueAsNumber") == pytest.approx(20, abs=2)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


# ---- a large picture ------------------------------------------------------------------------------------------------

ALLOWED = (
    400  # megabytes that the page may take beyond what it takes as it opens, wherever the collector stands
)


def test_twelve_megapixels_fit_and_leave_the_page_to_its_reader(visit, coffee, tmp_path):
    """A copy first; then all of it, from one piece of memory, with every control alive in between."""
    tab = visit("restore")
    empty = memory()
    tab.set_input_files(
        "input[type=file]", saved(coffee.resize((4000, 3000)), tmp_path / "large.jpg", quality=85)
    )
    wait(tab, f"{TOLD}.startsWith('Of 12.0')")
    line = tab.get_by_role("slider", name="Before and after")
    line.focus()
    tab.keyboard.press("ArrowRight")
    assert line.evaluate("one => one.valueAsNumber") == 52
    wait(tab, DONE)
    assert "this is a copy of 1.0" in tab.evaluate(TOLD)
    most = memory()
    copy = downloaded(tab)[1]
    assert 0.98 * ROOMY < copy.width * copy.height <= ROOMY
    tab.get_by_text("All of it", exact=True).click()
    wait(tab, f"{TOLD}.startsWith('All of it: 12.0 megapixels, 336 tiles, about')")
    tab.get_by_role("button", name="Restore", exact=True).click()
    for done in range(2, 24, 3):
        wait(
            tab,
            f"Number(document.querySelector('.gv-live-progress').textContent.match(/tile (\\d+)/)?.[1]) >= {done}",
        )
        tab.keyboard.press("ArrowLeft")
        most = max(most, memory())
    tab.get_by_role("button", name="Stop").click()
    wait(tab, f"{TOLD}.startsWith('Stopped')")
    print(f"12 megapixels: {most - empty:.0f} MB beyond the {empty:.0f} MB of the page as it opens")
    assert most - empty < ALLOWED


# ---- what can go wrong ----------------------------------------------------------------------------------------------


def test_a_broken_file_is_told_and_what_was_there_stays(visit, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    tab = visit("restore")
    tab.set_input_files("input[type=file]", tmp_path / "broken.png")
    wait(tab, f"{TROUBLE} !== ''")
    assert tab.evaluate(TROUBLE).startswith("broken.png could not be read as a picture")
    assert downloaded(tab)[0] == "chelsea-restored.png"


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("models/deblur-best.onnx", "The model deblur-best could not be fetched: the server answered 404."),
        ("ort-wasm-simd-threaded.wasm", "The program that runs models could not be fetched"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_tried_again(visit, missing, sentence):
    tab = visit("deblur")
    tab.route(f"**/{missing}", lambda route: route.fulfill(status=404))
    press = tab.get_by_role("button", name="Deblur", exact=True)
    press.click()
    wait(tab, f"{TROUBLE} !== ''")
    assert sentence in tab.evaluate(TROUBLE)
    assert tab.get_by_role("button", name="Stop").is_disabled()
    tab.unroute(f"**/{missing}")
    press.click()
    wait(tab, f"{TOLD}.startsWith('Done')")
    assert tab.evaluate(TROUBLE) == ""


def test_a_browser_without_webassembly_says_so(visit):
    tab = visit("deblur")
    script = (ROOT / "book/live/kit/worker.js").read_text(encoding="utf-8")
    answer = {"content_type": "text/javascript", "body": f"self.WebAssembly = undefined;\n{script}"}
    tab.context.route("**/kit/worker.js", lambda route: route.fulfill(**answer))
    tab.get_by_role("button", name="Deblur", exact=True).click()
    wait(tab, f"{TROUBLE} !== ''")
    assert tab.evaluate(TROUBLE).startswith("This needs WebAssembly")
