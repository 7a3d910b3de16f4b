"""Drawn portraits as a camera might see them, with what the face mesh finds and all that is known of them (chapter 7).

A portrait is put before a photograph, lit, tinted, covered, blurred, made noisy and stored as a JPEG, and only then
looked for: what the network learns from is what it will get.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from companion.data import faces as drawn
from companion.data.faces import Faces
from companion.likeness.aligning import EYES_TO_MOUTH, HEAD, Numbers, Upright, cut_out, upright
from companion.models.likeness import PARTS
from companion.randomness import generator
from companion.vision.frames import Picture
from companion.vision.landmarks import Mesh
from companion.vision.pictures import as_picture
from companion.vision.trackers import FaceMesh

SIDE = 192  # of the portraits
CHUNK = 64  # faces drawn together
STRETCH = (0.7, 1.6)  # how far every other face is exaggerated: real ones differ more than the prior's
BEFORE_PHOTO = 0.8  # share of the portraits
DEPTH_COUNTS = 0.5  # of a mesh, beside x and y: the tracker guesses it


@dataclass(frozen=True)
class Lessons:
    """N faces that were found in their pictures."""

    crops: Tensor  # (N, 3, S, S) uint8: the head
    near: Tensor  # (N, 3, S', S') uint8: from the eyes to the mouth
    parts: Tensor  # (N, len(PARTS), S / 2, S / 2) uint8: how much of each pixel, of 255
    points: Tensor  # (N, 3 · 478) in head units
    moves: Tensor  # (N, 52)
    values: Tensor  # (N, P): the truth

    def __len__(self) -> int:
        return len(self.crops)

    def tensors(self) -> dict[str, Tensor]:
        """By name, to be stored."""
        return dict(vars(self))

    @classmethod
    def joined(cls, chunks: "list[Lessons]") -> "Lessons":
        """All of them, one after the other."""
        names = ("crops", "near", "parts", "points", "moves", "values")
        return cls(*(torch.cat([getattr(chunk, name) for chunk in chunks]) for name in names))


def mean_mesh(tracker: FaceMesh, count: int = 300, seed: int = 5) -> Numbers:
    """The mean mesh of drawn people who look straight ahead, `(478, 2)` in head units."""
    numbers = torch.arange(count)
    faces = drawn.draw(9_000_000 + numbers, torch.zeros_like(numbers), seed)
    faces = faces.replace(yaw=0.0, pitch=0.0, roll=0.0, shift_x=0.0, shift_y=0.0, scale=0.63)
    found = [tracker.find(as_picture(image)) for image in drawn.draw_portraits(faces, SIDE).images]
    middle, unit = (SIDE - 1) / 2, SIDE / 2 * 0.63
    laid = np.stack([(meshes[0].pixels - middle) / unit for meshes in found if meshes])
    mean: Numbers = laid.mean(0, dtype=np.float64)
    return mean


def lessons(
    chunk: int,
    template: Numbers,
    tracker: FaceMesh,
    grounds: Sequence[Tensor],
    *,
    sizes: tuple[int, int],
    seed: int,
    count: int = CHUNK,
) -> Lessons:
    """The faces of one chunk that the tracker finds; a function of the seed and the chunk's number.

    Args:
        chunk: Its people are those from `chunk · count` on.
        template: The mean mesh, over which meshes are laid.
        tracker: Looks for the faces.
        grounds: Photographs to put them before, `(3, H, W)` uint8 each, without people.
        sizes: Of the two cut-outs, in pixels: the head, and from the eyes to the mouth.
        seed: Of the people and of all that befalls their pictures.
        count: People in a chunk.
    """
    random = generator(seed, "lessons in likeness", chunk)
    faces = _people(chunk, count, seed, random)
    portraits = drawn.draw_portraits(faces, SIDE)
    masks = _grouped(drawn.part_masks(faces, SIDE // 2))
    pictures = _before_photographs(portraits, grounds, random)
    pixels = [_photographed(picture, random) for picture in pictures]
    meshes = [tracker.find(picture) for picture in pixels]
    seen = [number for number, found in enumerate(meshes) if found]
    laid = [upright(meshes[number][0], template) for number in seen]
    head, near = (
        np.stack([cut_out(pixels[n], face, window, size) for n, face in zip(seen, laid, strict=True)])
        for window, size in zip((HEAD, EYES_TO_MOUTH), sizes, strict=True)
    )
    return Lessons(
        torch.from_numpy(head).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(near).permute(0, 3, 1, 2).contiguous(),
        torch.stack([_warped(masks[n], face, sizes[0] // 2) for n, face in zip(seen, laid, strict=True)]),
        torch.stack([mesh_numbers(face) for face in laid]),
        torch.stack([move_numbers(meshes[number][0]) for number in seen]),
        faces.values[seen],
    )


def mesh_numbers(face: Upright) -> Tensor:
    """A mesh as the network takes it, `(3 · 478,)`; the depth counts less."""
    return torch.from_numpy((face.points * (1, 1, DEPTH_COUNTS)).astype(np.float32)).flatten()


def move_numbers(mesh: Mesh) -> Tensor:
    """Its blendshapes in the order of their names, `(52,)`."""
    return torch.tensor([score for _, score in sorted(mesh.blendshapes.items())])


def _people(chunk: int, count: int, seed: int, random: torch.Generator) -> Faces:
    numbers = chunk * count + torch.arange(count)
    faces = drawn.draw(numbers, torch.zeros_like(numbers), seed)
    k = STRETCH[0] + (STRETCH[1] - STRETCH[0]) * torch.rand(count, generator=random)
    k = torch.where(torch.rand(count, generator=random) < 0.5, k, torch.ones(()))
    each = [drawn.exaggerate(faces.rows(slice(n, n + 1)), float(k[n])).values for n in range(count)]
    faces = Faces(torch.cat(each))
    nearer = 0.75 + 0.35 * torch.rand(count, generator=random)
    return faces.replace(
        scale=faces["scale"] * nearer,
        shift_x=faces["shift_x"] * 3,
        shift_y=faces["shift_y"] * 3,
        roll=faces["roll"] * 2,
    )


def _grouped(masks: Tensor) -> Tensor:
    """The renderers' parts as `PARTS`."""
    rows = [[drawn.PARTS.index(name) for name in names] for names in PARTS.values()]
    return torch.stack([masks[:, row].sum(1) for row in rows], 1)


