"""Guards the grading: what a notebook does to the checks counts for nothing, and trouble costs one student alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from house import ROOT, run
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from companion.exercises import ch03
from companion.exercises.grading import examine

sys.path.insert(0, str(ROOT / "tools"))
import grade

MASTERS = ROOT / "notebooks/exercises"


def right_distance(first, second):
    return (first.sort().values - second.sort().values).abs().mean()


# ---- hidden tests, in any notebook ----------------------------------------------------------------------------------


def test_a_hidden_test_takes_a_fresh_check_whatever_has_become_of_the_old_one(monkeypatch, capsys):
    monkeypatch.setattr(ch03, "check_earth_mover", lambda *_: print("✓ by me"))
    monkeypatch.setattr(type(ch03.EARTH_MOVER), "judge", lambda *_, **__: None)
    examine("ch03.check_earth_mover", right_distance)
    with pytest.raises(AssertionError, match="sort both samples"):
        examine("ch03.check_earth_mover", lambda a, b: (a - b).abs().mean())
    assert not capsys.readouterr().out


def test_a_hidden_test_leaves_the_modules_as_they_were():
    before = {name: module for name, module in sys.modules.items() if name.startswith("companion.exercises")}
    examine("ch03.check_earth_mover", right_distance)
    assert before == {
        name: module for name, module in sys.modules.items() if name.startswith("companion.exercises")
    }
    from companion.exercises import ch03 as again

    assert again is ch03


# ---- in the kernel of an autograder ---------------------------------------------------------------------------------

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.showtraceback = lambda *_, **__: None
from companion.exercises import grading
grading.begin("secret", "ch03", "ch08")
for cell in json.loads(sys.argv[1]):
    result = shell.run_cell(cell)
    problem = result.error_in_exec
    print("##", type(problem).__name__, str(problem)[:300].replace(chr(10), " "))
"""


