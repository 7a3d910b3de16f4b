"""Guards chapter 5's exhibits: each still shows its bug, and the right code beside it does not."""

import numpy as np
import torch
from PIL import Image

from companion import museum
from companion.data.crappify import Damage
from companion.models.unet import UNet, UNetConfig


def test_scaled_twice_is_the_negative_of_every_grey():
    grey = torch.arange(256)
    assert (museum.scaled_twice(grey) == (256 - np.arange(256)) % 256).all()
    assert (museum.scaled_twice(torch.tensor([0.0, 1.0])) == [0, 255]).all()  # what the line was written for


def test_damage_dealt_in_turn_changes_when_a_picture_is_left_out():
    pictures = [
        Image.fromarray(np.random.default_rng(n).integers(0, 256, (40, 40, 3), dtype=np.uint8))
        for n in range(3)
    ]
    every, without = museum.dealt_in_turn(pictures), museum.dealt_in_turn(pictures[1:])
    assert every[2].picture.tobytes() != without[1].picture.tobytes()
    by_name = [
        Damage().ruin(picture, name).picture.tobytes() for picture, name in zip(pictures, "abc", strict=True)
    ]
    again = [
        Damage().ruin(picture, name).picture.tobytes()
        for picture, name in zip(pictures[1:], "bc", strict=True)
    ]
    assert by_name[1:] == again


def test_in_train_mode_a_picture_depends_on_its_neighbours_and_nothing_is_left_behind():
    network = UNet(UNetConfig(stages=2)).eval()
    last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
    torch.nn.init.ones_(last.weight_g)
    given = torch.rand(3, 3, 32, 32) * 2 - 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    alone, beside = (
        museum.drawn_in_train_mode(network, given[:1]),
        museum.drawn_in_train_mode(network, given)[:1],
    )
    assert not torch.allclose(alone, beside, atol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
    with torch.no_grad():
        assert torch.allclose(network(given[:1]), network(given)[:1], atol=1e-5)
