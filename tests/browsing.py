"""A browser for the tests that look at the site as a reader does, and a server for what it looks at."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from house import PATIENCE, installed_browser

sync_api = pytest.importorskip("playwright.sync_api")

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def chromium() -> Iterator["sync_api.Browser"]:
    """This machine's Chromium; without one the tests are skipped, in continuous integration they fail."""
    with sync_api.sync_playwright() as playwright:
        path = installed_browser()
        try:
            started = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        except sync_api.Error as error:
            message = (
                f"No browser: the site was NOT tested. `make system` says what to do. {str(error)[:200]}"
            )
            if os.environ.get("CI"):
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
        yield started
        started.close()


def opened(browser: "sync_api.Browser", **options: object) -> "sync_api.BrowserContext":
    """A reader's window; whoever waits in it is patient."""
    context = browser.new_context(**options)
    context.set_default_timeout(1000 * PATIENCE)
    return context
