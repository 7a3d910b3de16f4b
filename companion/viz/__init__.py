"""Pictures: grids, plots, the notebook's figures and tables, a run's curves.

`viz.NAME` finds each by its name, and imports its module, and with it matplotlib or IPython, only then. A colour keeps
its meaning through the whole book: see `COLOURS`.
"""

from importlib import import_module
from typing import Any

PLACES = {
    "palette": ["COLOURS", "DPI", "GREY", "INK", "WIDTH"],
    "diagrams": ["Box", "diagram"],
    "grids": [
        *(
            "checkerboard",
            "image_grid",
            "heated",
            "image_rows",
            "interpolation",
            "marked",
            "named",
            "over",
            "photo_rows",
            "side_by_side",
        ),
    ],
    "plots": [
        *("FAKE_TO_REAL", "STYLE", "clouds", "curves", "picture", "plain_labels", "plane"),
        *(
            "plane_frame",
            "quality_figure",
            "seeds_figure",
            "shares_figure",
            "style",
            "value_surface",
            "weights_histogram",
        ),
    ],
    "notebook": ["Captioned", "Table", "figure", "live", "moments", "table"],
    "run": ["losses_of_run"],
    "sliding": ["Sliding", "before_after"],
}
HOMES = {name: module for module, names in PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(HOMES)
