"""Pictures drawn again as those of another set: styles from a normal, or from an example (chapter 7)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor

from companion import pretrained
from companion.data.reading import as_rgb, opened, upright
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.errors import CompanionError
from companion.files import free_names, one_by_one, refuse_existing, replacing
from companion.models.munit import BothWays, Translator
from companion.models.store import load_model
from companion.randomness import generator
from companion.training.munit import styles_of, translated

STILL = 0.3  # deviation over true pictures, where a normal's is 1, below which a style's number says nothing of them


def translator(name: str, *, back: bool = False) -> Translator:
    """The model to translate with: a `.safetensors` file, a run's folder, or the name of a pretrained run.

    Args:
        name: Which one.
        back: Of a run's folder or a pretrained run, the way from the second set to the first.

    Raises:
        CompanionError: There is no such model, it does not translate, or it knows one way and is asked for the other.
    """
    folder, way = Path(name), "b_to_a" if back else "a_to_b"
    model = load_model(folder / f"{way}.safetensors") if folder.is_dir() else pretrained.find(name)
    if isinstance(model, BothWays):
        return model.b_to_a if back else model.a_to_b
    if isinstance(model, Translator):
        if back and not folder.is_dir():
            raise CompanionError(
                f"The model {name} knows one way only; leave out --back, or name a run's folder."
            )
        return model
    raise CompanionError(
        f"The model {name} does not translate between two sets of pictures; choose one that companion train munit made."
    )


def drawn_styles(model: Translator, count: int, seed: int = 0) -> Tensor:
    """So many styles from a standard normal, `(count, styles)`, the same for the same seed."""
    if count < 1:
        raise CompanionError(f"A picture cannot be drawn in {count} styles; choose 1 or more.")
    return torch.randn(count, model.config.styles, generator=generator(seed, "styles of a translation"))


def style_like(model: Translator, example: Path) -> Tensor:
    """The style of a picture of the set that is reached, `(1, styles)`.

    Raises:
        CompanionError: It is missing or cannot be read.
    """
    return styles_of(model, _square(example, model.config.size))


def mended(styles: Tensor, drawn: Tensor) -> Tensor:
    """Styles `(N, styles)` read from many pictures, but drawn anew in those numbers that are still over all of them.

    A decoder is taught on draws from a normal, whose numbers all vary by 1. Numbers that say nothing of true pictures
    lie near 0 in all of theirs, together, where hardly any draw lies; there a decoder has learnt nothing.

    Args:
        styles: Of true pictures, at least two.
        drawn: As many draws from a standard normal.
    """
    return torch.where(styles.std(0) < STILL, drawn, styles)


def translate_files(
    model: Translator, files: Iterable[Path], folder: Path, styles: Tensor
) -> Iterator[tuple[Path, list[Path] | CompanionError]]:
    """Draw each file's central square in each style; yields the file and its pictures' paths, or why there are none.

    A single style makes NAME.png, several make NAME-1.png, NAME-2.png and so on; of a second NAME, its suffix stands
    before that. No file is ever replaced.

    Raises:
        CompanionError: The folder cannot be made.
    """
    return one_by_one(files, folder, lambda file, taken: _translate(model, file, folder, styles, taken))


def _translate(model: Translator, file: Path, folder: Path, styles: Tensor, taken: set[str]) -> list[Path]:
    numbers = [""] if len(styles) == 1 else [f"-{number + 1}" for number in range(len(styles))]
    places = [folder / name for name in free_names(file, [f"{number}.png" for number in numbers], taken)]
    refuse_existing(*places)
    image = _square(file, model.config.size)
    drawn = translated(model, image.expand(len(styles), -1, -1, -1), styles)
    for place, pixels in zip(places, to_bytes(drawn), strict=True):
        with replacing(place) as target:
            Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(target, "PNG")
    taken |= {place.name.casefold() for place in places}
    return places


def _square(file: Path, size: int) -> Tensor:
    """A picture's central square as an image `(1, 3, size, size)` in [−1, 1]."""
    with opened(file) as picture:
        square = ImageOps.fit(as_rgb(upright(picture)), (size, size), Image.Resampling.LANCZOS)
    return from_bytes(bytes_of(square)[None])
