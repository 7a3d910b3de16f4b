"""Pictures: grids, curves, the plane, animations, and the figure that carries its caption and alt text.

Images come in as floats in [−1, 1], `(N, C, H, W)`; this module alone turns them into what a screen shows. A colour
keeps its meaning through the whole book: see `COLOURS`.
"""

import base64
import csv
import html
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

if TYPE_CHECKING:
    from companion.models.mlp import PlaneCritic
    from companion.training.adversarial import Report

# Told apart under every common colour blindness; the site's style sheet holds the same values (a test compares them).
COLOURS = {"real": "#0072B2", "fake": "#D55E00", "generator": "#009E73", "critic": "#AA4499"}
GREY = "#6B7280"
INK = "#1F2933"
WIDTH = 7.0  # inches: the book's column
FAKE_TO_REAL = LinearSegmentedColormap.from_list("fake to real", ["#F2B48C", "#FAF8F5", "#8FC1DE"])

STYLE: Any = {
    "figure.figsize": (WIDTH, 3.2),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "axes.prop_cycle": cycler(color=[*COLOURS.values(), GREY, "#CC9900"]),
}


@contextmanager
def style() -> Iterator[None]:
    """The book's matplotlib style, inside the block alone."""
    with plt.rc_context(STYLE):
        yield


