"""Guards that every objective computes its paper's equations, with gradients that are right and finite."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from companion.errors import CompanionError
from companion.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    NonSaturatingR1,
    Objective,
    OneSidedWassersteinGP,
    Wasserstein,
    WassersteinGP,
    mixes_batch,
)

ALL = [
    Minimax(),
    Minimax(smoothing=0.1),
    NonSaturating(),
    NonSaturatingR1(),
    LeastSquares(),
    Hinge(),
    Wasserstein(),
    WassersteinGP(),
    OneSidedWassersteinGP(),
]
scores = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=8).map(torch.tensor)


class Linear(nn.Module):
    """f(x) = a·x for images of any shape."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, images: Tensor) -> Tensor:
        return (images * self.a).flatten(1).sum(1)


def reference_critic_loss(real: Tensor, fake: Tensor, label: float) -> Tensor:
    """The two-player game as PyTorch's binary cross-entropy says it, in double precision."""
    real, fake = real.double(), fake.double()
    return cross_entropy(real, torch.full_like(real, label)) + cross_entropy(fake, torch.zeros_like(fake))


@given(real=scores, fake=scores, smoothing=st.floats(0, 0.5))
def test_critic_loss_is_the_binary_cross_entropy_with_smoothed_real_labels(real, fake, smoothing):
    """One-sided: the real label becomes 1 − smoothing, the fake label stays 0."""
    wanted = reference_critic_loss(real, fake, 1 - smoothing)
    for objective in (Minimax(smoothing=smoothing), NonSaturating(smoothing=smoothing)):
        torch.testing.assert_close(objective.critic_loss(real, fake).double(), wanted, rtol=1e-5, atol=1e-5)


