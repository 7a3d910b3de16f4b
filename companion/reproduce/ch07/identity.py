"""Who is it? An encoder taught on photographs, then on drawings too, and what it can teach a translation."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch
from skimage.feature import hog
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision.transforms.v2.functional import resize, rgb_to_grayscale

from companion import pretrained
from companion.data.batches import Domains
from companion.data.faces import Caricatures, Portraits
from companion.data.images import fingerprint
from companion.data.sets.orl import people
from companion.data.webp import as_webp
from companion.likeness.aligning import similarity
from companion.metrics import Measurement
from companion.metrics.verification import accepted_in_folds, recall_at_one, verification
from companion.models.identity import Recognising, SphereFace, SphereFaceConfig
from companion.randomness import generator
from companion.reproduce.ch07.munit import FACES, SEEDS, TITLES, Truth, followed_translation
from companion.reproduce.following import begun, finish_run
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_few
from companion.training.faces import read_faces
from companion.training.identity import Teacher, new_recognising, recognition_lessons
from companion.training.munit import PAPER, Shares, translated
from companion.vision.dlib_faces import dlib_embeddings

SIZE = 32
PEOPLE_SEED = 31  # so that nobody is the judge's (21) or the translations' (0)
VIEWS = 6
FOLDS = 10
OTHERS = 600  # people who tell how much a measure varies within a person
FALSE = {"1 %": 0.01, "0.1 %": 0.001}  # false accepts
TASKS = {"portraits": "two portraits", "drawings": "a portrait and a drawing"}

Pictures = dict[str, Tensor]  # bytes `(people, 3, SIZE, SIZE)`: two portraits, a drawing of the second's day
Embedding = Callable[[Tensor], Tensor]  # bytes to rows of numbers, of which the angle or the distance counts


def identity(job: Job) -> Result:
    """SphereFace's network with an angular margin: taught on portraits, and fine-tuned on portraits and drawings.

    Two encoders of equal work: fine-tuned on both, and gone on with on portraits, as a control. Strangers are verified,
    portrait against portrait and portrait against drawing, in ten folds of people, beside formulas and the true
    landmarks.

    What would refute “fine-tuning carries over to drawings”: a rate of true accepts of drawings, at a false one in a
    hundred, that does not rise above the control's in every seed. What would refute “it costs nothing”: one of
    portraits that falls below the control's in every seed.
    """
    at_budget: dict[str, dict[str, int]] = {
        "debug": {"people": 32, "rounds": 2, "tested": 100, "width": 2},
        "laptop": {"people": 2000, "rounds": 10, "tested": 1000, "width": 16},
        "gpu": {"people": 10_000, "rounds": 40, "tested": 1000, "width": 32},
    }
    budget = at_budget[job.budget]
    seeds = SEEDS[:1] if job.debug else SEEDS
    albums, strangers = _albums(budget["people"]), _strangers(budget["people"], budget["tested"])
    trained = {seed: _trained(job, seed, albums, budget) for seed in seeds}
    embeddings: dict[str, list[Embedding]] = {
        name: [partial(read_faces, trained[seed][name]) for seed in seeds] for name in WAYS
    }
    embeddings["an untrained network"] = [
        partial(read_faces, new_recognising(2, SphereFaceConfig(width=budget["width"]), seed=seed).encoder)
        for seed in seeds
    ]
    embeddings["histograms of gradients"] = [_gradients]
    found = {name: [_verified(embed, strangers) for embed in each] for name, each in embeddings.items()}
    found |= {name: [_verified_rows(rows)] for name, rows in _formulas(budget["people"], strangers).items()}
    about = f"{budget['tested']} strangers"
    metrics = [one for name, rows in found.items() for one in _over_folds(name, rows, TASKS, about)]
    settings = {**budget, "size": SIZE, "people seed": PEOPLE_SEED, "device": "cpu", "precision": "float32"}
    return Result(
        settings,
        seeds,
        [*metrics, *_gaps(found)],
        {"found": found},
        model=trained[seeds[0]][FINE_TUNED].cpu(),
    )


FIRST, FINE_TUNED, CONTROL = "portraits alone", "portraits, then both", "portraits, then more of them"
WAYS = (FIRST, FINE_TUNED, CONTROL)


def _trained(job: Job, seed: int, albums: Pictures, budget: dict[str, int]) -> dict[str, SphereFace]:
    """One encoder in each way: the first half of the rounds on portraits, the rest as its name says."""
    rounds, config = budget["rounds"], SphereFaceConfig(width=budget["width"])
    start = new_recognising(budget["people"], config, seed=seed)
    first = _taught(job, f"seed-{seed}/first", start, albums["portraits"], rounds, seed)
    ways = {FIRST: first}
    for name, album in ((FINE_TUNED, "both"), (CONTROL, "portraits")):
        ways[name] = _taught(job, f"seed-{seed}/{album}", deepcopy(first), albums[album], rounds, seed + 10)
    return {name: model.encoder for name, model in ways.items()}


def _taught(job: Job, key: str, model: Recognising, album: Tensor, rounds: int, seed: int) -> Recognising:
    lessons = recognition_lessons(model, album, rounds=rounds, seed=seed)
    about = {"steps": lessons.steps, "seed": seed, "width": model.encoder.config.width, "device": "cpu"}
    run = begun(job, key, about, fingerprint(album))
    finish_run(run, lessons.trainer, lessons.batches, steps=lessons.steps, label=key)
    (found,) = lessons.trainer.products().values()
    assert isinstance(found, Recognising)
    return found


def _albums(people: int) -> Pictures:
    """To learn from, bytes `(people, VIEWS, 3, SIZE, SIZE)`: portraits alone, or as many drawings as portraits."""
    portraits, drawings = (
        kind(people, VIEWS, SIZE, PEOPLE_SEED).rendered().pixels.view(people, VIEWS, 3, SIZE, SIZE)
        for kind in (Portraits, Caricatures)
    )
    half = VIEWS // 2
    return {"portraits": portraits, "both": torch.cat([portraits[:, :half], drawings[:, half:]], 1)}


def _strangers(first: int, count: int) -> Pictures:
    """People nobody learnt from: a portrait, one of another day, and a drawing of that day."""
    portraits, drawings = (
        kind(count, 2, SIZE, PEOPLE_SEED, first).rendered().pixels.view(count, 2, 3, SIZE, SIZE)
        for kind in (Portraits, Caricatures)
    )
    return {"gallery": portraits[:, 0], "portraits": portraits[:, 1], "drawings": drawings[:, 1]}


def _formulas(first: int, strangers: Pictures) -> dict[str, Pictures]:
    """What can be compared without a network, in units of how much it varies within a person, as others tell.

    Without that a pose outweighs a nose. (Within-class covariance normalisation, Hatch et al. 2006.)
    """
    others, count = min(OTHERS, first), len(strangers["gallery"])
    album = Portraits(others, VIEWS, SIZE, PEOPLE_SEED)
    pixels = _grey(album.rendered().pixels).view(others, VIEWS, -1)
    goal = album.landmarks(slice(0, 200)).double().mean(0).numpy()
    known = _laid(goal, album.landmarks(slice(None))).view(others, VIEWS, -1)
    points = _landmarks(goal, first, count)
    draw = generator(0, "landmarks that are off")
    off = {name: rows + 0.5 * torch.randn(rows.shape, generator=draw) for name, rows in points.items()}
    known_off = known + 0.5 * torch.randn(known.shape, generator=draw)
    return {
        "grey pixels, whitened": _whitened({name: _grey(rows) for name, rows in strangers.items()}, pixels),
        "true landmarks, whitened": _whitened(points, known),
        "landmarks off by half a pixel, whitened": _whitened(off, known_off),
    }


def _whitened(rows: Pictures, known: Tensor) -> Pictures:
    """Rows `(N, D)` in units of the spread within the people of `known`, `(people, views, D)`, around their mean."""
    within = (known - known.mean(1, keepdim=True)).flatten(0, 1).double()
    variances, axes = torch.linalg.eigh(within.T @ within / len(within))
    scale = (variances.clamp(min=0) + 1e-4 * variances.mean()).rsqrt()
    mean = known.flatten(0, 1).double().mean(0)
    return {name: ((each.double() - mean) @ axes * scale).float() for name, each in rows.items()}


def _landmarks(goal: "np.typing.NDArray[np.float64]", first: int, count: int) -> Pictures:
    """The strangers' true landmarks, `(people, 136)`, laid onto `goal`, by turn, scale and shift."""
    rows: Pictures = {}
    for kind, name in ((Portraits, "portraits"), (Caricatures, "drawings")):
        points = kind(count, 2, SIZE, PEOPLE_SEED, first).landmarks(slice(None)).view(count, 2, 68, 2)
        rows[name] = _laid(goal, points[:, 1])
        rows.setdefault("gallery", _laid(goal, points[:, 0]))
    return rows


