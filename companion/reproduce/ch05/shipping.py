"""The longer runs of chapter 5 whose weights the course ships: one that restores, and one that gives colours."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from companion.metrics import Measurement
from companion.metrics.restoration import PerceptualDistance, psnr
from companion.models.evaluating import evaluating
from companion.models.unet import UNet
from companion.reproduce.ch05.measuring import Judge
from companion.reproduce.ch05.restoration import (
    EACH,
    FEATURES,
    base,
    differences,
    eyes,
    finished,
    fresh,
    photographs,
    row_metrics,
    side,
)
from companion.reproduce.job import Job, Result
from companion.restoration.colour import Uncoloured, colourfulness
from companion.restoration.judging import drawn_by
from companion.restoration.pairs import held_out
from companion.restoration.settings import RestorationSettings
from companion.tiling import OVERLAP, TILE, Photo, restore_photo

STEPS = {"debug": (1, 2, 2), "laptop": (300, 6000, 3000), "gpu": (3000, 60000, 30000)}


def restoring(job: Job) -> Result:
    """The U-Net that restores ruined pictures: squared error first, then with features beside it."""
    settings = base(job)
    network, curves = _taught(job, settings)
    held = held_out(photographs(settings.data).split("test"), settings.damage, side(job), each=EACH)
    judge = Judge(held, eyes(job))
    rows = {
        "bicubic": [job.once("bicubic", lambda: judge.judge(held.pairs.input))],
        "U-Net": [job.once("judged", lambda: judge.judge(drawn_by(network, held.pairs.input)))],
    }
    gained = differences(rows, judge, [("U-Net", "bicubic")])
    metrics = [*row_metrics(rows, judge), *gained, seams(network)]
    return Result(
        _about(job, settings), [settings.seed], metrics, {"rows": rows, "curves": curves}, model=network
    )


def colouring(job: Job) -> Result:
    """The U-Net that gives grey pictures colours, taught in the same way."""
    settings = replace(base(job), damage=Uncoloured())
    network, curves = _taught(job, settings)
    pairs = held_out(photographs(settings.data).split("test"), settings.damage, side(job)).pairs
    drawn = drawn_by(network, pairs.input)
    distance = PerceptualDistance(eyes(job))
    metrics = []
    for name, images in {"grey": pairs.input, "painted": drawn, "as they were": pairs.target}.items():
        protocol = f"{len(pairs)} test photographs, {side(job)}×{side(job)}, Hasler and Süsstrunk 2003"
        metrics.append(Measurement(f"colourfulness: {name}", float(colourfulness(images).mean()), protocol))
    for name, images in {"grey": pairs.input, "painted": drawn}.items():
        protocol = f"{len(pairs)} test photographs, {side(job)}×{side(job)}"
        seen = distance(images, pairs.target)
        metrics += [
            Measurement(f"PSNR (dB): {name}", float(psnr(images, pairs.target).mean()), protocol),
            Measurement(
                f"perceptual distance: {name}", float(seen.mean()), f"{protocol}; {distance.protocol}"
            ),
        ]
    each = {"painted": colourfulness(drawn).tolist(), "as they were": colourfulness(pairs.target).tolist()}
    details = {"colourfulness": each, "curves": curves}
    return Result(_about(job, settings), [settings.seed], metrics, details, model=network)


def _taught(job: Job, settings: RestorationSettings) -> tuple[UNet, dict[str, Any]]:
    """Squared error with the encoder frozen, then with all, then features beside it; and the curves of the three."""
    network = fresh(job, settings.seed)
    stages: tuple[tuple[str, dict[str, Any]], ...] = (
        ("frozen", {"frozen": True}),
        ("unfrozen", {"began": "frozen"}),
        ("features", {"began": "unfrozen", "features": FEATURES, "rate": 5e-4}),
    )
    curves = {}
    for (name, change), steps in zip(stages, STEPS[job.budget], strict=True):
        _, curves[name] = finished(job, name, replace(settings, steps=steps, **change), network)
    return network, curves


def _about(job: Job, settings: RestorationSettings) -> dict[str, Any]:
    steps = STEPS[job.budget]
    return {**settings.as_json(), "precision": "float32", "steps": sum(steps), "features": FEATURES}


def seams(network: nn.Module) -> Measurement:
    """What cutting a photograph into tiles changes, against the whole photograph in one piece.

    The network normalises nothing over its picture, but its attention looks everywhere: so a tile is another picture.
    """
    apart = []
    with evaluating(network):
        for pixels in photographs("embedded").split("test").pixels:
            photo = Photo(pixels.permute(1, 2, 0).numpy(), None, False, {})
            tiled, whole = (
                torch.from_numpy(restore_photo(network, photo, tile=tile).astype("float32"))
                for tile in (TILE, max(pixels.shape))
            )
            apart.append(float(10 * torch.log10(255**2 / (tiled - whole).square().mean().clamp(min=1e-3))))
    protocol = f"{len(apart)} embedded photographs, tiles of {TILE} that overlap by {OVERLAP}; the smallest"
    return Measurement("PSNR (dB) of tiles against the whole", min(apart), protocol)
