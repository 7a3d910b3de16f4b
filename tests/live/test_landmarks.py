"""Guards the landmarks in the page: they are where the package finds them, and no picture ever leaves the page."""

import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import stand
from browsing import chromium
from PIL import Image
from stand import (
    CAMERA,
    SPOKEN,
    TROUBLE,
    WATCH_TRACKS,
    film,
    give,
    refused,
    saved,
    wait,
    without_camera,
    write_film,
)

from companion.data.assets import manifest
from companion.vision import FaceMesh, HandTracker, PoseEstimator
from companion.vision.drawn import dancer, hand
from companion.vision.filming import FilmWriter, form_of
from companion.vision.frames import Frame
from companion.vision.landmarks import Found, Hand
from companion.vision.models import stand_in

HERE = {name: manifest()[name].here for name in ("face-landmarker", "pose-landmarker")}
HAND_HERE = manifest()["hand-landmarker"].here or stand_in("hand-landmarker") is not None
pytestmark = [
    pytest.mark.full,  # a browser with a camera
    pytest.mark.skipif(
        not (all(HERE.values()) and HAND_HERE), reason="needs MediaPipe's models: companion assets fetch"
    ),
]
TRACKERS = {"hand": HandTracker, "face": FaceMesh, "pose": PoseEstimator}
FIND = """async ([kind, name]) => {
  const { landmarker } = await import("/_static/live/kit/landmarks.js");
  window.finders ??= {};
  const finder = await (finders[kind] ??= landmarker(kind, { most: kind === "hand" ? 2 : 1 }));
  return finder.find(await createImageBitmap(await (await fetch(`/${name}.png`)).blob()));
}"""
CANVAS = "document.querySelector('.gv-live-scene canvas')"
LABEL = f"{CANVAS}.getAttribute('aria-label')"
PICTURE = f"{CANVAS}.toDataURL()"
TOLD = "document.querySelector('.gv-live-told').textContent"
IDLE = "!!document.querySelector('.gv-live-progress[hidden]')"
RATE = "document.querySelector('.gv-live-scene .gv-live-tag').textContent"
ALONE = ("landmarks",)
AT_A_TOUCH = ("wasm", ".task", "vendor")


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """What anybody may pass on; and the photograph of chapter 8, where it has been fetched."""
    found = {"hand": hand(0.7), "pinch": hand(0.1), "face": skimage.data.astronaut(), "pose": dancer()}
    photograph = manifest()["photo-pointing-up"]
    if photograph.here:
        found["pointing"] = np.asarray(Image.open(photograph.file).convert("RGB"))
    return found


@pytest.fixture(scope="module")
def site(site, pictures) -> Path:
    for name, picture in pictures.items():
        saved(site / f"{name}.png", picture)
    return site


shown = partial(stand.shown, demo="landmarks", script=WATCH_TRACKS)


def loaded(tab) -> list[str]:
    return [r.url for r in tab.asked if any(part in r.url for part in AT_A_TOUCH)]


# ---- the same landmarks as the package's ----


@pytest.fixture(scope="module")
def finding(browser, address):
    """One tab for all pictures, in which each of the three networks is loaded once."""
    tab = shown(browser, address)
    yield tab
    tab.context.close()


PAIRS = [
    ("hand", "hand"),
    ("hand", "pinch"),
    ("hand", "pointing"),
    ("face", "face"),
    ("face", "pointing"),
    ("pose", "pose"),
    ("pose", "pointing"),
]


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_landmarks_are_where_the_package_finds_them(finding, pictures, kind, name):
    """Both run the same networks, on another arithmetic unit each: far less than a pixel apart."""
    if name not in pictures:
        pytest.skip("needs the photograph of chapter 8: companion assets fetch photo-pointing-up")
    with TRACKERS[kind]() as tracker:
        own = tracker.find(pictures[name])
    answers = finding.evaluate(FIND, [kind, name])
    assert len(answers) == len(own) == 1
    apart = np.array([distances(answer, one) for answer, one in zip(answers, own, strict=True)])
    print(f"{kind} in {name}: mean {apart.mean():.1e}, most {apart.max():.1e} of its size")
    assert apart.mean() < 0.001
    assert apart.max() < 0.005
    if isinstance(own[0], Hand):
        assert answers[0]["side"] == own[0].side
        assert answers[0]["score"] == pytest.approx(own[0].score, abs=0.02)