def _laid(goal: "np.typing.NDArray[np.float64]", points: Tensor) -> Tensor:
    return torch.stack([_laid_onto(goal, one) for one in points.double()])


def _laid_onto(goal: "np.typing.NDArray[np.float64]", points: Tensor) -> Tensor:
    matrix = similarity(points.numpy(), goal)
    laid = points.numpy() @ matrix[:, :2].T + matrix[:, 2]
    return torch.from_numpy((laid - goal).flatten()).float()


def _grey(pixels: Tensor) -> Tensor:
    """Grey pixels around their mean, `(N, SIZE²)`."""
    grey = rgb_to_grayscale(pixels).flatten(1).float()
    around: Tensor = grey - grey.mean(1, keepdim=True)
    return around


def _gradients(pixels: Tensor) -> Tensor:
    """Histograms of oriented gradients (Dalal & Triggs 2005) in cells of 4 pixels, `(N, features)`."""
    grey = rgb_to_grayscale(resize(pixels, [SIZE, SIZE], antialias=True))[:, 0].numpy()
    rows = np.stack([hog(one, pixels_per_cell=(4, 4), cells_per_block=(2, 2)) for one in grey])
    return torch.from_numpy(rows.astype(np.float32))


# ---- verification ----


def _verified(embed: Embedding, pictures: Pictures) -> dict[str, Any]:
    return _verified_rows({name: embed(images) for name, images in pictures.items()})


