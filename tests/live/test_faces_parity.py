"""Guards the page's faces: what its shaders paint is what the package paints, pixel by pixel."""

import base64
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from browsing import chromium, serving
from stand import opened_tab, prepare

from companion.data import faces
from companion.data.faces import Faces, part_masks
from companion.data.faces.landmarks import PARTS
from companion.data.faces.parameters import PARAMETERS, clamp
from companion.likeness.drawing import STYLES, exaggerated

pytestmark = pytest.mark.full  # a browser draws

PEOPLE, SIZE = 40, 128
STRENGTHS = (0.0, 1.0, 1.8, 2.5)
MEAN, MOST, SHARE = 0.2, 6, 99.9  # allowed: the mean, and this share of all differences, in 255ths
SETUP = """async () => {
  const [{ loadParameters }, { FaceRenderer }, { drawPerson }] = await Promise.all(
    ["parameters", "renderer", "prior"].map((name) => import(`/_static/live/faces/${name}.js`)));
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


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator["object"]:
    """A page of the site with the renderer in it, and the numbers that the package wrote."""
    folder = tmp_path_factory.mktemp("site")
    prepare(folder, "face-maker")
    with serving(folder) as address, chromium() as browser:
        tab = opened_tab(browser)
        tab.goto(f"{address}/face-maker.html")
        tab.evaluate(SETUP)
        yield tab


def painted(page, face: torch.Tensor, kind: str, size: int = SIZE) -> np.ndarray:
    """What the page paints for one row of parameters, `(size, size, 3)`."""
    data = base64.b64decode(page.evaluate(DRAW, [face.tolist(), kind, size]))
    return np.frombuffer(data, np.uint8).reshape(size, size, 4)[..., :3].astype(int)


def wanted(people: Faces, kind: str, size: int = SIZE) -> np.ndarray:
    """What the package paints, `(N, size, size, 3)`."""
    draw = faces.draw_portraits if kind == "portrait" else partial(faces.draw_caricatures, k=1.0)
    return draw(people, size).rgb.permute(0, 2, 3, 1).numpy().astype(int)


def everybody() -> Faces:
    """Drawn people; the first wear each kind of headwear and spectacles, drawn in each of the package's styles."""
    number = torch.arange(PEOPLE)
    people = faces.draw(number, torch.zeros_like(number))
    hats = ("beanie", "sun_hat", "headscarf", "turban")
    for row, (hat, style) in enumerate(zip(hats, STYLES.values(), strict=True)):
        some = people.rows(slice(row, row + 1)).replace(**{hat: 1.0, "glasses": 1.0}, **style)
        people.values[row] = some.values[0]
    return people


@pytest.mark.parametrize("kind", ["portrait", "caricature"])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_face_looks_the_same_in_the_page_and_in_the_package(page, kind, strength):
    people = faces.exaggerate(everybody(), strength)
    apart = np.abs(np.stack([painted(page, face, kind) for face in people.values]) - wanted(people, kind))
    part = np.percentile(apart, SHARE)
    worst = apart.mean((1, 2, 3)).max()
    print(
        f"{kind}, k = {strength}: mean {apart.mean():.3f} (worst face {worst:.3f}), {SHARE} % within {part:.0f}, "
        f"most {apart.max()}"
    )
    assert apart.mean() < MEAN
    assert part < MOST


def test_a_person_has_the_same_numbers_in_the_page_and_in_the_package(page):
    number, view = torch.arange(300), torch.arange(300) % 3
    own = faces.draw(number, view).values
    script = "(pairs) => pairs.map(([who, view]) => [...drawPerson(parameters, who, view)])"
    found = torch.tensor(page.evaluate(script, torch.stack([number, view], 1).tolist()))
    assert torch.allclose(found, own, atol=2e-5)


@pytest.mark.parametrize("strength", [0, 0.5, 1, 1.8, 3])
def test_a_caricature_goes_as_far_in_the_page_as_in_the_package(page, strength):
    people = faces.draw(torch.arange(20), torch.zeros(20, dtype=torch.long))
    script = """([rows, k]) => rows.map((row) => {
      const face = Float32Array.from(row);
      return [{}, parameters.data.realMean].map((means) => [...parameters.exaggerate(face, k, means)]);
    })"""
    found = torch.tensor(page.evaluate(script, [people.values.tolist(), strength]))
    assert torch.allclose(found[:, 0], faces.exaggerate(people, strength).values, atol=1e-5)
    assert torch.allclose(found[:, 1], exaggerated(people, strength).values, atol=1e-5)


def test_hair_covers_the_same_pixels_in_the_page_and_in_the_package(page):
    people = everybody()
    script = "([rows, size]) => [...renderer.hair(rows.map((row) => Float32Array.from(row)), size)]"
    found = np.array(page.evaluate(script, [people.values.tolist(), 40])).reshape(-1, 40, 40)
    own = part_masks(people, 40)[:, PARTS.index("hair")].numpy()
    assert np.abs(found - own).mean() < 1e-3
    assert np.abs(found - own).max() < 0.05


def test_every_parameter_keeps_its_place_and_its_range(page):
    listed = page.evaluate(
        "parameters.list.map(({ name, low, mean, high, shape }) => [name, low, mean, high, shape])"
    )
    assert [tuple(row) for row in listed] == [(p.name, p.low, p.mean, p.high, p.shape) for p in PARAMETERS]
    wide = torch.linspace(-3, 3, len(PARAMETERS))
    found = torch.tensor(
        page.evaluate("(row) => [...parameters.clamp(Float32Array.from(row))]", wide.tolist())
    )
    assert torch.allclose(found, clamp(wide[None])[0])
