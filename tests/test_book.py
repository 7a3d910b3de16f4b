"""Guards the book as it is written.

It builds without a warning, its links lead somewhere, every picture has a description, its colours are the code's, and
its tables come from the records.
"""

import base64
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from house import ROOT, built_site, in_contents, pages
from PIL import Image
from sphinx.testing.util import SphinxTestApp

from companion.records import Environment, Measurement, Record, records_in
from companion.viz import COLOURS, named

sys.path.insert(0, str(ROOT / "book/_ext"))
import gv_leads
import gv_maths
import gv_records
import gv_solutions

from companion.data.assets import manifest
from companion.data.catalogue import sets

CSS = (ROOT / "book/web_static/palette.css").read_text(encoding="utf-8")
MASTERS = [path for path in sorted((ROOT / "notebooks/exercises").glob("*.ipynb")) if in_contents(path)]


@pytest.fixture(scope="module")
def site() -> dict[Path, BeautifulSoup]:
    """Every page, parsed."""
    folder = built_site()
    return {
        page: BeautifulSoup((folder / page).read_text(encoding="utf-8"), "html.parser") for page in pages()
    }


# ---- the build ------------------------------------------------------------------------------------------------------


def test_build_counts_a_warning_as_an_error():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"jupyter-book build \. --all -W --keep-going -n", makefile)


@pytest.mark.full
def test_every_page_of_the_contents_is_built(site):
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = re.findall(r"'(?:root|file)': '([^']+)'", str(contents))
    assert len(names) > 10
    assert [name for name in names if Path(f"{name}.html") not in site] == []


@pytest.mark.full
def test_every_image_has_a_description(site):
    """Docutils falls back to the file's name, which tells nobody what is to be seen."""
    bare = []
    for page, soup in site.items():
        for picture in soup.select(".bd-article :is(img, svg:not(.sd-octicon, .katex svg))"):
            text = picture.get("alt") or picture.get("aria-label") or ""
            if len(text) < 10 or re.search(r"\.(png|svg|gif|webp|jpe?g)$", text):
                bare.append(f"{page}: {picture.get('src', 'svg')[:60]} “{text[:60]}”")
    assert bare == []


@pytest.mark.full
def test_every_internal_link_leads_somewhere(site):
    folder, broken = built_site(), []
    for page, soup in site.items():
        for link in soup.select("a[href], img[src], link[href], script[src]"):
            address, fragment = urldefrag(link.get("href") or link.get("src"))
            if urlsplit(address).scheme or address.startswith("//"):
                continue
            target = (folder / page).parent / unquote(urlsplit(address).path) if address else folder / page
            if not target.exists():
                broken.append(f"{page}: {address}")
            elif fragment and target.suffix == ".html":
                if "&" in fragment:  # settings, which the laboratory reads
                    continue
                other = site[target.resolve().relative_to(folder.resolve())]
                if not other.find(id=unquote(fragment)) and fragment not in {"", "search-documents"}:
                    broken.append(f"{page}: {address}#{fragment}")
    assert broken == []


@pytest.mark.full
def test_announced_chapters_have_no_links(site):
    coming = site[Path("book/index.html")].select(".gv-coming")
    assert all(card.select_one(".sd-card-footer") and not card.find("a") for card in coming)


def test_no_stored_notebook_holds_widgets():
    """Without the widget manager, which the site does not load, they would leave a hole in the page."""
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert "widgets" not in notebook.metadata, path
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert not any("widget-view" in kind for output in outputs for kind in output.get("data", {})), path


# ---- colours --------------------------------------------------------------------------------------------------------