def image_grid(images: Tensor, *, columns: int = 8, scale: int = 1, gap: int = 2) -> Image.Image:
    """Images `(N, C, H, W)` in [−1, 1] side by side on white, enlarged `scale` times without smoothing."""
    large = images.detach().cpu().float().clamp(-1, 1).repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    grid = make_grid(large, nrow=columns, padding=gap, pad_value=1.0)  # grey becomes RGB here
    pixels = ((grid + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def image_rows(rows: Mapping[str, Tensor], *, scale: int = 2) -> Image.Image:
    """One labelled row of images per entry, each `(N, C, H, W)`, all of one size."""
    with style():
        fig, axes = plt.subplots(len(rows), 1, figsize=(WIDTH, 0.62 * len(rows) + 0.1), squeeze=False)
        for ax, (label, images) in zip(axes[:, 0], rows.items(), strict=True):
            ax.imshow(image_grid(images, columns=len(images), scale=scale), interpolation="nearest")
            ax.set_yticks([])
            ax.set_xticks([])
            ax.set_ylabel(label, rotation=0, ha="right", va="center")
            for spine in ax.spines.values():
                spine.set_visible(False)
        return picture(fig)


def picture(fig: Figure) -> Image.Image:
    """A finished figure as an image; the figure is closed."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", facecolor="white")
    plt.close(fig)
    return Image.open(buffer).convert("RGB")


@dataclass(frozen=True)
class Captioned:
    """A figure with caption and alt text, as a notebook, Colab and the site all show it."""

    images: Sequence[Image.Image]  # one, or the frames of an animation
    caption: str
    alt: str
    milliseconds: int = 120  # each frame of an animation

    def _repr_html_(self) -> str:
        still = _data_uri([self.images[-1]], 0)
        alt = html.escape(self.alt, quote=True)
        width = self.images[0].width
        picture = f'<img src="{still}" alt="{alt}" width="{width}">'
        if len(self.images) > 1:  # readers who asked for less motion get the last frame
            moving = _data_uri(self.images, self.milliseconds)
            picture = (
                f'<picture><source media="(prefers-reduced-motion: reduce)" srcset="{still}">'
                f'<img src="{moving}" alt="{alt}" width="{width}"></picture>'
            )
        return f'<figure class="gv-figure">{picture}<figcaption>{self.caption}</figcaption></figure>'


def figure(content: Figure | Image.Image | Sequence[Image.Image], caption: str, *, alt: str) -> Captioned:
    """Give a figure, a picture or the frames of an animation its caption (what to see) and alt text (what is there).

    The caption may hold simple HTML. In a notebook, make this the last line of the cell.
    """
    if isinstance(content, Figure):
        content = picture(content)
    return Captioned([content] if isinstance(content, Image.Image) else list(content), caption, alt)


def _data_uri(frames: Sequence[Image.Image], milliseconds: int) -> str:
    """PNG with 256 colours for a still, WebP for an animation: small, and every browser shows them."""
    buffer = io.BytesIO()
    if len(frames) == 1:
        frames[0].quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        kind = "png"
    else:
        durations = [milliseconds] * (len(frames) - 1) + [2500]  # rest on the last frame
        frames[0].save(
            buffer, "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=70
        )
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def curves(
    ax: Axes, lines: Mapping[str, Sequence[float]], *, steps: Sequence[float] | None = None, smooth: int = 1
) -> None:
    """Draw each named line, in its role's colour if the name is one of `COLOURS`, labelled at its end.

    `smooth` averages over a window of that many points, and the unsmoothed line stays visible behind.
    """
    for name, values in lines.items():
        x = np.arange(1, len(values) + 1) if steps is None else np.asarray(steps)
        y = np.asarray(values, dtype=float)
        colour: Any = COLOURS.get(name.split()[0])
        if smooth > 1 and len(y) >= 2 * smooth:
            (faint,) = ax.plot(x, y, color=colour, alpha=0.18, linewidth=0.8)
            colour = faint.get_color()
            x, y = x[smooth - 1 :], np.convolve(y, np.ones(smooth) / smooth, "valid")
        (line,) = ax.plot(x, y, color=colour)
        ax.annotate(
            name,
            (x[-1], y[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            color=line.get_color(),
            va="center",
        )


def losses_of_run(folder: Path) -> None:
    """Write `losses.png` beside a run's `metrics.csv`."""
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as rows:
        table = list(csv.DictReader(rows))
    if not table:
        return
    with style():
        fig, ax = plt.subplots()
        lines = {role: [float(row[f"{role}_loss"]) for row in table] for role in ("critic", "generator")}
        curves(ax, lines, steps=[int(row["step"]) for row in table], smooth=max(1, len(table) // 50))
        ax.set(xlabel="step", ylabel="loss")
        fig.savefig(folder / "losses.png")
        plt.close(fig)


def plane(
    ax: Axes,
    *,
    real: Tensor | None = None,
    fake: Tensor | None = None,
    critic: "PlaneCritic | None" = None,
    extent: float = 3.0,
) -> None:
    """Points in the plane, `(N, 2)`, over the probability “real” that a critic gives to each place."""
    if critic is not None:
        belief = critic.surface(extent).sigmoid()
        ax.imshow(
            belief,
            extent=(-extent, extent, -extent, extent),
            origin="lower",
            cmap=FAKE_TO_REAL,
            vmin=0,
            vmax=1,
        )
        axis = np.linspace(-extent, extent, len(belief))
        ax.contour(axis, axis, belief, levels=[0.5], colors=[COLOURS["critic"]], linewidths=1)
    for points, role in ((real, "real"), (fake, "fake")):
        if points is not None:
            ax.scatter(points[:, 0], points[:, 1], s=4, linewidths=0, alpha=0.6, color=COLOURS[role])
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])


def live(report: "Report", content: Image.Image | Figure) -> None:
    """Show `content` in place of what the last call of this cell showed, under the step and its losses."""
    from IPython.display import clear_output, display

    clear_output(wait=True)  # type: ignore[no-untyped-call]
    print(f"step {report.step}: {report.line}")
    display(picture(content) if isinstance(content, Figure) else content)  # type: ignore[no-untyped-call]


def bars(ax: Axes, values: Mapping[str, Sequence[float]], *, colour: str = COLOURS["generator"]) -> None:
    """Horizontal bars of the means of several measurements, with every single one as a dot."""
    for row, (_, seen) in enumerate(values.items()):
        ax.barh(row, float(np.mean(seen)), color=colour, alpha=0.35, height=0.6)
        ax.scatter(seen, [row] * len(seen), color=colour, s=18, zorder=3)
    ax.set_yticks(range(len(values)), list(values))
    ax.invert_yaxis()


def interpolation(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latents on the great circle from `start` to `end`, each `(L,)`; shape `(steps, L)`.

    A straight line would pass close to the origin, where latents drawn from N(0, I) in many dimensions never lie
    (White 2016, section 2.1); along the circle the length changes evenly from one end's to the other's.
    """
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=0)
    angle = torch.arccos(cosine.clamp(-1, 1)).clamp(min=1e-6)
    t = torch.linspace(0, 1, steps)[:, None]
    if float(math.pi - angle) < 1e-3:  # opposite ends have no one great circle between them
        return torch.lerp(start, end, t)
    arc: Tensor = (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / angle.sin()
    return arc
