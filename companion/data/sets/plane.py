"""Points in the plane by name (chapters 1, 3 and 4)."""

from typing import TYPE_CHECKING

from companion.data.catalogue import PointSet

if TYPE_CHECKING:
    from companion.data.toy import GaussianRing, SwissRoll, VerticalLine


def ring(batch: int, seed: int) -> "GaussianRing":
    """Eight Gaussians on a circle."""
    from companion.data.toy import GaussianRing

    return GaussianRing(batch, seed=seed)


def line(batch: int, seed: int) -> "VerticalLine":
    """A line from (0, 0) to (0, 1)."""
    from companion.data.toy import VerticalLine

    return VerticalLine(batch=batch, seed=seed)


def roll(batch: int, seed: int) -> "SwissRoll":
    """A spiral with a little noise."""
    from companion.data.toy import SwissRoll

    return SwissRoll(batch, seed=seed)


SETS = (
    PointSet(name="ring", description="eight Gaussians on a circle, the test of mode collapse", draw=ring),
    PointSet(name="line", description="a vertical line, which a neighbouring one never meets", draw=line),
    PointSet(name="swiss-roll", description="a spiral seen from its end", draw=roll),
)
