"""Faces as a pen drawing: ink of varying width, flat colours and one hard shadow.

The shapes are those of the portrait (`geometry`, `hair`); what makes a caricature of the drawing is
`parameters.exaggerate`, which the caller applies first.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from companion.data.faces import geometry
from companion.data.faces.geometry import Head
from companion.data.faces.grid import (
    Columns,
    Grid,
    bump,
    cover,
    distance,
    over,
    read,
    step,
    wave,
    whole,
    window,
    write,
)
from companion.data.faces.hair import Hair, beard, beard_outline, hair, headwear

PAPERS = [
    (253, 224, 150), (190, 224, 238), (250, 205, 192), (205, 230, 190),
    (222, 206, 240), (252, 216, 176), (224, 228, 230),
]  # fmt: skip
INKS = [(30, 17, 24), (30, 17, 24), (74, 38, 22), (34, 42, 92)]  # black for half of the range
PRINTS = [(228, 150, 96), (226, 122, 112), (196, 128, 186), (122, 140, 214), (84, 160, 200)]
WIDER_EYES = 1.22  # a drawing opens the eyes
LINE = 0.0165  # half the ink line's width in head units
_LUMINANCE = torch.tensor([0.30, 0.59, 0.11]).view(3, 1, 1)  # of sRGB, near enough
HATCH = 0.085  # from one hatching line to the next, in head units


@dataclass(frozen=True)
class Pen:
    """The ink: its colour `(B, 3, 1, 1)`, and half its width in pixels, heavier away from the light."""

    ink: Tensor
    width: Tensor
    dark_side: Tensor  # −1 or 1: where shadows fall
    hatching: Tensor  # coverage of parallel lines all over the picture
    hatch: Tensor  # how far shadows are hatched instead of toned

    def line(self, pixels: Tensor, weight: float | Tensor = 1.0) -> Tensor:
        """Coverage of a line along the zero of a distance in pixels."""
        return cover(pixels.abs() - self.width * weight)

    def below(self, line: int) -> "Pen":
        """The pen for the picture from one of its lines downwards."""
        return replace(self, width=self.width[:, line:], hatching=self.hatching[:, line:])

    def shade(self, fill: Tensor, shadow: Tensor, where: Tensor) -> Tensor:
        """A fill with its shadow where `(B, h, w)` says: toned, hatched or something between."""
        toned = over(fill, shadow, where * (1 - 0.75 * self.hatch))
        return over(toned, self.ink, 0.8 * where * self.hatch * self.hatching)


def caricature(p: Columns, size: int) -> tuple[Tensor, Tensor]:
    """Drawings of B faces: sRGB `(B, 3, size, size)` in [0, 1], and the figure's coverage `(B, size, size)`."""
    picture, clear = _on_paper(p, whole(p, size), size)
    return _print(p, picture).clamp(0, 1), 1 - clear


def sticker(p: Columns, size: int) -> tuple[Tensor, Tensor]:
    """The same figures cut out: sRGB multiplied by the coverage, `(B, 3, size, size)`, and the coverage.

    The paper is taken out of the pixels that it shares with a figure, or a sticker would have a pale rim.
    """
    grid = whole(p, size)
    picture, clear = _on_paper(p, grid, size)
    covered = (1 - clear)[:, None]
    figure = (picture - clear[:, None] * _paper(p, grid)) / covered.clamp(min=1e-3)
    return covered * _print(p, figure.clamp(0, 1)).clamp(0, 1), 1 - clear


