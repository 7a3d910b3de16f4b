"""Where everything is: the 68 points that face annotators use, and a mask for each part, both in pixels.

The points are those of the 300-W challenge (Sagonas et al. 2013, figure 1), numbered from 0: jaw 0–16, brows 17–26,
nose 27–35, eyes 36–47, mouth 48–67, always from the picture's left to its right.
"""

import math

import torch
from torch import Tensor

from companion.data.faces import geometry
from companion.data.faces.grid import Columns, Grid, cover, distance, picture_place, step, whole
from companion.data.faces.hair import beard, beard_outline, hair, headwear
from companion.data.faces.parameters import Faces
from companion.data.faces.render import CHUNK

JAW, BROWS, NOSE, EYES, MOUTH = slice(0, 17), slice(17, 27), slice(27, 36), slice(36, 48), slice(48, 68)
PARTS = (
    "background",
    "hair",
    "skin",
    "ears",
    "neck",
    "clothes",
    "eyes",
    "brows",
    "nose",
    "mouth",
    "beard",
    "headwear",
)


def landmarks(faces: Faces, size: int = 64, *, widen: float = 1.0) -> Tensor:
    """The 68 points of each face, `(N, 68, 2)` as (x, y) in pixels; the upper left pixel's centre is (0.5, 0.5).

    Args:
        faces: For a drawing's points, the exaggerated faces.
        size: Side of the picture.
        widen: How far the drawing opens the eyes: `caricature.WIDER_EYES` for caricatures.
    """
    p = Columns(faces)
    x, y = _on_face(p, widen)
    x, y = geometry.place_on_head(p, x, y)
    jaw_x, jaw_y = _jaw(p)
    u, v = picture_place(p, torch.cat([jaw_x, x], 2), torch.cat([jaw_y, y], 2))
    return torch.stack([u, v], 3)[:, 0].add(1).mul(size / 2)


def _jaw(p: Columns) -> tuple[Tensor, Tensor]:
    """17 points of the outline from ear to ear, found by bisection along rays from mid-head."""
    angles = torch.linspace(math.pi, 0, 17, device=p.values.device)
    along, down = angles.cos(), angles.sin()
    near, far = torch.zeros_like(p.yaw * along), torch.full_like(p.yaw * along, 1.7)
    for _ in range(22):
        middle = (near + far) / 2
        x, y = middle * along, 0.05 + middle * down
        within = geometry.head(p, Grid(x, y, x, y, p.scale)).inside < 1
        near, far = torch.where(within, middle, near), torch.where(within, far, middle)
    return near * along, 0.05 + near * down


def _on_face(p: Columns, widen: float) -> tuple[Tensor, Tensor]:
    """The other 51 points in face coordinates, each `(N, 1, 51)`."""
    places: list[tuple[Tensor, Tensor]] = []

    def row(*values: float) -> Tensor:
        return torch.tensor(values, device=p.values.device)

    for side, along in ((-1, row(0.95, 0.5, 0.0, -0.5, -0.95)), (1, row(-0.95, -0.5, 0.0, 0.5, 0.95))):
        y, _ = geometry.brow_line(p, along)
        x = side * (p.eye_spacing - 0.005 + along * p.brow_length)
        places.append((x, y + 0.012 * p.brow_raise * side))
    shift = 0.17 * p.nose_size * p.yaw.tan()  # the tip lies forward of the face
    ridge = p.eye_height + 0.03 + (p.nose_length - 0.05 - p.eye_height) * row(0.0, 1 / 3, 2 / 3, 1.0)
    places.append((shift * step(p.eye_height - 0.05, p.nose_length, ridge), ridge))
    base = p.nose_length + row(0.035, 0.055, 0.065, 0.055, 0.035)
    places.append((p.nose_width * row(-0.72, -0.36, 0.0, 0.36, 0.72) + 0.75 * shift, base))
    for side, around in ((-1, (1, 0.4, -0.4, -1, -0.4, 0.4)), (1, (-1, -0.4, 0.4, 1, 0.4, -0.4))):
        u = row(*around)
        upper, lower = geometry.lids(p, u, widen)
        v = torch.cat([upper[..., :3], lower[..., 3:]], -1) * (u.abs() < 1)
        cos, sin = p.eye_tilt.cos(), p.eye_tilt.sin()
        across, down = cos * u * p.eye_width + sin * v, cos * v - sin * u * p.eye_width
        places.append((side * (p.eye_spacing + across), p.eye_height + down))
    half = geometry.mouth_width(p)
    outer = row(-1, -0.67, -0.33, 0, 0.33, 0.67, 1, 0.67, 0.33, 0, -0.33, -0.67)
    top, first, _, _ = geometry.mouth_lines(p, outer)
    corner = (outer.abs() == 1).expand_as(top)
    _, _, _, bottom = geometry.mouth_lines(p, outer)
    edge = torch.where(corner, first, torch.cat([top[..., :7], bottom[..., 7:]], -1))
    places.append((outer * half, edge))
    inner = row(-0.85, -0.4, 0, 0.4, 0.85, 0.4, 0, -0.4)
    _, first, second, _ = geometry.mouth_lines(p, inner)
    places.append((inner * half, torch.cat([first[..., :4], second[..., 4:]], -1)))
    count = len(p.values)
    x, y = (torch.cat([place[axis].expand(count, 1, -1) for place in places], 2) for axis in (0, 1))
    return x, y


