"""The variational autoencoder's training, all that fixes a run, and the trainer and data it stands for (chapter 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from companion.data import Images, Shuffled, load
from companion.data.batches import Labelled
from companion.data.catalogue import ImageSet, choices
from companion.losses import Content, WeightedSum
from companion.models.configs import MOST_BLOCKS
from companion.models.evaluating import evaluating
from companion.models.vae import VAE, Coded, VAEConfig
from companion.randomness import drawing, generator
from companion.settings import SettingError, option
from companion.training.labelled import ShuffledWithLabels, class_count
from companion.training.player import Player, Workshop
from companion.training.settings import TrainingSettings
from companion.training.trainer import Batches, Trainer
from companion.variational import Bernoulli, Variational, gaussian_divergence

SHOWN = 24  # images whose reconstructions a run's grids show


@dataclass(frozen=True)
class VAESettings(TrainingSettings):
    """A variational autoencoder's run."""

    data: str = option("digits", help=f"{choices(ImageSet)}, or a folder", metavar="NAME|FOLDER")
    size: int = option(32, help="side of the images: 32, 64, 128 …", metavar="PIXELS", least=1)
    latents: int = option(32, help="length of z", metavar="N", least=1)
    width: int = option(16, help="channels at half the image size", metavar="N", least=1)
    blocks: int = option(1, help="residual blocks at each size", metavar="N", least=0, below=MOST_BLOCKS + 1)
    rate: float = option(1e-3, help="learning rate of Adam", metavar="RATE", above=0, below=1)
    classifier: float = option(
        0.0,
        help="weight of a linear classifier of the codes that learns beside, for data with labels",
        metavar="WEIGHT",
        least=0,
    )
    objective: Variational = option(Variational(), named=True)
    content: tuple[Content, ...] = option((), named=True)  # further losses of the images, with their weights

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.classifier and isinstance(self.objective, Bernoulli):
            raise SettingError(
                "classifier", self.classifier, "0 beside an objective of black and white pixels"
            )

    def config(self, channels: int) -> VAEConfig:
        """The networks' shape for images of so many channels."""
        return VAEConfig(self.size, channels, self.latents, self.width, self.blocks)


class VAETrainer(Trainer[Any]):
    """Trains encoder and decoder together, by Adam.

    Args:
        network: Its weights were drawn by the caller; evaluated through its moving average, in eval mode.
        objective: What is minimised.
        seed: Fixes the noise about the codes and the samples.
        workshop: Where and how it is trained.
        rate: Adam's learning rate.
        content: A further loss from drawn and true images, a scalar, weights included.
        shown: Images that a run's sample grids bring back, `(N, C, S, S)`.
        ema_decay: Of the moving average of the weights.
    """

    def __init__(
        self,
        network: VAE,
        objective: Variational,
        *,
        seed: int,
        workshop: Workshop | None = None,
        rate: float = 1e-3,
        content: nn.Module | None = None,
        shown: Tensor | None = None,
        ema_decay: float = 0.999,
    ) -> None:
        workshop = workshop or Workshop()
        player = Player(
            network, partial(torch.optim.Adam, lr=rate, fused=True), workshop, ema_decay=ema_decay
        )
        super().__init__({"vae": player}, workshop, seed=seed)
        self.objective = objective
        self.content = None if content is None else content.to(workshop.device)
        self.shown = shown

    def one_step(self, batches: Batches[Any]) -> Mapping[str, Tensor]:
        """One batch."""
        player = self.players["vae"]
        batch = self.take(batches[self.step])
        images = self._images(batch)
        with self.drawing("noise of the codes", rank=self.workshop.processes.rank):
            coded = Coded(*(part.float() for part in player(images)))
        terms = self.objective.losses(images, coded, self.step)
        if self.content is not None:
            terms["content_loss"] = self.content(coded.images, images)
        terms |= self._further(batch, coded)
        loss = torch.stack(list(terms.values())).sum()
        self.learn(loss, *self.players.values())
        seen = {name: value.detach() for name, value in terms.items()}
        divergence = gaussian_divergence(coded.mean, coded.log_variance).mean()
        return {**seen, "divergence": divergence, "squared_error": (coded.images - images).square().mean()}

    def _images(self, batch: Any) -> Tensor:
        images: Tensor = batch
        return images

    def _further(self, batch: Any, coded: Coded) -> dict[str, Tensor]:
        """Terms of the loss that need more than the images."""
        return {}

    def products(self) -> Mapping[str, nn.Module]:
        """The averaged autoencoder."""
        return {"vae": self.best}

    @property
    def best(self) -> VAE:
        """The autoencoder with averaged weights."""
        found = self.players["vae"].best
        assert isinstance(found, VAE)
        return found

    @torch.no_grad()
    def reconstruct(self, images: Tensor, *, batch: int = 256) -> Tensor:
        """Images `(N, C, S, S)` coded and decoded without noise, float32, on the CPU."""
        with evaluating(self.best):
            parts = [
                self.best(part.to(self.device)).images.float().cpu() for part in torch.split(images, batch)
            ]
        return torch.cat(parts).contiguous()

    @torch.no_grad()
    def sample(self, count: int, *, seed: int | None = None, batch: int = 256) -> Tensor:
        """Images decoded from the prior, `(count, C, S, S)`, float32, on the CPU; the same seed, the same latents."""
        latents = torch.randn(
            count, self.best.latents, generator=generator(self.seed if seed is None else seed, "samples")
        )
        with evaluating(self.best):
            parts = [
                self.best.decoder(part.to(self.device)).float().cpu() for part in torch.split(latents, batch)
            ]
        return torch.cat(parts).contiguous()

    def preview(self) -> Tensor:
        """Rows of eight: images above what came back of them, then samples."""
        if self.shown is None:
            return self.sample(64)
        pairs = zip(torch.split(self.shown, 8), torch.split(self.reconstruct(self.shown), 8), strict=True)
        return torch.cat([*(row for pair in pairs for row in pair), self.sample(32)])


