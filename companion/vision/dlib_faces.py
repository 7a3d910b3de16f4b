"""dlib's published face network (King 2017), to compare with: it knows real people from three million photographs.

Its weights are in the public domain (CC0), in the package face-recognition-models; neither package is needed elsewhere.
"""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from companion.errors import CompanionError

LENGTH = 128  # of its embeddings
NEEDED = "dlib-bin face-recognition-models"


def dlib_embeddings(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Who is seen in each picture, by dlib's detector, its five landmarks and its network.

    Args:
        pixels: `(N, 3, H, W)` uint8, a face in each, 100 pixels a side or more: smaller faces are not found.

    Returns:
        Embeddings `(N, 128)`, zero where no face was found, and which have one, `(N,)` bool. The nearer, the more
        alike; of several faces the largest counts.

    Raises:
        CompanionError: dlib or its weights are not installed.
    """
    embed = _network()
    rows = [
        embed(one.permute(1, 2, 0).contiguous().numpy())
        for one in tqdm(pixels, desc="reading faces", delay=2)
    ]
    found = torch.tensor([row is not None for row in rows])
    empty = torch.zeros(LENGTH)
    return torch.stack([empty if row is None else torch.tensor(list(row)) for row in rows]), found


def _network() -> Callable[["np.typing.NDArray[np.uint8]"], Any]:
    weights = importlib.util.find_spec("face_recognition_models")
    try:
        dlib = importlib.import_module("dlib")
    except ImportError:
        dlib = None
    if dlib is None or weights is None or not weights.submodule_search_locations:
        raise CompanionError(f"dlib's face network is not installed; install it with: pip install {NEEDED}.")
    folder = Path(weights.submodule_search_locations[0]) / "models"
    find = dlib.get_frontal_face_detector()
    five = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def embed(picture: "np.typing.NDArray[np.uint8]") -> Any:
        faces = find(picture, 1)  # looks at the picture at twice its size, too
        if not faces:
            return None
        return network.compute_face_descriptor(
            picture, five(picture, max(faces, key=lambda face: face.area()))
        )

    return embed
