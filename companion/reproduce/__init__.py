"""The long runs behind the book: each makes its record and, where there is one, its weights.

A recipe works in a folder of its own and can be stopped and continued at any time: whatever is finished there is not
done again. What it measured goes into its record, with command, seeds, device, versions and seconds; the book's tables
and several of its figures are made from these files (`companion.records`). A chapter's recipes stand in its module, by
their names in a dictionary `RECIPES`.
"""

from glob import escape
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from companion import pretrained
from companion.environment import environment, pick_device
from companion.errors import CompanionError, unknown_name
from companion.files import locked, put_in_place, remove_unfinished, shown
from companion.found import gathered
from companion.models.store import save_model
from companion.records import Record, write_record
from companion.reproduce.job import Job, Recipe, Result

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")


def reproduce(name: str, out: Path, work: Path, *, budget: str = "laptop", overwrite: bool = False) -> Path:
    """Run a recipe, or continue it, and write its record (and weights) into `out`.

    Args:
        name: One of `RECIPES`.
        out: Folder for the record, its details and `NAME.safetensors`.
        work: Folder the recipe works in; kept, so that a stopped run can go on.
        budget: “laptop”, “gpu”, or “debug”, which shows in a minute that everything runs.
        overwrite: Replace an older record in `out`.

    Returns:
        The record's path.
    """
    if name not in RECIPES:
        raise unknown_name("run", name, RECIPES)
    place = out / f"{name}.json"
    if place.exists() and not overwrite:
        raise CompanionError(f"There is a record at {shown(place)} already; replace it with --overwrite.")
    recipe = RECIPES[name]
    weights = {shipped: pretrained.checksum(shipped) for shipped in recipe.of}
    job = Job(work / f"{name}-{budget}", budget, weights)
    with (
        locked(job.work),
        locked(place),
    ):  # the places are found to be writable before hours of work, not after
        job.work.mkdir(parents=True, exist_ok=True)
        remove_unfinished(job.work)
        with job.timed():
            result = recipe.make(job)
        return _published(out, name, _record(job, name, result), result)


def _record(job: Job, name: str, result: Result) -> Record:
    how = "--debug" if job.debug else f"--budget {job.budget}"
    weights = {"weights": job.weights} if job.weights else {}
    return Record(
        name=name,
        title=RECIPES[name].title,
        chapter=RECIPES[name].chapter,
        command=f"companion reproduce {name} {how}",
        budget=job.budget,
        seeds=tuple(result.seeds),
        seconds=job.seconds,
        environment=environment(pick_device(str(result.settings.get("device", "cpu")))),
        settings={**result.settings, **weights},
        metrics=tuple(result.metrics),
    )


def _published(out: Path, name: str, record: Record, result: Result) -> Path:
    """Write all files beside their places, and move them there when they are whole, the record last.

    An older record goes before that: rather none than one beside the weights of another run.
    """
    place = out / f"{name}.json"
    for left in out.glob(f".{escape(name)}.*.part"):
        rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=out, prefix=f".{name}.", suffix=".part") as folder:
        ready = Path(folder)
        if result.model is not None:
            save_model(ready / f"{name}.safetensors", result.model, half=True)
        write_record(ready, record, result.details)
        place.unlink(missing_ok=True)
        for file in sorted(ready.iterdir(), key=lambda file: file.name == place.name):
            put_in_place(file, out / file.name)
    return place
