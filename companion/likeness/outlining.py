"""Which pixels are hair? The network's guess, carried to the hair's true edge by the picture's own colours (chapter 7).

The network has only seen drawn hair, so of a photograph's it often finds but a piece. The picture itself knows more:
hair is what belongs to the head and does not look like this person's skin. Both halves of that sentence are a cut of
the picture in two, in which neighbours of like colour stay together (GrabCut, Rother et al. 2004).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from companion.likeness.aligning import HEAD, Numbers, Upright
from companion.vision.frames import Picture
from companion.vision.models import opencv

Mask = NDArray[np.bool_]

# Rows of MediaPipe's mesh.
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)  # the face's edge, once round
BROWS = (105, 334)
CHIN = 152

# In head units.
AROUND = 0.3  # the face, where hair is expected
BEYOND = 0.75  # the face, where none is, unless the network says so
CLOSE_TO_BROWS = 0.1
BELOW_BROWS = 0.35  # from here to the chin skin is taken to be bare
ABOVE_CHIN = 0.1  # but for this much
SURELY_HEAD, SURELY_FACE, SURELY_BARE = 0.06, 0.1, 0.12  # within the face's edge
STRAND = 0.04  # half the width of the narrowest hair

# Of the network's probability of hair.
THINKS, KNOWS = 0.5, 0.85

# Robust standard deviations of this person's skin.
OTHER, QUITE_OTHER = 2.8, 6.0
LEAST_SPREAD = (3.0, 2.0, 2.0)  # of the skin's L*, a* and b*
GLOSS = 0.4  # what counts of being lighter than skin: skin shines

ROUNDS = 6  # of GrabCut
SPECK = 0.004  # of the cut-out: less is no hair


def hair_seen(crop: Picture, face: Upright, hair: Tensor, beard: Tensor) -> Tensor:
    """Where hair is, `(S, S)`, 0 or 1 above the chin; below it what the network says.

    Args:
        crop: The cut-out head, `(S, S, 3)`.
        face: Its mesh.
        hair: The network's probability of hair, `(S, S)`.
        beard: Of beard.
    """
    cv2 = opencv()
    chin = face.points[CHIN, 1]
    above = HEAD.places(len(crop))[:, 0, 1] < chin
    said = hair.numpy()
    shown = _Shown(crop, face)
    head = shown.parted(_head_or_not(shown, said), above)
    found = shown.parted(_hair_or_skin(shown, head, said, beard.numpy()), above) & head
    opened = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, shown.disk(STRAND))
    kept = _large(opened.astype(bool), shown)
    return torch.where(torch.from_numpy(above)[:, None], torch.from_numpy(kept).float(), hair)


class _Shown:
    """A cut-out with what the mesh says of it."""

    def __init__(self, crop: Picture, face: Upright) -> None:
        cv2 = opencv()
        self.pixels = np.ascontiguousarray(crop[..., ::-1])  # OpenCV's order of colours
        self.unit = len(crop) / (2 * HEAD.half)  # pixels
        places = HEAD.places(len(crop))
        self.y: Numbers = places[..., 1]
        self.brows = float(face.points[list(BROWS), 1].mean())
        self.chin = float(face.points[CHIN, 1])
        edge = (face.points[list(OVAL), :2] - HEAD.centre + HEAD.half) * self.unit
        filled = np.zeros(crop.shape[:2], np.uint8)
        self.oval: Mask = cv2.fillPoly(filled, [np.round(edge).astype(np.int32)], 1).astype(bool)

    def disk(self, reach: float) -> NDArray[np.uint8]:
        """For growing and shrinking by so many head units."""
        cv2 = opencv()
        width = 2 * round(reach * self.unit) + 1
        element: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        return element

    def face(self, grown: float) -> Mask:
        """The face, grown on all sides; by less than nothing, shrunk."""
        cv2 = opencv()
        change = cv2.dilate if grown > 0 else cv2.erode
        changed: Mask = change(self.oval.astype(np.uint8), self.disk(abs(grown))).astype(bool)
        return changed

    def parted(self, guess: NDArray[np.uint8], rows: Mask) -> Mask:
        """The foreground among these rows, as GrabCut makes it of a first guess; empty where nothing was guessed."""
        cv2 = opencv()
        foreground = np.zeros(guess.shape, bool)
        labels = guess[rows].copy()
        if np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).mean() > SPECK:
            cv2.setRNGSeed(0)
            state = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(self.pixels[rows].copy(), labels, None, *state, ROUNDS, cv2.GC_INIT_WITH_MASK)
            foreground[rows] = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
        return foreground


def _head_or_not(shown: _Shown, hair: Numbers) -> NDArray[np.uint8]:
    """A first guess: the face is, what is around its upper half may be, what is far from it is not."""
    cv2 = opencv()
    guess = np.full(shown.oval.shape, cv2.GC_PR_BGD, np.uint8)
    guess[shown.face(AROUND) & (shown.y < AROUND)] = cv2.GC_PR_FGD
    guess[hair > THINKS] = cv2.GC_PR_FGD
    guess[hair > KNOWS] = cv2.GC_FGD
    guess[~shown.face(BEYOND) & (hair < THINKS)] = cv2.GC_BGD
    guess[shown.face(-SURELY_HEAD)] = cv2.GC_FGD
    return guess


def _hair_or_skin(shown: _Shown, head: Mask, hair: Numbers, beard: Numbers) -> NDArray[np.uint8]:
    """A first guess in the head: what differs from the cheeks' skin may be hair, the face below the brows is not."""
    cv2 = opencv()
    bare = shown.face(-SURELY_BARE) & (shown.y > shown.brows + BELOW_BROWS)
    bare &= shown.y < shown.chin - ABOVE_CHIN
    bare &= beard < THINKS
    away = _unlike_skin(shown, bare if bare.any() else shown.oval)
    guess = np.full(head.shape, cv2.GC_BGD, np.uint8)
    guess[head] = cv2.GC_PR_BGD
    may_be = ((away > OTHER) | (hair > THINKS)) & ~shown.oval
    may_be |= (away > OTHER) & (shown.y < shown.brows - CLOSE_TO_BROWS)
    guess[head & may_be] = cv2.GC_PR_FGD
    guess[head & (away > QUITE_OTHER) & (shown.y < shown.brows) & ~shown.face(-SURELY_FACE)] = cv2.GC_FGD
    guess[head & (hair > KNOWS)] = cv2.GC_FGD
    guess[shown.face(-SURELY_FACE) & (shown.y > shown.brows + CLOSE_TO_BROWS)] = cv2.GC_BGD
    guess[~head] = cv2.GC_BGD
    shown.pixels[~head] = np.median(
        shown.pixels[bare if bare.any() else shown.oval], 0
    )  # so it teaches nothing
    return guess


def _unlike_skin(shown: _Shown, bare: Mask) -> Numbers:
    """How far each colour lies from this person's skin, in its robust standard deviations, a little blurred."""
    cv2 = opencv()
    lab = cv2.cvtColor(shown.pixels.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    middle = np.median(lab[bare], 0)
    spread = 1.48 * np.median(np.abs(lab[bare] - middle), 0)
    away = (lab - middle) / np.maximum(spread, LEAST_SPREAD)
    away[..., 0] *= np.where(away[..., 0] > 0, GLOSS, 1)
    blurred: Numbers = cv2.GaussianBlur(np.linalg.norm(away, axis=-1), (0, 0), 1)
    return blurred


def _large(found: Mask, shown: _Shown) -> Mask:
    """The pieces that are large and begin above the brows."""
    count, pieces = opencv().connectedComponents(found.astype(np.uint8))
    large = [
        piece
        for piece in range(1, count)
        if (pieces == piece).mean() > SPECK and shown.y[pieces == piece].min() < shown.brows
    ]
    kept: Mask = np.isin(pieces, large)
    return kept
