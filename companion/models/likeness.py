"""A network that reads a face off its mesh and its pixels, and says how sure it is of each number (chapter 7).

The mesh alone tells the face's shape, expression and pose: points carry over from drawn to photographed faces, pixels
less so. Hair and what is worn need the pixels. These are also divided into parts, of which the hair is used most.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

from companion.data.faces.parameters import NAMES, PARAMETERS
from companion.errors import CompanionError
from companion.models.configs import Config, positive
from companion.models.registry import Model, Port, Signature, image, vector

POINTS, MOVES = 478, 52  # of MediaPipe's mesh, and its blendshapes
LEFT_OUT = ("hair_phase", "hair_r", "hair_g", "hair_b")  # no picture tells the first; colours are looked up
FACE = (
    *(p.name for p in PARAMETERS if p.shape and not p.name.startswith("hair_")),
    *("asymmetry", "smile", "mouth_open", "gaze_x", "gaze_y", "lids", "brow_raise", "yaw", "pitch", "roll"),
)
HAIR = (
    *(name for name in NAMES if name.startswith("hair_") and name not in LEFT_OUT),
    *("glasses_square", "age_lines"),
)
MEASURED = FACE + HAIR  # have a mean and a doubt
WORN = (
    *("glasses", "sunglasses", "beard", "moustache", "stubble", "beanie", "sun_hat", "headscarf", "turban"),
    *("earrings", "freckles", "makeup"),
)  # are there or not
LOGS = (-3.0, 1.0)  # bounds of the doubts' logarithms
WORN_FROM = 0.25  # of a parameter: from here on it counts as there
PARTS: dict[str, tuple[str, ...]] = {
    "hair": ("hair",),
    "beard": ("beard",),
    "headwear": ("headwear",),
    "skin": ("skin", "ears", "eyes", "brows", "nose", "mouth", "neck"),
    "elsewhere": ("background", "clothes"),
}  # of a picture; which of the renderers' parts each is made of


@dataclass(frozen=True)
class LikenessConfig(Config):
    """The numbers that fix the network's shape."""

    width: int = 24  # channels at half the picture's size, a multiple of 8
    size: int = 80  # of the cut-out head in pixels, a multiple of 16
    near: int = 64  # of what is cut out from the eyes to the mouth, a multiple of 16

    def __post_init__(self) -> None:
        positive(width=self.width, size=self.size, near=self.near)
        if self.width % 8 or self.size % 16 or self.near % 16:
            raise CompanionError(
                f"A likeness reader's width must be a multiple of 8 and its sizes of 16, not {self.width}, {self.size} "
                f"and {self.near}; choose 24, 80 and 64."
            )


class Seen(NamedTuple):
    """What the network says of N faces."""

    means: Tensor  # (N, len(MEASURED)), in standard deviations of the drawn faces, from their mean
    logs: Tensor  # (N, len(MEASURED)), logarithms of the doubts, without bounds
    worn: Tensor  # (N, len(WORN)), logits
    parts: Tensor  # (N, len(PARTS), size / 2, size / 2), logits

    @property
    def doubts(self) -> Tensor:
        """Standard deviations of what the numbers may really be, `(N, len(MEASURED))`, in the unit of the means."""
        return self.logs.clamp(*LOGS).exp()


