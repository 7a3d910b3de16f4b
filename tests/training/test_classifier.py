"""Guards the training of the feature extractor: it learns, and goes on where it stopped."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from companion.data import load
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.training import classifier
from companion.training.classifier import accuracy, digit_lessons
from companion.training.supervised import BATCH, Lessons, Rounds, shifted


@pytest.fixture(scope="module")
def digits():
    images = load("digits")
    return images.pixels, images.labels


def learnt(lessons: Lessons) -> nn.Module:
    list(lessons.trainer.run(lessons.batches, steps=lessons.steps))
    return lessons.trainer.products()["classifier"]


def test_classifier_learns_digits_it_has_not_seen(digits):
    pixels, labels = digits
    model = learnt(digit_lessons(pixels[:1200], labels[:1200], rounds=2, seed=1))
    assert accuracy(model, pixels[1200:], labels[1200:]) > 0.7


def test_a_stopped_training_goes_on_to_the_same_weights_and_optimiser(digits):
    """The learning rate's schedule and the order of the images go on too, from within a round."""
    pixels, labels = (part[:256] for part in digits)
    whole, first, second = (digit_lessons(pixels, labels, rounds=3, seed=4) for _ in range(3))
    learnt(whole)
    list(first.trainer.run(first.batches, steps=3))  # one and a half rounds
    second.trainer.restore(first.trainer.state())
    learnt(second)
    wanted, found = whole.trainer.state(), second.trainer.state()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_the_last_batch_of_a_round_may_be_short_and_nobody_is_left_out():
    rounds = Rounds(count=5, seed=1, batch=2)
    assert rounds.per_round == 3
    assert [len(rounds[index]) for index in range(6)] == [2, 2, 1, 2, 2, 1]
    orders = [torch.cat([rounds[3 * number + position] for position in range(3)]) for number in range(2)]
    assert all(order.sort().values.tolist() == list(range(5)) for order in orders)
    assert not torch.equal(*orders)


def test_training_leaves_the_readers_random_numbers_alone(digits):
    pixels, labels = (part[:128] for part in digits)
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    learnt(digit_lessons(pixels, labels, rounds=1, seed=1))
    assert torch.equal(torch.rand(3), wanted)


def test_accuracy_counts_right_answers_in_eval_mode():
    """A classifier that always says 3 is right where the label is 3; its mode is put back."""
    model = DigitClassifier(DigitClassifierConfig()).train()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.eye(10)[3])
    labels = torch.tensor([3, 1, 3, 4])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert accuracy(model, torch.zeros(4, 1, 32, 32, dtype=torch.uint8), labels) == 0.5
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_shifts_stay_within_two_pixels_and_bring_in_background():
    image = torch.full((1, 1, 32, 32), -1.0)
    image[0, 0, 16, 16] = 1
    places = set()
    torch.manual_seed(0)
    for _ in range(200):
        moved = shifted(image, value=-1.0)
        assert moved.shape == image.shape
        assert moved.sum() == image.sum()
        places.add(divmod(int(moved.flatten().argmax()), 32))
    assert places == {(row, column) for row in range(14, 19) for column in range(14, 19)}


def test_rate_falls_by_one_cosine_over_all_rounds_and_each_round_has_its_own_order(digits, monkeypatch):
    """Three rounds of two batches: half a cosine in sixths; the labels come in three different orders."""
    pixels, labels = (part[: 2 * BATCH] for part in digits)
    rates, seen = [], []

    def loss(logits, wanted, **options):
        rates.append(lessons.trainer.players["classifier"].optimiser.param_groups[0]["lr"])
        seen.append(wanted)
        return cross_entropy(logits, wanted, **options)

    monkeypatch.setattr(classifier, "cross_entropy", loss)
    lessons = digit_lessons(pixels, labels, rounds=3, seed=1)
    learnt(lessons)
    assert rates == pytest.approx([2e-3 * (1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)])
    orders = [torch.cat(seen[first : first + 2]) for first in (0, 2, 4)]
    assert all(torch.equal(order.sort().values, labels.sort().values) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 3
