"""What a measured drawing keeps of a real face: by a mesh laid over the drawing, and by dlib's network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from companion.data.sets.orl import people
from companion.likeness.aligning import Numbers, upright
from companion.likeness.drawing import caricature, portrait
from companion.likeness.measuring import Measurer
from companion.metrics import Measurement
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import mean_with_interval
from companion.vision.dlib_faces import dlib_embeddings
from companion.vision.landmarks import Mesh
from companion.vision.trackers import FaceMesh

SIDE = 256  # pixels of photographs, enlarged, and of drawings
DRAWN = 4  # of each person's photographs are drawn; with the others they are compared
STRENGTH = 1.8  # of caricatures, as `companion caricature` draws them by default
PROPORTIONS: dict[str, tuple[tuple[int, int], ...]] = {  # distances between points of MediaPipe's mesh
    "face, across": ((234, 454),),
    "jaw, across": ((172, 397),),
    "face, down": ((10, 152),),
    "between the eyes": ((133, 362),),
    "eyes, across": ((33, 133), (362, 263)),
    "brows above the eyes": ((105, 159), (334, 386)),
    "nose, down": ((168, 2),),
    "nose, across": ((129, 358),),
    "nose to mouth": ((2, 0),),
    "mouth, across": ((61, 291),),
    "lips": ((0, 17),),
    "mouth to chin": ((17, 152),),
}


def likeness_kept(job: Job) -> Result:
    """Four photographs each of forty people (ORL, numbers only) drawn, and held against their six others.

    * *Proportions.* MediaPipe's mesh is laid over photographs and drawings alike, and twelve distances are read off it
      in head units. Of each person: the rank correlation of the twelve, each in units of how much people differ in it,
      between the drawings and the other photographs. Beside it the photographs themselves, which say how well the mesh
      agrees with itself, and somebody else's drawings. What would refute “proportions are kept”: an interval that
      reaches somebody else's.
    * *Who is it?* dlib's network knows real people and has seen no such drawing. Where its detector finds the drawing,
      is the right one of forty the nearest? Asked twice: of the embeddings as they are, and of each kind of picture
      around its own mean, since a drawing looks first of all like a drawing. What would refute “it is recognised”: an
      interval that reaches chance.
    """
    pixels, who = people(SIDE)
    count = 4 if job.debug else len(torch.unique(who))
    rows = (who < count).nonzero()[:, 0]
    pixels, who = pixels[rows], who[rows]
    nth = torch.cat([torch.arange(int((who == person).sum())) for person in range(count)])
    drawn, other = nth < DRAWN, nth >= DRAWN
    ways: dict[str, Tensor] = {"photographs": pixels[drawn], **_drawings(job, pixels[drawn])}
    with FaceMesh(confidence=0.3) as tracker:
        template = _template(tracker, pixels)
        others = _over_people(_proportions(tracker, pixels[other], template), who[other], count)
        shapes = {
            name: _over_people(_proportions(tracker, images, template), who[drawn], count)
            for name, images in ways.items()
        }
    metrics = [*_agreement(shapes, others)]
    found: dict[str, Any] = {name: shape.tolist() for name, shape in shapes.items()}
    if not job.debug:  # it is large, and no part of the course needs it
        read = {name: dlib_embeddings(images) for name, images in ways.items()}
        metrics += _recognised(read, dlib_embeddings(pixels[other]), who[drawn], who[other], count)
    settings = {"people": count, "drawn": DRAWN, "side": SIDE, "strength": STRENGTH, "device": "cpu"}
    return Result(settings, [0], metrics, {"proportions": list(PROPORTIONS), "of people": found})


def _drawings(job: Job, photographs: Tensor) -> dict[str, Tensor]:
    """Portraits and caricatures of whoever is measured; whoever is not stays black, and nobody finds a face there."""
    made = {"portraits": torch.zeros_like(photographs), "caricatures": torch.zeros_like(photographs)}
    with Measurer(most=1, confidence=0.3) as measurer:
        for row, photograph in enumerate(tqdm(photographs, desc="drawing people", delay=2, leave=False)):
            for measured in measurer.measure(photograph.permute(1, 2, 0).contiguous().numpy()):
                pictures = {
                    "portraits": portrait(measured.faces, SIDE),
                    "caricatures": caricature(measured.faces, STRENGTH, size=SIDE),
                }
                for name, (picture,) in pictures.items():
                    made[name][row] = torch.from_numpy(picture.copy()).permute(2, 0, 1)
    return made


def _template(tracker: FaceMesh, pixels: Tensor) -> Numbers:
    """The mean mesh of photographs, each laid over the first, `(478, 2)`, with the eyes' corners one unit apart."""
    meshes = [mesh for picture in pixels for mesh in _mesh(tracker, picture)]
    goal = meshes[0].pixels.astype(np.float64)
    goal = goal / np.linalg.norm(goal[33] - goal[263])
    mean: Numbers = np.stack([upright(mesh, goal).points[:, :2] for mesh in meshes]).mean(0)
    return mean


