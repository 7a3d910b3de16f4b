"""A disk that fills, and a process that is killed, at each file operation in turn."""

import builtins
import errno
import io
import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

WRITING = ("mkdir", "replace", "rename", "fsync")  # what a full disk refuses
CHANGING = (*WRITING, "unlink", "remove", "rmdir")  # what a kill may come before
MOST = 200  # operations of one command: more is a loop


def _after(act: Callable[[], None], real: Callable[..., object]) -> Callable[..., object]:
    def operation(*arguments: object, **options: object) -> object:
        act()
        return real(*arguments, **options)

    return operation


@contextmanager
def before_each(names: tuple[str, ...], act: Callable[[], None]) -> Iterator[None]:
    """Call `act` before every operation of these names, and before every file that is opened for writing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, _after(act, getattr(os, name)))
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


def full_from(number: int, command: Callable[[], int], note: Path) -> tuple[bool, int]:
    """Run it on a disk that is full from its operation of this number on; whether it came so far, and the exit code."""
    left = [number]

    def act() -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def body() -> None:
        with before_each(WRITING, act):
            code = command()
        note.write_text(json.dumps([left[0] <= 0, code]))

    assert apart(body) == 0
    came, code = json.loads(note.read_text())
    return came, code


def survives_kills(tmp_path: Path, command: Callable[[Path], object], look: Callable[[Path], None]) -> int:
    """Kill it at each operation in turn; `look` at what is left, which must be nothing half and no obstacle."""
    for number in count(1):
        assert number < MOST
        place = tmp_path / f"killed-{number}"
        place.mkdir()
        again = killed_at(number, lambda: command(place))  # noqa: B023
        assert apart(lambda: look(place)) == 0  # noqa: B023
        if not again:
            return number - 1
    raise AssertionError


def survives_a_full_disk(
    tmp_path: Path,
    command: Callable[[Path], int],
    look: Callable[[Path], None],
    said: Callable[[], str],
) -> int:
    """Fill the disk at each operation in turn: one sentence and code 2, or all is well; then `look` as for kills."""
    for number in count(1):
        assert number < MOST
        place = tmp_path / f"full-{number}"
        place.mkdir()
        came, code = full_from(number, lambda: command(place), tmp_path / "note")  # noqa: B023
        told = said()
        assert "Traceback" not in told
        assert code == 0 or ("No space left" in told or "disk is full" in told), told
        assert code in (0, 2)
        assert apart(lambda: look(place)) == 0  # noqa: B023
        if not came:
            assert code == 0
            return number - 1
    raise AssertionError
