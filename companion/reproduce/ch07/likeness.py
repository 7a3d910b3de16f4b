"""Chapter 7's likeness reader: how well are drawn faces measured, and does it know where it cannot tell?"""

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cosine_similarity
from tqdm.auto import tqdm

from companion import pretrained
from companion.data.assets import manifest
from companion.data.faces.parameters import PARAMETERS
from companion.data.photos import load_photos
from companion.data.sets.orl import people
from companion.likeness.aligning import Numbers
from companion.likeness.drawing import SHAPE
from companion.likeness.lessons import Lessons, lessons, mean_mesh
from companion.likeness.measuring import DOUBTED, Measurer
from companion.likeness.teaching import COLUMNS, WORN_COLUMNS, likeness_lessons, look, new_reader
from companion.metrics import Measurement
from companion.models.likeness import (
    HAIR,
    MEASURED,
    PARTS,
    WORN,
    WORN_FROM,
    LikenessConfig,
    LikenessReader,
    Seen,
)
from companion.models.store import read_tensors, write_tensors
from companion.reproduce.following import learnt
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import mean_with_interval
from companion.training.player import workshop
from companion.vision.trackers import FaceMesh

SEED = 1  # of weights and order
PEOPLE_SEED = 77
SIDE = 28  # pixels of a small photograph, a quarter of 112
EXAGGERATED = {parameter.name for parameter in SHAPE} - {name for name in HAIR if name.startswith("hair_")}


def likeness(job: Job) -> Result:
    """Drawn portraits under all that befalls photographs; tried on people it has not seen, spoiled in the same ways.

    What would refute “it knows where it cannot tell”: less than six tenths or more than three quarters of the truths
    within one doubt of the mean (a normal distribution has .68).
    """
    at_budget: dict[str, dict[str, int]] = {
        "debug": {"chunks": 2, "people": 6, "tested": 1, "rounds": 1, "width": 8, "size": 32, "near": 32},
        "laptop": {
            "chunks": 120,
            "people": 64,
            "tested": 10,
            "rounds": 14,
            "width": 24,
            "size": 80,
            "near": 64,
        },
        "gpu": {
            "chunks": 1000,
            "people": 64,
            "tested": 20,
            "rounds": 20,
            "width": 32,
            "size": 96,
            "near": 80,
        },
    }
    budget = at_budget[job.budget]
    config = LikenessConfig(budget["width"], budget["size"], budget["near"])
    with FaceMesh() as tracker:
        template = _template(job, tracker)
        chunks = [
            _chunk(job, number, template, tracker, config, budget["people"])
            for number in tqdm(range(budget["chunks"] + budget["tested"]), desc="drawing people", delay=2)
        ]
    known, unseen = Lessons.joined(chunks[budget["tested"] :]), Lessons.joined(chunks[: budget["tested"]])
    there = workshop("auto" if job.budget == "gpu" else "cpu")
    lessons_ = likeness_lessons(
        new_reader(config, template, known, seed=SEED),
        known,
        rounds=budget["rounds"],
        seed=SEED,
        workshop=there,
    )
    settings = {
        **budget,
        "seed": SEED,
        "people seed": PEOPLE_SEED,
        "device": there.device.type,
    }
    reader = learnt(job, lessons_, settings, data=f"{len(known)} drawn faces")
    assert isinstance(reader, LikenessReader)
    seen = look(reader.cpu(), unseen.crops, unseen.near, unseen.points, unseen.moves)
    metrics, table = _measured(reader, seen, unseen)
    return Result({**settings, "faces": len(known)}, [SEED], metrics, table, model=reader)


def _template(job: Job, tracker: FaceMesh) -> Numbers:
    def made() -> dict[str, Any]:
        return {"points": mean_mesh(tracker, 12 if job.debug else 300).tolist()}

    return np.array(job.once("template", made)["points"])


def _chunk(
    job: Job, number: int, template: Numbers, tracker: FaceMesh, config: LikenessConfig, people: int
) -> Lessons:
    """One chunk of lessons, made once; its pictures lie in a file of their own."""
    path = job.work / f"lessons/{number:04}.safetensors"
    if not path.is_file():
        photos = load_photos("pets" if manifest()["pets"].here else "embedded").split("training").pixels
        sizes = config.size, config.near
        made = lessons(number, template, tracker, photos, sizes=sizes, seed=PEOPLE_SEED, count=people)
        write_tensors(path, made.tensors(), {})
    tensors, _ = read_tensors(path)
    return Lessons(**tensors)


