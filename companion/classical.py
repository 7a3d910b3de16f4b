"""What was done about blur before networks: Wiener's filter and Richardson–Lucy, given a kernel (chapter 2).

They are scikit-image's, run channel by channel, but for total variation, for which no library was found. The pictures
are continued by reflection before and cut back after, since all take the world to be periodic or dark beyond the
border.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from skimage import restoration
from torch import Tensor
from torch.nn.functional import pad

from companion.data.degrade import linear_kernel
from companion.randomness import stream

_wiener: Any = restoration.wiener  # scikit-image has no types
_lucy: Any = restoration.richardson_lucy
_unsupervised: Any = restoration.unsupervised_wiener


def wiener_filter(blurry: Tensor, kernels: Tensor, *, balance: float = 0.01) -> Tensor:
    """Wiener's filter (Hunt 1973): divides by the kernel in frequency space where that does not amplify noise.

    Args:
        blurry: `(N, C, H, W)` in [−1, 1].
        kernels: One per image, `(N, k, k)`.
        balance: Weight of smoothness against fit; larger where there is more noise.

    Returns:
        `(N, C, H, W)`, cut off at [−1, 1].
    """
    return _each_channel(blurry, kernels, partial(_wiener, balance=balance, clip=False))


def lucy(blurry: Tensor, kernels: Tensor, *, rounds: int = 20) -> Tensor:
    """Richardson–Lucy (1972, 1974): `rounds` of correcting an estimate by what its own blur leaves unexplained.

    Shapes as for `wiener_filter`. It takes the noise to be that of counted light, and amplifies it round by round.
    """
    return _each_channel(blurry, kernels, partial(_lucy, num_iter=rounds, clip=False))


def unsupervised(blurry: Tensor, kernels: Tensor) -> Tensor:
    """Wiener's filter that finds its balance itself (Orieux, Giovannelli and Rodet 2010): scikit-image's Gibbs sampler.

    Shapes as for `wiener_filter`.
    """

    def restore(image: "np.ndarray", kernel: "np.ndarray") -> "np.ndarray":
        draws = np.random.default_rng(stream(0, "Gibbs sampler of Wiener's filter"))
        found: np.ndarray = _unsupervised(image, kernel, clip=False, rng=draws)[0]
        return found

    return _each_channel(blurry, kernels, restore)


def total_variation(blurry: Tensor, kernels: Tensor, *, weight: float = 8e-4, rounds: int = 30) -> Tensor:
    """The picture that explains the blurred one and rises and falls least (Rudin, Osher and Fatemi 1992).

    It minimises `½ ‖k ∗ x − y‖² + weight · Σ ‖∇x‖`, of pictures in [0, 1], with the slopes of the three colours in one
    norm: an edge costs its height and not, as for Wiener's filter, the square of it. The slopes are split off (Boyd et
    al. 2011, section 6.4.1): each round makes them smaller by a threshold and solves a least-squares problem by Fourier
    transforms.

    Args:
        blurry: `(N, C, H, W)` in [−1, 1]; at its border it is taken to be mirrored.
        kernels: One per image, `(N, k, k)`.
        weight: Of the slopes against the fit; larger where there is more noise.
        rounds: After 30 hardly anything changes.

    Returns:
        `(N, C, H, W)`, cut off at [−1, 1].
    """
    frame, tie = kernels.shape[-1], 50 * weight
    light = pad((blurry + 1) / 2, (frame,) * 4, mode="reflect")
    size = light.shape[-2:]
    passed, slopes = transfer(kernels[:, None], size), differences(size, light.dtype)
    fit, power = passed.conj() * torch.fft.rfft2(light), passed.abs().square()
    power = power + tie * (slopes[0].abs().square() + slopes[1].abs().square())
    kept = [torch.zeros_like(light) for _ in slopes]
    owed = [torch.zeros_like(light) for _ in slopes]
    found = fit
    for _ in range(rounds):
        pulled = [
            slope.conj() * torch.fft.rfft2(k - o) for slope, k, o in zip(slopes, kept, owed, strict=True)
        ]
        found = (fit + tie * (pulled[0] + pulled[1])) / power
        now = [torch.fft.irfft2(slope * found, s=size) + o for slope, o in zip(slopes, owed, strict=True)]
        height = (now[0].square() + now[1].square()).sum(1, keepdim=True).sqrt()
        part = (1 - weight / tie / height.clamp(min=1e-9)).clamp(min=0)
        kept = [part * one for one in now]
        owed = [one - k for one, k in zip(now, kept, strict=True)]
    sharp: Tensor = torch.fft.irfft2(found, s=size)[..., frame:-frame, frame:-frame]
    return (2 * sharp - 1).clamp(-1, 1)


def transfer(kernels: Tensor, shape: torch.Size) -> Tensor:
    """What kernels `(…, k, k)` pass on of each wave in pictures of a shape, `(…, H, W // 2 + 1)`, complex."""
    half = kernels.shape[-1] // 2
    wide = pad(kernels, (0, shape[-1] - kernels.shape[-1], 0, shape[-2] - kernels.shape[-2]))
    passed: Tensor = torch.fft.rfft2(wide.roll((-half, -half), (-2, -1)))
    return passed


def differences(shape: torch.Size, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The transforms of the differences to the right and the lower neighbour, in pictures of a shape."""
    down, across = torch.fft.fftfreq(shape[-2], dtype=dtype), torch.fft.rfftfreq(shape[-1], dtype=dtype)
    unit = 2j * torch.pi
    return (torch.exp(unit * across) - 1)[None, :], (torch.exp(unit * down) - 1)[:, None]


