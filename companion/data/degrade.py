"""Degrading photographs as cameras do: kernels of blur, the convolution that applies them, and noise (chapter 2).

A blurred photograph is `blurred = kernel ∗ sharp + noise`. A kernel `(size, size)` is non-negative and sums to one,
so a flat grey stays as it is. `blur` keeps only pixels whose whole neighbourhood is known (the *valid* part), as a
camera would: what it loses at the border, `size − 1` rows and columns, is cut from a larger photograph beforehand,
and no border rule leaves a trace that a network could learn instead of the blur.

The blur works on the stored, gamma-encoded values, as DeblurGAN's does; light adds up before that encoding, so bright
spots of real shaken photographs leave stronger tracks than these.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from companion.data.scale import from_bytes, to_bytes
from companion.errors import CompanionError, unknown_name


def linear_kernel(length: float, angle: float, size: int) -> Tensor:
    """Straight motion at even speed over `length` pixels, `angle` degrees counter-clockwise from the right."""
    along = np.linspace(-length / 2, length / 2, 20 * size)
    turn = math.radians(angle)
    return _drawn(along * math.cos(turn), -along * math.sin(turn), size)


def gaussian_kernel(sigma: float, size: int) -> Tensor:
    """A Gaussian of `sigma` pixels, cut off at the kernel's border."""
    from_centre = torch.arange(size) - (size - 1) / 2
    line = torch.exp(-0.5 * (from_centre / sigma).square())
    return _normalised(line[:, None] * line)


def disc_kernel(radius: float, size: int) -> Tensor:
    """A lens out of focus: an even disc of `radius` pixels, its edge smoothed over one pixel."""
    from_centre = torch.arange(size) - (size - 1) / 2
    distance = torch.hypot(from_centre[:, None], from_centre)
    return _normalised((radius + 0.5 - distance).clamp(0, 1))


