"""What the same minutes of processor buy from each family of generators, on the same portraits, over three seeds."""

from dataclasses import dataclass, replace
from functools import partial
from time import process_time
from typing import Any

from torch import Tensor

from companion import latent, pretrained
from companion.data import Images, load
from companion.metrics import FaceFeatures, Measurement, frechet_distance
from companion.objectives import NonSaturating, NonSaturatingR1, Wasserstein, WassersteinGP
from companion.randomness import drawing
from companion.reproduce.ch06.common import finished_vae
from companion.reproduce.ch06.faces import BETA
from companion.reproduce.following import finished_run
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.samples import BESIDE, COMPARED, LIKE_UNSEEN, compared, like_unseen
from companion.reproduce.statistics import over_pairs
from companion.training import gan, vae
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import GANSettings, RunSettings
from companion.training.sagan import SAGANSettings
from companion.training.vae import VAESettings, VAETrainer
from companion.variational import Variational

SEEDS = [1, 2, 3]
TIMED = 10  # steps whose processor time stands for all others
MIXTURE = "VAE, mixture"  # the same run as “VAE”, its latents drawn from a mixture fitted to the codes


@dataclass(frozen=True)
class Family:
    """A game, the steps that four minutes of one processor core buy of it, and the settings it is tried at."""

    settings: RunSettings | VAESettings
    steps: int
    trials: tuple[dict[str, Any], ...]

    def at(self, trial: int, *, seed: int, steps: int) -> RunSettings | VAESettings:
        """The settings of one trial; R1's weight there is that of its objective."""
        change = {key: value for key, value in self.trials[trial].items() if key != "weight"}
        if "weight" in self.trials[trial]:
            change["objective"] = NonSaturatingR1(weight=self.trials[trial]["weight"])
        return replace(self.settings, seed=seed, steps=steps, **change)


def both(*rates: float, ratio: float = 1) -> tuple[dict[str, Any], ...]:
    """A trial for each rate of the generator, with the critic's so many times as large."""
    return tuple({"generator_rate": rate, "critic_rate": ratio * rate} for rate in rates)


DCGAN = GANSettings(data="portraits", size=64, width=16, batch=32, objective=NonSaturating())
PENALISED = replace(DCGAN, objective=WassersteinGP(critic_steps=3), critic_norm=False)
FINED = replace(DCGAN, objective=NonSaturatingR1(weight=1.0), critic_norm=False)
AUTOENCODER = VAESettings(
    data="portraits", size=64, width=12, batch=16, latents=64, objective=Variational(beta=BETA)
)
FAMILIES: dict[str, Family] = {
    "DCGAN": Family(DCGAN, 1900, both(2e-4, 1e-3)),
    "WGAN, clipped": Family(replace(DCGAN, objective=Wasserstein()), 600, both(5e-5, 5e-4)),
    "WGAN, penalised": Family(PENALISED, 640, both(2e-4, 1e-3)),
    "non-saturating, R1": Family(FINED, 1600, both(5e-4, 1e-3)),
    "SAGAN": Family(SAGANSettings(batch=32), 1380, both(1e-4, 5e-4, ratio=4)),
    "VAE": Family(AUTOENCODER, 3000, ({"rate": 1e-3}, {"rate": 3e-3})),
}
MORE: dict[str, tuple[dict[str, Any], ...]] = {  # rates beyond those, on both sides
    "DCGAN": both(2e-4, 1e-3, 2e-3, 4e-3),
    "WGAN, clipped": both(5e-5, 5e-4, 1e-3, 2e-3, 4e-3),
    "WGAN, penalised": both(2e-4, 1e-3, 2e-3, 4e-3),
    "non-saturating, R1": (
        *({**rates, "weight": 10.0} for rates in both(5e-4, 1e-3, 2e-3)),
        *({**both(1e-3)[0], "weight": weight} for weight in (1.0, 100.0)),
        {**both(2e-3)[0], "weight": 1.0},
        {**both(4e-3)[0], "weight": 10.0},
    ),
    "SAGAN": both(1e-4, 5e-4, 1e-3, 2e-3, ratio=4),
    "VAE": ({"rate": 3e-4}, {"rate": 1e-3}, {"rate": 3e-3}),
}
NUMBERS = COMPARED | {
    "parameters": "parameters",
    "processor seconds to train": "seconds",
}


