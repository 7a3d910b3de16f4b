"""Guards a SAGAN's run: two rates, labels that reach both networks, and resumption bit for bit."""

import json
from dataclasses import replace

import pytest
import torch

from companion.data import load
from companion.data.batches import Labelled
from companion.errors import CompanionError
from companion.objectives import Hinge, LeastSquares, NonSaturatingR1
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import build, shuffled
from companion.training.labelled import LabelledTrainer
from companion.training.sagan import SAGANSettings

TINY = SAGANSettings(data="digits", size=16, batch=4, width=8, latents=3, attention=8, steps=4)


def trained(settings, steps, restored=None):
    trainer, images = build(settings)
    if restored is not None:
        trainer.restore({key: value.clone() for key, value in restored.items()})
    reports = list(trainer.run(shuffled(images, settings), steps=steps))
    return trainer, reports


@pytest.mark.parametrize("classes", [0, 10])
@pytest.mark.parametrize(
    ("objective", "spectral"), [(Hinge(), True), (LeastSquares(), True), (NonSaturatingR1(weight=1.0), False)]
)
@pytest.mark.slow
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(objective, spectral, classes):
    """The power iteration's vectors among its state, and the order of the labels."""
    settings = replace(TINY, objective=objective, spectral=spectral, classes=classes)
    whole, reports = trained(settings, 4)
    first, _ = trained(settings, 2)
    second, rest = trained(settings, 4, first.state())
    assert [r.numbers for r in rest] == [r.numbers for r in reports[2:]]
    wanted, found = whole.state(), second.state()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
    assert torch.equal(whole.sample(12), second.sample(12))


def test_the_critic_learns_four_times_as_fast():
    trainer, _ = build(TINY)
    assert type(trainer) is AdversarialTrainer
    rates = {name: player.optimiser.defaults["lr"] for name, player in trainer.players.items()}
    assert rates == {"generator": 1e-4, "critic": 4e-4}
    assert trainer.players["critic"].optimiser.defaults["betas"] == (0.0, 0.9)


def test_both_networks_are_told_the_classes_of_the_images_and_samples_take_turns():
    settings = replace(TINY, classes=10)
    trainer, images = build(settings)
    assert isinstance(trainer, LabelledTrainer)
    batch = shuffled(images, settings)[3]
    assert isinstance(batch, Labelled)
    plain = shuffled(images, TINY)[3]
    assert torch.equal(batch.images, plain)
    told = []
    for network in (trainer.generator, trainer.critic):
        network.register_forward_pre_hook(lambda network, given: told.append(given[1].argmax(1).tolist()))
    list(trainer.run([batch], steps=1))
    labels = batch.labels.tolist()
    assert told == [labels, labels * 2, labels, labels]  # fakes; both in one pass; the generator's turn
    told.clear()
    assert trainer.sample(12, live=True).shape == (12, 1, 16, 16)
    assert told == [[*range(10), 0, 1]]


def test_labels_that_are_not_there_or_too_many_are_one_sentence(tmp_path):
    with pytest.raises(CompanionError, match="of 10 classes and not of 3"):
        settings = replace(TINY, classes=3)
        shuffled(load("digits", size=16), settings)
    unlabelled = replace(load("digits", size=16), labels=None)
    with pytest.raises(CompanionError, match="of no known classes and not of 10"):
        shuffled(unlabelled, replace(TINY, classes=10))


@pytest.mark.parametrize("wrong", [{"attention": 12}, {"attention": -1}, {"classes": -2}, {"size": 20}])
def test_impossible_settings_are_refused_before_any_data_is_read(wrong):
    with pytest.raises(CompanionError, match="choose") as refused:
        build(replace(TINY, data="nowhere", **wrong))
    assert "nowhere" not in str(refused.value)


def test_settings_come_back_from_json():
    settings = replace(TINY, resize=True, classes=10)
    assert SAGANSettings.from_json(json.loads(json.dumps(settings.as_json()))) == settings
