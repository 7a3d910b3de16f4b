"""What the apps of chapter 6 show: its widgets on the models that the book ships."""

from companion.data import load
from companion.data.faces import LABELS, Portraits
from companion.latent.coding import autoencoder, codes
from companion.latent.directions import mean_direction
from companion.latent.sliders import LatentPad, LatentSliders

FACES = ("smiling", "mouth_open", "glasses", "beard", "long_hair", "grey_hair", "hat", "looks_left")
PEOPLE = 1000  # whose codes give the faces' directions


def faces() -> LatentSliders:
    """Sliders for four drawn people that the model has not seen."""
    model = autoencoder("faces-vae")
    known = Portraits(PEOPLE, size=model.config.size)
    found, labels = codes(model, known.rendered()[:]), known.labels()
    directions = {name: mean_direction(found, labels[:, list(LABELS).index(name)]) for name in FACES}
    strangers = load("portraits-test", size=model.config.size)[:4]
    return LatentSliders(model, strangers, directions, scale=3)


def digits() -> LatentPad:
    """The map of digits, and the digit at the marker on it."""
    return LatentPad(autoencoder("mnist-plane"))