def _on_paper(p: Columns, grid: Grid, size: int) -> tuple[Tensor, Tensor]:
    """The drawing before it may become a print, and how much of its paper shows."""
    on = geometry.head(p, grid)
    locks = hair(p, grid, on)
    pen = _pen(p, grid)
    fill = _hair_fill(p, grid, locks, pen)
    back, knot, front = distance(locks.back), distance(locks.knot), distance(locks.front)
    picture = _paper(p, grid)
    clear = 1 - cover(back - pen.width)
    picture = _shape(picture, back, fill * 0.80, pen)
    picture, clear = _shape(picture, knot, fill, pen), clear * (1 - cover(knot - pen.width))
    picture, clear = _body(p, grid, picture, clear, pen)
    outer = (
        step(p.neck_width + 0.03, p.neck_width + 0.06, grid.x.abs()) * step(0.60, 0.70, grid.y) * p.hair_front
    )
    picture = over(picture, fill * 0.9, cover(back) * outer)
    picture = over(picture, pen.ink, pen.line(back) * outer)
    picture, clear = _ears(p, grid, picture, clear, pen)
    picture, clear = _face(p, size, picture, clear, locks, pen)
    cut = 1 - (1 - locks.density) * step(1.06, 0.98, on.inside)
    hairs, edge = cover(front) * (0.35 + 0.65 * cut), pen.line(front, 0.85) * (0.25 + 0.75 * cut)
    picture = over(over(picture, fill, hairs), pen.ink, edge)
    clear = clear * (1 - hairs) * (1 - edge)
    picture = _spectacles(p, size, picture)
    picture, clear = _headwear(p, size, picture, clear)
    return picture, clear


def _print(p: Columns, picture: Tensor) -> Tensor:
    """The picture as a print in two tones between ink and paper, as far as `wash` says."""
    washed = (p.wash[:, 0, 0] > 0.01).nonzero()[:, 0]
    if not len(washed):
        return picture
    q = p.rows(washed)
    tone = _between(PRINTS, q.ground_phase)
    light = (picture[washed] * _LUMINANCE.to(picture)).sum(1, keepdim=True)
    dark_half = torch.lerp(_ink(q), tone, (light / 0.5).clamp(0, 1))
    light_half = torch.lerp(tone, torch.ones_like(tone), (2 * light - 1).clamp(0, 1))
    toned = torch.where(light < 0.5, dark_half, light_half)
    return picture.index_copy(0, washed, torch.lerp(picture[washed], toned, q.wash[:, None]))


def _vivid(colour: Tensor, amount: float) -> Tensor:
    grey = colour.mean(1, keepdim=True)
    return (grey + (colour - grey) * amount).clamp(0, 1)


def _rgb(like: Tensor, red: int, green: int, blue: int) -> Tensor:
    return torch.tensor([red, green, blue], dtype=like.dtype, device=like.device).view(1, 3, 1, 1) / 255


def _skin(p: Columns) -> Tensor:
    """Skin as paint: more vivid, and the deepest lifted until the ink shows on it."""
    vivid = _vivid(p.colour("skin"), 1.22)
    bright = vivid.mean(1, keepdim=True)
    return (vivid * (0.80 * bright + 0.135) / bright.clamp(min=0.05)).clamp(0, 1)


def _shadow(p: Columns) -> Tensor:
    """The skin's flat shadow: darker and warmer, less so where the skin is deep."""
    skin = _skin(p)
    return _vivid(skin * _rgb(skin, 222, 182, 186), 1.1)


def _hair_paint(p: Columns) -> Tensor:
    """Hair as paint: never quite black, so that ink and strands show on it."""
    return 0.86 * _vivid(p.colour("hair"), 1.25) + _rgb(p.values, 24, 21, 26)


def _pen(p: Columns, grid: Grid) -> Pen:
    ink = _ink(p) + 0.05 * p.colour("skin")
    dark_side = (-5 * p.light_x).clamp(-1, 1)
    pressure = 1 + p.pen_swell * (0.8 * grid.x * dark_side + 0.5 * grid.y).clamp(-0.8, 0.9)
    pressure = pressure + 0.14 * (grid.x * 3.1 + grid.y * 4.3 + 9 * p.ground_phase).sin()
    width = (LINE * p.pen_width / grid.pixel).clamp(min=0.42) * pressure
    return Pen(ink, width, dark_side, _hatching(p, grid, dark_side), p.hatch)


def _ink(p: Columns) -> Tensor:
    return _between(INKS, p.ink)


def _between(colours: list[tuple[int, int, int]], where: Tensor) -> Tensor:
    """The colour at `where` (B, 1, 1) in [0, 1] along a list of colours, `(B, 3, 1, 1)`."""
    table = torch.tensor(colours, device=where.device) / 255
    place = where[:, 0, 0] * (len(colours) - 1)
    first = place.long().clamp(max=len(colours) - 2)
    return torch.lerp(table[first], table[first + 1], (place - first)[:, None])[:, :, None, None]