def colours(theme: str) -> dict[str, str]:
    block = {"light": r"^html \{(.*?)\}", "dark": r'^  html\[data-theme="dark"\] \{(.*?)\}'}[theme]
    body = re.search(block, CSS, re.DOTALL | re.MULTILINE)[1]
    return dict(re.findall(r"--gv-([\w-]+): (#[0-9A-F]{6})", body))


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.1, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_site_and_plots_share_one_palette():
    assert {name: colours("light")[name] for name in COLOURS} == {n: c.upper() for n, c in COLOURS.items()}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_coloured_words_can_be_read(theme):
    """AA asks for 4.5 : 1, on the page and on the tinted ground of code and sidebar."""
    palette = colours(theme)
    words = [f"{name}-ink" for name in COLOURS] + ["text", "quiet"]
    weak = {
        (word, ground): round(contrast(palette[word], palette[ground]), 2)
        for word in words
        for ground in ("ground", "surface")
        if contrast(palette[word], palette[ground]) < 4.5
    }
    assert weak == {}


def test_contrast_of_known_pairs():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


# ---- equations ------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_every_equation_is_set_once_to_look_at_and_once_to_listen_to(site):
    equations = [(page, equation) for page, soup in site.items() for equation in soup.select(".math")]
    assert len(equations) > 500
    for page, equation in equations:
        assert len(equation.select("math")) == len(equation.select(".katex-html[aria-hidden]")) == 1, page
        assert "\\" not in equation.text, f"{page}: {equation.text}"
    assert [page for page, soup in site.items() if soup.select(".katex-error, annotation")] == []


@pytest.mark.full
def test_no_page_is_left_with_equations_as_they_are_written(site):
    """Also in figures' words, which notebooks store as HTML."""
    written = re.compile(r"\\[(\[].+?\\[)\]]|\$\\?\w[^$\n]*\$|\\(?:mathbb|frac|text|real|fake)\b")
    for page, soup in site.items():
        words = (
            text for text in soup.find_all(string=True) if not text.find_parent(["pre", "code", "script"])
        )
        assert written.findall("".join(words)) == [], page


def test_symbols_take_the_class_of_their_role():
    made = gv_maths.typeset(r"\real{x}", macros={r"\real": r"\htmlClass{gv-real}{#1}"})["html"]
    assert '<span class="enclosing gv-real"><span class="mord mathnormal">x</span></span>' in made


@pytest.mark.parametrize(
    ("tex", "why"),
    [
        (r"\nonsense", "Undefined control sequence"),
        (r"\frac{1}", "Unexpected end of input"),
        ("x = ¼", "Unrecognized Unicode character"),
        ("–", "Unrecognized Unicode character"),
        (r"\href{https://example.org}{x}", "is not for this book"),
        (r"\htmlStyle{color: red}{x}", "is not for this book"),
    ],
)
def test_what_katex_can_only_half_set_is_an_error(tex, why):
    made = gv_maths.typeset(tex)
    assert made.keys() == {"error"}
    assert why in made["error"]


PAGE = r"""
Of :math:`x^2`
==============

.. math:: a = b
   :label: one

By :eq:`one`, and :math:`\nonsense`.
"""


@pytest.mark.slow
def test_equations_have_numbers_and_links_and_a_wrong_one_is_a_warning_of_its_page(tmp_path):
    (tmp_path / "index.rst").write_text(PAGE, encoding="utf-8")
    (tmp_path / "conf.py").write_text("html_math_renderer = 'katex'\nextensions = ['gv_maths']\n")
    app = SphinxTestApp(srcdir=tmp_path)
    try:
        app.build()
        told = app.warning.getvalue()
    finally:
        app.cleanup()
    made = BeautifulSoup((tmp_path / "_build/html/index.html").read_text(encoding="utf-8"), "html.parser")
    assert made.select_one("h1 math").text == "x2"
    assert made.select_one("div.math .eqno").text.startswith("(1)")
    target = made.select_one("p a.reference")["href"]
    assert made.select_one(target).select_one("math")
    assert told.count("WARNING") == 1
    assert "index.rst:8" in told
    assert r"Undefined control sequence: \nonsense" in told


# ---- tables from records --------------------------------------------------------------------------------------------


