"""What “pinch” needs: a film of a hand on one sheet, what the package finds at its beginning, and the network."""

from pathlib import Path

import numpy as np
from live_samples import finder, found_in, saved

from companion.files import write_json
from companion.vision.drawn import hand

FRAMES, COLUMNS = 25, 5
HEIGHT, WIDTH = 270, 360
FIRST = 12  # the frame that is shown at the beginning
QUALITY = 78


def files(folder: Path) -> None:
    """`pinch.jpg`, frame after frame and row after row, `pinch.json`, and the network if it is at hand."""
    frames = [hand(opened, HEIGHT, WIDTH) for opened in np.linspace(0, 1, FRAMES)]
    rows = [np.concatenate(frames[at : at + COLUMNS], axis=1) for at in range(0, FRAMES, COLUMNS)]
    saved(folder / "pinch.jpg", np.concatenate(rows), QUALITY)
    film = {"frames": FRAMES, "columns": COLUMNS, "width": WIDTH, "height": HEIGHT, "first": FIRST}
    found = None
    if finder("hand", folder):
        first = saved(folder / "pinch-first.jpg", frames[FIRST])
        found = found_in("hand", first)
        first.unlink()
    write_json(folder / "pinch.json", {"film": film, "found": found})
