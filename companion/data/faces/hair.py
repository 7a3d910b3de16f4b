"""Hair, beards and what is worn on the head, as fields of one continuous space: any two styles blend smoothly."""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.faces.geometry import Head, chin_y, mouth_lines, mouth_width, mouth_y
from companion.data.faces.grid import Columns, Grid, bump, step, wave


@dataclass(frozen=True)
class Hair:
    """Fields in head units (negative inside), and how the strands run."""

    back: Tensor  # behind head and neck
    front: Tensor  # over the forehead and beside the face
    knot: Tensor  # a bun
    strand: Tensor  # −1 in the furrows, 1 on the ridges
    flow: Tensor  # constant along a strand
    edge: Tensor  # 0 at the hairline, growing into the hair
    density: Tensor  # 1, or less where the sides are cut close


def strands(p: Columns, grid: Grid) -> tuple[Tensor, Tensor]:
    """The strands' light and dark in [−1, 1], and the coordinate across them: combed, curled or gathered."""
    phase = p.hair_phase * 9
    x, y, pixel = grid.x, grid.y, grid.pixel
    fan = 0.55 + 0.55 * (y + 1.15).clamp(0, 1.2)
    waving = (0.015 + 0.07 * p.hair_wave) * wave(y * 7.5 + phase + x * 1.5, 7.5 * pixel)
    flow = (x - 0.6 * p.hair_part) / fan + waving + 0.10 * p.hair_part * y
    combed = 0.55 * wave(flow * 27 + phase + 1.3 * (flow * 11).sin(), 34 * pixel)
    combed = combed + 0.33 * wave(flow * 71 + 2 * phase + 2 * y, 76 * pixel)
    combed = combed + 0.24 * wave(flow * 139 - phase - 3 * y, 140 * pixel)
    # coils: two warped waves crossing
    wx = x + 0.06 * (y * 8 + phase).sin() + 0.03 * (y * 17 + x * 5).sin()
    wy = y + 0.06 * (x * 9 - phase).sin() + 0.03 * (x * 16 - y * 6).sin()
    coiled = (
        0.85 * wave(wx * 25 + 2.2 * (wy * 11).sin(), 36 * pixel) * (wy * 23 + 2.2 * (wx * 12).sin()).sin()
    )
    coiled = coiled + 0.55 * wave(wx * 53 + 2 * (wy * 29).sin(), 66 * pixel) * (wy * 49).sin()
    curl = p.hair_curl * (1 - p.hair_rope)
    strand = torch.lerp(combed, coiled, curl.expand_as(combed))
    # ropes: rounded across; braids have a stitch along them
    rope = flow * 8.5 + 0.3 * phase
    round_ = 1 - 2.0 * ((rope - rope.round()).abs() * 2) ** 2.2
    stitch = wave(y * 62 + (rope - rope.round()).abs() * 7, 62 * pixel) * p.hair_plait
    stitch = stitch + wave(y * 33 + rope.round() * 5 + wx * 9, 33 * pixel) * 0.5 * (1 - p.hair_plait)
    roped = 0.75 * round_ + 0.35 * stitch
    return torch.lerp(strand, roped, p.hair_rope.expand_as(strand)), flow


