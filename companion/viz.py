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
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from torchvision.utils import make_grid

from companion.data.scale import to_bytes

if TYPE_CHECKING:
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
    "axes.prop_cycle": cycler(color=[INK, "#B98900", "#8C5A3C", GREY]),  # for what has no role
}


@contextmanager
def style() -> Iterator[None]:
    """The book's matplotlib style, inside the block alone."""
    with plt.rc_context(STYLE):
        yield


def image_grid(images: Tensor, *, columns: int = 8, scale: int = 1, gap: int = 2) -> Image.Image:
    """Images `(N, C, H, W)` in [−1, 1] side by side on white, enlarged `scale` times without smoothing.

    RGBA is laid over a checkerboard.
    """
    if images.shape[1] == 4:
        images = over(images, checkerboard(images.shape[-1]).to(images.device))
    large = images.detach().cpu().float().clamp(-1, 1).repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    grid = make_grid(large, nrow=columns, padding=gap, pad_value=1.0)  # grey becomes RGB here
    return Image.fromarray(to_bytes(grid).permute(1, 2, 0).numpy())


def over(sprites: Tensor, ground: Tensor) -> Tensor:
    """Sprites laid over a ground: `colour + (1 − alpha) · ground` on [0, 1] (Porter & Duff 1984: the operator “over”).

    Args:
        sprites: RGBA in [−1, 1] with the colours multiplied by alpha, `(N, 4, H, W)`.
        ground: RGB or grey in [−1, 1], of a shape that broadcasts with `(N, 3, H, W)`.

    Returns:
        RGB `(N, 3, H, W)` in [−1, 1].
    """
    premultiplied, alpha = (sprites[:, :3].float() + 1) / 2, (sprites[:, 3:].float() + 1) / 2
    return (premultiplied + (1 - alpha) * (ground + 1) / 2).clamp(0, 1) * 2 - 1


def checkerboard(size: int, square: int = 8) -> Tensor:
    """The ground that says “nothing here”: white and light grey squares, `(1, size, size)` in [−1, 1]."""
    place = torch.arange(size) // square
    return 1 - 0.16 * ((place[:, None] + place) % 2)[None].float()


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


