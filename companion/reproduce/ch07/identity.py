"""Who is it? An encoder taught on photographs, then on drawings too, beside formulas; and on real people."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.feature import hog
from torch import Tensor
from torchvision.transforms.v2.functional import resize, rgb_to_grayscale

from companion import pretrained
from companion.data.faces import Caricatures, Portraits
from companion.data.images import fingerprint
from companion.data.sets.orl import people
from companion.likeness.aligning import similarity
from companion.metrics import Measurement
from companion.metrics.verification import whitened
from companion.models.identity import Recognising, SphereFace, SphereFaceConfig
from companion.randomness import generator
from companion.reproduce.ch07.munit import SEEDS
from companion.reproduce.ch07.verifying import (
    FALSE,
    PEOPLE_SEED,
    SIZE,
    TASKS,
    VIEWS,
    Crowd,
    Found,
    Pictures,
    among_themselves,
    gaps,
    over_folds,
    verified,
)
from companion.reproduce.following import begun, finish_run
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import over_pairs
from companion.training.faces import read_faces
from companion.training.identity import MARGIN, new_recognising, recognition_lessons
from companion.vision.dlib_faces import dlib_embeddings

OTHERS = 600  # people, at most, who tell how much a measure varies within a person
BUDGETS: dict[str, dict[str, int]] = {
    "debug": {"people": 32, "rounds": 2, "tested": 100, "width": 2},
    "laptop": {"people": 2000, "rounds": 10, "tested": 1000, "width": 16},
    "gpu": {"people": 10_000, "rounds": 40, "tested": 1000, "width": 32},
}
FIRST, FINE_TUNED, CONTROL = "portraits alone", "portraits, then both", "portraits, then more of them"
WAYS = (FIRST, FINE_TUNED, CONTROL)

Embedding = Callable[[Tensor], Tensor]  # bytes to rows of numbers, of which the angle or the distance counts
Encoders = dict[str, SphereFace]  # by the way each was taught


def identity(job: Job) -> Result:
    """SphereFace's network with an angular margin: taught on portraits, and fine-tuned on portraits and drawings.

    Two encoders of equal work: fine-tuned on both, and gone on with on portraits, as a control. Strangers are verified,
    portrait against portrait and portrait against drawing, in ten folds of people, beside formulas and the true
    landmarks.

    What would refute “fine-tuning carries over to drawings”: a rate of true accepts of drawings, at a false one in a
    hundred, that does not rise above the control's in every seed. What would refute “it costs nothing”: one of
    portraits that falls below the control's in every seed.
    """
    budget = BUDGETS[job.budget]
    seeds = SEEDS[:1] if job.debug else SEEDS
    crowd = Crowd(budget["people"], budget["tested"])
    albums, strangers = crowd.albums(), crowd.strangers()
    trained = [taught_each_way(job, seed, albums, budget) for seed in seeds]
    embeddings: dict[str, list[Embedding]] = {
        name: [partial(read_faces, encoders[name]) for encoders in trained] for name in WAYS
    }
    embeddings["an untrained network"] = [
        partial(read_faces, new_recognising(2, SphereFaceConfig(width=budget["width"]), seed=seed).encoder)
        for seed in seeds
    ]
    embeddings["histograms of gradients"] = [gradients]
    found = {name: [_verified_by(embed, strangers) for embed in each] for name, each in embeddings.items()}
    found |= {name: [verified(rows)] for name, rows in formulas(crowd, strangers).items()}
    about = f"{budget['tested']} strangers"
    metrics = [one for name, rows in found.items() for one in over_folds(name, rows, TASKS, about)]
    settings = {**budget, "size": SIZE, "people seed": PEOPLE_SEED, "device": "cpu", "precision": "float32"}
    return Result(
        settings,
        seeds,
        [*metrics, *gains(found)],
        {"found": found},
        model=trained[0][FINE_TUNED].cpu(),
    )


def identity_margin(job: Job) -> Result:
    """The first encoders taught without a margin, beside those of the record `identity` with one, seed by seed.

    Without a margin the loss is plain cross-entropy of scaled cosines; nothing else differs.

    What would refute “the margin is worth having”: a paired difference, at one false accept in a hundred, whose
    interval reaches 0.
    """
    budget = BUDGETS[job.budget]
    seeds = SEEDS[:1] if job.debug else SEEDS
    crowd = Crowd(budget["people"], budget["tested"])
    albums, strangers = crowd.albums(), crowd.strangers()
    with_margin = pretrained.details("identity")["found"]
    taught = [taught_each_way(job, seed, albums, budget, margin=0.0, ways=(FIRST,)) for seed in seeds]
    found = {
        FIRST: [_verified_by(partial(read_faces, encoders[FIRST]), strangers) for encoders in taught],
    }
    metrics: list[Measurement] = []
    for name, rows in found.items():
        metrics += over_folds(f"{name}, no margin", rows, TASKS, f"{budget['tested']} strangers")
        for task, words in TASKS.items():
            for rate in FALSE:
                own, bare = (
                    [fmean(row[task][rate]) for row in each]
                    for each in (with_margin[name][: len(rows)], rows)
                )
                title = f"true accepts at {rate} false, {words}: {name}: what the margin adds"
                metrics.append(over_pairs(title, own, bare, "with a margin minus without; "))
    settings = {**budget, "size": SIZE, "people seed": PEOPLE_SEED, "margin": 0.0, "device": "cpu"}
    return Result(settings, seeds, metrics, {"found": found})


def taught_each_way(
    job: Job,
    seed: int,
    albums: Pictures,
    budget: dict[str, int],
    *,
    margin: float = MARGIN,
    ways: tuple[str, ...] = WAYS,
) -> Encoders:
    """One encoder in each of `WAYS`: the first rounds on portraits, and as many again as its name says.

    Args:
        job: In whose folder the runs lie.
        seed: Of weights, order and shifts.
        albums: Those of `Crowd.albums`.
        budget: Of `BUDGETS`; there are as many people as in the albums.
        margin: Of the loss, in radians.
        ways: Which of them; the first is always there.
    """
    rounds, config = budget["rounds"], SphereFaceConfig(width=budget["width"])
    start = new_recognising(budget["people"], config, seed=seed)
    taught = partial(_taught, job, rounds=rounds, margin=margin)
    first = taught(f"seed-{seed}/first", start, albums["portraits"], seed=seed)
    models = {FIRST: first}
    for name, album in {FINE_TUNED: "both", CONTROL: "portraits"}.items():
        if name in ways:
            models[name] = taught(f"seed-{seed}/{album}", deepcopy(first), albums[album], seed=seed + 10)
    return {name: model.encoder for name, model in models.items()}


def _taught(
    job: Job, key: str, model: Recognising, album: Tensor, *, rounds: int, seed: int, margin: float
) -> Recognising:
    lessons = recognition_lessons(model, album, rounds=rounds, seed=seed, margin=margin)
    about = {"steps": lessons.steps, "seed": seed, "width": model.encoder.config.width, "device": "cpu"}
    about["margin"] = margin
    run = begun(job, key, about, fingerprint(album))
    finish_run(run, lessons.trainer, lessons.batches, steps=lessons.steps, label=key)
    (found,) = lessons.trainer.products().values()
    assert isinstance(found, Recognising)
    return found


def _verified_by(embed: Embedding, pictures: Pictures) -> Found:
    return verified({name: embed(images) for name, images in pictures.items()})


def gains(found: dict[str, list[Found]]) -> list[Measurement]:
    """What fine-tuning has more than the control, seed by seed; positive where drawings helped."""
    return [*gaps(f"{FINE_TUNED}, minus the control", found[FINE_TUNED], found[CONTROL])]


# ---- without a network ----


def formulas(crowd: Crowd, strangers: Pictures) -> dict[str, Pictures]:
    """What can be compared without a network, `(tested, D)` each, whitened by people of the crowd who are no strangers.

    Args:
        crowd: Who is who.
        strangers: Its strangers' pictures.
    """
    album = crowd.known(Portraits, OTHERS)
    pixels = grey(album.rendered().pixels).view(album.people, VIEWS, -1)
    goal = album.landmarks(slice(0, 200)).double().mean(0).numpy()
    known = laid(goal, album.landmarks(slice(None))).view(album.people, VIEWS, -1)
    points = landmarks_of_strangers(crowd, goal)
    draw = generator(0, "landmarks that are off")
    off = {name: rows + 0.5 * torch.randn(rows.shape, generator=draw) for name, rows in points.items()}
    known_off = known + 0.5 * torch.randn(known.shape, generator=draw)
    return {
        "grey pixels, whitened": whitened({name: grey(rows) for name, rows in strangers.items()}, pixels),
        "true landmarks, whitened": whitened(points, known),
        "landmarks off by half a pixel, whitened": whitened(off, known_off),
    }


def landmarks_of_strangers(crowd: Crowd, goal: NDArray[np.float64]) -> Pictures:
    """The strangers' true landmarks, `(tested, 136)`, laid onto a goal `(68, 2)`, named as their pictures are."""
    rows: Pictures = {}
    for kind, name in ((Portraits, "portraits"), (Caricatures, "drawings")):
        points = crowd.unknown(kind).landmarks(slice(None)).view(crowd.tested, 2, 68, 2)
        rows[name] = laid(goal, points[:, 1])
        rows.setdefault("gallery", laid(goal, points[:, 0]))
    return rows


