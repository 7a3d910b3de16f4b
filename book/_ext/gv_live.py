"""Demos in the page: `{live} NAME` shows one of `book/live/demos`, and every page forbids what is not the site's own.

A figure holds a still picture, `book/images/live/NAME.png`, and a caption; the script `book/live/kit/start.js` builds
the demo over the still when a reader comes near. A page without a demo loads none of it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LIVE = Path(__file__).parent.parent / "live"
STILLS = Path(__file__).parent.parent / "images/live"
SERVED = ("kit", "demos", "faces", "hands", "lab", "likeness", "restoring", "live.css")  # the tests stay here


# ---- the directive --------------------------------------------------------------------------------------------------


class live(nodes.figure):
    """A demo's figure: an image, where there is a still, and a caption."""


class Live(SphinxDirective):
    """`{live} NAME` with `:alt:`, what is to be seen for those who do not see it; the content is the caption.

    `:with: data=ring&compact=yes` is passed on to the demo; `:name:` makes a target of the figure.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "with": directives.unchanged_required,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if not (LIVE / f"demos/{name}.js").is_file():
            known = ", ".join(sorted(path.stem for path in (LIVE / "demos").glob("*.js")))
            raise self.error(f"There is no demo {name} in book/live/demos; there are: {known}.")
        if not self.options.get("alt"):
            raise self.error(f"The demo {name} needs an :alt: that says what is to be seen.")
        figure = live("", demo=name, options=self.options.get("with", ""))
        if (STILLS / f"{name}.png").is_file():
            # From the root, so that notebooks and pages in any folder find it.
            image = nodes.image(uri=f"/book/images/live/{name}.png", alt=self.options["alt"])
            self.set_source_info(image)
            figure += image
        if self.content:
            holder = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, holder)
            figure += nodes.caption("", "", *holder[0].children)
        self.add_name(figure)
        self.set_source_info(figure)
        return [figure]


def open_figure(writer: Any, node: live) -> None:
    options = {"data-with": node["options"]} if node["options"] else {}
    extra = {"data-live": node["demo"], **options}
    writer.body.append(writer.starttag(node, "figure", CLASS="gv-live", **extra))


def close_figure(writer: Any, node: live) -> None:
    captioned = any(isinstance(child, nodes.caption) for child in node.children)
    writer.body.append("</figcaption>\n</figure>\n" if captioned else "</figure>\n")  # docutils has opened it


def in_words(writer: Any, node: live) -> None:
    """Elsewhere than in HTML, the still and its caption are all there is."""


def load_kit(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """The kit's script and styles, on pages with a demo only; a demo's own styles, where `demos/NAME.css` is."""
    demos = sorted({node["demo"] for node in tree.findall(live)}) if tree else []
    if not demos:
        return
    app.add_css_file("live/live.css")
    for demo in demos:
        if (LIVE / f"demos/{demo}.css").is_file():
            app.add_css_file(f"live/demos/{demo}.css")
    app.add_js_file("live/kit/start.js", type="module")


def copy_kit(app: Sphinx, error: Exception | None) -> None:
    """Modules and styles as they are: no bundler, so what a browser runs is what stands here."""
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static/live"
    for name in SERVED:
        source = LIVE / name
        if source.is_dir():
            shutil.copytree(source, target / name, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target / name)


# ---- nothing from elsewhere -----------------------------------------------------------------------------------------

POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",  # equations and notebooks' tables bring styles of their own
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
MARK = '<meta http-equiv="Content-Security-Policy"'
SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
DATA = re.compile(r'type="(?!module|text/javascript)', re.IGNORECASE)
HANDLER = re.compile(r'<[^>]*\son\w+="([^"]*)"')


def policy_for(page: str) -> str:
    """The page's policy: of scripts in the page itself those that it was built with, known by their hashes."""
    scripts = {body for attributes, body in SCRIPT.findall(page) if not DATA.search(attributes)}
    handlers = {html.unescape(body) for body in HANDLER.findall(page)}
    words = [*map(_hash, sorted(scripts | handlers)), *(["'unsafe-hashes'"] if handlers else [])]
    rules = {**POLICY, "script-src": " ".join([POLICY["script-src"], *words])}
    return "; ".join(f"{name} {rule}" for name, rule in rules.items())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def write_policies(app: Sphinx, error: Exception | None) -> None:
    """Put each page's policy at the top of its head, where it holds for all that follows."""
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        if "_static" in path.relative_to(app.outdir).parts:
            continue
        page = re.sub(rf"\s*{re.escape(MARK)}[^>]*>", "", path.read_text(encoding="utf-8"))
        meta = f'\\g<0>\n    {MARK} content="{policy_for(page)}">'
        path.write_text(re.sub(r"<head>", meta, page, count=1), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(
        live, html=(open_figure, close_figure), latex=(in_words, in_words), text=(in_words, in_words)
    )
    app.add_directive("live", Live)
    app.connect("html-page-context", load_kit)
    app.connect("build-finished", copy_kit)
    app.connect("build-finished", write_policies, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
