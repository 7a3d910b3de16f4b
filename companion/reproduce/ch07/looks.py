"""Chapter 7: what colours and hair gain or lose by asking the picture, on drawn people, whose truth is known."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor
from torch.nn.functional import avg_pool2d
from tqdm.auto import tqdm

from companion import pretrained
from companion.data import faces as drawn
from companion.data.assets import manifest
from companion.data.faces import Faces
from companion.data.photos import load_photos
from companion.data.scale import to_bytes
from companion.likeness.aligning import HEAD, Upright, cut_out, upright
from companion.likeness.colours import colours, enlarged
from companion.likeness.lessons import lessons
from companion.likeness.lighting import Gains, encoded, light, linear, relit
from companion.likeness.measuring import FINER, ONE_OF
from companion.likeness.outlining import hair_seen
from companion.likeness.teaching import look
from companion.models.likeness import PARTS, WORN, WORN_FROM, LikenessReader
from companion.randomness import generator
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import mean_with_interval
from companion.vision.frames import Picture
from companion.vision.pictures import as_picture
from companion.vision.trackers import FaceMesh

SEED = 5
FIRST = 7_000_000  # people nobody was trained on
SIDE = 384
DIM = (0.2, 0.5)  # of the light that there was
WARM = (1.0, 0.85, 0.6)


def looks(job: Job) -> Result:
    """Skins under three lights with and without the eyes' whites; hair as the network and as the picture outlines it.

    What would refute “the eyes' whites help”: a skin's error under any of the lights that does not fall, by more than
    the interval over people; and “each person's own whites help”: one that falls no further than with one gain for all,
    the mean of everybody else's in that light. What would refute “the outline helps”: it is measured here where the
    network is at home, and is expected to lose; photographs, on which it was made, have no truth to be measured
    against.
    """
    reader = pretrained.load("likeness")
    assert isinstance(reader, LikenessReader)
    count = 4 if job.debug else 100
    chunks = (1, 6) if job.debug else (4, 64)  # how many, and of how many people
    with FaceMesh(confidence=0.3) as tracker:
        skins = job.once("skins", lambda: {"errors": _skins(reader, tracker, count)})["errors"]
        hair = job.once("hair", lambda: {"overlaps": _hair(reader, tracker, *chunks)})["overlaps"]
    metrics = []
    for name, errors in skins.items():
        protocol = f"CIEDE2000, {len(errors['plain'])} drawn people not trained on, bootstrap over people"
        gained = {
            title: [before - after for before, after in zip(errors[kind], errors["relit"], strict=True)]
            for title, kind in {"gained": "plain", "gained over one for all": "one for all"}.items()
        }
        for kind, values in {**errors, **gained}.items():
            metrics.append(mean_with_interval(f"error of the skin, {name}: {kind}", values, protocol))
    for kind, values in hair.items():
        protocol = (
            f"IoU, {len(values)} bare heads of drawn people, spoiled as in training; bootstrap over people"
        )
        metrics.append(mean_with_interval(f"overlap of the hair: {kind}", values, protocol))
    return Result({"people": count, "seed": SEED}, [SEED], metrics, {"skins": skins, "hair": hair})


def _skins(reader: LikenessReader, tracker: FaceMesh, count: int) -> dict[str, dict[str, list[float]]]:
    """How far each person's skin is from the truth, in three lights."""
    numbers = FIRST + torch.arange(count)
    faces = drawn.draw(numbers, torch.zeros_like(numbers), SEED)
    dims = torch.rand(count, generator=generator(SEED, "dim light")) * (DIM[1] - DIM[0]) + DIM[0]
    found: dict[str, list[Skin]] = {}
    for row in tqdm(range(count), desc="looking at skins", delay=2):
        face = faces.rows(slice(row, row + 1))
        picture = as_picture(drawn.draw_portraits(face, SIDE).images[0])
        lights = {
            "as drawn": np.ones(3),
            "in dim light": np.full(3, float(dims[row])),
            "in warm light": np.array(WARM),
        }
        for name, shining in lights.items():
            skin = _skin(reader, tracker, _under(picture, shining), face)
            found.setdefault(name, []).extend([skin] if skin else [])
    return {name: _skin_errors(skins) for name, skins in found.items()}


