"""Pictures of a run folder."""

import csv
from pathlib import Path

import matplotlib.pyplot as plt

from companion.files import AGAIN, replacing
from companion.viz.plots import curves, style


def losses_of_run(folder: Path, *, then: str = AGAIN) -> None:
    """Write `losses.png` beside a run's `metrics.csv`; `then` is for a disk that refuses, see `companion.files`."""
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as rows:
        table = list(csv.DictReader(rows))
    if not table:
        return
    with style():
        fig, ax = plt.subplots()
        lines = {
            name.removesuffix("loss").removesuffix("_") or "loss": [float(row[name]) for row in table]
            for name in table[0]
            if name.endswith("loss")
        }
        curves(ax, lines, steps=[int(row["step"]) for row in table], smooth=max(1, len(table) // 50))
        ax.set(xlabel="step", ylabel="loss")
        with replacing(folder / "losses.png", then=then) as file:
            fig.savefig(file, format="png")
        plt.close(fig)
