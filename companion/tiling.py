"""Restoring photographs of any size: cut into tiles that overlap, restored tile by tile, and blended (chapter 2).

Memory beside the photograph itself and its result is that of one row of tiles. What a photograph carries besides its
colours stays: alpha, colour profile, EXIF (but for the orientation, which is applied), resolution.
"""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from torch import Tensor, nn
from tqdm.auto import tqdm

from companion import pretrained
from companion.data.reading import DAMAGED, MOVING, opened, sixteen_bits, upright
from companion.errors import CompanionError
from companion.files import free_names, one_by_one, refuse_existing, replacing, shown
from companion.listening import Listening, busiest
from companion.models.registry import signature_of

DEFAULT = "deblur-any"  # for a blur that nobody knows (chapter 2b)
TILE, OVERLAP = 256, 64  # pixels


@dataclass(frozen=True)
class Photo:
    """A photograph as numbers, upright, and what else its file carried."""

    pixels: NDArray[Any]  # (H, W) grey or (H, W, 3) RGB, uint8 or uint16
    alpha: Image.Image | None
    jpeg: bool  # whether its file was one, so that the result may be
    extras: dict[str, Any]  # colour profile, EXIF, resolution, as Pillow writes them


def read_photo(path: Path) -> Photo:
    """Any picture in a known form, turned upright; 16-bit grey keeps its depth, CMYK becomes RGB.

    (16-bit colour is read with 8 bits, and so is 16-bit grey in which one level means transparent: Pillow has nothing
    deeper with colour or with an alpha channel.)

    Raises:
        CompanionError: The file is missing, no picture, damaged, too large, or holds more than one frame.
    """
    with opened(path) as picture:
        frames = getattr(picture, "n_frames", 1)
        if picture.format in MOVING and frames > 1:
            raise CompanionError(
                f"{shown(path)} has {frames} frames and a photograph has one; save the one you want by itself."
            )
        if picture.mode == "F":
            raise CompanionError(
                f"{shown(path)} holds floating-point numbers, which have no agreed white; save it with 8 or 16 bits."
            )
        jpeg = picture.format in ("JPEG", "MPO")
        picture.load()
        return _photo(upright(picture), jpeg)


def write_photo(path: Path, photo: Photo, pixels: NDArray[Any]) -> list[str]:
    """Write new pixels with all else the photo had; the file appears whole or not at all, and replaces none.

    Returns:
        What the photo carried and this file cannot, such as 120 kB of EXIF in a JPEG.

    Raises:
        CompanionError: There is a file of that name.
    """
    picture = Image.fromarray(pixels)
    if photo.alpha is not None:
        picture.putalpha(photo.alpha)
    form = "JPEG" if path.suffix == ".jpg" else "PNG"
    options = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
    carried = {name: _written(form, name, value) for name, value in photo.extras.items()}
    kept = {name: option for options_ in carried.values() if options_ for name, option in options_.items()}
    if form == "PNG":
        kept = {**kept, "pnginfo": _texts(photo)}
    with replacing(path) as file:
        picture.save(file, format=form, **options, **kept)
        refuse_existing(path)
    return [NAMES[name] for name, options_ in carried.items() if options_ is None]


NAMES = {  # of what a photo carries, for people
    "icc_profile": "colour profile",
    "dpi": "resolution",
    "exif": "EXIF",
    "xmp": "XMP",
    "comment": "comment",
    "texts": "texts",
    "photoshop": "IPTC",
}
AS_TEXT = {"xmp": "XML:com.adobe.xmp", "comment": "Comment"}  # in PNG


def _written(form: str, name: str, value: Any) -> dict[str, Any] | None:
    """How Pillow is told to write what a photo carries; None if it cannot, which a single pixel tells."""
    if value is None or name == "photoshop" or (name == "texts" and form == "JPEG"):
        return None
    option = {} if form == "PNG" and name in (*AS_TEXT, "texts") else {name: value}
    try:
        Image.new("L", (1, 1)).save(io.BytesIO(), form, **option)
    except DAMAGED:
        return None
    return option


def _texts(photo: Photo) -> PngInfo:
    """What PNG holds as texts."""
    texts = dict(photo.extras.get("texts", {}))
    texts |= {key: photo.extras[name] for name, key in AS_TEXT.items() if name in photo.extras}
    info = PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    return info


