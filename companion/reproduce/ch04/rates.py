"""Chapters 3 and 4: clipping against the penalty on drawn portraits, as fair as it can be made."""

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from companion.data import load
from companion.metrics import FaceFeatures, Measurement, frechet_distance
from companion.models import colour
from companion.models.dcgan import Critic
from companion.objectives import NonSaturatingR1, Wasserstein, WassersteinGP
from companion.reproduce.following import followed
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import over_pairs
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import ColourSettings

SEEDS = [1, 2, 3]
RATES = (5e-5, 2e-4, 5e-4, 1e-3)  # tried by both sides; the first is clipping's paper's
POINTS = 12  # of each run at which its samples are measured


@dataclass(frozen=True)
class NormalisedCriticSettings(ColourSettings):
    """A colour WGAN's run whose critic has batch normalisation, as the paper that clips had it."""

    def networks(self, channels: int) -> tuple[nn.Module, nn.Module]:
        """The colour generator, and DCGAN's critic with its normalisation."""
        config = colour.ColourConfig(self.size, channels, self.latents, self.width, self.uniform)
        return colour.Generator(config), Critic(config.critic)


SIDES: dict[str, ColourSettings] = {
    "clipping, normalised critic": NormalisedCriticSettings(objective=Wasserstein()),
    "penalty, plain critic": ColourSettings(objective=WassersteinGP()),
    "clipping, plain critic": ColourSettings(objective=Wasserstein()),
    "R1, plain critic": ColourSettings(objective=NonSaturatingR1(weight=1.0)),
}


def colour_rates(job: Job) -> Result:
    """Clipping and penalty at 32 pixels: each with its paper's critic, four rates each, equal critic steps.

    The rate is chosen with one seed on half of the test portraits at a third of the run; then both run with three seeds
    until their curves are flat, judged on the other half. Clipping without normalisation, as the chapter once had it,
    runs along, and so does the non-saturating game under R1, with a fifth of the critic's work. What would refute “the
    penalty makes better pictures”: a mean difference over seeds, clipping minus penalty at their best rates, whose
    interval reaches 0.
    """
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 4, "batch": 4, "width": 2, "size": 16, "data": "digits"},
        "laptop": {"steps": 4000, "width": 16, "size": 32},
        "gpu": {"steps": 20000, "width": 32, "size": 32, "batch": 64, "device": "auto"},
    }
    change = at_budget[job.budget]
    rates, seeds = (RATES[:2], SEEDS[:2]) if job.debug else (RATES, SEEDS)
    real = load("digits" if job.debug else "portraits-test", size=int(change["size"]))[
        : 40 if job.debug else None
    ]
    extractor = FaceFeatures()
    choosing, judging = (extractor(real[half::2]) for half in (0, 1))
    tried: dict[str, dict[str, Any]] = {}
    best: dict[str, float] = {}
    for side, settings in SIDES.items():
        settings = replace(settings, **change)
        short = replace(settings, steps=max(1, settings.steps // 3))
        tried[side] = {}
        for rate in rates:
            one = replace(short, critic_rate=rate, generator_rate=rate)
            key = f"rates/{side}, {rate:g}"
            curve = _followed(job, key, one, choosing, extractor)
            tried[side][f"{rate:g}"] = curve
        best[side] = min(rates, key=lambda rate: tried[side][f"{rate:g}"][-1]["frechet"])
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for seed in seeds:
        for side, settings in SIDES.items():
            rate = best[side]
            full = replace(settings, seed=seed, critic_rate=rate, generator_rate=rate, **change)
            runs[side].append(
                {"seed": seed, "curve": _followed(job, f"seed-{seed}/{side}", full, judging, extractor)}
            )
    protocol = f"{extractor.protocol}, {len(judging)} real and {len(judging)} fake images, averaged generator"
    metrics = [
        Measurement(
            "Fréchet distance: two halves of the test portraits",
            frechet_distance(choosing, judging),
            protocol,
        )
    ]
    ends = {side: [run["curve"][-1]["frechet"] for run in of_one] for side, of_one in runs.items()}
    for side, values in ends.items():
        found = over_seeds(f"Fréchet distance: {side}, rate {best[side]:g}", values)
        metrics.append(replace(found, protocol=f"{protocol}, {found.protocol}"))
        last_third = [_last_third(run["curve"]) for run in runs[side]]
        metrics.append(over_seeds(f"fallen over the last third: {side}", last_third))
    for side in ("clipping, normalised critic", "clipping, plain critic", "R1, plain critic"):
        metrics.append(over_pairs(f"{side}, minus the penalty", ends[side], ends["penalty, plain critic"]))
    critic_steps = {side: settings.objective.critic_steps for side, settings in SIDES.items()}
    about = {
        **change,
        "device": "cpu",
        "precision": "float32",
        "critic steps": critic_steps,
        "rates": list(rates),
        "chosen": best,
    }
    return Result(about, seeds, metrics, {"tried": tried, "runs": runs})


def _last_third(curve: list[dict[str, Any]]) -> float:
    """By how much the distance still fell over the last third of a run."""
    return float(curve[-1 - len(curve) // 3]["frechet"] - curve[-1]["frechet"])


def _followed(
    job: Job, key: str, settings: ColourSettings, real: Tensor, extractor: FaceFeatures
) -> list[dict[str, Any]]:
    """A finished run, measured on its way."""

    def quality(trainer: AdversarialTrainer) -> dict[str, Any]:
        return {"frechet": frechet_distance(real, extractor(trainer.sample(len(real), seed=0)))}

    _, _, curve = followed(job, key, settings, quality, every=max(1, settings.steps // POINTS))
    return curve


RECIPES: dict[str, Recipe] = {
    "colour-rates": Recipe("Clipping and penalty at their best rates, at 32×32", 4, colour_rates),
}
