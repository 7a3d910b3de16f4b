"""How sure a number is: intervals from the bootstrap, and what a table of runs owes to its rows, columns and both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import torch
from scipy.stats import f as fisher
from scipy.stats import t as student

from companion.metrics import Measurement
from companion.randomness import generator

DRAWS = 1000


def bootstrap(
    groups: Sequence[Sequence[float]], statistic: Callable[[list[float]], float] = fmean
) -> tuple[float, float]:
    """The middle 95 % of a statistic over samples drawn again, with replacement, from each group at its size.

    Args:
        groups: Numbers of equal standing: photographs, say, or seeds. What belongs together (the crops of one
            photograph) is brought to one number first, and so counts once.
        statistic: Of all numbers together.
    """
    values = []
    for index in range(DRAWS):
        draw = generator(0, "bootstrap", index)
        drawn = [
            group[place]
            for group in groups
            for place in torch.randint(len(group), (len(group),), generator=draw).tolist()
        ]
        values.append(statistic(drawn))
    low, high = (
        torch.tensor(values, dtype=torch.double).quantile(torch.tensor([0.025, 0.975]).double()).tolist()
    )
    return low, high


def with_interval(name: str, value: float, interval: tuple[float, float], protocol: str) -> Measurement:
    """A number with the interval in which it lies with 95 % confidence."""
    return Measurement(name, value, protocol, interval=interval)


def mean_with_interval(name: str, values: list[float], protocol: str) -> Measurement:
    """The mean of numbers of equal standing, with that interval from the bootstrap."""
    return with_interval(name, fmean(values), bootstrap([values]), protocol)


def over_few(name: str, values: list[float], protocol: str) -> Measurement:
    """The mean of a few numbers, of seeds say, with Student's 95 % interval: a bootstrap is too narrow for three."""
    if len(values) < 2:
        return Measurement(name, values[0], protocol)
    half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    mean = fmean(values)
    return replace(with_interval(name, mean, (mean - half, mean + half), protocol), n=len(values))


def over_pairs(name: str, own: Sequence[float], others: Sequence[float], what: str = "") -> Measurement:
    """The mean of what one run has more than another with the same seed, with Student's 95 % interval.

    Args:
        name: Of the measurement.
        own: A number of each seed.
        others: What is taken away from it, seed by seed.
        what: What is taken from what, in words that open the protocol.
    """
    gaps = [one - other for one, other in zip(own, others, strict=True)]
    return over_few(name, gaps, f"{what}{len(gaps)} seeds, paired")


@dataclass(frozen=True)
class Share:
    """What part of all variance a source makes up, and whether chance could have done it."""

    source: str
    share: float  # of the total sum of squares
    p_value: float | None  # of Fisher's F against what is left; None for what is left


def two_way(table: Sequence[Sequence[Sequence[float]]], rows: str, columns: str) -> list[Share]:
    """Analysis of variance of a table with n repeated numbers in each cell: rows, columns, their interaction, the rest.

    Args:
        table: `table[row][column]` holds a cell's numbers, as many in each cell, at least two.
        rows: What the rows differ in.
        columns: Likewise.
    """
    cells = torch.tensor(table, dtype=torch.double)  # (R, C, n)
    count_rows, count_columns, repeats = cells.shape
    mean, row_means, column_means, cell_means = (
        cells.mean(),
        cells.mean((1, 2)),
        cells.mean((0, 2)),
        cells.mean(2),
    )
    between = row_means[:, None] + column_means - mean
    squares = {
        rows: ((row_means - mean).square().sum() * count_columns * repeats, count_rows - 1),
        columns: ((column_means - mean).square().sum() * count_rows * repeats, count_columns - 1),
        f"{rows} × {columns}": (
            (cell_means - between).square().sum() * repeats,
            (count_rows - 1) * (count_columns - 1),
        ),
    }
    left = (cells - cell_means[..., None]).square().sum()
    freedom = count_rows * count_columns * (repeats - 1)
    total = (cells - mean).square().sum()
    if total == 0:  # all numbers are the same
        return []
    found = [
        Share(
            source,
            float(part / total),
            float(fisher.sf(float((part / degrees) / (left / freedom)), degrees, freedom)),
        )
        for source, (part, degrees) in squares.items()
    ]
    return [*found, Share("seeds", float(left / total), None)]
