"""What is known of each picture in a folder: a pandas table whose index names the files, and the pictures beside it.

faces = load("photos", size=64)
found = match(faces, read_table("photos/labels.csv"))
found.table["smiling"]  # one value for each of found.images
found.classed("smiling")  # these images with that column as their labels

pandas comes with fastai; it is imported when a table is read, since it takes a second.
"""

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from companion.data.folders import read_folder
from companion.data.images import Images
from companion.errors import CompanionError, unknown_name

if TYPE_CHECKING:
    from pandas import DataFrame

CELEBA_TABLES = (
    "list_attr_celeba.txt",
    "identity_CelebA.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
)


@dataclass(frozen=True)
class Described:
    """Pictures and a table that belong together: row i speaks of image i."""

    images: Images
    table: "DataFrame" = field(repr=False)
    undescribed: tuple[str, ...] = ()  # pictures without a row; left out
    missing: tuple[str, ...] = ()  # rows without a picture that could be read; left out

    def __str__(self) -> str:
        said = [f"{len(self.images)} pictures with {len(self.table.columns)} labels"]
        for names, what in (
            (self.undescribed, "without a row in the table"),
            (self.missing, "in the table, but not there or not readable"),
        ):
            if names:
                said.append(f"{len(names)} {what} ({', '.join(names[:3])}{', …' * (len(names) > 3)})")
        return "; ".join(said)

    def __getitem__(self, name: str) -> Any:
        """One column, a pandas series."""
        if name not in self.table.columns:
            raise unknown_name("label", name, self.table.columns)
        return self.table[name]

    def chosen(self, which: Any) -> "Described":
        """The pictures and rows for which `which` is true, such as `found["age"] > 30`."""
        rows = torch.as_tensor(list(which)).nonzero()[:, 0].tolist()
        return _rows(self.images, self.table, rows, rows)

    def classed(self, name: str) -> Images:
        """The pictures with one column as their `labels`, `(N,)` int64: whole numbers as they are, words by alphabet.

        Raises:
            CompanionError: There is no such column, or it has gaps or fractions.
        """
        from pandas.api.types import is_numeric_dtype

        column = self[name]
        if not is_numeric_dtype(column):
            column = column.astype("category").cat.codes.where(column.notna())
        if column.isna().any() or (column % 1 != 0).any():
            raise CompanionError(f"The label “{name}” has gaps or fractions; choose one of whole numbers.")
        return replace(self.images, labels=torch.tensor(column.to_list()).long())


def read_table(path: Path | str, *, file_column: str | None = None) -> "DataFrame":
    """A table whose first line names its columns, separated by commas, semicolons or tabs; its index names the files.

    A column of numbers becomes one, “true” and “false” become 1 and 0, and any other stays one of words; an empty cell
    is a gap.

    Args:
        path: The file, in UTF-8.
        file_column: Which column names the picture; the first, if it is not given.

    Raises:
        CompanionError: There is no such file or column, the table is empty or ragged, or a file has two rows.
    """
    path = Path(path)
    head, table = _cells(path)
    if file_column is not None and file_column not in head:
        raise unknown_name(f"column in {path.name}", file_column, head)
    table.columns = head
    table = table.set_index(file_column or head[0]).apply(_as_numbers)
    if table.index.has_duplicates:
        raise CompanionError(
            f"The table {path} has two rows for {table.index[table.index.duplicated()][0]}; remove one."
        )
    return table


def table_of_folders(files: Sequence[str]) -> "DataFrame":
    """One class for each subfolder: the column “class” holds the folder's name.

    Args:
        files: Paths from the folder that was read, as in `Images.files`; those in no subfolder get no row.

    Raises:
        CompanionError: None of the files lies in a subfolder.
    """
    from pandas import DataFrame

    placed = [file for file in files if "/" in file]
    if not placed:
        raise CompanionError(
            "No picture lies in a subfolder, so there are no classes to read; put each class in a folder of its own."
        )
    return DataFrame({"class": [file.rsplit("/", 1)[0] for file in placed]}, index=placed)


def match(images: Images, table: "DataFrame") -> Described:
    """Bring pictures and rows together; whatever lacks the other is left out and named.

    A row may give a picture's whole path from the folder, or only its file name if no two pictures share it.

    Raises:
        CompanionError: Not a single row belongs to a picture.
    """
    rows = {file: row for row, file in enumerate(table.index)}
    shared = Counter(file.rsplit("/", 1)[-1] for file in images.files)
    found: dict[int, int] = {}  # number of a picture to its row
    for number, file in enumerate(images.files):
        short = file.rsplit("/", 1)[-1]
        row = rows.get(file, rows.get(short) if shared[short] == 1 else None)
        if row is not None:
            found[number] = row
    if not found:
        raise CompanionError(
            f"None of the {len(table)} rows names one of the {len(images)} pictures in {images.name} (the first row "
            f"names {table.index[0]}); write paths from that folder, or file names."
        )
    return replace(
        _rows(images, table, list(found), list(found.values())),
        undescribed=tuple(file for number, file in enumerate(images.files) if number not in found),
        missing=tuple(table.index[sorted(set(rows.values()) - set(found.values()))]),
    )