def _hatching(p: Columns, grid: Grid, dark_side: Tensor) -> Tensor:
    """Slanted parallel lines, drawn by hand; where they lie too close for the pixels, their mean tone."""
    across = (grid.x * dark_side + 0.8 * grid.y + 0.012 * (grid.x * 11 - grid.y * 7).sin()) / (1.28 * HATCH)
    off = (across - across.round()).abs() * HATCH
    lines = cover((off - 0.75 * LINE * p.pen_width) / grid.pixel)
    return torch.lerp(torch.full_like(lines, 0.3), lines, ((HATCH / grid.pixel - 1.5) / 1.5).clamp(0, 1))


def _shape(picture: Tensor, pixels: Tensor, colour: Tensor, pen: Pen, weight: float = 1.0) -> Tensor:
    """A filled shape with its outline, from its distance in pixels."""
    return over(over(picture, colour, cover(pixels)), pen.ink, pen.line(pixels, weight))


def _paper(p: Columns, grid: Grid) -> Tensor:
    """Tinted paper, with a disc of another tint behind some heads."""
    papers = torch.tensor(PAPERS, device=grid.u.device) / 255
    place = p.ground_phase[:, 0, 0] * (len(PAPERS) - 1e-3)
    first = place.long()
    on_the_way = step(0.6, 1.0, place - first)[:, None]  # mostly one tint or the next, seldom a mixture
    tint, other = (
        torch.lerp(papers[(first + far) % len(PAPERS)], papers[(first + far + 1) % len(PAPERS)], on_the_way)
        for far in (0, 3)
    )
    tint, other = tint[:, :, None, None], other[:, :, None, None]
    radius = (grid.u.square() + (grid.v + 0.02).square()).sqrt()
    glow = torch.lerp(tint, torch.ones_like(tint), 0.35 * step(1.1, 0.2, radius)[:, None])
    size = grid.u.shape[-1]
    return over(
        glow, torch.lerp(other, torch.ones_like(other), 0.15), cover((radius - 0.86) * (size / 2)) * p.disc
    )


def _hair_fill(p: Columns, grid: Grid, locks: Hair, pen: Pen) -> Tensor:
    """Flat hair with a shadow side, a band of light and a few drawn strands."""
    paint = _hair_paint(p)
    smooth = 1 - (0.7 * p.hair_curl * (1 - p.hair_rope)).clamp(0, 1)
    shade = 1 - 0.16 * step(0.05, 0.30, grid.x * pen.dark_side + 0.10 * locks.strand)
    light = bump(
        grid.y + 0.60 + 0.75 * p.hair_top + 0.22 * grid.x * pen.dark_side + 0.30 * grid.x * grid.x, 0.085
    )
    light = step(0.55, 0.66, light + 0.26 * locks.strand) * (0.25 + 0.75 * smooth)
    fill = paint * shade[:, None]
    fill = over(fill, (paint * 1.28 + 0.06).clamp(0, 1), 0.8 * light)
    furrow = step(-0.35, -0.75, locks.strand) * (0.45 + 0.3 * p.hair_rope)
    return over(fill, paint * 0.60, furrow)


def _body(p: Columns, grid: Grid, picture: Tensor, clear: Tensor, pen: Pen) -> tuple[Tensor, Tensor]:
    """Neck, garment and collar, in the picture's lower part alone."""
    top = int(grid.x.shape[1] * 0.5)
    low = grid.below(top)
    pen = pen.below(top)
    parts = geometry.body(p, low)
    patch = picture[:, :, top:]
    under_chin = cover((parts.y - 1.04 - 0.10 * geometry.chin_y(p) + 0.25 * parts.x.square()) / grid.pixel)
    neck, garment = distance(parts.neck), distance(parts.garment)
    patch = _shape(patch, neck, pen.shade(_skin(p).expand_as(patch), _shadow(p), under_chin), pen)
    cloth, trim = (_vivid(p.colour(name), 1.2) * 0.86 + 0.09 for name in ("clothes", "trim"))
    striped = p.stripes * cover((parts.hem * 26).sin() / (26 * grid.pixel))
    fill = torch.lerp(cloth, trim, striped[:, None])
    dark = step(0.30, 0.34, parts.x * pen.dark_side + 0.06 * (parts.y * 9).sin())
    fill = pen.shade(fill, 0.83 * fill, dark)
    rib = cover(((parts.hem - 0.035).abs() - 0.035) / grid.pixel) * (1 - p.collar)
    fill = over(fill, torch.lerp(trim, cloth * 0.8, p.roll_neck[:, None]), 0.8 * rib)
    patch = _shape(patch, garment, fill, pen)
    collar = parts.collar / grid.pixel
    patch = over(patch, 0.45 * trim + 0.53, cover(collar) * p.collar)
    patch = over(patch, pen.ink, pen.line(collar, 0.8) * p.collar)
    hidden = clear[:, top:] * (1 - cover(neck - pen.width)) * (1 - cover(garment - pen.width))
    hidden = hidden * (1 - cover(collar - pen.width) * p.collar)
    return torch.cat([picture[:, :, :top], patch], 2), torch.cat([clear[:, :top], hidden], 1)


