"""Guards the sentences that quote a record: a number that is measured anew must be said anew.

The sentences are in said.toml, whose head explains how a field names a recorded number.
"""

import json
import re
import sys
from functools import cache

import pytest
from house import ROOT

from companion.records import Measurement, read_record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SAID = tomllib.loads((ROOT / "tests/said.toml").read_text(encoding="utf-8"))["said"]
WORDS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
)
FIELD = re.compile(r"\{([\w-]+): ([^{}|]+) \| ([^{}]+)\}")
FORM = re.compile(r"(?:(low|high|spread|n) )?(?:(×−?|÷|1÷)(\d*) )?(s?)([wW]|[+,]*(?:\.\d)?[fd])")


def number(measurement, form):
    """A recorded number as a sentence has it."""
    what, way, factor, short, spec = FORM.fullmatch(form).groups()
    value = scaled(taken(measurement, what), way, int(factor or 1))
    if spec in "wW":
        word = dict(enumerate(WORDS)).get(round(value), str(round(value)))
        return word.capitalize() if spec == "W" else word
    text = format(round(value) if spec.endswith("d") else value, spec)
    if short:
        text = re.sub(r"^([+-]?)0\.", r"\1.", text)
    return text.replace("-", "−")


def taken(measurement, what):
    """The value of a measurement, an end of its interval, its spread or its count."""
    if what in ("low", "high"):
        return measurement.interval[what == "high"]
    return getattr(measurement, what or "value")


def scaled(value, way, factor):
    """The value times or through a factor, or one through the value."""
    if way == "1÷":
        return 1 / value
    return value / factor if way == "÷" else value * (-factor if way == "×−" else factor)


def filled(text, measured):
    """A sentence with its fields filled in; `measured` gives what a record measured under a name."""
    return FIELD.sub(lambda field: number(measured(field[1], field[2]), field[3]), text)


def says(prose, sentence):
    """Whether the sentence stands in the prose, and not as the end or the beginning of another number or word."""
    return re.search(rf"(?<![\w.]){re.escape(sentence)}(?!\w|\.\d)", prose) is not None


def in_records(record, metric):
    return kept(record).measured(metric)


@cache
def kept(record):
    return read_record(ROOT / f"companion/pretrained/{record}.json")


def told(said):
    """The prose in which a sentence is to stand: a cell of a notebook, or a page."""
    if "page" in said:
        return " ".join((ROOT / f"book/{said['page']}.md").read_text(encoding="utf-8").split())
    return source(cells(said["notebook"])[said["cell"]])


def place(said):
    """Where that is, in a few words."""
    return f"page {said['page']}" if "page" in said else f"{said['notebook']}, {said['cell']}"


@cache
def cells(notebook):
    path = ROOT / f"notebooks/{notebook}.ipynb"
    return {one["id"]: one for one in json.loads(path.read_text(encoding="utf-8"))["cells"]}


def source(cell):
    """A cell in one line; in code, neighbouring strings are one."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "code":
        text = re.sub(r'"\s*\n\s*f?"', "", text)
    return " ".join(text.split())


@pytest.mark.parametrize("said", SAID, ids=place)
def test_a_sentence_says_what_its_record_says(said):
    sentence = filled(said["text"], in_records)
    assert says(told(said), sentence), f"By the records, {place(said)} would have to say: “{sentence}”"


def test_every_sentence_has_a_field():
    for said in SAID:
        assert FIELD.search(said["text"]), said


def test_no_sentence_is_listed_twice():
    listed = [(place(said), said["text"]) for said in SAID]
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (".2f", "0.19"),
        ("s.2f", ".19"),
        ("low s.1f", "−.1"),
        ("high +.1f", "+0.4"),
        ("high s+.1f", "+.4"),
        ("spread .3f", "0.025"),
        ("n ,d", "2,500"),
        ("×100 .0f", "19"),
        ("low ×−1 .1f", "0.1"),
        ("n ÷60 .0f", "42"),
        ("×10 w", "two"),
        ("×10 W", "Two"),
        ("1÷ w", "five"),
    ],
)
def test_a_number_is_written_as_prose_writes_it(form, text):
    measured = Measurement("share", 0.188, "made up", spread=0.025, interval=(-0.14, 0.36), n=2500)
    assert number(measured, form) == text


TEXT = "Not quite one in {people: recall | 1÷ w} is found ({people: recall | s.2f})."
PROSE = "A translation? Not quite one in five is found (.19)."


def by(value):
    """Made-up records, in which everything is that value."""
    return lambda record, metric: Measurement(metric, value, "made up")


def test_a_changed_record_is_noticed():
    assert says(PROSE, filled(TEXT, by(0.188)))
    assert not says(PROSE, filled(TEXT, by(0.196)))
    assert not says(PROSE, filled(TEXT, by(0.148)))


def test_a_changed_number_in_the_prose_is_noticed():
    assert not says(PROSE.replace("19", "18"), filled(TEXT, by(0.188)))
    assert not says(PROSE.replace("five", "four"), filled(TEXT, by(0.188)))
    assert not says("It fell by 1.19.", filled("{a: b | s.2f}", by(0.188)))
    assert not says("It fell by .195.", filled("{a: b | s.2f}", by(0.188)))


def test_strings_that_code_joins_are_one():
    code = {"cell_type": "code", "source": ['figure(fig, "Left .11; "\n', '    f"right .70.")']}
    assert source(code) == 'figure(fig, "Left .11; right .70.")'
