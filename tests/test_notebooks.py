"""Guards the notebooks' form: sizes, captions, alt text, short cells, glossary terms, and that no smoke run is stored.

That the chapters run in Jupyter's kernel is another command's business: nbval executes them at the smoke budget (`make
test`). The exercises run here, solved, and unsolved in a kernel in `exercises/test_masters.py`.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from house import sampled

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
EXERCISES = sorted((ROOT / "notebooks/exercises").glob("*.ipynb"))
by_name = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")


def figures(path: Path) -> list[str]:
    """The HTML of every stored figure."""
    data = [output.get("data", {}) for cell in code_cells(path) for output in cell.outputs]
    return [found["text/html"] for found in data if "gv-figure" in found.get("text/html", "")]


def test_there_is_a_notebook_to_guard():
    assert CHAPTERS


@pytest.mark.parametrize("path", [*CHAPTERS, *EXERCISES], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_notebook_is_valid_light_and_without_widget_state(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert path.stat().st_size <= 2_000_000
    assert "widgets" not in notebook.metadata
    assert [cell.id for cell in notebook.cells if not cell.id] == []


@by_name
def test_every_cell_ran_in_order_without_an_error_and_without_noise(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [output for cell in code_cells(path) for output in cell.outputs]
    assert not [
        output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"
    ]


@by_name
def test_the_outputs_are_of_a_laptop_or_gpu_run(path):
    text = json.dumps([cell.outputs for cell in code_cells(path)])
    assert re.search("budget: (laptop|gpu)", text)
    assert "budget: smoke" not in text


@by_name
def test_every_figure_has_alt_text_and_a_number_in_order(path):
    chapter = path.stem.split("_")[0].removeprefix("0")  # 0, 2, 2b
    found = figures(path)
    assert found
    numbers = [re.search(r"<b>Figure (\w+)\.(\d+)\.</b>", figure).groups() for figure in found]
    assert numbers == [(chapter, str(index + 1)) for index in range(len(found))]
    for figure in found:
        assert all(len(alt) > 30 for alt in re.findall(r'alt="([^"]*)"', figure))
        assert len(re.findall("<img", figure)) == len(re.findall("alt=", figure)) >= 1


@by_name
def test_every_animation_has_a_still_for_readers_who_asked_for_less_motion(path):
    for figure in figures(path):
        assert ("image/webp" in figure) == ("prefers-reduced-motion" in figure)


@by_name
def test_source_that_a_cell_is_to_show_is_the_last_thing_in_it(path):
    """Else Jupyter shows nothing, and nobody notices."""
    for cell in code_cells(path):
        tree = ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", cell.source, flags=re.M))
        for step in tree.body[:-1]:
            assert not ast.unparse(step).startswith(("course.show(", "course.diff(")), cell.source


@by_name
def test_no_line_of_prose_is_a_comment(path):
    """MyST drops a line that begins with a per cent sign, and what stands in it."""
    assert [line for line in prose(path).splitlines() if line.startswith("%")] == []


@by_name
def test_cells_are_short(path):
    """Fifteen lines and one idea; a closing caption does not count."""
    for cell in code_cells(path):
        lines = cell.source.split("viz.figure(")[0].splitlines()
        assert len([line for line in lines if line.strip()]) <= 15, cell.source


@by_name
def test_bold_terms_are_in_the_glossary(path):
    glossary = (ROOT / "book/glossary.md").read_text(encoding="utf-8").lower()
    terms = {
        re.sub(r"[^\w\s–'-]", "", term).lower()
        for term in re.findall(r"\*\*([^*]+)\*\*", prose(path).split("\n## ", 1)[1])
        if not term.endswith((".", ":"))
    }
    missing = {term for term in terms if term not in glossary and term.removesuffix("s") not in glossary}
    assert not missing


@by_name
def test_links_to_other_files_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose(path))
    assert links
    assert not [link for link in links if not (path.parent / link).exists()]


@by_name
def test_numbers_have_three_budgets_in_sight_and_the_set_up_comes_first(path):
    first, second, *_ = code_cells(path)
    assert "course.setup(chapter=" in first.source
    assert "google.colab" in first.source
    assert all(f"{name}=" in second.source for name in ("smoke", "laptop", "gpu"))


@pytest.fixture(scope="module")
def on_a_card() -> Iterator[Callable[[Path], tuple[int, str]]]:
    """Runs a notebook on a card that is only pretended: its status, and what it said."""
    command = [sys.executable, str(ROOT / "tests/elsewhere.py"), "cuda"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as runner:

        def ran(notebook: Path) -> tuple[int, str]:
            print(notebook, file=runner.stdin, flush=True)
            return tuple(json.loads(runner.stdout.readline()))

        yield ran


NOTEBOOKS = {f"{path.parent.name}-{path.stem}": path for path in [*CHAPTERS, *EXERCISES]}
# Of the chapters one, since nbval runs each anyway; of the exercises all but the longest, as nothing else runs them
# solved.
PRETENDING = {"notebooks-03_wgan", *(name for name in NOTEBOOKS if name.startswith("ex"))} - {
    "exercises-01_gan_basics"
}


@pytest.mark.full  # a whole notebook each
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.parametrize("name", sampled(NOTEBOOKS, PRETENDING))
def test_it_runs_on_a_card_that_is_only_pretended(name, on_a_card):
    """What a graphics card would refuse fails, and what forgets the card leaves it empty."""
    path = NOTEBOOKS[name]
    trains = path in CHAPTERS and path.stem[:2] not in (
        "00",
        "08",
    )  # exercises count on the CPU, in float64 too
    status, said = on_a_card(path)
    assert status == 0, said[-6000:]
    on_the_card = int(said.rstrip().splitlines()[-1].split()[0])
    assert (on_the_card > 0) == trains
