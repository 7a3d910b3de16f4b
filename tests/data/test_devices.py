"""Guards that data works where its tensors are: no device is needed to find one that was made elsewhere.

A `FakeTensorMode` computes shapes, types and devices alone, and mixing two devices is an error in it as on a GPU.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from companion.data import faces as drawn
from companion.data.batches import Labelled
from companion.data.degrade import Camera, blur
from companion.data.faces import Faces, draw, exaggerate, interpolate
from companion.data.scale import from_bytes, to_bytes
from companion.data.toy import GaussianRing

ELSEWHERE = torch.device("cuda")
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


@pytest.mark.parametrize("work", WORK.values(), ids=list(WORK))
def test_everything_stays_on_its_device(work):
    with FakeTensorMode(allow_non_fake_inputs=True):
        images = torch.zeros(2, 3, 32, 32, device=ELSEWHERE)
        faces = Faces(torch.empty(FACES.values.shape, device=ELSEWHERE))
        assert work(images, faces).device.type == "cuda"


@pytest.mark.parametrize("renderer", [drawn.draw_portraits, drawn.draw_caricatures])
def test_the_renderers_stay_on_their_device(renderer, monkeypatch):
    """Everybody wears everything: how many wear a hat no fake tensor can know."""
    monkeypatch.setattr(
        torch.Tensor, "nonzero", lambda mask: torch.arange(len(mask), device=mask.device)[:, None]
    )
    with FakeTensorMode(allow_non_fake_inputs=True):
        faces = Faces(torch.empty(FACES.values.shape, device=ELSEWHERE))
        assert {part.device.type for part in vars(renderer(faces, 16)).values()} == {"cuda"}
