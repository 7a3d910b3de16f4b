"""Guards that every trainer works where it was told to, and waits for the device once a step, for its numbers.

The device is only pretended (`pretend`); the first tests are the controls. A `FakeTensorMode` would add nothing here:
it has no numbers, so no report can be read, no loss judged finite and no state compared.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch
from pretend import pretending
from torch import Tensor

from companion.data.batches import Pair
from companion.data.toy import GaussianRing
from companion.losses import PixelL1, WeightedSum
from companion.models import colour
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.models.deblur import Restorer, RestorerConfig
from companion.models.mlp import PlaneCritic
from companion.objectives import (
    LeastSquares,
    Minimax,
    NonSaturating,
    OneSidedWassersteinGP,
    Wasserstein,
    WassersteinGP,
)
from companion.randomness import drawing, generator
from companion.training.adversarial import AdversarialTrainer
from companion.training.classifier import digit_lessons
from companion.training.conditional import ConditionalTrainer
from companion.training.critic import CriticTrainer, Facing
from companion.training.faces import attribute_lessons, identity_lessons
from companion.training.player import Workshop

SIZE, COUNT = 16, 4
OBJECTIVES = (
    Minimax(smoothing=0.1),
    NonSaturating(),
    LeastSquares(),
    Wasserstein(critic_steps=2),
    WassersteinGP(critic_steps=2),
    OneSidedWassersteinGP(critic_steps=2),
)


def numbers(index: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator(1, "example inputs", index))


class Pictures:
    """Endless batches of pictures, or of pairs of them, on the CPU as all data is."""

    def __init__(self, channels: int, *, pairs: bool = False) -> None:
        self.channels, self.pairs = channels, pairs

    def __getitem__(self, index: int) -> Tensor | Pair:
        images = numbers(index, COUNT, self.channels, SIZE, SIZE) * 2 - 1
        return Pair(images, images.flip(0)) if self.pairs else images


def adversarial(objective, workshop):
    config = DCGANConfig(size=SIZE, latents=3, width=2)
    with drawing(1, "weights"):
        critic = Critic(config, norm=None) if isinstance(objective, WassersteinGP) else Critic(config)
        networks = Generator(config), critic
    return AdversarialTrainer(*networks, objective, seed=1, workshop=workshop), Pictures(1)


def with_its_own_prior(workshop):
    config = colour.ColourConfig(SIZE, 3, 3, width=2, uniform=True)
    with drawing(1, "weights"):
        networks = colour.Generator(config), Critic(config.critic, norm=None)
    return AdversarialTrainer(*networks, WassersteinGP(), seed=1, workshop=workshop), Pictures(3)


def conditional(workshop):
    with drawing(1, "weights"):
        networks = Restorer(RestorerConfig(width=2, blocks=1)), Critic(DCGANConfig(SIZE, 3, width=2))
    pairs = Pictures(3, pairs=True)
    given = {"content": WeightedSum((PixelL1(10.0),)), "shown": pairs[9], "seed": 1, "workshop": workshop}
    return ConditionalTrainer(*networks, NonSaturating(), **given), pairs


def critic_alone(objective, workshop):
    with drawing(1, "weights"):
        critic = PlaneCritic(width=4)
    data = Facing(GaussianRing(batch=COUNT), GaussianRing(batch=COUNT, seed=1))
    return CriticTrainer(critic, objective, seed=1, workshop=workshop), data


def digits(workshop):
    pixels = (numbers(0, COUNT, 1, 32, 32) * 255).byte()
    lessons = digit_lessons(pixels, torch.arange(COUNT), rounds=3, seed=1, workshop=workshop)
    return lessons.trainer, lessons.batches


def attributes(workshop):
    pixels = (numbers(0, COUNT, 3, SIZE, SIZE) * 255).byte()
    lessons = attribute_lessons(pixels, numbers(1, COUNT, 2) > 0.5, rounds=3, seed=1, workshop=workshop)
    return lessons.trainer, lessons.batches


def identities(workshop):
    pixels = (numbers(0, COUNT, 3, 3, SIZE, SIZE) * 255).byte()
    lessons = identity_lessons(pixels, length=4, rounds=3, seed=1, workshop=workshop)
    return lessons.trainer, lessons.batches


TRAINERS = {
    **{f"adversarial {type(each).__name__}": partial(adversarial, each) for each in OBJECTIVES},
    "its own prior": with_its_own_prior,
    "conditional": conditional,
    "critic, clipped": partial(critic_alone, Wasserstein()),
    "critic, penalised": partial(critic_alone, WassersteinGP()),
    "digits": digits,
    "attributes": attributes,
    "identities": identities,
}
LONE = ("critic, clipped", "critic, penalised")
LESSONS = ("digits", "attributes", "identities")
EACH = pytest.mark.parametrize("make", TRAINERS.values(), ids=list(TRAINERS))


@pytest.fixture(params=["cuda", "mps"])
def pretended(request):
    with pretending(request.param) as mode:
        yield mode


def there(mode) -> Workshop:
    """As `workshop` would make it."""
    return Workshop(torch.device(mode.kind), channels_last=mode.kind == "cuda")


# ---- controls: one tensor in the wrong place ------------------------------------------------------------------------


def weight_astray(player):
    parameter = list(player.network.parameters())[-1]
    parameter.data = parameter.data.cpu()


def slot_astray(player):
    parameter, slots = next(iter(player.optimiser.state.items()))
    name = next(name for name, value in slots.items() if value.shape == parameter.shape)
    slots[name] = slots[name].cpu()


@EACH
@pytest.mark.parametrize("astray", [weight_astray, slot_astray])
@pytest.mark.slow
def test_one_tensor_in_the_wrong_place_is_found(pretended, make, astray):
    for name in make(Workshop())[0].players:
        trainer, batches = make(there(pretended))
        reports = trainer.run(batches, steps=2)
        next(reports)
        astray(trainer.players[name])
        with pytest.raises(RuntimeError, match="on the same device"):
            next(reports)


@pytest.mark.parametrize("name", [name for name in TRAINERS if name not in (*LESSONS, *LONE)])
@pytest.mark.slow
def test_an_average_left_behind_is_found(pretended, name):
    trainer, batches = TRAINERS[name](there(pretended))
    parameter = next(trainer.average.parameters())
    parameter.data = parameter.data.cpu()
    with pytest.raises(RuntimeError, match="on the same device"):
        next(trainer.run(batches, steps=1))


@pytest.mark.parametrize("name", [name for name in TRAINERS if name not in LESSONS])
def test_a_batch_left_behind_is_found(pretended, monkeypatch, name):
    """Lessons' batches are indices, which may be anywhere; the wait for them is seen below."""
    monkeypatch.setattr(Workshop, "bring", lambda self, batch: batch)
    trainer, batches = TRAINERS[name](there(pretended))
    with pytest.raises(RuntimeError, match="on the same device"):
        next(trainer.run(batches, steps=1))