class ClassifyingVAETrainer(VAETrainer):
    """The same with `Labelled` batches, and an auxiliary classifier that learns to tell the classes from the codes.

    It is linear and reads the means μ. Its cross-entropy, in nats and times a weight, joins the loss of the encoder,
    which so learns to lay the classes apart; the decoder never hears of them.

    Args:
        network: The autoencoder.
        objective: What is minimised beside.
        classes: How many there are; the classifier's weights are drawn from torch's current random state.
        weight: Of the cross-entropy.
        options: As `VAETrainer` takes them.
    """

    def __init__(
        self, network: VAE, objective: Variational, *, classes: int, weight: float, **options: Any
    ) -> None:
        super().__init__(network, objective, **options)
        line = nn.Linear(network.latents, classes)
        own = partial(torch.optim.Adam, lr=options.get("rate", 1e-3))
        self.players["classifier"] = Player(line, own, self.workshop)
        self.weight = weight

    def _images(self, batch: Any) -> Tensor:
        images: Tensor = batch.images
        return images

    def _further(self, batch: Labelled, coded: Coded) -> dict[str, Tensor]:
        said = self.players["classifier"](coded.mean).float()
        return {"classifier_loss": self.weight * cross_entropy(said, batch.labels)}


@dataclass
class Binarised:
    """Batches of images whose pixels are drawn black or white, −1 or 1, white as often as the pixel is bright.

    `batches[i]` depends on (seed, i) alone: each time an image comes it is drawn anew (Burda et al. 2016, section 5).
    """

    batches: Shuffled
    seed: int

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`."""
        return binarised(self.batches[index], self.seed, index)


def binarised(images: Tensor, seed: int, index: int = 0) -> Tensor:
    """Images of any shape in [−1, 1] as black and white ones, drawn once for a seed and an index."""
    drawn = torch.rand(images.shape, generator=generator(seed, "black or white", index))
    return (drawn < (images + 1) / 2).float() * 2 - 1


def build(settings: VAESettings) -> tuple[VAETrainer, Images]:
    """Networks with seeded weights in a trainer, and the data.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    settings.config(3)  # an impossible size is refused before the data is read
    images = load(settings.data, size=settings.size)
    with drawing(settings.seed, "weights"):
        network = VAE(settings.config(images.pixels.shape[1]))
    options: dict[str, Any] = {
        "seed": settings.seed,
        "workshop": settings.workshop(),
        "rate": settings.rate,
        "content": WeightedSum(settings.content) if settings.content else None,
        "shown": images[: SHOWN - SHOWN % 8] if len(images) >= SHOWN else images[:8],
        "ema_decay": settings.ema_decay,
    }
    if not settings.classifier:
        return VAETrainer(network, settings.objective, **options), images
    with drawing(settings.seed, "weights", 1):
        told = ClassifyingVAETrainer(
            network,
            settings.objective,
            classes=class_count(images),
            weight=settings.classifier,
            **options,
        )
    return told, images


def shuffled(images: Images, settings: VAESettings) -> Batches[Any]:
    """The batches of a run: with labels for a classifier, black and white where the objective is a Bernoulli's."""
    batches = Shuffled(images, settings.batch, settings.seed)
    if settings.classifier:
        return ShuffledWithLabels(batches, class_count(images))
    return Binarised(batches, settings.seed) if isinstance(settings.objective, Bernoulli) else batches
