"""Plots in the book's style: curves, the plane, histograms, seeds; tensors may come from any device."""

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from companion.viz.letters import families
from companion.viz.palette import COLOURS, DPI, GREY, INK, WIDTH

if TYPE_CHECKING:
    from companion.training.adversarial import GANReport

FAKE_TO_REAL = LinearSegmentedColormap.from_list("fake to real", ["#F2B48C", "#FAF8F5", "#8FC1DE"])

STYLE: Any = {
    "figure.figsize": (WIDTH, 3.2),
    "figure.dpi": DPI,
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
    with plt.rc_context({**STYLE, "font.family": [*families()]}):
        yield


def picture(fig: Figure, *, fine: int = 1) -> Image.Image:
    """A finished figure as an image, so many times as fine as the page; the figure is closed."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", facecolor="white", dpi=fine * fig.dpi)
    plt.close(fig)
    return Image.open(buffer).convert("RGB")


def clouds(ax: Axes, points: Tensor, kinds: Tensor) -> None:
    """Points of up to ten kinds in the plane, each kind's number at the middle of its cloud.

    Args:
        ax: Where to draw.
        points: `(N, 2)`.
        kinds: `(N,)`, from 0 to 9.
    """
    colours = plt.get_cmap("tab10")
    named: list[int] = torch.unique(kinds).tolist()
    for kind in named:
        x, y = as_numbers(points[kinds == kind].T)
        ax.scatter(x, y, s=3, color=colours(kind))
    for kind in named:  # above all dots
        across, up = points[kinds == kind].median(0).values.tolist()
        frame = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colours(kind)}
        ax.text(across, up, str(kind), ha="center", va="center", fontsize=9, bbox=frame)


def as_numbers(values: Sequence[float] | Tensor) -> NDArray[np.float64]:
    """What matplotlib can draw: a tensor of any device, or numbers one by one."""
    if isinstance(values, Tensor):
        return values.detach().cpu().double().numpy()
    return np.array([float(value) for value in values])


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
        smooth: Average over a window of that many points around each; the unsmoothed line stays visible behind.
        legend: Name the lines in a legend instead of at their ends, where these would meet.
    """
    for name, values in lines.items():
        x = np.arange(1, len(values) + 1) if steps is None else as_numbers(steps)
        y = as_numbers(values)
        colour: Any = COLOURS.get(name.split()[0])
        if smooth > 1 and len(y) >= 2 * smooth:
            (faint,) = ax.plot(x, y, color=colour, alpha=0.18, linewidth=0.8)
            colour = faint.get_color()
            y = _smoothed(y, smooth)
        dashes = "--" if name.startswith(("optimal", "live")) else "-"
        (line,) = ax.plot(x, y, color=colour, linestyle=dashes, label=name)
        if not legend:
            place: Any = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(name, (x[-1], y[-1]), color=line.get_color(), annotation_clip=False, **place)
    if legend:
        ax.legend()


def _smoothed(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Means around each of the values; at the ends, of as many as there are."""
    shares = np.ones(window)
    sums, counts = (np.convolve(each, shares, "same") for each in (values, np.ones_like(values)))
    return np.asarray(sums / counts)


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
        axis, scores = _over_the_plane(critic, extent)
        belief = scores.sigmoid().numpy()
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
            x, y = as_numbers(points).T
            ax.scatter(x, y, s=4, linewidths=0, alpha=0.6, color=COLOURS[role])
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])


def plane_frame(
    report: "GANReport", real: Tensor, *, samples: int = 500, title: str | None = None
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


def _over_the_plane(critic: nn.Module, extent: float) -> tuple[Tensor, Tensor]:
    """Places on either axis `(120,)`, and the critic's scores at each pair of them, `(120, 120)`, y first."""
    weights = next(critic.parameters(), torch.empty(0))
    axis = torch.linspace(-extent, extent, 120, device=weights.device)
    grid = torch.cartesian_prod(axis, axis).flip(1)  # (x, y), x fastest
    with torch.no_grad():
        scores = critic(grid).view(len(axis), len(axis))
    return axis.cpu(), scores.float().cpu()


def value_surface(
    ax: Axes, critic: nn.Module, *, real: Tensor | None = None, extent: float = 3.0, lines: int = 14
) -> None:
    """Level lines of a critic's scores in the plane, evenly spaced in score, over points `(N, 2)` of the data.

    What Gulrajani et al. 2017 show in figure 1a: a good critic's level lines follow the data's shape.
    """
    axis, scores = _over_the_plane(critic, extent)
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
        x, y = as_numbers(real).T
        ax.scatter(x, y, s=3, linewidths=0, alpha=0.7, color=COLOURS["real"])
    ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])


def weights_histogram(ax: Axes, critic: nn.Module, *, reach: float | None = None, bins: int = 60) -> None:
    """How often each value occurs among a critic's weights and biases, in parts of all; the axis from −reach to reach.

    Weights beyond the reach are counted in the last bins.
    """
    weights = np.concatenate([as_numbers(weight).ravel() for weight in critic.parameters()])
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


MARKS = "os^Dv"  # of the first to the fifth run


def seeds_figure(
    runs: Mapping[str, Sequence[Mapping[str, float]]],
    key: str,
    *,
    xlabel: str,
    log: bool = False,
    role: str = "generator",
    left_out: Callable[[Mapping[str, float]], bool] = lambda run: False,
) -> Figure:
    """The mean of `key` over the runs of each setting, as a bar, and every run as a mark, in the colour of a role.

    `log` makes the axis logarithmic, and each bar a stroke. Up to five runs have marks of
    their own, so that equal ones can be followed from setting to setting. Runs that `left_out` names are hollow, and
    count in no mean.
    """
    with style():
        fig, ax = plt.subplots(figsize=(WIDTH, 0.32 * len(runs) + 0.7))
        for row, seen in enumerate(runs.values()):
            values = [run[key] for run in seen]
            counted = [run[key] for run in seen if not left_out(run)]
            if counted and log:
                ax.vlines(
                    float(np.mean(counted)), row - 0.31, row + 0.31, color=COLOURS[role], lw=2.5, alpha=0.5
                )
            elif counted:
                ax.barh(row, float(np.mean(counted)), color=COLOURS[role], alpha=0.3, height=0.62)
            apart = np.linspace(-0.18, 0.18, len(values))  # so that equal values stay apart
            fills = ["white" if left_out(run) else COLOURS[role] for run in seen]
            marks = MARKS if len(values) <= len(MARKS) else "o" * len(values)
            for value, up, fill, mark in zip(values, apart, fills, marks, strict=False):
                ax.scatter(
                    value,
                    row + up,
                    c=fill,
                    marker=mark,
                    edgecolors=COLOURS[role],
                    s=20,
                    zorder=3,
                    linewidths=0.8,
                )
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
            ax.hist(as_numbers(numbers), bins=bins, color=COLOURS["real"], alpha=0.75)
            ax.set_title(name, fontsize=9)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.tick_params(labelsize=7.5)
    return fig


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