def straight_line(kernel: Tensor) -> Tensor:
    """The straight motion with the same mean direction and spread as a kernel `(k, k)`: a plausible wrong guess."""
    size = len(kernel)
    kernel, device = kernel.cpu(), kernel.device  # a few numbers: not worth a card's while
    at = torch.arange(size) - (size - 1) / 2
    weights = kernel / kernel.sum()
    x, y = (weights.sum(0) * at).sum(), (weights.sum(1) * at).sum()
    xx = (weights.sum(0) * (at - x).square()).sum()
    yy = (weights.sum(1) * (at - y).square()).sum()
    xy = (weights * (at[:, None] - y) * (at - x)).sum()
    spreads, directions = torch.linalg.eigh(torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])]))
    right, down = directions[:, -1].tolist()
    length = float((12 * spreads[-1]).sqrt())  # an even line of length L has variance L²/12
    return linear_kernel(length, float(np.degrees(np.arctan2(-down, right))), size).to(device)


def least_ringing_kernel(blurry: Tensor, family: Tensor, *, balance: float = 0.0003) -> Tensor:
    """Blindly choose, for each image, the kernel of a family under which Wiener's filter rings least.

    A wrong kernel leaves waves beside every edge, so its result has the larger sum of absolute gradients (its total
    variation). The small `balance` lets the waves show.

    Args:
        blurry: `(N, C, H, W)` in [−1, 1].
        family: Candidates `(K, k, k)`.
        balance: As for `wiener_filter`.

    Returns:
        The chosen kernels, `(N, k, k)`.
    """
    variations = []
    for kernel in family:
        restored = wiener_filter(blurry, kernel.expand(len(blurry), -1, -1), balance=balance)
        down, across = restored.diff(dim=2).abs(), restored.diff(dim=3).abs()
        variations.append(down.sum((1, 2, 3)) + across.sum((1, 2, 3)))
    return family[torch.stack(variations).argmin(0).to(family.device)]


def most_probable_kernel(blurry: Tensor, family: Tensor, *, noise: float = 0.01) -> Tensor:
    """Blindly choose, for each image, the kernel of a family that makes the blurred picture most probable.

    Photographs are taken to be Gaussian with a power spectrum of s/f² (Field 1987), so a blurred one is Gaussian too,
    with the power `|k̂|² s/f² + noise²` at frequency f, and its likelihood under each kernel is a sum over frequencies.
    The strength s is the likeliest for each kernel. The picture fades out towards its border, which would otherwise
    count as an edge.

    Args:
        blurry: `(N, C, H, W)` in [−1, 1]; their grey is looked at.
        family: Candidates `(K, k, k)`.
        noise: Standard deviation of each channel's noise, as assumed.

    Returns:
        The chosen kernels, `(N, k, k)`.
    """
    return family[log_likelihoods(blurry, family, (noise,)).argmax(1)]


def log_likelihoods(blurry: Tensor, family: Tensor, noises: tuple[float, ...]) -> Tensor:
    """How probable each picture is under each kernel, as `most_probable_kernel` has it, at the likeliest of the noises.

    Returns:
        `(N, K)`, up to a constant that all share: minus the sum over frequencies of `log v + P/v`, where P is the
        picture's power and v the power it should have. That is twice the logarithm.
    """
    height, width = blurry.shape[-2:]
    fade = torch.hann_window(height, False)[:, None] * torch.hann_window(width, False)
    grey = blurry.mean(1)
    grey = grey - (grey * fade).sum((1, 2), keepdim=True) / fade.sum()
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)
    squared = down.square() + across.square()
    seen = squared > 0  # the mean says nothing
    power = torch.fft.fft2(grey * fade).abs().square()[:, seen] / fade.square().sum()
    likelihoods = []
    for kernel in family:
        passed = torch.fft.fft2(kernel, (height, width)).abs().square()[seen] / squared[seen]
        variances = (
            strength * passed + noise**2 / blurry.shape[1] for noise in noises for strength in STRENGTHS
        )
        fits = [(variance.log() + power / variance).sum(1) for variance in variances]
        likelihoods.append(-torch.stack(fits).amin(0))
    return torch.stack(likelihoods, 1)


STRENGTHS = torch.logspace(-5, 0, 26)  # of a picture's spectrum, tried one by one


def _each_channel(
    blurry: Tensor,
    kernels: Tensor,
    restore: "Callable[[np.ndarray, np.ndarray], np.ndarray]",
) -> Tensor:
    margin = 2 * kernels.shape[-1]
    restored = []
    for image, kernel in zip(blurry, kernels, strict=True):
        for channel in image:
            wide = np.pad((channel.cpu().double().numpy() + 1) / 2, margin, mode="reflect")
            found = restore(wide, kernel.cpu().double().numpy())[margin:-margin, margin:-margin]
            restored.append(torch.from_numpy(found * 2 - 1).float())
    return torch.stack(restored).view_as(blurry).clamp(-1, 1).to(blurry.device)
