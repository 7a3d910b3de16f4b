"""Every blur there may be: each patch its own shake, line, disc or Gaussian, or none, and then noise and JPEG.

Chapter 2's first camera has a few kernels that a network learns by heart. Here no kernel comes twice, so that a
network has to read the blur off the picture. Two things are closer to a real camera than there: light adds up *before*
it is gamma-encoded, so that a lamp in a shaken photograph leaves a bright track (`linear`), and pictures may have been
stored as JPEG. A part of the patches is blurred on the stored values all the same: many pictures in the world, and the
course's first camera, were.

A hand's speed is a stationary Gauss–Markov process with now and then a jolt: it hurries and it dwells, as hands do
(the random walk of Boracchi and Foi 2012, which chapter 2 follows, has an even speed). All of it is drawn for a whole
batch at once, and a blur is one product of two Fourier transforms, so a step's training is what takes the time.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy.signal import lfilter
from torch import Tensor
from torch.nn.functional import conv2d

from companion.data.batches import Batch
from companion.data.degrade import eight_bits
from companion.data.scale import bytes_of, from_bytes, from_light, to_bytes, to_light
from companion.errors import CompanionError

KINDS = ("none", "shake", "line", "disc", "gaussian")
MOMENTS = 256  # of a walk


@dataclass(frozen=True)
class Damage(Batch):
    """What happens to each picture of a batch."""

    kernels: Tensor  # (N, size, size), each sums to one and is centred on its centre of mass
    kinds: Tensor  # (N,), int64, positions in `KINDS`
    linear: Tensor  # (N,), bool: blurred in linear light, not on stored values
    noise: Tensor  # (N,), standard deviation on the scale [0, 1] of stored values
    quality: Tensor  # (N,), int64: JPEG's, or 0 for a picture stored without loss


@dataclass(frozen=True)
class AnyBlur:
    """The endless family: how likely each kind is and how strong it may become."""

    size: int = 41  # side of the kernels, odd
    longest: float = 40.0  # pixels that a shake or a line may travel
    widest: float = 8.0  # radius of the largest disc; the largest Gaussian has half of it as σ
    noise: float = 0.05  # largest standard deviation, on the scale [0, 1]; small ones are likelier
    none: float = 0.15  # share of unblurred pictures …
    shake: float = 0.5
    line: float = 0.1
    disc: float = 0.15  # … and the rest is Gaussian
    linear: float = 0.6  # share of pictures blurred in linear light
    jpeg: float = 0.25  # share of pictures stored as JPEG

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0 or self.longest > self.size - 1 or self.widest > self.size / 4:
            raise CompanionError(
                f"Shakes of {self.longest:g} pixels and discs of radius {self.widest:g} do not fit kernels of "
                f"{self.size}; choose a larger odd size."
            )
        if not 0 <= self.none + self.shake + self.line + self.disc <= 1:
            raise CompanionError(
                "The shares of the kinds of blur add up to more than one; choose smaller ones."
            )

    def draw(self, count: int, random: torch.Generator) -> Damage:
        """Damage for `count` pictures.

        Noise is `noise · u²` with u uniform: half of the pictures have less than a quarter of it.
        """
        shares = torch.tensor([self.none, self.shake, self.line, self.disc]).cumsum(0)
        kinds = torch.bucketize(torch.rand(count, generator=random), shares, right=True)
        amounts = torch.rand(count, generator=random)
        softness = torch.rand(count, generator=random)
        families = (
            delta(self.size).expand(count, -1, -1),
            drawn(shakes(self.longest * amounts, random), self.size),
            drawn(lines(self.longest * amounts, random), self.size),
            discs(0.5 + (self.widest - 0.5) * amounts, self.size),
            gaussians(0.3 + (self.widest / 2 - 0.3) * amounts, self.size),
        )
        chosen = torch.stack(families, 1)[torch.arange(count), kinds]
        soft = _softened(chosen, softness)
        quality = torch.randint(40, 96, (count,), generator=random)
        stored = torch.rand(count, generator=random) < self.jpeg
        return Damage(
            kernels=torch.where(kinds[:, None, None] == 0, chosen, soft),
            kinds=kinds,
            linear=torch.rand(count, generator=random) < self.linear,
            noise=self.noise * torch.rand(count, generator=random).square(),
            quality=torch.where(stored, quality, 0),
        )


def degrade(images: Tensor, damage: Damage, random: torch.Generator) -> Tensor:
    """Blur, add noise, store with 8 bits, and maybe as JPEG: what a camera does, in its order.

    Args:
        images: `(N, C, H, W)` in [−1, 1].
        damage: What happens to each.
        random: Draws the noise.

    Returns:
        `(N, C, H − size + 1, W − size + 1)` in [−1, 1]: the valid part, as `companion.data.degrade.blur` has it.
    """
    light = damage.linear.view(-1, 1, 1, 1)
    stored = (images + 1) / 2
    seen = blur(torch.where(light, to_light(stored), stored), damage.kernels)
    seen = torch.where(light, from_light(seen), seen)
    seen = seen + damage.noise.view(-1, 1, 1, 1) * torch.randn(seen.shape, generator=random)
    kept = eight_bits(seen * 2 - 1)
    for index in damage.quality.nonzero().flatten().tolist():
        kept[index] = through_jpeg(kept[index], int(damage.quality[index]))
    return kept


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """`companion.data.degrade.blur` by Fourier transforms: as fast for large kernels as for small ones.

    Images `(N, C, H, W)`, kernels `(N, size, size)`. A circular convolution is right wherever the kernel does not wrap
    around, which is the valid part, `(N, C, H − size + 1, W − size + 1)`.
    """
    height, width = images.shape[-2:]
    size = kernels.shape[-1]
    passed = torch.fft.rfft2(kernels, s=(height, width))[:, None]
    wrapped: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * passed, s=(height, width))
    return wrapped[..., size - 1 :, size - 1 :].contiguous()


def through_jpeg(image: Tensor, quality: int) -> Tensor:
    """An image `(3, H, W)` in [−1, 1], stored as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(to_bytes(image).permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    with Image.open(file) as opened:
        return from_bytes(bytes_of(opened))


def shakes(lengths: Tensor, random: torch.Generator) -> Tensor:
    """Paths of hands, `(N, MOMENTS)` complex, right and down in pixels, each `lengths` long.

    The speed remembers itself for 3 to 300 % of the exposure (drawn evenly on a logarithmic scale): the shorter, the
    more the hand trembles. Up to three jolts push it elsewhere.
    """
    count = len(lengths)
    memory = 0.03 * 100 ** torch.rand(count, generator=random)
    kept = torch.exp(-1 / (memory * MOMENTS))
    nudges = torch.view_as_complex(torch.randn(count, MOMENTS, 2, generator=random))
    jolts = (
        torch.rand(count, MOMENTS, generator=random)
        < torch.randint(4, (count, 1), generator=random) / MOMENTS
    )
    pushes = nudges * torch.where(jolts, 2.0, (1 - kept.square()).sqrt()[:, None])
    pushes[:, 0] = nudges[:, 0]  # stationary from the beginning
    speeds = np.stack(
        [lfilter([1], [1, -float(k)], row) for k, row in zip(kept, pushes.numpy(), strict=True)]
    )
    strides = torch.from_numpy(speeds).to(torch.complex64)
    strides[:, 0] = 0
    travelled = strides.abs().sum(1, keepdim=True).clamp(min=1e-6)
    return (strides * (lengths[:, None] / travelled)).cumsum(1)


def lines(lengths: Tensor, random: torch.Generator) -> Tensor:
    """Straight paths at even speed in random directions, as `shakes` has them."""
    directions = torch.polar(lengths, 2 * math.pi * torch.rand(len(lengths), generator=random))
    return directions[:, None] * torch.linspace(0, 1, MOMENTS)


def drawn(paths: Tensor, size: int) -> Tensor:
    """Paths `(N, moments)` as kernels `(N, size, size)`, each centred on its mean position.

    A moment's light is shared out among the four pixels around it. What would leave the kernel lands on its border.
    """
    centred = paths - paths.mean(1, keepdim=True)
    x, y = ((part + (size - 1) / 2).clamp(0, size - 1.001) for part in (centred.real, centred.imag))
    left, top = x.floor().long(), y.floor().long()
    right, down = x - left, y - top
    kernels = torch.zeros(len(paths), size * size)
    for dx, across in ((0, 1 - right), (1, right)):
        for dy, along in ((0, 1 - down), (1, down)):
            kernels.scatter_add_(1, (top + dy) * size + left + dx, across * along)
    return (kernels / paths.shape[1]).view(-1, size, size)


def delta(size: int) -> Tensor:
    """The kernel `(size, size)` that changes nothing."""
    kernel = torch.zeros(size, size)
    kernel[size // 2, size // 2] = 1
    return kernel


def discs(radii: Tensor, size: int) -> Tensor:
    """Even discs `(N, size, size)`, their edge smoothed over one pixel."""
    return _normalised((radii[:, None, None] + 0.5 - _distance(size)).clamp(0, 1))


def gaussians(sigmas: Tensor, size: int) -> Tensor:
    """Gaussians `(N, size, size)`."""
    return _normalised(torch.exp(-0.5 * (_distance(size) / sigmas[:, None, None]).square()))


def _softened(kernels: Tensor, sigmas: Tensor) -> Tensor:
    """Kernels that a lens has softened by a Gaussian each: no track of a real camera is a pixel thin."""
    lenses = gaussians(sigmas.clamp(min=0.1), 7)
    soft = conv2d(kernels[None], lenses[:, None], padding=3, groups=len(kernels))[0]
    return _normalised(soft)


def _distance(size: int) -> Tensor:
    from_centre = torch.arange(size) - (size - 1) / 2
    return torch.hypot(from_centre[:, None], from_centre)


def _normalised(kernels: Tensor) -> Tensor:
    return kernels / kernels.sum((-2, -1), keepdim=True)