def distances(answer: dict, own: Found) -> np.ndarray:
    """How far each landmark is from the package's, in parts of the finding's longer side; guesses do not count."""
    there = np.array([[one["x"] * own.width, one["y"] * own.height] for one in answer["landmarks"]])
    apart = np.linalg.norm(there - own.pixels, axis=1) / max(own.bounds.width, own.bounds.height)
    visibility = getattr(own, "visibility", None)
    return apart if visibility is None else apart[visibility > 0.5]


# ---- as a person uses it ----


def test_it_opens_with_what_the_package_found_and_loads_nothing(tab, site):
    prepared = json.loads((site / "_static/live/landmarks.json").read_text())["found"]
    for kind, button in (("face", "Face"), ("pose", "Body"), ("hand", "Hands")):
        before = tab.evaluate(PICTURE)
        tab.get_by_text(button, exact=True).click()
        wait(tab, f"{PICTURE} !== {json.dumps(before)}")
        assert tab.evaluate(LABEL).startswith("One ")
        assert len(prepared[kind]) == 1
    assert tab.evaluate(TOLD).startswith("A right hand")
    assert loaded(tab) == []
    assert tab.said == []


def test_each_sample_is_looked_at_in_the_page(tab, address):
    for place, words in enumerate(["A right hand", "A face of 478 landmarks", "A body: 33 of 33"]):
        tab.locator(".gv-live-samples button").nth(place).click()
        wait(tab, f"{SPOKEN}.startsWith({json.dumps(words)}) && {IDLE}")
        assert tab.evaluate(TOLD) == tab.evaluate(SPOKEN)
        assert tab.evaluate(LABEL).endswith(tab.evaluate(SPOKEN))
    assert sum(url.endswith(".wasm") for url in loaded(tab)) == 1  # the program once, for all three networks
    assert sum(url.endswith(".task") for url in loaded(tab)) == 3
    assert {r.url.startswith((address, "data:", "blob:")) for r in tab.asked} == {True}
    assert {r.method for r in tab.asked} == {"GET"}
    assert tab.said == []
    assert tab.evaluate(TROUBLE) == ""


def test_a_photograph_of_ones_own_with_the_keyboard(tab, tmp_path, pictures):
    """Two hands, then the same picture without the picture, then as numbers."""
    both = np.concatenate([hand(0.9), hand(0.9)[:, ::-1]], axis=1)
    tab.set_input_files("input[type=file]", saved(tmp_path / "both.png", both))
    wait(tab, f"{SPOKEN}.includes('left hand') && {IDLE}")
    assert "A right hand" in tab.evaluate(SPOKEN)
    assert tab.evaluate(LABEL).startswith("Two hands")
    drawn = tab.evaluate(PICTURE)
    tab.get_by_label("Landmarks alone").focus()
    tab.keyboard.press("Space")
    wait(tab, f"{PICTURE} !== {json.dumps(drawn)}")
    tab.get_by_text("The landmarks as numbers").focus()
    tab.keyboard.press("Enter")
    tab.locator(".gv-live-numbers table").nth(1).wait_for()
    rows = tab.locator(".gv-live-numbers table").first.locator("tbody tr")
    assert rows.count() == 21
    assert rows.nth(8).locator("th").inner_text() == "index finger, tip"
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save the picture").press("Enter")
    assert Image.open(download.value.path()).size == (1000, 500)


# ---- the camera ----


def test_camera_frames_never_leave_the_page(address, tmp_path, pictures):
    """With everything loaded a hand is followed, and then no more: without a request."""
    frame = np.full((480, 640, 3), 214, np.uint8)
    frame[:, 80:560] = hand(0.7)
    if "pointing" in pictures:  # a real one
        frame[:] = 255
        frame[:, 80:560] = np.asarray(Image.fromarray(pictures["pointing"]).resize((480, 480)))
    write_film(tmp_path / "hand.y4m", [frame, frame])
    side = "left" if "pointing" in pictures else "right"
    with chromium(*film(tmp_path / "hand.y4m")) as browser:
        tab = shown(browser, address)
        tab.locator(".gv-live-samples button").first.click()
        wait(tab, f"{SPOKEN}.startsWith('A right hand') && {IDLE}")
        before, asked = tab.evaluate(PICTURE), len(tab.asked)
        tab.get_by_role("button", name="Use the camera").press("Enter")
        wait(tab, f"{RATE}.includes('frames a second') && {TOLD}.startsWith('A {side} hand')")
        wait(tab, f"{SPOKEN} === 'In the picture: {side} hand.'")
        tab.wait_for_timeout(1500)
        print("before the camera:", tab.evaluate(RATE))
        assert tab.evaluate(PICTURE) != before
        tab.get_by_role("button", name="Close the camera").click()
        wait(tab, "tracks.length === 1 && tracks.every((track) => track.readyState === 'ended')")
        assert tab.evaluate(TOLD).startswith(f"A {side} hand")
        tab.wait_for_timeout(500)
        assert [r.url for r in tab.asked[asked:]] == []
        assert {r.method for r in tab.asked} == {"GET"}
        assert tab.evaluate(TROUBLE) == ""
        assert tab.said == []


