"""Guards the Fréchet and kernel distances: against torch-fidelity, against closed forms, and by their own laws."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from companion.errors import CompanionError
from companion.metrics import frechet_distance, kernel_distance, measure


def features(count: int, size: int, seed: int, *, shift: float = 0.0, scale: float = 1.0) -> Tensor:
    """Correlated, skewed features, as a network's are."""
    draw = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=torch.Generator().manual_seed(99)).double() / size**0.5
    return (torch.randn(count, size, generator=draw).double() @ mixing * scale + shift).relu()


@pytest.mark.parametrize(("real_count", "fake_count", "size"), [(300, 200, 16), (200, 300, 64), (40, 50, 64)])
def test_frechet_distance_agrees_with_torch_fidelity(real_count, fake_count, size):
    """Also where there are fewer images than features, and the covariances are singular."""
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    real, fake = features(real_count, size, 1), features(fake_count, size, 2, shift=0.3, scale=1.4)
    statistics = [fid.fid_features_to_statistics(part) for part in (real, fake)]
    wanted = fid.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(real, fake) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_kernel_distance_of_whole_sets_agrees_with_torch_fidelity():
    """With subsets as large as the sets there is only one, so both must find the same number."""
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    real, fake = features(80, 12, 1), features(80, 12, 2, shift=0.2)
    wanted = kid.kid_features_to_metric(
        real, fake, kid_subsets=1, kid_subset_size=80, rng_seed=0, verbose=False
    )
    mean, spread = kernel_distance(real, fake, subsets=3, size=80)
    assert mean == pytest.approx(wanted["kernel_inception_distance_mean"], rel=1e-9)
    assert spread == pytest.approx(0, abs=1e-9)


def test_kernel_distance_over_subsets_agrees_with_torch_fidelity_in_mean_and_spread():
    """Other random subsets, so within the statistical error of 400 of them."""
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    real, fake = features(600, 12, 1), features(500, 12, 2, shift=0.1)
    options = {"kid_subsets": 400, "kid_subset_size": 100, "rng_seed": 0, "verbose": False}
    theirs = kid.kid_features_to_metric(real, fake, **options)
    mean, spread = kernel_distance(real, fake, subsets=400, size=100)
    wanted, wanted_spread = theirs["kernel_inception_distance_mean"], theirs["kernel_inception_distance_std"]
    assert abs(mean - wanted) < 4 * wanted_spread * (2 / 400) ** 0.5
    assert spread == pytest.approx(wanted_spread, rel=0.25)


def with_moments(count: int, mean: Tensor, deviations: Tensor) -> Tensor:
    """Points whose sample mean and covariance are exactly these, so that a closed form must hold exactly."""
    points = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(0)).double()
    points -= points.mean(0)
    whitened = points @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(points.T)).T)
    return whitened * deviations + mean


@settings(max_examples=30)
@given(
    gap=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    first=st.lists(st.floats(0.1, 4), min_size=3, max_size=3),
    second=st.lists(st.floats(0.1, 4), min_size=3, max_size=3),
)
def test_frechet_distance_of_two_gaussians_is_the_closed_form(gap, first, second):
    """For diagonal covariances: ‖μ₁ − μ₂‖² + Σ (σ₁ − σ₂)²."""
    gap, first, second = (torch.tensor(values).double() for values in (gap, first, second))
    wanted = (gap.square() + (first - second).square()).sum()
    real = with_moments(50, torch.zeros(3).double(), first)
    assert frechet_distance(real, with_moments(50, gap, second)) == pytest.approx(wanted.item(), abs=1e-6)


def test_frechet_distance_of_correlated_gaussians_against_scipys_matrix_root():
    """Tr (Σ₁Σ₂)^½ with covariances that do not commute, by another library's root."""
    from scipy.linalg import sqrtm

    real, fake = features(400, 6, 1), features(400, 6, 2, scale=2.0, shift=-0.2)
    first, second = (torch.cov(part.T).numpy() for part in (real, fake))
    root = np.trace(sqrtm(first @ second)).real
    gap = (real.mean(0) - fake.mean(0)).square().sum().item()
    wanted = gap + np.trace(first) + np.trace(second) - 2 * root
    assert frechet_distance(real, fake) == pytest.approx(wanted, rel=1e-9)


