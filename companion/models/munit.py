"""MUNIT: what a picture shows and how it is drawn, taken apart and joined anew (Huang et al. 2018; chapter 7).

Followed from the paper (section 5.1 and its appendix on architectures), not from its authors' code: a content encoder
whose convolutions are all followed by instance normalisation, a style encoder without any, since mean and variance
of the maps *are* the style, a decoder whose residual blocks have adaptive instance normalisation with numbers that a
multilayer perceptron makes of the style, layer normalisation after its doubling layers, and critics at several sizes
with one score for each patch.

Deliberate deviations: the perceptron says how far the scales are from 1, so that an untrained style changes little;
kernels after doubling are 3 and not 5 pixels wide, which takes a third of the decoder's time away; the perceptron is as
wide as the content, which in the paper it is too; and attention over the content (Zhang et al. 2019) and deformable
convolution in its blocks (Dai et al. 2017) are choices.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from companion.errors import CompanionError
from companion.layers import DeformableConv2d, SelfAttention, adaptive_instance_norm, spectrally_normalised
from companion.models.configs import MOST_BLOCKS, MOST_HALVINGS, WIDEST, Config, at_most, positive
from companion.models.registry import Model, Signature, image, latents

LARGEST = 4096  # side of images; no weight depends on it, so that a damaged config would be believed


@dataclass(frozen=True)
class MUNITConfig(Config):
    """The numbers that fix encoders and decoders, of both sides alike; the paper's width is 64."""

    size: int = 64  # side of the square images, a multiple of 16
    width: int = 16  # channels at full size, doubled at each of the content's two halvings
    styles: int = 8  # length of a style
    blocks: int = 4  # residual blocks of a content encoder, and as many of a decoder
    attention: bool = False  # over the content, after its last block
    deformable: bool = False  # the content's blocks choose where they look

    def __post_init__(self) -> None:
        positive(width=self.width, styles=self.styles, blocks=self.blocks)
        at_most(MOST_BLOCKS, blocks=self.blocks)
        at_most(WIDEST, width=self.width, styles=self.styles)
        if not 16 <= self.size <= LARGEST or self.size % 16:
            raise CompanionError(
                f"Images are halved four times to read their style, so the size must be a multiple of 16 up to "
                f"{LARGEST}, not {self.size}; choose 32, 64 or 128."
            )

    @property
    def content(self) -> int:
        """Channels of the content, at a quarter of the size."""
        return 4 * self.width


class ContentEncoder(nn.Sequential):
    """Images `(N, 3, H, W)` in [−1, 1] to what they show, `(N, 4 · width, H / 4, W / 4)`."""

    def __init__(self, config: MUNITConfig) -> None:
        w = config.width
        layers = [
            *_normalised(nn.Conv2d(3, w, 7, padding=3, padding_mode="replicate", bias=False)),
            *_normalised(nn.Conv2d(w, 2 * w, 4, stride=2, padding=1, bias=False)),  # size / 2
            *_normalised(nn.Conv2d(2 * w, 4 * w, 4, stride=2, padding=1, bias=False)),  # size / 4
            *(_Block(config.content, config.deformable) for _ in range(config.blocks)),
        ]
        super().__init__(*layers, *([SelfAttention(config.content)] if config.attention else []))


class StyleEncoder(nn.Sequential):
    """Images `(N, 3, H, W)` in [−1, 1] to how they are drawn, `(N, styles)`, without bounds."""

    def __init__(self, config: MUNITConfig) -> None:
        w = config.width
        layers: list[nn.Module] = [
            nn.Conv2d(3, w, 7, padding=3, padding_mode="replicate"),
            nn.ReLU(inplace=True),
        ]
        for before, after in pairwise([w, 2 * w, 4 * w, 4 * w, 4 * w]):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, config.styles)]
        super().__init__(*layers, *pooled)
        self.apply(_as_he_et_al)


class Encoder(nn.Module):
    """One side's images, taken apart."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.content = ContentEncoder(config)
        self.style = StyleEncoder(config)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What they show, `(N, 4 · width, H / 4, W / 4)`, and how, `(N, styles)`."""
        return self.content(images), self.style(images)


