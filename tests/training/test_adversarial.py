"""Guards the one loop: who learns when, what is averaged and sampled, and that a resumed run repeats bit for bit."""

import copy
import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from companion.data.toy import GaussianRing
from companion.errors import CompanionError
from companion.models.colour import ColourConfig
from companion.models.colour import Generator as ColourGenerator
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.models.mlp import PlaneCritic, PlaneGenerator
from companion.models.store import read_tensors, write_tensors
from companion.objectives import (
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    OneSidedWassersteinGP,
    Wasserstein,
    WassersteinGP,
)
from companion.randomness import drawing
from companion.training.adversarial import AdversarialTrainer
from companion.training.player import Average, Workshop
from companion.training.trainer import Report

RING = GaussianRing(batch=16)
IMAGES = Workshop(channels_last=True)
OBJECTIVES = [
    Minimax(),
    NonSaturating(smoothing=0.1),
    LeastSquares(),
    Wasserstein(),
    WassersteinGP(critic_steps=2),
    OneSidedWassersteinGP(critic_steps=2),
]


class Pictures:
    """Random 16×16 images, a function of the index; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __getitem__(self, index: int) -> Tensor:
        self.asked.append(index)
        return torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(index)) * 2 - 1


def image_trainer(objective: Objective, **options) -> AdversarialTrainer:
    """A tiny DCGAN as `companion.training.gan.build` makes one, channels last."""
    torch.manual_seed(0)
    config = DCGANConfig(size=16, latents=6, width=4)
    norm = None if isinstance(objective, WassersteinGP) else nn.BatchNorm2d
    networks = Generator(config), Critic(config, norm=norm)
    return AdversarialTrainer(*networks, objective, **{"seed": 5, "workshop": IMAGES, **options})


def plane_trainer(objective: Objective, **options) -> AdversarialTrainer:
    torch.manual_seed(0)
    networks = PlaneGenerator(latents=4, width=16), PlaneCritic(width=16)
    return AdversarialTrainer(*networks, objective, **{"seed": 5, **options})


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


# ---- resuming ----


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
@pytest.mark.slow
@pytest.mark.api
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(tmp_path, objective, precision):
    """Weights, moving average, optimiser slots, reports and the order of the data; through a file, in new objects."""
    whole, data = image_trainer(objective, workshop=replace(IMAGES, precision=precision)), Pictures()
    reports = list(whole.run(data, steps=5))

    first, early = image_trainer(objective, workshop=replace(IMAGES, precision=precision)), Pictures()
    start = list(first.run(early, steps=3))
    write_tensors(tmp_path / "state", first.state(), {})
    torch.manual_seed(123)  # the reader's random numbers have no say
    second, late = image_trainer(objective, workshop=replace(IMAGES, precision=precision)), Pictures()
    second.restore(read_tensors(tmp_path / "state")[0])
    assert second.step == 3
    rest = list(second.run(late, steps=5))

    assert start + rest == reports
    assert early.asked + late.asked == data.asked
    assert same(second.state(), whole.state())
    assert torch.equal(second.sample(4), whole.sample(4))


def test_a_restored_trainer_shares_no_memory_with_the_one_the_state_came_from():
    """Else training one would move the other's optimiser."""
    one, two = plane_trainer(NonSaturating()), plane_trainer(NonSaturating())
    list(one.run(RING, steps=2))
    two.restore(one.state())
    before = copy.deepcopy(two.state())
    list(one.run(RING, steps=4))
    assert same(two.state(), before)


def test_state_names_everything_a_run_is():
    trainer = image_trainer(NonSaturating())
    list(trainer.run(Pictures(), steps=1))
    roots = {key.split(".")[0] for key in trainer.state()}
    assert roots == {"step", "generator", "critic"}
    parts = {".".join(key.split(".")[:2]) for key in trainer.state()} - {"step"}
    assert parts == {f"generator.{part}" for part in ("network", "optimiser", "average")} | {
        "critic.network",
        "critic.optimiser",
    }
    slots = {key.rsplit(".", 1)[1] for key in trainer.state() if key.startswith("critic.optimiser")}
    assert slots == {"step", "exp_avg", "exp_avg_sq"}
    assert any(key.endswith("running_mean") for key in trainer.state())


def test_two_trainings_with_one_seed_are_equal_and_with_another_differ():
    first, second, other = (plane_trainer(NonSaturating(), seed=seed) for seed in (1, 1, 2))
    for trainer in (first, second, other):
        list(trainer.run(RING, steps=3))
    assert same(first.state(), second.state())
    assert not torch.equal(weights(first.generator), weights(other.generator))


def test_training_leaves_the_readers_random_numbers_alone():
    trainer = image_trainer(WassersteinGP(critic_steps=2))
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    list(trainer.run(Pictures(), steps=2))
    trainer.sample(3)
    assert torch.equal(torch.rand(4), wanted)


