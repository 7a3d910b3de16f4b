"""Pictures with their times: what cameras, videos and folders give, and what trackers follow (chapter 8)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FINEST = 120.0  # steps a second, for times that fit no coarser grid
Picture = NDArray[np.uint8]  # (H, W, 3) RGB, unmirrored


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source."""

    picture: Picture = field(repr=False)  # (H, W, 3) uint8 RGB
    seconds: float  # since the source began; never goes back
    name: str  # the file it came from, or the number of the frame


class Source(Protocol):
    """Where frames come from: iterate over it once, and close it (`with` does).

    A source says what is wrong with it (no such camera, a damaged file) when it is made, in a `CompanionError`.
    """

    @property
    def name(self) -> str:
        """For people: “camera 0”, a file's name."""

    @property
    def count(self) -> int | None:
        """Frames to come, as far as that is known."""

    @property
    def rate(self) -> float | None:
        """The steps a second that its times fit, at most `FINEST`; None for pictures that have nothing in common.

        When a frame was seen, it says itself; the steps are for files that can only count them (AVI).
        """

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> "Source": ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Let go of the camera or file; a second time does nothing."""
