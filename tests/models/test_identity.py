"""Guards SphereFace's network and the directions of its people."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from companion.errors import CompanionError
from companion.models.identity import Recognising, RecognisingConfig, SphereFace, SphereFaceConfig

SMALL = SphereFaceConfig(length=5, size=32, width=2)


def test_it_has_the_papers_twenty_convolutions_and_every_pixel_counts():
    torch.manual_seed(0)
    model = SphereFace(SMALL).eval()
    layers = [part for part in model.modules() if isinstance(part, nn.Conv2d)]
    assert len(layers) == 20
    assert [part.out_channels for part in layers if part.stride == (2, 2)] == [2, 4, 8, 16]
    images = torch.randn(2, 3, 32, 32, requires_grad=True)
    outputs = model(images)
    assert outputs.shape == (2, 5)
    outputs.square().sum().backward()
    assert (images.grad.abs().sum(1) > 0).float().mean() > 0.95


def test_a_recogniser_gives_the_cosines_of_the_angles_to_everybodys_directions():
    torch.manual_seed(0)
    model = Recognising(RecognisingConfig(5, 32, 2, people=7)).eval()
    images = torch.randn(3, 3, 32, 32)
    embeddings = normalize(model.encoder(images), dim=1)
    wanted = [
        [float(row @ other / other.norm()) for other in model.directions.detach()]
        for row in embeddings.detach()
    ]
    torch.testing.assert_close(model(images), torch.tensor(wanted))


@pytest.mark.parametrize("change", [{"size": 24}, {"size": 0}, {"size": 10**9}, {"width": 0}, {"length": 0}])
def test_shapes_that_no_network_has_are_refused(change):
    with pytest.raises(CompanionError, match="size|width|length"):
        SphereFaceConfig(**change)
    with pytest.raises(CompanionError, match="people"):
        RecognisingConfig(people=0)