def laid(goal: NDArray[np.float64], points: Tensor) -> Tensor:
    """How far points `(N, P, 2)`, laid onto a goal `(P, 2)` by turn, scale and shift, are from it, `(N, 2P)`."""
    return torch.stack([_laid_onto(goal, one) for one in points.double()])


def _laid_onto(goal: NDArray[np.float64], points: Tensor) -> Tensor:
    matrix = similarity(points.numpy(), goal)
    moved = points.numpy() @ matrix[:, :2].T + matrix[:, 2]
    return torch.from_numpy((moved - goal).flatten()).float()


def grey(pixels: Tensor) -> Tensor:
    """Grey pixels around their mean, `(N, S²)`, of bytes `(N, 3, S, S)`."""
    levels = rgb_to_grayscale(pixels).flatten(1).float()
    around: Tensor = levels - levels.mean(1, keepdim=True)
    return around


def gradients(pixels: Tensor) -> Tensor:
    """Histograms of oriented gradients (Dalal & Triggs 2005) in cells of 4 pixels, `(N, features)`, of bytes."""
    levels = rgb_to_grayscale(resize(pixels, [SIZE, SIZE], antialias=True))[:, 0].numpy()
    rows = np.stack([hog(one, pixels_per_cell=(4, 4), cells_per_block=(2, 2)) for one in levels])
    return torch.from_numpy(rows.astype(np.float32))


