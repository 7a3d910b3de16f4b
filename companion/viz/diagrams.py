"""How parts of a method hang together: boxes, arrows between them, and pictures above them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from companion.errors import CompanionError
from companion.viz.palette import GREY, INK, WIDTH

HEIGHT = 3.1  # inches, of the figure
SIDE = 0.7  # how wide a picture is, in the boxes' units


class Box(NamedTuple):
    """A part: where its middle lies, what it says, in which colour."""

    x: float
    y: float
    text: str
    colour: str = INK


def diagram(
    boxes: Mapping[str, Box],
    arrows: Iterable[tuple[str, str]],
    pictures: Mapping[str, Tensor] | None = None,
) -> Figure:
    """Boxes with arrows from one to another.

    Args:
        boxes: Each by a name, in any units; x grows to the right, y upwards.
        arrows: Names of where each begins and ends.
        pictures: Images `(3, H, W)` in [-1, 1], by the names of the boxes that they stand above.

    Raises:
        CompanionError: An arrow or a picture names no box.
    """
    arrows, pictures = list(arrows), pictures or {}
    if strange := sorted({name for arrow in arrows for name in arrow} - {*boxes} | {*pictures} - {*boxes}):
        raise CompanionError(f"There is no box “{strange[0]}”; name one of {', '.join(boxes)}.")
    fig, ax = plt.subplots(figsize=(WIDTH, HEIGHT))
    outlines = {}
    for name, (x, y, text, colour) in boxes.items():
        outline = {"boxstyle": "round", "fc": "white", "ec": colour}
        drawn = ax.text(x, y, text, ha="center", va="center", color=colour, fontsize=8.5, bbox=outline)
        outlines[name] = drawn.get_bbox_patch()
    for start, end in arrows:
        tip = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 2, "shrinkB": 2}
        ends = {"patchA": outlines[start], "patchB": outlines[end]}
        ax.annotate("", boxes[end][:2], boxes[start][:2], arrowprops=tip | ends)
    for name, image in pictures.items():
        x, y, shape = boxes[name].x, boxes[name].y + SIDE / 5, image.shape
        extent = (x - SIDE / 2, x + SIDE / 2, y, y + SIDE * shape[1] / shape[2])
        ax.imshow((image.cpu().permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).numpy(), extent=extent)
    ax.set(
        xlim=(min(box.x for box in boxes.values()) - SIDE, max(box.x for box in boxes.values()) + SIDE),
        ylim=(
            min(box.y for box in boxes.values()) - SIDE / 2,
            max(box.y for box in boxes.values()) + SIDE / 2,
        ),
        aspect="equal",
    )
    ax.axis("off")
    return fig
