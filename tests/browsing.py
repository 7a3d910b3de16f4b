"""A browser for the tests that look at the site as a reader does, and a server for what it looks at."""

import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from house import PATIENCE, ROOT, installed_browser

sync_api = pytest.importorskip("playwright.sync_api")

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",  # WebGL by software, without a warning
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a word, and only what is asked for below its path."""

    def __init__(self, *arguments: object, under: str, **options: object) -> None:
        self.under = under  # first: the request is answered while the handler is made
        super().__init__(*arguments, **options)

    def log_message(self, *_: object) -> None:
        pass

    def translate_path(self, path: str) -> str:
        below = path.removeprefix(self.under)
        return super().translate_path(below if path.startswith(f"{self.under}/") else "/nothing/lies/here")


@contextmanager
def serving(folder: Path, under: str = "", handler: type[Quiet] = Quiet) -> Iterator[str]:
    """The address of a folder on this machine; `under` a path such as /hands-on, where GitHub Pages puts a project."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder), under=under))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{under}"
    server.shutdown()


_running: list["sync_api.Playwright"] = []


@contextmanager
def playwright() -> Iterator["sync_api.Playwright"]:
    """Playwright, which can run but once in a process: who asks for it inside of another's shares it."""
    if _running:
        yield _running[-1]
        return
    with sync_api.sync_playwright() as started:
        _running.append(started)
        try:
            yield started
        finally:
            _running.pop()


@contextmanager
def chromium(*arguments: str) -> Iterator["sync_api.Browser"]:
    """This machine's Chromium; without one the tests are skipped, in continuous integration they fail."""
    with playwright() as one:
        path = installed_browser()
        try:
            started = one.chromium.launch(executable_path=path, args=[*QUIET, *arguments])
        except sync_api.Error as error:
            message = (
                f"No browser: the site was NOT tested. `make system` says what to do. {str(error)[:200]}"
            )
            if os.environ.get("CI"):
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
        try:
            yield started
        finally:
            for window in started.contexts:
                window.close()
            started.close()


SCREENS = ROOT / "_build/screens"
GLANCE = 5000  # milliseconds: a tab that is too busy to be looked at is let go
_kept: Counter[str] = Counter()


def opened(browser: "sync_api.Browser", **options: object) -> "sync_api.BrowserContext":
    """A reader's window; whoever waits in it is patient. How its tabs look as it is closed is kept in `_build`."""
    window = browser.new_context(**options)
    window.set_default_timeout(1000 * PATIENCE)
    test, close = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0], window.close

    def keep_and_close(**how: object) -> None:
        for tab in window.pages:
            keep(tab, test)
        close(**how)

    window.close = keep_and_close  # whoever closes it: the test, a fixture, `with`, or its browser's end
    return window


def keep(tab: "sync_api.Page", test: str) -> None:
    """A picture of what a tab shows, named after the test that opened it."""
    name = re.sub(r"[^\w-]+", "-", test.removeprefix("tests/").removeprefix("live/"))
    with suppress(sync_api.Error):  # it hangs, or has crashed
        tab.screenshot(path=SCREENS / f"{name}-{_kept[name]}.png", timeout=GLANCE)
        _kept[name] += 1


def memory() -> float:
    """Megabytes of the largest renderer that this process has started: memory of its own, and shared pictures."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    sizes = [0.0]
    for process in parents:
        at = process
        while at not in (0, os.getpid()):
            at = parents.get(at, 0)
        try:
            if at and b"--type=renderer" in Path(f"/proc/{process}/cmdline").read_bytes():
                status = Path(f"/proc/{process}/status").read_text()
                sizes.append(
                    sum(int(size) for size in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", status)) / 1e3
                )
        except OSError:
            continue
    return max(sizes)
