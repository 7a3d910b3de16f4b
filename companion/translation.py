"""Pictures drawn again as those of another set: styles from a normal, or from an example (chapter 7)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from companion import pretrained
from companion.data.catalogue import ImageSet, named
from companion.data.faces import Caricatures, Portraits
from companion.data.folders import read_folder
from companion.data.images import load
from companion.data.reading import as_rgb, opened, upright
from companion.data.scale import bytes_of, from_bytes, to_bytes
from companion.errors import CompanionError
from companion.files import free_names, one_by_one, refuse_existing, replacing, shown, together
from companion.models.munit import BothWays, Translator
from companion.models.store import load_model
from companion.randomness import generator
from companion.training.munit import styles_of, translated
from companion.training.runs import read_run

MOST = 1000  # styles of one picture
AT_ONCE = 32  # styles that are drawn before they are saved
SOME = 64  # pictures of a set that tell which numbers of a style are still over all of them
DRAWN = {
    "portraits": Portraits,
    "caricatures": Caricatures,
}  # sets whose first pictures are had without the others
STILL = 0.3  # deviation over true pictures, where a normal's is 1, below which a style's number says nothing of them


def translator(name: str, *, back: bool = False) -> Translator:
    """The model to translate with: a `.safetensors` file, a run's folder, or the name of a pretrained run.

    Args:
        name: Which one.
        back: Of a run's folder or a pretrained run, the way from the second set to the first.

    Raises:
        CompanionError: There is no such model, it does not translate, or it knows one way and is asked for the other.
    """
    folder, way = _folder(name), "b_to_a" if back else "a_to_b"
    model = load_model(folder / f"{way}.safetensors") if folder else pretrained.find(name)
    if isinstance(model, BothWays):
        return model.b_to_a if back else model.a_to_b
    if isinstance(model, Translator):
        if back and not folder:
            raise CompanionError(
                f"The model {name} knows one way only; leave out --back, or name a run's folder."
            )
        return model
    raise CompanionError(
        f"The model {name} does not translate between two sets of pictures; choose one that companion train munit made."
    )


def _folder(name: str) -> Path | None:
    """The folder of the run that is meant, if it is one; no name at all means no folder."""
    return Path(name) if name and Path(name).is_dir() else None


def learnt_from(name: str, size: int, *, back: bool = False) -> Tensor | None:
    """Some pictures of the set that a model reaches, `(N, 3, size, size)` in [−1, 1], as its run knows that set.

    Args:
        name: The model, as for `translator`.
        size: Of the pictures, in pixels.
        back: On the way from the second set to the first.

    Returns:
        At least two and at most `SOME`; None where they cannot be had any more, and for a lone file, of whose run
        nothing is known.
    """
    with suppress(CompanionError):  # there is no record, or a folder of pictures has gone
        images = _some(_data(name)[0 if back else 1], size)
        return images if len(images) > 1 else None
    return None


def _data(name: str) -> tuple[str, str]:
    """The two sets that a run's settings name.

    Raises:
        CompanionError: There is no such run, or it learnt from something else.
    """
    folder = _folder(name)
    settings = read_run(folder).settings if folder else pretrained.record(name).settings
    match settings.get("data"):
        case [str(first), str(second)]:
            return first, second
    raise CompanionError(
        f"The run {name} did not learn from two sets; choose one that companion train munit made."
    )


def _some(source: str, size: int) -> Tensor:
    """The first pictures of a set or a folder, in colour."""
    if source in DRAWN:
        images: Tensor = DRAWN[source](SOME, size=size).rendered()[:]
        return images
    if source in named(ImageSet):
        return load(source, size=size)[:SOME].expand(-1, 3, -1, -1)
    return from_bytes(read_folder(Path(source), size, limit=SOME).pixels)


def drawn_styles(model: Translator, count: int, seed: int = 0) -> Tensor:
    """So many styles from a standard normal, `(count, styles)`, the same for the same seed.

    Raises:
        CompanionError: There are to be fewer than 1, or more than `MOST`.
    """
    if not 1 <= count <= MOST:
        raise CompanionError(f"A picture cannot be drawn in {count} styles; choose 1 to {MOST}.")
    return torch.randn(count, model.config.styles, generator=generator(seed, "styles of a translation"))


def style_like(model: Translator, example: Path, others: Tensor | None = None, *, seed: int = 0) -> Tensor:
    """The style of a picture of the set that is reached, `(1, styles)`.

    Args:
        model: Whose style it is to be.
        example: The picture.
        others: At least two pictures of that set, `(N, 3, size, size)` in [−1, 1]: numbers of the style that are still
            over these are drawn, as `mended` has it. Without them the style is as it was read, and the more of its
            numbers are still, the less do drawings look like that set's.
        seed: Of the numbers that are drawn.

    Raises:
        CompanionError: The picture is missing or cannot be read, or there are fewer than two others.
    """
    style = styles_of(model, _square(example, model.config.size))
    if others is None:
        return style
    return torch.where(still(styles_of(model, others)), drawn_styles(model, 1, seed), style)


def still(styles: Tensor) -> Tensor:
    """Which numbers of styles `(N, styles)`, read from true pictures, hardly vary over them, `(styles,)` bool.

    Raises:
        CompanionError: There are fewer than two styles, which say nothing of that.
    """
    if styles.dim() != 2 or len(styles) < 2:
        raise CompanionError(
            f"Styles {tuple(styles.shape)} do not tell which of their numbers vary over pictures; give those of two "
            "pictures or more, (N, styles)."
        )
    return styles.std(0) < STILL


def mended(styles: Tensor, drawn: Tensor) -> Tensor:
    """Styles `(N, styles)` read from many pictures, but drawn anew in those numbers that are still over all of them.

    A decoder is taught on draws from a normal, whose numbers all vary by 1. Numbers that say nothing of true pictures
    lie near 0 in all of theirs, together, where hardly any draw lies; there a decoder has learnt nothing.

    Args:
        styles: Of true pictures, at least two.
        drawn: As many draws from a standard normal.

    Raises:
        CompanionError: There are fewer than two styles, or not as many draws of the same length.
    """
    if styles.shape != drawn.shape:
        raise CompanionError(
            f"Styles {tuple(styles.shape)} cannot be mended by draws {tuple(drawn.shape)}; draw as many, with "
            "drawn_styles."
        )
    return torch.where(still(styles), drawn, styles)


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
    with together(places) as parts:
        for part, pixels in zip(parts, _drawn(model, image, styles, file.name), strict=True):
            with replacing(part) as target:
                Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(target, "PNG")
    taken |= {place.name.casefold() for place in places}
    return places


def _drawn(model: Translator, image: Tensor, styles: Tensor, label: str) -> Iterator[Tensor]:
    """An image `(1, 3, size, size)` in each style, `(3, size, size)` uint8, a few styles at a time."""
    with tqdm(total=len(styles), desc=shown(label), unit="style", leave=False, delay=2) as bar:
        for some in torch.split(styles, AT_ONCE):
            for pixels in to_bytes(translated(model, image.expand(len(some), -1, -1, -1), some)):
                bar.update()
                yield pixels


def _square(file: Path, size: int) -> Tensor:
    """A picture's central square as an image `(1, 3, size, size)` in [−1, 1]."""
    with opened(file) as picture:
        square = ImageOps.fit(as_rgb(upright(picture)), (size, size), Image.Resampling.LANCZOS)
    return from_bytes(bytes_of(square)[None])
