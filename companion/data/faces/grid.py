"""Pixel grids in head units, windows into them, and the few functions that smooth shapes are built from."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.data.faces.parameters import COLOURS, COLUMN, Faces

WIDEST_SCALE = 0.69  # of the prior: windows are cut for the largest head
WIDEST_ROLL = 0.18


class Columns:
    """The parameters of B faces as `(B, 1, 1)` tensors, ready to meet `(B, h, w)` grids: `p.smile`."""

    def __init__(self, faces: Faces) -> None:
        self.values = faces.values

    def __getattr__(self, name: str) -> Tensor:
        if name not in COLUMN:
            raise AttributeError(name)
        return self.values[:, COLUMN[name], None, None]

    def colour(self, name: str) -> Tensor:
        """A colour as `(B, 3, 1, 1)`, sRGB in [0, 1]."""
        assert name in COLOURS, name
        first = COLUMN[f"{name}_r"]
        return self.values[:, first : first + 3, None, None]

    def rows(self, index: Tensor) -> "Columns":
        """The parameters of some of the faces."""
        return Columns(Faces(self.values[index]))


@dataclass(frozen=True)
class Grid:
    """Points of each of B pictures: where they lie in the picture and on the unturned head."""

    u: Tensor  # (B, h, w), x in the picture, from −1 to 1
    v: Tensor  # (B, h, w), y in the picture
    x: Tensor  # (B, h, w), x in head units, the head's tilt undone
    y: Tensor  # (B, h, w)
    pixel: Tensor  # (B, 1, 1), a pixel's side in head units
    flat: Tensor | None = None  # (B, h·w), places in the flattened picture, of a window

    def below(self, line: int) -> "Grid":
        """The picture from one of its lines downwards."""
        return Grid(self.u[:, line:], self.v[:, line:], self.x[:, line:], self.y[:, line:], self.pixel)


def points(p: Columns, u: Tensor, v: Tensor, size: int, flat: Tensor | None = None) -> Grid:
    """A grid of any points `(B, h, w)` of the pictures."""
    across, down = (u - p.shift_x) / p.scale, (v - p.shift_y) / p.scale
    cos, sin = p.roll.cos(), p.roll.sin()
    return Grid(u, v, cos * across + sin * down, cos * down - sin * across, 2 / (size * p.scale), flat)


def whole(p: Columns, size: int) -> Grid:
    """Every pixel's centre."""
    axis = (torch.arange(size, device=p.values.device) + 0.5) * (2 / size) - 1
    count = len(p.values)
    return points(p, axis.expand(count, size, size), axis[:, None].expand(count, size, size), size)


def window(p: Columns, size: int, centre: tuple[Tensor, Tensor], half: tuple[float, float]) -> Grid:
    """The pixels around a place on the head, a rectangle of the same size in every picture.

    Args:
        p: The faces.
        size: Side of the whole picture.
        centre: x and y in head units, each `(B, 1, 1)`.
        half: Half the width and height in head units that the window covers at least.
    """
    u, v = picture_place(p, *centre)
    cos, sin = math.cos(WIDEST_ROLL), math.sin(WIDEST_ROLL)
    reach = (half[0] * cos + half[1] * sin, half[1] * cos + half[0] * sin)
    width, height = (min(size, math.ceil(WIDEST_SCALE * length * size) + 2) for length in reach)
    left = ((u + 1) * (size / 2) - width / 2).round().long().clamp(0, size - width)
    top = ((v + 1) * (size / 2) - height / 2).round().long().clamp(0, size - height)
    columns = left + torch.arange(width, device=u.device)  # (B, 1, w)
    lines = top + torch.arange(height, device=u.device)[:, None]  # (B, h, 1)
    count = len(p.values)
    flat = (lines * size + columns).flatten(1)
    to_picture = 2 / size
    across = ((columns + 0.5) * to_picture - 1).expand(count, height, width)
    down = ((lines + 0.5) * to_picture - 1).expand(count, height, width)
    return points(p, across, down, size, flat)


