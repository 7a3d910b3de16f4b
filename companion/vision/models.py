"""MediaPipe itself and its model files, each with one sentence when it is not there (chapter 8)."""

import importlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pooch

from companion.data.assets import cache_folder, fetch, manifest
from companion.errors import CompanionError

# Lighter files that may lie in the cache in place of the published one, where that could not be fetched: Google's own
# networks, bundled by hand. Nobody publishes them as a file, so they have a checksum here and no address.
STAND_INS = {
    "hand-landmarker": (
        "mediapipe/hand_landmarker_lite.task",
        "d6b2ac41de43f7677b47f33d175f708ac813266805b36bea536096ffea87fc99",
    )
}


# As the notebook of chapter 8 installs it: what else it asks for would move packages that Colab has, and is not needed.
MEDIAPIPE = "mediapipe>=0.10.33,<0.10.35"


def mediapipe() -> Any:
    """The package, imported when first asked for.

    Raises:
        CompanionError: It is not installed, or the graphics libraries it is linked to are not.
    """
    return _imported("mediapipe")


def opencv() -> Any:
    """OpenCV, which comes with MediaPipe, imported when first asked for; raises as `mediapipe` does."""
    return _imported("cv2")


def pyav() -> Any:
    """PyAV, which reads and writes films, imported when first asked for.

    Raises:
        CompanionError: It is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError:
        raise CompanionError("Films need PyAV; install it with: pip install av.") from None


def _imported(name: str) -> Any:
    # OpenCV's words on damaged videos; ours are one sentence. Set before MediaPipe too, which imports it.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in ("mediapipe", "cv2"):
            raise CompanionError(
                f'MediaPipe is not installed; install it with: pip install --no-deps "{MEDIAPIPE}".'
            ) from None
        raise CompanionError(
            f'MediaPipe needs {error.name}, which is not installed; install both with: pip install "{MEDIAPIPE}".'
        ) from None
    except (ImportError, OSError) as error:
        raise missing_library(error) from None


def missing_library(error: Exception) -> CompanionError:
    """For a shared library that the system lacks."""
    return CompanionError(
        f"MediaPipe cannot be loaded ({error}); install the graphics libraries it needs, on Debian, Ubuntu and Colab "
        "with: apt-get install libegl1 libgles2 libgl1."
    )


def model_file(name: str, given: str | Path | None = None) -> Path:
    """The model's file: the one given, else the asset in the cache, else a stand-in in the cache, else fetched.

    Raises:
        CompanionError: The given file is missing or empty, the cached one is damaged, or it could not be fetched.
    """
    if given is not None:
        path = Path(given)
        if not path.is_file() or path.stat().st_size == 0:
            what = "is empty" if path.is_file() else "is a folder" if path.is_dir() else "does not exist"
            raise CompanionError(f"The model file {path} {what}; leave it out to use the published {name}.")
        if not os.access(path, os.R_OK):
            raise CompanionError(
                f"The model file {path} may not be read; change its permissions, or leave it out."
            )
        return path
    if not manifest()[name].file.is_file() and (lighter := stand_in(name)) is not None:
        return lighter
    return fetch(name)


def stand_in(name: str) -> Path | None:
    """The lighter file in the cache that may take a model's place; None without one."""
    if name not in STAND_INS:
        return None
    place, sha256 = STAND_INS[name]
    path = cache_folder() / place
    return path if path.is_file() and pooch.file_hash(str(path), alg="sha256") == sha256 else None


def model_name(path: Path) -> str:
    """How a protocol names a model: its file, and where that is a stand-in, that it is not the published one."""
    stand_ins = {Path(place).name for place, _ in STAND_INS.values()}
    return f"{path.name}, not the published one" if path.name in stand_ins else path.name


_hushing = threading.RLock()


def _unlock() -> None:
    """In a forked child nobody holds the lock any more that a thread of the parent may have held."""
    global _hushing
    _hushing = threading.RLock()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_unlock)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what MediaPipe and OpenCV print while something is made off the screen; errors arrive as exceptions.

    Their C++ writes to the process's error stream directly, past Python's, so that is the stream set aside; by one
    thread at a time, or one would put back what another had set aside.
    """
    with _hushing:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
