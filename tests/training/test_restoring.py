"""Guards the training on every blur: it learns, its losses are what they say, and it goes on where it stopped."""

import math
from dataclasses import replace

import pytest
import torch

from companion.data.anyblur import AnyBlur
from companion.data.anypairs import Damaged
from companion.errors import CompanionError
from companion.models.anyblur import Answer, GatedConfig, KernelConfig, PlainConfig, spread
from companion.randomness import drawing
from companion.training.restoring import WARM, RestoringSettings, build, errors, hints

FAMILY = AnyBlur(size=7, longest=6, widest=1.5)
SMALL = RestoringSettings(size=32, batch=2, steps=6, family=FAMILY, network=KernelConfig(4, 1, 1, size=7))
NETWORKS = [PlainConfig(4, 1, 1), GatedConfig(4, 1, 1), KernelConfig(4, 1, 1, size=7, rounds=2)]


@pytest.mark.parametrize("network", NETWORKS, ids=["plain", "gated", "kernel"])
@pytest.mark.slow
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


def test_a_hint_is_nearly_the_true_kernel_and_only_its_share_is_told():
    run = build(
        replace(SMALL, size=64, batch=8, family=replace(FAMILY, none=0, shake=1, line=0, disc=0, noise=0))
    )
    batch, network = run.batches[0], run.trainer.network
    with drawing(1, "test"):
        every, half = (hints(network, batch, share) for share in (1.0, 0.5))
    assert torch.allclose(every.sum((1, 2)), torch.ones(8), atol=1e-4)
    apart = (every - batch.kernels).flatten(1).norm(dim=1)
    another = (every - batch.kernels.roll(1, 0)).flatten(1).norm(dim=1)
    assert apart.mean() < 0.7 * another.mean()
    assert set(half.sum((1, 2)).round().tolist()) == {0.0, 1.0}


def test_what_is_told_is_undone_and_what_was_found_is_still_judged():
    run = build(SMALL)
    network, batch = run.trainer.network, run.batches[0]
    told = torch.stack([batch.kernels[0], torch.zeros(7, 7)])
    with torch.no_grad():
        alone, hinted = network.answer(batch.input), network.answer(batch.input, told)
    assert not torch.equal(alone.restored[0], hinted.restored[0])
    assert torch.equal(alone.restored[1], hinted.restored[1])
    assert torch.equal(alone.kernels[0], hinted.kernels[0])
    assert hinted.width[0].item() == pytest.approx(spread(batch.kernels[:1]).item(), abs=1e-5)
