"""A small classifier of handwritten digits, whose hidden layer serves as the course's offline feature extractor.

It stands in for Inception in the Fréchet and kernel distances of chapter 1: on digits, features of a network that
knows digits rank images better than features of one that knows photographs, and it needs no download.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from companion.models.configs import Config, positive
from companion.models.registry import Model, Signature, image, vector


@dataclass(frozen=True)
class DigitClassifierConfig(Config):
    """The numbers that fix the network's shape."""

    width: int = 16  # channels of the first convolution
    features: int = 64  # length of the hidden layer that serves as features
    classes: int = 10

    def __post_init__(self) -> None:
        positive(width=self.width, features=self.features, classes=self.classes)


class DigitClassifier(nn.Module):
    """Grey images `(N, 1, 32, 32)` in [−1, 1] to logits `(N, classes)`."""

    def __init__(self, config: DigitClassifierConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.body = nn.Sequential(
            _halving(1, w),  # (N, w, 16, 16)
            _halving(w, 2 * w),  # (N, 2w, 8, 8)
            _halving(2 * w, 4 * w),  # (N, 4w, 4, 4)
            nn.Flatten(),
            nn.Linear(4 * w * 16, config.features),
            nn.ReLU(),
        )
        self.head = nn.Linear(config.features, config.classes)

    def features(self, images: Tensor) -> Tensor:
        """The hidden layer, `(N, features)`, non-negative."""
        features: Tensor = self.body(images)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """One logit per class."""
        logits: Tensor = self.head(self.features(images))
        return logits


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _signature(config: DigitClassifierConfig) -> Signature:
    return Signature((image("images", 1, 32),), (vector("logits", config.classes),))


MODELS = (
    Model(
        "digits.DigitClassifier",
        DigitClassifier,
        DigitClassifierConfig,
        _signature,
        DigitClassifierConfig(4, 8, 3),
    ),
)