def test_kernel_distance_is_the_mean_over_pairs_written_out():
    """(x·y/D + 1)³ over pairs of different images within each set and all pairs between them."""
    real, fake = features(5, 3, 1), features(5, 3, 2)

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    pairs = [(i, j) for i in range(5) for j in range(5)]
    wanted = sum(kernel(real[i], real[j]) + kernel(fake[i], fake[j]) for i, j in pairs if i != j) / 20
    wanted -= 2 * sum(kernel(real[i], fake[j]) for i, j in pairs) / 25
    assert kernel_distance(real, fake, subsets=1)[0] == pytest.approx(wanted, rel=1e-9)


def test_kernel_distance_is_unbiased_where_the_frechet_distance_is_not():
    """Of two samples from one distribution: about zero whatever the count, while the Fréchet distance falls with it."""
    small, large = [(features(n, 16, 2), features(n, 16, 3)) for n in (60, 2000)]
    values = [
        kernel_distance(features(60, 16, s), features(60, 16, s + 1), subsets=1)[0] for s in range(0, 60, 2)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / len(values) ** 0.5
    assert min(values) < 0
    assert frechet_distance(*small) > 5 * frechet_distance(*large)


@settings(max_examples=15)
@given(seed=st.integers(0, 99), count=st.integers(20, 60), size=st.integers(1, 8))
def test_distances_are_symmetric_and_zero_between_a_set_and_itself(seed, count, size):
    real, fake = features(count, size, seed), features(count, size, seed + 1, shift=0.5)
    assert frechet_distance(real, fake) == pytest.approx(frechet_distance(fake, real), rel=1e-7, abs=1e-7)
    assert frechet_distance(real, fake) > -1e-9
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
    both = [kernel_distance(*pair, subsets=1)[0] for pair in ((real, fake), (fake, real))]
    assert both[0] == pytest.approx(both[1], rel=1e-9, abs=1e-9)


def test_distances_do_not_depend_on_the_order_of_the_images():
    real, fake = features(50, 4, 1), features(50, 4, 2)
    assert frechet_distance(real.flip(0), fake) == pytest.approx(frechet_distance(real, fake))
    shuffled = kernel_distance(real.flip(0), fake, subsets=1)[0]
    assert shuffled == pytest.approx(kernel_distance(real, fake, subsets=1)[0])


def test_distances_grow_with_what_is_wrong():
    real = features(400, 8, 1)
    shifts = [features(400, 8, 2, shift=shift) for shift in (0.0, 0.5, 2.0)]
    for distance in (frechet_distance, lambda a, b: kernel_distance(a, b, size=200)[0]):
        values = [distance(real, fake) for fake in shifts]
        assert values == sorted(values)


def test_subsets_follow_the_seed_and_leave_the_readers_random_numbers_alone():
    real, fake = features(90, 4, 1), features(90, 4, 2)
    torch.manual_seed(5)
    wanted = torch.rand(2)
    torch.manual_seed(5)
    first = kernel_distance(real, fake, subsets=4, size=20, seed=1)
    assert torch.equal(torch.rand(2), wanted)
    assert kernel_distance(real, fake, subsets=4, size=20, seed=1) == first
    assert kernel_distance(real, fake, subsets=4, size=20, seed=2) != first
    assert first[1] > 0


@pytest.mark.parametrize(
    ("real", "fake"),
    [((5, 3), (5, 4)), ((1, 3), (5, 3)), ((5, 3), (1, 3)), ((5, 3, 2), (5, 3, 2)), ((5,), (5,))],
)
def test_features_that_cannot_be_compared_are_refused(real, fake):
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(CompanionError, match="same extractor"):
            distance(torch.zeros(real), torch.zeros(fake))


class Means:
    """An extractor anybody could write: the mean of each channel."""

    protocol = "channel means"

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean((2, 3)).double()


def test_measure_stamps_its_protocol_on_both_numbers():
    real, fake = torch.rand(30, 3, 4, 4), torch.rand(20, 3, 4, 4)
    frechet, kernel = measure(real, fake, Means())
    assert frechet.value == frechet_distance(Means()(real), Means()(fake))
    assert kernel.value == kernel_distance(Means()(real), Means()(fake))[0]
    assert frechet.protocol == "channel means, 30 real and 20 fake images"
    assert kernel.protocol == "channel means, 30 real and 20 fake images, 100 subsets of 20"
    assert "channel means" in str(frechet)
