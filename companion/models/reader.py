"""A small network that reads faces: which attributes they show, or who they are (chapters 6 and 7).

With one output for each attribute it is a classifier; with a few dozen outputs, brought to length one, it is an
encoder in whose space pictures of the same person lie close together.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.models.configs import Config, positive
from companion.models.registry import Model, Signature, image, vector


@dataclass(frozen=True)
class FaceReaderConfig(Config):
    """The numbers that fix the network's shape."""

    outputs: int = 64  # attributes, or the length of an embedding
    size: int = 64  # side of the images in pixels, a multiple of 16
    width: int = 24  # channels at half the images' size

    def __post_init__(self) -> None:
        positive(outputs=self.outputs, width=self.width)
        if self.size < 16 or self.size % 16:
            raise CompanionError(
                f"A reader of faces halves its images four times, so the size must be a multiple of 16, not "
                f"{self.size}; choose 32, 48 or 64."
            )


class FaceReader(nn.Module):
    """Colour images `(N, 3, size, size)` in [−1, 1] to raw outputs `(N, outputs)`."""

    def __init__(self, config: FaceReaderConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.body = nn.Sequential(
            _Halving(3, w), _Halving(w, 2 * w), _Halving(2 * w, 4 * w), _Halving(4 * w, 6 * w)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(6 * w * (config.size // 16) ** 2, config.outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits, or an embedding still to be brought to length one."""
        outputs: Tensor = self.head(self.body(images))
        return outputs


class _Halving(nn.Module):
    """Two convolutions, the first of which halves the image and the second of which adds to it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.down_norm = nn.BatchNorm2d(outputs)
        self.add = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.add_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.down_norm(self.down(x)))
        return torch.relu(x + self.add_norm(self.add(x)))


def _signature(config: FaceReaderConfig) -> Signature:
    return Signature((image("images", 3, config.size),), (vector("outputs", config.outputs),))


MODELS = (Model("identity.FaceReader", FaceReader, FaceReaderConfig, _signature, FaceReaderConfig(3, 16, 4)),)
