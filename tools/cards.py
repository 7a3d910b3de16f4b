"""Cut the pictures of the cover's cards out of the chapters' stored figures: `python tools/cards.py`."""

import base64
import io
import json
import re
from pathlib import Path

from PIL import Image

NOTEBOOKS, CARDS = Path("notebooks"), Path("book/images/cards")
SIZE = 640, 320
# Of each chapter: the figure, and the part of it that the card shows: left, upper, right and lower edge, from 0 to 1.
PARTS = {
    "01_gan_basics": ("1.2", (0.02, 0.48, 0.98, 0.935)),
    "02_deblur_gan": ("2.1", (0.385, 0.0, 1.0, 0.667)),
    "03_wgan": ("3.2", (0.0, 0.0, 1.0, 1.0)),
    "04_wgan_gp": ("4.3", (0.335, 0.552, 1.0, 1.0)),
    "05_restoration": ("5.1", (0.075, 0.0, 1.0, 0.659)),
    "06_vae": ("6.6", (0.247, 0.016, 0.658, 0.645)),
    "07_draw_me": ("7.2", (0.0, 0.0, 1.0, 0.667)),
    "08_mediapipe": ("8.2", (0.0, 0.22, 1.0, 0.72)),
}


def figure(notebook: str, number: str) -> Image.Image:
    """A stored figure, by its number; of an animation, the still that stands beside it."""
    for cell in json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            shown = "".join(output.get("data", {}).get("text/html", ""))
            if f"<b>Figure {number}.</b>" in shown:
                data = re.search(r"data:image/\w+;base64,([^\"]+)\"", shown)
                assert data
                return Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGB")
    raise LookupError(f"There is no Figure {number} in {notebook}; run the notebook first.")


def main() -> None:
    """Write a card for each chapter."""
    CARDS.mkdir(parents=True, exist_ok=True)
    for notebook, (number, (left, upper, right, lower)) in PARTS.items():
        whole = figure(notebook, number)
        box = (left * whole.width, upper * whole.height, right * whole.width, lower * whole.height)
        part = whole.crop(tuple(round(edge) for edge in box))
        part.resize(SIZE, Image.Resampling.LANCZOS).save(CARDS / f"{notebook[:2]}.webp", quality=88, method=6)


if __name__ == "__main__":
    main()
