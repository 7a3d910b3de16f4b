"""Guards the exercise notebooks from chapter 3 on: what nbgrader needs, and what a student without an answer meets.

Chapter 1's own test does the same for its notebook, with more of its particulars.
"""

import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

FOLDER = Path(__file__).parents[2] / "notebooks" / "exercises"
POINTS = {"03_wgan": 12, "04_wgan_gp": 12}
for_each = pytest.mark.parametrize("name", POINTS)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(str(path), as_version=4)


def master(name: str) -> nbformat.NotebookNode:
    return read(FOLDER / f"{name}.ipynb")


def checks(name: str) -> str:
    return f"ch{name[:2]}"


def graded(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


def students(name: str) -> nbformat.NotebookNode:
    """What `nbgrader generate_assignment` hands out, made by its own preprocessors."""
    notebook, resources = master(name), {"nbgrader": {"notebook": name}}
    steps = LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums, ClearHiddenTests
    for step in steps:
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


@for_each
def test_points_and_checks(name):
    """Every check of the module is used in a graded, locked cell, and every mark has its own name."""
    notebook = master(name)
    nbformat.validate(notebook)
    marked = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert all(mark.schema_version == 3 for mark in marked)
    assert len({mark.grade_id for mark in marked}) == len(marked)
    cells = graded(notebook)
    assert sum(cell.metadata.nbgrader.points for cell in cells) == POINTS[name]
    tests = [cell for cell in cells if cell.cell_type == "code"]
    assert all(cell.metadata.nbgrader.locked and not cell.metadata.nbgrader.solution for cell in tests)
    module = import_module(f"companion.exercises.{checks(name)}")
    called = set(re.findall(rf"{checks(name)}\.(check_\w+)", "\n".join(cell.source for cell in tests)))
    assert called == {found for found in vars(module) if found.startswith("check_")}


@for_each
def test_it_begins_as_its_chapter_does_and_names_sections_that_the_chapter_has(name):
    notebook, chapter = master(name), read(FOLDER.parent / f"{name}.ipynb")
    first, of_chapter = (
        next(cell.source for cell in of.cells if cell.cell_type == "code") for of in (notebook, chapter)
    )
    assert first == of_chapter
    prose = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    titles = re.findall(r"^#+ (.*)$", prose, re.M)
    own = "\n".join(cell.source for cell in notebook.cells)
    lines = re.findall(rf"^\*\d points?. In chapter {int(name[:2])}: .*\*$", own, re.M)
    assert len(lines) >= 5
    assert not {found for line in lines for found in re.findall("“(.*?)”", line)} - set(titles)


@for_each
def test_stored_outputs_are_small_clean_and_of_solved_tasks(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 300_000
    notebook = master(name)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
    for cell in graded(notebook):
        if cell.cell_type == "code":
            assert all(output.text.startswith("✓") for output in cell.outputs)
            assert cell.outputs


@for_each
def test_the_students_version_holds_no_solution(name):
    version, text = students(name), "\n".join(cell.source for cell in students(name).cells)
    assert "SOLUTION" not in text
    for cell in version.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert ("YOUR ANSWER HERE" if cell.cell_type == "markdown" else "# YOUR CODE HERE") in cell.source


@for_each
def test_in_the_students_version_every_check_says_kindly_what_to_do(name, monkeypatch):
    """Run from top to bottom with nothing filled in: each graded cell fails with NotYet and one sentence."""
    monkeypatch.setenv("COMPANION_BUDGET", "smoke")
    version = students(name)
    NotebookClient(version, timeout=120, kernel_name="python3", allow_errors=True).execute()
    for cell in version.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if cell in graded(version) and cell.cell_type == "code":
            assert [error.ename for error in errors] == ["NotYet"]
            assert "waits for you: write" in errors[0].evalue
        else:
            assert all(error.ename in {"NotYet", "NotImplementedError"} for error in errors)
