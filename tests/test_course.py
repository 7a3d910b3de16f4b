"""Guards the first cells of every notebook: set-up, budgets, and code shown from the package."""

import random

import numpy as np
import pytest
import torch

from companion import course
from companion.errors import CompanionError
from companion.objectives import Minimax, NonSaturating


def test_setup_seeds_all_three_generators_and_says_so_in_one_line(capsys):
    def draws():
        return random.random(), np.random.rand(), torch.rand(3).tolist()  # noqa: NPY002

    course.setup(chapter=1, seed=4)
    first = draws()
    course.setup(chapter=1, seed=4)
    assert draws() == first
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Chapter 1 on ")
    assert torch.__version__.split("+")[0] in lines[0]


def test_the_variable_overrules_the_budget(monkeypatch):
    numbers = {"smoke": {"steps": 1}, "laptop": {"steps": 2}, "gpu": {"steps": 3}}
    for name, expected in (("smoke", 1), ("laptop", 2), ("gpu", 3)):
        monkeypatch.setenv("COMPANION_BUDGET", name)
        assert course.budget(**numbers).steps == expected


def test_without_the_variable_the_device_decides(monkeypatch):
    monkeypatch.delenv("COMPANION_BUDGET", raising=False)
    assert course.budget_name(torch.device("cpu")) == "laptop"
    assert course.budget_name(torch.device("cuda")) == "gpu"


def test_an_unknown_budget_is_refused_with_the_nearest(monkeypatch):
    monkeypatch.setenv("COMPANION_BUDGET", "labtop")
    with pytest.raises(CompanionError, match="laptop"):
        course.budget_name()


def test_uneven_budgets_name_what_is_missing():
    with pytest.raises(CompanionError, match="batch"):
        course.budget(smoke={"steps": 1}, laptop={"steps": 2, "batch": 3}, gpu={"steps": 3})


def test_a_diff_marks_what_goes_and_what_comes():
    """And nothing that stays."""
    shown = course.diff(Minimax.generator_loss, NonSaturating.generator_loss).data.splitlines()
    assert [line.strip() for line in shown if line.startswith(("-", "+")) and "return" in line] == [
        "-     return -softplus(fake).mean()",
        "+     return softplus(-fake).mean()",
    ]
    assert "  def generator_loss(self, fake: Tensor) -> Tensor:" in shown
    same = course.diff((Minimax.critic_loss,), Minimax.critic_loss).data.splitlines()
    assert all(line.startswith("  ") or not line.strip() for line in same[1:-1])


def test_code_is_shown_as_it_runs():
    shown = course.show(Minimax.generator_loss).data
    assert shown.startswith("```python\ndef generator_loss")
    assert "-softplus(fake).mean()" in shown
