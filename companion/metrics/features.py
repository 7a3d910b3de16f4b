"""Feature extractors: what turns images into the vectors that Fréchet and kernel distances compare."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.resources import as_file, files
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision.transforms.v2.functional import InterpolationMode, resize, rgb_to_grayscale
from tqdm.auto import tqdm

from companion.data.assets import fetch, manifest
from companion.data.scale import to_bytes
from companion.errors import CompanionError
from companion.losses import BACKBONES, PerceptualLoss
from companion.models.digits import DigitClassifier
from companion.models.reader import FaceReader
from companion.models.store import load_model


class FeatureExtractor(Protocol):
    """Images in, features out, and enough said to repeat the number elsewhere."""

    @property
    def protocol(self) -> str:
        """Extractor, its checksum and how it resizes, in one phrase."""

    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, D)`, float64 and on the CPU, of images `(N, C, H, W)` in [−1, 1].

        They are computed where the images are; the network goes there and stays.
        """


class DigitFeatures:
    """The hidden layer of the course's own digit classifier; needs no download.

    Its distances are smaller or larger than Inception's by an arbitrary factor: compare them only with each other.
    """

    def __init__(self, model: DigitClassifier | None = None, checksum: str = "untrained") -> None:
        """The packaged classifier, or `model` under a checksum that tells it apart."""
        if model is None:
            model, checksum = _packaged("digit-features", DigitClassifier)
        self.model = model.eval()
        self.checksum = checksum

    @property
    def protocol(self) -> str:
        """Extractor, checksum, resize."""
        return f"digit classifier {self.checksum[:8]}, {self.model.config.features} features, bilinear to 32×32 grey"

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, 64)` of grey or colour images of any size."""
        return _in_batches(images, self.model, lambda part: self.model.features(self._prepare(part)))

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """The most likely digit of each image, `(N,)`, where the images are."""
        logits = _in_batches(images, self.model, lambda part: self.model(self._prepare(part)))
        return logits.argmax(1).to(images.device)

    @staticmethod
    def _prepare(images: Tensor) -> Tensor:
        grey = rgb_to_grayscale(images[:, :3]) if images.shape[1] > 1 else images
        prepared: Tensor = resize(grey, [32, 32], InterpolationMode.BILINEAR, antialias=True)
        return prepared


class FaceFeatures:
    """The course's own reader of face attributes, up to its last feature maps, averaged over place; needs no download.

    It was trained on drawn portraits, so it sees what matters in them (hair, spectacles, expression, direction of
    gaze) and nothing else. As with `DigitFeatures`, compare its distances only with each other.
    """

    def __init__(self) -> None:
        self.model, self.checksum = _packaged("faces-attributes", FaceReader)

    @property
    def protocol(self) -> str:
        """Extractor, checksum, resize."""
        config = self.model.config
        return (
            f"face reader {self.checksum[:8]}, {6 * config.width} features, "
            f"bilinear to {config.size}×{config.size} colour"
        )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, 144)` of grey or colour images of any size; an alpha channel is left out."""
        size = self.model.config.size
        return _in_batches(
            images, self.model, lambda part: self.model.body(_as_colour(part, size)).mean((2, 3))
        )


class BackboneFeatures:
    """A network trained on ImageNet's photographs, up to its last feature maps, averaged over place.

    At each place the channels are first brought to a root mean square of one, since backbones differ in scale by orders
    of magnitude (LPIPS normalises likewise: Zhang et al. 2018, equation 1).
    The light backbone stands in where Inception is not at hand. Its distances are no FID: compare them only with each
    other.
    """

    size = 128  # of the images it sees

    def __init__(self, backbone: str = "squeezenet-deep-compression") -> None:
        """A name from `companion.losses.BACKBONES`."""
        self.network = PerceptualLoss(backbone, layers=(len(BACKBONES[backbone].features()) - 1,))
        self.backbone = backbone

    @property
    def protocol(self) -> str:
        """Extractor, checksum, resize."""
        asset = BACKBONES[self.backbone].asset
        checksum = manifest()[asset].sha256[:8] if asset else "without weights of its own"
        return (
            f"{self.backbone} {checksum}, normalised last maps averaged, bilinear to {self.size}×{self.size}"
        )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, D)` of grey or colour images of any size; an alpha channel is left out."""

        def extract(part: Tensor) -> Tensor:
            maps = self.network.activations(_as_colour(part, self.size))[0]
            averaged: Tensor = (normalize(maps, dim=1) * maps.shape[1] ** 0.5).mean((2, 3))
            return averaged

        return _in_batches(images, self.network, extract, batch=100)


class InceptionFeatures:
    """Inception v3's pool features as the Fréchet Inception distance defines them, through torch-fidelity.

    Needs torch-fidelity and the 96 MB of weights that the asset “inception-fid” names. The resize to
    299×299 is TensorFlow's, done inside torch-fidelity, on 8-bit images.
    """

    resize = "TensorFlow bilinear to 299×299, 8-bit"

    def __init__(self) -> None:
        self.checksum = manifest()["inception-fid"].sha256

    @property
    def protocol(self) -> str:
        """Extractor, checksum, resize."""
        return f"Inception v3 {self.checksum[:8]}, 2048 features, {self.resize}"

    @cached_property
    def _model(self) -> nn.Module:
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError:
            raise CompanionError(
                "Inception features need torch-fidelity; install it with: pip install torch-fidelity."
            ) from None
        weights = str(fetch("inception-fid"))  # checked against its SHA-256 before it is opened
        model: nn.Module = FeatureExtractorInceptionV3(
            "inception", ["2048"], feature_extractor_weights_path=weights
        )
        return model

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, 2048)` of grey or colour images; grey is repeated over the three channels, alpha dropped."""

        def extract(part: Tensor) -> Tensor:
            rgb = part.expand(-1, 3, -1, -1) if part.shape[1] == 1 else part[:, :3]
            return self._model(to_bytes(rgb))[0]  # type: ignore[no-any-return]

        return _in_batches(images, self._model, extract, batch=64)


Model = TypeVar("Model", bound=nn.Module)


def _packaged(name: str, kind: type[Model]) -> tuple[Model, str]:
    """A pretrained model of the package and its file's checksum."""
    with as_file(files("companion") / "pretrained" / f"{name}.safetensors") as path:
        model = load_model(path)
        if not isinstance(model, kind):
            raise CompanionError(f"The file {path} holds no {kind.__name__}; reinstall companion.")
        return model, hashlib.sha256(path.read_bytes()).hexdigest()


def _as_colour(images: Tensor, size: int) -> Tensor:
    """Grey repeated over the three channels, alpha dropped, resized."""
    colour = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
    resized: Tensor = resize(colour, [size, size], InterpolationMode.BILINEAR, antialias=True)
    return resized


def _in_batches(
    images: Tensor, network: nn.Module, extract: Callable[[Tensor], Tensor], batch: int = 500
) -> Tensor:
    network.to(images.device)
    parts = tqdm(torch.split(images, batch), desc="features", leave=False, delay=2)
    return torch.cat([extract(part).cpu().double() for part in parts])  # some devices have no float64
