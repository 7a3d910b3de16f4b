"""Stopping between two steps: a step broken off half-way would leave a state no uninterrupted run ever had."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from companion.interrupts import interrupt, listens, winds_up

AT_ONCE = "Ctrl-C again stops at once, back to the last checkpoint"


class Stop:
    """Whether somebody has asked to stop."""

    requested = False


@contextmanager
def stop_requested(say: str = "") -> Iterator[Stop]:
    """Let Ctrl-C, a polite kill and a closed terminal ask for a stop; a second time stops at once, a third is ignored.

    What was ignored before, as `nohup` has it for the closed terminal, stays ignored. Only a program's main thread can
    be asked.

    Args:
        say: What whoever asks is told the first time, since a step may take long.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            interrupt(number, frame)
        elif say:
            with suppress(
                OSError, RuntimeError, ValueError
            ):  # a closed terminal; in the midst of another line
                print(f"\n{say}", file=sys.stderr, flush=True)
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
