"""Take the stills that stand for the demos where no script runs: what their first canvas shows as the page opens."""

import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright
from serve import QuietHandler

ROOT = Path(__file__).parents[1]
STILLS = ROOT / "book/images/live"
FIRST = (
    ".gv-live-stage :is(.gv-live-drawn, .gv-live-faces, .gv-live-scene, .gv-live-score, .gv-live-heard, "
    ".gv-live-compare, .gv-live-looking, .gv-live-pad, .gv-live-picture, canvas:not([aria-hidden]))"
)


def main(site: Path, browser: str, *demos: str) -> None:
    """A PNG for each demo on the book's own pages, in light, or for those named; chapters show other options."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pages = [
        path for path in (site / "book").rglob("*.html") if "data-live=" in path.read_text(encoding="utf-8")
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = started.new_page(viewport={"width": 1100, "height": 1000})
        tab.set_default_timeout(600_000)
        for path in pages:
            tab.goto(f"http://127.0.0.1:{server.server_port}/{path.relative_to(site)}")
            for figure in tab.locator("figure[data-live]").all():
                name = figure.get_attribute("data-live")
                if demos and name not in demos:
                    continue
                figure.scroll_into_view_if_needed()
                tab.locator(f'figure[data-live="{name}"].gv-live-on').first.wait_for()
                figure.locator(FIRST).first.screenshot(path=STILLS / f"{name}.png")
                print(f"  {name}", flush=True)
        started.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
