"""A page with one demo in it, as the site would serve it and under its policy, but quick to make: no other page."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from browsing import opened, sync_api
from house import ROOT, run, until
from PIL import Image

PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/palette.css">
<link rel="stylesheet" href="_static/live/live.css"><link rel="stylesheet" href="_static/live/demos/{name}.css">
<style>
html {{ --gv-sans: sans-serif; background: var(--gv-ground) }}
body {{ max-width: 52rem; margin: 1rem auto; padding: 0 0.5rem }}
</style>
<script type="module" src="_static/live/kit/start.js"></script>
</head><body><main class="bd-article bd-content">
<figure class="gv-live" data-live="{name}" data-with="{options}">
<figcaption>A demo.</figcaption></figure></main></body></html>
"""


def prepare(folder: Path, *demos: str) -> None:
    """What the demos load, below the site's folder: modules, styles, runtimes, and what the build writes for them."""
    sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book/_ext")]
    import gv_live
    import live_models

    static = folder / "_static"
    for name in gv_live.SERVED:
        source, target = ROOT / "book/live" / name, static / "live" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    shutil.copy2(ROOT / "book/web_static/palette.css", static)
    made = ROOT / "book/web_static/live"
    if made.is_dir():
        shutil.copytree(made, static / "live", dirs_exist_ok=True)
    if run("make", "--question", f"{made.relative_to(ROOT)}/.made").returncode:  # not the book's of today
        live_models.main(static / "live", *demos)
    vendor(static / "vendor")
    for demo in demos:
        write_page(folder, demo)


RUNTIMES = {
    "onnxruntime": (
        "onnxruntime-web/dist",
        (
            *("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
            *("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi.mjs", "ort-wasm-simd-threaded.jspi.wasm"),
        ),
    ),
    "tasks-vision": (
        "@mediapipe/tasks-vision",
        ("vision_bundle.mjs", "wasm/vision_wasm_module_internal.js", "wasm/vision_wasm_module_internal.wasm"),
    ),
}  # as the Makefile copies them


def vendor(folder: Path) -> None:
    """What runs models and finds faces."""
    for target, (package, files) in RUNTIMES.items():
        (folder / target).mkdir(parents=True)
        for name in files:
            shutil.copy2(ROOT / "node_modules" / package / name, folder / target)


def write_page(folder: Path, demo: str, options: str = "") -> None:
    """`DEMO.html`, with the policy that the site's pages have."""
    import gv_live

    page = PAGE.format(name=demo, options=options)
    meta = f'<head>{gv_live.MARK} content="{gv_live.policy_for(page)}">'
    (folder / f"{demo}.html").write_text(page.replace("<head>", meta, 1), encoding="utf-8")


def complains(message: "sync_api.ConsoleMessage") -> bool:
    """Not so Chromium's remark that without a graphics card each picture has to be copied."""
    return message.type in {"error", "warning"} and "GPU stall due to ReadPixels" not in message.text


def opened_tab(browser: "sync_api.Browser", **options: object) -> "sync_api.Page":
    """A tab in a window of its own; its complaints and requests are kept in `tab.said` and `tab.asked`."""
    tab = opened(browser, **options).new_page()
    tab.said, tab.asked = [], []
    tab.on("console", lambda m: tab.said.append(m.text) if complains(m) else None)
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request))
    return tab


def shown(
    browser: "sync_api.Browser", address: str, *, demo: str, script: str = "", **options: object
) -> "sync_api.Page":
    """A tab with a demo that has begun; the script has run before any of the page's own."""
    tab = opened_tab(browser, **options)
    tab.add_init_script(script)
    tab.goto(f"{address}/{demo}.html")
    tab.wait_for_selector(".gv-live-on")
    return tab


def wait(tab: "sync_api.Page", said: str) -> object:
    """Until an expression is true; the pages' policy forbids Playwright's own way, which evaluates text in the page."""
    until(lambda: tab.evaluate(said), pause=lambda _: tab.wait_for_timeout(50))
    return tab.evaluate(said)


