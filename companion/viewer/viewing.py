"""The viewer itself: a page of pictures to press, and the one that was pressed, large, with its neighbours."""

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from companion.data.images import Images
from companion.data.reading import named
from companion.errors import CompanionError
from companion.viewer.album import SIZE, Album, album, on_page, page_count
from companion.viewer.neighbours import Features, Neighbours
from companion.viz.widgets import PictureButtons, Widget, button

SIDE, LARGE = 72, 320  # pixels on the page
EACH, MOST = 24, 96  # pictures on a page
NEIGHBOURS = 8
PATIENCE = 2.0  # seconds, after which a bar shows how far the features are


def browse(
    source: Images | str | Path,
    *,
    features: Features | None = None,
    groups: Mapping[str, Any] | None = None,
    size: int = SIZE,
    each: int = EACH,
) -> "Viewer":
    """Look through a data set. In a notebook, make this the last line of the cell.

    Args:
        source: Images, a set in the catalogue, a folder of pictures, or the folder that `companion align` wrote; see
            `companion.viewer.album.album`.
        features: From images `(N, C, H, W)` in [−1, 1] to features `(N, D)`, such as `metrics.FaceFeatures()`, by which
            neighbours can be found besides by pixels.
        groups: Further groups to narrow the pictures down to, by their names: N times true or false each.
        size: Side in pixels to which named sets and files are brought.
        each: Pictures on a page, 1 to 96.

    Raises:
        CompanionError: As `album`, or so many pictures do not go on a page.
    """
    return Viewer(album(source, size=size, groups=groups), features=features, each=each)


