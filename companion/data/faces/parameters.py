"""What makes a face: a vector of named numbers, and the seeded prior that draws it.

Three groups, because three questions are asked of faces. *Identity* says who it is: shape, hair, colours, age.
*Attributes* say how the person looks today: expression, glasses, beard, dress. *Nuisance* is what a recogniser should
ignore: pose, light, background, the artist's pen. Identity and nuisance are drawn independently of one another.

Every number is a pure function of `(seed, parameter's name, index)`. So a face does not depend on the batch it was
drawn in (but for the last bit of a float, which the processor's vector units may round otherwise), and a new parameter
changes none of the old ones.

Lengths are in *head units*: half a head's height is 1, x grows to the right, y downwards, the origin is mid-head.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache

import torch
from torch import Tensor


class Group(Enum):
    """Which of the three questions a parameter answers."""

    IDENTITY = "identity"
    ATTRIBUTE = "attribute"
    NUISANCE = "nuisance"


@dataclass(frozen=True)
class Parameter:
    """One number of the vector, with its range in the prior and its value in the mean face."""

    name: str
    group: Group
    low: float
    mean: float
    high: float
    meaning: str
    shape: bool = False  # whether a caricature exaggerates it


def _shape(name: str, low: float, mean: float, high: float, meaning: str) -> Parameter:
    return Parameter(name, Group.IDENTITY, low, mean, high, meaning, shape=True)


def _identity(name: str, low: float, mean: float, high: float, meaning: str) -> Parameter:
    return Parameter(name, Group.IDENTITY, low, mean, high, meaning)


def _attribute(name: str, low: float, mean: float, high: float, meaning: str) -> Parameter:
    return Parameter(name, Group.ATTRIBUTE, low, mean, high, meaning)


def _nuisance(name: str, low: float, mean: float, high: float, meaning: str) -> Parameter:
    return Parameter(name, Group.NUISANCE, low, mean, high, meaning)


def _colour(name: str, group: Group, meaning: str) -> list[Parameter]:
    return [
        Parameter(f"{name}_{channel}", group, 0, 0.5, 1, f"{meaning}, {channel} of sRGB") for channel in "rgb"
    ]


PARAMETERS: tuple[Parameter, ...] = (
    _shape("head_width", 0.66, 0.77, 0.90, "half the skull's width"),
    _shape("jaw_width", 0.68, 0.85, 1.02, "width at the jaw, as a share of the skull's"),
    _shape("jaw_square", 2.0, 2.5, 3.5, "exponent of the lower outline: 2 is round, more is square"),
    _shape("chin_length", 0.90, 1.0, 1.13, "from mid-head to the chin"),
    _shape("cheek", 0.0, 0.5, 1.2, "fullness of the cheeks"),
    _shape("eye_spacing", 0.265, 0.315, 0.365, "from the middle to an eye's centre"),
    _shape("eye_height", -0.03, 0.04, 0.11, "y of the eyes"),
    _shape("eye_width", 0.140, 0.168, 0.196, "half an eye's width"),
    _shape("eye_open", 0.074, 0.100, 0.128, "from an eye's centre to the upper lid"),
    _shape("eye_tilt", -0.12, 0.05, 0.22, "outer corners up, radians"),
    _shape("iris_size", 0.084, 0.095, 0.107, "radius of the iris"),
    _shape("lid_crease", 0.0, 0.5, 1.0, "depth of the fold above the eye"),
    _shape("brow_gap", 0.165, 0.215, 0.275, "from an eye's centre up to its brow"),
    _shape("brow_thickness", 0.016, 0.034, 0.058, "half a brow's thickness"),
    _shape("brow_arch", 0.0, 0.035, 0.085, "how far a brow rises in its middle"),
    _shape("brow_tilt", -0.045, -0.02, 0.005, "inner ends up (negative) or down"),
    _shape("brow_length", 0.165, 0.20, 0.235, "half a brow's length"),
    _shape("nose_length", 0.31, 0.38, 0.47, "y of the tip"),
    _shape("nose_width", 0.09, 0.13, 0.185, "half the width across the wings"),
    _shape("nose_size", 0.6, 1.0, 1.5, "how far the nose comes forward"),
    _shape("nose_tip", 0.0, 0.5, 1.0, "from pointed to round"),
    _shape("mouth_height", 0.58, 0.64, 0.71, "y of the mouth's middle, as a share of the chin's"),
    _shape("mouth_width", 0.175, 0.235, 0.31, "half the mouth's width"),
    _shape("upper_lip", 0.026, 0.046, 0.075, "thickness of the upper lip"),
    _shape("lower_lip", 0.038, 0.066, 0.10, "thickness of the lower lip"),
    _shape("ear_size", 0.15, 0.20, 0.27, "half an ear's height"),
    _shape("ear_out", 0.0, 0.04, 0.10, "how far the ears stand off"),
    _shape("neck_width", 0.27, 0.36, 0.48, "half the neck's width"),
    _shape("hairline", -0.70, -0.57, -0.46, "y where the hair begins"),
    _identity("asymmetry", -0.02, 0.0, 0.02, "how far the right half of the face sits below the left"),
    _shape("hair_top", 0.02, 0.14, 0.46, "height of the hair above the skull"),
    _shape("hair_side", 0.01, 0.09, 0.44, "width of the hair beside the skull"),
    _identity("hair_length", -0.3, 0.2, 1.8, "y where the hair ends"),
    _shape("hair_flare", 0.0, 0.05, 0.24, "how far long hair spreads"),
    _identity("hair_wave", 0.0, 0.2, 1.0, "waves along the strands"),
    _identity("hair_curl", 0.0, 0.2, 1.0, "curls and coils"),
    _identity("hair_part", -0.5, 0.0, 0.5, "x of the parting"),
    _identity("hair_sweep", -0.4, 0.0, 0.4, "slope of the hairline away from the parting"),
    _identity("hair_fringe", 0.0, 0.1, 1.0, "how far hair falls on the forehead"),
    _identity("hair_cover", 0.0, 0.3, 1.0, "how far hair covers the ears"),
    _identity("hair_fade", 0.0, 0.2, 1.0, "how close the sides are cut"),
    _identity("hair_bun", 0.0, 0.1, 1.0, "a knot on the crown"),
    _identity("hair_rope", 0.0, 0.1, 1.0, "hair gathered into braids or locs"),
    _identity("hair_plait", 0.0, 0.1, 1.0, "of the ropes: 0 locs, 1 braids"),
    _identity("hair_front", 0.0, 0.2, 1.0, "hair lying before the shoulders"),
    _identity("hair_thin", 0.0, 0.0, 1.0, "0 full, a half receding, 1 bald"),
    _identity("hair_phase", 0.0, 0.5, 1.0, "where waves and curls begin"),
    _identity("freckles", 0.0, 0.0, 1.0, "freckles on nose and cheeks"),
    _identity("mole", 0.0, 0.0, 1.0, "a beauty spot"),
    _identity("mole_x", -0.45, 0.0, 0.45, "its x"),
    _identity("mole_y", 0.3, 0.5, 0.75, "its y"),
    _identity("blush", 0.0, 0.5, 1.0, "colour of the cheeks"),
    _identity("age", 0.0, 0.4, 1.0, "0 about twenty, 1 about eighty"),
    *_colour("skin", Group.IDENTITY, "the skin"),
    *_colour("hair", Group.IDENTITY, "hair and brows"),
    *_colour("iris", Group.IDENTITY, "the irises"),
    *_colour("lips", Group.IDENTITY, "the lips"),
    _attribute("smile", -0.6, 0.45, 1.3, "corners of the mouth down or up"),
    _attribute("mouth_open", 0.0, 0.0, 1.0, "how far the lips part"),
    _attribute("gaze_x", -0.8, 0.0, 0.8, "look to the left or right"),
    _attribute("gaze_y", -0.5, 0.0, 0.5, "look up or down"),
    _attribute("lids", -0.15, 0.05, 0.45, "how far the lids close"),
    _attribute("brow_raise", -0.5, 0.0, 1.0, "brows lowered or raised"),
    _attribute("glasses", 0.0, 0.0, 1.0, "spectacles"),
    _attribute("glasses_square", 0.0, 0.5, 1.0, "shape of the lenses: 0 round, 1 square"),
    _attribute("sunglasses", 0.0, 0.0, 1.0, "darkness of the lenses"),
    *_colour("frame", Group.ATTRIBUTE, "the spectacles' frame"),
    _attribute("beard", 0.0, 0.0, 1.0, "length of the beard"),
    _attribute("moustache", 0.0, 0.0, 1.0, "a moustache"),
    _attribute("stubble", 0.0, 0.0, 1.0, "a shaven beard's shadow"),
    _attribute("beanie", 0.0, 0.0, 1.0, "a knitted cap"),
    _attribute("sun_hat", 0.0, 0.0, 1.0, "a hat with a brim"),
    _attribute("headscarf", 0.0, 0.0, 1.0, "a scarf around head and neck"),
    _attribute("turban", 0.0, 0.0, 1.0, "a wound turban"),
    *_colour("headwear", Group.ATTRIBUTE, "whatever is worn on the head"),
    _attribute("earrings", 0.0, 0.0, 1.0, "earrings"),
    _attribute("age_lines", 0.0, 0.2, 1.0, "lines on forehead, eyes and cheeks"),
    _attribute("makeup", 0.0, 0.0, 1.0, "lipstick and eye shadow"),
    *_colour("clothes", Group.ATTRIBUTE, "the upper garment"),
    *_colour("trim", Group.ATTRIBUTE, "its collar and stripes"),
    _attribute("neckline", 0.0, 0.3, 1.0, "0 close, 1 a deep V"),
    _attribute("collar", 0.0, 0.0, 1.0, "a shirt's collar"),
    _attribute("roll_neck", 0.0, 0.0, 1.0, "a rolled neck"),
    _attribute("stripes", 0.0, 0.0, 1.0, "stripes across the garment"),
    _nuisance("yaw", -0.45, 0.0, 0.45, "the head turned to its left or right, radians"),
    _nuisance("pitch", -0.22, 0.0, 0.22, "the head lifted or lowered, radians"),
    _nuisance("roll", -0.18, 0.0, 0.18, "the head tilted, radians"),
    _nuisance("shift_x", -0.08, 0.0, 0.08, "x of the head's middle; the picture reaches from −1 to 1"),
    _nuisance("shift_y", -0.06, 0.0, 0.06, "y of the head's middle"),
    _nuisance("scale", 0.57, 0.63, 0.69, "one head unit, as a share of half the picture"),
    _nuisance("light_x", -1.0, -0.5, 1.0, "where the light comes from: left or right"),
    _nuisance("light_y", -0.9, -0.6, -0.2, "how high it stands"),
    _nuisance("light_strength", 0.84, 1.0, 1.14, "the key light"),
    _nuisance("light_fill", 0.28, 0.38, 0.5, "the light in the shadows"),
    _nuisance("light_warmth", -1.0, 0.0, 1.0, "from a cool to a warm key light"),
    *_colour("ground", Group.NUISANCE, "the background"),
    *_colour("far", Group.NUISANCE, "the background's second colour"),
    _nuisance("ground_phase", 0.0, 0.5, 1.0, "where the background's lights lie"),
    _nuisance("pen_width", 0.7, 1.0, 1.4, "caricature: width of the ink line"),
    _nuisance("pen_swell", 0.0, 0.4, 0.8, "caricature: how much wider the line grows on the shadow side"),
    _nuisance("ink", 0.0, 0.2, 1.0, "caricature: from black ink over sepia to indigo"),
    _nuisance("hatch", 0.0, 0.0, 1.0, "caricature: shadows as hatched lines instead of flat tone"),
    _nuisance("wash", 0.0, 0.0, 1.0, "caricature: from full colour to a print in two tones"),
    _nuisance("disc", 0.0, 0.5, 1.0, "caricature: a coloured disc behind the head"),
)  # fmt: skip
NAMES = tuple(parameter.name for parameter in PARAMETERS)
COLUMN = {name: column for column, name in enumerate(NAMES)}
STYLE = ("pen_width", "pen_swell", "ink", "hatch", "wash", "disc")  # the artist's hand, among the nuisance
COLOURS = tuple(name[:-2] for name in NAMES if name.endswith("_r"))


def columns_of(*groups: Group) -> list[int]:
    """Where the parameters of these groups lie in the vector."""
    return [column for column, parameter in enumerate(PARAMETERS) if parameter.group in groups]


@cache
def _table(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Low, mean, high and whether a caricature exaggerates, each `(P,)`."""
    rows = [(p.low, p.mean, p.high, float(p.shape)) for p in PARAMETERS]
    low, mean, high, shape = torch.tensor(rows, device=device).T
    return low, mean, high, shape.bool()


