"""Guards the sliders in a real JupyterLab: a notebook is run there, a slider is moved, and a wrong file is refused.

One browser for both, since starting JupyterLab and a kernel with torch takes longest.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house import PATIENCE, ROOT, installed_browser, until

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("jupyterlab")

# JupyterLab and a browser are started; `make test` opens the same sliders as an app.
pytestmark = [pytest.mark.full, pytest.mark.every]

CELL = """
import torch
from companion.latent.sliders import LatentSliders
from companion.models.vae import VAE, VAEConfig
torch.manual_seed(0)
model = VAE(VAEConfig(size=32, channels=3, latents=4, width=4)).eval()
LatentSliders(model, torch.rand(2, 3, 32, 32) * 2 - 1, {"smile": torch.tensor([9.0, 0, 0, 0])})
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with the notebook's sliders in it."""
    browser = installed_browser()
    if browser is None:
        pytest.skip("no Chromium here; tools/system.sh installs it")
    folder = tmp_path_factory.mktemp("lab")
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [{**cell, "source": CELL}], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "sliders.ipynb").write_text(json.dumps(notebook))
    server, address = _started(folder)
    try:
        with sync_api.sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(f"{address}/lab/tree/sliders.ipynb?token=sliders")
            page.locator(
                '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
            ).wait_for()  # the kernel is there
            _wait(page, lambda: _has_run(page), every=2)
            page.get_by_role("button", name="Undo").wait_for()
            yield page
            chromium.close()
    finally:
        server.terminate()
        server.wait()


def _started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """JupyterLab on a free port of this machine alone, and its address."""
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=sliders"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(folder / ".config")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    said = []

    def address() -> str | None:
        said.append(server.stderr.readline())
        found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/", said[-1])
        return found and f"http://localhost:{found[1]}"

    place = []
    until(lambda: place.append(address()) or place[-1], server)
    return server, place[-1]


def _has_run(page) -> bool:
    """Whether the notebook's cell runs or ran; else it is run: JupyterLab calls a kernel idle before it takes any."""
    if page.locator(".jp-InputPrompt").first.inner_text() == "[ ]:":
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        return False
    return True


def _wait(page, condition, every: float = 0.02) -> None:
    """Until the condition holds, asked every so many seconds."""
    until(condition, pause=lambda _: page.wait_for_timeout(1000 * every))


def test_a_slider_that_is_moved_changes_the_picture_and_undo_brings_it_back(page):
    picture = page.locator(".jp-OutputArea img.widget-image, .jp-OutputArea .widget-image img").first
    before = picture.evaluate("image => image.src.length + image.src.slice(-40)")
    handle = page.locator(".noUi-handle").first
    handle.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    source = (
        "async image => { const data = await (await fetch(image.src)).arrayBuffer(); return data.byteLength }"
    )
    sizes = {picture.evaluate(source)}
    _wait(page, lambda: page.locator(".widget-readout").first.inner_text() != "0.00")
    _wait(page, lambda: picture.evaluate("image => image.src.length + image.src.slice(-40)") != before)
    moved = page.locator(".widget-readout").first.inner_text()
    assert float(moved) > 0
    page.get_by_role("button", name="Undo").click()
    _wait(page, lambda: page.locator(".widget-readout").first.inner_text() == "0.00")
    assert sizes


def test_a_file_that_is_no_picture_is_refused_in_the_page(page, tmp_path):
    (tmp_path / "notes.png").write_text("these are no pixels")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Your picture").click()
    chooser.value.set_files(tmp_path / "notes.png")
    alert = page.get_by_role("alert").filter(has_text="could not be read as a picture")
    alert.wait_for()
    assert "give a PNG" in alert.inner_text()
