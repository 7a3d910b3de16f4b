"""Guards the apps: opened as their command opens them, and nothing but this machine is asked for anything."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec

import pytest
from house import PATIENCE, ROOT, installed_browser, until
from pictures import save

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.full  # Voilà and a browser are started


@contextmanager
def opened(tmp_path, *words: str):
    """An app's page in a browser, and its port; afterwards it is ended by Ctrl-C, and has nothing to report."""
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chromium here; tools/system.sh installs it")
    if find_spec("voila") is None:
        pytest.skip("Voilà is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "companion", "app", *words, "--no-browser", f"--port={port}"]
    app = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: _answers(port), app)
        with sync_api.sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page()
            page.set_default_timeout(1000 * PATIENCE)
            yield page, port
            chromium.close()
    finally:
        os.killpg(app.pid, signal.SIGINT)
    assert app.wait(PATIENCE) == 130, "stopped, and nothing to report"


def test_an_app_is_a_page_of_this_machine_alone_and_ends_by_ctrl_c(tmp_path):
    with opened(tmp_path, "digits") as (page, port):
        answered = []
        page.on("requestfinished", lambda request: answered.append(request.url))
        page.goto(f"http://localhost:{port}/")
        digit = page.locator("img.widget-image").last
        before = digit.evaluate("image => image.src")
        page.locator(".noUi-handle").first.focus()
        page.keyboard.press("PageUp")
        until(lambda: digit.evaluate("image => image.src") != before)
        own = re.compile(rf"(https?|wss?)://(localhost|127\.0\.0\.1):{port}/|data:|blob:")
        assert [address for address in answered if not own.match(address)] == []


@pytest.mark.every
def test_a_picture_in_the_viewer_is_seen_and_chosen_from_the_keyboard(tmp_path):
    for number in range(3):
        save(tmp_path / f"pictures/{number}.png", seed=number)
    with opened(tmp_path, "browse", "--data", "pictures") as (page, port):
        page.goto(f"http://localhost:{port}/")
        picture = page.get_by_role("button", name="2.png").first
        ground = picture.evaluate("button => getComputedStyle(button).backgroundImage")
        assert ground.startswith('url("data:image/png')
        picture.focus()
        page.keyboard.press("Enter")
        page.locator("b", has_text="2").wait_for()
        page.get_by_text("The nearest pictures").wait_for()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
