"""One long run of a generator of faces, held against people that it has not seen: on its way and at its end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from companion.data import Images, load
from companion.metrics import FaceFeatures, Measurement, frechet_distance
from companion.reproduce.following import followed
from companion.reproduce.job import Job
from companion.reproduce.samples import BESIDE, COMPARED, LIKE_UNSEEN, compared, like_unseen, over_white
from companion.reproduce.statistics import with_interval
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import RunSettings

POINTS = 20  # of a run at which its samples are measured


@dataclass(frozen=True)
class LongRun:
    """A finished run, and what was measured of it."""

    trainer: AdversarialTrainer
    metrics: list[Measurement]
    curve: list[dict[str, Any]]  # the Fréchet distance on its way


def long_run(
    job: Job,
    settings: RunSettings,
    also: Callable[[AdversarialTrainer], dict[str, float]] = lambda trainer: {},
) -> LongRun:
    """Train at the settings, which name a set of faces that has a test part; `also` adds to the points of the curve.

    What has an alpha channel is judged over white, but compared with the training pictures as it is.
    """
    test, count = (settings.data, 40) if job.debug else (f"{settings.data}-test", None)
    unseen, training = load(test, size=settings.size)[:count], load(settings.data, size=settings.size)
    extractor = FaceFeatures()
    real = extractor(over_white(unseen))

    def quality(trainer: AdversarialTrainer) -> dict[str, Any]:
        drawn = over_white(trainer.sample(len(real), seed=0))
        return {"frechet": frechet_distance(real, extractor(drawn)), **also(trainer)}

    trainer, _, curve = followed(job, "run", settings, quality, every=max(1, settings.steps // POINTS))
    found = job.once("end", partial(_beside, trainer, unseen, training, extractor))
    protocol = (
        f"{extractor.protocol}, {len(unseen)} unseen and {len(unseen)} samples, averaged generator, one seed"
    )
    metrics = [Measurement(title, float(found[key]), protocol) for title, key in COMPARED.items()]
    metrics += [
        with_interval(
            LIKE_UNSEEN,
            found["memory"],
            tuple(found["memory interval"]),
            f"pixels, the first {BESIDE} samples and unseen portraits",
        ),
        Measurement("Fréchet distance fallen over the last third", fallen(curve), protocol),
        Measurement(
            "Fréchet distance: two halves of the unseen portraits",
            frechet_distance(real[0::2], real[1::2]),
            extractor.protocol,
        ),
    ]
    return LongRun(trainer, metrics, curve)


def fallen(curve: list[dict[str, Any]]) -> float:
    """By how much the distance still fell over the last third of a run."""
    return float(curve[-1 - len(curve) // 3]["frechet"]) - float(curve[-1]["frechet"])


def _beside(
    trainer: AdversarialTrainer, unseen: Tensor, training: Images, extractor: FaceFeatures
) -> dict[str, Any]:
    drawn = trainer.sample(len(unseen), seed=0)
    judged = compared(extractor(over_white(unseen)), extractor(over_white(drawn)))
    return {**judged, **like_unseen(drawn, unseen, training)}
