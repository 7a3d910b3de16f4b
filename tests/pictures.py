"""Pictures for tests that read files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def save(path: Path, width: int = 60, height: int = 50, seed: int = 0) -> NDArray[np.uint8]:
    """Write random pixels as a picture, and give them back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels
