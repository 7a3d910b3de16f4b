"""The shapes of a face, shared by both renderers and by the landmarks.

Each function takes the parameters and a grid of points and returns fields: numbers that are negative inside a shape
and grow about evenly across its edge. `grid.distance` turns any such field into pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.faces.grid import Columns, Grid, bump, convex, step, window

DEPTH = 0.78  # how far the head's dome reaches towards the viewer


@dataclass(frozen=True)
class Head:
    """The dome of the head and the coordinates painted on it, all `(B, h, w)`."""

    inside: Tensor  # below 1 on the head, 1 on its outline
    depth: Tensor  # z of the dome
    x: Tensor  # on the face: 0 on its midline, turning with the head
    y: Tensor
    side: Tensor  # |x|: features are drawn once, for both halves
    sign: Tensor  # −1 on the left half of the picture, 1 on the right


def chin_y(p: Columns) -> Tensor:
    """The chin's y: an open mouth lowers the jaw."""
    return p.chin_length * (1 + 0.05 * p.mouth_open)


def mouth_y(p: Columns) -> Tensor:
    """The y of the mouth's middle, which keeps its place between nose and chin however long the chin."""
    return p.mouth_height * p.chin_length


def head(p: Columns, grid: Grid) -> Head:
    """The head as a dome `z = depth·√(1 − t)`, and face coordinates from undoing its turn."""
    lower, upper = grid.y.clamp(min=0) / chin_y(p), grid.y.clamp(max=0)
    width = p.head_width * (
        1 + (p.jaw_width - 1) * step(0.0, 0.78, grid.y) + 0.045 * p.cheek * bump(grid.y - 0.27, 0.24)
    )
    turn = p.yaw.sin()
    shifted = grid.x - 0.17 * turn * step(0.0, 1.0, grid.y)  # the chin leads the turn
    across = shifted / width
    inside = across * across + (lower + 1e-6) ** p.jaw_square + (upper * upper + 1e-8) ** 1.2
    depth = DEPTH * ((1 - inside).clamp(min=0) + 0.004).sqrt()
    x = (shifted - depth * turn) / p.yaw.cos()
    y = grid.y + 0.8 * p.pitch.sin() * depth
    sign = torch.tanh(x * 60)
    y = y - 0.5 * p.asymmetry * sign
    return Head(inside, depth, x, y, x.abs(), sign)


