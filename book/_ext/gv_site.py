"""What makes the site ours: no foreign scripts, a plain Colab button, palette roles, diagrams drawn in the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole

PALETTE = ("real", "fake", "generator", "critic")
STATIC = Path(__file__).parent.parent / "web_static"


# ---- scripts and buttons --------------------------------------------------------------------------------------------


def keep_own_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Drop thebe, which Jupyter Book adds to every page and which looks for a server elsewhere, and repeats."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        name = getattr(script, "filename", None) or ""
        body = (getattr(script, "attributes", None) or {}).get("body", "")
        if "thebe" in f"{name}{body}".lower() or (name and name in seen):
            continue
        seen.add(name)
        kept.append(script)
    context["script_files"] = kept


def show_colab_button(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """The theme hides its only launch button in a menu behind a rocket; show the button itself."""
    buttons = context.get("header_buttons", [])
    for place, group in enumerate(buttons):
        if group.get("label") == "launch-buttons" and len(group["buttons"]) == 1:
            tooltip = "Run this notebook on Google Colab"
            buttons[place] = {
                **group["buttons"][0],
                "text": "Open in Colab",
                "tooltip": tooltip,
                "label": "colab",
            }


# ---- the palette ----------------------------------------------------------------------------------------------------


class PaletteRole(SphinxRole):
    """{real}`…`, {fake}`…`, {generator}`…`, {critic}`…`: a word in the colour it has in every figure."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [nodes.inline(self.rawtext, self.text, classes=[f"gv-{self.name}"])], []


def palette() -> dict[str, str]:
    """The figure colours, read where the site defines them."""
    css = (STATIC / "palette.css").read_text(encoding="utf-8")
    return {name: re.search(rf"--gv-{name}: (#\w{{6}})", css)[1] for name in PALETTE}  # type: ignore[index]


class PaletteInMaths(SphinxTransform):
    r"""Notebooks colour maths with \textcolor{#0072B2}{x}, which Jupyter and Colab know; here it becomes a class.

    A class follows the reader's light or dark setting, a fixed colour would not.
    """

    default_priority = 500

    def apply(self, **_: Any) -> None:
        for node in self.document.findall(lambda n: isinstance(n, nodes.math | nodes.math_block)):
            text = node.astext()
            for name, colour in palette().items():
                text = re.sub(
                    rf"\\textcolor{{{colour}}}", rf"\\htmlClass{{gv-{name}}}", text, flags=re.IGNORECASE
                )
            node.clear()
            node += nodes.Text(text)


class PunctuationStaysWithMaths(SphinxTransform):
    """A browser may break a line between an inline equation and the full stop after it; a typesetter would not."""

    default_priority = 510

    def apply(self, **_: Any) -> None:
        for node in list(self.document.findall(nodes.math)):
            following = node.next_node(descend=False, siblings=True)
            mark = (
                re.match(r"[.,;:!?)\]’”]+", following.astext()) if isinstance(following, nodes.Text) else None
            )
            if mark:
                together = nodes.inline("", "", node.deepcopy(), nodes.Text(mark[0]), classes=["gv-together"])
                following.parent.replace(following, nodes.Text(following.astext()[mark.end() :]))
                node.parent.replace(node, together)


# ---- widgets ---------------------------------------------------------------------------------------------------------

NEEDS_PYTHON = (
    "In a running notebook this cell shows controls to use. A page has no Python behind it to answer them."
)


class WidgetsAreToldOf(SphinxTransform):
    """A cell tagged `widget` shows nothing on the web: its code is folded, and a line says what would be there."""

    default_priority = 520

    def apply(self, **_: Any) -> None:
        for cell in list(self.document.findall(nodes.container)):
            if "tag_widget" in cell["classes"]:
                cell += nodes.paragraph("", NEEDS_PYTHON, classes=["gv-needs-python"])


# ---- diagrams -------------------------------------------------------------------------------------------------------


class Diagram(SphinxDirective):
    """An SVG from the book's sources, drawn in the page so that it takes the page's typeface and colours."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        drawing = Path(path).read_text(encoding="utf-8")
        label = nodes.literal("", self.options["alt"]).astext().replace('"', "&quot;")
        drawing = drawing.replace("<svg ", f'<svg role="img" aria-label="{label}" class="gv-diagram" ', 1)
        figure = nodes.figure("", nodes.raw("", drawing, format="html"), classes=["gv-diagram-figure"])
        if self.content:
            holder = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, holder)
            figure += nodes.caption("", "", *holder[0].children)
        self.add_name(figure)
        self.set_source_info(figure)
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    for name in PALETTE:
        app.add_role(name, PaletteRole())
    app.add_transform(PaletteInMaths)
    app.add_transform(PunctuationStaysWithMaths)
    app.add_transform(WidgetsAreToldOf)
    app.add_directive("diagram", Diagram)
    app.connect("html-page-context", keep_own_scripts, priority=900)
    app.connect("html-page-context", show_colab_button, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
