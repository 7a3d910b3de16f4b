"""Checks of chapter 2's exercises: a kernel, blur, Wiener's filter, a residual block, a loss, PSNR, and a split."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu

from companion.data import degrade
from companion.exercises.rounds import among, mixed, normal, present, uniform, whole
from companion.exercises.runner import NotYet, Task, described, module, right
from companion.exercises.twins import another_start, twin
from companion.metrics import restoration

# ---- 1: blur --------------------------------------------------------------------------------------------------------

KERNEL = Task(
    "kernel_of(track, size)",
    "the share of the time that the track spends on each pixel, (size, size)",
    {"out of bounds": "the track's (0, 0) is the kernel's *middle* pixel, so add size // 2 to both numbers"},
)
LINGERS = (
    "Where the hand lingers more light falls, so each visit counts; `kernel[rows, columns] += 1` adds only "
    "once at a place, however often it is listed."
)
Track = list[tuple[int, int]]  # right and down, moment by moment


def check_kernel_of(student: object) -> None:
    """Task 1: visits counted, around the middle, down the rows and right along the columns, in shares of one."""

    def visits(track: Track, size: int) -> Tensor:
        counted = torch.zeros(size, size)
        for across, down in track:
            counted[size // 2 + down, size // 2 + across] += 1
        return counted

    def shares(track: Track, size: int) -> Tensor:
        return visits(track, size) / len(track)

    def once(track: Track, size: int) -> Tensor:
        return (visits(track, size) > 0).float()

    def otherwise(found: Tensor, track: Track, size: int) -> str:
        across, down = max(track, key=track.count)
        place = (size // 2 + down, size // 2 + across)
        return (
            f"For a track of {len(track)} moments, of which {track.count((across, down))} at {(across, down)}, pixel "
            f"{list(place)} of {size} × {size} should hold {track.count((across, down))}/{len(track)}; yours holds "
            f"{float(found[place]):.3g}, and all pixels together {float(found.sum()):.3g}"
        )

    KERNEL.judge(
        student,
        [(_track(size), size) for size in (3, 5, 9, 2 * whole(2, 6) + 1)],
        shares,
        {
            "You count the moments, and your kernel sums to their number: it only shares out light, so divide.": visits,
            LINGERS: lambda track, size: once(track, size) / once(track, size).sum(),
            f"{LINGERS} Your kernel does not sum to one, either.": (
                lambda track, size: once(track, size) / len(track)
            ),
            "Your kernel has ones where the hand was; it shares out light, so it sums to one.": once,
            "Your largest share is 1; the *sum* of all shares is 1.": (
                lambda track, size: visits(track, size) / visits(track, size).max()
            ),
            "You divide by the number of pixels; the moments are shared out, so divide by theirs.": (
                lambda track, size: visits(track, size) / size**2
            ),
            "You divide by the side of the kernel; the moments are shared out, so divide by their number.": (
                lambda track, size: visits(track, size) / size
            ),
            "Right and down are swapped: a pixel is [row, column], so down comes first.": (
                lambda track, size: shares(track, size).T
            ),
            "Your kernel is upside down: rows count downwards, as the track does.": (
                lambda track, size: shares(track, size).flip(0)
            ),
            "Your kernel is mirrored: columns count to the right, as the track does.": (
                lambda track, size: shares(track, size).flip(1)
            ),
            "Your kernel is turned by half a turn; that is the blur's business, not the kernel's.": (
                lambda track, size: shares(track, size).flip(0, 1)
            ),
            "The track's (0, 0) is the kernel's *middle* pixel; yours is its corner.": (
                lambda track, size: shares(track, size).roll((-(size // 2), -(size // 2)), (0, 1))
            ),
            "You leave out the first moment; all of them count alike.": lambda track, size: shares(
                track[1:], size
            ),
            "You leave out the last moment; all of them count alike.": lambda track, size: shares(
                track[:-1], size
            ),
            "You count from one place to the next; each moment counts at its place.": (
                lambda track, size: visits(track[1:], size) / len(track)
            ),
            "You forget the root: the shares themselves sum to one, not their squares.": (
                lambda track, size: visits(track, size) / visits(track, size).norm()
            ),
            "Your shares go through a softmax, which gives light to places where the hand never was.": (
                lambda track, size: visits(track, size).flatten().softmax(0).view(size, size)
            ),
        },
        otherwise=otherwise,
    )
    right("The kernel knows where the hand was and where it lingered, and it sums to one.")


def _track(size: int) -> Track:
    """Places that no turn or mirror brings onto each other, one of them visited often, one never left for long."""
    reach = size // 2
    ends = [(reach, 0), (reach, 0), (reach, 0), (reach, -reach), (0, 0), (-reach, -reach), (-reach, -reach)]
    wandering = [(whole(-reach, reach), whole(-reach, reach)) for _ in range(whole(0, size - 2))]
    turned = among((1, -1))
    return mixed([(across, turned * down) for across, down in ends + wandering])


BLUR = Task(
    "blur(images, kernel)",
    "each channel of each image convolved with the kernel, where the whole kernel lies on the image",
    {
        "Given groups": "`conv2d` mixes channels unless they are kept apart, by `groups` or by making each channel an "
        "image of its own with `reshape`"
    },
)
LARGER = (
    "Your blurred images are as large as the sharp ones or larger, so at their borders you have made up what nobody "
    "saw; keep only pixels over which the whole kernel lies, (N, C, H − k + 1, W − k + 1)."
)


def check_blur(student: object) -> None:
    """Task 1: a true convolution, channel by channel, the valid part; pictures and kernels of many sizes."""
    cases = []
    for (count, channels, height, width), size in (
        ((1, 1, 4, 5), 3),
        ((2, 3, 10, 13), 3),
        ((1, whole(2, 5), 9, 7), 5),
        ((whole(2, 3), 1, 6, whole(8, 11)), 5),
        ((whole(1, 3), whole(2, 4), whole(9, 12), whole(13, 16)), among((3, 5, 7))),
    ):
        kernel = uniform(0.02, 1, size, size)
        cases.append((uniform(-1, 1, count, channels, height, width), kernel / kernel.sum()))
    cases.append((uniform(-1, 1, 2, 2, 8, 7), uniform(-1, 1, 3, 3)))  # the equation holds for every kernel

    def grey(images: Tensor, kernel: Tensor) -> Tensor:
        blurred = degrade.blur(images.mean(1, keepdim=True), kernel)
        return blurred.expand(-1, images.shape[1], -1, -1)

    def valid(images: Tensor, kernel: Tensor) -> Tensor:
        cut = len(kernel) // 2
        return images[..., cut : images.shape[-2] - cut, cut : images.shape[-1] - cut]

    def smaller(answer: object) -> Tensor:
        found = BLUR.tensor(answer)
        images, kernel = present().asked[2]
        if len(kernel) > 1 and found.dim() == 4 and found.shape[-2] >= images.shape[-2]:
            raise NotYet(LARGER)
        return found

    BLUR.judge(
        student,
        cases,
        degrade.blur,
        {
            "That is correlation: a convolution runs through the kernel backwards, in both directions. A bright dot "
            "would be blurred to the kernel turned by half a turn.": lambda x, k: degrade.blur(
                x, k.flip(0, 1)
            ),
            "You turn the kernel in one direction only; a convolution runs backwards along rows *and* columns.": (
                lambda x, k: degrade.blur(x, k.flip(0))
            ),
            "You turn the kernel in one direction only; a convolution runs backwards along columns *and* rows.": (
                lambda x, k: degrade.blur(x, k.flip(1))
            ),
            "Rows and columns of the kernel are swapped.": lambda x, k: degrade.blur(x, k.T),
            "Rows and columns of the kernel are swapped, and it is not run through backwards.": (
                lambda x, k: degrade.blur(x, k.flip(0, 1).T)
            ),
            "You mix the channels: red light stays red.": grey,
            "You add up the channels: red light stays red.": lambda x, k: grey(x, k) * x.shape[1],
            "You blur the first channel only and repeat it; each channel has its own light.": (
                lambda x, k: degrade.blur(x[:, :1], k).expand(-1, x.shape[1], -1, -1)
            ),
            "You blur the first image only and repeat it.": (
                lambda x, k: degrade.blur(x[:1], k).expand(len(x), -1, -1, -1)
            ),
            "All pixels under the kernel count alike; each has the kernel's weight.": (
                lambda x, k: degrade.blur(x, torch.full_like(k, 1 / k.numel()))
            ),
            "The kernel sums to one already, and you divide once more.": lambda x, k: (
                degrade.blur(x, k) / k.numel()
            ),
            "You divide the kernel by its sum; use it as it is, also one that does not sum to one.": lambda x, k: (
                degrade.blur(x, k / k.sum())
            ),
            "You take the kernel's weights without their signs; use them as they are.": lambda x, k: (
                degrade.blur(x, k.abs())
            ),
            "You scale the kernel to a largest weight of 1, so the picture gets brighter; use it as it is.": (
                lambda x, k: degrade.blur(x, k / k.max())
            ),
            "The images are cropped, not blurred.": valid,
            "You cut your blurred images off at 0 and 1; return what the kernel gives.": (
                lambda x, k: degrade.blur(x, k).clamp(0, 1)
            ),
            "You cut your blurred images off at ±1; return what the kernel gives.": (
                lambda x, k: degrade.blur(x, k).clamp(-1, 1)
            ),
        },
        otherwise=lambda found, images, kernel: (
            f"The blurred pixels are not the right ones, with a kernel of {len(kernel)} × {len(kernel)}. Try a black "
            "picture with one bright dot: you should see the kernel itself"
        ),
        read=smaller,
    )
    right("A true convolution: each point draws the kernel, and no border is made up.")


# ---- 2: Wiener's filter ---------------------------------------------------------------------------------------------

WRAPPED = Task(
    "wrapped(kernel, height, width)",
    "the kernel in a black picture, its middle at [0, 0], what lies before it coming in at the other side",
)
ROUGHNESS = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])


def check_wrapped(student: object) -> None:
    """Task 2: zeros around the kernel, then a roll of half its side towards the corner; kernels of any numbers."""

    def padded(kernel: Tensor, height: int, width: int) -> Tensor:
        picture = kernel.new_zeros(height, width)
        picture[: len(kernel), : len(kernel)] = kernel
        return picture

    def rolled(shift: Callable[[int], tuple[int, int]]) -> Callable[..., Tensor]:
        return lambda kernel, height, width: padded(kernel, height, width).roll(shift(len(kernel)), (0, 1))

    def otherwise(found: Tensor, kernel: Tensor, height: int, width: int) -> str:
        size, middle = len(kernel), len(kernel) // 2
        return (
            f"For a kernel of {size} × {size} its middle, {float(kernel[middle, middle]):.3g}, should lie at [0, 0], "
            f"and its first pixel, {float(kernel[0, 0]):.3g}, at [−{middle}, −{middle}]; you have "
            f"{float(found[0, 0]):.3g} and {float(found[-middle, -middle]):.3g} there"
        )

    cases = [
        ((normal(size, size) * 10).round() / 10 + 0.05, height, width)
        for size, height, width in (
            (3, 4, 6),
            (3, 7, 5),
            (5, 9, 6),
            (2 * whole(1, 3) + 1, whole(8, 10), whole(11, 14)),
        )
    ]
    WRAPPED.judge(
        student,
        cases,
        _rolled,
        {
            "The kernel's corner lies at [0, 0], so your filter would move the picture by half a kernel; roll its "
            "middle there.": padded,
            "You roll the other way: the middle has to come to [0, 0].": rolled(
                lambda size: (size // 2, size // 2)
            ),
            "The kernel lies in the middle of the picture; its middle belongs at [0, 0].": (
                lambda k, h, w: _rolled(k, h, w).roll((h // 2, w // 2), (0, 1))
            ),
            "The kernel lies in the middle of the picture, by its corner; its middle belongs at [0, 0].": (
                lambda k, h, w: padded(k, h, w).roll(((h - len(k)) // 2, (w - len(k)) // 2), (0, 1))
            ),
            "You turn the kernel by half a turn; here it stays as it is.": (
                lambda k, h, w: _rolled(k.flip(0, 1), h, w)
            ),
            "Rows and columns of the kernel are swapped; here it stays as it is.": lambda k, h, w: _rolled(
                k.T, h, w
            ),
            "You roll by a whole kernel; its middle is half a kernel away from its corner.": rolled(
                lambda size: (-size, -size)
            ),
            "You roll by one place too many; the middle is pixel [size // 2, size // 2].": rolled(
                lambda size: (-(size // 2) - 1, -(size // 2) - 1)
            ),
            "You roll by 1, which fits a kernel of 3 × 3 only; roll by half its side.": rolled(
                lambda _: (-1, -1)
            ),
            "You roll by 2, which fits a kernel of 5 × 5 only; roll by half its side.": rolled(
                lambda _: (-2, -2)
            ),
            "You roll one direction only; the middle has to come to [0, 0] in both.": rolled(
                lambda size: (-(size // 2), 0)
            ),
            "You roll one direction only; the middle has to come to [0, 0], in both.": rolled(
                lambda size: (0, -(size // 2))
            ),
            "You scale the kernel to a sum of 1; here it stays as it is.": (
                lambda k, h, w: _rolled(k / k.sum(), h, w)
            ),
            "Your kernel has lost its fractions: make the picture of floating-point numbers.": (
                lambda k, h, w: _rolled(k.trunc(), h, w)
            ),
            "Negative weights are lost; here the kernel stays as it is.": lambda k, h, w: _rolled(
                k.clamp(min=0), h, w
            ),
            "Weights have lost their signs; here the kernel stays as it is.": lambda k, h, w: _rolled(
                k.abs(), h, w
            ),
        },
        otherwise=otherwise,
    )
    right("The middle lies in the corner, so the filter will not move the picture.")


WIENER = Task(
    "wiener(blurry, kernel, roughness, balance)",
    "the restored picture (H, W), by the equation",
    dict.fromkeys(
        ("must match the size", "could not be broadcast"),
        "spectra multiply place by place, so the kernel has to be brought to the picture's size first",
    ),
)


def check_wiener(student: object) -> None:
    """Task 2: conj(k̂) ŷ / (|k̂|² + β |l̂|²), the kernel's middle at the corner, the real part."""
    cases = []
    for height, width, size, balance in (
        (8, 8, 3, 0.3),
        (12, 16, 5, 0.3),
        (11, 9, 5, 0.002),  # hardly held back, so that it leaves [−1, 1]
        (whole(9, 13), whole(14, 17), among((3, 7)), round(float(uniform(0.02, 2)), 3)),
    ):
        kernel = uniform(0, 1, size, size).square() + 0.01
        roughness = ROUGHNESS.to(kernel.dtype)
        cases.append((uniform(-1, 1, height, width), kernel / kernel.sum(), roughness, balance))

    def real(answer: object) -> object:
        if isinstance(answer, (Tensor, np.ndarray)) and "complex" in str(answer.dtype):
            raise NotYet(
                "Your picture is still complex. Its imaginary part is nothing but rounding errors: take `.real`."
            )
        return answer

    WIENER.judge(
        student,
        cases,
        _wiener,
        _WRONG_FILTERS,
        otherwise=lambda *_: (
            "The pixels are not those of the equation. Write the numerator and the denominator on lines of their own, "
            "and look at their shapes"
        ),
        read=real,
        tolerance=1e-3,
    )
    right("That is Wiener's filter, and nothing has moved.")


