"""Guards the catalogue: whatever names data sets knows the same ones, and each gives what its kind says."""

import subprocess
import sys

import pytest
import torch

from companion import found
from companion.data import assets, catalogue, load
from companion.data.assets import manifest
from companion.data.batches import Pair
from companion.data.catalogue import (
    DataSet,
    ImageSet,
    PairSet,
    PhotoSet,
    PointSet,
    choices,
    entries,
    named,
    sets,
)
from companion.data.photos import load_photos
from companion.data.sets import faces
from companion.errors import CompanionError


def at_hand(one: DataSet) -> None:
    """Skip the test where a set's files are not in the cache."""
    if missing := [name for name in one.assets if not manifest()[name].here]:
        pytest.skip(f"{', '.join(missing)} not in the cache")


def of(kind: type[DataSet]) -> list[str]:
    return [name for name, one in sets().items() if isinstance(one, kind)]


def test_every_set_says_what_it_is_and_whose():
    names = [name for one in sets().values() for name in one.names]
    assert len(set(names)) == len(names)
    for one in sets().values():
        assert set(one.assets) <= set(manifest())
        assert all((one.name, one.description, one.kind, one.state, one.licence))
        assert all(credit.licence and credit.attribution for credit in one.credits)


@pytest.mark.parametrize("name", of(ImageSet))
@pytest.mark.slow
@pytest.mark.api
def test_each_part_of_an_image_set_has_pixels_and_labels(name, monkeypatch):
    monkeypatch.setattr(faces, "PEOPLE", 3)
    monkeypatch.setattr(faces, "TEST_PEOPLE", 2)
    at_hand(sets()[name])
    for part in sets()[name].names:
        images = load(part, size=32)
        assert images.name == part
        assert images.pixels.dtype == torch.uint8
        assert images.pixels.shape[2:] == (32, 32)
        assert images.labels.shape == (len(images),)
        assert images.labels.dtype == torch.int64


@pytest.mark.parametrize("name", of(PhotoSet))
@pytest.mark.slow
@pytest.mark.api
def test_each_photo_set_has_photographs_in_all_its_splits(name):
    at_hand(sets()[name])
    photos = load_photos(name, least=100)
    assert photos.name == name
    assert sum(len(photos.split(part)) for part in sets()[name].splits) == len(photos)


@pytest.mark.parametrize("name", of(PairSet))
def test_each_set_of_pairs_names_them(name):
    at_hand(sets()[name])
    names, pairs = sets()[name].read()
    assert isinstance(pairs, Pair)
    assert len(names) == len(set(names)) == len(pairs)


@pytest.mark.parametrize("name", of(PointSet))
def test_each_set_of_points_is_a_function_of_seed_and_index(name):
    draw = sets()[name].draw
    assert draw(5, 1)[3].shape == (5, 2)
    assert torch.equal(draw(5, 1)[3], draw(5, 1)[3])
    assert not torch.equal(draw(5, 1)[3], draw(5, 2)[3])


def test_real_people_are_labelled_ten_photographs_each():
    at_hand(sets()["orl"])
    images = load("orl", size=24)
    assert torch.equal(images.labels.bincount(), torch.full((40,), 10))
    assert torch.equal(images.pixels[:, 0], images.pixels[:, 2])


def test_a_new_module_adds_a_set_and_nothing_else_changes(monkeypatch):
    """Found by its `SETS` alone: help, names, errors and `load` know it."""
    module = type(sys)("companion.data.sets.greys")
    pixels = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(-1, 1, 8, 8)
    grey = ImageSet(
        name="greys",
        description="greys",
        splits=("training",),
        read=lambda split, size: (pixels, torch.arange(6)),
    )
    module.SETS = (grey,)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    there = found.names("companion.data.sets")
    monkeypatch.setattr(found, "names", lambda package: [*there, "greys"])
    sets.cache_clear()
    try:
        assert choices(ImageSet).endswith("greys")
        assert load("greys", size=8).labels.tolist() == [0, 1, 2, 3, 4, 5]
        with pytest.raises(CompanionError, match="did you mean greys"):
            load("grays")
    finally:
        sets.cache_clear()


def test_what_can_be_listed_can_be_fetched(monkeypatch):
    """Every name that `--data` knows and every asset; each asks for all its files and for nothing else."""
    asked: list[str] = []
    monkeypatch.setattr(assets, "fetch", lambda name: asked.append(name) or manifest()[name].file)
    for name in [*named(DataSet), *(entry.name for entry in entries())]:
        asked.clear()
        assert len(catalogue.fetch(name)) == len(asked)
        wanted = named(DataSet)[name][0].assets if name in named(DataSet) else (name,)
        assert tuple(asked) == wanted
    assert catalogue.fetch("digits") == []
    with pytest.raises(CompanionError, match="data set or asset called “mnits”; did you mean mnist"):
        catalogue.fetch("mnits")


def test_every_file_is_listed_once_by_itself_or_by_its_set():
    listed = [entry.name for entry in entries()]
    owned = {name for one in sets().values() for name in one.assets}
    assert len(set(listed)) == len(listed)
    assert set(manifest()) <= set(listed) | owned


def test_help_need_not_wait_for_torch():
    code = (
        "import sys; from companion.data import catalogue; catalogue.sets(); catalogue.entries(); "
        "print(sorted({'torch', 'torchvision', 'sklearn', 'pooch', 'requests'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"COMPANION_CACHE": "/nowhere"},
    )
    assert answer.stdout.strip() == "[]"