def _ears(p: Columns, grid: Grid, picture: Tensor, clear: Tensor, pen: Pen) -> tuple[Tensor, Tensor]:
    inside, _ = geometry.ears(p, grid)
    pixels = distance((inside + 1e-6).sqrt() - 1)
    shell = step(0.42, 0.30, inside + 0.25 * bump(grid.y - 0.25, 0.1))
    picture = _shape(picture, pixels, over(_skin(p).expand_as(picture), _shadow(p), shell), pen)
    drop_x = grid.x.abs() - p.head_width * 0.985 - p.ear_out
    drop = ((drop_x.square() + (grid.y - 0.18 - p.ear_size).square()).sqrt() - 0.055) / grid.pixel
    worn = p.earrings * (1 - p.headscarf) * step(0.55, 0.45, p.hair_cover)
    picture = over(picture, _rgb(picture, 248, 200, 70), cover(drop) * worn)
    picture = over(picture, pen.ink, pen.line(drop, 0.7) * worn)
    return picture, clear * (1 - cover(pixels - pen.width)) * (1 - cover(drop - pen.width) * worn)


def _face(
    p: Columns, size: int, picture: Tensor, clear: Tensor, locks: Hair, pen: Pen
) -> tuple[Tensor, Tensor]:
    """The head with its shadow, cheeks and beard, then the features."""
    zero = torch.zeros_like(p.yaw)
    grid = window(p, size, (zero, zero + 0.02), (1.02, 1.22))
    on = geometry.head(p, grid)
    near = _pen(p, grid)
    patch, pixel = read(picture, grid), grid.pixel
    shadow = _shadow(p)
    fill = _skin(p).expand_as(patch)
    across = on.x * pen.dark_side
    side = step(0.50, 0.53, across / p.head_width * 0.66 + 0.10 * on.y + 0.05 * (on.y * 6).sin())
    fill = near.shade(fill, shadow, 0.85 * side)
    blush = _vivid(_skin(p) * _rgb(fill, 255, 176, 168), 1.25)
    fill = over(fill, blush, bump(on.side - 0.43, 0.13) * bump(on.y - 0.36, 0.085) * (0.35 + 0.45 * p.blush))
    edge = read(locks.edge[:, None], grid)[:, 0]
    bare = step(0.55, 1.0, p.hair_thin)
    fill = over(fill, shadow, step(-0.085, -0.065, edge) * (1 - bare) * step(0.12, 0.0, grid.y) * 0.85)
    fill = over(fill, shadow * 0.8, 0.8 * geometry.freckles(p, on))
    mole = ((on.x - p.mole_x).square() + (on.y - p.mole_y).square()).sqrt() - 0.018
    fill = over(fill, near.ink, 0.85 * p.mole * cover(mole / pixel))
    jaw, lip = beard(p, on)
    paint = _hair_paint(p)
    bristle = step(0.35, 0.6, wave(on.x * 44 + 3 * (on.y * 9).sin() + 9 * p.hair_phase, 48 * pixel))
    paint = over(paint.expand_as(fill), paint * 0.66, 0.6 * bristle)
    stubble = p.stubble * (1 - step(0.0, 0.2, p.beard)) * step(0.25, 0.40, torch.maximum(jaw, 0.8 * lip))
    fill = over(fill, torch.lerp(shadow, paint.mean((2, 3), keepdim=True), 0.22), 0.55 * stubble)
    bearded = step(0.42, 0.55, jaw) * step(0.0, 0.3, p.beard)
    fill = over(fill, paint, bearded)
    long_ = distance(beard_outline(p, grid))
    patch = _shape(patch, long_, paint, near)
    outline = distance(on.inside - 1)
    patch = _shape(patch, outline, fill, near, 1.1)
    patch = over(patch, paint, cover(long_) * step(0.45, 0.55, p.beard) * bearded * step(0.80, 0.95, grid.y))
    moustache = step(0.45, 0.6, lip) * p.moustache
    inside = cover(outline)
    patch = over(patch, paint * 0.92, moustache * inside)
    patch = _lines_of_age(p, on, near, patch, pixel, inside)
    picture = write(picture, grid, patch)
    hidden = (
        read(clear[:, None], grid)[:, 0] * (1 - cover(outline - near.width)) * (1 - cover(long_ - near.width))
    )
    clear = write(clear[:, None].contiguous(), grid, hidden[:, None])[:, 0]
    picture = _eyes(p, size, picture)
    return _mouth(p, size, picture), clear


