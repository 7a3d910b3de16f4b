"""Guards the filters: the one-euro filter against its paper's algorithm and closed forms, the switch and the lock."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import CompanionError
from companion.vision.smoothing import HoldToLock, Hysteresis, OneEuroFilter, smoothing_factor


def paper(values, seconds, *, mincutoff, beta, dcutoff):
    """Algorithm 1 of Casiez et al. 2012, line by line, with the rate worked out from the times as section 3 asks."""

    def alpha(rate, cutoff):
        tau = 1.0 / (2 * math.pi * cutoff)
        te = 1.0 / rate
        return 1.0 / (1.0 + tau / te)

    answers, hatxprev, hatdxprev, last = [], None, None, None
    for x, now in zip(values, seconds, strict=True):
        if hatxprev is None:
            dx, edx, hatx = 0.0, 0.0, x
        else:
            rate = 1 / (now - last)
            dx = (x - hatxprev) * rate
            edx = alpha(rate, dcutoff) * dx + (1 - alpha(rate, dcutoff)) * hatdxprev
            cutoff = mincutoff + beta * abs(edx)
            hatx = alpha(rate, cutoff) * x + (1 - alpha(rate, cutoff)) * hatxprev
        hatxprev, hatdxprev, last = hatx, edx, now
        answers.append(hatx)
    return answers


steps = st.lists(
    st.tuples(st.floats(-100, 100), st.floats(0.001, 0.5)), min_size=1, max_size=30
)  # value, seconds since the last


@given(steps, st.floats(0.1, 10), st.floats(0, 2), st.floats(0.1, 10))
def test_it_is_the_papers_algorithm_also_at_uneven_steps(path, mincutoff, beta, dcutoff):
    values = [value for value, _ in path]
    seconds = np.cumsum([step for _, step in path]).tolist()
    smooth = OneEuroFilter(mincutoff, beta, dcutoff)
    found = [float(smooth(value, now)) for value, now in zip(values, seconds, strict=True)]
    np.testing.assert_allclose(
        found, paper(values, seconds, mincutoff=mincutoff, beta=beta, dcutoff=dcutoff), atol=1e-9
    )


def test_a_constant_stays():
    smooth = OneEuroFilter(slope=0.5)
    assert {float(smooth(3.25, now)) for now in (0, 0.01, 0.5, 7.0)} == {3.25}


def test_the_first_value_comes_as_it_is_also_after_a_reset():
    smooth = OneEuroFilter()
    assert smooth(5.0, 10.0) == 5.0
    smooth(6.0, 10.1)
    smooth.reset()
    assert smooth(-1.0, 2.0) == -1.0
    assert smooth(-1.0, 3.0) == -1.0, "the old speed must be forgotten, too"


def test_without_a_slope_a_jump_decays_geometrically():
    """A first-order low-pass filter leaves (1 − α)ⁿ of a jump after n even steps."""
    smooth = OneEuroFilter(min_cutoff=2.0)
    rate = 30
    alpha = float(smoothing_factor(1 / rate, 2.0))
    smooth(0.0, 0.0)
    left = [1 - float(smooth(1.0, n / rate)) for n in range(1, 20)]
    np.testing.assert_allclose(left, [(1 - alpha) ** n for n in range(1, 20)], rtol=1e-9)


def test_at_the_cutoff_the_factor_is_as_the_paper_says():
    assert smoothing_factor(1.0, 1 / (2 * math.pi)) == pytest.approx(0.5)  # Tₑ = τ
    assert smoothing_factor(0.0, 1.0) == 0
    assert smoothing_factor(1.0, 1e9) == pytest.approx(1)


def test_faster_movements_lag_less():
    """The cutoff rises with the speed: on a ramp the lag, as a share of the speed, falls."""

    def lag(speed, slope):
        smooth = OneEuroFilter(slope=slope)
        for n in range(300):
            value = speed * n / 30
            answer = float(smooth(value, n / 30))
        return (value - answer) / speed  # seconds behind

    assert lag(1, 0.0) == pytest.approx(lag(100, 0.0), rel=1e-6), (
        "without a slope lag does not depend on speed"
    )
    assert lag(100, 0.1) < 0.2 * lag(1, 0.1)
    assert lag(100, 0.1) > 0


def test_it_removes_most_of_the_jitter_at_rest():
    noise = np.random.default_rng(1).normal(0, 1, 600)
    smooth = OneEuroFilter()
    found = [float(smooth(value, n / 30)) for n, value in enumerate(noise)][60:]
    assert np.std(found) < 0.4 * np.std(noise)


def test_arrays_are_smoothed_entry_by_entry():
    rng = np.random.default_rng(2)
    path = rng.normal(size=(20, 21, 3))
    whole = OneEuroFilter(slope=0.3)
    found = np.stack([whole(value, n / 25) for n, value in enumerate(path)])
    single = OneEuroFilter(slope=0.3)
    alone = [float(single(value[4, 1], n / 25)) for n, value in enumerate(path)]
    np.testing.assert_allclose(found[:, 4, 1], alone)


def test_the_answer_is_not_the_callers_array():
    smooth = OneEuroFilter()
    values = np.array([1.0, 2.0])
    smooth(values, 0.0)
    values[:] = 100
    np.testing.assert_array_equal(smooth(np.array([1.0, 2.0]), 1.0), [1.0, 2.0])


def test_the_same_moment_changes_nothing_and_an_earlier_one_is_refused():
    smooth = OneEuroFilter()
    smooth(1.0, 5.0)
    assert smooth(9.0, 5.0) == 1.0
    with pytest.raises(CompanionError, match="earlier moment"):
        smooth(1.0, 4.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308])
def test_a_missing_reading_is_skipped(bad):
    """The value stays, and later ones are as if it had never been asked for."""
    smooth, without = OneEuroFilter(slope=0.5), OneEuroFilter(slope=0.5)
    for now, value in enumerate([1.0, 2.0, 4.0]):
        smooth(value, now), without(value, now)
    stays = float(without(4.0, 2.0))
    assert float(smooth(bad, 2.5)) == stays
    assert [float(smooth(v, t)) for t, v in ((3, 5.0), (4, 5.5))] == [
        float(without(v, t)) for t, v in ((3, 5.0), (4, 5.5))
    ]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_moment_that_is_none_is_no_reading(bad):
    smooth, without = OneEuroFilter(slope=0.5), OneEuroFilter(slope=0.5)
    for now in (0.0, bad, 1.0, 2.0):
        found = smooth(now**2 if math.isfinite(now) else 7.0, now)
        expected = without(now**2, now) if math.isfinite(now) else expected  # noqa: F821
        assert found == expected


def test_before_any_reading_there_is_nothing_to_say():
    smooth = OneEuroFilter()
    assert math.isnan(smooth(math.inf, 0.0))
    assert smooth(3.0, 1.0) == 3.0
    smooth.reset()
    assert math.isnan(smooth(math.nan, 0.0))


def test_in_an_array_only_the_missing_entries_are_skipped():
    path = np.random.default_rng(3).normal(size=(12, 4))
    path[3, 1] = np.nan
    path[5, 2] = np.inf
    path[:4, 3] = np.nan  # seen late
    whole = OneEuroFilter(slope=0.3)
    found = np.stack([whole(row, n / 25) for n, row in enumerate(path)])
    for entry in range(4):
        alone = OneEuroFilter(slope=0.3)
        expected = [float(alone(row[entry], n / 25)) for n, row in enumerate(path)]
        np.testing.assert_allclose(found[:, entry], expected)
    assert np.isfinite(found[4:]).all()


@pytest.mark.parametrize("wrong", [{"min_cutoff": 0}, {"speed_cutoff": -1}, {"slope": -0.1}])
def test_settings_that_make_no_filter_are_refused(wrong):
    with pytest.raises(CompanionError, match="cutoffs above zero"):
        OneEuroFilter(**wrong)


def test_a_switch_keeps_its_state_between_the_thresholds():
    switch = Hysteresis(on=0.7, off=0.3)
    assert [switch(value) for value in (0.5, 0.69, 0.7, 0.5, 0.31, 0.3, 0.5)] == [
        False, False, True, True, True, False, False,
    ]  # fmt: skip


def test_a_switch_for_small_values_works_the_other_way_round():
    switch = Hysteresis(on=0.3, off=0.5)
    assert [switch(value) for value in (0.4, 0.3, 0.4, 0.49, 0.5, 0.4)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


@given(st.lists(st.floats(0.31, 0.49), min_size=1), st.booleans())
def test_a_switch_never_flutters_between_its_thresholds(values, state):
    switch = Hysteresis(on=0.3, off=0.5, state=state)
    assert {switch(value) for value in values} == {state}


def test_one_threshold_is_refused():
    with pytest.raises(CompanionError, match="two different thresholds"):
        Hysteresis(0.5, 0.5)


def test_holding_still_locks_and_moving_begins_anew():
    lock = HoldToLock(seconds=1.0, tolerance=0.1)
    assert lock(0.5, 0.0) is None
    assert lock(0.55, 0.9) is None
    assert lock.held(0.5) == 0.5
    assert lock(0.9, 0.95) is None, "moved: the second begins here"
    assert lock(0.9, 1.9) is None
    assert lock(0.85, 1.95) == 0.85
    assert lock.held(1.95) == 1
    assert lock(0.1, 9.0) == 0.85, "locked"
    lock.reset()
    assert lock.locked is None
    assert lock.held(9.0) == 0
    assert lock(0.1, 9.0) is None


def test_a_slow_drift_does_not_lock():
    """Stillness is measured from where the holding began, not from the last value."""
    lock = HoldToLock(seconds=1.0, tolerance=0.05)
    assert all(lock(0.2 * n / 30, n / 30) is None for n in range(150))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_missing_reading_neither_locks_nor_breaks_a_holding(bad):
    lock = HoldToLock(seconds=1.0, tolerance=0.1)
    assert lock(bad, 0.0) is None
    assert lock(bad, 5.0) is None, "nothing is held"
    assert lock(0.5, 6.0) is None
    assert lock(bad, 6.5) is None
    assert lock(0.9, bad) is None
    assert lock(0.55, 7.0) == 0.55
    assert lock(bad, 8.0) == 0.55


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("state", [True, False])
def test_a_missing_reading_leaves_a_switch_as_it_is(bad, state):
    assert Hysteresis(on=0.55, off=0.75, state=state)(bad) is state
