"""Does a dragged point go where it is dragged, and what else moves? A reader that never saw the autoencoder says."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from companion import latent, pretrained
from companion.data import load
from companion.data.faces import Portraits
from companion.data.scale import to_bytes
from companion.latent.dragging import POINTS, Handles
from companion.metrics.verification import recall_at_one
from companion.models.vae import VAE
from companion.randomness import generator
from companion.records import Measurement
from companion.reproduce.following import learnt
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, with_interval
from companion.training.faces import landmark_lessons, read_faces, read_landmarks
from companion.training.player import workshop

MODEL = "faces-vae"
FAR = 10.0  # pixels of 64: points further from the dragged one than this should stay
WAYS = {"right": (3.0, 0.0), "left": (-3.0, 0.0), "down": (0.0, 3.0), "up": (0.0, -3.0)}  # in pixels
TITLES = {
    "gone": "share of the way that the point went",
    "missed": "distance to the goal",
    "others": "way of the far points",
    "recognised": "people recognised",
}


@dataclass(frozen=True)
class Judge:
    """Decodes codes and says where the points of the pictures are, and who is in them."""

    model: VAE
    reader: nn.Module
    identity: nn.Module

    def seen(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Points `(N, 68, 2)` in pixels and embeddings."""
        pixels = to_bytes(latent.decoded(self.model, codes))
        return read_landmarks(self.reader, pixels), normalize(read_faces(self.identity, pixels))


def faces_drag(job: Job) -> Result:
    """Eleven points of strangers' faces, each dragged three pixels in four directions.

    The handles are fitted to people that the autoencoder learnt from. A control that must fail takes a random step that
    is as unusual among faces as the drag's; a second leaves the other points free.

    What would refute “the point goes most of the way, and the rest stays”: a share of the way below one half, or far
    points that move as far as under the random step.
    """
    people, learners, rounds, tested = (300, 192, 1, 12) if job.debug else (4000, 12_000, 12, 200)
    there = workshop("auto", bfloat16=True) if job.budget == "gpu" else workshop("cpu")
    album = Portraits(learners, size=64, seed=31)
    drawn = album.rendered()
    lessons = landmark_lessons(
        drawn.pixels, album.landmarks(slice(None)), rounds=rounds, seed=1, workshop=there
    )
    reader = learnt(job, lessons, {"people": learners, "rounds": rounds}, data=drawn.fingerprint)
    model = latent.autoencoder(MODEL)
    known = Portraits(people, size=64)
    handles = Handles.fit(model, latent.codes(model, known.rendered()[:]), known.landmarks(slice(None)))
    codes = latent.codes(model, load("portraits-test", size=64)[:tested])
    judge = Judge(model, reader, pretrained.load("faces-identity"))
    kinds: dict[str, Callable[[int, tuple[float, float]], Tensor]] = {
        "dragged": lambda point, by: handles.drag(codes, point, by),
        "others left free": lambda point, by: handles.drag(codes, point, by, hold=0.0),
        "random step": lambda point, by: _random(handles, codes, handles.drag(codes, point, by)),
    }
    found = {
        kind: {
            name: job.once(f"{kind}/{name}", partial(_moved, judge, codes, number, to))
            for name, number in POINTS.items()
        }
        for kind, to in kinds.items()
    }
    strangers = Portraits(500, size=64, seed=31, first=learners)
    error = (read_landmarks(reader, strangers.rendered().pixels) - strangers.landmarks(slice(None))).norm(
        dim=2
    )
    metrics = [
        Measurement(
            "error of the reader of landmarks", float(error.mean()), "pixels, 500 portraits of others"
        )
    ]
    metrics += [metric for kind, rows in found.items() for metric in _metrics(kind, rows, tested)]
    settings: dict[str, Any] = {"device": str(there.device), "precision": "float32", "model": MODEL}
    settings |= {"people": people, "learners": learners, "rounds": rounds, "tested": tested}
    return Result(settings, [1], metrics, {"points": found})


def _random(handles: Handles, codes: Tensor, dragged: Tensor) -> Tensor:
    """A step anywhere that is as long as the drag's, in units of how codes vary."""
    step = dragged - codes
    length = (step @ handles.precision * step).sum(1, keepdim=True).clamp(min=0).sqrt()
    root = torch.linalg.cholesky(torch.linalg.inv(handles.precision))
    other = torch.randn(codes.shape, generator=generator(0, "random steps")) @ root.T
    unusual = (other @ handles.precision * other).sum(1, keepdim=True).sqrt()
    found: Tensor = codes + other * length / unusual
    return found


def _moved(
    judge: Judge, codes: Tensor, point: int, to: Callable[[int, tuple[float, float]], Tensor]
) -> dict[str, Any]:
    """Means over the strangers for each of the four directions."""
    before, as_they_are = judge.seen(codes)
    far = (before - before[:, [point]]).norm(dim=2) > FAR
    rows: dict[str, list[float]] = {key: [] for key in TITLES}
    for by in WAYS.values():
        after, who = judge.seen(to(point, by))
        wish = torch.tensor(by)
        step = after[:, point] - before[:, point]
        rows["gone"].append(float((step @ wish / wish.square().sum()).mean()))
        rows["missed"].append(float((step - wish).norm(dim=1).mean()))
        rows["others"].append(float((after - before).norm(dim=2)[far].mean()))
        rows["recognised"].append(recall_at_one(who, as_they_are))
    return rows


def _metrics(kind: str, rows: dict[str, Any], tested: int) -> list[Measurement]:
    """Means over points and directions, their intervals from points drawn anew."""
    about = f"{len(rows)} points, {len(WAYS)} directions, 3 pixels each, {tested} strangers"
    means = {key: [sum(row[key]) / len(WAYS) for row in rows.values()] for key in TITLES}
    return [
        with_interval(f"{title}: {kind}", sum(means[key]) / len(means[key]), bootstrap([means[key]]), about)
        for key, title in TITLES.items()
    ]


RECIPES: dict[str, Recipe] = {
    "faces-drag": Recipe("Points of faces, dragged", 6, faces_drag, (MODEL, "faces-identity"))
}