class Decoder(nn.Module):
    """Contents `(N, 4 · width, H / 4, W / 4)` and styles `(N, styles)` to one side's images `(N, 3, H, W)`."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        w, content = config.width, config.content
        self.blocks = nn.ModuleList(_StyledBlock(content) for _ in range(config.blocks))
        self.perceptron = nn.Sequential(
            nn.Linear(config.styles, content),
            nn.ReLU(inplace=True),
            nn.Linear(content, content),
            nn.ReLU(inplace=True),
            nn.Linear(content, config.blocks * 2 * 2 * content),
            nn.Unflatten(
                1, (config.blocks, 2, 2, content)
            ),  # block, its first or second layer, scale or shift
        )
        self.growing = nn.Sequential(
            *_doubling(4 * w, 2 * w),
            *_doubling(2 * w, w),
            nn.Conv2d(w, 3, 7, padding=3, padding_mode="replicate"),
            nn.Tanh(),
        )

    def forward(self, contents: Tensor, styles: Tensor) -> Tensor:
        """Draw each content in the style of the same row."""
        told = self.perceptron(styles)
        for index, block in enumerate(self.blocks):
            contents = block(contents, told[:, index])
        images: Tensor = self.growing(contents)
        return images


class Translator(nn.Module):
    """One way of a translation: images of one side `(N, 3, size, size)` and styles of the other to images there."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.config = config
        self.content = ContentEncoder(config)  # of the side that is left
        self.style = StyleEncoder(config)  # of the side that is reached
        self.decoder = Decoder(config)  # likewise

    @classmethod
    def joining(cls, config: MUNITConfig, source: Encoder, target: Encoder, decoder: Decoder) -> "Translator":
        """A translator made of trained parts, which it shares with whoever gave them."""
        with torch.device("meta"):  # without memory for weights that are replaced at once
            translator = cls(config)
        translator.content, translator.style, translator.decoder = source.content, target.style, decoder
        return translator.train(decoder.training)

    def forward(self, images: Tensor, styles: Tensor) -> Tensor:
        """What the images show, in these styles `(N, styles)`: drawn from a standard normal, or read by `style`.

        Raises:
            CompanionError: The images' sides are no multiples of 4, or the styles are longer or shorter.
        """
        _check(images, styles, self.config)
        drawn: Tensor = self.decoder(self.content(images), styles)
        return drawn


class BothWays(nn.Module):
    """Both ways of a translation, as one model: from one side to the other, and back."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.config = config
        self.a_to_b = Translator(config)
        self.b_to_a = Translator(config)

    @classmethod
    def joining(cls, there: Translator, back: Translator) -> "BothWays":
        """Both ways made of two trained translators, which are shared with whoever gave them."""
        with torch.device("meta"):
            both = cls(there.config)
        both.a_to_b, both.b_to_a = there, back
        return both.train(there.training)

    def forward(self, images: Tensor, styles: Tensor) -> tuple[Tensor, Tensor]:
        """Images of the first side in these styles of the second, and again as the first side's, in their own style."""
        there: Tensor = self.a_to_b(images, styles)
        back: Tensor = self.b_to_a(there, self.b_to_a.style(images))
        return there, back


@dataclass(frozen=True)
class MultiScaleCriticConfig:
    """The numbers that fix a critic's shape; the paper's are 64, 3 and 4."""

    width: int = 16  # channels after the first convolution, doubled by each further one
    scales: int = 3  # sizes it looks at: the images', half of it, a quarter
    halvings: int = 4  # strided convolutions at each size
    spectral: bool = False  # spectral normalisation

    def __post_init__(self) -> None:
        positive(width=self.width, scales=self.scales, halvings=self.halvings)
        at_most(MOST_HALVINGS, scales=self.scales, halvings=self.halvings)
        at_most(WIDEST, width=self.width)

    @property
    def least(self) -> int:
        """The smallest images it can look at."""
        return 1 << self.scales - 1 + self.halvings