def shell(*cells: str) -> list[str]:
    """What becomes of cells that are run one after the other in an autograder's kernel: “## ” and the exception."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL, json.dumps(cells)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("## ")]


BEGIN = "import torch\nfrom companion.exercises import ch03, ch08"
GRADED = """%%secret
ch03.check_earth_mover(earth_mover)
from companion.exercises.grading import examine
examine("ch03.check_earth_mover", earth_mover)
"""
ANSWER = "def earth_mover(a, b):\n    return (a.sort().values - b.sort().values).abs().mean()"
NONE = "earth_mover = None"
CHEATS = {
    "the check's name": "for name in list(vars(ch03)):\n    if name.startswith('check_'):\n"
    "        setattr(ch03, name, print)\nearth_mover = None",
    "the module's name": "class ch03:\n    check_earth_mover = print\nearth_mover = None",
    "the hidden test's name": "import companion.exercises.grading as g\ng.examine = print\nexamine = print\n"
    "earth_mover = None",
    "sys.modules": "import sys\nfrom unittest.mock import MagicMock\n"
    "sys.modules.update({name: MagicMock() for name in list(sys.modules) if name.startswith('companion')})\n"
    "earth_mover = None",
    "an import of its own": "import builtins\nown = builtins.__import__\n"
    "builtins.__import__ = lambda name, *rest, **named: print if 'grading' in name else own(name, *rest, **named)\n"
    "earth_mover = None",
    "isinstance": "import builtins\nbuiltins.callable = lambda _: True\nearth_mover = None",
    "the comparison": "torch.allclose = lambda *_, **__: True\ndef earth_mover(a, b):\n    return 0",
}
REACHES = {
    "a private reference": "ch08._step",
    "a reference of another chapter": "from companion.exercises import ch02\nch02._wiener",
    "a reference by a check": "ch03.check_earth_mover.__wrapped__",
    "a reference by a public function": "ch08.taps.__globals__['_switched']",
    "the source": "from pathlib import Path\nimport companion\n"
    "(Path(companion.__file__).parent / 'exercises/ch02.py').read_text()",
    "another import": "import importlib\nimport sys\ndel sys.modules['companion.exercises.ch02']\n"
    "importlib.import_module('companion.exercises.ch02')._wiener",
    "the memory": "import gc\ngc.get_objects()",
}


@pytest.mark.slow
@pytest.mark.api
def test_right_answers_earn_their_points_and_cheats_nothing_one_after_the_other():
    """In one shell, so that nothing a cheat has done lasts; what an exercise needs of the checks is there."""
    needed = "ch08.hand('open hand'), ch08.taps('12'), ch08.KEYS"
    cells = [BEGIN, needed, ANSWER, GRADED, *(part for cheat in CHEATS.values() for part in (cheat, GRADED))]
    lines = shell(*cells)
    assert all(line.startswith("## NoneType") for line in lines[:4]), lines
    for name, line in zip(CHEATS, lines[5::2], strict=True):
        assert line.startswith("## NotYet"), (name, line)


@pytest.mark.slow
def test_what_the_checks_compare_with_is_out_of_reach():
    *lines, graded = shell(BEGIN, *REACHES.values(), ANSWER, GRADED)
    for name, line in zip(REACHES, lines[1:], strict=False):
        assert not line.startswith("## NoneType"), (name, line)
    assert graded.startswith("## NoneType")


# ---- the course's settings, and the report --------------------------------------------------------------------------


def settings() -> SimpleNamespace:
    """What `nbgrader_config.py` defines."""
    names = {"get_config": Config, "__name__": "nbgrader_config"}
    exec((ROOT / "tools/nbgrader_config.py").read_text(encoding="utf-8"), names)
    return SimpleNamespace(**names)


def marked(name: str, **marks: object) -> dict[str, object]:
    marks = {"grade": False, "solution": True, "locked": False, "task": False, "schema_version": 3, **marks}
    return {"nbgrader": {**marks, "grade_id": name}}


def test_a_copied_cell_is_a_cell_like_any_other():
    cells = [new_code_cell("x = 1", metadata=marked("f")), new_code_cell("x = 2", metadata=marked("f"))]
    cells[1]["id"] = cells[0]["id"]
    notebook, _ = (
        settings()
        .OneOfEach()
        .preprocess(new_notebook(cells=cells), {"nbgrader": {"student": "ada", "notebook": "x"}})
    )
    assert "nbgrader" not in notebook.cells[0].metadata
    assert notebook.cells[1].metadata.nbgrader.grade_id == "f"
    assert notebook.cells[0].id != notebook.cells[1].id


def test_limits_are_set_and_named_in_the_guide():
    ours, guide = settings(), (ROOT / "book/instructor.md").read_text(encoding="utf-8")
    assert ours.c.Execute.timeout == ours.A_CELL >= 300
    assert f"| {ours.FIRST_IMPORTS:,} s |" in guide
    assert f"| {ours.A_CELL} s |" in guide
    from companion.exercises import limits

    assert (
        f"{limits.SECONDS:.0f} s of computing, {limits.PATIENCE:.0f} s by the clock, {limits.GIGABYTES} GB"
        in guide
    )


def test_a_renamed_notebook_gets_its_name_back(tmp_path):
    (tmp_path / "03_wgan (1).ipynb").write_text("{}")
    assert "03_wgan (1).ipynb" in grade.rename_back(tmp_path, "03_wgan")
    assert (tmp_path / "03_wgan.ipynb").is_file()
    assert grade.rename_back(tmp_path, "03_wgan") == ""
    (tmp_path / "03_wgan.ipynb").unlink()
    (tmp_path / "other.ipynb").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"there is 03_wgan \(1\).ipynb, other.ipynb"):
        grade.rename_back(tmp_path, "03_wgan")


@pytest.mark.full
@pytest.mark.every
def test_a_class_is_graded_and_each_trouble_costs_one_student(tmp_path, monkeypatch):
    """Five submissions of chapter 3, in kernels as nbgrader starts them; one task has an answer that never ends."""
    course, assignment = tmp_path / "course", "03_wgan"
    source = course / "source" / assignment
    source.mkdir(parents=True)
    monkeypatch.setenv(
        "PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )  # for `alembic`
    monkeypatch.setenv("COMPANION_GRADING_SECONDS", "60")  # one cell of “loops” ends by it
    shutil.copy2(MASTERS / f"{assignment}.ipynb", source)
    shutil.copy2(ROOT / "tools/nbgrader_config.py", course)
    made = run(
        sys.executable,
        "-m",
        "nbgrader",
        "generate_assignment",
        "--create",
        f"--course-dir={course}",
        assignment,
    )
    assert made.returncode == 0, made.stderr
    master = nbformat.read(MASTERS / f"{assignment}.ipynb", 4)

    def hand_in(student: str, change=lambda cells: None, name: str = assignment) -> None:
        answers = nbformat.from_dict(json.loads(json.dumps(master)))
        for cell in answers.cells:
            cell.source = cell.source.partition("### BEGIN HIDDEN")[0]
        change(
            {cell.metadata.nbgrader.grade_id: cell for cell in answers.cells if "nbgrader" in cell.metadata}
        )
        folder = course / "submitted" / student / assignment
        folder.mkdir(parents=True)
        if student == "copies":
            answers.cells.insert(6, nbformat.from_dict(json.loads(json.dumps(answers.cells[8]))))
        nbformat.write(answers, folder / f"{name}.ipynb")

    def source_of(name: str, text: str):
        return lambda cells: cells[name].update(source=text)

    hand_in("copies")
    hand_in("dies", source_of("losses", "import os; os._exit(1)"))
    hand_in("loops", source_of("labelled-loss", "def labelled_loss(a, b):\n    while True:\n        pass"))
    hand_in("renames", name="03_wgan (1)")
    hand_in("cheats", source_of("losses", "ch03.check_losses = print\ncritic_loss = generator_loss = None"))
    lines = {line.student: line for line in grade.grade(course, assignment)}
    assert lines["copies"].points == "10 of 19, 3 to be read"
    assert "there twice" in lines["copies"].notes[0]
    assert lines["dies"].points == "none"
    assert "kernel died" in lines["dies"].notes[-1]
    assert lines["loops"].points == "9 of 19, 4 to be read"  # three texts, and the endless answer
    assert "test-labelled-loss ran out of time" in lines["loops"].notes[0]
    assert "compare-forms ran out of time" in lines["loops"].notes[1]
    assert lines["renames"].points == "10 of 19, 3 to be read"
    assert "was called 03_wgan (1).ipynb" in lines["renames"].notes[0]
    assert lines["cheats"].points == "8 of 19, 3 to be read"
