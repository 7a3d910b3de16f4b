"""Guards what a tester broke: odd input to the latents' functions is one sentence, and promises hold at the edges."""

import pytest
import torch

from companion import latent
from companion.errors import CompanionError
from companion.latent.sliders import LatentDrag, LatentPad, LatentSliders
from companion.models.vae import VAE, VAEConfig

DRAW = torch.Generator().manual_seed(0)
MODEL = VAE(VAEConfig(32, 1, 4, 4, 1)).eval()
IMAGES = torch.rand(3, 1, 32, 32, generator=DRAW) * 2 - 1
CODES = torch.randn(20, 4, generator=DRAW)
FRAMES = torch.zeros(3, 1, 8, 8)
LABELS = torch.arange(20) % 2
NOT_A_NUMBER = torch.full((4,), torch.nan)


CROWD = torch.rand(60, 2, generator=torch.Generator().manual_seed(1)) * 4 - 2
ACROSS = latent.walk(torch.tensor([[-3.0, -3.0], [3.0, 3.0]]), 20)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2])
def test_a_bent_walk_keeps_its_margin_among_many_codes(margin):
    bent = latent.avoiding(ACROSS, CROWD, margin=margin)
    assert torch.cdist(bent[1:-1], CROWD).min() >= margin


def test_a_margin_that_leaves_no_way_is_refused():
    everywhere = torch.arange(-100, 100, 0.5)[:, None]
    with pytest.raises(CompanionError, match="smaller margin"):
        latent.avoiding(torch.linspace(-3, 3, 9)[:, None], everywhere, margin=0.4)


@pytest.mark.parametrize("length", [1, 4])
def test_a_frame_on_a_training_code_is_moved_away(length):
    way = torch.linspace(-3, 3, 9)[:, None].expand(-1, length).contiguous()
    bent = latent.avoiding(way, torch.zeros(1, length), margin=0.5)
    assert bent[1:-1].norm(dim=1).min() >= 0.5


def test_other_directions_that_say_nothing_new_take_nothing_more_away():
    direction, other = CODES[0], CODES[1]
    alone = latent.orthogonal(direction, {"a": other})
    for others in ({"a": other, "b": 2 * other}, {"a": other, "z": torch.zeros(4)}):
        torch.testing.assert_close(latent.orthogonal(direction, others), alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(latent.orthogonal(direction, {"z": torch.zeros(4)}), direction)


def test_a_film_without_frames_leaves_the_old_one_alone(tmp_path):
    for name in ("walk.gif", "walk.mp4"):
        (tmp_path / name).write_bytes(b"old")
        with pytest.raises(CompanionError, match="cannot be saved"):
            latent.save_walk(FRAMES[:0], tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"old"


HANDLES = latent.Handles.fit(MODEL, CODES, torch.rand(20, 3, 2, generator=DRAW))
ODD = {
    "decoded, other length": lambda: latent.decoded(MODEL, torch.zeros(3, 5)),
    "decoded, one axis": lambda: latent.decoded(MODEL, torch.zeros(4)),
    "decoded, none": lambda: latent.decoded(MODEL, torch.zeros(0, 4)),
    "codes, damaged": lambda: latent.codes(MODEL, IMAGES * torch.nan),
    "edited, other length": lambda: latent.edited(MODEL, IMAGES, {"a": torch.ones(3)}, {"a": 1.0}),
    "orthogonal, other length": lambda: latent.orthogonal(CODES[0], {"a": torch.ones(3)}),
    "mean, damaged": lambda: latent.mean_direction(CODES * torch.nan, LABELS),
    "mean, labels of two axes": lambda: latent.mean_direction(CODES, LABELS[:, None]),
    "logistic, three kinds": lambda: latent.logistic_direction(CODES, torch.arange(20) % 3),
    "logistic, all alike": lambda: latent.logistic_direction(torch.ones(20, 4), LABELS),
    "logistic, no strength": lambda: latent.logistic_direction(CODES, LABELS, strength=0.0),
    "principal, too many": lambda: latent.principal_directions(CODES, 9),
    "principal, one code": lambda: latent.principal_directions(CODES[:1], 2),
    "mixture of none": lambda: latent.fitted_mixture(CODES, parts=0),
    "mixture, damaged": lambda: latent.fitted_mixture(CODES * torch.nan, parts=2),
    "walk, half a step": lambda: latent.walk(CODES[:2], 2.5),
    "film, no rate": lambda: latent.save_walk(FRAMES, "walk.gif", rate=0.0),
    "film, two channels": lambda: latent.save_walk(torch.zeros(2, 2, 8, 8), "walk.gif"),
    "film, no size": lambda: latent.save_walk(FRAMES, "walk.gif", scale=0),
    "check, two sizes": lambda: latent.check_walk(FRAMES, torch.zeros(3, 1, 8, 4), FRAMES),
    "check, one image": lambda: latent.check_walk(FRAMES, FRAMES[:1], FRAMES),
    "check, damaged": lambda: latent.check_walk(FRAMES * torch.nan, FRAMES, FRAMES),
    "avoiding nobody": lambda: latent.avoiding(CODES, CODES[:0], margin=1.0),
    "avoiding, no way": lambda: latent.avoiding(CODES[:1], CODES, margin=1.0),
    "avoiding, no margin": lambda: latent.avoiding(CODES, CODES, margin=float("nan")),
    "membership of tables": lambda: latent.membership(CODES, CODES),
    "membership of nobody": lambda: latent.membership(CODES[0], CODES[0, :0]),
    "handles of other codes": lambda: latent.Handles.fit(MODEL, torch.ones(20, 5), torch.zeros(20, 3, 2)),
    "handles in space": lambda: latent.Handles.fit(MODEL, CODES, torch.zeros(20, 3, 3)),
    "drag by name": lambda: HANDLES.drag(CODES, "chin", (1.0, 0.0)),
    "drag, one way": lambda: HANDLES.drag(CODES, 0, (1.0,)),
    "drag, no number": lambda: HANDLES.drag(CODES, 0, (torch.nan, 0.0)),
    "drag three faces": lambda: LatentDrag(HANDLES, IMAGES),
    "drag nothing": lambda: LatentDrag(HANDLES, IMAGES[:1], points={}),
    "sliders of other length": lambda: LatentSliders(MODEL, IMAGES, {"a": torch.ones(3)}),
    "a pad of three": lambda: LatentPad(MODEL, CODES[:3]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_input_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CompanionError) as told:
        ODD[name]()
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())
