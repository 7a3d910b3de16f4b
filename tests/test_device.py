"""Guards the rule that a function works where its tensors are, on a device that is only pretended (`pretend`).

The first tests are the controls: what would fail on a graphics card must fail here.
"""

import numpy as np
import pytest
import torch
from pretend import pretending
from torch import nn

from companion import classical, losses, metrics, museum
from companion.data.batches import Pair
from companion.data.degrade import Camera, blur
from companion.data.toy import GaussianRing
from companion.environment import beside
from companion.metrics import distances, restoration, verification
from companion.models.dcgan import Critic, DCGANConfig, Generator
from companion.models.deblur import Restorer, RestorerConfig
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.mlp import PlaneCritic
from companion.objectives import NonSaturating, WassersteinGP
from companion.randomness import generator as random_numbers
from companion.training.adversarial import AdversarialTrainer
from companion.training.player import Workshop


@pytest.fixture(params=["cuda", "mps"])
def device(request):
    with pretending(request.param):
        yield request.param


# ---- controls: what the pretended device refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "careless",
    [
        lambda card: card + torch.zeros(3),
        lambda card: torch.cat([card, torch.zeros(3)]),
        lambda card: torch.zeros(3)[card.long()],
        lambda card: nn.Linear(3, 1)(card),
        lambda card: torch.lerp(card, card, torch.rand(3)),
        lambda card: torch.rand(3, device=card.device) + torch.arange(3),
        lambda card: card[1:].view(2) * torch.ones(2),
        lambda card: torch.autograd.grad((card.requires_grad_() ** 2).sum(), card)[0] + torch.ones(3),
    ],
)
def test_tensors_in_two_places_are_refused(device, careless):
    with pytest.raises(RuntimeError, match="on the same device"):
        careless(torch.zeros(3, device=device))


@pytest.mark.parametrize("reader", [lambda card: card.numpy(), np.asarray, lambda card: np.add(card, 1)])
def test_numpy_is_refused_before_cpu(device, reader):
    card = torch.zeros(3, device=device)
    with pytest.raises(TypeError, match="can't convert"):
        reader(card)
    assert card.cpu().numpy().tolist() == [0, 0, 0]


def test_a_generator_of_the_cpu_and_autocast_for_the_cpu_are_refused(device):
    with pytest.raises(RuntimeError, match="device type for generator"):
        torch.rand(3, device=device, generator=random_numbers(0, "example inputs"))
    weights = torch.ones(3, 3, device=device)
    with (
        torch.autocast("cpu", dtype=torch.bfloat16),
        pytest.raises(RuntimeError, match="autocast for the CPU"),
    ):
        weights @ weights


def test_float64_is_refused_where_there_is_none():
    with pretending("mps"), pytest.raises(TypeError, match="float64"):
        torch.zeros(3, device="mps").double()
    with pretending("cuda"):
        assert torch.zeros(3, device="cuda").double().dtype == torch.float64


def test_what_is_allowed_on_a_card_is_allowed(device):
    card, here = torch.ones(3, device=device), torch.zeros(3)
    assert card.device == torch.device(device, 0)
    assert here.device == torch.device("cpu") == card.cpu().device
    here[:] = card  # copies may cross
    assert (card + 1).sum().item() == 6
    assert (card * torch.tensor(2.0)).device.type == device  # a single number may come from anywhere
    assert card[torch.tensor([0, 2])].device.type == device  # and so may an index
    network = nn.Linear(3, 1).to(device)
    network(card).backward()
    assert network.weight.device.type == network.weight.grad.device.type == device
    assert torch.equal(beside(network, here), card)


