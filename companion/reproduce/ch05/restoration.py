"""The comparison of chapter 5, and the run whose weights it ships."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from companion import pretrained
from companion.data.assets import manifest
from companion.data.batches import Pair
from companion.data.crappify import Damage
from companion.data.photos import SPLITS, Photos, load_photos
from companion.data.webp import as_webp
from companion.environment import pick_device
from companion.metrics import Measurement, frechet_distance, kernel_distance
from companion.metrics.restoration import PerceptualDistance, psnr
from companion.models.unet import UNet, UNetConfig
from companion.reproduce.ch05.measuring import FAR, SHRINKS, Judge
from companion.reproduce.following import begun, finish_run, points_of
from companion.reproduce.job import Job, Result, over_seeds
from companion.reproduce.statistics import mean_with_interval
from companion.restoration.colour import Uncoloured
from companion.restoration.judging import LabelledByFolder, accuracy, drawn_by, mean_psnr, save_for_critic
from companion.restoration.learners import LESSONS, at_hand, copied, critic, unet
from companion.restoration.measuring import pieces, spectrum
from companion.restoration.pairs import HeldOut, held_out
from companion.restoration.settings import CriticSettings, RestorationGANSettings, RestorationSettings
from companion.restoration.trainer import GANLearnerTrainer, LearnerTrainer

SEEDS = [1, 2, 3]
SIDE = 256  # of the test pictures
EACH = 2  # times that each test photograph is ruined
ENCODER = "efficientnet-lite0"
EYES = "squeezenet-deep-compression"  # what judges: another network than any that was trained with
SMALL = UNetConfig(stages=2, attention=False)  # of a debug run
WIDTH = 16  # of the critic
POINTS = 4  # moments of a run at which it is looked at
LOOKS = (
    (1, 44, 40),
    (4, 60, 70),
)  # shown large: which test picture, and from where, down and right
SQUARE = 96  # pixels that each look is wide
SHOWN = (
    "MSE",
    "MSE + features",
    "GAN",
    "GAN, from scratch",
)  # rows of the first seed whose looks the record keeps


def budget(job: Job) -> dict[str, int]:
    """Steps of each part. All rows but the first have had equally many of the generator's in the end."""
    return {
        "debug": {"frozen": 1, "unfrozen": 2, "further": 2, "critic": 2, "lessons": 2, "tried": 1},
        "laptop": {"frozen": 200, "unfrozen": 1300, "further": 1000, "critic": 1600, "lessons": 100, "tried": 400},
        "gpu": {
            "frozen": 2000, "unfrozen": 13000, "further": 10000, "critic": 4000, "lessons": 600, "tried": 4000
        },
    }[job.budget]  # fmt: skip


def base(job: Job) -> RestorationSettings:
    """What all runs of the chapter share."""
    pets = manifest()["pets"].here and not job.debug
    if not pets and not job.debug:
        print("The pets are not in the cache, so this trains and tests on the embedded photographs alone.")
    settings = RestorationSettings(data="pets" if pets else "embedded", backbone=_features(job))
    sizes: dict[str, dict[str, Any]] = {
        "debug": {"size": 32, "batch": 2},
        "laptop": {},
        "gpu": {"size": 160, "batch": 32, "device": "auto"},
    }
    settings = replace(settings, **sizes[job.budget])
    return replace(settings, device=pick_device(settings.device).type)


def _features(job: Job) -> str:
    return "untrained" if job.debug else ENCODER


def side(job: Job) -> int:
    """Of the pictures that judge a network, which has only seen patches."""
    return 128 if job.debug else SIDE


def eyes(job: Job) -> str:
    """What judges perceptual distances: another network than any that was trained with."""
    return "untrained" if job.debug else EYES


@cache
def photographs(data: str) -> Photos:
    """The photographs that are large enough to test on."""
    return load_photos(data, least=SIDE)


# ---- the runs ----


