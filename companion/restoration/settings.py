"""All that fixes a run of chapter 5, and the trainers it stands for."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fastai.optimizer import Adam
from fastai.vision.gan import AdaptiveGANSwitcher, FixedGANSwitcher
from torch import nn

from companion.data.batches import Pair
from companion.data.crappify import Damage
from companion.data.photos import Photos
from companion.models.unet import UNet
from companion.restoration.colour import Uncoloured
from companion.restoration.learners import PixelsAndFeatures, critic_learner, gan_learner, unet_learner
from companion.restoration.pairs import RuinedPatches, held_out
from companion.restoration.trainer import GANLearnerTrainer, LearnerTrainer, no_data, one_cycle
from companion.settings import option
from companion.training.settings import TrainingSettings

SHOWN = 8
# of Adam, as torch has it. fastai's is 1e-5, beside which the gradients of a mean squared error of pixels may be small:
# then it would matter by what a loss is multiplied, and losses of other weights could not be compared
EPS = 1e-8


@dataclass(frozen=True)
class RestorationSettings(TrainingSettings):
    """A run that teaches a U-Net the way back, without a critic."""

    data: str = option("embedded", help="photographs: embedded, pets or a folder", metavar="NAME|FOLDER")
    size: int = option(80, help="side of the training patches", metavar="PIXELS", least=16)
    batch: int = option(8, help="patches per step", metavar="N", least=1)
    steps: int = option(1000, help="training steps", metavar="N", least=1)
    damage: Damage | Uncoloured = option(Damage(), named=True)
    rate: float = option(1e-3, above=0, below=1)  # the highest of the cycle; the encoder's is a tenth
    frozen: bool = False  # the encoder stays as it is, but for its normalisation's statistics
    features: float = option(0.0, least=0)  # weight of the features' part beside the squared error
    backbone: str = "efficientnet-lite0"
    began: str = ""  # which weights it began with: a run's name

    def patches(self, photos: Photos) -> RuinedPatches:
        """The batches it trains on."""
        return RuinedPatches(photos.split("training"), self.damage, self.size, self.batch, self.seed)

    def shown(self, photos: Photos) -> Pair:
        """Eight pairs or more that the run never trains on."""
        validation = photos.split("validation")
        return held_out(validation, self.damage, self.size, each=-(-SHOWN // len(validation))).pairs

    @property
    def content(self) -> nn.Module:
        """What compares a drawn picture with the good one."""
        return PixelsAndFeatures(self.features, self.backbone) if self.features else nn.MSELoss()

    def trainer(self, network: UNet, photos: Photos) -> LearnerTrainer:
        """A trainer that goes on with these weights."""
        learner = unet_learner(no_data(), network, self.content, opt_func=partial(Adam, eps=EPS))
        if not self.frozen:
            learner.unfreeze()
        learner.add_cb(one_cycle(learner, slice(self.rate / 10, self.rate)))
        return LearnerTrainer(learner, products={"generator": network}, **self._common(photos))

    def _common(self, photos: Photos) -> dict[str, Any]:
        workshop = self.workshop()
        return {"steps": self.steps, "seed": self.seed, "workshop": workshop, "shown": self.shown(photos)}


@dataclass(frozen=True)
class CriticSettings(TrainingSettings):
    """A run that teaches a critic to tell drawn patches from real ones."""

    size: int = option(80, least=16)
    batch: int = option(16, least=1)
    steps: int = option(400, least=1)
    width: int = option(16, least=2)
    rate: float = option(1e-3, above=0, below=1)
    began: str = ""  # which generator it judges

    def trainer(self, network: nn.Module) -> LearnerTrainer:
        """A trainer that goes on with these weights."""
        learner = critic_learner(no_data(), network, opt_func=partial(Adam, eps=EPS))
        learner.add_cb(one_cycle(learner, self.rate))
        workshop = self.workshop()
        return LearnerTrainer(learner, steps=self.steps, products={}, seed=self.seed, workshop=workshop)


@dataclass(frozen=True)
class RestorationGANSettings(RestorationSettings):
    """A run in which a critic helps."""

    rate: float = option(
        1e-4, above=0, below=1
    )  # of both players; the lesson's critic has five times the generator's
    adversarial: float = option(1.0, least=0)  # weight of the critic's opinion
    weight: float = option(200.0, least=0)  # of the content loss beside it
    below: float | None = option(
        0.65, above=0
    )  # the critic's turn lasts until its loss is below; None: one batch

    def gan_trainer(self, network: UNet, judge: nn.Module, photos: Photos) -> GANLearnerTrainer:
        """A trainer that goes on with the weights of both."""
        drawing = unet_learner(no_data(), network, self.content)
        drawing.unfreeze()
        switcher = FixedGANSwitcher() if self.below is None else AdaptiveGANSwitcher(critic_thresh=self.below)
        learner = gan_learner(
            drawing,
            critic_learner(no_data(), judge),
            switcher,
            weights=(self.adversarial, self.weight),
            opt_func=partial(Adam, mom=0.0, sqr_mom=0.99, eps=EPS, wd=1e-3),
            lr=self.rate,
        )
        return GANLearnerTrainer(learner, products={"generator": network}, **self._common(photos))