def test_random_numbers_drawn_between_two_steps_do_not_change_the_run():
    """The loop is an iterator, and a reader may do anything between two reports."""
    quiet, noisy = plane_trainer(NonSaturating()), plane_trainer(NonSaturating())
    list(quiet.run(RING, steps=4))
    for _ in noisy.run(RING, steps=4):
        torch.rand(100)
        noisy.sample(5)
    assert same(quiet.state(), noisy.state())


# ---- latents ----


def test_a_generators_own_prior_is_used_in_training_and_for_samples():
    """The colour generator's latents lie in [0, 1]; and they still follow from (seed, step) alone."""
    config = ColourConfig(size=16, channels=1, latents=6, width=2)
    seen: list[Tensor] = []
    generator = ColourGenerator(config)
    generator.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0].clone()))
    trainer = AdversarialTrainer(generator, Critic(config.critic, norm=None), WassersteinGP(2), seed=5)
    list(trainer.run(Pictures(), steps=2))
    assert len(seen) == 2 * 3  # two critic steps and one of the generator
    assert all(latents.min() >= 0 and latents.max() <= 1 for latents in seen)
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(trainer.sample(4), trainer.sample(4))


def test_without_a_prior_of_its_own_a_generator_gets_the_standard_normal_it_always_got():
    trainer = plane_trainer(NonSaturating())
    torch.manual_seed(8)
    wanted = torch.randn(5, 4)
    torch.manual_seed(8)
    assert torch.equal(trainer.draw_latents(5), wanted)


# ---- who learns when ----


