"""Guards the folders that the translation learns from with and without turned heads."""

import math

import pytest
import torch

from companion.data.faces import Caricatures, Portraits
from companion.reproduce.ch07 import poses
from companion.reproduce.ch07.poses import Turned, TurnedTruth


@pytest.fixture
def folder() -> Turned:
    """Three hundred people, turned up to 45°."""
    return Turned.of(Portraits(300, size=32), 45)


def test_any_angle_up_to_the_farthest_is_as_likely_as_another(folder):
    turns = folder.faces["yaw"].abs().rad2deg()
    assert turns.max() <= 45
    assert (turns <= 15).float().mean() == pytest.approx(1 / 3, abs=0.08)
    assert folder.faces["yaw"].mean().abs() < 0.1
    same = Portraits(300, size=32).faces()
    assert torch.equal(folder.faces["skin_r"], same["skin_r"]), "nothing but the turn is changed"


def test_turned_heads_are_left_out_with_their_numbers(folder):
    ahead = folder.within(15)
    assert 0 < len(ahead) < len(folder)
    assert ahead.faces["yaw"].abs().max() <= math.radians(15) + 1e-6
    left = folder.faces["yaw"].abs() > math.radians(15)
    assert set(ahead.numbers.tolist()) == set(folder.numbers[~left].tolist())
    few = folder.first(len(ahead))
    assert few.numbers.tolist() == list(range(len(ahead)))
    assert few.faces["yaw"].abs().max() > math.radians(30), "poses stay as they are"


def test_a_folder_is_drawn_as_its_side_and_the_same_people_turn_alike():
    truth = TurnedTruth(32, 6, farthest=45)
    assert truth.portraits.shape == truth.caricatures.shape == (6, 3, 32, 32)
    faces = truth._turned.faces
    assert torch.equal(faces["hair_r"], Portraits(6, first=8000).faces()["hair_r"])
    plain = Caricatures(6, size=32, first=8000)[:]
    assert (truth.caricatures - plain).abs().mean() > 0.02, "their heads are turned"
    ahead = TurnedTruth(32, 6, farthest=1e-3)
    straight = Portraits(6, first=8000).faces().replace(yaw=torch.zeros(6))
    wanted = poses.draw_portraits(straight, 32).images
    torch.testing.assert_close(ahead.portraits, wanted, rtol=0, atol=2 / 127)


def test_what_leaving_out_adds_is_paired_by_seed():
    def run(value):
        return dict.fromkeys(poses.ASKED, value)

    truths = {"looking ahead": TurnedTruth(32, 8, farthest=15.0)}
    runs = {
        "all": [{"seed": seed, "looking ahead": run(value)} for seed, value in ((1, 1.0), (2, 5.0))],
        poses.LEFT_OUT: [{"seed": seed, "looking ahead": run(value)} for seed, value in ((1, 0.5), (2, 4.5))],
    }
    told = {one.name: one for one in poses._told(runs, truths)}
    for key in poses.ASKED:
        added = told[f"{poses.TITLES[key]}: looking ahead: what “{poses.LEFT_OUT}” adds"]
        assert added.value == pytest.approx(-0.5)
        assert added.interval == pytest.approx((-0.5, -0.5)), "seeds differ by the same"
        assert told[f"{poses.TITLES[key]}: looking ahead: all"].value == 3
