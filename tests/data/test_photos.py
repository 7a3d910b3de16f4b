"""Guards the photographs: what is read and what is left out, and that splits never share one."""

import os

import pytest
import torch
from pictures import save
from PIL import Image

from companion.data.assets import manifest
from companion.data.photos import SPLITS, Photos, load_photos, split_of
from companion.errors import CompanionError


@pytest.fixture(scope="module")
def embedded() -> Photos:
    return load_photos("embedded")


def test_the_embedded_photographs_need_no_download(embedded):
    assert len(embedded) == 7
    assert all(photo.dtype == torch.uint8 and photo.shape[0] == 3 for photo in embedded.pixels)
    assert min(min(photo.shape[1:]) for photo in embedded.pixels) >= 300


def test_no_two_splits_share_a_photograph(embedded, tmp_path):
    """And nothing is lost: the three together are the whole."""
    for n in range(40):
        save(tmp_path / f"{n}.png", seed=n)
    for photos in (embedded, load_photos(tmp_path)):
        parts = [set(photos.split(part).sources) for part in SPLITS]
        assert all(parts)
        assert sum(map(len, parts)) == len(photos)
        assert set.union(*parts) == set(photos.sources)
        prints = [{photo.numpy().tobytes() for photo in photos.split(part).pixels} for part in SPLITS]
        assert not prints[0] & prints[1]
        assert not prints[0] & prints[2]
        assert not prints[1] & prints[2]


def test_a_photograph_stays_in_its_split_whatever_lies_beside_it(tmp_path):
    """Else a folder that grows would move test photographs into the training set."""
    for n in range(30):
        save(tmp_path / f"{n}.png", seed=n)
    before = set(load_photos(tmp_path).split("test").sources)
    for n in range(30, 60):
        save(tmp_path / f"{n}.png", seed=n)
    after = set(load_photos(tmp_path).split("test").sources)
    assert before <= after
    assert {split_of(name) for name in before} == {"test"}


def test_about_a_tenth_is_held_out_for_each_purpose():
    parts = [split_of(f"{n}.jpg") for n in range(2000)]
    assert 150 < parts.count("test") < 250
    assert 150 < parts.count("validation") < 250


def test_a_folder_is_read_at_full_size_but_for_the_largest(tmp_path):
    pixels = save(tmp_path / "a.png")
    save(tmp_path / "b" / "wide.png", 200, 50)
    (tmp_path / "notes.txt").write_text("not a picture")
    photos = load_photos(tmp_path, longest=100)
    assert photos.sources == ("a.png", "b/wide.png")
    assert [tuple(photo.shape) for photo in photos.pixels] == [(3, 50, 60), (3, 25, 100)]
    assert torch.equal(photos.pixels[0], torch.from_numpy(pixels).permute(2, 0, 1))
    assert photos.skipped == ("notes.txt",)


def test_too_small_photographs_are_left_out_by_name_and_none_is_an_error(tmp_path):
    save(tmp_path / "a.png", 60, 50)
    save(tmp_path / "small.png", 60, 20)
    photos = load_photos(tmp_path, least=30)
    assert photos.sources == ("a.png",)
    assert photos.skipped == ("small.png",)
    with pytest.raises(CompanionError, match="at least 100 pixels a side"):
        load_photos(tmp_path, least=100)


@pytest.mark.parametrize("name", ["embeded", "holidays"])
def test_an_unknown_name_is_explained(name):
    with pytest.raises(CompanionError, match="embedded"):
        load_photos(name)


def test_missing_pets_say_where_they_go(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    monkeypatch.setattr("companion.data.assets._download", lambda asset, url: "no network")
    with pytest.raises(CompanionError, match=r"pets .*pets/images\.tar\.gz.* “embedded”"):
        load_photos("pets")


def test_some_of_the_pets_are_enough(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    save(tmp_path / "pets" / "images" / "Birman_1.jpg")
    assert load_photos("pets").sources == ("Birman_1.jpg",)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CompanionError, match="does not exist"):
        load_photos(tmp_path / "none" / "here")


def test_an_unknown_split_is_refused(embedded):
    with pytest.raises(CompanionError, match="split"):
        embedded.split("train")


def test_an_empty_split_is_refused(embedded):
    alone = Photos("one", embedded.sources[:1], embedded.pixels[:1])
    with pytest.raises(CompanionError, match="add more photographs"):
        alone.split("test")


@pytest.mark.skipif(
    not manifest()["live1"].here, reason="needs LIVE's photographs: companion assets fetch live1"
)
def test_a_set_of_one_split_lies_in_it_whole_whatever_its_names_say():
    photos = load_photos("live1", least=64)
    assert photos.split("test").sources == photos.sources
    with pytest.raises(CompanionError, match="None of the 29 photographs"):
        photos.split("training")


def test_names_of_any_bytes_are_split_and_read(tmp_path):
    """Names that are no UTF-8, and those of a system that was told of ASCII alone."""
    for number in range(12):
        name = os.fsdecode(b"caf\xe9-%d.png" % number)
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / "a.png")
        os.rename(tmp_path / "a.png", tmp_path / name)
    found = load_photos(tmp_path)
    assert len(found) == len(found.split("training")) + sum(
        split_of(source) != "training" for source in found.sources
    )
    meant, read_as_ascii = "é.png", "é.png".encode().decode("ascii", "surrogateescape")
    assert split_of(meant) == split_of(read_as_ascii)
