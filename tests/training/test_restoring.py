"""Guards the training on every blur: it learns, its losses are what they say, and it goes on where it stopped."""

import math
from dataclasses import replace

import pytest
import torch

from companion.data.anyblur import AnyBlur
from companion.data.anypairs import Damaged
from companion.errors import CompanionError
from companion.models.anyblur import Answer, GatedConfig, KernelConfig, PlainConfig
from companion.training.restoring import WARM, RestoringSettings, build, errors

FAMILY = AnyBlur(size=7, longest=6, widest=1.5)
SMALL = RestoringSettings(size=32, batch=2, steps=6, family=FAMILY, network=KernelConfig(4, 1, 1, size=7))
NETWORKS = [PlainConfig(4, 1, 1), GatedConfig(4, 1, 1), KernelConfig(4, 1, 1, size=7, rounds=2)]


@pytest.mark.parametrize("network", NETWORKS, ids=["plain", "gated", "kernel"])
def test_a_stopped_training_goes_on_to_the_same_weights(network):
    settings = replace(SMALL, network=network, steps=4)
    whole, first, second = (build(settings) for _ in range(3))
    list(whole.trainer.run(whole.batches, steps=4))
    list(first.trainer.run(first.batches, steps=2))
    second.trainer.restore(first.trainer.state())
    list(second.trainer.run(second.batches, steps=4))
    wanted, found = whole.trainer.state(), second.trainer.state()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_the_loss_falls_on_one_batch():
    run = build(replace(SMALL, steps=60, rate=3e-3, network=PlainConfig(8, 1, 1)))
    batch = run.batches[0]
    losses = [report.numbers["picture"] for report in run.trainer.run([batch] * 60, steps=60)]
    assert min(losses[-5:]) < 0.9 * losses[0]


def test_the_rate_rises_and_then_falls_by_half_a_cosine_over_the_horizon():
    trainer = build(replace(SMALL, rate=0.5, horizon=1000)).trainer
    rates = []
    for trainer.step in (0, WARM - 1, 500, 1000, 2000):
        rates.append(trainer.rate_now)
    wanted = [0.5 / WARM, 0.25 * (1 + math.cos(math.pi * (WARM - 1) / 1000)), 0.25, 0, 0]
    assert rates == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_a_preview_is_damaged_restored_and_sharp_pictures():
    run = build(SMALL)
    assert run.trainer.preview().shape == (24, 3, 32, 32)


def batch_of(kernel, noise=0.01):
    pictures = torch.zeros(1, 3, 8, 8)
    return Damaged(pictures, pictures + 0.5, kernel[None], torch.tensor([noise]))


def test_a_perfect_answer_has_no_errors_and_a_wrong_one_those_of_hand():
    kernel = torch.zeros(7, 7)
    kernel[3, 1:6] = 0.2
    batch = batch_of(kernel)
    width = torch.tensor([2.0**0.5])  # of five pixels in a row
    level = torch.zeros(1, 2, 8, 8)  # slopes of an even grey
    right = Answer(batch.target, kernels=(batch.kernels,), slopes=(level,), width=width, noise=batch.noise)
    assert all(value.item() == pytest.approx(0, abs=1e-6) for value in errors(right, batch).values())
    wrong = Answer(
        batch.input, (batch.target,), (0 * batch.kernels,), (level + 0.1,), width, torch.tensor([0.025])
    )
    found = {name: value.item() for name, value in errors(wrong, batch).items()}
    wanted = {"picture": 0.5, "tries": 0.0, "kernel": 1.0, "edges": 0.1, "noise": math.log(0.03 / 0.015)}
    assert found == pytest.approx(wanted, abs=1e-5)
    gated = errors(Answer(batch.target, width=width + 1), batch)
    assert gated["width"].item() == pytest.approx(1, abs=1e-5)


def test_photographs_too_small_for_a_patch_with_its_blur_are_refused():
    with pytest.raises(CompanionError, match="No photograph of embedded"):
        build(replace(SMALL, size=2000))


def test_settings_survive_json():
    assert RestoringSettings.from_json(SMALL.as_json()) == SMALL
