"""Guards the latents' tools against closed forms: directions, edits, walks, likelihoods, and privacy checks."""

import math

import pytest
import torch
from PIL import Image
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from companion import latent
from companion.errors import CompanionError
from companion.models.vae import VAE, VAEConfig
from companion.variational import bernoulli_likelihood


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def model() -> VAE:
    torch.manual_seed(0)
    return VAE(VAEConfig(size=32, channels=1, latents=3, width=4)).eval()


# ---- coding ----


def test_an_edit_by_nothing_is_the_reconstruction_and_by_a_direction_its_step(model):
    images, direction = torch.rand(2, 1, 32, 32) * 2 - 1, drawn(3)
    codes = latent.codes(model, images)
    assert torch.equal(latent.edited(model, images, {}, {}), latent.decoded(model, codes))
    found = latent.edited(model, images, {"smile": direction}, {"smile": -0.5})
    torch.testing.assert_close(found, latent.decoded(model, codes - 0.5 * direction))


def test_codes_do_not_depend_on_the_batch(model):
    images = torch.rand(5, 1, 32, 32) * 2 - 1
    torch.testing.assert_close(
        latent.codes(model, images), latent.codes(model, images, batch=2), atol=1e-6, rtol=0
    )


def test_an_unknown_slider_and_a_wrong_shape_are_one_sentence(model):
    with pytest.raises(CompanionError, match=r"There is no direction called “smiel”; did you mean smile\?"):
        latent.edited(model, torch.zeros(1, 1, 32, 32), {"smile": drawn(3)}, {"smiel": 1.0})
    with pytest.raises(CompanionError, match=r"shape \(N, 1, 32, 32\), not \(1, 3, 64, 64\)"):
        latent.codes(model, torch.zeros(1, 3, 64, 64))


# ---- directions ----


