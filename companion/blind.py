"""Finding a kernel that nobody knows, without a network: the best that was done before them (chapter 2).

Whoever asks for the sharp picture and the kernel at once, and for the likeliest of both, gets the blurred picture and
no blur at all (Levin et al. 2009). What helps is to ask for an *unnatural* picture on the way: one of few, strong edges
(Cho and Lee 2009; Xu, Zheng and Jia 2013). Edges survive blur, and what turns the strong ones into the blurred picture
is the kernel. From coarse to fine, two least-squares problems take turns, both solved by Fourier transforms.

How large the kernel may be has to be said. `likeliest_blur` tries several sizes and asks which of the kernels found
explains the picture best, as chapter 2 chooses among four; a larger one must do so by what its freedom costs.
"""

import math
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn.functional import interpolate, pad
from tqdm.auto import tqdm

from companion.classical import differences, log_likelihoods, transfer
from companion.data.anyblur import delta

SIZES = (9, 15, 25, 41)  # sides of the kernels that are looked for
NOISES = (0.002, 0.005, 0.01, 0.02, 0.04)  # of a picture in [−1, 1], tried one by one
ENOUGH = 0.7  # of 60 training photographs none has more as it was, and 55 have once shaken (`deblur-blind`)
STEEP = 1.3  # of those 55 none has more than 1.14; a drawn rectangle has 3
RARE = 0.001  # the part of a picture's steps that is not asked how steep it is: noise, and lines finer than a kernel
FLAT = 2 / 255  # a picture that varies by less is one flat area, which no blur changes
STEPS = 5  # turns at each size
EDGES = 0.004  # λ: what an edge must be worth, of a picture in [0, 1] (Xu et al. 2013, equation 7)


@dataclass(frozen=True)
class Blur:
    """A kernel found, and how much better it explains the picture than none does."""

    kernel: Tensor  # (size, size)
    evidence: float  # per pixel, as `evidence` has it, less that of no blur
    steepness: float  # of the picture, as `steepness` has it

    @property
    def sure(self) -> bool:
        """Whether there is a blur that is worth undoing, and that can have been."""
        return self.evidence > ENOUGH and self.steepness < STEEP


def likeliest_blur(picture: Tensor, sizes: tuple[int, ...] = SIZES) -> Blur:
    """What blurred a picture `(C, H, W)` in [−1, 1], the size of whose kernel nobody knows.

    Of one kernel for each size that the picture has room for, the one of greatest evidence; `(size, size)` of the
    largest. Photographs are a little smoother than the likelihood thinks, so that some kernel always beats none:
    whether it does so by enough, and whether it can have blurred this picture at all, is asked of `Blur.sure`.
    """
    room = min(picture.shape[-2:]) // 3
    tried = [size for size in sizes if size <= room]
    still = delta(max(sizes))
    grey = picture.mean(0)
    if grey.max() - grey.min() < FLAT:
        return Blur(still, 0.0, 0.0)
    bar = tqdm(tried, desc="looking for the blur", unit="size", leave=False, delay=2)
    found = [still, *(_set_in(blind_kernel(picture, size), max(sizes)) for size in bar)]
    weighed = evidence(picture, torch.stack(found), torch.tensor([0, *(size**2 for size in tried)]))
    best = int(weighed[1:].argmax()) + 1 if tried else 0
    return Blur(found[best], float(weighed[best] - weighed[0]), steepness(picture, found[best]))


def evidence(picture: Tensor, kernels: Tensor, freedom: Tensor) -> Tensor:
    """How well kernels `(K, size, size)` explain a picture `(C, H, W)`, less what their freedom costs, `(K,)`.

    The Bayesian information criterion with its sign turned (Schwarz 1978), per pixel: twice the logarithm of the
    likelihood that `companion.classical.most_probable_kernel` takes, minus the number of values that could be chosen,
    `freedom`, times the logarithm of the number of pixels.
    """
    pixels = picture.shape[-2] * picture.shape[-1]
    likelihoods = log_likelihoods(picture[None], kernels, NOISES)[0]
    return (likelihoods - freedom * math.log(pixels)) / pixels


def steepness(picture: Tensor, kernel: Tensor) -> float:
    """How steep a picture `(C, H, W)` is for what a kernel `(size, size)` leaves of edges: at most about 1 if blurred.

    An upright edge as high as the picture's whole range, once blurred, rises from column to column by the range times
    the kernel's light in one column, and a level one likewise by its rows. Where the picture rises more, that kernel
    did not blur it, however well it explains the rest. The steepest steps are left out, `RARE` of all.
    """
    grey = picture.mean(0)
    height, steepest = grey.max() - grey.min(), 0.0
    for axis in (0, 1):
        steps = grey.diff(dim=axis).abs().flatten()
        if len(steps) and height > 0:
            high = steps.kthvalue(math.ceil((1 - RARE) * len(steps))).values
            steepest = max(steepest, float(high / (height * kernel.sum(1 - axis).max())))
    return steepest