def test_another_kind_is_looked_for_while_the_camera_is_open(address, tmp_path):
    """From a dancer whose hands are too small to be found, to the dancer."""
    frame = np.full((480, 640, 3), 214, np.uint8)
    frame[:, 80:560] = dancer(480, 480)
    write_film(tmp_path / "dancer.y4m", [frame, frame])
    with chromium(*film(tmp_path / "dancer.y4m")) as browser:
        tab = shown(browser, address)
        tab.get_by_role("button", name="Use the camera").click()
        wait(tab, f"{TOLD} === 'No hand is marked in it.'")
        asked = len(tab.asked)
        tab.get_by_text("Body", exact=True).click()
        wait(tab, f"{TOLD}.startsWith('A body: 33 of 33')")
        assert [r.url.rsplit("/", 1)[1] for r in tab.asked[asked:]] == ["pose_landmarker.task"]
        assert tab.evaluate("tracks.length === 1 && tracks[0].readyState === 'live'")
        assert tab.evaluate(TROUBLE) == ""


def test_a_camera_out_of_view_is_closed(address, tmp_path):
    frame = np.full((480, 640, 3), 214, np.uint8)
    write_film(tmp_path / "wall.y4m", [frame, frame])
    with chromium(*film(tmp_path / "wall.y4m")) as browser:
        tab = shown(browser, address)
        tab.get_by_role("button", name="Use the camera").click()
        wait(tab, f"{RATE}.includes('frames a second')")
        assert tab.evaluate(TOLD) == "No hand is marked in it."
        tab.evaluate("document.querySelector('main').style.paddingTop = '5000px'")
        wait(tab, "tracks.every((track) => track.readyState === 'ended')")


def test_a_camera_that_is_refused_is_told_in_a_sentence(address):
    with chromium(*CAMERA) as browser:
        assert refused(shown(browser, address)).startswith("The camera was refused")


def test_a_machine_without_a_camera_is_told_so(tab):
    assert without_camera(tab) == "No camera was found; choose a picture instead."


# ---- films ----

KINDS = (("hand", "Hands"), ("face", "Face"), ("pose", "Body"))
WATCH_LABELS = f"""() => {{
  window.labels = [];
  const canvas = {CANVAS};
  new MutationObserver(() => {RATE}.includes("frames a second") && labels.push(canvas.getAttribute("aria-label")))
    .observe(canvas, {{ attributeFilter: ["aria-label"] }});
}}"""
NAME = "document.querySelector('.gv-live-name').textContent"
PLAYING = f"{NAME} === 'A drawn film' && {RATE}.includes('frames a second')"
STILL = 600  # milliseconds: six frames of a drawn film


def play(tab, *, name: str = "Play the sample") -> None:
    tab.get_by_role("button", name=name, exact=True).press("Enter")


def stands_still(tab, after: int = 300) -> bool:
    tab.wait_for_timeout(after)
    before = tab.evaluate(PICTURE)
    tab.wait_for_timeout(STILL)
    return tab.evaluate(PICTURE) == before


@pytest.mark.parametrize("kind", TRACKERS)
def test_the_package_finds_what_each_film_shows(site, kind):
    """In every frame on its own, as the page cuts it out; a film is small, and its end is its beginning."""
    from live_films import FRAMES, frames_of

    path = site / f"_static/live/film-{kind}.webp"
    assert path.stat().st_size <= 200_000
    frames = frames_of(path)
    with TRACKERS[kind]() as tracker:
        found = [tracker.find(frame) for frame in frames]
    print(f"{kind}: found in {sum(len(one) == 1 for one in found)} of {FRAMES} frames")
    assert sum(len(one) == 1 for one in found) >= 0.9 * FRAMES
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(frames)]
    assert np.abs(frames[-1].astype(int) - frames[0]).mean() <= 1.2 * max(steps)
    if kind == "hand":
        assert sum(one[0].side == "right" for one in found if one) >= 0.9 * FRAMES


