"""A reader of a page with demos: what the page asked for, what it complained of, and what is to be seen in it."""

import io
import json
from base64 import b64decode
from urllib.parse import urlsplit

import numpy as np
import torch
from browsing import sync_api
from house import SITE, until
from PIL import Image
from stand import complains
from torch import Tensor

from companion import pretrained
from companion.data.scale import to_bytes

HEAVY = (".wasm", ".onnx", ".mjs")  # what no page loads unless it is touched
SETTLED = """figure => [...figure.querySelectorAll("img")].every((image) => image.complete)
  && !figure.querySelector("[aria-busy=true], .gv-live-progress:not([hidden])")"""
PIXELS = "canvas => canvas.toDataURL('image/png').split(',')[1]"


def prepared(name: str) -> dict:
    return json.loads((SITE / f"_static/live/{name}.json").read_text(encoding="utf-8"))


@torch.no_grad()
def drawn(run: str, latents: torch.Tensor) -> torch.Tensor:
    """What torch makes of one row of latents."""
    network = pretrained.load(run)
    return getattr(network, "decoder", network)(latents[None].float())[0]


def mixed(corners: torch.Tensor, x: float, y: float) -> torch.Tensor:
    weights = torch.tensor([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    return (weights / weights.norm()) @ corners


class Reader:
    """One tab, and all it asked for since it was opened."""

    def __init__(self, tab: "sync_api.Page", address: str) -> None:
        self.tab = tab
        self.asked: list[str] = []
        self.errors: list[str] = []
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.on("console", lambda m: self.errors.append(m.text) if complains(m) else None)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.goto(address, wait_until="load")
        self.origin = "{0.scheme}://{0.netloc}/".format(urlsplit(address))

    @property
    def heavy(self) -> list[str]:
        return [url for url in self.asked if url.endswith(HEAVY)]

    @property
    def foreign(self) -> list[str]:
        return [url for url in self.asked if not url.startswith((self.origin, "data:", "blob:"))]

    def reach(self, demo: str) -> "sync_api.Locator":
        """Scroll to a demo and wait until it has begun."""
        figure = self.tab.locator(f'figure[data-live="{demo}"]')
        figure.scroll_into_view_if_needed()
        self.tab.locator(f'figure[data-live="{demo}"].gv-live-on').wait_for()
        figure.scroll_into_view_if_needed()
        return figure

    def settle(self, figure: "sync_api.Locator") -> None:
        """Wait until everything that a figure begins with is there."""
        until(lambda: figure.evaluate(SETTLED), pause=lambda _: self.tab.wait_for_timeout(50))

    def drag(self, pad: "sync_api.Locator", right: float, down: float) -> None:
        """From the middle of a pad to a part of its width and height."""
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box
        self.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.tab.mouse.down()
        self.tab.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=4)
        self.tab.mouse.up()

    def sees(self, canvas: "sync_api.Locator", wanted: Tensor) -> None:
        """Wait until a canvas shows an image `(C, H, W)` in [−1, 1].

        To one level of 255: the file of the model may differ by half a level, which may round the other way.
        """
        until(
            lambda: levels_apart(canvas.evaluate(PIXELS), wanted) <= 1,
            pause=lambda _: self.tab.wait_for_timeout(100),
        )

    def says(self, figure: "sync_api.Locator", words: str) -> None:
        """Wait until the figure's line of trouble has these words in it."""
        figure.locator(".gv-live-trouble", has_text=words).wait_for()


def in_canvas(png: str) -> Tensor:
    """The levels of a canvas's picture, as base64, `(3, H, W)`."""
    shown = np.array(Image.open(io.BytesIO(b64decode(png))).convert("RGB"))
    return torch.from_numpy(shown).permute(2, 0, 1)


def levels_apart(png: str, wanted: Tensor) -> int:
    """How many levels of 255 a canvas's picture, as base64, is at most from an image `(C, H, W)` in [−1, 1]."""
    content = to_bytes(wanted[None])[0].expand(3, -1, -1).int()
    return int((in_canvas(png).int() - content).abs().max())


def values(pad: "sync_api.Locator") -> tuple[float, float]:
    """Where the handle of a pad is."""
    x, y = pad.locator("input").evaluate_all("inputs => inputs.map(input => input.valueAsNumber)")
    return x, y
