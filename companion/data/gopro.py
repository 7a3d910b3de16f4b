"""GoPro's pairs of blurred and sharp frames (Nah et al. 2017), in the folders as published (chapter 2)."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from companion.data.batches import Pair
from companion.data.photos import digest, read_photo
from companion.data.scale import from_bytes
from companion.errors import CompanionError
from companion.files import shown
from companion.randomness import generator


@dataclass
class GoProFrames:
    """Endless batches from GoPro's pairs of blurred and sharp frames, read as they are needed.

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
        checksum = hashlib.sha256()
        for path in (path for pair in self.frames for path in pair):
            checksum.update(f"{shown('/'.join(path.parts[-4:]))} {path.stat().st_size}".encode())
        return checksum.hexdigest()[:16]

    @classmethod
    def read(cls, folder: Path, part: str, *, size: int, batch: int, seed: int = 0) -> "GoProFrames":
        """The frames of one of `SPLITS`, in the layout as published: `train/SCENE/blur/000001.png`, `sharp`, `test`.

        “test” is the published one; of the published training scenes about one in ten is for validation.

        Raises:
            CompanionError: The folder holds no such frames or too few scenes, or a blurred one lacks its sharp one.
        """
        published = "test" if part == "test" else "train"
        found = sorted((folder / published).glob("*/blur/*.png"))
        scenes = sorted({path.parent.parent.name for path in found}, key=digest)
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

    def __getitem__(self, index: int) -> Pair:
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
            both = torch.stack([blurry, clear])
            top, left = (below(side - self.size + 1) for side in (height, width))
            cut = both[..., top : top + self.size, left : left + self.size]
            patches.append(cut.flip(3) if below(2) else cut)
        blurred, sharp = from_bytes(torch.stack(patches)).unbind(1)
        return Pair(blurred, sharp)


def _frame(path: Path) -> Tensor:
    frame = read_photo(path, 4096)
    if frame is None:
        raise CompanionError(f"The frame {path} cannot be read; unpack the archive again.")
    return frame
