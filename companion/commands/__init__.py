"""What the `companion` command can do: each module here declares commands in a dictionary `COMMANDS`, by their words.

A command in a group has two words: “train wgan” stands in the group “train”, which another module declares, so that a
chapter brings its model, its mode or its tool in a module of its own. All modules are imported for `companion --help`:
they import nothing that takes time before a command was chosen.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from companion.errors import CompanionError
from companion.files import shown

if TYPE_CHECKING:
    from companion.settings import Settings

Made = TypeVar("Made")


@dataclass(frozen=True)
class Command:
    """A command as the command line shows and runs it."""

    help: str  # one line, beside its name in the list of commands
    run: Callable[[Namespace], None]
    options: Callable[[ArgumentParser], None] | None = (
        None  # adds them; called only when the command was chosen
    )
    description: str | None = None  # above its options


@dataclass(frozen=True)
class Group:
    """A word that further commands begin with."""

    help: str
    title: str  # of the list of its commands: “models”
    metavar: str  # what stands for one of them: “MODEL”


def add_fields(parser: ArgumentParser, settings: "Settings") -> None:
    """An option for each field of some settings that has a help text; their values are the defaults."""
    for name, about in settings.options().items():
        if about.help is not None:
            (kind,) = settings.types()[name]
            default = getattr(settings, name)
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=kind,
                default=default,
                metavar=about.metavar,
                help=f"{about.help} (default: {default:g})",
            )


def say_results(
    results: Iterable[tuple[Path, Made | CompanionError]], total: int, done: str, say: Callable[[Made], str]
) -> None:
    """Print what became of each file, and at the end which were not done and why.

    Args:
        results: As `companion.files.one_by_one` gives them.
        total: How many files there are.
        done: What was to be done: “restored”.
        say: What is printed of a file's results.

    Raises:
        CompanionError: Some were not done.
    """
    failures = []
    for file, result in results:
        if isinstance(result, CompanionError):
            failures.append(f"  {result}")
        else:
            print(f"{shown(file)} → {say(result)}", flush=True)
    if failures:
        listed = "\n".join(failures)
        raise CompanionError(f"{len(failures)} of {total} files were not {done}:\n{listed}")