@given(fake=scores)
def test_generator_losses_of_the_game_are_its_two_published_forms(fake):
    """Minimax: E[log(1 − D)], equation 1; non-saturating: −E[log D], both as cross-entropies."""
    double = fake.double()
    saturating = -cross_entropy(double, torch.zeros_like(double))
    strong = cross_entropy(double, torch.ones_like(double))
    torch.testing.assert_close(Minimax().generator_loss(fake).double(), saturating, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(NonSaturating().generator_loss(fake).double(), strong, rtol=1e-5, atol=1e-5)


def test_losses_stay_finite_where_a_sigmoid_would_be_exactly_zero_or_one():
    """Log σ(±200) by way of σ would be log 0."""
    far = torch.tensor([200.0, -200.0])
    for objective in ALL:
        assert objective.critic_loss(far, far).isfinite()
        assert objective.generator_loss(far).isfinite()


@pytest.mark.parametrize("score", [-12.0, -3.0, 0.0, 3.0])
def test_minimax_gradient_vanishes_and_non_saturating_gradient_does_not(score):
    """The generator's gradient by the score is −σ(s) against −σ(−s): the saturation of chapter 1, in numbers."""
    at = torch.tensor([score], requires_grad=True)
    (weak,) = torch.autograd.grad(Minimax().generator_loss(at), at)
    (strong,) = torch.autograd.grad(NonSaturating().generator_loss(at), at)
    sigmoid = 1 / (1 + math.exp(-score))
    assert weak.item() == pytest.approx(-sigmoid, rel=1e-5)
    assert strong.item() == pytest.approx(-(1 - sigmoid), rel=1e-5)


def test_minimax_at_an_undecided_discriminator_has_the_value_of_the_games_equilibrium():
    """V(D*, G*) = −log 4, so the discriminator's loss is log 4."""
    undecided = torch.zeros(5)
    assert Minimax().critic_loss(undecided, undecided).item() == pytest.approx(math.log(4))


@given(real=scores, fake=scores)
def test_least_squares_is_equation_9(real, fake):
    """½ E[(D(x) − 1)²] + ½ E[D(G(z))²], and ½ E[(D(G(z)) − 1)²]."""
    critic = sum((s - 1) ** 2 for s in real.tolist()) / (2 * len(real))
    critic += sum(s**2 for s in fake.tolist()) / (2 * len(fake))
    generator = sum((s - 1) ** 2 for s in fake.tolist()) / (2 * len(fake))
    assert LeastSquares().critic_loss(real, fake).item() == pytest.approx(critic, rel=1e-4, abs=1e-5)
    assert LeastSquares().generator_loss(fake).item() == pytest.approx(generator, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("objective", [Wasserstein(), WassersteinGP()])
def test_wasserstein_losses_are_means_with_labels_of_plus_and_minus_one(objective):
    """The label form of many implementations: mean(y·f) with y = −1 for real, +1 for fake."""
    real, fake = torch.tensor([1.0, 4.0, -2.0]), torch.tensor([0.5, -7.0, 2.0])
    labelled = 2 * (torch.cat([-real, fake])).mean()  # equal counts: twice the mean over both
    torch.testing.assert_close(objective.critic_loss(real, fake), labelled)
    torch.testing.assert_close(objective.generator_loss(fake), (-1 * fake).mean())


@pytest.mark.parametrize("objective", ALL, ids=lambda o: type(o).__name__)
def test_critic_prefers_real_above_fake_and_the_generator_wants_higher_scores(objective):
    """Signs: from equal scores, raising real and lowering fake lowers the critic's loss; raising fake, G's."""
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    by_real, by_fake = torch.autograd.grad(objective.critic_loss(real, fake + 0.5), (real, fake))
    assert (by_real < 0).all()
    assert (by_fake > 0).all()
    (by_fake,) = torch.autograd.grad(objective.generator_loss(fake), fake)
    assert (by_fake < 0).all()


@pytest.mark.parametrize("objective", ALL, ids=lambda o: type(o).__name__)
def test_losses_are_scalars_and_means_so_the_batch_size_does_not_matter(objective):
    """Repeating a batch changes nothing."""
    real, fake = torch.randn(5), torch.randn(5)
    once = objective.critic_loss(real, fake), objective.generator_loss(fake)
    twice = objective.critic_loss(real.repeat(2), fake.repeat(2)), objective.generator_loss(fake.repeat(2))
    for a, b in zip(once, twice, strict=True):
        assert a.shape == ()
        torch.testing.assert_close(a, b)


# ---- clipping ----


def test_weights_lie_inside_the_clip_range_after_constraining_whatever_they_were():
    """Every parameter, biases too; those already inside do not move."""
    critic = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))
    with torch.no_grad():
        critic[0].weight.fill_(50.0)
        critic[0].bias.fill_(-50.0)
        critic[1].weight.fill_(0.004)
    Wasserstein(clip=0.01).constrain(critic)
    assert all(weight.abs().max() <= 0.01 for weight in critic.parameters())
    assert (critic[0].bias == -0.01).all()
    assert (critic[1].weight == 0.004).all()


@pytest.mark.parametrize("number", [-1.0, math.nan])
@pytest.mark.parametrize("build", [lambda c: Wasserstein(clip=c), lambda w: WassersteinGP(weight=w)])
def test_a_wall_or_a_weight_that_cannot_be_is_refused(build, number):
    with pytest.raises(CompanionError, match="choose"):
        build(number)


def test_other_objectives_leave_the_weights_alone():
    critic = nn.Linear(4, 1)
    before = critic.weight.clone()
    for objective in (Minimax(), LeastSquares(), WassersteinGP()):
        objective.constrain(critic)
    assert torch.equal(critic.weight, before)


# ---- gradient penalty ----


@settings(max_examples=25)
@given(
    shape=st.sampled_from([(2,), (1, 4, 4), (3, 5, 2), (4, 2, 2)]),
    count=st.integers(1, 5),
    scale=st.floats(0.01, 10),
    weight=st.floats(0.1, 20),
    seed=st.integers(0, 99),
)
def test_penalty_of_a_linear_critic_is_known(shape, count, scale, weight, seed):
    """f(x) = a·x has slope a everywhere, so the penalty is λ(‖a‖ − 1)² whatever the images and their shape."""
    draw = torch.Generator().manual_seed(seed)
    a = scale * torch.randn(shape, generator=draw)
    real, fake = torch.randn(2, count, *shape, generator=draw)
    penalty = WassersteinGP(weight=weight).penalty(Linear(a), real, fake)
    wanted = weight * (float(a.double().norm()) - 1) ** 2
    assert penalty.item() == pytest.approx(wanted, rel=1e-3, abs=1e-4)