def _measured(
    reader: LikenessReader, seen: Seen, unseen: Lessons
) -> tuple[list[Measurement], dict[str, Any]]:
    protocol = f"{len(unseen)} drawn people not trained on, spoiled like the others, seed {PEOPLE_SEED}"
    wanted = (unseen.values[:, COLUMNS] - reader.middle) / reader.spread
    explained = 1 - (seen.means - wanted).square().mean(0) / wanted.var(0).clamp(min=1e-9)
    within = ((wanted - seen.means).abs() < seen.doubts).float().mean(0)
    there, said = unseen.values[:, WORN_COLUMNS] > WORN_FROM, seen.worn > 0
    hair = _overlap(seen.parts.softmax(1)[:, 0] > 0.5, unseen.parts[:, 0] > 127)
    metrics = [
        Measurement("truths within one doubt", float(within.mean()), protocol),
        Measurement("overlap of the hair (IoU)", hair, f"{protocol}; pictures in which hair is seen"),
        *(
            Measurement(f"explained variance: {name}", float(share), protocol)
            for name, share in zip(MEASURED, explained, strict=True)
        ),
        *(
            Measurement(f"{kind}: {name}", value, f"{int(there[:, column].sum())} wear it; {protocol}")
            for column, name in enumerate(WORN)
            for kind, value in _found(said[:, column], there[:, column]).items()
        ),
    ]
    table = {
        "within": dict(zip(MEASURED, within.tolist(), strict=True)),
        "parts": list(PARTS),
    }
    return metrics, table


def _found(said: Tensor, there: Tensor) -> dict[str, float]:
    both = float((said & there).sum())
    return {
        "share of wearers who are found": both / max(1, int(there.sum())),
        "share of the found who wear it": both / max(1, int(said.sum())),
    }


def _overlap(one: Tensor, other: Tensor) -> float:
    """Intersection over union, averaged over pictures `(N, h, w)` in which there is something to be seen."""
    common, either = (one & other).sum((1, 2)), (one | other).sum((1, 2))
    shares = [float(c) / float(e) for c, e in zip(common, either, strict=True) if e > 0]
    return fmean(shares) if shares else 0.0


