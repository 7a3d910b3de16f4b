"""Sprites: the busts among Noto Emoji, cut out of their ground by an alpha channel (chapter 4).

All sprites of the course carry their colours multiplied by alpha (Porter & Duff 1984), so that what nobody can see is
black, pictures can be resized and averaged like any others, and laying one over a ground is one sum:
`colour + (1 − alpha) · ground`. See `companion.viz.grids.over`.
"""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from companion.data.assets import fetch, manifest
from companion.data.catalogue import ImageSet

if TYPE_CHECKING:
    from torch import Tensor

EMOJI = "noto-emoji-people"


def emoji() -> "tuple[Tensor, Tensor]":
    """The busts in the order of their names: pixels `(678, 4, 128, 128)` uint8 RGBA, numbers of the motifs `(678,)`.

    Each motif comes in yellow and in five skin tones, and those six share a number.
    """
    import torch

    fetch(EMOJI)
    parts = manifest()[EMOJI].parts
    motifs = [_motif(part.file.name) for part in parts]
    numbers = {motif: number for number, motif in enumerate(dict.fromkeys(motifs))}
    pixels = []
    for part in parts:
        with Image.open(part.file) as opened:
            premultiplied = opened.convert("RGBA").convert("RGBa")  # Pillow's small a: multiplied by alpha
        pixels.append(
            torch.from_numpy(np.frombuffer(premultiplied.tobytes(), np.uint8).reshape(128, 128, 4).copy())
        )
    return torch.stack(pixels).permute(0, 3, 1, 2).contiguous(), torch.tensor([numbers[m] for m in motifs])


def _motif(name: str) -> str:
    """The name without its skin tone, one of U+1F3FB … U+1F3FF."""
    return "_".join(code for code in name.removesuffix(".png").split("_") if code not in SKIN_TONES)


SKIN_TONES = {f"1f3f{digit}" for digit in "bcdef"}

SETS = (
    ImageSet(
        name="sprites",
        description="Noto Emoji: 678 busts of people at 128×128, RGBA, colours multiplied by alpha",
        assets=(EMOJI,),
        splits=("training",),
        read=lambda split, size: emoji(),
    ),
)
