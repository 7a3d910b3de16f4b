"""What was measured, drawn: a portrait, a caricature, and the way from one to the other (chapter 7).

A caricature is `m + k (x − m)` in every parameter of shape. Here m is the mean of real people as the same network
measures them, and not the mean of the drawn ones: what sets a photograph apart from a drawing is nobody's own feature.
Colours and what is worn are left alone, and nothing adds years or weight but what a reader's k asks of their own shape.
"""

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor

from companion import pretrained
from companion.data.faces import Faces, draw_caricatures, draw_portraits
from companion.data.faces.parameters import PARAMETERS
from companion.errors import CompanionError
from companion.vision.frames import Picture
from companion.vision.pictures import as_picture

PEOPLE = "likeness-people"  # the record that holds their mean
STYLES: dict[str, dict[str, float]] = {
    "ink": {"pen_width": 1.0, "pen_swell": 0.5, "ink": 0.0, "hatch": 0.0, "wash": 0.0, "disc": 1.0},
    "hatched": {"pen_width": 0.9, "pen_swell": 0.6, "ink": 0.3, "hatch": 1.0, "wash": 0.0, "disc": 0.5},
    "sepia": {"pen_width": 1.1, "pen_swell": 0.7, "ink": 0.66, "hatch": 0.4, "wash": 0.0, "disc": 0.0},
    "print": {"pen_width": 1.3, "pen_swell": 0.3, "ink": 1.0, "hatch": 0.0, "wash": 1.0, "disc": 1.0},
}
STUDIO = {
    **{"shift_x": 0.0, "shift_y": 0.03, "scale": 0.6, "light_x": -0.5, "light_y": -0.6},
    **{"light_strength": 1.0, "light_fill": 0.42, "light_warmth": 0.1, "ground_phase": 0.4},
    **{"ground_r": 0.62, "ground_g": 0.66, "ground_b": 0.68, "far_r": 0.74, "far_g": 0.72, "far_b": 0.68},
    **{"trim_r": 0.9, "trim_g": 0.88, "trim_b": 0.84, "frame_r": 0.12, "frame_g": 0.12, "frame_b": 0.13},
    **{"headwear_r": 0.32, "headwear_g": 0.36, "headwear_b": 0.46, "stripes": 0.0, "collar": 0.0},
}  # where everybody sits
MOST = 4.0  # strength; beyond, nothing more can be drawn
SLACK = 0.3  # of a parameter's range, by which it may leave the prior
SHAPE = [parameter for parameter in PARAMETERS if parameter.shape]


def sitting(faces: Faces) -> Faces:
    """The same people in the middle of the picture, in the studio's light."""
    return faces.replace(**STUDIO)


def exaggerated(faces: Faces, strength: float) -> Faces:
    """Everybody's own shape, `strength` times as far from the mean of real people; 1 changes nothing.

    Raises:
        CompanionError: The strength is below 0 or above `MOST`.
    """
    check_strength(strength)
    mean = real_mean()
    changed = {}
    for parameter in SHAPE:
        own = faces[parameter.name]
        moved = own + (strength - 1) * (own - mean.get(parameter.name, parameter.mean))
        slack = SLACK * (parameter.high - parameter.low)
        changed[parameter.name] = moved.clamp(parameter.low - slack, parameter.high + slack)
    return faces.replace(**changed) if strength != 1 else faces


def check_strength(strength: float) -> None:
    """Refuse what cannot be drawn.

    Raises:
        CompanionError: See `exaggerated`.
    """
    if not 0 <= strength <= MOST:
        raise CompanionError(
            f"A strength of {strength:g} cannot be drawn; choose 0 (nobody in particular) to {MOST:g}, 1 is a likeness."
        )


@cache
def real_mean() -> dict[str, float]:
    """What real people are on average, of each parameter that was measured on them."""
    mean: dict[str, float] = pretrained.details(PEOPLE)["mean"]
    return mean


def portrait(faces: Faces, size: int = 512) -> list[Picture]:
    """Soft portraits, `(size, size, 3)` each."""
    return _pictures(draw_portraits(sitting(faces), size).images)


def caricature(faces: Faces, strength: float = 1.8, style: str = "ink", size: int = 512) -> list[Picture]:
    """Pen drawings, `(size, size, 3)` each.

    Raises:
        CompanionError: The style is unknown, or the strength cannot be drawn.
    """
    return _pictures(draw_caricatures(_styled(faces, strength, style), size, k=1.0).images)


def morph(
    faces: Faces, strength: float = 1.8, style: str = "ink", size: int = 256, frames: int = 16
) -> Iterator[Picture]:
    """One person `(1, P)`, from the portrait to the caricature: the pen comes while the features grow.

    Raises:
        CompanionError: As `caricature`.
    """
    for share in torch.linspace(0, 1, frames).tolist():
        eased = share * share * (3 - 2 * share)
        drawn = _styled(faces, 1 + eased * (strength - 1), style)
        pen = draw_caricatures(drawn, size, k=1.0).images
        brush = draw_portraits(drawn, size).images
        yield _pictures(torch.lerp(brush, pen, eased))[0]


def _styled(faces: Faces, strength: float, style: str) -> Faces:
    if style not in STYLES:
        raise CompanionError(f"There is no style “{style}”; choose {', '.join(STYLES)}.")
    return sitting(exaggerated(faces, strength)).replace(**STYLES[style])


def _pictures(images: Tensor) -> list[Picture]:
    return [as_picture(image) for image in images]
