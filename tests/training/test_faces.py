"""Guards the training of the face readers: the contrastive loss in closed form, and that both learn."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from companion.data.faces import LABELS, Portraits
from companion.training.faces import attribute_lessons, contrastive_loss, identity_lessons, read_faces

SIZE = 32


def test_people_at_right_angles_have_a_known_loss():
    """N orthogonal people who are recognised exactly: −log(e^{1/τ} / (e^{1/τ} + N − 1))."""
    people = 3 * torch.eye(6)  # lengths do not matter
    wanted = -math.log(math.exp(2) / (math.exp(2) + 5))
    assert contrastive_loss(people, 0.5 * people, temperature=0.5).item() == pytest.approx(wanted, rel=1e-5)


def test_people_who_all_look_alike_cost_a_blind_guess():
    same = torch.ones(8, 3)
    assert contrastive_loss(same, same).item() == pytest.approx(math.log(8), rel=1e-5)


def test_the_loss_asks_both_ways():
    torch.manual_seed(0)
    one, other = torch.randn(5, 4), torch.randn(5, 4)
    similar = normalize(one, dim=1) @ normalize(other, dim=1).T / 0.1
    both = (cross_entropy(similar, torch.arange(5)) + cross_entropy(similar.T, torch.arange(5))) / 2
    assert torch.allclose(contrastive_loss(one, other), both)
    assert torch.allclose(contrastive_loss(one, other), contrastive_loss(other, one))


def learnt(lessons):
    list(lessons.trainer.run(lessons.batches, steps=lessons.steps))
    return lessons.trainer.products()["reader"]


@pytest.mark.slow
def test_a_reader_learns_an_attribute_that_is_easy_to_see():
    people = Portraits(512, size=SIZE, seed=3)
    column = list(LABELS).index("long_hair")
    labels = people.labels()[:, [column]]
    pixels = people.rendered().pixels
    train, test = slice(0, 384), slice(384, 512)
    model = learnt(attribute_lessons(pixels[train], labels[train], rounds=8, seed=1))
    right = ((read_faces(model, pixels[test]) > 0) == labels[test]).float().mean()
    assert right > labels[test].logical_not().float().mean() + 0.05  # better than always “no”


@pytest.mark.slow
def test_an_encoder_learns_who_is_who_from_two_views():
    views = Portraits(96, views=2, size=SIZE, seed=3).rendered().pixels.view(96, 2, 3, SIZE, SIZE)
    model = learnt(identity_lessons(views, length=16, rounds=12, seed=1))
    one, other = (read_faces(model, views[:, view]) for view in range(2))
    nearest = (normalize(one, dim=1) @ normalize(other, dim=1).T).argmax(1)
    assert (nearest == torch.arange(96)).float().mean() > 0.2  # chance is one in 96


def test_a_stopped_training_ends_as_if_it_had_not_been_stopped():
    views = Portraits(32, views=2, size=SIZE, seed=3).rendered().pixels.view(32, 2, 3, SIZE, SIZE)
    whole, first, second = (identity_lessons(views, length=8, rounds=3, seed=1) for _ in range(3))
    learnt(whole)
    list(first.trainer.run(first.batches, steps=2))
    second.trainer.restore(first.trainer.state())
    learnt(second)
    for name, value in whole.trainer.state().items():
        assert torch.equal(value, second.trainer.state()[name]), name
