"""Guards what is done about a photograph's blur: found once, told to the network, heeded in part, said in a clause."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from companion import pretrained
from companion.commands.ch02 import COMMANDS
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.photos import load_photos
from companion.listening import LOOKED_AT, Finding, Listening, busiest
from companion.models.anyblur import Answer, BlindRestorer, KernelConfig, KernelRestorer


class Darker(nn.Module):
    """Sees each pixel by itself."""

    def forward(self, images: Tensor) -> Tensor:
        return images - 0.25


# ---- what the network says ----


class Telling(BlindRestorer):
    """Says of each tile what its first pixel says, and darkens it."""

    def answer(self, blurred: Tensor) -> Answer:
        first = blurred[:, 0, 0, 0]
        return Answer(blurred - 0.5, width=10 * (1 + first), noise=0.01 * (1 + first))


def test_what_a_network_finds_is_the_median_over_the_tiles_and_is_asked_for_once():
    listening = Listening(Telling())
    for value in (0.0, 0.1, 0.9):
        listening(torch.full((1, 3, 4, 4), value))
    found = listening.finding()
    assert found.width == pytest.approx(11 * 12**0.5)
    assert found.noise == pytest.approx(0.011)
    assert listening.finding() is None


def test_strength_is_the_part_of_the_change_that_is_made():
    images = torch.full((1, 3, 4, 4), 0.2)
    for strength in (0.0, 0.25, 1.0):
        assert torch.allclose(Listening(Telling(), strength)(images), images - 0.5 * strength)
        assert torch.allclose(Listening(Darker(), strength)(images), images - 0.25 * strength)


def test_a_network_without_a_word_for_it_finds_nothing():
    listening = Listening(Darker())
    listening(torch.zeros(1, 3, 4, 4))
    assert listening.finding() is None


def test_a_finding_is_a_clause():
    assert str(Finding(11.7, 0.0149)) == "blur about 12 pixels wide, noise 1.5%"
    assert str(Finding(0.8, 0.004)) == "no blur to speak of, noise 0.4%"


# ---- what it is told ----


@pytest.fixture(scope="module")
def photographs():
    photos = load_photos("embedded").split("test")
    return held_out(photos, Camera(shakes=2, seed=5, size=11, length=12, noise=0.001), 160)[0]


@pytest.fixture(scope="module")
def network():
    return KernelRestorer(KernelConfig(4, 1, 1, size=15)).eval()


@pytest.mark.slow
def test_a_blur_that_was_found_is_undone_and_a_sharp_photograph_stays_as_it_is(photographs, network):
    listening = Listening(network)
    with torch.no_grad():
        listening.look_at(photographs.input[0])
        restored = listening(photographs.input[:1])
        said = listening.finding()
        listening.look_at(photographs.target[0])
        kept = listening(photographs.target[:1])
    assert (restored - photographs.input[:1]).abs().mean() > 0.005
    assert 3 < said.width < 20
    assert torch.equal(kept, photographs.target[:1])
    assert str(listening.finding()).startswith("no blur to speak of")


@pytest.mark.slow
def test_where_the_photograph_is_likelier_without_the_blur_it_stays(photographs, network):
    """A photograph of which one part is in focus."""
    listening = Listening(network)
    with torch.no_grad():
        listening.look_at(photographs.input[0])
        both = torch.stack([photographs.input[0], photographs.target[0]])
        restored = listening(both)
    assert not torch.equal(restored[0], both[0])
    assert torch.equal(restored[1], both[1])


def test_the_last_photograph_is_forgotten(photographs, network):
    listening = Listening(network)
    with torch.no_grad():
        alone = listening(photographs.input[:1])
        listening.look_at(photographs.target[0])
        assert not torch.equal(listening(photographs.input[:1]), alone)


@pytest.mark.parametrize(
    "shape", [(700, 900), (1500, 600, 3), (100, 2000, 3), (LOOKED_AT + 1, LOOKED_AT + 1)]
)
def test_the_busiest_part_is_found_wherever_it_is_and_noise_is_not_busy(shape):
    random = np.random.default_rng(1)
    photo = np.clip(random.normal(128, 10, shape), 0, 255).astype(np.uint8)  # noise all over
    height, width = shape[:2]
    photo[-90:, -200:] = (
        np.kron(random.integers(0, 2, (9, 20)), np.ones((10, 10))).reshape(90, 200, *(1,) * (len(shape) - 2))
        * 255
    )
    part = busiest(photo)
    assert part.shape[:2] == (min(height, LOOKED_AT), min(width, LOOKED_AT))
    assert (part == 255).sum() > 0.9 * (photo == 255).sum()


def test_a_small_photograph_is_looked_at_as_a_whole():
    photo = np.zeros((30, LOOKED_AT, 3), np.uint8)
    assert busiest(photo) is photo


def test_what_the_help_says_of_restoring_was_measured():
    record = pretrained.record("deblur-restored")
    gained = record.measured("gain in PSNR (dB), real shakes: restore")
    assert f"by {gained.value:.1f} dB on average" in (COMMANDS["restore"].description or "")
    assert record.measured("least gain in PSNR (dB), real shakes: restore").value > 0  # “all gained”
    assert record.measured("found to be blurred, sharp").value == 0  # “none changed”
    assert f"{record.measured('least gain in PSNR (dB), out of focus: restore').value:.1f}" == "-2.5"
    assert gained.protocol.startswith("32 pictures")
    assert record.measured("found to be blurred, sharp").protocol == "of 29 pictures"


def test_a_picture_without_room_for_noise_is_too_small_to_tell():
    assert str(Finding(0.0, float("nan"))) == "no blur to speak of, too small to tell"
