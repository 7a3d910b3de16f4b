"""The Fourier transform of pictures as pairs of real tensors, so that a network with one can be written as ONNX.

ONNX knows no complex numbers. While a network is exported, the transform is what its definition says, two products
with matrices of cosines and sines; otherwise it is torch's fast one. Both give the same numbers (a test compares them).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spectrum:
    """What `torch.fft.rfft2` gives of pictures `(…, H, W)`: real and imaginary part, each `(…, H, W // 2 + 1)`."""

    real: Tensor
    imag: Tensor

    @property
    def power(self) -> Tensor:
        """Its squared absolute value."""
        return self.real.square() + self.imag.square()

    def __mul__(self, other: "Spectrum") -> "Spectrum":
        """The product: a circular convolution of the pictures."""
        return Spectrum(
            self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real
        )

    def correlated(self, other: "Spectrum") -> "Spectrum":
        """The conjugate of this, times another: a circular correlation."""
        return Spectrum(self.real, -self.imag) * other

    def over(self, weights: Tensor) -> "Spectrum":
        """Divided by real numbers."""
        return Spectrum(self.real / weights, self.imag / weights)

    def summed(self, dim: int) -> "Spectrum":
        """Added up along a dimension."""
        return Spectrum(self.real.sum(dim), self.imag.sum(dim))


def transform(pictures: Tensor) -> Spectrum:
    """The spectrum of pictures `(…, H, W)`."""
    if not torch.compiler.is_exporting():
        fast = torch.fft.rfft2(pictures)
        return Spectrum(fast.real, fast.imag)
    height, width = pictures.shape[-2:]
    cosines, sines = _waves(width, width // 2 + 1)
    real, imag = pictures @ cosines, -(pictures @ sines)
    cosines, sines = _waves(height, height)
    return Spectrum(cosines @ real + sines @ imag, cosines @ imag - sines @ real)


def picture(spectrum: Spectrum, height: int, width: int) -> Tensor:
    """The pictures `(…, height, width)` of a spectrum, as `torch.fft.irfft2` gives them."""
    if not torch.compiler.is_exporting():
        fast: Tensor = torch.fft.irfft2(torch.complex(spectrum.real, spectrum.imag), s=(height, width))
        return fast
    cosines, sines = _waves(height, height)
    real = cosines @ spectrum.real - sines @ spectrum.imag
    imag = cosines @ spectrum.imag + sines @ spectrum.real
    cosines, sines = _waves(width, width // 2 + 1)
    at = torch.arange(width // 2 + 1)
    twice = (
        2.0 - (at == 0).float() - (2 * at == width).float()
    )  # all but two columns have a twin that is left out
    return ((real * twice) @ cosines.T - (imag * twice) @ sines.T) / (height * width)


def frequencies(length: int) -> Tensor:
    """What `torch.fft.fftfreq` gives: cycles a pixel, `(length,)`."""
    share = torch.arange(length).float() / length
    return torch.where(share < 0.5, share, share - 1)


def _waves(length: int, count: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines `(length, count)` of 0, 1, … cycles a length."""
    turns = torch.arange(length).float()[:, None] * torch.arange(count).float()
    part = turns - length * (turns / length).floor()  # exact: these are whole numbers
    angles = part * (2 * math.pi / length)
    return angles.cos(), angles.sin()
