"""Checks of chapter 2's exercises: a kernel, blur, Wiener's filter, a residual block, a loss, PSNR, and a split."""

import builtins
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from companion.data import degrade
from companion.exercises.runner import NotYet, Task, described, right
from companion.metrics import restoration

# ---- 1: blur --------------------------------------------------------------------------------------------------------

KERNEL = Task(
    "kernel_of(track, size)",
    "the share of the time that the track spends on each pixel, (size, size)",
    {"out of bounds": "the track's (0, 0) is the kernel's *middle* pixel, so add size // 2 to both numbers"},
)
TRACK = (
    (0, 0),
    (1, 0),
    (2, 0),
    (2, 0),
    (2, 0),
    (2, 1),
    (-1, -2),
    (-1, -2),
)  # right and down, moment by moment


def check_kernel_of(student: object) -> None:
    """Task 1: visits counted, around the middle, down the rows and right along the columns, in shares of one."""
    for size in (5, 9):
        found = KERNEL.tensor(KERNEL.ask(student, list(TRACK), size), (size, size)).detach()
        middle = size // 2
        visits = torch.zeros(size, size)
        for across, down in TRACK:
            visits[middle + down, middle + across] += 1
        wanted, once = visits / len(TRACK), (visits > 0).float()
        lingers = (
            "Where the hand lingers more light falls, so each visit counts; `kernel[rows, columns] += 1` adds only "
            "once at a place, however often it is listed."
        )
        known = {
            "You count the moments, and your kernel sums to their number: it only shares out light, so divide.": (
                visits
            ),
            lingers: once / once.sum(),
            f"{lingers} Your kernel does not sum to one, either.": once / len(TRACK),
            "Your kernel has ones where the hand was; it shares out light, so it sums to one.": once,
            "Your largest share is 1; the *sum* of all shares is 1.": visits / visits.max(),
            "Right and down are swapped: a pixel is [row, column], so down comes first.": wanted.T,
            "Your kernel is upside down: rows count downwards, as the track does.": wanted.flip(0),
            "Your kernel is turned by half a turn; that is the blur's business, not the kernel's.": wanted.flip(
                0, 1
            ),
            "The track's (0, 0) is the kernel's *middle* pixel; yours is its corner.": wanted.roll(
                (-middle, -middle), (0, 1)
            ),
        }
        KERNEL.match(
            found,
            wanted,
            known,
            f"For a track of 8 moments, of which 3 at (2, 0), pixel [{middle}, {middle + 2}] of {size} × {size} should "
            f"hold 3/8; yours holds {float(found[middle, middle + 2]):.3g}, and all pixels together "
            f"{float(found.sum()):.3g}.",
        )
    right("The kernel knows where the hand was and where it lingered, and it sums to one.")


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
    """Task 1: a true convolution, channel by channel, the valid part."""
    random = torch.Generator().manual_seed(3)
    images = torch.rand(2, 3, 10, 13, generator=random) * 2 - 1
    for size in (3, 5):
        kernel = torch.rand(size, size, generator=random)
        kernel /= kernel.sum()
        found = BLUR.tensor(BLUR.ask(student, images.clone(), kernel.clone()))
        if found.dim() == 4 and found.shape[-2] >= images.shape[-2]:
            raise NotYet(LARGER)
        wanted = degrade.blur(images, kernel)
        found = BLUR.tensor(found, tuple(wanted.shape)).detach()
        grey = degrade.blur(images.mean(1, keepdim=True), kernel).expand_as(wanted)
        even = torch.full_like(kernel, 1 / kernel.numel())
        known = {
            "That is correlation: a convolution runs through the kernel backwards, in both directions. A bright dot "
            "would be blurred to the kernel turned by half a turn.": degrade.blur(images, kernel.flip(0, 1)),
            "You turn the kernel in one direction only; a convolution runs backwards along rows *and* columns.": (
                degrade.blur(images, kernel.flip(0))
            ),
            "You turn the kernel in one direction only; a convolution runs backwards along columns *and* rows.": (
                degrade.blur(images, kernel.flip(1))
            ),
            "Rows and columns of the kernel are swapped.": degrade.blur(images, kernel.T),
            "Rows and columns of the kernel are swapped, and it is not run through backwards.": degrade.blur(
                images, kernel.flip(0, 1).T
            ),
            "You mix the channels: red light stays red.": grey,
            "You add up the channels: red light stays red.": grey * 3,
            "All pixels under the kernel count alike; each has the kernel's weight.": degrade.blur(
                images, even
            ),
            "The kernel sums to one already, and you divide once more.": wanted / kernel.numel(),
            "The images are cropped, not blurred.": images[
                ..., size // 2 : -(size // 2), size // 2 : -(size // 2)
            ],
        }
        BLUR.match(
            found,
            wanted,
            known,
            f"The blurred pixels are not the right ones, with a kernel of {size} × {size}. Try a black picture with "
            "one bright dot: you should see the kernel itself.",
        )
    right("A true convolution: each point draws the kernel, and no border is made up.")