@dataclass(frozen=True)
class Portraits:
    """What samples are compared with, and what the networks learnt from."""

    unseen: Tensor
    features: Tensor  # of the unseen
    training: Images

    def judged(self, drawn: Tensor) -> dict[str, Any]:
        """Samples, as many as there are unseen portraits."""
        return {
            **compared(self.features, FaceFeatures()(drawn)),
            **like_unseen(drawn, self.unseen, self.training),
        }


def portrait_families(job: Job) -> Result:
    """Each family for the same processor time at the better of two rates; the floor is what other portraits reach.

    The rates are chosen with one further seed at a third of the steps, by the Fréchet distance to portraits that are
    not among those reported on. The GANs' generators have as many weights within 1 %, the decoder fewer.

    What would refute “a VAE covers more people than any GAN of the same minutes”: a recall or a coverage that is not
    above every GAN's in each seed.
    """
    about = _as_budgeted(job, FAMILIES)
    seeds, count, test, training = _portraits(job, about)
    features = FaceFeatures()
    held, reported = test[count : 2 * count], test[:count]
    portraits = Portraits(reported, features(reported), training)
    chosen = {
        name: job.once(f"chosen/{_file(name)}", partial(_chosen, job, name, family, features(held)))
        for name, family in about.items()
    }
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:  # outermost, so that a stopped job has compared everything it has
        for name, family in about.items():
            settings = family.at(chosen[name]["trial"], seed=seed, steps=family.steps)
            one = partial(_one, job, f"seed-{seed}/{_file(name)}", settings, portraits)
            for title, numbers in job.once(f"quality/seed-{seed}/{_file(name)}", one).items():
                runs.setdefault(name if title == "prior" else MIXTURE, []).append({"seed": seed, **numbers})
    floor = portraits.judged(training[:count])
    protocol = f"{features.protocol}, {count} unseen portraits and {count} samples"
    metrics = [
        replace(measured, protocol=f"{protocol}, {measured.protocol}")
        for title, key in NUMBERS.items()
        for name, of_one in runs.items()
        for measured in [over_seeds(f"{title}: {name}", [run[key] for run in of_one])]
    ]
    beside = f"pixels, the first {BESIDE} samples and unseen portraits"
    metrics += [
        replace(measured, protocol=f"{beside}, {measured.protocol}")
        for name, of_one in runs.items()
        for measured in [over_seeds(f"{LIKE_UNSEEN}: {name}", [run["memory"] for run in of_one])]
    ]
    of_all: dict[str, Any] = {"device": "cpu", "precision": "float32"}
    of_all |= {
        name: family.at(chosen[name]["trial"], seed=seeds[0], steps=family.steps).as_json()
        for name, family in about.items()
    }
    bare = {
        name: [{key: run[key] for key in run if key != "seconds"} for run in of_one]
        for name, of_one in runs.items()
    }
    return Result(of_all, seeds, metrics, {"runs": bare, "rates": chosen, "real portraits": floor})


