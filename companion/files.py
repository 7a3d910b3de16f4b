"""Files on disk: an old one stays whole until the new one is, and every name can be shown.

What the package writes, it writes through this module: into a hidden `.part` file beside its place, forced to the
disk, and then renamed, which a file system does in one go. Whatever comes between (Ctrl-C, a kill, a full disk), a
reader meets the old file or the new one, never half of one.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from glob import escape
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar

from companion.errors import CompanionError

Made = TypeVar("Made")

AGAIN = "try again"
LONGEST = 50  # letters of a name that its part's name repeats
LONGEST_LINE = 400  # characters: a measurement of a record, with its protocol
LONGEST_NAME = 255  # bytes, at which file systems stop
_number = count()  # of the parts that this process has begun


@contextmanager
def replacing(path: Path, *, then: str = AGAIN) -> Iterator[BinaryIO]:
    """A new file's bytes, written in the block; on leaving it they take the place of `path`, whose folder is made.

    An error raised in the block leaves what was there as it was, so the block is the place for last refusals.

    Args:
        path: Where the file is to stand.
        then: What to do once there is room again: the end of the sentence about a disk that refuses.

    Raises:
        CompanionError: The disk is full, or the place cannot be written.
    """
    # no two processes share one, nor two files of one process whose long names begin alike
    part = path.with_name(f".{path.name[:LONGEST]}.{os.getpid()}x{next(_number)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise unwritable(path, error, then=then) from None
    finally:
        with suppress(OSError):  # renamed, or never made
            part.unlink()


@contextmanager
def together(places: Sequence[Path]) -> Iterator[list[Path]]:
    """Where to write a file for each place; on leaving the block they appear there, all of them, or none.

    Args:
        places: In one folder, which is there; nothing stands at them.

    Raises:
        CompanionError: Something stands at one of them by then.
    """
    with TemporaryDirectory(dir=places[0].parent, prefix=".", suffix=f".{os.getpid()}.part") as hidden:
        parts = [Path(hidden) / place.name for place in places]
        yield parts
        refuse_existing(*places)
        try:
            for part, place in zip(parts, places, strict=True):
                put_in_place(part, place)
        except BaseException:  # Ctrl-C, too: what has gone from among the parts is ours
            for part, place in zip(parts, places, strict=True):
                if not part.exists():
                    place.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, content: bytes, *, then: str = AGAIN) -> None:
    """Write a file in one go; arguments and errors as for `replacing`."""
    with replacing(path, then=then) as file:
        file.write(content)


def write_text(path: Path, content: str, *, then: str = AGAIN) -> None:
    """Write text as UTF-8, its line ends as they are, the same on every system.

    What UTF-8 has no letters for, such as a name of other bytes, is written as an escape; in JSON that reads back as
    what it was.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"), then=then)


def write_json(path: Path, content: Any, *, then: str = AGAIN) -> None:
    """Write JSON that people can read; arguments and errors as for `replacing`."""
    plain = json.loads(json.dumps(content))  # names of any kind are text, tuples are lists
    write_text(path, _laid_out(plain) + "\n", then=then)


def _laid_out(content: Any, before: str = "") -> str:
    """JSON in which whatever fits on a line stands on one."""
    line = json.dumps(content, ensure_ascii=False)
    if len(before) + len(line) <= LONGEST_LINE or not isinstance(content, dict | list):
        return line
    deeper = before + " "
    if isinstance(content, dict):
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}: {_laid_out(each, deeper)}"
            for name, each in content.items()
        ]
    else:
        parts = [_laid_out(each, deeper) for each in content]
    opened, closed = "{}" if isinstance(content, dict) else "[]"
    return f"{opened}\n" + ",\n".join(deeper + part for part in parts) + f"\n{before}{closed}"


def unwritable(path: Path, error: OSError, *, then: str = AGAIN) -> CompanionError:
    """An error for a file or folder that the system refuses to write, a full disk above all."""
    return CompanionError(
        f"Could not write {shown(path)} ({error.strerror or error}); "
        f"free some space or choose another folder, then {then}."
    )


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Keep other processes from making what is to stand at a place; a process that dies keeps nobody out.

    Raises:
        CompanionError: Another process is making it, or the folder around it cannot be made.
    """
    from filelock import FileLock, Timeout  # imports much that a reader of a help text need not wait for

    lock = FileLock(place.with_name(f".{place.name[:LONGEST]}.lock"), blocking=False)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise CompanionError(
            f"Another process is writing {shown(place)}; wait for it, or choose another place."
        ) from None
    except OSError as error:
        raise unwritable(place, error) from None
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release(force=True)


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A folder that is filled in the block, beside its place, and takes it whole on leaving; nothing may be there yet.

    Whatever breaks the block off, nothing stands at the place; what a kill leaves is hidden, and goes the next time.

    Raises:
        CompanionError: Something is there, another process is filling it, or the disk refuses.
    """
    place = place.resolve()
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    with locked(place):
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise CompanionError(f"{shown(place)} is not an empty folder; give a new one.")
        if place == Path.cwd():
            raise CompanionError(f"{shown(place)} is where you stand; give a new folder in it.")
        for left in place.parent.glob(f".{escape(place.name)}.*.part"):
            rmtree(left, ignore_errors=True)
        try:
            part.mkdir()
            yield part
            put_in_place(part, place)
        except OSError as error:
            raise unwritable(place, error) from None
        finally:
            rmtree(part, ignore_errors=True)


