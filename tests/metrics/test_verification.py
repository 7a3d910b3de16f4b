"""Guards the numbers by which verification is judged."""

import math

import pytest
import torch

from companion.errors import CompanionError
from companion.metrics.verification import accepted_in_folds, recall_at_one, verification, whitened


def test_scores_that_never_overlap_are_perfect_and_reversed_ones_the_worst():
    perfect = verification(torch.tensor([0.8, 0.9]), torch.tensor([0.1, 0.2, 0.3]))
    assert (perfect.area, perfect.true_accepts, perfect.equal_error) == (1, 1, 0)
    assert verification(torch.tensor([0.1]), torch.tensor([0.8, 0.9])).area == 0


def test_two_shifted_normals_have_a_known_area_and_error():
    """For unit normals d apart the area is Φ(d/√2), the equal error Φ(−d/2), and TAR at FAR 1 % is Φ(d − Φ⁻¹(0.99))."""
    d, count = 2.0, 200_000
    generator = torch.Generator().manual_seed(0)
    same, different = (torch.randn(count, generator=generator) + shift for shift in (d, 0.0))
    found = verification(same, different)
    normal = torch.distributions.Normal(0.0, 1.0)
    assert found.area == pytest.approx(normal.cdf(torch.tensor(d / math.sqrt(2))).item(), abs=2e-3)
    assert found.equal_error == pytest.approx(normal.cdf(torch.tensor(-d / 2)).item(), abs=3e-3)
    at = torch.tensor(d) - normal.icdf(torch.tensor(0.99))
    assert found.true_accepts == pytest.approx(normal.cdf(at).item(), abs=6e-3)


def test_equal_scores_are_a_coin_toss():
    assert verification(torch.zeros(5), torch.zeros(7)).area == 0.5


@pytest.mark.parametrize(("same", "different"), [([], [1.0]), ([1.0], []), ([float("nan")], [1.0])])
def test_pairs_that_cannot_be_judged_are_refused(same, different):
    with pytest.raises(CompanionError, match="pairs|not finite"):
        verification(torch.tensor(same), torch.tensor(different))


def test_recall_counts_whose_nearest_is_themselves_whatever_the_lengths():
    gallery = torch.eye(3)
    queries = torch.tensor(
        [[5.0, 1.0, 0.0], [0.9, 1.0, 0.0], [0.0, 0.2, 0.1]]
    )  # the third is nearest the second
    assert recall_at_one(queries, gallery) == pytest.approx(2 / 3)


# ---- folds ----


def normals(people: int, apart: float) -> torch.Tensor:
    """Likenesses of everybody's two pictures: unit normals, those of same pairs moved up."""
    alike = torch.randn(people, people, generator=torch.Generator().manual_seed(0))
    return alike + apart * torch.eye(people)


@pytest.mark.parametrize("false", [0.01, 0.001])
def test_in_folds_shifted_normals_have_the_rate_of_their_distribution(false):
    people = torch.arange(2000)
    found = accepted_in_folds(normals(2000, 3.0), (people, people), false=false)
    normal = torch.distributions.Normal(0.0, 1.0)
    wanted = float(normal.cdf(3.0 - normal.icdf(torch.tensor(1 - false))))
    assert found.shape == (10,)
    assert float(found.mean()) == pytest.approx(wanted, abs=0.04)
    assert float(found.std()) == pytest.approx(math.sqrt(wanted * (1 - wanted) / 200), rel=0.6)


def test_a_fold_is_judged_by_the_others_threshold_alone():
    """Different pairs within the last fold, or between it and others, may score as they like."""
    people = torch.arange(100)
    alike = normals(100, 3.0)
    spoilt, last = alike.clone(), people % 10 == 9
    others = people[:, None] != people
    spoilt[(last[:, None] | last) & others] = 1000.0
    plain, found = (accepted_in_folds(one, (people, people), false=0.01) for one in (alike, spoilt))
    assert found[9] == plain[9]
    assert (found[:9] == 0).all()  # whose thresholds those scores have set