class MultiScaleCritic(nn.Module):
    """Images `(N, 3, H, W)` in [−1, 1] to scores of their patches, `(N, patches)` at each size, without bounds.

    No layer normalises, so no image sees its neighbours in the batch.
    """

    def __init__(self, config: MultiScaleCriticConfig) -> None:
        super().__init__()
        self.config = config
        self.critics = nn.ModuleList(_patch_critic(config) for _ in range(config.scales))
        self.apply(_as_he_et_al)
        if config.spectral:
            spectrally_normalised(self)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The scores at each size, from the images' own downwards."""
        scores = []
        for critic in self.critics:
            scores.append(critic(images).flatten(1))
            images = avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)
        return tuple(scores)


class OneScore(nn.Module):
    """A critic of several sizes as one with a score for each image, `(N,)`: the sum over sizes of the mean score.

    A penalty on the critic's slope differentiates this.
    """

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, images: Tensor) -> Tensor:
        """Score each image."""
        return torch.stack([scores.mean(1) for scores in self.critic(images)]).sum(0)


def _check(images: Tensor, styles: Tensor, config: MUNITConfig) -> None:
    height, width = images.shape[-2:]
    if height % 4 or width % 4:
        raise CompanionError(
            f"Images of {width}×{height} pixels cannot be halved twice and doubled again; give sides that are "
            f"multiples of 4, such as {config.size}."
        )
    if styles.shape[-1] != config.styles:
        raise CompanionError(
            f"Styles of {styles.shape[-1]} numbers do not fit this model, whose styles have {config.styles}; draw them "
            "from a normal, or read them from images."
        )


class _Block(nn.Module):
    """`x + F(x)`, F two convolutions with instance normalisation; the second may be deformable."""

    def __init__(self, channels: int, deformable: bool = False) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        looking = DeformableConv2d(second) if deformable else second
        self.layers = nn.Sequential(*_normalised(first), looking, nn.InstanceNorm2d(channels))

    def forward(self, contents: Tensor) -> Tensor:
        changed: Tensor = contents + self.layers(contents)
        return changed


class _StyledBlock(nn.Module):
    """`x + F(x)`, F two convolutions whose maps get mean and deviation from the style."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))

    def forward(self, contents: Tensor, told: Tensor) -> Tensor:
        """`told`: how far the scales are from 1, and the shifts, of both layers, `(N, 2, 2, channels)`."""
        maps = adaptive_instance_norm(self.first(contents), 1 + told[:, 0, 0], told[:, 0, 1]).relu()
        return contents + adaptive_instance_norm(self.second(maps), 1 + told[:, 1, 0], told[:, 1, 1])


def _as_he_et_al(layer: nn.Module) -> None:
    """Weights such that signals keep their size from layer to layer where nothing normalises them (He et al. 2015)."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _normalised(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(convolution.out_channels), nn.ReLU(inplace=True)]


def _doubling(before: int, after: int) -> list[nn.Module]:
    """Pixels repeated and convolved; layer normalisation is that of all maps of an image together."""
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return [nn.Upsample(scale_factor=2), convolution, nn.GroupNorm(1, after), nn.ReLU(inplace=True)]


def _patch_critic(config: MultiScaleCriticConfig) -> nn.Sequential:
    widths = [3, *(config.width << level for level in range(config.halvings))]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1))


def _signature(config: MUNITConfig) -> Signature:
    return Signature(
        (image("images", 3, config.size), latents(config.styles)), (image("translated", 3, config.size),)
    )


def _signature_of_both(config: MUNITConfig) -> Signature:
    there = _signature(config)
    return Signature(there.inputs, (*there.outputs, image("back", 3, config.size)))


MODELS = (
    Model("munit.Translator", Translator, MUNITConfig, _signature, MUNITConfig(16, 2, 3, 1, attention=True)),
    Model("munit.BothWays", BothWays, MUNITConfig, _signature_of_both, MUNITConfig(16, 2, 3, 1)),
)