def _verified_rows(rows: Pictures) -> dict[str, Any]:
    """For each task: area, and the rates of true accepts in each fold."""
    gallery = normalize(rows["gallery"], dim=1)
    people = torch.arange(len(gallery))
    others = people[:, None] != people
    found: dict[str, Any] = {}
    for task in TASKS:
        alike = normalize(rows[task], dim=1) @ gallery.T
        found[task] = {
            "area": verification(alike.diagonal(), alike[others]).area,
            **{
                rate: accepted_in_folds(alike, (people, people), false=false, folds=FOLDS).tolist()
                for rate, false in FALSE.items()
            },
        }
    return found


def _over_folds(
    name: str, rows: list[dict[str, Any]], tasks: dict[str, str], people: str
) -> Iterator[Measurement]:
    """The mean over seeds; of rates, with the deviation over folds of the seeds' mean."""
    seeds = f"{len(rows)} seeds" if len(rows) > 1 else "one run"
    for task, words in tasks.items():
        about = f"{people}, all pairs; {seeds}"
        for kind, title in (("area", "area under the curve"), ("nearest", "recall at one")):
            if kind in rows[0][task]:
                yield Measurement(f"{title}, {words}: {name}", fmean(row[task][kind] for row in rows), about)
        for rate in FALSE:
            folds = torch.tensor([row[task][rate] for row in rows]).mean(0).tolist()
            protocol = f"{about}; deviation over {FOLDS} folds, each at the others' threshold"
            title = f"true accepts at {rate} false, {words}: {name}"
            yield Measurement(title, fmean(folds), protocol, stdev(folds), n=FOLDS)


def _gaps(found: dict[str, list[dict[str, Any]]]) -> Iterator[Measurement]:
    """What fine-tuning has more than the control, seed by seed."""
    for task, words in TASKS.items():
        values = [
            fmean(own[task]["1 %"]) - fmean(other[task]["1 %"])
            for own, other in zip(found[FINE_TUNED], found[CONTROL], strict=True)
        ]
        yield over_seeds(f"true accepts at 1 % false, {words}: {FINE_TUNED}, minus the control", values)


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
        "grey pixels": (_grey(small), who),
        "histograms of gradients": (_gradients(small), who),
    }
    if not job.debug:  # it is large, and no part of the course needs it
        rows, there = dlib_embeddings(people(LARGE)[0][some])
        known["dlib's network"] = (rows[there], who[there])
    metrics: list[Measurement] = []
    for name, (rows, own) in known.items():
        about = f"{len(own)} of {len(who)} photographs of {len(torch.unique(own))} people (ORL)"
        measured = {"photographs": _among_themselves(rows, own)}
        metrics += _over_folds(name, [measured], {"photographs": "two photographs"}, about)
    settings = {"size": SIZE, "device": "cpu", "weights": {"identity": pretrained.checksum("identity")}}
    return Result(settings, [], metrics)