def clouds(count: int = 4000) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes in which attribute A moves axis 0, B axis 1, and most of those with A have B as well."""
    a = torch.arange(count) % 2 == 0
    lucky = torch.rand(count, generator=torch.Generator().manual_seed(3)) < 0.9
    b = torch.where(lucky, a, ~a)
    codes = drawn(count, 3)
    codes[:, 0] += 2.0 * a
    codes[:, 1] += 2.0 * b
    return codes, a, b


def test_the_difference_of_means_takes_along_what_goes_with_it_and_the_logistic_direction_less():
    codes, a, _ = clouds()
    means, logistic = latent.mean_direction(codes, a), latent.logistic_direction(codes, a)
    torch.testing.assert_close(means, codes[a].mean(0) - codes[~a].mean(0))
    assert means[0].item() == pytest.approx(2.0, abs=0.1)
    assert means[1].item() == pytest.approx(1.6, abs=0.15)  # 0.9 − 0.1 of B's two steps
    assert abs(logistic[1] / logistic[0]) < 0.75 * abs(means[1] / means[0])


def test_a_logistic_step_is_as_long_as_the_means_lie_apart_along_it():
    codes, a, _ = clouds()
    direction = latent.logistic_direction(codes, a)
    unit = direction / direction.norm()
    gap = codes[a].mean(0) - codes[~a].mean(0)
    assert direction.norm().item() == pytest.approx((gap @ unit).item(), rel=1e-4)


def test_an_orthogonal_direction_shares_nothing_with_the_others_and_keeps_the_rest():
    one, others = drawn(5), {"a": drawn(5, seed=1), "b": drawn(5, seed=2)}
    found = latent.orthogonal(one, others)
    for other in others.values():
        assert (found @ other).item() == pytest.approx(0, abs=1e-5)
    basis = torch.stack([*others.values()], 1)
    residue = torch.linalg.lstsq(basis, one - found).residuals
    assert float(residue.sum()) == pytest.approx(0, abs=1e-8)  # what was taken away lies in their plane
    assert torch.equal(latent.orthogonal(one, {}), one)
    torch.testing.assert_close(latent.orthogonal(found, others), found)


def test_principal_directions_are_those_of_the_covariance():
    codes = drawn(500, 3) * torch.tensor([1.0, 3.0, 0.2]) + 5
    directions, shares = latent.principal_directions(codes, 3)
    values, vectors = torch.linalg.eigh(torch.cov(codes.T))
    torch.testing.assert_close(directions.norm(dim=1), values.flip(0).sqrt(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shares, values.flip(0) / values.sum(), atol=1e-5, rtol=1e-4)
    alike = (directions / directions.norm(dim=1, keepdim=True) @ vectors.flip(1)).abs()
    torch.testing.assert_close(alike, torch.eye(3), atol=1e-3, rtol=0)


def test_responses_are_mean_changes_of_probability():
    sure = torch.tensor([[-50.0, 0.0], [-50.0, 0.0]])
    after = torch.tensor([[50.0, 0.0], [-50.0, 0.0]])
    torch.testing.assert_close(latent.responses(sure, after), torch.tensor([0.5, 0.0]))


def test_classes_that_lie_apart_are_told_apart_and_noise_is_not():
    labels = torch.arange(600) % 3
    apart = drawn(600, 4) + 6 * nn.functional.one_hot(labels, 4)
    noise = drawn(600, 4, seed=1)

    def score(codes: torch.Tensor) -> float:
        return latent.separability(
            codes[:300], labels[:300], held_out=codes[300:], held_out_labels=labels[300:]
        )

    assert score(apart) > 0.98
    assert score(noise) == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("find", [latent.mean_direction, latent.logistic_direction])
def test_a_direction_needs_both_kinds(find):
    with pytest.raises(CompanionError, match="all of these are alike"):
        find(drawn(4, 2), torch.ones(4, dtype=torch.bool))
    with pytest.raises(CompanionError, match="4 codes and labels of shape"):
        find(drawn(4, 2), torch.ones(3, dtype=torch.bool))


# ---- walks ----


def test_a_walk_visits_its_stations_and_goes_straight_or_around():
    stations = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    straight, around = latent.walk(stations, 4), latent.walk(stations, 4, spherical=True)
    assert straight.shape == around.shape == (9, 2)
    for way in (straight, around):
        torch.testing.assert_close(way[::4], stations, atol=1e-6, rtol=0)
    torch.testing.assert_close(straight[2], torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(around.norm(dim=1), torch.ones(9))
    with pytest.raises(CompanionError, match="two stations"):
        latent.walk(stations[:1], 4)


@pytest.mark.parametrize(("ending", "kind"), [("gif", "GIF"), ("webp", "WEBP"), ("png", "PNG")])
def test_a_walk_is_kept_with_all_its_frames(tmp_path, ending, kind):
    frames = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 1, 8, 8)
    with Image.open(latent.save_walk(frames, tmp_path / f"walk.{ending}", scale=2)) as picture:
        assert picture.format == kind
        assert picture.n_frames == 5
        assert picture.size == (16, 16)


def test_a_walk_is_kept_as_a_video(tmp_path):
    pytest.importorskip("av")
    from companion.vision.films import Video

    frames = torch.rand(6, 3, 32, 32) * 2 - 1
    with Video(latent.save_walk(frames, tmp_path / "walk.mp4")) as film:
        times = [frame.seconds for frame in film]
    assert times == pytest.approx([number / 12 for number in range(6)], abs=1e-3)


def test_an_unknown_ending_is_one_sentence(tmp_path):
    with pytest.raises(CompanionError, match=r"saved as “walk.mov”; give a name that ends in .gif"):
        latent.save_walk(torch.zeros(2, 1, 8, 8), tmp_path / "walk.mov")


# ---- likelihood ----


class Line(nn.Module):
    """A decoder of one latent whose raw outputs are a line in it: a likelihood that can be integrated."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.slope = nn.Parameter(drawn(1, 1, 32, 32) / 30)

    def raw(self, latents: torch.Tensor) -> torch.Tensor:
        return latents[:, :, None, None] * self.slope


@pytest.fixture(scope="module")
def line() -> VAE:
    torch.manual_seed(0)
    vae = VAE(VAEConfig(size=32, channels=1, latents=1, width=4)).eval()
    vae.decoder = Line(vae.config)
    return vae


@pytest.mark.slow
def test_the_estimate_is_the_integral_over_the_latent(line):
    """With one latent, log ∫ p(x|z) p(z) dz is a sum over a fine grid; the encoder may be a poor one."""
    images = (drawn(3, 1, 32, 32, seed=5) > 0).float() * 2 - 1
    grid = torch.linspace(-8, 8, 4001)
    step = float(grid[1] - grid[0])
    fits = torch.stack(
        [bernoulli_likelihood(images, (z * line.decoder.slope).expand_as(images)) for z in grid]
    )  # (4001, 3)
    prior = -0.5 * grid.square() - 0.5 * math.log(2 * math.pi)
    wanted = torch.logsumexp(fits + prior[:, None], 0) + math.log(step)
    found = latent.log_likelihood(line, images, draws=20_000, chunk=5000)
    torch.testing.assert_close(found, wanted.detach(), atol=0.05, rtol=0)


