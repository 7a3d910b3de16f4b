"""Guards the commands that the README and the book promise.

Targets exist, files name no machine or registry, the repository's address is the same everywhere, and the small tools
do what they say.
"""

import json
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest
import yaml
from house import PATIENCE, ROOT, run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

sys.path.insert(0, str(ROOT / "tools"))
import notebooks

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def tool(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, str(ROOT / "tools" / name), *arguments, cwd=cwd)


# ---- targets --------------------------------------------------------------------------------------------------------


def test_help_lists_every_target_for_readers():
    text = run("make").stdout
    promised = TARGETS - {"system", "fast"}
    assert [name for name in sorted(promised) if f"make {name} " not in text] == []
    assert text.rstrip().endswith("Run: make book && make serve")


def test_every_make_command_in_the_prose_exists():
    prose = [ROOT / "README.md", *(ROOT / "book").glob("*.md")]
    named = {
        (path.name, word)
        for path in prose
        for word in re.findall(r"(?:`|^|&& )make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {name for name in named if name[1] not in TARGETS} == set()


def test_ci_runs_make_test_and_once_more_what_meets_libraries_at_the_oldest_versions_with_nothing_at_hand():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert re.findall(r"^(?:[A-Z_]+=\S+ )*make .*$", script, re.M) == [
        "make --jobs=2 --output-sync=line test .venv-oldest/.installed",
        'make oldest MARKS="api and not every"',
    ]
    assert script.index("test .venv-oldest") < script.index("https_proxy") < script.index("make oldest")
    assert 'COMPANION_CACHE="$nothing"' in script
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_oldest_versions_are_those_that_the_package_promises():
    """To as many places as the promise has; of IPython other packages here want a newer one than Colab's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = [Requirement(line) for line in project["dependencies"]]
    lock = (ROOT / "requirements-oldest.txt").read_text(encoding="utf-8")
    for package in promised:
        (bound,) = (clause.version for clause in package.specifier if clause.operator == ">=")
        locked, *_ = re.findall(rf"^{package.name}==([\d.]+)", lock, re.M)  # the first is the oldest Python's
        if package.name != "ipython":
            assert locked == bound or locked.startswith(f"{bound}."), package


@pytest.mark.parametrize("script", [".ci/run", "tools/system.sh"])
def test_shell_scripts_parse(script):
    assert run("bash", "-n", script).returncode == 0


def test_an_old_python_is_refused_in_one_sentence(tmp_path):
    old = tmp_path / "python2.7"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    result = run("make", "lab", f"PYTHON3={old}", cwd=tmp_path)
    assert result.returncode
    assert "Python 3.10 or newer is needed" in result.stdout


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 0", "move the course to a folder of yours"),  # venv is there, and does not make an environment
        ('case "$*" in *ensurepip*) exit 1 ;; esac', "Python came without venv"),
    ],
)
def test_what_keeps_an_environment_from_being_made_is_named(tmp_path, body, said):
    """In a read-only or full place it was said that Python lacks venv."""
    python = tmp_path / "python3"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in "-m venv"*) echo "No space left on device" >&2; exit 1 ;; esac\n{body}\n'
    )
    python.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    result = run("make", "lab", f"PYTHON3={python}", cwd=tmp_path)
    assert result.returncode
    assert said in result.stdout
    assert result.stdout.count("\n") <= 3


# ---- files ----------------------------------------------------------------------------------------------------------


def repository_files() -> list[Path]:
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine():
    """Locks and settings must work wherever a reader's pip and npm are pointed."""
    private = re.compile(  # the brackets keep this file from finding itself
        r"registry\.npmjs|pypi\.org/simple|files\.pythonhosted|index-ur[l]|/roo[t]/|/home/\w+/|/wor[k]/|/tm[p]/"
    )
    found = []
    assert (ROOT / "Makefile") in repository_files()
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        allowed = text if path.suffix != ".py" else re.sub(r"/tm[p]/", "", text)
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in private.finditer(allowed)]
    assert found == []


def test_web_lock_names_hashes_and_no_addresses():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
    assert not any("resolved" in entry for entry in packages.values())


# ---- the repository's address ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_address_is_the_same_everywhere(tmp_path):
    """`make address` would change nothing here, and carries a new address to every file that names one."""
    for name in ("README.md", "_config.yml", "book", "notebooks"):
        source, target = ROOT / name, tmp_path / name
        files = (
            [source] if source.is_file() else [p for p in source.rglob("*") if p.suffix in {".md", ".ipynb"}]
        )
        for path in files:
            copy = target if source.is_file() else target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    unchanged = tool("address.py", cwd=tmp_path)
    assert ": 0 file(s) changed" in unchanged.stdout, unchanged.stdout

    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    config = (tmp_path / "_config.yml").read_text(encoding="utf-8")
    (tmp_path / "_config.yml").write_text(
        config.replace(url, "https://github.com/someone/else"), encoding="utf-8"
    )
    assert tool("address.py", cwd=tmp_path).returncode == 0
    left = [path.name for path in tmp_path.rglob("*.[mi]*") if url in path.read_text(encoding="utf-8")]
    assert left == []
    assert "git clone https://github.com/someone/else\ncd else" in (tmp_path / "book/setup.md").read_text(
        "utf-8"
    )


def test_an_address_colab_cannot_open_is_refused(tmp_path):
    (tmp_path / "_config.yml").write_text("repository: {url: https://example.org/x, branch: main}")
    result = tool("address.py", cwd=tmp_path)
    assert result.returncode
    assert "which Colab needs" in result.stderr


# ---- running notebooks ----------------------------------------------------------------------------------------------

NOISY = """
import os, sys
print("\\x1b[31mred\\x1b[0m", os.environ["COMPANION_BUDGET"])
print("  5%|▌ | 1/20\\r", file=sys.stderr)
from IPython.display import display
display({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "widget"}, raw=True)
"""


def write_notebook(folder: Path, source: str) -> Path:
    path = folder / "notebooks/01_x.ipynb"
    path.parent.mkdir()
    metadata = {
        "widgets": {"state": {}},
        "kernelspec": {"name": "mine", "display_name": "Mine", "language": "python"},
    }
    nbformat.write(new_notebook(cells=[new_code_cell(source)], metadata=metadata), path)
    return path


@pytest.mark.full
def test_notebooks_stores_clean_outputs(tmp_path):
    path = write_notebook(tmp_path, NOISY)
    result = tool("notebooks.py", "1", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    notebook = nbformat.read(path, as_version=4)
    assert [output.text for output in notebook.cells[0].outputs] == ["red laptop\n"]
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook.metadata
    assert "execution" not in notebook.cells[0].metadata


@pytest.mark.full
def test_notebooks_leaves_a_failing_one_alone(tmp_path):
    path = write_notebook(tmp_path, "1 / 0")
    before = path.read_bytes()
    result = tool("notebooks.py", cwd=tmp_path)
    assert result.returncode
    assert "ZeroDivisionError" in result.stderr
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_notebooks_refuses_to_store_a_large_one(tmp_path):
    with pytest.raises(SystemExit, match="more than 2. Not stored"):
        notebooks.store(new_notebook(cells=[new_markdown_cell("x" * 2_100_000)]), tmp_path / "large.ipynb")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_refuses_a_smoke_run(monkeypatch):
    monkeypatch.setattr("sys.argv", ["notebooks.py", "--budget", "smoke"])
    with pytest.raises(SystemExit, match="not stored"):
        notebooks.main()


# ---- classroom and serve --------------------------------------------------------------------------------------------


def graded(**settings: object) -> dict[str, object]:
    return {"nbgrader": {"schema_version": 3, "locked": False, "task": False, **settings}}


@pytest.mark.full
def test_classroom_hides_solutions_and_keeps_tests(tmp_path):
    folder = tmp_path / "notebooks/exercises"
    folder.mkdir(parents=True)
    answer = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    cells = [
        new_markdown_cell("Return what you get."),
        new_code_cell(answer, metadata=graded(grade=False, solution=True, grade_id="f")),
        new_code_cell(
            "assert f(1) == 1", metadata=graded(grade=True, solution=False, grade_id="t", points=1)
        ),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "01_x.ipynb")
    result = tool("classroom.py", "course", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    released = (tmp_path / "course/release/01_x/01_x.ipynb").read_text(encoding="utf-8")
    assert "return x" not in released
    assert "YOUR CODE HERE" in released
    assert "assert f(1) == 1" in released


@pytest.mark.parametrize("port", ["80000", "0", "65536"])
def test_serve_says_which_ports_there_are(tmp_path, port):
    result = tool("serve.py", "course", "--port", port, cwd=tmp_path)
    assert result.returncode
    assert f"There is no port {port}; they go from 1 to 65535" in result.stderr


def test_serve_takes_the_next_free_port(tmp_path):
    (tmp_path / "index.html").write_text("hello")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, ROOT / "tools/serve.py", tmp_path, "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                address = re.search(r"http://localhost:\d+/", server.stdout.readline())[0]
                assert urllib.request.urlopen(address, timeout=PATIENCE).read() == b"hello"
            finally:
                server.terminate()
    assert f":{port}/" not in address