# ---- a picture that is given ----

TAKING = ("deblur", "any-shake", "restore", "faces-sliders", "translation", "draw-me", "landmarks", "listen")
GIVE = """(zone, [how, bytes, name, type]) => {
  const given = new DataTransfer();
  given.items.add(new File([Uint8Array.from(bytes)], name, { type }));
  const send = (to, event) => !to.dispatchEvent(event);
  const options = { bubbles: true, cancelable: true, dataTransfer: given, clipboardData: given };
  if (how === "paste") send(document.activeElement, new ClipboardEvent("paste", options));
  else return ["dragover", "drop"].filter((kind) => !send(zone, new DragEvent(kind, options)));
  return [];
}"""


def give(
    figure: "sync_api.Locator | sync_api.Page", how: str, content: bytes, name: str, kind: str = "image/png"
) -> None:
    """A file on the place for pictures, by "drop"; or by "paste", which goes to whatever has the focus."""
    left = figure.locator(".gv-live-drop").evaluate(GIVE, [how, list(content), name, kind])
    assert left == []  # else a browser would open the file in the place of the page


# ---- what anybody can use ----

UNNAMED = """figure => [...figure.querySelectorAll("a[href], button, input, select, summary, canvas, video")]
  .filter((one) => !one.hidden && !one.closest("[aria-hidden=true]"))
  .filter((one) => {
    const inner = [...one.querySelectorAll("img, canvas")].map((each) => each.alt ?? each.ariaLabel);
    const names = [one.textContent, one.ariaLabel, one.title, one.labels?.[0]?.textContent, ...inner];
    return !names.some((name) => name?.trim());
  })
  .map((one) => one.outerHTML)"""


# ---- a camera that shows what a test wants ----

CAMERA = ("--use-fake-device-for-media-stream",)
SPOKEN = "document.querySelector('.gv-live-spoken').textContent"
TROUBLE = "(document.querySelector('.gv-live-trouble')?.textContent ?? '')"
REFUSE = """() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
}"""
WATCH_TRACKS = """
  window.tracks = [];
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (ask) navigator.mediaDevices.getUserMedia = async (wishes) => {
    const stream = await ask(wishes);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
"""


def refused(tab: "sync_api.Page") -> str:
    """What a demo says of a camera that it may not use."""
    tab.evaluate(REFUSE)
    return without_camera(tab)


def without_camera(tab: "sync_api.Page") -> str:
    """What a demo says when the camera is asked for and there is none."""
    tab.get_by_role("button", name="Use the camera").click()
    wait(tab, f"{TROUBLE} !== ''")
    return tab.evaluate(TROUBLE)


def film(path: Path) -> tuple[str, ...]:
    """How a browser is begun whose camera shows a film, and which allows it."""
    return (*CAMERA, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={path}")


def write_film(path: Path, pictures: Iterable[np.ndarray], rate: int = 10) -> None:
    """A y4m film, which Chromium's camera can be; each picture `(H, W, 3)`, sides even."""
    content = b""
    for picture in pictures:
        height, width, _ = picture.shape
        luma, blue, red = (np.asarray(plane) for plane in Image.fromarray(picture).convert("YCbCr").split())
        content += b"FRAME\n" + luma.tobytes() + blue[::2, ::2].tobytes() + red[::2, ::2].tobytes()
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n".encode() + content)


def saved(path: Path, picture: np.ndarray) -> Path:
    """A picture `(H, W, 3)` as a file that a reader gives."""
    Image.fromarray(picture).save(path)
    return path


# ---- what sounds ----

LISTEN = """
  window.sources = [];
  window.ended = 0;
  const { prototype } = AudioBufferSourceNode, { start, stop } = prototype;
  prototype.start = function () { sources.push(this); start.call(this); };
  prototype.stop = function () { ended += 1; stop.call(this); };
"""
DEAF = "delete window.AudioContext;"


def press(tab: "sync_api.Page", name: str) -> None:
    """A button, by the keyboard."""
    tab.get_by_role("button", name=name, exact=True).press("Enter")
