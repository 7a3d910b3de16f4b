"""Photographs shaken by chapter 2's cameras, and what the package makes of the first."""

from pathlib import Path

from live_models import Network
from live_photographs import SAMPLES, photograph, restored, shaken, stored

from companion import pretrained
from companion.data.degrade import Camera
from companion.files import write_json

NETWORK = Network("deblur-best")
MODELS = (NETWORK,)


def files(folder: Path) -> None:
    """`deblur.json`, and `deblur/` with each sample as it was and shaken."""
    settings = pretrained.record(NETWORK.run).settings["camera"]
    own = Camera(**settings)
    stranger = Camera(**{**settings, "seed": settings["seed"] + 1})
    samples = []
    for number, sample in enumerate(
        (SAMPLES[1], SAMPLES[0], *SAMPLES[2:])
    ):  # the one with the sharpest edges first
        known = number < len(SAMPLES) - 1  # the last is shaken by a hand that the network does not know
        kernel = (own if known else stranger).kernels()[number]
        given, inner = shaken(photograph(sample), own, kernel, number)
        stored(inner, folder / f"deblur/{sample.name}.jpg")
        stored(given, folder / f"deblur/{sample.name}-shaken.webp")
        samples.append(
            {
                **{"name": sample.name, "label": sample.label, "known": known},
                **{"good": f"deblur/{sample.name}.jpg", "given": f"deblur/{sample.name}-shaken.webp"},
            }
        )
        if number == 0:
            found = restored(pretrained.load(NETWORK.run), given)
            stored(found, folder / f"deblur/{sample.name}-restored.jpg")
            samples[0]["restored"] = f"deblur/{sample.name}-restored.jpg"
    kernels = {"own": own.kernels().tolist(), "stranger": stranger.kernels()[-1].tolist()}
    write_json(folder / "deblur.json", {"samples": samples, "noise": own.noise, **kernels})
