"""SAGAN: a generator and a critic whose places look at each other (Zhang et al. 2019; chapter 7).

Followed from the paper: self-attention in both networks (section 3), spectral normalisation in both (section 4),
batch normalisation that knows the class in the generator and a projection in the critic (Miyato & Koyama 2018) where
there are classes.

Deliberate deviations: the networks between the attentions are DCGAN's (chapter 1) and not residual, so that whoever
compares changes one thing; attention stands in one place of each, where the paper tried several; and the doubling
layers can be resize-convolutions (Odena et al. 2016), to ask where a checkerboard comes from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.layers import ConditionalBatchNorm, SelfAttention, spectrally_normalised
from companion.models.configs import Config
from companion.models.dcgan import DCGANConfig
from companion.models.registry import Model, Port, Signature, image, latents


@dataclass(frozen=True)
class SAGANConfig(Config):
    """The numbers that fix both networks' shapes."""

    size: int = 64  # side of the square images, a power of two, at least 16
    channels: int = 3  # 1 grey, 3 RGB, 4 RGBA
    latents: int = 64  # length of z
    width: int = 16  # channels at half the image size, doubled at each halving
    classes: int = 0  # 0 for networks that know of none
    attention: int = 16  # side of the maps that attend to themselves; 0 for none
    resize: bool = False  # repeat pixels and convolve, in place of transposed convolutions
    spectral: bool = True  # spectral normalisation in both networks

    def __post_init__(self) -> None:
        sides = [self.size >> level for level in range(1, len(self.widths) + 1)]  # size / 2 … 4
        if self.attention and self.attention not in sides:
            raise CompanionError(
                f"No maps of this network are {self.attention} pixels wide, so none of that size can attend to "
                f"themselves; choose {', '.join(map(str, sides))}, or 0 for none."
            )
        if self.classes < 0:
            raise CompanionError(f"There cannot be {self.classes} classes; choose 0 for none.")

    @property
    def widths(self) -> list[int]:
        """Channels at sizes `size/2, size/4, … 4`, as DCGAN has them."""
        return DCGANConfig(self.size, self.channels, self.latents, self.width).widths


class Generator(nn.Module):
    """Latents `(N, latents)`, and weights `(N, classes)` where there are classes, to images in [−1, 1].

    A linear layer shapes the latents to 4×4; each block doubles the size, normalises over the batch and applies ReLU.
    """

    def __init__(self, config: SAGANConfig) -> None:
        super().__init__()
        self.config = config
        self.latents = config.latents
        widths = config.widths[::-1]  # widest first: from 4×4 upwards
        grow = _resized if config.resize else _transposed
        self.first = nn.Linear(config.latents, widths[0] * 4 * 4, bias=False)
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, max(1, config.classes)) for width in widths)
        self.growing = nn.ModuleList(grow(before, after) for before, after in pairwise(widths))
        self.attentions = _attentions(config, widths, [4 << level for level in range(len(widths))])
        self.last = grow(widths[-1], config.channels, bias=True)
        if config.spectral:
            spectrally_normalised(self)

    def forward(self, latents: Tensor, classes: Tensor | None = None) -> Tensor:
        """Draw one image per row of `latents`, of the class, or mixture of classes, in the same row."""
        return self.drawn(latents, classes, lambda attention, maps: attention(maps))

    def drawn(
        self, latents: Tensor, classes: Tensor | None, attend: Callable[[nn.Module, Tensor], Tensor]
    ) -> Tensor:
        """As `forward`; `attend` makes of each level's attention (or `Identity`) and maps what the next level grows."""
        if classes is None:
            classes = latents.new_ones(len(latents), 1)
        maps = self.first(latents).unflatten(1, (-1, 4, 4))  # (N, widest, 4, 4)
        for level, norm in enumerate(self.norms):
            if level:
                maps = self.growing[level - 1](maps)  # size × 2
            maps = attend(self.attentions[level], norm(maps, classes).relu())
        images: Tensor = self.last(maps).tanh()
        return images


