"""Tables that are read from records when the book is built, so that no number on these pages was typed by hand.

{headlines} a number of each chapter, and what it stands beside
{results}   for each chapter a table of its run records in `companion/pretrained`, and the page that has them in full
{records}   a chapter's run records, each folded
{credits}   one row per data asset that comes with the package, is fetched, or is put there by hand
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from companion.data import assets as assets_of_the_course
from companion.data import catalogue
from companion.records import Measurement, Record, number, records_in

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "companion/pretrained"

# The number that says most of a run, where it is not its first: many begin with what they are compared to.
TELLING = {
    "critic-constraints": "critic's estimate: ring, two-sided penalty, displaced fakes, 15,000 steps",
    "colour": "colourfulness: painted",
    "deblur-alone": "lost generators, critic alone: normalised, a tenth of the rate",
    "deblur-any": "gain in PSNR (dB), real shakes: the network",
    "deblur-best": "gain in PSNR (dB), test",
    "deblur-blind": "gain in PSNR (dB), real shakes: Richardson–Lucy, kernel found blindly",
    "deblur-classical": "gain in PSNR (dB), test: Wiener, true kernel",
    "deblur-content": "perceptual distance, test, content loss: weight 100",
    "deblur-features": "PSNR (dB), efficientnet-lite0 over squeezenet-deep-compression, weight 50",
    "deblur-gan": "gain in PSNR (dB), test",
    "deblur-real": "gain in PSNR (dB), real shakes",
    "deblur-ways": "gain in PSNR (dB), real shakes: kernel",
    "deblur-restored": "gain in PSNR (dB), real shakes: restore",
    "identity-margin": "true accepts at 1 % false, two portraits: portraits alone: what the margin adds",
    "likeness-kept": "agreement of proportions: portraits",
    "munit-drawn": "landmarks off: translations, from k = 1",
    "munit-poses": "recall of the portrait from its translation: looking ahead: what “turned heads left out” adds",
    "faces-linear": "nearest is the right person, by a linear map",
    "faces-covered": "named rightly, face covered by the package's ellipse",
    "faces-drag": "share of the way that the point went: dragged",
    "faces-hidden": "named rightly, in squares",
    "found-afar": "hands found, 64 pixels high",
    "gan-fixes": "Fréchet distance: both rates ×5",
    "gan-precision": "Fréchet distance: bfloat16",
    "identity": "true accepts at 1 % false, a portrait and a drawing: portraits, then both",
    "identity-people": "true accepts at 0.1 % false, two photographs: angular margin, portraits and drawings",
    "likeness-looks": "error of the skin, in dim light: gained",
    "memory": "nearer than unseen pictures, digits, pixels as they lie: samples",
    "mnist-beta": "active units, β = 16",
    "munit-identity": "recall of the portrait from its translation: identity",
    "munit-parts": "recall of the portrait from its translation there and back: what “with a cycle” adds",
    "munit-rates": "Fréchet distance of translated portraits to caricatures: R1, weight 10, 0.0002",
    "portrait-families": "Fréchet distance: WGAN, penalised",
    "portrait-generators": "Fréchet distance: VAE, mixture",
    "portrait-rates": "Fréchet distance, whole runs: non-saturating, R1, rate 0.002, weight 10",
    "restoration-rates": "perceptual distance: pre-trained, 0.001",
    "ring-objectives": "modes covered of 8: non-saturating, equal rates",
    "sagan-parts": "attention's gain in Fréchet distance",
    "unet": "PSNR (dB): U-Net over bicubic",
    "vae-objectives": "PSNR: sharpened target",
    "wgan-loss-quality": "Wasserstein, penalty: rank correlation of the estimate, whole run",
}


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


# ---- numbers --------------------------------------------------------------------------------------------------------


def shown(metric: Measurement, *, digits: int = 4) -> str:
    """A value with as many decimals as its spread or interval leaves certain, else so many digits; a minus is one."""
    return _shown(metric, digits).replace("-", "\u2212")


def _shown(metric: Measurement, most: int) -> str:
    if metric.spread is not None:
        digits = _decimals(metric.spread)
        if digits is None:
            return metric.text
        return f"{metric.value:.{digits}f}\u00a0±\u00a0{metric.spread:.{digits}f}"
    if metric.interval is not None:
        low, high = metric.interval
        digits = _decimals((high - low) / 2)
        if digits is not None:
            return f"{metric.value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    if most < 4 or 0.001 < abs(metric.value) < 0.1:
        return f"{metric.value:.3g}"
    return number(metric.value)


def _decimals(spread: float) -> int | None:
    """Two digits of a spread; None where there is next to none."""
    return None if spread < 1e-9 else max(0, 1 - math.floor(math.log10(spread)))


# ---- results --------------------------------------------------------------------------------------------------------


class Results(MarkdownFromFiles):
    def lines(self) -> Iterator[str]:
        records = sorted(records_in(RECORDS), key=lambda record: (record.chapter, record.title))
        for chapter, of_one in groupby(records, key=lambda record: record.chapter):
            yield from describe_chapter(chapter, list(of_one))


class Records(MarkdownFromFiles):
    required_arguments = 1

    def lines(self) -> Iterator[str]:
        chapter = int(self.arguments[0])
        of_one = [record for record in records_in(RECORDS) if record.chapter == chapter]
        for record in sorted(of_one, key=lambda record: record.title):
            yield from describe(record)


class Headlines(MarkdownFromFiles):
    """A line for each row: chapter | what | record | measure, and if there is one: | beside what | record | measure."""

    has_content = True

    def lines(self) -> Iterator[str]:
        records = {record.name: record for record in records_in(RECORDS)}

        def value(name: str, measure: str) -> str:
            return shown(records[name].measured(measure), digits=3)

        rows = []
        for line in self.content:
            chapter, what, *first = [part.strip() for part in line.split("|")]
            beside = f"{first[2]}: {value(*first[3:])}" if len(first) > 2 else "—"
            rows.append([chapter, what, f"**{value(*first[:2])}**", beside])
        yield from table(["Chapter", "What was measured", "Value", "Beside it"], rows)


def describe_chapter(chapter: int, records: Sequence[Record]) -> Iterator[str]:
    """What a chapter's runs were, in one table, and where all is that they measured."""
    yield from [f"## Chapter {chapter}", ""]
    rows = [
        [record.title, *_telling(record), str(len(record.seeds) or "—"), hours(record.seconds)]
        for record in records
    ]
    yield from table(["Run", "One of its numbers", "Value", "Seeds", "Time of all (h:mm:ss)"], rows)
    yield from [f"[All that these runs measured, and how](records/chapter-{chapter}.md)", ""]