LARGE = 184  # pixels a side of photographs for dlib, twice their own width


def _among_themselves(rows: Tensor, who: Tensor) -> dict[str, Any]:
    """The same numbers of one set of pictures, each pair asked about once; nearest of all the others."""
    alike = normalize(rows, dim=1) @ normalize(rows, dim=1).T
    once = torch.ones_like(alike, dtype=torch.bool).triu(1)
    same = who[:, None] == who
    nearest = alike.clone().fill_diagonal_(-torch.inf).argmax(1)
    return {
        "area": verification(alike[once & same], alike[once & ~same]).area,
        "nearest": float((who[nearest] == who).double().mean()),
        **{
            rate: accepted_in_folds(alike, (who, who), false=false, folds=FOLDS, asked=once).tolist()
            for rate, false in FALSE.items()
        },
    }


# ---- in a translation's loss ----


@dataclass(frozen=True)
class Way:
    """How a translation is told whom to draw."""

    shares: Shares = PAPER
    untrained: bool = False  # its teacher knows nobody


STEPS = 1000
LOOKS = 6  # translations that the record keeps to be looked at
KNOWN = 200  # people who are known on both sides
KNOWN_FROM = 20_000  # the first one's number
# In the choice of weights: no seed and no person of the comparison.
TRIED = {"steps": 400, "seed": 4, "first": 9000}
TELLING: dict[str, tuple[str, tuple[float, ...]]] = {  # which share of the loss, and the weights it may have
    "identity": ("identity", (0.3, 1.0, 3.0, 10.0, 30.0)),
    "distillation": ("distilled", (10.0, 30.0, 100.0, 300.0, 1000.0)),
    "pairs": ("paired", (3.0, 10.0, 30.0, 100.0)),
}
NOBODY, UNTRAINED = "nobody says", "identity, by an untrained teacher"
TOLD = {key: TITLES[key] for key in ("frechet", "recall", "variety")}
TOLD["teacher"] = "recall of the portrait from its translation, by the teacher"


def munit_identity(job: Job) -> Result:
    """A translation is told whom it draws, in three ways: a threshold of likeness, distillation, and pairs.

    The judge is another network than the teacher, taught on other people with another loss; what the teacher itself
    says stands beside it. Equal steps, three seeds, 32 pixels. Each way has the weight, of four or five, with the
    judge's highest recall in a short run under another seed, of people who are not in the comparison.

    What would refute “it can be told”: a gain of the judge's recall over the plain loss whose interval over seeds
    reaches 0, or as large a one by an untrained teacher, whose embeddings are centred. What would refute “at no cost”:
    a Fréchet distance that grows, or styles that lie nearer to each other, in every seed.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 2, "batch": 2, "width": 2, "blocks": 1, "critic_width": 2},
        "laptop": {"steps": STEPS},
        "gpu": {"steps": 20_000, "width": 32, "critic_width": 32, "device": "auto"},
    }
    change = {"size": SIZE, **at_budget[job.budget]}
    seeds = SEEDS[:1] if job.debug else SEEDS
    truth, count = Truth(SIZE, 12 if job.debug else 500), 8 if job.debug else 4000
    tried = _weights(job, change, count)
    chosen = {name: max(of, key=lambda weight: of[weight]) for name, of in tried.items()}
    ways = {NOBODY: Way(), **{name: _way(name, weight) for name, weight in chosen.items()}}
    ways[UNTRAINED] = replace(ways["identity"], untrained=True)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for seed in seeds:
        for name, way in ways.items():
            runs[name].append(_told(job, f"seed-{seed}/{name}", way, seed, change, truth, count))
    protocols = {**truth.protocols, "teacher": f"{truth.protocols['recall']}, by the teacher instead"}
    told = tuple(TOLD.values())
    metrics = [one for one in truth.controls() if one.name.startswith(told)]
    for name, rows in runs.items():
        for key, title in TOLD.items():
            values = [row[key] for row in rows]
            found = over_seeds(f"{title}: {name}", values)
            metrics.append(replace(found, protocol=f"{protocols[key]}, {found.protocol}"))
            if name != NOBODY:
                plain = [row[key] for row in runs[NOBODY]]
                gaps = [value - other for value, other in zip(values, plain, strict=True)]
                paired = f"minus where nobody says; {len(gaps)} seeds, paired"
                metrics.append(over_few(f"{title}: what “{name}” adds", gaps, paired))
    about = {**FACES.as_json(), **change, "precision": "float32", "people": count, "known": KNOWN}
    about["chosen"] = chosen
    kept = {
        name: [{key: row[key] for key in ("seed", *TOLD, "looks") if key in row} for row in rows]
        for name, rows in runs.items()
    }
    return Result(about, seeds, metrics, {"runs": kept, "tried": tried})


def _weights(job: Job, change: dict[str, Any], count: int) -> dict[str, dict[float, float]]:
    """The judge's recall after a short run at each weight of each way."""
    truth = Truth(SIZE, 12 if job.debug else 500, TRIED["first"])
    change = change if job.debug else {**change, "steps": TRIED["steps"]}
    found: dict[str, dict[float, float]] = {}
    for name, (_, weights) in TELLING.items():
        for weight in weights[:1] if job.debug else weights:
            told = _told(
                job, f"weights/{name} {weight:g}", _way(name, weight), TRIED["seed"], change, truth, count
            )
            found.setdefault(name, {})[weight] = told["recall"]
    return found


