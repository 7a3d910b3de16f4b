"""A restoring network that is told what blurred a photograph, asked what it finds, and heeded in part (chapter 2)."""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from companion.blind import SIZES, Blur, evidence, likeliest_blur
from companion.data.anyblur import delta
from companion.models.anyblur import Answer, BlindRestorer, KernelRestorer, grain_of

SEEN = 2.0  # pixels: a narrower blur is hardly seen
LOOKED_AT = 384  # side of the part of a photograph in which its blur is looked for
COARSE = 4  # times that a photograph is shrunk to find that part: noise is no detail


@dataclass(frozen=True)
class Finding:
    """What was wrong with a photograph, as far as one can tell; print it for a clause of a sentence."""

    width: float  # of the blur in pixels: as long as a line that spreads the light as far
    noise: float  # standard deviation on the scale [0, 1]

    def __str__(self) -> str:
        blur = f"blur about {self.width:.0f} pixels wide" if self.width >= SEEN else "no blur to speak of"
        noise = f"noise {self.noise:.1%}" if math.isfinite(self.noise) else "too small to tell"
        return f"{blur}, {noise}"


class Listening(nn.Module):
    """A restoring network that is asked what it finds, and heeded in part.

    One that can be told a kernel is told the one that `companion.blind` finds in the photograph (`look_at`); parts of
    the photograph that are likelier without it, such as what a lens has in focus, stay as they are.

    Args:
        network: Restores; what it finds is kept if it is a `BlindRestorer`.
        strength: The part of the change that is made: 0 leaves the picture as it is, 1 is all of it.

    Attributes:
        blur: What was found in the photograph at hand; None until one was looked at.
    """

    def __init__(self, network: nn.Module, strength: float = 1.0) -> None:
        super().__init__()
        self.network, self.strength = network, strength
        self.blur: Blur | None = None
        self._said: list[tuple[Tensor, Tensor]] = []

    def look_at(self, photo: Tensor) -> None:
        """Find what blurred a photograph whose tiles follow, given a part of it, `(3, H, W)` in [−1, 1]."""
        if isinstance(self.network, KernelRestorer):
            most = self.network.config.size
            self.blur = likeliest_blur(photo, (*(size for size in SIZES if size < most), most))

    def forward(self, blurred: Tensor) -> Tensor:
        """The pictures `(N, 3, H, W)`, restored as far as asked."""
        if isinstance(self.network, BlindRestorer):
            answer = self._answer(self.network, blurred)
            restored = answer.restored.clamp(-1, 1)
            if answer.width is not None and answer.noise is not None:
                self._said.append((answer.width.cpu(), answer.noise.cpu()))
        else:
            restored = self.network(blurred)
        return torch.lerp(blurred, restored, self.strength)

    def _answer(self, network: BlindRestorer, blurred: Tensor) -> Answer:
        if not isinstance(network, KernelRestorer) or self.blur is None:
            return network.answer(blurred)
        if not self.blur.sure:
            return Answer(blurred, width=blurred.new_zeros(len(blurred)), noise=grain_of(blurred))
        kernel = self.blur.kernel
        told = network.answer(blurred, kernel.to(blurred).expand(len(blurred), -1, -1))
        here = torch.tensor([_is_here(one, kernel) for one in blurred.cpu()], device=blurred.device)
        restored = torch.where(here[:, None, None, None], told.restored, blurred)
        return Answer(restored, width=told.width, noise=told.noise)

    def finding(self) -> Finding | None:
        """The median over all that was seen since the last time; None if the network has no word for it."""
        said, self._said = self._said, []
        if not said:
            return None
        width, noise = (float(torch.cat(column).median()) for column in zip(*said, strict=True))
        return Finding(width * math.sqrt(12), noise)


def _is_here(picture: Tensor, kernel: Tensor) -> bool:
    """Whether a part of a photograph is not likelier without the kernel that was found in another part."""
    both = torch.stack([kernel, delta(kernel.shape[-1])])
    with_it, without = evidence(picture, both, torch.zeros(2))
    return bool(with_it >= without)


def busiest(pixels: NDArray[Any], side: int = LOOKED_AT) -> NDArray[Any]:
    """The square of a photograph `(H, W)` or `(H, W, 3)` with the most coarse detail; all of a small photograph."""
    height, width = pixels.shape[:2]
    if height <= side and width <= side:
        return pixels
    small = _shrunk(pixels.reshape(height, width, -1)[::2, ::2].mean(2), COARSE // 2)
    slopes = np.abs(np.diff(small, axis=0))[:, :-1] + np.abs(np.diff(small, axis=1))[:-1]
    sums = np.pad(slopes.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tall, wide = (min(side, length) // COARSE for length in (height, width))

    def detail(corner: tuple[int, ...]) -> float:
        top, left = corner
        bottom, right = (
            min(at + by, size - 1) for at, by, size in zip(corner, (tall, wide), sums.shape, strict=True)
        )
        return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])

    corners = product(
        *(_starts(length, part) for length, part in zip(small.shape, (tall, wide), strict=True))
    )
    top, left = (COARSE * at for at in max(corners, key=detail))
    return pixels[top : top + side, left : left + side]


def _shrunk(grey: NDArray[Any], times: int) -> NDArray[Any]:
    """Means of squares."""
    height, width = (length // times for length in grey.shape)
    squares = grey[: height * times, : width * times].reshape(height, times, width, times)
    means: NDArray[Any] = squares.mean((1, 3))
    return means


def _starts(length: int, part: int) -> list[int]:
    """Where parts of a length begin, each half a part after the one before; the last ends where the length does."""
    return sorted({*range(0, max(1, length - part), max(1, part // 2)), max(0, length - part)})
