"""Directions of the faces' autoencoder, and the codes of people that it has not seen."""

import json
from pathlib import Path

import torch
from live_models import Network

from companion.data.faces import LABELS, Portraits
from companion.data.sets.faces import PEOPLE as SEEN
from companion.files import replacing, write_json
from companion.latent import autoencoder, codes, decoded, mean_direction
from companion.latent.apps import FACES, PEOPLE
from companion.viz.grids import image_grid

DECODER = Network("faces-vae", "decoder")
MODELS = (DECODER, Network("faces-vae", "encoder"))
STRANGERS = 24
COLUMNS = 6
PLACES = 5  # decimals, finer than a pixel can show


def files(folder: Path) -> None:
    """`faces-sliders.json`: a direction for each attribute and the strangers; `faces-sliders.png`: their pictures."""
    place, made_from = folder / "faces-sliders.json", f"{DECODER.digest()} {FACES} {PEOPLE} {STRANGERS}"
    if place.is_file() and json.loads(place.read_text(encoding="utf-8"))["made_from"] == made_from:
        return  # drawing a thousand people takes a minute
    model = autoencoder("faces-vae")
    known = Portraits(PEOPLE, size=model.config.size)
    found, labels = codes(model, known[:]), known.labels()
    directions = {name: mean_direction(found, labels[:, list(LABELS).index(name)]) for name in FACES}
    strangers = _rounded(codes(model, Portraits(STRANGERS, size=model.config.size, first=SEEN)[:]))
    with replacing(folder / "faces-sliders.png") as file:
        image_grid(decoded(model, torch.tensor(strangers)), columns=COLUMNS, gap=0).save(file, "PNG")
    lines = {name: _rounded(direction) for name, direction in directions.items()}
    content = {"made_from": made_from, "columns": COLUMNS, "directions": lines, "people": strangers}
    write_json(place, content)


def _rounded(values: torch.Tensor) -> list:
    return torch.round(values, decimals=PLACES).double().mul(10**PLACES).round().div(10**PLACES).tolist()
