"""Does a walk between strangers give away who was in the training set, and does bending it help?"""

from typing import Any

import torch
from torch import Tensor

from companion import latent
from companion.data import load
from companion.data.faces import Portraits
from companion.randomness import generator
from companion.records import Measurement
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, with_interval

MODEL = "faces-vae"
FRAMES = 16  # between the ends
MARGINS = {
    "straight": 0.0,
    "bent": 1.0,
    "bent, twice the margin": 2.0,
}  # in usual distances from training codes
TITLES = {
    "nearer": "frames nearer to somebody of the training set than to somebody who is not",
    "distance": "distance of the nearest training code",
    "length": "length of the walk",
}


def faces_walks(job: Job) -> Result:
    """Straight and bent walks between strangers; an attacker holds two albums and asks which of them a frame is near.

    One album was trained on, the other not, and they are equally large: ½ gives nothing away. The margin is the
    distance that all but one in a hundred strangers keep from their nearest training code. A control that must be told:
    codes of the training set itself.

    What would refute “bending a walk hides the training set”: a share that falls by less than its interval, straight
    minus bent, on the same walks.
    """
    people, walks, album = (60, 3, 30) if job.debug else (8000, 100, 1000)
    model = latent.autoencoder(MODEL)
    training = Portraits(people, size=64).rendered()[:]
    strangers = load("portraits-test", size=64)[: 2 * album]
    inside, outside = training[:album], strangers[album:]
    known, ends = latent.codes(model, training), latent.codes(model, strangers[:album])
    margin = float(torch.cdist(ends, known).amin(1).quantile(0.01))
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in MARGINS}
    for number in range(walks):
        pair = torch.randperm(len(ends), generator=generator(0, "walks", number))[:2]
        straight = latent.walk(ends[pair], FRAMES + 1)
        for name, share in MARGINS.items():
            way = latent.avoiding(straight, known, margin=share * margin) if share else straight
            frames = latent.decoded(model, way[1:-1])
            rows[name].append(
                {
                    "nearer": float(_nearer(frames, inside, outside).float().mean()),
                    "distance": float(torch.cdist(way[1:-1], known).min()),
                    "length": float(way.diff(dim=0).norm(dim=1).sum()),
                }
            )
    about = (
        f"{walks} walks of {FRAMES} frames between strangers, {people} people trained on, albums of {album}"
    )
    metrics = [
        _mean(f"{title}: {name}", [row[key] for row in found], about)
        for key, title in TITLES.items()
        for name, found in rows.items()
    ]
    for name in list(MARGINS)[1:]:
        gains = [a["nearer"] - b["nearer"] for a, b in zip(rows["straight"], rows[name], strict=True)]
        metrics.append(_mean(f"what the share falls by: {name}", gains, about))
    control = _nearer(latent.decoded(model, known[:album]), inside, outside).float().mean()
    metrics.append(
        Measurement("the same share of the training set's own reconstructions", float(control), about)
    )
    settings: dict[str, Any] = {"device": "cpu", "precision": "float32", "model": MODEL, "margin": margin}
    return Result(settings | {"people": people, "walks": walks}, [0], metrics, {"walks": rows})


def _nearer(frames: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """Whether each frame is nearer, over pixels, to an album that was trained on than to one that was not."""
    to_members, to_others = (
        torch.cdist(frames.flatten(1), album.flatten(1)).amin(1) for album in (inside, outside)
    )
    return to_members < to_others


def _mean(name: str, values: list[float], about: str) -> Measurement:
    return with_interval(name, sum(values) / len(values), bootstrap([values]), about)


RECIPES: dict[str, Recipe] = {
    "faces-walks": Recipe("Walks that keep away from training people", 6, faces_walks, (MODEL,))
}
