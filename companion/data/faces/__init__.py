"""Parametric faces: the course's own people, drawn as portraits and as caricatures, with every truth about them known.

Nobody's face was scraped: each is a vector of about a hundred numbers (`parameters`), drawn from a seeded prior
(`prior`) and painted by one of two renderers (`portrait`, `caricature`) that share their shapes (`geometry`, `hair`).
"""

from companion.data.faces.datasets import Caricatures, FacePairs, Portraits, Stickers, unpaired
from companion.data.faces.labels import LABELS, labels
from companion.data.faces.landmarks import PARTS, landmarks, part_masks
from companion.data.faces.parameters import (
    PARAMETERS,
    STYLE,
    Faces,
    Group,
    exaggerate,
    interpolate,
    mean_face,
)
from companion.data.faces.prior import draw
from companion.data.faces.render import Drawn, draw_caricatures, draw_portraits, draw_stickers

__all__ = [
    "LABELS",
    "PARAMETERS",
    "PARTS",
    "STYLE",
    "Caricatures",
    "Drawn",
    "FacePairs",
    "Faces",
    "Group",
    "Portraits",
    "Stickers",
    "draw",
    "draw_caricatures",
    "draw_portraits",
    "draw_stickers",
    "exaggerate",
    "interpolate",
    "labels",
    "landmarks",
    "mean_face",
    "part_masks",
    "unpaired",
]