def portrait_rates(job: Job) -> Result:
    """Further rates, and further weights of R1, for each family; and the two most promising in the whole race.

    The trials take a third of the steps, the seed and the portraits that chose the race's rates, so those rates are
    among them. Of the trials that the race did not have, the two that come nearest then run as long as in the race,
    over its seeds, beside the race's winner.

    What would refute “the race was run at rates that suit”: a best trial that is not the race's. What would refute “the
    penalised game draws the best portraits in four minutes”: a mean that is smaller, whose interval of differences by
    seed excludes 0.
    """
    about = _as_budgeted(job, {name: replace(of, trials=MORE[name]) for name, of in FAMILIES.items()})
    seeds, count, test, training = _portraits(job, about)
    features = FaceFeatures()
    portraits = Portraits(test[:count], features(test[:count]), training)
    held = features(test[count : 2 * count])
    found = {
        name: job.once(f"chosen/{_file(name)}", partial(_chosen, job, name, family, held))
        for name, family in about.items()
    }
    reader = f"{features.protocol}, {count} unseen portraits and {count} samples"
    metrics = [
        Measurement(
            f"Fréchet distance: {name}, {_title(one['rates'])}",
            one["frechet"],
            f"{reader}, one seed, {of_one['steps']} steps",
        )
        for name, of_one in found.items()
        for one in of_one["tried"]
    ]
    runs: dict[str, list[dict[str, Any]]] = {}
    for name, trial in _promising(found):
        title = f"{name}, {_title(about[name].trials[trial])}"
        runs[title] = _whole(job, name, about[name], trial, seeds, portraits)
        whole = over_seeds(f"Fréchet distance, whole runs: {title}", [run["frechet"] for run in runs[title]])
        metrics.append(replace(whole, protocol=f"{reader}, {whole.protocol}"))
        if (best := _winner(job)) is not None:
            own = [run["frechet"] for run in runs[title]]
            claim = f"Fréchet distance, whole runs: {title} beyond {WINNER}"
            metrics.append(over_pairs(claim, own, best, f"{reader}, `portrait-families`' runs taken away, "))
    steps = {name: family.steps for name, family in about.items()}
    return Result(
        {"device": "cpu", "precision": "float32", "steps": steps},
        seeds,
        metrics,
        {"rates": found, "runs": runs},
    )


WINNER = "WGAN, penalised"  # of the race


def _winner(job: Job) -> list[float] | None:
    """The Fréchet distances of the race's winner, seed by seed; None if the record is of another budget."""
    if pretrained.record("portrait-families").budget != job.budget:
        return None
    return [run["frechet"] for run in pretrained.details("portrait-families")["runs"][WINNER]]


def _promising(found: dict[str, dict[str, Any]]) -> list[tuple[str, int]]:
    """Families and numbers of the two trials that come nearest, of those that the race did not have."""
    known = {
        name: [_as_in_the_race(family, trial) for trial in family.trials] for name, family in FAMILIES.items()
    }
    new = [
        (one["frechet"], name, number)
        for name, of_one in found.items()
        for number, one in enumerate(of_one["tried"])
        if _as_in_the_race(FAMILIES[name], one["rates"]) not in known[name]
    ]
    return [(name, number) for _, name, number in sorted(new)[:2]]


def _as_in_the_race(family: Family, trial: dict[str, Any]) -> dict[str, Any]:
    """A trial that names its weight of R1, which the race's leave to the settings."""
    objective = family.settings.objective
    return {"weight": objective.weight, **trial} if isinstance(objective, NonSaturatingR1) else trial


def _whole(
    job: Job, name: str, family: Family, trial: int, seeds: list[int], portraits: Portraits
) -> list[dict[str, Any]]:
    """What is said of a trial's whole runs from its prior, seed by seed."""
    runs = []
    for seed in seeds:
        key = f"seed-{seed}/{_file(name)}-{trial}"
        settings = family.at(trial, seed=seed, steps=family.steps)
        quality = job.once(f"quality/{key}", partial(_one, job, key, settings, portraits))["prior"]
        runs.append({"seed": seed, **{name: value for name, value in quality.items() if name != "seconds"}})
    return runs


def _title(trial: dict[str, float]) -> str:
    """A trial by its generator's rate, and R1's weight where that was tried."""
    rate = f"rate {trial.get('generator_rate', trial.get('rate')):g}"
    return f"{rate}, weight {trial['weight']:g}" if "weight" in trial else rate