def _way(name: str, weight: float) -> Way:
    return Way(replace(PAPER, **{TELLING[name][0]: weight}))


def _told(
    job: Job, key: str, way: Way, seed: int, change: dict[str, Any], truth: Truth, count: int
) -> dict[str, Any]:
    """One translation, trained and measured."""
    named = "untrained" if way.untrained else "identity"
    settings = replace(FACES, seed=seed, shares=way.shares, teacher=named, **change)
    teacher, pairs = _teacher(untrained=way.untrained), _pairs(8 if job.debug else KNOWN)
    trainer, _ = followed_translation(
        job, key, settings, truth, count, points=1, teacher=teacher, pairs=pairs
    )

    def measured() -> dict[str, Any]:
        images = translated(trainer.translator("a"), truth.portraits, truth.styles(trainer))
        who = Teacher(_teacher(untrained=False), truth.portraits[:2])
        with torch.no_grad():
            recall = recall_at_one(who.embedded(images), who.embedded(truth.portraits))
        looks = {"looks": as_webp(images[:LOOKS])} if seed == SEEDS[0] else {}
        return {**truth.all(trainer), "teacher": recall, **looks}

    return {"seed": seed, **job.once(f"{key}-end", measured)}


def _teacher(*, untrained: bool) -> nn.Module:
    if untrained:
        encoder = new_recognising(2, SphereFaceConfig(), seed=0).encoder.eval()
        with torch.no_grad():
            return Centred(encoder, encoder(_pairs(KNOWN).a).mean(0))
    return pretrained.load("identity")


class Centred(nn.Module):
    """An encoder less its mean: to an untrained network, as it is, everybody is alike, and nothing would be asked."""

    def __init__(self, encoder: SphereFace, mean: Tensor) -> None:
        super().__init__()
        self.encoder, self.config = encoder, encoder.config
        self.register_buffer("mean", mean)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings `(N, length)`."""
        around: Tensor = self.encoder(images) - self.mean
        return around


def _pairs(count: int) -> Domains:
    """People who are known on both sides, and on neither of the two sets."""
    return Domains(
        *(kind(count, size=SIZE, first=KNOWN_FROM).rendered()[:] for kind in (Portraits, Caricatures))
    )


OF = ("identity", "faces-identity")  # the teacher, and who judges it
RECIPES: dict[str, Recipe] = {
    "identity-people": Recipe("How far encoders of drawn faces carry to real people", 7, identity_people, OF),
    "identity": Recipe("Who is who, by an angular margin, on portraits and then on drawings", 7, identity),
    "munit-identity": Recipe("A translation that is told whom it draws, at 32×32", 7, munit_identity, OF),
}
