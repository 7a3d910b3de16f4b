"""Measure the demos in a browser: how fast a slider moves a canvas and a photograph is restored, and what visits load.

python -m benchmarks.live _build/html prints tables, and with `--out benchmarks/results/live.md` keeps them for the
results page; the site is the one that `make book` has built.
"""

import argparse
import io
import os
import re
import shutil
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from companion.environment import processor

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WARM_UP, TIMES, VISITS = 10, 100, 3
WRITTEN = "<!-- Written by `python -m benchmarks.live _build/html --out benchmarks/results/live.md`. -->"
# Move the first slider of a figure and wait until the canvas is written to; in milliseconds.
MEASURE = """async ([demo, times]) => {
  const input = document.querySelector(`figure[data-live="${demo}"] input[type=range]`);
  const { prototype } = CanvasRenderingContext2D, put = prototype.putImageData;
  let painted = () => {};
  prototype.putImageData = function (...all) { put.apply(this, all); painted(); };
  const taken = [];
  for (let time = 0; time < times; time++) {
    const low = Number(input.min), high = Number(input.max);
    input.valueAsNumber = low + (high - low) * ((time * 0.37 + 0.11) % 1);
    const begun = performance.now();
    await new Promise(done => { painted = done; input.dispatchEvent(new Event("input", { bubbles: true })); });
    taken.push(performance.now() - begun);
    await new Promise(requestAnimationFrame);
  }
  prototype.putImageData = put;
  return taken;
}"""
# Once its first words are drawn, a page can be read; once its scripts have run, it answers every click.
LOADED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const bytes = performance.getEntriesByType("resource").reduce((sum, { transferSize }) => sum + transferSize, 0);
  const [drawn] = performance.getEntriesByName("first-contentful-paint");
  return [(page.transferSize + bytes) / 1e6, drawn.startTime, page.domContentLoadedEventEnd];
}"""

# Until the page has been drawn anew.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"

# A drawn hand that opens and closes, frame after frame; what both are given is one canvas. The first does not count.
FRAMES = """
  const base = new URL("../_static/", location.href).href;
  const sheet = await createImageBitmap(await (await fetch(`${base}live/pinch.jpg`)).blob());
  const canvas = Object.assign(document.createElement("canvas"), { width: 360, height: 270 });
  const frame = (number) => {
    const place = number % 25;
    const [x, y] = [360 * (place % 5), 270 * Math.floor(place / 5)];
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(sheet, x, y, 360, 270, 0, 0, 360, 270);
    return canvas;
  };
  const taken = [];
  const measure = async (follow) => {
    for (let number = 0; number <= times; number++) {
      const begun = performance.now();
      if (!(await follow(frame(number), 40 * number))) throw new Error("no hand");
      if (number) taken.push(performance.now() - begun);
      await new Promise(requestAnimationFrame);
    }
  };
"""
OURS = f"""async (times) => {{ {FRAMES}
  const {{ landmarker }} = await import(`${{base}}live/kit/landmarks.js`);
  const hands = await landmarker("hand");
  await measure(async (picture, now) => (await hands.follow(picture, now)).length);
  hands.close();
  return taken;
}}"""
BARE = f"""async (times) => {{ {FRAMES}
  const {{ HandLandmarker }} = await import(`${{base}}vendor/tasks-vision/vision_bundle.mjs`);
  const loader = `${{base}}vendor/tasks-vision/vision_wasm_module_internal`;
  self.ModuleFactory = (await import(`${{loader}}.js`)).default;
  const hands = await HandLandmarker.createFromOptions({{ wasmBinaryPath: `${{loader}}.wasm` }}, {{
    baseOptions: {{ modelAssetPath: `${{base}}live/models/hand_landmarker.task`, delegate: "CPU" }},
    runningMode: "VIDEO",
  }});
  await measure((picture, now) => hands.detectForVideo(picture, now).landmarks.length);
  hands.close();
  return taken;
}}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, *_: object) -> None:
        """Not one."""


class Demo(NamedTuple):
    """A demo and the page it is on."""

    name: str
    page: str
    what: str