def put_in_place(ready: Path, place: Path) -> None:
    """Give a file or folder that is complete its name, on the same disk; a folder there must be an empty one."""
    os.replace(ready, place)


def remove_unfinished(folder: Path) -> None:
    """Delete the parts that killed processes left in a folder and below; for a folder nobody else is writing to."""
    for part in [*folder.rglob(".*.part")]:
        with suppress(OSError):
            rmtree(part) if part.is_dir() else part.unlink()


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it; killed on the way, it is there or not, and never half."""
    part = folder.with_name(f".{folder.name[:LONGEST]}.{os.getpid()}.part")
    os.replace(folder, part)
    rmtree(part, ignore_errors=True)


def fitting(stem: str, suffix: str) -> str:
    """A file's name that ends in the suffix, its stem cut to what file systems take."""
    while len(os.fsencode(stem + suffix)) > LONGEST_NAME:
        stem = stem[:-1]
    return stem + suffix


def free_names(file: Path, suffixes: Sequence[str], taken: Set[str]) -> list[str]:
    """Names for a file's results: its own with each suffix or, beside results of that name, its own suffix before it.

    Args:
        file: What the results were made of.
        suffixes: Of the results, one each.
        taken: The names that others have, casefolded: some systems tell no large letters from small ones.
    """
    names, number = [fitting(file.stem, suffix) for suffix in suffixes], 1
    while not taken.isdisjoint(name.casefold() for name in names):
        mark = f"-{number}" if number > 1 else ""
        names = [fitting(file.name, mark + suffix) for suffix in suffixes]
        number += 1
    return names


def one_by_one(
    files: Iterable[Path], folder: Path, make: Callable[[Path, set[str]], Made]
) -> Iterator[tuple[Path, Made | CompanionError]]:
    """Make each file's results in a folder; yields the file with what was made, or with why it was not.

    Args:
        files: One bad file never costs the others.
        folder: Where the results go; made if missing.
        make: From a file, and the casefolded names that its results may not have, to what it makes; adds its own.

    Raises:
        CompanionError: There is a file in the folder's place, or it cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise CompanionError(f"There is a file at {shown(folder)}; choose another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    taken: set[str] = set()
    for file in files:
        try:
            yield file, make(file, taken)
        except CompanionError as error:
            yield file, error
        except OSError as error:
            yield file, unwritable(folder, error)


def begin_or_go_on(folder: Path, note: str, how: Mapping[str, Any], results: Set[str]) -> None:
    """Note in a folder how its files are made, or refuse one that holds others: nobody's folder becomes a mixture.

    Files that begin with a dot are none that were meant to be there.

    Args:
        folder: Made if missing.
        note: The note's name.
        how: All that decides what the files look like, as JSON holds it.
        results: The names within the folder, with slashes, that files made so may have.

    Raises:
        CompanionError: Files were made there in another way, or others lie there.
    """
    begun = folder / note
    if begun.is_file():
        try:
            noted = json.loads(begun.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            noted = None
        if noted != how:
            raise CompanionError(
                f"What lies in {shown(folder)} was made with {_differing(noted, how)}; "
                "give the same ones, or another folder."
            )
    known = {*results, note} if begun.is_file() else set()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if file.is_file() and name.as_posix() not in known and not name.name.startswith("."):
            raise CompanionError(
                f"{shown(file)} is not what this call would make there; give a new folder, or take that file away."
            )
    if not begun.is_file():
        write_json(begun, how)


def _differing(noted: Any, how: Mapping[str, Any]) -> str:
    """How what was noted differs, in a few words."""
    if not isinstance(noted, dict):
        return "other settings"
    apart = [f"{name} {noted.get(name)}" for name in how if noted.get(name) != how[name]]
    return f"other settings ({shown(', '.join(apart))})" if apart else "other settings"


def refuse_existing(*places: Path) -> None:
    """Refuse to write where something is already.

    Raises:
        CompanionError: Names the first place that is taken.
    """
    if old := next((place for place in places if place.exists()), None):
        raise CompanionError(
            f"There is a file at {shown(old)} already, and it is not overwritten; choose another --out."
        )


def shown(name: str | os.PathLike[str]) -> str:
    r"""A file's name as it can be printed on a line and stored as UTF-8, whatever its bytes are.

    Bytes that are no UTF-8 become `\xe9`, and so do letters that do not print. A name that a system read in another
    encoding than UTF-8 appears as it was meant. Ordinary names stay as they are.
    """
    raw = os.fspath(name)
    try:
        text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a pair, which Windows allows in names
        text = raw.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
