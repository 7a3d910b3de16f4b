"""Grade one assignment of an nbgrader course, each student by themselves, and say in a line how it went."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Line(NamedTuple):
    """One student's line in the report."""

    student: str
    points: str
    notes: tuple[str, ...]


def rename_back(folder: Path, assignment: str) -> str:
    """Give a renamed notebook its own name again; what was done, or why nothing can be graded.

    Raises:
        FileNotFoundError: No notebook is there, or nobody can tell which is meant.
    """
    wanted = folder / f"{assignment}.ipynb"
    if wanted.is_file():
        return ""
    others = sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if len(others) != 1:
        names = ", ".join(path.name for path in others) or "no notebook"
        raise FileNotFoundError(f"not graded: {wanted.name} is missing, and there is {names}")
    shutil.copy2(others[0], wanted)
    return f"the notebook was called {others[0].name}"


def autograde(course: Path, assignment: str, student: str, log: Path) -> tuple[list[str], bool]:
    """Run nbgrader on one submission; its notes, and whether it has come to an end."""
    notes = log.with_suffix(".notes")
    notes.unlink(missing_ok=True)
    environment = {**os.environ, "COMPANION_GRADING_NOTES": str(notes)}
    command = [sys.executable, "-m", "nbgrader", "autograde", assignment, "--create", "--force"]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [*command, f"--student={student}", f"--course-dir={course}"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    told = []
    if notes.is_file():
        told = [json.loads(line)["note"] for line in notes.read_text(encoding="utf-8").splitlines()]
        notes.unlink()
    return list(dict.fromkeys(told)), not done.returncode


def why(log: Path) -> str:
    """The last exception that nbgrader's log holds, in one line."""
    text = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    kinds = [
        line
        for line in text
        if line.split(":")[0].endswith(("Error", "Exception")) and " " not in line.split(":")[0]
    ]
    last = kinds[-1] if kinds else "nbgrader has failed"
    return "its kernel died" if "DeadKernelError" in last else last.rpartition("Error: ")[2] or last


def points(course: Path, assignment: str, student: str) -> str:
    """What the gradebook holds for a student, and how much of it waits for a human."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        submission = book.find_submission(assignment, student)
        waiting = sum(
            grade.needs_manual_grade for notebook in submission.notebooks for grade in notebook.grades
        )
        shown = f"{submission.score:g} of {submission.max_score:g}"
    return f"{shown}, {waiting} to be read" if waiting else shown


def grade(course: Path, assignment: str) -> list[Line]:
    """One line for each student who has handed in anything."""
    tools = Path(sys.executable).parent  # nbgrader calls `alembic` by name
    os.environ["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    logs = course / "logs" / assignment
    logs.mkdir(parents=True, exist_ok=True)
    lines = []
    for folder in sorted((course / "submitted").glob(f"*/{assignment}")):
        student = folder.parent.name
        print(f"==> {student}", flush=True)
        try:
            renamed = rename_back(folder, assignment)
        except FileNotFoundError as missing:
            lines.append(Line(student, "none", (str(missing),)))
            continue
        notes, ended = autograde(course, assignment, student, logs / f"{student}.log")
        notes = [renamed, *notes] if renamed else notes
        if ended:
            lines.append(Line(student, points(course, assignment, student), tuple(notes)))
        else:
            reason = f"not graded: {why(logs / f'{student}.log')} (logs/{assignment}/{student}.log)"
            lines.append(Line(student, "none", (*notes, reason)))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("course", type=Path, help="the course's folder, as `make classroom` made it")
    parser.add_argument("assignment", help="the assignment, such as 01_gan_basics")
    options = parser.parse_args()
    course = options.course.resolve()
    lines = grade(course, options.assignment)
    if not lines:
        sys.exit(
            f"Nobody has handed in {options.assignment}: {course}/submitted/STUDENT/{options.assignment}/ is empty."
        )
    report = "\n".join(
        f"{line.student}: {line.points}{''.join(f'; {note}' for note in line.notes)}" for line in lines
    )
    (course / f"report_{options.assignment}.txt").write_text(f"{report}\n", encoding="utf-8")
    print(report)
    sys.exit(any(line.points == "none" for line in lines))


if __name__ == "__main__":
    main()