def _lines_of_age(p: Columns, on: Head, pen: Pen, patch: Tensor, pixel: Tensor, inside: Tensor) -> Tensor:
    """Folds beside the mouth, from age or a broad smile, and lines on the forehead."""
    out = on.side - p.nose_width - 0.075 - 0.45 * (on.y - p.nose_length)
    reach = step(p.nose_length - 0.06, p.nose_length + 0.03, on.y) * step(
        geometry.mouth_y(p) + 0.02, geometry.mouth_y(p) - 0.06, on.y
    )
    fold = pen.line(out / pixel, 0.5) * reach * (1.1 * p.age_lines + 0.7 * (p.smile - 0.7)).clamp(0, 0.85)
    brow = cover(((on.y * 34 + 2 * on.x * on.x).sin().abs() - 0.16) / (34 * pixel)) * step(
        0.34, 0.22, on.side
    )
    brow = brow * step(-0.50, -0.46, on.y) * step(-0.28, -0.32, on.y) * p.age_lines
    patch = over(patch, pen.ink, fold * inside)
    return over(patch, _shadow(p) * 0.8, 0.8 * brow * inside)


def _eyes(p: Columns, size: int, picture: Tensor) -> Tensor:
    """Large drawn eyes under bold brows."""
    turn = p.yaw.sin()
    grid = window(p, size, (0.72 * turn, p.eye_height - 0.10 - 0.55 * p.pitch), (0.66, 0.37))
    on = geometry.head(p, grid)
    eye = geometry.eyes(p, on, WIDER_EYES)
    near, pixel = _pen(p, grid), grid.pixel
    patch = read(picture, grid)
    inside = cover((on.inside.clamp(min=1e-4).sqrt() - 1) * 0.7 / pixel)
    fold_y = eye.upper - 0.040 - 0.015 * p.lid_crease
    painted = torch.lerp(_shadow(p), _vivid(p.colour("frame"), 1.3), 0.35 * p.makeup[:, None])
    lid = cover((fold_y - eye.v) / pixel) * cover((eye.v - eye.upper) / pixel) * step(1.08, 1.0, eye.u.abs())
    patch = over(patch, painted, (0.35 + 0.6 * p.makeup) * lid * inside)
    crease = (
        near.line((eye.v - fold_y) / pixel, 0.45)
        * step(0.95, 0.75, eye.u.abs())
        * (0.15 + 0.75 * p.lid_crease)
    )
    patch = over(patch, _shadow(p) * 0.62, crease * inside)
    ball = over(
        _rgb(patch, 255, 253, 248).expand_as(patch),
        _rgb(patch, 206, 212, 228),
        0.9 * cover((eye.v - eye.upper - 0.035) / pixel),
    )
    radius = p.iris_size * 1.12
    ball = over(ball, near.ink, cover((eye.iris - radius) / pixel))
    iris = _vivid(p.colour("iris"), 1.5) * 1.12 + 0.03
    ball = over(
        ball,
        (iris * (0.82 + 0.5 * step(-0.04, 0.07, eye.iris_y))[:, None]).clamp(0, 1),
        cover((eye.iris - radius + 0.017) / pixel),
    )
    ball = over(ball, _rgb(patch, 18, 11, 14), cover((eye.iris - 0.52 * radius) / pixel))
    spark = (
        (eye.iris_x * on.sign + 0.032 * near.dark_side).square() + (eye.iris_y + 0.034).square()
    ).sqrt() - 0.027
    ball = over(ball, _rgb(patch, 255, 255, 255), cover(spark / pixel))
    patch = over(patch, ball, cover(eye.opening / pixel) * inside)
    patch = over(
        patch,
        near.ink,
        0.75 * near.line((eye.v - eye.lower) / pixel, 0.42) * step(1.0, 0.88, eye.u.abs()) * inside,
    )
    lash = 0.95 + 0.45 * step(-0.6, 0.9, eye.u) + 0.5 * p.makeup
    patch = over(
        patch,
        near.ink,
        near.line((eye.v - eye.upper + 0.008) / pixel, lash) * step(1.14, 1.02, eye.u.abs()) * inside,
    )
    field, _, _ = geometry.brows(p, on)
    brow = 0.62 * _hair_paint(p) + 0.30 * near.ink
    return write(picture, grid, over(patch, brow, cover((field - 0.006) / pixel) * inside))


