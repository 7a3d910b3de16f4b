"""What a notebook shows: figures with caption and alt text, animations, tables, and training as it goes."""

import base64
import html
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from PIL import Image, ImageChops, ImageStat

from companion.errors import CompanionError
from companion.records import Measurement, with_spread
from companion.viz.plots import picture

if TYPE_CHECKING:
    from companion.training.trainer import Report

FINE = 2  # pixels of a plot for each of the page's, since most screens have as many
UNSEEN = 1.0  # levels of 255, on average: plots differ by less from themselves in 256 colours, photographs by 2 to 4
FEW_COLOURS = 20_000  # more than plots and pixel grids have, fewer than photographs


@dataclass(frozen=True)
class Captioned:
    """A figure with caption and alt text, as a notebook, Colab and the site all show it."""

    images: Sequence[Image.Image]  # one, or the frames of an animation
    caption: str
    alt: str
    milliseconds: int = 120  # each frame of an animation
    plot: bool = False  # lines on a white ground, of which the site makes light lines where it is dark

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        still = _data_uri([self.images[-1]], 0)
        alt = html.escape(self.alt, quote=True)
        width = self.images[0].width // (FINE if self.plot else 1)
        look = ' class="gv-plot"' if self.plot else ""
        picture = f'<img{look} src="{still}" alt="{alt}" width="{width}">'
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
    plot = isinstance(content, Figure) and not any(ax.images for ax in content.axes)
    if isinstance(content, Figure):
        content = picture(content, fine=FINE if plot else 1)
    images = [content] if isinstance(content, Image.Image) else list(content)
    return Captioned(images, caption, alt, plot=plot)


def moments(steps: int, count: int) -> set[int]:
    """At most `count` steps from 1 to `steps`, the last among them, closer together where training is young."""
    return {math.ceil(steps * (index / count) ** 2) for index in range(1, count + 1)}


@dataclass
class Place:
    """Where the pictures of a cell that trains are shown, one in place of the other."""

    cell: int | None = None
    handle: Any = None  # IPython's


_PLACE = Place()  # a notebook runs one cell at a time


@dataclass(frozen=True)
class Moment:
    """A picture of training under its step and losses."""

    line: str
    image: Image.Image

    def __repr__(self) -> str:
        return self.line

    def _repr_html_(self) -> str:
        line = html.escape(self.line)
        source = _data_uri([self.image], 0)
        return f'<p>{line}</p><img src="{source}" alt="What training shows at {line}" width="{self.image.width}">'


def live(report: "Report", content: Image.Image | Figure) -> None:
    """Show `content` in place of what the last call in this cell showed, under the step and its losses.

    All else that the cell shows stays as it is, the progress bar above all.
    """
    from IPython.core.getipython import get_ipython
    from IPython.display import DisplayHandle

    image = picture(content) if isinstance(content, Figure) else content
    moment = Moment(f"step {report.step}: {report.line}", image)
    shell = get_ipython()
    cell = None if shell is None else shell.execution_count
    if _PLACE.handle is None or _PLACE.cell != cell:
        _PLACE.cell, _PLACE.handle = cell, DisplayHandle()  # type: ignore[no-untyped-call]
        _PLACE.handle.display(moment)
    else:
        _PLACE.handle.update(moment)


Cell = str | float | Measurement | tuple[float, float] | None