@pytest.mark.full
def test_every_record_is_on_the_results_page_and_in_full_on_its_chapters(site):
    def on(page: str) -> str:
        return site[Path(page)].text.replace("’", "'")

    overview = on("book/results.html")
    records = records_in(gv_records.RECORDS)
    assert [r.name for r in records if r.title not in overview] == []
    missing = [r.name for r in records if r.command not in on(f"book/records/chapter-{r.chapter}.html")]
    assert missing == []


def test_no_record_is_of_a_trial_run():
    """Debug and smoke runs show that the code runs; their numbers mean nothing and are not for the book."""
    assert [r.name for r in records_in(gv_records.RECORDS) if r.budget in {"debug", "smoke"}] == []


@pytest.mark.full
def test_every_asset_is_credited(site):
    text = site[Path("book/licence.html")].text
    named = [*manifest(), *(credit.what for one in sets().values() for credit in one.credits)]
    assert [name for name in named if name not in text] == []


MACHINE = Environment("cpu", "a processor", 2, 1, {"torch": "2.14"}, "2026-01-01")
RECORD = Record("x", "the title", 3, "companion reproduce x", "laptop", (1, 2), 3725.0, MACHINE, {}, ())


def test_a_number_has_no_more_decimals_than_its_interval_leaves_certain():
    def shown(value: float, interval: tuple[float, float] | None = None) -> str:
        return gv_records.shown(Measurement("x", value, "how", interval=interval))

    assert shown(0.4836, (0.353, 0.642)) == "0.48 [0.35, 0.64]"
    assert shown(99.0, (99.0, 99.0)) == "99"
    assert shown(0.08241) == "0.0824"
    assert shown(-0.5202) == "−0.5202"
    assert shown(0.9998) == "0.9998"


def test_the_number_named_as_telling_is_one_that_the_run_measured():
    records = {record.name: record for record in records_in(gv_records.RECORDS)}
    assert all(records[name].measured(measure) for name, measure in gv_records.TELLING.items())


def test_a_run_may_lack_seeds_steps_and_data():
    lines = "\n".join(gv_records.describe(replace(RECORD, seeds=())))
    assert ":::{dropdown} the title" in lines
    assert "None" not in lines
    assert "Seed" not in lines
    assert "Steps" not in lines


def test_a_full_record_shows_value_spread_and_protocol():
    metric = Measurement("Fréchet distance", 12.3456, "digit classifier", 0.5, n=10000)
    record = replace(RECORD, metrics=(metric,), settings={"steps": 20000})
    lines = "\n".join(gv_records.describe(record))
    assert "| Fréchet distance | 12.35\u00a0±\u00a00.50 | digit classifier, n = 10000 |" in lines
    assert "| Steps | 20\u202f000 |" in lines
    assert "1:02:05" in lines
    assert "torch 2.14" in lines


def test_a_shared_protocol_is_said_once():
    metrics = [Measurement(name, 1, f"10,000 {of}") for name in "ab" for of in ("cats", "dogs")]
    lines = "\n".join(gv_records.describe_metrics(metrics))
    assert lines.count("10,000 cats") == lines.count("10,000 dogs") == 1
    assert lines.count("| a | 1 | a |") == lines.count("| a | 1 | b |") == 1
    assert "a: 10,000 cats" in lines
    assert "\n".join(gv_records.describe_metrics([])) == ""


def test_a_pipe_does_not_break_a_table():
    assert list(gv_records.table(["a"], [["x | y"]]))[2] == "| x \\| y |"


# ---- the picture that a chapter opens with -----------------------------------------------------------------------


RED = Image.new("RGB", (200, 100), "red")


def stored_figure(number: str, image: Image.Image = RED) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    caption = f"<figcaption><b>Figure {number}.</b> What.</figcaption>"
    return f'<figure class="gv-figure"><img src="{source}" alt="red" width="200">{caption}</figure>'


