"""Ctrl-C, heard once: whoever presses it again while a command winds up breaks off no cleaning up.

A command that is stopped takes half-written files away and says that it stopped. A second Ctrl-C in the midst of that
would leave them there, and a third would end in a traceback. So after the first that is heard, others are not, for
`PATIENCE` seconds: longer than winding up takes, and short enough for an interrupt that a library has swallowed.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from types import FrameType

PATIENCE = 20.0  # seconds
_deaf_until = -inf  # by the clock that never goes back


def interrupt(number: int, frame: FrameType | None) -> None:
    """What a signal is to do: stop what runs, unless it is winding up already.

    Raises:
        KeyboardInterrupt: It is not.
    """
    if time.monotonic() >= _deaf_until:
        winds_up()
        raise KeyboardInterrupt


def winds_up(seconds: float = PATIENCE) -> None:
    """Hear no other interrupt for a while: a stop was asked for, and its consequences begin."""
    global _deaf_until
    _deaf_until = time.monotonic() + seconds


def listens() -> None:
    """Hear the next interrupt again: something new begins."""
    winds_up(-1)


@contextmanager
def heard_once(*, to_the_end: bool) -> Iterator[None]:
    """Inside, Ctrl-C is heard once, if it is heard at all.

    Args:
        to_the_end: The process ends with the block, so nothing is heard after it, and Python may tidy up in peace.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    listens()
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        winds_up(inf if to_the_end else -1)
        if not to_the_end:
            signal.signal(signal.SIGINT, signal.default_int_handler)
