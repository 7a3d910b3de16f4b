"""Guards chapter 2's exercises: every right solution passes, every plausible wrong one is told what is wrong."""

import copy
import hashlib
import math
import random
import subprocess
import sys
import zlib

import numpy as np
import pytest
import scipy.signal
import torch
from banks import Bank, EveryBank, untouched
from skimage import metrics, restoration
from torch import nn
from torch.nn import functional as F

from companion.data import degrade, photos
from companion.exercises import ch02
from companion.metrics.restoration import psnr as package_psnr

# ---- 1: a kernel and a blur -----------------------------------------------------------------------------------------


def kernel(
    track,
    size,
    *,
    middle=True,
    divide=True,
    swap=False,
    down=1,
    linger=True,
    right=1,
    total=len,
    dtype=torch.float,
):
    found = torch.zeros(size, size, dtype=dtype)
    for x, y in track:
        row, column = (x, y) if swap else (down * y, right * x)
        shift = size // 2 if middle else 0
        if linger:
            found[row + shift, column + shift] += 1
        else:
            found[row + shift, column + shift] = 1
    return found / total(track) if divide else found


def kernel_by_histogram(track, size):
    edges = np.arange(size + 1) - size / 2
    x, y = np.array(track).T
    return np.histogram2d(y, x, bins=(edges, edges))[0] / len(x)


def kernel_by_add_at(track, size):
    found = np.zeros((size, size))
    places = np.array(track) + size // 2
    np.add.at(found, (places[:, 1], places[:, 0]), 1 / len(places))
    return found


def kernel_by_index_put(track, size):
    x, y = torch.tensor(track).T + size // 2
    found = torch.zeros(size, size).index_put((y, x), torch.ones(len(x)), accumulate=True)
    return found / found.sum()


def kernel_by_fancy_index(track, size):
    found = np.zeros((size, size))
    places = np.array(track) + size // 2
    found[places[:, 1], places[:, 0]] += 1
    return found / len(places)


