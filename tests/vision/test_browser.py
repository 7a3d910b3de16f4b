"""Guards the browser's camera in a real browser with a false webcam: frames arrive, and each refusal says so.

The page is the smallest host there is for a widget: the real `camera.js`, and a model whose messages go to the real
`BrowserCamera` object in this process, and back.
"""

import base64
import io
import struct
import wave

import numpy as np
import pytest
from house import PATIENCE, installed_browser, until

pytest.importorskip("anywidget")
sync_api = pytest.importorskip("playwright.sync_api")

from companion.vision.browser import HERE, BrowserCamera, Player, chord  # noqa: E402
from companion.vision.volume import turn_volume  # noqa: E402

pytestmark = pytest.mark.full  # a browser is started for each

FALSE_WEBCAM = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
HOST = """
import widget from "/widget.js";
const listeners = {};
const values = %s;
const model = {
  get: (name) => values[name],
  set: (name, value) => { values[name] = value; },
  save_changes: () => window.saved({ ...values, sound: null }),
  on: (name, call) => { (listeners[name] ??= []).push(call); },
  off: (name, call) => { listeners[name] = (listeners[name] ?? []).filter((other) => other !== call); },
  send: (content, _, buffers) => {
    let text = "";
    for (const byte of new Uint8Array(buffers[0])) text += String.fromCharCode(byte);
    window.sent(content, btoa(text));
  },
};
window.tell = (name, message) => (listeners[name] ?? []).forEach((call) => call(message));
window.put = (name, value) => { values[name] = value; window.tell("change:" + name); };
window.leave = widget.render({ model, el: document.body });
window.ready = true;
"""


@pytest.fixture
def visit():
    """Open a widget's page with some of the browser's flags; everything the page asks for from elsewhere is noted."""
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chromium here; tools/system.sh installs it")
    with sync_api.sync_playwright() as playwright:
        opened = []

        def visit(script, values, *flags, before="", heard=lambda content, data: None):
            chromium = playwright.chromium.launch(
                executable_path=browser, args=["--no-sandbox", "--disable-gpu", *flags]
            )
            opened.append(chromium)
            page = chromium.new_page()
            page.set_default_timeout(1000 * PATIENCE)
            page.foreign, page.saved = [], {}
            page.expose_function("saved", lambda values: page.saved.update(values))
            page.expose_function("sent", heard)
            pages = {
                "/": (
                    "text/html",
                    f"<script>{before}</script><script type='module' src='/host.js'></script>",
                ),
                "/host.js": ("text/javascript", HOST % values),
                "/widget.js": ("text/javascript", (HERE / script).read_text(encoding="utf-8")),
            }

            def answer(route):
                path = route.request.url.removeprefix("http://localhost:9")
                if path not in pages:
                    page.foreign.append(route.request.url)
                    return route.abort()
                kind, body = pages[path]
                return route.fulfill(content_type=kind, body=body)

            page.route("**/*", answer)
            page.goto("http://localhost:9/")
            page.wait_for_function("window.ready")
            return page

        yield visit
        for chromium in opened:
            chromium.close()


def wait(page, condition):
    until(condition, pause=lambda seconds: page.wait_for_timeout(1000 * seconds))


SETTINGS = '{"width": 320, "rate": 30}'


def connected(visit, *flags):
    """A page with the camera's script, its messages carried to a real `BrowserCamera` and back."""
    camera = BrowserCamera(width=320)
    told = []

    def heard(content, data):
        camera._receive(camera, content, [memoryview(base64.b64decode(data))])
        told.append(content)

    page = visit("camera.js", SETTINGS, *flags, heard=heard)
    answers = []
    camera.send = lambda content, buffers=None: answers.append(content)

    def carry():
        while answers:
            page.evaluate("message => window.tell('msg:custom', message)", answers.pop(0))

    return camera, page, carry


def test_frames_arrive_in_python_and_stop_when_asked(visit):
    camera, page, carry = connected(visit, FALSE_WEBCAM, ALLOWED)
    frames = []
    camera.on_frame(frames.append)
    assert not frames, "nothing before the button"
    page.get_by_role("button", name="Start").click()

    def some():
        carry()
        return len(frames) >= 5

    wait(page, some)
    assert page.saved["state"] == "running"
    height, width, channels = frames[0].picture.shape
    assert (width, channels) == (320, 3)
    assert height > 100
    assert frames[0].picture.std() > 5, "a picture, not a plain surface"
    seconds = [frame.seconds for frame in frames]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0
    assert camera.newest is frames[-1]
    assert "nowhere else" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Stop").click()
    assert page.saved["state"] == "stopped"
    page.wait_for_timeout(200)
    carry()
    count = len(frames)
    page.wait_for_timeout(300)
    assert len(frames) == count
    assert not page.locator("video").evaluate("video => video.srcObject")
    assert page.foreign == [], "nothing is asked of anybody else"


