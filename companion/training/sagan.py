"""All that fixes a SAGAN's run (chapter 7)."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from companion.data import Images, Shuffled
from companion.models.sagan import Critic, Generator, SAGANConfig
from companion.objectives import Hinge, Objective
from companion.settings import option
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import RunSettings
from companion.training.labelled import LabelledTrainer, ShuffledWithLabels
from companion.training.trainer import Batches


@dataclass(frozen=True)
class SAGANSettings(RunSettings):
    """A SAGAN's run: hinge objective, and a critic that learns four times as fast (Zhang et al. 2019, section 4)."""

    data: str = "portraits"
    size: int = 64
    width: int = 16
    objective: Objective = option(Hinge(), named=True)
    generator_rate: float | None = 1e-4
    critic_rate: float | None = 4e-4
    attention: int = option(
        16, help="side of the maps that attend to themselves, 0 for none", metavar="PIXELS", least=0
    )
    resize: bool = option(False, help="repeat pixels and convolve, in place of transposed convolutions")
    classes: int = option(
        0, help="classes to tell both networks of, as the data has them, 0 for none", metavar="N", least=0
    )
    spectral: bool = True  # spectral normalisation in both networks

    def check(self) -> None:
        """Refuse shapes that no network has.

        Raises:
            CompanionError: They cannot be built.
        """
        self.config(channels=3)

    def config(self, channels: int) -> SAGANConfig:
        """The shape of both networks.

        Raises:
            CompanionError: There is none.
        """
        return SAGANConfig(
            size=self.size,
            channels=channels,
            latents=self.latents,
            width=self.width,
            classes=self.classes,
            attention=self.attention,
            resize=self.resize,
            spectral=self.spectral,
        )

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """SAGAN's two networks."""
        config = self.config(channels)
        return Generator(config), Critic(config)

    def trainer(self, generator: nn.Module, critic: nn.Module) -> AdversarialTrainer:
        """Chapter 1's loop; with classes, the one that tells both networks of them."""
        if not self.classes:
            return super().trainer(generator, critic)
        return LabelledTrainer(generator, critic, self.objective, classes=self.classes, **self.of_trainer)

    def batches(self, images: Images) -> Batches[Any]:
        """Images, with their classes where the networks are told of them.

        Raises:
            CompanionError: There are too few for a batch, or they have no labels, or more classes.
        """
        shuffled = Shuffled(images, self.batch, self.seed)
        return ShuffledWithLabels(shuffled, self.classes) if self.classes else shuffled
