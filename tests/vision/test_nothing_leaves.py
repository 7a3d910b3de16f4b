"""Guards the chapter's promise of privacy: whatever it runs, nothing connects or sends anywhere but to this machine.

strace writes down every call to the network, those of MediaPipe's C++ and of child processes too. Where a system
forbids that, Python's own audit events are watched instead, which is less, and a warning says so.
"""

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NO_STRACE = "strace is not installed: what leaves this machine was NOT tested; tools/system.sh installs it"

EVERY_MODE = """
import sys
from companion.cli import main
from companion.vision import FaceDetector, FaceMesh, HandTracker, PoseEstimator, as_picture
picture, film, out = sys.argv[1:]
for mode in ("face", "mesh", "hands", "pose"):
    for source in (picture, film):
        assert main(["vision", mode, "--source", source]) == 0
assert main(["vision", "blur", "--source", film, "--save", out]) == 0
for kind in (FaceDetector, FaceMesh, HandTracker, PoseEstimator):
    with kind() as tracker, tracker.live(lambda seen: None) as stream:
        stream.send(picture)
"""
VOLUME = """
import sys
from companion.cli import main
assert main(["vision", "volume", "--source", sys.argv[1]]) == 0
"""
# In this very process and not in a kernel of Jupyter's, which is spoken to through connections of its own.
NOTEBOOK = """
import sys
import nbformat
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in nbformat.read(sys.argv[1], 4).cells:
    if cell.cell_type == "code":
        shell.run_cell(cell.source).raise_error()
"""
AUDIT = """
import sys
ADDRESS = {"connect": 1, "sendto": 1, "sendmsg": 1, "getaddrinfo": 0, "gethostbyname": 0}  # which argument it is
def note(event, arguments, trace=open(sys.argv.pop(1), "w")):
    call = event.removeprefix("socket.")
    address = arguments[ADDRESS[call]] if call in ADDRESS and call != event else None
    if isinstance(address, tuple) or address and ADDRESS[call] == 0:  # a Unix socket's is a path
        print(call, address, file=trace, flush=True)
sys.addaudithook(note)
"""
# What the watches themselves are tried on: each of these goes somewhere, if only to this machine's own address.
PROBES = [
    f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).{call}"
    for call in ("connect(('127.0.0.1', 9))", "sendto(b'me', ('127.0.0.1', 9))")
]
UNIX = """
import socket, sys
with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    server.bind(sys.argv[1])
    server.listen()
    client.connect(sys.argv[1])
"""

Watch = Callable[..., list[str]]


def by_strace(trace: Path, code: str, *arguments: str, **more: str) -> list[str]:
    """Calls of a Python run, its threads and children that give an address other than a Unix socket's.

    A socket alone is no connection: urllib3, when imported, makes and binds one to learn whether there is IPv6. And
    what is sent without an address goes where the socket was connected to, which was seen then.
    """
    strace = ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", str(trace)]
    run([*strace, sys.executable, "-c", code, *arguments], more)
    calls = re.findall(r"(?:connect|send\w*)\(.*sa_family=.*", trace.read_text())
    return [call for call in calls if "sa_family=AF_UNIX" not in call]


def by_audit(trace: Path, code: str, *arguments: str, **more: str) -> list[str]:
    """The same from Python's audit events: only Python's own calls, and only of the one process."""
    run([sys.executable, "-c", AUDIT + code, str(trace), *arguments], more)
    return trace.read_text().splitlines()


def run(command: list[str], more: dict[str, str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT / "notebooks", env={**os.environ, **more}
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@cache
def may_trace() -> bool:
    """Whether this system lets strace watch a process."""
    return subprocess.run(["strace", "-f", "--seccomp-bpf", "true"], capture_output=True).returncode == 0


def best_watch() -> Watch:
    """The best there is here; in CI on Linux, where tools/system.sh installs strace, that is strace."""
    if shutil.which("strace") is None:
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(NO_STRACE, pytrace=False)
        warnings.warn(f"{NO_STRACE}; only Python's own calls were watched", stacklevel=1)
        return by_audit
    if not may_trace():
        warnings.warn("strace may not watch here; only Python's own calls were watched", stacklevel=1)
        return by_audit
    return by_strace


@pytest.fixture
def watched(tmp_path) -> Watch:
    """What goes out while code runs with these arguments and variables."""
    return partial(best_watch(), tmp_path / "trace.txt")


@pytest.mark.parametrize("watch", [by_strace, by_audit])
@pytest.mark.parametrize("probe", PROBES, ids=["connected", "sent"])
def test_the_watches_see_what_goes_out(watch, probe, tmp_path):
    if watch is by_strace and not (shutil.which("strace") and may_trace()):
        pytest.skip("strace may not watch here")
    assert len(watch(tmp_path / "trace.txt", probe)) == 1
    assert watch(tmp_path / "trace.txt", UNIX, str(tmp_path / "socket")) == []


@pytest.mark.slow
def test_a_notebook_that_calls_home_is_caught_and_one_that_fails_too(watched, tmp_path):
    def of_one_cell(source: str) -> str:
        cell = nbformat.v4.new_code_cell(source)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "one.ipynb")
        return str(tmp_path / "one.ipynb")

    assert len(watched(NOTEBOOK, of_one_cell(PROBES[0]), IPYTHONDIR=str(tmp_path))) == 1
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        watched(NOTEBOOK, of_one_cell("1 / 0"), IPYTHONDIR=str(tmp_path))


def test_without_strace_ci_fails_and_others_are_warned(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="NOT tested"):
        best_watch()
    monkeypatch.delenv("CI")
    with pytest.warns(UserWarning, match="NOT tested"):
        assert best_watch() is by_audit


def test_where_strace_may_not_watch_the_audit_events_are_and_a_warning_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sys.modules[__name__], "may_trace", lambda: False)
    with pytest.warns(UserWarning, match="may not watch"):
        assert best_watch() is by_audit


@pytest.mark.slow
def test_every_mode_stays_on_this_machine(watched, kinds, film, person, tmp_path):
    """Pictures, videos and live."""
    picture = tmp_path / "astronaut.png"
    Image.fromarray(person).save(picture)
    video = film(np.asarray(Image.fromarray(person).resize((256, 256))), frames=3)
    assert watched(EVERY_MODE, str(picture), str(video), str(tmp_path / "out.avi")) == []


@pytest.mark.slow
def test_the_volume_knob_stays_on_this_machine(watched, kinds, photo):
    """With a hand in sight and a real PulseAudio, which is spoken to through a file."""
    if not (shutil.which("pulseaudio") and shutil.which("pactl")):
        pytest.skip("pulseaudio and pactl are not installed; tools/system.sh installs them")
    pytest.importorskip("pulsectl")
    from companion.reproduce.ch08.pinch import sound_server

    with sound_server() as address:
        assert watched(VOLUME, str(photo("mm_pointing_up.jpg")), PULSE_SERVER=address) == []


@pytest.mark.slow
def test_the_whole_chapter_stays_on_this_machine(watched, kinds, photo, tmp_path):
    """Every cell of the notebook, gestures and knob among them, at the smoke budget; models and photograph at hand."""
    photo("mm_pointing_up.jpg")
    shell = {"COMPANION_BUDGET": "smoke", "MPLBACKEND": "agg", "IPYTHONDIR": str(tmp_path / "ipython")}
    assert watched(NOTEBOOK, str(ROOT / "notebooks/08_mediapipe.ipynb"), **shell) == []
