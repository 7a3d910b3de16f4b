"""Weights and records of the long runs, as `companion reproduce` made them."""

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from torch import nn

from companion.errors import unknown_name
from companion.metrics.distances import Measurement
from companion.models.store import load_model


def names() -> list[str]:
    """Every run that has a record here."""
    return sorted(
        path.name.removesuffix(".json") for path in _folder().iterdir() if path.name.endswith(".json")
    )


def record(name: str) -> dict[str, Any]:
    """What a run was and what it measured: command, seeds, device, versions, seconds, metrics.

    Raises:
        CompanionError: There is no such run.
    """
    if name not in names():
        raise unknown_name("pretrained run", name, names())
    content: dict[str, Any] = json.loads(_folder().joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return content


def measurements(name: str) -> list[Measurement]:
    """What a run measured, each number with its protocol.

    Raises:
        CompanionError: There is no such run.
    """
    return [Measurement(**metric) for metric in record(name)["metrics"]]


def load(name: str) -> nn.Module:
    """The model a run trained, on the CPU, in eval mode.

    Raises:
        CompanionError: There is no such run, or it left no weights.
    """
    record(name)
    with as_file(_folder() / f"{name}.safetensors") as path:
        return load_model(path)


def find(name: str) -> nn.Module:
    """The model that a name means: a pretrained run, a `.safetensors` file, or a run's folder.

    Raises:
        CompanionError: There is no such model, or its file is damaged.
    """
    path = Path(name)
    if path.suffix == ".safetensors":
        return load_model(path)
    if path.is_dir() and name not in names():
        return load_model(path / "generator.safetensors")
    return load(name)


def _folder() -> Any:
    return files("companion.pretrained")
