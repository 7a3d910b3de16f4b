"""Guards what is said of translated drawings: how far points are off, and which kinds of drawing are reached."""

import math

import pytest
import torch

from companion.data.faces import Caricatures, draw_caricatures
from companion.data.faces.caricature import PAPERS
from companion.reproduce.ch07 import drawn
from companion.reproduce.ch07.drawn import Points


@pytest.fixture
def true() -> torch.Tensor:
    """The points of five true drawings."""
    return Caricatures(5, size=64, first=8000).landmarks(slice(None))


def test_points_moved_by_a_tenth_of_the_eyes_distance_are_a_tenth_off(true):
    eyes = (true[:, 36] - true[:, 45]).norm(dim=1)
    moved = true + (0.1 * eyes)[:, None, None] * torch.tensor([0.6, 0.8])
    assert Points(moved, true).off() == pytest.approx([0.1] * 5, abs=1e-3)
    assert Points(moved, true).off_in_shape() == pytest.approx([0.0] * 5, abs=1e-3), "it is the same shape"


def test_a_shape_is_told_apart_from_where_it_stands(true):
    turn = torch.tensor([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    elsewhere = 1.7 * true @ turn.T + torch.tensor([3.0, -9.0])
    torch.testing.assert_close(drawn.brought_near(elsewhere, true), true, rtol=1e-4, atol=1e-3)
    chin = elsewhere.clone()
    chin[:, 8] += 10
    assert min(Points(chin, true).off_in_shape()) > 0.002
    mirrored = true * torch.tensor([-1.0, 1.0])
    assert min(Points(mirrored, true).off_in_shape()) > 0.05, "a similarity does not mirror"


def test_nothing_brings_points_nearer_than_the_similarity_found(true):
    other = true.roll(1, 0)
    found = (drawn.brought_near(other, true) - true).square().sum((1, 2))
    draws = torch.Generator().manual_seed(0)
    for _ in range(50):
        scale = 1 + 0.1 * torch.randn(1, generator=draws)
        tried = scale * other + torch.randn(2, generator=draws)
        assert ((tried - true).square().sum((1, 2)) >= found - 1e-3).all()


def test_true_points_are_those_of_the_drawings_set(true):
    faces = Caricatures(5, size=64, first=8000).faces()
    torch.testing.assert_close(drawn.true_points(faces, 1.5), true)
    assert (drawn.true_points(faces, 1.0) - true).abs().max() > 0.5


def test_each_kind_of_drawing_has_a_number_of_its_own():
    yes_no = torch.tensor([False, True]).long()
    papers, *hands = torch.cartesian_prod(torch.arange(len(PAPERS)), yes_no, yes_no, yes_no).unbind(1)
    hands = torch.stack(hands, 1)
    assert drawn.kinds_of(papers, hands).tolist() == list(range(8 * len(PAPERS)))
    assert torch.equal(drawn.kinds_of(papers, 3.0 * hands - 1.5), drawn.kinds_of(papers, hands > 0))


def test_a_papers_tint_is_read_off_the_corners():
    places = torch.arange(len(PAPERS)) / (len(PAPERS) - 1e-3) + 1e-4  # no mixtures
    plain = {"disc": torch.zeros(len(PAPERS)), "wash": torch.zeros(len(PAPERS)), "ground_phase": places}
    faces = Caricatures(len(PAPERS), first=8000).faces().replace(**plain)
    images = draw_caricatures(faces, 64, k=1.5).images
    assert drawn.papers_of(images).tolist() == list(range(len(PAPERS)))
    assert drawn.papers_of(images.roll(2, 0)).tolist() != list(range(len(PAPERS)))


def test_hands_are_those_of_the_parameters():
    faces = Caricatures(4, first=8000).faces()
    on, off = torch.ones(4), torch.zeros(4)
    hands = drawn.hands_of(faces.replace(disc=on, hatch=off, wash=on))
    assert hands.tolist() == [[True, False, True]] * 4


def test_kinds_that_are_dropped_count_and_rare_ones_do_not():
    expected = torch.tensor([0.5, 0.3, 0.195, 0.005])
    assert drawn.reached(expected, expected) == 1
    assert drawn.reached(expected, torch.tensor([0.6, 0.4, 0.0, 0.0])) == pytest.approx(2 / 3)
    assert drawn.reached(expected, torch.tensor([0.6, 0.35, 0.05, 0.0])) == 1, "a quarter as often is enough"
    assert drawn.apart(expected, expected) == 0
    assert drawn.apart(expected, torch.tensor([0.7, 0.3, 0.0, 0.0])) == pytest.approx(0.2)


def test_one_kind_for_everybody_is_told_to_drop_the_others():
    found = {
        "expected": [0.25] * 4,
        "ways": {"all in one": [[1.0, 0, 0, 0], [0, 1.0, 0, 0]], "true": [[0.25] * 4] * 2},
        "right": {"true": [0.9, 0.8]},
    }
    told = {one.name: one for one in drawn._told_kinds(found, 4)}
    assert told["kinds asked for"].value == 4
    assert told["kinds reached: all in one"].value == 0.25
    assert told["drawings of the wrong kind: all in one"].value == 0.75
    assert told["kinds reached: true"].value == 1
    assert told["disc, hatching and print read rightly: true"].value == pytest.approx(0.85)
