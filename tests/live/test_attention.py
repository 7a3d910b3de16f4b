"""Guards the demo of attention: faces and maps are torch's, wherever one points, and what is said is what is seen."""

import json
import re

import onnxruntime
import pytest
import torch
from stand import wait
from torch import Tensor
from visitor import PIXELS, Reader, levels_apart, values

from companion import pretrained
from companion.layers import SelfAttention
from companion.models.attending import attention_of
from companion.viz import heated

pytestmark = pytest.mark.full  # a browser

ALONE = ("attention",)
RUN = "sagan-portraits"
SAID = "document.querySelector('.gv-live-spoken').textContent"


@pytest.fixture
def reader(visit) -> Reader:
    return visit("attention.html")


@pytest.fixture(scope="module")
def latents(site) -> Tensor:
    return torch.tensor([json.loads((site / "_static/live/attention.json").read_text())["latents"]])


def drawn(latents: Tensor, strength: float = 1.0) -> tuple[Tensor, Tensor]:
    """A face `(3, 64, 64)` and its weights `(256, 64)`, by the package's own generator with γ changed."""
    network = pretrained.load(RUN)
    (layer,) = (layer for layer in network.modules() if isinstance(layer, SelfAttention))
    layer.gain.data *= strength
    (attention,) = attention_of(network, latents).values()
    with torch.no_grad():
        return network(latents)[0], attention.weights[0]


def warm(face: Tensor, shares: Tensor) -> Tensor:
    """The chapter's picture of where a place looks, with its ring out of sight."""
    return heated(face[None], 64 * shares.view(1, 8, 8), (9.0, 9.0), scale=1)[0]


def place_of(pad) -> int:
    x, y = values(pad)
    return min(15, int(16 * (1 - y))) * 16 + min(15, int(16 * x))


