"""Guards how the translation is measured: whose pictures are compared with whose, on numbers whose answer is known."""

from functools import partial

import pytest
import torch

from companion.data.assets import manifest
from companion.metrics import frechet_distance
from companion.metrics.verification import recall_at_one
from companion.models.munit import BothWays, MUNITConfig
from companion.reproduce.ch07 import identity, munit, people
from companion.reproduce.ch07.munit import Truth
from companion.reproduce.job import Job
from companion.training.identity import Teacher


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
    found = people._redrawn(both, drawings, styles)
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


def test_of_real_people_the_recipe_says_how_many_of_each_encoder_there_were(tmp_path):
    """Its debug run leaves dlib out, and the rest is there; a picture is never compared with itself."""
    if not manifest()["orl"].here:
        pytest.skip("needs the ORL faces: companion assets fetch orl")
    result = identity.identity_people(Job(tmp_path, "debug"))
    areas = {m.name: m for m in result.metrics if m.name.startswith("area")}
    assert len(areas) == 4
    assert all(0.5 < one.value < 1 for one in areas.values())
    assert all("120 of 120 photographs of 12 people" in one.protocol for one in areas.values())


def test_same_pictures_are_told_apart_perfectly_and_chance_is_chance():
    who = torch.arange(40).repeat_interleave(4)
    exact = identity._among_themselves(torch.eye(40)[who] + 0.01 * torch.randn(160, 40), who)
    assert (exact["area"], exact["nearest"]) == (1, 1)
    assert exact["1 %"] == [1.0] * identity.FOLDS
    blind = identity._among_themselves(torch.randn(160, 40), who)
    assert blind["area"] == pytest.approx(0.5, abs=0.06)
    assert blind["nearest"] < 0.15


def test_whitened_rows_vary_by_one_within_a_person_in_every_direction():
    """Of others' rows, with a spread that differs by place and leans."""
    lean = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 4.0]])
    known = 5 * torch.randn(400, 1, 3) + torch.randn(400, 6, 3) @ lean + 7
    rows = identity._whitened({"all": known.flatten(0, 1)}, known)["all"].view(400, 6, 3)
    within = (rows - rows.mean(1, keepdim=True)).flatten(0, 1)
    torch.testing.assert_close(within.T @ within / len(within), torch.eye(3), atol=0.05, rtol=0)
    assert rows.mean((0, 1)).abs().max() < 1e-3


def test_an_untrained_teacher_is_asked_for_something_once_it_is_centred():
    """Less their mean, its embeddings of portraits and of their drawings are not all alike; as they are, they are."""
    pairs = identity._pairs(20)
    centred = identity._teacher(untrained=True)
    for encoder, asked in ((centred, True), (centred.encoder, False)):
        assert (Teacher(encoder, pairs.a).identity(pairs.b, pairs.a) > 0.05) == asked
