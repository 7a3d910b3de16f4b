"""Three networks for pictures whose blur nobody knows: draw the difference, gate it, or find the kernel first.

All three share a body: a U-Net (Ronneberger et al. 2015) whose inner resolutions are a half, a quarter and an eighth of
the picture's, with the residual blocks of `companion.models.deblur` (no normalisation). It sees about a hundred pixels
far, which a blur of forty needs, and costs little, since nothing is computed at full size.

`PlainRestorer` adds what the body draws. `GatedRestorer` also says how wide the blur is at each place, and lets
through as much of the difference as that asks for. `KernelRestorer` knows what a blur is: one body draws the edges that
a sharp picture would have, a quotient of Fourier transforms gives the kernel that turns them into the blurred ones
(Schuler et al. 2016, equation 6), Wiener's filter undoes it, and a second body cleans up. It goes round twice, the
second time with its own first answer in hand.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle, softplus

from companion.errors import CompanionError
from companion.models.configs import MOST_BLOCKS, Config, at_most, positive
from companion.models.deblur import ResidualBlock
from companion.models.fourier import frequencies, picture, transform
from companion.models.registry import Model, Port, Signature, image

FAINT = 0.05  # light of a kernel fainter than this part of its brightest is noise
SURE = 1e-3  # where no edge tells of a blur, the kernel is a point


@dataclass(frozen=True)
class BodyConfig(Config):
    """The numbers that fix a body's shape."""

    width: int = 24  # channels at half the resolution, doubled at each further halving
    outer: int = 1  # residual blocks at each upper level, on the way down and on the way up
    inner: int = 2  # residual blocks at an eighth of the resolution

    def __post_init__(self) -> None:
        positive(width=self.width, outer=self.outer, inner=self.inner)
        at_most(MOST_BLOCKS, outer=self.outer, inner=self.inner)


