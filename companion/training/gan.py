"""All that fixes a DCGAN run, and the trainer and data it stands for."""

from dataclasses import asdict, dataclass, field
from functools import partial

import torch
from torch import nn

from companion.data import Images, Shuffled, load
from companion.environment import pick_device
from companion.errors import CompanionError
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.objectives import NonSaturating, Objective
from companion.training.adversarial import AdversarialTrainer


@dataclass(frozen=True)
class GANSettings:
    """Two runs with equal settings, device, versions and number of threads are equal bit for bit."""

    data: str = "digits"  # a name `companion.data.load` knows, or a folder
    size: int = 32
    batch: int = 64
    steps: int = 2000  # generator steps
    seed: int = 1
    latents: int = 64
    width: int = 32
    objective: Objective = field(default_factory=NonSaturating)
    generator_norm: bool = True  # batch normalisation in the generator
    critic_norm: bool = True
    norm_eps: float = 1e-5  # what batch normalisation adds to the variance
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

    def as_json(self) -> dict[str, object]:
        """The settings as plain JSON, the objective by its class name and fields."""
        objective = {"name": type(self.objective).__name__, **asdict(self.objective)}
        return {**asdict(self), "objective": objective}


def build(settings: GANSettings) -> tuple[AdversarialTrainer, Images]:
    """Networks with seeded weights in a trainer, and the data.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    device = pick_device(settings.device)
    DCGANConfig(settings.size)  # an impossible size is refused before the data is read
    images = load(settings.data, size=settings.size)
    config = DCGANConfig(settings.size, images.pixels.shape[1], settings.latents, settings.width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        norm = partial(nn.BatchNorm2d, eps=settings.norm_eps)
        generator = Generator(config, norm=norm if settings.generator_norm else None)
        critic = Critic(config, norm=norm if settings.critic_norm else None)
    trainer = AdversarialTrainer(
        generator,
        critic,
        settings.objective,
        seed=settings.seed,
        device=device,
        precision=torch.bfloat16 if settings.bfloat16 else torch.float32,
        ema_decay=settings.ema_decay,
        generator_rate=settings.generator_rate,
        critic_rate=settings.critic_rate,
        channels_last=True,
        compiled=settings.compiled,
    )
    return trainer, images


def shuffled(images: Images, settings: GANSettings) -> Shuffled:
    """The batches of a run."""
    return Shuffled(images, settings.batch, settings.seed)
