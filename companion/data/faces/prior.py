"""Who might walk in: the prior over faces, a dozen factors behind a hundred numbers (see `parameters`).

A factor such as age or build moves many parameters a little, so that a face hangs together: grey hair goes with age,
a heavy jaw with heavy brows. The factors are not labels. There is no label for gender or ancestry: the set could only
teach a stereotype of either.
"""

import torch
from torch import Tensor

from companion.data.faces.parameters import COLUMN, PARAMETERS, Faces, clamp
from companion.randomness import streams

SKINS = [
    (248, 211, 186), (242, 199, 166), (232, 183, 144), (217, 162, 120), (194, 137, 96),
    (165, 110, 75), (134, 86, 59), (104, 65, 46), (80, 51, 39),
]  # fmt: skip
HAIRS = [
    (24, 21, 23),
    (40, 29, 25),
    (62, 41, 29),
    (94, 62, 38),
    (134, 94, 55),
    (184, 141, 86),
    (222, 188, 130),
]
REDS = [(120, 48, 24), (176, 82, 36)]
GREYS = [(112, 110, 112), (178, 177, 178), (226, 224, 220)]
IRISES = [
    (60, 36, 22),
    (88, 54, 28),
    (118, 84, 42),
    (98, 110, 66),
    (88, 128, 152),
    (70, 102, 142),
    (120, 132, 138),
]
GARMENTS = [
    (33, 52, 88), (178, 58, 54), (232, 178, 72), (56, 118, 102), (236, 232, 222), (52, 50, 56), (118, 86, 140),
    (90, 140, 182), (206, 124, 96), (128, 148, 92), (196, 86, 120), (150, 160, 170), (94, 66, 52), (24, 108, 132),
]  # fmt: skip
GROUNDS = [
    (112, 132, 148), (168, 152, 128), (88, 128, 122), (196, 160, 138), (98, 108, 150), (146, 160, 130),
    (184, 132, 118), (202, 194, 180), (138, 118, 146), (82, 98, 112), (158, 186, 198), (190, 164, 104),
]  # fmt: skip

# Hair as points of one continuous space. Columns as in HAIR; the weights are for the two ends of the factor
# `softness`, which also moves brows, lips and jaw.
HAIR = (
    "top",
    "side",
    "length",
    "flare",
    "wave",
    "curl",
    "fringe",
    "cover",
    "fade",
    "bun",
    "rope",
    "plait",
    "front",
)
STYLES: dict[str, tuple[tuple[float, ...], float, float]] = {
    #                 top  side  len  flare wave curl fring cover fade bun rope plait front   less, more soft
    "crop":         ((.05, .02, -.25, .00, .00, .10, .0, .05, .45, 0., 0., 0., 0.), 1.5, 0.15),
    "side parting": ((.15, .05, -.20, .00, .10, .00, .0, .12, .15, 0., 0., 0., 0.), 2.2, 0.25),
    "quiff":        ((.22, .03, -.20, .00, .25, .10, .0, .05, .55, 0., 0., 0., 0.), 1.4, 0.15),
    "fade":         ((.17, .02, -.25, .00, .10, .85, .0, .00, .95, 0., 0., 0., 0.), 1.0, 0.15),
    "tousled":      ((.20, .10, -.02, .00, .60, .35, .4, .35, .00, 0., 0., 0., 0.), 1.2, 0.40),
    "pixie":        ((.13, .07, -.05, .00, .15, .00, .4, .40, .00, 0., 0., 0., 0.), 0.2, 0.80),
    "bowl":         ((.12, .09,  .12, .00, .05, .00, .8, .50, .00, 0., 0., 0., 0.), 0.3, 0.40),
    "bob":          ((.13, .13,  .78, .05, .10, .00, .2, .95, .00, 0., 0., 0., 0.), 0.0, 1.20),
    "fringed bob":  ((.13, .12,  .66, .03, .05, .00, .9, .95, .00, 0., 0., 0., 0.), 0.0, 0.80),
    "long":         ((.11, .09, 1.50, .07, .15, .00, .0, .90, .00, 0., 0., 0., 1.), 0.15, 1.50),
    "long wavy":    ((.15, .15, 1.40, .14, .90, .10, .0, .85, .00, 0., 0., 0., 1.), 0.15, 1.50),
    "long curls":   ((.24, .22, 1.05, .18, .40, .90, .1, .65, .00, 0., 0., 0., .7), 0.1, 1.10),
    "short afro":   ((.15, .10, -.10, .00, .00, 1.0, .0, .10, .20, 0., 0., 0., 0.), 1.0, 0.40),
    "afro":         ((.37, .36,  .38, .10, .00, 1.0, .0, .35, .00, 0., 0., 0., 0.), 0.4, 0.80),
    "short locs":   ((.17, .13,  .42, .08, .15, .20, .3, .55, .00, 0., 1., 0., 0.), 0.5, 0.40),
    "long locs":    ((.13, .12, 1.35, .10, .25, .10, .0, .60, .00, 0., 1., 0., 1.), 0.35, 0.50),
    "braids":       ((.07, .06, 1.45, .03, .05, .00, .0, .55, .00, 0., 1., 1., 1.), 0.0, 0.80),
    "bun":          ((.08, .04, -.20, .00, .00, .00, .0, .12, .00, 1., 0., 0., 0.), 0.15, 0.90),
    "puff":         ((.07, .04, -.20, .00, .00, .75, .0, .10, .00, 1., 0., 0., 0.), 0.1, 0.60),
}  # fmt: skip
COILED = ("fade", "short afro", "afro", "short locs", "long locs", "braids", "puff")

