"""Guards the content losses: torchvision's features, ImageNet's scaling, and a clear word where weights are missing."""

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.transforms.v2.functional import normalize

from companion import losses
from companion.data.assets import manifest
from companion.errors import CompanionError
from companion.losses import BACKBONES, Perceptual, PerceptualLoss, PixelL1, WeightedSum


@pytest.fixture
def random_weights(monkeypatch):
    """Backbones with torchvision's layers and no file: the arithmetic is tested, not the training."""
    monkeypatch.setattr(losses, "_load_features", lambda features, asset: None)


MAKERS = {"vgg16": models.vgg16, "squeezenet-deep-compression": models.squeezenet1_0}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.slow
@pytest.mark.api
def test_activations_are_torchvisions_at_the_chosen_layers(random_weights, name):
    """Images in [−1, 1] brought to ImageNet's mean and spread, then torchvision's own network, module by module."""
    torch.manual_seed(0)
    loss = PerceptualLoss(name)
    reference = MAKERS[name](weights=None).features.eval()
    state = {key: value for key, value in loss.features.state_dict().items()}
    reference.load_state_dict({**reference.state_dict(), **state})
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    values = normalize((images + 1) / 2, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    wanted = {}
    with torch.no_grad():
        for position, layer in enumerate(reference):
            values = layer(values)
            wanted[position] = values.clone()  # the next ReLU writes in place
        found = loss.activations(images)
    assert len(found) == len(loss.layers)
    for position, activation in zip(loss.layers, found, strict=True):
        torch.testing.assert_close(activation, wanted[position])


@pytest.mark.slow
@pytest.mark.api
def test_vggs_layer_is_the_last_before_its_third_pooling():
    """DeblurGAN's conv3,3, after its ReLU."""
    features = models.vgg16(weights=None).features
    (layer,) = BACKBONES["vgg16"].layers
    poolings = [i for i, module in enumerate(features) if isinstance(module, nn.MaxPool2d)]
    assert layer == poolings[2] - 1
    assert isinstance(features[layer], nn.ReLU)


def test_the_loss_is_the_mean_absolute_difference_over_the_sharp_images_mean_activation():
    loss = PerceptualLoss("untrained")
    a, b = torch.rand(2, 2, 3, 16, 16) * 2 - 1
    pairs = zip(loss.activations(a), loss.activations(b), strict=True)
    wanted = [((x - y).abs().mean() / y.abs().mean()).item() for x, y in pairs]
    assert loss(a, b).item() == pytest.approx(sum(wanted) / 2, rel=1e-5)
    assert loss(b, b).item() == 0


def test_the_gradient_reaches_the_restored_image_alone():
    loss = PerceptualLoss("untrained")
    restored = torch.rand(1, 3, 8, 8, requires_grad=True)
    target = torch.rand(1, 3, 8, 8, requires_grad=True)
    loss(restored, target).backward()
    assert restored.grad.abs().sum() > 0
    assert target.grad is None
    assert not any(weight.requires_grad for weight in loss.parameters())


def test_layers_can_be_chosen_and_wrong_ones_are_refused():
    assert len(PerceptualLoss("untrained", layers=(0,)).features) == 1
    with pytest.raises(CompanionError, match="layers 0 to 4"):
        PerceptualLoss("untrained", layers=(5,))


@pytest.mark.parametrize("name", ["vgg16", "squeezenet-deep-compression"])
@pytest.mark.slow
def test_without_weights_one_sentence_names_the_file_and_the_way_out(monkeypatch, tmp_path, name):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    monkeypatch.setattr("companion.data.assets._download", lambda asset, url: "no network")
    with pytest.raises(CompanionError, match="put (the file|it).* by hand.*“untrained”") as caught:
        PerceptualLoss(name)
    assert str(tmp_path) in str(caught.value)


def test_an_unknown_backbone_lists_the_known():
    with pytest.raises(CompanionError, match="backbone"):
        PerceptualLoss("vgg")


def test_the_untrained_backbone_is_the_same_every_time():
    first, second = (PerceptualLoss("untrained").state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_weighted_sum_adds_and_nothing_is_zero():
    a, b = torch.rand(2, 1, 3, 8, 8)
    both = WeightedSum((PixelL1(2.0), Perceptual(3.0, "untrained")))
    wanted = 2 * (a - b).abs().mean() + 3 * PerceptualLoss("untrained")(a, b)
    assert both(a, b).item() == pytest.approx(wanted.item(), rel=1e-5)
    assert WeightedSum(())(a, b).item() == 0


@pytest.mark.skipif(
    not manifest()["squeezenet-deep-compression"].file.is_file(),
    reason="the decoded SqueezeNet is not in the cache",
)
def test_a_trained_backbone_sees_blur_and_more_of_it_as_more():
    from companion.data.degrade import blur, gaussian_kernel
    from companion.data.photos import load_photos

    photo = load_photos("embedded").split("test").pixels[0][None, :, 80:224, 80:224].float() / 127.5 - 1
    sharp = photo[..., 7:-7, 7:-7]
    loss = PerceptualLoss("squeezenet-deep-compression")
    found = [loss(blur(photo, gaussian_kernel(sigma, 15)), sharp).item() for sigma in (0.5, 1.0, 2.0)]
    assert 0 < found[0] < found[1] < found[2]
