"""Whether a model puts colour into grey photographs, which no weight tells (chapter 5)."""

from contextlib import suppress
from pathlib import Path

from companion import pretrained
from companion.errors import CompanionError
from companion.training.runs import read_run


def paints(name: str) -> bool:
    """Whether the run behind a model learnt from photographs without colour.

    Args:
        name: A pretrained run, or a run's folder; of a lone file nothing is known, and it is taken not to.
    """
    settings: dict[str, object] = {}
    with suppress(CompanionError):
        folder = Path(name)
        settings = read_run(folder).settings if folder.is_dir() else dict(pretrained.record(name).settings)
    damage = settings.get("damage")
    return isinstance(damage, dict) and damage.get("name") == "Uncoloured"
