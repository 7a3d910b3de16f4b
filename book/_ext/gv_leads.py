"""A chapter opens with a picture: one of its own figures, or the top of it, stands under the title and leads to it.

The notebook holds the figure once, and so does the site: equal pictures share a file (`gv_weight`).
"""

from __future__ import annotations

import base64
import io
import re
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util import logging


class Lead(NamedTuple):
    """Which figure a chapter opens with, and which part of its height is shown, without names beside or above it."""

    figure: str
    top: float = 0.0
    bottom: float = 1.0
    named: bool = False  # whether the pictures have names, which are left out


LEADS = {
    "00_faces": Lead("0.1", bottom=2 / 6),
    "01_gan_basics": Lead("1.6"),
    "02_deblur_gan": Lead("2.1", named=True),
    "02b_any_shake": Lead("2b.1", top=0.08, bottom=0.8),
    "03_wgan": Lead("3.2", top=0.06),
    "04_wgan_gp": Lead("4.3", bottom=0.5),
    "04b_sprites_and_sound": Lead("4b.2", bottom=3 / 5, named=True),
    "05_restoration": Lead("5.1", bottom=2 / 3, named=True),
    "06_vae": Lead("6.8", named=True),
    "07_draw_me": Lead("7.1", bottom=1 / 3, named=True),
    "07b_attention": Lead("7b.1", named=True),
    "07c_translation": Lead("7c.1", named=True),
    "07d_identity": Lead("7d.1", named=True),
    "08_mediapipe": Lead("8.4"),
}
FIGURE = '<figure class="gv-figure">'
SLIDER = re.compile(r"<input\b[^>]*>")


def open_with_a_picture(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    lead = LEADS.get(PurePosixPath(page).name)
    if lead is None or app.builder.format != "html" or "/exercises/" in page:
        return
    body = led(context["body"], lead)
    if body is None:
        logging.getLogger(__name__).warning("There is no Figure %s to open %s with.", lead.figure, page)
    else:
        context["body"] = body


def led(body: str, lead: Lead) -> str | None:
    """A page's body with the figure's picture under its first heading; None where there is no such figure."""
    name = body.find(f"<figcaption><b>Figure {lead.figure}.</b>")
    start = body.rfind(FIGURE, 0, max(name, 0))
    if start < 0:
        return None
    target = f"figure-{lead.figure.replace('.', '-')}"
    picture = SLIDER.sub("", body[start + len(FIGURE) : name])
    look = _part(lead, _image(picture))
    strip = (
        f'<figure class="gv-lead-picture"><a href="#{target}" style="{look}">{picture}</a>'
        f'<figcaption><a href="#{target}">Figure {lead.figure}</a>, further down</figcaption></figure>'
    )
    body = f'{body[:start]}{FIGURE[:-1]} id="{target}">{body[start + len(FIGURE) :]}'
    return body.replace("</h1>", f"</h1>\n{strip}", 1)


def _part(lead: Lead, image: Image.Image) -> str:
    """How the style sheet is told of the part to show; shares of the width, since margins are."""
    left, above = _begin(image) if lead.named else (0, 0)
    wide, high = image.width - left, image.height - above
    up = above + lead.top * high
    return (
        f"aspect-ratio: {wide} / {high * (lead.bottom - lead.top):.0f}; --gv-wide: {100 * image.width / wide:.2f}%; "
        f"--gv-left: {-100 * left / wide:.2f}%; --gv-up: {-100 * up / wide:.2f}%"
    )


def _begin(image: Image.Image) -> tuple[int, int]:
    """The first column and the first row that pictures fill; where names stand, much is white."""
    white = np.asarray(image.convert("L")) > 240
    left = int((white.mean(0) < 0.5).argmax())  # a column of pictures has names above, and gaps
    return left, int((white[:, left:].mean(1) < 0.2).argmax())


def _image(picture: str) -> Image.Image:
    """The first image in a piece of a page."""
    carried = re.search(r'base64,([^"]+)"', picture)
    assert carried, "a stored figure carries its picture"
    return Image.open(io.BytesIO(base64.b64decode(carried[1])))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", open_with_a_picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