class LikenessReader(nn.Module):
    """Cut-out faces, their meshes and movements to what `Seen` says.

    Its buffers are what it needs to know of drawn faces: `template` `(POINTS, 2)`, the mean mesh in head units, over
    which meshes are laid; `usual`, the mean of its input; `middle` and `spread` `(len(MEASURED),)` of the parameters.
    """

    template: Tensor
    usual: Tensor
    middle: Tensor
    spread: Tensor

    def __init__(self, config: LikenessConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.register_buffer("template", torch.zeros(POINTS, 2))
        self.register_buffer("usual", torch.zeros(3 * POINTS))
        self.register_buffer("middle", torch.zeros(len(MEASURED)))
        self.register_buffer("spread", torch.ones(len(MEASURED)))
        self.mesh = nn.Sequential(
            *(nn.Linear(3 * POINTS + MOVES, 256), nn.SiLU(), nn.Dropout(0.1)),
            *(nn.Linear(256, 256), nn.SiLU()),
        )
        self.face = nn.Linear(256, 2 * len(FACE))
        self.down1 = nn.Sequential(nn.Conv2d(3, w, 5, stride=2, padding=2), nn.GroupNorm(8, w), nn.SiLU())
        self.down2, self.down3, self.down4 = (
            _Block(w, 2 * w, 2), _Block(2 * w, 4 * w, 2), _Block(4 * w, 4 * w, 2)
        )  # fmt: skip
        self.up3, self.up2, self.up1 = _Block(8 * w, 2 * w), _Block(4 * w, w), _Block(2 * w, w)
        self.parts = nn.Conv2d(w, len(PARTS), 1)
        self.near = nn.Sequential(
            *(nn.Conv2d(3, w, 5, stride=2, padding=2), nn.GroupNorm(8, w), nn.SiLU()),
            *(_Block(w, 2 * w, 2), _Block(2 * w, 2 * w, 2), _Block(2 * w, 4 * w, 2)),
            *(nn.Flatten(), nn.Linear(4 * w * (config.near // 16) ** 2, 4 * w), nn.SiLU()),
        )
        self.look = nn.Sequential(
            *(nn.Linear(12 * w + 256, 256), nn.SiLU(), nn.Dropout(0.1)),
            nn.Linear(256, 2 * len(HAIR) + len(WORN)),
        )

    def forward(self, crops: Tensor, near: Tensor, points: Tensor, moves: Tensor) -> Seen:
        """What there is to be seen.

        Args:
            crops: Cut-out heads `(N, 3, size, size)` in [−1, 1].
            near: The same from the eyes to the mouth, `(N, 3, near, near)`.
            points: Their meshes laid over the template, `(N, 3 · POINTS)`: x, y and depth in head units.
            moves: Blendshapes in the order of their names, `(N, MOVES)`, 0 to 1.
        """
        mesh = self.mesh(torch.cat([(points - self.usual) * 4, moves], 1))
        one = self.down1(crops)
        two = self.down2(one)
        three = self.down3(two)
        four = self.down4(three)
        up = self.up3(torch.cat([_like(four, three), three], 1))
        up = self.up2(torch.cat([_like(up, two), two], 1))
        up = self.up1(torch.cat([_like(up, one), one], 1))
        look = self.look(torch.cat([four.mean((2, 3)), four.amax((2, 3)), self.near(near), mesh], 1))
        face_mean, face_doubt = self.face(mesh).chunk(2, 1)
        hair_mean, hair_doubt, worn = look.split([len(HAIR), len(HAIR), len(WORN)], 1)
        # The network gives logarithms of variances.
        logs = torch.cat([face_doubt, hair_doubt], 1) / 2
        return Seen(torch.cat([face_mean, hair_mean], 1), logs, worn, self.parts(up))


class _Block(nn.Module):
    """Two convolutions beside a straight way."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(8, outputs), nn.SiLU()),
            *(nn.Conv2d(outputs, outputs, 3, 1, 1), nn.GroupNorm(8, outputs)),
        )
        self.straight = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return silu(self.body(x) + self.straight(x))


def _like(x: Tensor, other: Tensor) -> Tensor:
    return interpolate(x, size=other.shape[-2:], mode="bilinear")


def _signature(config: LikenessConfig) -> Signature:
    pictures = image("crops", 3, config.size), image("near", 3, config.near)
    inputs = *pictures, vector("points", 3 * POINTS), vector("moves", MOVES)
    outputs = (
        *(vector("means", len(MEASURED)), vector("logs", len(MEASURED)), vector("worn", len(WORN))),
        Port("parts", "vector", ("batch", len(PARTS), config.size // 2, config.size // 2)),
    )
    return Signature(inputs, outputs)


MODELS = (
    Model("likeness.LikenessReader", LikenessReader, LikenessConfig, _signature, LikenessConfig(8, 16, 16)),
)