def test_the_page_waits_until_python_has_taken_a_frame(visit):
    camera, page, carry = connected(visit, FALSE_WEBCAM, ALLOWED)
    frames = []
    camera.on_frame(frames.append)
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: frames)
    page.wait_for_timeout(400)
    assert len(frames) == 1, "no queue behind a slow tracker"
    carry()
    wait(page, lambda: len(frames) == 2)


def test_python_can_stop_it_and_an_error_in_a_listener_does(visit):
    camera, page, carry = connected(visit, FALSE_WEBCAM, ALLOWED)

    def fail(frame):
        raise ValueError("no hand")

    camera.on_frame(fail)
    page.get_by_role("button", name="Start").click()
    with pytest.raises(ValueError, match="no hand"):
        wait(page, lambda: camera.error)
        raise camera.error
    carry()
    wait(page, lambda: page.saved.get("state") == "stopped")


def test_a_refused_camera_says_so(visit):
    """No flag that answers for the reader: a browser without a window refuses."""
    _, page, _ = connected(visit, FALSE_WEBCAM)
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: page.saved.get("state") == "trouble")
    assert "may not use the camera: allow it" in page.saved["trouble"]
    assert page.get_by_role("status").inner_text() == page.saved["trouble"]
    assert page.get_by_role("button", name="Start").is_enabled()


def test_no_camera_says_so(visit):
    _, page, _ = connected(visit, "--use-fake-device-for-media-stream=device-count=0", ALLOWED)
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: page.saved.get("state") == "trouble")
    assert "no camera here: plug one in" in page.saved["trouble"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("() => Promise.reject(new DOMException('', 'NotReadableError'))", "camera is busy"),
        ("() => Promise.reject(new DOMException('', 'AbortError'))", "camera is busy"),
        ("() => Promise.reject(new DOMException('', 'OddError'))", "(OddError): try another browser"),
    ],
)
def test_other_refusals_say_what_to_do(visit, answer, sentence):
    """Chromium's false webcam is never busy, so its answer is given here, by the name the standard has for it."""
    page = visit("camera.js", SETTINGS, FALSE_WEBCAM, ALLOWED)
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {answer}; }}")
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: page.saved.get("state") == "trouble")
    assert sentence in page.saved["trouble"]


def test_a_page_that_may_not_ask_says_so(visit):
    page = visit(
        "camera.js", SETTINGS, before="Object.defineProperty(navigator, 'mediaDevices', {value: undefined})"
    )
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: page.saved.get("state") == "trouble")
    assert "https:// or at localhost" in page.saved["trouble"]


def test_leaving_the_cell_switches_the_camera_off(visit):
    camera, page, _ = connected(visit, FALSE_WEBCAM, ALLOWED)
    page.get_by_role("button", name="Start").click()
    wait(page, lambda: camera.newest)
    track = page.evaluate_handle("document.querySelector('video').srcObject.getTracks()[0]")
    page.evaluate("window.leave()")
    assert track.evaluate("track => track.readyState") == "ended"


def test_scripts_load_nothing_from_elsewhere():
    for name in ("camera.js", "player.js"):
        script = (HERE / name).read_text(encoding="utf-8")
        assert "import " not in script
        assert "fetch(" not in script
        assert script.count("http") == script.count("https://") <= 1, (
            "only in the sentence about secure pages"
        )


# ---- the player -----------------------------------------------------------------------------------------------------


def test_the_knob_turns_the_players_volume():
    player = Player()
    assert player.level == pytest.approx(0.3)
    player.level = 0.5
    assert player.factor == pytest.approx(0.125)
    assert player.level == pytest.approx(0.5)
    list(turn_volume([], player, restore=True))
    assert player.level == pytest.approx(0.5)


def test_the_page_plays_at_the_volume_it_is_told(visit):
    page = visit("player.js", '{"factor": 0.125, "sound": new Uint8Array(0)}')
    audio = page.locator("audio")
    assert audio.evaluate("audio => audio.volume") == 0.125
    page.evaluate("window.put('factor', 0.5)")
    assert audio.evaluate("audio => audio.volume") == 0.5
    assert audio.evaluate("audio => audio.loop && audio.controls && audio.paused"), "nothing sounds unasked"
    assert page.foreign == []


def test_the_chord_is_soft_and_can_be_repeated():
    with wave.open(io.BytesIO(chord())) as sound:
        samples = np.array(struct.unpack(f"<{sound.getnframes()}h", sound.readframes(sound.getnframes())))
        assert sound.getparams()[:3] == (1, 2, 16_000)
    assert 0.2 < np.abs(samples).max() / 32767 <= 0.5
    assert abs(samples[0] - samples[-1]) <= np.abs(np.diff(samples)).max(), "no click where it begins again"
