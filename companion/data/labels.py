"""What is known of each picture in a folder: from a CSV file, from the names of subfolders, or as CelebA publishes it.

faces = load("photos", size=64)
labels = labels_from_csv("photos/labels.csv")
labelled = match(faces, labels)
labelled.labels["smiling"]  # one number for each of labelled.images
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from companion.data.folders import read_folder
from companion.data.images import Images
from companion.errors import CompanionError, unknown_name

CELEBA_TABLES = (
    "list_attr_celeba.txt",
    "identity_CelebA.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
)


@dataclass(frozen=True)
class Labels:
    """A table with a row for each picture and a named column for each thing known of it."""

    names: tuple[str, ...]  # of the columns
    files: tuple[str, ...] = field(repr=False)  # of the rows
    table: Tensor = field(repr=False)  # (N, columns), float64; NaN where nothing is written
    words: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # columns of words: what 0, 1, 2 … stand for

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, name: str) -> Tensor:
        """One column, `(N,)`, float64."""
        if name not in self.names:
            raise unknown_name("label", name, self.names)
        return self.table[:, self.names.index(name)]

    def rows(self, index: Sequence[int]) -> "Labels":
        """Some of the rows, in the order asked for."""
        return replace(self, files=tuple(self.files[row] for row in index), table=self.table[list(index)])

    def beside(self, other: "Labels") -> "Labels":
        """These columns and then the other's, for the files that both know."""
        known = {file: row for row, file in enumerate(other.files)}
        mine = [row for row, file in enumerate(self.files) if file in known]
        left, right = self.rows(mine), other.rows([known[self.files[row]] for row in mine])
        table = torch.cat([left.table, right.table], 1)
        return Labels(self.names + other.names, left.files, table, {**self.words, **other.words})


@dataclass(frozen=True)
class Labelled:
    """Pictures and labels that belong together: row i speaks of image i."""

    images: Images
    labels: Labels
    unlabelled: tuple[str, ...] = ()  # pictures without a row; left out
    missing: tuple[str, ...] = ()  # rows without a picture that could be read; left out

    def __str__(self) -> str:
        said = [f"{len(self.images)} pictures with {len(self.labels.names)} labels"]
        for names, what in (
            (self.unlabelled, "without a row in the table"),
            (self.missing, "in the table, but not there or not readable"),
        ):
            if names:
                said.append(f"{len(names)} {what} ({', '.join(names[:3])}{', …' * (len(names) > 3)})")
        return "; ".join(said)

    def chosen(self, which: Tensor) -> "Labelled":
        """The pictures and labels for which `which`, `(N,)` bool, is true."""
        rows = which.nonzero()[:, 0].tolist()
        return _rows(self.images, self.labels, rows, rows)

    def classed(self, name: str) -> Images:
        """The pictures with one column of whole numbers as their `labels`, `(N,)` int64.

        Raises:
            CompanionError: There is no such column, or it has gaps or fractions.
        """
        column = self.labels[name]
        if not torch.equal(column, column.round()):
            raise CompanionError(f"The label “{name}” has gaps or fractions; choose one of whole numbers.")
        return replace(self.images, labels=column.long())


def labels_from_csv(path: Path | str, *, file_column: str | None = None) -> Labels:
    """A table whose first line names its columns, separated by commas, semicolons or tabs.

    A column of numbers is kept as it is, “true” and “false” become 1 and 0, and the words of any other column become
    the numbers of their alphabetical order; an empty cell becomes NaN.

    Args:
        path: The file, in UTF-8.
        file_column: Which column names the picture; the first, if it is not given.

    Raises:
        CompanionError: There is no such file or column, the table is empty or ragged, or a file has two rows.
    """
    path = Path(path)
    head, *rows = _read_csv(path)
    if file_column is not None and file_column not in head:
        raise unknown_name(f"column in {path.name}", file_column, head)
    place = head.index(file_column) if file_column is not None else 0
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise CompanionError(
                f"Line {number} of {path} has {len(row)} cells, its head has {len(head)}; mend the table."
            )
    columns = {name: [row[at].strip() for row in rows] for at, name in enumerate(head) if at != place}
    numbers = {name: _as_numbers(cells) for name, cells in columns.items()}
    words = {name: known for name, (_, known) in numbers.items() if known}
    table = (
        torch.tensor([values for values, _ in numbers.values()], dtype=torch.float64).reshape(-1, len(rows)).T
    )
    return _checked(path, Labels(tuple(columns), tuple(row[place].strip() for row in rows), table, words))


def labels_from_folders(files: Sequence[str]) -> Labels:
    """One class for each subfolder: the column “class”, its words the folders in alphabetical order.

    Args:
        files: Paths from the folder that was read, as in `Images.files`; those in no subfolder get no row.

    Raises:
        CompanionError: None of the files lies in a subfolder.
    """
    placed = [file for file in files if "/" in file]
    if not placed:
        raise CompanionError(
            "No picture lies in a subfolder, so there are no classes to read; put each class in a folder of its own."
        )
    values, words = _as_classes([file.rsplit("/", 1)[0] for file in placed])
    table = torch.tensor(values, dtype=torch.float64)[:, None]
    return Labels(("class",), tuple(placed), table, {"class": words})


