"""The course's own faces by name, drawn when they are asked for, at the size that is wanted."""

from typing import TYPE_CHECKING

from companion.data.catalogue import Credit, ImageSet

if TYPE_CHECKING:
    from torch import Tensor

PEOPLE, TEST_PEOPLE = 8000, 2000  # nobody is in both


def _drawn(style: str, split: str, size: int) -> "tuple[Tensor, Tensor]":
    """A split's pictures and the numbers of the people."""
    from companion.data.faces import Stickers
    from companion.data.faces.export import STYLES

    people, first = {"training": (PEOPLE, 0), "test": (TEST_PEOPLE, PEOPLE)}[split]
    drawn = Stickers if style == "sticker" else STYLES[style]
    images = drawn(people, size=size, first=first).rendered()
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
SETS = (
    ImageSet(
        name="portraits",
        description="drawn faces as studio portraits: 8,000 people, and 2,000 others to test on",
        credits=(DRAWN,),
        splits=("training", "test"),
        read=lambda split, size: _drawn("portrait", split, size),
        words=_told,
    ),
    ImageSet(
        name="caricatures",
        description="the same people as pen drawings, exaggerated",
        credits=(DRAWN,),
        splits=("training", "test"),
        read=lambda split, size: _drawn("caricature", split, size),
        words=_told,
    ),
    ImageSet(
        name="stickers",
        description="those drawings cut out: RGBA, colours multiplied by alpha",
        credits=(DRAWN,),
        splits=("training", "test"),
        read=lambda split, size: _drawn("sticker", split, size),
        words=_told,
    ),
)