def part_masks(faces: Faces, size: int = 64) -> Tensor:
    """How much of each pixel shows each of `PARTS`, `(N, len(PARTS), size, size)`; they sum to one.

    A part counts where it is seen: hair before the forehead is hair, lips under a moustache are beard. Spectacles are
    looked through. For a drawing's masks give the exaggerated faces.
    """
    chunk = max(1, CHUNK // size**2)
    with torch.no_grad():
        pieces = [_masks(Columns(faces.rows(slice(i, i + chunk))), size) for i in range(0, len(faces), chunk)]
    return torch.cat(pieces)


def _masks(p: Columns, size: int) -> Tensor:
    grid = whole(p, size)
    on = geometry.head(p, grid)
    locks, wear, torso = hair(p, grid, on), headwear(p, grid, on), geometry.body(p, grid)
    inside, _ = geometry.ears(p, grid)
    skull = cover(distance(on.inside - 1))
    eye, lips, parts = geometry.eyes(p, on), geometry.mouth(p, on), geometry.nose(p, on)
    mouth = torch.minimum(torch.minimum(lips.upper, lips.lower), lips.gap)
    nose = torch.minimum((parts.tip + 1e-6).sqrt(), (parts.wing + 1e-6).sqrt()) - 1
    jaw, lip = beard(p, on)
    bearded = torch.maximum(jaw * step(0.0, 0.3, p.beard), lip * p.moustache)
    back = cover(distance(locks.back))
    lying = back * step(p.neck_width + 0.02, p.neck_width + 0.12, grid.x.abs()) * step(0.55, 0.85, grid.y)
    brow, _, _ = geometry.brows(p, on)
    worn = [
        (wear.scarf, p.headscarf), (wear.turban, p.turban), (wear.beanie, p.beanie),
        (wear.beanie_band, p.beanie), (wear.crown, p.sun_hat), (wear.brim, p.sun_hat),
    ]  # fmt: skip
    layers = [  # from back to front, as the renderers paint
        ("hair", torch.maximum(back, cover(distance(locks.knot)))),
        ("neck", cover(distance(torso.neck))),
        ("clothes", cover(distance(torso.garment))),
        ("clothes", cover(torso.collar / grid.pixel) * p.collar),
        ("hair", lying * p.hair_front),
        ("ears", cover(distance((inside + 1e-6).sqrt() - 1))),
        ("beard", cover(distance(beard_outline(p, grid)))),
        ("skin", skull),
        ("nose", cover(nose * 0.07 / grid.pixel) * skull),
        ("mouth", cover(mouth / grid.pixel) * skull),
        ("beard", bearded * skull * (1 - cover(mouth / grid.pixel))),
        ("eyes", cover(eye.opening / grid.pixel) * skull),
        ("brows", cover(brow / grid.pixel) * skull),
        ("hair", cover(distance(locks.front)) * (1 - (1 - locks.density) * step(1.12, 0.98, on.inside))),
        *(("headwear", cover(distance(field)) * presence) for field, presence in worn),
    ]
    masks = torch.zeros(len(p.values), len(PARTS), size, size, device=grid.x.device)
    masks[:, 0] = 1
    for part, coverage in layers:
        masks *= (1 - coverage)[:, None]
        masks[:, PARTS.index(part)] += coverage
    return masks
