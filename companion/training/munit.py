"""Translation between two sets of pictures that have nothing to do with each other (Huang et al. 2018; chapter 7)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, l1_loss
from torch.optim import Adam

from companion import pretrained
from companion.data import Images, Shuffled, load
from companion.data.batches import Domains
from companion.data.catalogue import ImageSet, named
from companion.errors import CompanionError, unknown_name
from companion.losses import PerceptualLoss
from companion.models.configs import MOST_BLOCKS, WIDEST
from companion.models.evaluating import evaluating
from companion.models.munit import (
    Decoder,
    Encoder,
    MultiScaleCritic,
    MultiScaleCriticConfig,
    MUNITConfig,
    OneScore,
    Translator,
)
from companion.objectives import LeastSquares, Objective
from companion.randomness import drawing, stream
from companion.settings import SettingError, Settings, option
from companion.training.critic import Facing
from companion.training.identity import Teacher, is_encoder
from companion.training.player import Player, Workshop
from companion.training.second_order import second_order
from companion.training.settings import TrainingSettings
from companion.training.trainer import Batches, Trainer

SIDES = ("a", "b")
SHOWN = 8  # pictures of each side in the sample grids
RATE = 1e-4  # the paper's
TEACHERS = ("identity", "faces-identity")  # pretrained runs that know people
ANCHORS = 256  # people of the first set, likeness to whom is distilled


@dataclass(frozen=True)
class Shares(Settings):
    """How much each part counts in the loss of encoders and decoders, beside the critics' word (the paper's λ)."""

    image: float = option(10.0, least=0, below=1e6)  # an image, taken apart and joined again, is itself
    content: float = option(1.0, least=0, below=1e6)  # a translation's content is that of the image
    style: float = option(1.0, least=0, below=1e6)  # its style is the one it was drawn in
    cycle: float = option(
        0.0, least=0, below=1e6
    )  # there and, in its own style, back again, an image is itself
    perceptual: float = option(0.0, least=0, below=1e6)  # a trained network sees in it what the image shows
    identity: float = option(0.0, least=0, below=1e6)  # a teacher sees in it whom the image shows
    distilled: float = option(0.0, least=0, below=1e6)  # it resembles other people as much as the image does
    paired: float = option(
        0.0, least=0, below=1e6
    )  # of people who are known on both sides, it is the true other picture

    @property
    def taught(self) -> bool:
        """Whether a teacher is needed, who knows people."""
        return bool(self.identity or self.distilled)


PAPER = Shares()


class ShownContent(nn.Module):
    """How far apart what two images show is to a trained network, whatever their style (Huang et al. 2018, section 5).

    Mean and deviation of each map are taken out before the maps are compared: the domain-invariant perceptual loss.
    """

    def __init__(self, backbone: str) -> None:
        super().__init__()
        self.network = PerceptualLoss(backbone)

    def forward(self, translated: Tensor, images: Tensor) -> Tensor:
        """Mean squared difference over maps and places, then over layers; a scalar."""
        pairs = zip(self.network.activations(translated), self.network.activations(images), strict=True)
        gaps = [
            (instance_norm(one.float()) - instance_norm(other.float())).square().mean()
            for one, other in pairs
        ]
        return torch.stack(gaps).mean()


class TranslationTrainer(Trainer[Domains]):
    """Trains two encoders, two decoders and two critics, one of each for each side.

    In a step every image is taken apart into content and style, drawn again by its own side's decoder, and drawn by
    the other side's in a style from a standard normal. The critics learn first, from the same fakes that encoders and
    decoders then learn from: nothing that draws has changed between.

    Args:
        config: The shape of encoders and decoders.
        critic: The shape of the critics.
        objective: Of critics, and of encoders and decoders where they face the critics; at each size by itself, summed.
        shares: How much the reconstructions count.
        seed: Fixes styles and penalties; the weights are drawn from torch's current random state.
        content: Compares what images show, where `shares.perceptual` is not 0.
        teacher: Knows people, where `shares.identity` or `shares.distilled` is not 0.
        pairs: The same people on both sides, row by row, where `shares.paired` is not 0; a step draws as many of them
            as it has images of a side.
        workshop: Where and how the networks are trained.
        ema_decay: Decay of encoders' and decoders' moving averages.
        generator_rate: Learning rate of encoders and decoders; likewise `critic_rate`.
        shown: Pictures that a run's sample grids translate.

    Raises:
        SettingError: The objective wants several critic steps for each of the others', or a share is to count for which
            there is no teacher or no pair.
        CompanionError: The pairs have another shape than the images.
    """

    def __init__(
        self,
        config: MUNITConfig,
        critic: MultiScaleCriticConfig,
        objective: Objective,
        shares: Shares = PAPER,
        *,
        seed: int,
        content: nn.Module | None = None,
        teacher: Teacher | None = None,
        pairs: Domains | None = None,
        workshop: Workshop | None = None,
        ema_decay: float = 0.999,
        generator_rate: float = RATE,
        critic_rate: float = RATE,
        shown: Domains | None = None,
    ) -> None:
        if objective.critic_steps != 1:
            raise SettingError(
                "critic_steps", objective.critic_steps, "1, since a step is one of everybody's"
            )
        for share, there in (("identity", teacher), ("distilled", teacher), ("paired", pairs)):
            if getattr(shares, share) and there is None:
                needed = "pairs of the same people" if share == "paired" else "a teacher who knows people"
                raise SettingError(
                    f"shares.{share}", getattr(shares, share), f"0, or give the trainer {needed}"
                )
        if pairs is not None and shares.paired:
            _check_pairs(pairs, config.size)
        workshop = workshop or Workshop()
        generating, judging = (partial(_adam, rate=rate) for rate in (generator_rate, critic_rate))
        players: dict[str, Player] = {}
        for side in SIDES:
            players[f"encoder_{side}"] = Player(Encoder(config), generating, workshop, ema_decay=ema_decay)
            players[f"decoder_{side}"] = Player(Decoder(config), generating, workshop, ema_decay=ema_decay)
        for side in SIDES:
            players[f"critic_{side}"] = Player(MultiScaleCritic(critic), judging, workshop)
        super().__init__(players, workshop, seed=seed)
        self.config, self.objective, self.shares, self.shown = config, objective, shares, shown
        self.content = None if content is None else content.to(self.device)
        self.teacher = teacher.to(self.device) if teacher is not None and shares.taught else None
        self.pairs = pairs.to(self.device) if pairs is not None and shares.paired else None
        self.encoders, self.decoders, self.critics = (
            [self.players[f"{kind}_{side}"] for side in SIDES] for kind in ("encoder", "decoder", "critic")
        )

    def one_step(self, batches: Batches[Domains]) -> Mapping[str, Tensor]:
        """Train critics, then encoders and decoders, on the next batch of both sides."""
        batch = self.take(batches[self.step])
        real = [batch.a, batch.b]
        with self.drawing("styles"):
            drawn = torch.randn(2, self._joined, self.config.styles, device=self.device)
        styles = [self.workshop.processes.part(each) for each in drawn]
        codes = [encoder(images) for encoder, images in zip(self.encoders, real, strict=True)]
        contents, own_styles = ([code[part].float() for code in codes] for part in (0, 1))
        restored, fakes = [], []
        for side, decoder in enumerate(self.decoders):  # its own images and the other's, in one pass
            content = torch.cat([contents[side], contents[1 - side]])
            both = decoder(content, torch.cat([own_styles[side], styles[side]])).float().chunk(2)
            restored.append(both[0])
            fakes.append(both[1])
        numbers = self._critics_step(real, [fake.detach() for fake in fakes])
        with ExitStack() as stack:
            for critic in self.critics:
                stack.enter_context(critic.still())
            losses = self._reconstructions(real, contents, own_styles, styles, restored, fakes)
            adversarial = _sum(
                self.objective.generator_loss(scores.float().flatten())
                for critic, fake in zip(self.critics, fakes, strict=True)
                for scores in critic(fake)
            )
            total = _sum([adversarial, *(getattr(self.shares, part) * loss for part, loss in losses.items())])
            self.learn(total, *self.encoders, *self.decoders)
        named_losses = {f"{part}_loss": loss for part, loss in losses.items()}
        return {**numbers, "generator_loss": total, "adversarial_loss": adversarial, **named_losses}

    def _reconstructions(
        self,
        real: Sequence[Tensor],
        contents: Sequence[Tensor],
        own_styles: Sequence[Tensor],
        styles: Sequence[Tensor],
        restored: Sequence[Tensor],
        fakes: Sequence[Tensor],
    ) -> dict[str, Tensor]:
        """Equations 2 to 4 of the paper, and what else is asked for; each summed over both sides, before its share."""
        again = [encoder(fake) for encoder, fake in zip(self.encoders, fakes, strict=True)]
        losses = {
            "image": _sum(map(l1_loss, restored, real)),
            "content": _sum(map(l1_loss, (code[0].float() for code in again), reversed(contents))),
            "style": _sum(map(l1_loss, (code[1].float() for code in again), styles)),
        }
        if self.shares.cycle:
            back = [self.decoders[1 - side](again[side][0], own_styles[1 - side]).float() for side in (0, 1)]
            losses["cycle"] = _sum(map(l1_loss, back, reversed(real)))
        if self.content is not None:
            with self.workshop.autocast():
                losses["perceptual"] = _sum(map(self.content, fakes, reversed(real)))
        if self.teacher is not None:
            for part in ("identity", "distilled"):
                if getattr(self.shares, part):
                    losses[part] = _sum(map(getattr(self.teacher, part), fakes, reversed(real)))
        if self.pairs is not None:
            losses["paired"] = self._of_pairs(self.pairs)
        return losses

    def _of_pairs(self, pairs: Domains) -> Tensor:
        """How far translations of people who are known on both sides are from their true other pictures.

        Each is drawn in the style of the picture that it should be, so that only what it shows can be wrong.
        """
        with self.drawing("pairs"):
            rows = torch.randint(len(pairs), (self._joined,))
        chosen = self.workshop.processes.part(rows).to(self.device)
        true = [pairs.a[chosen], pairs.b[chosen]]
        codes = [encoder(images) for encoder, images in zip(self.encoders, true, strict=True)]
        drawn = (
            decoder(codes[1 - side][0].float(), codes[side][1].float()).float()
            for side, decoder in enumerate(self.decoders)
        )
        return _sum(map(l1_loss, drawn, true))

    def _critics_step(self, real: Sequence[Tensor], fakes: Sequence[Tensor]) -> dict[str, Tensor]:
        """One step of each critic; their losses and penalties, summed."""
        total = torch.zeros((), device=self.device)
        penalties = torch.zeros((), device=self.device)
        for critic, own, fake in zip(self.critics, real, fakes, strict=True):
            scores = [each.float().chunk(2) for each in critic(torch.cat([own, fake]))]
            loss = _sum(self.objective.critic_loss(r.flatten(), f.flatten()) for r, f in scores)
            penalty = self._penalty(critic, own, fake)
            self.learn(loss if penalty is None else loss + penalty, critic)
            self.objective.constrain(critic.network)
            total = total + loss.detach()
            penalties = penalties if penalty is None else penalties + penalty.detach()
        return {"critic_loss": total, "penalty": penalties}

    def _penalty(self, critic: Player, real: Tensor, fake: Tensor) -> Tensor | None:
        jointly = self.workshop.processes.drawing_jointly(self._joined)
        with self.drawing("penalty"), jointly, self.workshop.autocast(), second_order():
            return self.objective.penalty(OneScore(critic.network), real, fake)

    def translator(self, source: str = "a", *, live: bool = False) -> Translator:
        """One way of the translation, from this side to the other, sharing the averaged (or live) networks."""
        target = SIDES[1 - SIDES.index(source)]
        parts = [
            self.players[name] for name in (f"encoder_{source}", f"encoder_{target}", f"decoder_{target}")
        ]
        networks = [part.network if live else part.best for part in parts]
        return Translator.joining(self.config, *networks)  # type: ignore[arg-type]

    def products(self) -> Mapping[str, nn.Module]:
        """Both ways, averaged."""
        return {"a_to_b": self.translator("a"), "b_to_a": self.translator("b")}

    def preview(self) -> Tensor | None:
        """Eight pictures of each side; below, in two styles that were drawn, and in those of the other side's eight.

        The latter are used as they are read: eight pictures tell little of which numbers are still, so `mended` is not
        asked, and this third row may look worse than drawn styles do.
        """
        if self.shown is None:
            return None
        rows = []
        for source, images, others in (("a", self.shown.a, self.shown.b), ("b", self.shown.b, self.shown.a)):
            model = self.translator(source)
            with drawing(self.seed, "shown styles"):
                styles = torch.randn(2, 1, self.config.styles).expand(-1, len(images), -1)
            rows.append(images)
            rows += [translated(model, images, style) for style in (*styles, styles_of(model, others))]
        return torch.cat(rows)


@torch.no_grad()
def translated(model: Translator, images: Tensor, styles: Tensor, *, batch: int = 64) -> Tensor:
    """Images in these styles, `(N, 3, size, size)` in [−1, 1], in eval mode, float32, on the CPU.

    Args:
        model: What draws, wherever it is.
        images: `(N, 3, size, size)` in [−1, 1].
        styles: One for each image, `(N, styles)`, without bounds; a decoder is taught on draws from a standard normal.
        batch: How many are drawn at once.

    Raises:
        CompanionError: There are not as many styles as images, the styles have another length than the model's, or the
            images' sides are no multiples of 4.
    """
    if len(images) != len(styles):
        raise CompanionError(
            f"{len(images)} images cannot be drawn in {len(styles)} styles; give one style for each image."
        )
    device = next(model.parameters()).device
    with evaluating(model):
        parts = zip(torch.split(images, batch), torch.split(styles, batch), strict=True)
        return torch.cat([model(part.to(device), style.to(device)).float().cpu() for part, style in parts])


@torch.no_grad()
def styles_of(model: Translator, images: Tensor, *, batch: int = 64) -> Tensor:
    """How images of the side that is reached are drawn, `(N, styles)`, without bounds, in eval mode, on the CPU.

    Args:
        model: What reads, wherever it is.
        images: `(N, 3, size, size)` in [−1, 1], sides of 16 pixels or more.
        batch: How many are read at once.

    Raises:
        CompanionError: The images are smaller, which cannot be halved four times.
    """
    if min(images.shape[-2:]) < 16:
        raise CompanionError(
            f"The style of {images.shape[-1]}×{images.shape[-2]} pixels cannot be read; give 16 or more a side."
        )
    device = next(model.parameters()).device
    with evaluating(model):
        return torch.cat([model.style(part.to(device)).float().cpu() for part in torch.split(images, batch)])


def _check_pairs(pairs: Domains, size: int) -> None:
    for images in pairs.tensors:
        if not len(images) or images.shape[1:] != (3, size, size):
            raise CompanionError(
                f"Pairs are learnt from as colour pictures (N, 3, {size}, {size}), and these are "
                f"{tuple(images.shape)}; give some of that size on both sides."
            )


def _sum(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).sum()


def _adam(parameters: object, rate: float) -> Adam:
    """Adam as the paper has it, weight decay included."""
    return Adam(parameters, lr=rate, betas=(0.5, 0.999), weight_decay=1e-4, fused=True)  # type: ignore[arg-type]


def _up_to(most: int, default: int, **about: Any) -> int:
    """A field for a whole number from 1 to `most`."""
    return option(default, metavar="N", least=1, below=most + 1, choose=f"1 to {most}", **about)


@dataclass(frozen=True)
class MUNITSettings(TrainingSettings):
    """A translation's run, sized for two cores; the paper's width is 64, its batch 1."""

    data: tuple[str, str] = option(("portraits", "caricatures"))  # type: ignore[assignment]
    size: int = option(64, help="side of the images, a multiple of 16", metavar="PIXELS", least=16)
    batch: int = option(8, help="images of each side per step", metavar="N", least=1)
    steps: int = option(20_000, help="training steps", metavar="N", least=1)
    width: int = _up_to(WIDEST, 16, help="channels at full size")
    styles: int = _up_to(WIDEST, 8, help="length of a style")
    blocks: int = _up_to(MOST_BLOCKS, 4, help="residual blocks of each encoder and decoder")
    attention: bool = option(False, help="let places of the content attend to each other")
    deformable: bool = option(False, help="let convolutions of the content choose where they look")
    critic_width: int = _up_to(WIDEST, 16)
    scales: int = option(3, help="sizes the critics look at", metavar="N", least=1, below=7)
    spectral: bool = option(False, help="spectral normalisation in the critics")
    objective: Objective = option(LeastSquares(), named=True)
    shares: Shares = PAPER
    backbone: str = "squeezenet-deep-compression"  # of the perceptual loss
    teacher: str = option(
        "identity", help="who knows people, for --identity and --distilled: a pretrained run", metavar="NAME"
    )
    generator_rate: float = option(
        RATE, help="learning rate of encoders and decoders", metavar="RATE", above=0, below=1
    )
    critic_rate: float = option(RATE, help="the critics' learning rate", metavar="RATE", above=0, below=1)

    def check(self) -> None:
        """Refuse shapes that no networks have, and images too small for the critics.

        Raises:
            CompanionError: They cannot be built.
        """
        _ = self.config
        if self.size < self.critic.least:
            raise CompanionError(
                f"Critics that look at {self.scales} sizes and halve each {self.critic.halvings} times need images of "
                f"{self.critic.least} pixels, not {self.size}; choose larger images or fewer sizes."
            )

    @property
    def config(self) -> MUNITConfig:
        """The shape of encoders and decoders."""
        return MUNITConfig(self.size, self.width, self.styles, self.blocks, self.attention, self.deformable)

    @property
    def critic(self) -> MultiScaleCriticConfig:
        """The shape of the critics; four halvings as the paper has them, fewer for images too small for them."""
        halvings = min(4, self.size.bit_length() - self.scales)
        return MultiScaleCriticConfig(self.critic_width, self.scales, max(1, halvings), self.spectral)


@dataclass(frozen=True)
class Translation:
    """A run made ready: the trainer, and the two sets it translates between."""

    settings: MUNITSettings
    trainer: TranslationTrainer
    images: tuple[Images, Images]

    @property
    def batches(self) -> Facing:
        """Batches of both sides, each in an order of its own."""
        first, second = self.images
        seed, batch = self.settings.seed, self.settings.batch
        return Facing(
            Shuffled(first, batch, seed), Shuffled(second, batch, stream(seed, "order of the other side"))
        )

    @property
    def fingerprint(self) -> str:
        """A short checksum of all pixels of both sides."""
        return "".join(images.fingerprint for images in self.images)


def build(
    settings: MUNITSettings,
    images: tuple[Images, Images] | None = None,
    shown: Domains | None = None,
    *,
    teacher: nn.Module | None = None,
    pairs: Domains | None = None,
) -> Translation:
    """Networks with seeded weights in a trainer, and the two sets.

    Args:
        settings: All that fixes the run.
        images: The two sets, if they have been loaded already.
        shown: What the sample grids show; without it, eight of each side's test part where it has one.
        teacher: The encoder that knows people, where the settings ask for one; else the pretrained one they name.
        pairs: People who are known on both sides, where the settings ask for them.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    settings.check()  # before the data is read
    encoder = (teacher or _encoder(settings.teacher)) if settings.shares.taught else None
    first, second = images or (_colour(load(source, size=settings.size)) for source in settings.data)
    content = ShownContent(settings.backbone) if settings.shares.perceptual else None
    anchors = torch.arange(min(ANCHORS, len(first)))
    taught = None if encoder is None else Teacher(encoder, first[anchors])
    with drawing(settings.seed, "weights"):
        trainer = TranslationTrainer(
            settings.config,
            settings.critic,
            settings.objective,
            settings.shares,
            seed=settings.seed,
            content=content,
            teacher=taught,
            pairs=pairs,
            workshop=settings.workshop(),
            ema_decay=settings.ema_decay,
            generator_rate=settings.generator_rate,
            critic_rate=settings.critic_rate,
            shown=shown or _shown(settings, first, second),
        )
    return Translation(settings, trainer, (first, second))