def likeness_people(job: Job) -> Result:
    """What the reader says of real people: their mean, and whether it says the same of one person twice.

    Ten photographs each of forty people (ORL, numbers only). What would refute “a photograph's numbers are the
    person's”: pictures of one person no nearer to each other than pictures of two, an area under the curve whose
    interval over people holds a half.
    """
    reader = pretrained.load("likeness")
    assert isinstance(reader, LikenessReader)
    pixels, numbers = people(112)
    rows = torch.arange(len(pixels))[: 40 if job.debug else None]
    with Measurer(most=1, confidence=0.3, reader=reader) as measurer:
        found = [
            job.once(f"people/{row:03}", partial(_read, measurer, pixels[row]))
            for row in tqdm(rows.tolist(), desc="reading people", delay=2)
        ]
    kept = [row for row, seen in enumerate(found) if seen["means"]]
    means, doubts = (torch.tensor([found[row][key] for row in kept]) for key in ("means", "doubts"))
    who = numbers[kept]
    shape = [column for column, name in enumerate(MEASURED) if name in EXAGGERATED]
    vectors = means[:, shape]
    groups = [who == person for person in sorted(set(who.tolist()))]
    each = [_tells_apart(vectors, mine) for mine in groups]
    small = avg_pool2d(pixels[kept].float().mean(1), pixels.shape[-1] // SIDE).flatten(1)
    by_pixels = [_tells_apart(small, mine) for mine in groups]
    told = doubts[:, shape].median(0).values < DOUBTED
    protocol = (
        f"{len(kept)} of {len(found)} photographs of {len(each)} people (ORL) in which a mesh was found"
    )
    values = reader.middle + reader.spread * torch.stack([means[mine].mean(0) for mine in groups]).mean(0)
    between = torch.stack([vectors[mine].mean(0) for mine in groups]).var(0)
    within = torch.stack([vectors[mine].var(0) for mine in groups]).mean(0)
    own = between / (between + within).clamp(min=1e-9)
    names = [MEASURED[column] for column in shape]
    metrics = [
        mean_with_interval("area under the curve: same person or not", each, protocol),
        *_beside_pixels(each, by_pixels, protocol),
        *_ways(torch.stack([vectors[mine].mean(0) for mine in groups]), _drawn_mean(reader, shape), told),
        *(
            Measurement(f"share that is the person's: {name}", float(share), protocol)
            for name, share in zip(names, own, strict=True)
        ),
    ]
    mean = {name: round(float(values[MEASURED.index(name)]), 5) for name in names}
    return Result({"photographs": len(kept), "reader": "likeness"}, [0], metrics, {"mean": mean})


def _drawn_mean(reader: LikenessReader, shape: list[int]) -> Tensor:
    """The mean of the drawn people, in what the reader reads."""
    means = {parameter.name: parameter.mean for parameter in PARAMETERS}
    drawn = torch.tensor([means[MEASURED[column]] for column in shape])
    return (drawn - reader.middle[shape]) / reader.spread[shape]


def _beside_pixels(each: list[float], by_pixels: list[float], protocol: str) -> Iterator[Measurement]:
    """The same of the photographs' own pixels: a person's photographs are alike in more than the face."""
    gaps = [one - other for one, other in zip(each, by_pixels, strict=True)]
    for name, values in (("pixels", by_pixels), ("numbers minus pixels", gaps)):
        title = f"area under the curve: same person or not, {name}"
        yield mean_with_interval(title, values, f"{SIDE}×{SIDE} pixels; {protocol}")


def _ways(people: Tensor, drawn: Tensor, told: Tensor) -> Iterator[Measurement]:
    """Does exaggeration take people each their own way, or all the same one? From two means, as cosines.

    From the mean of real people, that of all others than the two whose ways are compared; and from that of the drawn,
    once more in those numbers alone that are usually told, since the others are not drawn.
    """
    count = len(people)
    from_told: list[list[float]] = [[] for _ in range(count)]
    total = people.sum(0)
    from_drawn: list[list[float]] = [[] for _ in range(count)]
    from_real: list[list[float]] = [[] for _ in range(count)]
    for one, other in combinations(range(count), 2):
        real = (total - people[one] - people[other]) / max(1, count - 2)
        everything = torch.ones_like(told)
        for found, mean, kept in (
            (from_drawn, drawn, everything),
            (from_real, real, everything),
            (from_told, drawn, told),
        ):
            own, others = (people[[one, other]] - mean)[:, kept]
            alike = float(cosine_similarity(own, others, 0))
            found[one].append(alike)
            found[other].append(alike)
    for name, found in (
        ("drawn people", from_drawn),
        ("the other real people", from_real),
        (f"drawn people, the {int(told.sum())} numbers usually told", from_told),
    ):
        each = [fmean(alike) for alike in found]
        protocol = f"pairs of {count} people, bootstrap over people"
        yield mean_with_interval(f"cosine of two people's ways from the mean of {name}", each, protocol)


def _read(measurer: Measurer, pixels: Tensor) -> dict[str, Any]:
    seen = measurer.read(pixels.permute(1, 2, 0).contiguous().numpy())
    said = {"means": seen[0].means, "doubts": seen[0].doubts} if seen else {}
    return {
        key: [round(value, 4) for value in said[key][0].tolist()] if said else []
        for key in ("means", "doubts")
    }


def _tells_apart(vectors: Tensor, mine: Tensor) -> float:
    """How often two pictures of a person are nearer to each other than to somebody else's; ties count half."""
    own, others = vectors[mine], vectors[~mine]
    near = torch.cdist(own, own)
    near = near[~torch.eye(len(own), dtype=torch.bool)]
    far = torch.cdist(own, others).flatten()
    return float(((near[:, None] < far).float() + 0.5 * (near[:, None] == far)).mean())


RECIPES = {
    "likeness": Recipe("A reader that measures faces, to draw them", 7, likeness),
    "likeness-people": Recipe(
        "What the likeness reader says of real people", 7, likeness_people, ("likeness",)
    ),
}