def _mouth(p: Columns, size: int, picture: Tensor) -> Tensor:
    """The nose, then the mouth: lips, teeth and tongue in flat colours, one line between closed lips."""
    turn = p.yaw.sin()
    centre_y = 0.5 * (p.nose_length + geometry.mouth_y(p)) + 0.02 - 0.55 * p.pitch
    grid = window(p, size, (0.76 * turn, centre_y), (0.50, 0.42))
    on = geometry.head(p, grid)
    lips = geometry.mouth(p, on)
    near, pixel = _pen(p, grid), grid.pixel
    patch = _nose(p, on, near, read(picture, grid), pixel)
    first, second = lips.parting
    red = _vivid(p.colour("lips"), 1.35) * _rgb(patch, 250, 214, 214)
    red = torch.lerp(red, _rgb(patch, 196, 44, 62).expand_as(red), 0.6 * p.makeup[:, None])
    patch = over(patch, red * 0.93, cover(lips.upper / pixel) * (0.62 + 0.38 * p.makeup))
    patch = over(patch, red, cover(lips.lower / pixel) * (0.62 + 0.38 * p.makeup))
    middle = 0.5 * (second + lips.bottom)
    shine = cover(((on.y - middle + 0.006).abs() - 0.008) / pixel) * bump(lips.along, 0.30)
    patch = over(patch, (red * 1.2 + 0.16).clamp(0, 1), 0.8 * shine)
    opened = step(0.02, 0.10, p.mouth_open)
    height = second - first
    tooth = cover((on.y - first - 0.50 * height - 0.012) / pixel)
    tongue = cover((second - 0.30 * height - on.y) / pixel) * step(0.75, 0.6, lips.along.abs())
    inside = over(_rgb(patch, 116, 26, 38).expand_as(patch), _rgb(patch, 226, 108, 112), tongue)
    inside = over(inside, _rgb(patch, 255, 252, 245), tooth)
    patch = over(patch, inside, cover(lips.gap / pixel) * opened)
    patch = over(
        patch, near.ink, near.line(lips.gap / pixel, 0.75) * opened * step(1.1, 1.0, lips.along.abs())
    )
    closed = near.line((on.y - 0.5 * (first + second)) / pixel, 0.55 + 0.35 * lips.along.square())
    patch = over(patch, near.ink, closed * step(1.14, 1.04, lips.along.abs()) * (1 - opened))
    dent = near.line((on.y - lips.bottom - 0.035 - 0.03 * lips.along.square()) / pixel, 0.45) * step(
        0.42, 0.25, lips.along.abs()
    )
    return write(picture, grid, over(patch, _shadow(p) * 0.62, 0.8 * dent * (1 - step(0.0, 0.3, p.beard))))


