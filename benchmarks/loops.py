"""The contenders. Each gives a function that makes one training step: one of the critic, one of the generator.

All train the same networks: `companion.models.dcgan` at 64×64, three channels, width 32, the critic without
normalisation in the Wasserstein games, so that clipping and penalty have the same work besides. A peer gets them
inside a subclass of its own base class, which only hands `forward` on, so that what is timed is the peer's published
step:

* torch-mimicry: `train_step` of its critic, then of its generator, and the log and scheduler of its `Trainer.train`.
  It has no clipping, so it sits that game out.
* torchgan: `Trainer.train_iter`, which its `Trainer.train` calls once a batch. Its penalty takes an optimiser step of
  its own and one norm over the whole batch, and it clips before the step; that is how it was published, and it is not
  made slower by it.
* ours: `AdversarialTrainer.run`, moving average of the generator included, which the peers do not keep.

Printing, saving and TensorBoard are left out for all, and so is reading data: batches lie in memory.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.objectives import NonSaturating, Objective, Wasserstein, WassersteinGP
from companion.training.adversarial import AdversarialTrainer
from companion.training.player import Workshop

CONFIG = DCGANConfig(size=64, channels=3, latents=64, width=32)

Step = Callable[[], None]


@dataclass(frozen=True)
class Game:
    """One of the objectives timed, and what torch-mimicry calls its loss (None: it has no such game)."""

    name: str
    objective: Objective
    mimicry_loss: str | None
    batch_norm: bool  # in the critic

    @property
    def optimiser(self) -> tuple[type[Optimizer], dict[str, Any]]:
        """The optimiser the objective asks for, with its rate and decays, for the peers."""
        chosen = self.objective.optimiser([nn.Parameter(torch.zeros(1))])
        settings = {key: chosen.defaults[key] for key in ("lr", "betas") if key in chosen.defaults}
        return type(chosen), settings


CLIPPED = Game("WGAN, clipped", Wasserstein(critic_steps=1), None, batch_norm=False)
PENALISED = Game("WGAN-GP", WassersteinGP(critic_steps=1), "wasserstein", batch_norm=False)
GAMES = (PENALISED, CLIPPED, Game("DCGAN", NonSaturating(), "ns", batch_norm=True))


@dataclass(frozen=True)
class Data:
    """Batches in memory, asked for by number, over and over."""

    batches: tuple[Tensor, ...]

    def __getitem__(self, index: int) -> Tensor:
        return self.batches[index % len(self.batches)]


@dataclass(frozen=True)
class Contender:
    """A loop to be timed and what is known of it."""

    name: str
    build: Callable[[Game, Data], tuple[Step, dict[str, int]]]
    plays: Callable[[Game], bool] = lambda game: True


def networks(game: Game) -> tuple[Generator, Critic]:
    """The networks every contender trains, with the same first weights."""
    torch.manual_seed(1)
    norm = nn.BatchNorm2d if game.batch_norm else None
    return Generator(CONFIG), Critic(CONFIG, norm=norm)


def weights(generator: nn.Module, critic: nn.Module) -> dict[str, int]:
    """How many numbers each network learns."""
    return {
        name: sum(weight.numel() for weight in network.parameters())
        for name, network in (("generator", generator), ("critic", critic))
    }


def ours(*, bfloat16: bool = False, channels_last: bool = True, compiled: bool = False) -> Contender:
    """The course's own loop."""

    def build(game: Game, data: Data) -> tuple[Step, dict[str, int]]:
        trainer = AdversarialTrainer(
            *networks(game),
            game.objective,
            seed=1,
            workshop=Workshop(
                precision=torch.bfloat16 if bfloat16 else torch.float32,
                channels_last=channels_last,
                compiled=compiled,
            ),
        )

        def step() -> None:
            next(trainer.run(data, steps=trainer.step + 1))

        return step, weights(trainer.generator, trainer.critic)

    layout = "" if channels_last else ", contiguous"
    tail = ", compiled" if compiled else ""
    return Contender(f"companion, {'bfloat16' if bfloat16 else 'float32'}{layout}{tail}", build)


