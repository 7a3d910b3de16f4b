"""Pictures small enough to be kept in a run record: for looking, not for measuring."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from companion.data.scale import bytes_of, from_bytes, to_bytes


def as_webp(images: Tensor) -> str:
    """Square pictures `(N, 3, S, S)` in [−1, 1] side by side as one WebP, in base64, so that a record can keep them.

    WebP at quality 85 loses what an eye hardly sees: for looking, not for measuring.
    """
    file = io.BytesIO()
    row = torch.cat(list(images), dim=2)
    Image.fromarray(to_bytes(row).permute(1, 2, 0).contiguous().numpy()).save(
        file, "WEBP", quality=85, method=6
    )
    return base64.b64encode(file.getvalue()).decode()


def from_webp(text: str) -> Tensor:
    """The square pictures that `as_webp` laid side by side, `(N, 3, S, S)` in [−1, 1]."""
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        row = from_bytes(bytes_of(picture.convert("RGB")))
    return torch.stack(torch.split(row, row.shape[1], dim=2))
