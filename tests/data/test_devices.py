"""Guards that data works where its tensors are, on a device that is only pretended (`pretend`)."""

import pytest
import torch
from pretend import pretending

from companion.data import faces as drawn
from companion.data.batches import Labelled
from companion.data.degrade import Camera, blur
from companion.data.faces import draw, exaggerate, interpolate, parameters
from companion.data.scale import from_bytes, to_bytes
from companion.data.toy import GaussianRing

ELSEWHERE = "cuda"
FACES = draw(torch.arange(2), torch.zeros(2, dtype=torch.long), 0)

WORK = {
    "scale": lambda images, faces: to_bytes(from_bytes(to_bytes(images))),
    "blur": lambda images, faces: blur(images, Camera().kernels()[0]),
    "degrade": lambda images, faces: Camera().degrade(
        images, Camera().kernels()[:2], torch.Generator().manual_seed(1)
    ),
    "batch": lambda images, faces: Labelled(images, images[:, 0, 0, 0].long())[:1].images,
    "density": lambda images, faces: GaussianRing().density(images[:, 0, 0, :2]),
    "exaggerated": lambda images, faces: exaggerate(faces, 1.5).values,
    "between": lambda images, faces: interpolate(faces.rows(slice(0, 1)), faces.rows(slice(1, 2)), 3).values,
    "labels": lambda images, faces: drawn.labels(faces),
    "landmarks": lambda images, faces: drawn.landmarks(faces, 16),
    "masks": lambda images, faces: drawn.part_masks(faces, 16),
}


@pytest.fixture(scope="module", autouse=True)
def card():
    """One for all tests, since a table that is made once for a device lies on this one; then nothing of it stays."""
    with pretending(ELSEWHERE):
        yield
    parameters._table.cache_clear()


@pytest.mark.parametrize("work", WORK.values(), ids=list(WORK))
def test_everything_stays_on_its_device(work):
    images = torch.zeros(2, 3, 32, 32, device=ELSEWHERE)
    assert work(images, FACES.to(ELSEWHERE)).device.type == ELSEWHERE


@pytest.mark.parametrize("renderer", [drawn.draw_portraits, drawn.draw_caricatures])
def test_the_renderers_stay_on_their_device(renderer):
    parts = vars(renderer(FACES.to(ELSEWHERE), 16)).values()
    assert {part.device.type for part in parts} == {ELSEWHERE}
