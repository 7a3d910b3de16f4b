"""The `companion` command. Every error a reader can mend is one sentence and exit code 2."""

import argparse
import codecs
import errno
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from companion import __version__
from companion.commands import Command, Group
from companion.errors import CompanionError, unknown_name
from companion.files import shown
from companion.found import gathered
from companion.interrupts import heard_once, winds_up
from companion.settings import SettingError

OUT_OF_MEMORY = re.compile(
    "out of memory|can't allocate memory|Storage size calculation overflowed|Overflow when unpacking|"
    "int too (big|large) to convert"
)
NO_COMPILER = re.compile("No working C\\+\\+ compiler|InvalidCxxCompiler|Failed to find C compiler")
WITHOUT_COMPILER = (
    "--compiled needs a C++ compiler, and this machine has none; install one (on Debian and Ubuntu: apt-get install "
    "g++), or leave --compiled out."
)
PRINTABLE = "companion.printable"  # how a stream treats letters that it cannot write


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 something to mend, 130 stopped.

    Without arguments, those of the process are taken, and the process is to end with the command.
    """
    with heard_once(to_the_end=arguments is None):
        try:
            return _told(arguments)
        except KeyboardInterrupt:
            winds_up()
            print("\ncompanion: stopped.", file=sys.stderr)
            return 130


def _told(arguments: Sequence[str] | None) -> int:
    """The exit code, every error a reader can mend told."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or a pipe may not know “✓” or “×”
            stream.reconfigure(errors=PRINTABLE)
    try:
        parsed = _parser().parse_args(arguments)
        parsed.run(parsed)
    except SettingError as error:
        option = error.field.replace("_", "-")
        print(f"companion: The option --{option} {error.trouble}", file=sys.stderr)
        return 2
    except CompanionError as error:
        print(f"companion: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has seen enough
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 1
    except (
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:  # torch's, of huge numbers
        if NO_COMPILER.search(str(error)):
            print(f"companion: {WITHOUT_COMPILER}", file=sys.stderr)
            return 2
        if not isinstance(error, MemoryError) and not OUT_OF_MEMORY.search(str(error)):
            raise
        print(
            "companion: The memory is too small for this; choose a smaller --batch, --width or --size.",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        print(f"companion: {_about(error)}", file=sys.stderr)
        return 2
    return 0


def _printable(error: UnicodeError) -> tuple[str, int]:
    """What is printed for letters that a terminal does not know: the bytes of a name that were none, else “?”."""
    assert isinstance(error, UnicodeEncodeError)
    codes = map(ord, error.object[error.start : error.end])
    return "".join(
        f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else "?" for code in codes
    ), error.end


codecs.register_error(PRINTABLE, _printable)


def _about(error: OSError) -> str:
    """One sentence for what the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and give the command again."
    place = f" at {shown(error.filename)}" if error.filename else ""
    return (
        f"The system refused something{place}: {error.strerror or error}; check the path and its permissions."
    )


class _Parser(argparse.ArgumentParser):
    """Errors in our own form, one sentence, what to do, exit code 2; a command's options once it was chosen."""

    def __init__(self, command: Command | None = None, **about: Any) -> None:
        super().__init__(**about)
        self.command = command

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Only the chosen command's parser comes here: it adds the options, whose defaults may lie in slow modules."""
        if self.command is not None and self.command.options is not None:
            self.command.options(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> Any:
        sentence = message[:1].upper() + message[1:]
        print(f"companion: {sentence}; see {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="companion",
        description="The code behind the course “Generative Vision, Hands On”.",
        epilog="Begin with: companion doctor",
    )
    parser.add_argument("--version", action="version", version=f"companion {__version__}")
    groups = {"": parser.add_subparsers(title="commands", required=True, metavar="COMMAND")}
    for name, declared in sorted(
        gathered("companion.commands", "COMMANDS").items()
    ):  # a group, then its commands
        group, _, word = name.rpartition(" ")
        if group not in groups:
            raise unknown_name("group of commands", group, groups)
        if isinstance(declared, Group):
            words = groups[group].add_parser(word, help=declared.help)
            groups[name] = words.add_subparsers(title=declared.title, required=True, metavar=declared.metavar)
        else:
            command = groups[group].add_parser(
                word, help=declared.help, description=declared.description, command=declared
            )
            command.set_defaults(run=declared.run, command=name)
    return parser
