"""The generator of chapter 7 with its attention in the open, and the face that a reader meets first."""

import json
from pathlib import Path

import torch
from live_models import Network
from torch import nn

from companion import pretrained
from companion.files import replacing, write_bytes
from companion.models.sagan import Watched
from companion.randomness import generator
from companion.viz.grids import image_grid

SEED = 33  # somebody before a purple wall, which is another without attention
UNIT = 1e-5  # of a weight, in the file


class Watching(Network):
    """A SAGAN whose weights of attention come out beside the images."""

    __slots__ = ()

    def load(self) -> nn.Module:
        """The run's generator, watched."""
        drawing = pretrained.load(self.run)
        network = Watched(drawing.config)
        network.generator = drawing
        return network.eval()


# In full: the kernels in the file are products with the norms' scales, and float16 moves weights by a few thousandths.
NETWORK = Watching("sagan-portraits", half=False)
MODELS = (NETWORK,)


@torch.no_grad()
def files(folder: Path) -> None:
    """`attention.json` with the first face's latents and weights, and γ; `attention.png`: the face."""
    network = NETWORK.load()
    latents = torch.randn(1, network.config.latents, generator=generator(SEED, "a face that is looked at"))
    images, weights = network(latents, torch.ones(1, 1))
    with replacing(folder / "attention.png") as file:
        image_grid(images, columns=1, gap=0).save(file, "PNG")
    (gain,) = (float(value) for name, value in network.named_parameters() if name.endswith(".gain"))
    content = {
        **{"gain": gain, "latents": latents[0].tolist(), "unit": UNIT},
        "weights": (weights[0] / UNIT).round().int().flatten().tolist(),
    }
    write_bytes(folder / "attention.json", json.dumps(content, separators=(",", ":")).encode())