def restore_photo(
    model: nn.Module, photo: Photo, *, tile: int = TILE, overlap: int = OVERLAP
) -> NDArray[Any]:
    """The photo's pixels, restored; same shape and depth. Grey goes through the model as three equal channels.

    Args:
        model: Images `(1, 3, H, W)` in [−1, 1] to the same, for any H and W up to `tile`; in eval mode.
            One that is `Listening` first looks at a part of the photo.
        photo: What to restore.
        tile: Side of the squares.
        overlap: How far neighbouring squares overlap, less than half of `tile`.
    """
    height, width = photo.pixels.shape[:2]
    peak = np.iinfo(photo.pixels.dtype).max
    if isinstance(model, Listening):
        model.look_at(_image(busiest(photo.pixels), peak))
    restored = np.empty_like(photo.pixels)
    rows, columns = windows(height, tile, overlap), windows(width, tile, overlap)
    sums = torch.zeros(3, min(tile, height), width)  # the rows that are still being added to
    bar = tqdm(total=len(rows) * len(columns), desc="restoring", unit="tile", leave=False, delay=2)
    with bar, torch.inference_mode():
        for index, (top, row_weights) in enumerate(rows):
            for left, column_weights in columns:
                here = slice(top, top + len(row_weights)), slice(left, left + len(column_weights))
                found = _through(model, photo.pixels[here], peak)
                sums[:, :, here[1]] += found * row_weights[:, None] * column_weights
                bar.update()
            end = rows[index + 1][0] if index + 1 < len(rows) else height
            restored[top:end] = _as_pixels(sums[:, : end - top], peak, restored)
            sums = torch.cat([sums[:, end - top :], torch.zeros(3, end - top, width)], 1)
    return restored


def windows(length: int, tile: int, overlap: int) -> list[tuple[int, Tensor]]:
    """Where tiles begin along one side, and what each of their pixels counts; at each pixel the weights sum to one.

    Towards a neighbour the weight falls to zero along the middle half of the overlap: the outermost pixels, which a
    model saw without their surroundings, do not count at all. At the photo's own border there is nothing to fall to.
    """
    if length <= tile:
        return [(0, torch.ones(length))]
    step = tile - overlap
    starts = [*range(0, length - tile, step), length - tile]
    deaf = overlap / 4
    rise = ((torch.arange(tile) + 0.5 - deaf) / (overlap - 2 * deaf)).clamp(0, 1)
    weights = []
    for start in starts:
        weight = torch.ones(tile) if start == 0 else rise.clone()
        weights.append(weight if start == starts[-1] else weight * rise.flip(0))
    total = torch.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + tile] += weight
    return [(s, weight / total[s : s + tile]) for s, weight in zip(starts, weights, strict=True)]


def restorer(name: str = DEFAULT) -> nn.Module:
    """The model to restore with: the name of a pretrained run, a `.safetensors` file, or a run's folder.

    Raises:
        CompanionError: There is no such model, or it does not turn a picture into one of the same size.
    """
    model = pretrained.find(name)
    if signature_of(model).restores:
        return model
    raise CompanionError(
        f"The model {name} does not turn a picture into a picture; choose one that restores."
    )


def restore_files(
    model: nn.Module, files: Iterable[Path], folder: Path, *, paints: bool = False
) -> Iterator[tuple[Path, Path | CompanionError]]:
    """Restore each file into the folder; yields the file and its result's path, or why there is none.

    A JPEG becomes a JPEG of the same name, byte for byte where nothing was changed; everything else becomes PNG, which
    loses nothing. A file that is there already, be it the photograph itself, is never replaced.

    Args:
        model: What restores.
        files: The photographs.
        folder: Made if missing.
        paints: Whether grey photographs are to come back in colour; else they stay grey.

    Raises:
        CompanionError: The folder cannot be made.
    """
    read = _in_colour if paints else read_photo
    return one_by_one(
        files, folder, lambda file, taken: _restore_file(model, read(file), file, folder, taken)
    )


