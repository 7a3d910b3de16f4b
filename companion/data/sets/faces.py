"""The course's own faces by name, drawn when they are asked for, at the size that is wanted."""

from typing import TYPE_CHECKING

from companion.data.catalogue import Credit, ImageSet

if TYPE_CHECKING:
    from torch import Tensor

PEOPLE, TEST_PEOPLE = 8000, 2000  # nobody is in both


def _drawn(kind: str, split: str, size: int) -> "tuple[Tensor, Tensor]":
    """A split's pictures, by a class of `companion.data.faces`, and the numbers of the people."""
    from companion.data import faces

    people, first = {"training": (PEOPLE, 0), "test": (TEST_PEOPLE, PEOPLE)}[split]
    images = getattr(faces, kind)(people, size=size, first=first).rendered()
    assert images.labels is not None
    return images.pixels, images.labels


def _told(people: "Tensor") -> "dict[str, Tensor]":
    """What is true of people `(N,)`, by its name, `(N,)` bool each; the same in both styles."""
    from companion.data.faces import LABELS, Portraits

    table = Portraits(PEOPLE + TEST_PEOPLE).labels(people)
    return {name.replace("_", " "): told for name, told in zip(LABELS, table.T, strict=True)}


DRAWN = Credit(
    "portraits, caricatures, stickers",
    "Faces drawn by the package, which show nobody",
    "CC0 1.0",
    "the course's authors",
)


def _set(name: str, description: str, kind: str) -> ImageSet:
    return ImageSet(
        name=name,
        description=description,
        credits=(DRAWN,),
        splits=("training", "test"),
        read=lambda split, size: _drawn(kind, split, size),
        words=_told,
    )


SETS = (
    _set(
        "portraits", "drawn faces as studio portraits: 8,000 people, and 2,000 others to test on", "Portraits"
    ),
    _set("caricatures", "the same people as pen drawings, exaggerated", "Caricatures"),
    _set("stickers", "those drawings cut out: RGBA, colours multiplied by alpha", "Stickers"),
)