def finished(
    job: Job, key: str, settings: RestorationSettings, network: UNet, judge: nn.Module | None = None
) -> tuple[LearnerTrainer, list[dict[str, Any]]]:
    """A run in its folder below the job's, brought to its end, and its quality on validation photographs on the way."""
    photos = photographs(settings.data)
    if isinstance(settings, RestorationGANSettings):
        assert judge is not None
        trainer: LearnerTrainer = settings.gan_trainer(network, judge, photos)
    else:
        trainer = settings.trainer(network, photos)
    patches = settings.patches(photos)
    run = begun(job, key, settings.as_json(), photos.fingerprint)
    validation = looked_at(settings.data, settings.damage, side(job))
    every = max(1, settings.steps // POINTS)

    def measured() -> None:
        if trainer.step and trainer.step % every == 0:
            job.once(f"{key}-curve/{trainer.step:06d}", lambda: _point(trainer.step, network, validation))

    finish_run(run, trainer, patches, steps=settings.steps, label=key, each=measured)
    return trainer, points_of(job, key)


def _point(step: int, network: nn.Module, held: HeldOut) -> dict[str, Any]:
    return {"step": step, "psnr": mean_psnr(network, held.pairs)}


@cache
def looked_at(data: str, damage: Damage | Uncoloured, size: int) -> HeldOut:
    """Middles of the validation photographs."""
    return held_out(photographs(data).split("validation"), damage, size, each=2)


def critic_for(job: Job, key: str, settings: RestorationSettings, network: UNet) -> tuple[nn.Module, float]:
    """A critic that has been shown what this network draws, and how often it is right on patches it never saw."""
    steps = budget(job)
    photos = photographs(settings.data)
    patches = replace(settings, seed=settings.seed + 1000).patches(
        photos
    )  # others than the network learnt from
    folder = job.work / f"{key}-pictures"
    if (
        len(list(folder.glob("*/*.png"))) != 2 * patches.batch * steps["lessons"]
    ):  # not begun, or some were lost
        save_for_critic(network, patches, steps["lessons"], folder)
    lessons = LabelledByFolder(folder, settings.size, settings.batch * 2, settings.seed)
    about = CriticSettings(
        data="drawn and real patches",
        size=settings.size,
        batch=settings.batch * 2,
        steps=steps["critic"],
        seed=settings.seed,
        device=settings.device,
    )
    judge = new_critic(job, settings.seed)
    trainer = about.trainer(judge)
    run = begun(job, key, about.as_json(), _checksum(network))
    finish_run(run, trainer, lessons, steps=about.steps, label=key)
    held = looked_at(settings.data, settings.damage, settings.size).pairs
    return judge, accuracy(judge.cpu(), held.target, drawn_by(network, held.input))


def new_critic(job: Job, seed: int) -> nn.Module:
    """A critic that has seen nothing."""
    return critic(8, blocks=1, seed=seed) if job.debug else critic(WIDTH, seed=seed)


def _checksum(network: nn.Module) -> str:
    """Which weights these are."""
    checksum = hashlib.sha256()
    for value in network.state_dict().values():
        checksum.update(value.detach().cpu().contiguous().numpy().tobytes())
    return checksum.hexdigest()[:16]


def fresh(job: Job, seed: int) -> UNet:
    """A U-Net that has seen ImageNet and nothing else; on a GPU the lesson's, where its encoder can be had."""
    if job.debug:
        return unet(SMALL, pretrained=False, seed=seed)
    return unet(at_hand(UNetConfig(resnet=LESSONS if job.budget == "gpu" else 0)), seed=seed)


def pretrained_network(job: Job, seed: int) -> UNet:
    """Squared error alone: first with the encoder frozen, then with all."""
    steps = budget(job)
    settings = replace(base(job), seed=seed)
    network = fresh(job, seed)
    first = replace(settings, frozen=True, steps=steps["frozen"])
    finished(job, f"seed-{seed}/frozen", first, network)
    second = replace(settings, steps=steps["unfrozen"], began="frozen")
    finished(job, f"seed-{seed}/unfrozen", second, network)
    return network


# ---- the comparison ----

FEATURES = 0.02  # of the features' part; after pre-training it pushes 2.5 times as hard as the squared error
RATES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)  # tried for every row that learns, the highest first
PLAIN = ("squared error", "with features")  # starts for which they are tried
GANS = ("pre-trained", "from scratch")  # likewise

