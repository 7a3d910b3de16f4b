"""Guards Ctrl-C: pressed again and again while a command winds up, it leaves no half file and no traceback."""

import os
import signal
import subprocess
import sys

import pytest
from house import PATIENCE

from companion import interrupts
from companion.interrupts import heard_once
from companion.training.stopping import stop_requested

COMMAND = """
import atexit, os, signal, sys, threading, time
from argparse import Namespace
from pathlib import Path

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests run in the background would ignore it

from companion import cli, files
from companion.training.stopping import stop_requested

def press():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0)  # where Python looks after its signals

class Parser:
    def parse_args(self, arguments):
        return Namespace(run=run)

def write():
    with files.replacing(Path(sys.argv[1]) / "checkpoint") as file:
        file.write(b"half")
        press()
        file.write(b"whole")

def run(options):
    try:
        WORK
    except KeyboardInterrupt:
        press()
        print("Stopped; the same command continues.")
        raise

take_away, say = Path.unlink, sys.stderr.write
def unlink(place, *more):
    press()
    take_away(place, *more)
    press()
def written(text):
    press()
    return say(text)
Path.unlink, sys.stderr.write = unlink, written
cli._parser = Parser
atexit.register(press)
sys.exit(cli.main())
"""
WORK = {
    "at once": "write()",
    "asked to stop before": """
        with stop_requested():
            press()
            write()""",
    "stopped politely": """
        with stop_requested() as stop:
            press()
        assert stop.requested
        press()
        raise KeyboardInterrupt""",
}


@pytest.mark.parametrize("how", WORK)
@pytest.mark.slow
def test_ctrl_c_pressed_again_leaves_no_half_file_and_no_traceback(tmp_path, how):
    """In the midst of writing, of taking the part away, of saying so, and of Python's own end."""
    script = COMMAND.replace("WORK", WORK[how])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (130, "\ncompanion: stopped.\n")
    assert done.stdout == "Stopped; the same command continues.\n"
    assert [*tmp_path.iterdir()] == []


@pytest.fixture
def default_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("default_handler")
def test_an_interrupt_that_somebody_swallowed_is_heard_later(monkeypatch):
    monkeypatch.setattr(interrupts, "PATIENCE", 0.0)
    with heard_once(to_the_end=False):
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                press()
            interrupts.winds_up(0.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("default_handler")
def test_a_new_task_hears_again():
    """As the next cell of a notebook does, at once."""
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), stop_requested() as stop:
            press()
            assert stop.requested
            press()


def test_what_ignores_ctrl_c_goes_on_ignoring_it():
    """As `nohup` and `&` have it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with heard_once(to_the_end=True):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