DEMOS = (
    Demo("digit-plane", "book/live.html", "one digit, 32×32, 2 latents"),
    Demo("digit-walk", "book/live.html", "one digit, 32×32, 64 latents"),
    Demo("faces-sliders", "book/live.html", "one face, 64×64, 64 latents"),
    Demo("living-faces", "book/index.html", "four faces, 64×64 each"),
    Demo("attention", "book/live.html", "one face, 64×64, and where its places look"),
)
RESTORERS = (
    Demo("restore", "book/live.html", "the U-Net"),
    Demo("deblur", "book/live.html", "the deblurring generator"),
)
PHOTOGRAPH = (1216, 832)  # pixels, near a million: six tiles by four


@contextmanager
def browsing(site: Path) -> Iterator[tuple[Page, str]]:
    """A window that has never been on the site, and the site's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.set_default_timeout(600_000)
        yield tab, f"http://127.0.0.1:{server.server_port}"
        browser.close()
    server.shutdown()


def latency(site: Path, demo: Demo, times: int) -> list[float]:
    """Milliseconds from the slider's event to the canvas, one for each of `times` moves."""
    with browsing(site) as (tab, address):
        tab.goto(f"{address}/{demo.page}")
        tab.locator(f'figure[data-live="{demo.name}"]').scroll_into_view_if_needed()
        tab.locator(f'figure[data-live="{demo.name}"].gv-live-on').wait_for()
        tab.evaluate(MEASURE, [demo.name, WARM_UP])
        taken: list[float] = tab.evaluate(MEASURE, [demo.name, times])
    return taken


def per_megapixel(site: Path, demo: Demo, times: int = 3) -> float:
    """Seconds for a million pixels, the median of `times`; the model is there already."""
    stored = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (13, 19, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(PHOTOGRAPH, Image.Resampling.BICUBIC).save(stored, "JPEG", quality=95)
    file = {"mimeType": "image/jpeg", "buffer": stored.getvalue()}
    with browsing(site) as (tab, address):
        tab.goto(f"{address}/{demo.page}")
        figure = tab.locator(f'figure[data-live="{demo.name}"]')
        figure.scroll_into_view_if_needed()
        tab.locator(f'figure[data-live="{demo.name}"].gv-live-on').wait_for()
        taken = []
        for time in range(times):
            figure.locator("input[type=file]").set_input_files({"name": f"{time}.jpg", **file})
            figure.locator(f'[aria-label$=": {time}.jpg"]').first.wait_for()  # so the words are of this one
            words = figure.locator(".gv-live-verdict").get_by_text(re.compile("^Done in")).inner_text()
            taken.append(float(words.split()[2]))
    return statistics.median(taken) / (PHOTOGRAPH[0] * PHOTOGRAPH[1] / 1e6)


def hand_frames(site: Path, times: int) -> tuple[list[float], list[float]]:
    """Milliseconds for a frame with a hand: as the page follows it, in its worker, and with tasks-vision alone."""
    with browsing(site) as (tab, address):
        tab.goto(f"{address}/book/live.html")
        ours: list[float] = tab.evaluate(OURS, times)
        bare: list[float] = tab.evaluate(BARE, times)
    return ours, bare


def loads(site: Path, page: str) -> list[list[tuple[float, float, float]]]:
    """Megabytes, and milliseconds until it is drawn and until it answers, of first visits and of those that come next.

    In one browser, as a reader's is open before the first visit; each of them in a window that has never been here.
    """
    found = []
    with browsing(site) as (first, address):
        for _ in range(VISITS):
            window = first.context.browser.new_context()
            tab = window.new_page()
            visits = []
            for _ in range(2):
                tab.goto("about:blank")
                tab.wait_for_timeout(500)  # while the browser gets ready
                tab.goto(f"{address}/{page}", wait_until="networkidle")
                visits.append(tuple(tab.evaluate(LOADED)))
            found.append(visits)
            window.close()
    return found


def themes(site: Path, page: str, motion: Literal["no-preference", "reduce"], times: int = 5) -> float:
    """Milliseconds until a page that turns from light to dark, or back, is drawn; the median of `times`."""
    with browsing(site) as (tab, address):
        tab.emulate_media(color_scheme="light", reduced_motion=motion)
        tab.goto(f"{address}/{page}", wait_until="load")
        taken: list[float] = []
        for time in range(times):
            begun = tab.evaluate(DRAWN)
            tab.emulate_media(color_scheme=("dark", "light")[time % 2], reduced_motion=motion)
            taken.append(tab.evaluate(DRAWN) - begun)
    return statistics.median(taken)


def bytes_of(site: Path) -> tuple[float, float]:
    """Megabytes of the whole site without and with what runs models."""
    files = [path for path in site.rglob("*") if path.is_file()]
    heavy = sum(path.stat().st_size for path in files if path.suffix in {".wasm", ".onnx", ".task"})
    return sum(path.stat().st_size for path in files) / 1e6 - heavy / 1e6, heavy / 1e6


def of_demos(site: Path, times: int) -> Iterator[str]:
    """How fast demos answer."""
    yield "| from a slider to the canvas | median | 95 of 100 below | fastest |"
    yield "| --- | --- | --- | --- |"
    for demo in DEMOS:
        taken = sorted(latency(site, demo, times))
        high = taken[int(0.95 * (len(taken) - 1))]
        cells = [f"{value:.1f} ms" for value in (statistics.median(taken), high, taken[0])]
        yield f"| {demo.name}: {demo.what} | {' | '.join(cells)} |"
    yield ""
    yield "| photographs | seconds per megapixel |"
    yield "| --- | --- |"
    for demo in RESTORERS:
        yield f"| {demo.name}: {demo.what} | {per_megapixel(site, demo):.1f} s |"
    yield ""
    yield "| a frame with a hand, 360×270 | median | 95 of 100 below | frames a second |"
    yield "| --- | --- | --- | --- |"
    names = ("the page's kit, in a worker", "tasks-vision alone, in the page")
    for name, taken in zip(names, hand_frames(site, times), strict=True):
        middle, high = statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]
        yield f"| {name} | {middle:.1f} ms | {high:.1f} ms | {1000 / middle:.0f} |"
    yield ""
    node = Path(".venv/bin/node")
    yield from subprocess.check_output([node, "benchmarks/laboratory.js"], text=True).splitlines()


