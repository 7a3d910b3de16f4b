"""Both ways of the translation of chapter 7c, people that neither has seen, and the map that a reader meets first."""

from pathlib import Path

import torch
from live_models import Network
from torch import Tensor

from companion import pretrained
from companion.data.faces import Caricatures, Portraits
from companion.files import replacing, write_json
from companion.models.munit import BothWays
from companion.reproduce.ch07.munit import TEST
from companion.training.munit import translated
from companion.translation import drawn_styles
from companion.viz.grids import image_grid

MODELS = (Network("munit-faces", "a_to_b"), Network("munit-faces", "b_to_a"))
PEOPLE = 6
TILES = 4  # of the map, in a row and in a column
SEEDS = {"there": 3, "back": 4}  # of the four corners' styles


def files(folder: Path) -> None:
    """`translation.json`: the corners' styles; `translation.png`: portraits above, drawings below; and the map."""
    both = pretrained.load("munit-faces")
    assert isinstance(both, BothWays)
    size = both.config.size
    # as the page reads them from their sheet, in 8 bits, so that the map is what it would draw itself
    people = [kind(PEOPLE, size=size, first=TEST).rendered()[:] for kind in (Portraits, Caricatures)]
    _write(folder / "translation.png", torch.cat(people), PEOPLE)
    ways = {"there": both.a_to_b, "back": both.b_to_a}
    corners = {name: drawn_styles(ways[name], 4, seed) for name, seed in SEEDS.items()}
    places = [
        ((column + 0.5) / TILES, 1 - (row + 0.5) / TILES) for row in range(TILES) for column in range(TILES)
    ]
    styles = torch.stack([between(corners["there"], *place) for place in places])
    drawn = translated(both.a_to_b, people[0][:1].expand(len(styles), -1, -1, -1), styles)
    _write(folder / "translation-map.png", drawn, TILES)
    content = {"corners": {name: four.tolist() for name, four in corners.items()}}
    write_json(folder / "translation.json", {**content, "people": PEOPLE, "tiles": TILES})


def between(corners: Tensor, x: float, y: float) -> Tensor:
    """The style at a place in the unit square, as the page mixes it: a standard normal again."""
    weights = torch.tensor([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    return (weights / weights.norm()) @ corners


def _write(path: Path, images: Tensor, columns: int) -> None:
    with replacing(path) as file:
        image_grid(images, columns=columns, gap=0).save(file, "PNG")
