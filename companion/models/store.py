"""Models and training states on disk: safetensors only, so that opening a file can never run code."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from companion.errors import CompanionError
from companion.files import AGAIN, shown, write_bytes
from companion.models.configs import Config
from companion.models.registry import Model, model_of, models

ANEW = "delete it and make it again"


def save_model(path: Path, model: nn.Module, *, half: bool = False) -> None:
    """Write a registered model with its config; `half` stores float16, which loads back as float32.

    Raises:
        CompanionError: Its class is not registered, or the file cannot be written.
    """
    registered = model_of(model)
    tensors = {
        key: value.half() if half and value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    config: Config = model.config  # type: ignore[assignment]
    write_tensors(path, tensors, {"model": registered.name, "config": config.as_json()})


def load_model(path: Path) -> nn.Module:
    """The model a file holds, on the CPU, float32, in eval mode. No random number is drawn.

    Raises:
        CompanionError: The file is missing, damaged, or of another kind; or its weights are not those of the model
            and the config it names, or not finite.
    """
    tensors, about = read_tensors(path)
    registered = models().get(about.get("model", ""))
    if registered is None:
        raise CompanionError(
            f"The file {shown(path)} holds no model of this package; give a .safetensors file it made."
        )
    try:
        config = registered.config.from_json(about.get("config", ""))
    except CompanionError as error:
        raise CompanionError(f"The file {shown(path)} holds no model that can be built. {error}") from None
    if spoilt := next((key for key, value in tensors.items() if not value.isfinite().all()), None):
        raise CompanionError(
            f"Some weights in {shown(path)} are not finite ({spoilt}), and nothing can be computed with them; "
            "train the model again."
        )
    model = _unfilled(registered, config, most=len(tensors), path=path)
    weights = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError:  # names or shapes differ
        raise _not_as_configured(path, config) from None
    return model.eval()


def _unfilled(registered: Model[Config], config: Config, *, most: int, path: Path) -> nn.Module:
    """The model without memory for its weights, so that a config that asks for too much costs nothing.

    It ends as soon as there are more weights than the file has: ten million blocks would take minutes.
    """
    left = most

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OverflowError

    counting = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            return registered.build(config)
    except (OverflowError, RuntimeError, TypeError, ValueError):  # torch's, of sizes it cannot count
        raise _not_as_configured(path, config) from None
    finally:
        counting.remove()


def _not_as_configured(path: Path, config: Config) -> CompanionError:
    return CompanionError(
        f"The weights in {shown(path)} are not those of the model it names, whose config is {config.as_json()[:200]}; "
        "make the file again."
    )


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str], *, then: str = AGAIN
) -> None:
    """Write tensors and notes with a checksum over both; `then` is for a disk that refuses, see `companion.files`."""
    stored = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    notes = {**about, "sha256": _digest(stored, about)}
    write_bytes(path, _serialised(stored, notes), then=then)


def read_tensors(path: Path, *, then: str = ANEW) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and notes of a file that `write_tensors` made; `then` is what to do about a damaged one.

    Raises:
        CompanionError: The file is missing, truncated, or its contents do not match their checksum.
    """
    if not path.is_file():
        raise CompanionError(f"There is no file {shown(path)}; check the path.")
    try:
        with safe_open(path, "pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (no iterator)
            about = dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise CompanionError(f"The file {shown(path)} is damaged ({_reason(error)}); {then}.") from None
    if about.pop("sha256", None) != _digest(tensors, about):
        raise CompanionError(
            f"The contents of {shown(path)} do not match their checksum, so somebody or something changed them; "
            f"{then}."
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
