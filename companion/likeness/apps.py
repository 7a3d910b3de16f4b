"""What the app of chapter 7 shows."""

from companion.data.sets.photographs import embedded
from companion.likeness.measuring import Measurer
from companion.likeness.page import DrawMe

SAMPLE = "embedded/astronaut"  # Eileen Collins, by NASA, public domain; scikit-image ships it


def caricature() -> DrawMe:
    """A photograph of yours, or NASA's of Eileen Collins, drawn.

    Raises:
        CompanionError: MediaPipe or its model is missing.
    """
    return DrawMe(Measurer(), embedded()[SAMPLE])