def _nose(p: Columns, on: Head, pen: Pen, patch: Tensor, pixel: Tensor) -> Tensor:
    """A shadow on one side of ridge and ball, the underside as one stroke, the wings as two."""
    parts, down = geometry.nose(p, on), on.y - p.nose_length
    ridge = parts.x * pen.dark_side - 0.02 - (0.50 * p.nose_width - 0.02) * step(0.1, p.nose_length, on.y)
    flank = (
        cover(ridge.neg() / pixel)
        * cover((ridge - 0.055) / pixel)
        * step(0.08, 0.28, on.y)
        * step(0.05, 0.0, down)
    )
    patch = over(patch, _shadow(p), 0.75 * flank)
    tip = ((parts.tip + 1e-6).sqrt() - 1) * 0.07
    ball = pen.line(tip / pixel, 0.85) * step(-0.012, 0.03, down)
    wing = ((parts.wing + 1e-6).sqrt() - 1) * 0.055
    outer = (
        pen.line(wing / pixel, 0.75)
        * step(0.70 * p.nose_width, 0.84 * p.nose_width, parts.side)
        * step(-0.06, -0.03, down)
    )
    patch = over(patch, pen.ink, 0.92 * torch.maximum(ball, outer))
    gleam = ((parts.x + 0.035 * pen.dark_side).square() + (down + 0.04).square()).sqrt() - 0.022
    return over(patch, 0.5 * _skin(p) + 0.5, 0.6 * cover(gleam / pixel))


def _spectacles(p: Columns, size: int, picture: Tensor) -> Tensor:
    """Spectacles, on the faces that wear them."""
    if (worn := geometry.spectacles(p, size)) is None:
        return picture
    q, grid, on, lens, wires = worn.wearers, worn.grid, worn.on, worn.lens, worn.wires
    pixel, chosen = grid.pixel, picture[worn.worn]
    near = _pen(q, grid)
    patch = read(chosen, grid)
    tint = torch.lerp(_rgb(patch, 236, 248, 255), _rgb(patch, 44, 40, 58), q.sunglasses[:, None])
    patch = over(patch, tint, cover(lens / pixel) * q.glasses * (0.16 + 0.76 * q.sunglasses))
    glint = cover(((on.x * 0.8 + on.y + 0.22 * on.sign).abs() - 0.022) / pixel) * cover((lens + 0.03) / pixel)
    patch = over(patch, _rgb(patch, 255, 255, 255), 0.45 * glint * q.glasses)
    rims = cover(lens.abs() / pixel - near.width * (1.0 + 0.6 * q.glasses_square))
    rims = torch.maximum(rims, cover(wires / pixel))
    patch = over(patch, _vivid(q.colour("frame"), 1.2) * 0.72 + 0.4 * near.ink, rims * q.glasses)
    return picture.index_copy(0, worn.worn, write(chosen, grid, patch))


def _headwear(p: Columns, size: int, picture: Tensor, clear: Tensor) -> tuple[Tensor, Tensor]:
    """Beanie, sun hat, headscarf or turban, on the heads that wear one."""
    any_ = torch.maximum(torch.maximum(p.beanie, p.sun_hat), torch.maximum(p.headscarf, p.turban))[:, 0, 0]
    worn = (any_ > 0.01).nonzero()[:, 0]
    if not len(worn):
        return picture, clear
    q = p.rows(worn)
    grid = whole(q, size)
    on = geometry.head(q, grid)
    wear = headwear(q, grid, on)
    near = _pen(q, grid)
    patch, hidden = picture[worn], clear[worn]
    cloth = _vivid(q.colour("headwear"), 1.2) * 0.86 + 0.09
    dark = 1 - 0.17 * step(0.20, 0.24, grid.x * near.dark_side + 0.05 * (grid.y * 7).sin())
    folded = dark * (1 - 0.20 * step(0.55, 0.75, wear.folds))
    ribbed = dark * (1 - 0.16 * step(0.3, 0.6, wave(grid.x * 34, 34 * grid.pixel)))
    layers = (
        (wear.scarf, folded, q.headscarf),
        (wear.turban, folded, q.turban),
        (wear.beanie, dark, q.beanie),
        (wear.beanie_band, 0.9 * ribbed, q.beanie),
        (wear.crown, dark, q.sun_hat),
        (wear.brim, dark, q.sun_hat),
    )
    for field, shade, presence in layers:
        pixels = distance(field)
        patch = over(patch, cloth * shade[:, None], cover(pixels) * presence)
        patch = over(patch, near.ink, near.line(pixels) * presence)
        hidden = hidden * (1 - cover(pixels - near.width) * presence)
    return picture.index_copy(0, worn, patch), clear.index_copy(0, worn, hidden)
