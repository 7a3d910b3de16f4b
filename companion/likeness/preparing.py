"""A folder of pictures made ready for learning: faces upright, of one size, profiles left out (chapter 7).

What is left out is listed with the reason. Points that a data set brings along are used where it has them, since no
tracker finds every caricature's face: WebCaricature (Huo et al. 2018) gives 17 of them in `FacialPoints`, beside the
pictures in `OriginalImages`, and is read as it is published.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from companion.data.reading import Unreadable, pictures_below, refuse_within
from companion.errors import CompanionError
from companion.files import begin_or_go_on, free_names, replacing, shown, write_text
from companion.likeness.aligning import Numbers, Upright, Window, cut_out, similarity, upright
from companion.settings import Settings, option
from companion.vision.frames import Picture
from companion.vision.pictures import as_picture
from companion.vision.trackers import FaceMesh

REPORT, SHEET, NOTE = "align.csv", "align.png", "align.json"
ACROSS, THUMB = 12, 72  # pictures in a row of the contact sheet, and their side
ON_SHEET = 240  # pictures at most
PICTURES, POINTS = "OriginalImages", "FacialPoints"  # WebCaricature's folders
OUTER_CORNERS = (33, 263)  # of the eyes, rows of the mesh
# WebCaricature's points 5 to 17 as rows of the mesh: brows, eyes, nose, mouth. The hairline, the ears and the chin are
# what caricatures move most.
BROUGHT = (70, 107, 336, 300, 33, 133, 362, 263, 1, 0, 61, 17, 291)
FIRST_BROUGHT, ALL_BROUGHT = 4, 17


@dataclass(frozen=True)
class Preparation(Settings):
    """How faces are cut out, and which are left out."""

    size: int = option(128, help="side of the results", metavar="PIXELS", least=16, below=2049)
    half: float = option(1.3, help="half their side, in half heads", metavar="X", above=0.3, below=4)
    yaw: float = option(30.0, help="leave out heads turned farther than this", metavar="DEGREES", above=0)
    misfit: float = option(
        0.2, help="leave out meshes that lie farther from the mean one, in half heads", metavar="X", above=0
    )
    least: int = option(24, help="leave out half heads of fewer pixels than this", metavar="PIXELS", least=1)
    confidence: float = option(0.5, help="how sure the mesh must be of a face", metavar="C", least=0)

    @property
    def window(self) -> Window:
        """What is cut out."""
        return Window((0.0, 0.05), self.half)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a line of the report."""

    name: str
    result: str = ""  # the file it became, where there is one
    reason: str = ""  # why there is none
    yaw: float | None = None  # degrees, by the depths that the mesh guesses
    roll: float | None = None  # degrees, undone
    unit: float | None = None  # pixels of half a head
    misfit: float | None = None  # root mean square distance from the mean mesh, in half heads


class Aligner:
    """Turns faces upright; see `align`."""

    def __init__(self, template: Numbers, tracker: FaceMesh, how: Preparation) -> None:
        self.template, self.tracker, self.how = template, tracker, how

    def look(self, name: str, picture: Picture, points: Numbers | None) -> tuple[Upright | None, Outcome]:
        """Where the one face of a picture lies, and what there is to say of it.

        Args:
            name: What it is called in the report.
            picture: The whole of it.
            points: WebCaricature's, `(17, 2)` in pixels, where there are any.
        """
        yaw = None
        if points is not None:
            goal = self.template[list(BROUGHT)]
            own = points[FIRST_BROUGHT:]
            matrix = similarity(own, goal)
            face = Upright(matrix, np.zeros((len(self.template), 3)))
            apart = own @ matrix[:, :2].T + matrix[:, 2] - goal
        else:
            meshes = self.tracker.find(picture)
            if len(meshes) != 1:
                return None, Outcome(name, reason=f"{len(meshes)} faces" if meshes else "no face")
            face = upright(meshes[0], self.template)
            apart = face.points[:, :2] - self.template
            yaw = _yaw(face)
        turned = float(np.degrees(np.arctan2(face.matrix[1, 0], face.matrix[0, 0])))
        misfit = float(np.sqrt((apart**2).sum(1).mean()))
        reason = self._reason(face, yaw, misfit)
        return (None if reason else face), Outcome(name, "", reason, yaw, -turned, face.unit, misfit)

    def _reason(self, face: Upright, yaw: float | None, misfit: float) -> str:
        if yaw is not None and abs(yaw) > self.how.yaw:
            return "turned away"
        if face.unit < self.how.least:
            return "too small"
        return "unlike a face" if misfit > self.how.misfit else ""


def _yaw(face: Upright) -> float:
    """How far a head is turned, in degrees, by the depths of the eyes' outer corners."""
    across = face.points[OUTER_CORNERS[1]] - face.points[OUTER_CORNERS[0]]
    return float(np.degrees(np.arctan2(across[2], across[0])))


def align(source: Path, target: Path, aligner: Aligner) -> Iterator[Outcome]:
    """Cut the face out of every picture below a folder that shows one, into another folder, as PNG.

    `align.json` notes how. What lies there already is left as it is, so a run that was stopped goes on, and one with
    other options is refused. At the end `align.csv` says what became of each file, and `align.png` shows them, those
    that were left out with a red cross.

    Returns:
        Each file's outcome, in the order of the names.

    Raises:
        CompanionError: A folder cannot be used so.
    """
    refuse_within(source, target)
    pictures = _pictures(source)
    results = _results(pictures)
    how = {"pictures": shown(source.resolve()), **aligner.how.as_json()}
    begin_or_go_on(target, NOTE, how, {*(result.as_posix() for result in results.values()), REPORT, SHEET})
    return _aligned(pictures, results, target, aligner)


