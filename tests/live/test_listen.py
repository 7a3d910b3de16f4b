"""Guards listening to a picture in the page: it sounds as the package lets it sound, and a press begins it."""

import io
import wave
from base64 import b64decode
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import stand
import torch
from PIL import Image
from stand import DEAF, LISTEN, SPOKEN, TROUBLE, press, wait

from companion.sonify import RATE, image_from, sound

pytestmark = pytest.mark.full  # a browser
ALONE = ("listen",)
HEARD = """[0, 1].map((side) => {
  const bytes = new Uint8Array(sources.at(-1).buffer.getChannelData(side).buffer);
  let text = "";
  for (let place = 0; place < bytes.length; place += 4096) {
    text += String.fromCharCode(...bytes.subarray(place, place + 4096));
  }
  return btoa(text);
})"""
LINE = "document.querySelector('.gv-live-score').style.getPropertyValue('--gv-live-at')"


shown = partial(stand.shown, demo="listen", script=LISTEN)


def test_a_press_plays_the_sample_as_the_package_does(tab, site, address):
    tab.wait_for_timeout(300)
    assert tab.evaluate("sources.length") == 0
    press(tab, "Play")
    own = sound(image_from(site / "_static/live/listen-waves.png"), seconds=3)
    heard = torch.from_numpy(
        np.stack([np.frombuffer(b64decode(side), np.float32) for side in tab.evaluate(HEARD)])
    )
    assert heard.shape == own.shape
    assert float((heard - own).abs().max()) < 2e-6
    assert tab.evaluate("sources[0].buffer.sampleRate") == RATE
    wait(tab, f"Number({LINE}) > 0.02")
    press(tab, "Stop")
    assert tab.evaluate(f"[ended, {LINE}]") == [1, ""]
    assert tab.evaluate(SPOKEN) == "The sound has stopped."
    assert {r.url.startswith((address, "data:", "blob:")) for r in tab.asked} == {True}
    assert tab.said == []


def test_a_picture_of_ones_own_is_played_to_its_end_and_saved(tab, tmp_path):
    random = np.random.default_rng(2)
    Image.fromarray(random.integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / "mine.png")
    asked = len(tab.asked)
    tab.set_input_files("input[type=file]", tmp_path / "mine.png")
    wait(tab, f"{SPOKEN} === 'Ready to be played: mine.png.'")
    tab.get_by_label("It lasts").focus()
    tab.keyboard.press("Home")
    assert tab.get_by_label("It lasts").get_attribute("aria-valuetext") == "1.0 seconds"
    press(tab, "Play")
    wait(tab, f"{SPOKEN} === 'The picture has been played.'")
    assert tab.get_by_role("button", name="Play", exact=True).count() == 1
    with tab.expect_download() as download:
        press(tab, "Save the sound")
    with wave.open(io.BytesIO(Path(download.value.path()).read_bytes())) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, RATE, RATE)
        saved = np.frombuffer(file.readframes(RATE), "<i2").reshape(-1, 2).T
    own = sound(image_from(tmp_path / "mine.png"), seconds=1).numpy()
    assert np.abs(saved - own * 32767).max() <= 1
    assert [r.url for r in tab.asked[asked:] if not r.url.startswith("blob:")] == []


def test_another_sample_while_one_plays_begins_anew(tab):
    press(tab, "Play")
    tab.locator(".gv-live-samples button").nth(2).click()
    wait(tab, "sources.length === 2 && ended === 1")
    assert tab.get_by_role("button", name="Stop", exact=True).count() == 1


def test_out_of_view_it_falls_silent(tab):
    press(tab, "Play")
    tab.evaluate("document.querySelector('main').style.paddingTop = '5000px'")
    wait(tab, "ended === 1")


def test_a_broken_file_and_a_black_picture_are_told(tab, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    tab.set_input_files("input[type=file]", tmp_path / "broken.png")
    wait(tab, f"{TROUBLE}.startsWith('broken.png could not be read')")
    Image.new("RGB", (30, 30)).save(tmp_path / "black.png")
    tab.set_input_files("input[type=file]", tmp_path / "black.png")
    wait(tab, f"{SPOKEN} === 'Ready to be played: black.png.'")
    press(tab, "Play")
    wait(tab, f"{TROUBLE}.startsWith('This picture is black')")
    assert tab.evaluate("sources.length") == 0


def test_a_sample_that_cannot_be_fetched_is_told(tab):
    tab.context.route("**/listen-fan.png", lambda route: route.abort())
    tab.locator(".gv-live-samples button").nth(2).click()
    wait(tab, f"{TROUBLE}.includes('could not be fetched')")


def test_a_browser_without_sound_says_so(browser, address):
    tab = shown(browser, address, script=DEAF)
    press(tab, "Play")
    wait(tab, f"{TROUBLE} === 'This browser can make no sound in a page.'")
    tab.context.close()


def test_a_small_phone_is_calm_and_scrolls_downwards_only(browser, address):
    tab = shown(
        browser, address, viewport={"width": 360, "height": 740}, has_touch=True, reduced_motion="reduce"
    )
    assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    tab.locator(".gv-live-score").tap()
    wait(tab, f"{LINE} !== ''")
    assert tab.evaluate(f"Number({LINE}) * 3 % 0.5") == pytest.approx(
        0, abs=1e-6
    )  # in steps of half a second
    tab.context.close()
