"""Photographs that others measure restoring on: BSD100 to train on, LIVE's to test on (chapter 2)."""

from collections.abc import Mapping
from pathlib import Path

from companion.data.assets import fetch
from companion.data.catalogue import PhotoSet
from companion.data.reading import files_below
from companion.data.sets.photographs import FIXED, embedded


def _bsd() -> Mapping[str, Path]:
    return {f"bsd100/{name}": file for name, file in files_below(fetch("bsd100")).items()}


def _together() -> Mapping[str, Path]:
    """The names are those of the parts, so that a photograph has the same split here as there."""
    return {**embedded(), **files_below(fetch("pets")), **_bsd()}


SETS = (
    PhotoSet(
        name="many",
        description="the embedded photographs, the pets and BSD100 together; BSD100's to train on, not to show",
        assets=("pets", "bsd100"),
        files=_together,
        fixed=FIXED,
    ),
    PhotoSet(
        name="live1",
        description="LIVE: 29 photographs that nothing here is trained on; Kodak's are among them",
        assets=("live1",),
        splits=("test",),
        files=lambda: files_below(fetch("live1")),
    ),
)