# ---- 2: Wiener's filter ---------------------------------------------------------------------------------------------

WRAPPED = Task(
    "wrapped(kernel, height, width)",
    "the kernel in a black picture, its middle at [0, 0], what lies before it coming in at the other side",
)
ROUGHNESS = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])


def check_wrapped(student: object) -> None:
    """Task 2: zeros around the kernel, then a roll of half its side towards the corner."""
    for size, height, width in ((3, 6, 8), (5, 9, 6)):
        kernel = torch.arange(1.0, size * size + 1).view(size, size)
        found = WRAPPED.tensor(WRAPPED.ask(student, kernel.clone(), height, width), (height, width)).detach()
        padded = torch.zeros(height, width)
        padded[:size, :size] = kernel
        middle = size // 2
        wanted = _rolled(kernel, height, width)
        known = {
            "The kernel's corner lies at [0, 0], so your filter would move the picture by half a kernel; roll its "
            "middle there.": padded,
            "You roll the other way: the middle has to come to [0, 0].": padded.roll(
                (middle, middle), (0, 1)
            ),
            "The kernel lies in the middle of the picture; its middle belongs at [0, 0].": wanted.roll(
                (height // 2, width // 2), (0, 1)
            ),
            "You turn the kernel by half a turn; here it stays as it is.": _rolled(
                kernel.flip(0, 1), height, width
            ),
            "You roll by a whole kernel; its middle is half a kernel away from its corner.": padded.roll(
                (-size, -size), (0, 1)
            ),
            "You roll one direction only; the middle has to come to [0, 0] in both.": padded.roll(-middle, 0),
            "You roll one direction only; the middle has to come to [0, 0], in both.": padded.roll(
                -middle, 1
            ),
        }
        WRAPPED.match(
            found,
            wanted,
            known,
            f"For a kernel of {size} × {size} its middle, {float(kernel[middle, middle]):g}, should lie at [0, 0], and "
            f"its first pixel, 1, at [−{middle}, −{middle}]; you have {float(found[0, 0]):g} and "
            f"{float(found[-middle, -middle]):g} there.",
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
    random = torch.Generator().manual_seed(5)
    for height, width, balance in ((12, 16, 0.3), (11, 9, 0.05)):
        blurry = torch.rand(height, width, generator=random) * 2 - 1
        kernel = torch.rand(5, 5, generator=random).square()
        kernel /= kernel.sum()
        answer = WIENER.ask(student, blurry.clone(), kernel.clone(), ROUGHNESS.clone(), balance)
        if isinstance(answer, (Tensor, np.ndarray)) and "complex" in str(answer.dtype):
            raise NotYet(
                "Your picture is still complex. Its imaginary part is nothing but rounding errors: take `.real`."
            )
        found = WIENER.tensor(answer, (height, width)).detach()
        WIENER.match(
            found,
            _wiener(blurry, kernel, balance),
            _known_filters(blurry, kernel, balance),
            "The pixels are not those of the equation. Write the numerator and the denominator on lines of their own, "
            "and look at their shapes.",
            tolerance=1e-3,
        )
    right("That is Wiener's filter, and nothing has moved.")


def _wiener(blurry: Tensor, kernel: Tensor, balance: float) -> Tensor:
    k, r, y = _spectra(blurry, kernel)
    restored: Tensor = torch.fft.ifft2(k.conj() / (k.abs().square() + balance * r.abs().square()) * y).real
    return restored


def _known_filters(blurry: Tensor, kernel: Tensor, balance: float) -> dict[str, Tensor]:
    height, width = blurry.shape
    k, r, y = _spectra(blurry, kernel)
    cornered = torch.fft.fft2(kernel.double(), s=(height, width))
    rough = balance * r.abs().square()
    spectra = {
        "Your filter has k where it needs its conjugate: phases then turn the wrong way, and every edge is doubled.": (
            k / (k.abs().square() + rough)
        ),
        "The denominator takes |k|; it is |k|².": k.conj() / (k.abs() + rough),
        "The denominator takes |l|; it is |l|².": k.conj() / (k.abs().square() + balance * r.abs()),
        "You square β; it counts as it is.": k.conj() / (k.abs().square() + balance * rough),
        "The roughness l is missing: β alone smooths fine and coarse alike.": k.conj()
        / (k.abs().square() + balance),
        "β is missing; it weighs the roughness.": k.conj() / (k.abs().square() + r.abs().square()),
        "You divide by k and nothing else: wherever k is small, that amplifies noise without end.": 1 / k,
        "The kernel's corner lies at [0, 0], so the picture has moved by half a kernel; use `wrapped`.": (
            cornered.conj() / (cornered.abs().square() + rough)
        ),
        "You have blurred the picture once more: the filter's denominator is missing.": k,
    }
    wanted = _wiener(blurry, kernel, balance)
    return {
        **{sentence: torch.fft.ifft2(spectrum * y).real for sentence, spectrum in spectra.items()},
        "That is the filter itself: multiply it by ŷ before you go back.": (
            torch.fft.ifft2(k.conj() / (k.abs().square() + rough)).real
        ),
        "You take `.abs()` of the result, so everything darker than grey is turned bright; take `.real`.": (
            wanted.abs()
        ),
        "The filter is right; do not cut off what lies beyond [−1, 1].": wanted.clamp(-1, 1),
    }


def _spectra(blurry: Tensor, kernel: Tensor) -> list[Tensor]:
    height, width = blurry.shape
    pictures = (_rolled(kernel, height, width), _rolled(ROUGHNESS, height, width), blurry)
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


def check_residual_block(student: object) -> None:
    """Task 3: shapes, a clean shortcut, two convolutions, one ReLU, and no normalisation; by what the block does."""
    channels = 8
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        block = BLOCK.ask(student, channels)
        if not isinstance(block, nn.Module):
            raise NotYet(
                f"`ResidualBlock(8)` makes {described(block)}; a module is wanted, `class ResidualBlock(nn.Module)`."
            )
        weights = [weight for weight in block.parameters() if weight.dim() == 4]
        if not weights:
            raise NotYet(
                "The block has no weights that an optimiser could find: make both convolutions in `__init__`, as "
                "attributes or in an `nn.Sequential`."
            )
        if len(weights) < 2:
            raise NotYet("One convolution is all the block has; make two, each with weights of its own.")
        features = torch.randn(4, channels, 13, 13)
        with torch.no_grad():
            _judge_block(block, features)
        _judge_reach(block, features)
        with torch.no_grad():
            _judge_shortcut(block, features)
    right("It adds what two convolutions find, to an input that nothing has touched.")


def _through(block: nn.Module, features: Tensor) -> Tensor:
    given = features.clone()
    found = BLOCK.tensor(BLOCK.ask(block, given), tuple(features.shape))
    if not torch.equal(given, features):
        raise NotYet(
            "The block changes its own input, so the shortcut carries something else: a ReLU in place does that."
        )
    return found


def _judge_block(block: nn.Module, features: Tensor) -> None:
    found = _through(block, features)
    added = found - features
    if not torch.allclose(_through(block, features), found, atol=1e-5):
        raise NotYet("Asked twice, the block answers differently: leave out dropout and noise.")
    if not torch.allclose(_through(block, features[:1]), found[:1], atol=1e-4):
        raise NotYet(
            "What the block finds in a picture depends on the others of its batch: leave out batch normalisation."
        )
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
    out = BLOCK.tensor(BLOCK.ask(block, given), tuple(features.shape))
    if not out.requires_grad:
        raise NotYet("The block has left autograd; no loss could train it.")
    (slope,) = torch.autograd.grad(out[:, :, 6, 6].square().sum(), given)
    seen = (slope.abs().sum((0, 1)) > 0).nonzero()
    top, left = (seen - 6).amin(0).tolist()
    bottom, across = (seen - 6).amax(0).tolist()
    if (top, left, bottom, across) != (-2, -2, 2, 2):
        raise NotYet(
            f"A pixel should see 5 × 5 pixels through two 3×3 convolutions; through yours it sees {bottom - top + 1} × "
            f"{across - left + 1}."
        )


def _judge_shortcut(block: nn.Module, features: Tensor) -> None:
    for weight in block.parameters():
        weight.zero_()
    still = _through(block, features)
    if torch.allclose(still, features, atol=1e-6):
        return
    if not still.any():
        raise NotYet("The shortcut is missing: add the input to what the convolutions find.")
    if torch.allclose(still, features.relu(), atol=1e-6):
        raise NotYet(
            "A ReLU lies on the shortcut and cuts off all that is negative; the input is added as it came."
        )
    raise NotYet(
        "With all weights at zero a residual block changes nothing: its input is added once, as it came."
    )


# ---- 4: a loss that knows what sharp is -----------------------------------------------------------------------------

FEATURES = Task(
    "FeatureLoss(network)",
    "a loss that compares what a fixed network sees in the restored and in the sharp images",
    {"before Module.__init__": "the first line of `__init__` is `super().__init__()`"},
)
COMPARE = Task("FeatureLoss(network)(restored, sharp)", FEATURES.todo)


def check_feature_loss(student: object) -> None:
    """Task 4: mean absolute difference of features of images in [0, 1]; the network fixed and in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        network, untouched = _judge(), _judge()
        restored, sharp = torch.rand(2, 3, 3, 9, 9) * 2 - 1
    untouched.load_state_dict(network.state_dict())
    untouched.eval().requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        loss = FEATURES.ask(student, network)
        if not callable(loss):
            raise NotYet(
                f"`FeatureLoss(network)` makes {described(loss)}; a module with a `forward` is wanted."
            )
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
    COMPARE.expect(
        float(value.detach()),
        float(wanted.detach()),
        "three pairs of images",
        _losses(untouched, restored, sharp),
    )
    for name, kept in untouched.state_dict().items():
        if not torch.equal(network.state_dict()[name], kept):
            raise NotYet(f"The network has changed (its `{name}`); a judge stays as it is.")
    _judge_gradients(value, given, wanted, reference)
    if any(weight.grad is not None and weight.grad.any() for weight in network.parameters()):
        raise NotYet(
            "The value is right, but `backward` has left gradients in the network's weights: an optimiser could make "
            "the judge lenient. Freeze it with `requires_grad_(False)`."
        )
    right("It compares what the network sees, and nobody can bribe the network.")


def _judge() -> nn.Sequential:
    """A small network with all that behaves differently in training, as it comes out of training."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(6, 4, 3), nn.Tanh()
    )
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
    value.backward()  # type: ignore[no-untyped-call]
    (slope,) = torch.autograd.grad(wanted, reference)
    if given.grad is None or not torch.allclose(given.grad, slope, rtol=1e-3, atol=1e-6):
        raise NotYet(
            "The value is right, but the gradient that reaches the restored images is not; let it pass through the "
            "network untouched."
        )


# ---- 5: honest numbers ----------------------------------------------------------------------------------------------

PSNR = Task("psnr(restored, sharp)", "the PSNR of each image in decibels, (N,)")


def check_psnr(student: object) -> None:
    """Task 5: per image, peak 2, decimal logarithm of the mean square."""
    random = torch.Generator().manual_seed(8)
    sharp = torch.rand(3, 3, 8, 6, generator=random) * 2 - 1
    noise = torch.randn(sharp.shape, generator=random)
    restored = sharp + noise * torch.tensor([0.3, 0.03, 0.1]).view(3, 1, 1, 1)
    found = PSNR.tensor(PSNR.ask(student, restored.clone(), sharp.clone())).detach()
    error, wanted = (restored - sharp).square(), restoration.psnr(restored, sharp)
    each = error.mean((1, 2, 3))
    together = {
        "You average the squared errors of all images before the logarithm, so the worst image decides; give each "
        "image its own number, (N,).": (4 / error.mean()).log10() * 10,
        "You return the mean over the images; give each its own number, (N,).": wanted.mean(),
    }
    if found.numel() == 1:
        PSNR.match(found.reshape(()), wanted, together, "There is one number for each image, (N,).")
    found = PSNR.tensor(found, (3,))
    known = {
        "Your peak is 1; from −1 to 1 the way is 2.": (1 / each).log10() * 10,
        "You forgot to square the peak.": (2 / each).log10() * 10,
        "Your peak is 255, and these images are in [−1, 1].": (255**2 / each).log10() * 10,
        "10 log₁₀ belongs to the *squared* error; you give it the root.": (2 / each.sqrt()).log10() * 10,
        "10 log₁₀ belongs to the *squared* error; you give it the root, and square the peak alone.": (
            (4 / each.sqrt()).log10() * 10
        ),
        "20 log₁₀ belongs to the root of the squared error; you give it the square.": (4 / each).log10() * 20,
        "Your logarithm is the natural one; a decibel is decimal.": (4 / each).log() * 10,
        "Your ratio is upside down: a better image should have more decibels.": (each / 4).log10() * 10,
        "You take absolute errors; PSNR squares them.": (
            (4 / (restored - sharp).abs().mean((1, 2, 3))).log10() * 10
        ),
        "You sum the squared errors; the M in MSE is a mean, over channels and pixels.": (
            (4 / error.sum((1, 2, 3))).log10() * 10
        ),
        "You sum over the channels; the mean is over channels and pixels.": (
            (4 / (3 * each)).log10() * 10
        ),
        "You return the mean squared errors, without the logarithm.": each,
        "You take the highest pixel for the peak; it is the range's, 2, whatever the picture shows.": (
            (sharp.amax((1, 2, 3)).square() / each).log10() * 10
        ),
        "You average the channels' decibels; average their squared errors first.": (
            ((4 / error.mean((2, 3))).log10() * 10).mean(1)
        ),
    }  # fmt: skip
    PSNR.match(found, wanted, known)
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
    parts = _answers(student, patches)
    if parts != _answers(student, patches) or parts[::-1] != _answers(student, patches[::-1]):
        raise NotYet(
            "Asked twice, you put a patch into another part: let its name decide, not chance or its turn."
        )
    with _hash_of_another_start():
        if parts != _answers(student, patches):
            raise NotYet(
                "Python's `hash` of a text changes with every start, so tomorrow you would test on what you train on "
                "today; take a checksum, such as `zlib.crc32` or those of `hashlib`."
            )
    for other, what in (("frame_003/patch_{}", "patches"), ("frame_{}/patch_0", "frames")):
        for scene in scenes[:60]:
            found = set(_answers(student, [f"{scene}/{other.format(n)}" for n in range(12)]))
            if len(found) > 1:
                raise NotYet(
                    f"Two {what} of the scene {scene} fall into different parts, and they show the same things: the "
                    "scene alone decides."
                )
    _judge_shares(Counter(parts), len(parts))
    right("Whole scenes, today and tomorrow, whatever else is in the folder.")


def _answers(student: object, patches: list[str]) -> list[str]:
    parts = []
    for patch in patches:
        part = PART.ask(student, patch)
        if part is None:
            raise NotYet("`part_of` returns nothing; let it end with `return` and one of the three words.")
        if not isinstance(part, str) or part not in PARTS:
            shown = f"“{part}”" if isinstance(part, str) else described(part)
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
    random = np.random.default_rng(9)
    words = ("lake", "market", "old town", "Straße", "cat", "night bus", "garden", "IMG")
    picked = random.integers(0, len(words), count)
    letters = "abcdefghijklmnop"
    return [
        f"{words[word]}_{n * 7 if n % 2 else ''.join(letters[int(digit, 16)] for digit in hex(n)[2:])}"
        for n, word in enumerate(picked)
    ]


@contextmanager
def _hash_of_another_start() -> Iterator[None]:
    """Python's `hash` with the other salt that the next start of Python may bring."""
    own = builtins.hash

    def salted(value: object) -> int:
        return own(("another start", value)) if isinstance(value, (str, bytes, tuple)) else own(value)

    builtins.hash = salted
    try:
        yield
    finally:
        builtins.hash = own