def test_one_draw_is_the_lower_bound_and_more_draws_come_closer(line):
    images = (drawn(20, 1, 32, 32, seed=6) > 0).float() * 2 - 1
    few, many = (latent.log_likelihood(line, images, draws=k).mean() for k in (1, 500))
    assert few < many
    assert torch.equal(
        latent.log_likelihood(line, images, draws=5), latent.log_likelihood(line, images, draws=5)
    )


def test_a_decoder_that_ignores_its_latents_has_a_likelihood_without_variance(line):
    """Where nothing depends on z the estimate is exact under the prior: each pixel is a fair coin."""
    with torch.no_grad():
        line.decoder.slope.zero_()
        line.encoder.head.weight.zero_()
        line.encoder.head.bias.zero_()  # q = p
    images = torch.ones(2, 1, 32, 32)
    found = latent.log_likelihood(line, images, draws=7)
    torch.testing.assert_close(found, torch.full((2,), -1024 * math.log(2)), rtol=1e-5, atol=0)


def test_units_that_vary_are_counted():
    codes = drawn(1000, 4) * torch.tensor([1.0, 0.5, 0.05, 0.0])
    assert latent.active_units(codes) == 2


# ---- privacy ----


def test_a_frame_that_repeats_a_training_image_is_flagged_and_others_are_not():
    def pictures(count: int, seed: int) -> torch.Tensor:
        return torch.rand((count, 1, 8, 8), generator=torch.Generator().manual_seed(seed)) * 2 - 1

    training, strangers, frames = pictures(200, 1), pictures(200, 2), pictures(5, 3)
    frames[2] = training[17] + 0.01
    found = latent.check_walk(frames, training, strangers)
    assert found.flagged.tolist() == [False, False, True, False, False]
    assert found.nearest[2] == 17
    assert found.distance[2].item() == pytest.approx(0.01 * 8, rel=1e-3)
    assert found.ratio[2] < 0.1


def test_a_walk_keeps_its_ends_and_its_distance():
    """A straight line through a training code bends around it; one that meets none stays as it is."""
    way = latent.walk(torch.tensor([[-2.0, 0.01], [2.0, 0.01]]), 20)
    codes = torch.tensor([[0.0, 0.0], [9.0, 9.0]])
    bent = latent.avoiding(way, codes, margin=0.7)
    assert torch.equal(bent[[0, -1]], way[[0, -1]])
    assert torch.cdist(bent[1:-1], codes).min() >= 0.7 - 1e-4
    longest = (bent[1:] - bent[:-1]).norm(dim=1).max()
    assert longest < 4 * (way[1:] - way[:-1]).norm(dim=1).max(), "no leaps"
    free = latent.avoiding(way, codes + 50, margin=0.7)
    torch.testing.assert_close(free, way, atol=1e-3, rtol=0)


def test_membership_is_the_area_under_the_curve():
    low, high = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5])
    assert latent.membership(low, high) == 1.0
    assert latent.membership(high, low) == 0.0
    assert latent.membership(low, low) == 0.5


# ---- where codes lie ------------------------------------------------------------------------------------------------


def test_a_mixture_finds_the_groups_that_codes_lie_in():
    """Two narrow clouds: the density is the one they were drawn with, and so are new draws."""
    groups = MixtureSameFamily(
        Categorical(torch.tensor([0.25, 0.75])),
        MultivariateNormal(
            torch.tensor([[-3.0, 0.0], [3.0, 1.0]]),
            torch.tensor([[[0.2, 0.15], [0.15, 0.4]], [[0.1, 0.0], [0.0, 0.3]]]),
        ),
    )
    torch.manual_seed(1)
    mixture = latent.fitted_mixture(groups.sample((4000,)), parts=2)
    unseen = groups.sample((4000,))
    divergence = (groups.log_prob(unseen) - mixture.log_prob(unseen)).mean()
    assert 0 <= divergence + 2e-3 < 0.02
    drawn = mixture.sample((4000,))
    assert (drawn[:, 0] < 0).float().mean() == pytest.approx(0.25, abs=0.03)
    blind = latent.fitted_mixture(groups.sample((4000,)), parts=1)
    assert (mixture.log_prob(unseen) - blind.log_prob(unseen)).mean() > 0.5, "one Gaussian cannot"


def test_a_mixture_needs_more_codes_than_parts():
    with pytest.raises(
        CompanionError, match="cannot be fitted to 20 codes; code more images, or choose fewer"
    ):
        latent.fitted_mixture(torch.randn(20, 3), parts=10)
