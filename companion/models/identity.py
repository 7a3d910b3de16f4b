"""SphereFace's residual network, which says who a face is (Liu et al. 2017, table 2; chapter 7).

Four stages; each halves the image with a convolution and then adds to it in residual units of two. Units per stage are
those of the paper's network of 20 layers, which are its convolutions: 1, 2, 4 and 1.

Deliberate deviations: square images; a quarter of the width, since faces here are small and few; and batch
normalisation after each convolution, where the paper has none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from companion.errors import CompanionError
from companion.models.configs import WIDEST, Config, at_most, positive
from companion.models.registry import Model, Signature, image, vector

MOST_PEOPLE = 1_000_000  # a slip of the finger would ask for all memory
UNITS = (1, 2, 4, 1)  # residual units of each stage: twenty convolutions in all


@dataclass(frozen=True)
class SphereFaceConfig(Config):
    """The numbers that fix the network's shape; the paper's width is 64, its embedding 512 long."""

    length: int = 64  # of the embedding
    size: int = 32  # side of the images in pixels, a multiple of 16
    width: int = 16  # channels at half the images' size, doubled at each further halving

    def __post_init__(self) -> None:
        positive(length=self.length, width=self.width)
        at_most(WIDEST, length=self.length, width=self.width)
        if not 16 <= self.size <= WIDEST or self.size % 16:
            raise CompanionError(
                f"Faces are halved four times, so the size must be a multiple of 16 up to {WIDEST}, not {self.size}; "
                "choose 32, 48 or 64."
            )


class SphereFace(nn.Module):
    """Colour images `(N, 3, size, size)` in [−1, 1] to embeddings `(N, length)`, of which only the angle counts."""

    def __init__(self, config: SphereFaceConfig) -> None:
        super().__init__()
        self.config = config
        stages, inputs = [], 3
        for stage, units in enumerate(UNITS):
            outputs = config.width * 2**stage
            stages += [_layer(inputs, outputs, stride=2), *(_Unit(outputs) for _ in range(units))]
            inputs = outputs
        self.body = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs * (config.size // 2 ** len(UNITS)) ** 2, config.length)
        )

    def forward(self, images: Tensor) -> Tensor:
        """The embeddings."""
        embeddings: Tensor = self.head(self.body(images))
        return embeddings


@dataclass(frozen=True)
class RecognisingConfig(SphereFaceConfig):
    """The encoder's numbers, and how many people it learns from."""

    people: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(people=self.people)
        at_most(MOST_PEOPLE, people=self.people)


class Recognising(nn.Module):
    """An encoder with a direction for each of the people that it learns from."""

    def __init__(self, config: RecognisingConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = SphereFace(SphereFaceConfig(config.length, config.size, config.width))
        self.directions = nn.Parameter(torch.empty(config.people, config.length))
        nn.init.xavier_normal_(self.directions)

    def forward(self, images: Tensor) -> Tensor:
        """Cosines `(N, people)` of the angles between the images' embeddings and everybody's directions."""
        return linear(normalize(self.encoder(images).float(), dim=1), normalize(self.directions, dim=1))


class _Unit(nn.Module):
    """What two convolutions add to an image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.added = nn.Sequential(_layer(channels, channels), _layer(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        together: Tensor = x + self.added(x)
        return together


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.PReLU(outputs))


def _signature(config: SphereFaceConfig) -> Signature:
    return Signature((image("images", 3, config.size),), (vector("embeddings", config.length),))


def _of_everybody(config: RecognisingConfig) -> Signature:
    return Signature((image("images", 3, config.size),), (vector("cosines", config.people),))


MODELS = (
    Model("identity.SphereFace", SphereFace, SphereFaceConfig, _signature, SphereFaceConfig(4, 16, 2)),
    Model(
        "identity.Recognising",
        Recognising,
        RecognisingConfig,
        _of_everybody,
        RecognisingConfig(4, 16, 2, people=3),
    ),
)
