"""Guards that the page finds the blur that the package finds: same part of a photograph, same kernels, same evidence.

Both are double precision from the same formulas. A slope that one keeps and the other sets to zero would change a
kernel visibly, so agreement is asked to far below that.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from house import ROOT, run

from companion import blind, classical, listening, pretrained
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.photos import load_photos
from companion.data.scale import to_bytes
from companion.models.anyblur import spread
from companion.tiling import _image

KERNELS, EVIDENCE = 1e-5, 1e-4  # largest differences: of a kernel's light, and per pixel


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    """One that was shaken, the same sharp, and one with room for small kernels only; sides with many factors."""
    photos = load_photos("embedded").split("test")
    pairs, _ = held_out(photos, Camera(shakes=2, seed=5, size=11, length=12, noise=0.001), 160)
    shaken, sharp = (to_bytes(one[0]).permute(1, 2, 0).numpy() for one in (pairs.input, pairs.target))
    return [shaken[:131, :158], sharp[:101], shaken[40:103, 30:77]]


@pytest.fixture(scope="module")
def page(photographs, tmp_path_factory) -> dict:
    cases = tmp_path_factory.mktemp("blurs") / "photographs.json"
    told = [
        {"pixels": photo.flatten().tolist(), "width": photo.shape[1], "height": photo.shape[0]}
        for photo in [*photographs, large()]
    ]
    cases.write_text(json.dumps(told))
    done = run(str(ROOT / ".venv/bin/node"), str(Path(__file__).parent / "blind_parity.js"), str(cases))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def large() -> np.ndarray:
    """Wider than what is looked at, and low, so that only the smallest kernel is tried: dots at one end."""
    photo = np.full((30, 1001, 3), 90, np.uint8)
    photo[:, 700:760] = np.random.default_rng(1).integers(0, 256, (30, 60, 3))
    return photo


@pytest.mark.slow
def test_the_kernels_of_every_size_and_their_evidence_are_the_packages(photographs, page):
    for photo, found in zip(photographs, page["found"], strict=False):
        picture = _image(photo, 255)
        tried = [size for size in blind.SIZES if size <= min(photo.shape[:2]) // 3]
        kernels = [blind._set_in(blind.blind_kernel(picture, size), 41) for size in tried]
        apart = torch.tensor(found["kernels"]) - torch.stack(kernels).flatten(1)
        freedom = torch.tensor([0, *(size**2 for size in tried)])
        weighed = blind.evidence(picture, torch.stack([blind.delta(41), *kernels]), freedom)
        differ = torch.tensor(found["weighed"]) - weighed
        print(f"{photo.shape}: kernels {apart.abs().max():.1g}, evidence {differ.abs().max():.1g} apart")
        assert apart.abs().max() < KERNELS
        assert differ.abs().max() < EVIDENCE


@pytest.mark.slow
def test_what_is_thought_is_the_packages(photographs, page):
    sure = []
    for photo, found in zip(photographs[:2], page["found"], strict=False):
        blur = blind.likeliest_blur(_image(photo, 255))
        sure.append(blur.sure)
        assert found["sure"] is blur.sure
        assert found["evidence"] == pytest.approx(blur.evidence, abs=2 * EVIDENCE)
        assert found["steepness"] == pytest.approx(blur.steepness, rel=1e-3)
        wide = math.sqrt(12) * float(spread(blur.kernel[None]))
        assert found["width"] == pytest.approx(wide, abs=0.01)
    assert sure == [True, False]


def test_it_looks_at_the_same_part(page):
    photo = large()
    box = page["found"][-1]["box"]
    there = photo[:, box["left"] : box["left"] + box["width"]]
    assert np.array_equal(there, listening.busiest(photo))
    assert (box["top"], box["height"]) == (0, 30)


def test_the_numbers_are_the_packages(page):
    numbers = page["numbers"]
    assert np.allclose(numbers.pop("STRENGTHS"), classical.STRENGTHS.tolist(), rtol=1e-5)
    home = {**vars(listening), **vars(blind)}
    assert numbers == {
        name: list(home[name]) if isinstance(home[name], tuple) else home[name] for name in numbers
    }
    assert pretrained.load("deblur-any").config.size == max(numbers["SIZES"])
