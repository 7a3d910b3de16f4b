"""All that fixes a GAN run, and the trainer and data it stands for."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from companion.data import Images, Shuffled, load
from companion.data.catalogue import ImageSet, choices
from companion.models import colour
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.objectives import NonSaturating, Objective, WassersteinGP
from companion.randomness import drawing
from companion.settings import SettingError, option
from companion.training.adversarial import AdversarialTrainer
from companion.training.settings import TrainingSettings
from companion.training.trainer import Batches


@dataclass(frozen=True)
class RunSettings(TrainingSettings):
    """What every GAN's run has."""

    data: str = option("digits", help=f"{choices(ImageSet)}, or a folder", metavar="NAME|FOLDER")
    steps: int = option(2000, help="generator steps", metavar="N", least=1)
    size: int = option(32, help="side of the images: 16, 32, 64, 128 …", metavar="PIXELS", least=1)
    latents: int = option(64, help="length of z", metavar="N", least=1)
    width: int = option(
        32, help="channels at half the image size, doubled at each halving", metavar="N", least=1
    )
    objective: Objective = option(NonSaturating(), named=True)
    generator_rate: float | None = option(  # None: the objective's own
        None, help="the generator's learning rate (default: the paper's)", metavar="RATE", above=0, below=1
    )
    critic_rate: float | None = option(
        None, help="the critic's learning rate, likewise", metavar="RATE", above=0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective.critic_steps < 1:
            raise SettingError("critic_steps", self.objective.critic_steps, "1 or more")

    def check(self) -> None:
        """Refuse a size that no network has.

        Raises:
            CompanionError: It cannot be halved down to 4×4.
        """
        DCGANConfig(self.size)

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """Generator and critic for images of so many channels, weights from torch's current random state."""
        raise NotImplementedError

    def trainer(self, generator: nn.Module, critic: nn.Module) -> AdversarialTrainer:
        """These networks in the loop that trains them."""
        return AdversarialTrainer(generator, critic, self.objective, **self.of_trainer)

    @property
    def of_trainer(self) -> dict[str, Any]:
        """Whatever of the settings a trainer takes as it is."""
        return {
            "seed": self.seed,
            "workshop": self.workshop(),
            "ema_decay": self.ema_decay,
            "generator_rate": self.generator_rate,
            "critic_rate": self.critic_rate,
        }

    def batches(self, images: Images) -> Batches[Any]:
        """What a run on these images learns from.

        Raises:
            CompanionError: There are too few of them for a batch.
        """
        return Shuffled(images, self.batch, self.seed)


@dataclass(frozen=True)
class GANSettings(RunSettings):
    """A DCGAN's run (chapter 1)."""

    generator_norm: bool = True  # batch normalisation in the generator
    critic_norm: bool = True
    norm_eps: float = 1e-5  # what batch normalisation adds to the variance

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """DCGAN's two networks."""
        config = DCGANConfig(self.size, channels, self.latents, self.width)
        norm = partial(nn.BatchNorm2d, eps=self.norm_eps)
        generator = Generator(config, norm=norm if self.generator_norm else None)
        return generator, Critic(config, norm=norm if self.critic_norm else None)


@dataclass(frozen=True)
class ColourSettings(RunSettings):
    """A colour WGAN's run (chapter 4): resize-convolutions, uniform latents, a critic without normalisation."""

    data: str = "portraits"
    size: int = 64
    batch: int = option(
        32,
        help="images per step",
        metavar="N",
        least=2,
        choose="2 or more, since the generator normalises over its batch",
    )
    latents: int = 100
    width: int = 24
    objective: Objective = option(WassersteinGP(), named=True)
    uniform: bool = True  # latents on [0, 1]; else standard normal

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """The colour generator and DCGAN's critic without normalisation."""
        config = colour.ColourConfig(self.size, channels, self.latents, self.width, self.uniform)
        return colour.Generator(config), Critic(config.critic, norm=None)


def build(settings: RunSettings, images: Images | None = None) -> tuple[AdversarialTrainer, Images]:
    """Networks with seeded weights in a trainer, and the data, unless it has been loaded already.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    settings.check()  # what cannot be built is refused before the data is read
    images = images or load(settings.data, size=settings.size)
    with drawing(settings.seed, "weights"):
        generator, critic = settings.networks(images.pixels.shape[1])
    return settings.trainer(generator, critic), images


def shuffled(images: Images, settings: RunSettings) -> Batches[Any]:
    """The batches of a run."""
    return settings.batches(images)
