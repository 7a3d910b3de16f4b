"""Parametric faces before a detector made for photographs: does it find them, and where does it see their features?"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.faces import Caricatures, Portraits
from companion.data.faces.datasets import FaceSet
from companion.data.faces.landmarks import EYES
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.vision import FaceMesh
from companion.vision.models import mediapipe

SIZE = 256
STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # of exaggeration
BATCH = 16

# Points that both layouts have: our rows of the 68, and MediaPipe's of the 478 of its mesh.
SHARED: dict[str, tuple[list[int], list[int]]] = {
    "outer corners of the eyes": ([36, 45], [33, 263]),
    "inner corners of the eyes": ([39, 42], [133, 362]),
    "tip of the nose": ([30], [1]),
    "corners of the mouth": ([48, 54], [61, 291]),
    "upper and lower edge of the lips": ([51, 57], [0, 17]),
    "chin": ([8], [152]),
}


def faces_mediapipe(job: Job) -> Result:
    """MediaPipe's face mesh on portraits and on caricatures from the mean face to wild exaggeration."""
    version = mediapipe().__version__
    people = {"debug": 3, "laptop": 200, "gpu": 1000}[job.budget]
    seeds = [21, 22] if job.debug else [21, 22, 23]
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:
        sets: dict[str, FaceSet] = {"portraits": Portraits(people, size=SIZE, seed=seed)}
        sets |= {f"caricatures, k = {k:g}": Caricatures(people, size=SIZE, seed=seed, k=k) for k in STRENGTHS}
        for name, faces in sets.items():
            one = partial(_compared, faces, f"{name}, seed {seed}")
            runs.setdefault(name, []).append(job.once(f"seed-{seed}/{name}", one))
    about = f"Face Landmarker of MediaPipe {version}, {people} people at {SIZE}×{SIZE}"
    apart = f"median distance from our landmark, in distances between the eyes, of the faces found; {about}"
    shares = {f"faces found: {name}": [run["found"] for run in of] for name, of in runs.items()}
    distances = {
        f"{part}: {name}": [run["apart"][part] for run in of]
        for name, of in runs.items()
        for part in SHARED
        if all(run["found"] for run in of)
    }
    metrics = [
        replace(metric, protocol=f"{protocol}, {metric.protocol}")
        for table, protocol in ((shares, about), (distances, apart))
        for metric in (over_seeds(name, values) for name, values in table.items())
    ]
    settings = {"device": "cpu", "size": SIZE, "people": people, "mediapipe": version}
    return Result(settings, seeds, metrics, {"runs": runs})


def _compared(faces: FaceSet, label: str) -> dict[str, Any]:
    """The share of faces found, and how far each shared point lies from ours in those found."""
    ours = faces.landmarks(slice(None))
    theirs: dict[int, Tensor] = {}  # by the number of the face
    with FaceMesh() as mesh, tqdm(total=len(faces), desc=label, unit="face", leave=False) as bar:
        for first in range(0, len(faces), BATCH):
            for number, image in enumerate(faces[first : first + BATCH], start=first):
                if found := mesh.find(image):
                    theirs[number] = torch.from_numpy(found[0].pixels)
                bar.update()
    if not theirs:
        return {"found": 0.0, "apart": {}}
    apart = differences(ours[list(theirs)], torch.stack(list(theirs.values())))
    return {"found": len(theirs) / len(faces), "apart": apart}


def differences(ours: Tensor, theirs: Tensor) -> dict[str, float]:
    """Median distance between each of `SHARED` in our `(N, 68, 2)` and their `(N, 478, 2)`, in eye distances.

    The unit is the distance between the centres of the two eyes, by our landmarks.
    """
    left, right = ours[:, EYES].view(-1, 2, 6, 2).mean(2).unbind(1)
    unit = (right - left).norm(dim=1, keepdim=True)
    return {
        part: float(((ours[:, mine] - theirs[:, their]).norm(dim=2) / unit).median())
        for part, (mine, their) in SHARED.items()
    }


RECIPES: dict[str, Recipe] = {
    "faces-mediapipe": Recipe("Parametric faces before MediaPipe's face mesh", 7, faces_mediapipe),
}
