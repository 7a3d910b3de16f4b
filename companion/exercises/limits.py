"""Running an answer with limits: in a thread of its own, for so long, with so much memory.

In a thread, because it can be left behind when it hangs, on every system; and because the stack of a thread of its own
does not lead to the check, whose local names hold what is wanted.
"""

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

SECONDS = 20.0  # of computing, so that a busy machine takes nothing away; right answers need a thousandth
PATIENCE = 120.0  # seconds by the clock, for what waits and computes nothing
GIGABYTES = 4  # beyond what was in use
_LOOK_EVERY = 0.05


class OutOfTimeError(Exception):
    """The answer has computed, or waited, for too long."""


class _StopError(BaseException):
    """Raised within a thread to end it."""


class _Run(threading.Thread):
    """One call and what became of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.gradients = torch.is_grad_enabled()
        self.answer: Any = None
        self.problem: BaseException | None = None
        self.left_gradients = self.gradients
        self.ended = threading.Event()

    def run(self) -> None:
        """Call, with gradients on or off as in the thread that asks."""
        torch.set_grad_enabled(self.gradients)
        try:
            self.answer = self.call()
        except BaseException as problem:
            self.problem = problem
        finally:
            self.left_gradients = torch.is_grad_enabled()
            self.ended.set()


def limited(call: Callable[[], Any]) -> tuple[Any, bool]:
    """What the call returns, and whether it has left gradients on or off, other than it found them.

    Raises:
        OutOfTimeError: It took more than `SECONDS` of computing, or `PATIENCE` by the clock. A call that cannot be
            stopped is left behind.
        BaseException: Whatever the call has raised.
    """
    run = _Run(call)
    with _memory():
        computed, begun = time.process_time(), time.monotonic()
        run.start()
        try:
            while not run.ended.wait(_LOOK_EVERY):
                if time.process_time() - computed > SECONDS or time.monotonic() - begun > PATIENCE:
                    raise OutOfTimeError
        finally:
            if not run.ended.is_set():
                _stop(run)
    if run.problem is not None:
        raise run.problem
    return run.answer, run.left_gradients != run.gradients


def _stop(run: _Run) -> None:
    """Ask the thread to end, a few times, since code may catch whatever is raised."""
    for _ in range(20):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(run.ident or 0), ctypes.py_object(_StopError)
        )
        if run.ended.wait(_LOOK_EVERY):
            return


@contextmanager
def _memory() -> Iterator[None]:
    """Inside, no more than `GIGABYTES` more than now; Linux alone can do that within a process."""
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _in_use() + GIGABYTES * 2**30
    unlimited = resource.RLIM_INFINITY
    if any(limit != unlimited and limit < wanted for limit in (soft, hard)):
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _in_use() -> int:
    """Bytes of data that this process has."""
    with open("/proc/self/status", encoding="ascii") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmData"))
