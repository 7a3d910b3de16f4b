"""The map that the autoencoder with two latents makes of MNIST."""

from pathlib import Path

import torch
from live_models import Network

from companion.files import replacing
from companion.latent import autoencoder
from companion.latent.sliders import latent_map

MODELS = (Network("mnist-plane", "decoder"),)
REACH = 2.5
TILES = 15


def files(folder: Path) -> None:
    """`digit-plane.png`, x to the right and y upwards, from −2.5 to 2.5."""
    sheet = latent_map(autoencoder("mnist-plane"), torch.eye(2), reach=REACH, tiles=TILES)
    with replacing(folder / "digit-plane.png") as file:
        sheet.save(file, "PNG")
