"""Runs a notebook at smoke as on a card that is only pretended: python elsewhere.py NOTEBOOK cuda|mps.

Prints how many tensors were put on the card; what fails there is IPython's traceback and status 1.
"""

import json
import os
import sys

os.environ |= {"COMPANION_BUDGET": "smoke", "MPLBACKEND": "agg"}

import torch
from IPython.core.interactiveshell import InteractiveShell
from pretend import pretending

from companion import environment


def main(notebook: str, kind: str) -> int:
    real = environment.pick_device
    environment.pick_device = lambda name="auto": (
        torch.device(kind, 0) if name.partition(":")[0] in ("auto", kind) else real(name)
    )
    environment.device_name = lambda device: "a card that is only pretended"
    with open(notebook, encoding="utf-8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    shell = InteractiveShell.instance(colors="nocolor")
    with pretending(kind) as mode:
        for cell in cells:
            if not shell.run_cell("".join(cell["source"])).success:
                print(f"This was cell {cell['id']}.")
                return 1
    print(f"{len(mode.card)} tensors on the card")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
