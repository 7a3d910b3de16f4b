"""Who is it? A translation that is told whom it draws, in three ways, and what each of them gains (chapter 7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from companion import pretrained
from companion.data.batches import Domains
from companion.data.faces import Caricatures, Portraits
from companion.data.webp import as_webp
from companion.metrics import Measurement
from companion.metrics.verification import recall_at_one
from companion.models.identity import SphereFace, SphereFaceConfig
from companion.models.munit import Translator
from companion.models.store import load_model
from companion.reproduce.ch07.munit import FACES, SEEDS, TITLES, Truth, followed_translation
from companion.reproduce.ch07.verifying import SIZE
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_pairs
from companion.training.identity import Teacher, new_recognising
from companion.training.munit import PAPER, Shares, TranslationTrainer, translated

STEPS = 1000
LOOKS = 6  # translations that the record keeps to be looked at
LEARNT = 4000  # people on each side that a translation learns from, the first ones
TESTED = 500
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
QUIET = (0.5, 0.25, 0.0)  # of the styles' size, where nobody says
BUDGETS: dict[str, dict[str, Any]] = {
    "debug": {"steps": 2, "batch": 2, "width": 2, "blocks": 1, "critic_width": 2},
    "laptop": {"steps": STEPS},
    "gpu": {"steps": 20_000, "width": 32, "critic_width": 32, "device": "auto"},
}

Row = dict[str, Any]  # what was measured of one translation


@dataclass(frozen=True)
class Way:
    """How a translation is told whom to draw."""

    shares: Shares = PAPER
    untrained: bool = False  # its teacher knows nobody

    @classmethod
    def by(cls, name: str, weight: float) -> "Way":
        """One of `TELLING`, with so much weight in the loss."""
        return cls(replace(PAPER, **{TELLING[name][0]: weight}))


def munit_identity(job: Job) -> Result:
    """A translation is told whom it draws, in three ways: a threshold of likeness, distillation, and pairs.

    The judge is another network than the teacher, taught on other people with another loss; what the teacher itself
    says stands beside it. Equal steps, three seeds, 32 pixels. Each way has the weight, of four or five, with the
    judge's highest recall in a short run under another seed, of people who are not in the comparison.

    A loss for the person makes styles quieter, and a quieter style lets more of the person through, whoever asks: so
    the plain networks draw once more in styles that are made smaller, which needs no training.

    What would refute “it can be told”: a gain of the judge's recall over the plain loss whose interval over seeds
    reaches 0, or as large a one by an untrained teacher, whose embeddings are centred, or by smaller styles. What would
    refute “at no cost”: a Fréchet distance that grows, or styles that lie nearer to each other, in every seed.
    """
    change = {"size": SIZE, **BUDGETS[job.budget]}
    seeds = SEEDS[:1] if job.debug else SEEDS
    truth = Truth(SIZE, 12 if job.debug else TESTED)
    tried = weights_tried(job, change)
    chosen = {name: best(recalls) for name, recalls in tried.items()}
    ways = {NOBODY: Way(), **{name: Way.by(name, weight) for name, weight in chosen.items()}}
    ways[UNTRAINED] = replace(ways["identity"], untrained=True)
    runs: dict[str, list[Row]] = {name: [] for name in ways}
    for seed in seeds:
        for name, way in ways.items():
            runs[name].append(told(job, f"seed-{seed}/{name}", way, seed, change, truth))
    quiet = {scale: [in_smaller_styles(job, seed, truth, scale) for seed in seeds] for scale in QUIET}
    titles = tuple(TOLD.values())
    controls = [one for one in truth.controls() if one.name.startswith(titles)]
    about = {**FACES.as_json(), **change, "precision": "float32", "people": _learnt(job), "known": KNOWN}
    about["chosen"] = chosen
    kept = {
        name: [{key: row[key] for key in ("seed", *TOLD, "looks") if key in row} for row in rows]
        for name, rows in runs.items()
    }
    metrics = [*controls, *compared(runs, truth.protocols), *quieter(quiet, truth.protocols)]
    metrics += beyond_quiet(runs, quiet)
    return Result(about, seeds, metrics, {"runs": kept, "tried": tried, "quiet": quiet})


def weights_tried(job: Job, change: dict[str, Any]) -> dict[str, dict[float, float]]:
    """The judge's recall after a short run at each weight of each of `TELLING`, in [0, 1].

    Args:
        job: In whose folder the runs lie.
        change: What the comparison's budget changes of the settings; the steps are those of `TRIED`.
    """
    truth = Truth(SIZE, 12 if job.debug else TESTED, TRIED["first"])
    change = change if job.debug else {**change, "steps": TRIED["steps"]}
    found: dict[str, dict[float, float]] = {}
    for name, (_, weights) in TELLING.items():
        for weight in weights[:1] if job.debug else weights:
            key = f"weights/{name} {weight:g}"
            row = told(job, key, Way.by(name, weight), TRIED["seed"], change, truth)
            found.setdefault(name, {})[weight] = row["recall"]
    return found


def best(recalls: Mapping[float, float]) -> float:
    """The weight with the highest recall, the first of them where there are several."""
    return max(recalls, key=lambda weight: recalls[weight])


def told(job: Job, key: str, way: Way, seed: int, change: dict[str, Any], truth: Truth) -> Row:
    """One translation, trained and measured: every number of `TOLD`, and of the first seed a few looks.

    Args:
        job: In whose folder the run lies.
        key: Its place there.
        way: How it is told whom to draw.
        seed: Of the translation.
        change: What the budget changes of the settings.
        truth: People to measure it by.
    """
    named = "untrained" if way.untrained else "identity"
    settings = replace(FACES, seed=seed, shares=way.shares, teacher=named, **change)
    teacher, pairs = teacher_for(way), known_pairs(8 if job.debug else KNOWN)
    trainer, _ = followed_translation(
        job, key, settings, truth, _learnt(job), points=1, teacher=teacher, pairs=pairs
    )
    return {"seed": seed, **job.once(f"{key}-end", lambda: measured(trainer, truth, looks=seed == SEEDS[0]))}


def _learnt(job: Job) -> int:
    return 8 if job.debug else LEARNT


def measured(trainer: TranslationTrainer, truth: Truth, *, looks: bool) -> Row:
    """What the truth tells of a translation, the teacher's recall beside its judge's, and `LOOKS` pictures if asked."""
    images = translated(trainer.translator("a"), truth.portraits, truth.styles(trainer))
    kept = {"looks": as_webp(images[:LOOKS])} if looks else {}
    return {**truth.all(trainer), "teacher": teachers_recall(images, truth.portraits), **kept}


def teachers_recall(images: Tensor, portraits: Tensor) -> float:
    """Share of translations whose nearest portrait, as the teacher sees them, is the one they were made from.

    Args:
        images: Translations, `(N, 3, H, W)` in [−1, 1]: they ask.
        portraits: What they were made from, in the same order and the same form: among these is sought.
    """
    who = Teacher(pretrained.load("identity"), portraits[:2])
    with torch.no_grad():
        return recall_at_one(who.embedded(images), who.embedded(portraits))


def compared(runs: Mapping[str, list[Row]], protocols: Mapping[str, str]) -> list[Measurement]:
    """Every number of `TOLD` over seeds, and what each way adds to it where nobody says whom to draw.

    Args:
        runs: Of each way, what was measured with each seed; `NOBODY` is among them.
        protocols: How the numbers of `TITLES` were made.
    """
    protocols = {**protocols, "teacher": f"{protocols['recall']}, by the teacher instead"}
    metrics: list[Measurement] = []
    for name, rows in runs.items():
        for key, title in TOLD.items():
            values = [row[key] for row in rows]
            found = over_seeds(f"{title}: {name}", values)
            metrics.append(replace(found, protocol=f"{protocols[key]}, {found.protocol}"))
            if name != NOBODY:
                plain = [row[key] for row in runs[NOBODY]]
                adds = f"{title}: what “{name}” adds"
                metrics.append(over_pairs(adds, values, plain, "minus where nobody says; "))
    return metrics


def in_smaller_styles(job: Job, seed: int, truth: Truth, scale: float) -> Row:
    """Recall and variety of the finished translation that nobody told, in styles that are multiplied by `scale`."""
    translator = load_model(job.work / f"seed-{seed}" / NOBODY / "a_to_b.safetensors")
    assert isinstance(translator, Translator)
    found = partial(truth.in_styles, translator, scale)
    return {"seed": seed, **job.once(f"seed-{seed}/{NOBODY}, styles times {scale:g}", found)}


def quieter(rows: Mapping[float, list[Row]], protocols: Mapping[str, str]) -> Iterator[Measurement]:
    """Recall and variety in smaller styles, over seeds."""
    for scale, of_one in rows.items():
        for key in ("recall", "variety"):
            found = over_seeds(f"{TOLD[key]}: {NOBODY}, styles × {scale:g}", [row[key] for row in of_one])
            yield replace(found, protocol=f"{protocols[key]}, {found.protocol}")


def beyond_quiet(runs: Mapping[str, list[Row]], quiet: Mapping[float, list[Row]]) -> Iterator[Measurement]:
    """What each way's recall has more than the plain networks' at the size of styles where theirs is the highest."""
    scale = max(quiet, key=lambda scale: fmean(row["recall"] for row in quiet[scale]))
    for name in runs:
        if name != NOBODY:
            own, least = ([row["recall"] for row in rows] for rows in (runs[name], quiet[scale]))
            what = f"minus where nobody says, styles × {scale:g}; "
            yield over_pairs(f"{TOLD['recall']}: what “{name}” adds to smaller styles", own, least, what)


# ---- who tells ----


def teacher_for(way: Way) -> nn.Module:
    """The encoder that a translation is told by: the packaged one, or one that knows nobody, centred."""
    if not way.untrained:
        return pretrained.load("identity")
    encoder = new_recognising(2, SphereFaceConfig(), seed=0).encoder.eval()
    with torch.no_grad():
        return Centred(encoder, encoder(known_pairs(KNOWN).a).mean(0))


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


def known_pairs(count: int) -> Domains:
    """People who are known on both sides, row by row, and are on neither of the two sets and never tested."""
    return Domains(
        *(kind(count, size=SIZE, first=KNOWN_FROM).rendered()[:] for kind in (Portraits, Caricatures))
    )


OF = ("identity", "faces-identity")  # the teacher, and who judges it
RECIPES: dict[str, Recipe] = {
    "munit-identity": Recipe("A translation that is told whom it draws, at 32×32", 7, munit_identity, OF),
}