class Viewer(Widget):
    """Pages of an album's pictures, narrowed down to a group; one of them large, with its nearest neighbours.

    A picture is chosen by pressing it or by its number, which is its place in the set: `images[number]`. All of it can
    be done from the keyboard.

    Args:
        album: What there is to look through.
        features: As for `browse`.
        each: Likewise.

    Raises:
        CompanionError: So many pictures do not go on a page.
    """

    def __init__(self, album: Album, *, features: Features | None = None, each: int = EACH) -> None:
        super().__init__()
        if not 1 <= each <= MOST:
            raise CompanionError(f"A page cannot hold {each} pictures; choose from 1 to {MOST}.")
        self.album, self.each = album, each
        self.by = {"pixels": Neighbours(album.images)}
        if features is not None:
            self.by["features"] = Neighbours(album.images, features)
        self._still = False  # while controls are set from here, nothing is drawn
        self._controls()
        self.pictures = PictureButtons(each, SIDE, lambda place: self.choose(int(self.shown[place])))
        self.near = PictureButtons(NEIGHBOURS, SIDE, lambda place: self.choose(int(self.alike[place])))
        self._layout()
        self.turn()
        self.choose(int(self.shown[0]))

    def _controls(self) -> None:
        whole = [(f"all ({len(self.album)})", "")]
        counts = [(f"{name} ({len(rows)})", name) for name, rows in self.album.groups.items()]
        short = {"description_width": "auto"}
        self.group = widgets.Dropdown(options=whole + counts, description="Show", style=short)
        self.back = button("◀ Previous", lambda: self.turn(int(self.page.value) - 1))
        self.forth = button("Next ▶", lambda: self.turn(int(self.page.value) + 1))
        self.page = widgets.BoundedIntText(
            value=1, min=1, max=1, description="Page", style=short, layout={"width": "9em"}
        )
        self.pages = widgets.HTML()
        self.number = widgets.BoundedIntText(
            value=0,
            min=0,
            max=len(self.album) - 1,
            description="Number",
            style=short,
            layout={"width": "11em"},
        )
        self.alike_by = widgets.Dropdown(options=list(self.by), description="Alike by", style=short)
        self.bar = widgets.IntProgress(
            max=len(self.album), description="features", layout={"display": "none"}
        )
        self.group.observe(lambda change: self.turn(), names="value")
        self.page.observe(lambda change: self._asked(lambda: self.turn(int(self.page.value))), names="value")
        for control in (self.number, self.alike_by):
            control.observe(
                lambda change: self._asked(lambda: self.choose(int(self.number.value))), names="value"
            )

    def _layout(self) -> None:
        self.said = widgets.HTML()
        self.near_said = widgets.HTML()
        if not self.album.groups:
            self.group.layout.display = "none"
        if len(self.by) == 1:
            self.alike_by.layout.display = "none"
        self.picture.layout = widgets.Layout(
            max_width=f"{LARGE}px",
            max_height=f"{LARGE}px",
            align_self="flex-start",
            margin="2px 16px 2px 2px",
        )
        around = {"flex_flow": "row wrap", "align_items": "center"}
        controls = [self.group, self.back, self.page, self.pages, self.forth]
        beside = [
            widgets.HBox([self.number, self.alike_by], layout=around),
            *(self.said, self.near_said, self.bar, self.near.box),
        ]
        chosen = [self.picture, widgets.VBox(beside, layout={"flex": "1 1 340px"})]
        self.box.children = (
            widgets.HBox(controls, layout=around),
            self.pictures.box,
            widgets.HBox(chosen, layout={"flex_flow": "row wrap"}),
            self.message,
            widgets.HTML(_left_out(self.album.images.skipped)),
        )

    @property
    def shown(self) -> Tensor:
        """Numbers of the pictures on the page, `(n,)`."""
        return on_page(self.rows, int(self.page.value), self.each)

    @property
    def rows(self) -> Tensor:
        """Numbers of all pictures that the group leaves, `(n,)`."""
        return self.album.rows(self.group.value)

    def turn(self, page: int = 1) -> None:
        """Show a page, counted from 1; before the first one the first, beyond the last one the last."""
        last = page_count(len(self.rows), self.each)
        self._set(self.page, min(max(page, 1), last), last)
        with self.saying():
            self.pages.value = f"of {last}"
            self.back.disabled, self.forth.disabled = self.page.value == 1, self.page.value == last
            self._lay(self.pictures, self.shown)

    def choose(self, number: int) -> None:
        """Show a picture large, and beside it its neighbours."""
        self._set(self.number, number, len(self.album) - 1)
        with self.saying():
            self.paint(self.album.large(number, LARGE))
            self.said.value = f"<b>{number}</b> · {html.escape(self.album.about(number))}"
            self.alike, distances = self._neighbours(number)
            self._lay(self.near, self.alike)
            self.near_said.value = _distances_said(distances.tolist())

    def _neighbours(self, number: int) -> tuple[Tensor, Tensor]:
        """The nearest pictures; a bar shows how far their features are, if they take long."""
        begun = monotonic()

        def progress(done: int) -> None:
            self.bar.value = done
            if monotonic() - begun > PATIENCE:
                self.bar.layout.display = ""

        try:
            return self.by[self.alike_by.value].of(number, NEIGHBOURS, progress)
        finally:
            self.bar.layout.display = "none"

    def _lay(self, buttons: PictureButtons, rows: Tensor) -> None:
        numbers = rows.tolist()
        buttons.show(
            [self.album.thumbnail(row, SIDE) for row in numbers],
            [f"{row}\n{self.album.words[row]}" for row in numbers],
        )

    def _set(self, control: widgets.BoundedIntText, value: int, last: int) -> None:
        """Bring a control to a value without what a reader's doing so would bring about."""
        self._still = True
        try:
            control.max = last
            control.value = value
        finally:
            self._still = False

    def _asked(self, action: Callable[[], None]) -> None:
        """What a reader's change of a control brings about."""
        if not self._still:
            action()


def _distances_said(distances: list[float]) -> str:
    """How far the neighbours lie, below which they are shown."""
    if not distances:
        return "There is no other picture."
    return f"The nearest pictures; their distances go from {distances[0]:.3g} to {distances[-1]:.3g}."


def _left_out(skipped: tuple[str, ...]) -> str:
    """Files that could not be read, and why."""
    if not skipped:
        return ""
    return f'<div style="white-space: pre-line">left out (unreadable): {html.escape(named(skipped))}</div>'
