"""The other libraries, as published: fetched once into a folder of their own and imported from there.

Both are old and ask for packages that have nothing to do with a training step (TensorFlow among them), so they are
installed without what they ask for, and `torch_mimicry` is entered below its root, whose imports need TensorFlow and a
part of torch that is gone. No line of theirs is changed.
"""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path("_build/bench-peers")
PINNED = ("torch-mimicry==0.1.16", "torchgan==0.1.0")


def install() -> str | None:
    """Put the peers on the path, fetching them the first time; what went wrong in one sentence, or None."""
    if not all((FOLDER / package).is_dir() for package in ("torch_mimicry", "torchgan")):
        print(f"Fetching {' and '.join(PINNED)} into {FOLDER} (once, 1 MB)", flush=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        done = subprocess.run([*command, "--target", str(FOLDER), *PINNED], capture_output=True, text=True)
        if done.returncode:
            return f"They could not be installed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
    sys.path.append(str(FOLDER.resolve()))  # last, so that nothing of ours is shadowed
    for name in ("torch_mimicry", "torch_mimicry.training"):
        _enter_below(name)
    return None


def _enter_below(name: str) -> None:
    """Make `name` a package whose modules can be imported without running its `__init__`."""
    package = ModuleType(name)
    package.__path__ = [str(FOLDER.resolve() / name.replace(".", "/"))]
    sys.modules.setdefault(name, package)
