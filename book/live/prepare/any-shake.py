"""Photographs shaken each in its own way, one that is sharp, and what the package finds in the first."""

from pathlib import Path
from typing import Any

import torch
from live_models import Network
from live_photographs import SAMPLES, photograph, stored
from PIL import Image
from torch import Tensor

from companion import pretrained
from companion.blind import Blur
from companion.data.anyblur import Damage, degrade, drawn, gaussians, shakes
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.files import write_json
from companion.listening import Listening
from companion.randomness import generator
from companion.restoration.pairs import picture
from companion.tiling import Photo, restore_photo

NETWORK = Network("deblur-any", "told")
MODELS = (NETWORK,)
LENGTHS = (20.0, 14.0, 28.0)  # pixels that the hand travels
SIDE, NOISE = 41, 0.004  # of the kernels; of the stored values
SOFT = 0.7  # pixels: no lens draws a track a pixel thin


def files(folder: Path) -> None:
    """`any-shake.json`, and `any-shake/` with each sample as it was and as it is given."""
    kernels, samples = hands(), []
    for number, sample in enumerate((SAMPLES[1], SAMPLES[0], *SAMPLES[2:])):  # the sharpest edges first
        good = photograph(sample)
        shaken = number < len(kernels)
        given, inner = blurred(good, kernels[number], number) if shaken else (good, good)
        stored(inner, folder / f"any-shake/{sample.name}.jpg")
        given = stored(given, folder / f"any-shake/{sample.name}-given.webp")
        samples.append(
            {
                **{"name": sample.name, "label": sample.label},
                **{"good": f"any-shake/{sample.name}.jpg", "given": f"any-shake/{sample.name}-given.webp"},
                **({} if shaken else {"remark": "As sharp as it was taken: there is nothing to undo."}),
            }
        )
        if number == 0:
            samples[0] |= found(given, folder / f"any-shake/{sample.name}-restored.jpg")
    write_json(
        folder / "any-shake.json",
        {"samples": samples, "noise": 2 * NOISE, "shakes": [_short(kernel) for kernel in kernels]},
    )


def hands() -> Tensor:
    """Kernels `(N, SIDE, SIDE)` that no training saw."""
    paths = shakes(torch.tensor(LENGTHS), generator(0, "hands of the page's samples"))
    lens = gaussians(torch.tensor([SOFT]), 7)
    soft = torch.conv2d(drawn(paths, SIDE)[:, None], lens[:, None], padding=3)[:, 0]
    return soft / soft.sum((1, 2), keepdim=True)


def blurred(photo: Image.Image, kernel: Tensor, number: int) -> tuple[Image.Image, Image.Image]:
    """A photograph blurred by a kernel, and what of it is left sharp: the border is lost to the blur."""
    sharp, margin = bytes_of(photo), SIDE // 2
    one = torch.ones(1)
    damage = Damage(kernel[None], one.long(), one < 0, NOISE * one, 0 * one.long())
    given = degrade(from_bytes(sharp[None]), damage, generator(0, "noise of the shaken samples", number))
    return picture(to_bytes(given)[0]), picture(sharp[:, margin:-margin, margin:-margin])


def found(given: Image.Image, path: Path) -> dict[str, Any]:
    """What the package makes of a photograph, written, and the blur that it found."""
    listening = Listening(pretrained.load(NETWORK.run))
    pixels = bytes_of(given).permute(1, 2, 0).numpy()
    stored(Image.fromarray(restore_photo(listening, Photo(pixels, None, False, {}))), path)
    assert listening.blur
    return {"restored": f"{path.parent.name}/{path.name}", "blur": _in_page(listening.blur)}


def _in_page(blur: Blur) -> dict[str, Any]:
    """As `book/live/restoring/finder.js` has it."""
    kernel = {"data": [light for row in _short(blur.kernel) for light in row], "side": blur.kernel.shape[-1]}
    return {"kernel": kernel, "evidence": blur.evidence, "sure": blur.sure}


def _short(kernel: Tensor) -> list[list[float]]:
    return [[round(light, 6) for light in row] for row in kernel.tolist()]
