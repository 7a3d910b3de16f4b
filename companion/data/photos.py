"""Sharp photographs at their full size, split by source, and endless blurred patches cut from them (chapter 2).

Three splits never share a photograph: which one a photograph belongs to depends on its name alone, whatever else is
in the folder. For GoPro's frames it is the name of the scene, since neighbouring frames of a video show the same.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.assets import cache_folder
from companion.data.degrade import Camera
from companion.data.reading import FORMATS, SUFFIXES, files_below, read_upright
from companion.data.scale import bytes_of, from_bytes
from companion.errors import CompanionError, unknown_name
from companion.randomness import generator

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
        digest = hashlib.sha256()
        for source, photo in zip(self.sources, self.pixels, strict=True):
            digest.update(f"{source} {tuple(photo.shape)}".encode())
            digest.update(photo.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

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
    tenth = int(_digest(source), 16) % 10
    return {0: "test", 1: "validation"}.get(tenth, "training")


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


@dataclass
class BlurredPatches:
    """Endless batches of sharp patches with their blurred versions, a function of `(seed, index)`.

    A batch is one tensor `(batch, 6, size, size)` in [−1, 1]: channels 0–2 sharp, 3–5 blurred; `sharp` and `blurred`
    take it apart. Each patch is cut at random from a random photograph, flipped half of the time, and blurred by a
    random kernel of the camera's family; the photograph's own pixels around the patch are blurred into it.
    """

    photos: Photos
    camera: Camera
    size: int
    batch: int
    seed: int = 0
    _kernels: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._kernels = self.camera.kernels()
        needed = self.size + self.camera.size - 1
        if any(min(photo.shape[1:]) < needed for photo in self.photos.pixels):
            raise CompanionError(
                f"Patches of {self.size} pixels blurred by kernels of {self.camera.size} need photographs of at least "
                f"{needed} pixels a side; load {self.photos.name} with least={needed}."
            )

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`."""
        draw = generator(self.seed, "patches", index)

        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=draw))

        margin = self.camera.size - 1
        cuts, kernels = [], []
        for _ in range(self.batch):
            photo = self.photos.pixels[self._photograph(index, draw)]
            top, left = (below(side - self.size - margin + 1) for side in photo.shape[1:])
            cut = photo[:, top : top + self.size + margin, left : left + self.size + margin]
            cuts.append(cut.flip(2) if below(2) else cut)
            kernels.append(self._kernels[below(len(self._kernels))])
        wide = from_bytes(torch.stack(cuts))
        blurry = self.camera.degrade(wide, torch.stack(kernels), draw)
        return pair(_inner(wide, margin), blurry)

    def _photograph(self, index: int, draw: torch.Generator) -> int:
        """Which photograph a patch of batch `index` is cut from: any."""
        return int(torch.randint(len(self.photos), (), generator=draw))