def sees_the_map(reader: Reader, face: Tensor, weights: Tensor) -> None:
    """The map is the chapter's but for the frame, 4×4 pixels; a weight of the page's may be off by a little."""
    pad = reader.tab.locator(".gv-live-pad")
    place = place_of(pad)
    wanted = warm(face, weights[place])
    row, column = divmod(place, 16)
    frame = (slice(None), slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
    inside = wanted[:, 4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3].clone()
    wanted[frame] = torch.tensor([-0.8, 0.5, 0.8]).view(3, 1, 1)
    wanted[:, 4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3] = inside
    shown = reader.tab.locator(".gv-live-looking > canvas").evaluate(PIXELS)
    assert levels_apart(shown, wanted) <= 2
    says_the_numbers(reader, weights, place)


def says_the_numbers(reader: Reader, weights: Tensor, place: int) -> None:
    words = reader.tab.locator(".gv-live-looked").inner_text()
    assert reader.tab.locator(".gv-live-pad input").first.get_attribute("aria-valuetext") == words
    row, column, quarter, share, times, followers = map(float, re.findall(r"\d+(?:\.\d+)?", words)[:6])
    assert (row, column) == (place // 16 + 1, place % 16 + 1)
    quarters = weights[place].view(2, 4, 2, 4).sum((1, 3)).flatten()
    assert quarter == pytest.approx(100 * float(quarters.max()), abs=0.6)
    names = ["upper left", "upper right", "lower left", "lower right"]
    said = next(name for name in names if name in words)
    assert quarters[names.index(said)] > quarters.max() - 1e-3
    assert share == pytest.approx(100 * float(weights[place].max()), abs=0.6)
    assert times == pytest.approx(64 * float(weights[place].max()), abs=0.1)
    alike = int((weights.argmax(1) == weights[place].argmax()).sum()) - 1
    assert followers == pytest.approx(alike, abs=1)  # two regions may all but tie


def test_the_file_answers_as_torch_does(site):
    """Images to half a level of 255, weights to a ten-thousandth; attention off, as trained, and twice as strong."""
    session = onnxruntime.InferenceSession(
        site / f"_static/live/models/{RUN}.onnx", providers=["CPUExecutionProvider"]
    )
    latents = torch.randn(3, 64, generator=torch.Generator().manual_seed(5))
    strengths = torch.tensor([[0.0], [1.0], [2.0]])
    images, weights = session.run(None, {"latents": latents.numpy(), "strength": strengths.numpy()})
    for index, strength in enumerate((0.0, 1.0, 2.0)):
        face, looked = drawn(latents[index : index + 1], strength)
        torch.testing.assert_close(torch.from_numpy(images[index]), face, rtol=0, atol=1 / 255)
        torch.testing.assert_close(torch.from_numpy(weights[index]), looked, rtol=0, atol=1e-4)


def test_pointing_shows_where_a_place_looks_and_fetches_nothing(reader, latents):
    figure, (face, weights) = reader.reach("attention"), drawn(latents)
    pad = figure.locator(".gv-live-pad")
    reader.sees(pad.locator("canvas"), face)
    sees_the_map(reader, face, weights)
    first = values(pad)
    box = pad.bounding_box()
    for right, down in ((0.1, 0.15), (0.62, 0.5), (0.999, 0.999)):
        reader.tab.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
        assert place_of(pad) == int(16 * down) * 16 + int(16 * right)
        sees_the_map(reader, face, weights)
    reader.tab.mouse.move(box["x"] + box["width"] + 20, box["y"] + box["height"] + 40)
    assert values(pad) == first  # who only passed over it changed nothing
    reader.drag(pad, 0.3, 0.9)
    reader.tab.mouse.move(box["x"] + box["width"] + 20, 5)
    assert place_of(pad) == 14 * 16 + 4
    sees_the_map(reader, face, weights)
    assert reader.heavy == []
    assert reader.errors == []


def test_arrow_keys_go_from_place_to_place(reader, latents):
    figure, (face, weights) = reader.reach("attention"), drawn(latents)
    pad = figure.locator(".gv-live-pad")
    before = place_of(pad)
    pad.locator("input").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        reader.tab.keyboard.press(key)
    assert place_of(pad) == before + 2 * 16 + 1
    sees_the_map(reader, face, weights)
    for _ in range(20):
        reader.tab.keyboard.press("ArrowLeft")
        reader.tab.keyboard.press("ArrowUp")
    assert place_of(pad) == 0
    sees_the_map(reader, face, weights)


def test_the_strength_changes_the_face_and_not_where_it_looks(reader, latents):
    figure = reader.reach("attention")
    strength = figure.get_by_label("Strength of attention")
    trained, weights = drawn(latents)
    for key, times, said in (("Home", 0.0, "γ = 0, switched off"), ("End", 2.0, "times 2.00")):
        strength.press(key)
        face, again = drawn(latents, times)
        torch.testing.assert_close(again, weights)
        reader.sees(figure.locator(".gv-live-pad canvas"), face)
        sees_the_map(reader, face, weights)
        assert said in strength.get_attribute("aria-valuetext")
        assert (face - trained).abs().max() > 0.1
    assert reader.foreign == []
    assert reader.errors == []


def test_another_face_is_another_and_its_own_map_is_shown(visit, latents):
    """What the page draws at random is caught on its way to the network."""
    reader = visit("attention.html")
    reader.tab.add_init_script(
        """const post = Worker.prototype.postMessage;
           Worker.prototype.postMessage = function (message, ...rest) {
             if (message?.inputs) window.asked = Array.from(message.inputs.latents.data);
             return post.call(this, message, ...rest);
           };"""
    )
    reader.tab.reload()
    figure = reader.reach("attention")
    figure.get_by_role("button", name="Another face").press("Enter")
    wait(reader.tab, f"{SAID}.startsWith('Another face. Row ')")
    asked = torch.tensor([reader.tab.evaluate("window.asked")])
    assert not torch.equal(asked, latents)
    face, weights = drawn(asked)
    reader.sees(figure.locator(".gv-live-pad canvas"), face)
    sees_the_map(reader, face, weights)
    assert reader.errors == []


def test_a_finger_holds_the_place(visit, latents):
    reader = visit("attention.html", viewport={"width": 360, "height": 740}, has_touch=True)
    pad = reader.reach("attention").locator(".gv-live-pad")
    box = pad.bounding_box()
    reader.tab.touchscreen.tap(box["x"] + 0.22 * box["width"], box["y"] + 0.4 * box["height"])
    assert place_of(pad) == 6 * 16 + 3
    sees_the_map(reader, *drawn(latents))
    assert reader.tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_model_that_is_missing_is_named_and_the_face_stays(reader, latents):
    figure = reader.reach("attention")
    reader.tab.context.route("**/*.onnx", lambda route: route.fulfill(status=404))
    figure.get_by_role("button", name="Another face").click()
    reader.says(figure, f"The model {RUN} could not be fetched: the server answered 404.")
    face, weights = drawn(latents)
    reader.sees(figure.locator(".gv-live-pad canvas"), face)
    sees_the_map(reader, face, weights)
