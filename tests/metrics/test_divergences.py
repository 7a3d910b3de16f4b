"""Guards the optimal discriminator, the Jensen–Shannon divergence and the value of the game."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal

from companion.metrics import game_value, jensen_shannon, optimal_discriminator

GRID = torch.linspace(-30, 30, 20_001, dtype=torch.float64)
SPACING = float(GRID[1] - GRID[0])


def density(mean: float, deviation: float) -> torch.Tensor:
    return Normal(torch.tensor(mean, dtype=torch.float64), deviation).log_prob(GRID).exp()


def test_equal_densities_have_no_divergence_and_distant_ones_log_2():
    assert jensen_shannon(density(0, 1), density(0, 1), SPACING) == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(density(-15, 1), density(15, 1), SPACING) == pytest.approx(math.log(2), abs=1e-6)


def test_it_is_the_mean_of_two_kullback_leibler_divergences():
    """Against a sum written out with logarithms, by Monte Carlo's exact cousin: the same grid, another formula."""
    p, q = density(-1, 1.5), density(2, 0.7)
    m = (p + q) / 2
    safe = 1e-300
    kl_p = (p * ((p + safe) / (m + safe)).log()).sum() * SPACING
    kl_q = (q * ((q + safe) / (m + safe)).log()).sum() * SPACING
    assert jensen_shannon(p, q, SPACING) == pytest.approx(float(kl_p + kl_q) / 2, abs=1e-6)


@given(st.floats(-5, 5), st.floats(0.2, 4), st.floats(-5, 5), st.floats(0.2, 4))
def test_it_is_symmetric_and_bounded(mean, deviation, other_mean, other_deviation):
    p, q = density(mean, deviation), density(other_mean, other_deviation)
    forwards = jensen_shannon(p, q, SPACING)
    assert forwards == pytest.approx(jensen_shannon(q, p, SPACING), abs=1e-9)
    assert -1e-9 <= forwards <= math.log(2) + 1e-6


@given(st.floats(-2, 2), st.floats(0.5, 2), st.floats(-3, 3))
def test_no_discriminator_beats_the_optimal_one(mean, deviation, shift):
    """V at D* equals the formula, and V at D* with all logits shifted is no larger."""
    p, q = density(0, 1), density(mean, deviation)
    logits = p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log()

    def value(logits):
        log_d, log_not_d = -torch.nn.functional.softplus(-logits), -torch.nn.functional.softplus(logits)
        return float(torch.trapezoid(p * log_d + q * log_not_d, dx=SPACING))

    assert value(logits) == pytest.approx(game_value(p, q, SPACING), abs=1e-6)
    assert value(logits + shift) <= value(logits) + 1e-9
    assert torch.allclose(optimal_discriminator(p, q)[5000:15000], logits.sigmoid()[5000:15000])
