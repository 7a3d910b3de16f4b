"""Weights and records of the long runs, as `companion reproduce` made them."""

import hashlib
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from torch import nn

from companion.errors import CompanionError, unknown_name
from companion.files import shown
from companion.models.store import load_model
from companion.records import Details, Record, read_details, read_record

MODELS = "a .safetensors file, a run's folder, or the name of a pretrained run"


def names() -> list[str]:
    """Every run that has a record here."""
    return sorted(
        path.name.removesuffix(".json") for path in _folder().iterdir() if path.name.endswith(".json")
    )


def record(name: str) -> Record:
    """What a run was and what it measured, each number with its protocol.

    Raises:
        CompanionError: There is no such run.
    """
    _check(name)
    with as_file(_folder()) as folder:
        return read_record(folder / f"{name}.json")


def details(name: str) -> Details:
    """Curves and single runs behind a record, as its recipe left them; empty if it left none.

    Raises:
        CompanionError: There is no such run.
    """
    _check(name)
    with as_file(_folder()) as folder:
        return read_details(folder / f"{name}.json")


def load(name: str) -> nn.Module:
    """The model a run trained, on the CPU, in eval mode.

    Raises:
        CompanionError: There is no such run, or it left no weights.
    """
    _check(name)
    with as_file(_folder() / f"{name}.safetensors") as path:
        if not path.is_file():
            raise _without_weights(name)
        return load_model(path)


def checksum(name: str) -> str:
    """Of the weights that a run left, short: what was measured of other weights is not theirs.

    Raises:
        CompanionError: There is no such run, or it left no weights.
    """
    _check(name)
    weights = _folder() / f"{name}.safetensors"
    if not weights.is_file():
        raise _without_weights(name)
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]


def _without_weights(name: str) -> CompanionError:
    return CompanionError(
        f"The run {name} left numbers and no network; choose one that left weights, such as deblur-any."
    )


def _check(name: str) -> None:
    if name not in names():
        raise unknown_name("pretrained run", name, names())


def find(name: str) -> nn.Module:
    """The model that a name means: a pretrained run, a `.safetensors` file, or a run's folder.

    Raises:
        CompanionError: No name was given, there is no such model, or its file is damaged or holds something else.
    """
    if not name:  # which a path would take for the folder where one stands
        raise CompanionError(f"No model was named; give {MODELS}.")
    path = Path(name)
    if path.suffix == ".safetensors":
        return load_model(path)
    if path.is_dir() and name not in names():
        return load_model(path / "generator.safetensors")
    if path.is_file() and name not in names():
        raise CompanionError(f"The file {shown(path)} is no model; give {MODELS}.")
    return load(name)


def _folder() -> Any:
    return files("companion.pretrained")
