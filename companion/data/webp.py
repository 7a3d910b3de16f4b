"""Pictures small enough to be kept in a run record: for looking, not for measuring."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from companion.data.reading import DAMAGED
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.errors import CompanionError

MOST = 16_383  # pixels a side of a WebP


def as_webp(images: Tensor) -> str:
    """Square pictures `(N, 3, S, S)` in [−1, 1] side by side as one WebP, in base64, so that a record can keep them.

    WebP at quality 85 loses what an eye hardly sees: for looking, not for measuring.

    Raises:
        CompanionError: They are no square colour pictures, or wider together than a WebP can be.
    """
    shape = tuple(images.shape)
    if len(shape) != 4 or 0 in shape or shape[1] != 3 or shape[2] != shape[3]:
        raise CompanionError(
            f"A record keeps square colour pictures (N, 3, S, S), and these are {shape}; cut them."
        )
    if shape[0] * shape[3] > MOST:
        raise CompanionError(
            f"{shape[0]} pictures of {shape[3]} pixels are wider than the {MOST} of a WebP; keep fewer of them."
        )
    file = io.BytesIO()
    row = torch.cat(list(images), dim=2)
    Image.fromarray(to_bytes(row).permute(1, 2, 0).contiguous().numpy()).save(
        file, "WEBP", quality=85, method=6
    )
    return base64.b64encode(file.getvalue()).decode()


def from_webp(text: str) -> Tensor:
    """The square pictures that `as_webp` laid side by side, `(N, 3, S, S)` in [−1, 1].

    Raises:
        CompanionError: The text is damaged, or holds something else.
    """
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["WEBP"]) as picture:
            row = from_bytes(bytes_of(picture.convert("RGB")))
    except (*DAMAGED, Image.DecompressionBombError):
        raise CompanionError(f"The text {_begun(text)} holds no picture or a damaged one; {THEN}.") from None
    side, width = row.shape[1:]
    if width % side:
        raise CompanionError(f"The text holds {width}×{side} pixels, which is no row of squares; {THEN}.")
    return torch.stack(torch.split(row, side, dim=2))


THEN = "take it as a record keeps it, or make the record again"


def _begun(text: object) -> str:
    """How it begins, of a kind that the reader can find it by."""
    return f"“{text[:20]}…”" if isinstance(text, str) else f"of type {type(text).__name__}"