@pytest.mark.parametrize("objective", [NonSaturating(), WassersteinGP(critic_steps=1)])
def test_the_critics_step_moves_only_the_critic_and_the_generators_only_the_generator(monkeypatch, objective):
    """The critic's loss sends no gradient into the generator, nor the generator's into the critic."""
    trainer = plane_trainer(objective)
    critic_step, generator_step = trainer._critic_step, trainer._generator_step
    log = []

    def watched(step):
        def run(argument):
            trainer.generator.zero_grad()
            trainer.critic.zero_grad()
            before = weights(trainer.generator), weights(trainer.critic)
            result = step(argument)
            after = weights(trainer.generator), weights(trainer.critic)
            moved = tuple(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
            touched = tuple(
                any(p.grad is not None for p in model.parameters())
                for model in (trainer.generator, trainer.critic)
            )
            log.append((moved, touched))
            return result

        return run

    monkeypatch.setattr(trainer, "_critic_step", watched(critic_step))
    monkeypatch.setattr(trainer, "_generator_step", watched(generator_step))
    list(trainer.run(RING, steps=1))
    assert log == [((False, True), (False, True)), ((True, False), (True, False))]


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_each_step_draws_fresh_batches_for_every_critic_step(critic_steps):
    data = Pictures()
    trainer = image_trainer(Wasserstein(critic_steps=critic_steps))
    updates = []
    trainer.players["critic"].optimiser.register_step_post_hook(lambda *_: updates.append("critic"))
    trainer.players["generator"].optimiser.register_step_post_hook(lambda *_: updates.append("generator"))
    list(trainer.run(data, steps=2))
    assert data.asked == list(range(2 * critic_steps))
    assert updates == (["critic"] * critic_steps + ["generator"]) * 2


def test_weights_are_clipped_after_every_step_even_a_huge_one():
    """A rate of 10 throws every weight far out; after each report they lie inside again."""
    trainer = plane_trainer(Wasserstein(clip=0.01), critic_rate=10.0)
    for _ in trainer.run(RING, steps=3):
        assert weights(trainer.critic).abs().max() <= 0.01


def test_a_loss_falls_when_its_player_alone_learns():
    """Signs of both updates: with the other one frozen, each gets better at its game."""
    critic_alone = plane_trainer(LeastSquares(), generator_rate=0.0, critic_rate=1e-3)
    reports = list(critic_alone.run(RING, steps=80))
    assert reports[-1].critic_loss < 0.8 * reports[0].critic_loss
    generator_alone = plane_trainer(LeastSquares(), generator_rate=1e-3, critic_rate=0.0)
    reports = list(generator_alone.run(RING, steps=80))
    assert reports[-1].generator_loss < 0.8 * reports[0].generator_loss


def test_gan_learns_the_ring():
    """Not only that it runs: after a short training most samples lie near the circle, as they did not before."""
    torch.manual_seed(0)
    trainer = AdversarialTrainer(
        PlaneGenerator(), PlaneCritic(), NonSaturating(), seed=1, generator_rate=1e-3, critic_rate=1e-3
    )
    ring = GaussianRing(batch=128)
    off = (trainer.sample(500).norm(dim=1) - 2).abs().mean()
    list(trainer.run(ring, steps=250))
    assert (trainer.sample(500, live=True).norm(dim=1) - 2).abs().mean() < 0.4 * off


def test_report_holds_the_numbers_of_its_step():
    """Losses recomputed by hand from the same weights and latents; the penalty is told apart from the loss."""
    objective = WassersteinGP(critic_steps=1)
    trainer = plane_trainer(objective, critic_rate=0.0, generator_rate=0.0)
    (report,) = trainer.run(RING, steps=1)
    with drawing(5, "latents", 0):
        fake = trainer.generator(trainer.draw_latents(16)).detach()
    real_scores, fake_scores = trainer.critic(RING[0]), trainer.critic(fake)
    with drawing(5, "penalty", 0):
        penalty = objective.penalty(trainer.critic, RING[0], fake)
    with drawing(5, "latents", 1):
        again = trainer.critic(trainer.generator(trainer.draw_latents(16)))
    assert report.step == 1
    assert report.real_score == pytest.approx(real_scores.mean().item(), rel=1e-4, abs=1e-6)
    assert report.fake_score == pytest.approx(fake_scores.mean().item(), rel=1e-4, abs=1e-6)
    assert report.critic_loss == pytest.approx(
        (fake_scores.mean() - real_scores.mean()).item(), rel=1e-3, abs=1e-6
    )
    assert report.generator_loss == pytest.approx(-again.mean().item(), rel=1e-4, abs=1e-6)
    assert report.penalty == pytest.approx(penalty.item(), rel=1e-4)
    assert report.trainer is trainer


# ---- trouble ----


def test_nan_stops_the_run_and_names_the_step():
    class Poisoned(Pictures):
        def __getitem__(self, index: int) -> Tensor:
            return super().__getitem__(index) * (float("nan") if index == 2 else 1)

    trainer = image_trainer(NonSaturating())
    seen = []
    with pytest.raises(CompanionError, match="at step 3, and training cannot recover"):
        seen.extend(report.step for report in trainer.run(Poisoned(), steps=5))
    assert seen == [1, 2]


@pytest.mark.parametrize("field", ["critic_loss", "generator_loss", "penalty"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_report_is_finite_only_if_every_loss_is(field, value):
    numbers = {
        "critic_loss": 1.0,
        "generator_loss": 1.0,
        "penalty": 0.0,
        "real_score": 0.0,
        "fake_score": 0.0,
    }
    assert Report(1, numbers).finite
    assert not Report(1, {**numbers, field: value}).finite


def test_training_goes_on_after_an_interruption_in_the_middle_of_the_generators_step(monkeypatch):
    """In a notebook a reader stops a cell anywhere and runs it again."""
    trainer = plane_trainer(NonSaturating())

    def interrupted(scores: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(NonSaturating, "generator_loss", lambda self, fake: interrupted(fake))
        with pytest.raises(KeyboardInterrupt):
            list(trainer.run(RING, steps=2))
    assert [report.step for report in trainer.run(RING, steps=2)] == [1, 2]


def test_a_critic_the_objective_refuses_is_refused_before_training():
    config = DCGANConfig(size=16, width=2)
    with pytest.raises(CompanionError, match="norm=None"):
        AdversarialTrainer(Generator(config), Critic(config), WassersteinGP(), seed=1)


# ---- moving average and samples ----


def test_moving_average_warms_up_and_then_keeps_its_decay():
    """The first copies; then min(decay, (1 + n)/(10 + n)) of the old at update n, by the rule written out."""
    network = nn.Linear(1, 1, bias=False)
    average, wanted = Average(network, decay=0.5), 0.0
    currents = [8.0, 4.0, 2.0, -6.0, 1.0, 3.0, 7.0, -1.0, 0.0, 5.0, 9.0]  # past the warm-up at the end
    for n, current in enumerate(currents):
        nn.init.constant_(network.weight, current)
        average.update_parameters(network)
        kept = min(0.5, (1 + n) / (10 + n))
        wanted = kept * wanted + (1 - kept) * current if n else current
        assert average.module.weight.item() == pytest.approx(wanted, rel=1e-6)


def test_trainer_averages_the_generator_after_each_step():
    """The first step copies, later ones mix; running statistics are those of the live generator."""
    trainer = image_trainer(NonSaturating(), ema_decay=0.15)
    expected = None
    for report in trainer.run(Pictures(), steps=4):
        live = weights(trainer.generator)
        n = report.step - 1
        kept = min(0.15, (1 + n) / (10 + n))
        expected = live if expected is None else kept * expected + (1 - kept) * live
        torch.testing.assert_close(weights(trainer.average), expected)
    for ours, live in zip(trainer.average.module.buffers(), trainer.generator.buffers(), strict=True):
        assert torch.equal(ours, live)


def test_decay_of_zero_keeps_the_live_weights():
    trainer = plane_trainer(NonSaturating(), ema_decay=0.0)
    list(trainer.run(RING, steps=3))
    assert torch.equal(weights(trainer.average), weights(trainer.generator))
    assert torch.equal(trainer.sample(5), trainer.sample(5, live=True))


@pytest.mark.parametrize("live", [False, True])
def test_samples_are_drawn_in_eval_mode_and_the_mode_is_put_back(live):
    """Eval mode: an image does not depend on the others of its batch, nor do running statistics move."""
    trainer = image_trainer(NonSaturating())
    list(trainer.run(Pictures(), steps=2))
    before = copy.deepcopy(trainer.state())
    together = trainer.sample(6, live=live)
    apart = trainer.sample(6, batch=1, live=live)
    torch.testing.assert_close(together, apart)
    assert same(trainer.state(), before)
    assert trainer.generator.training
    assert trainer.average.training
    trainer.generator.eval()
    trainer.sample(2, live=True)
    assert not trainer.generator.training


def test_samples_depend_on_the_seed_alone():
    trainer = plane_trainer(NonSaturating())
    assert torch.equal(trainer.sample(4), trainer.sample(4))
    assert torch.equal(trainer.sample(4), trainer.sample(4, seed=5))  # the trainer's own seed
    assert not torch.equal(trainer.sample(4), trainer.sample(4, seed=6))
    torch.testing.assert_close(trainer.sample(9, batch=2), trainer.sample(9, batch=100))


def test_samples_come_as_float32_without_gradients_even_in_bfloat16():
    trainer = image_trainer(NonSaturating(), workshop=replace(IMAGES, precision=torch.bfloat16))
    list(trainer.run(Pictures(), steps=1))
    images = trainer.sample(3)
    assert images.dtype == torch.float32
    assert images.is_contiguous()
    assert not images.requires_grad


# ---- the same sums by other ways ----


def test_scoring_real_and_fake_in_one_pass_gives_the_scores_of_two():
    """One pass where no layer mixes images, two where batch normalisation would mix real with fake."""
    trainer = image_trainer(WassersteinGP())
    real, fake = Pictures()[0], Pictures()[1]
    passes = []
    trainer.critic.register_forward_hook(lambda *_: passes.append(1))
    one = trainer._scores(real, fake)
    assert len(passes) == 1
    torch.testing.assert_close(one[0], trainer.critic(real), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(one[1], trainer.critic(fake), rtol=1e-4, atol=1e-6)

    mixing = image_trainer(NonSaturating())
    reference = copy.deepcopy(mixing.critic)
    two = mixing._scores(real, fake)
    torch.testing.assert_close(two[0], reference(real))
    torch.testing.assert_close(two[1], reference(fake))


def test_memory_layout_changes_no_number_beyond_rounding():
    reports = [
        list(image_trainer(NonSaturating(), workshop=Workshop(channels_last=on)).run(Pictures(), steps=2))
        for on in (False, True)
    ]
    for plain, last in zip(*reports, strict=True):
        assert last.critic_loss == pytest.approx(plain.critic_loss, rel=1e-3)
        assert last.generator_loss == pytest.approx(plain.generator_loss, rel=1e-3)


def test_bfloat16_stays_close_to_float32_and_keeps_weights_and_losses_in_float32():
    reports = []
    for precision in (torch.float32, torch.bfloat16):
        trainer = image_trainer(WassersteinGP(critic_steps=1), workshop=replace(IMAGES, precision=precision))
        reports.append(next(trainer.run(Pictures(), steps=1)))
        assert {p.dtype for p in trainer.critic.parameters()} == {torch.float32}
    assert reports[1].penalty == pytest.approx(reports[0].penalty, rel=0.05)
    assert reports[1].real_score == pytest.approx(reports[0].real_score, rel=0.2, abs=1e-3)


@pytest.mark.full
def test_compiled_networks_give_the_same_numbers(monkeypatch):
    """Through the compiler's front end, which is what can refuse our code; its C++ back end takes half a minute.

    Even so it is slow by nature: both networks are traced, forwards and backwards, and here they are the smallest.
    """
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    plain, compiled = (
        plane_trainer(WassersteinGP(critic_steps=1), workshop=Workshop(compiled=on)) for on in (False, True)
    )
    for one, other in zip(plain.run(RING, steps=2), compiled.run(RING, steps=2), strict=True):
        assert other.critic_loss == pytest.approx(one.critic_loss, rel=1e-3, abs=1e-5)
        assert other.generator_loss == pytest.approx(one.generator_loss, rel=1e-3, abs=1e-5)
    assert (
        plain.state().keys() == compiled.state().keys()
    )  # a compiled run's checkpoint serves an uncompiled one