@dataclass(frozen=True)
class Faces:
    """N faces: `values` is `(N, P)`, one column for each of `PARAMETERS`."""

    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Tensor:
        """One parameter of all faces, `(N,)`."""
        return self.values[:, COLUMN[name]]

    def rows(self, index: Tensor | slice) -> "Faces":
        """Some of the faces."""
        return Faces(self.values[index])

    def to(self, device: torch.device | str) -> "Faces":
        """The same faces on another device."""
        return Faces(self.values.to(device))

    def replace(self, **values: float | Tensor) -> "Faces":
        """The same faces with some parameters set, each to a number or to `(N,)` numbers."""
        changed = self.values.clone()
        for name, value in values.items():
            changed[:, COLUMN[name]] = value
        return Faces(changed)


def mean_face(count: int = 1) -> Faces:
    """The face with every parameter at its mean; the colours are a middle grey, so nobody's."""
    return Faces(_table(torch.device("cpu"))[1].expand(count, -1).clone())


def interpolate(start: Faces, end: Faces, steps: int) -> Faces:
    """Faces on the straight line from `start` to `end`, one face each; `steps` faces, both ends included."""
    along = torch.linspace(0, 1, steps, device=start.values.device)[:, None]
    return Faces(torch.lerp(start.values, end.values, along))


def exaggerate(faces: Faces, k: float) -> Faces:
    """What a caricature is: `mean + k · (identity − mean)` in every parameter of shape.

    At k = 0 everybody has the mean face's shape, at 1 their own. Colours, age, dress and pose are left alone: to
    exaggerate the colour of a skin is no likeness. Beyond its range in the prior a parameter may go by three
    tenths of that range, so that a large k still gives a face that can be drawn.
    """
    low, mean, high, shape = _table(faces.values.device)
    slack = 0.3 * (high - low)
    moved = (mean + k * (faces.values - mean)).clamp(low - slack, high + slack)
    return Faces(torch.where(shape, moved, faces.values) if k != 1 else faces.values.clone())


def clamp(values: Tensor) -> Tensor:
    """Every parameter `(N, P)` brought into its range."""
    low, _, high, _ = _table(values.device)
    return values.clamp(low, high)
