"""What does each slider of the faces move? Read off edited portraits by a reader that learnt from exact labels."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from companion import latent, pretrained
from companion.data import load
from companion.data.faces import LABELS, Portraits
from companion.data.scale import to_bytes
from companion.metrics.verification import recall_at_one
from companion.models.vae import VAE
from companion.records import Measurement
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, with_interval
from companion.training.faces import read_faces

MODEL = "faces-vae"
SLIDERS = (
    *("smiling", "mouth_open", "glasses", "sunglasses", "beard", "moustache", "hat", "headscarf"),
    *("makeup", "bald", "long_hair", "grey_hair", "looks_left", "looks_right"),
)
OPPOSITES = {"looks_left": "looks_right", "looks_right": "looks_left"}  # two names for one slider


def found_directions(codes: Tensor, labels: Tensor) -> dict[str, dict[str, Tensor]]:
    """Every slider's direction in four ways, by their names: from means or a regression, plain or made orthogonal.

    Args:
        codes: Of portraits, `(N, latents)`.
        labels: All `LABELS` of each, `(N, L)` bool.
    """
    columns = {name: labels[:, list(LABELS).index(name)] for name in SLIDERS}
    plain = {
        "means": {name: latent.mean_direction(codes, has) for name, has in columns.items()},
        "logistic": {name: latent.logistic_direction(codes, has) for name, has in columns.items()},
    }
    return plain | {
        f"{kind}, orthogonal": {name: _apart(name, directions) for name, directions in _each(found)}
        for kind, found in plain.items()
    }


def _each(found: dict[str, Tensor]) -> list[tuple[str, dict[str, Tensor]]]:
    return [(name, found) for name in found]


def _apart(name: str, found: dict[str, Tensor]) -> Tensor:
    """A direction at right angles to all others but its own opposite."""
    others = {other: v for other, v in found.items() if other not in (name, OPPOSITES.get(name))}
    return latent.orthogonal(found[name], others)


@dataclass(frozen=True)
class Faces:
    """Codes of people the model did not learn from, and the networks that look at what becomes of them."""

    model: VAE
    codes: Tensor
    attributes: torch.nn.Module
    identity: torch.nn.Module

    def seen(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Attribute logits `(N, L)` and embeddings of the decoded faces."""
        pixels = to_bytes(latent.decoded(self.model, latents))
        return read_faces(self.attributes, pixels), normalize(read_faces(self.identity, pixels))


def faces_sliders(job: Job) -> Result:
    """How much the probability of each attribute changes from one end of each slider to the other, and who is left.

    A slider's ends are one step of its direction either way: as far apart as two groups' means, twice.

    What would refute “the regression's sliders are cleaner than those from means”: if its off-diagonal changes are not
    the smaller part of its diagonal ones, with intervals apart.
    """
    people, tested = (256, 32) if job.debug else (8000, 1000)
    model = latent.autoencoder(MODEL)
    known = Portraits(people, size=64)
    strangers = load("portraits-test", size=64)[:tested]
    faces = Faces(
        model,
        latent.codes(model, strangers),
        pretrained.load("faces-attributes"),
        pretrained.load("faces-identity"),
    )
    ways = found_directions(latent.codes(model, known.rendered()[:]), known.labels())
    found = {
        way: job.once(f"matrix/{way}", partial(_measured, faces, directions))
        for way, directions in ways.items()
    }
    metrics = [metric for way, table in found.items() for metric in _metrics(way, table, tested)]
    settings = {"device": "cpu", "precision": "float32", "model": MODEL, "people": people, "tested": tested}
    return Result(
        settings, [0], metrics, {"sliders": list(SLIDERS), "attributes": list(LABELS), "ways": found}
    )


def _measured(faces: Faces, directions: dict[str, Tensor]) -> dict[str, Any]:
    """A row of the matrix for each slider, and how well people are recognised after one step of it."""
    logits, as_they_are = faces.seen(faces.codes)
    rows, single, kept = [], [], []
    for direction in directions.values():
        low, _ = faces.seen(faces.codes - direction)
        high, edited = faces.seen(faces.codes + direction)
        rows.append(latent.responses(low, high).tolist())
        single.append(latent.responses(logits, high).tolist())
        kept.append(recall_at_one(edited, as_they_are))
    return {"matrix": rows, "one step": single, "recognised": kept}


def _metrics(way: str, table: dict[str, Any], tested: int) -> list[Measurement]:
    names = list(LABELS)
    own = {name: row[names.index(name)] for name, row in zip(SLIDERS, table["matrix"], strict=True)}
    others = [
        abs(change)
        for name, row in zip(SLIDERS, table["matrix"], strict=True)
        for other, change in zip(names, row, strict=True)
        if other not in (name, OPPOSITES.get(name))
    ]
    about = f"read off {tested} edited portraits of people not trained on, from one end of the slider to the other"
    recognised = (
        f"nearest of {tested} reconstructions after one step, by the identity reader; mean over the sliders"
    )
    metrics = [
        Measurement(f"change of its own attribute, {way}: {name}", change, about, n=tested)
        for name, change in own.items()
    ]
    for title, values, protocol in (
        ("mean change of its own attribute", list(own.values()), f"{about}, {len(own)} sliders"),
        ("mean change of each other attribute", others, f"{about}, {len(others)} pairs"),
        ("share of people recognised", table["recognised"], recognised),
    ):
        value = sum(values) / len(values)
        metrics.append(with_interval(f"{title}, {way}", value, bootstrap([values]), protocol))
    return metrics


OF = (MODEL, "faces-attributes", "faces-identity")
RECIPES: dict[str, Recipe] = {
    "faces-sliders": Recipe("What each slider of the faces moves", 6, faces_sliders, OF)
}
