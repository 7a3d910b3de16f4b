"""Guards how the translation is measured: whose pictures are compared with whose, on numbers whose answer is known."""

from functools import partial

import pytest
import torch

from companion.metrics import frechet_distance
from companion.metrics.verification import recall_at_one
from companion.models.munit import BothWays, MUNITConfig
from companion.reproduce.ch07 import munit, people
from companion.reproduce.ch07.munit import Truth


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    """Rows of length one."""
    return torch.nn.functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


# ---- Truth ----


@pytest.fixture
def truth() -> Truth:
    """Of thirty people whose embeddings are drawn: in drawings everybody is a little, and two are somebody else."""
    found = Truth(16, 30)
    portraits = unit(30, 16)
    drawings = torch.nn.functional.normalize(portraits + 0.1 * unit(30, 16, seed=1))
    drawings[[3, 4]] = drawings[[4, 3]]
    found.__dict__["_known"] = portraits, drawings
    return found


def test_true_drawings_are_recognised_as_themselves_and_as_portraits_as_often_as_their_recall(truth):
    portraits, drawings = truth._known
    of_drawings = truth._identity(drawings)
    assert of_drawings["true drawing"] == 1
    assert of_drawings["recall"] == recall_at_one(drawings, portraits) == pytest.approx(28 / 30)
    of_copies = truth._identity(portraits)
    assert of_copies["recall"] == of_copies["area"] == 1
    assert of_copies["true drawing"] == recall_at_one(portraits, drawings) == pytest.approx(28 / 30)


def test_the_area_is_of_all_pairs_own_against_others(truth):
    portraits, _ = truth._known
    alike = truth._identity(portraits.roll(1, 0))
    assert alike["recall"] == 0
    assert alike["area"] < 0.7, "one's own are no more alike than others are"


def test_frechet_distances_are_between_halves_that_share_nobody(truth, monkeypatch):
    """The first half translated, the other half true."""
    seen = []

    def features(images):
        seen.append(images)
        return images.flatten(1).double()

    truth.__dict__["features"] = features
    images, real = torch.randn(30, 4), 1 + torch.randn(30, 4)
    found = truth.frechet(images, real)
    assert sorted(map(len, seen)) == [15, 15]
    assert any(torch.equal(one, images[:15]) for one in seen)
    assert any(torch.equal(one, real[15:]) for one in seen)
    assert found == pytest.approx(frechet_distance(real[15:].double(), images[:15].double()))


# ---- People ----


@pytest.fixture
def embedded(monkeypatch):
    """In place of the packaged encoder, the pictures' own numbers."""
    monkeypatch.setattr(people, "recognised", lambda images: images)
    found = object.__new__(people.People)
    found.count = 6
    return found


def test_ones_own_picture_is_nearest_and_nobody_is_more_alike(embedded):
    gallery = torch.eye(6)
    own = embedded._nearest(gallery, gallery)
    assert own["found"] == [1] * 6
    assert own["strangers"] == [1.0] * 6


def test_who_looks_like_the_next_is_not_found(embedded):
    gallery = torch.eye(6)
    found = embedded._nearest(gallery.roll(1, 0), gallery)
    assert found["found"] == [0] * 6
    assert found["strangers"] == [0.0] * 6, "those who are as alike are not less alike"


def test_strangers_are_counted_one_by_one(embedded):
    """Person 2 of the six is third nearest: three of five strangers are less alike."""
    gallery = torch.eye(6)
    image = torch.tensor([[0.9, 0.7, 0.8, 0.1, 0.2, 0.3]])
    found = embedded._nearest(image, gallery, rows=[1])
    assert found == {"found": [0], "strangers": [pytest.approx(3 / 5)]}


def test_the_least_of_exact_parabolas_is_their_vertex():
    vertices = [0.25, 0.6, 1.0, 1.37, 2.2]
    apart = torch.tensor([[3 * (k - vertex) ** 2 + 1 for vertex in vertices] for k in people.TRIED])
    assert people._least(apart) == pytest.approx(vertices, abs=1e-4)


def test_drawings_are_taken_apart_by_the_encoder_of_drawings_and_drawn_by_their_decoder(monkeypatch):
    torch.manual_seed(0)
    both = BothWays(MUNITConfig(16, 2, 3, 1)).eval()
    called = []
    for way in ("a_to_b", "b_to_a"):
        for part in ("content", "decoder"):
            layer = getattr(getattr(both, way), part)
            layer.register_forward_hook(partial(lambda name, *_: called.append(name), f"{way}.{part}"))
    drawings, styles = torch.rand(60, 3, 16, 16) * 2 - 1, torch.randn(60, 3)
    found = people.redrawn(both, drawings, styles)
    assert set(called) == {"b_to_a.content", "a_to_b.decoder"}
    with torch.no_grad():
        wanted = both.a_to_b.decoder(both.b_to_a.content(drawings[55:]), styles[55:])
    torch.testing.assert_close(found[55:], wanted, rtol=1e-4, atol=1e-5)


def test_the_styles_of_hands_are_mended(monkeypatch):
    read = torch.cat([torch.randn(8, 2), torch.full((8, 1), 0.05)], 1)
    monkeypatch.setattr(people, "styles_of", lambda model, drawings: read)
    hands = people._hands(None, torch.zeros(8))
    assert torch.equal(hands[:, :2], read[:, :2])
    assert hands[:, 2].std() > 0.3


def test_recognised_people_are_vectors_of_length_one():
    found = munit.recognised(torch.rand(2, 3, 16, 16) * 2 - 1)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2), rtol=1e-4, atol=1e-5)
