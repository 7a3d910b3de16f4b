"""Guards what the likeness reader learns from, and its loss."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from companion.data.faces.parameters import COLUMN
from companion.likeness.aligning import HEAD
from companion.likeness.lessons import SIDE, SPOILS, lessons
from companion.likeness.teaching import likelihood, likeness_lessons, look
from companion.models.likeness import MEASURED, PARTS, POINTS, WORN, Seen
from companion.randomness import generator
from companion.training.player import Workshop


def test_a_chunk_is_a_function_of_its_number_and_the_seed(template, tracker, grounds, known):
    again = lessons(0, template, tracker, grounds, sizes=(32, 16), seed=3, count=6)
    other = lessons(1, template, tracker, grounds, sizes=(32, 16), seed=3, count=6)
    for name, value in known.tensors().items():
        assert torch.equal(value, again.tensors()[name]), name
    assert not torch.equal(known.crops, other.crops)
    assert not torch.equal(known.values, other.values)


def test_what_is_known_of_each_face_belongs_together(known):
    assert known.crops.shape == (6, 3, 32, 32)
    assert known.near.shape == (6, 3, 16, 16)
    assert known.points.shape == (6, 3 * POINTS)
    assert known.parts.shape == (6, len(PARTS), 16, 16)
    assert (known.parts.int().sum(1) - 255).abs().max() <= 3
    assert known.parts[:, list(PARTS).index("skin")].float().mean() > 10


def test_faces_that_are_not_found_are_left_out(template, tracker, grounds):
    class Blind(type(tracker)):
        calls = 0

        def find(self, picture):
            self.calls += 1
            return super().find(picture) if self.calls % 2 else []

    found = lessons(0, template, Blind(template), grounds, sizes=(32, 16), seed=3, count=6)
    all_of_them = lessons(0, template, tracker, grounds, sizes=(32, 16), seed=3, count=6)
    assert torch.equal(found.values, all_of_them.values[::2])
    assert torch.equal(found.crops, all_of_them.crops[::2])


@pytest.mark.parametrize("spoil", [spoil for spoil, _ in SPOILS], ids=lambda spoil: spoil.__name__)
def test_what_befalls_a_picture_changes_it_and_leaves_it_a_picture(spoil):
    picture = torch.rand(3, SIDE, SIDE, generator=generator(0, "weights"))
    before = picture.clone()
    spoilt = spoil(picture, generator(5, "lessons in likeness"))
    assert spoilt.shape == picture.shape
    assert spoilt.isfinite().all()
    assert not torch.equal(spoilt, picture)
    assert torch.equal(picture, before)


def test_the_loss_is_that_of_a_normal_distribution():
    random = torch.Generator().manual_seed(0)
    means, wanted = torch.randn(2, 5, len(MEASURED), generator=random)
    doubts = torch.rand(5, len(MEASURED), generator=random) + 0.1
    found = likelihood(Seen(means, doubts.log(), torch.zeros(5, len(WORN)), torch.zeros(5)), wanted)
    exact = -(Normal(means, doubts).log_prob(wanted) + 0.5 * np.log(2 * np.pi)).mean()
    assert torch.allclose(found, exact)


def test_a_reader_begins_at_the_mean_of_what_it_learns_from(reader, known):
    values = known.values[:, [COLUMN[name] for name in MEASURED]]
    assert torch.allclose(reader.middle, values.mean(0))
    assert torch.allclose(reader.usual, known.points.mean(0))
    assert HEAD.places(reader.config.size).shape == (32, 32, 2)


@pytest.mark.slow
def test_it_learns_what_it_is_shown(reader, known):
    """Six people by heart; a control with others' truths cannot be better than chance."""
    made = likeness_lessons(reader, known, rounds=60, seed=1, workshop=Workshop())
    for _ in made.trainer.run(made.batches, steps=made.steps):
        pass
    learnt = made.trainer.products()["reader"].eval()
    seen = look(learnt, known.crops, known.near, known.points, known.moves)
    wanted = (known.values[:, [COLUMN[name] for name in MEASURED]] - reader.middle) / reader.spread
    own = (seen.means - wanted).square().mean()
    others = (seen.means - wanted.roll(1, 0)).square().mean()
    assert own < 0.6 * others
    assert (seen.doubts > 0).all()


def test_batches_change_nothing(reader, known):
    one = look(reader, known.crops, known.near, known.points, known.moves)
    other = look(reader, known.crops, known.near, known.points, known.moves, batch=4)
    for a, b in zip(one, other, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
