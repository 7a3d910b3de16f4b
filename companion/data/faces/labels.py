"""What can be said of a face in a word: labels as a data set of photographs would have them, here known exactly.

A label speaks of what can be seen: an earring under a headscarf is no earring.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.data.faces.parameters import Faces

LABELS: dict[str, Callable[[Faces], Tensor]] = {
    "smiling": lambda f: f["smile"] > 0.5,
    "mouth_open": lambda f: f["mouth_open"] > 0.2,
    "glasses": lambda f: f["glasses"] > 0.5,
    "sunglasses": lambda f: f["sunglasses"] > 0.5,
    "beard": lambda f: f["beard"] > 0.15,
    "moustache": lambda f: f["moustache"] > 0.3,
    "hat": lambda f: torch.maximum(f["beanie"], f["sun_hat"]) > 0.5,
    "headscarf": lambda f: f["headscarf"] > 0.5,
    "turban": lambda f: f["turban"] > 0.5,
    "earrings": lambda f: (f["earrings"] > 0.5) & (f["headscarf"] < 0.5) & (f["hair_cover"] < 0.5),
    "makeup": lambda f: f["makeup"] > 0.3,
    "bald": lambda f: (f["hair_thin"] > 0.8) & (_covered(f) < 0.5),
    "long_hair": lambda f: (f["hair_length"] > 0.55) & (f["hair_thin"] < 0.8) & (f["headscarf"] < 0.5),
    "grey_hair": lambda f: _is_grey(f) & (f["hair_thin"] < 0.8) & (f["headscarf"] < 0.5),
    "freckles": lambda f: f["freckles"] > 0.3,
    "looks_left": lambda f: f["yaw"] < -0.16,
    "looks_right": lambda f: f["yaw"] > 0.16,
}


def labels(faces: Faces) -> Tensor:
    """All of `LABELS` for each face, `(N, L)` bool."""
    return torch.stack([rule(faces) for rule in LABELS.values()], 1)


def _covered(faces: Faces) -> Tensor:
    hats = torch.maximum(faces["beanie"], faces["sun_hat"])
    return torch.maximum(hats, torch.maximum(faces["headscarf"], faces["turban"]))


def _is_grey(faces: Faces) -> Tensor:
    """Light and almost without colour: black hair has little colour too."""
    channels = torch.stack([faces[f"hair_{channel}"] for channel in "rgb"])
    return (channels.amax(0) - channels.amin(0) < 0.12) & (channels.mean(0) > 0.36)