@dataclass
class GoProFrames:
    """Endless batches from GoPro's pairs of blurred and sharp frames (Nah et al. 2017), read as they are needed.

    A batch is as `BlurredPatches` gives it, a function of `(seed, index)`; each patch is cut at random from a random
    frame, flipped half of the time.
    """

    frames: tuple[tuple[Path, Path], ...] = field(repr=False)  # blurred and sharp file
    size: int
    batch: int
    seed: int = 0

    def __len__(self) -> int:
        return len(self.frames)

    @staticmethod
    def lie_in(folder: Path) -> bool:
        """Whether a folder has GoPro's layout."""
        return next(folder.glob("train/*/blur"), None) is not None

    @staticmethod
    def lie_astray_in(folder: Path) -> bool:
        """Whether a folder holds blurred frames beside sharp ones in another layout: as sharp pictures all would do."""
        depths = ("blur", "*/blur", "*/*/blur")
        found = (blurry for depth in depths for blurry in folder.glob(depth))
        return any(blurry.with_name("sharp").is_dir() for blurry in found)

    @cached_property
    def fingerprint(self) -> str:
        """A short checksum of all names and file sizes; of gigabytes of pixels it would take minutes."""
        digest = hashlib.sha256()
        for path in (path for pair in self.frames for path in pair):
            digest.update(f"{'/'.join(path.parts[-4:])} {path.stat().st_size}".encode())
        return digest.hexdigest()[:16]

    @classmethod
    def read(cls, folder: Path, part: str, *, size: int, batch: int, seed: int = 0) -> "GoProFrames":
        """The frames of one of `SPLITS`, in the layout as published: `train/SCENE/blur/000001.png`, `sharp`, `test`.

        “test” is the published one; of the published training scenes about one in ten is for validation.

        Raises:
            CompanionError: The folder holds no such frames or too few scenes, or a blurred one lacks its sharp one.
        """
        published = "test" if part == "test" else "train"
        found = sorted((folder / published).glob("*/blur/*.png"))
        scenes = sorted({path.parent.parent.name for path in found}, key=_digest)
        held = set(scenes[: max(1, len(scenes) // 10)])
        wanted = [
            p for p in found if part == "test" or (p.parent.parent.name in held) == (part == "validation")
        ]
        if found and not wanted:
            raise CompanionError(
                f"The folder {folder} holds one scene of GoPro's, {scenes[0]}, and a run needs two: one to learn from, "
                "one to show; add another scene."
            )
        frames = tuple((path, path.parent.parent / "sharp" / path.name) for path in wanted)
        alone = next((blurry for blurry, clear in frames if not clear.is_file()), None)
        if not frames or alone is not None:
            lacks = f": {alone} lacks its sharp one" if alone is not None else ""
            raise CompanionError(
                f"The folder {folder} does not hold GoPro's pairs (train/SCENE/blur/*.png with "
                f"train/SCENE/sharp/*.png, and test likewise){lacks}; unpack the published archive there."
            )
        return cls(frames, size, batch, seed)

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`.

        Raises:
            CompanionError: A frame is damaged, smaller than a patch, or not of its partner's size.
        """
        draw = generator(self.seed, "frames", index)

        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=draw))

        patches = []
        for _ in range(self.batch):
            blurry_file, clear_file = self.frames[below(len(self.frames))]
            blurry, clear = _frame(blurry_file), _frame(clear_file)
            if blurry.shape != clear.shape:
                raise CompanionError(
                    f"{blurry_file} and its sharp frame differ in size; unpack the archive again."
                )
            height, width = clear.shape[1:]
            if min(height, width) < self.size:
                raise CompanionError(
                    f"{blurry_file} is {width}×{height} pixels and a patch {self.size}; choose smaller patches."
                )
            both = pair(clear[None], blurry[None])
            top, left = (below(side - self.size + 1) for side in both.shape[2:])
            cut = both[..., top : top + self.size, left : left + self.size]
            patches.append(cut.flip(3) if below(2) else cut)
        return from_bytes(torch.cat(patches))


def held_out(
    photos: Photos, camera: Camera, size: int, *, each: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Test patches: the middle of each photograph, once under each of `each` kernels.

    Returns:
        Pairs `(N, 6, size, size)` as `BlurredPatches` gives them, and the kernel of each, `(N, k, k)`. The n-th patch
        takes kernel n of the family, beginning again after the last; noise is a function of `(seed, n)`.
    """
    family, margin = camera.kernels(), camera.size - 1
    pairs, kernels = [], []
    for n in range(each * len(photos)):
        photo = photos.pixels[n // each]
        top, left = ((side - size - margin) // 2 for side in photo.shape[1:])
        wide = from_bytes(photo[None, :, top : top + size + margin, left : left + size + margin])
        kernel = family[n % len(family)]
        draw = generator(seed, "noise of held-out patches", n)
        pairs.append(pair(_inner(wide, margin), camera.degrade(wide, kernel, draw)))
        kernels.append(kernel)
    return torch.cat(pairs), torch.stack(kernels)


def pair(sharp_images: Tensor, blurred_images: Tensor) -> Tensor:
    """Sharp and blurred images `(N, 3, H, W)` as one tensor `(N, 6, H, W)`."""
    return torch.cat([sharp_images, blurred_images], 1)


def sharp(pairs: Tensor) -> Tensor:
    """The sharp images of `(N, 6, H, W)` pairs."""
    return pairs[:, :3]


def blurred(pairs: Tensor) -> Tensor:
    """The blurred images of `(N, 6, H, W)` pairs."""
    return pairs[:, 3:]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _inner(wide: Tensor, margin: int) -> Tensor:
    before = margin // 2
    return wide[..., before : wide.shape[-2] - margin + before, before : wide.shape[-1] - margin + before]


def _embedded() -> Photos:
    folders = {
        "skimage": _package("skimage") / "data",
        "sklearn": _package("sklearn") / "datasets" / "images",
    }
    files = [folders[package] / name for package, names in EMBEDDED.items() for name in names]
    read = [_read(file, 1024) for file in files]
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
        photo = _read(files[file], longest) if files[file].suffix.lower() in SUFFIXES else None
        if photo is None:
            skipped.append(file)
        else:
            found[file] = photo
    return Photos(name, tuple(found), tuple(found.values()), tuple(skipped))


def _frame(path: Path) -> Tensor:
    frame = _read(path, 4096)
    if frame is None:
        raise CompanionError(f"The frame {path} cannot be read; unpack the archive again.")
    return frame


def _read(path: Path, longest: int) -> Tensor | None:
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
