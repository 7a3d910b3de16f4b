"""Pictures kept on the disk because it took long to make them: thumbnails of a folder, a set of drawn faces.

They lie in the cache folder, never beside a reader's pictures. They may be deleted at any time, and where the cache
cannot be written nothing is kept: the same pictures come out, only later.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from companion.data.assets import cache_folder
from companion.errors import CompanionError
from companion.files import write_bytes

WORTH_KEEPING = 2.0  # seconds; what is made faster than this is made again


def place(kind: str, *key: object) -> Path:
    """The file below the cache folder for what `key` describes in full; `kind` names its subfolder."""
    digest = hashlib.sha256(json.dumps(key, default=str).encode()).hexdigest()[:24]
    return cache_folder() / kind / f"{digest}.safetensors"


def keep(path: Path, pixels: Tensor, about: dict[str, Any]) -> None:
    """Write pixels and what is known of them, whole or not at all; a cache that refuses is left alone."""
    with suppress(CompanionError):
        write_bytes(path, save({"pixels": pixels.contiguous()}, {"about": json.dumps(about)}))


def kept(path: Path) -> tuple[Tensor, dict[str, Any]] | None:
    """What was kept there; None if nothing is, or if it is damaged."""
    with (
        suppress(OSError, SafetensorError, ValueError, KeyError),
        safe_open(path, framework="pt") as file,
    ):
        return file.get_tensor("pixels"), json.loads(file.metadata()["about"])
    return None
