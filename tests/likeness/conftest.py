"""A tracker that finds one face in the middle of every picture, and a reader that has learnt nothing."""

import numpy as np
import pytest

from companion.likeness.lessons import lessons
from companion.likeness.teaching import new_reader
from companion.models.likeness import MOVES, POINTS, LikenessConfig
from companion.vision.landmarks import Mesh

SMALL = LikenessConfig(8, 32, 16)


class MiddleMesh:
    """As `FaceMesh`: a face of a fifth of the picture's width, as often as `faces` says."""

    def __init__(self, template: np.ndarray, faces: int = 1) -> None:
        self.template, self.faces, self.closed = template, faces, False

    def find(self, picture: np.ndarray) -> list[Mesh]:
        height, width, _ = picture.shape
        flat = np.array([width, height]) / 2 + self.template * width / 5
        normalised = np.concatenate([flat / [width, height], np.zeros((len(flat), 1))], 1)
        moves = {f"move{number:02}": 0.5 for number in range(MOVES)}
        return [Mesh(normalised.astype(np.float32), width, height, moves) for _ in range(self.faces)]

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="session")
def template() -> np.ndarray:
    """Points all over a head."""
    return np.random.default_rng(0).uniform(-0.9, 0.9, (POINTS, 2))


@pytest.fixture
def tracker(template) -> MiddleMesh:
    return MiddleMesh(template)


@pytest.fixture(scope="session")
def grounds():
    import torch

    return [torch.randint(0, 256, (3, 200, 220), generator=torch.Generator().manual_seed(1)).byte()]


@pytest.fixture
def known(template, tracker, grounds):
    """Six drawn people."""
    return lessons(0, template, tracker, grounds, sizes=(SMALL.size, SMALL.near), seed=3, count=6)


@pytest.fixture
def reader(template, known):
    return new_reader(SMALL, template, known, seed=1)
