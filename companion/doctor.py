"""`companion doctor`: is this machine ready, and if not, what is to be done?"""

import os
import platform
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import companion
from companion.data.assets import cache_folder, manifest
from companion.environment import bfloat16_units, device_name, pick_device, processor
from companion.errors import CompanionError

GIGABYTE = 1e9


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    good: bool
    line: str  # what was found and, if it is not good, what to do
    optional: bool = False  # whether the course can be read without it

    @property
    def to_mend(self) -> bool:
        """Whether the machine is not ready because of it."""
        return not (self.good or self.optional)

    def __str__(self) -> str:
        return f"{'✓' if self.good else '–' if self.optional else '✗'} {self.line}"


def examine() -> list[Finding]:
    """Every check, in the order a reader meets the trouble."""
    checks = [_torch, _package, _device, _precision, _disk, _cache, _assets, _mediapipe, _browser, _sound]
    return [check() for check in checks]


def _torch() -> Finding:
    import torch

    try:
        import torchvision
    except (ImportError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        return Finding(
            False, f"torchvision does not fit torch {torch.__version__} ({reason}): install both together"
        )
    return Finding(
        True,
        f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}",
    )


LEFT_OUT = (
    "companion.__main__",
    "companion.vision.browser",
)  # a program; and what needs anywidget, see `_browser`


def _package() -> Finding:
    """Every module, so that one which this Python or these versions cannot read is not found out in chapter 4."""
    count = 0
    for module in walk_packages(companion.__path__, "companion."):
        if module.name in LEFT_OUT:
            continue
        try:
            import_module(module.name)
        except Exception as error:  # whatever it is, it is what a reader would meet
            return Finding(
                False,
                f"{module.name} cannot be imported ({error}): install generative-vision and what it needs anew",
            )
        count += 1
    return Finding(True, f"all {count} modules of companion {companion.__version__} can be imported")


def _device() -> Finding:
    device = pick_device()
    if device.type == "cpu":
        return Finding(
            True,
            f"no graphics card; {processor()}, {os.cpu_count()} cores: the laptop budget is yours, "
            "Colab lends a GPU",
        )
    return Finding(True, f"{device.type}: {device_name(device)}: the gpu budget is yours")


def _precision() -> Finding:
    """Of the device that “auto” picks, since that is where `companion train` goes."""
    import torch

    device = pick_device()
    if device.type == "cuda":
        can = torch.cuda.is_bf16_supported(including_emulation=False)
        advice = "--bfloat16 trains faster" if can else "leave --bfloat16 off"
        return Finding(True, f"{'' if can else 'no '}bfloat16 units in this graphics card: {advice}")
    if device.type == "mps":
        return Finding(True, "bfloat16 on Apple's GPUs saves memory, not time: leave --bfloat16 off")
    units = bfloat16_units()
    if units is None:
        return Finding(True, "no bfloat16 instructions in this processor: leave --bfloat16 off on the CPU")
    return Finding(
        True, f"bfloat16 instructions ({units}) in this processor: --bfloat16 trains faster on the CPU"
    )


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free / GIGABYTE
    if free >= 2:
        return Finding(True, f"{free:.0f} GB free on this disk")
    return Finding(False, f"{free:.1f} GB free on this disk: make room for 2 GB, which long runs may need")


def _cache() -> Finding:
    folder = cache_folder()
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if existing.is_dir() and os.access(existing, os.W_OK):
        return Finding(True, f"downloads are kept in {folder}")
    return Finding(
        folder.is_dir(),
        f"the cache {folder} cannot be written: what it holds is used, and for anything else set COMPANION_CACHE "
        "to a folder of yours",
    )


def _assets() -> Finding:
    assets = manifest().values()
    missing = [asset.name for asset in assets if not asset.here]
    if not missing:
        return Finding(True, f"all {len(assets)} assets are in the cache")
    size = sum(asset.size for asset in assets if asset.name in missing) / 1e6
    return Finding(
        True,
        f"{len(assets) - len(missing)} of {len(assets)} assets in the cache; the others ({size:.0f} MB) are fetched "
        "when first used, or now by: companion assets fetch all",
    )


def _mediapipe() -> Finding:
    from companion.vision.models import mediapipe

    found, failure = _tried(mediapipe)
    if failure is not None:
        return Finding(False, f"chapter 8 waits: {failure}", optional=True)
    return Finding(True, f"MediaPipe {found.__version__} and the graphics libraries it needs")


def _browser() -> Finding:
    _, failure = _tried(lambda: import_module("companion.vision.browser"))
    if failure is not None:
        return Finding(False, f"chapter 8's camera in the browser waits: {failure}", optional=True)
    return Finding(True, "anywidget, for the camera in the browser")


def _sound() -> Finding:
    from companion.vision.volume import system_volume

    loudspeaker, failure = _tried(system_volume)
    if failure is not None:
        return Finding(False, f"no volume to turn in chapter 8: {failure}", optional=True)
    with closing(loudspeaker):
        return Finding(True, f"a volume to turn: {loudspeaker.name}")


def _tried(make: Callable[[], Any]) -> tuple[Any, str | None]:
    """What was made, or the sentence that says why not, without its full stop."""
    try:
        return make(), None
    except CompanionError as error:
        return None, str(error).rstrip(".")
