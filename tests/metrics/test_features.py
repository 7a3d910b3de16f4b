"""Guards the feature extractors: what they say of themselves, what they take, Inception against torch-fidelity."""

import hashlib
from importlib.resources import files

import pytest
import torch

from companion.data import assets, faces, load
from companion.errors import CompanionError
from companion.metrics import (
    BackboneFeatures,
    DigitFeatures,
    FaceFeatures,
    InceptionFeatures,
    features,
    kernel_distance,
)
from companion.models.digits import DigitClassifier, DigitClassifierConfig


@pytest.fixture(scope="module")
def packaged() -> DigitFeatures:
    return DigitFeatures()


def test_the_packaged_classifier_knows_digits_and_names_its_own_checksum(packaged):
    """It learnt from MNIST alone and has seen none of scikit-learn's, which are coarser: nine in ten, not all."""
    digits = load("digits")
    right = packaged.classify(digits[:]) == digits.labels
    assert right.float().mean() > 0.9
    content = (files("companion") / "pretrained/digit-features.safetensors").read_bytes()
    assert packaged.checksum == hashlib.sha256(content).hexdigest()
    assert packaged.checksum[:8] in packaged.protocol


def test_digit_features_take_any_size_and_channel_count(packaged):
    """Grey at 32×32 goes in untouched; colour becomes grey, an alpha channel is left out, other sizes are resized."""
    images = load("digits")[slice(0, 6)]
    wanted = packaged(images)
    assert wanted.shape == (6, 64)
    assert wanted.dtype == torch.float64
    torch.testing.assert_close(wanted, packaged.model.features(images).detach().double())
    rgb = images.expand(-1, 3, -1, -1)
    torch.testing.assert_close(packaged(rgb), wanted, rtol=1e-3, atol=1e-3)
    rgba = torch.cat([rgb, torch.randn(6, 1, 32, 32)], 1)
    torch.testing.assert_close(packaged(rgba), wanted, rtol=1e-3, atol=1e-3)
    assert packaged(torch.zeros(2, 3, 64, 48)).shape == (2, 64)


def test_features_do_not_depend_on_the_batches_they_are_made_in(packaged):
    images = load("digits")[slice(0, 7)]
    parts = features._in_batches(images, packaged.model, packaged.model.features, batch=3)
    torch.testing.assert_close(parts.detach(), packaged(images), rtol=1e-4, atol=1e-5)


def test_a_classifier_of_ones_own_is_used_in_eval_mode_under_its_checksum():
    model = DigitClassifier(DigitClassifierConfig(width=2, features=5)).train()
    own = DigitFeatures(model, checksum="abcdef0123456789")
    assert own(torch.randn(4, 1, 32, 32)).shape == (4, 5)
    assert not model.training
    assert own.protocol.startswith("digit classifier abcdef01, 5 features")