def mimicry() -> Contender:
    """Version 0.1.16 of torch-mimicry (Lee and Town 2020)."""

    def build(game: Game, data: Data) -> tuple[Step, dict[str, int]]:
        from torch_mimicry.nets.gan import gan
        from torch_mimicry.nets.wgan_gp import wgan_gp_base
        from torch_mimicry.training.metric_log import MetricLog
        from torch_mimicry.training.scheduler import LRScheduler

        generator, critic = networks(game)
        penalised = game is PENALISED
        generator_base = wgan_gp_base.WGANGPBaseGenerator if penalised else gan.BaseGenerator
        critic_base = wgan_gp_base.WGANGPBaseDiscriminator if penalised else gan.BaseDiscriminator

        class TheirGenerator(generator_base):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                super().__init__(nz=CONFIG.latents, ngf=0, bottom_width=4, loss_type=game.mimicry_loss)
                self.network = generator

            def forward(self, latents: Tensor) -> Tensor:
                return cast(Tensor, self.network(latents))

        class TheirCritic(critic_base):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                super().__init__(ndf=0, loss_type=game.mimicry_loss)
                self.network = critic

            def forward(self, images: Tensor) -> Tensor:
                return cast(Tensor, self.network(images))[:, None]  # their losses expect (N, 1)

        draw, score = TheirGenerator(), TheirCritic()
        kind, settings = game.optimiser
        draw_optimiser, score_optimiser = (kind(net.parameters(), **settings) for net in (draw, score))
        scheduler = LRScheduler(lr_decay=None, optD=score_optimiser, optG=draw_optimiser, num_steps=10**6)
        device, numbers = torch.device("cpu"), count()

        def step() -> None:
            number = next(numbers)
            log = MetricLog()
            batch = (data[number], torch.zeros(len(data[number])))
            same = {"real_batch": batch, "device": device, "global_step": number, "scaler": None}
            log = score.train_step(netG=draw, optD=score_optimiser, log_data=log, **same)
            log = draw.train_step(netD=score, optG=draw_optimiser, log_data=log, **same)
            scheduler.step(log_data=log, global_step=number)

        return step, weights(draw, score)

    return Contender("torch-mimicry 0.1.16", build, plays=lambda game: game.mimicry_loss is not None)


def torchgan() -> Contender:
    """Version 0.1.0 of torchgan (Pal and Das 2021)."""

    def build(game: Game, data: Data) -> tuple[Step, dict[str, int]]:
        from torchgan import losses
        from torchgan.models import Discriminator as CriticBase
        from torchgan.models import Generator as GeneratorBase
        from torchgan.trainer import Trainer

        generator, critic = networks(game)

        class TheirGenerator(GeneratorBase):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__(CONFIG.latents)
                self.network = generator

            def forward(self, latents: Tensor) -> Tensor:
                return cast(Tensor, self.network(latents))

        class TheirCritic(CriticBase):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__(CONFIG.channels)
                self.network = critic

            def forward(self, images: Tensor) -> Tensor:
                return cast(Tensor, self.network(images))

        chosen = [losses.MinimaxGeneratorLoss(), losses.MinimaxDiscriminatorLoss()]
        if game is PENALISED:
            chosen = [losses.WassersteinGeneratorLoss(), losses.WassersteinDiscriminatorLoss()]
            chosen.append(losses.WassersteinGradientPenalty())
        elif game is CLIPPED:
            walls = (-game.objective.clip, game.objective.clip)  # type: ignore[attr-defined]
            chosen = [losses.WassersteinGeneratorLoss(), losses.WassersteinDiscriminatorLoss(clip=walls)]
        kind, settings = game.optimiser
        optimiser = {"name": kind, "args": settings}
        scratch = tempfile.mkdtemp(prefix="torchgan-")  # its constructor makes folders for what we never save
        trainer = Trainer(
            {
                "generator": {"name": TheirGenerator, "optimizer": optimiser},
                "discriminator": {"name": TheirCritic, "optimizer": optimiser},
            },
            chosen,
            device=torch.device("cpu"),
            checkpoints=f"{scratch}/models/gan",
            recon=f"{scratch}/images",
            log_dir=scratch,
        )
        trainer.batch_size = len(data[0])
        trainer.generator.train()
        trainer.discriminator.train()
        numbers = count()

        def step() -> None:
            trainer.real_inputs = data[next(numbers)]
            *_, generator_steps, critic_steps = trainer.train_iter()
            trainer.loss_information["generator_iters"] += generator_steps
            trainer.loss_information["discriminator_iters"] += critic_steps

        return step, weights(trainer.generator, trainer.discriminator)

    return Contender("torchgan 0.1.0", build)
