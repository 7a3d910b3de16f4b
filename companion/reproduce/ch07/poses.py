"""Whether a translation learns more from a folder out of which the turned heads were taken (chapter 7)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from companion.data.faces import Faces, draw_caricatures, draw_portraits, unpaired
from companion.data.faces.datasets import FaceSet
from companion.data.images import Images
from companion.data.scale import from_bytes
from companion.metrics import Measurement
from companion.randomness import generator
from companion.reproduce.ch07.munit import FACES, SEEDS, TITLES, Truth, followed_translation
from companion.reproduce.ch07.people import K
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_pairs

FARTHEST = 45.0  # degrees; the renderer was made for 26, and its heads hold up to here
FRONT = 15.0  # degrees: who is turned no farther looks ahead
LEFT_OUT, AS_FEW = "turned heads left out", "all poses, as few people"
ASKED = ("frechet", "recall", "both ways")


def munit_poses(job: Job) -> Result:
    """The same training on heads turned up to 45°, and on those of them turned up to 15°, over seeds.

    Any angle is as likely as another, in both folders. Leaving heads out also makes the folders smaller, so a third way
    keeps every pose and only as many people. Each is tried on people who look ahead and on people of all poses.

    What would refute “rejecting profiles helps”: a paired difference, on people who look ahead, whose interval reaches
    0 in both the Fréchet distance and the share found. What would refute “it costs those who are turned”: the same on
    people of all poses.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 2, "batch": 2, "width": 2, "size": 32, "blocks": 1, "critic_width": 2},
        "laptop": {"steps": 1000, "size": 32},
        "gpu": {"steps": 20_000, "size": 32, "width": 32, "critic_width": 32, "device": "auto"},
    }
    change = at_budget[job.budget]
    seeds, count, people = (SEEDS[:1], 12, 30) if job.debug else (SEEDS, 500, 4000)
    size = int(change["size"])
    whole = [Turned.of(one, FARTHEST) for one in unpaired(people, size=size, k=K)]
    ahead = [one.within(FRONT) for one in whole]
    few = [one.first(len(kept)) for one, kept in zip(whole, ahead, strict=True)]
    folders = {"all": whole, LEFT_OUT: ahead, AS_FEW: few}
    truths = {
        "looking ahead": TurnedTruth(size, count, farthest=FRONT),
        "all poses": TurnedTruth(size, count, farthest=FARTHEST),
    }
    sets = {rule: (portraits.drawn(size), drawn.drawn(size)) for rule, (portraits, drawn) in folders.items()}
    runs: dict[str, list[dict[str, Any]]] = {rule: [] for rule in folders}
    for seed in seeds:
        for rule, both in sets.items():
            key = f"seed-{seed}/{rule}"
            settings = replace(FACES, seed=seed, **change)
            trainer, _ = followed_translation(
                job, key, settings, truths["looking ahead"], people, points=2, sets=both
            )
            found = {
                who: job.once(f"{key}-on-{who}", partial(truth.all, trainer)) for who, truth in truths.items()
            }
            runs[rule].append({"seed": seed, **found})
    about = {**FACES.as_json(), **change, "precision": "float32", "people": people, "farthest": FARTHEST}
    about |= {rule: [len(one) for one in both] for rule, both in sets.items()}
    return Result(about, seeds, [*_told(runs, truths)], {"runs": runs})


def _told(runs: dict[str, list[dict[str, Any]]], truths: dict[str, "TurnedTruth"]) -> Iterator[Measurement]:
    for who, truth in truths.items():
        for one in truth.controls():
            title, _, control = one.name.rpartition(": ")
            if title in (TITLES["frechet"], TITLES["recall"]):
                yield replace(one, name=f"{title}: {who}: {control}")
        for key in ASKED:
            title, protocol = f"{TITLES[key]}: {who}", truth.protocols[key]
            full = [run[who][key] for run in runs["all"]]
            found = over_seeds(f"{title}: all", full)
            yield replace(found, protocol=f"{protocol}, {found.protocol}")
            for rule in runs:
                if rule != "all":
                    own = [run[who][key] for run in runs[rule]]
                    yield over_pairs(f"{title}: what “{rule}” adds", own, full, "minus all poses; ")


@dataclass(frozen=True)
class Turned:
    """A folder's people, each head turned by an angle of its own."""

    style: str  # portraits, or caricatures
    faces: Faces
    numbers: Tensor  # of the people

    @classmethod
    def of(cls, people: FaceSet, farthest: float) -> "Turned":
        """Everybody of a set, turned up to so many degrees to either side, any angle as likely as another."""
        side = type(people).__name__.lower()
        draws = torch.rand(len(people), generator=generator(people.first, f"turns of {side}"))
        turns = math.radians(farthest) * (2 * draws - 1)
        return cls(side, people.faces().replace(yaw=turns), people.identities)

    def within(self, limit: float) -> "Turned":
        """Without the heads that are turned by more degrees than the limit."""
        return self._rows(self.faces["yaw"].abs() <= math.radians(limit))

    def first(self, count: int) -> "Turned":
        """The first so many people."""
        return self._rows(torch.arange(len(self)) < count)

    def _rows(self, keep: Tensor) -> "Turned":
        return replace(self, faces=self.faces.rows(keep.nonzero()[:, 0]), numbers=self.numbers[keep])

    def __len__(self) -> int:
        return len(self.numbers)

    def drawn(self, size: int) -> Images:
        """Everybody's picture."""
        pixels = torch.empty(len(self), 3, size, size, dtype=torch.uint8)
        draw = draw_portraits if self.style == "portraits" else partial(draw_caricatures, k=K)
        parts = torch.split(torch.arange(len(self)), 256)
        for rows in tqdm(parts, desc="drawing faces", delay=2, leave=False):
            pixels[rows] = draw(self.faces.rows(rows), size).rgb
        return Images(self.style, pixels, self.numbers)


@dataclass(frozen=True)
class TurnedTruth(Truth):
    """Test people turned up to an angle, alike in the portrait and in its true caricature."""

    farthest: float = FARTHEST

    @cached_property
    def portraits(self) -> Tensor:
        """`(count, 3, size, size)` in [−1, 1]."""
        return from_bytes(self._turned.drawn(self.size).pixels)

    @cached_property
    def caricatures(self) -> Tensor:
        """The same people in the same pose, drawn."""
        return from_bytes(replace(self._turned, style="caricatures").drawn(self.size).pixels)

    @property
    def protocols(self) -> dict[str, str]:
        """How each number was made."""
        turned = f"heads turned up to {self.farthest:g}°"
        return {key: f"{said}, {turned}" for key, said in super().protocols.items()}

    @cached_property
    def _turned(self) -> Turned:
        people, _ = unpaired(self.count)
        return Turned.of(replace(people, first=self.first), self.farthest)


RECIPES: dict[str, Recipe] = {
    "munit-poses": Recipe("Translations learnt with and without turned heads, at 32×32", 7, munit_poses),
}
