"""Run notebooks from top to bottom and store what came out, clean enough to commit.

A notebook is written only when every cell ran without an error. Stored outputs come from a laptop or a gpu run: the
smoke budget shows that a notebook runs, not what it shows.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from companion.files import write_text

NOTEBOOKS = Path("notebooks")
LARGEST = 2_000_000  # bytes; larger ones make cloning and opening on Colab slow
WIDGET = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def find(chapters: list[str]) -> list[Path]:
    """The notebook and the exercises of each chapter named (`1`, `01` or `02b`), or all of them."""
    prefixes = tuple(re.sub(r"\d+", lambda n: n[0].zfill(2), f"{chapter}_") for chapter in chapters) or ("",)
    everything = sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(NOTEBOOKS.glob("exercises/*.ipynb"))
    return [path for path in everything if path.name.startswith(prefixes)]


def execute(path: Path) -> NotebookNode:
    """Run all cells in a fresh kernel, in the notebook's own folder, with a line of progress."""
    notebook = nbformat.read(path, as_version=4)
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    started, done = time.monotonic(), 0

    def report(cell: Any, cell_index: int, **_: Any) -> None:
        nonlocal done
        done += 1
        print(f"\r{path}: cell {done} of {total}, {time.monotonic() - started:.0f} s ", end="", flush=True)

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,  # on a busy machine one print arrives in pieces
        on_cell_execute=report,
    )
    client.execute()
    print()
    return notebook


def clean(notebook: NotebookNode) -> NotebookNode:
    """Drop what changes with every run or machine and what a page cannot show."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {
        "name": "python",
        "file_extension": ".py",
        "pygments_lexer": "ipython3",
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(clean_output, cell.outputs) if output is not None]
    return notebook


def clean_output(output: NotebookNode) -> NotebookNode | None:
    """The output without colour codes; None for a widget or a progress bar."""
    if WIDGET in output.get("data", {}):
        return None
    if output.output_type == "stream":
        if output.name == "stderr" and ("\r" in output.text or "%|" in output.text):
            return None
        output.text = ANSI.sub("", output.text)
    elif "text/plain" in output.get("data", {}):
        output.data["text/plain"] = ANSI.sub("", output.data["text/plain"])
    return output


def store(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook unless it is too large."""
    text = nbformat.writes(notebook) + "\n"
    size = len(text.encode())
    if size > LARGEST:
        sys.exit(
            f"{path} would be {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}. Not stored: draw less."
        )
    write_text(path, text)
    print(f"{path}: stored, {size / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="chapter numbers; none means all")
    parser.add_argument("--budget", default="laptop", help="laptop or gpu")
    options = parser.parse_args()
    if options.budget not in {"laptop", "gpu"}:
        sys.exit(f"A {options.budget} run is not stored: the book shows laptop and gpu runs only.")
    os.environ["COMPANION_BUDGET"] = options.budget
    paths = find(options.chapters)
    if not paths:
        sys.exit(f"No notebook for chapter {' '.join(options.chapters)} in {NOTEBOOKS}/.")
    for path in paths:
        try:
            notebook = execute(path)
        except CellExecutionError as error:
            sys.exit(f"\n{ANSI.sub('', str(error))}\n{path} is unchanged: a cell failed, see above.")
        store(clean(notebook), path)
    print("Next: make book")


if __name__ == "__main__":
    main()
