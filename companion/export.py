"""Models for the page: a network written as ONNX through its signature, and compared with what torch computes."""

import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from companion import pretrained
from companion.errors import CompanionError
from companion.files import write_bytes
from companion.models.registry import Port, Signature, signature_of

OPSET = 18  # onnxruntime-web 1.30 reads it, and so does every runtime of the last years
ALLOWED = 1 / 255  # half a grey level of images in [−1, 1]; of other outputs, that part of the largest number
OTHER_SIZES: Mapping[str, int] = {
    "batch": 3,
    "height": 29,
    "width": 50,
}  # than those the graph was traced with


@dataclass(frozen=True)
class Export:
    """An ONNX file, and how far its answers are from torch's; print it and one line says both."""

    path: Path
    size: int  # bytes
    signature: Signature
    difference: float

    def __str__(self) -> str:
        inputs, outputs = (
            ", ".join(map(_described, ports)) for ports in (self.signature.inputs, self.signature.outputs)
        )
        return (
            f"{self.path} ({self.size / 1e6:.2f} MB): {inputs} → {outputs}; "
            f"differs from torch by at most {self.difference:.1g}, {ALLOWED:.4f} allowed."
        )


def export_model(name: str, out: Path, *, half: bool = False) -> Export:
    """Write a model as ONNX and check it; float32 in and out, what the signature leaves open stays open.

    Args:
        name: A pretrained run, a `.safetensors` file, or a run's folder.
        out: The file to write; it appears whole or not at all, and replaces none.
        half: Store kernels and matrices as float16, cast to float32 as the graph begins: half the file.

    Raises:
        CompanionError: There is no such model, what writes ONNX is not installed, there is a file at `out`, or the
            file's answers differ from torch's.
    """
    if out.exists():
        raise CompanionError(
            f"There is a file at {out} already, and it is not overwritten; choose another name."
        )
    network = pretrained.find(name)
    written = as_onnx(network, half=half)
    difference = largest_difference(network, written)
    if not difference <= ALLOWED:  # nor NaN
        raise CompanionError(
            f"Written as ONNX, {name} differs from torch by {difference:.2g} where {ALLOWED:.4f} is allowed, so "
            "nothing was kept; export it in float32, or report it."
        )
    write_bytes(out, written)
    return Export(out, len(written), signature_of(network), difference)


def as_onnx(network: nn.Module, *, half: bool = False, sizes: Mapping[str, int] | None = None) -> bytes:
    """A registered network, in eval mode and on the CPU, as the bytes of an ONNX file; see `export_model`.

    `sizes` fixes some that the signature leaves open, such as `{"height": 256}`: a large network that takes any is
    traced for minutes, and for one size in seconds.
    """
    onnx = _package("onnx")
    _package("onnxscript")  # which torch's exporter is written with
    signature = signature_of(network)
    quiet = io.StringIO()  # the exporter reports its rewriting
    with redirect_stdout(quiet), redirect_stderr(quiet), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            signature.example(**sizes or {}),
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=OPSET,
            input_names=[port.name for port in signature.inputs],
            output_names=[port.name for port in signature.outputs],
            dynamic_shapes=tuple(_free(port, sizes or {}) for port in signature.inputs),
        )
    assert program is not None
    model: Any = program.model_proto
    if half:
        _halve(onnx, model.graph)
    written: bytes = model.SerializeToString()
    return written


def largest_difference(
    network: nn.Module, written: bytes, *, sizes: Mapping[str, int] | None = None
) -> float:
    """How far ONNX Runtime's answers are from torch's, at two sets of sizes, in parts of the largest number above 1.

    `sizes` are those that the file has fixed.
    """
    runtime = _package("onnxruntime")
    session = runtime.InferenceSession(written, providers=["CPUExecutionProvider"])
    signature = signature_of(network)
    differences = []
    for seed, free in enumerate(({"batch": 1}, OTHER_SIZES), start=1):
        example = signature.example(seed=seed, **{**free, **(sizes or {})})
        named = {port.name: values.numpy() for port, values in zip(signature.inputs, example, strict=True)}
        with torch.inference_mode():
            outputs = network(*example)
        wanted: tuple[Tensor, ...] = (outputs,) if isinstance(outputs, Tensor) else outputs
        for want, found in zip(wanted, session.run(None, named), strict=True):
            scale = max(1.0, float(want.abs().max()))
            differences.append(float((torch.from_numpy(found) - want).abs().max()) / scale)
    return max(differences)


def _free(port: Port, fixed: Mapping[str, int]) -> dict[int, str]:
    return {
        place: size for place, size in enumerate(port.shape) if isinstance(size, str) and size not in fixed
    }


def _halve(onnx: Any, graph: Any) -> None:
    """Kernels and matrices as float16, each with a node that casts it back; biases are few and stay."""
    casts = []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        name, values = weight.name, onnx.numpy_helper.to_array(weight)
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise CompanionError(
            f"Exporting needs {name}; install what it takes with: pip install onnx onnxscript onnxruntime."
        ) from None


def _described(port: Port) -> str:
    return f"{port.name} ({', '.join(map(str, port.shape))})"