@dataclass(frozen=True)
class Shake:
    """A hand that shakes while the shutter is open: the random walk of DeblurGAN (Kupyn et al. 2018, algorithm 1).

    The walk is Boracchi and Foi's (2012): at each of `steps` moments the velocity is nudged at random, pulled back
    towards the start, and, seldom, reversed by a jolt; its length is then reset, so that all walks are equally long.
    The algorithm as printed multiplies the pull into the nudge; the authors' code subtracts it, and so do we.
    """

    length: float = 60.0  # pixels travelled in all, L_max
    anxiety: float = 0.005  # p_s in the paper: scales nudges and jolts; 0 is a straight line
    steps: int = 2000  # M

    def kernel(self, size: int, seed: int) -> Tensor:
        """The walk of this seed drawn into a kernel `(size, size)`, centred on its mean position.

        What would leave the kernel is drawn at its border.
        """
        walk = self.walk(seed)
        walk = walk - walk.mean()
        return _drawn(walk.real, walk.imag, size)

    def walk(self, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
        """Positions `(steps,)` in pixels, right and down as real and imaginary part, beginning at 0."""
        random = np.random.default_rng(_of_a_hand(seed))
        pull, jolts, nudge = random.uniform(0, [0.7, 0.2, 10.0])
        stride = self.length / (self.steps - 1)
        direction = np.exp(2j * np.pi * random.uniform())
        velocity = direction * (self.anxiety or stride)
        nudges = random.normal(size=self.steps) + 1j * random.normal(size=self.steps)
        chances, turns = random.uniform(size=(2, self.steps))
        positions = np.zeros(self.steps, dtype=np.complex128)
        for moment in range(self.steps - 1):
            jolted = chances[moment] < jolts * self.anxiety
            jolt = 2 * velocity * np.exp(1j * (np.pi + turns[moment] - 0.5)) if jolted else 0
            drift = nudge * nudges[moment] - pull * positions[moment]
            velocity = velocity + jolt + self.anxiety * drift * stride
            velocity = velocity / max(abs(velocity), 1e-12) * stride  # a camera at rest has none
            positions[moment + 1] = positions[moment] + velocity
        return positions


KINDS = ("shake", "line", "disc", "gaussian")


@dataclass(frozen=True)
class Camera:
    """A camera with a few shakes of its own: all that fixes how a photograph is degraded.

    A small, fixed family of kernels stands for one camera in one hand. A network can learn it in minutes on a laptop,
    and what it learns holds for this family alone; chapter 2 shows what happens beyond it.
    """

    shakes: int = 4  # kernels in the family
    size: int = 15  # side of the kernels, odd
    length: float = 20.0  # of each shake, in pixels; of the other kinds, how wide the widest is
    anxiety: float = 0.005
    noise: float = 0.01  # standard deviation on the scale [−1, 1]: 0.01 is 1.3 of 255 grey levels
    seed: int = 1  # of the family
    kind: str = "shake"  # or “line”, “disc” (out of focus), “gaussian”

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown_name("kind of blur", self.kind, KINDS)
        if self.kind != "shake" and self.length > self.size:
            raise CompanionError(
                f"A {self.kind} {self.length:g} pixels wide does not fit kernels of {self.size}; choose a larger size."
            )
        if self.size < 1 or self.size % 2 == 0 or self.shakes < 1:
            raise CompanionError(
                f"A camera needs at least one kernel of an odd size, not {self.shakes} of size {self.size}; "
                "choose a size such as 15."
            )

    def kernels(self) -> Tensor:
        """The family, `(shakes, size, size)`.

        Lines are turned evenly over half a turn. Discs and Gaussians grow evenly up to `length`, the disc's diameter
        or four standard deviations.
        """
        kernel = getattr(self, f"_{self.kind}")
        return torch.stack([kernel(index) for index in range(self.shakes)])

    def _shake(self, index: int) -> Tensor:
        return Shake(self.length, self.anxiety).kernel(self.size, self.seed * 1000 + index)

    def _line(self, index: int) -> Tensor:
        return linear_kernel(self.length, 180 * index / self.shakes, self.size)

    def _disc(self, index: int) -> Tensor:
        return disc_kernel(self.length / 2 * (index + 1) / self.shakes, self.size)

    def _gaussian(self, index: int) -> Tensor:
        return gaussian_kernel(self.length / 4 * (index + 1) / self.shakes, self.size)

    def degrade(self, images: Tensor, kernels: Tensor, generator: torch.Generator) -> Tensor:
        """Blur `(N, C, H, W)` in [−1, 1] with a kernel each, add noise from `generator`, store in 8 bits.

        The result is `size − 1` pixels smaller in both directions, on the images' device; the noise is drawn on the
        generator's, so that it is the same wherever the images are.
        """
        blurred = blur(images, kernels)
        noise = torch.randn(blurred.shape, generator=generator, device=generator.device)
        return eight_bits(blurred + self.noise * noise.to(blurred))


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolve each image with its kernel, keeping the valid part.

    Args:
        images: `(N, C, H, W)`.
        kernels: `(N, size, size)`, or `(size, size)` for all; brought to the images' device.

    Returns:
        `(N, C, H − size + 1, W − size + 1)`: pixel (0, 0) lies over pixel (size // 2, size // 2) of the input.
    """
    count, channels, height, width = images.shape
    each = kernels.to(images.device).expand(count, *kernels.shape[-2:])
    flipped = each.flip(-2, -1)  # conv2d correlates; a flip makes it a convolution
    weights = flipped.repeat_interleave(channels, 0)[:, None].to(images.device)
    blurred = conv2d(images.reshape(1, -1, height, width), weights, groups=count * channels)
    return blurred.view(count, channels, *blurred.shape[-2:])


def eight_bits(images: Tensor) -> Tensor:
    """What a file with 256 levels a channel keeps of images in [−1, 1]; what lies beyond is cut off."""
    return from_bytes(to_bytes(images))


def _of_a_hand(seed: int) -> int:
    """The seed of a walk: SplitMix64's finaliser of the hand's number.

    A hand is a constant, as a photograph is: the shipped networks have learnt the shakes that come of these numbers. So
    it does not go through `companion.randomness` until they are trained again.
    """
    bits = (seed * 0x9E3779B97F4A7C15 + 2 * 0xD1B54A32D192ED03) & (2**64 - 1)
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return (bits ^ (bits >> 31)) >> 1


def _drawn(right: "np.ndarray", down: "np.ndarray", size: int) -> Tensor:
    """Points around (0, 0), each shared out among the four pixels around it by its distance from them."""
    middle = (size - 1) / 2
    x, y = (np.clip(part + middle, 0, size - 1) for part in (right, down))
    left, top = (np.minimum(np.floor(part), max(size - 2, 0)).astype(int) for part in (x, y))
    kernel = np.zeros((size, size))
    for dx in (0, 1):
        for dy in (0, 1):
            share = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
            inside = (np.minimum(top + dy, size - 1), np.minimum(left + dx, size - 1))
            np.add.at(kernel, inside, share.clip(0))
    return _normalised(torch.from_numpy(kernel))


def _normalised(kernel: Tensor) -> Tensor:
    return (kernel / kernel.sum()).float()
