"""fastai's data loaders over two folders: ruined pictures, and the good ones of the same names (chapter 5)."""

from pathlib import Path
from typing import Any

from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import FuncSplitter, Normalize, get_image_files, parent_label
from fastai.vision.augment import RandomCrop
from fastai.vision.data import ImageBlock

from companion.data.photos import split_of

HALVES = ((0.5,) * 3, (0.5,) * 3)  # mean and deviation that take [0, 1] to [−1, 1]


class same_name:
    """A label function: the good picture of a ruined one's name.

    It lives in the package and not in a notebook: a saved learner remembers it by its place.

    Args:
        ruined: Folder of the ruined pictures.
        good: Folder of the good ones, with the same names but for their suffix.
    """

    def __init__(self, ruined: Path, good: Path) -> None:
        self.ruined = ruined
        self.good = {path.relative_to(good).with_suffix(""): path for path in get_image_files(good)}

    def __call__(self, path: Path) -> Path:
        """The file of the good picture."""
        good: Path = self.good[path.relative_to(self.ruined).with_suffix("")]
        return good


def held_out_by_name(path: Path) -> bool:
    """Whether a picture belongs to the validation, which its name decides, as everywhere in the course."""
    return split_of(path.stem) != "training"


def restoring_data(ruined: Path, good: Path, *, size: int, batch: int, **options: Any) -> DataLoaders:
    """Pairs of patches in [−1, 1] for fastai: what is ruined, and what it was.

    Args:
        ruined: As `companion.data.crappify.crappify` made it.
        good: The pictures it was made from.
        size: Side of the patches; both are cut at the same place.
        batch: Pairs a step.
        options: As fastai's `dataloaders` takes them.
    """
    block = DataBlock(
        blocks=(ImageBlock, ImageBlock),
        get_items=get_image_files,
        get_y=same_name(ruined, good),
        splitter=FuncSplitter(held_out_by_name),
        item_tfms=RandomCrop(size),
        batch_tfms=Normalize.from_stats(*HALVES, cuda=False),
    )
    loaders: DataLoaders = block.dataloaders(ruined, bs=batch, num_workers=0, **options)
    return loaders


def critics_data(folder: Path, *, size: int, batch: int, **options: Any) -> DataLoaders:
    """Drawn and real patches in [−1, 1], labelled by their folders' names; “real” is 1.

    Args:
        folder: As `companion.restoration.judging.save_for_critic` wrote it.
        size: Side of the patches.
        batch: Patches a step.
        options: As fastai's `dataloaders` takes them.
    """
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=["drawn", "real"])),
        get_items=get_image_files,
        get_y=parent_label,
        splitter=FuncSplitter(held_out_by_name),
        item_tfms=RandomCrop(size),
        batch_tfms=Normalize.from_stats(*HALVES, cuda=False),
    )
    loaders: DataLoaders = block.dataloaders(folder, bs=batch, num_workers=0, **options)
    return loaders