def of_pages(site: Path) -> Iterator[str]:
    """How long pages take to answer, and what they weigh."""
    visit = "visit | drawn after | answers after |"
    yield f"| page, nothing touched, median of {VISITS} | first {visit} next {visit}"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    chapters = sorted(path.relative_to(site) for path in (site / "notebooks").glob("*.html"))
    for page in ("book/index.html", "book/live.html", *map(str, chapters)):
        visits = loads(site, page)
        cells = []
        for which in (0, 1):
            size, drawn, ready = (statistics.median(visit[which][of] for visit in visits) for of in range(3))
            cells += [f"{size:.2f} MB", f"{drawn:.0f} ms", f"{ready:.0f} ms"]
        yield f"| {page} | {' | '.join(cells)} |"
    yield ""
    yield "| a long chapter turns dark or light | as most read | with less motion |"
    yield "| --- | --- | --- |"
    page = "notebooks/06_vae.html"
    cells = [f"{themes(site, page, motion):.0f} ms" for motion in ("no-preference", "reduce")]
    yield f"| {page} | {' | '.join(cells)} |"
    yield ""
    light, heavy = bytes_of(site)
    yield f"The whole site: {light:.1f} MB, and {heavy:.1f} MB of models and what runs them."


def main() -> None:
    """Print what was measured, and on what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--out", type=Path, help="file to keep the tables in")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    lines = [f"Chromium on {processor()}, {os.cpu_count()} cores, load {load:.1f} as it began.", ""]
    print(*lines, sep="\n")
    for line in chain(of_demos(options.site, options.times), [""], of_pages(options.site)):
        print(line, flush=True)
        lines.append(line)
    if options.out:
        options.out.write_text("\n".join([WRITTEN, "", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
