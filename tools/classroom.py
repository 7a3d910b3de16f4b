"""Make an nbgrader course from the exercise masters: `source/` with solutions, `release/` for the students."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

MASTERS = Path("notebooks/exercises")
CONFIG = Path(__file__).with_name("nbgrader_config.py")


def copy_masters(course: Path) -> list[str]:
    """One assignment per master, named after it; nbgrader wants source/ASSIGNMENT/NOTEBOOK.ipynb."""
    names = []
    for master in sorted(MASTERS.glob("*.ipynb")):
        folder = course / "source" / master.stem
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(master, folder)
        names.append(master.stem)
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("course", type=Path, help="the folder to make the course in")
    course = parser.parse_args().course.resolve()
    names = copy_masters(course)
    if not names:
        sys.exit(f"No exercise masters in {MASTERS}/.")
    shutil.copy2(CONFIG, course)  # limits, and how answers are judged
    # One version for all: no solutions, no outputs, tests locked. `--force` renews an earlier one.
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--create", "--force"]
    tools = Path(sys.executable).parent  # nbgrader calls `alembic` by name
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    for name in names:
        print(f"==> {name}", flush=True)
        result = subprocess.run(
            [*command, f"--course-dir={course}", "--log-level=ERROR", name], env=environment, check=False
        )
        if result.returncode:
            sys.exit(f"nbgrader could not make the students' version of {name}; see above.")
    print(f"{len(names)} for students in {course / 'release'}. Grading: book/instructor.md, “With nbgrader”.")


if __name__ == "__main__":
    main()