@dataclass(frozen=True)
class Table:
    """A table with caption, as a notebook, Colab and the site all show it; in a terminal, columns of text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]  # which columns hold numbers, to be aligned at their ends
    caption: str

    def __repr__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        ]
        caption = html.unescape(re.sub(r"<[^>]+>", "", self.caption))
        return "\n".join([caption, aligned[0], "─" * len(max(aligned, key=len)), *aligned[1:]])

    def _repr_html_(self) -> str:
        head = self._row(self.head, ['th scope="col"'] * len(self.head))
        tags = ["td" if self.numeric[0] else 'th scope="row"'] + ["td"] * (len(self.head) - 1)
        body = "".join(self._row(row, tags) for row in self.rows)
        return (
            f'<figure class="gv-table"><figcaption>{self.caption}</figcaption><div style="overflow-x: auto">'
            f"<table><thead>{head}</thead><tbody>{body}</tbody></table></div></figure>"
        )

    def _row(self, cells: Sequence[str], tags: Sequence[str]) -> str:
        """Alignment stands in each cell: a notebook that is not trusted yet drops style sheets."""
        made = []
        for cell, tag, right in zip(cells, tags, self.numeric, strict=True):
            look = "text-align: right; white-space: nowrap" if right else "text-align: left"
            made.append(f'<{tag} style="{look}">{html.escape(cell)}</{tag.split()[0]}>')
        return f"<tr>{''.join(made)}</tr>"


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str,
    units: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> Table:
    """A table of numbers and words. In a notebook, make this the last line of the cell.

    Args:
        head: What each column holds.
        rows: Their cells: words, numbers, a `Measurement`, a pair of value and spread, or None for what is not there.
        caption: What to see; it may hold simple HTML.
        units: Of columns, by their heads: “s”, “dB”.
        formats: Of columns, by their heads, where four digits (of a spread, two) are not what is wanted: “.1%”.

    Raises:
        CompanionError: A row is shorter or longer than the head, or a unit or format is of no column.
    """
    units, formats, listed = units or {}, formats or {}, [list(row) for row in rows]
    if odd := [row for row in listed if len(row) != len(head)]:
        raise CompanionError(
            f"A row of {len(odd[0])} cells does not fit the {len(head)} columns; give one for each."
        )
    if strange := sorted({*units, *formats} - {*head}):
        raise CompanionError(f"There is no column “{strange[0]}”; name one of {', '.join(head)}.")
    columns = [[row[index] for row in listed] for index in range(len(head))]
    return Table(
        head=[f"{name} ({units[name]})" if name in units else name for name in head],
        rows=[
            [_in_cell(cell, formats.get(name)) for name, cell in zip(head, row, strict=True)]
            for row in listed
        ],
        numeric=[bool(column) and not any(isinstance(cell, str) for cell in column) for column in columns],
        caption=caption,
    )


def _in_cell(cell: Cell, form: str | None) -> str:
    if cell is None:
        return "—"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Measurement):
        if form is None:
            return cell.text
        between = "" if cell.interval is None else f" [{cell.interval[0]:{form}}, {cell.interval[1]:{form}}]"
        return _in_cell(cell.value if cell.spread is None else (cell.value, cell.spread), form) + between
    value, spread = cell if isinstance(cell, tuple) else (cell, None)
    if form is None:
        return with_spread(value, spread)
    if spread is None:
        return format(value, form)
    return f"{value:{form}}\u00a0±\u00a0{spread:{form.removeprefix('+')}}"  # a width has no sign


def _few_where_nobody_sees_it(picture: Image.Image) -> Image.Image:
    """With 256 colours, unless they show: in plots only a few soft edges differ, in small photographs all of it."""
    few = picture.quantize(256, dither=Image.Dither.NONE)
    gap = ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), few.convert("RGB")))
    return few if max(gap.mean) < UNSEEN else picture


def _data_uri(frames: Sequence[Image.Image], milliseconds: int) -> str:
    """Small, and every browser shows it: PNG for drawings, JPEG for photographs, WebP for animations."""
    buffer = io.BytesIO()
    if len(frames) == 1 and frames[0].getcolors(FEW_COLOURS) is not None:
        _few_where_nobody_sees_it(frames[0]).save(buffer, "PNG", optimize=True)
        kind = "png"
    elif len(frames) == 1:
        frames[0].save(buffer, "JPEG", quality=85, subsampling=0, optimize=True)
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
            quality=90,  # below, libwebp takes slow changes for none, and a face keeps shreds of the one before
            method=6,
        )
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
