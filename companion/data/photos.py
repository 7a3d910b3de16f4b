"""Sharp photographs at their full size, split by source (chapter 2).

Three splits never share a photograph: which one a photograph belongs to depends on its name alone, whatever else is
in the folder. For GoPro's frames it is the name of the scene, since neighbouring frames of a video show the same.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.assets import cache_folder
from companion.data.reading import FORMATS, SUFFIXES, files_below, read_upright
from companion.data.scale import bytes_of
from companion.errors import CompanionError, unknown_name

EMBEDDED = {  # colour photographs of everyday things inside the two packages' wheels
    "skimage": ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg"),
    "sklearn": ("china.jpg", "flower.jpg"),
}
SPLITS = ("training", "validation", "test")
# Too few to leave to chance. All others go by a hash of their name.
EMBEDDED_SPLITS = {"embedded/china": "validation", "embedded/chelsea": "test", "embedded/coffee": "test"}


@dataclass(frozen=True)
class Photos:
    """Photographs of many sizes, each `(3, H, W)` uint8 RGB, with the name of the source each comes from."""

    name: str
    sources: tuple[str, ...]
    pixels: tuple[Tensor, ...] = field(repr=False)
    skipped: tuple[str, ...] = ()  # files that could not be read, or are too small

    def __len__(self) -> int:
        return len(self.pixels)

    @cached_property
    def fingerprint(self) -> str:
        """A short checksum of all names, sizes and pixels."""
        checksum = hashlib.sha256()
        for source, photo in zip(self.sources, self.pixels, strict=True):
            checksum.update(f"{source} {tuple(photo.shape)}".encode())
            checksum.update(photo.contiguous().numpy().tobytes())
        return checksum.hexdigest()[:16]

    def split(self, part: str) -> "Photos":
        """The photographs of one of `SPLITS`: of ten sources about eight, one and one, as a hash of their names says.

        Raises:
            CompanionError: The split's name is unknown, or no photograph falls into it.
        """
        if part not in SPLITS:
            raise unknown_name("split", part, dict.fromkeys(SPLITS))
        kept = [i for i, source in enumerate(self.sources) if split_of(source) == part]
        if not kept:
            raise CompanionError(
                f"None of the {len(self)} photographs of {self.name} falls into the {part} split, which takes them by "
                "their names; add more photographs."
            )
        return Photos(
            f"{self.name}, {part}",
            tuple(self.sources[i] for i in kept),
            tuple(self.pixels[i] for i in kept),
        )


def split_of(source: str) -> str:
    """Which of `SPLITS` a source belongs to: the same for this name wherever it lies, and whatever lies beside it."""
    if source.startswith("embedded/"):
        return EMBEDDED_SPLITS.get(source, "training")
    tenth = int(digest(source), 16) % 10
    return {0: "test", 1: "validation"}.get(tenth, "training")


def digest(name: str) -> str:
    """A checksum of a name: as good as chance, and the same on every machine."""
    return hashlib.sha256(name.encode()).hexdigest()


def load_photos(source: str | Path, *, least: int = 1, longest: int = 1024) -> Photos:
    """Photographs from a named set or from any folder of pictures.

    Args:
        source: “embedded” (seven that scikit-image and scikit-learn ship), “pets” (the Oxford-IIIT Pet photographs in
            the cache folder), or a folder.
        least: Smaller photographs than this, in pixels of the shorter side, are left out.
        longest: Larger ones are shrunk to this longer side, which hides the camera's own blur and keeps memory small.

    Raises:
        CompanionError: Unknown name, missing folder, or no photograph large enough.
    """
    if str(source) == "embedded":
        return _large_enough(_embedded(), least)
    folder = cache_folder() / "pets" / "images" if str(source) == "pets" else Path(source)
    if str(source) == "pets" and not folder.is_dir():
        raise CompanionError(
            f"The pet photographs are not in {folder}; unpack images.tar.gz of the Oxford-IIIT Pet data set there, or "
            "use “embedded”, which needs no download."
        )
    if not folder.exists() and len(folder.parts) == 1 and not str(source).endswith("/"):
        raise unknown_name("set of photographs or folder", str(source), {"embedded": 0, "pets": 0})
    return _large_enough(
        _read_photos(folder, str(source) if str(source) == "pets" else folder.name, longest), least
    )


def _embedded() -> Photos:
    folders = {
        "skimage": _package("skimage") / "data",
        "sklearn": _package("sklearn") / "datasets" / "images",
    }
    files = [folders[package] / name for package, names in EMBEDDED.items() for name in names]
    read = [read_photo(file, 1024) for file in files]
    assert all(photo is not None for photo in read)
    return Photos(
        "embedded", tuple(f"embedded/{file.stem}" for file in files), tuple(p for p in read if p is not None)
    )


def _package(name: str) -> Path:
    """Where a package lies, without the seconds it takes to import it."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _read_photos(folder: Path, name: str, longest: int) -> Photos:
    files = files_below(folder)
    found: dict[str, Tensor] = {}
    skipped: list[str] = []
    for file in tqdm(files, desc=f"reading {folder.name}", unit="file", leave=False, delay=2):
        photo = read_photo(files[file], longest) if files[file].suffix.lower() in SUFFIXES else None
        if photo is None:
            skipped.append(file)
        else:
            found[file] = photo
    return Photos(name, tuple(found), tuple(found.values()), tuple(skipped))


def read_photo(path: Path, longest: int) -> Tensor | None:
    """A photograph `(3, H, W)` uint8 RGB, upright, shrunk to a longer side; None for what cannot be read."""
    upright = read_upright(path)
    if upright is None:
        return None
    upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return bytes_of(upright)


def _large_enough(photos: Photos, least: int) -> Photos:
    sized = zip(photos.sources, photos.pixels, strict=True)
    kept = {name: photo for name, photo in sized if min(photo.shape[1:]) >= least}
    if not kept:
        raise CompanionError(
            f"No photograph of {photos.name} can be read and is at least {least} pixels a side; give a folder with "
            f"larger {FORMATS} files."
        )
    small = tuple(name for name in photos.sources if name not in kept)
    return Photos(photos.name, tuple(kept), tuple(kept.values()), photos.skipped + small)