@pytest.fixture(scope="module")
def fidelity(tmp_path_factory):
    """torch-fidelity's Inception with random weights, and the file they are in."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *a, **k: {})
        patch.setattr(module, "get_kwarg", lambda *a, **k: False)
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda self, weights: None)
        torch.manual_seed(0)
        network = module.FeatureExtractorInceptionV3("inception", ["2048"])
    path = tmp_path_factory.mktemp("cache") / "backbones/inception.pth"
    path.parent.mkdir()
    torch.save(network.state_dict(), path)
    return network, path


@pytest.fixture
def inception(fidelity, monkeypatch) -> InceptionFeatures:
    """Our extractor, with the random weights as the asset."""
    _, path = fidelity
    original = assets.manifest()["inception-fid"]
    about = {**vars(original), "path": "backbones/inception.pth", "urls": ["http://127.0.0.1:9/none"]}
    asset = assets.Asset(**{**about, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    for module in (assets, features):
        monkeypatch.setattr(module, "manifest", lambda: {"inception-fid": asset})
    monkeypatch.setenv("COMPANION_CACHE", str(path.parents[1]))
    return InceptionFeatures()


@pytest.mark.slow
@pytest.mark.api
def test_inception_features_are_torch_fidelitys_of_the_same_bytes(fidelity, inception):
    """[−1, 1] becomes the bytes a file would hold, and torch-fidelity does the rest; grey is repeated."""
    network, _ = fidelity
    pixels = torch.randint(256, (3, 3, 40, 40), dtype=torch.uint8)
    images = pixels.float() / 127.5 - 1
    wanted = network(pixels)[0].double()
    found = inception(images)
    assert found.shape == (3, 2048)
    assert torch.equal(found, wanted)
    assert found.std() > 0
    grey = inception(images[:1, :1])
    assert torch.equal(grey, network(pixels[:1, :1].expand(-1, 3, -1, -1))[0].double())


def test_inceptions_protocol_names_weights_and_resize(inception):
    assert inception.checksum[:8] in inception.protocol
    assert "2048 features" in inception.protocol
    assert "299×299" in inception.protocol


def test_inception_weights_with_another_checksum_are_never_opened(inception, fidelity, tmp_path, monkeypatch):
    """They are a pickle: the checksum stands between it and this machine."""
    (tmp_path / "backbones").mkdir()
    (tmp_path / "backbones/inception.pth").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    opened = []
    monkeypatch.setattr(torch, "load", lambda *a, **k: opened.append(a))
    with pytest.raises(CompanionError, match="wrong checksum"):
        inception(torch.zeros(1, 3, 8, 8))
    assert opened == []


def test_without_torch_fidelity_the_sentence_says_what_to_install(monkeypatch, inception):
    import sys

    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(CompanionError, match=r"pip install torch-fidelity"):
        inception(torch.zeros(1, 3, 8, 8))


# ---- faces and backbones ----


def test_face_features_are_the_packaged_readers_last_maps_averaged():
    extractor = FaceFeatures()
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    wanted = extractor.model.body(images).mean((2, 3)).double()
    torch.testing.assert_close(extractor(images), wanted.detach(), rtol=1e-5, atol=1e-6)
    content = (files("companion") / "pretrained/faces-attributes.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest()[:8] in extractor.protocol
    assert f"{wanted.shape[1]} features" in extractor.protocol


@pytest.mark.parametrize(
    "extractor", [FaceFeatures(), BackboneFeatures("untrained")], ids=["faces", "backbone"]
)
def test_colour_features_take_any_size_and_leave_alpha_out(extractor):
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = extractor(images)
    assert found.dtype == torch.float64
    assert found.dim() == 2
    alpha = torch.rand(4, 1, 32, 32)
    torch.testing.assert_close(extractor(torch.cat([images, alpha], 1)), found)
    grey = images[:, :1]
    torch.testing.assert_close(extractor(grey), extractor(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(extractor(images[1:2]), found[1:2], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_face_features_know_portraits_from_caricatures_and_both_from_noise():
    """The further a set is from portraits, the larger its distance to them."""
    portraits = faces.Portraits(60, size=64)[:]
    others = faces.Portraits(60, size=64, first=500)[:]
    noise = torch.rand(60, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    extractor = FaceFeatures()
    same, changed, far = (
        kernel_distance(extractor(portraits), extractor(images), subsets=5)[0]
        for images in (others, faces.Caricatures(60, size=64)[:], noise)
    )
    assert same < changed < far


def test_the_light_backbone_gives_as_many_features_as_it_has_last_channels():
    if not assets.manifest()["squeezenet-deep-compression"].here:
        pytest.skip("the backbone is not in the cache")
    extractor = BackboneFeatures()
    images = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = extractor(images)
    assert found.shape == (2, 512)
    assert 0.1 < found.square().mean() <= 1  # whatever the backbone's own scale
    assert "squeezenet-deep-compression 73881cbd" in extractor.protocol
