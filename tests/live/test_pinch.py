"""Guards the volume knob in the page: a hand turns it as in the package, sound waits for a press, frames stay here."""

import json
from functools import partial

import numpy as np
import pytest
import stand
from browsing import chromium
from stand import CAMERA, DEAF, LISTEN, SPOKEN, TROUBLE, WATCH_TRACKS, film, press, refused, wait, write_film

from companion.data.assets import manifest
from companion.vision.drawn import hand
from companion.vision.models import stand_in

HAND_HERE = manifest()["hand-landmarker"].here or stand_in("hand-landmarker") is not None
pytestmark = [
    pytest.mark.full,  # a browser with a camera
    pytest.mark.skipif(
        not HAND_HERE, reason="needs the hand tracker: companion assets fetch hand-landmarker"
    ),
]
ALONE = ("pinch",)
LOUD = """
  window.volumes = [];
  const { setTargetAtTime } = AudioParam.prototype;
  AudioParam.prototype.setTargetAtTime = function (value, ...rest) {
    volumes.push(value);
    return setTargetAtTime.call(this, value, ...rest);
  };
"""
READING = "document.querySelector('.gv-live-reading').textContent"
VOLUME = f"Number({READING}.match(/Volume (\\d+) %/)[1])"
PINCH = f"Number({READING}.match(/([\\d.]+) hand-widths/)?.[1] ?? NaN)"
LOUDEST = "Math.max(0, ...volumes)"
HALF = 0.5  # of what the machine plays: no page is louder


shown = partial(stand.shown, demo="pinch", script=WATCH_TRACKS + LISTEN + LOUD)


def test_nothing_sounds_and_nothing_is_loaded_before_a_press(tab):
    tab.wait_for_timeout(500)
    assert tab.evaluate("sources.length") == 0
    assert not [r.url for r in tab.asked if "wasm" in r.url or ".task" in r.url or "vendor" in r.url]
    assert tab.evaluate(READING).startswith("Volume 30 %: 1.2")
    assert tab.said == []


def test_the_drawn_hand_turns_the_tune_up_and_down(tab, address):
    press(tab, "Play")
    assert tab.evaluate("sources.length === 1 && sources[0].loop")
    assert tab.evaluate("sources[0].buffer.getChannelData(0).some(Boolean)")
    opens = tab.get_by_label("The drawn hand opens")
    opens.focus()
    tab.keyboard.press("Home")
    assert opens.get_attribute("aria-valuetext") == "fingers touch"
    wait(tab, f"{VOLUME} === 0 && {PINCH} < 0.6")
    tab.keyboard.press("End")
    wait(tab, f"{VOLUME} === 100 && {PINCH} > 1.5")
    assert 0.9 * HALF < tab.evaluate(LOUDEST) <= HALF
    wait(tab, f"{READING}.includes('locked')")  # it is held still
    assert tab.evaluate(SPOKEN) == "Locked at 100 percent."
    tab.keyboard.press("Home")  # another hand
    wait(tab, f"{VOLUME} === 0 && !{READING}.includes('locked')")
    press(tab, "Stop")
    assert tab.evaluate("ended") == 1
    assert tab.evaluate(SPOKEN) == "The tune has stopped."
    assert {r.url.startswith((address, "data:", "blob:")) for r in tab.asked} == {True}
    assert {r.method for r in tab.asked} == {"GET"}
    assert tab.said == []
    assert tab.evaluate(TROUBLE) == ""


def test_it_is_never_louder_than_the_reader_wants_nor_than_half(tab):
    press(tab, "Play")
    limit = tab.get_by_label("Never louder than")
    limit.focus()
    for _ in range(10):
        tab.keyboard.press("ArrowLeft")
    assert limit.get_attribute("aria-valuetext") == "50 %"
    tab.get_by_label("The drawn hand opens").focus()
    tab.keyboard.press("End")
    wait(tab, f"{VOLUME} === 50 && {READING}.includes('locked')")
    assert tab.evaluate(LOUDEST) == pytest.approx(HALF * 0.5**3, rel=0.02)
    tab.get_by_text("A soft chord").click()
    assert tab.evaluate("[sources.length, ended, sources[1].buffer.length]") == [2, 1, 32_000]


def test_out_of_view_it_falls_silent(tab):
    press(tab, "Play")
    tab.evaluate("document.querySelector('main').style.paddingTop = '5000px'")
    wait(tab, "ended === 1")
    assert tab.get_by_role("button", name="Play", exact=True).count() == 1


# ---- the camera ----


def test_a_hand_before_the_camera_turns_it_and_no_frame_leaves(address, tmp_path):
    """A hand that opens and closes, again and again; once all is loaded there is not one request."""
    opened = 0.5 - 0.5 * np.cos(np.linspace(0, 2 * np.pi, 60, endpoint=False))
    write_film(tmp_path / "hand.y4m", [hand(one, 240, 320) for one in opened], rate=10)
    with chromium(*film(tmp_path / "hand.y4m")) as browser:
        tab = shown(browser, address)
        press(tab, "Play")
        wait(tab, "!!document.querySelector('.gv-live-progress[hidden]') && volumes.length > 3")
        asked = len(tab.asked)
        press(tab, "Use the camera")
        wait(tab, f"tracks.length === 1 && {VOLUME} >= 40")
        wait(tab, f"{VOLUME} <= 10")
        wait(tab, f"{VOLUME} >= 40")
        press(tab, "Close the camera")
        wait(tab, "tracks.every((track) => track.readyState === 'ended')")
        tab.wait_for_timeout(500)
        assert [r.url for r in tab.asked[asked:]] == []
        assert {r.method for r in tab.asked} == {"GET"}
        assert tab.evaluate(TROUBLE) == ""


def test_a_camera_that_is_refused_is_told_in_a_sentence(address):
    with chromium(*CAMERA) as browser:
        assert refused(shown(browser, address)) == (
            "The camera was refused; allow it beside the page’s address, or pull the slider instead."
        )


# ---- what can go wrong ----


def test_a_network_that_is_missing_is_told_and_tried_again(tab):
    tab.context.route("**/hand_landmarker.task", lambda route: route.fulfill(status=404))
    press(tab, "Play")  # the tune plays all the same
    wait(tab, f"{TROUBLE} !== ''")
    assert "built without the model that finds hands" in tab.evaluate(TROUBLE)
    assert tab.evaluate("sources.length - ended") == 1
    tab.context.unroute("**/hand_landmarker.task")
    tab.get_by_label("The drawn hand opens").focus()
    tab.keyboard.press("Home")
    wait(tab, f"{VOLUME} === 0")
    assert tab.evaluate(TROUBLE) == ""


def test_a_browser_without_sound_says_so(browser, address):
    tab = shown(browser, address, script=DEAF)
    press(tab, "Play")
    wait(tab, f"{TROUBLE} === {json.dumps('This browser can make no sound in a page.')}")
    tab.context.close()


def test_a_small_phone_scrolls_downwards_only(browser, address):
    tab = shown(browser, address, viewport={"width": 360, "height": 740}, has_touch=True)
    assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    tab.get_by_role("button", name="Play", exact=True).tap()
    assert tab.evaluate("sources.length") == 1
    tab.context.close()
