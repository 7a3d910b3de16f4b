"""Guards “Draw me” in the page: it measures what the package measures, and no picture ever leaves the page."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import stand
import torch
from browsing import chromium
from PIL import Image
from stand import CAMERA, SPOKEN, TROUBLE, film, opened_tab, refused, saved, wait, without_camera, write_film

from companion.data import faces
from companion.data.assets import manifest
from companion.data.faces.parameters import PARAMETERS
from companion.likeness.aligning import EYES_TO_MOUTH, HEAD, cut_out, upright
from companion.likeness.lighting import light
from companion.likeness.measuring import Measured, Measurer
from companion.vision.landmarks import Mesh
from companion.vision.pictures import as_picture

MESH = manifest()["face-landmarker"]
pytestmark = [
    pytest.mark.full,  # a browser with a camera
    pytest.mark.skipif(not MESH.here, reason="needs the face mesh: companion assets fetch face-landmarker"),
]

LOAD = """async () => {
  const modules = ["faces/parameters", "faces/renderer", "likeness/measuring", "likeness/aligning", "likeness/lighting",
    "kit/models", "likeness/outliner"];
  const found = await Promise.all(modules.map((name) => import(`/_static/live/${name}.js`)));
  const [{ loadParameters }, { FaceRenderer }, { Measurer }, { cutOut, upright }, { light }, { models },
    { Outliner }] = found;
  const parameters = await loadParameters();
  const data = await (await fetch("/_static/live/likeness.json")).json();
  const outliner = new Outliner();
  const [renderer, model] = [new FaceRenderer(parameters), await models.load("likeness")];
  const measurer = new Measurer(parameters, data, renderer, model, outliner);
  const pixels = async (name) => {
    const bitmap = await createImageBitmap(await (await fetch(`/${name}`)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
  };
  Object.assign(window, { measurer, data, pixels, cutOut, upright, light });
}"""
LIGHT = """async ([name, landmarks]) => {
  const picture = await pixels(name);
  return light(picture, upright(landmarks, picture.width, picture.height, data.template), data.light, data.finer);
}"""
CUT = """async ([name, landmarks, part, size]) => {
  const picture = await pixels(name);
  const laid = upright(landmarks, picture.width, picture.height, data.template);
  return [...cutOut(picture, laid, data.windows[part], size, data.finer).data];
}"""
MEASURE = """async ([name, landmarks, moves]) => {
  let hair;
  const parts = measurer.parts;
  measurer.parts = async (...asked) => {
    const found = await parts.apply(measurer, asked);
    hair = found.hair;
    return found;
  };
  const { face, worn } = await measurer.measure(await pixels(name), { landmarks, moves });
  measurer.parts = parts;
  return [[...face], worn, [...hair]];
}"""
ALONE = ("face-maker", "draw-me")
QUIET = "!!document.querySelector('.gv-live-faces[aria-busy=false]')"
DRAWN = f"{SPOKEN}.startsWith('Drawn') && !!document.querySelector('.gv-live-progress[hidden]') && {QUIET}"
BYTES = "(place) => document.querySelectorAll('.gv-live-face canvas')[place].toDataURL()"


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """A photograph, and drawn people as photographs: whole, tilted and small."""
    drawn = faces.draw_portraits(faces.draw(torch.tensor([3, 20, 31]), torch.tensor([0, 0, 0])), 300).images
    found = {f"drawn{number}": as_picture(image) for number, image in enumerate(drawn)}
    astronaut = skimage.data.astronaut()
    tilted = Image.fromarray(astronaut).rotate(20, resample=Image.Resampling.BICUBIC)
    return {"astronaut": astronaut, "tilted": np.asarray(tilted), **found}


@pytest.fixture(scope="module")
def site(site, pictures) -> Path:
    for name, picture in pictures.items():
        saved(site / f"{name}.png", picture)
    return site


@pytest.fixture(scope="module")
def measured(pictures) -> dict[str, Measured]:
    """What the package says of the pictures."""
    with Measurer() as measurer:
        return {name: measurer.measure(picture)[0] for name, picture in pictures.items()}


@pytest.fixture(scope="module")
def reader(browser, address):
    """A page that measures meshes it is given."""
    tab = opened_tab(browser)
    tab.goto(f"{address}/draw-me.html")
    tab.evaluate(LOAD)
    return tab


def landmarks(mesh: Mesh) -> list[dict[str, float]]:
    return [dict(zip("xyz", row, strict=True)) for row in mesh.normalised.tolist()]


# ---- the same numbers as the package's ----


@pytest.mark.parametrize("part", ["head", "near"])
def test_faces_are_cut_out_byte_for_byte(reader, pictures, measured, part):
    window, size = {"head": (HEAD, 80), "near": (EYES_TO_MOUTH, 64)}[part]
    template = np.array(reader.evaluate("data.template"))
    for name, found in measured.items():
        own = cut_out(pictures[name], upright(found.mesh, template), window, size)
        cut = np.array(reader.evaluate(CUT, [f"{name}.png", landmarks(found.mesh), part, size])).reshape(
            size, size, 4
        )
        apart = np.abs(cut[..., :3].astype(int) - own)
        assert apart.max() <= 1, name
        assert (apart > 0).mean() < 0.001, name


def test_the_light_is_the_packages(reader, pictures, measured):
    template = np.array(reader.evaluate("data.template"))
    for name, found in measured.items():
        own = light(pictures[name], upright(found.mesh, template))
        gains = reader.evaluate(LIGHT, [f"{name}.png", landmarks(found.mesh)])
        print(f"{name}: {np.round(gains, 4)} here, {np.round(own, 4)} in the package")
        assert np.allclose(gains, own, atol=0.01), name


@pytest.fixture(scope="module")
def told(reader, measured) -> dict[str, list]:
    """What the page says of the same meshes: the face, what it wears, and where its hair is."""
    return {
        name: reader.evaluate(MEASURE, [f"{name}.png", landmarks(found.mesh), found.mesh.blendshapes])
        for name, found in measured.items()
    }


def test_a_mesh_is_measured_as_in_the_package(told, measured):
    for name, found in measured.items():
        values, worn, _ = told[name]
        apart = in_ranges(values, found.faces.values[0])
        print(
            f"{name}: mean {np.mean(list(apart.values())):.4f} of a range, "
            f"most {max(apart.items(), key=lambda one: one[1])}"
        )
        assert max(apart.values()) < 0.01, name
        assert all(abs(worn[part] - share) < 0.01 for part, share in found.worn.items()), name


def test_hair_is_where_the_package_sees_it(told, measured):
    """The overlap of what both take for hair, half a pixel counting half."""
    for name, found in measured.items():
        own, here = found.parts["hair"].numpy().flatten(), np.array(told[name][2])
        overlap = np.minimum(own, here).sum() / np.maximum(own, here).sum()
        print(f"{name}: {overlap:.4f}")
        assert overlap > 0.99, name


def in_ranges(values: list[float], own: torch.Tensor) -> dict[str, float]:
    """How far each parameter is from the package's, in shares of its range."""
    return {
        p.name: abs(value - float(o)) / (p.high - p.low)
        for p, value, o in zip(PARAMETERS, values, own, strict=True)
    }


# ---- as a person uses it ----


shown = partial(stand.shown, demo="draw-me")


def test_nothing_is_loaded_before_a_picture_comes(tab):
    assert not [r.url for r in tab.asked if "wasm" in r.url or "/models/" in r.url or "vendor" in r.url]


def test_the_sample_is_drawn_and_the_strength_changes_the_caricature_alone(tab, address, measured):
    tab.click(".gv-live-samples button")
    wait(tab, DRAWN)
    assert tab.evaluate(TROUBLE) == ""
    assert [worker.url for worker in tab.workers if "outline" in worker.url]  # the page itself stays awake
    before = [tab.evaluate(BYTES, place) for place in (0, 1)]
    tab.focus("input[type=range]")
    for _ in range(8):
        tab.keyboard.press("ArrowRight")
    wait(tab, QUIET)
    after = [tab.evaluate(BYTES, place) for place in (0, 1)]
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert {request.url.startswith((address, "data:", "blob:")) for request in tab.asked} == {True}


def test_of_several_faces_the_largest_is_drawn_and_another_by_its_button(tab, tmp_path, pictures):
    small = Image.fromarray(pictures["astronaut"]).crop((100, 0, 356, 256))
    both = Image.new("RGB", (560, 300), "white")
    both.paste(small.resize((180, 180)), (370, 60))
    both.paste(Image.fromarray(pictures["drawn0"]), (20, 0))
    both.save(tmp_path / "both.png")
    tab.set_input_files("input[type=file]", tmp_path / "both.png")
    wait(tab, DRAWN)
    buttons = tab.query_selector_all(".gv-live-found")
    assert [one.get_attribute("aria-pressed") for one in buttons] == ["true", "false"]
    assert buttons[0].bounding_box()["width"] > buttons[1].bounding_box()["width"]
    first = tab.evaluate(BYTES, 0)
    buttons[1].focus()
    tab.keyboard.press("Enter")
    wait(tab, DRAWN)
    assert tab.evaluate(BYTES, 0) != first
    assert [one.get_attribute("aria-pressed") for one in buttons] == ["false", "true"]


# ---- the camera ----


def test_camera_frames_never_leave_the_page(address, tmp_path, pictures):
    """The camera is opened, looked through, and its picture drawn: all that is asked for is what finds faces, again."""
    write_film(tmp_path / "face.y4m", before_the_camera(pictures["astronaut"]))
    with chromium(*film(tmp_path / "face.y4m")) as browser:
        tab = shown(browser, address)
        tab.set_input_files("input[type=file]", saved(tmp_path / "drawn.png", pictures["drawn1"]))
        wait(tab, DRAWN)
        drawn, loaded = tab.evaluate(BYTES, 0), len(tab.asked)
        tab.get_by_role("button", name="Use the camera").click()
        wait(tab, "document.querySelector('video').videoWidth > 0")
        tab.wait_for_timeout(1000)
        tab.get_by_role("button", name="Take the picture").click()
        wait(tab, f"{DRAWN} && document.querySelector('video').hidden")
        tab.wait_for_timeout(1500)
        assert tab.evaluate(TROUBLE) == ""
        assert tab.evaluate(BYTES, 0) != drawn
        before, since = (
            {request.url for request in part} for part in (tab.asked[:loaded], tab.asked[loaded:])
        )
        assert since <= before
        assert not [request.url for request in tab.asked if request.method != "GET" or request.post_data]
        assert tab.evaluate("document.querySelector('video').srcObject") is None


def test_a_camera_that_is_refused_is_told_in_a_sentence(address):
    with chromium(*CAMERA) as browser:
        assert refused(shown(browser, address)).startswith("The camera was refused")


def test_a_machine_without_a_camera_is_told_so(tab):
    assert without_camera(tab) == "No camera was found; choose a picture instead."


def before_the_camera(picture: np.ndarray) -> list[np.ndarray]:
    """A square picture in the middle of a camera's, for two frames."""
    frame = Image.new("RGB", (640, 480), "white")
    frame.paste(Image.fromarray(picture).resize((480, 480)), (80, 0))
    return 2 * [np.asarray(frame)]


# ---- what can go wrong ----


def test_a_broken_file_and_a_picture_without_a_face_are_told(tab, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    tab.set_input_files("input[type=file]", tmp_path / "broken.png")
    wait(tab, f"{TROUBLE} !== ''")
    assert tab.evaluate(TROUBLE).startswith("broken.png could not be read")
    tab.set_input_files(
        "input[type=file]", saved(tmp_path / "wall.png", np.full((200, 300, 3), 120, np.uint8))
    )
    wait(tab, f"{TROUBLE}.startsWith('No face was found')")


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("models/face_landmarker.task", "built without the model that finds faces"),
        ("vision_bundle.mjs", "could not be fetched"),
        ("models/likeness.onnx", "could not be fetched"),
        ("outline-worker.js", "follows the hair's edge could not be run"),
    ],
)
def test_what_cannot_be_loaded_is_told_and_tried_again(tab, missing, sentence):
    tab.route(f"**/{missing}", lambda route: route.fulfill(status=404))
    tab.click(".gv-live-samples button")
    wait(tab, f"{TROUBLE} !== ''")
    assert sentence in tab.evaluate(TROUBLE)


def test_a_browser_without_webgl_keeps_the_page_and_is_told(browser, address):
    tab = opened_tab(browser)
    tab.add_init_script("OffscreenCanvas.prototype.getContext = () => null;")
    tab.goto(f"{address}/draw-me.html")
    wait(tab, f"{TROUBLE} !== ''")
    assert "WebGL 2" in tab.evaluate(TROUBLE)
