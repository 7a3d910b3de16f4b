"""Stopping between two steps: a step broken off half-way would leave a state no uninterrupted run ever had."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from companion.interrupts import interrupt, listens, winds_up


class Stop:
    """Whether somebody has asked to stop."""

    requested = False


@contextmanager
def stop_requested() -> Iterator[Stop]:
    """Let Ctrl-C, a polite kill and a closed terminal ask for a stop; a second time stops at once, a third is ignored.

    What was ignored before, as `nohup` has it for the closed terminal, stays ignored. Only a program's main thread can
    be asked.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            interrupt(number, frame)
        stop.requested = True

    hang_up = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
    heard = {
        number
        for number in (signal.SIGINT, signal.SIGTERM, hang_up)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    listens()
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield stop
    finally:
        if stop.requested:
            winds_up()
        for number, handler in before.items():
            signal.signal(number, handler)
