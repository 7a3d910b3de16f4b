"""Guards seeded data against silent change: batches 0 and 7 of each embedded set are those that the records stand on.

Three of each batch's numbers and its mean, to what processors may round otherwise. Whoever changes them on purpose
makes every record again.
"""

import pytest
import torch

from companion.data import Images, Shuffled, load
from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.faces import Caricatures, Portraits
from companion.data.pairs import BlurredPatches, held_out
from companion.data.photos import load_photos
from companion.data.toy import GaussianRing, Noisy, SwissRoll, VerticalLine


def fingerprint(batch: torch.Tensor) -> list[float]:
    flat = batch.flatten()
    return [*flat[[len(flat) // 7, len(flat) // 2, -1]].tolist(), flat.mean().item()]


def both(pairs: Pair) -> torch.Tensor:
    return torch.cat([pairs.target, pairs.input], 1)


def digits(index: int) -> torch.Tensor:
    return Shuffled(load("digits"), 16, seed=5)[index]


def patches(index: int) -> torch.Tensor:
    return both(BlurredPatches(load_photos("embedded").split("training"), Camera(), 48, 4, seed=3)[index])


def held(index: int) -> torch.Tensor:
    pairs, _ = held_out(load_photos("embedded").split("test"), Camera(noise=0.5), 64, each=4, seed=index)
    return both(pairs)


SETS = {
    "digits": digits,
    "patches": patches,
    "held out": held,
    "portraits": lambda index: Portraits(8, size=32)[index],
    "caricatures": lambda index: Caricatures(8, size=32)[index],
    "ring": lambda index: GaussianRing()[index],
    "line": lambda index: VerticalLine()[index],
    "roll": lambda index: SwissRoll()[index],
    "noisy ring": lambda index: Noisy(GaussianRing())[index],
}
KNOWN = {
    ("digits", 0): [-0.2392, -1.0, -1.0, -0.3707],
    ("digits", 7): [-0.9529, -1.0, -1.0, -0.4051],
    ("patches", 0): [0.5216, 0.4745, -1.0, -0.2944],
    ("patches", 7): [-0.4353, -0.9843, -0.1059, -0.5283],
    ("held out", 0): [0.3412, 0.8196, 0.0275, -0.1111],
    ("held out", 7): [0.3412, 0.8196, -0.1059, -0.1124],
    ("portraits", 0): [-0.6481, 0.2287, 0.1539, -0.0186],
    ("portraits", 7): [0.4127, -0.1824, -0.1939, -0.0508],
    ("caricatures", 0): [-0.5876, 0.6233, 0.8824, 0.2173],
    ("caricatures", 7): [-0.1435, 0.6233, 0.8824, 0.3665],
    ("ring", 0): [1.3635, -0.0484, -1.4952, 0.0234],
    ("ring", 7): [-1.412, -1.9889, 0.0471, 0.0597],
    ("line", 0): [0.3722, 0.0, 0.0728, 0.242],
    ("line", 7): [0.4135, 0.0, 0.4074, 0.2479],
    ("roll", 0): [-1.4744, 1.6095, 0.5474, 0.1322],
    ("roll", 7): [-0.4976, -0.4125, 0.9865, 0.1547],
    ("noisy ring", 0): [0.9428, -0.3786, -1.6608, 0.021],
    ("noisy ring", 7): [-2.3603, -2.2703, 0.5424, 0.0432],
}


@pytest.mark.parametrize("name", SETS)
def test_seeded_batches_are_as_the_records_know_them(name):
    for index in (0, 7):
        assert fingerprint(SETS[name](index)) == pytest.approx(KNOWN[name, index], abs=5e-3)


def test_the_numbers_hang_on_the_seed():
    """Else they would guard nothing."""
    images = Images("few", torch.randint(256, (40, 1, 4, 4), dtype=torch.uint8))
    first, other = (fingerprint(Shuffled(images, 16, seed=seed)[0]) for seed in (5, 6))
    assert first != pytest.approx(other, abs=5e-3)