# Expressions: smile, mouth_open, brow_raise, lids, and how often.
EXPRESSIONS = {
    "calm": (0.10, 0.0, 0.0, 0.06, 2.2),
    "friendly": (0.85, 0.0, 0.1, 0.06, 3.0),
    "beaming": (1.1, 0.45, 0.25, 0.16, 2.2),
    "laughing": (1.2, 0.95, 0.4, 0.26, 0.9),
    "surprised": (0.05, 0.65, 0.9, -0.12, 0.6),
    "thoughtful": (0.05, 0.0, 0.45, 0.10, 0.8),
    "wry": (0.85, 0.0, 0.55, 0.18, 0.7),
    "serious": (-0.05, 0.0, -0.1, 0.10, 0.7),
}

# How each parameter of shape leans on the factors, in standard deviations; what is left is its own.
LOADINGS: dict[str, dict[str, float]] = {
    "head_width": {"build": 0.6, "length": -0.4},
    "jaw_width": {"build": 0.5, "softness": -0.4, "jaw": 0.45},
    "jaw_square": {"softness": -0.45, "jaw": 0.6},
    "chin_length": {"length": 0.7, "jaw": 0.2},
    "cheek": {"build": 0.6, "age": -0.25, "softness": 0.2},
    "eye_spacing": {"build": 0.2, "eyes": 0.2},
    "eye_width": {"eyes": 0.6, "softness": 0.2},
    "eye_open": {"eyes": 0.6, "softness": 0.3, "age": -0.3, "fold": -0.35},
    "eye_tilt": {"fold": 0.35, "age": -0.3},
    "lid_crease": {"fold": -0.75, "age": 0.2},
    "brow_gap": {"softness": 0.3, "fold": 0.2, "jaw": -0.3},
    "brow_thickness": {"softness": -0.55, "jaw": 0.3},
    "brow_arch": {"softness": 0.4},
    "brow_tilt": {"jaw": 0.25},
    "nose_length": {"length": 0.4, "nose": 0.4, "age": 0.2},
    "nose_width": {"tone": 0.4, "nose": 0.4, "softness": -0.2},
    "nose_size": {"nose": 0.65, "fold": -0.2, "softness": -0.2},
    "nose_tip": {"nose": 0.2, "build": 0.3},
    "mouth_height": {"length": 0.4},
    "mouth_width": {"lips": 0.4, "jaw": 0.2},
    "upper_lip": {"lips": 0.55, "tone": 0.35, "age": -0.35, "softness": 0.2},
    "lower_lip": {"lips": 0.55, "tone": 0.35, "age": -0.25, "softness": 0.2},
    "ear_size": {"age": 0.5, "softness": -0.2},
    "neck_width": {"softness": -0.55, "build": 0.5},
    "hairline": {"softness": 0.2},
}
FACTORS = ("softness", "age", "build", "tone", "jaw", "length", "eyes", "fold", "nose", "lips")


class Draws:
    """Random numbers as a function of `(seed, who, name, index)`, `(N,)` at a time."""

    def __init__(self, seed: int, who: str, index: Tensor) -> None:
        self.seed, self.who, self.index = seed, who, index

    def uniform(self, name: str) -> Tensor:
        """One number in (0, 1) for each index."""
        bits = (
            streams(self.seed, f"{self.who}'s {name}", self.index) >> 11
        )  # 52 bits: as many as a double keeps
        return (bits.double() / 2**52).clamp(1e-6, 1 - 1e-6).float()

    def normal(self, name: str) -> Tensor:
        """Standard normal numbers, cut at ±2.5."""
        normal: Tensor = torch.special.ndtri(self.uniform(name).double())
        return normal.float().clamp(-2.5, 2.5)

    def chance(self, name: str, probability: float | Tensor) -> Tensor:
        """1 with the given probability, else 0."""
        return (self.uniform(name) < probability).float()

    def choice(self, name: str, weights: Tensor) -> Tensor:
        """An index for each row of weights `(N, K)`."""
        share = weights.cumsum(1) / weights.sum(1, keepdim=True)
        return (self.uniform(name)[:, None] > share).sum(1).clamp(max=weights.shape[1] - 1)