def test_a_part_of_a_figure_stands_under_the_title_and_leads_to_it():
    page = f"<h1>A chapter</h1><p>Words.</p>{stored_figure('3.1')}{stored_figure('3.2')}"
    made = BeautifulSoup(gv_leads.led(page, gv_leads.Lead("3.2", bottom=0.5)), "html.parser")
    lead = made.find("figure")
    assert lead["class"] == ["gv-lead-picture"]
    assert lead.find_previous_sibling().name == "h1"
    assert lead.a["style"] == "aspect-ratio: 200 / 50; --gv-wide: 100.00%; --gv-left: 0.00%; --gv-up: -0.00%"
    target = made.find(id=lead.a["href"].removeprefix("#"))
    assert target.figcaption.b.text == "Figure 3.2."
    assert lead.img["alt"] == "red"


def test_names_beside_and_above_pictures_are_left_out():
    figure = named(RED, rows=["a name", "another"], columns=["k = 1", "k = 2"])
    left, above = figure.width - RED.width, figure.height - RED.height
    page = f"<h1>A</h1>{stored_figure('7.1', figure)}"
    made = gv_leads.led(page, gv_leads.Lead("7.1", bottom=0.5, named=True))
    wide = f"--gv-wide: {100 * figure.width / 200:.2f}%"
    assert min(left, above) > 10
    assert f"aspect-ratio: 200 / 50; {wide}; --gv-left: {-left / 2:.2f}%; --gv-up: {-above / 2:.2f}%" in made


def test_a_slider_opens_a_chapter_without_its_handle():
    figure = stored_figure("5.8").replace("<figcaption>", '<input type="range"><figcaption>')
    made = BeautifulSoup(gv_leads.led(f"<h1>A</h1>{figure}", gv_leads.Lead("5.8")), "html.parser")
    assert len(made.find_all("input")) == 1
    assert gv_leads.led("<h1>A</h1>", gv_leads.Lead("5.8")) is None


def test_every_chapter_opens_with_a_figure_that_it_has():
    chapters = {path.stem: path for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert gv_leads.LEADS.keys() == chapters.keys()
    for name, path in chapters.items():
        assert f"<b>Figure {gv_leads.LEADS[name].figure}.</b>" in path.read_text(encoding="utf-8"), name


# ---- exercises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("master", MASTERS, ids=lambda path: path.stem)
@pytest.mark.full
def test_solutions_are_folded(site, master):
    """As many folds as solutions, none open, and no line of a solution outside a fold."""
    page = site[master.relative_to(ROOT).with_suffix(".html")]
    cells = [cell.source for cell in nbformat.read(master, as_version=4).cells if cell.cell_type == "code"]
    solutions = [match[1] for source in cells for match in gv_solutions.SOLUTION.finditer(source)]
    folds = page.select("details.gv-solution")
    assert len(folds) == len(solutions) > 0
    assert not any(fold.has_attr("open") for fold in folds)
    assert "BEGIN SOLUTION" not in page.text
    for fold in folds:
        fold.extract()
    outside = page.select_one("article").text
    lines = [line.strip() for solution in solutions for line in solution.splitlines()]
    given = "\n".join(gv_solutions.SOLUTION.sub("", source) for source in cells)
    assert [line for line in lines if len(line) > 25 and line in outside and line not in given] == []


def test_a_solution_is_cut_out_whole():
    source = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\nf(1)"
    assert gv_solutions.SOLUTION.split(source) == ["def f(x):", "    return x", "\nf(1)"]


def test_a_written_answer_is_folded():
    class App:
        class env:
            doc2path = staticmethod(lambda name: f"{name}.ipynb")

    cell = {"cell_type": "markdown", "metadata": {"nbgrader": {"solution": True}}, "source": ["Because."]}
    source = [json.dumps({"cells": [cell]})]
    gv_solutions.fold_text_solutions(App, "x", source)
    assert json.loads(source[0])["cells"][0]["source"].startswith("``````{dropdown}")
