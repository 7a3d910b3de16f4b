"""What the course's widgets have in common (chapters 6 and 7, and `companion.viewer`).

They are built from ipywidgets' own parts, of version 7.7 (Colab) and 8 alike, so they need nothing in the page. What
goes wrong in a callback shows in the widget: an exception there would otherwise vanish into the server's log.
"""

import base64
import html
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import ipywidgets as widgets
from PIL import Image

from companion.data.reading import FORMATS, read_upright
from companion.errors import CompanionError

ALERT = "#B00020"


class Widget:
    """A picture, a line for errors, and how a notebook shows them."""

    def __init__(self) -> None:
        self.picture = widgets.Image(format="png")
        self.message = widgets.HTML()
        self.box = widgets.VBox()

    def _ipython_display_(self) -> None:
        """What JupyterLab, VS Code and Colab show, with ipywidgets 7 and 8 alike."""
        from IPython.display import display

        display(self.box)  # type: ignore[no-untyped-call]

    @contextmanager
    def saying(self) -> Iterator[None]:
        """Whatever goes wrong inside is one sentence in the widget, until the next thing goes right."""
        self.message.value = ""
        try:
            yield
        except Exception as error:  # of any kind: nobody reads a callback's traceback
            named = str(error) if isinstance(error, CompanionError) else f"{type(error).__name__}: {error}"
            self.message.value = f'<span role="alert" style="color: {ALERT}">{html.escape(named)}</span>'

    def paint(self, image: Image.Image) -> None:
        """Show a picture."""
        self.picture.value = png(image)


class PictureButtons:
    """Square pictures to press, each a button with words below it: with the mouse, or with Tab and the space bar.

    A button of ipywidgets holds words alone, so the pictures are their grounds, by a style sheet in the box.

    Args:
        most: How many there are at most.
        side: Of the pictures on the page, in pixels.
        press: What pressing the one at a place, from 0, does.
    """

    _number = count()  # of all that this process has made: a page may show several

    def __init__(self, most: int, side: int, press: Callable[[int], None]) -> None:
        self.name, self.side = f"gv-pictures-{next(self._number)}", side
        self.buttons = [button("", partial(press, place)) for place in range(most)]
        for place, one in enumerate(self.buttons):
            one.layout = widgets.Layout(
                width=f"{side + 8}px", height=f"{side + 38}px", margin="2px", padding="0"
            )
            one.add_class(self.name)
            one.add_class(f"{self.name}-{place}")
        self._sheet = widgets.HTML(layout={"display": "none"})
        self._row = widgets.Box(layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([self._sheet, self._row])

    def show(self, pictures: Sequence[Image.Image], words: Sequence[str]) -> None:
        """Other pictures: as many buttons as there are of them are seen.

        Args:
            pictures: The one for each button.
            words: What stands below it, two lines at most; all of it shows under the mouse.
        """
        rules = [GROUND.format(name=self.name, side=self.side, below=self.side + 6)]
        for place, (one, picture, said) in enumerate(zip(self.buttons, pictures, words, strict=False)):
            source = f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"
            rules.append(f"button.{self.name}-{place} {{ background-image: url({source}) !important }}")
            one.description, one.tooltip = said, said
        self._sheet.value = f"<style>{''.join(rules)}</style>"
        self._row.children = tuple(self.buttons[: len(pictures)])


GROUND = (
    "button.{name} {{ background: #fff no-repeat 50% 3px / {side}px !important; color: #333 !important; "
    "padding: {below}px 2px 0 !important; border: 1px solid #ddd; border-radius: 3px; font-size: 11px; "
    "line-height: 13px; text-align: center; white-space: pre; overflow: hidden; text-overflow: ellipsis }} "
    "button.{name}:focus-visible {{ outline: 3px solid #0072b2 !important }} "
)


def png(image: Image.Image) -> bytes:
    """A picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)  # the page is near, and every millisecond shows
    return buffer.getvalue()


def uploaded(value: Any) -> bytes | None:
    """What was uploaded: ipywidgets 8 gives a tuple of files, version 7 a dictionary of them by name."""
    files = list(value.values()) if isinstance(value, dict) else list(value)
    return bytes(files[-1]["content"]) if files else None


def picture_of(content: bytes) -> Image.Image:
    """What an uploaded file holds, upright, RGB.

    Raises:
        CompanionError: It cannot be read.
    """
    picture = read_upright(io.BytesIO(content))
    if picture is None:
        raise CompanionError(f"This file could not be read as a picture; give a {FORMATS} file.")
    return picture


def button(label: str, press: Callable[[], None], tooltip: str = "") -> widgets.Button:
    """A button no wider than its label that calls `press`."""
    made = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto", "min_width": "2.5em"})
    made.on_click(lambda _: press())
    return made
