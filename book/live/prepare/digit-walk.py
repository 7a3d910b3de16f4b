"""Four latents of the digit GAN, and the sheet of what lies between them, as it is before a reader touches it."""

from pathlib import Path

import torch
from live_models import Network

from companion import pretrained
from companion.files import replacing, write_json
from companion.randomness import generator
from companion.viz.grids import image_grid

MODELS = (Network("dcgan-mnist"),)
TILES = 7
SEED = 31  # a 6, a 4, a 3 and a 5 that can be read


@torch.no_grad()
def files(folder: Path) -> None:
    """`digit-walk.json` and `digit-walk.png`."""
    network = pretrained.load("dcgan-mnist")
    corners = torch.randn(4, network.config.latents, generator=generator(SEED, "corners of a walk"))
    at = (2 * torch.arange(TILES) + 1) / (2 * TILES)  # the middles of equal tiles
    places = torch.cartesian_prod(at.flip(0), at).flip(1)  # (x, y) with y upwards, the topmost row first
    sheet = network(torch.stack([between(corners, x, y) for x, y in places]))
    with replacing(folder / "digit-walk.png") as file:
        image_grid(sheet, columns=TILES, gap=0).save(file, "PNG")
    write_json(folder / "digit-walk.json", {"tiles": TILES, "corners": corners.tolist()})


def between(corners: torch.Tensor, x: float, y: float) -> torch.Tensor:
    """Weights that sum to one, then the length that a standard normal's sum has: the walk stays where digits are.

    The corners: bottom left, bottom right, top left, top right.
    """
    weights = torch.tensor([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    return (weights / weights.norm()) @ corners