KERNEL = {
    "loop": kernel,
    "histogram": kernel_by_histogram,
    "add.at": kernel_by_add_at,
    "index_put": kernel_by_index_put,
    "nested lists": lambda t, s: [
        [t.count((x - s // 2, y - s // 2)) / len(t) for x in range(s)] for y in range(s)
    ],
}
WRONG_KERNEL = {
    "counts": (lambda t, s: kernel(t, s, divide=False), "sums to their number"),
    "fancy index": (kernel_by_fancy_index, "adds only once"),
    "ones, then shares": (lambda t, s: (k := kernel(t, s, linger=False, divide=False)) / k.sum(), "lingers"),
    "ones": (lambda t, s: kernel(t, s, linger=False, divide=False), "ones where the hand was"),
    "largest is one": (lambda t, s: (k := kernel(t, s)) / k.max(), "largest share"),
    "swapped": (lambda t, s: kernel(t, s, swap=True), "down comes first"),
    "upside down": (lambda t, s: kernel(t, s, down=-1), "upside down"),
    "half a turn": (lambda t, s: kernel(t, s, down=-1, right=-1), "half a turn"),
    "corner": (lambda t, s: kernel(t, s, middle=False), "its corner"),
    "out of the kernel": (lambda t, s: kernel([(x + s, y) for x, y in t], s), "*middle* pixel"),
    "size squared": (lambda t, s: kernel(t, s, total=lambda _: s * s), "number of pixels"),
    "whole numbers": (lambda t, s: (kernel(t, s, dtype=torch.int) // 1).int(), "should hold"),
    "wrong size": (lambda t, s: kernel(t, s + 2), "of shape"),
    "nothing": (lambda t, s: None, "returns nothing"),
    "untouched": (untouched, "waits for you"),
}


def blur(images, kernel, *, flip=(0, 1), padding=0, weights=None):
    if weights is None:
        weights = kernel.flip(flip) if flip else kernel
    count, channels, height, width = images.shape
    each = F.conv2d(images.reshape(-1, 1, height, width), weights[None, None], padding=padding)
    return each.view(count, channels, *each.shape[-2:])


def blur_by_groups(images, kernel):
    channels = images.shape[1]
    return F.conv2d(images, kernel.flip(0, 1).expand(channels, 1, -1, -1), groups=channels)


def blur_by_scipy(images, kernel):
    flat = images.numpy().reshape(-1, *images.shape[2:])
    found = [scipy.signal.convolve2d(one, kernel.numpy(), mode="valid") for one in flat]
    return np.stack(found).reshape(*images.shape[:2], *found[0].shape)


def blur_by_shifts(images, kernel):
    size = len(kernel)
    height, width = (side - size + 1 for side in images.shape[-2:])
    return sum(
        kernel[size - 1 - row, size - 1 - column] * images[..., row : row + height, column : column + width]
        for row in range(size)
        for column in range(size)
    )


def blur_by_fourier(images, kernel):
    size, shape = len(kernel), images.shape[-2:]
    whole = torch.fft.irfft2(torch.fft.rfft2(images) * torch.fft.rfft2(kernel, s=shape), s=shape)
    return whole[..., size - 1 :, size - 1 :]


def blur_mixing(images, kernel, share=None):
    grey = images.mean(1, keepdim=True) * (share or images.shape[1])
    return blur(grey.expand_as(images), kernel)


BLUR = {
    "reshape": blur,
    "groups": blur_by_groups,
    "scipy": blur_by_scipy,
    "shifts": blur_by_shifts,
    "Fourier": blur_by_fourier,
    "package": degrade.blur,
}
WRONG_BLUR = {
    "correlation": (lambda x, k: blur(x, k, flip=()), "correlation"),
    "rows turned": (lambda x, k: blur(x, k, flip=(0,)), "one direction only"),
    "columns turned": (lambda x, k: blur(x, k, flip=(1,)), "one direction only"),
    "transposed": (lambda x, k: blur(x, k.T), "swapped"),
    "transposed correlation": (lambda x, k: blur(x, k.T, flip=()), "swapped"),
    "same size": (lambda x, k: blur(x, k, padding="same"), "made up"),
    "full": (lambda x, k: blur(x, k, padding=len(k) - 1), "made up"),
    "rolled over": (
        lambda x, k: torch.fft.irfft2(
            torch.fft.rfft2(x) * torch.fft.rfft2(k, s=x.shape[-2:]), s=x.shape[-2:]
        ),
        "made up",
    ),
    "channels added": (blur_mixing, "add up the channels"),
    "grey": (lambda x, k: blur_mixing(x, k, 1), "mix the channels"),
    "conv2d as it is": (lambda x, k: F.conv2d(x, k.flip(0, 1)[None, None]), "mixes channels"),
    "even": (lambda x, k: F.avg_pool2d(x, len(k), 1), "count alike"),
    "divided": (lambda x, k: blur(x, k) / k.numel(), "once more"),
    "cropped": (lambda x, k: x[..., len(k) // 2 : -(len(k) // 2), len(k) // 2 : -(len(k) // 2)], "cropped"),
    "brighter": (lambda x, k: blur(x, k) + 0.1, "bright dot"),
    "one image": (lambda x, k: blur(x, k)[0], "of shape"),
    "untouched": (untouched, "waits for you"),
}

# ---- 2: Wiener's filter ---------------------------------------------------------------------------------------------


def wrapped(kernel, height, width):
    picture = torch.zeros(height, width)
    size = len(kernel)
    picture[:size, :size] = kernel
    return picture.roll((-(size // 2), -(size // 2)), (0, 1))


def wrapped_by_index(kernel, height, width):
    picture = np.zeros((height, width))
    for row in range(len(kernel)):
        for column in range(len(kernel)):
            picture[row - len(kernel) // 2, column - len(kernel) // 2] = kernel[row, column]
    return picture


def wrapped_by_pad(kernel, height, width):
    size = len(kernel)
    picture = F.pad(kernel, (0, width - size, 0, height - size))
    return torch.roll(picture, shifts=[-(size // 2)] * 2, dims=[-2, -1])


def padded(kernel, height, width):
    return F.pad(kernel, (0, width - len(kernel), 0, height - len(kernel)))


WRAPPED = {
    "roll": wrapped,
    "index": wrapped_by_index,
    "pad": wrapped_by_pad,
    "numpy": lambda k, h, w: np.roll(padded(k, h, w).numpy(), (-(len(k) // 2),) * 2, (0, 1)),
}
WRONG_WRAPPED = {
    "corner": (padded, "corner lies at"),
    "other way": (lambda k, h, w: padded(k, h, w).roll((len(k) // 2,) * 2, (0, 1)), "other way"),
    "middle": (lambda k, h, w: wrapped(k, h, w).roll((h // 2, w // 2), (0, 1)), "middle of the picture"),
    "half a turn": (lambda k, h, w: wrapped(k.flip(0, 1), h, w), "half a turn"),
    "whole kernel": (lambda k, h, w: padded(k, h, w).roll((-len(k),) * 2, (0, 1)), "a whole kernel"),
    "rows only": (lambda k, h, w: padded(k, h, w).roll(-(len(k) // 2), 0), "one direction only"),
    "columns only": (lambda k, h, w: padded(k, h, w).roll(-(len(k) // 2), 1), "one direction only"),
    "flattened roll": (lambda k, h, w: padded(k, h, w).roll(-(len(k) // 2)), "should lie at [0, 0]"),
    "not padded": (lambda k, h, w: k, "of shape"),
    "swapped sides": (lambda k, h, w: wrapped(k, w, h), "of shape"),
    "untouched": (untouched, "waits for you"),
}


def wiener(
    blurry,
    kernel,
    roughness,
    balance,
    *,
    place=wrapped,
    conjugate=True,
    fit=lambda k: k.abs() ** 2,
    rough=lambda r, b: b * r.abs() ** 2,
    end=lambda z: z.real,
    times=True,
):
    k, r = (torch.fft.fft2(place(part, *blurry.shape)) for part in (kernel, roughness))
    spectrum = (k.conj() if conjugate else k) / (fit(k) + rough(r, balance))
    return end(torch.fft.ifft2(spectrum * torch.fft.fft2(blurry) if times else spectrum))


def wiener_in_numpy(blurry, kernel, roughness, balance):
    k, r = (np.fft.fft2(wrapped(part, *blurry.shape).numpy()) for part in (kernel, roughness))
    spectrum = np.conj(k) / (np.abs(k) ** 2 + balance * np.abs(r) ** 2)
    return np.real(np.fft.ifft2(spectrum * np.fft.fft2(blurry.numpy())))


def wiener_by_half(blurry, kernel, roughness, balance):
    k, r, y = (
        torch.fft.rfft2(p)
        for p in (wrapped(kernel, *blurry.shape), wrapped(roughness, *blurry.shape), blurry)
    )
    return torch.fft.irfft2(
        k.conj() * y / ((k * k.conj()).real + balance * (r * r.conj()).real), s=blurry.shape
    )


def wiener_by_scikit_image(blurry, kernel, roughness, balance):
    """Its own Laplacian is the roughness."""
    return restoration.wiener(blurry.double().numpy(), kernel.double().numpy(), balance, clip=False)


WIENER = {
    "torch": wiener,
    "numpy": wiener_in_numpy,
    "half the spectrum": wiener_by_half,
    "scikit-image": wiener_by_scikit_image,
    "roughness in the corner": lambda y, k, r, b: wiener(  # only |l̂| counts
        y, k, r, b, place=lambda part, h, w: padded(part, h, w) if part is r else wrapped(part, h, w)
    ),
}
WRONG_WIENER = {
    "no conjugate": (lambda *a: wiener(*a, conjugate=False), "conjugate"),
    "absolute kernel": (lambda *a: wiener(*a, fit=torch.abs), "it is |k|²"),
    "absolute roughness": (lambda *a: wiener(*a, rough=lambda r, b: b * r.abs()), "it is |l|²"),
    "balance squared": (lambda *a: wiener(*a, rough=lambda r, b: (b * r.abs()) ** 2), "square β"),
    "no roughness": (lambda *a: wiener(*a, rough=lambda r, b: b), "roughness l is missing"),
    "no balance": (lambda *a: wiener(*a, rough=lambda r, b: r.abs() ** 2), "weighs the roughness"),
    "division": (lambda *a: wiener(*a, rough=lambda r, b: 0), "nothing else"),
    "not rolled": (lambda *a: wiener(*a, place=padded), "moved by half a kernel"),
    "complex": (lambda *a: wiener(*a, end=lambda z: z), "still complex"),
    "complex in numpy": (lambda *a: wiener(*a, end=lambda z: z.numpy()), "still complex"),
    "absolute picture": (lambda *a: wiener(*a, end=torch.abs), "turned bright"),
    "cut off": (lambda *a: wiener(*a).clamp(-1, 1), "do not cut off"),
    "the filter": (lambda *a: wiener(*a, times=False), "the filter itself"),
    "blurred again": (
        lambda *a: wiener(*a, conjugate=False, fit=lambda k: 1, rough=lambda r, b: 0),
        "once more",
    ),
    "own balance": (lambda y, k, r, b: wiener(y, k, r, 0.01), "not those of the equation"),
    "not brought to size": (lambda *a: wiener(*a, place=lambda part, h, w: part), "the picture's size"),
    "not brought to size in numpy": (lambda y, k, r, b: y.numpy() * np.ones((5, 5)), "the picture's size"),
    "untouched": (untouched, "waits for you"),
}

# ---- 3: a residual block --------------------------------------------------------------------------------------------


def block(make, forward=lambda self, x: x + self.layers(x)):
    class ResidualBlock(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.layers = make(channels)

    ResidualBlock.forward = forward
    return ResidualBlock


def conv(channels, size=3, **options):
    return nn.Conv2d(channels, channels, size, padding=size // 2, **options)


def plain(channels, *, first=(), norm=None, middle=nn.ReLU, last=(), size=3, **options):
    norms = [norm(channels)] if norm else []
    between = [middle()] if middle else []
    return nn.Sequential(
        *first,
        conv(channels, size, **options),
        *norms,
        *between,
        conv(channels, size, **options),
        *norms,
        *last,
    )


class TwoAttributes(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, kernel_size=(3, 3), padding="same")
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x):
        found = self.second(F.relu(self.first(x)))
        found += x
        return found


class BySkipping(nn.Sequential):
    def forward(self, x):
        return super().forward(x).add(x)


class InForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return x + plain(self.channels)(x)


class InAList(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = [conv(channels), nn.ReLU(), conv(channels)]

    def forward(self, x):
        found = x
        for layer in self.layers:
            found = layer(found)
        return x + found


class NoSuper(nn.Module):
    def __init__(self, channels):
        self.layers = plain(channels)


def shared(channels):
    one = conv(channels)
    return nn.Sequential(one, nn.ReLU(), one)


def in_place(self, x):
    x += self.layers(x)
    return x


def detached(self, x):
    with torch.no_grad():
        return x + self.layers(x)


BLOCK = {
    "sequential": block(plain),
    "two attributes": TwoAttributes,
    "function": lambda channels: BySkipping(conv(channels), nn.ReLU(), conv(channels)),
    "ReLU in place between": block(lambda c: plain(c, middle=lambda: nn.ReLU(inplace=True))),
    "no biases": block(lambda c: plain(c, bias=False)),
    "border repeated": block(lambda c: plain(c, padding_mode="replicate")),
}
WRONG_BLOCK = {
    "leaky": (
        block(lambda c: plain(c, middle=lambda: nn.LeakyReLU(0.2))),
        "a leaky ReLU of 0.2; a ReLU is wanted",
    ),
    "no shortcut": (block(plain, lambda self, x: self.layers(x)), "shortcut is missing"),
    "ReLU after the sum": (block(plain, lambda self, x: (x + self.layers(x)).relu()), "*after* the sum"),
    "ReLU after the second": (block(lambda c: plain(c, last=[nn.ReLU()])), "never take away"),
    "no ReLU": (block(lambda c: plain(c, middle=None)), "no more than one"),
    "batch norm": (block(lambda c: plain(c, norm=nn.BatchNorm2d)), "batch normalisation"),
    "instance norm": (block(lambda c: plain(c, norm=nn.InstanceNorm2d)), "contrast"),
    "layer norm": (block(lambda c: plain(c, norm=lambda c: nn.GroupNorm(1, c))), "contrast"),
    "dropout": (block(lambda c: plain(c, last=[nn.Dropout(0.5)])), "dropout"),
    "ReLU on the shortcut": (block(plain, lambda self, x: x.relu() + self.layers(x)), "lies on the shortcut"),
    "first ReLU in place": (
        block(lambda c: plain(c, first=[nn.ReLU(inplace=True)])),
        "changes its own input",
    ),
    "sum in place": (block(plain, in_place), "changes its own input"),
    "added twice": (block(plain, lambda self, x: 2 * x + self.layers(x)), "added once"),
    "subtracted": (block(plain, lambda self, x: self.layers(x) - x), "added once"),
    "one convolution": (block(lambda c: nn.Sequential(conv(c), nn.ReLU())), "make two"),
    "shared": (block(shared), "make two"),
    "1×1": (block(lambda c: plain(c, size=1)), "sees 1 × 1"),
    "5×5": (block(lambda c: plain(c, size=5)), "sees 9 × 9"),
    "no padding": (
        block(lambda c: nn.Sequential(nn.Conv2d(c, c, 3), nn.ReLU(), nn.Conv2d(c, c, 3))),
        "stopped with",
    ),
    "made in forward": (InForward, "no weights"),
    "list": (InAList, "no weights"),
    "no super": (NoSuper, "super().__init__()"),
    "detached": (block(plain, detached), "left autograd"),
    "returns nothing": (block(plain, lambda self, x: None), "returns nothing"),
    "a tensor": (lambda channels: torch.zeros(channels), "a module is wanted"),
    "untouched": (untouched, "waits for you"),
}

# ---- 4: a loss that knows what sharp is -----------------------------------------------------------------------------


def feature_loss(
    *,
    prepare=lambda network: network.eval().requires_grad_(False),
    seen=lambda images: (images + 1) / 2,
    of_sharp=None,
    cost=lambda a, b: (a - b).abs().mean(),
    blind=False,
):
    class FeatureLoss(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = prepare(network)

        def forward(self, restored, sharp):
            with torch.set_grad_enabled(not blind):
                found = self.network(seen(restored))
            return cost(found, self.network((of_sharp or seen)(sharp)))

    return FeatureLoss


class WithoutGradOfTheTarget(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network
        self.network.eval()
        for weight in self.network.parameters():
            weight.requires_grad = False

    def forward(self, restored, sharp):
        with torch.no_grad():
            wanted = self.network(sharp.mul(0.5).add(0.5))
        return F.l1_loss(self.network(restored.mul(0.5).add(0.5)), wanted)


class InOnePass(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False).train(False)

    def forward(self, restored, sharp):
        found, wanted = self.network((torch.cat([restored, sharp]) + 1) / 2).chunk(2)
        return torch.mean(torch.abs(wanted - found))


def by_closure(network):
    weights = {name: value.detach() for name, value in network.state_dict().items()}
    network.eval()

    def loss(restored, sharp):
        found, wanted = (torch.func.functional_call(network, weights, (x + 1) / 2) for x in (restored, sharp))
        return (found - wanted).abs().mean()

    return loss


def learning(network):
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    inner = feature_loss()(network)

    def loss(restored, sharp):
        value = inner(restored, sharp)
        if network[0].weight.grad is None:
            network[0].weight.grad = torch.zeros_like(network[0].weight)
        network[1].running_mean += 1e-3
        optimiser.step()
        return value

    return loss


FEATURES = {
    "module": feature_loss(),
    "target without gradient": WithoutGradOfTheTarget,
    "one pass over a copy": InOnePass,
    "closure": by_closure,
}
WRONG_FEATURES = {
    "not frozen": (feature_loss(prepare=nn.Module.eval), "Freeze it"),
    "not in evaluation mode": (feature_loss(prepare=lambda n: n.requires_grad_(False)), "evaluation mode"),
    "left as it came": (feature_loss(prepare=lambda n: n), "evaluation mode"),
    "no gradient": (feature_loss(blind=True), "left autograd"),
    "number": (feature_loss(cost=lambda a, b: (a - b).abs().mean().item()), "left autograd"),
    "half the gradient": (
        feature_loss(cost=lambda a, b: 0.5 * ((a - b).abs().mean() + (a.detach() - b).abs().mean())),
        "gradient that reaches",
    ),
    "raw images": (feature_loss(seen=lambda x: x), "in [−1, 1]"),
    "raw target": (feature_loss(of_sharp=lambda x: x), "sharp images in [−1, 1]"),
    "squares": (feature_loss(cost=F.mse_loss), "square the differences;"),
    "squares of raw images": (feature_loss(cost=F.mse_loss, seen=lambda x: x), "square the differences, and"),
    "root": (feature_loss(cost=lambda a, b: F.mse_loss(a, b).sqrt()), "root of mean squares"),
    "sum": (feature_loss(cost=lambda a, b: (a - b).abs().sum()), "You sum;"),
    "sum per image": (
        feature_loss(cost=lambda a, b: (a - b).abs().sum((1, 2, 3)).mean()),
        "each image's features",
    ),
    "mean first": (feature_loss(cost=lambda a, b: (a - b).mean().abs()), "before the absolute"),
    "signed": (feature_loss(cost=lambda a, b: (a - b).mean()), "differences"),
    "per image": (feature_loss(cost=lambda a, b: (a - b).abs().mean((1, 2, 3))), "one single number"),
    "pixels": (lambda network: F.l1_loss, "compare pixels"),
    "pixels in [0, 1]": (lambda network: lambda a, b: F.l1_loss(a, b) / 2, "compare pixels in [0, 1]"),
    "relative": (feature_loss(cost=lambda a, b: (a - b).abs().mean() / b.abs().mean()), "it should be"),
    "network changed": (learning, "has changed"),
    "no forward": (lambda network: type("FeatureLoss", (nn.Module,), {})(), "is missing the required"),
    "nothing": (lambda network: None, "a module with a `forward`"),
    "untouched": (untouched, "waits for you"),
}

# ---- 5: honest numbers ----------------------------------------------------------------------------------------------


def psnr(restored, sharp, *, peak=2, log=torch.log10, factor=10, axes=(1, 2, 3), power=2):
    error = (restored - sharp).abs().pow(power).mean(axes)
    return factor * log(peak**2 / error)


PSNR = {
    "by hand": psnr,
    "root": lambda a, b: 20 * torch.log10(2 / (a - b).square().flatten(1).mean(1).sqrt()),
    "package": package_psnr,
    "scikit-image": lambda a, b: [
        metrics.peak_signal_noise_ratio(y.numpy(), x.numpy(), data_range=2) for x, y in zip(a, b, strict=True)
    ],
    "in [0, 1]": lambda a, b: psnr((a + 1) / 2, (b + 1) / 2, peak=1),
    "one by one": lambda a, b: torch.stack(
        [10 * math.log10(4) - 10 * F.mse_loss(x, y).log10() for x, y in zip(a, b, strict=True)]
    ),
}
WRONG_PSNR = {
    "peak 1": (lambda a, b: psnr(a, b, peak=1), "peak is 1"),
    "peak 255": (lambda a, b: psnr(a, b, peak=255), "peak is 255"),
    "peak not squared": (lambda a, b: psnr(a, b, peak=math.sqrt(2)), "square the peak"),
    "highest pixel": (lambda a, b: psnr(a, b, peak=b.amax((1, 2, 3))), "highest pixel"),
    "batch together": (lambda a, b: psnr(a, b, axes=(0, 1, 2, 3)), "worst image decides"),
    "mean of all": (lambda a, b: psnr(a, b).mean(), "mean over the images"),
    "another number": (lambda a, b: psnr(a, b).min(), "too much is summed"),
    "each channel": (lambda a, b: psnr(a, b, axes=(2, 3)), "of shape"),
    "channels' decibels": (lambda a, b: psnr(a, b, axes=(2, 3)).mean(1), "channels' decibels"),
    "channels summed": (lambda a, b: psnr(a, b, axes=(2, 3), peak=2).mul(0) + 1, "of shape"),
    "sum of channels": (
        lambda a, b: 10 * torch.log10(4 / (a - b).square().sum(1).mean((1, 2))),
        "sum over the channels",
    ),
    "sum": (lambda a, b: 10 * torch.log10(4 / (a - b).square().sum((1, 2, 3))), "is a mean"),
    "root with ten": (
        lambda a, b: 10 * torch.log10(2 / (a - b).square().mean((1, 2, 3)).sqrt()),
        "give it the root.",
    ),
    "root, peak squared": (
        lambda a, b: 10 * torch.log10(4 / (a - b).square().mean((1, 2, 3)).sqrt()),
        "square the peak alone",
    ),
    "twenty": (lambda a, b: psnr(a, b, factor=20), "20 log₁₀"),
    "natural": (lambda a, b: psnr(a, b, log=torch.log), "natural"),
    "sign": (lambda a, b: -psnr(a, b), "upside down"),
    "absolute": (lambda a, b: psnr(a, b, power=1), "absolute errors"),
    "errors": (lambda a, b: (a - b).square().mean((1, 2, 3)), "without the logarithm"),
    "nothing": (lambda a, b: None, "returns nothing"),
    "untouched": (untouched, "waits for you"),
}


def part(number, *, test=1, validation=2):
    return "test" if number < test else "validation" if number < validation else "training"


def scene(patch):
    return patch.split("/")[0]


def crc(text):
    return zlib.crc32(text.encode()) % 10


def by_random(patch):
    return random.Random(scene(patch)).choices(["training", "validation", "test"], [8, 1, 1])[0]


def by_turn(count=0):
    def part_of(patch):
        nonlocal count
        count += 1
        return part(count % 10)

    return part_of


PART = {
    "crc32": lambda p: part(crc(scene(p))),
    "md5": lambda p: part(int(hashlib.md5(p.partition("/")[0].encode()).hexdigest(), 16) % 10),
    "share of one": lambda p: part(10 * zlib.crc32(hashlib.sha1(scene(p).encode()).digest()) / 2**32),
    "a generator of its own": by_random,
    "package": lambda p: photos.split_of(scene(p)),
}
WRONG_PART = {
    "by patch": (lambda p: part(crc(p)), "patches of the scene"),
    "by frame": (lambda p: part(crc(p.rpartition("/")[0])), "frames of the scene"),
    "by frame's name": (lambda p: part(crc(p.split("/")[1])), "frames of the scene"),
    "hash": (lambda p: part(hash(scene(p)) % 10), "every start"),
    "hash as a seed": (lambda p: part(random.Random(hash(scene(p))).randrange(10)), "every start"),
    "chance": (lambda p: part(random.randrange(10)), "chance or its turn"),
    "turn": (by_turn(), "chance or its turn"),
    "halves": (lambda p: part(crc(scene(p)), test=3, validation=6), "fall into training"),
    "no validation": (lambda p: part(crc(scene(p)), validation=0), "fall into"),
    "length": (lambda p: part(len(scene(p)) % 10), "fall into"),
    "all": (lambda p: "training", "fall into training"),
    "number": (lambda p: part(int(scene(p).split("_")[-1]) % 10), "not every scene is numbered"),
    "other words": (lambda p: part(crc(scene(p)))[:5], "“train”"),
    "a place": (lambda p: crc(scene(p)), "the number"),
    "a list": (lambda p: [part(crc(scene(p)))], "a list"),
    "an array": (lambda p: np.zeros(3), "a ndarray"),
    "nothing": (lambda p: None, "returns nothing"),
    "untouched": (untouched, "waits for you"),
}
BANKS = {
    "kernel": Bank(ch02.check_kernel_of, KERNEL, WRONG_KERNEL),
    "blur": Bank(ch02.check_blur, BLUR, WRONG_BLUR),
    "wrapped": Bank(ch02.check_wrapped, WRAPPED, WRONG_WRAPPED),
    "wiener": Bank(ch02.check_wiener, WIENER, WRONG_WIENER),
    "block": Bank(ch02.check_residual_block, BLOCK, WRONG_BLOCK),
    "features": Bank(ch02.check_feature_loss, FEATURES, WRONG_FEATURES),
    "psnr": Bank(ch02.check_psnr, PSNR, WRONG_PSNR),
    "part": Bank(ch02.check_part_of, PART, WRONG_PART),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_what_passes_today_gives_the_same_parts_at_another_start_of_python():
    """What the check can only imitate: two processes with different salts agree for crc32, and not for `hash`."""
    program = "import zlib; print([(zlib.crc32(b) % 10, hash(b) % 10) for b in (b'lake', b'cat', b'garden', b'IMG')])"
    starts = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    ]
    first, second = (list(zip(*eval(text), strict=True)) for text in starts)
    assert first[0] == second[0]
    assert first[1] != second[1]


@pytest.mark.slow
def test_checks_leave_the_readers_random_numbers_and_pythons_hash_alone():
    """But for what the student's own function draws."""
    own = hash
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    for check, right, wrong in BANKS.values():
        check(next(iter(right.values())))
        with pytest.raises(AssertionError):
            check(next(iter(wrong.values()))[0])
    assert torch.equal(torch.rand(2), wanted)
    assert hash is own
    assert torch.is_grad_enabled()
