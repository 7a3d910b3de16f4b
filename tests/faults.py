"""A disk that fills, and a process that is killed, at each file operation in turn."""

import builtins
import errno
import gc
import hashlib
import io
import os
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from itertools import count
from pathlib import Path

import pytest

WRITING = ("mkdir", "replace", "rename", "fsync")  # what a full disk refuses
CHANGING = ("mkdir", "replace", "rename", "unlink", "remove", "rmdir")  # what a kill may come before
TIMES = re.compile(rb'"seconds": [0-9.]+')
MOST = 200  # operations of one command: more is a loop


def _after(act: Callable[[], None], name: str) -> Callable[..., object]:
    real = getattr(os, name)

    def operation(*arguments: object, **options: object) -> object:
        if options.get("dir_fd") is not None or not _idle(name, arguments[0]):
            act()
        return real(*arguments, **options)

    return operation


def _idle(name: str, place: object) -> bool:
    """Whether it changes nothing: to make a folder that is there, to delete a file that is not."""
    if name == "mkdir":
        return os.path.lexists(place)
    return name in ("unlink", "remove") and isinstance(place, str | Path) and not os.path.lexists(place)


@contextmanager
def before_each(names: tuple[str, ...], act: Callable[[], None]) -> Iterator[None]:
    """Call `act` before every operation of these names, and before every file that is opened for writing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, _after(act, name))
        real = builtins.open

        def opened(file: object, mode: str = "r", *arguments: object, **options: object) -> object:
            if set(mode) & set("wxa+") and file != os.devnull:
                act()
            return real(file, mode, *arguments, **options)

        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        yield


def apart(body: Callable[[], object]) -> int:
    """The status of a forked child that did this: 0 if it came to its end, 256 after an exception.

    Who forks must have no threads of its own, which films and their libraries bring: they stay in children.
    """
    child = os.fork()
    if child == 0:
        gc.freeze()  # the collector would touch, and so copy, all that the two share
        try:
            body()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_at(number: int, command: Callable[[], object]) -> bool:
    """Run it in a child that is killed before its operation of this number; False if it has fewer."""
    left = [number]

    def act() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def body() -> None:
        with before_each(CHANGING, act):
            command()

    status = apart(body)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def full_from(number: int, command: Callable[[], int]) -> tuple[bool, int]:
    """Run it on a disk that is full from its operation of this number on; whether it came so far, and the exit code."""
    left = [number]

    def act() -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    with before_each(WRITING, act):
        code = command()
    return left[0] <= 0, code


class Looking:
    """Looks at what is left, at each state once: many operations leave what others have left."""

    def __init__(self, look: Callable[[Path], None]) -> None:
        self.look = look
        self.seen: set[str] = set()

    def __call__(self, place: Path) -> None:
        state = _state(place)
        if state not in self.seen:
            self.seen.add(state)
            self.look(place)


def _state(place: Path) -> str:
    """All names and contents below a place, whoever wrote them and however long it took; of parts the names alone."""
    found = []
    for path in sorted(place.rglob("*")):
        name = re.sub(r"\.\w+\.part\b", ".part", path.relative_to(place).as_posix())
        content = path.read_bytes() if path.is_file() and not name.endswith(".part") else b""
        found.append(f"{name} {hashlib.sha256(TIMES.sub(b'', content)).hexdigest()}")
    return "\n".join(found)


def survives(
    tmp_path: Path,
    command: Callable[[Path], int],
    look: Callable[[Path], None],
    before: Callable[[Path], object] = Path.mkdir,
) -> tuple[int, int]:
    """Kill it, and then fill the disk, at each operation in turn; how many kills and failures that were.

    On a full disk it says so in one sentence and ends with code 2, or all is well.

    Args:
        tmp_path: Where the places lie, one for each try.
        command: Works in a place.
        look: Looks at what is left there, which must be nothing half, and no obstacle to going on.
        before: Makes the place, with whatever the command is to find there.
    """
    killed = [*_killed(tmp_path, command, before)]
    note = tmp_path / "note"

    def inside() -> None:  # a single child for all: a fork costs more than most commands
        looking = Looking(look)
        for place in killed:
            looking(place)
        note.write_text(str(_on_a_full_disk(tmp_path, command, looking, before)))

    assert apart(inside) == 0
    return len(killed) - 1, int(note.read_text())


def _killed(
    tmp_path: Path, command: Callable[[Path], object], before: Callable[[Path], object]
) -> Iterator[Path]:
    """What each kill leaves, and at last what the whole command does."""
    again = True
    for number in count(1):
        if not again:
            return
        assert number < MOST
        place = tmp_path / f"killed-{number}"
        before(place)
        again = killed_at(number, lambda: command(place))  # noqa: B023
        yield place


def _on_a_full_disk(
    tmp_path: Path, command: Callable[[Path], int], look: Looking, before: Callable[[Path], object]
) -> int:
    for number in count(1):
        assert number < MOST
        place = tmp_path / f"full-{number}"
        before(place)
        with redirect_stderr(io.StringIO()) as told:
            came, code = full_from(number, lambda: command(place))  # noqa: B023
        said = told.getvalue()
        assert code in (0, 2)
        assert code == 0 or "No space left" in said or "disk is full" in said, said
        look(place)
        if not came:
            assert code == 0
            return number - 1
    raise AssertionError