def read_celeba(folder: Path | str, *, size: int = 64, limit: int | None = None) -> Described:
    """CelebA as published (Liu et al. 2015): aligned photographs and what their annotators wrote.

    The folder holds `img_align_celeba/` and the tables, beside it or in `Anno/` and `Eval/`. There must be
    `list_attr_celeba.txt`, whose 40 columns of −1 and 1 become 0 and 1. The others are read where they are:
    `identity` (1…10177), `partition` (0 train, 1 validation, 2 test), and ten columns of landmarks in pixels of the
    published 178×218 pictures, before any cropping. (torchvision's reader wants all tables, and in one folder.)

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
    table = (_celeba_table(attributes) > 0).astype("int64")
    for name, column in zip(CELEBA_TABLES[1:], ("identity", "partition", None), strict=True):
        if (path := _found(folder, name, "Anno", "Eval")) is not None:
            table = table.join(_celeba_table(path, column), how="inner")
    pixels, files, skipped = read_folder(pictures, size, limit=limit)
    described = match(Images("celeba", pixels, skipped=skipped, files=files), table)
    return described if limit is None else replace(described, missing=())  # most rows then have no picture


def _rows(images: Images, table: "DataFrame", here: list[int], there: list[int]) -> Described:
    classes: Tensor | None = None if images.labels is None else images.labels[here]
    files = tuple(images.files[number] for number in here)
    return Described(
        replace(images, pixels=images.pixels[here], labels=classes, files=files), table.iloc[there]
    )


def _cells(path: Path) -> tuple[list[str], "DataFrame"]:
    """The names in the first line, and the cells below it as they are written."""
    import pandas

    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets like to begin with a mark
    except FileNotFoundError:
        raise CompanionError(f"There is no table {path}; check the name.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CompanionError(f"The table {path} cannot be read ({error}); save it as CSV in UTF-8.") from None
    first = text.partition("\n")[0]
    try:
        cells = pandas.read_csv(
            io.StringIO(text),
            sep=max(",;\t", key=first.count),
            header=None,
            dtype=str,
            keep_default_na=False,
            engine="python",  # which tells an empty cell from one that is not there
        )
    except ValueError as error:  # pandas' parsing errors are such
        if (told := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))) is not None:
            raise _ragged(path, int(told[2]), int(told[3]), int(told[1])) from None
        cells = pandas.DataFrame()
    if len(cells) < 2:
        raise CompanionError(
            f"The table {path} has no rows; its first line names the columns, the others hold them."
        )
    lengths = cells.notna().sum(axis=1)
    if (lengths < len(cells.columns)).any():
        short = int(lengths.argmin())
        raise _ragged(path, short + 1, int(lengths[short]), len(cells.columns))
    cells = cells.apply(lambda column: column.str.strip())
    head = [str(name) for name in cells.iloc[0]]
    if twice := [name for name, count in Counter(head).items() if count > 1]:
        raise CompanionError(f"The table {path} has two columns called “{twice[0]}”; rename one.")
    return head, cells.iloc[1:]


def _ragged(path: Path, line: int, cells: int, head: int) -> CompanionError:
    return CompanionError(f"Line {line} of {path} has {cells} cells, its head has {head}; mend the table.")


def _as_numbers(column: Any) -> Any:
    """A column of numbers, where all cells are; else as it is, with gaps for empty cells."""
    import pandas

    gaps = column.mask(column == "")
    truths = {"true": "1", "false": "0"}
    numbers = pandas.to_numeric(gaps.map(lambda cell: truths.get(str(cell).lower(), cell)), errors="coerce")
    return gaps if (numbers.isna() & gaps.notna()).any() else numbers


def _found(folder: Path, name: str, *below: str) -> Path | None:
    places = (folder / part / name for part in ("", *below))
    return next((place for place in places if place.exists()), None)


def _celeba_table(path: Path, column: str | None = None) -> "DataFrame":
    """A table of CelebA: with a count and a line of names before the rows, or, where `column` is given, without."""
    import pandas
    from pandas.api.types import is_numeric_dtype

    try:
        lines = path.read_text(encoding="utf-8")
        if column is not None:
            lines = f"{len(lines.splitlines())}\n{column}\n{lines}"
        count, _, rows = lines.partition("\n")
        table = pandas.read_csv(io.StringIO(rows), sep=r"\s+").astype("float64")
        if not 0 < len(table) == int(count) or table.isna().any(axis=None) or is_numeric_dtype(table.index):
            raise ValueError
    except (ValueError, OSError):
        raise CompanionError(
            f"The table {path} is not as CelebA's authors published it; fetch it again."
        ) from None
    return table
