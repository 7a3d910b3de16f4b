"""Runs notebooks at smoke as on a card that is only pretended: python elsewhere.py cuda|mps, a notebook's path a line.

For each it prints a line of JSON: its status, and what it said, at last how many tensors were put on the card. Each has
a process of its own, forked from this one, which has imported what takes long; what fails is IPython's traceback.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

os.environ |= {"COMPANION_BUDGET": "smoke", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}

import torch
from IPython.core.interactiveshell import InteractiveShell
from pretend import pretending

from companion import environment

LONG = ("matplotlib.pyplot", "companion.course", "companion.metrics", "companion.training", "companion.viz")


def offer(kind: str) -> None:
    """Let the package find the card; then only import what most notebooks need, as it keeps what it has found."""
    real = environment.pick_device
    environment.pick_device = lambda name="auto": (
        torch.device(kind, 0) if name.partition(":")[0] in ("auto", kind) else real(name)
    )
    environment.device_name = lambda device: "a card that is only pretended"
    for name in LONG:
        import_module(name)


def run(notebook: Path, kind: str) -> int:
    os.chdir(notebook.parent)
    cells = [cell for cell in json.loads(notebook.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    shell = InteractiveShell.instance(colors="nocolor")
    with pretending(kind) as mode:
        for cell in cells:
            if not shell.run_cell("".join(cell["source"])).success:
                print(f"This was cell {cell['id']}.")
                return 1
    print(f"{len(mode.card)} tensors on the card")
    return 0


def main(kind: str) -> None:
    offer(kind)
    for line in sys.stdin:
        with TemporaryFile() as said:
            child = os.fork()
            if child == 0:
                for stream in (1, 2):
                    os.dup2(said.fileno(), stream)
                sys.stdin = open(os.devnull, encoding="utf-8")
                sys.exit(run(Path(line.strip()), kind))
            _, status = os.waitpid(child, 0)
            said.seek(0)
            print(json.dumps([status, said.read().decode("utf-8", "replace")]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
