"""What a notebook's first cells call: one line about the machine, seeded random numbers, and the budget.

course.setup(chapter=1)
budget = course.budget(smoke=dict(steps=2), laptop=dict(steps=500), gpu=dict(steps=20_000))
"""

import inspect
import os
import random
import re
import textwrap
from difflib import ndiff
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from IPython.display import Markdown

from companion.environment import device_name, pick_device, versions
from companion.errors import CompanionError, unknown_name

BUDGETS = {
    "smoke": "shows that everything runs",
    "laptop": "ten minutes on two cores",
    "gpu": "half an hour on a T4",
}


def setup(chapter: int, *, seed: int = 1) -> torch.device:
    """Seed Python, NumPy and torch, and print device, budget and versions in one line.

    Args:
        chapter: Number of the chapter, for the line.
        seed: For all three generators. Training takes its own seeds; this one is for loose draws in cells.

    Returns:
        The device to train on: CUDA or MPS where there is one, else the CPU.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (libraries still draw from the global generator)
    torch.manual_seed(seed)
    device = pick_device()
    found = versions()
    print(
        f"Chapter {chapter} on {device.type} ({device_name(device)}), budget: {budget_name(device)}, "
        f"companion {found['companion']}, torch {found['torch']}, Python {found['python']}"
    )
    return device


def budget_name(device: torch.device | None = None) -> str:
    """The budget `COMPANION_BUDGET` names, else “gpu” where there is one and “laptop” where not."""
    chosen = os.environ.get("COMPANION_BUDGET")
    if not chosen:  # set to nothing is not set
        return "laptop" if (device or pick_device()).type == "cpu" else "gpu"
    if chosen not in BUDGETS:
        raise unknown_name("budget (COMPANION_BUDGET)", chosen, BUDGETS)
    return chosen


def show(*things: Any) -> Markdown:
    """The source of functions or classes of the package, set as code: what runs is what the page shows.

    Of each docstring only the first line is shown; `help` has the rest.
    """
    return Markdown(f"```python\n{_source(*things)}\n```")  # type: ignore[no-untyped-call]


def diff(before: Any, after: Any) -> Markdown:
    """What changes from one function, or tuple of functions, of the package to another, line by line.

    Lines that go begin with −, lines that come with +; docstrings as in `show`.
    """
    old, new = (_source(*(of if isinstance(of, tuple) else (of,))).splitlines() for of in (before, after))
    changes = [line for line in ndiff(old, new) if not line.startswith("?")]
    return Markdown("```diff\n" + "\n".join(changes) + "\n```")  # type: ignore[no-untyped-call]


def _source(*things: Any) -> str:
    sources = [textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things]
    sources = [re.sub(r'"""(.+?)(\n.*?)?"""', r'"""\1"""', source, flags=re.DOTALL) for source in sources]
    return "\n\n\n".join(sources)


def budget(*, smoke: dict[str, Any], laptop: dict[str, Any], gpu: dict[str, Any]) -> SimpleNamespace:
    """The numbers of the budget in force, as attributes.

    Args:
        smoke: The least that shows everything runs; what CI uses, ≤ 40 s for a notebook.
        laptop: ≤ 10 minutes on two cores.
        gpu: ≤ 30 minutes on a T4.

    Raises:
        CompanionError: The three do not hold the same names.
    """
    if not smoke.keys() == laptop.keys() == gpu.keys():
        uneven = (smoke.keys() | laptop.keys() | gpu.keys()) - (smoke.keys() & laptop.keys() & gpu.keys())
        raise CompanionError(
            f"Every budget needs the same numbers, and {', '.join(sorted(uneven))} is missing from one; add it there."
        )
    return SimpleNamespace(**{"smoke": smoke, "laptop": laptop, "gpu": gpu}[budget_name()])