def _warped(masks: Tensor, face: Upright, size: int) -> Tensor:
    """Masks `(C, SIDE / 2, SIDE / 2)` of a picture as the cut-out sees them, `(C, size, size)` uint8."""
    at = (face.to_picture(HEAD.places(size).reshape(-1, 2)) + 0.5) / SIDE * 2 - 1
    grid = torch.from_numpy(at.astype(np.float32)).view(1, size, size, 2)
    warped = grid_sample(masks[None], grid, padding_mode="border", align_corners=False)[0]
    return (warped * 255).round().byte()


# ---- what befalls a picture ----


def _before_photographs(portraits: drawn.Drawn, photos: Sequence[Tensor], random: torch.Generator) -> Tensor:
    """Most portraits before a part of a photograph, sharp or out of focus; `(N, 3, SIDE, SIDE)` in [−1, 1]."""
    grounds = torch.stack([_ground(photos, random) for _ in range(len(portraits.images))])
    before = portraits.alpha * portraits.images + (1 - portraits.alpha) * grounds
    chosen = torch.rand(len(grounds), 1, 1, 1, generator=random) < BEFORE_PHOTO
    return torch.where(chosen, before, portraits.images)


def _ground(photos: Sequence[Tensor], random: torch.Generator) -> Tensor:
    photo = photos[_below(len(photos), random)]
    side = min(96 + _below(160, random), *photo.shape[1:])
    top, left = (_below(length - side + 1, random) for length in photo.shape[1:])
    part = photo[None, :, top : top + side, left : left + side].float() / 127.5 - 1
    part = interpolate(part, size=(SIDE, SIDE), mode="bilinear")
    if _below(2, random):
        coarse = (8, 16, 32)[_below(3, random)]
        part = interpolate(avg_pool2d(part, coarse), size=(SIDE, SIDE), mode="bilinear")
    return part[0]


def _photographed(picture: Tensor, random: torch.Generator) -> Picture:
    """A picture `(3, SIDE, SIDE)` in [−1, 1] as a camera might store it."""
    pixels = (picture + 1) / 2
    for spoil, share in SPOILS:
        if float(torch.rand((), generator=random)) < share:
            pixels = spoil(pixels, random)
    return _stored(pixels, random)


def _toned(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Another gamma, another white, another exposure."""
    normal = torch.randn(5, generator=random)
    gains = (0.07 * normal[:3] + 0.08 * normal[3]).exp()
    return pixels.clamp(1e-4, 1) ** float((0.22 * normal[4]).exp()) * gains[:, None, None]


def _lit(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Light that falls off across the picture."""
    angle, strength = torch.rand(2, generator=random).tolist()
    line = torch.linspace(-1, 1, SIDE)
    turn = 2 * np.pi * angle
    slope = float(np.cos(turn)) * line[None] + float(np.sin(turn)) * line[:, None]
    lit: Tensor = pixels * (1 + 0.5 * strength * slope)
    return lit


def _pale(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Less colour, down to none."""
    share = float(torch.rand((), generator=random).sub(0.2).clamp(min=0)) / 0.8
    return share * pixels + (1 - share) * pixels.mean(0, keepdim=True)


def _covered(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Something in the way."""
    height, width = 20 + _below(50, random), 20 + _below(50, random)
    top, left = _below(SIDE - height, random), _below(SIDE - width, random)
    covered = pixels.clone()
    covered[:, top : top + height, left : left + width] = torch.rand(3, 1, 1, generator=random)
    return covered


def _small(pixels: Tensor, random: torch.Generator) -> Tensor:
    """From farther away."""
    side = round(SIDE * (0.35 + 0.65 * float(torch.rand((), generator=random))))
    small = interpolate(pixels[None], size=(side, side), mode="bilinear", antialias=True)
    return interpolate(small, size=(SIDE, SIDE), mode="bilinear")[0]


def _noisy(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Noise on every pixel."""
    amount = 0.03 * float(torch.rand((), generator=random))
    return pixels + amount * torch.randn(pixels.shape, generator=random)


Spoil = Callable[[Tensor, torch.Generator], Tensor]
SPOILS: tuple[tuple[Spoil, float], ...] = (
    (_toned, 1.0),
    (_lit, 0.5),
    (_pale, 0.25),
    (_covered, 0.2),
    (_small, 0.6),
    (_noisy, 1.0),
)  # in this order, each with its chance


def _stored(pixels: Tensor, random: torch.Generator) -> Picture:
    """As bytes, most of them by way of a JPEG."""
    picture = (pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    quality = 35 + _below(60, random)
    if float(torch.rand((), generator=random)) < 0.7:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        picture = np.asarray(Image.open(file))
    return np.ascontiguousarray(picture)


def _below(limit: int, random: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=random))
