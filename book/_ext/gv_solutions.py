"""Exercise masters hold their solutions, as nbgrader wants; the book shows each one folded.

A code cell is cut at `### BEGIN SOLUTION` and `### END SOLUTION`: what a student gets stays in view, the solution
goes into a toggle. A text cell that nbgrader marks as a solution is folded whole. A graded test says so.
"""

from __future__ import annotations

import json
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

SOLUTION = re.compile(
    r"\n?[ \t]*### BEGIN SOLUTION[^\n]*\n(.*?)\n?[ \t]*### END SOLUTION[^\n]*(?:\n|$)", re.DOTALL
)
MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) HIDDEN TESTS[^\n]*\n?", re.MULTILINE)
FOLD_OPEN = '<details class="gv-solution"><summary><span>{label}</span></summary>'


class FoldSolutions(SphinxTransform):
    """Cut each code cell with a solution into visible code and a toggle."""

    default_priority = 600

    def apply(self, **_: Any) -> None:
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code":
                self.label_test(cell)
                for block in list(cell.findall(nodes.literal_block)):
                    if "cell_input" in block.parent.get("classes", []):
                        self.fold(block)

    def fold(self, block: nodes.literal_block) -> None:
        parts = SOLUTION.split(MARK.sub("", block.astext()))
        new: list[nodes.Node] = []
        for index, code in enumerate(parts):
            piece = self.code_like(block, code)
            if index % 2:  # odd parts are what stood between the marks
                opening = nodes.raw("", FOLD_OPEN.format(label="Show the solution"), format="html")
                new += [opening, piece, nodes.raw("", "</details>", format="html")]
            elif code.strip():
                new.append(piece)
        block.parent.replace(block, new)

    @staticmethod
    def code_like(block: nodes.literal_block, code: str) -> nodes.literal_block:
        code = code.strip("\n")
        piece = nodes.literal_block(code, code, **block.attributes)
        piece["ids"], piece["names"] = [], []
        piece.source, piece.line = block.source, block.line
        return piece

    @staticmethod
    def label_test(cell: nodes.container) -> None:
        """“Graded test · 2 points” above a cell that nbgrader grades by running it."""
        grading = (cell.get("cell_metadata") or {}).get("nbgrader", {})
        if grading.get("grade") and not grading.get("solution"):
            points = grading.get("points", 0)
            text = f"Graded test · {points:g} point{'' if points == 1 else 's'}"
            cell.insert(0, nodes.paragraph(text, text, classes=["gv-graded"]))


def fold_text_solutions(app: Sphinx, document: str, source: list[str]) -> None:
    """Put each text cell that is a solution into a dropdown, before the notebook is parsed."""
    if not app.env.doc2path(document).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown" and grading.get("solution"):
            text = "".join(cell["source"])
            cell["source"] = (
                f"``````{{dropdown}} Show a model answer\n:class-container: gv-answer\n\n{text}\n``````"
            )
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(FoldSolutions)
    app.connect("source-read", fold_text_solutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
