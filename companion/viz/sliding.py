"""Two pictures of one scene under a slider: pull, and see what has changed."""

import html
from dataclasses import dataclass

from PIL import Image

from companion.errors import CompanionError
from companion.viz.notebook import _data_uri


@dataclass(frozen=True)
class Sliding:
    """Before and after, one over the other, and how much of each shows.

    It is plain HTML: a page, JupyterLab and Colab show it alike, with any ipywidgets or none. Where scripts do not run,
    in a notebook that is not trusted, each picture shows one half.
    """

    before: Image.Image
    after: Image.Image
    caption: str
    alt: str

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        width, alt = self.before.width, html.escape(self.alt, quote=True)
        under, over = (_data_uri([picture], 0) for picture in (self.after, self.before))
        cut = (
            "this.previousElementSibling.lastElementChild.style.clipPath='inset(0 '+(100-this.value)+'% 0 0)'"
        )
        return (
            f'<figure class="gv-figure"><div style="position:relative;max-width:{width}px">'
            f'<img src="{under}" alt="{alt}" style="display:block;width:100%">'
            f'<img src="{over}" alt="The same before: {alt}" '
            'style="position:absolute;left:0;top:0;width:100%;clip-path:inset(0 50% 0 0)"></div>'
            f'<input type="range" aria-label="How much shows of the picture before" oninput="{cut}" '
            f'style="width:100%;max-width:{width}px"><figcaption>{self.caption}</figcaption></figure>'
        )


def before_after(before: Image.Image, after: Image.Image, caption: str, *, alt: str) -> Sliding:
    """Two pictures of one size under a slider. In a notebook, make this the last line of the cell.

    Args:
        before: Shows on the left of the slider.
        after: Shows on its right.
        caption: What to see; it may hold simple HTML.
        alt: What is there.

    Raises:
        CompanionError: They differ in size.
    """
    if before.size != after.size:
        raise CompanionError(
            f"The pictures before and after have {before.size} and {after.size} pixels; bring them to one size."
        )
    return Sliding(before, after, caption, alt)
