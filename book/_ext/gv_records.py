"""Tables that are read from records when the book is built, so that no number on these pages was typed by hand.

{results}   one section per run record: `companion/pretrained/*.json` and `book/results/*.json`
{compare}   some of these records side by side, by their names: one column each
{credits}   one row per data asset that comes with the package, is fetched, or is put there by hand
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from companion.data import assets as assets_of_the_course
from companion.data import catalogue

ROOT = Path(__file__).parents[2]
RECORD_FOLDERS = (ROOT / "companion/pretrained", ROOT / "book/results")
Record = dict[str, Any]


class MarkdownFromFiles(SphinxDirective):
    """Writes Markdown lines and parses them where the directive stands."""

    def lines(self) -> Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # new files count too, so this page is read at every build
        holder = nodes.Element()
        lines = list(self.lines())
        self.state.nested_parse(
            StringList(lines, self.env.docname), self.content_offset, holder, match_titles=1
        )
        return holder.children


# ---- results --------------------------------------------------------------------------------------------------------


class Results(MarkdownFromFiles):
    def lines(self) -> Iterator[str]:
        found = sorted(read_records(), key=lambda r: (str(r.get("chapter", "")), str(r.get("name", ""))))
        if not found:
            yield "No run has been recorded yet."
        for record in found:
            yield from describe(record)


class Compare(MarkdownFromFiles):
    required_arguments = 1
    final_argument_whitespace = True

    def lines(self) -> Iterator[str]:
        records = {record["name"]: record for record in read_records()}
        names = self.arguments[0].split()
        if missing := [name for name in names if name not in records]:
            raise self.error(f"There is no record of {', '.join(missing)}.")
        yield from compare([records[name] for name in names])


def compare(records: list[Record]) -> Iterator[str]:
    """A table of the measures that all records hold, a column for each, and a row for what each run took."""
    measured = [
        {metric["name"]: metric_row(metric)[1] for metric in as_list(record["metrics"])} for record in records
    ]
    rows = [
        [name, *(values[name] for values in measured)]
        for name in measured[0]
        if all(name in values for values in measured)
    ]
    costs = [duration(record["seconds"]) if record.get("seconds") else "—" for record in records]
    yield from table(
        ["Measure", *(str(record["title"]) for record in records)],
        [*rows, ["time of all seeds", *costs], ["steps", *(number(steps_of(record)) for record in records)]],
    )


def read_records() -> Iterator[Record]:
    for folder in RECORD_FOLDERS:
        for path in sorted(folder.glob("*.json")):
            record = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(record, dict):
                yield {"name": path.stem, **record}


def describe(record: Record) -> Iterator[str]:
    """One record as a heading, a table of its metrics and a table of how it was run."""
    yield from [f"## {record.get('title') or record['name']}", ""]
    if note := record.get("description") or record.get("note"):
        yield from [str(note), ""]
    yield from describe_metrics(as_list(record.get("metrics", [])))
    yield from [":::{dropdown} How it was run", ""]
    yield from table(["", ""], run_rows(record))
    yield from [":::", ""]


def describe_metrics(metrics: list[Record]) -> Iterator[str]:
    """A row for each number. How several were measured is said once, below the table."""
    rows = [metric_row(metric) for metric in metrics]
    protocols = list(dict.fromkeys(protocol for *_, protocol in rows))
    if len(protocols) == len(rows):  # nothing to save
        if rows:
            yield from table(["Measure", "Value", "How it was measured"], rows)
    elif len(protocols) == 1:
        yield from table(["Measure", "Value"], [row[:2] for row in rows])
        yield from ["{.gv-under-table}", f"How each was measured: {protocols[0]}.", ""]
    else:
        letters = {protocol: chr(ord("a") + index) for index, protocol in enumerate(protocols)}
        yield from table(["Measure", "Value", "How"], [[*shown, letters[how]] for *shown, how in rows])
        notes = "\\\n".join(f"{letter}: {protocol}" for protocol, letter in letters.items())
        yield from ["{.gv-under-table}", notes, ""]


def metric_row(metric: Record) -> list[str]:
    """Name, value with its spread, protocol."""
    value = with_spread(metric.get("value", "—"), metric.get("spread"))
    return [str(metric.get("name", "—")), value, plain(metric.get("protocol", "—"))]


def with_spread(value: Any, spread: float | None) -> str:
    """`12.35 ± 0.50`: two digits of the spread, and no more of the value than the spread leaves certain."""
    if spread is None:
        return number(value)
    digits = 0 if spread < 1e-9 else max(0, 1 - math.floor(math.log10(spread)))
    rounded = number(value) if spread < 1e-9 else f"{value:.{digits}f}"
    return f"{rounded}\u00a0±\u00a0{spread:.{digits}f}"


def run_rows(record: Record) -> list[list[str]]:
    """Only what the record holds: an old or a hand-made record may lack some fields."""
    settings = record.get("settings", {})
    machine = [record.get("device"), record.get("device_name") or record.get("cpu")]
    machine += [with_unit(record.get("cores"), "cores"), with_unit(record.get("threads"), "threads")]
    steps = steps_of(record)
    rows = {
        "Chapter": record.get("chapter"),
        "Command": f"`{record['command']}`" if record.get("command") else None,
        "Date": record.get("date"),
        "Seed": record.get("seeds", record.get("seed")),
        "Machine": ", ".join(str(part) for part in machine if part),
        "Precision": record.get("precision") or settings.get("precision"),
        "Budget": record.get("budget"),
        "Steps": number(steps) if steps else None,
        "Time": duration(record["seconds"]) if record.get("seconds") else None,
        "Data": record.get("data") or settings.get("data"),
        "Versions": record.get("versions"),
    }
    return [[name, plain(value)] for name, value in rows.items() if value not in (None, "", [], {})]


def steps_of(record: Record) -> Any:
    return record.get("steps") or record.get("settings", {}).get("steps")


def with_unit(value: Any, unit: str) -> str | None:
    return f"{value} {unit}" if value else None


def number(value: Any) -> str:
    """Four significant digits, thousands with a thin space: enough to compare, no more than was measured."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.4g}"


def duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds))) + " (h:mm:ss)"


def plain(value: Any) -> str:
    """Nested values in one line: `torch 2.14.1, numpy 2.3`."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    return number(value)


def as_list(metrics: Any) -> list[Record]:
    """Metrics come as a list of tables, or short as {name: value}."""
    if isinstance(metrics, dict):
        return [{"name": name, "value": value} for name, value in metrics.items()]
    return list(metrics)


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


# ---- credits --------------------------------------------------------------------------------------------------------


class Credits(MarkdownFromFiles):
    required_arguments = 1

    def lines(self) -> Iterator[str]:
        yield from table(["Asset", "What it is", "Licence", "Attribution"], credit_rows(self.arguments[0]))


def credit_rows(which: str) -> list[list[str]]:
    """A row for each thing that comes with the “package”, that is “fetched”, or that is put there “by-hand”."""
    embedded = dict.fromkeys(credit for one in catalogue.sets().values() for credit in one.credits)
    assets = assets_of_the_course.manifest().values()
    rows: dict[str, list[Any]] = {
        "package": [(credit.what, credit) for credit in embedded],
        "fetched": [(asset.name, asset) for asset in assets if asset.urls],
        "by-hand": [(asset.name, asset) for asset in assets if not asset.urls],
    }
    return [
        [f"`{name}`", of.description, of.licence, cited(of.attribution, of.cite)] for name, of in rows[which]
    ]


def cited(attribution: str, sources: str) -> str:
    """An attribution with its place in the list of references."""
    return f"{attribution} {{cite:p}}`{sources}`" if sources else attribution


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("results", Results)
    app.add_directive("compare", Compare)
    app.add_directive("credits", Credits)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