def _under(picture: Picture, shining: NDArray[np.float64]) -> Picture:
    return (encoded(linear(picture / 255) * shining) * 255).round().astype(np.uint8)


@dataclass(frozen=True)
class Skin:
    """A face cut out of a picture in some light, and the true colour of its skin."""

    crop: Picture
    laid: Upright
    gains: Gains
    true: NDArray[np.float64]  # CIELAB

    def error(self, gains: Gains) -> float:
        """CIEDE2000 between the truth and the skin as it is looked up after these gains."""
        parts = {
            name: torch.zeros(self.crop.shape[:2]) for name in PARTS
        }  # it is looked up by the mesh alone
        skin = rgb2lab(colours(relit(self.crop, gains), self.laid, parts)["skin"])
        return float(deltaE_ciede2000(skin, self.true))  # type: ignore[no-untyped-call]


def _skin(reader: LikenessReader, tracker: FaceMesh, picture: Picture, face: Faces) -> Skin | None:
    meshes = tracker.find(picture)
    if not meshes:
        return None
    laid = upright(meshes[0], reader.template.double().numpy())
    crop = cut_out(picture, laid, HEAD, reader.config.size)
    true = rgb2lab([float(face[f"skin_{channel}"]) for channel in "rgb"])
    return Skin(crop, laid, light(picture, laid), true)


def _skin_errors(skins: list[Skin]) -> dict[str, list[float]]:
    """Left alone, by the own whites, and by the geometric mean of everybody else's gains, which looks at no face."""
    stops = np.log([skin.gains for skin in skins])
    others = (stops.sum(0) - stops) / max(1, len(skins) - 1)
    return {
        "plain": [skin.error(np.ones(3)) for skin in skins],
        "relit": [skin.error(skin.gains) for skin in skins],
        "one for all": [skin.error(np.exp(mean)) for skin, mean in zip(skins, others, strict=True)],
    }


def _hair(reader: LikenessReader, tracker: FaceMesh, chunks: int, people: int) -> dict[str, list[float]]:
    """How far hair overlaps with the truth, as the network sees it and outlined."""
    grounds = load_photos("pets" if manifest()["pets"].here else "embedded").split("test").pixels
    template = reader.template.double().numpy()
    sizes = FINER * reader.config.size, reader.config.near
    found: dict[str, list[float]] = {"network": [], "outlined": []}
    for chunk in tqdm(range(chunks), desc="looking at hair", delay=2):
        seen = lessons(
            FIRST // people + chunk, template, tracker, grounds, sizes=sizes, seed=SEED, count=people
        )
        crops = to_bytes(avg_pool2d(seen.crops.float() / 127.5 - 1, FINER))
        said = look(reader, crops, seen.near, seen.points, seen.moves).parts.softmax(1)
        bare = ~_hats(seen.values) & (seen.parts[:, 0] > 127).flatten(1).any(1)
        for row in bare.nonzero().flatten().tolist():
            truth = seen.parts[row, 0] > 127
            shares = dict(zip(PARTS, enlarged(said[row], sizes[0]), strict=True))
            points = seen.points[row].view(-1, 3).double().numpy()
            laid = Upright(np.eye(2, 3), points)
            crop = seen.crops[row].permute(1, 2, 0).contiguous().numpy()
            outlined = hair_seen(crop, laid, shares["hair"], shares["beard"])
            found["network"].append(_overlap(shares["hair"], truth))
            found["outlined"].append(_overlap(outlined, truth))
    return found


def _hats(values: Tensor) -> Tensor:
    faces = Faces(values)
    return torch.stack([faces[name] > WORN_FROM for name in ONE_OF if name in WORN]).any(0)


def _overlap(hair: Tensor, truth: Tensor) -> float:
    size = len(truth)
    seen = avg_pool2d(hair[None], len(hair) // size)[0] > 0.5
    return float((seen & truth).sum() / (seen | truth).sum())


RECIPES = {
    "likeness-looks": Recipe(
        "What light and outlines do to the colours and hair of “Draw me”", 7, looks, ("likeness",)
    ),
}
