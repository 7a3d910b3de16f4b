"""What the sliders of the faces are prepared with is all that this demo needs."""

from live_models import Network

MODELS = (Network("faces-vae", "decoder"),)