WAITING = {
    "item": lambda card: card.sum().item(),
    "float": lambda card: float(card[0]),
    "int": lambda card: int(card[0]),
    "bool": lambda card: bool(card.any()),
    "list": lambda card: card.tolist(),
    "over": lambda card: card.cpu(),
    "mask": lambda card: card[card > 0],
    "nonzero": lambda card: card.nonzero(),
    "index from here": lambda card: card[torch.tensor([0, 2])],
    "made of numbers": lambda card: torch.tensor([1.0], device=card.device),
    "copy": lambda card: torch.zeros(3).to(card.device),
    "copy into": lambda card: torch.zeros(3).copy_(card),
    "assignment": lambda card: torch.zeros(3).__setitem__(slice(None), card),
}
FREE = {
    "made there": lambda card: torch.zeros(3, device=card.device),
    "sum": lambda card: (card + 1).sum(),
    "number from here": lambda card: card * torch.tensor(2.0),
    "index there": lambda card: card[torch.arange(2, device=card.device)],
    "slice": lambda card: card[1:].copy_(card[:1]),
    "stays": lambda card: card.to(card.device),
    "brought": lambda card: Workshop(card.device).bring(torch.zeros(3)),
}


@pytest.mark.parametrize("act", WAITING.values(), ids=list(WAITING))
def test_what_waits_is_counted_with_its_place(act):
    with pretending("cuda") as mode:
        act(torch.ones(3, device="cuda"))
    assert len(mode.waits) == 1, mode.waits
    assert " at " in mode.waits[0]


@pytest.mark.parametrize("act", FREE.values(), ids=list(FREE))
@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_what_does_not_wait_is_not(kind, act):
    with pretending(kind) as mode:
        act(torch.ones(3, device=kind))
    assert mode.waits == []


# ---- the package ----------------------------------------------------------------------------------------------------


def pictures(device: str, count: int = 4, channels: int = 3, size: int = 32) -> torch.Tensor:
    images = torch.rand(count, channels, size, size, generator=random_numbers(1, "example inputs"))
    return (images * 2 - 1).to(device)


@pytest.mark.parametrize(
    ("extractor", "channels"),
    [
        (lambda: metrics.DigitFeatures(DigitClassifier(DigitClassifierConfig(4, 8)).eval()), 1),
        (metrics.FaceFeatures, 3),
        (lambda: metrics.BackboneFeatures("untrained"), 3),
    ],
)
def test_feature_extractors_follow_the_images(device, extractor, channels):
    extract = extractor()
    images = pictures(device, channels=channels)
    features = extract(images)
    assert features.dtype == torch.float64
    assert features.device.type == "cpu"
    assert torch.equal(features, extract(images.cpu()))  # and come back


def test_digits_are_classified_where_the_images_are(device):
    digits = metrics.DigitFeatures(DigitClassifier(DigitClassifierConfig(4, 8)).eval())
    assert digits.classify(pictures(device, channels=1)).device.type == device


def test_distances_take_features_from_anywhere(device):
    real, fake = torch.randn(20, 3), torch.randn(30, 3)
    wanted = distances.frechet_distance(real, fake), distances.kernel_distance(real, fake, subsets=3)
    real, fake = real.to(device), fake.to(device)
    assert (
        distances.frechet_distance(real, fake),
        distances.kernel_distance(real, fake, subsets=3),
    ) == wanted
    assert metrics.earth_movers_distance(real[:, 0], fake[:, 0]) >= 0
    assert verification.verification(real[:, 0], fake[:, 0]).area >= 0
    assert verification.recall_at_one(real, real) == 1
    density = torch.full((11,), 0.1, device=device)
    assert metrics.jensen_shannon(density, density, 1.0) == pytest.approx(0, abs=1e-6)


def test_restoration_is_measured_where_the_images_are(device):
    one, other = pictures(device), pictures(device).flip(0)
    for measure in (
        restoration.psnr,
        restoration.ssim,
        lambda a, b: restoration.aligned_psnr(a, b, reach=2),
        restoration.PerceptualDistance("untrained"),
    ):
        assert measure(one, other).device.type == device
        assert torch.allclose(measure(one, other).cpu(), measure(one.cpu(), other.cpu()))


