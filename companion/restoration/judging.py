"""What a critic is taught with: drawn and real patches in two folders, whose names are the labels (chapter 5)."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from companion.data.batches import Labelled, Pair
from companion.data.folders import read_folder
from companion.data.scale import from_bytes, to_bytes
from companion.errors import CompanionError
from companion.files import replacing
from companion.metrics.restoration import psnr
from companion.models.evaluating import evaluating
from companion.restoration.pairs import picture
from companion.training.supervised import Rounds
from companion.training.trainer import Batches

DRAWN, REAL = "drawn", "real"


@torch.no_grad()
def drawn_by(network: nn.Module, given: Tensor, *, batch: int = 8) -> Tensor:
    """What a network makes of pictures `(N, 3, H, W)`, in eval mode, on the CPU."""
    device = next(network.parameters()).device
    with evaluating(network):
        parts = [network(part.to(device)).float().cpu() for part in torch.split(given, batch)]
    return torch.cat(parts)


def mean_psnr(network: nn.Module, pairs: Pair) -> float:
    """PSNR of what a network makes of pictures, on average, in decibels."""
    return float(psnr(drawn_by(network, pairs.input), pairs.target).mean())


def save_for_critic(network: nn.Module, batches: Batches[Pair], count: int, folder: Path) -> None:
    """Write what a network draws, and what it should have drawn, as PNG files below `drawn/` and `real/`.

    Args:
        network: The generator.
        batches: From number 0 on; other ones than it was trained on.
        count: How many batches.
        folder: Made if missing; files that are there are written anew.
    """
    for index in range(count):
        pair = batches[index]
        for label, images in ((DRAWN, drawn_by(network, pair.input)), (REAL, pair.target)):
            for place, image in enumerate(to_bytes(images)):
                with replacing(folder / label / f"{index:04}-{place:02}.png") as file:
                    picture(image).save(file, "PNG")


@dataclass
class LabelledByFolder:
    """Endless batches of the pictures below a folder, each labelled 1 if it lies in `real/` and 0 if in `drawn/`.

    Raises:
        CompanionError: Pictures of one kind are missing.
    """

    folder: Path
    size: int
    batch: int
    seed: int = 0
    _images: Tensor = field(init=False, repr=False)
    _labels: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = read_folder(self.folder, self.size)
        names = [Path(file).parent.name for file in found.files]
        if set(names) != {DRAWN, REAL}:
            raise CompanionError(
                f"The folder {self.folder} holds pictures in {', '.join(sorted(set(names)))}; a critic learns from two "
                f"folders, {DRAWN} and {REAL}."
            )
        self._images = found.pixels
        self._labels = torch.tensor([int(name == REAL) for name in names])

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Labelled:
        """Batch number `index`; a fresh order each round."""
        chosen = Rounds(len(self), self.seed, self.batch)[index]
        return Labelled(from_bytes(self._images[chosen]), self._labels[chosen])


@torch.no_grad()
def accuracy(critic: nn.Module, real: Tensor, drawn: Tensor) -> float:
    """The share of patches of pictures `(N, 3, H, W)` that a critic puts on the right side."""
    with evaluating(critic):
        right = [(critic(real) > 0).float(), (critic(drawn) <= 0).float()]
    return float(torch.cat(right).mean())
