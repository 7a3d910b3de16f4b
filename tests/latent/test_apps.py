"""Guards the apps: opened as their command opens them, and nothing but this machine is asked for anything."""

import os
import re
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec

import pytest
from house import PATIENCE, ROOT, installed_browser, until

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.full  # Voilà and a browser are started


@pytest.mark.skipif(find_spec("voila") is None, reason="Voilà is not installed")
def test_an_app_is_a_page_of_this_machine_alone_and_ends_by_ctrl_c(tmp_path):
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chromium here; tools/system.sh installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "companion", "app", "digits", "--no-browser", f"--port={port}"]
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
            answered = []
            page.on("requestfinished", lambda request: answered.append(request.url))
            page.goto(f"http://localhost:{port}/")
            digit = page.locator("img.widget-image").last
            before = digit.evaluate("image => image.src")
            page.locator(".noUi-handle").first.focus()
            page.keyboard.press("PageUp")
            until(lambda: digit.evaluate("image => image.src") != before)
            chromium.close()
        own = re.compile(rf"(https?|wss?)://(localhost|127\.0\.0\.1):{port}/|data:|blob:")
        assert [address for address in answered if not own.match(address)] == []
    finally:
        os.killpg(app.pid, signal.SIGINT)
    assert app.wait(PATIENCE) == 130, "stopped, and nothing to report"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
