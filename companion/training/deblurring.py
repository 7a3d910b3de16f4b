"""All that fixes a deblurring run, and the trainer and data it stands for (chapter 2)."""

from dataclasses import dataclass, field
from pathlib import Path

from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.gopro import GoProFrames
from companion.data.pairs import BlurredPatches, held_out
from companion.data.photos import Photos, load_photos
from companion.errors import CompanionError
from companion.losses import Content, Perceptual, WeightedSum
from companion.models.configs import MOST_BLOCKS
from companion.models.deblur import PatchCritic, PatchCriticConfig, Restorer, RestorerConfig
from companion.objectives import NonSaturating, Objective
from companion.randomness import drawing
from companion.settings import option
from companion.training.conditional import ConditionalTrainer
from companion.training.settings import TrainingSettings


@dataclass(frozen=True)
class DeblurSettings(TrainingSettings):
    """A deblurring GAN's run.

    The defaults are the laptop's; DeblurGAN's own sizes are width 64, critic width 64 and size 256.
    """

    data: str = option(
        "embedded", help="photographs: embedded, pets, a folder, or GoPro's", metavar="NAME|FOLDER"
    )
    size: int = option(64, help="side of the training patches", metavar="PIXELS", least=8)
    batch: int = option(8, help="patches per step", metavar="N", least=1)
    steps: int = option(2000, help="generator steps", metavar="N", least=1)
    camera: Camera = field(default_factory=Camera)  # GoPro's frames bring their own blur
    width: int = option(16, help="the generator's channels at full size", metavar="N", least=1)
    blocks: int = option(9, least=0, below=MOST_BLOCKS + 1)
    normalised: bool = False  # instance normalisation in the generator
    bounded: bool = True  # tanh and clamp at its end, beyond which no gradient passes
    critic_width: int = option(16, least=1)
    objective: Objective = option(NonSaturating(), named=True)
    content: tuple[Content, ...] = option(  # summed; none leaves the critic alone to judge
        (Perceptual(),), named=True
    )
    generator_rate: float = option(1e-3, above=0, below=1)  # small networks bear more than the paper's 1e-4
    critic_rate: float | None = option(None, above=0, below=1)  # None: the objective's own

    @property
    def least(self) -> int:
        """The shortest side a photograph needs."""
        return self.size + self.camera.size - 1


@dataclass(frozen=True)
class Deblurring:
    """A run made ready: the trainer, its photographs, and the batches it trains on."""

    settings: DeblurSettings
    trainer: ConditionalTrainer
    photos: Photos | GoProFrames

    @property
    def batches(self) -> BlurredPatches | GoProFrames:
        """The training batches."""
        if isinstance(self.photos, GoProFrames):
            return self.photos
        s = self.settings
        return BlurredPatches(self.photos.split("training"), s.camera, s.size, s.batch, s.seed)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files of the folder that could not be read."""
        return self.photos.skipped if isinstance(self.photos, Photos) else ()


def build(settings: DeblurSettings, photos: Photos | None = None) -> Deblurring:
    """Networks with seeded weights in a trainer, and the photographs.

    Args:
        settings: All that fixes the run.
        photos: The photographs, if they have been loaded already.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    read = _read(settings) if photos is None else photos
    with drawing(settings.seed, "weights"):
        generator = Restorer(
            RestorerConfig(settings.width, settings.blocks, settings.normalised, settings.bounded)
        )
        critic = PatchCritic(PatchCriticConfig(settings.critic_width))
    trainer = ConditionalTrainer(
        generator,
        critic,
        settings.objective,
        content=WeightedSum(settings.content),
        shown=_shown(settings, read),
        seed=settings.seed,
        workshop=settings.workshop(),
        ema_decay=settings.ema_decay,
        generator_rate=settings.generator_rate,
        critic_rate=settings.critic_rate,
    )
    return Deblurring(settings, trainer, read)


def _read(settings: DeblurSettings) -> Photos | GoProFrames:
    folder = Path(settings.data)
    if GoProFrames.lie_in(folder):
        size, batch, seed = settings.size, settings.batch, settings.seed
        return GoProFrames.read(folder, "training", size=size, batch=batch, seed=seed)
    if GoProFrames.lie_astray_in(folder):
        raise CompanionError(
            f"The folder {folder} holds blurred frames beside sharp ones, and all would be read as sharp; give the "
            "folder that holds train/SCENE/blur and train/SCENE/sharp, or one of sharp pictures alone."
        )
    return load_photos(settings.data, least=settings.least)


def _shown(settings: DeblurSettings, photos: Photos | GoProFrames) -> Pair:
    """Eight pairs or more that the run never trains on."""
    if isinstance(photos, GoProFrames):
        return GoProFrames.read(Path(settings.data), "validation", size=settings.size, batch=8)[0]
    validation = photos.split("validation")
    shakes = -(-8 // len(validation))  # a few photographs are shown under several shakes
    return held_out(validation, settings.camera, settings.size, each=shakes)[0]