def draw(identity: Tensor, view: Tensor, seed: int = 0) -> Faces:
    """Faces from the prior: person `identity[i]` as seen in `view[i]`, both `(N,)` integers.

    The same identity has the same identity parameters and the same lasting attributes (beard, headscarf, spectacles)
    in every view; expression, clothes, pose, light and background belong to the view.
    """
    person, scene = Draws(seed, "person", identity), Draws(seed, "scene", identity * 1_000_003 + view)
    values = torch.empty(len(identity), len(PARAMETERS))
    for group in (_identity(person), _lasting(person), _passing(person, scene), _nuisance(scene)):
        for name, column in group.items():
            values[:, COLUMN[name]] = column
    return Faces(clamp(values))


def _factors(person: Draws) -> dict[str, Tensor]:
    """The factors, each about standard normal except `softness`, which has two gentle peaks."""
    factors = {name: person.normal(f"factor {name}") for name in FACTORS}
    factors["softness"] = (
        0.95 * (2 * person.chance("factor side", 0.5) - 1) + 0.4 * factors["softness"]
    ).clamp(-2, 2)
    factors["age"] = torch.special.ndtri(
        (person.uniform("factor age").double() ** 1.7).clamp(1e-3, 0.999)
    ).float()
    factors["tone"] = (person.uniform("factor tone") - 0.5) * 3.4  # even over the whole range of skins
    among_middle = ((factors["tone"] > -1.5) & (factors["tone"] < 0.3)).float()
    factors["fold"] = person.chance("factor fold", 0.45 * among_middle) * 2.2 - 0.4 + 0.3 * factors["fold"]
    return factors


def _identity(person: Draws) -> dict[str, Tensor]:
    factors = _factors(person)
    found = {}
    for p in PARAMETERS:
        if p.shape and not p.name.startswith("hair_"):
            loadings = LOADINGS.get(p.name, {})
            rest = max(0.2, 1 - sum(loading**2 for loading in loadings.values())) ** 0.5
            leaning = sum((loading * factors[name] for name, loading in loadings.items()), torch.zeros(()))
            deviation = (leaning + rest * person.normal(p.name)) / 2.1
            found[p.name] = p.mean + torch.where(deviation > 0, p.high - p.mean, p.mean - p.low) * deviation
    age = (0.5 + 0.5 * torch.erf(factors["age"] / 2**0.5)).clamp(0, 1)
    found |= {
        "asymmetry": 0.006 * person.normal("asymmetry"),
        "age": age,
        "freckles": person.chance("freckled", 0.16 * (factors["tone"] < 0))
        * (0.7 + 0.3 * person.uniform("freckles")),
        "mole": person.chance("mole", 0.12),
        "mole_x": (2 * person.chance("mole side", 0.5) - 1) * (0.25 + 0.2 * person.uniform("mole_x")),
        "mole_y": 0.35 + 0.35 * person.uniform("mole_y"),
        "blush": person.uniform("blush"),
    }
    return found | _hair(person, factors, age) | _colours(person, factors, age)


