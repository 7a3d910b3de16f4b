"""Guards which pictures are called alike: against comparing all with all."""

import numpy as np
import pytest
import torch

from companion.data.images import Images
from companion.errors import CompanionError
from companion.viewer import neighbours
from companion.viewer.neighbours import Neighbours, nearest


def images(count: int = 30) -> Images:
    draw = torch.Generator().manual_seed(3)
    return Images("mine", torch.randint(0, 256, (count, 3, 4, 4), generator=draw).byte())


def by_hand(vectors: np.ndarray, row: int, count: int) -> tuple[list[int], np.ndarray]:
    away = np.sqrt(((vectors.astype(np.float64) - vectors[row].astype(np.float64)) ** 2).sum(1))
    others = sorted((other for other in range(len(vectors)) if other != row), key=lambda other: away[other])
    return others[:count], away[others[:count]]


@pytest.mark.parametrize("at_once", [7, 4096])
def test_the_nearest_are_those_that_comparing_all_finds(monkeypatch, at_once):
    monkeypatch.setattr(neighbours, "AT_ONCE", at_once)
    vectors = torch.randn(40, 5, generator=torch.Generator().manual_seed(1))
    for row in range(40):
        rows, distances = nearest(vectors, row, 6)
        wanted, away = by_hand(vectors.numpy(), row, 6)
        assert rows.tolist() == wanted
        np.testing.assert_allclose(distances.numpy(), away, rtol=1e-5)


def test_equally_near_ones_come_by_their_numbers_and_a_copy_is_at_no_distance():
    vectors = torch.tensor([[0.0], [1.0], [-1.0], [1.0], [0.0]])
    rows, distances = nearest(vectors, 0, 9)
    assert rows.tolist() == [4, 1, 2, 3]
    assert distances.tolist() == [0, 1, 1, 1]


def test_one_picture_alone_has_no_neighbours():
    assert [len(part) for part in nearest(torch.zeros(1, 3), 0, 8)] == [0, 0]


def test_pixels_are_compared_as_images_in_minus_one_to_one():
    found = images()
    rows, distances = Neighbours(found).of(4, 5)
    wanted, away = by_hand(found[:].flatten(1).numpy(), 4, 5)
    assert rows.tolist() == wanted
    np.testing.assert_allclose(distances.numpy(), away, rtol=1e-5)


def test_features_are_computed_when_needed_once_and_progress_is_told(monkeypatch):
    monkeypatch.setattr(neighbours, "BATCH", 8)
    seen, told = [], []

    def features(part):
        seen.append(len(part))
        assert -1 <= part.min() <= part.max() <= 1
        return part[:, 0].mean((1, 2))[:, None].double()

    found = images(30)
    alike = Neighbours(found, features)
    assert seen == []
    rows, _ = alike.of(0, 4, told.append)
    assert seen == [8, 8, 8, 6]
    assert told == [8, 16, 24, 30]
    assert rows.tolist() == by_hand(found[:][:, 0].mean((1, 2))[:, None].numpy(), 0, 4)[0]
    alike.of(1, 4, told.append)
    assert seen == [8, 8, 8, 6]


@pytest.mark.parametrize(
    "features",
    [lambda part: part, lambda part: torch.zeros(3, 2), lambda part: torch.full((len(part), 2), torch.nan)],
    ids=["images", "too few", "no numbers"],
)
def test_features_that_are_no_table_are_one_sentence(features):
    with pytest.raises(CompanionError, match="a row of finite numbers of each picture"):
        Neighbours(images(), features).of(0, 3)