def place_on_head(p: Columns, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Where points of the face `(B, 1, n)` lie in head units: the inverse of `head`'s face coordinates."""
    turn, cos = p.yaw.sin(), p.yaw.cos()
    y = y + 0.5 * p.asymmetry * torch.tanh(x * 60)
    to_x, to_y = x * cos + 0.6 * turn, y - 0.5 * p.pitch.sin()
    still = torch.zeros_like(to_x)
    for _ in range(12):  # a contraction: the dome is flat where the features are
        depth = head(p, Grid(still, still, to_x, to_y, p.scale)).depth
        to_x = 0.5 * to_x + 0.5 * (x * cos + depth * turn + 0.17 * turn * step(0.0, 1.0, to_y))
        to_y = 0.5 * to_y + 0.5 * (y - 0.8 * p.pitch.sin() * depth)
    return to_x, to_y


@dataclass(frozen=True)
class Eyes:
    """Both eyes at once."""

    u: Tensor  # along the eye, −1 at the inner and 1 at the outer corner
    v: Tensor  # across it, in head units
    upper: Tensor  # v of the upper lid
    lower: Tensor  # v of the lower lid
    opening: Tensor  # negative between the lids
    iris: Tensor  # distance from the iris's centre
    iris_x: Tensor
    iris_y: Tensor


def lids(p: Columns, u: Tensor, widen: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
    """V of the upper and lower lid at `u`; outside the corners both go on outwards so that the eye stays closed."""
    open_ = p.eye_open * widen * (1 - p.lids)
    room = 1 - u * u
    arch, bowl = room.clamp(min=1e-4) ** 0.62, room.clamp(min=1e-4) ** 0.85
    smiling = 0.30 * p.smile.clamp(0, 1.3)  # a smile lifts the lower lid
    upper = torch.where(room > 0, arch * (1 - 0.12 * u), 0.6 * room) * -open_
    lower = torch.where(room > 0, bowl * (1 + 0.15 * u), 0.6 * room) * (p.eye_open * 0.66 * (1 - smiling))
    return upper, lower


def eyes(p: Columns, on: Head, widen: float | Tensor = 1.0) -> Eyes:
    """The eyes' opening and the irises; `widen` enlarges the opening, as a drawing does."""
    across, down = on.side - p.eye_spacing, on.y - p.eye_height
    cos, sin = p.eye_tilt.cos(), p.eye_tilt.sin()
    u, v = (cos * across - sin * down) / p.eye_width, sin * across + cos * down
    upper, lower = lids(p, u, widen)
    iris_x, iris_y = across - 0.055 * p.gaze_x * on.sign + 0.004, down - 0.04 * p.gaze_y + 0.010
    iris = (iris_x * iris_x + iris_y * iris_y + 1e-8).sqrt()
    return Eyes(u, v, upper, lower, torch.maximum(upper - v, v - lower), iris, iris_x, iris_y)


def brow_line(p: Columns, along: Tensor) -> tuple[Tensor, Tensor]:
    """Y of a brow's middle at `along` (−1 inner end to 1 outer end), and half its thickness there."""
    inner = along - 0.25
    arch = p.brow_arch * (
        1 - inner * inner * torch.where(inner < 0, 0.5, 1.25)
    )  # flat inside, falling outside
    y = p.eye_height - p.brow_gap - 0.055 * p.brow_raise - arch - (p.brow_tilt + 0.028) * along * 0.8
    thick = p.brow_thickness * (1 - 0.62 * step(-0.1, 1.0, along)) * (0.72 + 0.28 * step(-1.0, -0.5, along))
    return y, thick


def brows(p: Columns, on: Head) -> tuple[Tensor, Tensor, Tensor]:
    """Field of both brows in head units, and the coordinates along (−1…1) and across (−1…1) them."""
    along = (on.side - p.eye_spacing + 0.005) / p.brow_length
    y, thick = brow_line(p, along)
    lifted = on.y - y - 0.012 * p.brow_raise * on.sign  # one a little higher than the other
    return torch.maximum(lifted.abs() - thick, (along.abs() - 1) * p.brow_length), along, lifted / thick


@dataclass(frozen=True)
class Nose:
    """The nose's own coordinates and height."""

    x: Tensor  # across, the tip displaced by the turn
    side: Tensor
    relief: Tensor  # height above the dome
    nostril: Tensor  # below 1 in a nostril
    wing: Tensor  # below 1 on a wing
    tip: Tensor  # below 1 on the ball


def nose(p: Columns, on: Head) -> Nose:
    """A ridge that widens into a ball between two wings."""
    length, width = p.nose_length, p.nose_width
    forward = (
        0.17
        * p.nose_size
        * step(p.eye_height - 0.05, length, on.y)
        * step(length + 0.16, length + 0.03, on.y)
    )
    x = on.x - forward * p.yaw.tan()
    side = x.abs()
    down = on.y - length
    ridge_width = 0.055 + (0.42 * width - 0.03) * step(0.1, length, on.y)
    under = step(0.065, 0.0, down - 0.35 * x * x / width)
    ridge = 0.115 * p.nose_size * bump(x, ridge_width) * step(-0.2, length - 0.04, on.y) * under
    ball = bump(x, width * (0.42 + 0.22 * p.nose_tip)) * bump(down + 0.028, 0.060 + 0.020 * p.nose_tip)
    wings = bump(side - 0.72 * width, 0.34 * width) * bump(down + 0.004, 0.048)
    relief = ridge + 0.092 * p.nose_size * ball + 0.060 * wings
    hole_x, hole_y = (
        (side - 0.42 * width) / (0.25 * width),
        (down - 0.042 + 0.22 * (side - 0.42 * width)) / 0.022,
    )
    wing_x, wing_y = (side - 0.70 * width) / (0.36 * width), (down + 0.004) / 0.062
    tip_x, tip_y = x / (0.62 * width), (down + 0.018) / (0.075 + 0.012 * p.nose_tip)
    nostril, wing, tip = (a * a + b * b for a, b in ((hole_x, hole_y), (wing_x, wing_y), (tip_x, tip_y)))
    return Nose(x, side, relief, nostril, wing, tip)


@dataclass(frozen=True)
class Mouth:
    """Lines across the mouth as y at each x, and the fields between them."""

    along: Tensor  # −1 to 1 between the corners
    top: Tensor  # y of the upper lip's upper edge
    parting: tuple[Tensor, Tensor]  # y of the upper lip's lower edge and the lower lip's upper edge
    bottom: Tensor  # y of the lower lip's lower edge
    upper: Tensor  # fields in head units
    lower: Tensor
    gap: Tensor


def mouth_lines(p: Columns, along: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Y of the four lines across the mouth at `along`: upper lip's edges, then the lower lip's."""
    squared = along * along
    room = (1 - squared).clamp(min=0)
    middle = mouth_y(p) + 0.115 * (p.smile + 0.05) * (0.34 - squared)
    bow = 1 - 0.32 * bump(along, 0.17) + 0.10 * bump(along.abs() - 0.28, 0.2)  # cupid's bow
    gape = p.mouth_open * (0.125 + 0.03 * p.smile.clamp(min=0))
    top = (
        middle
        - p.upper_lip * (room + 1e-5) ** 0.75 * bow * (1 - 0.18 * p.smile.clamp(0, 1))
        - 0.22 * gape * room
    )
    first = middle - 0.22 * gape * room + 0.004 * bump(along, 0.15)
    second = middle + 0.78 * gape * (room + 1e-5) ** 0.8 + 0.004 * bump(along, 0.15)
    bottom = second + p.lower_lip * (room + 1e-5) ** 0.6 * (1 - 0.12 * p.smile.clamp(0, 1))
    return top, first, second, bottom


def mouth_width(p: Columns) -> Tensor:
    """Half the mouth's width: a smile widens it."""
    return p.mouth_width * (1 + 0.12 * p.smile.clamp(-0.6, 1.2) - 0.06 * p.mouth_open)


def mouth(p: Columns, on: Head) -> Mouth:
    """Two lips and the gap between them."""
    half = mouth_width(p)
    along = on.x / half
    top, first, second, bottom = mouth_lines(p, along)
    edge = (along.abs() - 1) * half
    upper = torch.maximum(torch.maximum(top - on.y, on.y - first), edge)
    lower = torch.maximum(torch.maximum(second - on.y, on.y - bottom), edge)
    gap = torch.maximum(torch.maximum(first - on.y, on.y - second), edge)
    return Mouth(along, top, (first, second), bottom, upper, lower, gap)


def ears(p: Columns, grid: Grid) -> tuple[Tensor, Tensor]:
    """Both ears: below 1 inside; and which of them, −1 or 1."""
    turn = p.yaw.sin()
    which = torch.tanh(grid.x * 30)
    width = 0.105 * (1 - 1.3 * turn * which).clamp(0.3, 1.5)  # the far ear narrows
    x = (grid.x.abs() - p.head_width * 0.965 - p.ear_out) / width
    y = (grid.y - 0.15 - 0.1 * p.pitch) / p.ear_size
    leaning = y + 0.25 * x
    return x * x + leaning * leaning, which


@dataclass(frozen=True)
class Body:
    """Neck and garment; x and y follow the picture, since shoulders do not tilt with the head."""

    x: Tensor
    y: Tensor
    neck: Tensor
    garment: Tensor
    hem: Tensor  # y below the garment's upper edge
    collar: Tensor


def body(p: Columns, grid: Grid) -> Body:
    """Neck and shoulders; the garment's upper edge is the neckline."""
    x, y = (grid.u - p.shift_x) / p.scale - 0.09 * p.yaw, (grid.v - p.shift_y) / p.scale
    side = x.abs()
    width = p.neck_width
    flare = 0.30 * step(0.95, 1.45, y)
    neck = torch.maximum(side - width - flare * flare * 1.6, 0.35 - y)
    beyond = (side - width - 0.03).clamp(min=0)
    slope = 1.17 + 0.44 * beyond**1.25
    depth = 0.055 * (1 - p.neckline) * (1 - p.collar) + p.neckline * 0.42 + 0.30 * p.collar
    inner = (1 - side / (width + 0.03)).clamp(0, 1)
    dip = depth * torch.where(p.neckline + p.collar > 0.5, inner, 1 - (1 - inner) ** 2)
    raise_ = 0.24 * p.roll_neck * step(width + 0.10, width + 0.02, side)
    hem = y - (slope + dip - raise_)
    collar = convex(
        side,
        y,
        [(0.035, 1.44), (width + 0.01, 1.02), (width + 0.17, 1.22), (0.30, 1.60)],
    )
    return Body(x, y, neck, -hem, hem, collar)


def lenses(p: Columns, on: Head) -> tuple[Tensor, Tensor]:
    """Fields in head units of the spectacles' lenses, and of bridge and temples."""
    power = 2.1 + 2.6 * p.glasses_square
    across, down = (
        (on.side - p.eye_spacing - 0.005) / 0.215,
        (on.y - p.eye_height - 0.025) / (0.165 - 0.03 * p.glasses_square),
    )
    lens = ((across.abs() + 1e-4) ** power + (down.abs() + 1e-4) ** power) ** (1 / power) - 1
    bridge_y = on.y - p.eye_height + 0.02 + 0.4 * on.side * on.side
    bridge = torch.maximum(bridge_y.abs() - 0.012, on.side - p.eye_spacing + 0.205)
    temple = torch.maximum((on.y - p.eye_height + 0.03).abs() - 0.013, p.eye_spacing + 0.21 - on.side)
    return lens * 0.17, torch.minimum(bridge, temple)


def freckles(p: Columns, on: Head) -> Tensor:
    """Round spots on nose and cheeks, one in each cell of a jittered lattice, some left out; 1 inside."""
    across, down = on.x * 10.5, on.y * 10.5
    column, row = across.round(), down.round()
    jitter = (column * 12.9 + row * 78.2 + 9 * p.hair_phase).sin()
    x, y = across - column - 0.28 * jitter, down - row - 0.28 * (column * 39.3 + row * 11.1).sin()
    spots = step(0.34, 0.20, (x * x + y * y).sqrt() + 0.08 * jitter) * step(-0.75, -0.55, jitter)
    return spots * p.freckles * bump(on.y - 0.27, 0.16) * step(0.72, 0.4, on.side)


@dataclass(frozen=True)
class Spectacles:
    """Spectacles of the faces that wear them."""

    worn: Tensor  # which faces, row numbers
    wearers: Columns
    grid: Grid
    on: Head
    lens: Tensor  # fields in head units
    wires: Tensor  # bridge and temples, hidden behind the head


def spectacles(p: Columns, size: int) -> Spectacles | None:
    """Spectacles in a window of their own; nothing if nobody wears any."""
    worn = (p.glasses[:, 0, 0] > 0.01).nonzero()[:, 0]
    if not len(worn):
        return None
    q = p.rows(worn)
    grid = window(q, size, (0.62 * q.yaw.sin(), q.eye_height + 0.02 - 0.5 * q.pitch), (0.96, 0.26))
    on = head(q, grid)
    lens, wires = lenses(q, on)
    return Spectacles(worn, q, grid, on, lens, torch.maximum(wires, (on.inside - 1.03) * 0.4))
