"""Models and training states on disk: safetensors only, so that opening a file can never run code."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.files import AGAIN, write_bytes
from companion.models import colour, dcgan, deblur, digits, identity

BUILDERS = {
    "colour.Generator": (colour.Generator, colour.ColourConfig),
    "dcgan.Generator": (dcgan.Generator, dcgan.DCGANConfig),
    "deblur.Restorer": (deblur.Restorer, deblur.RestorerConfig),
    "digits.DigitClassifier": (digits.DigitClassifier, digits.DigitClassifierConfig),
    "identity.FaceReader": (identity.FaceReader, identity.FaceReaderConfig),
}


def save_model(path: Path, model: nn.Module, *, half: bool = False) -> None:
    """Write a model of `BUILDERS` with its config; `half` stores float16, which loads back as float32."""
    name = next(name for name, (kind, _) in BUILDERS.items() if type(model) is kind)
    tensors = {
        key: value.half() if half and value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    write_tensors(path, tensors, {"model": name, "config": json.dumps(asdict(model.config))})  # type: ignore[call-overload]


def check_storable(model: nn.Module) -> None:
    """Raise `TypeError` for a model that `save_model` cannot write."""
    if not any(type(model) is kind for kind, _ in BUILDERS.values()):
        raise TypeError(f"{type(model).__name__} is not among the models that can be stored")


def load_model(path: Path) -> nn.Module:
    """The model a file holds, on the CPU, float32, in eval mode.

    Raises:
        CompanionError: The file is missing, damaged, or of another kind.
    """
    tensors, about = read_tensors(path)
    if about.get("model") not in BUILDERS:
        raise CompanionError(
            f"The file {path} holds no model of this package; give a .safetensors file it made."
        )
    build, configure = BUILDERS[about["model"]]
    model: nn.Module = build(configure(**json.loads(about["config"])))
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    return model.eval()


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str], *, then: str = AGAIN
) -> None:
    """Write tensors and notes with a checksum over both; `then` is for a disk that refuses, see `companion.files`."""
    stored = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    notes = {**about, "sha256": _digest(stored, about)}
    write_bytes(path, _serialised(stored, notes), then=then)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and notes of a file that `write_tensors` made.

    Raises:
        CompanionError: The file is missing, truncated, or its contents do not match their checksum.
    """
    if not path.is_file():
        raise CompanionError(f"There is no file {path}; check the path.")
    try:
        with safe_open(path, "pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (no iterator)
            about = dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise CompanionError(
            f"The file {path} is damaged ({_reason(error)}); delete it and make it again."
        ) from None
    if about.pop("sha256", None) != _digest(tensors, about):
        raise CompanionError(
            f"The contents of {path} do not match their checksum, so somebody or something changed them; "
            "delete it and make it again."
        )
    return tensors, about


def _serialised(tensors: dict[str, Tensor], notes: dict[str, str]) -> bytes:
    """The file's bytes, the notes sorted: the library leaves their order to chance, and equal runs have equal files."""
    raw = save(tensors, notes)
    end = 8 + int.from_bytes(raw[:8], "little")  # the header's length, the header in JSON, then the numbers
    header = json.dumps({**json.loads(raw[8:end]), "__metadata__": dict(sorted(notes.items()))}).encode()
    header += b" " * (-len(header) % 8)  # the numbers stay aligned
    return len(header).to_bytes(8, "little") + header + raw[end:]


def _digest(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(sorted(about.items()))).encode())
    for key in sorted(tensors):
        value = tensors[key]
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error).split("\n")[0]
