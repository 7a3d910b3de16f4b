"""Guards what “faces-covered” and “found-afar” measure: names under many splits, a blur undone, hands from far away."""

import numpy as np
import pytest

from companion import pretrained
from companion.data.assets import cache_folder
from companion.records import read_details
from companion.reproduce import reproduce
from companion.reproduce.ch08 import afar, covered
from companion.vision import privacy
from companion.vision.learning import from_numbers


def people(spread: float) -> list[np.ndarray]:
    """Ten pictures of each of four people, who differ by a shade, with noise of a given spread."""
    rng = np.random.default_rng(1)
    shades = np.repeat([40, 100, 160, 220], 10)
    return [(shade + rng.normal(0, spread, (6, 5, 3))).clip(0, 255).astype(np.uint8) for shade in shades]


def test_under_every_split_strangers_get_the_name_of_the_nearest():
    assert covered.shares_named(people(5)) == [1.0] * 4
    alike = [privacy.covered(photo) for photo in people(5)]
    assert sum(covered.shares_named(alike)) == 1.0  # all take the first's name
    one_exchanged = people(5)
    one_exchanged[0], one_exchanged[10] = one_exchanged[10], one_exchanged[0]
    first, second, *others = covered.shares_named(one_exchanged)
    assert 0.5 < first < 1  # both are strangers in half of the splits; on the list they may mislead others
    assert 0.5 < second < 1
    assert others == [1.0, 1.0]


def test_the_matrices_blur_as_the_package_does():
    face = np.random.default_rng(0).integers(0, 256, (150, 130, 3), dtype=np.uint8)
    down, across = covered.blur_matrices(150, 130)
    blurred = np.stack([down @ face[..., channel] @ across.T for channel in range(3)], axis=-1)
    assert np.abs(blurred - privacy.blurred(face)).max() <= 1.5  # rounded three times on the way


def test_what_a_known_blur_hid_comes_back_where_nothing_is_rounded():
    rng = np.random.default_rng(2)
    clear = np.kron(rng.uniform(60, 200, (3, 3)), np.ones((40, 40)))
    down, across = covered.blur_matrices(120, 120)
    inside = np.zeros((120, 120), bool)
    inside[40:80, 40:80] = True
    hidden = np.where(inside, down @ clear @ across.T, clear)
    errors = [
        float(np.abs(covered.undone((down, across), hidden, inside, rounds) - clear)[inside].mean())
        for rounds in (1, 10, 100)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5 * np.abs(hidden - clear)[inside].mean()


def test_a_hand_is_as_far_off_as_its_landmarks_were_moved():
    entries = [entry for entry in pretrained.details("hand-gestures")["hands"] if entry["found"]]
    first, second = (from_numbers(entry["hand"]) for entry in entries[:2])
    assert afar.off(first, first) == 0
    assert afar.off(first, second) == pytest.approx(afar.off(second, first))
    assert afar.off(first, second) > 0.1


@pytest.mark.full
@pytest.mark.every
def test_the_records_say_what_was_played(kinds, tmp_path):
    for name in ("orl-att", "vision-photos"):
        if not (cache_folder() / name).is_dir():
            pytest.skip(f"{name} is not at hand")
    path = reproduce("faces-covered", tmp_path / "out", tmp_path / "work", budget="debug")
    named = read_details(path)["named"]
    assert sum(named["covered"]) == 1.0  # two people: a guess
    assert min(named["not hidden"]) > 0.5
    found = read_details(reproduce("found-afar", tmp_path / "out", tmp_path / "work", budget="debug"))
    for kind in ("hands", "faces"):
        for row in found[kind]["each"]:
            assert row["found"][-1] >= row["found"][0]
            assert all(read <= seen for read, seen in zip(row["read"], row["found"], strict=False))
