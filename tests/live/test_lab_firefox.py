"""The laboratory's run is the same to the last bit in another maker's browser.

Firefox is started on a page that plays a hundred steps and tells the test's server what came out.
"""

import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from house import PATIENCE, ROOT

pytestmark = pytest.mark.full  # a browser is started

FIRST_HUNDRED = "d9a72495"  # the same as in book/live/tests/lab-engine.test.js, which node plays
PAGE = b"""<!doctype html><title>A hundred steps</title><script type="module">
import { Game } from "./lab/game.js";
import { DEFAULTS } from "./lab/settings.js";
const game = new Game(DEFAULTS);
for (let step = 0; step < 100; step++) game.advanceStep();
fetch(`/came-out/${game.fingerprint()}`);
</script>"""


@pytest.fixture
def server() -> Iterator[tuple[str, "queue.Queue[str]"]]:
    """The laboratory's modules, the page, and what the page tells."""
    told: queue.Queue[str] = queue.Queue()

    class Listening(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/came-out/"):
                told.put(self.path.rpartition("/")[2])
            if self.path != "/page.html":
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Listening, directory=str(ROOT / "book/live")))
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}/page.html", told
    serving.shutdown()


def test_firefox_plays_the_same_game(server: tuple[str, "queue.Queue[str]"], tmp_path: Path) -> None:
    firefox = shutil.which("firefox")
    if firefox is None:
        pytest.skip("No Firefox here: only Chromium and node were compared.")
    address, told = server
    command = [firefox, "--headless", "--no-remote", "--profile", str(tmp_path), address]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert told.get(timeout=PATIENCE) == FIRST_HUNDRED
    finally:
        browser.terminate()
        browser.wait()