def _hair(person: Draws, factors: dict[str, Tensor], age: Tensor) -> dict[str, Tensor]:
    table = torch.tensor([style for style, _, _ in STYLES.values()])
    less, more = (torch.tensor([weights[side] for weights in STYLES.values()]) for side in (1, 2))
    soft = torch.sigmoid(3 * factors["softness"])[:, None]
    coiled = torch.tensor([name in COILED for name in STYLES])
    dark = torch.sigmoid(2.2 * (factors["tone"] - 0.5))[:, None]
    suited = torch.where(coiled, 0.04 + 1.6 * dark, 1.1 - 0.75 * dark)  # straight hair with deep skins too
    weights = (less * (1 - soft) + more * soft) * suited
    long = table[:, HAIR.index("length")] > 1
    weights = weights * torch.where(long, 1 - 0.7 * age[:, None], torch.ones(()))
    style = table[person.choice("hair style", weights)]
    jitter = {
        "top": 0.18,
        "side": 0.18,
        "length": 0.06,
        "flare": 0.3,
        "wave": 0.25,
        "curl": 0.08,
        "fringe": 0.2,
    }
    found = {
        f"hair_{name}": style[:, column] * (1 + jitter.get(name, 0.0) * person.normal(f"hair_{name}"))
        for column, name in enumerate(HAIR)
    }
    side = 2 * person.chance("hair side", 0.5) - 1
    parted = side * (0.1 + 0.3 * person.uniform("hair_part"))
    loose = 1 - found["hair_curl"].clamp(0, 1)
    losing = (1 - soft[:, 0]) * (0.08 + 0.75 * age**1.5) * (style[:, HAIR.index("length")] < 0.3)
    losing = losing * (style[:, HAIR.index("bun")] == 0)
    return found | {
        "hair_part": parted * loose,
        "hair_sweep": parted * loose * (1 - found["hair_fringe"]).clamp(0, 1) * 0.8,
        "hair_thin": person.chance("hair loss", losing)
        * torch.where(person.uniform("bald") < 0.45, 1.0, 0.5),
        "hair_phase": person.uniform("hair_phase"),
    }


def _colours(person: Draws, factors: dict[str, Tensor], age: Tensor) -> dict[str, Tensor]:
    tone = (factors["tone"] / 3.4 + 0.5).clamp(0, 1)
    skin = _along(SKINS, tone) + torch.tensor([0.6, 0.0, -0.8]) * 0.016 * person.normal("undertone")[:, None]
    fair = torch.sigmoid(-9 * (tone - 0.32)) * (factors["fold"] < 0.6)
    hair = _along(
        HAIRS, person.uniform("hair colour") * torch.where(person.uniform("fair hair") < fair, 1.0, 0.4)
    )
    hair = torch.where(
        (person.uniform("red hair") < 0.14 * fair)[:, None], _along(REDS, person.uniform("red")), hair
    )
    grey = torch.sigmoid(11 * (age - 0.70 - 0.09 * person.normal("greying")))
    silver = _along(GREYS, (grey * (0.55 + 0.5 * person.uniform("silver"))).clamp(0, 1))
    hair = torch.lerp(hair, silver, grey[:, None].where(grey[:, None] > 0.25, torch.zeros(())))
    dyed = person.chance("dyed", 0.03 * (age < 0.5))
    hair = torch.lerp(hair, _hue(person.uniform("dye")) * 0.75 + 0.05, 0.85 * dyed[:, None])
    iris = _along(
        IRISES, person.uniform("iris") * torch.where(person.uniform("pale iris") < 1.2 * fair, 1.0, 0.33)
    )
    lips = skin * torch.tensor([0.86, 0.60, 0.60]) + torch.tensor([0.03, 0.0, 0.01])
    return (
        _channels("skin", skin) | _channels("hair", hair) | _channels("iris", iris) | _channels("lips", lips)
    )


def _lasting(person: Draws) -> dict[str, Tensor]:
    """Attributes a person keeps from one day to the next."""
    factors = _factors(person)
    soft, age = torch.sigmoid(4 * factors["softness"]), (0.5 + 0.5 * torch.erf(factors["age"] / 2**0.5))
    scarf = person.chance("headscarf", 0.13 * soft)
    turban = person.chance("turban", 0.07 * (1 - soft) * (factors["tone"].abs() < 1.2))
    bearded = torch.maximum(person.chance("bearded", 0.34), turban) * (soft < 0.3)
    beard = bearded * (0.3 + 0.7 * person.uniform("beard"))
    moustache = torch.maximum(bearded, person.chance("moustached", 0.12)) * (soft < 0.3)
    frame = torch.where(
        (person.uniform("bold frame") < 0.35)[:, None], _pick(GARMENTS, person.uniform("frame")), 0.12
    )
    return {
        "headscarf": scarf,
        "turban": turban,
        "beard": beard,
        "moustache": moustache * (0.6 + 0.4 * person.uniform("moustache")),
        "stubble": (soft < 0.3) * person.chance("stubbled", 0.45) * person.uniform("stubble"),
        "glasses": person.chance("glasses", 0.16 + 0.2 * age),
        "glasses_square": person.uniform("glasses_square"),
        "earrings": person.chance("earrings", 0.06 + 0.45 * soft),
        "age_lines": ((age - 0.35) * 1.5).clamp(0, 1) * (0.6 + 0.4 * person.uniform("age_lines")),
        "makeup": (soft > 0.6) * person.chance("made up", 0.5) * (0.7 + 0.3 * person.uniform("makeup")),
    } | _channels("frame", frame)