def test_a_step_that_waits_twice_is_counted(pretended):
    class Curious(LeastSquares):
        def generator_loss(self, fake):
            assert float(fake.detach().mean()) < 100
            return super().generator_loss(fake)

    trainer, batches = adversarial(Curious(), there(pretended))
    next(trainer.run(batches, steps=1))
    assert any(wait.startswith("__float__") for wait in pretended.waits)


# ---- every trainer --------------------------------------------------------------------------------------------------


@EACH
@pytest.mark.slow
def test_a_trainer_works_where_it_was_told_to(pretended, make):
    """Two steps with the CPU's numbers, of which the second, with averages and all slots there, waits once."""
    trainer, batches = make(there(pretended))
    reports = trainer.run(batches, steps=2)
    first = next(reports)
    pretended.waits.clear()
    second = next(reports)
    assert [wait.split(":")[0] for wait in pretended.waits] == ["tolist at trainer.py"]
    here, batches = make(Workshop())
    for ours, wanted in zip((first, second), here.run(batches, steps=2), strict=True):
        assert ours.numbers == pytest.approx(wanted.numbers, rel=1e-3, abs=1e-4)


@EACH
@pytest.mark.slow
def test_a_trainer_is_taken_up_where_it_was_told_to(pretended, make):
    trainer, batches = make(there(pretended))
    next(trainer.run(batches, steps=2))
    state = {name: value.cpu() for name, value in trainer.state().items()}  # as out of a file
    again, _ = make(there(pretended))
    again.restore(state)
    wanted, found = (next(each.run(batches, steps=2)) for each in (trainer, again))
    assert found.numbers == wanted.numbers
    places = {name: value.device for name, value in trainer.state().items()}
    assert {name: value.device for name, value in again.state().items()} == places
    assert all(
        place.type == pretended.kind for name, place in places.items() if name.endswith((".weight", ".bias"))
    )


@EACH
@pytest.mark.slow
def test_what_a_trainer_shows_has_come_over(pretended, make):
    trainer, _ = make(there(pretended))
    shown = trainer.preview()
    here = make(replace(there(pretended), device=torch.device("cpu")))[0].preview()
    if shown is None:
        assert here is None
        return
    assert shown.device.type == "cpu"
    torch.testing.assert_close(shown, here, rtol=1e-3, atol=1e-4)
    if not isinstance(trainer, ConditionalTrainer):
        assert torch.equal(trainer.sample(3), trainer.sample(3))
        assert trainer.sample(3, live=True).numpy().shape == (3, *shown.shape[1:])
