"""Guards the test of memory: it must notice copies, however they lie, and nothing else."""

import pytest
import torch

from companion.metrics.memory import (
    between,
    moved,
    smaller,
    smaller_interval,
    thicker,
    thinner,
    two_nearest,
    warped,
)


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 1), (-2, 2), (2, -1)])
def test_a_copy_is_found_wherever_it_was_moved_within_reach(down, right):
    """Its distance is 0 though a border was lost, and its original is named; without reach, only where it lay still."""
    references = pictures(20)
    copies = moved(references[:5], down, right)
    near, _, where = two_nearest(copies, references, torch.arange(20), reach=2)
    assert near == pytest.approx(torch.zeros(5), abs=2e-3)
    assert where.tolist() == list(range(5))
    still, _, _ = two_nearest(copies, references, torch.arange(20))
    assert bool((still > 1).all()) == ((down, right) != (0, 0))


def test_a_group_counts_as_one_picture_and_ones_own_does_not_count():
    """Pictures 0 and 1 are versions of one; the second nearest of a copy of 0 is therefore not 1."""
    references = torch.tensor([0.0, 0.1, 0.5, 0.9]).view(4, 1, 1, 1)
    groups = torch.tensor([0, 0, 1, 2])
    near, next_, where = two_nearest(references[:1], references, groups)
    assert (float(near), float(next_), int(where)) == (pytest.approx(0, abs=1e-6), pytest.approx(0.5), 0)
    near, next_, where = two_nearest(references[:1], references, groups, own=groups[:1])
    assert (float(near), float(next_), int(where)) == (pytest.approx(0.5), pytest.approx(0.9), 2)


def test_smaller_counts_the_pairs_in_which_the_suspect_lies_nearer():
    """All, none, half, and a tie as half a pair."""
    low, high = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    assert smaller(low, high) == 1
    assert smaller(high, low) == 0
    assert smaller(low, low) == 0.5
    assert smaller(torch.tensor([3.0]), high) == 0.75
    draw = torch.Generator().manual_seed(1)
    one, other = torch.randn(200, generator=draw), torch.randn(200, generator=draw)
    bottom, top = smaller_interval(one, other)
    assert bottom < smaller(one, other) < top
    assert bottom < 0.5 < top


def test_a_quarter_turn_a_mirror_and_half_the_size_are_known():
    """Pixels are fetched from where the matrix says: right and down, about the middle, and −1 from outside."""
    images = pictures(3)
    assert warped(images, ((1, 0), (0, 1))) == pytest.approx(images, abs=1e-5)
    assert warped(images, ((-1, 0), (0, 1))) == pytest.approx(images.flip(3), abs=1e-5)
    assert warped(images, ((0, 1), (-1, 0))) == pytest.approx(images.rot90(-1, (2, 3)), abs=1e-5)
    small = warped(images, ((2, 0), (0, 2)))
    assert bool((small[..., :2, :] == -1).all())
    assert small[..., 3:9, 3:9] == pytest.approx(torch.nn.functional.avg_pool2d(images, 2), abs=1e-5)


def test_strokes_grow_and_shrink_by_one_pixel():
    """A square of three by three pixels becomes one of five by five, and one pixel."""
    square = torch.full((1, 1, 9, 9), -1.0)
    square[..., 3:6, 3:6] = 1
    assert int((thicker(square) == 1).sum()) == 25
    assert int((thinner(square) == 1).sum()) == 1


def test_a_blend_of_two_references_lies_on_their_line_and_a_stranger_does_not():
    """On the line 0; beyond its end 1; a place known by hand; and one's own group is no end."""
    references = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]]).view(3, 2, 1, 1)
    groups = torch.arange(3)
    images = torch.tensor([[0.3, 0.0], [-0.5, 0.0], [0.4, 0.3]]).view(3, 2, 1, 1)
    assert between(images, references, groups) == pytest.approx(torch.tensor([0, 1, 0.6]), abs=1e-6)
    assert float(between(references[:1], references, groups, own=groups[:1])) == pytest.approx(1)
