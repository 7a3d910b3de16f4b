"""Follows the page of issues for fastai to the letter: each reproduction prints what the page says that it prints."""

import re
from importlib.metadata import version

import pytest
from house import ROOT

PAGE = (ROOT / "book/upstream.md").read_text(encoding="utf-8")
SHOWN = "2.8.12"
pytestmark = pytest.mark.skipif(version("fastai") != SHOWN, reason=f"says what fastai {SHOWN} does")
SAID = (
    "critic moved in the generator's turn: True",
    "generator.training in validation: True",
    "generator.training in the critic's turn: True",
    "True",
    "6 0",
    "AssertionError",
    "0 255 156 1",
)


def test_the_page_names_the_version_that_is_tested():
    assert f"fastai {SHOWN}" in PAGE


@pytest.mark.parametrize("number", range(len(SAID)), ids=re.findall("^## (.*)$", PAGE, re.M))
def test_each_reproduction_shows_its_fault(number, capsys):
    beginning, *reproductions = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(reproductions) == len(SAID)
    code, names = f"{beginning}\n{reproductions[number]}", {}
    try:
        exec(code, names)
    except AssertionError as error:
        print(type(error).__name__)
    printed = " ".join(re.sub(r"[\[\]]", " ", capsys.readouterr().out).split())
    assert SAID[number] in printed