ROWS = {
    "bicubic": "as they are given: enlarged by bicubic interpolation",
    "MSE": "squared error alone",
    "MSE + features": "squared error, then with what EfficientNet-Lite0 sees",
    "GAN": "squared error, then a critic beside it, adaptive switching",
    "GAN, fixed": "the same, turn and turn about",
    "GAN, silenced": "the same optimiser and rate, and a critic whose word counts nothing",
    "GAN, from scratch": "the critic from the first step on, no pre-training but ImageNet's",
}


def compared(job: Job) -> Result:
    """All rows over the seeds. What has a record of its own already, a seed or the choice of rates, is not run again.

    Only what “GAN, fixed” differs in from “GAN, silenced” is the critic's: their optimiser is not the one of “MSE”.
    Every stage begins with the first batch again, so rows of one stage meet more different batches than rows of three.

    What would refute “pre-training saves a GAN”: the GAN from scratch, with as many of the generator's steps and the
    better of the rates tried for it, at no greater perceptual distance than the pre-trained one, by more than the
    interval over photographs. What would refute “features or a critic buy perception with distortion”: neither row
    nearer than MSE alone in perceptual distance, or none worse in PSNR.
    """
    judge = _judge(job)
    seeds = SEEDS[:2] if job.debug else SEEDS
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ROWS}
    made: dict[str, dict[str, Any]] = {}  # rows of seeds without a record of their own
    for seed in seeds:
        name = f"restoration-seed-{seed}"
        if _is_recorded(job, name) and pretrained.record(name).settings == _about(job):
            rows = pretrained.details(name)
        else:
            rows = made[str(seed)] = _rows(job, seed, judge)
        for name, row in rows.items():
            found[name].append(row)
    metrics = [*row_metrics(found, judge), *differences(found, judge, PAIRED), _critics(found)]
    floor = job.once(
        "floor", lambda: _floor(judge, photographs(base(job).data).split("validation"), base(job))
    )
    metrics.append(
        Measurement(
            "Fréchet distance: other photographs", floor["frechet"], "originals of the validation split"
        )
    )
    details = {
        "rows": made,
        "shrinks": [round(value, 4) for value in judge.held.shrinks.tolist()],
        "qualities": judge.held.qualities.tolist(),
        "spectrum": floor["spectrum"],
    }
    return Result(_about(job), list(seeds), metrics, details)


def one_seed(seed: int, job: Job) -> Result:
    """All rows of one seed, which `compared` takes from its details: no sitting need be as long as three seeds."""
    judge = _judge(job)
    rows = _rows(job, seed, judge)
    found = {name: [row] for name, row in rows.items()}
    told = tuple(f"{TITLES[key]}: " for key in ("psnr", "distance"))
    metrics = [metric for metric in row_metrics(found, judge) if metric.name.startswith(told)]
    return Result(_about(job), [seed], [*metrics, _critics(found)], rows)


def rates(job: Job) -> Result:
    """Rates for both GANs, tried for equally many steps with one seed: a choice, no claim."""
    return _rates(job, _tried(job, GANS))


def plain_rates(job: Job) -> Result:
    """Rates for squared error, alone and with features, tried likewise."""
    return _rates(job, _tried(job, PLAIN))


def _rates(job: Job, tried: dict[str, dict[str, float]]) -> Result:
    held = len(looked_at(base(job).data, base(job).damage, side(job)).pairs.target)
    protocol = f"{held} validation pictures after {budget(job)['tried']} steps"
    with_eyes = {"psnr": "", "distance": f", {eyes(job)}"}
    metrics = [
        Measurement(
            f"{TITLES[_after(start)]}: {start}, {rate}",
            value,
            f"{protocol}{with_eyes[_after(start)]}; one seed",
        )
        for start, values in tried.items()
        for rate, value in values.items()
    ]
    return Result({**base(job).as_json(), "steps": budget(job)}, [SEEDS[0]], metrics, tried)


