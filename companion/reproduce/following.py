"""Training runs below a job's folder, and runs measured on their way."""

import csv
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from companion.data import Images
from companion.environment import pick_device
from companion.files import remove_folder, shown
from companion.metrics import DigitFeatures, Measurement, frechet_distance
from companion.randomness import generator
from companion.reproduce.job import Job, stored
from companion.training.adversarial import AdversarialTrainer
from companion.training.gan import RunSettings, build, shuffled
from companion.training.progress import progress
from companion.training.runs import DamagedRun, Run, Ways
from companion.training.stopping import AT_ONCE, stop_requested
from companion.training.supervised import Lessons
from companion.training.trainer import Batches, Trainer

POINTS = ("quality", "curve")  # what was measured of a run on its way lies in a folder with such an ending
WAYS = Ways(go_on="give the same command again", elsewhere="choose another --work", moved="")


def followed(
    job: Job,
    key: str,
    settings: RunSettings,
    quality: Callable[[AdversarialTrainer], dict[str, Any]],
    *,
    every: int,
) -> tuple[AdversarialTrainer, Run, list[dict[str, Any]]]:
    """A finished run in its folder below the job's, and what `quality` said of it on its way."""

    def point(trainer: AdversarialTrainer) -> dict[str, Any]:
        return {"step": trainer.step, **quality(trainer)}

    def measured(trainer: AdversarialTrainer) -> None:
        if trainer.step and (trainer.step % every == 0 or trainer.step == settings.steps):
            job.once(f"{key}-quality/{trainer.step:06d}", partial(point, trainer))

    trainer, run = finished_run(job, key, settings, measured)
    return trainer, run, points_of(job, key)


def points_of(job: Job, key: str) -> list[dict[str, Any]]:
    """What was measured of a run on its way, in the order of its steps."""
    return [point for path in _files_of_points(job, key) if (point := stored(path)) is not None]


def _files_of_points(job: Job, key: str) -> list[Path]:
    return sorted(path for kind in POINTS for path in (job.work / f"{key}-{kind}").glob("*.json"))


def _start_again_if_damaged(job: Job, key: str) -> None:
    """A damaged measurement can only be made again where it was made: the run begins anew, the sound ones stay."""
    damaged = [path for path in _files_of_points(job, key) if stored(path) is None]
    if damaged:
        with suppress(FileNotFoundError):
            remove_folder(job.work / key)
    for path in damaged:  # after the run: a kill in between must not leave a run that is past them
        path.unlink()


def begun(job: Job, key: str, settings: dict[str, Any], data: str) -> Run:
    """A run in its folder below the job's, to be continued if it is there; a damaged one begins anew.

    `data` tells the data's version.
    """
    _start_again_if_damaged(job, key)
    folder = job.work / key
    ways = replace(WAYS, anew=f"delete {shown(folder)} and {WAYS.go_on}")
    start = partial(Run.start, folder, settings, data, resume=True, ways=ways)
    try:
        return start()
    except DamagedRun:
        print(f"The run in {shown(folder)} is damaged, so it begins anew.")
        remove_folder(folder)
        return start()


def trained(
    job: Job, key: str, settings: RunSettings, reference: Images, *, every: int, count: int
) -> tuple[AdversarialTrainer, list[dict[str, Any]]]:
    """A finished run of digits, and how far both its generators were from the reference on its way, with its losses."""
    extractor = DigitFeatures()
    real = extractor(chosen(reference, count))

    def quality(trainer: AdversarialTrainer) -> dict[str, Any]:
        averaged = frechet_distance(real, extractor(trainer.sample(count, seed=0)))
        live = frechet_distance(real, extractor(trainer.sample(count, seed=0, live=True)))
        return {"frechet": averaged, "frechet_live": live}

    trainer, run, curve = followed(job, key, settings, quality, every=every)
    return trainer, [{**point, **_mean_losses(run.folder, point["step"], every)} for point in curve]


def chosen(images: Images, count: int) -> Tensor:
    """So many images of a set, `(count, C, H, W)`, at random: MNIST's test part begins with the neater writers."""
    return images[torch.randperm(len(images), generator=generator(0, "chosen images"))[:count]]


def finished_run(
    job: Job, key: str, settings: RunSettings, each: Callable[[AdversarialTrainer], None]
) -> tuple[AdversarialTrainer, Run]:
    """A run in its folder below the job's, brought to its end; `each` is called after every step, and at the start."""
    settings = replace(settings, device=pick_device(settings.device).type)
    trainer, images = build(settings)
    run = begun(job, key, settings.as_json(), images.fingerprint)
    finish_run(
        run, trainer, shuffled(images, settings), steps=settings.steps, label=key, each=lambda: each(trainer)
    )
    return trainer, run


def learnt(job: Job, lessons: Lessons, settings: dict[str, Any], *, data: str) -> nn.Module:
    """What a supervised training leaves, made in a run's folder below the job's; `data` tells the data's version."""
    about = {"device": str(lessons.trainer.device), "steps": lessons.steps, **settings}
    run = begun(job, "run", about, data)
    finish_run(run, lessons.trainer, lessons.batches, steps=lessons.steps, label=job.work.name)
    (model,) = lessons.trainer.products().values()
    return model


def finish_run(
    run: Run,
    trainer: Trainer[Any],
    batches: Batches[Any],
    *,
    steps: int,
    label: str,
    each: Callable[[], None] = lambda: None,
) -> None:
    """Bring a run to its end with a progress bar; `each` is called after every step, and at the start.

    Raises:
        KeyboardInterrupt: Somebody asked to stop; the checkpoint is written.
    """
    run.restore(trainer)
    each()  # if the last sitting ended in it
    reports = run.train(trainer, batches, steps=steps)
    with stop_requested(f"Stopping after this step; {AT_ONCE}.") as stop:
        for _ in progress(reports, total=steps, start=run.first_step, label=label):
            each()
            if stop.requested:
                reports.close()
                raise KeyboardInterrupt


def _mean_losses(folder: Path, step: int, window: int) -> dict[str, float]:
    """Means over the steps up to `step`, from the run's file: it is whole however often the run was stopped."""
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as rows:
        recent = list(csv.DictReader(rows))[max(0, step - window) : step]
    return {name: fmean(float(row[name]) for row in recent) for name in ("critic_loss", "generator_loss")}


GENERATORS = {"frechet_live": "live generator", "frechet": "averaged generator"}


def rank_correlation(
    name: str, curve: list[dict[str, Any]], part: str, distance: str = "frechet_live"
) -> Measurement:
    """Does a loss order the moments of a run as the Fréchet distance does?

    `distance` is one of `GENERATORS`: the weights as they were, or their moving average.
    """
    found = spearmanr([point[name] for point in curve], [point[distance] for point in curve]).statistic
    protocol = (
        f"Spearman's ρ with the {GENERATORS[distance]}'s Fréchet distance, {len(curve)} points of one run"
    )
    return Measurement(f"rank correlation of the {name.replace('_', ' ')}, {part}", float(found), protocol)
