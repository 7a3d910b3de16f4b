"""Portraits into caricatures and back: how good, how true to the person, how varied, and thanks to which part?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torchvision.transforms.v2.functional import resize

from companion import pretrained
from companion.data.batches import Domains
from companion.data.faces import Caricatures, Portraits, unpaired
from companion.data.images import Images
from companion.data.scale import to_bytes
from companion.environment import pick_device
from companion.metrics import FaceFeatures, Measurement, frechet_distance
from companion.metrics.restoration import PerceptualDistance
from companion.metrics.verification import recall_at_one, verification
from companion.models.munit import BothWays, Translator
from companion.models.reader import FaceReader
from companion.models.store import load_model
from companion.objectives import Hinge, LeastSquares, NonSaturatingR1, Objective
from companion.randomness import generator
from companion.reproduce.following import begun, finish_run, points_of
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_pairs
from companion.training.faces import read_faces
from companion.training.munit import (
    MUNITSettings,
    Shares,
    TranslationTrainer,
    build,
    styles_of,
    translated,
)

SEEDS = [1, 2, 3]
TEST = 8000  # the number of the first person nobody is trained on, as in the sets “portraits-test” and so on
PAIRS = 200  # of translations, for their variety
# As trials and then `munit-rates` told: the more of R1, the nearer; at both rates alike, and at this one more people
# are found again.
FACES = MUNITSettings(
    batch=8, critic_width=32, generator_rate=1e-3, critic_rate=1e-3, objective=NonSaturatingR1(weight=10.0)
)


def munit_faces(job: Job) -> Result:
    """One long run between portraits of some people and caricatures of others, measured on its way and at its end.

    Nobody is in both sets, and the truth is known: each test person's caricature is drawn too. Beside every number
    stand what the true caricatures reach (the ceiling), what an unchanged copy of the input reaches, and what chance
    does: a translation that copies keeps everybody's identity and is far from every drawing, one that draws always the
    same face is the other way round.

    What would refute “it translates and keeps the person”: a Fréchet distance nearer to the copy's than to the floor;
    or a recall of the portrait from its translation whose interval reaches chance. What would refute “styles are
    varied”: pairs of one portrait in two styles that are not farther apart than a quarter of what two people are.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 4, "batch": 2, "width": 2, "size": 32, "blocks": 1, "critic_width": 2},
        "laptop": {"steps": 7500},
        "gpu": {"steps": 100_000, "width": 48, "critic_width": 64, "device": "auto"},
    }
    settings = replace(FACES, **at_budget[job.budget])
    truth = Truth(settings.size, 12 if job.debug else 500)
    people = 8 if job.debug else 4000
    trainer, curve = followed_translation(job, "run", settings, truth, people, points=2 if job.debug else 15)
    found = job.once("run-end", partial(truth.all, trainer))
    metrics = [
        *truth.controls(),
        *(Measurement(TITLES[key], value, truth.protocols[key]) for key, value in found.items()),
    ]
    about = {**settings.as_json(), "precision": "float32", "people": people}
    ways = (load_model(job.work / "run" / f"{way}.safetensors") for way in ("a_to_b", "b_to_a"))
    model = BothWays.joining(*cast(Iterator[Translator], ways))
    return Result(about, [settings.seed], metrics, {"curve": curve}, model=model)


PARTS: dict[str, MUNITSettings] = {
    "all": FACES,
    "no content loss": replace(FACES, shares=Shares(content=0.0)),
    "no style loss": replace(FACES, shares=Shares(style=0.0)),
    "no image loss": replace(FACES, shares=Shares(image=0.0)),
    "with a cycle": replace(FACES, shares=Shares(cycle=10.0)),
    "hinge, spectral normalisation": replace(FACES, objective=Hinge(), spectral=True),
    "least squares": replace(FACES, objective=LeastSquares()),
    "with attention": replace(FACES, attention=True),
    "deformable convolution": replace(FACES, deformable=True),
}