def _recorded(job: Job, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The details of a shipped record of the same budget; where there is none, what `make` finds now."""
    return pretrained.details(name) if _is_recorded(job, name) else make()


def _is_recorded(job: Job, name: str) -> bool:
    return name in pretrained.names() and pretrained.record(name).budget == job.budget


def _judge(job: Job) -> Judge:
    """The test pictures, each ruined more than once."""
    settings = base(job)
    return Judge(
        held_out(photographs(settings.data).split("test"), settings.damage, side(job), each=EACH), eyes(job)
    )


def _rows(job: Job, seed: int, judge: Judge) -> dict[str, Any]:
    """Every row of one seed."""
    first = pretrained_network(job, seed)
    rows = {"bicubic": job.once("bicubic", lambda: judge.judge(judge.held.pairs.input))}
    for name, run in _runs(job, seed, _chosen_rates(job)).items():
        rows[name] = _row(job, seed, name, run, first, f"seed-{seed}/critic", judge)
    return rows


def _critics(found: dict[str, list[dict[str, Any]]]) -> Measurement:
    return over_seeds("accuracy of the pre-trained critic", [row["accuracy"] for row in found["GAN"]])


def _about(job: Job) -> dict[str, Any]:
    settings = base(job)
    return {
        **settings.as_json(),
        "precision": "float32",
        "steps": budget(job),
        "rates": _chosen_rates(job),
        "features": FEATURES,
        "photographs": {part: len(photographs(settings.data).split(part)) for part in SPLITS},
    }


def _runs(job: Job, seed: int, rates: dict[str, float]) -> dict[str, RestorationSettings]:
    steps = budget(job)
    settings = replace(base(job), seed=seed, steps=steps["further"], began="unfrozen")
    settings = replace(settings, rate=rates["squared error"])
    gan = _as_gan(settings, rates["pre-trained"])
    all_steps = steps["frozen"] + steps["unfrozen"] + steps["further"]
    return {
        "MSE": settings,
        "MSE + features": replace(settings, rate=rates["with features"], features=FEATURES),
        "GAN": gan,
        "GAN, fixed": replace(gan, below=None),
        "GAN, silenced": replace(gan, below=None, adversarial=0.0),
        "GAN, from scratch": replace(_as_gan(settings, rates["from scratch"]), steps=all_steps, began=""),
    }


def _as_gan(settings: RestorationSettings, rate: float) -> RestorationGANSettings:
    shared = {name: getattr(settings, name) for name in settings.options()}
    return RestorationGANSettings(**{**shared, "rate": rate})


def _row(
    job: Job, seed: int, name: str, settings: RestorationSettings, first: UNet, critic_key: str, judge: Judge
) -> dict[str, Any]:
    """One row of one seed: the run, and how it did on the test pictures."""
    key = f"seed-{seed}/{name}"
    network = copied(first) if settings.began else fresh(job, seed)
    score: dict[str, Any] = {}
    opponent: nn.Module | None = None
    if isinstance(settings, RestorationGANSettings) and settings.began:
        opponent, right = critic_for(job, critic_key, settings, first)
        score["accuracy"] = right
    elif isinstance(settings, RestorationGANSettings):
        opponent = new_critic(job, seed)
    trainer, curve = finished(job, key, settings, network, opponent)
    held = judge.held.pairs
    judged = job.once(f"{key}-judged", lambda: judge.judge(drawn_by(network, held.input)))
    if isinstance(trainer, GANLearnerTrainer):
        score["critic batches a step"] = (trainer.taken - trainer.step) / max(trainer.step, 1)
    if name in SHOWN and seed == SEEDS[0]:
        score |= job.once(f"{key}-looks", lambda: {"looks": _looks(network, held)})
    return {"seed": seed, "curve": curve, **score, **judged}


def looked_into(pictures: Tensor) -> Tensor:
    """The parts of test pictures `(N, 3, H, W)` that the chapter shows large, `(M, 3, SQUARE, SQUARE)`.

    Those of pictures that are not there, as without the pets, are left out.
    """
    square = min(SQUARE, pictures.shape[-1] // 2)
    return torch.stack(
        [
            pictures[at][:, top : top + square, left : left + square]
            for at, top, left in LOOKS
            if at < len(pictures)
        ]
    )


def _looks(network: nn.Module, held: Pair) -> str:
    pictures = held.input.clone()
    wanted = sorted({at for at, _, _ in LOOKS if at < len(pictures)})
    pictures[wanted] = drawn_by(network, held.input[wanted])
    return as_webp(looked_into(pictures))


def _chosen_rates(job: Job) -> dict[str, float]:
    """For each start the best of the rates tried, by what its row is after.

    Squared error alone is after PSNR, all else after perceptual distance.
    """
    gans = _recorded(job, "restoration-rates", lambda: job.once("rates/gans", partial(_tried, job, GANS)))
    plain = _recorded(
        job, "restoration-rates-plain", lambda: job.once("rates/plain", partial(_tried, job, PLAIN))
    )
    chosen = {}
    for start, values in {**plain, **{name: gans[name] for name in GANS}}.items():
        best = max if _after(start) == "psnr" else min
        chosen[start] = float(best(values, key=values.__getitem__))
    return chosen


def _after(start: str) -> str:
    """The score that a row of this start is after: of squared error, that which it is."""
    return "psnr" if start == "squared error" else "distance"


def _tried(job: Job, starts: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """For each start and rate, how near validation pictures then are to their originals, by what the start is after."""
    seed, tried = SEEDS[0], budget(job)["tried"]
    first = pretrained_network(job, seed)
    found: dict[str, dict[str, float]] = {}
    for start in starts:
        found[start] = {}
        for rate in RATES[:2] if job.debug else RATES:
            settings = replace(
                base(job), seed=seed, rate=rate, steps=tried, features=FEATURES * (start == "with features")
            )
            settings = _as_gan(settings, rate) if start in GANS else settings
            settings = replace(settings, began="" if start == "from scratch" else "unfrozen")
            network = copied(first) if settings.began else fresh(job, seed)
            opponent: nn.Module | None = new_critic(job, seed) if start in GANS else None
            if start == "pre-trained":
                opponent, _ = critic_for(job, f"seed-{seed}/critic", settings, first)
            key = f"rates/{start} {rate:g}"
            finished(job, key, settings, network, opponent)
            held = looked_at(settings.data, settings.damage, side(job)).pairs
            nearness = job.once(f"{key}-nearness", partial(_nearness, job, network, held))
            found[start][f"{rate:g}"] = nearness[_after(start)]
    return found


def _nearness(job: Job, network: nn.Module, held: Pair) -> dict[str, Any]:
    drawn = drawn_by(network, held.input)
    distance = float(PerceptualDistance(eyes(job))(drawn, held.target).mean())
    return {"psnr": float(psnr(drawn, held.target).mean()), "distance": distance}


# ---- what the record says ----

TITLES = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "distance": "perceptual distance",
    "inside": "PSNR inside the writing (dB)",
    "outside": "PSNR outside the writing (dB)",
    "far": f"PSNR beyond {FAR} pixels of the writing (dB)",
}
PAIRED = (("MSE", "bicubic"), ("MSE + features", "MSE"), ("GAN", "MSE"), ("GAN", "GAN, silenced"),
          ("GAN, silenced", "MSE"), ("GAN, fixed", "GAN, silenced"), ("GAN", "GAN, fixed"),
          ("GAN", "GAN, from scratch"), ("GAN", "MSE + features"), ("GAN, from scratch", "MSE + features"))  # fmt: skip


def row_metrics(found: dict[str, list[dict[str, Any]]], judge: Judge) -> Iterator[Measurement]:
    """Every row's scores: means over the pictures, then over the seeds."""
    for name, runs in found.items():
        runs = runs[:1] if name == "bicubic" else runs
        for key, title in TITLES.items():
            measured = over_seeds(f"{title}: {name}", [_mean(run["each"][key]) for run in runs])
            yield replace(measured, protocol=_how(judge, measured, key))
        for key, title in (("frechet", "Fréchet distance"), ("kernel", "kernel distance")):
            measured = over_seeds(f"{title}: {name}", [run[key] for run in runs])
            yield replace(measured, protocol=_how(judge, measured, key))
        for low, high in pairwise(SHRINKS):
            of = [index for index, shrink in enumerate(judge.held.shrinks.tolist()) if low <= shrink <= high]
            if of:
                qualities = [_mean([run["each"]["psnr"][index] for index in of]) for run in runs]
                measured = over_seeds(f"PSNR (dB), shrunk {low:g} to {high:g} times: {name}", qualities)
                yield replace(measured, protocol=f"{len(of)} pictures, {measured.protocol}")
        turns = [run["critic batches a step"] for run in runs if "critic batches a step" in run]
        if turns:
            yield over_seeds(f"critic's batches a step: {name}", turns)


def _how(judge: Judge, measured: Measurement, key: str) -> str:
    seen = {
        "distance": f"; {judge.perceptual.protocol}",
        "frechet": f"; {judge.features.protocol}, each picture's quarters",
        "kernel": f"; {judge.features.protocol}, each picture's quarters",
    }
    return f"{judge.protocol}{seen.get(key, '')}; {measured.protocol}"


def differences(
    found: dict[str, list[dict[str, Any]]], judge: Judge, pairs: Iterable[tuple[str, str]]
) -> Iterator[Measurement]:
    """What one row has over another: paired by picture and seed, one number a photograph, and how sure it is."""
    for better, worse in pairs:
        for key in ("psnr", "inside", "outside", "far", "distance"):
            title = TITLES[key]
            apart = [
                _per_photograph(_minus(one["each"][key], other["each"][key]), judge.held.each)
                for one, other in zip(found[better], found[worse], strict=True)
            ]
            of_one = [_mean(list(column)) for column in zip(*apart, strict=True) if None not in column]
            seeds = "one seed" if len(apart) == 1 else f"means over {len(apart)} seeds"
            by_seed = ", ".join(f"{_mean(one):+.3f}" for one in apart)
            protocol = f"{seeds} ({by_seed}), {len(of_one)} photographs, bootstrap over the photographs"
            yield mean_with_interval(f"{title}: {better} over {worse}", of_one, protocol)


def _minus(one: list[float | None], other: list[float | None]) -> list[float | None]:
    return [None if a is None or b is None else a - b for a, b in zip(one, other, strict=True)]


def _per_photograph(values: list[float | None], each: int) -> list[float | None]:
    """Means over the pictures of one photograph; None where none has writing to be restored."""
    groups = [values[first : first + each] for first in range(0, len(values), each)]
    return [_mean(group) if any(value is not None for value in group) else None for group in groups]


def _mean(values: list[float | None]) -> float:
    return fmean(value for value in values if value is not None)


def _floor(judge: Judge, others: Photos, settings: RestorationSettings) -> dict[str, Any]:
    """How far the originals of other photographs lie from these, and what the originals' spectrum is."""
    length = judge.held.pairs.target.shape[-1]
    good = held_out(others, settings.damage, length).pairs.target
    features = judge.features(pieces(good))
    wanted = judge.features(pieces(judge.held.pairs.target[:: judge.held.each]))
    return {
        "frechet": frechet_distance(wanted, features),
        "kernel": kernel_distance(wanted, features)[0],
        "spectrum": [round(value, 5) for value in spectrum(judge.held.pairs.target).tolist()],
    }
