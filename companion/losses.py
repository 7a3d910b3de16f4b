"""Losses that compare a restored image with the sharp one: pixel by pixel, or by what a trained network sees.

`PerceptualLoss` is the content loss of chapter 2. Its backbones come through the asset manifest and are checked
against their SHA-256 before they are opened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torchvision import models

from companion.data.assets import fetch
from companion.errors import CompanionError, unknown_name
from companion.models import efficientnet
from companion.randomness import drawing

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of the photographs torchvision's weights were trained on, in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)


def _below_features(own: Mapping[str, Tensor], published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutional part's tensors of a checkpoint in torchvision's layout."""
    start = "features."
    return {key.removeprefix(start): value for key, value in published.items() if key.startswith(start)}


@dataclass(frozen=True)
class Backbone:
    """A network whose inner activations are compared."""

    features: Callable[[], nn.Sequential]  # its convolutional part, untrained
    asset: str | None  # its weights in the manifest; None for an untrained one
    layers: tuple[int, ...]  # which activations are compared, by position in `features`
    description: str
    mean: tuple[float, ...] = IMAGENET_MEAN  # of the pictures it was trained on
    std: tuple[float, ...] = IMAGENET_STD
    renamed: Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], dict[str, Tensor]] = (
        _below_features  # from our names and what the file holds to what is loaded
    )


def _squeezenet() -> nn.Sequential:
    features: nn.Sequential = models.squeezenet1_0(weights=None).features
    return features


def _vgg16() -> nn.Sequential:
    features: nn.Sequential = models.vgg16(weights=None).features
    return features


def _small() -> nn.Sequential:
    with drawing(0, "untrained features"):
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
        )


BACKBONES: dict[str, Backbone] = {
    "vgg16": Backbone(_vgg16, "vgg16", (15,), "VGG16, torchvision's ImageNet weights, ReLU 3_3"),
    "squeezenet-deep-compression": Backbone(
        _squeezenet,
        "squeezenet-deep-compression",
        (1, 3, 4, 5),
        "SqueezeNet 1.0, ImageNet weights decoded from Deep Compression, ReLU 1 and fires 2 to 4",
    ),
    "efficientnet-lite0": Backbone(
        efficientnet.trunk,
        "efficientnet-lite0",
        (1, 2, 3, 4),
        "EfficientNet-Lite0, ImageNet weights, stages 1 to 4",
        (efficientnet.MEAN,) * 3,
        (efficientnet.STD,) * 3,
        efficientnet.renamed,
    ),
    "untrained": Backbone(_small, None, (1, 4), "two untrained convolutions, for a quick look"),
}


class PerceptualLoss(nn.Module):
    """Mean absolute difference between a network's activations for two images (Johnson et al. 2016, section 3.2).

    DeblurGAN (Kupyn et al. 2018, equation 4) takes VGG's third block before its third pooling and squares the
    difference. Here it is the absolute difference, which forgives one large error among many small ones more readily,
    averaged over channels and places and divided by the sharp images' mean activation, then averaged over the chosen
    layers: so each layer counts alike, and a weight means the same for every backbone.

    Args:
        backbone: A name from `BACKBONES`; “untrained” must be asked for by name and needs no file.
        layers: Positions in the backbone's convolutional part instead of its usual ones.

    Raises:
        CompanionError: The name or a layer is unknown, or the weights cannot be had.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: str = "vgg16", layers: tuple[int, ...] | None = None) -> None:
        super().__init__()
        if backbone not in BACKBONES:
            raise unknown_name("backbone", backbone, BACKBONES)
        chosen = BACKBONES[backbone]
        self.layers = chosen.layers if layers is None else layers
        features = chosen.features()
        if not self.layers or not all(0 <= layer < len(features) for layer in self.layers):
            raise CompanionError(
                f"The convolutional part of {backbone} has layers 0 to {len(features) - 1}, not {self.layers}; "
                "choose some of these."
            )
        if chosen.asset is not None:
            _load_features(features, chosen)
        self.features = features[: max(self.layers) + 1].eval().requires_grad_(False)
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # else it would overwrite the activation before it
        self.register_buffer("mean", torch.tensor(chosen.mean)[:, None, None])
        self.register_buffer("std", torch.tensor(chosen.std)[:, None, None])

    def activations(self, images: Tensor) -> list[Tensor]:
        """The chosen layers' activations, each `(N, C, H, W)`, of images `(N, 3, H, W)` in [−1, 1]."""
        values = ((images + 1) / 2 - self.mean) / self.std
        found = []
        for position, layer in enumerate(self.features):
            values = layer(values)
            if position in self.layers:
                found.append(values)
        return found

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        """The loss, a scalar; images `(N, 3, H, W)` in [−1, 1]. The gradient reaches `restored` alone."""
        with torch.no_grad():
            wanted = self.activations(sharp)
        pairs = zip(self.activations(restored), wanted, strict=True)
        return torch.stack([_relative_gap(found.float(), target.float()) for found, target in pairs]).mean()


@dataclass(frozen=True)
class Perceptual:
    """The content loss of DeblurGAN, with its weight in the generator's loss."""

    weight: float = 100.0  # λ, Kupyn et al. 2018, section 3.1
    backbone: str = "vgg16"

    def build(self) -> nn.Module:
        """The loss itself.

        Raises:
            CompanionError: The weights cannot be had.
        """
        return PerceptualLoss(self.backbone)


@dataclass(frozen=True)
class PixelL1:
    """Mean absolute difference between pixels, with its weight in the generator's loss."""

    weight: float = 100.0

    def build(self) -> nn.Module:
        """The loss itself."""
        return nn.L1Loss()


Content = Perceptual | PixelL1


class WeightedSum(nn.Module):
    """Several content losses as one: the sum of `weight · loss(restored, sharp)`; zero for none.

    Raises:
        CompanionError: The weights of a backbone cannot be had.
    """

    def __init__(self, terms: tuple[Content, ...]) -> None:
        super().__init__()
        self.weights = [term.weight for term in terms]
        self.losses = nn.ModuleList(term.build() for term in terms)

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        """The sum, a scalar, float32; images `(N, 3, H, W)` in [−1, 1]."""
        total = torch.zeros((), device=restored.device)
        for weight, loss in zip(self.weights, self.losses, strict=True):
            total = total + weight * loss(restored, sharp).float()
        return total


def _relative_gap(found: Tensor, target: Tensor) -> Tensor:
    return l1_loss(found, target) / target.abs().mean().clamp(
        min=1e-8
    )  # a black image may leave a layer silent


def _load_features(features: nn.Sequential, backbone: Backbone) -> None:
    """Put the checkpoint's convolutional part into `features`; `weights_only` refuses anything but tensors."""
    assert backbone.asset is not None
    state = torch.load(fetch(backbone.asset), map_location="cpu", weights_only=True)
    features.load_state_dict(backbone.renamed(features.state_dict(), state))
