"""Guards the sliders: what they draw, undo, reset, save, uploads, errors that show, and how long a move takes."""

import io
import time
from statistics import median

import numpy as np
import pytest
import torch
from PIL import Image

from companion import latent
from companion.errors import CompanionError
from companion.latent.sliders import LatentDrag, LatentPad, LatentSliders, latent_map, read_square
from companion.models.vae import VAE, VAEConfig
from companion.viz.widgets import uploaded


def network(**numbers: int) -> VAE:
    torch.manual_seed(0)
    return VAE(VAEConfig(**{"size": 32, "channels": 3, "latents": 4, "width": 4, **numbers})).eval()


@pytest.fixture
def sliders(tmp_path) -> LatentSliders:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    directions = {"smile": torch.tensor([3.0, 0, 0, 0]), "glasses": torch.tensor([0, 3.0, 0, 0])}
    return LatentSliders(network(), images, directions, folder=tmp_path)


def shown(widget) -> Image.Image:
    return Image.open(io.BytesIO(widget.picture.value))


def test_a_slider_draws_the_edit_of_all_images_under_the_originals(sliders):
    before = sliders.picture.value
    sliders.sliders["smile"].value = 1.5
    assert sliders.picture.value != before
    wanted = latent.edited(sliders.model, sliders.images, sliders.directions, {"smile": 1.5})
    torch.testing.assert_close(sliders.edited(), wanted)
    assert sliders.amounts == {"smile": 1.5, "glasses": 0.0}
    assert shown(sliders).width == pytest.approx(
        2 * 2 * 32, abs=12
    )  # two columns, twice as large, gaps between
    assert sliders.message.value == ""


def test_each_slider_has_its_reset_and_all_have_one(sliders):
    start = sliders.picture.value
    sliders.sliders["smile"].value = 1.0
    sliders.sliders["glasses"].value = -2.0
    sliders.resets["smile"].click()
    assert sliders.amounts == {"smile": 0.0, "glasses": -2.0}
    sliders.reset_button.click()
    assert sliders.amounts == {"smile": 0.0, "glasses": 0.0}
    assert sliders.picture.value == start


def test_undo_takes_back_one_slider_however_many_steps_its_movement_had(sliders):
    for value in (0.1, 0.5, 1.0):
        sliders.sliders["smile"].value = value
    for value in (-0.5, -1.0):
        sliders.sliders["glasses"].value = value
    sliders.undo_button.click()
    assert sliders.amounts == {"smile": 1.0, "glasses": 0.0}
    sliders.undo_button.click()
    assert sliders.amounts == {"smile": 0.0, "glasses": 0.0}
    sliders.undo_button.click()  # nothing left, and nothing happens
    assert sliders.message.value == ""


def test_a_reset_can_be_undone(sliders):
    sliders.sliders["smile"].value = 1.0
    for button in (sliders.reset_button, sliders.resets["smile"]):
        button.click()
        assert sliders.amounts["smile"] == 0.0
        sliders.undo_button.click()
        assert sliders.amounts["smile"] == 1.0


def test_saving_writes_beside_what_is_there_and_says_where(sliders, tmp_path):
    sliders.save_button.click()
    sliders.sliders["smile"].value = 2.0
    sliders.save_button.click()
    assert {path.name for path in tmp_path.iterdir()} == {"faces-1.png", "faces-2.png"}
    assert "faces-2.png" in sliders.message.value
    assert (tmp_path / "faces-1.png").read_bytes() != (tmp_path / "faces-2.png").read_bytes()


def png(width: int = 40, height: int = 60) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        ({"name": "me.png", "type": "image/png", "content": memoryview(png())},),  # ipywidgets 8
        {"me.png": {"metadata": {"name": "me.png"}, "content": png()}},  # ipywidgets 7
    ],
    ids=["8", "7"],
)
def test_an_uploaded_picture_takes_the_place_of_the_images(sliders, value):
    assert uploaded(value) == png()
    sliders.sliders["smile"].value = 1.0
    sliders._uploaded({"new": value})
    assert sliders.images.shape == (1, 3, 32, 32)
    assert sliders.images[0, :, 16, 16].tolist() == [1.0, -1.0, -1.0]
    assert sliders.amounts["smile"] == 1.0
    assert sliders.message.value == ""


