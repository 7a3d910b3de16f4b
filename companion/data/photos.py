"""Sharp photographs at their full size, split by source (chapter 2).

Three splits never share a photograph: which one a photograph belongs to depends on its name alone, whatever else is
in the folder. For GoPro's frames it is the name of the scene, since neighbouring frames of a video show the same.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.catalogue import PhotoSet, folder, named
from companion.data.reading import FORMATS, SUFFIXES, LeftOut, files_below, read_upright
from companion.data.scale import bytes_of
from companion.errors import CompanionError, unknown_name
from companion.files import shown

SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class Photos:
    """Photographs of many sizes, each `(3, H, W)` uint8 RGB, with the name of the source each comes from."""

    name: str
    sources: tuple[str, ...]
    pixels: tuple[Tensor, ...] = field(repr=False)
    skipped: tuple[str, ...] = ()  # files that could not be read, or are too small
    fixed: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # splits of sources that their name does not say

    def __len__(self) -> int:
        return len(self.pixels)

    @cached_property
    def fingerprint(self) -> str:
        """A short checksum of all names, sizes and pixels."""
        checksum = hashlib.sha256()
        for source, photo in zip(self.sources, self.pixels, strict=True):
            checksum.update(f"{shown(source)} {tuple(photo.shape)}".encode())
            checksum.update(photo.contiguous().numpy().tobytes())
        return checksum.hexdigest()[:16]

    def split(self, part: str) -> "Photos":
        """The photographs of one of `SPLITS`: about eight, one and one of ten, as their names' hash says, or as fixed.

        Raises:
            CompanionError: The split's name is unknown, or no photograph falls into it.
        """
        if part not in SPLITS:
            raise unknown_name("split", part, dict.fromkeys(SPLITS))
        kept = [
            i for i, source in enumerate(self.sources) if self.fixed.get(source, split_of(source)) == part
        ]
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
    tenth = int(digest(source), 16) % 10
    return {0: "test", 1: "validation"}.get(tenth, "training")


def digest(name: str) -> str:
    """A checksum of a name: as good as chance, and the same on every machine."""
    return hashlib.sha256(shown(name).encode()).hexdigest()


def load_photos(source: str | Path, *, least: int = 1, longest: int = 1024) -> Photos:
    """Photographs from a named set or from any folder of pictures.

    Args:
        source: A set of photographs in the catalogue (`companion.data.catalogue`), such as “embedded” (seven that
            scikit-image and scikit-learn ship) or “pets”, or a folder.
        least: Smaller photographs than this, in pixels of the shorter side, are left out.
        longest: Larger ones are shrunk to this longer side, which hides the camera's own blur and keeps memory small.

    Raises:
        CompanionError: Unknown name, missing folder, no network, or no photograph large enough.
    """
    known = named(PhotoSet)
    if str(source) in known:
        found, _ = known[str(source)]
        files = found.files()
        fixed = found.fixed if len(found.splits) > 1 else dict.fromkeys(files, found.splits[0])
        return _large_enough(_read_photos(files, str(source), longest, fixed), least)
    place = folder(source, PhotoSet)
    return _large_enough(_read_photos(files_below(place), place.name, longest), least)


def _read_photos(
    files: Mapping[str, Path], name: str, longest: int, fixed: Mapping[str, str] | None = None
) -> Photos:
    found: dict[str, Tensor] = {}
    skipped: list[str] = []
    for file in tqdm(files, desc=f"reading {name}", unit="file", leave=False, delay=2):
        photo = read_photo(files[file], longest) if files[file].suffix.lower() in SUFFIXES else None
        if photo is None:
            skipped.append(LeftOut.file(file, files[file]))
        else:
            found[file] = photo
    return Photos(name, tuple(found), tuple(found.values()), tuple(skipped), fixed or {})


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
    small = tuple(
        LeftOut(name, f"it is smaller than {least} pixels") for name in photos.sources if name not in kept
    )
    return Photos(photos.name, tuple(kept), tuple(kept.values()), photos.skipped + small, photos.fixed)