def photo_rows(rows: Mapping[str, Tensor]) -> Image.Image:
    """Labelled rows of photographs `(N, 3, H, W)` in [−1, 1], pixel for pixel: how sharp they are is what they show."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 15)
    margin = max(round(font.getlength(label)) for label in rows) + 14
    grids = [image_grid(images, columns=len(images)) for images in rows.values()]
    sheet = Image.new("RGB", (margin + grids[0].width, sum(grid.height for grid in grids)), "white")
    pen, top = ImageDraw.Draw(sheet), 0
    for label, grid in zip(rows, grids, strict=True):
        sheet.paste(grid, (margin, top))
        pen.text((margin - 8, top + grid.height / 2), label, fill=INK, font=font, anchor="rm")
        top += grid.height
    return sheet


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

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

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


FEW_COLOURS = 20_000  # more than plots and pixel grids have, fewer than photographs


def _data_uri(frames: Sequence[Image.Image], milliseconds: int) -> str:
    """Small, and every browser shows it: PNG for drawings, JPEG for photographs, WebP for animations."""
    buffer = io.BytesIO()
    if len(frames) == 1 and frames[0].getcolors(FEW_COLOURS) is not None:
        frames[0].quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        kind = "png"
    elif len(frames) == 1:
        frames[0].save(buffer, "JPEG", quality=88, subsampling=0, optimize=True)
        kind = "jpeg"
    else:
        durations = [milliseconds] * (len(frames) - 1) + [2500]  # rest on the last frame
        frames[0].save(
            buffer,
            "WEBP",
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            loop=0,
            quality=45,
            method=6,
        )
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def curves(
    ax: Axes,
    lines: Mapping[str, Sequence[float] | Tensor],
    *,
    steps: Sequence[float] | Tensor | None = None,
    smooth: int = 1,
    legend: bool = False,
) -> None:
    """Draw each named line, in its role's colour if its name begins with one of `COLOURS`.

    Args:
        ax: Where to draw.
        lines: Values by name.
        steps: Their places on the x axis; 1, 2, … if not given.
        smooth: Average over a window of that many points; the unsmoothed line stays visible behind.
        legend: Name the lines in a legend instead of at their ends, where these would meet.
    """
    for name, values in lines.items():
        x = np.arange(1, len(values) + 1) if steps is None else np.asarray(steps)
        y = np.asarray(values, dtype=float)
        colour: Any = COLOURS.get(name.split()[0])
        if smooth > 1 and len(y) >= 2 * smooth:
            (faint,) = ax.plot(x, y, color=colour, alpha=0.18, linewidth=0.8)
            colour = faint.get_color()
            x, y = x[smooth - 1 :], np.convolve(y, np.ones(smooth) / smooth, "valid")
        dashes = "--" if name.startswith(("optimal", "live")) else "-"
        (line,) = ax.plot(x, y, color=colour, linestyle=dashes, label=name)
        if not legend:
            place: Any = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(name, (x[-1], y[-1]), color=line.get_color(), annotation_clip=False, **place)
    if legend:
        ax.legend()


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
    critic: nn.Module | None = None,
    extent: float = 3.0,
) -> None:
    """Points in the plane, `(N, 2)`, over the probability “real” that a critic gives to each place."""
    if critic is not None:
        axis = torch.linspace(-extent, extent, 120)
        grid = torch.cartesian_prod(axis, axis).flip(1)  # (x, y), x fastest
        with torch.no_grad():
            belief = critic(grid).sigmoid().view(len(axis), len(axis))
        ax.imshow(
            belief,
            extent=(-extent, extent, -extent, extent),
            origin="lower",
            cmap=FAKE_TO_REAL,
            vmin=0,
            vmax=1,
        )
        ax.contour(axis, axis, belief, levels=[0.5], colors=[COLOURS["critic"]], linewidths=1)
    for points, role in ((real, "real"), (fake, "fake")):
        if points is not None:
            ax.scatter(points[:, 0], points[:, 1], s=4, linewidths=0, alpha=0.6, color=COLOURS[role])
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])


def value_surface(
    ax: Axes, critic: nn.Module, *, real: Tensor | None = None, extent: float = 3.0, lines: int = 14
) -> None:
    """Level lines of a critic's scores in the plane, evenly spaced in score, over points `(N, 2)` of the data.

    What Gulrajani et al. 2017 show in figure 1a: a good critic's level lines follow the data's shape.
    """
    axis = torch.linspace(-extent, extent, 120)
    grid = torch.cartesian_prod(axis, axis).flip(1)  # (x, y), x fastest
    with torch.no_grad():
        scores = critic(grid).view(len(axis), len(axis))
    ax.contourf(axis, axis, scores, levels=lines, cmap=FAKE_TO_REAL)
    ax.contour(
        axis,
        axis,
        scores,
        levels=lines,
        colors=[COLOURS["critic"]],
        linewidths=0.8,
        negative_linestyles="solid",  # zero is no special score
    )
    if real is not None:
        ax.scatter(real[:, 0], real[:, 1], s=3, linewidths=0, alpha=0.7, color=COLOURS["real"])
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])


def weights_histogram(ax: Axes, critic: nn.Module, *, reach: float | None = None, bins: int = 60) -> None:
    """How often each value occurs among a critic's weights and biases, in parts of all; the axis from −reach to reach.

    Weights beyond the reach are counted in the last bins.
    """
    weights = torch.cat([weight.detach().flatten() for weight in critic.parameters()]).numpy()
    reach = float(np.abs(weights).max()) if reach is None else reach
    shares = np.full(len(weights), 1 / len(weights))
    ax.hist(
        weights.clip(-reach, reach),
        bins=bins,
        range=(-reach, reach),
        weights=shares,
        color=COLOURS["critic"],
    )
    ax.set(xlabel="weight", ylabel="share of all weights")


def plane_frame(
    report: "Report", real: Tensor, *, samples: int = 500, title: str | None = None
) -> Image.Image:
    """One frame of a game in the plane: data, samples and the critic's belief after this step."""
    with style():
        fig, ax = plt.subplots(figsize=(3.6, 3.8))
        plane(
            ax,
            real=real,
            fake=report.trainer.sample(samples, seed=0, live=True),
            critic=report.trainer.critic,
        )
        ax.set_title(title or f"step {report.step}")
        return picture(fig)


def moments(steps: int, count: int) -> set[int]:
    """At most `count` steps from 1 to `steps`, the last among them, closer together where training is young."""
    return {math.ceil(steps * (index / count) ** 2) for index in range(1, count + 1)}


def side_by_side(frames: Sequence[Sequence[Image.Image]]) -> list[Image.Image]:
    """Animations of equal length and height, joined frame by frame."""
    joined = []
    for parts in zip(*frames, strict=True):
        whole = Image.new("RGB", (sum(part.width for part in parts), parts[0].height), "white")
        left = 0
        for part in parts:
            whole.paste(part, (left, 0))
            left += part.width
        joined.append(whole)
    return joined


