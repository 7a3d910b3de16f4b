"""Who is it? People to learn from and strangers to be tested on, and how well embeddings tell these apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from companion.data.faces import Caricatures, Portraits
from companion.data.faces.datasets import FaceSet
from companion.metrics import Measurement
from companion.metrics.verification import accepted_in_folds, verification
from companion.reproduce.job import over_seeds

SIZE = 32
PEOPLE_SEED = 31  # so that nobody is the judge's (21) or the translations' (0)
VIEWS = 6
FOLDS = 10
FALSE = {"1 %": 0.01, "0.1 %": 0.001}  # false accepts
TASKS = {"portraits": "two portraits", "drawings": "a portrait and a drawing"}

Kind = type[Portraits] | type[Caricatures]
Pictures = dict[str, Tensor]  # by what they show
Found = dict[str, dict[str, Any]]  # for each task: area, and the rates of true accepts in each fold


@dataclass(frozen=True)
class Crowd:
    """Drawn people by their numbers: the first `learnt` are there to learn from, the `tested` after them are strangers.

    Nobody is both.
    """

    learnt: int
    tested: int
    size: int = SIZE

    def known(self, kind: Kind, most: int | None = None) -> FaceSet:
        """Those who are there to learn from, in `VIEWS` pictures each; at most so many of them."""
        return kind(min(self.learnt, most or self.learnt), VIEWS, self.size, PEOPLE_SEED)

    def unknown(self, kind: Kind) -> FaceSet:
        """The strangers, on two days each."""
        return kind(self.tested, 2, self.size, PEOPLE_SEED, self.learnt)

    def albums(self) -> Pictures:
        """To learn from, bytes `(learnt, VIEWS, 3, size, size)`: portraits alone, or as many drawings as portraits."""
        portraits, drawings = (
            self.known(kind).rendered().pixels.view(self.learnt, VIEWS, 3, self.size, self.size)
            for kind in (Portraits, Caricatures)
        )
        half = VIEWS // 2
        return {"portraits": portraits, "both": torch.cat([portraits[:, :half], drawings[:, half:]], 1)}

    def strangers(self) -> Pictures:
        """A portrait, one of another day, and a drawing of that day, each bytes `(tested, 3, size, size)`."""
        portraits, drawings = (
            self.unknown(kind).rendered().pixels.view(self.tested, 2, 3, self.size, self.size)
            for kind in (Portraits, Caricatures)
        )
        return {"gallery": portraits[:, 0], "portraits": portraits[:, 1], "drawings": drawings[:, 1]}


def verified(rows: Pictures) -> Found:
    """How well strangers are told apart, by the angles between embeddings.

    Args:
        rows: Embeddings of the pictures of `Crowd.strangers`, by the same names, each `(people, D)`, of any length.

    Returns:
        For each of `TASKS`, whose picture is held against the gallery: the area under the curve, and for each of
        `FALSE` the share of true accepts in each fold, all in [0, 1].
    """
    gallery = normalize(rows["gallery"], dim=1)
    people = torch.arange(len(gallery))
    others = people[:, None] != people
    found: Found = {}
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


def among_themselves(rows: Tensor, who: Tensor) -> dict[str, Any]:
    """How well the people of one set of pictures are told apart, each pair of pictures asked about once.

    Args:
        rows: An embedding of each picture, `(N, D)`, of any length.
        who: The number of the person in each, `(N,)`.

    Returns:
        What `verified` finds of a task, and as “nearest” the share of pictures whose nearest other one is of the same
        person, in [0, 1].
    """
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


def over_folds(name: str, rows: list[Found], tasks: dict[str, str], people: str) -> Iterator[Measurement]:
    """The mean over seeds; of rates, with the deviation over folds of the seeds' mean.

    Args:
        name: Whose numbers these are.
        rows: What was found with each seed.
        tasks: What each task asks, in words.
        people: Who was asked about, in words.
    """
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


def gaps(name: str, own: list[Found], others: list[Found]) -> Iterator[Measurement]:
    """How much more of the true pairs one way accepts than another, at one false in a hundred, seed by seed.

    Args:
        name: What is compared with what, in words.
        own: What was found of the one with each seed; where it accepts more, the gap is positive.
        others: Likewise of the other, in the same order.
    """
    for task, words in TASKS.items():
        values = [
            fmean(one[task]["1 %"]) - fmean(other[task]["1 %"])
            for one, other in zip(own, others, strict=True)
        ]
        yield over_seeds(f"true accepts at 1 % false, {words}: {name}", values)