def _encoder(name: str) -> nn.Module:
    """The pretrained encoder of a name.

    Raises:
        CompanionError: There is no such run, or its network tells nobody apart.
    """
    if name not in pretrained.names():
        raise unknown_name("teacher", name, TEACHERS)
    encoder = pretrained.load(name)
    if not is_encoder(encoder):
        known = " or ".join(TEACHERS)
        raise SettingError("teacher", name, f"a network that reads colour pictures of people: {known}")
    return encoder


def _shown(settings: MUNITSettings, *images: Images) -> Domains:
    """Eight of each side: of its test part where it has one, else of its own, the first again where there are fewer."""
    known = named(ImageSet)
    shown = []
    for source, own in zip(settings.data, images, strict=True):
        test = f"{source}-test"
        pictures = _colour(load(test, size=settings.size)) if test in known else own
        shown.append(pictures[torch.arange(SHOWN) % len(pictures)])
    return Domains(*shown)


def _colour(images: Images) -> Images:
    """Grey as three equal channels.

    Raises:
        CompanionError: They have an alpha channel.
    """
    if images.pixels.shape[1] == 4:
        raise CompanionError(
            f"The pictures of {images.name} have an alpha channel, which translation knows nothing of; lay them over "
            "a ground and give the folder."
        )
    return replace(images, pixels=images.pixels.expand(-1, 3, -1, -1))