@pytest.mark.parametrize(("kind", "button"), KINDS)
def test_a_drawn_film_is_followed(tab, address, kind, button):
    tab.get_by_text(button, exact=True).click()
    assert not [r.url for r in tab.asked if "film-" in r.url]
    play(tab)
    tab.evaluate(WATCH_LABELS)
    wait(tab, f"{PLAYING} && labels.length >= 15")
    labels = tab.evaluate("labels")
    print(f"{kind}:", tab.evaluate(RATE), f"{sum(one.startswith('One ') for one in labels)} of {len(labels)}")
    # A slow machine leaps from one frame to another far away, where following may fail once and begin anew.
    assert sum(one.startswith("One ") for one in labels) >= 0.75 * len(labels)
    assert len(set(labels)) > 1 or kind == "pose"  # it moves, and the words with it
    wait(tab, f"{SPOKEN}.startsWith('In the picture: ')")
    play(tab, name="Stop")
    assert tab.evaluate(SPOKEN) == "The film has stopped."
    assert tab.evaluate(RATE) == "A drawn film"
    assert stands_still(tab)
    assert [r.url.rsplit("/", 1)[1] for r in tab.asked if "film-" in r.url] == [f"film-{kind}.webp"]
    assert {r.url.startswith((address, "data:", "blob:")) for r in tab.asked} == {True}
    assert {r.method for r in tab.asked} == {"GET"}
    assert tab.evaluate(TROUBLE) == ""
    assert tab.said == []


def test_a_drawn_film_makes_way(tab):
    """For another kind, whose sample is then shown and whose film may be played; and for a picture."""
    play(tab)
    wait(tab, PLAYING)
    tab.get_by_text("Body", exact=True).click()
    wait(tab, f"{RATE} === 'A drawn dancer' && {TOLD}.startsWith('A body')")
    assert stands_still(tab)
    play(tab)
    wait(tab, f"{PLAYING} && {TOLD}.startsWith('A body')")
    tab.locator(".gv-live-samples button").first.click()
    wait(tab, f"{SPOKEN}.startsWith('A right hand') && {RATE} === 'A drawn hand' && {IDLE}")
    assert stands_still(tab)
    assert tab.get_by_role("button", name="Play the sample").count() == 1
    assert tab.evaluate(TROUBLE) == ""


def test_a_drawn_film_rests_out_of_view(tab):
    play(tab)
    wait(tab, PLAYING)
    tab.evaluate("document.querySelector('main').style.paddingTop = '5000px'")
    assert stands_still(tab, after=3000)  # when the last frame has been looked at, on a slow machine
    tab.evaluate("document.querySelector('main').style.paddingTop = ''")
    before = tab.evaluate(PICTURE)
    wait(tab, f"{PICTURE} !== {json.dumps(before)}")


def test_a_drawn_film_makes_way_for_the_camera(address, tmp_path):
    wall = np.full((480, 640, 3), 214, np.uint8)
    write_film(tmp_path / "wall.y4m", [wall, wall])
    with chromium(*film(tmp_path / "wall.y4m")) as browser:
        tab = shown(browser, address)
        play(tab)
        wait(tab, PLAYING)
        tab.get_by_role("button", name="Use the camera").click()
        wait(
            tab,
            f"{NAME} === '' && {RATE}.includes('frames a second') && {TOLD} === 'No hand is marked in it.'",
        )
        play(tab)
        wait(tab, f"{PLAYING} && tracks.every((track) => track.readyState === 'ended')")


def test_nothing_moves_before_a_press_where_less_motion_is_wanted(browser, address):
    tab = shown(browser, address, reduced_motion="reduce")
    assert stands_still(tab)
    assert not [r.url for r in tab.asked if "film-" in r.url]
    play(tab)  # who presses it asks for it
    wait(tab, PLAYING)
    tab.context.close()


def test_a_film_that_is_missing_is_told(tab):
    tab.context.route("**/film-hand.webp", lambda route: route.fulfill(status=404))
    play(tab)
    wait(tab, f"{TROUBLE} === 'film-hand.webp could not be fetched.'")
    assert tab.get_by_role("button", name="Play the sample").count() == 1


