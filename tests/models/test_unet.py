"""Guards the U-Net and its encoder: it begins as the identity, takes any size, and is EfficientNet-Lite0 inside."""

import pytest
import torch
from torch import nn

from companion.data.assets import manifest
from companion.errors import CompanionError
from companion.models import efficientnet
from companion.models.store import load_model, save_model
from companion.models.unet import UNet, UNetConfig

SMALL = UNetConfig(stages=3)


@pytest.mark.parametrize("config", [SMALL, UNetConfig(), UNetConfig(resnet=18)], ids=str)
@pytest.mark.slow
def test_an_untrained_network_changes_nothing_whatever_the_size(config):
    network = UNet(config).eval()
    for height, width in ((64, 64), (37, 50)):
        given = torch.rand(1, 3, height, width) * 2 - 1
        with torch.no_grad():
            assert torch.equal(network(given), given)


def test_all_of_it_learns_from_the_first_steps():
    """The last layer begins at zero, so in the first step it learns alone; from the second on, everything does."""
    network = UNet(SMALL)
    given, wanted = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        (network(given) - wanted).square().mean().backward()
        optimiser.step()
    still = [name for name, weight in network.named_parameters() if not weight.grad.abs().sum()]
    assert all("gamma" in name or "query" in name or "key" in name or "value" in name for name in still)


def test_it_comes_back_from_its_file_as_it_was(tmp_path):
    """Weight and spectral normalisation and fastai's hooks included."""
    network = UNet(SMALL)
    given = torch.rand(1, 3, 40, 24) * 2 - 1
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    network(given).square().mean().backward()
    optimiser.step()
    save_model(tmp_path / "unet.safetensors", network)
    with torch.no_grad():
        assert torch.equal(load_model(tmp_path / "unet.safetensors")(given), network.eval()(given))


def test_a_shape_that_cannot_be_is_refused():
    for wrong in (dict(stages=1), dict(stages=8), dict(resnet=50)):
        with pytest.raises(CompanionError, match="An encoder has"):
            UNetConfig(**wrong)


@pytest.mark.parametrize("stages", range(2, 8))
def test_the_config_knows_how_much_the_encoder_shrinks(stages):
    with torch.no_grad():
        found = efficientnet.trunk(stages).eval()(torch.zeros(1, 3, 64, 64))
    assert 64 // found.shape[-1] == UNetConfig(stages=stages).shrinks


def test_the_trunk_halves_uneven_sides_upwards_as_tensorflow_does():
    with torch.no_grad():
        assert efficientnet.trunk(1).eval()(torch.zeros(1, 3, 33, 50)).shape == (1, 16, 17, 25)


@pytest.fixture
def weights():
    if not manifest()["efficientnet-lite0"].file.is_file():
        pytest.skip("efficientnet-lite0 is not in the cache")


def test_the_trunk_equals_timms(weights):
    """To the last bit, where timm is installed: the weights are those of its `tf_efficientnet_lite0`, in order."""
    timm = pytest.importorskip("timm")
    state = torch.load(manifest()["efficientnet-lite0"].file, weights_only=True)
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), state.values(), strict=True)))
    images = torch.rand(2, 3, 97, 64) * 2 - 1
    with torch.no_grad():
        ours = efficientnet.trunk(pretrained=True).eval()(images)
        assert torch.equal(ours, theirs.blocks(theirs.bn1(theirs.conv_stem(images))))


def test_the_pretrained_trunk_knows_where_its_pictures_lie(weights):
    """Its first normalisation sees what it saw in training: channels of about mean 0 and variance 1 on photographs."""
    from companion.data.photos import load_photos
    from companion.data.scale import from_bytes

    stem = efficientnet.trunk(2, pretrained=True)[0].eval()
    apart = []
    for photo in load_photos("embedded").pixels:
        images = (from_bytes(photo[None, :, :256, :256]) * 0.5 + 0.5 - efficientnet.MEAN) / efficientnet.STD
        found = stem[0](images)
        apart.append(
            ((found.mean((0, 2, 3)) - stem[1].running_mean) / stem[1].running_var.sqrt()).abs().median()
        )
    assert torch.stack(apart).mean() < 0.5
    assert isinstance(stem[1], nn.BatchNorm2d)