def test_pictures_with_themselves_are_not_asked_about():
    """Three pictures each of forty people, every pair once: a picture is as like itself as can be."""
    people = torch.arange(40).repeat_interleave(3)
    alike = torch.randn(120, 120, generator=torch.Generator().manual_seed(0))
    alike = alike.fill_diagonal_(1000.0)
    once = torch.ones(120, 120, dtype=torch.bool).triu(1)
    found = accepted_in_folds(alike, (people, people), false=0.05, asked=once)
    assert float(found.mean()) == pytest.approx(0.05, abs=0.05)
    assert float(accepted_in_folds(alike, (people, people), false=0.05).mean()) > 0.3


def test_too_few_people_for_a_rate_are_refused():
    people = torch.arange(10)
    with pytest.raises(CompanionError, match="too few to tell a false accept in 1000"):
        accepted_in_folds(normals(10, 1.0), (people, people), false=0.001)


@pytest.mark.parametrize("wrong", [dict(folds=1), dict(folds=0), dict(false=0.0), dict(false=1.0)], ids=str)
def test_folds_that_set_no_thresholds_are_refused(wrong):
    people = torch.arange(40)
    with pytest.raises(CompanionError, match="set no thresholds; give two folds or more"):
        accepted_in_folds(torch.eye(40), (people, people), **{"false": 0.1, **wrong})


def test_likenesses_that_are_no_numbers_are_refused():
    people = torch.arange(40)
    with pytest.raises(CompanionError, match="not finite; check the embeddings"):
        accepted_in_folds(torch.full((40, 40), math.nan), (people, people), false=0.1)


def test_who_is_only_as_alike_as_the_threshold_is_not_accepted():
    people = torch.arange(40)
    found = accepted_in_folds(torch.ones(40, 40), (people, people), false=0.1)
    assert (found == 0).all()


# ---- whitening ----


def test_rows_are_measured_in_the_spread_within_people_around_their_mean():
    """Two others, 20 apart; each varies by ±3 along the first axis and ±4 along the second: that is one, not 20."""
    views = torch.tensor([[3.0, 4.0], [3.0, -4.0], [-3.0, 4.0], [-3.0, -4.0]])
    known = torch.stack([views + torch.tensor([17.0, 5.0]), views + torch.tensor([-3.0, 5.0])])
    asked = torch.tensor([[7.0, 5.0], [10.0, 5.0], [7.0, 9.0]])
    found = whitened({"one": asked, "other": asked + torch.tensor([20.0, 0.0])}, known)
    slack = 1e-4 * (9 + 16) / 2  # what keeps a direction without any spread from counting for all
    across, up = 3 / (9 + slack) ** 0.5, 4 / (16 + slack) ** 0.5
    wanted = torch.tensor([[0, 0], [across, 0], [0, up]])
    torch.testing.assert_close(found["one"].abs(), wanted, atol=1e-5, rtol=1e-5)
    away = (found["other"] - found["one"]).norm(dim=1)
    torch.testing.assert_close(away, torch.full((3,), 20 / 3 * across), rtol=1e-5, atol=0)


def test_whitened_rows_vary_by_one_within_a_person_in_every_direction():
    """Of others' rows, with a spread that differs by place and leans."""
    torch.manual_seed(0)
    lean = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 4.0]])
    known = 5 * torch.randn(400, 1, 3) + torch.randn(400, 6, 3) @ lean + 7
    rows = whitened({"all": known.flatten(0, 1)}, known)["all"].view(400, 6, 3)
    within = (rows - rows.mean(1, keepdim=True)).flatten(0, 1)
    torch.testing.assert_close(within.T @ within / len(within), torch.eye(3), atol=0.05, rtol=0)
    assert rows.mean((0, 1)).abs().max() < 1e-3
