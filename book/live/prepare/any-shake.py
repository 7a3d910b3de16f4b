"""Photographs shaken each in its own way, one that is sharp, and what the package finds in the first."""

from pathlib import Path
from typing import Any

import torch
from live_models import Network
from live_photographs import SAMPLES, Sample, photograph, restored, shaken, stored
from PIL import Image
from torch import Tensor

from companion import pretrained
from companion.blind import Blur
from companion.data.anyblur import drawn, gaussians, shakes
from companion.data.degrade import Camera
from companion.files import write_json
from companion.listening import Listening
from companion.randomness import generator

NETWORK = Network("deblur-any", "told")
MODELS = (NETWORK,)
CHELSEA, COFFEE, *_ = SAMPLES  # the network was trained on the other two
SHAKEN = (COFFEE, CHELSEA)  # the one with the sharpest edges first
SHARP = Sample("china", "Roofs of a palace; photograph: danielbuechele, CC BY 2.0")
LENGTHS = (20.0, 14.0, 28.0)  # pixels that the hands travel
CAMERA = Camera(size=41, noise=0.008)
SOFT = 0.7  # pixels: no lens draws a track a pixel thin


def files(folder: Path) -> None:
    """`any-shake.json`, and `any-shake/` with each sample as it was and as it is given."""
    kernels = hands()
    samples = []
    for number, sample in enumerate(SHAKEN):
        given, inner = shaken(photograph(sample), CAMERA, kernels[number], number)
        samples.append(_written(sample, given, inner, folder))
    sharp = photograph(SHARP)
    samples.append(_written(SHARP, sharp, sharp, folder) | {"remark": "As sharp as it was taken."})
    with Image.open(folder / samples[0]["given"]) as given:
        samples[0] |= found(given.convert("RGB"), folder / f"any-shake/{COFFEE.name}-restored.jpg")
    shakes_to_choose = [_short(kernel) for kernel in kernels]
    write_json(
        folder / "any-shake.json", {"samples": samples, "noise": CAMERA.noise, "shakes": shakes_to_choose}
    )


def hands() -> Tensor:
    """Kernels `(N, size, size)` that no training saw."""
    paths = shakes(torch.tensor(LENGTHS), generator(0, "hands of the page's samples"))
    lens = gaussians(torch.tensor([SOFT]), 7)
    soft = torch.conv2d(drawn(paths, CAMERA.size)[:, None], lens[:, None], padding=3)[:, 0]
    return soft / soft.sum((1, 2), keepdim=True)


def _written(sample: Sample, given: Image.Image, good: Image.Image, folder: Path) -> dict[str, Any]:
    """A sample's two files, and what the page is told of it."""
    names = {"good": f"any-shake/{sample.name}.jpg", "given": f"any-shake/{sample.name}-given.webp"}
    for image, name in zip((good, given), names.values(), strict=True):
        stored(image, folder / name)
    return {"name": sample.name, "label": sample.label, **names}


def found(given: Image.Image, path: Path) -> dict[str, Any]:
    """What the package makes of a photograph, written, and the blur that it found."""
    listening = Listening(pretrained.load(NETWORK.run))
    stored(restored(listening, given), path)
    assert listening.blur
    return {"restored": f"{path.parent.name}/{path.name}", "blur": _in_page(listening.blur)}


def _in_page(blur: Blur) -> dict[str, Any]:
    """As `book/live/restoring/finder.js` has it."""
    kernel = {"data": [light for row in _short(blur.kernel) for light in row], "side": blur.kernel.shape[-1]}
    return {"kernel": kernel, "evidence": blur.evidence, "steepness": blur.steepness, "sure": blur.sure}


def _short(kernel: Tensor) -> list[list[float]]:
    return [[round(light, 6) for light in row] for row in kernel.tolist()]