def munit_parts(job: Job) -> Result:
    """Each part of the translation switched off (or on) in turn, at 32 pixels, over seeds and at equal steps.

    What would refute “this part matters”: a paired difference to the full loss, for the number that the part is meant
    for, whose interval reaches 0: identity for content and image, variety for style, the Fréchet distance for objective
    and attention, the person after both ways for the cycle. A part that helps one number by harming another is told by
    the whole row.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 2, "batch": 2, "width": 2, "size": 32, "blocks": 1, "critic_width": 2},
        "laptop": {"steps": 1000, "size": 32},
        "gpu": {"steps": 20_000, "size": 32, "width": 32, "critic_width": 32, "device": "auto"},
    }
    change = at_budget[job.budget]
    seeds = SEEDS[:1] if job.debug else SEEDS
    parts = dict(list(PARTS.items())[:2]) if job.debug else PARTS
    truth = Truth(int(change["size"]), 12 if job.debug else 500)
    people = 8 if job.debug else 4000
    runs: dict[str, list[dict[str, Any]]] = {part: [] for part in parts}
    for seed in seeds:
        for part, settings in parts.items():
            key = f"seed-{seed}/{part}"
            trainer, curve = followed_translation(
                job, key, replace(settings, seed=seed, **change), truth, people, points=2
            )
            runs[part].append(
                {"seed": seed, **job.once(f"{key}-end", partial(truth.all, trainer)), "curve": curve}
            )
    metrics = [one for one in truth.controls() if one.name.startswith(tuple(ASKED.values()))]
    for key, title in ASKED.items():
        found = over_seeds(f"{title}: all", [run[key] for run in runs["all"]])
        metrics.append(replace(found, protocol=f"{truth.protocols[key]}, {found.protocol}"))
    metrics += [one for part in runs if part != "all" for one in _added(part, runs)]
    about = {**FACES.as_json(), **change, "precision": "float32", "people": people}
    return Result(about, seeds, metrics, {"runs": runs})


def _added(part: str, runs: dict[str, list[dict[str, Any]]]) -> Iterator[Measurement]:
    """By how much a part moves each number that is asked, seed by seed."""
    for key, title in ASKED.items():
        own, full = ([run[key] for run in runs[name]] for name in (part, "all"))
        yield over_pairs(f"{title}: what “{part}” adds", own, full, "minus all parts; ")


RATES = (2e-4, 1e-3)
GAMES: dict[str, Objective] = {
    "least squares": LeastSquares(),
    "R1, weight 1": NonSaturatingR1(weight=1.0),
    "R1, weight 10": NonSaturatingR1(weight=10.0),
}


def munit_rates(job: Job) -> Result:
    """Which game and learning rate the long run should have: short runs, one seed.

    Only a choice, no claim: the game is taken whose Fréchet distance to other people's caricatures is the smallest, and
    of two rates that come about as near, the one that keeps more of the people.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 3, "batch": 2, "width": 2, "size": 32, "blocks": 1, "critic_width": 2},
        "laptop": {"steps": 500, "size": 32},
        "gpu": {"steps": 5000, "device": "auto"},
    }
    change = at_budget[job.budget]
    truth = Truth(int(change.get("size", FACES.size)), 12 if job.debug else 500)
    people = 8 if job.debug else 4000
    found: dict[str, dict[str, Any]] = {}
    for game, objective in GAMES.items():
        for rate in RATES[:1] if job.debug else RATES:
            one = replace(FACES, objective=objective, generator_rate=rate, critic_rate=rate, **change)
            key = f"{game}, {rate:g}"
            trainer, curve = followed_translation(job, key, one, truth, people, points=2)
            found[key] = {**job.once(f"{key}-end", partial(truth.all, trainer)), "curve": curve}
    metrics = truth.controls()
    for name, row in found.items():
        metrics += [Measurement(f"{TITLES[key]}: {name}", row[key], truth.protocols[key]) for key in TITLES]
    about = {**FACES.as_json(), **change, "precision": "float32", "rates": list(RATES), "people": people}
    return Result(about, [FACES.seed], metrics, {"tried": found})


TITLES = {
    "frechet": "Fréchet distance of translated portraits to caricatures",
    "back": "Fréchet distance of translated caricatures to portraits",
    "recall": "recall of the portrait from its translation",
    "area": "same or different person, portrait and translation: area under the curve",
    "true drawing": "recall of the true caricature from the translation",
    "both ways": "recall of the portrait from its translation there and back",
    "variety": "distance of two styles of one portrait",
    "people": "distance of two portraits in one style",
}
ASKED = {key: TITLES[key] for key in ("frechet", "recall", "both ways", "variety")}  # of each part


@cache
def _encoder() -> FaceReader:
    model = pretrained.load("faces-identity")
    assert isinstance(model, FaceReader)
    return model


