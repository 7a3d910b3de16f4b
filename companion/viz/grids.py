"""Grids: images side by side, and what is laid under, over and between them.

Images come in as floats in [−1, 1], `(N, C, H, W)`, on any device; this module alone turns them into what a screen
shows.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.utils import make_grid

from companion.viz.palette import COLOURS, DPI, INK, WIDTH


def image_grid(images: Tensor, *, columns: int = 8, scale: int = 1, gap: int = 2) -> Image.Image:
    """Images `(N, C, H, W)` in [−1, 1] side by side on white, enlarged `scale` times without smoothing.

    RGBA is laid over a checkerboard.
    """
    if images.shape[1] == 4:
        images = over(images, checkerboard(images.shape[-1]).to(images.device))
    large = images.detach().cpu().float().clamp(-1, 1).repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    grid = make_grid(large, nrow=columns, padding=gap, pad_value=1.0)  # grey becomes RGB here
    pixels = ((grid + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def over(sprites: Tensor, ground: Tensor) -> Tensor:
    """Sprites laid over a ground: `colour + (1 − alpha) · ground` on [0, 1] (Porter & Duff 1984: the operator “over”).

    Args:
        sprites: RGBA in [−1, 1] with the colours multiplied by alpha, `(N, 4, H, W)`.
        ground: RGB or grey in [−1, 1], of a shape that broadcasts with `(N, 3, H, W)`.

    Returns:
        RGB `(N, 3, H, W)` in [−1, 1].
    """
    premultiplied, alpha = (sprites[:, :3].float() + 1) / 2, (sprites[:, 3:].float() + 1) / 2
    return (premultiplied + (1 - alpha) * (ground + 1) / 2).clamp(0, 1) * 2 - 1


def checkerboard(size: int, square: int = 8) -> Tensor:
    """The ground that says “nothing here”: white and grey squares, `(1, size, size)` in [−1, 1]."""
    place = torch.arange(size) // square
    return 1 - 0.3 * ((place[:, None] + place) % 2)[None].float()


def photo_rows(rows: Mapping[str, Tensor]) -> Image.Image:
    """Labelled rows of photographs `(N, 3, H, W)` in [−1, 1], pixel for pixel: how sharp they are is what they show."""
    grids = [image_grid(images, columns=len(images)) for images in rows.values()]
    return named(_stacked(grids), rows=list(rows))


LETTERS = 16  # pixels: as high as the captions on the page
LINE = 20
BESIDE = 14  # pixels of white around a name at the left
LONGEST = 120  # pixels of a line of such a name; what is longer is folded
HIGHEST = 143  # pixels of a row of images, where its height is not given
GAP = 2  # pixels between them
COARSE = 32  # pixels a side, below which enlarged pixels stay squares


def image_rows(rows: Mapping[str, Tensor], *, height: float | None = None) -> Image.Image:
    """One labelled row of images per entry, each `(N, C, H, W)`, all of one size, as wide as the page at most.

    A row is `height` inches high; if that is not given, as fills the page's width, at most `HIGHEST`.
    Sizes change smoothly; but in images of fewer than `COARSE` pixels a side, each stays a square.
    """
    many = max(len(images) for images in rows.values())
    high, wide = next(iter(rows.values())).shape[-2:]
    room = round(WIDTH * DPI) - _beside(_folded_names(rows)) - GAP * (many + 1)
    tall = min(room * high / (many * wide), HIGHEST) if height is None else height * DPI
    size = (math.floor(tall), math.floor(tall * wide / high))
    grids = [image_grid(_sized(images, size), columns=len(images), gap=GAP) for images in rows.values()]
    return named(_stacked(grids), rows=list(rows))


def _sized(images: Tensor, size: tuple[int, int]) -> Tensor:
    images = images.detach().cpu().float()
    if min(images.shape[2:]) < COARSE:
        times = max(math.ceil(side / own) for side, own in zip(size, images.shape[2:], strict=True))
        images = images.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return interpolate(images, size=size, mode="bicubic", antialias=True).clamp(-1, 1)


def _stacked(grids: Sequence[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (max(grid.width for grid in grids), sum(grid.height for grid in grids)), "white")
    top = 0
    for grid in grids:
        sheet.paste(grid, (0, top))
        top += grid.height
    return sheet


def named(sheet: Image.Image, *, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> Image.Image:
    """A sheet of equal rows and equal columns with their names, so that nobody has to count.

    Args:
        sheet: Pictures side by side; they stay as they are, pixel for pixel.
        rows: A name for each row, from the top, written at its left, in several lines where it is long.
        columns: A name for each column, from the left, written above it, in several lines where it is wider.
    """
    beside, font = _folded_names(rows), _font([*rows, *columns])
    heads = [_folded(name, font, sheet.width / len(columns) - 6) for name in columns]
    left = _beside(beside)
    above = max((LINE * (head.count("\n") + 1) + 6 for head in heads), default=0)
    whole = Image.new("RGB", (left + sheet.width, above + sheet.height), "white")
    whole.paste(sheet, (left, above))
    pen = ImageDraw.Draw(whole)
    for place, name in enumerate(beside):
        lines = name.split("\n")
        middle = above + (place + 0.5) * sheet.height / len(beside) - LINE * (len(lines) - 1) / 2
        for line, words in enumerate(lines):
            pen.text((left - 8, middle + LINE * line), words, fill=INK, font=font, anchor="rm")
    for place, head in enumerate(heads):
        middle = left + (place + 0.5) * sheet.width / len(heads)
        for line, words in enumerate(reversed(head.split("\n"))):  # the last stands on the pictures
            pen.text((middle, above - 8 - LINE * line), words, fill=INK, font=font, anchor="ms")
    return whole


def _font(names: Iterable[str]) -> ImageFont.FreeTypeFont:
    from companion.viz.letters import letters  # which waits for matplotlib

    return letters("".join(names), LETTERS)


def _folded_names(names: Collection[str]) -> list[str]:
    font = _font(names)
    return [_folded(name, font, LONGEST) for name in names]


def _beside(names: Sequence[str]) -> int:
    """The pixels that folded names take at the left, with what is white around them."""
    font = _font(names)
    widest = (font.getlength(line) for name in names for line in name.split("\n"))
    return max((round(wide) + BESIDE for wide in widest), default=0)


def _folded(words: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Words in lines no wider than a width; a word that is wider has a line of its own."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def marked(image: Tensor, points: Tensor, *, scale: int = 2) -> Image.Image:
    """An image `(3, H, W)` in [−1, 1], enlarged, with a ring around each of its points `(K, 2)`, in pixels."""
    canvas = image_grid(image[None], columns=1, scale=scale, gap=0)
    draw = ImageDraw.Draw(canvas)
    for x, y in (points * scale).tolist():  # the first pixel reaches from 0 to 1
        draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), fill="white", outline=COLOURS["critic"])
    return canvas


def heated(images: Tensor, weights: Tensor, place: tuple[float, float], *, scale: int = 2) -> Tensor:
    """Images `(N, 3, H, W)` in [−1, 1], enlarged and grey, warm where weights `(N, h, w)` lie, ringed at one place.

    A weight of 1 leaves grey as it is, and one of 8 or more is all red, evenly on a logarithmic scale; regions are
    drawn as they are, not smoothed.

    Args:
        images: What was looked at.
        weights: In multiples of an even weight.
        place: Row and column of the ring's middle, in parts of the height and width.
        scale: How many times larger than the images.
    """
    height, width = (scale * side for side in images.shape[2:])
    grey = (images.mean(1, keepdim=True) + 1) / 2
    grey = interpolate(grey, size=(height, width)).expand(-1, 3, -1, -1)
    share = (weights.clamp_min(1e-12).log2() / 3).clamp(0, 1)[:, None]
    share = interpolate(share, size=(height, width))
    warm = torch.tensor([0.95, 0.25, 0.1], device=images.device).view(3, 1, 1)
    found = grey * (1 - 0.75 * share) + warm * 0.75 * share
    rows = torch.arange(height, device=images.device)[:, None] + 0.5 - place[0] * height
    columns = torch.arange(width, device=images.device) + 0.5 - place[1] * width
    away = (rows.square() + columns.square()).sqrt() - 2.5 * scale  # from a circle
    for wide, tone in ((1.2, 0.0), (0.6, 1.0)):  # white with a dark edge: to be seen on any ground
        found[:, :, away.abs() < wide * scale] = tone
    return found * 2 - 1


def side_by_side(frames: Sequence[Sequence[Image.Image]]) -> list[Image.Image]:
    """Animations of equal length and height, joined frame by frame."""
    joined = []
    for parts in zip(*frames, strict=True):
        whole = Image.new("RGB", (sum(part.width for part in parts), parts[0].height), "white")
        left = 0
        for part in parts:
            whole.paste(part, (left, 0))
            left += part.width
        joined.append(whole)
    return joined


def interpolation(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latents on the great circle from `start` to `end`, each `(L,)`; shape `(steps, L)`.

    A straight line would pass close to the origin, where latents drawn from N(0, I) in many dimensions never lie
    (White 2016, section 2.1); along the circle the length goes smoothly from one end's to the other's. (It is a circle
    proper only between ends of equal length.)
    """
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=0)
    angle = torch.arccos(cosine.clamp(-1, 1)).clamp(min=1e-6)
    t = torch.linspace(0, 1, steps, device=start.device)[:, None]
    if float(math.pi - angle) < 1e-3:  # opposite ends have no one great circle between them
        return torch.lerp(start, end, t)
    arc: Tensor = (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / angle.sin()
    return arc