Spectra = Callable[[Tensor, Tensor, float], Tensor]  # of k̂, l̂ and β


def _filtered(spectrum: Spectra) -> Callable[..., Tensor]:
    """A filter's picture, from its spectrum."""

    def restored(blurry: Tensor, kernel: Tensor, roughness: Tensor, balance: float) -> Tensor:
        k, rough, y = _spectra(blurry, kernel, roughness)
        picture: Tensor = torch.fft.ifft2(spectrum(k, rough, balance) * y).real
        return picture

    return restored


def _filter(k: Tensor, rough: Tensor, balance: float) -> Tensor:
    return k.conj() / (k.abs().square() + balance * rough.abs().square())


_wiener = _filtered(_filter)


def _with_a_cornered(part: str) -> Callable[..., Tensor]:
    def restored(blurry: Tensor, kernel: Tensor, roughness: Tensor, balance: float) -> Tensor:
        k, rough, y = _spectra(blurry, kernel, roughness)
        cornered = torch.fft.fft2(kernel.double(), s=tuple(blurry.shape))
        top = cornered.conj() if part in ("both", "top") else k.conj()
        picture: Tensor = torch.fft.ifft2(top / (k.abs().square() + balance * rough.abs().square()) * y).real
        return picture

    return restored


_WRONG_FILTERS: dict[str, Callable[..., Tensor]] = {
    "Your filter has k where it needs its conjugate: phases then turn the wrong way, and every edge is doubled.": (
        _filtered(lambda k, r, b: k / (k.abs().square() + b * r.abs().square()))
    ),
    "The denominator takes |k|; it is |k|².": _filtered(
        lambda k, r, b: k.conj() / (k.abs() + b * r.abs().square())
    ),
    "The denominator takes |l|; it is |l|².": _filtered(
        lambda k, r, b: k.conj() / (k.abs().square() + b * r.abs())
    ),
    "The denominator takes k², and |k|² is meant: the square of its size.": _filtered(
        lambda k, r, b: k.conj() / (k.square() + b * r.abs().square())
    ),
    "You square β; it counts as it is.": _filtered(
        lambda k, r, b: k.conj() / (k.abs().square() + (b * r.abs()).square())
    ),
    "The roughness l is missing: β alone smooths fine and coarse alike.": _filtered(
        lambda k, r, b: k.conj() / (k.abs().square() + b)
    ),
    "β is missing; it weighs the roughness.": _filtered(
        lambda k, r, b: k.conj() / (k.abs().square() + r.abs().square())
    ),
    "β weighs |k|² too; it weighs the roughness alone.": _filtered(
        lambda k, r, b: k.conj() / (b * (k.abs().square() + r.abs().square()))
    ),
    "You subtract the roughness; it is added.": _filtered(
        lambda k, r, b: k.conj() / (k.abs().square() - b * r.abs().square())
    ),
    "You divide by k and nothing else: wherever k is small, that amplifies noise without end.": _filtered(
        lambda k, r, b: 1 / k
    ),
    "The kernel's corner lies at [0, 0], so the picture has moved by half a kernel; use `wrapped`.": (
        _with_a_cornered("both")
    ),
    "You have blurred the picture once more: the filter's denominator is missing.": _filtered(
        lambda k, r, b: k
    ),
    "The filter's denominator is missing; the conjugate alone blurs once more.": _filtered(
        lambda k, r, b: k.conj()
    ),
    "The numerator is missing: it is the conjugate of k.": _filtered(
        lambda k, r, b: 1 / (k.abs().square() + b * r.abs().square()) + 0j
    ),
    "The blurry picture is as it came.": lambda y, *_: y,
    "That is the filter itself: multiply it by ŷ before you go back.": (
        lambda y, k, r, b: _filtered(_filter)(_dot(y), k, r, b)
    ),
    "You take `.abs()` of the result, so everything darker than grey is turned bright; take `.real`.": (
        lambda *given: _wiener(*given).abs()
    ),
    "You take the imaginary part, which is nothing but rounding errors; take `.real`.": (
        lambda y, *_: torch.zeros_like(y)
    ),
    "The filter is right; do not cut off what lies beyond [−1, 1].": lambda *given: _wiener(*given).clamp(
        -1, 1
    ),
    "Your picture is turned by half a turn: `fft2` goes there and `ifft2` comes back.": (
        lambda *given: _wiener(*given).roll((-1, -1), (0, 1)).flip(0, 1).roll((0, 0), (0, 1))
    ),
    "Your picture is shifted by half of itself: `fftshift` belongs nowhere in this equation.": (
        lambda y, *others: torch.fft.fftshift(_wiener(y, *others))
    ),
}


