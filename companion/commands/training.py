"""`companion train`: what the commands of all models share.

A model's command takes its options from the fields of its settings (`add_settings`), puts together what was given
(`chosen`) and trains in a run folder (`train`).
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

from companion.commands import Command, Group
from companion.errors import CompanionError
from companion.files import shown

if TYPE_CHECKING:
    from companion.objectives import Objective
    from companion.training.gan import RunSettings
    from companion.training.settings import TrainingSettings

S = TypeVar("S", bound="TrainingSettings")
Budgets = Mapping[str, Mapping[str, Any]]  # for each budget, the settings it changes

RUN_FOLDER = (
    "The run folder gets run.json, metrics.csv, samples/, losses.png, checkpoint/ and, at the end, "
    "generator.safetensors. Ctrl-C is safe: the same command with --resume continues, and the finished run is the "
    "same, bit for bit, as one that was never stopped."
)
COMMANDS: dict[str, Command | Group] = {
    "train": Group("train a model, in a run folder that can be continued", "models", "MODEL"),
}


def add_settings(parser: ArgumentParser, settings: "TrainingSettings", budgets: Budgets) -> None:
    """The options of a run: its folder and budget, and one for each field of its settings that has a help text.

    Args:
        parser: The command's.
        settings: Those whose values are the defaults, where the budget does not say otherwise.
        budgets: What each budget changes; “laptop” is the default.
    """
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FOLDER", help="the run folder")
    changed = ", ".join(dict.fromkeys(name for budget in budgets.values() for name in budget))
    add(
        "--budget",
        choices=budgets,
        default="laptop",
        help=f"sets {changed.replace('_', ' ')} (default: laptop)",
    )
    for name, about in settings.options().items():
        if about.help is None:
            continue
        flag = f"--{name.replace('_', '-')}"
        (kind,) = (kind for kind in settings.types()[name] if kind is not NoneType)
        if kind is bool:
            add(flag, action="store_true", default=None, help=about.help)
        else:
            text = about.help + _default(name, settings, budgets)
            add(flag, type=kind, choices=about.choices or None, metavar=about.metavar, help=text)
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="continue the run in the folder")
    existing.add_argument("--overwrite", action="store_true", help="replace the run in the folder")
    existing.add_argument(
        "--moved",
        action="store_true",
        help="continue it on another device or number of threads: other last digits",
    )


def _default(name: str, settings: "TrainingSettings", budgets: Budgets) -> str:
    """What a field is when nobody chooses: the laptop's where budgets differ, nothing where it is None."""
    if name in budgets["laptop"]:
        return f" (laptop: {budgets['laptop'][name]})"
    value = getattr(_for_commands(settings), name)
    return "" if value is None else f" (default: {value})"


def _for_commands(settings: S) -> S:
    """On the command line the best device is taken unasked; in Python the CPU, where two machines agree."""
    return replace(settings, device="auto")


def chosen(options: Namespace, settings: S, budgets: Budgets) -> S:
    """The run's settings: the model's own, then the budget's, then what was given.

    Raises:
        CompanionError: Some setting cannot be, or the device is not there.
    """
    from companion.environment import pick_device

    names = settings.options()
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    settings = replace(_for_commands(settings), **{**budgets[options.budget], **given})
    return replace(settings, device=str(pick_device(settings.device)))


def by_name(*kinds: "type[Objective]") -> "dict[str, type[Objective]]":
    """Objectives by what the command line calls them: `WassersteinGP` is wasserstein-gp."""
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower(): kind for kind in kinds}


def train_on_images(options: Namespace, settings: "RunSettings") -> None:
    """Train a generator and a critic on images, in a run folder."""
    from companion.data.catalogue import ImageSet, named
    from companion.training.gan import build, shuffled

    if settings.data not in named(ImageSet):
        refuse_own_samples(options.out, settings.data)
    trainer, images = build(settings)
    say_skipped(len(images), images.skipped, "unreadable")
    train(options, settings, trainer, shuffled(images, settings), images.fingerprint)


def refuse_own_samples(out: Path, folder: str) -> None:
    """Refuse a run folder below the folder of pictures it is to learn from.

    Raises:
        CompanionError: It lies there; or no folder was named, or a set that there is not.
    """
    from companion.data.catalogue import ImageSet
    from companion.data.catalogue import folder as named_folder

    if out.resolve().is_relative_to(named_folder(folder, ImageSet).resolve()):
        raise CompanionError(
            f"The run folder {shown(out)} lies within the pictures in {shown(folder)}, so the run would read its own "
            "samples; choose an --out elsewhere."
        )


def say_skipped(count: int, skipped: tuple[str, ...], why: str) -> None:
    """Tell which pictures of a folder were left out, if any."""
    if skipped:
        from companion.data.reading import named

        print(f"{count} pictures read; left out ({why}): {named(skipped)}")


def train(
    options: Namespace, settings: "TrainingSettings", trainer: Any, batches: Any, fingerprint: str
) -> None:
    """Train in the run folder with a progress bar, until done or stopped.

    Raises:
        CompanionError: The folder holds something else, or the run cannot go on.
        KeyboardInterrupt: It was stopped, and can be continued.
    """
    from companion.training.progress import progress
    from companion.training.runs import Run
    from companion.training.stopping import AT_ONCE, stop_requested

    processes = trainer.workshop.processes
    run = Run.start(
        options.out,
        settings.as_json(),
        fingerprint,
        resume=options.resume or options.moved,
        overwrite=options.overwrite,
        moved=options.moved,
        processes=processes,
    )
    if options.resume and run.first_step == 0 and processes.main:
        print(f"There is no checkpoint in {shown(options.out)} to continue from: the run begins at step 1.")
    reports = run.train(trainer, batches, steps=settings.steps)
    label = options.command.split()[-1]
    with_bar = progress(reports, total=settings.steps, start=run.first_step, label=label, leave=True)
    try:
        with stop_requested(f"Stopping after this step; {AT_ONCE}." if processes.main else "") as stop:
            for _ in with_bar if processes.main else reports:
                asked = processes.agree(stop.requested)
                if asked and trainer.step < settings.steps:  # else it ends by itself, with all its files
                    reports.close()
                    break
    except KeyboardInterrupt:
        if processes.main:
            print(_at_once(run.kept))
        raise
    if not processes.main:
        return
    if trainer.step < settings.steps:
        print(
            f"Stopped after step {trainer.step} of {settings.steps}; the same command with --resume continues."
        )
        raise KeyboardInterrupt
    samples, losses = (shown(options.out / name) for name in ("samples", "losses.png"))
    print(f"{settings.steps} steps are done: look at {samples} and {losses}.")


def _at_once(kept: int) -> str:
    """What is left of a run that was stopped within a step."""
    if kept:
        return f"Stopped at once; all up to step {kept} is kept, and the same command with --resume continues there."
    return "Stopped at once, before the first checkpoint; the same command with --resume begins at step 1."
