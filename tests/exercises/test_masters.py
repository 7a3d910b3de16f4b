"""Guards the exercise notebooks: what nbgrader needs, and what a student without an answer meets.

nbgrader's own preprocessors make the students' version of each master. It must hold no solution, and every check in
it must say in one sentence what is to be done.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from house import PATIENCE, sampled
from nbclient import NotebookClient
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks" / "exercises"


class Expected(NamedTuple):
    """What the notebook of a chapter holds."""

    points: int
    by_hand: int  # of these, graded by a human
    tasks: int
    pictures: int


MASTERS = {
    "01_gan_basics": Expected(27, 8, 9, 5),
    "02_deblur_gan": Expected(23, 9, 8, 3),
    "02b_any_shake": Expected(12, 0, 5, 1),
    "03_wgan": Expected(19, 9, 7, 0),
    "04_wgan_gp": Expected(19, 8, 8, 1),
    "05_restoration": Expected(18, 2, 7, 1),
    "06_vae": Expected(14, 1, 7, 0),
    "07_draw_me": Expected(25, 2, 10, 1),
    "07b_attention": Expected(16, 2, 6, 1),
    "07c_translation": Expected(16, 2, 6, 2),
    "07d_identity": Expected(16, 2, 6, 2),
    "08_mediapipe": Expected(27, 9, 8, 0),
}
for_each = pytest.mark.parametrize("name", MASTERS)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(str(path), as_version=4)


def master(name: str) -> nbformat.NotebookNode:
    return read(FOLDER / f"{name}.ipynb")


def number(name: str) -> str:
    """The chapter's, as a reader calls it: “2”, “7b”."""
    return name.partition("_")[0].removeprefix("0")


def checks(name: str) -> str:
    return f"ch{name.partition('_')[0]}"


def graded(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


def prose(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def students(name: str) -> nbformat.NotebookNode:
    """What `nbgrader generate_assignment` hands out, made by its own preprocessors."""
    notebook, resources = master(name), {"nbgrader": {"notebook": name}}
    steps = LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums, ClearHiddenTests
    for step in steps:
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def test_every_master_is_expected_here_and_in_the_instructors_table():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(MASTERS)
    guide = (ROOT / "book/instructor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) · [^|]*\| (\d+) \| (\d+) \|$", guide, re.M)
    expected = [(number(name), str(of.points), str(of.by_hand)) for name, of in MASTERS.items()]
    assert rows == expected


@for_each
def test_points_and_checks(name):
    """Every check of the module is used in a graded, locked cell, and every mark has its own name."""
    notebook = master(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert "widgets" not in notebook.metadata
    marked = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert all(mark.schema_version == 3 for mark in marked)
    assert len({mark.grade_id for mark in marked}) == len(marked)
    cells = graded(notebook)
    points = [(cell.metadata.nbgrader.points, cell.cell_type == "markdown") for cell in cells]
    assert sum(number for number, _ in points) == MASTERS[name].points
    assert sum(number for number, written in points if written) == MASTERS[name].by_hand
    assert f"There are {MASTERS[name].points} points in all." in " ".join(notebook.cells[0].source.split())
    tests = [cell for cell in cells if cell.cell_type == "code"]
    assert len(tests) >= 5
    assert all(cell.metadata.nbgrader.locked and not cell.metadata.nbgrader.solution for cell in tests)
    module = import_module(f"companion.exercises.{checks(name)}")
    called = set(re.findall(rf"{checks(name)}\.(check_\w+)", "\n".join(cell.source for cell in tests)))
    assert called == {found for found in vars(module) if found.startswith("check_")}


@for_each
def test_every_check_is_made_once_more_from_a_fresh_import_in_a_hidden_test(name):
    """What a notebook has done to the visible check then counts for nothing; the question is drawn anew."""
    for cell in graded(master(name)):
        if cell.cell_type == "code":
            visible, _, hidden = cell.source.partition("### BEGIN HIDDEN TESTS\n")
            check, answers = re.fullmatch(r"(\w+\.check_\w+)\((.*)\)\s*", visible, re.DOTALL).groups()
            assert "from companion.exercises.grading import examine" in hidden
            again = re.search(r"examine\(\s*(.*?),?\s*\)\n### END HIDDEN TESTS", hidden, re.DOTALL)[1]
            assert re.sub(r"\s+", " ", again) == f'"{check}", {answers}'


@for_each
def test_it_begins_as_its_chapter_does_and_names_sections_that_the_chapter_has(name):
    """But that no exercise needs MediaPipe: the hands of chapter 8's come as landmarks."""
    notebook, chapter = master(name), read(FOLDER.parent / f"{name}.ipynb")
    first, of_chapter = (
        next(cell.source for cell in of.cells if cell.cell_type == "code") for of in (notebook, chapter)
    )
    assert first.splitlines() == [line for line in of_chapter.splitlines() if "mediapipe" not in line]
    assert f"course.setup(chapter={int(name[:2])})" in first
    lines = re.findall(rf"^\*\d points?\. In chapter {number(name)}: .*\*$", prose(notebook), re.M)
    assert len(lines) == MASTERS[name].tasks
    named = {found for line in lines for found in re.findall("“(.*?)”", line)}
    assert named
    assert not named - set(re.findall(r"^#+ (.*)$", prose(chapter), re.M))


@for_each
def test_stored_outputs_are_small_clean_and_of_solved_tasks(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 300_000
    notebook = master(name)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
    for cell in graded(notebook):
        if cell.cell_type == "code":  # an expression's value would be taken for partial credit
            assert all(output.output_type == "stream" for output in cell.outputs)
            assert all(output.text.startswith("✓") for output in cell.outputs)
            assert cell.outputs


@for_each
def test_figures_have_alt_text(name):
    pictures = re.findall(r"<img[^>]*>", nbformat.writes(master(name)).replace('\\"', '"'))
    assert len(pictures) == MASTERS[name].pictures
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in pictures)


@for_each
def test_the_students_version_holds_no_solution(name):
    version = students(name)
    text = "\n".join(cell.source for cell in version.cells)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    solutions = [
        line.strip()
        for cell in master(name).cells
        for part in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL)
        for line in part.splitlines()
        if len(line.strip()) > 25
    ]
    assert solutions
    assert not [line for line in solutions if line in text]
    for cell in version.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("solution"):
            assert ("YOUR ANSWER HERE" if cell.cell_type == "markdown" else "# YOUR CODE HERE") in cell.source
        elif mark.get("locked"):
            assert cell.metadata.editable is False
            assert cell.metadata.deletable is False


@pytest.mark.parametrize("name", sampled(MASTERS, ("03_wgan", "08_mediapipe")))  # a kernel each
@pytest.mark.full
def test_in_the_students_version_every_check_says_kindly_what_to_do(name, monkeypatch):
    """Run from top to bottom with nothing filled in: each graded cell fails with NotYet and one sentence.

    Slow, since each notebook has a kernel of its own, as a student's has, and runs whole.
    """
    monkeypatch.setenv("COMPANION_BUDGET", "smoke")
    version = students(name)
    NotebookClient(version, timeout=PATIENCE, kernel_name="python3", allow_errors=True).execute()
    for cell in version.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if cell in graded(version) and cell.cell_type == "code":
            assert [error.ename for error in errors] == ["NotYet"]
            assert "waits for you: write" in errors[0].evalue
            assert "".join(errors[0].traceback) == f"Not yet. {errors[0].evalue}"
        else:
            assert all(error.ename in {"NotYet", "NotImplementedError"} for error in errors)