def hair(p: Columns, grid: Grid, on: Head) -> Hair:
    """The silhouette is the skull enlarged; the front is that silhouette less an opening for the face."""
    strand, flow = strands(p, grid)
    phase = p.hair_phase * 9
    turn = p.yaw.sin()
    x, y = grid.x + 0.08 * turn, grid.y
    covered = torch.maximum(torch.maximum(p.beanie, p.sun_hat), torch.maximum(p.turban, p.headscarf))
    top = p.hair_top * (1 - 0.75 * covered)
    short = step(0.15, -0.1, p.hair_length)  # short sides lie close and end at the ears
    side = p.hair_side * (1 - 0.6 * covered) * (1 - short * step(-0.55, -0.02, y))
    curl = p.hair_curl * (1 - p.hair_rope)
    ragged = 0.018 * curl * ((grid.x * 21 + phase).sin() + (grid.y * 23 - phase).sin() + 0.4 * strand)
    ragged = ragged + 0.022 * p.hair_wave * (y * 8 + phase + 2 * torch.tanh(x * 9)).sin() + 0.012 * strand

    # behind the head: an egg above, falling below the ears
    egg_x, egg_y = x / (p.head_width + side + 0.015), y.clamp(max=0) / (1.0 + top)
    above = (egg_x * egg_x + (egg_y * egg_y + 1e-7) ** 1.2) ** 0.5
    fall = (
        p.head_width
        + side
        + 0.015
        + p.hair_flare * step(0.0, 1.5, y)
        - (0.10 - p.hair_flare * 0.4) * step(0.15, 0.9, y) * (1 - curl)
    )
    outside = torch.where(y < 0, (above - 1) * 0.85, x.abs() - fall) - ragged
    far = (x / fall).square()
    ends = p.hair_length - far * torch.lerp(
        0.22 * far * (1 - 0.6 * p.hair_front), 0.15 + 0.55 * far, curl
    ) * (1 - short)
    ends = ends + 0.035 * strand * (0.3 + p.hair_rope)
    bald = step(0.55, 1.0, p.hair_thin)
    gone = 3 * torch.maximum(bald, p.headscarf)
    back = torch.maximum(outside, (y - ends) * 0.8) + gone

    edge = _hairline(p, grid, on, strand)
    whisker = -0.02 + 0.95 * p.hair_cover - 0.30 * p.hair_fade * (1 - p.hair_cover)
    low = torch.where(
        p.hair_cover > 0.45,
        ends,
        torch.lerp(whisker, p.hair_length.clamp(min=0), (p.hair_cover / 0.45).clamp(0, 1)),
    )
    low = low - far * (0.15 + 0.55 * far) * curl * (1 - short)
    front = torch.maximum(torch.maximum(outside, -edge), (y - low) * 0.8) + gone
    knot_x, knot_y = (x - 0.10 * turn) / (0.30 + 0.10 * curl), (y + 1.07 + 0.06 * curl) / (0.27 + 0.05 * curl)
    knot = ((knot_x * knot_x + knot_y * knot_y + 1e-6).sqrt() - 1) * 0.28 - 0.6 * ragged
    knot = knot + 2 * (1 - p.hair_bun) + 2 * covered + gone
    close = p.hair_fade * step(-0.75, -0.2, y)
    shaven = 1 - step(0.0, 0.3, p.beard)
    whiskers = short * shaven * (1 - p.hair_cover) * step(-0.34, -0.04, y)  # sideburns thin out
    density = (1 - 0.75 * close) * (1 - 0.85 * whiskers)
    return Hair(back, front, knot, strand, flow, edge, density)


def _hairline(p: Columns, grid: Grid, on: Head, strand: Tensor) -> Tensor:
    """Field that is zero on the edge of the opening for the face, and grows into the hair."""
    curl = p.hair_curl * (1 - p.hair_rope)
    half_x = 0.5 * on.x + 0.5 * (grid.x - 0.25 * p.yaw.sin())  # it follows half the turn
    receding = step(0.0, 0.5, p.hair_thin) * (1 - step(0.55, 1.0, p.hair_thin))
    corner = bump(half_x.abs() - 0.42, 0.20)
    line = (
        p.hairline
        + p.hair_sweep * (on.x - p.hair_part)
        + p.hair_fringe * (0.22 + 0.03 * strand)
        - receding * (0.17 * corner + 0.06)
        - 0.05 * corner * (1 - p.hair_fringe) * p.age
        + 0.010 * (on.x * 31 + p.hair_phase * 9).sin()
    )
    # the parting: hair rises from it on both sides
    line = line - 0.05 * (1 - p.hair_fringe) * (1 - curl) * bump(on.x - p.hair_part, 0.07)
    height = (0.22 - line).clamp(min=0.25)
    narrow = p.head_width * (0.925 - 0.13 * p.hair_cover)
    up = (0.22 - on.y).clamp(min=0) / height
    wide = half_x.abs() / narrow
    opening = ((wide + 1e-4) ** 3.0 + (up + 1e-4) ** 2.8) ** (1 / 3.0)
    return (opening - 1) * 0.55


def beard(p: Columns, on: Head) -> tuple[Tensor, Tensor]:
    """Coverage in [0, 1] of the beard's region on the face, without and with a moustache's: jaw, and upper lip."""
    half = mouth_width(p)
    along = on.x / half
    top, _, _, bottom = mouth_lines(p, along)
    ragged = 0.014 * (on.x * 37 + p.hair_phase * 9).sin() + 0.010 * (on.x * 71 + on.y * 19).sin()
    line = 0.33 - 0.62 * step(0.36, 0.74, on.side) + 0.08 * bump(on.x, 0.2)
    ring_x, ring_y = on.x / (half * 1.12), (on.y - 0.5 * (mouth_y(p) + bottom)) / 0.12
    jaw = step(line + 0.17, line + 0.30, on.y + ragged) * step(0.75, 1.15, ring_x * ring_x + ring_y * ring_y)
    middle = top - 0.045 + 0.03 * along * along
    lip = bump((on.y - middle + 0.5 * ragged) / 0.046, 1.0) * step(1.30, 0.85, along.abs())
    return jaw, (1.35 * lip).clamp(max=1)


