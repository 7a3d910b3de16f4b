"""Guards dragging: the map of points is least squares', the point goes where it is told, and the rest is held."""

import pytest
import torch

from companion import latent
from companion.data.faces import Portraits
from companion.errors import CompanionError
from companion.latent.dragging import POINTS, RIDGE, Handles
from companion.models.vae import VAE, VAEConfig


def straight() -> Handles:
    """Handles whose pictures obey: what is seen is what the code says."""
    draw = torch.Generator().manual_seed(0)
    codes = torch.randn(200, 8, generator=draw)
    places = codes @ torch.randn(8, 12, generator=draw) + 20
    handles = Handles.fit(VAE(VAEConfig(32, 3, 8, 4)), codes, places.view(200, 6, 2))
    object.__setattr__(handles, "seen", handles.points)
    return handles


def test_the_map_is_scikit_learns_ridge():
    from sklearn.linear_model import Ridge

    draw = torch.Generator().manual_seed(1)
    codes, points = torch.randn(50, 4, generator=draw), torch.randn(50, 3, 2, generator=draw)
    handles = Handles.fit(VAE(VAEConfig(32, 3, 4, 4)), codes, points)
    theirs = Ridge(alpha=RIDGE).fit(codes.numpy(), points.flatten(1).numpy())
    found = handles.points(codes).flatten(1).numpy()
    assert found == pytest.approx(theirs.predict(codes.numpy()), abs=1e-4)


def test_a_free_point_arrives_and_firmer_codes_move_less():
    handles, codes = straight(), torch.randn(5, 8, generator=torch.Generator().manual_seed(2))
    before = handles.points(codes)
    for stay, close in ((1e-6, 0.01), (100.0, 4.0)):
        after = handles.points(handles.drag(codes, 2, (3.0, -2.0), hold=0.0, stay=stay))
        assert (after[:, 2] - before[:, 2] - torch.tensor([3.0, -2.0])).norm(dim=1).max() < close
    assert (after[:, 2] - before[:, 2]).norm(dim=1).max() < 3.0  # the firm ones stay behind


def test_one_step_is_the_minimum_of_what_the_docstring_says():
    handles, codes = straight(), torch.randn(1, 8, generator=torch.Generator().manual_seed(3))
    begun, hold, stay = handles.points(codes), 0.5, 0.2
    far = handles._far(begun, 1)[0]

    def cost(step: torch.Tensor) -> torch.Tensor:
        way = handles.points(codes + step)[0] - begun[0]
        aim = (way[1] - torch.tensor([1.0, 2.0])).square().sum()
        others = (far * way.square().sum(1)).sum()
        return aim + hold * others + stay * step[0] @ handles.precision @ step[0]

    step = (handles.drag(codes, 1, (1.0, 2.0), hold=hold, stay=stay, steps=1) - codes).requires_grad_()
    (slope,) = torch.autograd.grad(cost(step), step)
    assert slope.abs().max() < 1e-3
    assert cost(step) < cost(torch.zeros_like(step))


@pytest.mark.slow
def test_a_dragged_chin_goes_down_and_the_eyes_stay():
    model = latent.autoencoder("faces-vae")
    people = Portraits(300, size=64)
    handles = Handles.fit(model, latent.codes(model, people.rendered()[:]), people.landmarks(slice(None)))
    codes = latent.codes(model, Portraits(20, size=64, first=8000)[:])
    before = handles.seen(codes)
    way = handles.seen(handles.drag(codes, POINTS["chin"], (0.0, 4.0))) - before
    assert way[:, POINTS["chin"], 1].mean() > 2
    assert way[:, 36:48].norm(dim=2).mean() < 1


@pytest.mark.parametrize(("codes", "points"), [(3, 3), (9, 8)])
def test_what_cannot_be_fitted_is_refused(codes, points):
    with pytest.raises(CompanionError, match="cannot be fitted"):
        Handles.fit(VAE(VAEConfig(32, 3, 4, 4)), torch.zeros(codes, 4), torch.zeros(points, 5, 2))


def test_a_point_that_is_not_there_is_refused():
    with pytest.raises(CompanionError, match="from 0 to 5"):
        straight().drag(torch.zeros(1, 8), 6, (1.0, 0.0))