def test_a_film_of_ones_own_stays_on_the_machine(tab, tmp_path):
    """It is followed, for another kind as well, chosen or dropped; what is no film is told."""
    frames = [np.concatenate([hand(0.5 + 0.5 * np.sin(at), 240)] * 2, axis=1) for at in range(8)]
    with open(tmp_path / "own.webm", "wb") as file:
        writer = FilmWriter(file, form_of(tmp_path / "own.webm"), rate=8)
        for number, frame in enumerate(frames):
            writer.write(Frame(frame, number / 8, str(number)), frame)
        writer.close()
    tab.set_input_files("input[accept='video/*']", tmp_path / "own.webm")
    wait(
        tab,
        f"{NAME} === 'Your film' && {RATE}.includes('frames a second') && {LABEL}.startsWith('Two hands')",
    )
    asked = len(tab.asked)
    tab.get_by_text("Body", exact=True).click()
    wait(tab, f"{TOLD} === 'No body is marked in it.'")
    give(tab, "drop", (tmp_path / "own.webm").read_bytes(), "again.webm", "video/webm")
    wait(tab, f"{NAME} === 'Your film' && {RATE}.includes('frames a second')")
    urls = [r.url for r in tab.asked[asked:] if not r.url.startswith("blob:")]
    assert [url.rsplit("/", 1)[1] for url in urls] == ["pose_landmarker.task"]
    give(tab, "drop", b"no film", "broken.mp4", "video/mp4")
    wait(tab, f"{TROUBLE}.startsWith('broken.mp4 could not be played')")
    assert tab.evaluate(RATE) == "Your film"  # the last one's, whose last frame is there
    assert tab.get_by_role("button", name="Play the sample").count() == 1


# ---- what can go wrong ----


def test_a_broken_file_and_a_picture_without_a_hand_are_told(tab, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    tab.set_input_files("input[type=file]", tmp_path / "broken.png")
    wait(tab, f"{TROUBLE} !== ''")
    assert tab.evaluate(TROUBLE).startswith("broken.png could not be read")
    wall = saved(tmp_path / "wall.png", np.full((200, 300, 3), 120, np.uint8))
    tab.set_input_files("input[type=file]", wall)
    wait(tab, f"{TROUBLE}.startsWith('No hand was found in it')")


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("models/hand_landmarker.task", "built without the model that finds hands"),
        ("vision_bundle.mjs", "The program that finds hands could not be fetched"),
        ("vision_wasm_module_internal.wasm", "The program that finds hands could not be fetched"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_tried_again(tab, missing, sentence):
    tab.context.route(f"**/{missing}", lambda route: route.fulfill(status=404))
    sample = tab.locator(".gv-live-samples button").first
    sample.click()
    wait(tab, f"{TROUBLE} !== ''")
    assert sentence in tab.evaluate(TROUBLE)
    tab.context.unroute(f"**/{missing}")
    if missing.endswith(".mjs"):
        return  # a module that failed is not asked for again until the page is loaded anew
    sample.click()
    wait(tab, f"{SPOKEN}.startsWith('A right hand') && {IDLE}")
    assert tab.evaluate(TROUBLE) == ""


@pytest.mark.parametrize(
    ("taken", "sentence"),
    [
        ("self.WebAssembly = undefined;", "needs WebAssembly, which this browser lacks"),
        ("self.OffscreenCanvas = undefined;", "needs WebGL 2, which this browser lacks"),
    ],
)
def test_a_browser_that_lacks_something_says_so(tab, site, taken, sentence):
    """No flag of Chromium's takes it away any more, so the worker is served without it."""
    script = (site / "_static/live/kit/landmarks-worker.js").read_text(encoding="utf-8")
    answer = {"content_type": "text/javascript", "body": f"{taken}\n{script}"}
    tab.context.route("**/kit/landmarks-worker.js", lambda route: route.fulfill(**answer))
    tab.locator(".gv-live-samples button").first.click()
    wait(tab, f"{TROUBLE} !== ''")
    assert sentence in tab.evaluate(TROUBLE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_small_phone_scrolls_downwards_only(browser, address, theme):
    tab = shown(browser, address, viewport={"width": 360, "height": 740}, has_touch=True)
    tab.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    play(tab)
    wait(tab, PLAYING)
    tab.get_by_text("The landmarks as numbers").tap()
    tab.locator(".gv-live-numbers table").wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert (
        tab.evaluate(
            "(stage => stage.scrollWidth - stage.clientWidth)(document.querySelector('.gv-live-stage'))"
        )
        <= 1
    )
    tab.context.close()