def picture_place(p: Columns, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """From head units to the picture, from −1 to 1: the inverse of `points`."""
    cos, sin = p.roll.cos(), p.roll.sin()
    return p.shift_x + p.scale * (cos * x - sin * y), p.shift_y + p.scale * (sin * x + cos * y)


def read(picture: Tensor, grid: Grid) -> Tensor:
    """A window's pixels, `(B, C, h, w)`, of pictures `(B, C, H, W)`; all of them for a whole grid."""
    if grid.flat is None:
        return picture
    count, channels = picture.shape[:2]
    places = grid.flat[:, None].expand(count, channels, -1)
    return picture.flatten(2).gather(2, places).view(count, channels, *grid.x.shape[1:])


def write(picture: Tensor, grid: Grid, pixels: Tensor) -> Tensor:
    """The pictures with a window's pixels replaced, in place where that can be."""
    if grid.flat is None:
        return pixels
    count, channels = picture.shape[:2]
    places = grid.flat[:, None].expand(count, channels, -1)
    picture.flatten(2).scatter_(2, places, pixels.flatten(2))
    return picture


def slopes(field: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences of `(B, h, w)` along x and y, per pixel; one-sided at the edges."""
    middle_x, middle_y = (
        (field[..., 2:] - field[..., :-2]).mul_(0.5),
        (field[:, 2:] - field[:, :-2]).mul_(0.5),
    )
    left, right = field[..., 1:2] - field[..., :1], field[..., -1:] - field[..., -2:-1]
    top, bottom = field[:, 1:2] - field[:, :1], field[:, -1:] - field[:, -2:-1]
    along, down = torch.cat([left, middle_x, right], 2), torch.cat([top, middle_y, bottom], 1)
    return along, down


def distance(field: Tensor) -> Tensor:
    """Signed distance in pixels to where any smooth implicit field is zero, negative inside: `f / |∇f|`."""
    field = field.clamp(-30, 30)
    along, down = slopes(field)
    length = torch.addcmul(along.square_(), down, down).add_(1e-10).rsqrt_()
    return length.mul_(field).clamp_(-60, 60)


def cover(pixels: Tensor, soft: float = 1.15) -> Tensor:
    """How much of a pixel lies inside, from its signed distance; an edge `soft` pixels wide."""
    return (pixels * (-1 / soft)).add_(0.5).clamp_(0, 1)


def step(start: float | Tensor, end: float | Tensor, value: Tensor) -> Tensor:
    """0 before `start`, 1 after `end`, smooth between; `start` may be the larger."""
    t = ((value - start) * (1 / (end - start))).clamp_(0, 1)
    return t * t * (3 - 2 * t)


def bump(value: Tensor, width: float | Tensor) -> Tensor:
    """A smooth hill, 1 at zero and nothing beyond twice its width: close to `exp(−(value / width)²)`, and cheaper."""
    scaled = value * (1 / width)
    return scaled.mul(scaled).mul_(-0.25).add_(1).clamp_(min=0).square_().square_()


def wave(phase: Tensor, per_pixel: Tensor) -> Tensor:
    """A sine that fades out where its phase advances so fast per pixel that it could not be drawn."""
    return phase.sin() * ((2.4 - per_pixel) / 1.4).clamp(0, 1)


def over(under: Tensor, colour: Tensor, alpha: Tensor) -> Tensor:
    """Paint `(B, 3, h, w)` with a colour, as `(B, h, w)` coverage says."""
    return torch.lerp(under, colour, alpha[:, None])


def convex(x: Tensor, y: Tensor, corners: list[tuple[Tensor | float, Tensor | float]]) -> Tensor:
    """Signed distance to a convex polygon, its corners clockwise on the screen (y down), in the units of x and y."""
    field: Tensor | None = None
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        dx, dy = torch.as_tensor(x1 - x0).to(x), torch.as_tensor(y1 - y0).to(x)
        side = ((x - x0) * dy - (y - y0) * dx) * torch.rsqrt(dx * dx + dy * dy)
        field = side if field is None else torch.maximum(field, side)
    assert field is not None
    return field