def _set_in(kernel: Tensor, side: int) -> Tensor:
    return pad(kernel, [(side - kernel.shape[-1]) // 2] * 4)


def blind_kernel(picture: Tensor, size: int, *, smooth: float = 2.0) -> Tensor:
    """The kernel `(size, size)` of a blurred picture `(C, H, W)` in [−1, 1], blurred alike everywhere.

    Args:
        picture: Its grey is looked at.
        size: Side of the largest kernel that is looked for, odd.
        smooth: Weight of the kernel's own square, which keeps it from following noise.
    """
    grey = (picture.mean(0)[None, None].double() + 1) / 2
    levels = max(1, math.floor(math.log(size / 5, math.sqrt(2))) + 1)
    kernel = _still(3)
    weight = EDGES
    for level in reversed(range(levels)):
        share = 0.5 ** (level / 2)
        side = max(3, round(size * share) // 2 * 2 + 1)
        kernel = _resized(kernel, side)
        small = (
            interpolate(grey, scale_factor=share, mode="bicubic", antialias=True)[0, 0]
            if level
            else grey[0, 0]
        )
        blurred = _framed(small, side)
        for _ in range(STEPS):
            edges = _few_edges(blurred, kernel, weight)
            kernel = _kernel_of(edges, blurred, side, smooth)
            weight = max(weight / 1.1, 1e-4)
    return _centred(kernel).float()


def woodcut(picture: Tensor, kernel: Tensor) -> Tensor:
    """The picture of few, strong edges that a kernel `(size, size)` turns into a blurred one, `(H, W)` in [0, 1].

    What `blind_kernel` makes at every turn, of the whole picture.
    """
    height, width = picture.shape
    side = kernel.shape[-1]
    edges = _few_edges(_framed(picture.double(), side), kernel.double(), EDGES)
    return edges[side : side + height, side : side + width].to(picture)


def _few_edges(blurred: Tensor, kernel: Tensor, weight: float) -> Tensor:
    """The picture of fewest edges that the kernel still turns into the blurred one: `min ‖k∗x − y‖² + λ ‖∇x‖₀`.

    Slopes are split off and either kept or set to zero, with a tie to the picture that grows (Xu et al. 2011).
    """
    passed = transfer(kernel, blurred.shape)
    across, down = differences(blurred.shape, torch.double)
    fit, power = passed.conj() * torch.fft.rfft2(blurred), passed.abs().square()
    slopes = across.abs().square() + down.abs().square()
    tie, picture = 2 * weight, blurred
    while tie < 1e4:
        right, below = (picture.roll(-1, axis) - picture for axis in (1, 0))
        kept = (right.square() + below.square() >= weight / tie).double()
        right, below = kept * right, kept * below
        split = right.roll(1, 1) - right + below.roll(1, 0) - below  # differences, transposed
        picture = torch.fft.irfft2(
            (fit + tie * torch.fft.rfft2(split)) / (power + tie * slopes), s=blurred.shape
        )
        tie *= 2
    return picture


def _kernel_of(edges: Tensor, blurred: Tensor, side: int, smooth: float) -> Tensor:
    """The kernel `(side, side)` by least squares on slopes (Cho and Lee 2009, equation 8), without faint light."""
    across, down = differences(blurred.shape, torch.double)
    top, bottom = 0.0, smooth
    for slope in (across, down):
        sharp, given = slope * torch.fft.rfft2(edges), slope * torch.fft.rfft2(blurred)
        top, bottom = top + sharp.conj() * given, bottom + sharp.abs().square()
    found = torch.fft.irfft2(top / bottom, s=blurred.shape).roll((side // 2, side // 2), (0, 1))[:side, :side]
    light = torch.where(found < 0.05 * found.max(), 0.0, found)
    return light / light.sum() if light.sum() > 0 else _still(side)  # without an edge nothing tells of a blur


def _framed(picture: Tensor, side: int) -> Tensor:
    """A frame `side` wide in which the picture runs over into its opposite border, so that it may be periodic.

    Below and to the right it is a little wider, such that the transforms are quick.
    """
    below, right = (next_fast_len(length + 2 * side) - length - side for length in picture.shape)
    wide = pad(picture[None, None], (side, right, side, below), mode="replicate")[0, 0]
    for axis in (0, 1):
        length = wide.shape[axis]
        at = torch.arange(length)
        ramp = (torch.minimum(at, length - 1 - at).double() / side).clamp(max=1)
        first, last = wide.select(axis, 0), wide.select(axis, length - 1)
        between = ((first + last) / 2).unsqueeze(axis)
        ramp = ramp.unsqueeze(1 - axis)
        wide = ramp * wide + (1 - ramp) * between
    return wide


def _resized(kernel: Tensor, side: int) -> Tensor:
    larger = interpolate(kernel[None, None], size=(side, side), mode="bicubic", align_corners=False)[
        0, 0
    ].clamp(min=0)
    return larger / larger.sum()


def _still(side: int) -> Tensor:
    kernel = torch.zeros(side, side, dtype=torch.double)
    kernel[side // 2, side // 2 - (side > 1) :][:2] = 0.5
    return kernel


def _centred(kernel: Tensor) -> Tensor:
    """Moved by whole pixels until its centre of mass lies in the middle."""
    side = kernel.shape[-1]
    at = torch.arange(side).double() - side // 2
    down, right = (round(float((kernel.sum(1 - axis) * at).sum())) for axis in (0, 1))
    moved = pad(kernel, (side,) * 4)[side + down : 2 * side + down, side + right : 2 * side + right]
    return moved / moved.sum()