def _telling(record: Record) -> tuple[str, str]:
    """The number to look at: the one that `TELLING` names, else the first."""
    if not record.metrics:
        return "—", "—"
    metric = record.measured(TELLING[record.name]) if record.name in TELLING else record.metrics[0]
    return metric.name, shown(metric)


def describe(record: Record) -> Iterator[str]:
    """One record, folded under its title: a table of its metrics and a table of how it was run."""
    yield from [f":::{{dropdown}} {record.title}", ""]
    yield from describe_metrics(record.metrics)
    yield from ["{.gv-under-table}", "How it was run:", ""]
    yield from table(["", ""], run_rows(record))
    yield from [":::", ""]


def describe_metrics(metrics: Sequence[Measurement]) -> Iterator[str]:
    """A row for each number. How several were measured is said once, below the table."""
    rows = [[metric.name, shown(metric), metric.how] for metric in metrics]
    protocols = list(dict.fromkeys(protocol for *_, protocol in rows))
    if len(protocols) == len(rows):  # nothing to save
        if rows:
            yield from table(["Measure", "Value", "How it was measured"], rows)
    elif len(protocols) == 1:
        yield from table(["Measure", "Value"], [row[:2] for row in rows])
        yield from ["{.gv-under-table}", f"How each was measured: {protocols[0]}.", ""]
    else:
        letters = {protocol: _letter(index) for index, protocol in enumerate(protocols)}
        yield from table(["Measure", "Value", "How"], [[*shown, letters[how]] for *shown, how in rows])
        notes = "\\\n".join(f"{letter}: {protocol}" for protocol, letter in letters.items())
        yield from ["{.gv-under-table}", notes, ""]


def _letter(index: int) -> str:
    """Letters a to z, then aa, ab and so on."""
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(ord("a") + index % 26)


def run_rows(record: Record) -> list[list[str]]:
    """What the record says of the run; not every run has seeds, steps or data."""
    settings, machine = record.settings, record.environment
    rows = {
        "Chapter": record.chapter,
        "Command": f"`{record.command}`",
        "Date": machine.date,
        "Seed": list(record.seeds),
        "Machine": f"{machine.device}, {machine.device_name}, {machine.cores} cores, {machine.threads} threads",
        "Precision": settings.get("precision"),
        "Budget": record.budget,
        "Steps": settings.get("steps"),
        "Time": duration(record.seconds),
        "Data": settings.get("data"),
        "Versions": machine.versions,
    }
    return [[name, plain(value)] for name, value in rows.items() if value not in (None, "", [], {})]


def hours(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def duration(seconds: float) -> str:
    return f"{hours(seconds)} (h:mm:ss)"


def plain(value: Any) -> str:
    """Nested values in one line: `torch 2.14.1, numpy 2.3`."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    return number(value) if type(value) in (int, float) else str(value)


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
    app.add_directive("headlines", Headlines)
    app.add_directive("results", Results)
    app.add_directive("records", Records)
    app.add_directive("credits", Credits)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
