"""Guards the Fourier transform in pairs: torch's, by both ways of computing it."""

import pytest
import torch

from companion.models import fourier
from companion.models.fourier import Spectrum, frequencies, picture, transform

SIZES = [(6, 8), (7, 8), (6, 9), (7, 9), (1, 5), (64, 300)]


@pytest.fixture(params=["fast", "by matrices"])
def way(request, monkeypatch):
    monkeypatch.setattr(fourier.torch.compiler, "is_exporting", lambda: request.param == "by matrices")


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return torch.allclose(found, wanted, atol=1e-5 * max(1.0, float(wanted.abs().max())))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_it_is_torchs_and_its_inverse_undoes_it(height, width):
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    wanted = torch.fft.rfft2(images)
    found = transform(images)
    assert close(found.real, wanted.real)
    assert close(found.imag, wanted.imag)
    assert close(picture(found, height, width), images)


@pytest.mark.usefixtures("way")
def test_products_are_convolutions_and_correlations():
    """Checked on impulses: one moves the other, forwards or backwards."""
    point, other = torch.zeros(2, 1, 8, 10).unbind()
    point[0, 2, 3], other[0, 1, 4] = 1.0, 1.0
    moved = picture(transform(point) * transform(other), 8, 10)
    assert moved[0, 3, 7].item() == pytest.approx(1, abs=1e-5)
    back = picture(transform(other).correlated(transform(point)), 8, 10)
    assert back[0, 1, 9].item() == pytest.approx(1, abs=1e-5)


def test_power_sums_and_quotients_are_those_of_complex_numbers():
    one = Spectrum(torch.tensor([3.0, 1.0]), torch.tensor([4.0, -1.0]))
    assert one.power.tolist() == [25.0, 2.0]
    assert one.summed(0).real.item() == 4
    assert one.over(torch.tensor([2.0, 1.0])).imag.tolist() == [2.0, -1.0]


@pytest.mark.parametrize("length", [1, 2, 7, 10])
def test_frequencies_are_torchs(length):
    assert torch.allclose(frequencies(length).abs(), torch.fft.fftfreq(length).abs())
