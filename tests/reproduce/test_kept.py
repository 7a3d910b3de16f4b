"""Guards what is said of drawings of real people: proportions read off a mesh, and whose picture is nearest."""

import numpy as np
import pytest
import torch

from companion.reproduce.ch07 import kept


def test_proportions_are_the_distances_between_their_points():
    points = np.zeros((478, 2))
    points[454] = (3, 4)
    points[[33, 133]] = (0, 0), (2, 0)
    points[[362, 263]] = (0, 0), (0, 4)
    found = dict(zip(kept.PROPORTIONS, kept.distances(points), strict=True))
    assert found["face, across"] == 5
    assert found["eyes, across"] == 3, "of both eyes the mean"
    assert found["mouth to chin"] == 0
    assert all(max(pair) < 478 for pairs in kept.PROPORTIONS.values() for pair in pairs)


def test_agreement_is_one_for_any_change_that_is_the_same_for_everybody():
    rows = np.random.default_rng(0).normal(size=(30, 12))
    changed = rows * np.arange(1, 13) + np.arange(12)
    assert kept.agreement(changed, rows) == pytest.approx([1.0] * 30)
    assert kept.agreement(-rows, rows) == pytest.approx([-1.0] * 30)
    assert abs(np.mean(kept.agreement(np.roll(rows, 1, 0), rows))) < 0.2


def test_whoever_is_not_found_twice_is_left_out():
    rows = np.random.default_rng(0).normal(size=(30, 12))
    missing = rows.copy()
    missing[3] = np.nan
    assert len(kept.agreement(missing, rows)) == 29
    assert kept.agreement(missing, rows) == pytest.approx([1.0] * 29)


def test_people_are_means_over_the_pictures_in_which_they_are_found():
    rows = np.array([[1.0, 2.0], [3.0, 6.0], [np.nan, np.nan], [5.0, 5.0]])
    found = kept._over_people(rows, torch.tensor([0, 0, 1, 1]), 2)
    assert found.tolist() == [[2, 4], [5, 5]]


def test_nearest_of_the_others_photographs_among_those_found():
    gallery = torch.eye(3).repeat_interleave(2, 0), torch.ones(6, dtype=torch.bool)
    whose = torch.tensor([0, 0, 1, 1, 2, 2])
    who = torch.tensor([0, 0, 1, 2])
    pictures = torch.stack([torch.eye(3)[0], torch.eye(3)[1], torch.eye(3)[1], torch.zeros(3)])
    found = torch.tensor([True, True, True, False])
    told = {one.name: one for one in kept._recognised({"drawn": (pictures, found)}, gallery, who, whose, 3)}
    assert told["recognised by dlib: chance"].value == pytest.approx(1 / 3)
    assert told["found by dlib: drawn"].value == 0.75
    assert told["recognised by dlib: drawn"].value == pytest.approx((0.5 + 1) / 2), "people count alike"
    assert "3 pictures of 2 people" in told["recognised by dlib: drawn"].protocol


def test_somebody_elses_drawings_are_the_control():
    rows = np.random.default_rng(1).normal(size=(20, 12))
    told = {one.name: one for one in kept._agreement({"portraits": rows}, rows)}
    assert told["agreement of proportions: portraits"].value == pytest.approx(1)
    low, high = told["agreement of proportions: somebody else's portraits"].interval
    assert low < 0.1
    assert high < 0.5


def test_what_all_drawings_have_in_common_is_taken_away_from_the_second_answer():
    """Drawings far off to one side, each beside its own person's photographs but for that."""
    rows = torch.randn(12, 8, generator=torch.Generator().manual_seed(0))
    whose, there = torch.arange(12), torch.ones(12, dtype=torch.bool)
    aside = 0.3 * rows + 40 * torch.eye(8)[0]
    (_, _, plain, around) = kept._recognised({"drawn": (aside, there)}, (rows, there), whose, whose, 12)
    assert plain.value < 0.3
    assert around.name == "recognised by dlib around the mean: drawn"
    assert around.value == 1
