"""Every data set by its name: what it is, what it fetches, whose it is, and how it is read.

Whatever names data sets asks here: `load` and `load_photos`, the help of `--data`, errors about a name nobody knows,
`companion assets`, and the book's page of credits. The sets themselves are declared in `companion.data.sets`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from companion.data import assets as fetched
from companion.errors import CompanionError, unknown_name
from companion.found import modules

if TYPE_CHECKING:
    from torch import Tensor

    from companion.data.batches import Pair
    from companion.data.toy import Points

Kind = TypeVar("Kind", bound="DataSet")


@dataclass(frozen=True)
class Credit:
    """Whose a part of the package's own data is; what is fetched is credited by its asset."""

    what: str
    description: str
    licence: str
    attribution: str
    cite: str = ""  # sources in the book's references, separated by commas


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A set of data that can be asked for by name."""

    kind: ClassVar[str] = "pictures in a folder, for whoever looks at them"
    name: str
    description: str
    assets: tuple[str, ...] = ()  # names in the manifest; none for what comes with the package or is made
    credits: tuple[Credit, ...] = ()  # of what comes with the package
    splits: tuple[str, ...] = ()  # parts that share nothing, the one to learn from first

    @property
    def names(self) -> dict[str, str]:
        """What a reader may ask for, and the split that is meant."""
        return {self.name: self.splits[0] if self.splits else ""}

    @property
    def state(self) -> str:
        """Whether it is at hand, in a few words."""
        missing = [asset for asset in self._assets if not asset.here]
        if not missing:
            return self._assets[0].state if self._assets else "needs no download"
        return (
            f"{sum(a.size for a in missing) / 1e6:.1f} MB to fetch" if missing[0].urls else missing[0].state
        )

    @property
    def licence(self) -> str:
        """The terms of all its parts."""
        parts = [credit.licence for credit in self.credits] + [asset.licence for asset in self._assets]
        return "; ".join(dict.fromkeys(parts)) or "MIT"  # what is only computed is the package's

    @property
    def _assets(self) -> list[fetched.Asset]:
        return [fetched.manifest()[name] for name in self.assets]


@dataclass(frozen=True, kw_only=True)
class ImageSet(DataSet):
    """Images of one size with a label each; `companion.data.load` gives them. Parts are NAME, NAME-test and so on."""

    kind: ClassVar[str] = "images with labels"
    read: "Callable[[str, int], tuple[Tensor, Tensor]]" = field(repr=False)
    """From a split and the size that is wanted to pixels `(N, C, S, S)` uint8, of any size, and labels `(N,)` int64."""
    words: "Callable[[Tensor], Mapping[str, Tensor]]" = field(default=lambda labels: {}, repr=False)
    """From labels `(N,)` to which images each word fits, `(N,)` bool; no words where labels are but numbers."""

    @property
    def names(self) -> dict[str, str]:
        """The name alone for the first split, and with each other split behind it."""
        return {self.name: self.splits[0], **{f"{self.name}-{split}": split for split in self.splits[1:]}}


@dataclass(frozen=True, kw_only=True)
class PhotoSet(DataSet):
    """Photographs at their full size; `companion.data.photos.load_photos` gives them, split by their names."""

    kind: ClassVar[str] = "photographs"
    splits: tuple[str, ...] = ("training", "validation", "test")
    files: Callable[[], Mapping[str, Path]] = field(repr=False)  # name of the source to its file
    fixed: Mapping[str, str] = field(
        default_factory=dict
    )  # splits of sources too few to leave to their names


@dataclass(frozen=True, kw_only=True)
class PairSet(DataSet):
    """What was given and what it should become, measured and not computed."""

    kind: ClassVar[str] = "pairs"
    read: "Callable[[], tuple[tuple[str, ...], Pair]]" = field(
        repr=False
    )  # names of the pairs, and the pairs


@dataclass(frozen=True, kw_only=True)
class PointSet(DataSet):
    """Points in the plane, drawn as they are needed."""

    kind: ClassVar[str] = "points in the plane"
    draw: "Callable[[int, int], Points]" = field(
        repr=False
    )  # from batch and seed to endless batches by index


@cache
def sets() -> dict[str, DataSet]:
    """Every set by its name, as the modules of `companion.data.sets` list them."""
    return {one.name: one for module in modules("companion.data.sets") for one in module.SETS}


def named(kind: type[Kind]) -> dict[str, tuple[Kind, str]]:
    """Every name for a set of a kind, with the set and the split that is meant."""
    return {
        name: (one, split)
        for one in sets().values()
        if isinstance(one, kind)
        for name, split in one.names.items()
    }


def choices(kind: type[DataSet]) -> str:
    """The sets of a kind for a help text: “digits, mnist, …”."""
    return ", ".join(one.name for one in sets().values() if isinstance(one, kind))


def folder(source: str | Path, kind: type[DataSet]) -> Path:
    """The folder that a reader names, who may have meant a set of this kind.

    Raises:
        CompanionError: There is no such folder, and it may as well be a misspelt name; or nothing was named.
    """
    if source == "":  # which a path would take for the folder where one stands
        raise CompanionError("No data were named; give a folder of pictures, or the name of a data set.")
    path = Path(source)
    if not path.exists() and len(path.parts) == 1 and not str(source).endswith("/"):
        raise unknown_name("data set or folder", str(source), named(kind))
    return path


def fetch(name: str) -> list[Path]:
    """Whatever a set or an asset of this name needs, in the cache; nothing for what needs no download.

    Raises:
        CompanionError: Nothing is called so, or it cannot be fetched.
    """
    known = named(DataSet)
    if name in known:
        return [fetched.fetch(asset) for asset in known[name][0].assets]
    if name not in fetched.manifest():
        raise unknown_name("data set or asset", name, [*known, *fetched.manifest()])
    return [fetched.fetch(name)]


@dataclass(frozen=True)
class Entry:
    """One line of `companion assets list`."""

    name: str
    state: str  # whether it is at hand
    licence: str
    description: str


def entries() -> list[Entry]:
    """Every set, and then every asset that belongs to none."""
    owned = {asset for one in sets().values() for asset in one.assets}
    others = [asset for name, asset in fetched.manifest().items() if name not in owned]
    everything: list[DataSet | fetched.Asset] = [*sets().values(), *others]
    return [Entry(one.name, one.state, one.licence, one.description) for one in everything]
