"""“Draw me” in Python: a photograph, and beside it the person as a portrait and as a caricature (chapter 7).

    DrawMe(Measurer(), "me.jpg")

It is built as `companion.viz.widgets` says. The photograph goes to the Python of this notebook and nowhere else.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from PIL import Image, ImageDraw, ImageOps

from companion.data.reading import read_upright
from companion.errors import CompanionError
from companion.files import shown
from companion.likeness.drawing import MOST, STYLES, portrait
from companion.likeness.files import Wish
from companion.likeness.measuring import Measured, Measurer
from companion.viz.palette import COLOURS
from companion.viz.widgets import Widget, button, picture_of, png, uploaded

SIZE = 384  # of the drawings
SHOWN = 300  # pixels on the page


class DrawMe(Widget):
    """A photograph, its person drawn, and a slider for how far the person's own features are exaggerated.

    Another photograph takes the place of the first by *your photograph*, which comes back by *sample*. Of several faces
    one is chosen. *Download* keeps the caricature, as it is seen, as a PNG.

    Args:
        measurer: Finds and measures the faces; the caller closes it.
        sample: The photograph to begin with, which is to show a face.
        size: Side of the drawings in pixels.

    Raises:
        CompanionError: The sample cannot be read, or the drawings cannot be of that size.
    """

    def __init__(self, measurer: Measurer, sample: Path | str, *, size: int = SIZE) -> None:
        super().__init__()
        self.measurer, self.size = measurer, Wish(size=size).size
        read = read_upright(Path(sample))
        if read is None:
            raise CompanionError(f"{shown(sample)} cannot be read as a picture; give a photograph.")
        self.sample, self.whole = read, read
        self.found: list[Measured] = []
        self._still = False  # while controls are set from here, nothing is drawn
        self._controls()
        self._layout()
        self.take(self.sample)

    def _controls(self) -> None:
        wish, style = Wish(), {"description_width": "6em"}
        self.upload = widgets.FileUpload(accept="image/*", multiple=False, description="Your photograph")
        self.sample_button = button("Sample", lambda: self.take(self.sample), "The photograph at the start")
        self.strength = widgets.FloatSlider(
            value=wish.strength,
            min=0.0,
            max=MOST,
            step=0.1,
            description="strength",
            readout_format=".1f",
            style=style,
            layout={"width": "28em", "max_width": "100%"},
        )
        self.style = widgets.Dropdown(
            options=list(STYLES), value=wish.style, description="style", style=style
        )
        self.face = widgets.Dropdown(options=[("1", 0)], description="face", style=style)
        self.upload.observe(self._uploaded, names="value")
        self.face.observe(lambda change: self._draw(), names="value")
        for control in (self.strength, self.style):
            control.observe(lambda change: self._caricature(), names="value")

    def _layout(self) -> None:
        self.photograph, self.portrait = widgets.Image(format="png"), widgets.Image(format="png")
        self.download = widgets.HTML()
        columns = []
        for image, caption in (
            (self.photograph, "The photograph"),
            (self.portrait, "As it was measured"),
            (self.picture, "Exaggerated"),
        ):
            image.layout = widgets.Layout(width=f"{SHOWN}px", max_width="100%", object_fit="contain")
            columns.append(widgets.VBox([image, widgets.HTML(caption)], layout={"margin": "0 8px 8px 0"}))
        self.box.children = (
            widgets.HBox([self.upload, self.sample_button]),
            self.message,
            widgets.HBox(columns, layout={"flex_flow": "row wrap"}),
            self.strength,
            widgets.HTML("0 is nobody in particular, 1 a likeness; beyond it, more so."),
            self.style,
            self.face,
            self.download,
        )

    def take(self, picture: Image.Image) -> None:
        """Measure the faces of a picture, RGB, and draw the first; one without a face leaves all as it was."""
        with self.saying():
            found = self.measurer.measure(picture)
            if not found:
                raise CompanionError(
                    "No face was found in this picture; give one in which a face is seen from the front."
                )
            self.whole, self.found = picture, found
            self._still = True
            try:
                self.face.options = [
                    (f"{number + 1} of {len(found)}", number) for number in range(len(found))
                ]
                self.face.value = 0
            finally:
                self._still = False
            self.face.layout.display = "" if len(found) > 1 else "none"
            self._draw()

    def wish(self) -> Wish:
        """What the controls ask for."""
        return Wish(strength=float(self.strength.value), style=str(self.style.value), size=self.size)

    def _draw(self) -> None:
        """The chosen person: where in the photograph, as a portrait, and exaggerated."""
        if self._still:
            return
        with self.saying():
            self.photograph.value = png(_framed(self.whole, self.found[self.face.value]))
            (drawn,) = portrait(self.found[self.face.value].faces, self.size)
            self.portrait.value = png(Image.fromarray(drawn))
            self._caricature()

    def _caricature(self) -> None:
        with self.saying():
            self.paint(Image.fromarray(self.wish().draw(self.found[self.face.value])))
            source = base64.b64encode(self.picture.value).decode()
            self.download.value = (
                f'<a class="jupyter-button widget-button" style="width: auto; padding: 0 1em; text-decoration: none" '
                f'download="caricature.png" href="data:image/png;base64,{source}">Download</a>'
            )

    def _uploaded(self, change: Mapping[str, Any]) -> None:
        with self.saying():
            content = uploaded(change["new"])
            if content is None:
                return
            picture = picture_of(content)
            self.take(picture)


def _framed(whole: Image.Image, measured: Measured) -> Image.Image:
    """The photograph within a square, a frame around the face."""
    small = ImageOps.contain(whole, (2 * SHOWN, 2 * SHOWN))
    share = small.width / whole.width
    frame = tuple(share * edge for edge in measured.mesh.bounds)
    ImageDraw.Draw(small).rectangle(frame, outline=COLOURS["real"], width=3)
    return ImageOps.pad(small, (2 * SHOWN, 2 * SHOWN), color="white")