def recognised(images: Tensor) -> Tensor:
    """Each picture's person, `(N, 64)` of length one, as the encoder sees them that knows portraits and caricatures."""
    side = _encoder().config.size
    return normalize(read_faces(_encoder(), to_bytes(resize(images, [side, side], antialias=True))))


def distance_for(people: int) -> PerceptualDistance:
    """How different pictures of so many people look; the light stand-in where a run is only to show that it runs."""
    return PerceptualDistance("untrained" if people < 100 else "squeezenet-deep-compression")


@dataclass(frozen=True)
class Truth:
    """Test people, as portraits and as the caricatures that a perfect translation would draw."""

    size: int
    count: int
    first: int = TEST  # the number of the first of them

    @cached_property
    def portraits(self) -> Tensor:
        """`(count, 3, size, size)` in [−1, 1]."""
        return Portraits(self.count, size=self.size, first=self.first).rendered()[:]

    @cached_property
    def caricatures(self) -> Tensor:
        """The same people, pose, light and dress, drawn."""
        return Caricatures(self.count, size=self.size, first=self.first).rendered()[:]

    @cached_property
    def features(self) -> FaceFeatures:
        """What the Fréchet distances compare."""
        return FaceFeatures()

    @cached_property
    def distance(self) -> PerceptualDistance:
        """How different two pictures look."""
        return distance_for(self.count)

    @cached_property
    def _known(self) -> tuple[Tensor, Tensor]:
        return recognised(self.portraits), recognised(self.caricatures)

    def frechet(self, images: Tensor, real: Tensor) -> float:
        """Of the first half of the test people, translated, to the other half's true pictures."""
        half = self.count // 2
        return frechet_distance(self.features(real[half:]), self.features(images[:half]))

    def quick(self, trainer: TranslationTrainer) -> dict[str, float]:
        """The two numbers that are followed on a run's way."""
        images = self._translated(trainer)
        return {
            "frechet": self.frechet(images, self.caricatures),
            "recall": recall_at_one(recognised(images), self._known[0]),
        }

    def all(self, trainer: TranslationTrainer) -> dict[str, float]:
        """Every number of `TITLES`."""
        there, back = trainer.translator("a"), trainer.translator("b")
        images = self._translated(trainer)
        again = translated(back, images, styles_of(back, self.portraits))  # in the portrait's own style
        returned = translated(back, self.caricatures, self._styles(trainer, "styles of test caricatures"))
        who = recognised(images)
        return {
            "frechet": self.frechet(images, self.caricatures),
            "back": self.frechet(returned, self.portraits),
            **self._identity(who),
            "both ways": recall_at_one(recognised(again), self._known[0]),
            **self._variety(trainer, partial(translated, there)),
        }

    def _identity(self, who: Tensor) -> dict[str, float]:
        portraits, drawings = self._known
        alike = who @ portraits.T
        others = ~torch.eye(len(who), dtype=torch.bool)
        return {
            "recall": recall_at_one(who, portraits),
            "area": verification(alike.diagonal(), alike[others]).area,
            "true drawing": recall_at_one(who, drawings),
        }

    def _variety(
        self, trainer: TranslationTrainer | Translator, draw: Callable[[Tensor, Tensor], Tensor]
    ) -> dict[str, float]:
        count = min(PAIRS, self.count - 1)
        first, second = (
            self._styles(trainer, f"{which} styles of pairs")[:count] for which in ("first", "second")
        )
        one = draw(self.portraits[:count], first)
        other_style = draw(self.portraits[:count], second)
        other_person = draw(self.portraits[1 : count + 1], first)
        return {
            "variety": float(self.distance(one, other_style).mean()),
            "people": float(self.distance(one, other_person).mean()),
        }

    def in_styles(self, translator: Translator, scale: float) -> dict[str, float]:
        """Recall of the portrait, and variety, in the same styles, multiplied by `scale`."""

        def draw(images: Tensor, styles: Tensor) -> Tensor:
            return translated(translator, images, scale * styles)

        who = recognised(draw(self.portraits, self.styles(translator)))
        return {
            "recall": recall_at_one(who, self._known[0]),
            "variety": self._variety(translator, draw)["variety"],
        }

    def _translated(self, trainer: TranslationTrainer) -> Tensor:
        return translated(trainer.translator("a"), self.portraits, self.styles(trainer))

    def styles(self, trainer: TranslationTrainer | Translator) -> Tensor:
        """One drawn style for each test portrait, `(count, styles)`, the same for every trainer."""
        return self._styles(trainer, "styles of test portraits")

    def _styles(self, trainer: TranslationTrainer | Translator, purpose: str) -> Tensor:
        return torch.randn(self.count, trainer.config.styles, generator=generator(0, purpose))

    @property
    def protocols(self) -> dict[str, str]:
        """How each number was made."""
        half, size = self.count // 2, f"{self.size}×{self.size}"
        fake = f"{self.features.protocol}, {half} translated and {half} real images of other people, {size}"
        who = f"the packaged encoder's nearest of {self.count} test people, {size}, one drawn style each"
        pairs = f"{self.distance.protocol}, {min(PAIRS, self.count - 1)} pairs of translations"
        return {
            "frechet": fake,
            "back": fake,
            "recall": who,
            "area": f"cosine of the packaged encoder's embeddings, all pairs of {self.count} test people, {size}",
            "true drawing": who,
            "both ways": f"{who}, back in the portrait's own style",
            "variety": pairs,
            "people": pairs,
        }

    def controls(self) -> list[Measurement]:
        """What true caricatures, copies and chance reach."""
        says, (portraits, drawings) = self.protocols, self._known
        alike, others = drawings @ portraits.T, ~torch.eye(self.count, dtype=torch.bool)
        count = min(PAIRS, self.count - 1)
        apart = self.distance(self.caricatures[:count], self.caricatures[1 : count + 1])
        return [
            Measurement(
                f"{TITLES['frechet']}: true caricatures",
                self.frechet(self.caricatures, self.caricatures),
                says["frechet"],
            ),
            Measurement(
                f"{TITLES['frechet']}: copies",
                self.frechet(self.portraits, self.caricatures),
                says["frechet"],
            ),
            Measurement(
                f"{TITLES['back']}: true portraits",
                self.frechet(self.portraits, self.portraits),
                says["back"],
            ),
            Measurement(
                f"{TITLES['recall']}: true caricatures", recall_at_one(drawings, portraits), says["recall"]
            ),
            Measurement(f"{TITLES['recall']}: chance", 1 / self.count, says["recall"]),
            Measurement(
                f"{TITLES['area']}: true caricatures",
                verification(alike.diagonal(), alike[others]).area,
                says["area"],
            ),
            Measurement(
                f"{TITLES['true drawing']}: copies", recall_at_one(portraits, drawings), says["true drawing"]
            ),
            Measurement("distance of two true caricatures", float(apart.mean()), says["people"]),
        ]


