"""Write what the demos in the page load: models as ONNX with their signatures, and the small files beside them.

A module of `book/live/prepare`, named like its demo, says in `MODELS` which networks the demo runs, and may have a
function `files(folder)` that writes what else it needs. A model is written again only if its weights have changed.
"""

import hashlib
import math
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import torch
from torch import nn

from companion import pretrained
from companion.export import ALLOWED, OPSET, as_onnx, largest_difference
from companion.files import write_bytes, write_json
from companion.models.registry import Port, signature_of

ROOT = Path(__file__).parents[1]
PREPARE = ROOT / "book/live/prepare"


class Network(NamedTuple):
    """A pretrained run's network for the page; with `part`, one module of it, such as an autoencoder's decoder."""

    run: str
    part: str = ""
    half: bool = True  # kernels as float16: half the file
    tile: int = 0  # pixels: one picture of this side goes in; 0 leaves number and sizes open

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self.run, self.part)))

    @property
    def sizes(self) -> dict[str, int]:
        return {"batch": 1, "height": self.tile, "width": self.tile} if self.tile else {}

    def load(self) -> nn.Module:
        network = pretrained.load(self.run)
        return network.get_submodule(self.part) if self.part else network

    def digest(self) -> str:
        weights = ROOT / f"companion/pretrained/{self.run}.safetensors"
        return hashlib.sha256(f"{OPSET} {self}".encode() + weights.read_bytes()).hexdigest()[:16]


def write_model(wanted: Network, folder: Path) -> None:
    """NAME.onnx and NAME.json, the latter last: it says what the former was made from."""
    about, digest = folder / f"{wanted.name}.json", wanted.digest()
    if about.is_file() and digest in about.read_text(encoding="utf-8"):
        return
    network = wanted.load()
    content = as_onnx(network, half=wanted.half, sizes=wanted.sizes)
    difference = largest_difference(network, content, sizes=wanted.sizes)
    if not difference <= ALLOWED:
        sys.exit(
            f"Written as ONNX, {wanted.name} differs from torch by {difference:.2g}; only {ALLOWED:.4f} is allowed."
        )
    signature = signature_of(network)
    write_bytes(folder / f"{wanted.name}.onnx", content)
    sides = {
        side: [_port(port, wanted.sizes) for port in getattr(signature, side)]
        for side in ("inputs", "outputs")
    }
    write_json(about, {**sides, "difference": difference, "made_from": digest})
    print(f"  {wanted.name}: {len(content) / 1e6:.2f} MB, differs from torch by {difference:.1g}", flush=True)


def _port(port: Port, fixed: dict[str, int]) -> dict[str, object]:
    bounds = {} if math.isinf(port.low) else {"low": port.low, "high": port.high}
    return {
        "name": port.name,
        "kind": port.kind,
        "shape": [fixed.get(size, size) for size in port.shape],
        **bounds,
    }


def prepared(path: Path) -> ModuleType:
    """The module of a demo, whose name is none that Python could import."""
    loader = SourceFileLoader(f"prepare_{path.stem}", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def main(folder: Path, *demos: str) -> None:
    """Everything that the demos need, below `folder`; of some demos only, if any are named."""
    sys.path.insert(0, str(Path(__file__).parent))  # for `from live_models import Network`
    (folder / "models").mkdir(parents=True, exist_ok=True)
    for path in sorted(PREPARE.glob("*.py")):
        if demos and path.stem not in demos:
            continue
        module = prepared(path)
        for wanted in getattr(module, "MODELS", ()):
            write_model(wanted, folder / "models")
        if hasattr(module, "files"):
            module.files(folder)


def two_at_a_time(folder: Path, demos: Iterable[str]) -> None:
    """The same, in two processes of one thread each."""
    with ProcessPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in pool.map(partial(main, folder), demos):
            pass  # what a process raises is raised here


if __name__ == "__main__":
    two_at_a_time(Path(sys.argv[1]), sys.argv[2:] or [path.stem for path in sorted(PREPARE.glob("*.py"))])
