"""Chapter 5's command: ruin good pictures, so that a network can learn the way back."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from companion.commands import Command, add_fields
from companion.errors import CompanionError
from companion.files import shown


def _options(parser: ArgumentParser) -> None:
    from companion.data.crappify import Damage

    add = parser.add_argument
    add("pictures", type=Path, metavar="IN", help="a folder of pictures, searched with its subfolders")
    add("out", type=Path, metavar="OUT", help="where the ruined ones go; made if missing")
    add("--masks", type=Path, metavar="FOLDER", help="also save where the writing lies, white on black")
    add_fields(parser, Damage())


def _crappify(options: Namespace) -> None:
    from tqdm.auto import tqdm

    from companion.data.crappify import Damage, count, crappify

    chosen = {name: value for name, value in vars(options).items() if name in Damage.options()}
    outcomes = crappify(options.pictures, options.out, Damage(**chosen), masks=options.masks)
    bar = tqdm(outcomes, total=count(options.pictures), desc="crappify", unit="picture", leave=False)
    found = list(bar)
    unreadable = [outcome.name for outcome in found if not outcome.readable]
    written = sum(outcome.written for outcome in found)
    there = len(found) - written - len(unreadable)
    print(f"{written} pictures ruined, {there} were there already: look at {shown(options.out)}.")
    if unreadable:
        listed = "\n".join(f"  {shown(name)}" for name in unreadable)
        raise CompanionError(f"{len(unreadable)} of {len(found)} files could not be read:\n{listed}")


COMMANDS = {
    "crappify": Command(
        "ruin good pictures, for a network that learns to restore them",
        _crappify,
        _options,
        "Ruin every picture below a folder: shrunk by a random factor, written over with a number or a word, stored as "
        "a poor JPEG, and enlarged again. What happens to a picture depends on the seed and its name alone, so a "
        "second run or a second machine makes the same. What is there already is left alone, so Ctrl-C is safe: the "
        "same command goes on. The pictures themselves are never touched.",
    ),
}
