"""Guards that the demos work in Firefox as well: each is used once, and its canvas compared with torch's answer.

`make test` uses two of them, `make everything` all, and meets what can go wrong: a file, a model, a camera.
"""

import io
import json
import os
import shutil
from base64 import b64decode

import numpy as np
import pytest
import torch
from house import ROOT, SITE, run
from PIL import Image
from visitor import drawn, levels_apart, mixed, prepared

from companion import pretrained
from companion.data.faces import Portraits
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.latent.sliders import read_square
from companion.listening import Listening
from companion.models.anyblur import KernelRestorer
from companion.models.munit import BothWays
from companion.models.sagan import Watched
from companion.reproduce.ch07.munit import TEST
from companion.tiling import read_photo, restore_photo
from companion.training.munit import translated

pytestmark = pytest.mark.full  # the site is built, and a second browser uses it
every = pytest.mark.every  # all that takes minutes
DEMOS = {path.stem for path in (ROOT / "book/live/demos").glob("*.js")}
QUICK = ("digit-walk", "gan-lab")
BY_WEBGL = ("landmarks", "pinch")
DRAWN_BY_WEBGL = ("face-maker", "draw-me")  # a Firefox without a screen and a graphics card may have none


@pytest.fixture(scope="module")
def firefox() -> str:
    """This machine's; without one the tests are skipped, in continuous integration they fail."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        message = "No Firefox: the demos were NOT tested in it. `make system` says what to do."
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return found


def told(script: str, *arguments: str) -> dict:
    """What a script beside this file says in the end."""
    result = run(str(ROOT / ".venv/bin/node"), str(ROOT / "tests/live" / script), *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def quick(firefox: str, address: str) -> dict:
    return told("firefox.mjs", address, firefox, *QUICK)


@pytest.fixture(scope="module")
def seen(firefox: str, address: str) -> dict:
    return told("firefox.mjs", address, firefox)


@pytest.fixture(scope="module")
def met(firefox: str, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What was said of each trouble; with it the picture that was taken after one that is none."""
    broken, good = (tmp_path_factory.mktemp("given") / name for name in ("notes.png", "me.png"))
    broken.write_bytes(b"these are no pixels")
    Image.fromarray(to_bytes(Portraits(1, size=96, first=9000)[:])[0].permute(1, 2, 0).numpy()).save(good)
    return told("firefox_troubles.mjs", address, firefox, str(broken), str(good)) | {"good": good}


# ---- two demos, each time ----


def test_firefox_knows_what_to_do_with_every_demo(quick):
    assert set(quick["known"]) == DEMOS


def test_nothing_is_loaded_before_a_touch_nor_complained_of(quick):
    assert quick["errors"] == []
    for demo in quick["found"].values():
        assert (demo["trouble"], demo["heavy"], demo["foreign"]) == ("", 0, [])
    assert quick["found"]["digit-walk"]["loaded"] > 0


def test_a_digit_on_the_walk_is_the_one_that_torch_draws(quick):
    walk = quick["found"]["digit-walk"]
    corners = torch.tensor(prepared("digit-walk")["corners"])
    assert walk["pixels"] != walk["before"]
    assert levels_apart(walk["pixels"], drawn("dcgan-mnist", mixed(corners, *walk["values"]))) <= 1


def test_the_laboratory_replays_a_link_to_the_last_bit(quick):
    """Every objective's, and one that Firefox itself has made: what the page shows is what node has played."""
    replays = quick["found"]["gan-lab"]["replays"]
    for replay in replays:
        assert replay["shown"] == replay["played"], replay["link"]
    assert len({replay["shown"] for replay in replays}) == len(replays) > 2  # no two runs are the same


# ---- all of them ----


@every
def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(seen):
    assert set(seen["found"]) == DEMOS
    assert seen["errors"] == []
    assert {name: demo["foreign"] for name, demo in seen["found"].items() if demo["foreign"]} == {}
    assert {name: demo["heavy"] for name, demo in seen["found"].items() if demo["heavy"]} == {}
    troubles = {name: demo["trouble"] for name, demo in seen["found"].items() if demo["trouble"]}
    if not seen["webgl"]:
        for name in BY_WEBGL:
            assert troubles.pop(name).endswith("needs WebGL 2, which this browser lacks or has switched off.")
        for name in DRAWN_BY_WEBGL:
            del troubles[name]  # what it says is tested below
    assert troubles == {}


@every
def test_a_digit_on_the_map_is_the_one_that_torch_draws(seen):
    plane = seen["found"]["digit-plane"]
    assert levels_apart(plane["pixels"], drawn("mnist-plane", torch.tensor(plane["values"]))) <= 1


@every
def test_faces_are_those_that_torch_draws(seen):
    ready = prepared("faces-sliders")
    people = torch.tensor(ready["people"])
    lines = {name: torch.tensor(line) for name, line in ready["directions"].items()}
    sliders, living = seen["found"]["faces-sliders"], seen["found"]["living-faces"]
    assert sliders["values"] == [5, *[0] * 7]
    smiling = drawn("faces-vae", people[0] + 5 * lines["smiling"])
    assert levels_apart(sliders["pixels"], smiling) <= 1
    x, y = living["values"]
    faces = [
        drawn("faces-vae", people[who] - x * lines["looks_left"] + y * lines["long_hair"])
        for who in (0, 4, 5, 6)
    ]
    assert levels_apart(living["pixels"], torch.cat(faces, dim=2)) <= 1


