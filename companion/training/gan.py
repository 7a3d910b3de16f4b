"""All that fixes a GAN run, and the trainer and data it stands for."""

from dataclasses import asdict, dataclass, field
from functools import partial

from torch import nn

from companion.data import Images, Shuffled, load
from companion.errors import CompanionError
from companion.models import colour
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.objectives import NonSaturating, Objective, WassersteinGP
from companion.randomness import drawing
from companion.training.adversarial import AdversarialTrainer
from companion.training.player import Workshop, workshop


@dataclass(frozen=True)
class RunSettings:
    """What every run has. Two runs with equal settings, device, versions and threads are equal bit for bit."""

    data: str = "digits"  # a name `companion.data.load` knows, or a folder
    size: int = 32
    batch: int = 64
    steps: int = 2000  # generator steps
    seed: int = 1
    latents: int = 64
    width: int = 32
    objective: Objective = field(default_factory=NonSaturating)
    generator_rate: float | None = None  # None: the objective's own
    critic_rate: float | None = None
    ema_decay: float = 0.999
    device: str = "cpu"
    bfloat16: bool = False
    compiled: bool = False

    def __post_init__(self) -> None:
        for name in ("batch", "steps", "seed"):
            least = 0 if name == "seed" else 1
            if getattr(self, name) < least:
                raise CompanionError(
                    f"The option --{name} cannot be {getattr(self, name)}; choose {least} or more."
                )
        if self.seed >= 2**63:  # what torch takes
            raise CompanionError(f"The option --seed cannot be {self.seed}; choose less than 2⁶³.")
        if self.objective.critic_steps < 1:
            raise CompanionError(
                f"The option --critic-steps cannot be {self.objective.critic_steps}; choose 1 or more."
            )
        for role, rate in (("generator", self.generator_rate), ("critic", self.critic_rate)):
            if rate is not None and not 0 < rate < 1:
                raise CompanionError(
                    f"The option --{role}-rate cannot be {rate}; choose one between 0 and 1."
                )

    def as_json(self) -> dict[str, object]:
        """The settings as plain JSON, the objective by its class name and fields."""
        objective = {"name": type(self.objective).__name__, **asdict(self.objective)}
        return {**asdict(self), "objective": objective}

    def workshop(self) -> Workshop:
        """Where and how the networks are trained, with the processes that were launched for it."""
        return workshop(self.device, bfloat16=self.bfloat16, compiled=self.compiled)

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """Generator and critic for images of so many channels, weights from torch's current random state."""
        raise NotImplementedError


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
    batch: int = 32
    latents: int = 100
    width: int = 24
    objective: Objective = field(default_factory=WassersteinGP)
    uniform: bool = True  # latents on [0, 1]; else standard normal

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch < 2:
            raise CompanionError(
                f"The option --batch cannot be {self.batch} here, since the generator normalises over its batch; "
                "choose 2 or more."
            )

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """The colour generator and DCGAN's critic without normalisation."""
        config = colour.ColourConfig(self.size, channels, self.latents, self.width, self.uniform)
        return colour.Generator(config), Critic(config.critic, norm=None)


def build(settings: RunSettings) -> tuple[AdversarialTrainer, Images]:
    """Networks with seeded weights in a trainer, and the data.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    DCGANConfig(settings.size)  # an impossible size is refused before the data is read
    images = load(settings.data, size=settings.size)
    with drawing(settings.seed, "weights"):
        generator, critic = settings.networks(images.pixels.shape[1])
    trainer = AdversarialTrainer(
        generator,
        critic,
        settings.objective,
        seed=settings.seed,
        workshop=settings.workshop(),
        ema_decay=settings.ema_decay,
        generator_rate=settings.generator_rate,
        critic_rate=settings.critic_rate,
    )
    return trainer, images


def shuffled(images: Images, settings: RunSettings) -> Shuffled:
    """The batches of a run."""
    return Shuffled(images, settings.batch, settings.seed)
