"""What the apps of chapter 6 show: its widgets on the models that the book ships."""

from pathlib import Path

from companion import pretrained
from companion.data import load
from companion.data.faces import LABELS, Portraits
from companion.errors import CompanionError
from companion.latent.coding import codes
from companion.latent.directions import mean_direction
from companion.latent.sliders import LatentPad, LatentSliders
from companion.models.vae import VAE

FACES = ("smiling", "mouth_open", "glasses", "beard", "long_hair", "grey_hair", "hat", "looks_left")
PEOPLE = 1000  # whose codes give the faces' directions


def faces(folder: Path | str = ".") -> LatentSliders:
    """Sliders for four drawn people that the model has not seen; *save* writes into the folder."""
    model = _autoencoder("faces-vae")
    known = Portraits(PEOPLE, size=model.config.size)
    found, labels = codes(model, known.rendered()[:]), known.labels()
    directions = {name: mean_direction(found, labels[:, list(LABELS).index(name)]) for name in FACES}
    strangers = load("portraits-test", size=model.config.size)[:4]
    return LatentSliders(model, strangers, directions, folder=folder, scale=3)


def digits() -> LatentPad:
    """The map of digits, and the digit at the marker on it."""
    return LatentPad(_autoencoder("mnist-plane"))


def _autoencoder(run: str) -> VAE:
    model = pretrained.load(run)
    if not isinstance(model, VAE):
        raise CompanionError(f"The run {run} left no autoencoder; make it with: companion reproduce {run}.")
    return model
