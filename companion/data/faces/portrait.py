"""Faces as a soft studio portrait: relief and light, painted in linear light from back to front.

Everything on the face is first a height field; one pair of finite differences gives its normals. Features are small,
so each is painted in a window of its own.
"""

from dataclasses import dataclass, fields

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
    slopes,
    step,
    wave,
    whole,
    window,
    write,
)
from companion.data.faces.hair import Hair, beard, beard_outline, hair, headwear


@dataclass(frozen=True)
class Light:
    """The key light of each picture, `(B, 1, 1)`, and its colour, `(B, 3, 1, 1)`."""

    x: Tensor
    y: Tensor
    z: Tensor
    side: Tensor  # −1 or 1: where it stands
    colour: Tensor
    fill: Tensor

    def rows(self, index: Tensor) -> "Light":
        """The light of some of the pictures."""
        return Light(*(getattr(self, field.name)[index] for field in fields(self)))


def linear(srgb: Tensor) -> Tensor:
    """From sRGB to linear light, near enough: a square, whose inverse is cheap."""
    return srgb * srgb


def tint(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    """A fixed colour `(1, 3, 1, 1)`."""
    return torch.tensor([red, green, blue], dtype=like.dtype, device=like.device).view(1, 3, 1, 1)


def portrait(p: Columns, size: int) -> tuple[Tensor, Tensor]:
    """Portraits of B faces: sRGB `(B, 3, size, size)` in [0, 1], and the figure's coverage `(B, size, size)`."""
    grid = whole(p, size)
    light = _light(p)
    on = geometry.head(p, grid)
    locks = hair(p, grid, on)
    colours = _hair_colours(p, grid, locks, light)
    picture = _background(p, grid)
    back, knot, front = (cover(distance(field), 1.5) for field in (locks.back, locks.knot, locks.front))
    clear = (1 - back) * (1 - knot)
    picture = over(picture, colours * 0.62, back)
    picture = over(picture, colours, knot)
    picture, clear = _body(p, grid, picture, clear, light)
    picture = _front_locks(p, grid, picture, colours, back)
    picture, clear = _ears(p, grid, picture, clear, light)
    picture, clear = _face(p, size, picture, clear, locks, light)
    hairline = front * step(-0.015, 0.075 - 0.05 * p.hair_fringe, locks.edge + 0.03 * locks.strand)
    hairline = hairline * (1 - (1 - locks.density) * step(1.12, 0.98, on.inside))
    picture, clear = over(picture, colours, hairline), clear * (1 - hairline)
    picture = _spectacles(p, size, picture)
    picture, clear = _headwear(p, size, picture, clear, light)
    picture = picture * (1 - 0.14 * (grid.u.square() + grid.v.square()))[:, None]
    return _develop(picture), 1 - clear


def _develop(light: Tensor) -> Tensor:
    """Linear light to sRGB with a soft shoulder, so that highlights do not clip, and a little contrast."""
    light = light.clamp(min=0)
    srgb = (light * 1.12 / (1 + 0.16 * light)).sqrt_().clamp_(0, 1)
    return torch.lerp(srgb, srgb * srgb * (3 - 2 * srgb), 0.22)


def _light(p: Columns) -> Light:
    length = torch.rsqrt(p.light_x.square() + p.light_y.square() + 1.1)
    warm = 0.06 * p.light_warmth[:, None]
    colour = torch.cat([1 + warm, torch.ones_like(warm), 1 - 1.4 * warm], 1) * p.light_strength[:, None]
    side = (5 * p.light_x).clamp(-1, 1)
    return Light(p.light_x * length, p.light_y * length, 1.05 * length, side, colour, p.light_fill)


def _background(p: Columns, grid: Grid) -> Tensor:
    """A wall out of focus: two colours, and the glow of lights far behind."""
    near, far = linear(p.colour("ground")), linear(p.colour("far"))
    turn = p.ground_phase * 6.3
    along = (0.5 + 0.35 * (grid.v + 0.6 * grid.u * torch.sin(turn))).clamp(0, 1)
    picture = torch.lerp(near, far, along[:, None])
    glow = bump((grid.u - 0.8 * turn.cos()).square() + (grid.v + 0.55).square(), 0.35)
    glow = glow + 0.7 * bump((grid.u + 0.7 * turn.sin()).square() + (grid.v - 0.1).square(), 0.22)
    halo = bump(grid.u.square() + (grid.v + 0.1).square(), 0.9)
    return picture * (0.85 + 0.28 * glow + 0.25 * halo)[:, None]


def _hair_colours(p: Columns, grid: Grid, locks: Hair, light: Light) -> Tensor:
    """Lit hair: form first, clumps second, strands third, and a band of sheen where hair is smooth."""
    base = linear(p.colour("hair"))
    x = grid.x / (p.head_width + p.hair_side + 0.15)
    y = (grid.y + 0.1) / (1.15 + p.hair_top)
    z = (1 - x.square() - y.clamp(max=0).square()).clamp(min=0.03).sqrt()
    facing = light.x * 0.75 * x + light.y * 0.8 * y.clamp(-1, 0.3) + light.z * 0.8 * z
    form = (0.62 * light.fill + 0.30 + 0.85 * facing).clamp(0.18, 1.5) * (1 - 0.22 * step(0.1, 1.1, grid.y))
    clump = wave(locks.flow * 9 + p.hair_phase * 20 + 1.2 * (grid.y * 3).sin(), 11 * grid.pixel)
    smooth = 1 - (0.8 * p.hair_curl).clamp(0, 1) * (1 - 0.5 * p.hair_rope)
    depth = 1 + 0.30 * locks.strand + 0.16 * clump * smooth
    band = bump(grid.y + 0.62 + 0.7 * p.hair_top - 0.25 * x * light.side + 0.25 * x * x, 0.15)
    sheen = band * (0.55 + 0.45 * locks.strand).clamp(min=0) * smooth
    root = 1 - 0.35 * bump(locks.edge, 0.06)
    lit = base * (form * depth * root).clamp(min=0.08)[:, None] * light.colour
    return lit + (0.030 + 0.26 * base) * (sheen * (0.4 + facing).clamp(0, 1.2))[:, None]


def _body(p: Columns, grid: Grid, picture: Tensor, clear: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    """Neck, garment and collar, in the picture's lower part alone."""
    top = int(grid.x.shape[1] * 0.5)  # shoulders never reach higher
    low = grid.below(top)
    parts = geometry.body(p, low)
    patch = picture[:, :, top:]
    turn = parts.x / p.neck_width
    lit = (0.30 + light.fill + 0.34 * light.x * turn + 0.16 * (1 - turn * turn)).clamp(0.12, 1.2)
    chin = 1 - 0.55 * step(1.36, 0.98, parts.y + 0.10 * turn * turn)
    sinew = 1 - 0.05 * bump(turn.abs() - 0.45 - 0.3 * (1.3 - parts.y), 0.12)
    skin = linear(p.colour("skin")) * tint(picture, 1.0, 0.93, 0.90) * light.colour
    neck = cover(distance(parts.neck))
    patch = over(patch, skin * (lit * chin * sinew)[:, None] * _exposure(p)[:, None], neck)
    cloth, trim = linear(p.colour("clothes")), linear(p.colour("trim"))
    striped = p.stripes * step(-0.25, 0.25, (parts.hem * 26).sin())
    cloth = torch.lerp(cloth * 0.93 + 0.02, trim, striped[:, None])
    fold = (
        0.07 * (parts.x * 7 + 5 * parts.y + 9 * p.hair_phase).sin()
        + 0.05 * (parts.x * 13 - 8 * parts.y).sin()
    )
    rolled = p.roll_neck * 0.10 * wave(parts.x * 44, 44 * grid.pixel) * step(0.22, 0.14, parts.hem)
    form = 0.50 + 0.8 * light.fill + 0.30 * light.x * parts.x + fold + rolled
    form = form * (1 - 0.35 * bump(parts.x, 0.42) * bump(parts.y - 1.18, 0.16)) - 0.16 * parts.x.square()
    garment = cover(distance(parts.garment))
    rib = bump(parts.hem - 0.045, 0.022) * (1 - p.collar) * (1 - p.roll_neck)
    patch = over(
        patch,
        torch.lerp(cloth, trim, 0.55 * rib[:, None]) * form.clamp(0.1, 1.3)[:, None] * light.colour,
        garment,
    )
    collar = parts.collar / grid.pixel
    worn = p.collar * torch.ones_like(parts.x)
    patch = patch * (1 - 0.4 * worn * cover(collar - 2 * 0.02 / grid.pixel, 3.5))[:, None]
    patch = over(patch, (0.6 * trim + 0.3) * (form + 0.12).clamp(0.1, 1.3)[:, None], worn * cover(collar))
    low_clear = clear[:, top:] * (1 - neck) * (1 - garment) * (1 - worn * cover(collar))
    return torch.cat([picture[:, :, :top], patch], 2), torch.cat([clear[:, :top], low_clear], 1)


def _front_locks(p: Columns, grid: Grid, picture: Tensor, colours: Tensor, back: Tensor) -> Tensor:
    """Long hair that lies before the shoulders."""
    bend = 0.04 * (grid.y * 5 + p.hair_phase * 9).sin() * p.hair_wave
    outer = step(p.neck_width + 0.02, p.neck_width + 0.12, (grid.x - bend).abs()) * step(0.55, 0.85, grid.y)
    return over(picture, colours * 0.85, back * outer * p.hair_front)


def _exposure(p: Columns) -> Tensor:
    """Deep skins are given more light, as a good photographer does, so that their modelling shows."""
    red, green, blue = p.colour("skin").unbind(1)
    return 1.50 - 0.56 * (0.3 * red + 0.6 * green + 0.1 * blue)


def _ears(p: Columns, grid: Grid, picture: Tensor, clear: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    inside, which = geometry.ears(p, grid)
    alpha = cover(distance((inside + 1e-6).sqrt() - 1))
    shade = (
        0.32
        + light.fill
        + 0.32 * light.x * which
        - 0.30 * bump(inside - 0.30, 0.16)
        + 0.10 * bump(inside - 0.75, 0.2)
    )
    skin = linear(p.colour("skin")) * tint(picture, 1.0, 0.86, 0.80) * light.colour * _exposure(p)[:, None]
    picture = over(picture, skin * shade.clamp(0.1, 1.2)[:, None], alpha)
    drop_x = grid.x.abs() - p.head_width * 0.985 - p.ear_out
    drop = (drop_x.square() + (grid.y - 0.18 - p.ear_size).square()).sqrt() - 0.055
    ring = cover(drop / grid.pixel) * p.earrings * (1 - p.headscarf) * step(0.55, 0.45, p.hair_cover)
    gold = (
        tint(picture, 0.85, 0.60, 0.22)
        * (0.75 + 8 * (-drop_x * light.x - (grid.y - 0.17 - p.ear_size))).clamp(0.3, 1.5)[:, None]
    )
    return over(picture, gold, ring), clear * (1 - alpha) * (1 - ring)


def _face(
    p: Columns, size: int, picture: Tensor, clear: Tensor, locks: Hair, light: Light
) -> tuple[Tensor, Tensor]:
    """The head's skin with its relief, then the features."""
    zero = torch.zeros_like(p.yaw)
    grid = window(p, size, (zero, zero + 0.02), (0.98, 1.16))
    on = geometry.head(p, grid)
    parts = geometry.nose(p, on)
    lit, shine = _skin_light(p, grid, on, parts, light)
    edge = read(locks.edge[:, None], grid)[:, 0]
    bald = step(0.55, 1.0, p.hair_thin)
    shaded = step(-0.17, 0.0, edge) * (1 - bald) * step(0.55, 0.3, grid.y)
    lit = lit * (1 - 0.42 * shaded)[:, None]
    skin = _complexion(p, on, parts, grid.pixel) * lit + shine[:, None]
    patch = read(picture, grid)
    alpha = cover(distance(on.inside - 1))
    long_beard = beard_outline(p, grid)
    hair_colour = linear(p.colour("hair"))
    tuft = hair_colour * (0.55 + 0.30 * light.x * grid.x + 0.13 * _bristle(p, on, grid))[:, None] + 0.004
    outside = cover(distance(long_beard), 1.6)
    patch = over(patch, tuft * 0.9, outside)
    jaw, lip = beard(p, on)
    full = (jaw * step(0.0, 0.3, p.beard) * (0.72 + 0.28 * p.beard)).clamp(max=0.97)
    shadow = 0.42 * p.stubble * (1 - step(0.0, 0.2, p.beard)) * torch.maximum(jaw, 0.8 * lip)
    skin = skin * (1 - shadow[:, None] * tint(skin, 0.8, 0.75, 0.62))
    bearded = (
        hair_colour * (0.22 + 0.62 * lit.mean(1, keepdim=True)) * (1 + 0.25 * _bristle(p, on, grid))[:, None]
    )
    skin = over(skin, bearded, torch.maximum(full, 0.93 * lip * p.moustache))
    patch = over(patch, skin, alpha)
    picture = write(picture, grid, patch)
    new_clear = read(clear[:, None], grid)[:, 0] * (1 - alpha) * (1 - outside)
    clear = write(clear[:, None].contiguous(), grid, new_clear[:, None])[:, 0]
    picture = _eyes(p, size, picture, light)
    return _mouth(p, size, picture, light), clear


def _bristle(p: Columns, on: Head, grid: Grid) -> Tensor:
    warped = on.x * 58 + 7 * on.y + 2.5 * (on.y * 21 + on.x * 9).sin() + p.hair_phase * 9
    return wave(warped, 66 * grid.pixel) + 0.6 * wave(
        on.x * 27 - 9 * on.y + 2 * (on.y * 15).sin(), 33 * grid.pixel
    )


def _skin_light(
    p: Columns, grid: Grid, on: Head, parts: geometry.Nose, light: Light
) -> tuple[Tensor, Tensor]:
    """Light on the relief, `(B, 3, h, w)`, and the shine on top of it, `(B, h, w)`."""
    eye_x, eye_y = on.side - p.eye_spacing, on.y - p.eye_height
    smiling = p.smile.clamp(0, 1.2)
    lines = p.age_lines
    socket = bump(eye_x / 1.2, 0.18) * bump(eye_y + 0.03, 0.105)
    cheek = bump(on.side - 0.42, 0.20) * bump(on.y - 0.34 + 0.04 * smiling, 0.16)
    fold = (
        bump(on.side - p.nose_width - 0.07 - 0.50 * (on.y - p.nose_length), 0.040)
        * step(p.nose_length - 0.07, p.nose_length + 0.06, on.y)
        * step(geometry.mouth_y(p) + 0.10, geometry.mouth_y(p) - 0.02, on.y)
    )
    chin = bump(on.x, 0.20) * bump(on.y - 0.87 * geometry.chin_y(p), 0.11)
    under_lip = bump(on.x, 0.20) * bump(on.y - geometry.mouth_y(p) - p.lower_lip - 0.055, 0.035)
    brow = bump(eye_x / 1.4, 0.19) * bump(eye_y + p.brow_gap, 0.07)
    lip_band = bump(on.x / 1.3, p.mouth_width * 0.7) * bump(on.y - geometry.mouth_y(p) - 0.01, 0.085)
    wrinkle = bump(on.y + 0.36, 0.11) * bump(on.x, 0.36) * wave(on.y * 58 + 3 * on.x * on.x, 58 * grid.pixel)
    relief = on.depth + parts.relief
    relief = relief + 0.030 * brow - 0.055 * socket + (0.040 + 0.045 * p.cheek + 0.035 * smiling) * cheek
    relief = relief - (0.010 + 0.018 * smiling + 0.026 * lines) * fold + 0.050 * chin - 0.022 * under_lip
    relief = relief + 0.035 * lip_band + 0.007 * lines * wrinkle
    along, down = slopes(relief)
    along, down = along / grid.pixel, down / grid.pixel
    facing = torch.rsqrt(along.square() + down.square() + 1)
    towards = (light.z - along * light.x - down * light.y) * facing
    wrap = tint(relief, 0.46, 0.32, 0.25)  # light travels in skin, red the furthest
    diffuse = ((towards[:, None] + wrap) / (1 + wrap)).clamp(0, 1.2) * light.colour
    hollow = (1 - 0.16 * socket) * (
        1 - 0.24 * bump(parts.x, 1.0 * p.nose_width) * bump(on.y - p.nose_length - 0.075, 0.034)
    )
    cast_x = parts.x + 0.10 * light.side  # the nose's shadow falls away from the light
    cast = bump(cast_x, 0.08) * step(0.0, 0.25, on.y) * step(p.nose_length + 0.10, p.nose_length + 0.02, on.y)
    hollow = hollow * (1 - 0.16 * cast * step(0.02, 0.09, -parts.x * light.side))
    limb = 1 - 0.24 * step(0.45, 1.0, on.inside)
    ambient = light.fill * (0.80 + 0.20 * facing + 0.18 * down * facing)
    total = (diffuse * 0.86 + ambient[:, None]) * (hollow * limb * _exposure(p))[:, None]
    half = (light.z + 1) * facing - (along * light.x + down * light.y) * facing
    mirror = (half * torch.rsqrt(light.x.square() + light.y.square() + (light.z + 1).square())).clamp(min=0)
    glossy = mirror.square().square().square()  # to the 8th: broad
    tight = glossy.square().square()
    rim = 0.16 * step(0.55, 1.0, on.inside) * step(0.05, 0.5, -grid.x * light.side) * (0.4 + light.fill)
    return total + rim[:, None], (0.026 * glossy + 0.035 * tight) * hollow


def _complexion(p: Columns, on: Head, parts: geometry.Nose, pixel: Tensor) -> Tensor:
    """The skin's own colour: blood in cheeks, nose and ears, freckles, a beauty spot, a little mottling."""
    skin = linear(p.colour("skin")) * tint(on.x, 1.04, 0.98, 0.92)
    cheeks = bump(on.side - 0.43, 0.21) * bump(on.y - 0.34, 0.17) * (0.05 + 0.11 * p.blush + 0.08 * p.makeup)
    tip = 0.14 * bump(parts.x, 0.10) * bump(on.y - p.nose_length + 0.02, 0.08)
    mottled = 0.025 * (on.x * 9 + 3 * (on.y * 7).sin()).sin() * (on.y * 11 + 2 * (on.x * 8).sin()).sin()
    fine = wave(on.x * 83 + 4 * (on.y * 37).sin(), 90 * pixel) * (on.y * 79 + 4 * (on.x * 41).sin()).sin()
    mottled = mottled + 0.022 * fine
    blood = (cheeks + tip)[:, None] * tint(skin, 0.10, 1.25, 1.05)
    colour = skin * (1 + mottled)[:, None] * (1 - blood)
    spots = geometry.freckles(p, on)
    colour = colour * (1 - 0.72 * spots[:, None] * tint(skin, 0.5, 0.9, 1.0))
    spot = (on.x - p.mole_x).square() + (on.y - p.mole_y).square()
    return colour * (1 - 0.75 * p.mole * bump(spot, 0.0006))[:, None]


def _eyes(p: Columns, size: int, picture: Tensor, light: Light) -> Tensor:
    """Eyes, lashes, lids and brows."""
    turn = p.yaw.sin()
    grid = window(p, size, (0.72 * turn, p.eye_height - 0.10 - 0.55 * p.pitch), (0.62, 0.34))
    on = geometry.head(p, grid)
    eye = geometry.eyes(p, on)
    patch = read(picture, grid)
    skin, pixel = linear(p.colour("skin")) * _exposure(p)[:, None], grid.pixel
    patch = _lids(p, eye, patch, skin, pixel)
    patch = over(patch, _eyeballs(p, on, eye, light, pixel), cover(eye.opening / pixel, 1.25))
    lash = 0.010 + 0.006 * step(-0.8, 0.8, eye.u) + 0.007 * p.makeup
    lashes = cover(((eye.v - eye.upper + 0.004).abs() - lash) / pixel, 1.3) * step(1.10, 0.96, eye.u.abs())
    dark = linear(p.colour("hair")) * 0.10 + 0.004
    patch = over(patch, dark, 0.92 * lashes)
    field, along, across = geometry.brows(p, on)
    hairs = 0.78 + 0.22 * wave(along * 42 + across * 2.4 + p.hair_phase * 9, 230 * pixel)
    brow = linear(p.colour("hair")) * 0.50 + 0.05 * skin
    patch = over(patch, brow, cover(field / pixel, 2.4) * hairs * (1 - 0.25 * step(0.4, 1.1, across.abs())))
    return write(picture, grid, patch)


def _lids(p: Columns, eye: geometry.Eyes, patch: Tensor, skin: Tensor, pixel: Tensor) -> Tensor:
    """The upper lid with its fold and colour, the lower lid's rim, and what age leaves around them."""
    in_reach = step(1.25, 1.0, eye.u.abs())
    fold_y = eye.upper - 0.028 - 0.018 * p.lid_crease
    lid = (
        step(fold_y - 0.02, fold_y + 0.005, eye.v)
        * step(eye.upper + 0.01, eye.upper - 0.004, eye.v)
        * in_reach
    )
    painted = torch.lerp(skin * tint(skin, 0.62, 0.40, 0.46), linear(p.colour("frame")), 0.15)
    patch = over(patch, painted, 0.85 * p.makeup * lid)
    crease = cover(((eye.v - fold_y).abs() - 0.006) / pixel, 2.0) * step(1.1, 0.75, eye.u.abs())
    patch = patch * (1 - (0.45 * p.lid_crease * crease)[:, None] * tint(skin, 0.8, 0.95, 1.0))
    bag = bump(eye.v - p.eye_open * 0.62 - 0.055, 0.016) * step(0.95, 0.3, eye.u.abs())
    patch = patch * (1 - (0.20 * (0.15 + p.age_lines) * bag)[:, None] * tint(skin, 0.8, 1.0, 1.0))
    feet = (
        step(1.02, 1.2, eye.u)
        * step(1.75, 1.4, eye.u)
        * wave((eye.v + 0.01) / eye.u.clamp(min=0.5) * 95, 70 * pixel).clamp(min=0)
    )
    patch = patch * (1 - 0.30 * p.age_lines * feet * bump(eye.v, 0.07))[:, None]
    rim = cover(((eye.v - eye.lower).abs() - 0.008) / pixel, 1.6) * step(1.05, 0.85, eye.u.abs())
    return over(patch, skin * tint(skin, 0.72, 0.46, 0.42), 0.5 * rim)


def _eyeballs(p: Columns, on: Head, eye: geometry.Eyes, light: Light, pixel: Tensor) -> Tensor:
    """White, iris, pupil and catch-lights, `(B, 3, h, w)`; the upper lid casts a shadow on them."""
    shade = 0.52 + 0.48 * step(-0.01, p.eye_open * 1.0, eye.v - eye.upper)
    white = (
        tint(shade, 0.92, 0.89, 0.87)
        * (shade * (1 - 0.28 * eye.u.square()) * (0.66 + 0.32 * light.fill / 0.4))[:, None]
    )
    ball = white.clamp(max=1)
    ring = eye.iris / p.iris_size
    glow = 0.75 + 1.1 * step(-0.02, 0.07, eye.iris_y) * step(0.2, 0.9, ring)
    iris = (
        linear(p.colour("iris"))
        * (glow * (1 - 0.70 * step(0.76, 1.02, ring)) * (0.6 + 0.4 * shade))[:, None]
        * 1.35
    )
    ball = over(ball, iris, cover((eye.iris - p.iris_size) / pixel, 1.4))
    ball = over(ball, torch.full_like(iris, 0.003), cover((eye.iris - 0.46 * p.iris_size) / pixel, 1.3))
    spark_x = eye.iris_x * on.sign - 0.027 * light.side
    spark = (spark_x.square() + (eye.iris_y + 0.028).square()).sqrt() - 0.020
    ball = over(ball, torch.ones_like(iris), cover(spark / pixel) * 0.95)
    second = (spark_x + 0.055 * light.side).square() + (eye.iris_y - 0.033).square()
    return ball + (0.18 * bump(second, 0.0004))[:, None]


def _mouth(p: Columns, size: int, picture: Tensor, light: Light) -> Tensor:
    """Nostrils, lips, teeth."""
    turn = p.yaw.sin()
    centre_y = 0.5 * (p.nose_length + geometry.mouth_y(p)) + 0.05 - 0.55 * p.pitch
    grid = window(p, size, (0.74 * turn, centre_y), (0.46, 0.34))
    on = geometry.head(p, grid)
    lips, parts = geometry.mouth(p, on), geometry.nose(p, on)
    patch, pixel = read(picture, grid), grid.pixel
    skin = linear(p.colour("skin"))
    # nose: dark nostrils, a soft line round wings and ball
    around = bump(parts.wing - 1.25, 0.40) * step(0.55 * p.nose_width, 0.95 * p.nose_width, parts.side)
    patch = patch * (1 - 0.26 * around[:, None] * tint(skin, 0.75, 1.0, 1.0))
    under = bump(parts.tip - 1.1, 0.35) * step(p.nose_length + 0.0, p.nose_length + 0.06, on.y)
    patch = patch * (1 - 0.30 * under[:, None] * tint(skin, 0.75, 1.0, 1.0))
    patch = over(patch, skin * tint(skin, 0.16, 0.08, 0.07), 0.85 * step(1.5, 0.5, parts.nostril))
    # lips: the upper in shade, the lower in light with a soft gleam
    first, second = lips.parting
    red = tint(skin, 0.50, 0.06, 0.09) * (0.55 + 0.6 * p.colour("skin").mean(1, keepdim=True))
    colour = torch.lerp(linear(p.colour("lips")), red, 0.9 * p.makeup[:, None]) * _exposure(p)[:, None]
    sidelight = 0.62 + 0.5 * light.fill + 0.35 * light.x * on.x
    middle = 0.5 * (second + lips.bottom)
    round_ = 0.80 + 0.30 * bump(on.y - middle + 0.012, 0.6 * p.lower_lip + 0.01)
    tone = torch.where(on.y < 0.5 * (first + second), 0.72, round_) * sidelight
    gleam = 0.07 * (0.5 + p.makeup) * bump(lips.along, 0.42) * bump(on.y - middle + 0.014, 0.016)
    alpha = (0.85 * cover(lips.upper / pixel, 2.2) + 0.85 * cover(lips.lower / pixel, 2.4)).clamp(max=0.9)
    patch = over(patch, colour * tone[:, None] + gleam[:, None], alpha)
    # the mouth's inside: teeth under the upper lip, the tongue below
    gap = cover(lips.gap / pixel, 1.3) * step(0.02, 0.10, p.mouth_open)
    height = second - first
    tooth = step(0.0, 0.012, first + 0.55 * height + 0.02 - on.y) * step(1.0, 0.7, lips.along.abs())
    teeth = (
        tint(skin, 0.84, 0.80, 0.74)
        * ((1 - 0.5 * lips.along.square()) * step(-0.03, 0.03, on.y - first))[:, None]
    )
    inside = (
        tint(skin, 0.10, 0.018, 0.02)
        + tint(skin, 0.26, 0.05, 0.05) * bump(on.y - second + 0.005, 0.035)[:, None]
    )
    patch = over(patch, torch.lerp(inside.expand_as(patch), teeth.expand_as(patch), tooth[:, None]), gap)
    line = cover(((on.y - 0.5 * (first + second)).abs() - 0.007) / pixel, 1.7) * step(
        1.10, 0.92, lips.along.abs()
    )
    patch = over(patch, colour * 0.16, 0.8 * line * (1 - step(0.02, 0.10, p.mouth_open)))
    corner = bump(lips.along.abs() - 1.06, 0.09) * bump(on.y - geometry.mouth_y(p) + 0.04 * p.smile, 0.03)
    return write(picture, grid, patch * (1 - 0.30 * corner[:, None] * tint(skin, 0.7, 1.0, 1.0)))


def _spectacles(p: Columns, size: int, picture: Tensor) -> Tensor:
    """Spectacles, on the faces that wear them."""
    if (worn := geometry.spectacles(p, size)) is None:
        return picture
    q, grid, on, lens, wires = worn.wearers, worn.grid, worn.on, worn.lens, worn.wires
    pixel, chosen = grid.pixel, picture[worn.worn]
    patch = read(chosen, grid)
    frame = linear(q.colour("frame")) * 0.8 + 0.004
    glass = cover(lens / pixel) * q.glasses
    patch = over(patch, frame * 0.25, glass * (0.03 + 0.87 * q.sunglasses))
    glint = bump(on.x * 0.8 + on.y + 0.22 * on.sign, 0.035) + 0.6 * bump(
        on.x * 0.8 + on.y + 0.22 * on.sign - 0.09, 0.015
    )
    patch = patch + (0.10 * glint * glass)[:, None]
    width = 0.011 + 0.012 * q.glasses_square
    shadow = cover((lens.abs() - width) / pixel - 0.02 / pixel, 4.0)
    patch = patch * (1 - 0.12 * (shadow * q.glasses)[:, None])
    rims = torch.maximum(cover((lens.abs() - width) / pixel), cover(wires / pixel)) * q.glasses
    shiny = frame * (0.8 + 0.5 * step(0.0, 0.03, -lens))[:, None] + 0.01
    patch = over(patch, shiny, rims)
    return picture.index_copy(0, worn.worn, write(chosen, grid, patch))


def _headwear(p: Columns, size: int, picture: Tensor, clear: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    """Beanie, sun hat, headscarf or turban, on the heads that wear one."""
    any_ = torch.maximum(torch.maximum(p.beanie, p.sun_hat), torch.maximum(p.headscarf, p.turban))[:, 0, 0]
    worn = (any_ > 0.01).nonzero()[:, 0]
    if not len(worn):
        return picture, clear
    q = p.rows(worn)
    lamp = light.rows(worn)
    grid = whole(q, size)
    on = geometry.head(q, grid)
    wear = headwear(q, grid, on)
    patch, hidden = picture[worn], clear[worn]
    cloth = linear(q.colour("headwear")) * 0.92 + 0.02
    x, y = grid.x / (q.head_width + 0.15), (grid.y + 0.2) / 1.1
    z = (1 - x.square() - y.clamp(max=0).square()).clamp(min=0.03).sqrt()
    form = 0.22 + 0.8 * lamp.fill + 0.55 * (lamp.x * x + lamp.y * y.clamp(-1, 0.4) * 0.8 + lamp.z * z)
    rib = wave(grid.x * 46, 46 * grid.pixel)
    knit = form * (1 + 0.10 * rib)
    straw = form * (1 + 0.05 * wave(grid.y * 60 + 9 * grid.x * grid.x, 60 * grid.pixel))
    wrapped = form * (1 + 0.17 * wear.folds)
    layers = (
        (wear.scarf, wrapped, q.headscarf),
        (wear.turban, wrapped, q.turban),
        (wear.beanie, knit, q.beanie),
        (wear.beanie_band, knit * 0.82, q.beanie),
        (wear.crown, straw, q.sun_hat),
        (wear.brim, straw * 0.92, q.sun_hat),
    )
    for field, shade, presence in layers:
        pixels = distance(field)
        alpha = cover(pixels) * presence
        patch = (
            patch
            * (
                1
                - 0.30
                * cover(pixels - 0.05 / grid.pixel, 6.0)
                * (1 - alpha)
                * presence
                * step(1.05, 0.95, on.inside)
            )[:, None]
        )
        inner = 0.78 + 0.22 * step(0.0, 0.07, -pixels * grid.pixel)  # cloth turns away at its edge
        patch = over(patch, cloth * (shade * inner).clamp(0.06, 1.4)[:, None] * lamp.colour, alpha)
        hidden = hidden * (1 - alpha)
    ribbon = (
        cover(((grid.y + 0.60 - 0.08 * x * x).abs() - 0.055) / grid.pixel)
        * cover(distance(wear.crown))
        * q.sun_hat
    )
    patch = over(patch, linear(q.colour("trim")) * form[:, None], ribbon * (1 - cover(distance(wear.brim))))
    return picture.index_copy(0, worn, patch), clear.index_copy(0, worn, hidden)
