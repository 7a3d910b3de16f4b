"""What the `companion` command can do: each module here declares commands in a dictionary `COMMANDS`, by their words.

A command in a group has two words: “train wgan” stands in the group “train”, which another module declares, so that a
chapter brings its model, its mode or its tool in a module of its own. All modules are imported for `companion --help`:
they import nothing that takes time before a command was chosen.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


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