def _portraits(job: Job, about: dict[str, Family]) -> tuple[list[int], int, Images, Images]:
    """The seeds, how many portraits are compared, those that nobody is trained on, and those to learn from."""
    count, seeds = (20, [1, 2]) if job.debug else (1000, SEEDS)
    data, size = about["VAE"].settings.data, about["VAE"].settings.size
    test = load(data if job.debug else f"{data}-test", size=size)
    return seeds, count, test, load(data, size=size)


def _as_budgeted(job: Job, families: dict[str, Family]) -> dict[str, Family]:
    """The families at the job's budget: a few steps of small networks, four minutes each, or twenty times as long."""
    if job.debug:
        tiny: dict[str, Any] = {"data": "digits", "size": 32, "width": 8, "batch": 8, "latents": 4}
        return {
            name: replace(
                family, settings=replace(family.settings, **tiny), steps=3, trials=family.trials[:2]
            )
            for name, family in families.items()
        }
    if job.budget == "gpu":
        return {
            name: replace(family, settings=replace(family.settings, device="auto"), steps=20 * family.steps)
            for name, family in families.items()
        }
    return families


def _file(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")


def _chosen(job: Job, name: str, family: Family, real: Tensor) -> dict[str, Any]:
    """The best trial of a family, and the distances that all came to after a third of the steps."""
    steps = max(1, family.steps // 3)
    distances: list[float] = []
    for number in range(len(family.trials)):
        settings = family.at(number, seed=max(SEEDS) + 1, steps=steps)
        trainer = _finished(job, f"trials-of-{_file(name)}/{number}", settings)
        distances.append(frechet_distance(real, FaceFeatures()(trainer.sample(len(real), seed=0))))
    best = min(range(len(distances)), key=distances.__getitem__)
    tried = [
        {"rates": rates, "frechet": found} for rates, found in zip(family.trials, distances, strict=True)
    ]
    return {"trial": best, "rates": family.trials[best], "tried": tried, "steps": steps}


def _one(
    job: Job, key: str, settings: RunSettings | VAESettings, portraits: Portraits
) -> dict[str, dict[str, Any]]:
    """What is said of one run's samples: from its prior, and for an autoencoder from a mixture as well."""
    trainer = _finished(job, key, settings)
    network = trainer.best.decoder if isinstance(trainer, VAETrainer) else trainer.average.module
    cost = {
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "seconds": _seconds(settings),
    }
    count = len(portraits.unseen)
    found = {"prior": {**portraits.judged(trainer.sample(count, seed=0)), **cost}}
    if isinstance(trainer, VAETrainer):
        known = latent.codes(trainer.best, portraits.training[:])
        with drawing(0, "samples"):
            latents: Tensor = latent.fitted_mixture(known).sample((count,))  # type: ignore[no-untyped-call]
        found["mixture"] = {**portraits.judged(latent.decoded(trainer.best, latents)), **cost}
    return found


def _finished(job: Job, key: str, settings: RunSettings | VAESettings) -> AdversarialTrainer | VAETrainer:
    if isinstance(settings, VAESettings):
        return finished_vae(job, key, settings)[0]
    return finished_run(job, key, settings, lambda trainer: None)[0]


def _seconds(settings: RunSettings | VAESettings) -> float:
    """Processor time of all steps, from a few: other work on the machine does not count, and no sitting is missed."""
    if isinstance(settings, VAESettings):
        autoencoder, images = vae.build(settings)
        steps = autoencoder.run(vae.shuffled(images, settings), steps=1 + TIMED)
    else:
        game, images = gan.build(settings)
        steps = game.run(gan.shuffled(images, settings), steps=1 + TIMED)
    next(steps)  # the first one also warms up
    begun = process_time()
    for _ in steps:
        pass
    return (process_time() - begun) / TIMED * settings.steps


RECIPES: dict[str, Recipe] = {
    "portrait-families": Recipe("Families of generators at equal minutes", 6, portrait_families),
    "portrait-rates": Recipe(
        "Families of generators: more rates, and the two most promising", 6, portrait_rates
    ),
}