class Watched(nn.Module):
    """A generator whose attention is in the open: how much it counts goes in, where it looks comes out.

    `generator` may be replaced by a trained one of the same config.
    """

    def __init__(self, config: SAGANConfig) -> None:
        if not config.attention:
            raise CompanionError("A generator without attention looks nowhere; choose one that has it.")
        super().__init__()
        self.config = config
        self.generator = Generator(config)

    def forward(
        self, latents: Tensor, strength: Tensor, classes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Images as the generator draws them, and its weights of attention, `(N, attention², keys)`.

        Args:
            latents: One row for each image.
            strength: By how much γ is multiplied, `(N, 1)`: 0 switches attention off, 1 leaves it as trained.
            classes: As the generator takes them.
        """
        seen = []

        def attend(attention: nn.Module, maps: Tensor) -> Tensor:
            changed: Tensor = attention(maps)  # by γ times what the places were told
            if isinstance(attention, SelfAttention):
                seen.append(attention.weights(maps))
                changed = torch.lerp(maps, changed, strength[:, :, None, None])
            return changed

        return self.generator.drawn(latents, classes, attend), seen[0]


class Critic(nn.Module):
    """Images `(N, channels, size, size)` in [−1, 1], and weights `(N, classes)` where there are classes, to `(N,)`.

    Scores are unbounded. With classes, the inner product of the class with the sum over places of the last maps is
    added to the score (Miyato & Koyama 2018, equation 5). No image sees its neighbours in the batch.
    """

    def __init__(self, config: SAGANConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.shrinking = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1)
            for before, after in pairwise([config.channels, *widths])
        )
        self.attentions = _attentions(
            config, widths, [config.size >> level + 1 for level in range(len(widths))]
        )
        self.head = nn.Conv2d(widths[-1], 1, 4)
        self.projection = nn.Linear(config.classes, widths[-1], bias=False) if config.classes else None
        if config.spectral:
            spectrally_normalised(self)

    def forward(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        """Score each image, as one of its class where there are classes."""
        maps = images
        for shrink, attention in zip(self.shrinking, self.attentions, strict=True):
            maps = attention(nn.functional.leaky_relu(shrink(maps), 0.2))  # size / 2
        scores: Tensor = self.head(maps).flatten()
        if self.projection is not None:
            scores = scores + (self.projection(classes) * maps.sum((2, 3))).sum(1)
        return scores


def _attentions(config: SAGANConfig, widths: list[int], sides: list[int]) -> nn.ModuleList:
    """Attention after the maps of the chosen side, and nothing after the others."""
    return nn.ModuleList(
        SelfAttention(width) if side == config.attention else nn.Identity()
        for width, side in zip(widths, sides, strict=True)
    )


def _transposed(before: int, after: int, bias: bool = False) -> nn.Module:
    """Kernel 4 and stride 2: each output pixel is reached equally often."""
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)


def _resized(before: int, after: int, bias: bool = False) -> nn.Module:
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, bias=bias))


def _signature(config: SAGANConfig) -> Signature:
    classes = (Port("classes", "vector", ("batch", config.classes), 0.0, 1.0),) if config.classes else ()
    return Signature((latents(config.latents), *classes), (image("images", config.channels, config.size),))


def _watched(config: SAGANConfig) -> Signature:
    drawing, side = _signature(config), config.attention
    with torch.device("meta"):  # without weights, so that no random number is drawn
        rows, columns = SelfAttention(8).grid(side, side)
    first, *classes = drawing.inputs
    strength = Port("strength", "vector", ("batch", 1), 0.0, 2.0)
    weights = Port("weights", "vector", ("batch", side * side, rows * columns), 0.0, 1.0)
    return Signature((first, strength, *classes), (*drawing.outputs, weights))


SMALL = SAGANConfig(16, 1, 3, 8, 2, attention=8)
MODELS = (
    Model("sagan.Generator", Generator, SAGANConfig, _signature, SMALL),
    Model("sagan.Watched", Watched, SAGANConfig, _watched, SMALL),
)