def _passing(person: Draws, scene: Draws) -> dict[str, Tensor]:
    """Attributes that change from picture to picture: expression and dress."""
    table = torch.tensor(list(EXPRESSIONS.values()))
    mood = table[scene.choice("expression", table[:, 4].expand(len(scene.index), -1))]
    opened = (mood[:, 1] > 0) * 0.12 * scene.normal("mouth_open")
    lasting = _lasting(person)
    bare = (1 - lasting["headscarf"]) * (1 - lasting["turban"])
    worn = scene.uniform("hat")
    garment, trim = _pick(GARMENTS, scene.uniform("garment")), _pick(GARMENTS, scene.uniform("trim"))
    cut = scene.uniform("cut")
    return (
        {
            "smile": mood[:, 0] + 0.09 * scene.normal("smile"),
            "mouth_open": mood[:, 1] + opened,
            "brow_raise": mood[:, 2] + 0.12 * scene.normal("brow_raise"),
            "lids": mood[:, 3] + 0.03 * scene.normal("lids"),
            "gaze_x": 0.22 * scene.normal("gaze_x"),
            "gaze_y": 0.12 * scene.normal("gaze_y"),
            "sunglasses": lasting["glasses"] * scene.chance("sunglasses", 0.14),
            "beanie": bare * (worn < 0.05),
            "sun_hat": bare * ((worn > 0.05) & (worn < 0.10)),
            "neckline": (cut < 0.5) * scene.uniform("neckline"),
            "collar": ((cut > 0.5) & (cut < 0.8)).float(),
            "roll_neck": (cut > 0.88).float(),
            "stripes": (cut < 0.5) * scene.chance("stripes", 0.3),
        }
        | _channels("headwear", _pick(GARMENTS, scene.uniform("headwear")))
        | _channels("clothes", garment)
        | _channels("trim", trim)
    )


def _nuisance(scene: Draws) -> dict[str, Tensor]:
    side = 2 * scene.chance("light side", 0.5) - 1
    ground = _pick(GROUNDS, scene.uniform("ground")) + 0.04 * scene.normal("ground shade")[:, None]
    far = ground * (0.55 + 0.75 * scene.uniform("far"))[:, None]
    return (
        {
            "yaw": 0.19 * scene.normal("yaw"),
            "pitch": 0.08 * scene.normal("pitch"),
            "roll": 0.06 * scene.normal("roll"),
            "shift_x": 0.025 * scene.normal("shift_x"),
            "shift_y": 0.02 * scene.normal("shift_y"),
            "scale": 0.63 + 0.022 * scene.normal("scale"),
            "light_x": side * (0.35 + 0.6 * scene.uniform("light_x")),
            "light_y": -0.4 - 0.45 * scene.uniform("light_y"),
            "light_strength": 0.9 + 0.2 * scene.uniform("light_strength"),
            "light_fill": 0.3 + 0.18 * scene.uniform("light_fill"),
            "light_warmth": 0.4 * scene.normal("light_warmth"),
            "ground_phase": scene.uniform("ground_phase"),
            "pen_width": 0.75 + 0.6 * scene.uniform("pen_width"),
            "pen_swell": 0.8 * scene.uniform("pen_swell"),
            "ink": scene.uniform("ink"),
            "hatch": scene.chance("hatched", 0.35) * (0.6 + 0.4 * scene.uniform("hatch")),
            "wash": scene.chance("washed", 0.16) * (0.85 + 0.15 * scene.uniform("wash")),
            "disc": scene.chance("disc", 0.5),
        }
        | _channels("ground", ground)
        | _channels("far", far)
    )


def _along(colours: list[tuple[int, int, int]], where: Tensor) -> Tensor:
    """The colour at `where` (N,) in [0, 1] along a list of sRGB colours; `(N, 3)` in [0, 1]."""
    table = torch.tensor(colours) / 255
    place = where.clamp(0, 1) * (len(table) - 1)
    first = place.long().clamp(max=len(table) - 2)
    return torch.lerp(table[first], table[first + 1], (place - first)[:, None])


def _pick(colours: list[tuple[int, int, int]], where: Tensor) -> Tensor:
    return (torch.tensor(colours) / 255)[(where * len(colours)).long().clamp(max=len(colours) - 1)]


def _hue(where: Tensor) -> Tensor:
    """Saturated colours around the wheel, `(N, 3)`."""
    return 0.5 + 0.5 * torch.cos(2 * torch.pi * (where[:, None] + torch.tensor([0.0, 1 / 3, 2 / 3])))


def _channels(name: str, colour: Tensor) -> dict[str, Tensor]:
    return {f"{name}_{channel}": colour[:, column].clamp(0, 1) for column, channel in enumerate("rgb")}
