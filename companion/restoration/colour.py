"""Taking colour away, giving it back, and measuring how much there is (chapter 5's second use of the same pipeline)."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from companion import pretrained
from companion.data.crappify import Ruined
from companion.errors import CompanionError
from companion.settings import Settings
from companion.training.runs import read_run


@dataclass(frozen=True)
class Uncoloured(Settings):
    """Pictures without their colours: what a network that colourises is given."""

    def ruin(self, picture: Image.Image, name: str) -> Ruined:
        """The picture in grey, as three equal channels (luma of ITU-R BT.601, as Pillow's mode L)."""
        grey = picture.convert("L").convert("RGB")
        return Ruined(grey, Image.new("L", picture.size), 1.0, 100)


def colourfulness(images: Tensor) -> Tensor:
    """How colourful people find each picture, `(N,)`: 0 grey, 15 slightly, 33 moderately, 59 quite, 109 extremely.

    Hasler and Süsstrunk 2003, section 5: `σ + 0.3 μ` of the opponent colours `rg = R − G` and `yb = (R + G)/2 − B`,
    values from 0 to 255. Images `(N, 3, H, W)` in [−1, 1].
    """
    red, green, blue = ((images + 1) * 127.5).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], 1).flatten(2)  # (N, 2, pixels)
    spread = opponents.var(2, correction=0).sum(1).sqrt()
    mean = opponents.mean(2).square().sum(1).sqrt()
    return spread + 0.3 * mean


def paints(name: str) -> bool:
    """Whether a model, by the name that `pretrained.find` knows, learnt from photographs without colour.

    No weight tells, so its run is asked; of a lone file nothing is known, and it is taken not to.
    """
    settings: dict[str, Any] = {}
    if name in pretrained.names():
        settings = dict(pretrained.record(name).settings)
    elif (folder := Path(name)).is_dir():
        with suppress(CompanionError):  # weights without their run
            settings = dict(read_run(folder).settings)
    damage = settings.get("damage")
    return isinstance(damage, dict) and damage.get("name") == Uncoloured.__name__
