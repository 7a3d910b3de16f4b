"""Parametric faces: can attributes be read, people told apart, and recognised in their caricatures?"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize
from torchvision.transforms.v2.functional import resize, rgb_to_grayscale
from tqdm.auto import tqdm

from companion.data.faces import LABELS, Caricatures, Portraits
from companion.data.faces.datasets import FaceSet
from companion.data.images import fingerprint
from companion.metrics import Measurement
from companion.metrics.verification import recall_at_one, verification, whitened
from companion.reproduce.following import learnt
from companion.reproduce.job import Job, Recipe, Result
from companion.training.faces import attribute_lessons, identity_lessons, read_faces
from companion.training.player import Workshop, workshop

SIZE = 64
SEED = 1
PEOPLE_SEED = 21
STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # of exaggeration, measured
LEARNT = (0.5, 1.5, 2.5)  # of exaggeration, trained on
VIEWS = 3  # portraits of each person; as many views again for the drawings


def faces_attributes(job: Job) -> Result:
    """A small classifier learns to read every attribute off portraits, and is tried on people it has not seen."""
    at_budget: dict[str, dict[str, int]] = {
        "debug": {"people": 192, "rounds": 2, "tested": 64},
        "laptop": {"people": 24_000, "rounds": 16, "tested": 4000},
        "gpu": {"people": 60_000, "rounds": 30, "tested": 4000},
    }
    budget = at_budget[job.budget]
    people = Portraits(budget["people"], size=SIZE, seed=PEOPLE_SEED)
    strangers = Portraits(budget["tested"], size=SIZE, seed=PEOPLE_SEED, first=len(people))
    drawn, settings, there = people.rendered(), _settings(job, budget), _workshop(job)
    lessons = attribute_lessons(
        drawn.pixels, people.labels(), rounds=budget["rounds"], seed=SEED, workshop=there
    )
    model = learnt(job, lessons, settings, data=drawn.fingerprint)
    said, true = read_faces(model, strangers.rendered().pixels) > 0, strangers.labels()
    protocol = f"{len(strangers)} portraits at {SIZE}×{SIZE} of people not trained on, seed {PEOPLE_SEED}"
    table = {name: _agreement(said[:, column], true[:, column]) for column, name in enumerate(LABELS)}
    metrics = [
        Measurement(f"{kind}: {name}", row[kind], protocol)
        for kind in ("accuracy", "balanced accuracy")
        for name, row in table.items()
    ]
    return Result(settings, [SEED], metrics, {"attributes": table}, model=model)


def _agreement(said: Tensor, true: Tensor) -> dict[str, float]:
    """Accuracy, its mean over the two classes, and how common the attribute is."""
    right = (said == true).double()
    classes = [right[true == truth].mean() for truth in (True, False) if (true == truth).any()]
    return {
        "accuracy": float(right.mean()),
        "balanced accuracy": float(torch.stack(classes).mean()),
        "share": float(true.double().mean()),
    }


def faces_identity(job: Job) -> Result:
    """An encoder learns who is who from portraits and drawings; then strangers are verified and searched for."""
    at_budget: dict[str, dict[str, int]] = {
        "debug": {"people": 64, "rounds": 2, "tested": 16},
        "laptop": {"people": 5000, "rounds": 40, "tested": 500},
        "gpu": {"people": 20_000, "rounds": 120, "tested": 500},
    }
    budget = at_budget[job.budget]
    people, tested = budget["people"], budget["tested"]
    album, settings, there = _album(people, first=0), _settings(job, budget), _workshop(job)
    lessons = identity_lessons(album, rounds=budget["rounds"], seed=SEED, workshop=there)
    model = learnt(job, lessons, settings, data=fingerprint(album))

    portraits = _views(Portraits(tested, 2 * VIEWS, SIZE, PEOPLE_SEED, first=people), range(2))
    gallery, again = (normalize(read_faces(model, portraits[:, view])) for view in range(2))
    about = f"two views each of {tested} people not trained on, {SIZE}×{SIZE}, all pairs"
    metrics = _verified("the encoder", gallery, again, f"cosine of embeddings, {about}")
    metrics += _verified("pixels", *_plain(portraits), f"minus the distance of grey 32×32 pixels, {about}")
    metrics += _verified(
        "colours", *_colours(portraits), f"minus the distance of 4×4 colours of the face, {about}"
    )
    recalls = {}
    for k in STRENGTHS:
        drawn = Caricatures(tested, 2 * VIEWS, SIZE, PEOPLE_SEED, first=people, k=k)
        recalls[k] = recall_at_one(read_faces(model, _views(drawn, [VIEWS])[:, 0]), gallery)
        protocol = (
            f"nearest of {tested} portraits to a drawing of the same person in another pose, light and dress"
        )
        metrics.append(
            Measurement(f"recall of a portrait from its caricature, k = {k:g}", recalls[k], protocol)
        )
    return Result(settings, [SEED], metrics, {"recall": recalls}, model=model)


def faces_linear(job: Job) -> Result:
    """The fair rival of the encoder: a linear map of colour pixels, learnt from the same people's portraits.

    The map takes pixels to units of how much they vary within a person, as five thousand people in three views tell;
    two pictures are as alike as the angle between them is small. What would refute “the encoder is more than a linear
    map”: as many people found.
    """
    people, tested = (64, 16) if job.debug else (5000, 500)
    known = _tiny(_views(Portraits(people, 2 * VIEWS, SIZE, PEOPLE_SEED), range(VIEWS)))
    asked = _tiny(_views(Portraits(tested, 2 * VIEWS, SIZE, PEOPLE_SEED, first=people), range(2)))
    rows = whitened({"one": asked[:, 0], "other": asked[:, 1]}, known)
    one, other = (normalize(each, dim=1) for each in rows.values())
    about = f"two views each of {tested} people not trained on, {SIZE}×{SIZE}, all pairs"
    protocol = f"cosine of {TINY}×{TINY} colours, whitened within {people} people, {about}"
    metrics = _verified("a linear map", one, other, protocol)
    settings = {"people": people, "tested": tested, "size": SIZE, "people seed": PEOPLE_SEED, "device": "cpu"}
    return Result(settings, [], metrics)


TINY = 16  # pixels a side, for the linear map


def _tiny(views: Tensor) -> Tensor:
    """Views `(people, V, 3, H, W)` as vectors of few colour pixels, `(people, V, 3 · TINY²)`."""
    return adaptive_avg_pool2d(views.flatten(0, 1).float(), TINY).view(*views.shape[:2], -1)


def _album(people: int, first: int) -> Tensor:
    """Pictures to learn from, `(people, 2 · VIEWS, 3, SIZE, SIZE)` bytes: portraits, then drawings of other days."""
    parts = [_views(Portraits(people, 2 * VIEWS, SIZE, PEOPLE_SEED, first), range(VIEWS))]
    for view, k in enumerate(LEARNT, start=VIEWS):
        parts.append(_views(Caricatures(people, 2 * VIEWS, SIZE, PEOPLE_SEED, first, k), [view]))
    return torch.cat(parts, 1)


def _views(pictures: FaceSet, views: range | list[int]) -> Tensor:
    """Some views of everybody, `(people, len(views), 3, H, W)` bytes."""
    items = (torch.arange(pictures.people)[:, None] * pictures.views + torch.tensor(list(views))).flatten()
    parts = tqdm(torch.split(items, 256), desc="drawing faces", leave=False, delay=2)
    pixels = torch.cat([pictures.pictures(part).rgb for part in parts])
    return pixels.view(pictures.people, len(views), *pixels.shape[1:])


def _plain(portraits: Tensor) -> tuple[Tensor, Tensor]:
    """Two views as vectors of grey pixels, for comparison."""
    small = resize(rgb_to_grayscale(portraits.flatten(0, 1)), [32, 32], antialias=True).flatten(1).float()
    one, other = small.view(len(portraits), 2, -1).unbind(1)
    return one, other


def _colours(portraits: Tensor) -> tuple[Tensor, Tensor]:
    """Two views as the mean colours of sixteen fields of the face, without most of background and dress."""
    face = portraits[..., 12:56, 18:46].flatten(0, 1).float()  # of 64×64
    one, other = adaptive_avg_pool2d(face, 4).flatten(1).view(len(portraits), 2, -1).unbind(1)
    return one, other


def _verified(name: str, one: Tensor, other: Tensor, protocol: str) -> list[Measurement]:
    """Every person's two vectors against everybody else's; nearer is more alike."""
    alike = -torch.cdist(one, other)
    others = ~torch.eye(len(one), dtype=torch.bool)
    found = verification(alike.diagonal(), alike[others])
    nearest = float((alike.argmax(1) == torch.arange(len(one))).double().mean())
    return [
        Measurement(f"same or different by {name}: area under the curve", found.area, protocol),
        Measurement(f"same or different by {name}: true accepts at 1 % false", found.true_accepts, protocol),
        Measurement(f"same or different by {name}: equal error", found.equal_error, protocol),
        Measurement(f"nearest is the right person, by {name}", nearest, protocol),
    ]


def _workshop(job: Job) -> Workshop:
    """A GPU's bfloat16 units are fast; a laptop's processor often has none."""
    return workshop("auto", bfloat16=True) if job.budget == "gpu" else workshop("cpu")


def _settings(job: Job, budget: dict[str, int]) -> dict[str, Any]:
    there = _workshop(job)
    precision = str(there.precision).removeprefix("torch.")
    about = {"device": there.device.type, "precision": precision, "size": SIZE}
    return {**about, "people_seed": PEOPLE_SEED, **budget}


RECIPES: dict[str, Recipe] = {
    "faces-attributes": Recipe("Attributes read off parametric faces", 6, faces_attributes),
    "faces-linear": Recipe("Who is who, by a linear map of pixels", 0, faces_linear),
    "faces-identity": Recipe("Who is who among parametric faces and their caricatures", 7, faces_identity),
}