def test_penalty_averages_over_images_after_squaring_each_slopes_excess():
    """f(x) = Σ x²/2 has slope x: images of different lengths tell a mean of squares from a square of means."""
    lengths = torch.tensor([0.0, 2.0, 5.0])
    images = lengths[:, None] * torch.tensor([[0.6, 0.8]])
    penalty = WassersteinGP(weight=1.0).penalty(lambda x: x.square().sum(1) / 2, images, images)
    assert penalty.item() == pytest.approx(((lengths - 1) ** 2).mean().item(), rel=1e-5)


def test_one_sided_penalty_minds_only_slopes_above_one():
    """The same images: lengths 0 and 2 and 5 cost 0, 1 and 16; the two-sided penalty charges the flat one, too."""
    lengths = torch.tensor([0.0, 2.0, 5.0])
    images = lengths[:, None] * torch.tensor([[0.6, 0.8]])
    penalty = OneSidedWassersteinGP(weight=3.0).penalty(lambda x: x.square().sum(1) / 2, images, images)
    assert penalty.item() == pytest.approx(3 * (0 + 1 + 16) / 3, rel=1e-5)


def test_r1_fines_the_squared_slope_at_real_images_alone():
    """f(x) = Σ x²/2 has slope x: γ/2 times the mean squared length of the real images, whatever the fakes are."""
    lengths = torch.tensor([0.0, 2.0, 5.0])
    images = lengths[:, None] * torch.tensor([[0.6, 0.8]])
    fine = NonSaturatingR1(weight=3.0).penalty(lambda x: x.square().sum(1) / 2, images, images + 100)
    assert fine.item() == pytest.approx(1.5 * (0 + 4 + 25) / 3, rel=1e-5)


def seen_between(shape: tuple[int, ...], count: int) -> Tensor:
    """Where the penalty asks a critic, for real images of zeros and fakes of ones: x̂ is ε itself."""
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.flatten(1).sum(1)

    WassersteinGP().penalty(critic, torch.zeros(count, *shape), torch.ones(count, *shape))
    return seen[0].flatten(1)


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)])
def test_penalty_draws_one_position_per_image_uniform_on_the_line(shape):
    """All pixels of an image share one ε; over images ε is U[0, 1], by a Kolmogorov–Smirnov bound of 1e-6."""
    torch.manual_seed(0)
    between = seen_between(shape, 4000)
    assert (between == between[:, :1]).all()
    along = between[:, 0].sort().values
    uniform = (torch.arange(4000) + 0.5) / 4000
    assert (along - uniform).abs().max() < 2.69 / math.sqrt(4000)


def test_penalty_lies_on_the_line_between_each_real_image_and_its_own_fake():
    """Image 0 between 0 and 1, image 1 between 100 and 101: pairs are never mixed."""
    seen = []
    real = torch.tensor([0.0, 100.0]).view(2, 1, 1, 1)
    WassersteinGP().penalty(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), real, real + 1)
    assert 0 <= seen[0][0] <= 1
    assert 100 <= seen[0][1] <= 101


def test_penalty_has_a_finite_gradient_where_the_slope_is_zero():
    """A constant critic: √(Σ g²) would have gradient NaN there."""
    critic = Linear(torch.zeros(3, 2, 2))
    images = torch.randn(4, 3, 2, 2)
    WassersteinGP().penalty(critic, images, images.flip(0)).backward()
    assert critic.a.grad is not None
    assert critic.a.grad.isfinite().all()


