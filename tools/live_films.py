"""Short films that nobody had to be filmed for: a hand, a head and a dancer, drawn; each goes round without a seam."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from companion.data.faces import draw, draw_portraits
from companion.files import replacing
from companion.vision.drawn import Held, Pixels, Step, dancer, hand

FRAMES, COLUMNS, RATE = 48, 8, 10  # nearly five seconds
SIDE = 352  # pixels of a frame: whole blocks of WebP's
MARGIN = 8  # pixels at a frame's edge into which WebP smears the frame beside it
QUALITY = 62
TIMES = np.arange(FRAMES) / FRAMES
PERSON = 511  # of the prior's people: no hair in the face, no glasses, and turned as good as from the front


def film(kind: str, folder: Path) -> dict[str, Any]:
    """`film-KIND.webp`, frame after frame and row after row, and what the page is told of it."""
    path = folder / f"film-{kind}.webp"
    with replacing(path) as file:
        Image.fromarray(sheet(FILMS[kind]())).save(file, "WEBP", quality=QUALITY, method=6)
    return {
        "file": path.name,
        "frames": FRAMES,
        "columns": COLUMNS,
        "side": SIDE,
        "margin": MARGIN,
        "rate": RATE,
    }


def sheet(frames: list[Pixels]) -> Pixels:
    rows = [np.concatenate(frames[at : at + COLUMNS], axis=1) for at in range(0, FRAMES, COLUMNS)]
    return np.concatenate(rows)


def frames_of(path: Path) -> list[Pixels]:
    """The frames as the page cuts them out."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    corners = [(SIDE * (number // COLUMNS), SIDE * (number % COLUMNS)) for number in range(FRAMES)]
    return [
        np.ascontiguousarray(pixels[y + MARGIN : y + SIDE - MARGIN, x + MARGIN : x + SIDE - MARGIN])
        for y, x in corners
    ]


# ---- how things move, over a film that lasts from 0 to 1 -------------------------------------------------------------


def swing(time: Any, times: int = 1, late: float = 0.0) -> Any:
    """To and fro between −1 and 1, so many times in a film."""
    return np.sin(2 * np.pi * (times * time - late))


def between(time: Any, begin: float, end: float, soft: float = 0.14) -> Any:
    """1 from one time to another and 0 elsewhere, with soft changes."""
    rise, fall = (np.clip((time - at) / soft + 0.5, 0, 1) for at in (begin, end))
    return rise * rise * (3 - 2 * rise) - fall * fall * (3 - 2 * fall)


# ---- the films -------------------------------------------------------------------------------------------------------


def hands() -> list[Pixels]:
    """It leans and turns to either side, pinches, and folds three fingers, one a little after the other."""
    return [hand(1 - between(time, 0.08, 0.26), SIDE, held=_held(time)) for time in TIMES]


def _held(time: float) -> Held:
    little, ring, middle = (between(time, 0.48 + late, 0.80 - late, 0.1) for late in (0.0, 0.015, 0.03))
    return Held(
        elbow=0.07 * swing(time),
        wrist=0.22 * swing(time, late=0.12),
        folded=(middle, ring, little),
        size=0.96 + 0.04 * swing(time, 2),
    )


def heads() -> list[Pixels]:
    """She looks to either side, smiles, and blinks twice."""
    moves = {
        "yaw": 0.32 * swing(TIMES),
        "pitch": 0.10 * swing(TIMES, 2, 0.1),
        "roll": 0.08 * swing(TIMES, late=0.1),
        "shift_x": 0.06 * swing(TIMES),
        "smile": 0.2 + 0.9 * between(TIMES, 0.42, 0.88),
        "mouth_open": 0.45 * between(TIMES, 0.50, 0.80),
        "brow_raise": 0.05 + 0.6 * between(TIMES, 0.46, 0.70),
        "lids": 0.04 + 0.9 * (between(TIMES, 0.22, 0.27, 0.05) + between(TIMES, 0.90, 0.95, 0.05)),
        "gaze_x": 0.35 * swing(TIMES),
        "gaze_y": np.zeros(FRAMES),
        "scale": np.full(FRAMES, 0.66),
    }
    sitter = draw(torch.full((FRAMES,), PERSON), torch.zeros(FRAMES, dtype=torch.int64))
    people = sitter.replace(**{name: torch.from_numpy(move).float() for name, move in moves.items()})
    return list(draw_portraits(people, SIDE).rgb.permute(0, 2, 3, 1).numpy())


def dances() -> list[Pixels]:
    """Twice the same steps on one leg, now leaning to one side and now to the other."""
    return [dancer(SIDE, SIDE, _step(time)) for time in TIMES]


def _step(time: float) -> Step:
    return Step(
        sway=0.05 * swing(time),
        lean=-0.09 * swing(time, late=0.05),
        arm_up=(0.22 * swing(time, 2) - 0.12, 0.32 * swing(time, 2, 0.1) - 0.1),
        arm_out=(0.28 * swing(time, 2, 0.25), 0.45 * swing(time, 2, 0.35)),
        raised=(0.20 * swing(time, 2, 0.5) - 0.1, 0.32 * swing(time, 2, 0.6) - 0.1),
    )


FILMS: dict[str, Callable[[], list[Pixels]]] = {"hand": hands, "face": heads, "pose": dances}