def followed_translation(
    job: Job,
    key: str,
    settings: MUNITSettings,
    truth: Truth,
    people: int,
    *,
    points: int,
    sets: tuple[Images, Images] | None = None,
    teacher: nn.Module | None = None,
    pairs: Domains | None = None,
) -> tuple[TranslationTrainer, list[dict[str, Any]]]:
    """A finished run in its folder below the job's, and two of its numbers on its way.

    Without sets it learns from portraits of so many people, and caricatures of as many others.
    """
    settings = replace(settings, device=pick_device(settings.device).type)
    shown = Domains(truth.portraits[:8], truth.caricatures[:8])
    ready = build(settings, sets or _unpaired(people, settings.size), shown, teacher=teacher, pairs=pairs)
    trainer, every = ready.trainer, max(1, settings.steps // points)

    def each() -> None:
        if trainer.step and (trainer.step % every == 0 or trainer.step == settings.steps):
            job.once(
                f"{key}-quality/{trainer.step:06d}", lambda: {"step": trainer.step, **truth.quick(trainer)}
            )

    run = begun(job, key, settings.as_json(), ready.fingerprint)
    finish_run(run, trainer, ready.batches, steps=settings.steps, label=key, each=each)
    return trainer, points_of(job, key)


def _unpaired(people: int, size: int) -> tuple[Images, Images]:
    portraits, caricatures = unpaired(people, size=size)
    return portraits.rendered(), caricatures.rendered()


RECIPES: dict[str, Recipe] = {
    "munit-faces": Recipe("Portraits translated into caricatures and back, at 64×64", 7, munit_faces),
    "munit-parts": Recipe("What each part of the translation does, at 32×32", 7, munit_parts),
    "munit-rates": Recipe("Learning rates of the translation, tried in short runs", 7, munit_rates),
}
