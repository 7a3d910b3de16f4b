"""Guards the angular margin (Deng et al. 2019, equation 3), and what a teacher says of drawings, in closed form."""

import math
import re

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from companion import pretrained
from companion.data.faces import Portraits
from companion.errors import CompanionError
from companion.metrics.verification import recall_at_one
from companion.models.identity import SphereFace, SphereFaceConfig
from companion.models.registry import Port, Signature, image, latents, vector
from companion.training.faces import read_faces
from companion.training.identity import (
    Teacher,
    angular_margin,
    is_encoder,
    new_recognising,
    recognition_lessons,
)

PEOPLE = torch.tensor([0, 1, 2, 1, 0])


def cosines(seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    rows, directions = torch.randn(5, 4, generator=draw), torch.randn(3, 4, generator=draw)
    return normalize(rows, dim=1) @ normalize(directions, dim=1).T


def test_without_a_margin_the_logits_are_the_scaled_cosines():
    torch.testing.assert_close(angular_margin(cosines(), PEOPLE, margin=0.0, scale=7.0), 7 * cosines())


def test_ones_own_angle_counts_wider_by_the_margin_and_nobody_elses_does():
    found = angular_margin(cosines(), PEOPLE, margin=0.3, scale=10.0) / 10
    for row, who in enumerate(PEOPLE.tolist()):
        for person in range(3):
            angle = math.acos(float(cosines()[row, person])) + (0.3 if person == who else 0)
            assert found[row, person].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_the_loss_is_that_of_a_reference_library():
    """`ArcFaceLoss(3, 4, margin=math.degrees(0.3), scale=16)` of pytorch-metric-learning 2.9.0 gave this number."""
    torch.manual_seed(0)
    rows = torch.randn(5, 4)
    directions = torch.tensor([[0.5, -1.0, 0.25, 0.75], [-0.5, 0.5, 1.0, 0.0], [1.0, 1.0, -1.0, 0.5]])
    alike = normalize(rows, dim=1) @ normalize(directions, dim=1).T
    assert cross_entropy(angular_margin(alike, PEOPLE), PEOPLE).item() == pytest.approx(REFERENCE, rel=1e-5)


REFERENCE = 13.77782917022705


def test_a_wider_angle_never_pays_even_where_the_cosine_would_rise_again():
    angles = torch.linspace(0.001, math.pi - 0.001, 400, dtype=torch.double)
    logits = angular_margin(angles.cos()[:, None], torch.zeros(400, dtype=torch.long), margin=0.5)
    assert (logits[1:] < logits[:-1]).all()


def test_its_slope_is_finite_where_an_embedding_lies_on_its_direction():
    exact = torch.tensor([[1.0, 0.0]], requires_grad=True)
    angular_margin(exact, torch.tensor([0])).sum().backward()
    assert exact.grad.isfinite().all()


@pytest.mark.slow
def test_strangers_are_told_apart_after_lessons_and_a_wrong_album_teaches_less():
    """The control has the same pictures under shuffled names."""
    views = Portraits(300, views=4, size=32, seed=3).rendered().pixels.view(300, 4, 3, 32, 32)
    known, strangers = views[:200], views[200:]
    shuffled = known.flatten(0, 1)[torch.randperm(800, generator=torch.Generator().manual_seed(0))]
    recalls = []
    for album in (known, shuffled.view_as(known)):
        model = new_recognising(200, SphereFaceConfig(32, 32, 8), seed=1)
        lessons = recognition_lessons(model, album, rounds=16, seed=1)
        list(lessons.trainer.run(lessons.batches, steps=lessons.steps))
        one, other = (read_faces(model.encoder, strangers[:, view]) for view in (0, 1))
        recalls.append(recall_at_one(one, other))
    assert recalls[0] > recalls[1] + 0.1


class Undecided(nn.Module):
    """To which every person is at a right angle to every picture."""

    def __init__(self, people: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(people))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.weight.expand(len(images), -1) + 0 * images.mean()


@pytest.mark.parametrize(("given", "margin"), [({}, 0.3), ({"margin": 0.0}, 0.0), ({"margin": 0.5}, 0.5)])
def test_lessons_ask_for_the_margin(given, margin):
    album = torch.zeros(4, 2, 3, 16, 16, dtype=torch.uint8)
    lessons = recognition_lessons(Undecided(4), album, rounds=1, seed=1, **given)
    report = next(iter(lessons.trainer.run(lessons.batches, steps=1)))
    own = math.exp(16 * math.cos(math.pi / 2 + margin))
    assert next(iter(report.numbers.values())) == pytest.approx(-math.log(own / (own + 3)), rel=1e-4)


def test_a_seed_is_the_first_weights():
    config = SphereFaceConfig(4, 16, 2)
    one, again, other = (next(new_recognising(4, config, seed=seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_teachers_threshold_and_temperature_are_the_pages():
    teacher = Teacher(Means(), flat(RED, GREEN))
    assert (teacher.threshold, teacher.temperature) == (0.5, 0.1)


# ---- a teacher ----


class Means(nn.Module):
    """Embeds a picture as the means of its channels."""

    class config:
        size = 16

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.norm = nn.BatchNorm2d(3, affine=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * self.norm(images).mean((2, 3))


def flat(*colours: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(colours)[:, :, None, None].expand(-1, -1, 16, 16).clone()


RED, GREEN, ORANGE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.8, 0.6, 0.0)


def test_a_drawing_that_is_like_enough_costs_nothing_and_another_what_it_lacks():
    teacher = Teacher(Means(), flat(RED, GREEN), threshold=0.7)
    drawn, images = flat(RED, ORANGE, GREEN), flat(RED, RED, RED)  # cosines 1, 0.8 and 0
    assert teacher.identity(drawn, images).item() == pytest.approx(0.7 / 3, rel=1e-4)
    assert teacher.identity(drawn[:2], images[:2]).item() == 0


def test_distillation_is_the_divergence_of_two_softmaxes_at_a_temperature():
    teacher = Teacher(Means(), flat(RED, GREEN), temperature=0.5)
    wanted, found = (torch.tensor(row).div(0.5).softmax(0) for row in ([1.0, 0.0], [0.8, 0.6]))
    divergence = float((wanted * (wanted / found).log()).sum())
    assert teacher.distilled(flat(ORANGE), flat(RED)).item() == pytest.approx(0.25 * divergence, rel=1e-4)
    assert teacher.distilled(flat(ORANGE), flat(ORANGE)).item() == pytest.approx(0, abs=1e-7)


def test_a_teacher_stays_as_it_is_and_lends_its_slope_to_drawings():
    teacher = Teacher(Means(), flat(RED, GREEN), threshold=1.0).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    drawn = flat(ORANGE).requires_grad_()
    (teacher.identity(drawn, flat(GREEN)) + teacher.distilled(drawn, flat(GREEN))).backward()
    assert drawn.grad.abs().sum() > 0
    assert teacher.encoder.scale.grad is None
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_it_sees_images_of_any_size_as_its_encoder_wants_them():
    teacher = Teacher(Means(), flat(RED, GREEN))
    large = torch.tensor([ORANGE])[:, :, None, None].expand(-1, -1, 48, 48)
    torch.testing.assert_close(teacher.embedded(large), torch.tensor([ORANGE]), rtol=1e-4, atol=1e-4)


class Nameless(Means):
    """Does not say which pictures it reads."""

    config = None


class Maps(Means):
    """Makes a map of each picture, and no row of numbers."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(images)


NO_TEACHERS = {
    "of grey pictures": lambda: pretrained.load("digit-features"),
    "of any size": lambda: pretrained.load("deblur-any"),
    "of latents": lambda: pretrained.load("dcgan-digits"),
    "that draws": lambda: pretrained.load("faces-vae"),
    "of two inputs": lambda: pretrained.load("munit-faces"),
    "without a size": Nameless,
    "of another kind": lambda: nn.Linear(3, 2),
    "of maps": Maps,
}


@pytest.mark.parametrize("kind", NO_TEACHERS)
def test_a_network_that_tells_nobody_apart_is_no_teacher(kind):
    with pytest.raises(CompanionError, match="cannot tell who is in a picture; give a network"):
        Teacher(NO_TEACHERS[kind](), flat(RED, GREEN))


FACE, ROW = image("images", 3, 16), vector("embeddings", 4)
MAPS = Port("maps", "vector", ("batch", 4, 8, 8))


@pytest.mark.parametrize(
    ("ports", "is_one"),
    [
        (((FACE,), (ROW,)), True),
        (((FACE, vector("more", 3)), (ROW,)), False),
        (((FACE,), (ROW, ROW)), False),
        (((FACE,), (MAPS,)), False),
        (((FACE,), (FACE,)), False),
        (((image("grey", 1, 16),), (ROW,)), False),
        (((image("larger", 3, 32),), (ROW,)), False),
        (((image("any", 3),), (ROW,)), False),
        (((latents(16),), (ROW,)), False),
    ],
    ids=["encoder", "two in", "two out", "maps", "draws", "grey", "another size", "any size", "latents"],
)
def test_of_a_registered_network_its_signature_says_whether_it_encodes_faces(monkeypatch, ports, is_one):
    monkeypatch.setattr("companion.training.identity.signature_of", lambda network: Signature(*ports))
    assert is_encoder(SphereFace(SphereFaceConfig(4, 16, 2))) == is_one


@pytest.mark.parametrize("name", ["identity", "faces-identity"])
def test_the_packaged_encoders_are_teachers(name):
    embedded = Teacher(pretrained.load(name), flat(RED, GREEN)).embedded(flat(RED, GREEN, ORANGE))
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones(3), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    "shape", [(2, 1, 16, 16), (2, 4, 16, 16), (2, 3, 16, 12), (3, 16, 16), (0, 3, 16, 16)]
)
def test_a_teacher_sees_square_colour_pictures_alone(shape):
    """Grey ones, such with an alpha channel, oblong ones, a single one and none are refused in one sentence."""
    with pytest.raises(CompanionError, match=f"and these are {re.escape(str(shape))}; cut out squares"):
        Teacher(Means(), torch.zeros(shape))
    teacher = Teacher(Means(), flat(RED, GREEN))
    for part in (teacher.identity, teacher.distilled):
        with pytest.raises(CompanionError, match="A teacher sees square colour pictures"):
            part(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("part", ["identity", "distilled"])
def test_each_drawing_is_held_against_the_picture_it_was_drawn_from(part):
    """One picture for several drawings would be taken for each of them."""
    teacher = Teacher(Means(), flat(RED, GREEN))
    with pytest.raises(
        CompanionError, match="2 drawings cannot be compared with 1 pictures; give the picture"
    ):
        getattr(teacher, part)(flat(RED, GREEN), flat(RED))