@every
def test_a_face_without_attention_is_the_one_that_torch_draws(seen):
    latents = torch.tensor([prepared("attention")["latents"]])
    network = Watched(pretrained.load("sagan-portraits").config).eval()
    network.generator = pretrained.load("sagan-portraits")
    with torch.no_grad():
        images, _ = network(latents, torch.zeros(1, 1))
    assert seen["found"]["attention"]["values"][2] == 0
    assert levels_apart(seen["found"]["attention"]["pixels"], images[0]) <= 1


@every
def test_a_drawing_between_the_corners_is_the_one_that_torch_draws(seen):
    made = seen["found"]["translation"]
    both = pretrained.load("munit-faces")
    assert isinstance(both, BothWays)
    person = from_bytes(to_bytes(Portraits(1, size=64, first=TEST)[:]))
    style = mixed(torch.tensor(prepared("translation")["corners"]["there"]), *made["values"])
    assert made["pixels"] != made["before"]
    assert levels_apart(made["pixels"], translated(both.a_to_b, person, style[None])[0]) <= 1


@every
@pytest.mark.parametrize(
    ("demo", "network"), [("restore", "unet"), ("deblur", "deblur-best"), ("any-shake", "deblur-any")]
)
def test_restored_photographs_are_those_of_the_package(seen, demo, network):
    sample = prepared(demo)["samples"][1]["given"]
    model = pretrained.load(network)
    model = Listening(model) if isinstance(model, KernelRestorer) else model
    wanted = restore_photo(model, read_photo(SITE / "_static/live" / sample))
    assert levels_apart(seen["found"][demo]["pixels"], from_bytes(bytes_of(wanted))) <= 1


@every
def test_people_are_drawn_where_there_is_webgl_and_else_it_is_said_that_there_is_none(seen):
    maker, likeness = (seen["found"][name] for name in DRAWN_BY_WEBGL)
    if seen["webgl"]:
        assert maker["pixels"] != maker["before"]
        assert likeness["spoken"].startswith("Drawn: ")
    else:
        for demo in (maker, likeness):
            assert demo["trouble"] == (
                "This demo could not be started here: Faces are drawn by WebGL 2, "
                "which this browser does not offer or has switched off."
            )
            assert demo["still"]


@every
def test_a_face_is_found_where_webgl_takes_pictures_in(seen):
    if not seen["webgl"]:
        pytest.skip("this machine's Firefox has no WebGL; that the page says so is tested above")
    assert seen["told"].startswith("A face of 478 landmarks; it moves most: mouth smile")


@every
def test_a_picture_is_ready_to_be_heard(seen):
    """The third sample, a fan of hues, is in the canvas: colours, and not the black between two lines."""
    shown = np.asarray(Image.open(io.BytesIO(b64decode(seen["found"]["listen"]["pixels"]))).convert("RGB"))
    assert shown.shape == (256, 256, 3)
    assert (shown.max(axis=(0, 1)) > 200).all()


# ---- what goes wrong ----


@every
def test_a_file_that_is_no_picture_is_refused_and_the_face_stays(met):
    found = met["allowed"]["brokenFile"]
    assert found["trouble"].startswith("notes.png could not be read as a picture")
    assert found["kept"] == found["before"]


@every
def test_the_picture_after_it_is_coded_as_the_package_codes_it(met):
    model = pretrained.load("faces-vae")
    with torch.no_grad():
        mean, _ = model.encoder(read_square(met["good"].read_bytes(), 64, 3)[None])
    found = met["allowed"]["brokenFile"]
    assert levels_apart(found["pixels"], drawn("faces-vae", mean[0])) <= 3  # a level given moves the code
    assert found["after"] == ""


@every
def test_a_model_that_is_missing_is_named_and_can_be_tried_again(met):
    found = met["allowed"]["missingModel"]
    assert found["trouble"] == (
        "The model mnist-plane-decoder could not be fetched: the server answered 404. "
        "Try again, or load the page anew."
    )
    assert found["kept"] == found["before"]
    assert levels_apart(found["pixels"], drawn("mnist-plane", torch.tensor(found["values"]))) <= 1
    assert found["after"] == ""


@every
def test_a_frame_of_the_camera_arrives(met):
    """Firefox's own camera for tests, of one colour, in 16:9; of a frame's sides the longer has at most 640 pixels."""
    assert met["allowed"]["camera"] == {"width": 640, "height": 360, "coloured": True}


@every
def test_a_camera_that_is_refused_is_told_in_a_sentence(met):
    assert met["refused"]["camera"] == {
        "trouble": "The camera was refused; allow it beside the page’s address, or choose a picture instead."
    }


@every
def test_firefox_complains_of_no_trouble_that_the_page_has_told(met):
    assert met["allowed"]["errors"] == met["refused"]["errors"] == []