class Body(nn.Module):
    """Pictures `(N, given, H, W)` to `(N, drawn, H, W)`, sides divisible by 8; its last layer begins at zero."""

    def __init__(self, given: int, drawn: int, config: BodyConfig) -> None:
        super().__init__()
        w, outer = config.width, config.outer
        self.enter = nn.Conv2d(4 * given, w, 3, padding=1)
        self.down_half, self.down_quarter = _blocks(w, outer), _blocks(2 * w, outer)
        self.narrow, self.narrow_again = (
            nn.Conv2d(w, 2 * w, 2, stride=2),
            nn.Conv2d(2 * w, 4 * w, 2, stride=2),
        )
        self.bottom = _blocks(4 * w, config.inner)
        self.widen, self.widen_again = (
            nn.ConvTranspose2d(4 * w, 2 * w, 2, stride=2),
            nn.ConvTranspose2d(2 * w, w, 2, stride=2),
        )
        self.up_quarter, self.up_half = _blocks(2 * w, outer), _blocks(w, outer)
        self.leave = nn.Conv2d(w, 4 * drawn, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """What it draws, and what it found at an eighth of the resolution, `(N, 4 width, H/8, W/8)`."""
        half = self.down_half(self.enter(pixel_unshuffle(pictures, 2)))  # (N, w, H/2, W/2)
        quarter = self.down_quarter(self.narrow(half))  # (N, 2w, H/4, W/4)
        bottom = self.bottom(self.narrow_again(quarter))  # (N, 4w, H/8, W/8)
        quarter = self.up_quarter(quarter + self.widen(bottom))
        half = self.up_half(half + self.widen_again(quarter))
        return pixel_shuffle(self.leave(half), 2), bottom


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


def _filled(pictures: Tensor) -> Tensor:
    """Sides filled up to a multiple of 8 by repeating the border."""
    height, width = pictures.shape[-2:]
    return pad(pictures, (0, -width % 8, 0, -height % 8), mode="replicate")


@dataclass(frozen=True)
class Answer:
    """What a network makes of blurred pictures, and what it thinks was wrong with them; None where it has no word."""

    restored: Tensor  # (N, 3, H, W) in [−1, 1]
    tries: tuple[Tensor, ...] = ()  # earlier answers on the way, unclamped
    kernels: tuple[Tensor, ...] = ()  # of each round, (N, size, size)
    slopes: tuple[Tensor, ...] = ()  # of each round, drawn as of the sharp picture's grey, `slopes_of`
    width: Tensor | None = None  # (N,): the kernel's standard deviation in pixels, `spread`
    noise: Tensor | None = None  # (N,): standard deviation on the scale [0, 1]


class BlindRestorer(nn.Module):
    """Blurred pictures `(N, 3, H, W)` in [−1, 1] to restored ones of the same shape and range; any H and W."""

    def answer(self, blurred: Tensor) -> Answer:
        """The restored pictures, not cut off at [−1, 1], and what the network has found on the way."""
        raise NotImplementedError

    def forward(self, blurred: Tensor) -> Tensor:
        """The restored pictures."""
        return self.answer(blurred).restored.clamp(-1, 1)


@dataclass(frozen=True)
class PlainConfig(BodyConfig):
    """The shape of a `PlainRestorer`."""


@dataclass(frozen=True)
class GatedConfig(BodyConfig):
    """The shape of a `GatedRestorer`."""


class PlainRestorer(BlindRestorer):
    """Adds to the pictures what they lack."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__()
        self.config = config
        self.body = Body(3, 3, config)

    def answer(self, blurred: Tensor) -> Answer:
        """The pictures plus what they lack, not cut off at [−1, 1]."""
        height, width = blurred.shape[-2:]
        difference, _ = self.body(_filled(blurred))
        return Answer(blurred + difference[..., :height, :width])


class GatedRestorer(BlindRestorer):
    """As `PlainRestorer`, and says how wide the blur is at each place, which gates what is added."""

    def __init__(self, config: GatedConfig) -> None:
        super().__init__()
        self.config = config
        self.body = Body(3, 4, config)

    def answer(self, blurred: Tensor) -> Answer:
        """The pictures plus `tanh(width)` of what they lack."""
        height, width = blurred.shape[-2:]
        drawn, _ = self.body(_filled(blurred))
        difference, spread = drawn[:, :3], softplus(drawn[:, 3:])
        restored = blurred + (difference * spread.tanh())[..., :height, :width]
        return Answer(restored, width=spread.mean((1, 2, 3)))


MOST_ROUNDS = 10


@dataclass(frozen=True)
class KernelConfig(BodyConfig):
    """The numbers that fix the network's shape; both its bodies have the same."""

    size: int = 41  # side of the kernels it can find, odd
    rounds: int = 1  # after the first it has its own answer in hand; all use the same weights

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(size=self.size, rounds=self.rounds)
        if self.size % 2 == 0:
            raise CompanionError(f"A kernel of {self.size} pixels has no middle; choose an odd size.")
        if self.rounds > MOST_ROUNDS:  # no weight depends on them, so a file could ask for hours
            raise CompanionError(
                f"A kernel is not sought {self.rounds} times; choose {MOST_ROUNDS} rounds at most."
            )


class KernelRestorer(BlindRestorer):
    """Finds one kernel for each picture, undoes it, and cleans up.

    Args:
        config: The shape. A picture is taken to be blurred alike everywhere: give tiles of what isn't.
    """

    def __init__(self, config: KernelConfig) -> None:
        super().__init__()
        self.config = config
        self.edges = Body(
            6, 3, config
        )  # blurred, and the last answer → sharp slopes (2), weight of the blurred ones
        self.clean = Body(9, 4, config)  # blurred, and two Wiener filters → difference (3), gate
        self.grain = nn.Linear(4 * config.width, 1)  # corrects the logarithm of the noise
        self.trust = nn.Parameter(torch.tensor(-5.0))  # log of the quotient's regularisation
        self.balance = nn.Parameter(
            torch.tensor([6.0, 2.0])
        )  # of Wiener's: offset, and power of the frequency

    def answer(self, blurred: Tensor, told: Tensor | None = None) -> Answer:
        """Rounds of edges, kernel, Wiener's filter and cleaning up.

        Args:
            blurred: `(N, 3, H, W)` in [−1, 1].
            told: Kernels `(N, size, size)` to undo in place of those that it finds; all zero where nothing is told.
        """
        height, width = blurred.shape[-2:]
        filled = _filled(blurred)
        restored, tries, kernels, edges = filled, [], [], []
        given = slopes_of(filled.mean(1, keepdim=True))
        for _ in range(self.config.rounds):
            drawn, grain = self.look(filled, restored)
            sharp = given + drawn[:, :2]
            kernel = self.kernel(sharp, given * 2 * torch.sigmoid(drawn[:, 2:]))
            used = kernel if told is None else torch.where(told.sum((1, 2), keepdim=True) > 0, told, kernel)
            restored = self.undo(filled, used, grain)
            tries.append(restored[..., :height, :width])
            kernels.append(kernel)
            edges.append(sharp[..., :height, :width])
            restored = restored.clamp(-1, 1)
        return Answer(tries.pop(), tuple(tries), tuple(kernels), tuple(edges), spread(used), grain.exp())

    @property
    def told(self) -> "ToldRestorer":
        """The same network, without what finds a kernel."""
        return ToldRestorer(ToldConfig(**asdict(self.config)), self).train(self.training)

    def look(self, filled: Tensor, restored: Tensor) -> tuple[Tensor, Tensor]:
        """What is drawn of the edges, `(N, 3, H, W)`, and the logarithm of the noise, `(N,)`."""
        drawn, found = self.edges(torch.cat([filled, restored], 1))
        seen = (grain_of(filled) + 1e-3).log()
        return drawn, seen + self.grain(found.mean((2, 3)))[:, 0]

    def undo(self, filled: Tensor, kernel: Tensor, grain: Tensor) -> Tensor:
        """The pictures restored, given their kernels; not cut off."""
        sharpened = self.deconvolve(filled, kernel, grain)
        drawn, _ = self.clean(torch.cat([filled, *sharpened], 1))
        gate = torch.sigmoid(drawn[:, 3:])
        restored: Tensor = filled + gate * (sharpened[0] - filled) + drawn[:, :3]
        return restored

    def kernel(self, sharp: Tensor, blurred: Tensor) -> Tensor:
        """The kernel `(N, size, size)` that best turns the sharp slopes into the blurred ones, by least squares.

        Schuler et al. 2016, equation 6. It is then made what a kernel is: no negative light, and a sum of one.

        Args:
            sharp: Slopes `(N, 2, H, W)`, strong where an edge can be relied on.
            blurred: Likewise, of the blurred picture.
        """
        size, half = self.config.size, self.config.size // 2
        height, width = blurred.shape[-2] + half, blurred.shape[-1] + half
        drawn = transform(pad(sharp, (0, half, 0, half)))
        given = transform(pad(blurred, (0, half, 0, half)))
        power = drawn.power.sum(1)
        regular = self.trust.exp() * power.mean((1, 2), keepdim=True) + 1e-6
        quotient = drawn.correlated(given).summed(1).over(power + regular)
        found = picture(quotient, height, width).roll((half, half), (1, 2))[:, :size, :size]
        light = (found - FAINT * found.amax((1, 2), keepdim=True)).relu()
        still = pad(torch.full((1, 1), SURE, device=light.device), (half, half, half, half))
        return (light + still) / (light.sum((1, 2), keepdim=True) + SURE)

    def deconvolve(self, blurred: Tensor, kernel: Tensor, grain: Tensor) -> tuple[Tensor, Tensor]:
        """Wiener's filter with the kernel, at the balance that noise and frequency ask for, and at a tenth of it.

        The border fades into its own blur (an edge taper), so that the picture may be taken as periodic.
        """
        half = self.config.size // 2
        wide = pad(blurred, (half, half, half, half), mode="replicate")
        height, width = wide.shape[-2:]
        whole = pad(kernel, (0, width - self.config.size, 0, height - self.config.size))
        blur = transform(whole.roll((-half, -half), (1, 2))[:, None])
        again = picture(transform(wide) * blur, height, width)
        keep = (_ramp(height, half)[:, None] * _ramp(width, half)).to(wide)
        given = transform(keep * wide + (1 - keep) * again)
        squared = frequencies(height)[:, None].square() + frequencies(width)[: width // 2 + 1].square()
        frequency = (squared.sqrt() + 0.01).to(wide)
        level = self.balance[0] + 2 * torch.log(grain.exp() + 0.002)
        balance = (level[:, None, None, None] + self.balance[1] * frequency.log()).exp()
        found = blur.correlated(given)
        weak, strong = (
            picture(found.over(blur.power + much), height, width)[
                ..., half : height - half, half : width - half
            ]
            for much in (balance, balance / 10)
        )
        return weak, strong.clamp(-2, 2)


@dataclass(frozen=True)
class ToldConfig(KernelConfig):
    """The shape of a `ToldRestorer`: that of the network whose weights it uses."""


class ToldRestorer(nn.Module):
    """A `KernelRestorer` that is always told the kernel, which is all that a page runs of it.

    Args:
        config: The network's.
        network: The one whose weights are used; a new one if none is given.
    """

    def __init__(self, config: ToldConfig, network: KernelRestorer | None = None) -> None:
        super().__init__()
        self.config = config
        self.network = network or KernelRestorer(config)

    def forward(self, blurred: Tensor, kernel: Tensor) -> Tensor:
        """Pictures `(N, 3, H, W)` and kernels `(N, 1, size, size)` to restored pictures in [−1, 1]; any H and W."""
        height, width = blurred.shape[-2:]
        filled = _filled(blurred)
        restored = filled
        for _ in range(self.config.rounds):
            _, grain = self.network.look(filled, restored)
            restored = self.network.undo(filled, kernel[:, 0], grain).clamp(-1, 1)
        return restored[..., :height, :width]


def spread(kernels: Tensor) -> Tensor:
    """How wide kernels `(N, size, size)` are: the standard deviation of their light along both axes together, `(N,)`.

    0 for none, `length/√12` for a line, `radius/√2` for a disc, `√2 σ` for a Gaussian.
    """
    at = torch.arange(kernels.shape[-1], device=kernels.device, dtype=kernels.dtype)
    down, across = kernels.sum(2), kernels.sum(1)
    variance = [(line * at.square()).sum(1) - (line * at).sum(1).square() for line in (down, across)]
    return (variance[0] + variance[1]).clamp(min=0).sqrt()


def grain_of(pictures: Tensor) -> Tensor:
    """The noise's standard deviation on the scale [0, 1], `(N,)`, as if nothing else were as fine (Immerkær 1996).

    The mask answers to no plane and no straight edge along the axes; blurred pictures have little else that it sees.
    """
    grey = pictures / 2
    along = grey[..., 2:] - 2 * grey[..., 1:-1] + grey[..., :-2]
    both = along[..., 2:, :] - 2 * along[..., 1:-1, :] + along[..., :-2, :]
    return math.sqrt(math.pi / 2) / 6 * both.abs().mean((1, 2, 3))


def slopes_of(grey: Tensor) -> Tensor:
    """Differences to the right and lower neighbour, `(N, 2, H, W)`; nothing beyond the border."""
    across = pad(grey.diff(dim=3), (0, 1))
    down = pad(grey.diff(dim=2), (0, 0, 0, 1))
    return torch.cat([across, down], 1)


def _ramp(length: int, rise: int) -> Tensor:
    at = torch.arange(length)
    return ((torch.minimum(at, length - 1 - at) + 0.5) / rise).clamp(max=1)


def _signature(config: BodyConfig) -> Signature:
    return Signature((image("blurred", 3),), (image("restored", 3),))


def _told_signature(config: ToldConfig) -> Signature:
    size = config.size
    light = Port("kernel", "image", ("batch", 1, size, size), 0.0, 2 / size**2)  # adds up to about one
    return Signature((image("blurred", 3), light), (image("restored", 3),))


MODELS = (
    Model("anyblur.PlainRestorer", PlainRestorer, PlainConfig, _signature, PlainConfig(4, 1, 1)),
    Model("anyblur.GatedRestorer", GatedRestorer, GatedConfig, _signature, GatedConfig(4, 1, 1)),
    Model("anyblur.KernelRestorer", KernelRestorer, KernelConfig, _signature, KernelConfig(4, 1, 1, size=7)),
    Model("anyblur.ToldRestorer", ToldRestorer, ToldConfig, _told_signature, ToldConfig(4, 1, 1, size=7)),
)
