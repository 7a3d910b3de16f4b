"""What a run ran on: recorded beside every number, and shown by `companion doctor`."""

import os
import platform
import re
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor, nn

from companion import __version__
from companion.errors import CompanionError
from companion.records import Environment

RECORDED = ("torch", "torchvision", "numpy", "scikit-learn")


def pick_device(name: str = "auto") -> torch.device:
    """The named device, or with “auto” the best there is: CUDA, then Apple's MPS, then the CPU.

    Raises:
        CompanionError: The name is no device, or the device is not on this machine.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind, _, index = name.partition(":")
    if kind not in available or re.fullmatch(r"[a-z]+(:(0|[1-9][0-9]?))?", name) is None:
        raise CompanionError(f"There is no device “{name}”; choose auto, cpu, cuda or mps.")
    if not available[kind] or (kind == "cuda" and int(index or 0) >= torch.cuda.device_count()):
        present = ", ".join(kind for kind, there in available.items() if there)
        raise CompanionError(
            f"This machine has no {name} that torch can use; choose one of: auto, {present}."
        )
    return torch.device(name)


def beside(network: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """The values, moved to where the network's weights are; a plain function has none, and then they stay."""
    weights = network.parameters() if isinstance(network, nn.Module) else iter(())
    return values.to(next(weights, values).device)


def processor() -> str:
    """The processor's name as its maker writes it, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_name(device: torch.device) -> str:
    """The graphics card's name, or the processor's."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def bfloat16_units() -> str | None:
    """The processor's bfloat16 instructions, “AMX” or “AVX-512”, or None: then bfloat16 saves memory, not time."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.is_file() else ""
    if "amx_bf16" in flags:
        return "AMX"
    return "AVX-512" if "avx512_bf16" in flags else None


def versions() -> dict[str, str]:
    """Python, companion and the packages whose versions can change a result."""
    found = {"python": platform.python_version(), "companion": __version__}
    for package in RECORDED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a distribution may carry another name; the record then lacks it
            continue
    return found


def environment(device: torch.device) -> Environment:
    """The record of where and with what something ran."""
    return Environment(
        device=device.type,
        device_name=device_name(device),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        versions=versions(),
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    )
