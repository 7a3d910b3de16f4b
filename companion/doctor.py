"""`companion doctor`: is this machine ready, and if not, what is to be done?"""

import os
import platform
import shutil
from dataclasses import dataclass

from companion.data.assets import cache_folder, manifest
from companion.environment import bfloat16_units, device_name, pick_device, processor

GIGABYTE = 1e9


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    good: bool
    line: str  # what was found and, if it is not good, what to do

    def __str__(self) -> str:
        return f"{'✓' if self.good else '✗'} {self.line}"


def examine() -> list[Finding]:
    """Every check, in the order a reader meets the trouble."""
    checks = [_torch, _device, _precision, _disk, _cache, _assets]
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
