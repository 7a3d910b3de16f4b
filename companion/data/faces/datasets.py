"""Sets of faces: endless, seeded, the same whoever asks for which index in which order.

An item is drawn when it is asked for and depends on `(seed, index)` alone, so the sets need no lock, no file and no
worker set-up. `rendered()` draws a whole set once and keeps it as bytes, in memory and on the disk, for long runs.

Items asked for together are the same bit for bit, in any process, on the same machine with the same torch and number of
threads. In other company, or with another number of threads, the processor may round otherwise: parameters agree
to 1e-6, pixels to one level of 255.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor
from tqdm.auto import tqdm

from companion.data import kept
from companion.data.faces.caricature import WIDER_EYES
from companion.data.faces.labels import LABELS, labels
from companion.data.faces.landmarks import landmarks, part_masks
from companion.data.faces.parameters import NAMES, Faces, exaggerate
from companion.data.faces.prior import draw
from companion.data.faces.render import Drawn, draw_caricatures, draw_portraits, draw_stickers
from companion.data.images import Images
from companion.data.scale import to_bytes
from companion.errors import CompanionError

Set = TypeVar("Set", bound="FaceSet")
TABLE_BATCH = 256


class Split(NamedTuple):
    """Three sets in which no person appears twice."""

    train: "FaceSet"
    validation: "FaceSet"
    test: "FaceSet"


@dataclass(frozen=True)
class FaceSet:
    """`people` persons seen in `views` pictures each; item i shows person `first + i // views`."""

    people: int
    views: int = 1
    size: int = 64
    seed: int = 0
    first: int = 0  # number of the first person
    channels: ClassVar[int] = 3  # RGB

    def __post_init__(self) -> None:
        if self.people < 1 or self.views < 1:
            raise CompanionError(
                f"A set of {self.people} people in {self.views} views has no faces; give 1 or more."
            )

    def __len__(self) -> int:
        return self.people * self.views

    def __getitem__(self, index: int | slice | Tensor) -> Tensor:
        """Images in [−1, 1]: `(C, H, W)` for a number, `(N, C, H, W)` for a slice or a tensor of numbers."""
        images = self.images(index)
        return images[0] if isinstance(index, int) else images

    def __getitems__(self, indices: list[int]) -> list[Tensor]:
        """What torch's `DataLoader` asks for: a batch, drawn together, which is faster than one by one."""
        return list(self[torch.tensor(indices)])

    def images(self, index: int | slice | Tensor) -> Tensor:
        """The chosen items in [−1, 1], `(N, C, H, W)`."""
        return self.pictures(index).images

    def pictures(self, index: int | slice | Tensor) -> Drawn:
        """The chosen items with their alpha channel."""
        raise NotImplementedError

    def landmarks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen items' 68 points in pixels, `(N, 68, 2)`."""
        raise NotImplementedError

    def masks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen items' `PARTS`, `(N, len(PARTS), H, W)`."""
        raise NotImplementedError

    def numbers(self, index: int | slice | Tensor) -> Tensor:
        """Item numbers as a tensor `(N,)`; negative ones count from the end."""
        everything = torch.arange(len(self))
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise IndexError(f"face {index} of {len(self)}")
            return everything[index].reshape(1)
        return everything[index.cpu() if isinstance(index, Tensor) else index]

    def faces(self, index: int | slice | Tensor = slice(None)) -> Faces:
        """The chosen items' parameters, before any exaggeration."""
        numbers = self.numbers(index)
        return draw(self.first + numbers // self.views, numbers % self.views, self.seed)

    @property
    def identities(self) -> Tensor:
        """Number of the person in each item, `(N,)`."""
        return self.first + torch.arange(len(self)) // self.views

    def labels(self, index: int | slice | Tensor = slice(None)) -> Tensor:
        """The chosen items' `LABELS`, `(N, L)` bool."""
        return labels(self.faces(index))

    def table(self) -> list[dict[str, int | float]]:
        """One row for each item: person, view, labels as 0 or 1, and every parameter by its name after “parameter_”.

        (A label and a parameter may share a name: the beard's label says whether there is one, the parameter how long.)
        """
        rows: list[dict[str, int | float]] = []
        for first in range(0, len(self), TABLE_BATCH):
            faces = self.faces(slice(first, first + TABLE_BATCH))
            named = labels(faces).int().tolist()
            for offset, (true, values) in enumerate(zip(named, faces.values.tolist(), strict=True)):
                person, view = divmod(first + offset, self.views)
                row: dict[str, int | float] = {"identity": self.first + person, "view": view}
                row |= dict(zip(LABELS, true, strict=True))
                named_values = zip(NAMES, values, strict=True)
                rows.append(row | {f"parameter_{name}": round(value, 4) for name, value in named_values})
        return rows

    def split(self: Set, shares: Sequence[float] = (0.8, 0.1, 0.1)) -> Split:
        """Train, validation and test sets by person: whoever is in one is in no other."""
        ends = [round(self.people * sum(shares[: part + 1]) / sum(shares)) for part in range(3)]
        starts = [0, *ends[:2]]
        parts = zip(starts, ends, strict=True)
        return Split(*(replace(self, people=end - start, first=self.first + start) for start, end in parts))

    def rendered(self) -> Images:
        """The whole set drawn once, as bytes in memory; labels are the people's numbers.

        If it took long, the pictures are kept in the cache folder, for this set as these renderers draw it.
        """
        style = type(self).__name__.lower()
        place = kept.place("faces", style, asdict(self), _renderers())
        known = kept.kept(place)
        return Images(style, known[0] if known is not None else self._drawn(place), self.identities)

    def _drawn(self, place: Path) -> Tensor:
        begun = monotonic()
        pixels = torch.empty(len(self), self.channels, self.size, self.size, dtype=torch.uint8)
        with tqdm(total=len(self), desc="drawing faces", unit="face", leave=False, delay=2) as bar:
            for first in range(0, len(self), TABLE_BATCH):
                rows = slice(first, first + TABLE_BATCH)
                pixels[rows] = to_bytes(self.images(rows))
                bar.update(len(pixels[rows]))
        if monotonic() - begun > kept.WORTH_KEEPING:
            kept.keep(place, pixels, asdict(self))
        return pixels


@cache
def _renderers() -> str:
    """A checksum of the modules that draw: whoever changes one of them gets new pictures, not kept ones."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()


@dataclass(frozen=True)
class Portraits(FaceSet):
    """Soft studio portraits."""

    def pictures(self, index: int | slice | Tensor) -> Drawn:
        """The chosen portraits with their alpha channel."""
        return draw_portraits(self.faces(index), self.size)

    def landmarks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen portraits' 68 points."""
        return landmarks(self.faces(index), self.size)

    def masks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen portraits' parts."""
        return part_masks(self.faces(index), self.size)


@dataclass(frozen=True)
class Caricatures(FaceSet):
    """Pen drawings, exaggerated by `k`: 1 is a likeness, more is a caricature."""

    k: float = 1.5

    def pictures(self, index: int | slice | Tensor) -> Drawn:
        """The chosen drawings with their alpha channel."""
        return draw_caricatures(self.faces(index), self.size, k=self.k)

    def landmarks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen drawings' 68 points."""
        return landmarks(exaggerate(self.faces(index), self.k), self.size, widen=WIDER_EYES)

    def masks(self, index: int | slice | Tensor) -> Tensor:
        """The chosen drawings' parts."""
        return part_masks(exaggerate(self.faces(index), self.k), self.size)


@dataclass(frozen=True)
class Stickers(Caricatures):
    """The same drawings cut out of their paper: RGBA, the colours multiplied by alpha (Porter and Duff 1984)."""

    channels: ClassVar[int] = 4

    def images(self, index: int | slice | Tensor) -> Tensor:
        """The chosen stickers in [−1, 1], `(N, 4, H, W)`."""
        drawn = self.pictures(index)
        return torch.cat([drawn.images, 2 * drawn.alpha - 1], 1)

    def pictures(self, index: int | slice | Tensor) -> Drawn:
        """The chosen drawings on black, which stands for nothing."""
        return draw_stickers(self.faces(index), self.size, k=self.k)


@dataclass(frozen=True)
class FacePairs:
    """Each person as portrait and as caricature.

    With `apart`, the caricature shows the person on another occasion: another pose, light, expression and dress.
    """

    people: int
    size: int = 64
    seed: int = 0
    first: int = 0
    k: float = 1.5
    apart: bool = False

    def __len__(self) -> int:
        return self.people

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor]:
        """Portraits and caricatures of the same people, each as in `FaceSet`."""
        views = 2 if self.apart else 1
        portraits = Portraits(self.people, views, self.size, self.seed, self.first)
        caricatures = Caricatures(self.people, views, self.size, self.seed, self.first, self.k)
        people = Portraits(self.people).numbers(index)
        one, other = portraits[people * views], caricatures[people * views + views - 1]
        return (one[0], other[0]) if isinstance(index, int) else (one, other)

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, Tensor]]:
        """A batch for torch's `DataLoader`, as `FaceSet` gives it."""
        return list(zip(*self[torch.tensor(indices)], strict=True))


def unpaired(
    people: int, *, views: int = 1, size: int = 64, seed: int = 0, k: float = 1.5
) -> tuple[Portraits, Caricatures]:
    """Portraits of some people and caricatures of others, as real unpaired data would be: no person is in both."""
    portraits = Portraits(people, views, size, seed)
    return portraits, Caricatures(people, views, size, seed, first=people, k=k)
