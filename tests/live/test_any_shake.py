"""Guards the demo that undoes any shake: it finds the blur that the package finds, and restores as `companion restore`.

What is compared is the file that a reader downloads.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stand import TROUBLE, shown, wait

from companion import pretrained
from companion.data.degrade import Camera, blur
from companion.data.photos import load_photos
from companion.data.scale import from_bytes, to_bytes
from companion.listening import Listening
from companion.restoration.pairs import picture
from companion.tiling import read_photo, restore_photo

pytestmark = pytest.mark.full  # a browser

ALONE = ("any-shake",)
TOLD = "document.querySelector('.gv-live-verdict').textContent"
THOUGHT = "document.querySelector('.gv-live-kernel .gv-live-note').textContent"
DONE = f"/^(Done|Nothing to undo)/.test({TOLD}) || {TROUBLE} !== ''"


@pytest.fixture(scope="module")
def coffee() -> torch.Tensor:
    photos = load_photos("embedded")
    return from_bytes(photos.pixels[photos.sources.index("embedded/coffee")][None])


@pytest.fixture
def shaken(coffee, tmp_path) -> Path:
    """A shaken photograph of 300×220 pixels: two tiles across, and lower than a tile."""
    kernel = Camera(shakes=1, seed=5, size=21, length=16).kernels()[0]
    return saved(blur(coffee, kernel)[..., 90:310, 120:420], tmp_path / "shaken.png")


@pytest.fixture
def tab(browser, address):
    tab = shown(browser, address, demo="any-shake")
    yield tab
    tab.context.close()


def saved(image: torch.Tensor, path: Path) -> Path:
    picture(to_bytes(image)[0]).save(path)
    return path


def give(tab: "object", path: Path) -> np.ndarray:
    """What the page makes of a file."""
    tab.set_input_files("input[type=file]", path)
    wait(tab, DONE)
    assert tab.evaluate(TROUBLE) == ""
    return downloaded(tab)


def downloaded(tab: "object") -> np.ndarray:
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith("-deblurred.png")
    return np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)


def by_the_package(path: Path, strength: float = 1.0) -> tuple[np.ndarray, Listening]:
    listening = Listening(pretrained.load("deblur-any"), strength)
    return restore_photo(listening, read_photo(path)).astype(int), listening


def test_a_shaken_photograph_is_restored_as_the_package_does_it_as_far_as_wanted(tab, shaken):
    found = give(tab, shaken)
    wanted, listening = by_the_package(shaken)
    print(f"two tiles: {np.abs(found - wanted).max()} of 255 at most")
    assert np.abs(found - wanted).max() <= 1
    given = np.asarray(Image.open(shaken)).astype(int)
    assert np.abs(found - given).mean() > 1
    width = re.search(r"Blur about (\d+) pixels wide \(evidence ([\d.]+)", tab.evaluate(THOUGHT))
    assert f"blur about {width[1]} pixels wide" in str(listening.finding())
    assert float(width[2]) == pytest.approx(listening.blur.evidence, abs=0.011)
    strength = tab.get_by_role("slider", name="Strength")
    strength.focus()
    tab.keyboard.press("Home")
    assert strength.get_attribute("aria-valuetext") == "0 %"
    tab.wait_for_timeout(300)
    assert (downloaded(tab) == given).all()
    strength.focus()
    for _ in range(10):
        tab.keyboard.press("ArrowRight")
    assert strength.get_attribute("aria-valuetext") == "50 %"
    tab.wait_for_timeout(300)
    assert np.abs(downloaded(tab) - (given + wanted) / 2).max() <= 1
    assert tab.said == []


def test_a_picture_smaller_than_a_tile_is_the_packages(tab, shaken, tmp_path):
    path = tmp_path / "small.png"
    Image.open(shaken).crop((60, 80, 211, 179)).save(path)  # 151×99, no multiple of eight
    found = give(tab, path)
    wanted, listening = by_the_package(path)
    print(f"151×99: {np.abs(found - wanted).max()} of 255 at most, sure: {listening.blur.sure}")
    assert listening.blur.sure
    assert np.abs(found - wanted).max() <= 1


def test_a_sharp_picture_comes_back_as_it_was_and_no_network_is_fetched(tab, coffee, tmp_path):
    path = saved(coffee[..., 100:260, 150:350], tmp_path / "sharp.png")
    found = give(tab, path)
    assert tab.evaluate(TOLD).startswith("Nothing to undo")
    assert tab.evaluate(THOUGHT).startswith("No blur to speak of: left as it is")
    assert (found == np.asarray(Image.open(path)).astype(int)).all()
    assert not [request.url for request in tab.asked if request.url.endswith((".onnx", ".wasm"))]


def test_it_opens_with_a_sample_whose_blur_is_drawn_and_a_broken_file_is_told(tab, address, tmp_path):
    assert tab.evaluate(TOLD).startswith("Restored in Python")
    before, after = (float(number) for number in re.findall(r"([\d.]+) dB", tab.evaluate(TOLD)))
    print(f"sample: PSNR {before} before, {after} after; {tab.evaluate(THOUGHT)}")
    assert after > before + 0.5
    kernel = tab.locator(".gv-live-kernel canvas")
    assert kernel.get_attribute("aria-label").startswith("The blur, as one point of light became: Blur about")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    tab.set_input_files("input[type=file]", tmp_path / "broken.png")
    wait(tab, f"{TROUBLE} !== ''")
    assert tab.evaluate(TROUBLE).startswith("broken.png could not be read as a picture")
    assert tab.evaluate(THOUGHT).startswith("Blur about")
    assert not [request.url for request in tab.asked if request.url.endswith((".onnx", ".wasm"))]
    assert {request.url.startswith((address, "data:", "blob:")) for request in tab.asked} == {True}


def test_it_is_stopped_and_begun_again_by_the_keyboard(tab, shaken):
    tab.set_input_files("input[type=file]", shaken)
    wait(tab, "document.querySelector('.gv-live-progress').textContent.includes('looking for the blur')")
    stop = tab.get_by_role("button", name="Stop")
    stop.focus()
    tab.keyboard.press("Enter")
    wait(tab, f"{TOLD}.startsWith('Stopped')")
    assert tab.evaluate(THOUGHT) == "Not looked for yet."
    assert tab.evaluate("document.activeElement.textContent") == "Deblur"
    tab.keyboard.press("Enter")
    wait(tab, DONE)
    assert tab.evaluate(TROUBLE) == ""
    assert tab.evaluate(THOUGHT).startswith("Blur about")