def _dot(picture: Tensor) -> Tensor:
    """A bright dot at [0, 0] of a black picture of this size: what comes out is the filter itself."""
    dot = torch.zeros_like(picture)
    dot[0, 0] = 1
    return dot


def _spectra(blurry: Tensor, kernel: Tensor, roughness: Tensor) -> list[Tensor]:
    height, width = blurry.shape
    pictures = (_rolled(kernel, height, width), _rolled(roughness, height, width), blurry)
    return [torch.fft.fft2(picture.double()) for picture in pictures]


def _rolled(kernel: Tensor, height: int, width: int) -> Tensor:
    picture = kernel.new_zeros(height, width)
    size = len(kernel)
    picture[:size, :size] = kernel
    return picture.roll((-(size // 2), -(size // 2)), (0, 1))


# ---- 3: a residual block --------------------------------------------------------------------------------------------

BLOCK = Task(
    "ResidualBlock(channels)",
    "a module that adds to its input what two 3×3 convolutions with a ReLU between them find",
    {
        "before Module.__init__": "the first line of `__init__` is `super().__init__()`",
    },
)
THROUGH = Task("ResidualBlock(channels)(features)", BLOCK.todo, averages=("features",))
Layers = Callable[[Tensor], Tensor]
STRENGTHS = (
    1.0,
    60.0,
)  # of the features: faint ones tell a ReLU from what is round at 0, strong ones from what ends


def check_residual_block(student: object) -> None:
    """Task 3: a clean shortcut, two convolutions, one ReLU, nothing else; by what it does, whatever its weights are.

    The weights are drawn, so that a block which begins by adding nothing is judged like any other.
    """
    for channels in (3, whole(4, 8)):
        block = module(
            BLOCK, BLOCK.ask(student, channels), "a module is wanted, `class ResidualBlock(nn.Module)`"
        )
        features = normal(whole(3, 4), channels, 13, whole(14, 16))
        with torch.no_grad():
            _through(block, features)  # lazy layers get their weights
            for weight in block.parameters():
                weight.copy_(
                    normal(*weight.shape) * (0.5 / math.sqrt(weight[0].numel()) if weight.dim() > 1 else 0.2)
                )
        weights = [weight for weight in block.parameters() if weight.dim() == 4]
        if not weights:
            raise NotYet(
                "The block has no weights that an optimiser could find: make both convolutions in `__init__`, as "
                "attributes or in an `nn.Sequential`."
            )
        if len(weights) < 2:
            raise NotYet("One convolution is all the block has; make two, each with weights of its own.")
        if len(weights) > 2:
            raise NotYet(f"The block has {len(weights)} convolutions; two are wanted.")
        with torch.no_grad():
            _judge_batch(block, features)
            for strength in STRENGTHS:
                _judge_layers(block, strength * features)
            _judge_block(block, features)
        _judge_reach(block, features)
        with torch.no_grad():
            _judge_shortcut(block, features)
    right("It adds what two convolutions find, to an input that nothing has touched.")


def _through(block: nn.Module, features: Tensor) -> Tensor:
    found = THROUGH.tensor(THROUGH.ask(block, features.clone()), tuple(features.shape))
    if any("changes its `features`" in what for what in present().spoiled):
        raise NotYet(
            "The block changes its own input, so the shortcut carries something else: a ReLU in place does that."
        )
    return found


def _judge_batch(block: nn.Module, features: Tensor) -> None:
    """Nothing by chance, and nothing from the other images, in training and in evaluation."""
    for training in (True, False):
        block.train(training)
        found = _through(block, features)
        if not torch.allclose(_through(block, features), found, atol=1e-5):
            raise NotYet("Asked twice, the block answers differently: leave out dropout and noise.")
        if not torch.allclose(_through(block, features[:1]), found[:1], atol=1e-4):
            raise NotYet(
                "What the block finds in a picture depends on the others of its batch: leave out batch normalisation."
            )
    block.train()


def _judge_layers(block: nn.Module, features: Tensor) -> None:
    """Compare with what these very weights should find, and with what they would in other arrangements.

    Pixels near the border are left out, since a border may be filled up in more than one way. A block whose layers
    cannot be put in order by their shapes is left to the other judges.
    """
    orders = _convolutions(block, features.shape[1])
    found = _through(block, features)
    if any(_alike(found, features + second(first(features).relu())) for first, second in orders):
        return
    for first, second in orders:
        for sentence, other in _arrangements(first, second).items():
            if _alike(found, other(features)):
                raise NotYet(sentence)


def _convolutions(block: nn.Module, channels: int) -> list[tuple[Layers, Layers]]:
    """Both convolutions as functions, in the two orders in which they may have been made; none if they are no such."""
    parameters = list(block.parameters())
    places = [
        place for place, weight in enumerate(parameters) if tuple(weight.shape) == (channels, channels, 3, 3)
    ]
    if len(places) != 2 or any(weight.dim() not in (1, 4) for weight in parameters):
        return []
    layers = []
    for place in places:
        after = (
            parameters[place + 1]
            if place + 1 < len(parameters) and parameters[place + 1].dim() == 1
            else None
        )
        layers.append(_convolution(parameters[place].detach(), None if after is None else after.detach()))
    return [(layers[0], layers[1]), (layers[1], layers[0])]


def _convolution(weight: Tensor, bias: Tensor | None) -> Layers:
    return lambda features: conv2d(features, weight, bias, padding=1)


def _alike(found: Tensor, wanted: Tensor) -> bool:
    return torch.allclose(found[..., 2:-2, 2:-2], wanted[..., 2:-2, 2:-2], rtol=1e-3, atol=1e-5)


def _arrangements(first: Layers, second: Layers) -> dict[str, Layers]:
    """What mistaken blocks with these convolutions find."""

    def f(x: Tensor) -> Tensor:
        return second(first(x).relu())

    between = "The function between the convolutions is {}; a ReLU is wanted."
    functions: dict[str, Layers] = {
        "a leaky ReLU": lambda x: leaky_relu(x, 0.01),
        "a leaky ReLU of 0.1": lambda x: leaky_relu(x, 0.1),
        "a leaky ReLU of 0.2": lambda x: leaky_relu(x, 0.2),
        "a leaky ReLU of ¼ (PReLU's beginning)": lambda x: leaky_relu(x, 0.25),
        "a GELU": torch.nn.functional.gelu,
        "a SiLU": torch.nn.functional.silu,
        "an ELU": torch.nn.functional.elu,
        "a SELU": torch.nn.functional.selu,
        "a Mish": torch.nn.functional.mish,
        "a softplus": torch.nn.functional.softplus,
        "a ReLU that is cut off at 6": torch.nn.functional.relu6,
        "a tanh": torch.tanh,
        "a sigmoid": torch.sigmoid,
        "an absolute value": torch.abs,
    }
    return {
        "Without a ReLU between them two convolutions are no more than one.": lambda x: x + second(first(x)),
        **{between.format(name): _between(first, function, second) for name, function in functions.items()},
        "The shortcut is missing: add the input to what the convolutions find.": f,
        "A ReLU stands before the first convolution as well; there is one, between the two.": (
            lambda x: x + second(first(x.relu()).relu())
        ),
        "The ReLU stands before the first convolution; it belongs between the two.": (
            lambda x: x + second(first(x.relu()))
        ),
        "The ReLU stands after the second convolution as well, so the block can only add, never take away.": (
            lambda x: x + f(x).relu()
        ),
        "The ReLU stands after the second convolution, so the block can only add, never take away; it belongs between "
        "the two.": lambda x: x + second(first(x)).relu(),
        "Nothing negative comes out: a ReLU *after* the sum cuts the shortcut, too. It belongs between the "
        "convolutions.": lambda x: (x + f(x)).relu(),
        "A tanh after the second convolution bounds what the block may add; leave it out.": lambda x: (
            x + f(x).tanh()
        ),
        "A tanh after the sum bounds all that comes out, the shortcut too; leave it out.": lambda x: (
            x + f(x)
        ).tanh(),
        "A sigmoid after the second convolution bounds what the block may add; leave it out.": (
            lambda x: x + f(x).sigmoid()
        ),
        "A ReLU lies on the shortcut and cuts off all that is negative; the input is added as it came.": (
            lambda x: x.relu() + f(x)
        ),
        "The input is added twice; it is added once, as it came.": lambda x: 2 * x + f(x),
        "The input is subtracted; it is added once, as it came.": lambda x: f(x) - x,
        "What the convolutions find is subtracted; it is added to the input.": lambda x: x - f(x),
        "You halve the sum; it is input plus what the convolutions find.": lambda x: (x + f(x)) / 2,
        "You take a tenth of what the convolutions find; it is added whole.": lambda x: x + 0.1 * f(x),
        "You divide the sum by √2; it is input plus what the convolutions find.": lambda x: (
            (x + f(x)) / math.sqrt(2)
        ),
        "The shortcut comes from after the first convolution; it carries the block's input.": (
            lambda x: first(x).relu() + f(x)
        ),
        "The input is added before the second convolution already; it is added once, at the end.": (
            lambda x: x + second(first(x).relu() + x)
        ),
        "The input is multiplied with what the convolutions find; it is added.": lambda x: x * f(x),
    }


def _between(first: Layers, function: Layers, second: Layers) -> Layers:
    return lambda features: features + second(function(first(features)))


def _judge_block(block: nn.Module, features: Tensor) -> None:
    """What every block of the right kind does, for those whose layers are other ones."""
    found = _through(block, features)
    added = found - features
    if found.min() >= 0:
        raise NotYet(
            "Nothing negative comes out: a ReLU *after* the sum cuts the shortcut, too. It belongs between the "
            "convolutions."
        )
    if added.min() >= 0:
        raise NotYet(
            "The block can only add, never take away: leave out the ReLU after the second convolution."
        )
    tenfold = _through(block, 10 * features) - 10 * features
    if (tenfold - added).abs().mean() < 0.5 * added.abs().mean():
        raise NotYet(
            "Ten times the contrast in, and the same found: a normalisation divides contrast away, and contrast is "
            "what blur takes; leave it out."
        )
    zero = _through(block, torch.zeros_like(features))
    if torch.allclose(added + _through(block, -features) + features, 2 * zero, atol=1e-4):
        raise NotYet("Without a ReLU between them two convolutions are no more than one.")


def _judge_reach(block: nn.Module, features: Tensor) -> None:
    """Which pixels the middle one depends on: two 3×3 convolutions see 5×5."""
    given = features.clone().requires_grad_()
    out = THROUGH.tensor(THROUGH.ask(block, given), tuple(features.shape))
    if not out.requires_grad:
        raise NotYet("The block has left autograd; no loss could train it.")
    weights = [weight for weight in block.parameters() if weight.dim() == 4]
    slope, *by_weights = THROUGH.slopes(out[:, :, 6, 6].square().sum(), [given, *weights])
    if not all(bool(each.any()) for each in by_weights):
        raise NotYet(
            "One of the convolutions cannot learn: no gradient reaches it. Let both take part, undetached."
        )
    seen = (slope.abs().sum((0, 1)) > 0).nonzero()
    top, left = (seen - 6).amin(0).tolist()
    bottom, across = (seen - 6).amax(0).tolist()
    if (top, left, bottom, across) != (-2, -2, 2, 2):
        raise NotYet(
            f"A pixel should see 5 × 5 pixels through two 3×3 convolutions; through yours it sees {bottom - top + 1} × "
            f"{across - left + 1}."
        )
    orders = _convolutions(block, features.shape[1])
    if not any(
        all(
            _alike(_through(block, strength * features).detach(), _residual(*order)(strength * features))
            for strength in STRENGTHS
        )
        for order in orders
    ):
        raise NotYet(
            "With the weights it has, the block should give x + conv₂(ReLU(conv₁(x))), and it gives something else: "
            "two 3×3 convolutions from all channels to all channels, a ReLU between them, and nothing more."
        )

    if not any(_alike(slope, _slope(_residual(*order), features)) for order in orders):
        raise NotYet(
            "The block's values are right, but not what goes back through it: add the input itself, undetached, or "
            "the layers before the block hear less of the loss."
        )


def _residual(first: Layers, second: Layers) -> Layers:
    return lambda features: features + second(first(features).relu())


def _slope(block: Layers, features: Tensor) -> Tensor:
    """What a loss at the middle pixels tells the block's input, as in `_judge_reach`."""
    given = features.clone().requires_grad_()
    (slope,) = torch.autograd.grad(block(given)[:, :, 6, 6].square().sum(), given)
    return slope


def _judge_shortcut(block: nn.Module, features: Tensor) -> None:
    for weight in block.parameters():
        weight.zero_()
    if not torch.allclose(_through(block, features), features, atol=1e-6):
        raise NotYet(
            "With all weights at zero a residual block changes nothing: its input is added once, as it came."
        )


# ---- 4: a loss that knows what sharp is -----------------------------------------------------------------------------

FEATURES = Task(
    "FeatureLoss(network)",
    "a loss that compares what a fixed network sees in the restored and in the sharp images",
    {"before Module.__init__": "the first line of `__init__` is `super().__init__()`"},
    takes=("network",),
)
COMPARE = Task("FeatureLoss(network)(restored, sharp)", FEATURES.todo)


def check_feature_loss(student: object) -> None:
    """Task 4: mean absolute difference of features of images in [0, 1]; the network fixed and in evaluation mode."""
    for size in ((2, 3, 7, 7), (1, 3, 9, 8), (whole(2, 4), 3, whole(7, 9), whole(10, 12))):
        _check_feature_loss(student, uniform(-1, 1, *size), uniform(-1, 1, *size))
    right("It compares what the network sees, and nobody can bribe the network.")


def _check_feature_loss(student: object, restored: Tensor, sharp: Tensor) -> None:
    network, untouched = _judge(), _judge()
    untouched.load_state_dict(network.state_dict())
    untouched.eval().requires_grad_(False)
    loss = FEATURES.ask(student, network)
    if not callable(loss):
        raise NotYet(f"`FeatureLoss(network)` makes {described(loss)}; a module with a `forward` is wanted.")
    given = restored.clone().requires_grad_()
    value = COMPARE.scalar(COMPARE.ask(loss, given, sharp.clone()))
    again = COMPARE.number(COMPARE.ask(loss, restored.clone(), sharp.clone()))
    reference = restored.clone().requires_grad_()
    wanted = _gap(untouched, reference, sharp).abs().mean()
    if not math.isclose(again, float(value.detach()), rel_tol=1e-4) and network.training:
        raise NotYet(
            "The same two images, asked twice, cost differently: the network's dropout is at work. A judge is in "
            "evaluation mode."
        )
    case = f"{len(restored)} pair{'s' if len(restored) > 1 else ''} of images"
    COMPARE.expect(float(value.detach()), float(wanted.detach()), case, _losses(untouched, restored, sharp))
    for name, kept in untouched.state_dict().items():
        if not torch.equal(network.state_dict()[name], kept):
            raise NotYet(f"The network has changed (its `{name}`); a judge stays as it is.")
    _judge_gradients(value, given, wanted, reference)
    if any(weight.grad is not None and weight.grad.any() for weight in network.parameters()):
        raise NotYet(
            "The value is right, but `backward` has left gradients in the network's weights: an optimiser could make "
            "the judge lenient. Freeze it with `requires_grad_(False)`."
        )


def _judge() -> nn.Sequential:
    """A small network with all that behaves differently in training, as it comes out of training."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(6, 4, 3), nn.Tanh()
    )
    for weight in network.parameters():
        weight.data = 0.4 * normal(*weight.shape)
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    norm.running_mean += 0.2
    return network


def _gap(network: nn.Module, restored: Tensor, sharp: Tensor) -> Tensor:
    difference: Tensor = network((restored + 1) / 2) - network((sharp + 1) / 2)
    return difference


def _losses(network: nn.Module, restored: Tensor, sharp: Tensor) -> dict[str, float]:
    gap = _gap(network, restored, sharp)
    raw = network(restored) - network(sharp)
    one_raw = network((restored + 1) / 2) - network(sharp)
    values = {
        "The network learnt from images in [0, 1], and you show it images in [−1, 1].": raw.abs().mean(),
        "You show the network the sharp images in [−1, 1]; both belong in [0, 1].": one_raw.abs().mean(),
        "You square the differences; the absolute difference is wanted.": gap.square().mean(),
        "You square the differences, and show the network images in [−1, 1] instead of [0, 1].": raw.square().mean(),
        "You take the root of mean squares; the mean absolute difference is wanted.": gap.square()
        .mean()
        .sqrt(),
        "You sum; the mean over images, channels and places is wanted.": gap.abs().sum(),
        "You sum over each image's features; the mean over images, channels and places is wanted.": (
            gap.abs().flatten(1).sum(1).mean()
        ),
        "You take the mean before the absolute value, so differences cancel.": gap.mean().abs(),
        "Your differences keep their signs, so they cancel; take absolute values.": gap.mean(),
        "You compare pixels; the loss compares what the network sees.": (restored - sharp).abs().mean(),
        "You take the largest difference; the mean over images, channels and places is wanted.": gap.abs().amax(),
        "Your loss is the other way up: a better likeness should cost less.": -gap.abs().mean(),
        "You halve the difference; its mean counts whole.": gap.abs().mean() / 2,
        "You compare pixels in [0, 1]; the loss compares what the network sees.": (restored - sharp)
        .abs()
        .mean()
        / 2,
    }
    return {sentence: float(value) for sentence, value in values.items()}


def _judge_gradients(value: Tensor, given: Tensor, wanted: Tensor, reference: Tensor) -> None:
    if not value.requires_grad:
        raise NotYet(
            "The value is right, but it has left autograd, so no generator could learn from it: `torch.no_grad()` may "
            "cover the sharp images' features, never the restored ones'."
        )
    COMPARE.ask(value.backward)
    (slope,) = torch.autograd.grad(wanted, reference)
    if given.grad is None or not torch.allclose(given.grad, slope, rtol=1e-3, atol=1e-6):
        raise NotYet(
            "The value is right, but the gradient that reaches the restored images is not; let it pass through the "
            "network untouched."
        )


# ---- 5: honest numbers ----------------------------------------------------------------------------------------------

PSNR = Task("psnr(restored, sharp)", "the PSNR of each image in decibels, (N,)")


def check_psnr(student: object) -> None:
    """Task 5: per image, peak 2, decimal logarithm of the mean square; for any number of images of any size."""
    cases = []
    for count, channels, height, width in (
        (1, 1, 2, 2),
        (2, 3, 4, 6),
        (3, 3, 8, 6),
        (whole(4, 6), whole(1, 4), whole(5, 8), whole(9, 12)),
    ):
        sharp = uniform(-1, 1, count, channels, height, width)
        strengths = torch.tensor(mixed([0.3, 0.03, 0.001, 0.01, 0.2, 0.05])[:count]).view(-1, 1, 1, 1)
        uneven = torch.linspace(0.5, 1.5, channels).view(-1, 1, 1)  # no two channels alike
        cases.append((sharp + normal(*sharp.shape) * strengths * uneven, sharp))

    def error(restored: Tensor, sharp: Tensor) -> Tensor:
        return (restored - sharp).square().mean((1, 2, 3))

    def decibels(ratio: Tensor) -> Tensor:
        return 10 * ratio.log10()

    PSNR.judge(
        student,
        cases,
        restoration.psnr,
        {
            "You average the squared errors of all images before the logarithm, so the worst image decides; give each "
            "image its own number, (N,).": lambda a, b: decibels(4 / (a - b).square().mean()),
            "You average the squared errors of all images before the logarithm, and repeat the number; give each image "
            "its own.": lambda a, b: decibels(4 / (a - b).square().mean()).expand(len(a)),
            "You return the mean over the images; give each its own number, (N,).": (
                lambda a, b: restoration.psnr(a, b).mean()
            ),
            "You return the sum over the images; give each its own number, (N,).": (
                lambda a, b: restoration.psnr(a, b).sum()
            ),
            "Your peak is 1; from −1 to 1 the way is 2.": lambda a, b: decibels(1 / error(a, b)),
            "You forgot to square the peak.": lambda a, b: decibels(2 / error(a, b)),
            "Your peak is 255, and these images are in [−1, 1].": lambda a, b: decibels(255**2 / error(a, b)),
            "10 log₁₀ belongs to the *squared* error; you give it the root.": (
                lambda a, b: decibels(2 / error(a, b).sqrt())
            ),
            "10 log₁₀ belongs to the *squared* error; you give it the root, and square the peak alone.": (
                lambda a, b: decibels(4 / error(a, b).sqrt())
            ),
            "20 log₁₀ belongs to the root of the squared error; you give it the square.": (
                lambda a, b: 2 * decibels(4 / error(a, b))
            ),
            "Your logarithm is the natural one; a decibel is decimal.": lambda a, b: (
                10 * (4 / error(a, b)).log()
            ),
            "Your logarithm has base 2; a decibel is decimal.": lambda a, b: 10 * (4 / error(a, b)).log2(),
            "The factor 10 is missing: those are bels.": lambda a, b: (4 / error(a, b)).log10(),
            "Your ratio is upside down: a better image should have more decibels.": (
                lambda a, b: decibels(error(a, b) / 4)
            ),
            "The peak is missing: it is the range's, 2, squared.": lambda a, b: -decibels(error(a, b)),
            "You take absolute errors; PSNR squares them.": (
                lambda a, b: decibels(4 / (a - b).abs().mean((1, 2, 3)))
            ),
            "You sum the squared errors; the M in MSE is a mean, over channels and pixels.": (
                lambda a, b: decibels(4 / (a - b).square().sum((1, 2, 3)))
            ),
            "You sum over the channels; the mean is over channels and pixels.": (
                lambda a, b: decibels(4 / (a - b).square().sum(1).mean((1, 2)))
            ),
            "You leave out all channels but the first; the mean is over channels and pixels.": (
                lambda a, b: decibels(4 / (a - b)[:, 0].square().mean((1, 2)))
            ),
            "You return the mean squared errors, without the logarithm.": error,
            "You return the ratio, without the logarithm.": lambda a, b: 4 / error(a, b),
            "You take the highest pixel for the peak; it is the range's, 2, whatever the picture shows.": (
                lambda a, b: decibels(b.amax((1, 2, 3)).square() / error(a, b))
            ),
            "You take the picture's own range for the peak; it is 2, whatever the picture shows.": (
                lambda a, b: decibels((b.amax((1, 2, 3)) - b.amin((1, 2, 3))).square() / error(a, b))
            ),
            "You take the highest pixel of all for the peak; it is the range's, 2, whatever the pictures show.": (
                lambda a, b: decibels(b.max().square() / error(a, b))
            ),
            "You take the variance of the difference, which forgets its mean; the M in MSE is the mean square.": (
                lambda a, b: decibels(4 / (a - b).flatten(1).var(1))
            ),
            "You average the channels' decibels; average their squared errors first.": (
                lambda a, b: decibels(4 / (a - b).square().mean((2, 3))).mean(1)
            ),
            "You average the pixels' decibels; average their squared errors first.": (
                lambda a, b: decibels(4 / (a - b).square()).mean((1, 2, 3))
            ),
            "You compare the images' means; compare pixel by pixel.": (
                lambda a, b: decibels(4 / (a.mean((1, 2, 3)) - b.mean((1, 2, 3))).square())
            ),
        },
    )
    right("Decibels for each image, and three more mean half the squared error.")


PART = Task(
    "part_of(patch)",
    "“training”, “validation” or “test”, from the patch's name alone",
    {"invalid literal": "not every scene is numbered; a name is any text"},
)
PARTS = ("training", "validation", "test")


def check_part_of(student: object) -> None:
    """Task 5: whole scenes, the same answer at every start of Python, about eight, one and one of ten."""
    scenes = _scenes(2000)
    patches = [f"{scene}/frame_{n % 7:03}/patch_{n % 5}" for n, scene in enumerate(scenes)]
    first, second = twin(student), twin(student)  # neither has seen anything yet
    parts = _answers(first, patches)
    if parts != _answers(first, patches):
        raise NotYet(
            "Asked twice, you put a patch into another part: let its name decide, not chance or its turn."
        )
    if parts[::-1] != _answers(second, patches[::-1]):
        raise NotYet(
            "Asked for the same patches in another order, you put them into other parts: let the name alone decide, "
            "not chance or its turn, nor a memory of what came before, which another computer does not have."
        )
    with another_start():
        if parts != _answers(twin(student), patches):
            raise NotYet(
                "Python's `hash` of a text changes with every start, so tomorrow you would test on what you train on "
                "today; take a checksum, such as `zlib.crc32` or those of `hashlib`."
            )
    for other, what in (("frame_003/patch_{}", "patches"), ("frame_{}/patch_0", "frames")):
        some = scenes[:60]
        found = _answers(student, [f"{scene}/{other.format(n)}" for scene in some for n in range(12)])
        for place, scene in enumerate(some):
            if len(set(found[12 * place : 12 * place + 12])) > 1:
                raise NotYet(
                    f"Two {what} of the scene {scene} fall into different parts, and they show the same things: the "
                    "scene alone decides."
                )
    _judge_shares(Counter(parts), len(parts))
    right("Whole scenes, today and tomorrow, whatever else is in the folder.")


def _answers(student: object, patches: list[str]) -> list[str]:
    PART.ask(student, patches[0])  # says what is wrong with a function that cannot be called
    call: Callable[..., object] = student  # type: ignore[assignment]
    answers = PART.ask(lambda *each: [call(patch) for patch in each], *patches)
    parts = []
    for answer in answers:
        if answer is None:
            raise NotYet("`part_of` returns nothing; let it end with `return` and one of the three words.")
        part = str.__str__(answer) if isinstance(answer, str) else None
        if part not in PARTS:
            shown = described(answer) if part is None else f"“{part}”"
            raise NotYet(f"`part_of` returns {shown}; the words are “training”, “validation” and “test”.")
        parts.append(part)
    return parts


def _judge_shares(counts: Counter[str], total: int) -> None:
    for part, share in zip(PARTS, (0.8, 0.1, 0.1), strict=True):
        if abs(counts[part] / total - share) > 0.04:  # at least four and a half standard deviations
            raise NotYet(
                f"Of {total} scenes {counts[part]} fall into {part}; about {share * total:.0f} should. A checksum's "
                "remainder by ten takes all ten values equally often."
            )


def _scenes(count: int) -> list[str]:
    """Names as people give them: words, some with numbers, no two alike."""
    first = whole(1, 10**6)
    words = ("lake", "market", "old town", "Straße", "cat", "night bus", "garden", "IMG")
    names = []
    for n in range(first, first + count):
        word = among(words)
        length = among((17, 18, 23, 24)) - len(word) - 1  # so that a name's length says nothing
        number = f"{7 * n:0{length}}"
        names.append(f"{word}_{number if n % 2 else ''.join('abcdefghij'[int(digit)] for digit in number)}")
    return names
