"""Guards the training of the feature extractor: it learns, and goes on where it stopped."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from companion.data import load
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.store import read_tensors
from companion.training import classifier
from companion.training.classifier import accuracy, train_classifier
from companion.training.supervised import BATCH, shifted


@pytest.fixture(scope="module")
def digits():
    images = load("digits")
    return images.pixels, images.labels


def states(sitting) -> list[tuple[int, dict]]:
    return [(done, {k: v.clone() for k, v in model.state_dict().items()}) for done, model in sitting]


def test_classifier_learns_digits_it_has_not_seen(tmp_path, digits):
    pixels, labels = digits
    *_, (done, model) = train_classifier(
        pixels[:1200], labels[:1200], rounds=2, seed=1, checkpoint=tmp_path / "c"
    )
    assert done == 2
    assert accuracy(model, pixels[1200:], labels[1200:]) > 0.7


def test_a_stopped_training_goes_on_to_the_same_weights_and_optimiser(tmp_path, digits):
    """The learning rate's schedule and the order of the images go on too."""
    pixels, labels = (part[:256] for part in digits)
    whole = states(train_classifier(pixels, labels, rounds=3, seed=4, checkpoint=tmp_path / "whole"))
    sitting = train_classifier(pixels, labels, rounds=3, seed=4, checkpoint=tmp_path / "parts")
    next(sitting)
    sitting.close()
    rest = states(train_classifier(pixels, labels, rounds=3, seed=4, checkpoint=tmp_path / "parts"))
    assert [done for done, _ in whole] == [1, 2, 3]
    assert [done for done, _ in rest] == [1, 2, 3]  # the first is what the sitting before had reached
    assert all(torch.equal(whole[-1][1][key], rest[-1][1][key]) for key in whole[-1][1])
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
    assert read_tensors(tmp_path / "parts")[1] == {"rounds": "3"}


def test_a_finished_training_yields_its_model_once_more(tmp_path, digits):
    pixels, labels = (part[:128] for part in digits)
    first = states(train_classifier(pixels, labels, rounds=1, seed=4, checkpoint=tmp_path / "c"))
    again = states(train_classifier(pixels, labels, rounds=1, seed=4, checkpoint=tmp_path / "c"))
    assert [done for done, _ in again] == [1]
    assert all(torch.equal(first[0][1][key], again[0][1][key]) for key in first[0][1])


def test_training_leaves_the_readers_random_numbers_alone(tmp_path, digits):
    pixels, labels = (part[:128] for part in digits)
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    list(train_classifier(pixels, labels, rounds=1, seed=1, checkpoint=tmp_path / "c"))
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


def test_rate_falls_by_one_cosine_over_all_rounds_and_each_round_has_its_own_order(
    tmp_path, digits, monkeypatch
):
    """Three rounds of two batches: half a cosine in sixths; the labels come in three different orders."""
    pixels, labels = (part[: 2 * BATCH] for part in digits)
    rates, seen = [], []

    class Watched(torch.optim.AdamW):
        def step(self, *arguments):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments)

    def loss(logits, wanted, **options):
        seen.append(wanted)
        return cross_entropy(logits, wanted, **options)

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    monkeypatch.setattr(classifier, "cross_entropy", loss)
    list(train_classifier(pixels, labels, rounds=3, seed=1, checkpoint=tmp_path / "c"))
    assert rates == pytest.approx([2e-3 * (1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)])
    orders = [torch.cat(seen[first : first + 2]) for first in (0, 2, 4)]
    assert all(torch.equal(order.sort().values, labels.sort().values) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 3
