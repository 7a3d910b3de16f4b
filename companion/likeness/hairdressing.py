"""Hair by render and compare: which haircut, how high, wide and long, covers what hair covers (chapter 7).

The network divides a picture into parts, and this carries over to photographs better than its opinion of a haircut. So
haircuts are tried on: each is drawn on the face that was measured, as parts and not as a picture, and compared with
what was seen. What an outline does not show, such as curls, the network's opinion decides, where it has one.
"""

import torch
from torch import Tensor

from companion.data.faces import PARTS as RENDERED
from companion.data.faces import Faces, part_masks
from companion.data.faces.parameters import COLUMN, clamp
from companion.data.faces.prior import HAIR, STYLES
from companion.likeness.aligning import HEAD
from companion.randomness import generator

SIDE = 40  # of the pictures that are compared
TRIED = 96  # variants of the best haircuts
BEST = 4  # haircuts that are varied
VARIED = {
    **{"hair_top": 0.05, "hair_side": 0.05, "hair_length": 0.15, "hair_flare": 0.04, "hair_fringe": 0.2},
    **{"hairline": 0.05, "hair_cover": 0.2, "hair_part": 0.2, "hair_sweep": 0.15},
}  # by how much, head units
OPINION = 0.1  # what a standard deviation away from the network's opinion costs, in overlap
TOLD = 0.6  # doubt, in standard deviations, from which on hair is taken to be plain
LEAST_DOUBT = 0.3  # nobody's opinion of hair is surer
TEXTURE = ("hair_wave", "hair_curl", "hair_rope", "hair_plait", "hair_fade", "hair_bun")
BALD = (0.0, 0.5, 1.0)  # of hair_thin: full, receding, none


def dressed(faces: Faces, hair: Tensor, doubts: dict[str, float], spread: dict[str, float]) -> Faces:
    """The face `(1, P)` with the haircut whose outline overlaps most with what was seen.

    Args:
        faces: With the network's opinion of its hair.
        hair: The probability of hair in the cut-out, `(h, w)`.
        doubts: Of the network's opinion, in standard deviations.
        spread: Of each parameter among drawn people.
    """
    seen = torch.nn.functional.interpolate(hair[None, None], size=(SIDE, SIDE), mode="area")[0, 0]
    opinion = {name: _opinion(faces[name], doubts[name], spread[name]) for name in TEXTURE}
    first = _cuts(faces)
    best = first.rows(_costs(first, seen, opinion).argsort()[:BEST])
    varied = _varied(best)
    everyone = Faces(torch.cat([best.values, varied.values]))
    return everyone.rows(_costs(everyone, seen, opinion).argmin()[None])


def _opinion(value: Tensor, doubt: float, spread: float) -> tuple[Tensor, float]:
    """What is believed of a texture, and how far it may be wrong: no curls and no plaits where the network doubts."""
    if doubt > TOLD:
        return torch.zeros_like(value), TOLD * spread
    return value, spread * max(doubt, LEAST_DOUBT)


def _cuts(faces: Faces) -> Faces:
    """Every haircut on this head, full and receding, and none at all."""
    table = torch.tensor([style for style, _, _ in STYLES.values()])
    names = [f"hair_{name}" for name in HAIR]
    rows = []
    for thin in BALD:
        cut = Faces(faces.values.repeat(len(table), 1))
        rows.append(cut.replace(hair_thin=thin, **dict(zip(names, table.T, strict=True))).values)
    return Faces(torch.cat(rows))


def _varied(best: Faces) -> Faces:
    random = generator(0, "haircuts")
    values = best.values.repeat_interleave(TRIED // BEST, 0)
    for name, amount in VARIED.items():
        values[:, COLUMN[name]] += amount * torch.randn(len(values), generator=random)
    return Faces(clamp(values))


def _costs(faces: Faces, seen: Tensor, opinion: dict[str, tuple[Tensor, float]]) -> Tensor:
    """One less the overlap with what was seen, and something for what the network does not believe, `(N,)`."""
    shift_x, shift_y = (-middle / HEAD.half for middle in HEAD.centre)
    framed = faces.replace(roll=0.0, shift_x=shift_x, shift_y=shift_y, scale=1 / HEAD.half)
    drawn = part_masks(framed, SIDE)[:, RENDERED.index("hair")]
    common, either = torch.minimum(drawn, seen).sum((1, 2)), torch.maximum(drawn, seen).sum((1, 2))
    costs = 1 - (common + 1) / (either + 1)  # nothing seen and nothing drawn is no difference
    for name, (believed, doubt) in opinion.items():
        costs = costs + OPINION * ((faces[name] - believed) / doubt).square().clamp(max=4) / len(opinion)
    return costs
