"""Guards which files are pictures, the reason for each that is not, and what lies in a folder of them."""

import os
import re

import numpy as np
import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from companion.data.folders import read_folder
from companion.data.photos import read_photo as photograph
from companion.data.reading import files_below, holds_several
from companion.errors import CompanionError
from companion.tiling import read_photo
from companion.vision import as_picture

# ---- which files are pictures, and why others are not ----


def test_one_list_of_forms_for_restoring_training_and_looking(tmp_path):
    """`.jfif` was read by one and refused by another."""
    for suffix, form in (
        (".jfif", "JPEG"),
        (".JPE", "JPEG"),
        (".pnm", "PPM"),
        (".dib", "DIB"),
        (".avif", "AVIF"),
    ):
        if form == "AVIF" and not features.check("avif"):
            continue
        path = tmp_path / f"a{suffix}"
        Image.new("RGB", (20, 10), (200, 30, 30)).save(path, form)
        assert as_picture(path).shape == read_photo(path).pixels.shape == (10, 20, 3)
        assert photograph(path, 100).shape == (3, 10, 20)
    assert len(read_folder(tmp_path, 8).pixels) == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("large.jpg", "more pixels than are read"),
        ("cut.jpg", "it is cut short"),
        ("empty.png", r"it is empty \(0 bytes\)"),
        ("text.png", "it is damaged, or no picture in a known form"),
        ("deep.tif", "32-bit numbers, which have no agreed white"),
        ("pipe.png", "it is a pipe or a device"),
        ("none.png", "it does not exist"),
    ],
)
def test_one_reason_for_each_refusal_wherever_it_is_said(tmp_path, monkeypatch, name, why):

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    path = tmp_path / name
    noise = np.random.default_rng(1).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    if name == "large.jpg":
        Image.new("RGB", (100, 100)).save(path)
    elif name == "cut.jpg":
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name == "empty.png":
        path.touch()
    elif name == "text.png":
        path.write_text("three years of work")
    elif name == "deep.tif":
        Image.fromarray(np.full((9, 9), 3_000_000, np.int32)).save(path)
    elif name == "pipe.png":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(path)
    for read in (read_photo, as_picture):
        with pytest.raises(CompanionError, match=rf"{name} cannot be read: .*{why}.*; .*\.$"):
            read(path)
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    if path.exists():
        (left,) = read_folder(tmp_path, 8).skipped
        assert left == name
        assert re.search(why, left.why)


def test_an_animated_avif_is_said_to_be_one(tmp_path):
    if not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")

    one, two = Image.new("RGB", (20, 10)), Image.new("RGB", (20, 10), "white")
    one.save(tmp_path / "moving.avif", save_all=True, append_images=[two])
    one.save(tmp_path / "still.avif")
    assert holds_several(tmp_path / "moving.avif")
    assert not holds_several(tmp_path / "still.avif")


# ---- what lies in a folder ----


def test_linked_folders_are_followed_each_once_and_loops_end(tmp_path):
    album, elsewhere = tmp_path / "album", tmp_path / "elsewhere"
    for path in (album / "a/1.png", elsewhere / "deep/2.png"):
        path.parent.mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(path)
    (album / "b").symlink_to(elsewhere)
    (album / "c").symlink_to(elsewhere)  # another way to the same
    (album / "loop").symlink_to(album)
    (album / "a/up").symlink_to(tmp_path)
    (elsewhere / "deep/back").symlink_to(album)
    assert list(files_below(album)) == ["a/1.png", "b/deep/2.png"]


def test_what_cannot_be_looked_into_is_listed_by_name(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/2.png").touch()
    assert list(files_below(tmp_path)) == ["1.png", "lost.png"]
    assert read_folder(tmp_path, 4).skipped == ("lost.png",)


def test_a_closed_subfolder_is_named(tmp_path, monkeypatch):
    """Played, since nothing is closed to a test that runs as root."""
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    (tmp_path / "closed").mkdir()
    scandir, access = os.scandir, os.access

    def closed(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path) and access(path, mode))
    (left,) = read_folder(tmp_path, 4).skipped
    assert (left, left.why) == ("closed", "the folder may not be opened")
    monkeypatch.setattr(os, "listdir", closed)
    with pytest.raises(CompanionError, match="may not be opened; change its permissions"):
        read_folder(tmp_path / "closed", 4)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_that_cannot_be_read_turns_nothing_and_is_no_damage(tmp_path, form):
    path = tmp_path / f"a.{form.lower()}"
    exif = b"Exif\0\0" + b"no EXIF" * 9
    Image.new("RGB", (20, 10), (200, 30, 30)).save(path, form, exif=exif)
    assert as_picture(path).shape == read_photo(path).pixels.shape == (10, 20, 3)
    assert len(read_folder(tmp_path, 8).pixels) == 1


@pytest.mark.parametrize("extra", ["icc_profile", "text"])
def test_two_megabytes_beside_a_png_are_no_damage(tmp_path, extra):
    """A scanner's colour profile, a program's notes: Pillow refuses more than one, when they are packed."""
    notes, path = PngInfo(), tmp_path / "a.png"
    notes.add_text("Comment", "x" * 2**21, zip=True)
    options = {"pnginfo": notes} if extra == "text" else {"icc_profile": bytes(2**21)}
    Image.new("RGB", (20, 10)).save(path, **options)
    assert as_picture(path).shape == read_photo(path).pixels.shape == (10, 20, 3)
