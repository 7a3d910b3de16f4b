"""Progress of any loop of reports: losses and time left, in a terminal or a notebook."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from tqdm.auto import tqdm

if TYPE_CHECKING:
    from companion.training.trainer import Report

Some = TypeVar("Some", bound="Report")


def progress(
    reports: Iterable[Some], *, total: int, start: int = 0, label: str = "training", leave: bool = False
) -> Iterator[Some]:
    """Pass the reports on, showing how far the run is.

    Args:
        reports: What a trainer or a run yields.
        total: Steps at the end.
        start: The step a continued run begins from.
        label: What the bar is called.
        leave: Keep the finished bar on the screen.
    """
    with tqdm(total=total, initial=start, desc=label, unit="step", dynamic_ncols=True, leave=leave) as bar:
        for report in reports:
            bar.set_postfix_str(report.line, refresh=False)
            bar.update()
            yield report


def finish(reports: Iterable[Some], *, total: int, label: str = "training") -> Some:
    """Go through all reports with a progress bar and return the last; for runs with nothing to see on the way."""
    return deque(progress(reports, total=total, label=label), maxlen=1).pop()