def test_modes_are_counted_where_the_samples_are(device):
    ring = GaussianRing()
    assert metrics.mode_report(ring[0].to(device), ring) == metrics.mode_report(ring[0], ring)
    assert ring.density(ring[0].to(device)).device.type == device


def test_slopes_are_taken_where_the_critic_is(device):
    """Points from the CPU, as a notebook's data is, go to the critic."""
    critic = PlaneCritic(width=8)
    ring = GaussianRing(batch=16)
    wanted = metrics.slope_norms(critic, ring[0])
    layers = metrics.gradients_by_layer(critic, WassersteinGP(), ring[0], ring[1])
    share = metrics.share_at_walls(critic, 0.01)
    critic.to(device)
    for points in (ring[0], ring[0].to(device)):
        assert torch.equal(metrics.slope_norms(critic, points).cpu(), wanted)
        assert metrics.gradients_by_layer(critic, WassersteinGP(), points, ring[1].to(points)) == layers
    assert metrics.share_at_walls(critic, 0.01) == share


def test_classical_methods_give_back_where_they_took(device):
    kernels = Camera(size=5, length=4.0).kernels().to(device)
    blurry = pictures(device, count=2, channels=1)
    for result in (
        classical.wiener_filter(blurry, kernels[:2]),
        classical.lucy(blurry, kernels[:2], rounds=2),
        classical.straight_line(kernels[0]),
        classical.least_ringing_kernel(blurry, kernels),
    ):
        assert result.device.type == device


def test_a_camera_degrades_where_the_images_are(device):
    """Its noise is drawn on the CPU, so the numbers are those of any machine."""
    camera = Camera(size=5, length=4.0)
    images, kernels = pictures(device), camera.kernels()
    shot = camera.degrade(images, kernels, random_numbers(0, "example inputs"))
    assert shot.device.type == blur(images, kernels).device.type == device
    assert torch.equal(shot.cpu(), camera.degrade(images.cpu(), kernels, random_numbers(0, "example inputs")))


def test_content_losses_are_computed_where_they_were_moved(device):
    content = losses.WeightedSum((losses.Perceptual(1.0, "untrained"), losses.PixelL1(1.0))).to(device)
    assert content(pictures(device), pictures(device).flip(0)).device.type == device
    assert losses.WeightedSum(())(pictures(device), pictures(device)).device.type == device


def test_chapter_1s_exhibits_go_to_the_networks(device):
    config = DCGANConfig(size=16, latents=3, width=2)
    trainer = AdversarialTrainer(
        Generator(config), Critic(config), NonSaturating(), seed=0, workshop=Workshop(torch.device(device))
    )
    real, latents = torch.zeros(4, 1, 16, 16), torch.randn(4, 3)
    assert np.isfinite(museum.gradient_conflict(trainer, real)).all()
    assert len(museum.signal_by_depth(trainer.generator, latents)) == len(trainer.generator.layers)
    (image,) = museum.company_changes_a_picture(trainer.generator, latents, [latents[1:]])
    assert image.device.type == device


def test_chapter_2s_exhibit_goes_to_the_generator(device):
    pairs = [Pair(*torch.rand(2, 2, 3, 16, 16)) for _ in range(3)]
    network = Restorer(RestorerConfig(width=2, blocks=1)).to(device)
    assert -1 <= museum.gradients_agree(network, pairs, count=3) <= 1


@pytest.mark.parametrize(
    "penalty",
    [
        museum.OneEpsilonPenalty,
        museum.ChannelNormPenalty,
        museum.WholeBatchNormPenalty,
        museum.SquareRootPenalty,
    ],
)
def test_chapters_3_and_4s_exhibits_stay_with_the_critic(device, penalty):
    critic = Critic(DCGANConfig(size=16, width=2), norm=None)
    real, fake = pictures(device, channels=1, size=16), pictures(device, channels=1, size=16).flip(0)
    assert museum.leak_between_samples(critic.to(device), real.cpu()) == 0
    assert penalty().penalty(critic, real, fake).device.type == device
    assert museum.with_sigmoid(critic)(real).device.type == device
