"""Draw the cover: the first steps of the run behind `dcgan-mnist`, replayed; the same latents at each moment.

A run is a function of its settings, so its beginning can be replayed without keeping it.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from companion.data.scale import to_bytes
from companion.pretrained import record
from companion.training.gan import GANSettings, build, shuffled
from companion.training.progress import progress
from companion.viz import COLOURS

MOMENTS = [10, 25, 50, 100, 150, 200, 300, 450, 700, 1100, 1700, 2600]
ROWS = 5
SIDE = 112  # pixels of a digit on the cover
PAPER = (251, 249, 244)


def main() -> None:
    """Train to the last moment and write `book/images/cover.png`."""
    same = ("data", "seed", "width", "batch", "critic_rate", "generator_rate")
    settings = GANSettings(**{key: record("dcgan-mnist").settings[key] for key in same})
    trainer, images = build(settings)
    columns = []
    for report in progress(
        trainer.run(shuffled(images, settings), steps=MOMENTS[-1]), total=MOMENTS[-1], label="cover"
    ):
        if report.step in MOMENTS:
            columns.append(trainer.sample(64, seed=0)[:ROWS])
    cover = Image.new("RGB", (SIDE * len(columns), SIDE * ROWS), PAPER)
    for index, column in enumerate(columns):
        ink = blend(COLOURS["fake"], COLOURS["real"], index / (len(columns) - 1))
        for row, digit in enumerate(column):
            cover.paste(inked(digit[0], ink), (index * SIDE, row * SIDE))
    cover.quantize(192).save(Path("book/images/cover.png"), optimize=True)


def blend(first: str, last: str, share: float) -> np.ndarray:
    """A colour between two, as three floats from 0 to 255."""
    ends = [np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) for colour in (first, last)]
    return ends[0] + (ends[1] - ends[0]) * share


def inked(digit: Tensor, ink: np.ndarray) -> Image.Image:
    """A digit `(32, 32)` in [−1, 1] in one ink on paper."""
    grey = Image.fromarray(to_bytes(digit).numpy())
    cover = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC))[..., None] / 255
    return Image.fromarray((np.array(PAPER) * (1 - cover) + ink * cover).round().astype(np.uint8))


if __name__ == "__main__":
    main()