def beard_outline(p: Columns, grid: Grid) -> Tensor:
    """Field in head units of a long beard, which reaches beyond the chin."""
    length = (p.beard - 0.45).clamp(min=0)
    narrow = 0.73 + 0.27 * step(0.50, 0.98, grid.y)  # its upper end lies behind the cheeks
    across = (grid.x - 0.17 * p.yaw.sin()) / (p.head_width * p.jaw_width * (0.92 + 0.22 * length) * narrow)
    down = (grid.y - 0.35) / (chin_y(p) - 0.35 + 0.05 + 0.42 * length)
    ragged = 0.02 * (grid.x * 27 + p.hair_phase * 9).sin() + 0.014 * (grid.x * 58).sin()
    egg = (across * across + (down * down + 1e-6) ** 1.1 + 1e-6).sqrt() - 1
    return torch.maximum(egg * 0.6 + ragged, 0.42 - grid.y) + 2 * (1 - step(0.45, 0.55, p.beard))


@dataclass(frozen=True)
class Headwear:
    """Fields in head units of each kind of headwear, with its folds in [−1, 1]."""

    beanie: Tensor
    beanie_band: Tensor
    crown: Tensor  # of the sun hat
    brim: Tensor
    scarf: Tensor
    turban: Tensor
    folds: Tensor


def headwear(p: Columns, grid: Grid, on: Head) -> Headwear:
    """Beanie, sun hat, headscarf and turban."""
    turn = p.yaw.sin()
    x, y = grid.x + 0.08 * turn, grid.y
    curve = 0.11 * (x / 0.8) ** 2
    tall = y.clamp(max=0) / 1.17
    wide = x / (p.head_width + 0.085)
    cap = ((wide * wide + tall * tall + 1e-6).sqrt() - 1) * 0.9
    beanie = torch.maximum(cap, y + 0.42 - curve)
    band_edge = (x.abs() - p.head_width - 0.115) * 1.0
    beanie_band = torch.maximum(band_edge, (y + 0.47 - curve).abs() - 0.115)
    crown_x = x / (p.head_width + 0.03 - 0.10 * step(-0.5, -1.2, y))
    crown = torch.maximum(
        ((crown_x * crown_x + (y.clamp(max=0) / 1.22) ** 4 + 1e-6).sqrt() - 1) * 0.8, y + 0.46 - curve
    )
    rim_x, rim_y = x / (p.head_width + 0.46), (y + 0.47 - 0.8 * curve) / 0.135
    brim = ((rim_x * rim_x + rim_y * rim_y + 1e-6).sqrt() - 1) * 0.2
    # a scarf: an oval opening around the face, a smooth outline that falls onto the shoulders
    half_x = 0.7 * on.x + 0.3 * (grid.x - 0.2 * turn)
    window_x, window_y = (
        half_x / (p.head_width * 0.865),
        (on.y - 0.17) / torch.where(on.y < 0.17, 0.76, 0.80 * chin_y(p)),
    )
    opening = ((window_x.abs() + 1e-4) ** 2.4 + (window_y.abs() + 1e-4) ** 2.4) ** (1 / 2.4) - 1
    opening = torch.maximum(opening, (on.inside + 1e-4).sqrt() - 0.965)  # it hugs cheeks and chin
    hood_x, hood_y = x / (p.head_width + 0.155 + 0.25 * step(0.75, 1.5, y)), y.clamp(max=0) / 1.16
    hood = torch.where(y < 0, (hood_x * hood_x + hood_y * hood_y + 1e-6).sqrt() - 1, hood_x.abs() - 1) * 0.9
    scarf = torch.maximum(torch.maximum(hood, -opening * 0.7), y - 1.36 + 0.35 * x * x)
    # a turban: broad at the temples, wound in bands that cross above the brow
    dome_x, dome_y = x / (p.head_width + 0.20 - 0.06 * step(-0.7, -0.2, y)), (y + 0.25).clamp(max=0) / 1.06
    wound = (((dome_x.abs() + 1e-4) ** 2.6 + (dome_y.abs() + 1e-4) ** 2.2) ** 0.42 - 1) * 0.9
    turban = torch.maximum(wound, y + 0.40 - 0.30 * on.side.clamp(max=0.9) - 0.08)
    slanted = (y + 0.45 + 0.75 * on.side) * 15
    around = opening * 21 + 3.0 * x + 2 * y
    folds = wave(torch.lerp(around, slanted, p.turban.expand_as(around)), 18 * grid.pixel)
    return Headwear(
        beanie + 2 * (p.beanie < 0.02),
        beanie_band + 2 * (p.beanie < 0.02),
        crown + 2 * (p.sun_hat < 0.02),
        brim + 2 * (p.sun_hat < 0.02),
        scarf + 2 * (p.headscarf < 0.02),
        turban + 2 * (p.turban < 0.02),
        folds,
    )
