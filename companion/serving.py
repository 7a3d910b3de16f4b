"""A widget on a page of its own, served to this machine alone by Voilà (chapter 6's apps)."""

import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from companion.errors import CompanionError

# The browser itself refuses whatever is not this machine's: Voilà's pages would fetch a font and a library from afar.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' ws://localhost:* ws://127.0.0.1:*"
)

LARGEST_UPLOAD = (
    100 * 2**20
)  # bytes; beyond tornado's own limit of a tenth, a page loses its kernel without a word


def serve(title: str, code: str, *, port: int = 8866, browser: bool = True) -> None:
    """Serve a page with a heading and the widget that a cell of Python ends in, until it is stopped.

    The cell runs in the folder in which this was called, where its widget's files belong.

    Raises:
        CompanionError: There is no such port; Voilà is not installed, or stopped by itself.
    """
    if not 1024 <= port <= 65535:
        raise CompanionError(f"A page cannot be served on port {port}; choose one from 1024 to 65535.")
    if find_spec("voila") is None:
        raise CompanionError("An app needs Voilà; install it with: pip install voila.")
    with TemporaryDirectory() as folder:
        page = Path(folder) / "app.ipynb"
        page.write_text(_notebook(title, code, Path.cwd()), encoding="utf-8")
        server = {
            "headers": {"Content-Security-Policy": POLICY},
            "websocket_max_message_size": LARGEST_UPLOAD,
        }
        settings = {"Voila": {"ip": "127.0.0.1", "tornado_settings": server}}
        (Path(folder) / "voila.json").write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "voila", str(page), f"--port={port}", "--show_tracebacks=True"]
        command += [] if browser else ["--no-browser"]
        ended = subprocess.run(command, cwd=folder, check=False).returncode
    if ended:
        raise CompanionError(
            f"Voilà stopped with exit code {ended}; see its message above, and try another --port."
        )


def _notebook(title: str, code: str, folder: Path) -> str:
    """The page as a notebook's text: a heading, and the cell."""
    nbformat: Any = import_module("nbformat")  # comes with Voilà
    heading = f"# {title}\n\nThis page is served by your own machine; nothing you do here leaves it."
    cell = f"import os\n\nos.chdir({str(folder)!r})\n{code}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(heading), nbformat.v4.new_code_cell(cell)],
        metadata={"kernelspec": kernel},
    )
    return str(nbformat.writes(notebook))
