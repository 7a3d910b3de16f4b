"""How this course is graded with nbgrader; `make classroom` puts this file into the course's folder.

Limits are set here, and none of them is for how long an answer may take: the checks stop an answer by itself after 20
seconds of computing. Those here are for what hangs, on a machine that may be busy with a whole class.
"""

import json
import os
import re
import secrets
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.utils import is_grade, is_solution

FIRST_IMPORTS = 1800  # seconds for the imports, torch's among them; they count for nobody
IMPORTING = ("set-up", "imports")  # cells, by their names
A_CELL = int(os.environ.get("COMPANION_GRADING_SECONDS", "600"))  # for each cell of a notebook


class GradingError(Exception):
    """A submission that could not be graded, and why."""


def note(student: str, text: str) -> None:
    """A line for the report of `make grade`."""
    if path := os.environ.get("COMPANION_GRADING_NOTES"):
        with Path(path).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps({"student": student, "note": text}, ensure_ascii=False) + "\n")


def ran_out_of_time(cell) -> bool:
    """Whether a cell, or the answer that it checks, was stopped by the clock."""
    names = {output.ename for output in cell.get("outputs", []) if output.output_type == "error"}
    return bool(names & {"CellTimeoutError", "TimedOut"})


class OneOfEach(DeduplicateIds):
    """A cell that a student has copied is a cell like any other; the last one of a name counts.

    nbgrader leaves such a copy with empty marks, takes the file for one of an old format, and stops the class.
    """

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        for cell in nb.cells:
            if cell.metadata.get("nbgrader") == {}:
                del cell.metadata["nbgrader"]
                note(resources["nbgrader"]["student"], "a cell was there twice; the last one counts")
        ids: set[str] = set()
        for cell in nb.cells:  # the notebook format wants them to differ, too
            if cell.get("id") in ids:
                cell["id"] = secrets.token_hex(4)
            ids.add(cell.get("id"))
        return nb, resources


class Referee(Execute):
    """Runs a notebook in its kernel; graded cells are judged by checks that the notebook cannot reach."""

    def preprocess(self, nb, resources):
        self.magic = f"graded_{secrets.token_hex(12)}"
        self.student = resources["nbgrader"]["student"]
        graded = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code" and is_grade(cell))
        names = ", ".join(
            map(repr, [self.magic, *sorted(set(re.findall(r"\b(ch\d\d[a-z]?)\.check_", graded)))])
        )
        self.opening = new_code_cell(
            f"__import__('companion.exercises.grading', fromlist=['begin']).begin({names})"
        )
        nb.cells.insert(0, self.opening)
        try:
            return super().preprocess(nb, resources)
        finally:
            nb.cells.remove(self.opening)

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        first = cell is self.opening or cell.metadata.get("nbgrader", {}).get("grade_id") in IMPORTING
        self.timeout = FIRST_IMPORTS if first else A_CELL  # a cell of ours may call an answer that never ends
        source = cell.source
        if is_grade(cell) and not is_solution(cell):
            cell.source = f"%%{self.magic}\n{source}"
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        finally:
            cell.source = source
        self._look(cell)
        return cell, resources

    def _look(self, cell):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "a cell of their own")
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if cell is self.opening and errors:
            raise GradingError(f"The checks could not be loaded ({errors[0].ename}: {errors[0].evalue}).")
        if ran_out_of_time(cell):
            if name in IMPORTING:
                raise GradingError(
                    f"The cell {name} has not ended within {self.timeout} s; grade again when it is calm."
                )
            note(
                self.student,
                f"{name} ran out of time" + ("; no points yet, look at it" if is_grade(cell) else ""),
            )


class Grades(SaveAutoGrades):
    """Stores the points; a check that the clock has stopped is left to a human, and not made a zero."""

    def _add_score(self, cell, resources):
        super()._add_score(cell, resources)
        if cell.cell_type == "code" and ran_out_of_time(cell):
            name = cell.metadata["nbgrader"]["grade_id"]
            grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
            grade.auto_score, grade.needs_manual_grade = None, True
            self.gradebook.db.commit()


os.environ.setdefault("COMPANION_BUDGET", "smoke")  # a notebook's own training is not what is graded

c = get_config()  # noqa: F821 - nbgrader's
c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    OneOfEach,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    Referee,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    Grades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.OverwriteCells.add_missing_cells = True  # a deleted check is put back
c.Execute.timeout = A_CELL  # for whoever runs nbgrader's own executor
c.ExecutePreprocessor.timeout = A_CELL
