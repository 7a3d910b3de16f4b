"""Guards the page's faces: what its shaders paint is what the package paints, pixel by pixel, for people of every kind."""

import base64
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from house import PATIENCE, ROOT, installed_browser

from companion.data import faces
from companion.data.faces import Faces, part_masks
from companion.data.faces.landmarks import PARTS
from companion.data.faces.parameters import PARAMETERS
from companion.likeness.drawing import STYLES, exaggerated

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.full  # a browser draws

PEOPLE, SIZE = 40, 128
STRENGTHS = (0.0, 1.0, 1.8, 2.5)
MEAN, MOST, SHARE = 0.5, 12, 99.5  # allowed: the mean, and this share of all differences, in 255ths
BROWSER = (
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader", "--use-gl=angle"),
    "--use-angle=swiftshader",
)
SETUP = """async () => {
  const [{ loadParameters }, { FaceRenderer }, { drawPerson }] = await Promise.all(
    ["parameters", "renderer", "prior"].map((name) => import(`/faces/${name}.js`)));
  const parameters = await loadParameters();
  Object.assign(window, { parameters, renderer: new FaceRenderer(parameters), drawPerson });
}"""
DRAW = """([values, kind, size]) => {
  renderer.draw(Float32Array.from(values), kind, size);
  const bytes = renderer.pixels();
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator["sync_api.Page"]:
    """An empty page with the renderer in it, and the numbers that the package writes."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "book/live/faces", folder / "faces", ignore=shutil.ignore_patterns("data"))
    sys.path.insert(0, str(ROOT / "tools"))
    import live_faces

    live_faces.main(folder / "faces/data")
    (folder / "index.html").write_text("<!doctype html><title>Faces</title>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=list(BROWSER))
        tab = browser.new_page()
        tab.set_default_timeout(1000 * PATIENCE)
        tab.goto(f"http://127.0.0.1:{server.server_port}/")
        tab.evaluate(SETUP)
        yield tab
        browser.close()
    server.shutdown()


def painted(page, face: torch.Tensor, kind: str, size: int = SIZE) -> np.ndarray:
    """What the page paints for one row of parameters, `(size, size, 3)`."""
    data = base64.b64decode(page.evaluate(DRAW, [face.tolist(), kind, size]))
    return np.frombuffer(data, np.uint8).reshape(size, size, 4)[..., :3].astype(int)


def wanted(people: Faces, kind: str, size: int = SIZE) -> np.ndarray:
    """What the package paints, `(N, size, size, 3)`."""
    draw = faces.draw_portraits if kind == "portrait" else partial(faces.draw_caricatures, k=1.0)
    return draw(people, size).rgb.permute(0, 2, 3, 1).numpy().astype(int)


def everybody() -> Faces:
    """Drawn people, among them some of each headwear, style of hair and style of drawing."""
    number = torch.arange(PEOPLE)
    people = faces.draw(number, torch.zeros_like(number))
    for row, (hat, style) in enumerate(zip(("beanie", "sun_hat", "headscarf", "turban"), STYLES.values(), strict=True)):
        some = people.rows(slice(row, row + 1)).replace(**{hat: 1.0, "glasses": 1.0}, **style)
        people.values[row] = some.values[0]
    return people


@pytest.mark.parametrize("kind", ["portrait", "caricature"])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_face_looks_the_same_in_the_page_and_in_the_package(page, kind, strength):
    people = faces.exaggerate(everybody(), strength)
    apart = np.abs(np.stack([painted(page, face, kind) for face in people.values]) - wanted(people, kind))
    print(f"{kind}, k = {strength}: mean {apart.mean():.3f}, {SHARE} % below {np.percentile(apart, SHARE):.0f}, "
          f"most {apart.max()}; of the faces the worst mean {apart.mean((1, 2, 3)).max():.2f}")
    assert apart.mean() < MEAN
    assert np.percentile(apart, SHARE) < MOST