def _aligned(
    pictures: Mapping[str, Path], results: Mapping[str, Path], target: Path, aligner: Aligner
) -> Iterator[Outcome]:
    outcomes, thumbs = [], []
    for name, path in pictures.items():
        outcome, thumb = _one(name, path, target, results[name], aligner)
        outcomes.append(outcome)
        thumbs.append(thumb)
        yield outcome
    write_text(target / REPORT, _table(outcomes))
    with replacing(target / SHEET) as file:
        _sheet(thumbs[:ON_SHEET]).save(file, "PNG")


def _results(pictures: Iterable[str]) -> dict[str, Path]:
    """What each picture's face is called; the sheet and the report keep their names."""
    taken: dict[Path, set[str]] = {Path("."): {REPORT, SHEET, NOTE}}  # names of results, folder by folder
    results = {}
    for name in pictures:
        inner = Path(name).parent
        (result,) = free_names(Path(name), [".png"], taken.setdefault(inner, set()))
        taken[inner].add(result.casefold())
        results[name] = inner / result
    return results


def count(source: Path) -> int:
    """How many pictures `align` would look at."""
    return len(_pictures(source))


def _pictures(source: Path) -> dict[str, Path]:
    """Every picture below a folder; of WebCaricature those of its own folder of pictures."""
    return pictures_below(_pictures_in(source))


def _pictures_in(source: Path) -> Path:
    inner = source / PICTURES
    return inner if inner.is_dir() else source


def _one(name: str, path: Path, target: Path, result: Path, aligner: Aligner) -> tuple[Outcome, Image.Image]:
    """One file's outcome, and its thumbnail: of the result, or of the picture with a cross."""
    try:
        picture = as_picture(path)
        points = _brought(path)
    except CompanionError as error:
        why = f"cannot be read: {error.why}" if isinstance(error, Unreadable) else str(error)
        return Outcome(name, reason=why), _crossed(Image.new("RGB", (THUMB, THUMB), "white"))
    face, found = aligner.look(name, picture, points)
    if face is None:
        thumb = Image.fromarray(picture)
        thumb.thumbnail((THUMB, THUMB))
        return found, _crossed(thumb)
    cut = Image.fromarray(cut_out(picture, face, aligner.how.window, aligner.how.size))
    if not (target / result).exists():
        with replacing(target / result) as file:
            cut.save(file, "PNG")
    small = cut.resize((THUMB, THUMB), Image.Resampling.LANCZOS)
    return replace(found, result=result.as_posix()), small


def _brought(path: Path) -> Numbers | None:
    """The 17 points that WebCaricature gives for a picture, `(17, 2)`; None for a picture of another set.

    Raises:
        CompanionError: The file of points holds something else.
    """
    parts = path.parts
    if PICTURES not in parts:
        return None
    at = len(parts) - 1 - parts[::-1].index(PICTURES)
    file = Path(*parts[:at], POINTS, *parts[at + 1 :]).with_suffix(".txt")
    if not file.is_file():
        return None
    try:
        points: Numbers = np.loadtxt(file, dtype=np.float64, ndmin=2)
    except ValueError:
        points = np.zeros((0, 2))
    if points.shape != (ALL_BROUGHT, 2):
        raise CompanionError(f"{shown(file)} does not hold {ALL_BROUGHT} points, two numbers a line")
    return points


def _table(outcomes: list[Outcome]) -> str:
    text = io.StringIO()
    names = [field.name for field in fields(Outcome)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for outcome in outcomes:
        values = [getattr(outcome, name) for name in names]
        row = [round(value, 3) if isinstance(value, float) else value for value in values]
        writer.writerow(["" if value is None else value for value in row])
    return text.getvalue()


def read_report(folder: Path) -> list[tuple[Outcome, Path]]:
    """What `align` reports in a folder that it filled: each file's outcome, and the picture there is to look at.

    That is the face it became, else the file itself, which need not be there any more.

    Raises:
        CompanionError: There is no such report, or it is not as `align` writes it.
    """
    try:
        source = _pictures_in(Path(json.loads((folder / NOTE).read_text(encoding="utf-8"))["pictures"]))
        with (folder / REPORT).open(encoding="utf-8", newline="") as file:
            outcomes = [_outcome(row) for row in csv.DictReader(file)]
    except (OSError, ValueError, LookupError, TypeError):
        raise CompanionError(
            f"{shown(folder / REPORT)} and {NOTE} beside it are not what companion align writes there; run it again."
        ) from None
    if not outcomes:
        raise CompanionError(f"{shown(folder / REPORT)} lists no picture; run companion align again.")
    return [(one, folder / one.result if one.result else source / one.name) for one in outcomes]


def _outcome(row: Mapping[str, str]) -> Outcome:
    """A line of the report, read back."""
    yaw, roll, unit, misfit = (
        float(row[name]) if row[name] else None for name in ("yaw", "roll", "unit", "misfit")
    )
    return Outcome(row["name"], row["result"], row["reason"], yaw, roll, unit, misfit)


def _sheet(thumbs: list[Image.Image]) -> Image.Image:
    rows = -(-len(thumbs) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * THUMB, rows * THUMB), "white")
    for number, thumb in enumerate(thumbs):
        sheet.paste(thumb, (number % ACROSS * THUMB, number // ACROSS * THUMB))
    return sheet


def _crossed(thumb: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(thumb)
    width, height = thumb.size
    for start, end in (((0, 0), (width, height)), ((0, height), (width, 0))):
        draw.line((start, end), fill=(200, 30, 40), width=3)
    return thumb