def test_what_is_no_picture_is_said_in_the_widget_and_the_next_move_clears_it(sliders):
    before = sliders.images
    sliders._uploaded({"new": ({"name": "a.txt", "content": memoryview(b"hello")},)})
    assert "could not be read as a picture; give a PNG" in sliders.message.value
    assert 'role="alert"' in sliders.message.value
    assert sliders.images is before
    sliders.sliders["smile"].value = 0.5
    assert sliders.message.value == ""


def test_an_error_of_any_kind_shows_in_the_widget(sliders):
    def broken(*_: object) -> torch.Tensor:
        raise RuntimeError("no <memory> left")

    sliders.model.decoder.forward = broken
    sliders.sliders["smile"].value = 1.0
    assert "RuntimeError: no &lt;memory&gt; left" in sliders.message.value


def test_a_folder_that_cannot_be_written_is_said_in_the_widget(sliders, tmp_path):
    (tmp_path / "file").write_text("")
    sliders.folder = tmp_path / "file"
    sliders.save_button.click()
    assert 'role="alert"' in sliders.message.value


def test_images_of_another_size_are_refused_at_once():
    with pytest.raises(CompanionError, match=r"\(N, 3, 32, 32\)"):
        LatentSliders(network(), torch.zeros(1, 1, 28, 28), {})


def test_one_move_takes_less_than_fifty_milliseconds_at_64():
    """From the callback's beginning to the new picture's bytes, the processor's own time, the median of twenty."""
    model = network(size=64, latents=64, width=16)
    sliders = LatentSliders(model, torch.rand(1, 3, 64, 64), {"smile": torch.randn(64)})
    taken = []
    for step in range(1, 21):
        begun = time.process_time()
        sliders.sliders["smile"].value = step / 20
        taken.append(time.process_time() - begun)
    assert median(taken) <= 0.05


# ---- the pad ----


def test_the_pad_shows_the_image_at_its_marker():
    model = network(channels=1, latents=2)
    pad = LatentPad(model, tiles=3)
    before = pad.picture.value, pad.mapped.value
    pad.across.value, pad.up.value = 1.0, -2.0
    assert pad.place.tolist() == [1.0, -2.0]
    assert pad.picture.value != before[0]
    assert pad.mapped.value != before[1], "the marker moves"


def test_the_map_has_each_image_in_its_place():
    """Upper right is +x, +y."""
    model = network(channels=1, latents=2)
    ground = latent_map(model, torch.eye(2), reach=3.0, tiles=3)
    corner = latent.decoded(model, torch.tensor([[2.0, 2.0]]))
    pixels = torch.from_numpy(np.array(ground.convert("L"))).float()
    tile = pixels[:32, -32:]
    torch.testing.assert_close(tile, (corner[0, 0] + 1) * 127.5, atol=1.0, rtol=0)


def test_a_pad_of_more_latents_needs_a_plane():
    model = network(channels=1)
    with pytest.raises(CompanionError, match="has 4 latents, and a pad has two"):
        LatentPad(model)
    plane = torch.eye(4)[:2] * 2
    pad = LatentPad(model, plane, tiles=2)
    pad.across.value = 0.5
    assert pad.place.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_grey_model_takes_a_grey_square():
    assert read_square(png(), 32, 1).shape == (1, 32, 32)


@pytest.fixture
def dragged() -> LatentDrag:
    draw = torch.Generator().manual_seed(0)
    model, points = network(), torch.rand(50, 3, 2, generator=draw) * 32
    handles = latent.Handles.fit(model, torch.randn(50, 4, generator=draw), points)
    image = torch.rand(1, 3, 32, 32, generator=draw) * 2 - 1
    return LatentDrag(handles, image, points={"nose": 0, "chin": 2})


def test_dragging_shows_the_dragged_code_and_begins_where_the_face_is(dragged):
    assert torch.equal(dragged.dragged(), dragged.code)
    before = dragged.picture.value
    dragged.choice.value, dragged.down.value = "chin", 2.0
    torch.testing.assert_close(dragged.dragged(), dragged.handles.drag(dragged.code, 2, (0.0, 2.0)))
    assert dragged.picture.value != before
    assert dragged.message.value == ""


def test_what_is_kept_can_be_taken_back(dragged):
    begun = dragged.code
    dragged.across.value = 1.5
    moved = dragged.dragged()
    dragged.keep_button.click()
    torch.testing.assert_close(dragged.code, moved)
    assert (dragged.across.value, dragged.down.value) == (0.0, 0.0)
    dragged.undo_button.click()
    torch.testing.assert_close(dragged.code, begun)
    dragged.undo_button.click()  # nothing left to take back
    torch.testing.assert_close(dragged.code, begun)
