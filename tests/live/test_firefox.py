"""Guards that the demos work in Firefox as well: each is used once, and its canvas compared with torch's answer."""

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
from companion.data.scale import bytes_of, from_bytes
from companion.listening import Listening
from companion.models.anyblur import KernelRestorer
from companion.models.sagan import Watched
from companion.tiling import read_photo, restore_photo

pytestmark = [pytest.mark.full, pytest.mark.every]  # the site is built, and a second browser uses it
DRAWN_BY_WEBGL = ("face-maker", "draw-me")  # a Firefox without a screen and a graphics card may have none


@pytest.fixture(scope="module")
def seen(address: str) -> dict:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if not firefox:
        message = "No Firefox: the demos were NOT tested in it. `make system` says what to do."
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    result = run(str(ROOT / ".venv/bin/node"), str(ROOT / "tests/live/firefox.mjs"), address, firefox)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(seen):
    assert seen["errors"] == []
    assert seen["foreign"] == []
    troubles = {name: demo["trouble"] for name, demo in seen["found"].items() if demo["trouble"]}
    if not seen["webgl"]:
        for name in ("landmarks", "pinch"):
            assert troubles.pop(name).endswith("needs WebGL 2, which this browser lacks or has switched off.")
        for name in DRAWN_BY_WEBGL:
            del troubles[name]  # what it says is tested below
    assert troubles == {}
    assert seen["found"]["digit-walk"]["heavy"] == 0  # before its first touch


def test_digits_are_those_that_torch_draws(seen):
    walk, plane = seen["found"]["digit-walk"], seen["found"]["digit-plane"]
    corners = torch.tensor(prepared("digit-walk")["corners"])
    assert levels_apart(walk["pixels"], drawn("dcgan-mnist", mixed(corners, *walk["values"]))) <= 1
    assert levels_apart(plane["pixels"], drawn("mnist-plane", torch.tensor(plane["values"]))) <= 1


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


def test_a_face_without_attention_is_the_one_that_torch_draws(seen):
    latents = torch.tensor([prepared("attention")["latents"]])
    network = Watched(pretrained.load("sagan-portraits").config).eval()
    network.generator = pretrained.load("sagan-portraits")
    with torch.no_grad():
        images, _ = network(latents, torch.zeros(1, 1))
    assert seen["found"]["attention"]["values"][2] == 0
    assert levels_apart(seen["found"]["attention"]["pixels"], images[0]) <= 1


@pytest.mark.parametrize(
    ("demo", "network"), [("restore", "unet"), ("deblur", "deblur-best"), ("any-shake", "deblur-any")]
)
def test_restored_photographs_are_those_of_the_package(seen, demo, network):
    sample = prepared(demo)["samples"][1]["given"]
    model = pretrained.load(network)
    model = Listening(model) if isinstance(model, KernelRestorer) else model
    wanted = restore_photo(model, read_photo(SITE / "_static/live" / sample))
    assert levels_apart(seen["found"][demo]["pixels"], from_bytes(bytes_of(wanted))) <= 1


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


def test_a_face_is_found_where_webgl_takes_pictures_in(seen):
    if not seen["webgl"]:
        pytest.skip("this machine's Firefox has no WebGL; that the page says so is tested above")
    assert seen["told"].startswith("A face of 478 landmarks; it moves most: mouth smile")


def test_a_picture_is_ready_to_be_heard(seen):
    """The third sample, a fan of hues, is in the canvas: colours, and not the black between two lines."""
    shown = np.asarray(Image.open(io.BytesIO(b64decode(seen["found"]["listen"]["pixels"]))).convert("RGB"))
    assert shown.shape == (256, 256, 3)
    assert (shown.max(axis=(0, 1)) > 200).all()
