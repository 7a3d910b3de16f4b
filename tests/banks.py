"""What the tests of all exercises share: a bank of right and wrong solutions for each check, and how it is judged."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from companion.exercises.runner import NotYet


class Bank(NamedTuple):
    """One check with solutions that it must accept, and mistakes with a phrase that its sentence must hold."""

    check: Callable[[Any], None]
    right: dict[str, Any]
    wrong: dict[str, tuple[Any, str]]


def untouched(*_: object) -> None:
    """What nbgrader leaves where a solution was."""
    raise NotImplementedError()


STRANGE = [
    None, True, 0, -1.5, math.nan, math.inf, "text", b"bytes", [], [1, 2], {}, {1}, object(), print, int,
    torch.nn.Linear(2, 2),
    torch.zeros(0), torch.zeros(3, 3), torch.tensor(True), torch.tensor(1j), np.zeros(4), np.array("x"),
    iter([]), NotYet,
]  # fmt: skip


class EveryBank:
    """Tests for `banks`, which maps the tasks' names to their banks: inherit and set it.

    `several` names the tasks whose check takes more than one function.
    """

    banks: dict[str, Bank]
    several: frozenset[str] = frozenset()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for column in ("right", "wrong"):
            if column in metafunc.fixturenames:
                cases = [
                    pytest.param(bank.check, solution, id=f"{task}: {name}")
                    for task, bank in self.banks.items()
                    for name, solution in getattr(bank, column).items()
                ]
                metafunc.parametrize(("check", column), cases)
        if "any_check" in metafunc.fixturenames:
            single = {task: bank.check for task, bank in self.banks.items() if task not in self.several}
            metafunc.parametrize("any_check", single.values(), ids=single)

    @pytest.mark.slow
    @pytest.mark.api
    def test_every_right_solution_passes(self, check, right, capsys):
        """Without a word on stderr, which nbgrader takes for a failure."""
        check(right)
        printed = capsys.readouterr()
        assert printed.out.startswith("✓ ")
        assert not printed.err

    def test_every_wrong_solution_is_told_what_is_wrong(self, check, wrong, capsys):
        mistaken, phrase = wrong
        with pytest.raises(NotYet) as told:
            check(mistaken)
        sentence = str(told.value)
        assert phrase in sentence
        assert re.fullmatch(r"(?=[^a-z\s]|[a-z]\W)[^\n]{15,420}[.?]", sentence), (
            "a sentence or two, on one line"
        )
        assert told.value.__suppress_context__ or told.value.__context__ is None, (
            "no traceback of the check's own"
        )
        assert not capsys.readouterr().err

    @pytest.mark.slow
    def test_no_answer_however_strange_breaks_a_check(self, any_check):
        """Whatever a function returns, the check ends in a sentence or a confirmation, never in an error of its own."""
        for answer in STRANGE:
            with pytest.raises(NotYet):
                any_check(lambda *_: answer)  # noqa: B023
            if not callable(answer):
                with pytest.raises(NotYet):
                    any_check(answer)
