"""Guards the bug museum: each bug fails in the way the chapter says, and the right code beside it does not."""

import torch
from torch import nn

from companion import museum
from companion.data.toy import GaussianRing
from companion.models.dcgan import DCGANConfig, Generator
from companion.models.mlp import PlaneCritic, PlaneGenerator
from companion.objectives import NonSaturating, WassersteinGP
from companion.randomness import generator
from companion.training import AdversarialTrainer
from companion.training.plane import plane_trainer

RING = GaussianRing(batch=64)


def generator_gradient(kind: type[AdversarialTrainer]) -> torch.Tensor:
    """What the generator's optimiser is given in the first step."""
    trainer = plane_trainer(NonSaturating(), seed=3, kind=kind)
    seen = []
    trainer.players["generator"].optimiser.register_step_pre_hook(
        lambda optimiser, *_: seen.append(
            torch.cat([p.grad.flatten().clone() for g in optimiser.param_groups for p in g["params"]])
        )
    )
    next(trainer.run(RING, steps=1))
    return seen[0]


def test_undetached_fakes_add_the_critics_gradient_to_the_generators():
    right, wrong = generator_gradient(AdversarialTrainer), generator_gradient(museum.UndetachedFakes)
    assert not torch.allclose(right, wrong)
    leak = wrong - right  # the critic's wish
    assert torch.nn.functional.cosine_similarity(right, leak, dim=0) < -0.5


def test_an_undetached_step_leaves_the_sum_of_both_gradients_in_the_generator():
    torch.manual_seed(0)
    networks = PlaneGenerator(), PlaneCritic()
    game, real, latents = NonSaturating(), RING[0], torch.randn(len(RING[0]), networks[0].latents)
    drawing, critic = networks
    weights = list(drawing.parameters())

    def gradient(loss):
        return torch.cat([one.flatten() for one in torch.autograd.grad(loss, weights)])

    leaked = gradient(game.critic_loss(critic(real), critic(drawing(latents))))
    optimisers = tuple(
        torch.optim.SGD(network.parameters(), lr) for network, lr in zip(networks, (0.0, 0.1), strict=True)
    )
    museum.undetached_step(networks, optimisers, game, real, latents)
    own = gradient(
        game.generator_loss(critic(drawing(latents)))
    )  # the critic has moved, the generator has not
    found = torch.cat([weight.grad.flatten() for weight in weights])
    torch.testing.assert_close(found, leaked + own)
    assert leaked.norm() > 0.01 * own.norm()


def test_the_leak_does_not_pile_up_from_step_to_step():
    trainer = plane_trainer(NonSaturating(), seed=3, kind=museum.UndetachedFakes)
    for _ in trainer.run(RING, steps=3):
        pass
    gradients = [parameter.grad for parameter in trainer.generator.parameters()]
    assert all(gradient is None for gradient in gradients)


def test_gradient_conflict_reads_and_changes_nothing():
    trainer = plane_trainer(NonSaturating(), seed=3)
    before = {key: value.clone() for key, value in trainer.state().items()}
    cosine, ratio = museum.gradient_conflict(trainer, RING[0])
    assert -1 <= cosine < 0 < ratio
    assert all(torch.equal(value, before[key]) for key, value in trainer.state().items())


def test_the_second_argument_of_batch_norm_is_eps():
    layer = museum.keras_momentum_as_eps(4)
    assert layer.eps == 0.8
    assert layer.momentum == 0.1  # PyTorch's default: what the author meant to set is untouched


def test_a_large_eps_lets_the_signal_die_layer_by_layer():
    torch.manual_seed(0)
    config, latents = DCGANConfig(width=8), torch.randn(32, 64)
    after = {
        norm: [
            std
            for name, std in museum.signal_by_depth(Generator(config, norm), latents)
            if name == "BatchNorm2d"
        ]
        for norm in (nn.BatchNorm2d, museum.keras_momentum_as_eps)
    }
    assert all(0.9 < std < 1.1 for std in after[nn.BatchNorm2d])
    dying = after[museum.keras_momentum_as_eps]
    assert dying == sorted(dying, reverse=True)
    assert dying[-1] < 0.1


def test_in_train_mode_a_picture_depends_on_its_company_and_the_generator_is_left_alone():
    torch.manual_seed(0)
    generator = Generator(DCGANConfig(width=4)).eval()
    before = [value.clone() for value in generator.state_dict().values()]
    latent, mates = torch.randn(1, 64), [torch.randn(3, 64) for _ in range(2)]
    first, second = museum.company_changes_a_picture(generator, latent, mates)
    assert (first - second).abs().max() > 0.01
    assert not generator.training
    assert all(torch.equal(a, b) for a, b in zip(before, generator.state_dict().values(), strict=True))


def test_half_of_the_epsilons_can_be_read_off_the_noise_of_the_same_stream():
    """And of another stream's noise no more than chance brings near."""
    wanted, nearest = museum.told_by_noise("noise on a cloud")
    assert ((wanted - nearest).abs() < 1e-5).sum() == 128
    wanted, nearest = museum.told_by_noise("penalty")
    assert ((wanted - nearest).abs() < 1e-5).sum() < 10


def test_the_exhibits_penalty_draws_the_numbers_of_the_noise():
    critic = museum.OneStream(PlaneCritic(), WassersteinGP(), seed=1)
    with critic.drawing("penalty"):
        found = torch.rand(3)
    assert torch.equal(found, torch.rand(3, generator=generator(1, "noise on a cloud")))