def match(images: Images, labels: Labels) -> Labelled:
    """Bring pictures and rows together; whatever lacks the other is left out and named.

    A row may give a picture's whole path from the folder, or only its file name if no two pictures share it.

    Raises:
        CompanionError: Not a single row belongs to a picture.
    """
    rows = {file: row for row, file in enumerate(labels.files)}
    shared = Counter(file.rsplit("/", 1)[-1] for file in images.files)
    here: list[int] = []
    there: list[int] = []
    unlabelled: list[str] = []
    for number, file in enumerate(images.files):
        short = file.rsplit("/", 1)[-1]
        row = rows.get(file, rows.get(short) if shared[short] == 1 else None)
        if row is None:
            unlabelled.append(file)
        else:
            here.append(number)
            there.append(row)
    if not here:
        raise CompanionError(
            f"None of the {len(labels)} rows names one of the {len(images)} pictures in {images.name} (the first row "
            f"names {labels.files[0]}); write paths from that folder, or file names."
        )
    used = set(there)
    missing = tuple(file for row, file in enumerate(labels.files) if row not in used)
    return replace(_rows(images, labels, here, there), unlabelled=tuple(unlabelled), missing=missing)


def read_celeba(folder: Path | str, *, size: int = 64, limit: int | None = None) -> Labelled:
    """CelebA as published (Liu et al. 2015): aligned photographs and what their annotators wrote.

    The folder holds `img_align_celeba/` and the tables, beside it or in `Anno/` and `Eval/`. There must be
    `list_attr_celeba.txt`, whose 40 columns of −1 and 1 become 0 and 1. The others are read where they are:
    `identity` (1…10177), `partition` (0 train, 1 validation, 2 test), and ten columns of landmarks in pixels of the
    published 178×218 pictures, before any cropping.

    Args:
        folder: Where all that lies.
        size: Side of the square cut from each picture's middle.
        limit: Read no more than the first so many pictures; all 202,599 take 2.5 GB at 64×64.

    Raises:
        CompanionError: A needed file is missing, or a table is not as published.
    """
    folder = Path(folder)
    pictures = _found(folder, "img_align_celeba", "Img")
    attributes = _found(folder, CELEBA_TABLES[0], "Anno")
    if pictures is None or attributes is None:
        lacking = "img_align_celeba" if pictures is None else CELEBA_TABLES[0]
        raise CompanionError(
            f"There is no {lacking} in {folder}; give the folder that holds img_align_celeba and {CELEBA_TABLES[0]}."
        )
    labels = _celeba_table(attributes)
    labels = replace(labels, table=(labels.table > 0).to(torch.float64))
    for name, column in zip(CELEBA_TABLES[1:], ("identity", "partition", None), strict=True):
        if (path := _found(folder, name, "Anno", "Eval")) is not None:
            labels = labels.beside(_celeba_table(path, column))
    pixels, files, skipped = read_folder(pictures, size, limit=limit)
    labelled = match(Images("celeba", pixels, skipped=skipped, files=files), labels)
    return labelled if limit is None else replace(labelled, missing=())  # most rows then have no picture


def _rows(images: Images, labels: Labels, here: list[int], there: list[int]) -> Labelled:
    classes = None if images.labels is None else images.labels[here]
    files = tuple(images.files[number] for number in here)
    chosen = replace(images, pixels=images.pixels[here], labels=classes, files=files)
    return Labelled(chosen, labels.rows(there))


def _read_csv(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets like to begin with a mark
    except FileNotFoundError:
        raise CompanionError(f"There is no table {path}; check the name.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CompanionError(f"The table {path} cannot be read ({error}); save it as CSV in UTF-8.") from None
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    except csv.Error as error:
        raise CompanionError(f"The table {path} cannot be read ({error}); save it as CSV in UTF-8.") from None
    if len(rows) < 2:
        raise CompanionError(
            f"The table {path} has no rows; its first line names the columns, the others hold them."
        )
    names = [name.strip() for name in rows[0]]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise CompanionError(f"The table {path} has two columns called “{twice[0]}”; rename one.")
    return [names, *rows[1:]]


def _as_numbers(cells: list[str]) -> tuple[list[float], tuple[str, ...]]:
    """A column as numbers, and the words they stand for where it was one of words."""
    truths = {"": math.nan, "true": 1.0, "false": 0.0}
    try:
        return [truths[cell.lower()] if cell.lower() in truths else float(cell) for cell in cells], ()
    except ValueError:
        return _as_classes(cells)


def _as_classes(cells: list[str]) -> tuple[list[float], tuple[str, ...]]:
    words = sorted(set(cells) - {""})
    number = {"": math.nan, **{word: float(at) for at, word in enumerate(words)}}
    return [number[cell] for cell in cells], tuple(words)


def _found(folder: Path, name: str, *below: str) -> Path | None:
    places = (folder / part / name for part in ("", *below))
    return next((place for place in places if place.exists()), None)


def _celeba_table(path: Path, column: str | None = None) -> Labels:
    """A table of CelebA: with a count and a line of names before the rows, or, where `column` is given, without."""
    try:
        lines = iter(path.read_text(encoding="utf-8").splitlines())
        count = None if column else int(next(lines))
        names = (column,) if column else tuple(next(lines).split())
        files, values = [], []
        for file, numbers in _celeba_rows(lines):
            files.append(file)
            values.append(numbers)
        if (
            not files
            or len({len(row) for row in values} | {len(names)}) > 1
            or count not in (None, len(files))
        ):
            raise ValueError
    except (ValueError, StopIteration, OSError):
        raise CompanionError(
            f"The table {path} is not as CelebA's authors published it; fetch it again."
        ) from None
    return _checked(path, Labels(names, tuple(files), torch.tensor(values, dtype=torch.float64)))


def _celeba_rows(lines: Iterator[str]) -> Iterator[tuple[str, list[float]]]:
    for line in lines:
        if cells := line.split():
            yield cells[0], [float(cell) for cell in cells[1:]]


def _checked(path: Path, labels: Labels) -> Labels:
    if twice := [file for file, count in Counter(labels.files).items() if count > 1]:
        raise CompanionError(f"The table {path} has two rows for {twice[0]}; remove one.")
    return labels
