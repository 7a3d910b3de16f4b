"""What a page weighs: pictures in files of their own, fetched when a reader comes near; nothing that nobody asks for.

Notebooks carry their pictures in themselves, as text a third longer than the picture. A chapter would load all of them
before its first line can be read.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path

from PIL import Image
from sphinx.application import Sphinx

SMALL = 4096  # characters: a request would cost more than such a picture
TAG = re.compile(r"<(?:img|source|audio)\b[^>]*>")
CARRIED = re.compile(r'(src|srcset)="data:(?:image|audio)/(?:x-)?(\w+);base64,([A-Za-z0-9+/=\s]+)"')
NAMED = re.compile(r"_images/[^\s\"'?#]+\.png")
WIDTH = re.compile(r'\bwidth="(\d+)"')

# Icons are a font here; the theme's script, 1.5 MB, would draw the same ones again.
ICON_SCRIPT = re.compile(r"\s*<script\b[^>]*scripts/fontawesome\.js[^>]*></script>")

# Scripts that stop the reading of a page, but for the one that scripts in the page build on.
STOPPING = re.compile(
    r"<script(?![^>]*\b(?:defer|async|type=))(?=[^>]*\bsrc=)(?![^>]*documentation_options\.js)"
)
UNASKED = (
    "**/*.map",
    "scripts/fontawesome.js*",
    "vendor/fontawesome/webfonts/*.ttf",
)


def lighten(app: Sphinx, error: Exception | None) -> None:
    """Once the site is built, before `gv_live` reads its pages for their policies."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    new_names = pictures_lighter(site / "_images")
    for path in site.rglob("*.html"):
        if "_static" not in path.relative_to(site).parts:
            page = ICON_SCRIPT.sub("", path.read_text(encoding="utf-8"))
            page = STOPPING.sub("<script defer", page)  # they run in their order, once the page is there
            page = NAMED.sub(lambda found: new_names.get(found[0], found[0]), page)
            path.write_text(pictures_apart(page, site, path.parent), encoding="utf-8")
    for path in (site / "_sources").rglob("*.ipynb"):
        path.write_text(without_outputs(path.read_text(encoding="utf-8")), encoding="utf-8")
    for pattern in UNASKED:
        for path in (site / "_static").glob(pattern):
            path.unlink()


def pictures_lighter(folder: Path) -> dict[str, str]:
    """Files that Sphinx has copied, and that become smaller, replaced; their names, old and new."""
    new_names = {}
    for path in sorted(folder.glob("*.png")):
        content, kind = lighter(path.read_bytes(), "png")
        target = path.with_suffix(f".{kind}")
        if not target.exists():  # what was no smaller, or has a namesake, stays
            target.write_bytes(content)
            path.unlink()
            new_names[f"_images/{path.name}"] = f"_images/{target.name}"
    return new_names


def lighter(content: bytes, kind: str) -> tuple[bytes, str]:
    """A PNG as WebP, if that is smaller: without a loss, or nearly so where that halves it, as in photographs."""
    if kind != "png":
        return content, kind
    picture = Image.open(io.BytesIO(content))
    exact, nearly = (
        _as_webp(picture, **how) for how in ({"lossless": True}, {"quality": 90, "use_sharp_yuv": True})
    )
    made = nearly if 2 * len(nearly) < len(exact) else exact
    return (made, "webp") if len(made) < len(content) else (content, kind)


def _as_webp(picture: Image.Image, **how: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **how)
    return buffer.getvalue()


def pictures_apart(page: str, site: Path, folder: Path) -> str:
    """The page with its larger pictures and sounds in `_images`, each once, named after its content."""
    up = "../" * len(folder.relative_to(site).parts)

    def in_file(carried: re.Match[str]) -> str:
        attribute, kind, text = carried.groups()
        if len(text) < SMALL:
            return carried[0]
        content, kind = lighter(base64.b64decode(text), kind)
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        (site / "_images").mkdir(exist_ok=True)
        (site / "_images" / name).write_bytes(content)
        return f'{attribute}="{up}_images/{name}"'

    def lazily(tag: re.Match[str]) -> str:
        changed = CARRIED.sub(in_file, tag[0])
        if changed == tag[0] or not changed.startswith("<img"):
            return changed
        return changed.replace("<img", f'<img loading="lazy"{_height(tag[0])}', 1)

    return TAG.sub(lazily, page)


def _height(tag: str) -> str:
    """A height that goes with the tag's width, so that the page does not jump when the picture arrives."""
    width, carried = WIDTH.search(tag), CARRIED.search(tag)
    if not width or not carried:
        return ""
    size = Image.open(io.BytesIO(base64.b64decode(carried[3]))).size
    return f' height="{round(int(width[1]) * size[1] / size[0])}"'


def without_outputs(notebook: str) -> str:
    """The notebook as somebody begins it: who fetches it from the page will run it."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", lighten, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