def _in_colour(file: Path) -> Photo:
    """A grey photograph as three equal channels of 8 bits, without the profile that told what its grey means."""
    photo = read_photo(file)
    if photo.pixels.ndim == 3:
        return photo
    grey = photo.pixels if photo.pixels.dtype == np.uint8 else np.round(photo.pixels / 257)
    extras = {name: value for name, value in photo.extras.items() if name != "icc_profile"}
    return replace(photo, pixels=np.repeat(grey.astype(np.uint8)[..., None], 3, 2), extras=extras)


def _restore_file(model: nn.Module, photo: Photo, file: Path, folder: Path, taken: set[str]) -> Path:
    target = folder / free_names(file, [".jpg" if photo.jpeg else ".png"], taken)[0]
    refuse_existing(target)  # before the work, and again after it
    pixels = restore_photo(model, photo)
    # A JPEG that stays is copied: to code it once more would lose something for nothing.
    stays = photo.jpeg and np.array_equal(pixels, photo.pixels)
    lost = _copy(file, target) if stays else write_photo(target, photo, pixels)
    taken.add(target.name.casefold())
    if lost:
        print(f"{shown(target)} could not keep: {', '.join(lost)}.", file=sys.stderr)
    return target


def _copy(file: Path, target: Path) -> list[str]:
    """As `write_photo`: nothing is replaced, and nothing is lost."""
    with replacing(target) as copy:
        copy.write(file.read_bytes())
        refuse_existing(target)
    return []


def _through(model: nn.Module, pixels: NDArray[Any], peak: int) -> Tensor:
    """One tile through the model, `(3, H, W)`."""
    image = _image(pixels, peak)
    device = next(model.parameters(), image).device
    restored: Tensor = model(image[None].to(device))[0].float()
    return restored.cpu()


def _image(pixels: NDArray[Any], peak: int) -> Tensor:
    """Pixels as a picture `(3, H, W)` in [−1, 1]."""
    values = torch.from_numpy(pixels.astype(np.float32)) * (2 / peak) - 1
    image = values.expand(3, *values.shape) if values.dim() == 2 else values.permute(2, 0, 1)
    return image.contiguous()


def _as_pixels(image: Tensor, peak: int, like: NDArray[Any]) -> NDArray[Any]:
    values = image.mean(0) if like.ndim == 2 else image.permute(1, 2, 0)
    pixels: NDArray[Any] = ((values + 1) * (peak / 2)).round().clamp(0, peak).numpy().astype(like.dtype)
    return pixels


def _photo(picture: Image.Image, jpeg: bool) -> Photo:
    """A picture that is upright already, taken apart."""
    extras = {key: picture.info[key] for key in ("icc_profile", "dpi", "comment") if picture.info.get(key)}
    extras |= {key: picture.info[key] for key in ("xmp", "photoshop") if picture.info.get(key)}
    texts = {
        key: text for key, text in picture.info.items() if isinstance(text, str) and key != "compression"
    }
    if xmp := texts.pop(AS_TEXT["xmp"], None):
        extras["xmp"] = xmp.encode()
    if texts:
        extras["texts"] = texts
    try:
        if exif := picture.getexif():
            extras["exif"] = exif.tobytes()
    except DAMAGED:  # odd EXIF is left out rather than the photo
        extras["exif"] = None
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow may hold in 32 bits
        pixels = sixteen_bits(picture)
        clear = picture.info.get("transparency")
        if clear is None:
            return Photo(pixels, None, jpeg, extras)
        opaque = Image.fromarray(np.where(pixels == clear, 0, 255).astype(np.uint8))
        pixels = (pixels // 257).astype(np.uint8)  # Pillow writes no alpha channel beside 16 bits
        return Photo(pixels, opaque, jpeg, extras)
    grey, alpha = picture.mode in ("1", "L", "LA"), None
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        alpha = picture.convert("RGBA").getchannel("A")
    elif not grey and picture.mode not in ("P", "RGB"):
        picture = _as_srgb(picture, extras.pop("icc_profile", None))
    return Photo(np.asarray(picture.convert("L" if grey else "RGB")), alpha, jpeg, extras)


def _as_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """CMYK and its like as sRGB, through the picture's own profile where it has one that works."""
    with suppress(ImageCms.PyCMSError, OSError):
        if profile is not None:
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, io.BytesIO(profile), target, outputMode="RGB")
            if converted is not None:
                return converted
    return picture.convert("RGB")
