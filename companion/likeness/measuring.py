"""Photographs to faces: what mesh and network say, and what stays at the mean since they cannot tell (chapter 7)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from companion import pretrained
from companion.data.faces import Faces, mean_face
from companion.data.faces.parameters import clamp
from companion.likeness import drawing
from companion.likeness.aligning import EYES_TO_MOUTH, HEAD, Upright, cut_out, upright
from companion.likeness.colours import Colour, colours, enlarged
from companion.likeness.hairdressing import dressed
from companion.likeness.lessons import mesh_numbers, move_numbers
from companion.likeness.lighting import light, relit
from companion.likeness.outlining import hair_seen
from companion.likeness.teaching import look
from companion.models.likeness import MEASURED, PARTS, WORN, LikenessReader, Seen
from companion.vision.frames import Picture
from companion.vision.landmarks import Mesh
from companion.vision.pictures import Viewable, as_picture
from companion.vision.trackers import FaceMesh

MODEL = "likeness"
FINER = 2  # times, that hair is outlined in
DOUBTED = 0.93  # standard deviations: who doubts this much knows next to nothing
SURE = {"glasses": 0.7}  # probabilities from which it is drawn
SURE_OTHERWISE = 0.96
ONE_OF = ("beanie", "sun_hat", "headscarf", "turban")  # nobody wears two
AMOUNT = {
    "beard": 0.6,
    "moustache": 0.8,
    "stubble": 0.6,
    "sunglasses": 0.9,
    "makeup": 0.5,
}  # of what is there


@dataclass(frozen=True, eq=False)
class Measured:
    """One face of a picture."""

    faces: Faces  # (1, P): what it was measured to be
    doubts: dict[str, float]  # of each number, in standard deviations of the drawn people: 1 tells nothing
    worn: dict[str, float]  # probabilities
    mesh: Mesh
    crop: Picture  # the face cut out, upright
    parts: dict[str, Tensor]  # probabilities (S, S) over the cut-out


class Measurer:
    """Finds faces and measures them; close it, or use it in `with`.

    Args:
        most: How many faces of a picture at most.
        confidence: How sure the mesh must be of a face, 0 to 1.
        reader: Another network than the course's.

    Raises:
        CompanionError: MediaPipe or its model is missing.
    """

    def __init__(
        self, *, most: int = 4, confidence: float = 0.5, reader: LikenessReader | None = None
    ) -> None:
        if reader is None:
            loaded = pretrained.load(MODEL)
            assert isinstance(loaded, LikenessReader)
            reader = loaded
        self.reader = reader
        self._tracker = FaceMesh(most=most, confidence=confidence)

    def measure(self, image: Viewable) -> list[Measured]:
        """The faces of a picture, from left to right.

        Raises:
            CompanionError: It is no picture.
        """
        picture = as_picture(image)
        return [self._measured(picture, mesh) for mesh in self._meshes(picture)]

    def read(self, image: Viewable) -> list[Seen]:
        """What the network alone says of the faces of a picture, from left to right: no colours, no haircut.

        Raises:
            CompanionError: It is no picture.
        """
        picture = as_picture(image)
        return [self._cut_and_seen(picture, mesh)[2] for mesh in self._meshes(picture)]

    def _meshes(self, picture: Picture) -> list[Mesh]:
        return sorted(self._tracker.find(picture), key=lambda mesh: mesh.bounds.left)

    def _cut_and_seen(self, picture: Picture, mesh: Mesh) -> tuple[Upright, Picture, Seen]:
        config = self.reader.config
        face = upright(mesh, self.reader.template.cpu().double().numpy())
        crop = cut_out(picture, face, HEAD, config.size)
        near = cut_out(picture, face, EYES_TO_MOUTH, config.near)
        pixels = [torch.from_numpy(cut.copy()).permute(2, 0, 1)[None] for cut in (crop, near)]
        seen = look(self.reader, pixels[0], pixels[1], mesh_numbers(face)[None], move_numbers(mesh)[None])
        return face, crop, seen

    def _measured(self, picture: Picture, mesh: Mesh) -> Measured:
        face, crop, seen = self._cut_and_seen(picture, mesh)
        parts = self._parts(picture, face, seen)
        doubts = dict(zip(MEASURED, seen.doubts[0].tolist(), strict=True))
        worn = dict(zip(WORN, seen.worn[0].sigmoid().tolist(), strict=True))
        faces = _believed(self.reader, seen).replace(**_put_on(worn))
        lit = relit(crop, light(picture, face))
        faces = faces.replace(**_channels(colours(lit, face, parts)))
        if not any(faces[name].item() for name in ONE_OF):
            spread = dict(zip(MEASURED, self.reader.spread.tolist(), strict=True))
            faces = dressed(faces, parts["hair"], doubts, spread)
        return Measured(Faces(clamp(faces.values)), doubts, worn, mesh, crop, parts)

    def _parts(self, picture: Picture, face: Upright, seen: Seen) -> dict[str, Tensor]:
        """Each part's probability over the cut-out; of hair, what the picture's own colours make of it."""
        size = self.reader.config.size
        shares = seen.parts[0].softmax(0)
        finer = dict(zip(PARTS, enlarged(shares, FINER * size), strict=True))
        outlined = hair_seen(cut_out(picture, face, HEAD, FINER * size), face, finer["hair"], finer["beard"])
        hair = avg_pool2d(outlined[None], FINER)[0]
        others = {
            name: part for name, part in zip(PARTS, enlarged(shares, size), strict=True) if name != "hair"
        }
        rest = (1 - hair) / sum(others.values(), torch.zeros(())).clamp(min=1e-6)
        return {"hair": hair, **{name: part * rest for name, part in others.items()}}

    def close(self) -> None:
        """Let go of the tracker."""
        self._tracker.close()

    def __enter__(self) -> "Measurer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _believed(reader: LikenessReader, seen: Seen) -> Faces:
    """A face with every number that is not doubted; the others rest where exaggerating moves nothing.

    That is the mean of real people for a number of shape that was measured on them, else the mean of the drawn ones.
    """
    rest = drawing.real_mean()
    middle = reader.middle.cpu()
    values = middle + reader.spread.cpu() * seen.means
    told = {
        name: values[:, column] for column, name in enumerate(MEASURED) if seen.doubts[0, column] < DOUBTED
    }
    others = {name: mean for name, mean in zip(MEASURED, middle.tolist(), strict=True)} | rest
    return mean_face().replace(**(others | told))


def _channels(found: dict[str, Colour]) -> dict[str, float]:
    """Colours as parameters."""
    named = {name: zip("rgb", colour.tolist(), strict=True) for name, colour in found.items()}
    return {f"{name}_{channel}": value for name, colour in named.items() for channel, value in colour}


def _put_on(worn: dict[str, float]) -> dict[str, float]:
    """What is drawn of what may be worn: only what is sure, and one hat at most."""
    there = {name for name, share in worn.items() if share > SURE.get(name, SURE_OTHERWISE)}
    there -= {name for name in ONE_OF if worn[name] < max(worn[other] for other in ONE_OF)}
    return {name: AMOUNT.get(name, 1.0) * (name in there) for name in WORN}