def test_penalty_reaches_the_critics_weights_but_not_the_fakes():
    """The gradient by the weights is that of λ(‖a‖ − 1)², and the generator learns nothing from it."""
    critic = Linear(torch.tensor([3.0, 4.0]))
    fake = torch.randn(6, 2, requires_grad=True)
    WassersteinGP(weight=10.0).penalty(critic, torch.randn(6, 2), fake.detach()).backward()
    torch.testing.assert_close(critic.a.grad, 20.0 * (5 - 1) * torch.tensor([0.6, 0.8]))
    assert fake.grad is None


@pytest.mark.parametrize(
    "norm", [nn.BatchNorm1d(4), nn.BatchNorm2d(4), nn.BatchNorm3d(4), nn.SyncBatchNorm(4)]
)
def test_critic_with_batch_normalisation_is_refused(norm):
    """However deep it hides; the message says how to mend it."""
    critic = nn.Sequential(nn.Identity(), nn.Sequential(norm))
    assert mixes_batch(critic)
    with pytest.raises(CompanionError, match="norm=None"):
        WassersteinGP().check(critic)


@pytest.mark.parametrize("norm", [nn.LayerNorm(4), nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.Identity()])
def test_critic_whose_layers_keep_images_apart_is_accepted(norm):
    critic = nn.Sequential(norm)
    assert not mixes_batch(critic)
    WassersteinGP().check(critic)


def test_other_objectives_ask_for_no_penalty_and_accept_batch_normalisation():
    for objective in (Minimax(), NonSaturating(), LeastSquares(), Wasserstein()):
        assert objective.penalty(nn.Identity(), torch.zeros(1), torch.zeros(1)) is None
        objective.check(nn.BatchNorm2d(3))


# ---- what the papers recommend ----


@pytest.mark.parametrize(
    ("objective", "kind", "numbers", "critic_steps"),
    [
        (NonSaturating(), "Adam", {"lr": 2e-4, "betas": (0.5, 0.999)}, 1),
        (LeastSquares(), "Adam", {"lr": 2e-4, "betas": (0.5, 0.999)}, 1),
        (Wasserstein(), "RMSprop", {"lr": 5e-5, "momentum": 0}, 5),
        (WassersteinGP(), "Adam", {"lr": 1e-4, "betas": (0.0, 0.9)}, 5),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Objective) else "",
)
def test_optimiser_and_critic_steps_are_the_papers(objective, kind, numbers, critic_steps):
    optimiser = objective.optimiser([nn.Parameter(torch.zeros(1))])
    assert type(optimiser).__name__ == kind
    assert numbers.items() <= optimiser.defaults.items()
    assert objective.critic_steps == critic_steps


@pytest.mark.parametrize("rate", [0.0, 3e-3])
def test_a_given_learning_rate_replaces_the_papers_even_if_it_is_zero(rate):
    for objective in ALL:
        optimiser = objective.optimiser([nn.Parameter(torch.zeros(1))], rate)
        assert optimiser.param_groups[0]["lr"] == rate


def test_papers_constants_are_the_defaults():
    assert Wasserstein().clip == 0.01
    assert WassersteinGP().weight == 10.0
    assert Minimax().smoothing == NonSaturating().smoothing == 0.0


def test_the_hinge_has_a_gradient_only_within_its_margin():
    """Zhang et al. 2019, equation 4, by hand: real scores above 1 and fake ones below −1 teach the critic nothing."""
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, -0.5, 1.0])
    assert Hinge().critic_loss(real, fake).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 0.5 + 2) / 3)
    assert Hinge().generator_loss(fake).item() == pytest.approx(2.5 / 3)
    real.requires_grad_()
    Hinge().critic_loss(real, fake).backward()
    torch.testing.assert_close(real.grad, torch.tensor([0.0, -1 / 3, -1 / 3]))


def test_the_hinge_s_optimiser_is_the_paper_s():
    optimiser = Hinge().optimiser([nn.Parameter(torch.zeros(1))], 4e-4)
    assert optimiser.defaults["betas"] == (0.0, 0.9)
    assert optimiser.defaults["lr"] == 4e-4