def _mesh(tracker: FaceMesh, picture: Tensor) -> list[Mesh]:
    return tracker.find(picture.permute(1, 2, 0).contiguous().numpy())[:1]


def _proportions(tracker: FaceMesh, pixels: Tensor, template: Numbers) -> NDArray[np.float64]:
    """The distances of `PROPORTIONS` in each picture, `(N, 12)`; no number where no mesh is found."""
    found = np.full((len(pixels), len(PROPORTIONS)), np.nan)
    for row, picture in enumerate(pixels):
        for mesh in _mesh(tracker, picture):
            found[row] = distances(upright(mesh, template).points[:, :2])
    return found


def distances(points: Numbers) -> Numbers:
    """The distances of `PROPORTIONS` between the points of an upright mesh, `(478, 2)`; of pairs, their mean."""
    return np.array(
        [
            np.mean([np.linalg.norm(points[one] - points[other]) for one, other in pairs])
            for pairs in PROPORTIONS.values()
        ]
    )


def _over_people(rows: NDArray[np.float64], who: Tensor, count: int) -> NDArray[np.float64]:
    """Each person's mean over the pictures in which a mesh was found, `(count, 12)`."""
    with np.errstate(invalid="ignore"):
        return np.stack([np.nanmean(rows[who.numpy() == person], 0) for person in range(count)])


def agreement(one: NDArray[np.float64], other: NDArray[np.float64]) -> list[float]:
    """The rank correlation of each person's proportions, `(people, P)` each, in units of how people differ in them.

    Who was found in only one of the two is left out.
    """
    both = ~(np.isnan(one).any(1) | np.isnan(other).any(1))
    first, second = ((rows[both] - rows[both].mean(0)) / rows[both].std(0) for rows in (one, other))
    return [float(spearmanr(a, b).statistic) for a, b in zip(first, second, strict=True)]


def _agreement(shapes: dict[str, NDArray[np.float64]], others: NDArray[np.float64]) -> Iterator[Measurement]:
    for name, shape in shapes.items():
        for title, rows in {name: shape, f"somebody else's {name}": np.roll(shape, 1, 0)}.items():
            values = agreement(rows, others)
            protocol = f"Spearman's ρ over {len(PROPORTIONS)} proportions, {len(values)} people; bootstrap over people"
            yield mean_with_interval(f"agreement of proportions: {title}", values, protocol)


def _recognised(
    read: dict[str, tuple[Tensor, Tensor]],
    gallery: tuple[Tensor, Tensor],
    who: Tensor,
    whose: Tensor,
    count: int,
) -> Iterator[Measurement]:
    """Share of pictures in which a face is found, and of those whose nearest mean of other photographs is their own."""
    rows, there = gallery
    means = torch.stack([rows[there & (whose == person)].mean(0) for person in range(count)])
    yield Measurement("recognised by dlib: chance", 1 / count, f"{count} people")
    for name, (embedded, found) in read.items():
        yield Measurement(f"found by dlib: {name}", float(found.float().mean()), f"{len(found)} pictures")
        around = embedded - embedded[found].mean(0)  # what all drawings have and no photograph
        alike = normalize(around, dim=1) @ normalize(means - means.mean(0), dim=1).T
        judged = {
            "recognised by dlib": torch.cdist(embedded, means).argmin(1),
            "recognised by dlib around the mean": alike.argmax(1),
        }
        for title, nearest in judged.items():
            right = (nearest == who).float()
            per_person = [
                float(right[mine].mean())
                for person in range(count)
                if (mine := found & (who == person)).any()
            ]
            pictures = f"{int(found.sum())} pictures of {len(per_person)} people"
            protocol = f"the nearest of {count} people's other photographs, {pictures}; bootstrap over people"
            yield mean_with_interval(f"{title}: {name}", per_person, protocol)


RECIPES: dict[str, Recipe] = {
    "likeness-kept": Recipe("What a measured drawing keeps of real people", 7, likeness_kept, ("likeness",)),
}
