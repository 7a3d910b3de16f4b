"""Guards the task that needs reach: what is drawn, what a mistake costs, and who can do it and who cannot."""

import pytest
import torch
from torch import nn

from companion.data.carrying import CHANNELS, Carrying
from companion.layers import SelfAttention
from companion.training.carrying import taught


def test_each_picture_has_a_colour_and_a_mark_somewhere_else():
    torch.manual_seed(0)
    drawn = Carrying.drawn(500, 6)
    each = torch.arange(500)
    lies = drawn.pictures[:, 3].flatten(1).argmax(1)
    rows, columns = lies // 6, lies % 6
    assert torch.equal(drawn.pictures[:, 3:].sum((2, 3)), torch.ones(500, 2))
    assert torch.equal(drawn.pictures[each, :3, rows, columns], drawn.colours)
    assert drawn.pictures[:, :3].abs().sum() == pytest.approx(drawn.colours.abs().sum().item(), rel=1e-5)
    assert torch.equal(drawn.pictures[each, 4, drawn.wanted[:, 0], drawn.wanted[:, 1]], torch.ones(500))
    away = torch.maximum((drawn.wanted[:, 0] - rows).abs(), (drawn.wanted[:, 1] - columns).abs())
    assert torch.equal(away, drawn.apart)
    assert drawn.apart.min() == 1
    assert drawn.apart.max() == 5


def test_only_the_marked_place_is_judged_and_a_guess_of_nothing_costs_a_third():
    torch.manual_seed(0)
    drawn = Carrying.drawn(20_000, 4)
    answers = torch.zeros(20_000, 3, 4, 4)
    assert drawn.errors(answers).mean().item() == pytest.approx(1 / 3, abs=0.01)
    answers += 7
    answers[torch.arange(20_000), :, drawn.wanted[:, 0], drawn.wanted[:, 1]] = drawn.colours
    assert drawn.errors(answers).abs().max() == 0


@pytest.mark.slow
def test_attention_carries_any_distance_and_convolutions_only_as_far_as_they_reach():
    torch.manual_seed(1)
    looking = nn.Sequential(
        nn.Conv2d(CHANNELS, 16, 1), nn.ReLU(), SelfAttention(16, keys=64), nn.Conv2d(16, 3, 1)
    )
    near = nn.Sequential(nn.Conv2d(CHANNELS, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 1))
    for network in (looking, near):
        taught(network, 700, side=8, device=torch.device("cpu"))
    test = Carrying.drawn(2000, 8)
    with torch.no_grad():
        carried, stuck = (test.errors(network(test.pictures)) for network in (looking, near))
    assert carried[test.apart > 3].mean() < 0.05
    assert stuck[test.apart > 1].mean() > 0.3  # its reach is one pixel
    assert stuck[test.apart == 1].mean() < 0.3