# ---- real people ----


def identity_people(job: Job) -> Result:
    """How far do encoders of drawn faces carry? Ten photographs each of forty real people (ORL), numbers only.

    Beside formulas, and beside dlib's network, which has seen three million photographs of real people; of its pairs
    those count in which it finds both faces.

    What would refute “they carry”: rates that are no higher than those of plain pixels.
    """
    pixels, who = people(64)
    some = torch.arange(len(pixels)) < (120 if job.debug else len(pixels))
    pixels, who = pixels[some], who[some]
    small = resize(pixels, [SIZE, SIZE], antialias=True)
    taught = pretrained.load("identity")
    known: dict[str, tuple[Tensor, Tensor]] = {
        "angular margin, portraits and drawings": (read_faces(taught, small), who),
        "contrastive, portraits and drawings": (read_faces(pretrained.load("faces-identity"), pixels), who),
        "grey pixels": (grey(small), who),
        "histograms of gradients": (gradients(small), who),
    }
    if not job.debug:  # it is large, and no part of the course needs it
        rows, there = dlib_embeddings(people(LARGE)[0][some])
        known["dlib's network"] = (rows[there], who[there])
    metrics: list[Measurement] = []
    for name, (rows, own) in known.items():
        about = f"{len(own)} of {len(who)} photographs of {len(torch.unique(own))} people (ORL)"
        measured = {"photographs": among_themselves(rows, own)}
        metrics += over_folds(name, [measured], {"photographs": "two photographs"}, about)
    settings = {"size": SIZE, "device": "cpu", "weights": {"identity": pretrained.checksum("identity")}}
    return Result(settings, [], metrics)


LARGE = 184  # pixels a side of photographs for dlib, twice their own width

OF = ("identity", "faces-identity")  # of drawn faces, by an angular margin and by a contrastive loss
RECIPES: dict[str, Recipe] = {
    "identity-people": Recipe("How far encoders of drawn faces carry to real people", 7, identity_people, OF),
    "identity-margin": Recipe("Who is who, without an angular margin", 7, identity_margin),
    "identity": Recipe("Who is who, by an angular margin, on portraits and then on drawings", 7, identity),
}
