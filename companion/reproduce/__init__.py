"""The long runs behind the book: each makes its record and, where there is one, its weights.

A recipe works in a folder of its own and can be stopped and continued at any time: whatever is finished there is not
done again. What it measured goes into its record, with command, seeds, device, versions and seconds; the book's tables
and several of its figures are made from these files (`companion.records`). A chapter's recipes stand in its module, by
their names in a dictionary `RECIPES`.
"""

from pathlib import Path

from companion.environment import environment, pick_device
from companion.errors import CompanionError, unknown_name
from companion.files import shown
from companion.found import gathered
from companion.models.store import save_model
from companion.records import Record, write_record
from companion.reproduce.job import Job, Recipe

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
    job = Job(work / f"{name}-{budget}", budget)
    for folder in (job.work, out):  # before hours of work, not after
        folder.mkdir(parents=True, exist_ok=True)
    with job.timed():
        result = recipe.make(job)
    if result.model is not None:
        save_model(out / f"{name}.safetensors", result.model, half=True)
    record = Record(
        name=name,
        title=recipe.title,
        chapter=recipe.chapter,
        command=f"companion reproduce {name} --budget {budget}",
        budget=budget,
        seeds=tuple(result.seeds),
        seconds=job.seconds,
        environment=environment(pick_device(str(result.settings.get("device", "cpu")))),
        settings=result.settings,
        metrics=tuple(result.metrics),
    )
    return write_record(out, record, result.details)
