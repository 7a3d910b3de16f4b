"""Guards dragging against a picture whose latents are where it lies: a drag has to come out as that shift."""

import pytest
import torch
from torch.nn.functional import interpolate

from companion.errors import CompanionError
from companion.latent import dragging
from companion.models.vae import VAE, VAEConfig


@pytest.fixture
def model():
    return VAE(VAEConfig(size=32, channels=1, latents=2, width=4)).eval()


@pytest.fixture
def sliding(monkeypatch):
    """Features of a picture that lies as far right and down as its two latents say, in pixels."""
    noise = torch.randn(1, 4, 12, 12, generator=torch.Generator().manual_seed(3))
    texture = interpolate(noise, size=32, mode="bicubic", align_corners=False)[0]
    line = torch.arange(32) + 0.5
    places = torch.cartesian_prod(line, line).flip(1)

    def features(_, latents):
        moved = dragging._at(texture, places - latents)
        return moved.T.reshape(4, 32, 32)

    monkeypatch.setattr(dragging, "_features", features)


@pytest.mark.parametrize("goal", [(20.5, 15.5), (15.5, 10.5), (12.5, 19.5)])
def test_a_point_is_brought_to_its_goal_and_the_latents_are_the_shift(model, sliding, goal):
    start = (15.5, 15.5)
    way = dragging.drag(model, torch.zeros(2), start, goal, rate=0.2, spring=0.0)
    shift = torch.tensor(goal) - torch.tensor(start)
    assert torch.dist(way.points[-1], torch.tensor(goal)) <= 1
    assert torch.dist(way.latents[-1], shift) < 2.1  # a pixel short of the goal, and found to a pixel
    assert len(way.latents) == len(way.points) <= 81
    assert torch.equal(way.latents[0], torch.zeros(2))


def test_a_spring_holds_it_back(model, sliding):
    asked = {"point": (15.5, 15.5), "goal": (22.5, 15.5), "rate": 0.2}
    free, held = (dragging.drag(model, torch.zeros(2), **asked, spring=k) for k in (0.0, 1.0))
    assert held.latents[-1].norm() < 0.5 * free.latents[-1].norm()


def test_the_decoders_features_have_the_pictures_size(model):
    assert dragging._features(model, torch.zeros(1, 2)).shape[1:] == (32, 32)


def test_outside_the_picture_is_one_sentence(model):
    with pytest.raises(
        CompanionError, match=r"must lie in the picture, between 0 and 32, not \(3, 3\) and \(40, 3\)"
    ):
        dragging.drag(model, torch.zeros(2), (3, 3), (40, 3))
