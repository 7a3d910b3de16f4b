"""What many tests share: where things are, how to wait for something, and a site that is up to date."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Container, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build/html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 600  # seconds: a watchdog for what hangs, not a deadline that a busy machine could miss


def run(*command: str, cwd: Path = ROOT, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, out of any `make` that started the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)


def sampled(names: Iterable[object], kept: Container[object]) -> list[object]:
    """What to parametrise with: `make test` runs those that are kept, `make everything` the others as well."""
    return [pytest.param(name, marks=() if name in kept else pytest.mark.every) for name in names]


def installed_browser() -> str | None:
    """Where this machine has a Chromium or Chrome; None without one, which tools/system.sh installs."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def until(
    ready: Callable[[], object],
    process: subprocess.Popen[str] | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait for something to be so; in vain if the process ends that was to bring it about, or after `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while not ready():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened for minutes"
        pause(0.02)


def built_site() -> Path:
    """The site, built by the command in the README. One test process builds, the others wait for it."""
    (ROOT / "_build").mkdir(exist_ok=True)
    with (ROOT / "_build/.tests").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("make", "book")
    if result.returncode:
        pytest.fail(f"`make book` failed:\n{result.stdout}{result.stderr}", pytrace=False)
    return SITE


def pages() -> list[Path]:
    """Every page that a reader can open, relative to the site; not the first one, which only leads to the cover."""
    found = (path.relative_to(SITE) for path in SITE.rglob("*.html"))
    return sorted(page for page in found if "_static" not in page.parts and page != Path("index.html"))


def in_contents(notebook: Path) -> bool:
    """Whether a notebook is a page of the book; one whose results are not in yet is tested, and waits."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    return f"file: {notebook.relative_to(ROOT).with_suffix('').as_posix()}\n" in contents