def live(report: "Report", content: Image.Image | Figure) -> None:
    """Show `content` in place of what the last call of this cell showed, under the step and its losses."""
    from IPython.display import HTML, clear_output, display

    image = picture(content) if isinstance(content, Figure) else content
    alt = f"What training shows after step {report.step}"
    tag = f'<img src="{_data_uri([image], 0)}" alt="{alt}" width="{image.width}">'
    clear_output(wait=True)  # type: ignore[no-untyped-call]
    print(f"step {report.step}: {report.line}")
    display(HTML(tag))  # type: ignore[no-untyped-call]


def seeds_figure(
    runs: Mapping[str, Sequence[Mapping[str, float]]],
    key: str,
    *,
    xlabel: str,
    log: bool = False,
    role: str = "generator",
) -> Figure:
    """One bar per setting, the mean of `key` over its runs, with every run as a dot, in the colour of a role.

    `log` makes the axis logarithmic.
    """
    with style():
        fig, ax = plt.subplots(figsize=(WIDTH, 0.32 * len(runs) + 0.7))
        for row, seen in enumerate(runs.values()):
            values = [run[key] for run in seen]
            ax.barh(row, float(np.mean(values)), color=COLOURS[role], alpha=0.3, height=0.62)
            apart = np.linspace(-0.18, 0.18, len(values))  # so that equal values stay apart
            ax.scatter(values, row + apart, color=COLOURS[role], s=16, zorder=3, linewidths=0)
        ax.set_yticks(range(len(runs)), list(runs))
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.invert_yaxis()
        ax.set(xlabel=xlabel, xscale="log" if log else "linear")
        if log:
            plain_labels(ax.xaxis)
    return fig


def plain_labels(axis: Axis) -> None:
    """Label a logarithmic axis 1, 2, 5, 10, 20 … rather than with powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def shares_figure(values: Mapping[str, Tensor], *, bins: int = 40) -> Figure:
    """A small histogram for each entry, `(N,)` numbers each, four to a row."""
    rows = math.ceil(len(values) / 4)
    with style():
        fig, axes = plt.subplots(rows, 4, figsize=(WIDTH, 1.25 * rows), squeeze=False)
        for ax in axes.flat:
            ax.set_axis_off()
        for ax, (name, numbers) in zip(axes.flat, values.items(), strict=False):
            ax.set_axis_on()
            ax.hist(numbers.numpy(), bins=bins, color=COLOURS["real"], alpha=0.75)
            ax.set_title(name, fontsize=9)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.tick_params(labelsize=7.5)
    return fig


def marked(image: Tensor, points: Tensor, *, scale: int = 2) -> Image.Image:
    """An image `(3, H, W)` in [−1, 1], enlarged, with a ring around each of its points `(K, 2)`, in pixels."""
    canvas = image_grid(image[None], columns=1, scale=scale, gap=0)
    draw = ImageDraw.Draw(canvas)
    for x, y in (points * scale).tolist():  # the first pixel reaches from 0 to 1
        draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), fill="white", outline=COLOURS["critic"])
    return canvas


def quality_figure(curve: Sequence[Mapping[str, float]]) -> Figure:
    """Fréchet distance over training above, the losses below; `curve` as a run record's details hold it."""
    steps = [point["step"] for point in curve]
    with style():
        fig, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True)
        names = {"generator (moving average)": "frechet", "live weights": "frechet_live"}
        curves(
            above,
            {name: [point[key] for point in curve] for name, key in names.items()},
            steps=steps,
            legend=True,
        )
        above.set(ylabel="Fréchet distance", yscale="log")
        plain_labels(above.yaxis)
        losses = {
            f"{role} loss": [point[f"{role}_loss"] for point in curve] for role in ("critic", "generator")
        }
        curves(below, losses, steps=steps, legend=True)
        below.set(xlabel="step", ylabel="loss")
    return fig


def interpolation(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latents on the great circle from `start` to `end`, each `(L,)`; shape `(steps, L)`.

    A straight line would pass close to the origin, where latents drawn from N(0, I) in many dimensions never lie
    (White 2016, section 2.1); along the circle the length goes smoothly from one end's to the other's. (It is a circle
    proper only between ends of equal length.)
    """
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=0)
    angle = torch.arccos(cosine.clamp(-1, 1)).clamp(min=1e-6)
    t = torch.linspace(0, 1, steps)[:, None]
    if float(math.pi - angle) < 1e-3:  # opposite ends have no one great circle between them
        return torch.lerp(start, end, t)
    arc: Tensor = (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / angle.sin()
    return arc
